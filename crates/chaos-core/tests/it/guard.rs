//! What each rule of the guard says, and how it says it.

use chaos_core::{
    Elsewhere, ErrorKind, Fault, Lasting, Member, PlannedStrike, PlatformKind, Policy, Rule, Stop, Strike, VMInfo,
    VMPowerState, VMRef,
};
use jiff::Timestamp;

fn now() -> Timestamp {
    // A Friday, 10:00 in Berlin.
    "2026-11-27T09:00:00Z".parse().expect("a time")
}

fn at(id: &str) -> VMRef {
    VMRef { platform: PlatformKind::VSPHERE, entry: "east".into(), instance: "i".into(), id: id.into() }
}

/// Six VMs on three hosts of two clusters; the last one is off.
fn estate() -> Vec<Member> {
    ["web-1", "web-2", "web-3", "web-4", "db-1", "db-2"]
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let mut vm = VMInfo::new(*name, *name, VMPowerState::PoweredOn, PlatformKind::VSPHERE);
            vm.path = Some(format!("/DC0/vm/{name}"));
            vm.host = Some(format!("host-{}", number / 2 + 1));
            vm.cluster = Some(if number < 4 { "prod" } else { "data" }.to_owned());
            if *name == "db-2" {
                vm.power_state = VMPowerState::PoweredOff;
            }
            Member { at: at(name), vm }
        })
        .collect()
}

/// What a rule says of powering these VMs off, while others are in a fault.
fn said(rule: &str, targets: &[&str], others: &[&str]) -> String {
    let (estate, fault) = (estate(), Fault::power_off(Stop::graceful()));
    let rule: Rule = rule.parse().expect("a rule");
    let mut elsewhere = Elsewhere::default();
    elsewhere.faulted = others.iter().map(|id| at(id)).collect();
    elsewhere.hits = vec![(at("web-1"), "2026-11-27T08:45:00Z".parse().expect("a time"))];
    let targets = estate.iter().filter(|member| targets.contains(&member.vm.name.as_str())).collect();
    let checked = rule.check(&Strike { fault: &fault, targets }, &elsewhere.scene(now(), &estate));
    checked.err().map_or_else(|| "ok".to_owned(), |denial| denial.to_string())
}

#[test]
fn each_rule_says_what_is_wrong_and_what_would_help() {
    let asked: [(&str, &[&str], &[&str]); 24] = [
        ("protect db-*", &["web-1"], &[]),
        ("protect db-*", &["web-1", "db-1"], &[]),
        ("only cluster:prod", &["web-1"], &[]),
        ("only cluster:prod", &["db-1"], &[]),
        ("at most 2", &["web-1", "web-2"], &[]),
        ("at most 2", &["web-1", "web-2"], &["web-2"]),
        ("at most 2", &["web-1", "web-2"], &["db-1"]),
        ("at most 2", &["web-1"], &["gone-1", "gone-2"]),
        ("at most 50%", &["web-1", "web-2", "web-3"], &[]),
        ("at most 50%", &["web-1", "web-2", "web-3"], &["web-4"]),
        ("at most 1 of each host", &["web-1", "web-3"], &[]),
        ("at most 1 of each host", &["web-1", "web-2"], &[]),
        ("at most 20% of each cluster", &["db-1"], &[]),
        ("at most 1 of web-*", &["db-1"], &["web-1", "web-2"]),
        ("at most 1 of web-*", &["web-1"], &["web-2"]),
        ("keep 3 of web-*", &["web-1"], &[]),
        ("keep 3 of web-*", &["web-1"], &["web-2"]),
        ("keep 1 of db-*", &["db-1"], &[]),
        ("window mon-fri 09:00-17:00 Europe/Berlin", &["web-1"], &[]),
        ("window sat,sun 00:00-24:00 UTC", &["web-1"], &[]),
        ("freeze 2026-11-27..2026-11-27 Europe/Berlin", &["web-1"], &[]),
        ("freeze 2026-11-28..2026-11-30 Europe/Berlin", &["web-1"], &[]),
        ("cool-down 15m", &["web-1"], &[]),
        ("cool-down 16m", &["web-1"], &[]),
    ];
    let all: Vec<String> = asked
        .iter()
        .map(|(rule, targets, others)| format!("{rule} | {targets:?} {others:?}\n  {}", said(rule, targets, others)))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn rules_that_cannot_be_read_say_why() {
    let wrong = [
        "",
        "never",
        "at 5",
        "at most",
        "at most many",
        "at most 120%",
        "at most 5 web-*",
        "at most 5 of",
        "at most 1 of each rack",
        "keep 3",
        "protect",
        "only cluster:",
        "protect (db-*",
        "window mon 9-17 UTC",
        "freeze 2026-13-01..2026-13-02 UTC",
        "cool-down 0m",
        "cool-down half an hour",
    ];
    let said: Vec<String> = wrong.iter().map(|text| text.parse::<Rule>().unwrap_err().to_string()).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn two_rules_of_a_kind_that_would_both_have_to_agree_are_refused() {
    let error = Policy::read(["only cluster:a", "only cluster:b"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().contains("write one, with `or`"), "{error}");
    assert!(Policy::read(["window mon 09:00-17:00 UTC", "window tue 09:00-17:00 UTC"]).is_err());
    assert!(Policy::read(["at most 1", "at most 50% of web-*", "protect a", "protect b"]).is_ok());
}

#[test]
fn what_a_person_does_by_hand_is_held_by_rules_on_vms_and_time_alone() {
    let policy =
        Policy::read(["protect a", "at most 1", "keep 1 of b", "cool-down 1d", "freeze 2026-01-01..2026-01-02 UTC"]);
    assert_eq!(policy.unwrap().by_hand().to_string(), "protect a\nfreeze 2026-01-01..2026-01-02 UTC");
}

#[test]
fn a_review_counts_what_lasts_and_forgets_restarts() {
    let (estate, off, reboot) = (estate(), Fault::power_off(Stop::graceful()), Fault::reboot(Stop::graceful()));
    let policy = Policy::read(["at most 2", "keep 2 of web-*"]).unwrap();
    let review = |plan: &[(usize, &Fault, usize, Lasting)]| {
        let plan: Vec<PlannedStrike<'_>> = plan
            .iter()
            .map(|(stage, fault, vm, lasting)| PlannedStrike::new(*stage, fault, vec![&estate[*vm]], *lasting))
            .collect();
        policy.review(&plan, &Elsewhere::default().scene(now(), &estate))
    };
    let (step, open) = (Lasting::Step, Lasting::Open);
    let calm = review(&[(0, &off, 0, open), (1, &reboot, 1, step), (2, &reboot, 2, step)]);
    assert!(calm.denials.is_empty(), "{calm:?}");
    assert_eq!(calm.slack, [("at most 2".to_owned(), 0), ("keep 2 of web-*".to_owned(), 0)]);
    // At once they are too many, and so are three that last.
    assert_eq!(review(&[(0, &off, 0, open), (1, &reboot, 1, step), (1, &reboot, 2, step)]).denials.len(), 2);
    assert_eq!(review(&[(0, &off, 0, open), (1, &off, 1, open), (2, &off, 2, open)]).denials.len(), 2);
    // The same VM again is no further one.
    assert!(review(&[(0, &off, 0, open), (1, &off, 1, open), (2, &off, 0, open)]).denials.is_empty());
}
