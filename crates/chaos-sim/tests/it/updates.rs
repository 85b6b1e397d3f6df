//! Waiting for changes: versions, replay, truncation, and what ends a wait.

use std::time::Duration;

use chaos_sim::{Power, Sim, Timing, VmSpec};

use crate::client::{Answer, COLLECTOR, Client, spec, whole_inventory};

/// A client with one filter over a list view of VMs and tasks.
struct Watcher {
    client: Client,
    view: String,
}

impl Watcher {
    async fn new(sim: &Sim) -> Self {
        let client = Client::login(sim).await;
        let view = client.ask("CreateListView", ("ViewManager", "ViewManager"), "").await.first("returnval").unwrap();
        let filter = format!(
            r#"<spec><propSet><type>VirtualMachine</type><pathSet>runtime.powerState</pathSet></propSet>
            <propSet><type>Task</type><pathSet>info.state</pathSet></propSet>
            <objectSet><obj type="ListView">{view}</obj><skip>true</skip>
            <selectSet xsi:type="TraversalSpec"><type>ListView</type><path>view</path></selectSet></objectSet></spec>
            <partialUpdates>false</partialUpdates>"#
        );
        assert_eq!(client.ask("CreateFilter", COLLECTOR, &filter).await.status, 200);
        Self { client, view }
    }

    async fn modify(&self, inside: &str) -> Answer {
        self.client.ask("ModifyListView", ("ListView", &self.view), inside).await
    }

    async fn add(&self, vm: u32) -> Answer {
        self.modify(&format!(r#"<add type="VirtualMachine">vm-{vm}</add>"#)).await
    }

    async fn wait(&self, version: &str, seconds: u32) -> Answer {
        let inside =
            format!("<version>{version}</version><options><maxWaitSeconds>{seconds}</maxWaitSeconds></options>");
        self.client.ask("WaitForUpdatesEx", COLLECTOR, &inside).await
    }
}

fn version(answer: &Answer) -> String {
    answer.first("version").unwrap_or_else(|| panic!("no version in {}", answer.text()))
}

#[tokio::test]
async fn objects_that_enter_change_and_leave_a_list_wake_a_pending_wait() {
    let sim = Sim::builder().paused().vm(VmSpec::new("it")).start().await.unwrap();
    let watcher = Watcher::new(&sim).await;
    let vm = sim.world().vm("it").unwrap().id.0;
    assert_eq!(watcher.wait("", 0).await.first("version"), None, "nothing is watched yet");

    let (entered, _) = tokio::join!(watcher.wait("", 30), watcher.add(vm));
    assert_eq!((entered.first("kind").as_deref(), entered.first("val").as_deref()), (Some("enter"), Some("poweredOn")));
    let at = version(&entered);
    let (changed, _) = tokio::join!(watcher.wait(&at, 30), async { sim.world().set_power("it", Power::Off).unwrap() });
    assert_eq!(
        (changed.first("kind").as_deref(), changed.first("val").as_deref()),
        (Some("modify"), Some("poweredOff"))
    );
    let at = version(&changed);
    let remove = format!(r#"<remove type="VirtualMachine">vm-{vm}</remove>"#);
    let (left, _) = tokio::join!(watcher.wait(&at, 30), watcher.modify(&remove));
    assert_eq!((left.first("kind").as_deref(), left.first("val")), (Some("leave"), None));
}

#[tokio::test]
async fn a_list_tells_which_objects_it_could_not_take() {
    let sim = Sim::builder().start().await.unwrap();
    let watcher = Watcher::new(&sim).await;
    let answer = watcher.modify(r#"<add type="Task">task-1-99</add><add type="VirtualMachine">vm-1</add>"#).await;
    assert_eq!(answer.every("returnval"), ["task-1-99"]);
}

#[tokio::test]
async fn a_task_is_followed_to_its_end_through_the_same_filter() {
    let sim = Sim::builder().timing(Timing::fast()).vm(VmSpec::new("it")).start().await.unwrap();
    let watcher = Watcher::new(&sim).await;
    let vm = sim.world().vm("it").unwrap().id.0;
    let task = watcher.client.on_vm("PowerOffVM_Task", vm).await.first("returnval").unwrap();
    watcher.modify(&format!(r#"<add type="Task">{task}</add>"#)).await;
    let (mut at, mut states) = (String::new(), Vec::new());
    while states.last().map(String::as_str) != Some("success") {
        let answer = watcher.wait(&at, 30).await;
        at = version(&answer);
        states.extend(answer.every("val"));
    }
    assert!(states.len() <= 3, "{states:?}");
}

#[tokio::test]
async fn a_complete_version_can_be_replayed_and_a_made_up_one_is_invalid() {
    let sim = Sim::builder().paused().vm(VmSpec::new("it")).start().await.unwrap();
    let watcher = Watcher::new(&sim).await;
    watcher.add(sim.world().vm("it").unwrap().id.0).await;
    let first = version(&watcher.wait("", 0).await);
    sim.world().set_power("it", Power::Off).unwrap();
    let lost = watcher.wait(&first, 0).await;
    sim.world().set_power("it", Power::Suspended).unwrap();
    let replayed = watcher.wait(&first, 0).await;
    assert_eq!(replayed.first("val").as_deref(), Some("suspended"), "the replay holds what is true by now");
    assert_ne!(version(&replayed), version(&lost));
    for wrong in [version(&lost).as_str(), "77", "-"] {
        assert_eq!(watcher.wait(wrong, 0).await.fault().as_deref(), Some("InvalidCollectorVersion"), "{wrong}");
    }
    let restarted = watcher.wait("", 0).await;
    assert_eq!(restarted.first("kind").as_deref(), Some("enter"));
}

#[tokio::test]
async fn a_large_set_of_updates_comes_in_truncated_parts() {
    let sim = Sim::builder().vms(250).start().await.unwrap();
    let client = Client::login(&sim).await;
    let filter = whole_inventory("spec", "VirtualMachine", &["name"]);
    client.ask("CreateFilter", COLLECTOR, &format!("{filter}<partialUpdates>false</partialUpdates>")).await;
    let (mut at, mut sizes) = (String::new(), Vec::new());
    loop {
        let answer = client
            .ask(
                "WaitForUpdatesEx",
                COLLECTOR,
                &format!("<version>{at}</version><options><maxWaitSeconds>0</maxWaitSeconds></options>"),
            )
            .await;
        let Some(next) = answer.first("version") else { break };
        sizes.push((answer.every("objectSet").len(), answer.first("truncated").is_some()));
        at = next;
    }
    assert_eq!(sizes, [(100, true), (100, true), (50, false)]);
}

#[tokio::test]
async fn a_wait_ends_empty_after_its_time_even_if_the_world_stands_still() {
    let sim = Sim::builder().paused().start().await.unwrap();
    let watcher = Watcher::new(&sim).await;
    let answer = watcher.wait("", 1).await;
    assert_eq!((answer.status, answer.first("version")), (200, None));
    let stepped = async {
        on_record(&sim, "WaitForUpdatesEx", 2).await;
        // The call is on record a moment before its wait begins, so time is moved until it has ended.
        while sim.calls_of("WaitForUpdatesEx")[1].outcome == chaos_sim::Outcome::Pending {
            sim.world().step(Duration::from_mins(11));
            tokio::task::yield_now().await;
        }
    };
    let (answer, ()) = tokio::join!(watcher.wait("", 600), stepped);
    assert_eq!((answer.status, answer.first("version")), (200, None), "world time counts too");
}

/// Returns when that many calls of a method are on record.
async fn on_record(sim: &Sim, method: &str, count: usize) {
    while sim.calls_of(method).len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_pending_wait_ends_when_it_is_cancelled() {
    let sim = Sim::builder().start().await.unwrap();
    let watcher = Watcher::new(&sim).await;
    let mut wait = std::pin::pin!(watcher.wait("", 600));
    let ended = loop {
        // A call that comes before the wait cancels nothing, so it is made again.
        tokio::select! {
            ended = &mut wait => break ended,
            _ = watcher.client.ask("CancelWaitForUpdates", COLLECTOR, "") => {}
        }
    };
    assert_eq!(ended.fault().as_deref(), Some("RequestCanceled"));
}

#[tokio::test]
async fn a_pending_wait_ends_with_its_session_and_tells_nothing_false() {
    let sim = Sim::builder().vm(VmSpec::new("it")).start().await.unwrap();
    let watcher = Watcher::new(&sim).await;
    watcher.add(sim.world().vm("it").unwrap().id.0).await;
    let at = version(&watcher.wait("", 0).await);
    let kill = async {
        on_record(&sim, "WaitForUpdatesEx", 2).await;
        sim.kill_sessions();
        sim.world().set_power("it", Power::Off).unwrap();
    };
    let (ended, ()) = tokio::join!(async { watcher.wait(&at, 600).await }, kill);
    assert!(matches!(ended.fault().as_deref(), Some("RequestCanceled" | "NotAuthenticated")), "{}", ended.text());
}

#[tokio::test]
async fn calls_on_one_collector_wait_for_each_other_and_others_do_not() {
    let sim = Sim::builder().paused().start().await.unwrap();
    let client = Watcher::new(&sim).await.client;
    let private = client.ask("CreatePropertyCollector", COLLECTOR, "").await.first("returnval").unwrap();
    let spawn = |method: &'static str, inside: String| {
        let client = client.clone();
        tokio::spawn(async move { client.ask(method, COLLECTOR, &inside).await })
    };
    let forever = "<version></version><options><maxWaitSeconds>600</maxWaitSeconds></options>";
    let wait = spawn("WaitForUpdatesEx", forever.to_owned());
    on_record(&sim, "WaitForUpdatesEx", 1).await;
    let read = format!("{}<options></options>", spec("Folder", "group-d1", &["name"]));
    let queued = spawn("RetrievePropertiesEx", read.clone());
    on_record(&sim, "RetrievePropertiesEx", 1).await;
    for _ in 0..5 {
        let answer = client.ask("RetrievePropertiesEx", ("PropertyCollector", &private), &read).await;
        assert_eq!(answer.first("val").as_deref(), Some("Datacenters"), "another collector is free");
    }
    assert!(!queued.is_finished() && !wait.is_finished());
    while !wait.is_finished() {
        client.ask("CancelWaitForUpdates", COLLECTOR, "").await;
    }
    assert_eq!(queued.await.unwrap().first("val").as_deref(), Some("Datacenters"));
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_no_wait_behind() {
    let sim = Sim::builder().start().await.unwrap();
    let watcher = Watcher::new(&sim).await;
    let gone = async {
        on_record(&sim, "WaitForUpdatesEx", 1).await;
    };
    tokio::select! {
        _ = watcher.wait("", 600) => panic!("nothing ends this wait"),
        () = gone => {}
    }
    while sim.calls_of("WaitForUpdatesEx")[0].outcome != chaos_sim::Outcome::Abandoned {
        tokio::task::yield_now().await;
    }
    assert_eq!(watcher.wait("", 0).await.status, 200, "the collector is free again");
}
