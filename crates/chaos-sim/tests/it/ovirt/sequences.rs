//! What a poller sees after an action was accepted.

use chaos_sim::{Condition, Failure, HostState, OnReboot, OnShutdown, Operation, Power, Sim, Tools, VmPatch, VmSpec};

use super::{Api, child, pass, with};

/// The statuses from now on, with the seconds that pass before each look.
async fn seen(sim: &Sim, api: &Api, vm: &str, steps: &[u64]) -> Vec<String> {
    let mut statuses = Vec::new();
    for seconds in steps {
        pass(sim, *seconds);
        statuses.push(api.status(vm).await.unwrap_or_default());
    }
    statuses
}

async fn start_time(api: &Api, vm: &str) -> Option<String> {
    child(&api.read(&format!("/vms/{vm}")).await, "vm", "start_time")
}

#[tokio::test]
async fn a_start_goes_through_launch_and_boot() {
    let (sim, api, vm) = with(VmSpec::new("it").power(Power::Off)).await;
    assert_eq!(api.act(&vm, "start", "<action/>").await.status, 200);
    let seen = seen(&sim, &api, &vm, &[0, 1, 4, 29, 1]).await;
    assert_eq!(seen, ["wait_for_launch", "wait_for_launch", "powering_up", "powering_up", "up"]);
    assert_eq!(api.codes(&vm).await, [153, 32]);
}

#[tokio::test]
async fn without_an_agent_a_vm_is_up_after_a_minute() {
    let (sim, api, vm) = with(VmSpec::new("it").power(Power::Off).tools(Tools::NotInstalled)).await;
    api.act(&vm, "start", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[5, 59, 1]).await, ["powering_up", "powering_up", "up"]);
}

#[tokio::test]
async fn a_start_that_fails_is_down_again_with_two_events() {
    let (sim, api, vm) = with(VmSpec::new("it").power(Power::Off)).await;
    sim.world().fail_tasks(Some("it"), Some(Operation::PowerOn), Failure::OutOfResources, 0, 1).unwrap();
    assert_eq!(api.act(&vm, "start", "<action/>").await.status, 200);
    assert_eq!(seen(&sim, &api, &vm, &[1, 4]).await, ["wait_for_launch", "down"]);
    assert_eq!(api.codes(&vm).await, [153, 119, 54]);
}

#[tokio::test]
async fn a_suspended_vm_is_restored_without_a_boot() {
    let (sim, api, vm) = with(VmSpec::new("it").power(Power::Suspended)).await;
    api.act(&vm, "start", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[0, 1, 4]).await, ["wait_for_launch", "restoring_state", "up"]);
}

#[tokio::test]
async fn a_paused_start_stands_still_until_it_is_started_again() {
    let (sim, api, vm) = with(VmSpec::new("it").power(Power::Off)).await;
    api.act(&vm, "start", "<action><pause>true</pause></action>").await;
    assert_eq!(seen(&sim, &api, &vm, &[5, 600]).await, ["paused", "paused"]);
    assert_eq!(api.act(&vm, "start", "<action/>").await.status, 200);
    assert_eq!(seen(&sim, &api, &vm, &[0, 30]).await, ["powering_up", "up"]);
    assert_eq!(api.codes(&vm).await, [153, 32, 1025, 40]);
}

#[tokio::test]
async fn a_vm_that_storage_has_paused_runs_on_at_once() {
    let (sim, api, vm) = with(VmSpec::new("it").condition(Condition::PausedForStorage)).await;
    assert_eq!(api.status(&vm).await.as_deref(), Some("paused"));
    api.act(&vm, "start", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[0]).await, ["up"]);
}

#[tokio::test]
async fn a_stop_may_still_be_seen_as_up_and_ends_within_seconds() {
    let (sim, api, vm) = with(VmSpec::new("it")).await;
    api.act(&vm, "stop", "<action><reason>r</reason></action>").await;
    assert_eq!(seen(&sim, &api, &vm, &[0, 1, 2]).await, ["up", "powering_down", "down"]);
    assert_eq!(api.codes(&vm).await, [33, 61]);
    let events = api.read("/events?search=type%3D33").await;
    assert!(events.contains("powered off by chaos@internal (Host: ") && events.contains(") (Reason: r)."), "{events}");
}

#[tokio::test]
async fn a_stop_ends_a_launch_and_the_saved_memory_of_a_suspended_vm() {
    for power in [Power::Off, Power::Suspended] {
        let (sim, api, vm) = with(VmSpec::new("it").power(power)).await;
        if power == Power::Off {
            api.act(&vm, "start", "<action/>").await;
            pass(&sim, 2);
        }
        assert_eq!(api.act(&vm, "stop", "<action/>").await.status, 200);
        assert_eq!(seen(&sim, &api, &vm, &[0, 60]).await, ["down", "down"]);
        assert_eq!(sim.world().vm("it").unwrap().power, Power::Off);
    }
}

#[tokio::test]
async fn a_shutdown_is_seen_before_it_is_accepted() {
    let (sim, api, vm) = with(VmSpec::new("it").tools(Tools::NotInstalled)).await;
    api.act(&vm, "shutdown", "<action/>").await;
    assert_eq!(
        seen(&sim, &api, &vm, &[0, 9, 1]).await,
        ["powering_down", "powering_down", "down"],
        "by its power button"
    );
    assert_eq!(api.codes(&vm).await, [73, 61]);
    assert_eq!(sim.world().vm("it").unwrap().clean_power_off, Some(true));
}

#[tokio::test]
async fn a_guest_that_refuses_is_up_again_and_one_that_hangs_is_not() {
    let (sim, api, vm) = with(VmSpec::new("it").on_shutdown(OnShutdown::Ignores)).await;
    api.act(&vm, "shutdown", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[149, 1]).await, ["powering_down", "up"]);
    assert_eq!(api.codes(&vm).await, [73, 147]);
    let (sim, api, vm) = with(VmSpec::new("it").on_shutdown(OnShutdown::Hangs)).await;
    api.act(&vm, "shutdown", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[1500]).await, ["powering_down"]);
}

#[tokio::test]
async fn a_second_shutdown_or_a_deaf_guest_is_stopped_hard_without_a_word() {
    let (sim, api, vm) = with(VmSpec::new("it")).await;
    for _ in 0..2 {
        assert_eq!(api.act(&vm, "shutdown", "<action/>").await.status, 200);
    }
    assert_eq!(seen(&sim, &api, &vm, &[3]).await, ["down"]);
    assert_eq!(api.codes(&vm).await, [73, 76, 61]);
    assert_eq!(sim.world().vm("it").unwrap().clean_power_off, Some(false));
    let (_sim, api, vm) = with(VmSpec::new("it").deaf().tools(Tools::Stopped)).await;
    assert_eq!(api.act(&vm, "shutdown", "<action/>").await.status, 200);
    assert_eq!(api.codes(&vm).await, [76]);
}

#[tokio::test]
async fn a_warm_reboot_keeps_the_process() {
    let (sim, api, vm) = with(VmSpec::new("it")).await;
    let before = start_time(&api, &vm).await;
    api.act(&vm, "reboot", "<action/>").await;
    let seen = seen(&sim, &api, &vm, &[0, 9, 1, 30]).await;
    assert_eq!(seen, ["reboot_in_progress", "reboot_in_progress", "powering_up", "up"]);
    assert_eq!(start_time(&api, &vm).await, before);
    assert_eq!(api.codes(&vm).await, [157]);
}

#[tokio::test]
async fn a_reboot_may_come_to_nothing_or_to_no_end() {
    let (sim, api, vm) = with(VmSpec::new("it").on_reboot(OnReboot::Ignores)).await;
    api.act(&vm, "reboot", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[0, 3]).await, ["reboot_in_progress", "up"]);
    let (sim, api, vm) = with(VmSpec::new("it").on_reboot(OnReboot::Hangs)).await;
    api.act(&vm, "reboot", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[0, 1500]).await, ["reboot_in_progress", "reboot_in_progress"]);
}

#[tokio::test]
async fn a_changed_configuration_makes_a_reboot_cold() {
    let (sim, api, vm) = with(VmSpec::new("it").next_run()).await;
    let before = start_time(&api, &vm).await.unwrap();
    assert!(api.read(&format!("/vms/{vm}")).await.contains("<next_run_configuration_exists>true<"));
    api.act(&vm, "reboot", "<action/>").await;
    let seen = seen(&sim, &api, &vm, &[0, 10, 1, 5, 30]).await;
    assert_eq!(seen, ["powering_down", "down", "wait_for_launch", "powering_up", "up"]);
    assert!(start_time(&api, &vm).await.unwrap() > before);
    assert_eq!(api.codes(&vm).await, [157, 61, 9611, 32]);
    assert!(api.read(&format!("/vms/{vm}")).await.contains("<next_run_configuration_exists>false<"));
}

#[tokio::test]
async fn a_cold_reboot_that_finds_no_host_leaves_the_vm_down() {
    let (sim, api, vm) = with(VmSpec::new("it").next_run().host("esx-b1")).await;
    api.act(&vm, "reboot", "<action/>").await;
    for host in ["esx-b1", "esx-b2"] {
        sim.world().set_host(host, HostState::Maintenance).unwrap();
    }
    assert_eq!(seen(&sim, &api, &vm, &[60]).await, ["down"]);
    assert_eq!(api.codes(&vm).await, [157, 61, 9611, 9612]);
}

#[tokio::test]
async fn a_reset_needs_no_guest() {
    let (sim, api, vm) = with(VmSpec::new("it").on_shutdown(OnShutdown::Hangs).on_reboot(OnReboot::Hangs)).await;
    api.act(&vm, "shutdown", "<action/>").await;
    api.act(&vm, "reset", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[3, 30]).await, ["powering_up", "up"]);
    assert_eq!(api.codes(&vm).await, [73, 221]);
}

#[tokio::test]
async fn suspending_is_not_seen_at_first_and_keeps_others_away() {
    let (sim, api, vm) = with(VmSpec::new("it")).await;
    assert_eq!(api.act(&vm, "suspend", "<action/>").await.status, 202);
    pass(&sim, 2);
    assert_eq!(api.status(&vm).await.as_deref(), Some("up"));
    let other = api.act(&vm, "stop", "<action/>").await;
    assert!(other.status == 409 && other.text().contains("Related operation is currently in progress"));
    assert_eq!(seen(&sim, &api, &vm, &[2, 3]).await, ["saving_state", "suspended"]);
    assert_eq!(api.codes(&vm).await, [501, 503]);
}

#[tokio::test]
async fn a_suspend_that_fails_is_up_again() {
    let (sim, api, vm) = with(VmSpec::new("it")).await;
    sim.world().fail_tasks(Some("it"), Some(Operation::Suspend), Failure::OutOfResources, 0, 1).unwrap();
    assert_eq!(api.act(&vm, "suspend", "<action/>").await.status, 202);
    assert_eq!(seen(&sim, &api, &vm, &[4, 3]).await, ["saving_state", "up"]);
    assert_eq!(api.codes(&vm).await, [501, 502]);
}

#[tokio::test]
async fn a_vm_whose_host_is_lost_is_unknown_until_that_is_back() {
    let (sim, api, vm) = with(VmSpec::new("it").host("esx-b1")).await;
    sim.world().set_host("esx-b1", HostState::Disconnected).unwrap();
    assert_eq!(api.status(&vm).await.as_deref(), Some("unknown"));
    sim.world().set_host("esx-b1", HostState::Up).unwrap();
    assert_eq!(api.status(&vm).await.as_deref(), Some("up"));
    assert_eq!(api.codes(&vm).await, [142, 163]);
    sim.world().change("it", &VmPatch { condition: Some(Condition::Migrating), ..VmPatch::default() }).unwrap();
    api.act(&vm, "shutdown", "<action/>").await;
    assert_eq!(seen(&sim, &api, &vm, &[0, 10]).await, ["powering_down", "down"]);
}
