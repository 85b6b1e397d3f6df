//! The long poll on the wire: versions, truncated answers, objects that are gone, and a session that ends under it.

use std::time::Duration;

use chaos_core::{ErrorKind, Fault, How, Outcome, Platform, Stop, Target, VMRef};
use chaos_vsphere::VSphere;
use wiremock::ResponseTemplate;

use crate::scripted::{Scripted, calls, current_session, cx, fault, ok};

/// A server on which a watch can be made, over one VM that is powered off by `task-1`.
async fn server() -> Scripted {
    let scripted = Scripted::start().await;
    let made =
        |method: &str, kind: &str| ok(method, &format!(r#"<returnval type="{kind}">session[1]{kind}</returnval>"#));
    for (method, kind) in [
        ("CreatePropertyCollector", "PropertyCollector"),
        ("CreateListView", "ListView"),
        ("CreateFilter", "PropertyFilter"),
    ] {
        calls(method).respond_with(made(method, kind)).mount(&scripted.server).await;
    }
    for method in ["DestroyPropertyCollector", "DestroyView"] {
        calls(method).respond_with(ok(method, "")).mount(&scripted.server).await;
    }
    scripted
}

/// Lets the next calls of a method be answered so, one after the other; the last answer is for all that follow.
async fn script(scripted: &Scripted, method: &str, answers: impl IntoIterator<Item = ResponseTemplate>) {
    let mut answers = answers.into_iter().peekable();
    while let Some(answer) = answers.next() {
        let mock = calls(method).respond_with(answer);
        let mock = if answers.peek().is_some() { mock.up_to_n_times(1) } else { mock };
        mock.mount(&scripted.server).await;
    }
}

fn updates(version: &str, truncated: bool, objects: &[String]) -> ResponseTemplate {
    let truncated = if truncated { "<truncated>true</truncated>" } else { "" };
    let objects = objects.concat();
    ok(
        "WaitForUpdatesEx",
        &format!(
            r#"<returnval><version>{version}</version><filterSet><filter type="PropertyFilter">f</filter>{objects}</filterSet>{truncated}</returnval>"#
        ),
    )
}

fn nothing_new() -> ResponseTemplate {
    ok("WaitForUpdatesEx", "").set_delay(Duration::from_millis(100))
}

fn vm(kind: &str, power: &str) -> String {
    format!(
        r#"<objectSet><kind>{kind}</kind><obj type="VirtualMachine">vm-1</obj><changeSet><name>name</name><op>assign</op><val xsi:type="xsd:string">a%2fb</val></changeSet><changeSet><name>runtime.powerState</name><op>assign</op><val xsi:type="VirtualMachinePowerState">{power}</val></changeSet></objectSet>"#
    )
}

fn task(state: &str) -> String {
    format!(
        r#"<objectSet><kind>enter</kind><obj type="Task">task-1</obj><changeSet><name>info.state</name><op>assign</op><val xsi:type="TaskInfoState">{state}</val></changeSet></objectSet>"#
    )
}

fn accepted() -> ResponseTemplate {
    ok("PowerOffVM_Task", r#"<returnval type="Task">task-1</returnval>"#)
}

fn listed() -> ResponseTemplate {
    ok("ModifyListView", "")
}

async fn power_off(client: &VSphere) -> Result<Outcome, chaos_core::Error> {
    let target = Target::from(VMRef::new(client.identity(), "vm-1"));
    client.apply(&cx(), &target, &Fault::power_off(Stop::hard())).await
}

async fn versions_asked_for(scripted: &Scripted) -> Vec<String> {
    let polls = scripted.requests().await;
    let version = |body: &str| Some(body.split_once("<version>")?.1.split_once("</version>")?.0.to_owned());
    polls.iter().filter_map(|request| version(&String::from_utf8_lossy(&request.body))).collect()
}

#[tokio::test]
async fn a_truncated_answer_is_followed_at_once_and_its_version_sent() {
    let scripted = server().await;
    script(&scripted, "ModifyListView", [listed()]).await;
    script(&scripted, "PowerOffVM_Task", [accepted()]).await;
    let answers = [
        updates("1", true, &[]),
        updates("2", false, &[vm("enter", "poweredOn")]),
        updates("3", true, &[vm("modify", "poweredOff")]),
        updates("4", false, &[task("success")]),
        nothing_new(),
    ];
    script(&scripted, "WaitForUpdatesEx", answers).await;
    let client = scripted.connect().await;
    assert_eq!(power_off(&client).await.unwrap().how, How::HardPowerOff);
    assert_eq!(versions_asked_for(&scripted).await[..4], ["", "1", "2", "3"]);
}

#[tokio::test]
async fn a_version_that_the_server_forgot_starts_again_with_everything() {
    let scripted = server().await;
    script(&scripted, "ModifyListView", [listed()]).await;
    script(&scripted, "PowerOffVM_Task", [accepted()]).await;
    let answers = [
        updates("1", false, &[vm("enter", "poweredOn")]),
        fault("InvalidCollectorVersion", ""),
        updates("7", false, &[vm("enter", "poweredOff"), task("success")]),
        nothing_new(),
    ];
    script(&scripted, "WaitForUpdatesEx", answers).await;
    let client = scripted.connect().await;
    assert_eq!(power_off(&client).await.unwrap().how, How::HardPowerOff);
    assert_eq!(versions_asked_for(&scripted).await[..3], ["", "1", ""]);
    let made = scripted.called().await.iter().filter(|call| *call == "CreatePropertyCollector").count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_wait_that_the_server_cancels_is_begun_anew() {
    let scripted = server().await;
    script(&scripted, "ModifyListView", [listed()]).await;
    script(&scripted, "PowerOffVM_Task", [accepted()]).await;
    let answers = [
        updates("1", false, &[vm("enter", "poweredOn")]),
        fault("RequestCanceled", ""),
        updates("1", false, &[vm("enter", "poweredOff"), task("success")]),
        nothing_new(),
    ];
    script(&scripted, "WaitForUpdatesEx", answers).await;
    let client = scripted.connect().await;
    assert_eq!(power_off(&client).await.unwrap().how, How::HardPowerOff);
    let called = scripted.called().await;
    let count = |name: &str| called.iter().filter(|call| *call == name).count();
    assert_eq!((count("CreatePropertyCollector"), count("DestroyPropertyCollector"), count("DestroyView")), (2, 1, 2));
    assert_eq!(count("PowerOffVM_Task"), 1);
}

#[tokio::test]
async fn a_task_that_was_purged_already_is_settled_by_the_state() {
    let unresolved = ok("ModifyListView", r#"<returnval type="Task">task-1</returnval>"#);
    let refused = fault("ManagedObjectNotFound", r#"<obj type="Task">task-1</obj>"#);
    for answer in [unresolved, refused] {
        let scripted = server().await;
        script(&scripted, "ModifyListView", [listed(), answer, listed()]).await;
        script(&scripted, "PowerOffVM_Task", [accepted()]).await;
        let answers = [
            updates("1", false, &[vm("enter", "poweredOn")]),
            updates("2", false, &[vm("modify", "poweredOff")]),
            nothing_new(),
        ];
        script(&scripted, "WaitForUpdatesEx", answers).await;
        let client = scripted.connect().await;
        let outcome = power_off(&client).await.unwrap();
        assert_eq!(outcome.how, How::HardPowerOff);
        assert!(outcome.note.unwrap().contains("does not know the task any more"));
    }
}

#[tokio::test]
async fn a_vm_that_the_server_cannot_resolve_is_not_found() {
    let scripted = server().await;
    let gone = ok("ModifyListView", r#"<returnval type="VirtualMachine">vm-1</returnval>"#);
    script(&scripted, "ModifyListView", [gone]).await;
    script(&scripted, "WaitForUpdatesEx", [nothing_new()]).await;
    let client = scripted.connect().await;
    assert_eq!(power_off(&client).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_poll_that_outlives_its_session_is_given_up_when_another_call_finds_out() {
    let scripted = server().await;
    script(&scripted, "ModifyListView", [listed()]).await;
    let dead = fault("NotAuthenticated", r#"<object type="VirtualMachine">vm-1</object>"#);
    // Late enough for the next poll to be under way.
    script(&scripted, "PowerOffVM_Task", [dead.set_delay(Duration::from_secs(2)), accepted()]).await;
    script(&scripted, "RetrievePropertiesEx", [current_session(false)]).await;
    let answers = [
        updates("1", false, &[vm("enter", "poweredOn")]),
        // The server does not end a wait with its session: this one would last far beyond the deadline.
        nothing_new().set_delay(Duration::from_mins(2)),
        updates("1", false, &[vm("enter", "poweredOff"), task("success")]),
        nothing_new(),
    ];
    script(&scripted, "WaitForUpdatesEx", answers).await;
    let client = scripted.connect().await;
    let outcome = power_off(&client).await.unwrap();
    assert_eq!(outcome.how, How::HardPowerOff);
    let called = scripted.called().await;
    let count = |name: &str| called.iter().filter(|call| *call == name).count();
    assert_eq!((count("Login"), count("PowerOffVM_Task"), count("CreatePropertyCollector")), (2, 2, 2));
}

#[tokio::test]
async fn a_privilege_that_is_missing_for_waiting_is_named_and_ends_the_wait() {
    let scripted = Scripted::start().await;
    let denied =
        fault("NoPermission", r#"<object type="PropertyCollector">pc</object><privilegeId>System.View</privilegeId>"#);
    script(&scripted, "CreatePropertyCollector", [denied]).await;
    let view = ok("CreateListView", r#"<returnval type="ListView">v</returnval>"#);
    script(&scripted, "CreateListView", [view]).await;
    let client = scripted.connect().await;
    let error = power_off(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("System.View"), "{error}");
}
