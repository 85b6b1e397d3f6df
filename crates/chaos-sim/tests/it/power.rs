//! Power operations as a vSphere client sees them.

use std::time::Duration;

use chaos_sim::{Estate, Failure, Power, Question, Sim, Timing, Tools, VmSpec};

use crate::client::Client;

async fn still(estate: Estate) -> (Sim, Client) {
    let sim = Sim::builder().estate(estate).paused().timing(Timing::fast()).start().await.unwrap();
    let client = Client::login(&sim).await;
    (sim, client)
}

async fn info(client: &Client, task: &str) -> String {
    client.property("Task", task, "info").await.unwrap()
}

#[tokio::test]
async fn each_operation_is_a_task_that_names_its_vm_and_its_method() {
    let (sim, client) = still(Estate::demo()).await;
    let vm = sim.world().vm("web-01").unwrap().id.0;
    for (method, power) in [
        ("SuspendVM_Task", Power::Suspended),
        ("PowerOnVM_Task", Power::On),
        ("ResetVM_Task", Power::On),
        ("PowerOffVM_Task", Power::Off),
    ] {
        let task = client.on_vm(method, vm).await.first("returnval").unwrap();
        assert!(info(&client, &task).await.contains("<state>queued</state>"), "{method}");
        sim.world().settle();
        let info = info(&client, &task).await;
        for part in [
            format!("<name>{method}</name>"),
            "<entityName>web-01</entityName>".into(),
            "<state>success</state>".into(),
        ] {
            assert!(info.contains(&part), "{part} is not in {info}");
        }
        assert_eq!(sim.world().vm("web-01").unwrap().power, power, "{method}");
    }
}

#[tokio::test]
async fn refusals_are_faults_of_their_kinds() {
    let (sim, client) = still(Estate::odd()).await;
    for (vm, method, fault) in [
        ("golden", "PowerOnVM_Task", "NotSupported"),
        ("/north/ft/pair", "PowerOffVM_Task", "NotSupported"),
        ("no tools", "ShutdownGuest", "ToolsUnavailable"),
        ("stopped tools", "RebootGuest", "ToolsUnavailable"),
        ("suspended", "ShutdownGuest", "InvalidPowerState"),
        ("off", "RebootGuest", "InvalidPowerState"),
        ("off", "TerminateVM", "InvalidPowerState"),
        ("disconnected", "PowerOffVM_Task", "HostNotConnected"),
        ("orphaned", "PowerOffVM_Task", "InvalidState"),
        ("inaccessible", "PowerOnVM_Task", "InvalidState"),
    ] {
        let id = sim.world().vm(vm).unwrap().id.0;
        let answer = client.on_vm(method, id).await;
        assert_eq!((answer.status, answer.fault().as_deref()), (500, Some(fault)), "{method} on {vm}");
        assert!(answer.first("faultstring").is_some_and(|text| !text.is_empty()), "{method} on {vm}");
        let disabled = client.property("VirtualMachine", &format!("vm-{id}"), "disabledMethod").await.unwrap();
        assert!(disabled.contains(method), "{method} on {vm}: {disabled}");
    }
    assert_eq!(client.on_vm("PowerOffVM_Task", 999_999).await.fault().as_deref(), Some("ManagedObjectNotFound"));
    assert_eq!(client.on_vm("Levitate", 1).await.fault().as_deref(), Some("MethodNotFound"));
}

#[tokio::test]
async fn a_failure_inside_a_task_is_the_error_of_its_info() {
    let (sim, client) = still(Estate::demo()).await;
    let vm = sim.world().vm("web-01").unwrap().id.0;
    sim.world().fail_tasks(Some("web-01"), None, Failure::Internal("out of luck".into()), 0, 1).unwrap();
    for error in ["SystemError", "InvalidPowerState"] {
        let method = if error == "SystemError" { "PowerOffVM_Task" } else { "PowerOnVM_Task" };
        let task = client.on_vm(method, vm).await.first("returnval").unwrap();
        sim.world().settle();
        let info = info(&client, &task).await;
        assert!(info.contains("<state>error</state>") && info.contains(&format!("xsi:type=\"{error}\"")), "{info}");
    }
}

#[tokio::test]
async fn a_busy_vm_names_the_task_that_it_is_busy_with() {
    let (sim, client) = still(Estate::demo()).await;
    let vm = sim.world().vm("web-01").unwrap().id.0;
    let task = client.on_vm("SuspendVM_Task", vm).await.first("returnval").unwrap();
    let answer = client.on_vm("PowerOffVM_Task", vm).await;
    assert_eq!((answer.fault().as_deref(), answer.first("task")), (Some("TaskInProgress"), Some(task)));
}

#[tokio::test]
async fn several_vms_are_powered_on_together_and_those_that_cannot_be_are_listed() {
    let (sim, client) = still(Estate::odd()).await;
    let id = |name: &str| sim.world().vm(name).unwrap().id.0;
    let vms =
        format!(r#"<vm type="VirtualMachine">vm-{}</vm><vm type="VirtualMachine">vm-{}</vm>"#, id("off"), id("golden"));
    let on = ("Datacenter", "datacenter-1");
    let task = client.ask("PowerOnMultiVM_Task", on, &vms).await.first("returnval").unwrap();
    sim.world().settle();
    let info = info(&client, &task).await;
    assert!(info.contains(r#"xsi:type="ClusterPowerOnVmResult""#), "{info}");
    let (attempted, not_attempted) = info.split_once("<notAttempted>").unwrap();
    assert!(
        attempted.contains(&format!("vm-{}<", id("off"))) && not_attempted.contains(&format!("vm-{}<", id("golden")))
    );
    assert_eq!(sim.world().vm("off").unwrap().power, Power::On);
    let elsewhere = format!(r#"<vm type="VirtualMachine">vm-{}</vm>"#, id("ordinary-south"));
    assert_eq!(client.ask("PowerOnMultiVM_Task", on, &elsewhere).await.fault().as_deref(), Some("InvalidArgument"));
}

#[tokio::test]
async fn a_question_is_shown_and_answered() {
    let (sim, client) = still(Estate::demo()).await;
    let question = Question {
        id: "42".into(),
        text: "moved or copied?".into(),
        choices: vec![("0".into(), "I copied it".into()), ("1".into(), "Cancel".into())],
    };
    for (choice, power, state) in [("1", Power::Off, "error"), ("0", Power::On, "success")] {
        let name = format!("asks-{choice}");
        let vm = VmSpec::new(&name).power(Power::Off).tools(Tools::Running).asks(question.clone());
        let id = sim.world().add(&vm).unwrap().id.0;
        let task = client.on_vm("PowerOnVM_Task", id).await.first("returnval").unwrap();
        sim.world().step(Duration::from_mins(1));
        let shown = client.property("VirtualMachine", &format!("vm-{id}"), "runtime.question").await.unwrap();
        assert!(shown.contains("<text>moved or copied?</text>"), "{shown}");
        assert!(info(&client, &task).await.contains("<progress>95</progress>"));
        let answer = format!("<questionId>42</questionId><answerChoice>{choice}</answerChoice>");
        let on = format!("vm-{id}");
        assert_eq!(client.ask("AnswerVM", ("VirtualMachine", &on), &answer).await.status, 200);
        assert!(info(&client, &task).await.contains(&format!("<state>{state}</state>")));
        assert_eq!(sim.world().vm(&name).unwrap().power, power);
        assert_eq!(
            client.ask("AnswerVM", ("VirtualMachine", &on), &answer).await.fault().as_deref(),
            Some("InvalidArgument")
        );
    }
}

#[tokio::test]
async fn only_a_task_that_has_not_begun_can_be_cancelled() {
    let (sim, client) = still(Estate::demo()).await;
    let vm = sim.world().vm("web-01").unwrap().id.0;
    let cancel = |task: String| {
        let client = client.clone();
        async move { client.ask("CancelTask", ("Task", &task), "").await.fault() }
    };
    let task = client.on_vm("PowerOffVM_Task", vm).await.first("returnval").unwrap();
    assert_eq!(cancel(task.clone()).await, None);
    assert!(info(&client, &task).await.contains("<cancelled>true</cancelled>"));
    let task = client.on_vm("PowerOffVM_Task", vm).await.first("returnval").unwrap();
    sim.world().step_to_next_event();
    assert_eq!(cancel(task.clone()).await.as_deref(), Some("NotSupported"));
    sim.world().settle();
    assert_eq!(cancel(task).await.as_deref(), Some("InvalidState"));
    assert_eq!(sim.world().vm("web-01").unwrap().power, Power::Off);
}

#[tokio::test]
async fn the_guest_is_seen_to_go_down_and_come_back() {
    let (sim, client) = still(Estate::demo()).await;
    let vm = sim.world().vm("web-01").unwrap().id.0;
    let seen = || {
        let client = client.clone();
        async move {
            let id = format!("vm-{vm}");
            let paths = [
                "guest.guestState",
                "guest.toolsRunningStatus",
                "guest.guestStateChangeSupported",
                "runtime.powerState",
            ];
            let mut values = Vec::new();
            for path in paths {
                values.push(client.property("VirtualMachine", &id, path).await.unwrap());
            }
            values.join(" ")
        }
    };
    assert_eq!(seen().await, "running guestToolsRunning true poweredOn");
    assert_eq!(client.on_vm("RebootGuest", vm).await.status, 200);
    assert_eq!(seen().await, "resetting guestToolsNotRunning false poweredOn");
    sim.world().step_to_next_event();
    assert_eq!(seen().await, "notRunning guestToolsNotRunning false poweredOn");
    sim.world().step_to_next_event();
    assert_eq!(seen().await, "running guestToolsRunning true poweredOn");
    assert_eq!(client.on_vm("ShutdownGuest", vm).await.status, 200);
    assert_eq!(seen().await, "shuttingDown guestToolsRunning false poweredOn");
    sim.world().step_to_next_event();
    assert_eq!(seen().await, "notRunning guestToolsNotRunning false poweredOff");
}
