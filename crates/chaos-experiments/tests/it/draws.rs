//! VMs that are drawn at random.

use chaos_core::{RunEventKind, VMPowerState};
use chaos_experiments::{NamedVm, Verdict};
use chaos_testkit::{EstateSpec, VmSpec};
use serde_json::{Value, json};

use crate::lab::{Lab, action, document, probe, read, rendered, with_hypothesis};

const WEB: [&str; 6] = ["web-01", "web-02", "web-03", "web-04", "web-05", "web-06"];

fn drawn(lot: &Value) -> Value {
    let method = [
        action("off", "vm_batch_power_off", json!({"vm_names": lot})),
        probe("are off", "vm_batch_power_state", json!({"vm_names": lot}), json!("powered_off")),
    ];
    let rollbacks = [action("back", "vm_restore", json!({"vm_names": lot}))];
    let others = json!({"group": "web-*", "except": lot});
    with_hypothesis(document(&method, &rollbacks), &[probe("others", "vm_group_powered_on", others, json!(true))])
}

async fn planned(lab: &Lab, lot: &Value) -> Value {
    json!(lab.resolve(read(drawn(lot)).unwrap()).await.unwrap().plan())
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_draws_the_same_vms_whatever_the_order_of_the_estate() {
    let lot = json!({"random": "web-*", "count": 2, "seed": 7});
    let first = planned(&Lab::with(&WEB), &lot).await;
    let drawn = &first["method"][0]["drawn"];
    assert_eq!((&drawn["from"], &drawn["seed"], &drawn["among"]), (&json!("`web-*`"), &json!(7), &json!(6)));
    assert_eq!(drawn["vms"].as_array().unwrap().len(), 2);
    for step in ["/method/1", "/rollbacks/0", "/hypothesis/0"] {
        assert_eq!(first.pointer(step).unwrap()["drawn"], *drawn, "all activities mean the same VMs");
    }
    let mut shuffled = WEB;
    for _ in 0..6 {
        shuffled.rotate_left(1);
        shuffled.swap(1, 4);
        assert_eq!(planned(&Lab::with(&shuffled), &lot).await["method"][0]["drawn"]["vms"], drawn["vms"]);
    }
    let other = planned(&Lab::with(&WEB), &json!({"random": "web-*", "count": 2, "seed": "8"})).await;
    assert_ne!(other["method"][0]["drawn"]["vms"], drawn["vms"]);
}

#[tokio::test(start_paused = true)]
async fn exactly_what_was_drawn_is_held_and_touched_and_comes_back() {
    let lab = Lab::with(&WEB);
    let resolved = lab.resolve(read(drawn(&json!({"random": "web-*", "count": 2}))).unwrap()).await.unwrap();
    let plan = resolved.plan();
    let drawn = plan.method[0].drawn.clone().unwrap();
    let held: Vec<String> = resolved.targets().into_iter().map(|(_, name)| name).collect();
    assert_eq!(held, drawn.vms);
    assert!(
        plan.to_string().contains(&format!("2 of 6 drawn from `web-*` with seed {}:", drawn.seed.unwrap())),
        "{plan}"
    );

    let sink = chaos_experiments::MemorySink::default();
    let report = resolved.run(&lab.cx, &sink, &crate::lab::options()).await;
    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
    let touched: Vec<Value> =
        report.journal.run[0].output.as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
    assert_eq!(json!(touched), json!(drawn.vms));
    // Before anything is sent the log has what was drawn and by which seed.
    let events = sink.events();
    let started = events.iter().find_map(|event| match &event.event {
        RunEventKind::ActivityStarted { activity, .. } if activity["name"] == "off" => Some(activity.clone()),
        _ => None,
    });
    assert_eq!(started.unwrap()["drawn"], json!(drawn));
    assert_eq!(json!(report.journal)["run"][0]["activity"]["drawn"]["seed"], json!(drawn.seed));
    assert!(WEB.iter().all(|vm| lab.state(vm) == VMPowerState::PoweredOn));
}

#[tokio::test(start_paused = true)]
async fn what_is_off_or_unmanageable_is_never_drawn() {
    let lab = Lab::new(&EstateSpec::new().with([
        VmSpec::new("web-01").off(),
        VmSpec::new("web-02").off(),
        VmSpec::new("web-03"),
    ]));
    for seed in 0..20 {
        let (report, _) =
            lab.run(rendered("vsphere-vm-random-poweroff", &["group=web-*", &format!("seed={seed}")])).await;
        assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
        assert_eq!(report.journal.run[0].output[0]["vm"], "web-03");
    }
    let error = lab.resolve(rendered("vsphere-vm-random-poweroff", &["group=web-*", "count=2"])).await.unwrap_err();
    assert_eq!(error.to_string(), "2 cannot be drawn from `web-*`: 1 of its 3 VMs are powered on and manageable");
}

#[tokio::test(start_paused = true)]
async fn one_vm_is_drawn_where_one_is_meant() {
    let method = [action("restart", "vm_reboot", json!({"vm_name": {"random": "web-*", "seed": 3}}))];
    let experiment = read(document(&method, &[])).unwrap();
    let named: Vec<NamedVm> = experiment.vms();
    assert_eq!((named.len(), named[0].target.as_str(), named[0].group), (1, "web-*", true));
    let (report, _) = Lab::with(&WEB).run(experiment).await;
    assert_eq!(report.journal.run[0].output["outcome"], "guest_reboot");
}

#[test]
fn a_choice_that_means_nothing_is_refused() {
    for (lot, complaint) in [
        (json!({}), "`random` has to be a group of VMs: a name, a glob or `re:…`"),
        (json!({"random": 3}), "`random` has to be a group of VMs: a name, a glob or `re:…`"),
        (json!({"random": "re:("}), "is not a regular expression"),
        (json!({"random": "a", "count": 0}), "`count` has to be a whole number of at least 1"),
        (json!({"random": "a", "count": 2}), "this means one VM: `count` can only be 1"),
        (json!({"random": "a", "seed": -1}), "`seed` has to be a whole number that is not negative"),
        (json!({"random": "a", "cluster": ""}), "`cluster` has to be a name or a glob"),
        (json!({"random": "a", "sed": 1}), "`sed` is not known here: a random choice takes random, count, seed, "),
        (json!({"random": "${nobody}"}), "`${nobody}` stands for nothing"),
    ] {
        let method = [action("off", "vm_power_off", json!({"vm_name": lot}))];
        let told = read(document(&method, &[])).unwrap_err().to_string();
        assert!(told.contains(complaint), "{told}");
    }
}
