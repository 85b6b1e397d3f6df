//! What holds for every policy: a plan that it allows breaks no limit at any moment, whatever succeeds and fails, and what puts
//! something back is never refused.

use std::collections::BTreeSet;

use chaos_core::{
    Fault, Keep, Lasting, Member, Of, PlannedStrike, PlatformKind, Policy, Rule, Scene, Stop, Strike, VMInfo,
    VMPowerState, VMRef,
};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

/// How many cases; a soak asks for more.
fn cases() -> u32 {
    std::env::var("CHAOS_CASES").ok().map_or(1000, |text| text.parse().expect("CHAOS_CASES is a number"))
}

/// Group, host, cluster, state, and whether it is a template.
type DrawnVm = (&'static str, Option<&'static str>, Option<&'static str>, VMPowerState, bool);

fn estate() -> impl Strategy<Value = Vec<Member>> {
    let place = |names: &'static [&'static str]| proptest::option::weighted(0.9, select(names));
    let vm = (
        select(&["web", "db", "app"][..]),
        place(&["h1", "h2", "h3"]),
        place(&["c1", "c2"]),
        select(&[VMPowerState::PoweredOn, VMPowerState::PoweredOn, VMPowerState::PoweredOff][..]),
        proptest::bool::weighted(0.05),
    );
    proptest::collection::vec(vm, 1..20).prop_map(|vms| {
        let member = |(number, (group, host, cluster, state, template)): (usize, DrawnVm)| {
            let id = format!("vm-{number}");
            let mut vm = VMInfo::new(format!("{group}-{number}"), &id, state, PlatformKind::VSPHERE);
            vm.host = host.map(str::to_owned);
            vm.cluster = cluster.map(str::to_owned);
            vm.template = template;
            let at = VMRef { platform: PlatformKind::VSPHERE, entry: "east".into(), instance: "i".into(), id };
            Member { at, vm }
        };
        vms.into_iter().enumerate().map(member).collect()
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let quota = prop_oneof![(0_usize..6).prop_map(|vms| vms.to_string()), (1_u32..101).prop_map(|of| format!("{of}%"))];
    let group = select(&["web-*", "db-* or app-*", "cluster:c1 and not web-*", "all"][..]);
    let of = prop_oneof![
        Just(String::new()),
        select(&["host", "cluster", "datacenter"][..]).prop_map(|kind| format!(" of each {kind}")),
        group.clone().prop_map(|group| format!(" of {group}")),
    ];
    let text = prop_oneof![
        3 => (quota.clone(), of).prop_map(|(quota, of)| format!("at most {quota}{of}")),
        2 => (quota, group.clone()).prop_map(|(quota, group)| format!("keep {quota} of {group}")),
        1 => group.clone().prop_map(|group| format!("protect {group} and state:on and host:h1")),
        1 => group.prop_map(|group| format!("only {group} or host:h2")),
    ];
    text.prop_map(|text| text.parse().expect("it is a rule"))
}

/// One fault: its stage, what it is, which VMs, and whether it goes on in the background.
type Drawn = (usize, bool, Vec<prop::sample::Index>);

fn plan() -> impl Strategy<Value = Vec<Drawn>> {
    let targets = proptest::collection::vec(any::<prop::sample::Index>(), 1..4);
    proptest::collection::vec((0_usize..2, any::<bool>(), targets), 1..6).prop_map(|mut strikes| {
        // Some follow their predecessor in a stage of their own.
        let mut stage = 0;
        for (step, ..) in &mut strikes {
            stage += *step;
            *step = stage;
        }
        strikes
    })
}

/// Whether a set of VMs in a fault breaks a rule, told without any of the code of the guard but its filters.
fn breaks(rule: &Rule, estate: &[Member], faulted: &BTreeSet<usize>, mine: &BTreeSet<usize>) -> Option<String> {
    let is_one = |at: usize, text: &str| {
        let strike = Strike { fault: &FAULT, targets: vec![&estate[at]] };
        let protect: Rule = format!("protect {text}").parse().expect("a rule");
        protect.check(&strike, &Scene::new(Timestamp::UNIX_EPOCH, estate)).is_err()
    };
    let counted = |at: &usize| !estate[*at].vm.template;
    let share = |quota: chaos_core::Quota, all: usize, up: bool| {
        let text = quota.to_string();
        match text.strip_suffix('%') {
            None => text.parse().expect("a number"),
            Some(of) => {
                let product = of.parse::<usize>().expect("whole percents") * all;
                product / 100 + usize::from(up && !product.is_multiple_of(100))
            }
        }
    };
    match rule {
        Rule::AtMost(limit) => {
            let place = |at: &usize| {
                let vm = &estate[*at].vm;
                match &limit.of {
                    Of::All => Some(None),
                    Of::Each(kind) => Some(Some(match kind.as_str() {
                        "host" => vm.host.clone(),
                        "cluster" => vm.cluster.clone(),
                        _ => None,
                    })),
                    Of::Group(filter) => is_one(*at, &filter.to_string()).then_some(None),
                    _ => unreachable!("that is all"),
                }
            };
            mine.iter().filter_map(place).find_map(|here| {
                let there = |at: &usize| counted(at) && place(at).as_ref() == Some(&here);
                let all = (0..estate.len()).filter(there).count();
                let hit = faulted.iter().filter(|at| there(at)).count();
                (hit > share(limit.quota, all, false)).then(|| format!("`{rule}`: {hit} of {all} at {here:?}"))
            })
        }
        Rule::Keep(Keep { quota, of, .. }) => {
            let there = |at: &usize| counted(at) && is_one(*at, &of.to_string());
            if !mine.iter().any(|at| is_one(*at, &of.to_string())) {
                return None;
            }
            let all = (0..estate.len()).filter(there).count();
            let up = |at: &usize| estate[*at].vm.power_state == VMPowerState::PoweredOn && !faulted.contains(at);
            let left = (0..estate.len()).filter(there).filter(up).count();
            (left < share(*quota, all, true)).then(|| format!("`{rule}`: {left} of {all} are up"))
        }
        Rule::Protect(protect) => {
            mine.iter().any(|at| is_one(*at, &protect.vms.to_string())).then(|| format!("`{rule}`: hit"))
        }
        Rule::Only(only) => mine.iter().any(|at| !is_one(*at, &only.vms.to_string())).then(|| format!("`{rule}`: hit")),
        _ => None,
    }
}

static FAULT: std::sync::LazyLock<Fault> = std::sync::LazyLock::new(|| Fault::power_off(Stop::graceful()));
static RESTART: std::sync::LazyLock<Fault> = std::sync::LazyLock::new(|| Fault::reboot(Stop::graceful()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn what_a_review_allows_breaks_no_limit_at_any_moment(
        estate in estate(),
        rules in proptest::collection::vec(rule(), 1..4),
        plan in plan(),
        others in proptest::collection::vec(any::<prop::sample::Index>(), 0..3),
        order in any::<u64>(),
    ) {
        let policy = Policy::default().narrowed(rules);
        let others: BTreeSet<usize> = others.iter().map(|at| at.index(estate.len())).collect();
        let scene = Scene::new(Timestamp::UNIX_EPOCH, &estate).faulted(others.iter().map(|at| &estate[*at].at));
        let strikes: Vec<(usize, bool, BTreeSet<usize>)> = plan
            .into_iter()
            .map(|(stage, restart, targets)| (stage, restart, targets.iter().map(|at| at.index(estate.len())).collect()))
            .collect();
        let planned: Vec<PlannedStrike<'_>> = strikes
            .iter()
            .map(|(stage, restart, targets)| {
                let (fault, lasting) = if *restart { (&*RESTART, Lasting::Step) } else { (&*FAULT, Lasting::Open) };
                PlannedStrike::new(*stage, fault, targets.iter().map(|at| &estate[*at]).collect(), lasting)
            })
            .collect();
        if !policy.review(&planned, &scene).denials.is_empty() {
            return Ok(());
        }
        // Any interleaving: a call of the present stage begins or ends, and a stage follows when all have ended.
        let mut numbers = chaos_core::SeededRandom::new(order);
        let mut lasting: BTreeSet<usize> = BTreeSet::new();
        let stages: BTreeSet<usize> = strikes.iter().map(|(stage, ..)| *stage).collect();
        for stage in stages {
            let mut waiting: Vec<(usize, bool)> = strikes
                .iter()
                .filter(|strike| strike.0 == stage)
                .flat_map(|(_, restart, targets)| targets.iter().map(|at| (*at, *restart)))
                .collect();
            let mut under_way: Vec<(usize, bool)> = Vec::new();
            while !(waiting.is_empty() && under_way.is_empty()) {
                let begins = under_way.is_empty() || (!waiting.is_empty() && numbers.below(2) == 0);
                if begins {
                    let at = numbers.below(waiting.len());
                    under_way.push(waiting.swap_remove(at));
                } else {
                    let at = numbers.below(under_way.len());
                    let (vm, restart) = under_way.swap_remove(at);
                    // What has failed may have taken effect, or not. A restart is over either way.
                    if !restart && numbers.below(4) > 0 {
                        lasting.insert(vm);
                    }
                }
                let mine: BTreeSet<usize> = under_way.iter().map(|(vm, _)| *vm).chain(lasting.iter().copied()).collect();
                let faulted: BTreeSet<usize> = mine.union(&others).copied().collect();
                for rule in policy.rules() {
                    let broken = breaks(rule, &estate, &faulted, &mine);
                    prop_assert!(broken.is_none(), "{}", broken.unwrap_or_default());
                }
            }
        }
    }

    #[test]
    fn what_powers_on_is_never_refused(
        estate in estate(),
        rules in proptest::collection::vec(rule(), 1..4),
        at in any::<prop::sample::Index>(),
    ) {
        let mut policy = Policy::default().narrowed(rules);
        policy = policy.narrowed(Policy::read(["protect all", "freeze 1969-01-01..2969-01-01 UTC", "at most 0"]).unwrap());
        let scene = Scene::new(Timestamp::UNIX_EPOCH, &estate).faulted(estate.iter().map(|member| &member.at));
        let target = &estate[at.index(estate.len())];
        let back = Fault::power_on();
        let (repair, strike) = ([&back, &*FAULT]).map(|fault| Strike { fault, targets: vec![target] }).into();
        prop_assert!(policy.check(&repair, &scene).is_ok());
        prop_assert!(policy.check(&strike, &scene).is_err());
    }

    #[test]
    fn further_rules_only_narrow(
        estate in estate(),
        rules in proptest::collection::vec(rule(), 0..3),
        more in rule(),
        at in any::<prop::sample::Index>(),
    ) {
        let policy = Policy::default().narrowed(rules);
        let scene = Scene::new(Timestamp::UNIX_EPOCH, &estate);
        let strike = Strike { fault: &FAULT, targets: vec![&estate[at.index(estate.len())]] };
        if policy.check(&strike, &scene).is_err() {
            prop_assert!(policy.narrowed([more]).check(&strike, &scene).is_err());
        }
    }

    #[test]
    fn a_rule_comes_back_as_it_is_written(rule in rule()) {
        prop_assert_eq!(rule.to_string().parse::<Rule>().unwrap(), rule);
    }

    #[test]
    fn any_text_is_a_rule_or_an_error(text in "(at most |keep |only |protect |window |freeze |cool-down )?.{0,40}") {
        if let Ok(rule) = text.parse::<Rule>() {
            prop_assert_eq!(rule.to_string().parse::<Rule>().unwrap(), rule);
        }
    }

    #[test]
    fn what_each_rule_says_alone_is_what_the_guard_does(
        estate in estate(),
        rules in proptest::collection::vec(rule(), 1..4),
        targets in proptest::collection::vec(any::<prop::sample::Index>(), 1..4),
        others in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        // An explanation asks rule by rule, a run asks the policy, and a review asks for a plan of one fault.
        let policy = Policy::default().narrowed(rules);
        let scene = Scene::new(Timestamp::UNIX_EPOCH, &estate)
            .faulted(others.iter().map(|at| &estate[at.index(estate.len())].at));
        let targets: BTreeSet<usize> = targets.iter().map(|at| at.index(estate.len())).collect();
        let targets: Vec<&Member> = targets.into_iter().map(|at| &estate[at]).collect();
        let strike = Strike { fault: &FAULT, targets: targets.clone() };
        let explained: Vec<_> = policy.rules().iter().filter_map(|rule| rule.check(&strike, &scene).err()).collect();
        prop_assert_eq!(policy.check(&strike, &scene).err().unwrap_or_default(), explained.clone());
        let reviewed = policy.review(&[PlannedStrike::new(0, &FAULT, targets, Lasting::Open)], &scene).denials;
        prop_assert_eq!(reviewed.is_empty(), explained.is_empty());
    }
}
