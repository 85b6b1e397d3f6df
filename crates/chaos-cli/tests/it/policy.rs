//! The rules of the guard: what each says, before anything is touched, by each command that breaks something.

use std::fs;

use chaos_sim::Power;
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::program::Program;
use crate::transcript::Transcript;

/// An experiment that powers VMs off one by one and leaves them so, as the file `e.json`.
fn write(program: &Program, vms: &[&str], rollbacks: &Value) {
    let off = |vm: &&str| {
        json!({"type": "action", "name": format!("off {vm}"), "provider": {
            "type": "python", "module": "chaosmonkey.vm", "func": "vm_power_off",
            "arguments": {"vm_name": vm, "platform_type": "vsphere"}}})
    };
    let method: Vec<Value> = vms.iter().map(off).collect();
    let experiment = json!({"title": "t", "description": "d", "method": method, "rollbacks": rollbacks});
    fs::write(program.directory().join("e.json"), experiment.to_string()).expect("written");
}

/// Rules that do not allow it, whatever the day is.
const RULES: [&str; 8] = [
    "protect web-01 or db-*",
    "only cluster:none",
    "at most 1",
    "at most 10%",
    "at most 1 of each cluster",
    "keep 3 of web-*",
    "freeze 2000-01-01..2999-12-31 UTC",
    "freeze 2000-01-01T00:00..2999-12-31T23:59 Europe/Berlin",
];

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_refuses_before_anything_is_touched() {
    let lab = Lab::demo().await;
    write(&lab.program, &["web-01", "web-02"], &json!([]));
    let mut transcript = Transcript::of("policy");
    for rule in RULES {
        let set = format!("chaos.policy={rule}");
        transcript.run(&lab.program, &["execute", "-e", "e.json", "--set", &set]);
        lab.run(&["run", "e.json", "--set", &set]).exits(1).says("refused by the rule");
    }
    lab.is_untouched();
    transcript.note("what a person does by hand");
    transcript.run(&lab.program, &["platforms", "power-off", "web-01", "--set", "chaos.policy=protect web-*"]);
    transcript.run(&lab.program, &["platforms", "suspend", "web-01", "--set", "chaos.policy=only db-*"]);
    transcript.run(
        &lab.program,
        &["platforms", "reboot", "web-01", "--set", "chaos.policy=freeze 2000-01-01..2999-12-31 UTC"],
    );
    lab.is_untouched();
    transcript.note("what it is before it is done");
    let explain = ["policy", "explain", "web-01", "web-02"];
    let rules = "chaos:\n  policy:\n    - protect db-*\n    - at most 1\n    - keep 1 of web-*\n    - cool-down 1h\n";
    fs::write(lab.program.directory().join("chaosmonkey.yaml"), rules).unwrap();
    transcript.run(&lab.program, &["policy", "check"]);
    transcript.run(&lab.program, &explain);
    transcript.run(&lab.program, &["policy", "explain", "web-01", "--fault", "reboot", "--format", "json"]);
    transcript.run(&lab.program, &["policy", "explain", "web-0*", "--fault", "power-on"]);
    transcript.run(&lab.program, &["policy", "check", "--set", "chaos.policy=at most none"]);
    transcript.check();
    lab.is_untouched();
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_its_window_nothing_is_touched() {
    let lab = Lab::demo().await;
    write(&lab.program, &["web-01"], &json!([]));
    // Neither today nor tomorrow, should that begin in the meantime.
    let day = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date().weekday();
    let other = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        [usize::try_from(day.to_monday_zero_offset() + 3).unwrap() % 7];
    let set = format!("chaos.policy=window {other} 00:00-24:00 UTC");
    for command in [&["execute", "-e", "e.json"][..], &["platforms", "power-off", "web-01"], &["policy", "check"]] {
        let run = lab.run(&[command, &["--set", &set]].concat()).exits(5);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("wait for the window to open") && said.contains(" UTC"), "{said}");
    }
    lab.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_hit_is_left_alone_for_a_while_and_repairs_are_never_refused() {
    let lab = Lab::demo().await;
    let power = |vm: &str| lab.sim.world().vm(vm).unwrap().power;
    let rules = ["--set", "chaos.policy=cool-down 1h"];
    write(&lab.program, &["web-01"], &json!([]));
    lab.run(&[&["run", "e.json"][..], &rules].concat()).exits(0).says("LEFT CHANGED");
    assert_eq!(power("web-01"), Power::Off);
    // By hand, by a recovery, and by the rollbacks of a run: nothing that puts back is asked about.
    let everything = ["--set", "chaos.policy=protect *"];
    lab.run(&[&["recover"][..], &everything].concat()).exits(0);
    assert_eq!(power("web-01"), Power::On);
    let again = lab.run(&[&["execute", "-e", "e.json"][..], &rules].concat()).exits(5);
    assert!(again.stderr.contains("web-01 was hit at"), "{}", again.stderr);
    lab.run(&["platforms", "power-off", "web-01"]).exits(0);
    lab.run(&[&["platforms", "power-on", "web-01"][..], &everything].concat()).exits(0);
    assert_eq!(power("web-01"), Power::On);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_holds_for_power_commands_too_but_not_for_powering_on() {
    let lab = Lab::demo().await;
    lab.run(&["halt", "--reason", "enough"]).exits(0);
    lab.run(&["platforms", "power-off", "web-01"]).exits(5).says("enough").says("chaosmonkey resume");
    lab.run(&["policy", "check"]).exits(5);
    lab.is_untouched();
    lab.run(&["platforms", "power-on", "web-01"]).exits(0);
    lab.run(&["resume"]).exits(0);
    lab.run(&["platforms", "power-off", "web-01"]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_all_places_count_together() {
    let lab = Lab::demo().await;
    write(&lab.program, &["web-01"], &json!([]));
    let rules = "chaos:\n  policy: [protect web-01]\n";
    fs::write(lab.program.directory().join("chaosmonkey.yaml"), rules).unwrap();
    // What is given nearer adds a rule and takes none away.
    for nearer in ["chaos.policy=at most 9", "chaos.policy="] {
        let run = lab.run(&["execute", "-e", "e.json", "--set", nearer]);
        assert!(matches!(run.code, Some(2 | 5)), "{nearer}: {}", run.stderr);
    }
    lab.is_untouched();
    // A rehearsal breaks nothing that anybody would keep.
    lab.run(&["execute", "-e", "e.json", "--rehearse"]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_freezes_and_its_events_are_told_by_name() {
    let lab = Lab::demo().await;
    write(&lab.program, &["web-01"], &json!([]));
    // Every day and every night, whatever the day is.
    let event = "BEGIN:VEVENT\nUID:1\nSUMMARY:Year end\nDTSTART;VALUE=DATE:20200101\nRRULE:FREQ=DAILY\nEND:VEVENT\n";
    let calendar = format!("BEGIN:VCALENDAR\nX-WR-TIMEZONE:Europe/Berlin\n{event}END:VCALENDAR\n");
    fs::write(lab.program.directory().join("c.ics"), calendar).unwrap();
    fs::write(lab.program.directory().join("chaosmonkey.yaml"), "chaos:\n  policy: [freeze calendar c.ics]\n").unwrap();
    let check = lab.run(&["policy", "check"]).exits(5).says("1 rule does not allow it");
    assert_eq!(check.stdout.matches("NO  freeze calendar c.ics: Year end").count(), 1, "{}", check.stdout);
    lab.run(&["execute", "-e", "e.json"]).exits(5).says("refused by the rule `freeze calendar c.ics: Year end`");
    lab.run(&["platforms", "power-off", "web-01"]).exits(5).says("Year end");
    fs::remove_file(lab.program.directory().join("c.ics")).unwrap();
    lab.run(&["execute", "-e", "e.json"]).exits(2).says("c.ics cannot be read");
    lab.run(&["platforms", "power-off", "web-01"]).exits(2).says("c.ics cannot be read");
    lab.is_untouched();
    // It was put there behind a run that has left something off.
    let settings = lab.program.directory().join("chaosmonkey.yaml");
    let elsewhere = lab.program.directory().join("later.yaml");
    fs::rename(&settings, &elsewhere).unwrap();
    lab.run(&["run", "e.json"]).exits(0).says("LEFT CHANGED");
    fs::rename(&elsewhere, &settings).unwrap();
    lab.run(&["platforms", "power-on", "web-01"]).exits(0);
    lab.run(&["recover"]).exits(0);
    assert_eq!(lab.sim.world().vm("web-01").unwrap().power, Power::On);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_of_a_server_is_not_hit_unless_the_settings_say_so() {
    let lab = Lab::demo().await;
    write(&lab.program, &["web-01"], &json!([]));
    let settings = "platforms:\n  other: {type: vsphere, server: WEB-01.example.com}\n";
    fs::write(lab.program.directory().join("chaosmonkey.yaml"), settings).unwrap();
    let own = "is the machine of the server web-01.example.com: refused by the rule `protect own`";
    lab.run(&["execute", "-e", "e.json"]).exits(5).says(own).says("`chaos.protect_own: false`");
    lab.run(&["run", "e.json"]).exits(1).says(own);
    lab.run(&["platforms", "power-off", "web-01"]).exits(5).says(own);
    lab.run(&["policy", "explain", "web-01"]).exits(5);
    lab.run(&["policy", "explain", "web-02"]).exits(0);
    lab.is_untouched();
    lab.run(&["platforms", "power-off", "web-01", "--set", "chaos.protect_own=false"]).exits(0);
}
