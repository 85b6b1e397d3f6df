//! The power commands against a simulated vCenter: what they do, what they refuse, and what they say.

use std::time::Duration;

use chaos_sim::{Estate, Guest, OnReboot, OnShutdown, Power, Sim, Tools, VmRole, VmSpec};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::program::{Run, signal};

/// A VM whose guest is away for a second when it restarts, which no poll can miss.
fn rebootable(name: &str) -> VmSpec {
    VmSpec::new(name).guest(Guest { boot: Some(Duration::from_secs(1)), ..Guest::default() })
}

fn power(lab: &Lab, vm: &str) -> Power {
    lab.sim.world().vm(vm).expect("the VM is there").power
}

#[track_caller]
fn report(reports: &[Value]) -> &Value {
    let [report] = reports else { panic!("one report: {reports:?}") };
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_guide_work_as_they_are_in_scripts() {
    let lab = Lab::with([VmSpec::new("test-vm"), rebootable("app-01")]).await;
    lab.run(&["platforms", "power-off", "test-vm", "--platform", "vsphere", "--graceful"]).exits(0);
    assert_eq!(power(&lab, "test-vm"), Power::Off);
    lab.run(&["platforms", "power-on", "test-vm", "--platform", "vsphere"]).exits(0);
    assert_eq!(power(&lab, "test-vm"), Power::On);
    lab.run(&["platforms", "reboot", "app-01", "-p", "vsphere", "-t", "60"]).exits(0);
    assert_eq!(power(&lab, "app-01"), Power::On);
    lab.run(&["platforms", "suspend", "web-01"]).exits(0);
    assert_eq!(power(&lab, "web-01"), Power::Suspended);
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_its_documented_fields() {
    let lab = Lab::demo().await;
    let reports = lab.json(&["power-off", "web-01"], 0);
    let report = report(&reports);
    let fields: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "vm",
            "id",
            "path",
            "platform",
            "operation",
            "outcome",
            "previous_state",
            "state",
            "duration_seconds",
            "error"
        ]
    );
    assert_eq!(report["vm"], "web-01");
    assert_eq!(report["path"], "/demo/vm/web/web-01");
    assert_eq!(report["platform"], "vsphere");
    assert_eq!(report["operation"], "power_off");
    assert_eq!(report["outcome"], "guest_shutdown");
    assert_eq!(report["previous_state"], "powered_on");
    assert_eq!(report["state"], "powered_off");
    assert!(report["duration_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{report}");
    assert_eq!(report["error"], Value::Null);
    assert_eq!(lab.changes(), ["ShutdownGuest web-01"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_stop_and_to_start() {
    let lab = Lab::with([
        VmSpec::new("bare").tools(Tools::NotInstalled),
        VmSpec::new("asleep").power(Power::Suspended),
        rebootable("app-01"),
    ])
    .await;
    for (args, outcome, state) in [
        (&["power-off", "web-01", "--force"][..], "hard_power_off", "powered_off"),
        (&["power-off", "web-01"], "already_there", "powered_off"),
        (&["power-on", "web-01"], "powered_on", "powered_on"),
        (&["power-on", "web-01"], "already_there", "powered_on"),
        (&["power-off", "bare"], "hard_without_tools", "powered_off"),
        (&["power-on", "asleep"], "resumed", "powered_on"),
        (&["reboot", "app-01"], "guest_reboot", "powered_on"),
        (&["reboot", "app-01", "--force"], "reset", "powered_on"),
        (&["power-off", "web-03", "--graceful-only"], "guest_shutdown", "powered_off"),
        (&["suspend", "web-04"], "suspended", "suspended"),
        (&["suspend", "web-04"], "already_there", "suspended"),
        (&["power-off", "web-04", "--discard-suspended"], "hard_power_off", "powered_off"),
    ] {
        let reports = lab.json(args, 0);
        let report = report(&reports);
        assert_eq!((&report["outcome"], &report["state"]), (&json!(outcome), &json!(state)), "{args:?}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_vms_in_one_call() {
    let lab = Lab::of(Sim::builder().vms(40)).await;
    let names: Vec<String> = (1..=20).map(|number| format!("vm-{number:05}")).collect();
    let mut args = vec!["power-off", "--force", "--parallel", "8"];
    args.extend(names.iter().map(String::as_str));
    let reports = lab.json(&args, 0);
    let told: Vec<&str> = reports.iter().filter_map(|report| report["vm"].as_str()).collect();
    assert_eq!(told, names, "in the order asked for");
    for vm in lab.sim.world().vms() {
        let expected = if names.contains(&vm.name) { Power::Off } else { Power::On };
        assert_eq!(vm.power, expected, "{}", vm.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_vms_of_one_name_are_refused_with_both_paths() {
    let lab = Lab::with([VmSpec::new("twin").folder("left"), VmSpec::new("twin").folder("right")]).await;
    // One good name beside the bad one must not be touched either.
    let run = lab.run(&["platforms", "power-off", "web-01", "twin", "--force"]).exits(4);
    run.says("/demo/vm/left/twin").says("/demo/vm/right/twin");
    lab.is_untouched();
    lab.run(&["platforms", "power-off", "path:/demo/vm/left/twin", "--force"]).exits(0);
    assert_eq!(lab.changes(), ["PowerOffVM_Task twin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unknown_name_stops_all() {
    let lab = Lab::demo().await;
    lab.run(&["platforms", "power-off", "web-01", "web-99"]).exits(4).says("web-99");
    lab.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_state_does_not_allow_is_refused_before_anything_is_touched() {
    let lab = Lab::with([VmSpec::new("asleep").power(Power::Suspended), VmSpec::new("off").power(Power::Off)]).await;
    for (args, why, hint) in [
        (&["power-off", "asleep", "web-01"][..], "lose its memory", "--discard-suspended"),
        (&["reboot", "off"], "power it on instead", "nothing was touched"),
        (&["reboot", "asleep"], "cannot be rebooted", "nothing was touched"),
        (&["suspend", "off"], "cannot be suspended", "nothing was touched"),
        (&["power-on", "golden-image"], "is a template", "nothing was touched"),
        (&["power-off", "golden-image"], "is a template", "nothing was touched"),
    ] {
        let args: Vec<&str> = ["platforms"].into_iter().chain(args.iter().copied()).collect();
        lab.run(&args).exits(5).says(why).says(hint);
        lab.is_untouched();
    }
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_whose_name_looks_like_a_pattern_is_that_vm() {
    let lab = Lab::with([VmSpec::new("db[1]"), VmSpec::new("db1")]).await;
    // Named in full: no question, although the text could be a glob.
    lab.run(&["platforms", "power-off", "db[1]", "--force"]).exits(0);
    assert_eq!(lab.changes(), ["PowerOffVM_Task db[1]"]);
    assert_eq!(power(&lab, "db1"), Power::On);
}

#[tokio::test(flavor = "multi_thread")]
async fn vms_chosen_by_a_pattern_need_yes_without_a_terminal() {
    let lab = Lab::demo().await;
    for args in [
        &["platforms", "power-off", "web-*"][..],
        &["platforms", "power-off", "--cluster", "backend"],
        &["platforms", "power-off", "-n", "re:web-0[12]"],
    ] {
        let run = lab.run(args).exits(5).says("--yes").says("nothing was touched");
        assert!(run.stderr.contains("-01"), "the VMs are listed: {}", run.stderr);
    }
    lab.is_untouched();
    let reports = lab.json(&["power-off", "web-*", "--force", "--yes"], 0);
    assert_eq!(reports.len(), 4);
    assert_eq!(power(&lab, "lb-01"), Power::On);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_that_fits_nothing_exits_4() {
    let lab = Lab::demo().await;
    lab.run(&["platforms", "power-off", "app-*", "--yes"]).exits(4).says("app-*");
    lab.run(&["platforms", "power-off", "--cluster", "nowhere", "--yes"]).exits(4).says("no VM fits the filters");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_and_touches_nothing() {
    let lab = Lab::with([VmSpec::new("off").power(Power::Off)]).await;
    for command in ["power-on", "power-off", "suspend", "reboot"] {
        let reports = lab.json(&[command, "web-0*", "--dry-run"], 0);
        assert_eq!(reports.len(), 4, "a dry run asks no question");
        let expected = if command == "power-on" { "already_there" } else { "planned" };
        assert!(reports.iter().all(|report| report["outcome"] == expected), "{reports:?}");
    }
    let run = lab.run(&["platforms", "reboot", "web-01", "off", "--dry-run"]).exits(5).says("power it on instead");
    insta::assert_snapshot!("dry_run_table", run.stdout);
    lab.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_hangs_is_stopped_hard_and_the_result_says_so() {
    let lab = Lab::with([VmSpec::new("stuck").on_shutdown(OnShutdown::Hangs)]).await;
    let reports = lab.json(&["power-off", "stuck", "--timeout", "1s"], 0);
    assert_eq!(report(&reports)["outcome"], "hard_after_guest_timeout");
    assert_eq!(lab.changes(), ["ShutdownGuest stuck", "PowerOffVM_Task stuck"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn graceful_only_never_stops_hard() {
    let lab = Lab::with([VmSpec::new("stuck").on_shutdown(OnShutdown::Hangs)]).await;
    let reports = lab.json(&["power-off", "stuck", "--graceful-only", "--timeout", "1"], 1);
    let report = report(&reports);
    assert_eq!(report["outcome"], Value::Null);
    assert!(report["error"].as_str().is_some_and(|error| error.contains("within 1 s")), "{report}");
    assert_eq!(lab.changes(), ["ShutdownGuest stuck"], "no hard stop");
    assert_eq!(power(&lab, "stuck"), Power::On);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_never_comes_back_is_no_success() {
    let guest = Guest { on_reboot: OnReboot::Ignores, ..Guest::default() };
    let lab = Lab::with([VmSpec::new("deaf").guest(guest)]).await;
    let run = lab.run(&["platforms", "reboot", "deaf", "--graceful-only", "-t", "1"]).exits(1);
    run.says("1 of 1 VMs failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failure_among_many_exits_1_and_names_it() {
    let lab = Lab::with([VmSpec::new("stuck").on_shutdown(OnShutdown::Hangs)]).await;
    let run = lab.run(&["platforms", "power-off", "web-01", "stuck", "--graceful-only", "-t", "1"]).exits(1);
    assert!(run.stdout.contains("guest_shutdown") && run.stdout.contains("failed"), "{}", run.stdout);
    run.says("error: 1 of 2 VMs failed");
    assert_eq!(power(&lab, "web-01"), Power::Off);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_vms_are_refused_by_what_they_are() {
    let lab = Lab::of(Sim::builder().estate(Estate::odd())).await;
    for vm in ["golden", "disconnected", "orphaned", "inaccessible", "no config"] {
        lab.run(&["platforms", "power-off", vm, "--force"]).exits(5).says(vm);
    }
    lab.is_untouched();
    assert_eq!(lab.sim.world().vm("golden").unwrap().role, VmRole::Template);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(unix)]
async fn an_interrupt_stops_and_exits_130() {
    let guest = Guest { on_shutdown: OnShutdown::Hangs, ..Guest::default() };
    let lab = Lab::with([VmSpec::new("stuck").guest(guest), VmSpec::new("next")]).await;
    let mut command = lab.program.command(&["platforms", "power-off", "stuck", "next", "--parallel", "1"]);
    let child = command.spawn().expect("the program starts");
    lab.until(|lab| lab.changes().len() == 1).await;
    signal(&child, "INT");
    let run = Run::from(child.wait_with_output().expect("it ends")).exits(130);
    run.says("interrupted");
    assert_eq!(lab.changes(), ["ShutdownGuest stuck"], "the next VM is not started and nothing is stopped hard");
    lab.is_logged_out();
}
