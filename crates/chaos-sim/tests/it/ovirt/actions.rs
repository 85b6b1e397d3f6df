//! Actions: what each status allows, and the words of each refusal.

use std::collections::BTreeMap;

use chaos_sim::{
    Condition, Disks, Failure, GuestPhase, Hold, HostState, Operation, Power, Reach, Role, Sim, VmPatch, VmSpec,
};
use hyper::Method;
use serde_json::Value;

use super::{Api, attribute, builder, child, id_of, pass, plain, texts, with};

const ACTIONS: [&str; 6] = ["start", "stop", "shutdown", "reboot", "reset", "suspend"];

/// A VM in a status, and what the six actions come to: `A` acts, `N` nothing, `H` acts as a hard stop, `s` because of its
/// status, other letters as below.
const MATRIX: [(&str, &str); 15] = [
    ("down", "A N N s s u"),
    ("wait_for_launch", "s A H s s s"),
    ("powering_up", "s A H A A u"),
    ("up", "s A A A A A"),
    ("powering_down", "s A H s A u"),
    ("reboot_in_progress", "s A H s A u"),
    ("migrating", "s A A s A u"),
    ("paused", "A A H s s u"),
    ("saving_state", "s v v s s u"),
    ("restoring_state", "s v v s s u"),
    ("suspended", "A A A s s u"),
    ("image_locked", "l n n s s u"),
    ("not_responding", "s A H s s s"),
    ("unknown", "s n n s s u"),
    ("unassigned", "s n n s s u"),
];

/// Brings the VM `it` into a status.
async fn bring(sim: &Sim, api: &Api, vm: &str, status: &str) {
    let world = sim.world();
    let patch = |patch: VmPatch| {
        world.change("it", &patch).unwrap();
    };
    let condition = |condition| patch(VmPatch { condition: Some(condition), ..VmPatch::default() });
    match status {
        "up" => {}
        "down" => patch(VmPatch { power: Some(Power::Off), ..VmPatch::default() }),
        "suspended" => patch(VmPatch { power: Some(Power::Suspended), ..VmPatch::default() }),
        "powering_up" => patch(VmPatch { phase: Some(GuestPhase::Booting), ..VmPatch::default() }),
        "powering_down" => patch(VmPatch { phase: Some(GuestPhase::ShuttingDown), ..VmPatch::default() }),
        "reboot_in_progress" => patch(VmPatch { phase: Some(GuestPhase::Restarting), ..VmPatch::default() }),
        "migrating" => condition(Condition::Migrating),
        "paused" => condition(Condition::Paused),
        "not_responding" => condition(Condition::Unresponsive),
        "unassigned" => condition(Condition::Unclear),
        "unknown" => patch(VmPatch { reach: Some(Reach::Disconnected), ..VmPatch::default() }),
        "image_locked" => {
            patch(VmPatch { power: Some(Power::Off), disks: Some(Disks::Locked), ..VmPatch::default() });
        }
        "wait_for_launch" | "restoring_state" => {
            let from = if status == "wait_for_launch" { Power::Off } else { Power::Suspended };
            patch(VmPatch { power: Some(from), ..VmPatch::default() });
            api.act(vm, "start", "<action/>").await;
            pass(sim, 1);
        }
        "saving_state" => {
            api.act(vm, "suspend", "<action/>").await;
            pass(sim, 5);
        }
        other => panic!("{other}"),
    }
    assert_eq!(api.status(vm).await.as_deref(), Some(status));
}

fn spoken(status: &str) -> String {
    let words = status.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        if matches!(word, "for" | "in") { word.to_owned() } else { first.to_uppercase() + rest }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The detail of a refusal.
fn refusal(action: &str, status: &str, letter: &str) -> String {
    let verbs = BTreeMap::from([("start", "run"), ("reboot", "restart"), ("suspend", "hibernate")]);
    let verb = verbs.get(action).copied().unwrap_or(action);
    match letter {
        "s" => format!("[Cannot {verb} VM because the VM is in {} status.]", spoken(status)),
        "u" => "[Cannot hibernate VM. VM is not up.]".into(),
        "v" => format!(
            "[Cannot {verb} VM. VM is in saving/restoring state.\n-Please try again when the VM is either up or down.]"
        ),
        "l" => "[Cannot run VM: VM is locked. Please try again in a few minutes.]".into(),
        "n" => format!("[Cannot {verb} VM. VM is not running.]"),
        other => panic!("{other}"),
    }
}

fn detail(document: &str) -> String {
    let (_, rest) = document.split_once("<detail>").unwrap_or_else(|| panic!("{document}"));
    rest.split_once("</detail>").unwrap().0.to_owned()
}

#[tokio::test]
async fn each_status_allows_what_the_engine_allows_in_its_own_words() {
    for (status, row) in MATRIX {
        for (action, letter) in ACTIONS.into_iter().zip(row.split(' ')) {
            let (sim, api, vm) = with(VmSpec::new("it")).await;
            bring(&sim, &api, &vm, status).await;
            let before = sim.world().vm("it").unwrap().operations;
            let answer = api.act(&vm, action, "<action/>").await;
            let operations = sim.world().vm("it").unwrap().operations - before;
            let what = format!("{action} while {status}: {}", answer.text());
            match letter {
                "A" | "H" => {
                    assert!(matches!(answer.status, 200 | 202) && operations == 1, "{what}");
                    let stops_hard = api.codes(&vm).await.contains(&76);
                    assert_eq!(stops_hard, letter == "H", "{what}");
                }
                "N" => {
                    assert_eq!((answer.status, operations), (200, 0), "{what}");
                    assert_eq!(api.codes(&vm).await.last(), Some(&254));
                }
                letter => {
                    assert_eq!((answer.status, operations), (409, 0), "{what}");
                    assert_eq!(detail(answer.text()), refusal(action, status, letter), "{what}");
                    assert!(answer.text().contains("<reason>Operation Failed</reason>"));
                    assert_eq!(child(answer.text(), "action", "status").as_deref(), Some("failed"));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_vm_without_a_status_is_refused_as_well() {
    let (_sim, api, vm) = with(VmSpec::new("it").power(Power::Off).disks(Disks::Broken)).await;
    let start = api.act(&vm, "start", "<action/>").await;
    assert_eq!(detail(start.text()), "[Cannot run VM because the VM is in Image Illegal status.]");
    assert_eq!(detail(api.act(&vm, "stop", "<action/>").await.text()), "[Cannot stop VM. VM is not running.]");
}

#[tokio::test]
async fn an_answer_names_the_job_and_the_vm_without_its_status() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    let answer = api.act(&vm, "shutdown", "<action><async>false</async><reason>a &amp; ü</reason></action>").await;
    assert_eq!(answer.status, 200);
    let document = answer.text();
    for part in ["<async>false</async>", "<reason>a &amp; ü</reason>", "<status>complete</status>"] {
        assert!(document.contains(part), "{part} is not in {document}");
    }
    assert_eq!(attribute(document, "vm", "id"), Some(vm.clone()));
    assert!(attribute(document, "job", "id").is_some() && child(document, "vm", "name").is_none());
    let call = sim.calls_of("shutdown").pop().unwrap();
    assert_eq!((call.object.as_str(), call.object_name.as_deref()), (vm.as_str(), Some("web-01")));
    assert_eq!(call.reason.as_deref(), Some("a & ü"));
    let down = api.read(&format!("/vms/{vm}")).await;
    assert_eq!(child(&down, "vm", "stop_reason").as_deref(), Some("a &amp; ü"));
}

#[tokio::test]
async fn suspending_has_tasks_that_can_be_looked_at_until_they_are_over() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    let answer = api.act(&vm, "suspend", "<action/>").await;
    assert_eq!(answer.status, 202);
    let document = answer.text();
    let address = attribute(document, "action", "href").unwrap();
    assert!(address.starts_with(&format!("/ovirt-engine/api/vms/{vm}/suspend/")), "{address}");
    for part in ["rel=\"parent\"", "rel=\"replay\"", "<async>true</async>", "<status>in_progress</status>", "<job "] {
        assert!(document.contains(part), "{part} is not in {document}");
    }
    let path = address.strip_prefix("/ovirt-engine/api").unwrap();
    assert!(api.read(path).await.contains("<status>in_progress</status>"));
    sim.world().settle();
    let gone = api.get(path).await;
    assert_eq!(
        (gone.status, gone.headers["location"].to_str().unwrap()),
        (301, format!("/ovirt-engine/api/vms/{vm}").as_str())
    );
}

#[tokio::test]
async fn a_vm_that_does_not_exist_is_400_and_an_id_that_is_none_404() {
    let (_sim, api) = plain().await;
    for (action, verb) in ACTIONS.into_iter().zip(["run", "stop", "shutdown", "restart", "reset", "hibernate"]) {
        let answer = api.act("00000000-aaaa-bbbb-cccc-000000000000", action, "<action/>").await;
        assert_eq!((answer.status, detail(answer.text())), (400, format!("[Cannot {verb} VM. VM is not found.]")));
        let answer = api.act("web-01", action, "<action/>").await;
        assert_eq!((answer.status, answer.bytes.len()), (404, 0));
    }
    assert_eq!(api.act("00000000-aaaa-bbbb-cccc-000000000000", "fly", "<action/>").await.status, 404);
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused_with_the_way_to_the_manual() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    for body in ["", "<action>", "nonsense", "<vm/>"] {
        let answer = api.act(&vm, "stop", body).await;
        assert_eq!(answer.status, 400, "{body}");
        let text = answer.text();
        assert!(text.contains("<fault>") && !text.contains("<action>"), "{text}");
        assert_eq!(texts(text, "fault", "reason"), ["Request syntactically incorrect."]);
        let manual =
            format!("For correct usage, see: https://{}/ovirt-engine/apidoc#services/vm/methods/stop", sim.address());
        assert_eq!(texts(text, "fault", "detail"), [manual]);
    }
    let json = [("content-type", "application/json"), ("accept", "application/json")];
    let answer = api.send(Method::POST, &format!("/vms/{vm}/stop"), "{\"reason\": \"r\"}", &json).await;
    let told: Value = serde_json::from_slice(&answer.bytes).unwrap();
    assert_eq!((answer.status, &told["status"], &told["vm"]["id"]), (200, &"complete".into(), &vm.into()));
}

#[tokio::test]
async fn other_commands_snapshots_and_backups_keep_a_vm_for_themselves() {
    let (sim, api, vm) = with(VmSpec::new("it")).await;
    let hold = |hold| {
        sim.world().change("it", &VmPatch { hold: Some(hold), ..VmPatch::default() }).unwrap();
    };
    hold(Hold::Command);
    for (action, verb) in ACTIONS.into_iter().zip(["run", "stop", "shutdown", "restart", "reset", "hibernate"]) {
        let answer = api.act(&vm, action, "<action/>").await;
        let busy = format!("[Cannot {verb} VM. Related operation is currently in progress. Please try again later.]");
        assert_eq!((answer.status, detail(answer.text())), (409, busy));
    }
    hold(Hold::Backup);
    let answer = api.act(&vm, "stop", "<action/>").await;
    assert_eq!(detail(answer.text()), "[Cannot stop VM. The VM is during a backup operation.]");
    assert_eq!(api.act(&vm, "stop", "<action><force>true</force></action>").await.status, 200);
    sim.world().settle();
    hold(Hold::Snapshot);
    let answer = api.act(&vm, "start", "<action/>").await;
    assert!(detail(answer.text()).contains("The VM is performing an operation on a Snapshot."), "{}", answer.text());
    assert!(api.read(&format!("/vms/{vm}/snapshots")).await.contains("<snapshot_status>locked</snapshot_status>"));
    let patch =
        VmPatch { hold: Some(Hold::Snapshot), hold_for: Some(std::time::Duration::from_secs(5)), ..VmPatch::default() };
    sim.world().change("it", &patch).unwrap();
    pass(&sim, 6);
    assert_eq!(api.act(&vm, "start", "<action/>").await.status, 200);
}

#[tokio::test]
async fn a_command_that_has_not_begun_keeps_others_away() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    assert_eq!(api.act(&vm, "stop", "<action/>").await.status, 200);
    let second = api.act(&vm, "stop", "<action/>").await;
    assert!(second.status == 409 && detail(second.text()).contains("Related operation is currently in progress"));
    pass(&sim, 1);
    assert_eq!(api.act(&vm, "stop", "<action/>").await.status, 200, "a stop can be repeated");
}

#[tokio::test]
async fn a_start_looks_for_a_disk_and_for_a_host_that_is_up() {
    let (sim, api, vm) = with(VmSpec::new("it").power(Power::Off).host("esx-b1").disks(Disks::Missing)).await;
    let answer = api.act(&vm, "start", "<action/>").await;
    assert!(detail(answer.text()).starts_with("[Cannot run VM without at least one bootable disk.\nAlternatives:\n- "));
    sim.world().change("it", &VmPatch { disks: Some(Disks::Ready), ..VmPatch::default() }).unwrap();
    for host in ["esx-b1", "esx-b2"] {
        sim.world().set_host(host, HostState::Maintenance).unwrap();
    }
    let answer = api.act(&vm, "start", "<action/>").await;
    assert!(answer.status == 409 && answer.text().contains("There is no host that satisfies current scheduling"));
    sim.world().set_host("esx-b2", HostState::Up).unwrap();
    assert_eq!(api.act(&vm, "start", "<action/>").await.status, 200);
    assert_eq!(super::names(&api.read(&format!("/vms/{vm}?follow=host")).await, "host"), "esx-b2");
}

#[tokio::test]
async fn a_grace_period_is_slept_before_anything_happens() {
    let sim = builder().start().await.unwrap();
    let api = Api::login(&sim).await;
    sim.world().clock().set_speed(100.0);
    sim.world().clock().resume();
    let before = sim.world().clock().elapsed();
    let body = "<action><grace_period><expiry>5000</expiry></grace_period></action>";
    assert_eq!(api.act(&id_of(&sim, "web-01"), "stop", body).await.status, 200);
    assert!(sim.world().clock().elapsed() >= before + std::time::Duration::from_secs(5));
}

#[tokio::test]
async fn whoever_may_only_look_may_not_act() {
    let sim = builder().user("eve", "eve", Role::ReadOnly).user("opal", "opal", Role::Operator).start().await.unwrap();
    let vm = id_of(&sim, "web-01");
    let answer = Api::login_as(&sim, "eve@internal", "eve").await.act(&vm, "stop", "<action/>").await;
    assert_eq!(
        (answer.status, detail(answer.text())),
        (403, "[User is not authorized to perform this action.]".into())
    );
    assert_eq!(Api::login_as(&sim, "opal@internal", "opal").await.act(&vm, "stop", "<action/>").await.status, 200);
}

#[tokio::test]
async fn an_accepted_action_can_fail_on_the_host() {
    for (action, operation, ends, codes) in [
        ("stop", Operation::PowerOff, "up", [33, 56].as_slice()),
        ("suspend", Operation::Suspend, "up", &[501, 502]),
        ("reset", Operation::Reset, "up", &[221, 222]),
    ] {
        let (sim, api, vm) = with(VmSpec::new("it")).await;
        sim.world().fail_tasks(Some("it"), Some(operation), Failure::OutOfResources, 0, 1).unwrap();
        assert!(api.act(&vm, action, "<action/>").await.status < 300);
        sim.world().settle();
        assert_eq!(api.status(&vm).await.as_deref(), Some(ends), "{action}");
        assert_eq!(api.codes(&vm).await, codes, "{action}");
    }
}
