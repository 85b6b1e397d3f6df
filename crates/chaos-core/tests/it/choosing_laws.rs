//! What holds for every selection over every inventory: the laws of logic, limits, shares, and that a seed decides alone.

use std::collections::{BTreeMap, BTreeSet};

use chaos_core::{Candidate, Error, ErrorKind, Picked, PlatformKind, Selection, VMInfo, VMPowerState};
use proptest::prelude::*;
use proptest::sample::select;

use crate::choosing::{Found, candidates, names};

fn place() -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(0.8, select(&["x", "y", "z", "x*"][..]).prop_map(str::to_owned))
}

/// Name, host, cluster, folder, entry; whether it is on, a template, not manageable.
type Drawn = (String, Option<String>, Option<String>, Option<String>, &'static str, (bool, bool, bool));

fn inventory() -> impl Strategy<Value = Vec<Found>> {
    let flags = (any::<bool>(), proptest::bool::weighted(0.1), proptest::bool::weighted(0.1));
    let vm = ("[ab*?1-]{1,3}", place(), place(), place(), select(&["east", "west"][..]), flags);
    proptest::collection::vec(vm, 1..24).prop_map(|vms| {
        let one = |(n, drawn): (usize, Drawn)| {
            let (name, host, cluster, folder, endpoint, (on, template, lost)) = drawn;
            let state = if on { VMPowerState::PoweredOn } else { VMPowerState::PoweredOff };
            let mut vm = VMInfo::new(&name, format!("vm-{n}"), state, PlatformKind::VSPHERE);
            vm.path = folder.map(|folder| format!("/DC0/vm/{folder}/{name}"));
            (vm.host, vm.cluster, vm.template) = (host, cluster, template);
            vm.unmanageable = lost.then(|| "gone".to_owned());
            (vm, endpoint)
        };
        vms.into_iter().enumerate().map(one).collect()
    })
}

fn filter() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        3 => "[ab1-]{1,2}[*?]?".prop_map(|text| format!("\"{text}\"")),
        1 => "id:vm-[0-9]",
    ];
    joined(prop_oneof![name, pattern()].boxed())
}

fn pattern() -> BoxedStrategy<String> {
    let patterns = [
        "all",
        "state:on",
        "host:x",
        "host:x*",
        "cluster:y",
        "folder:z",
        "folder:/*/x",
        "endpoint:west",
        "re:a.*",
        "*",
    ];
    select(patterns.to_vec()).prop_map(str::to_owned).boxed()
}

fn joined(atom: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    atom.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| format!("not ({part})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) and ({other})")),
            (inner.clone(), inner).prop_map(|(one, other)| format!("({one}) or ({other})")),
        ]
    })
}

fn amount() -> impl Strategy<Value = String> {
    let limits = select(
        &["", "max 1 per host", "max 2 per cluster", "max 1 per folder max 3 per host", "max 3 per datacenter"][..],
    );
    (1..6_usize, limits).prop_map(|(count, limits)| format!("{count} at random {limits}"))
}

type Told = Result<[Vec<String>; 3], (ErrorKind, Vec<String>)>;

/// What is the same for two selections that mean the same; the text in an error may differ.
fn told(result: Result<Picked<'_>, Error>) -> Told {
    match result {
        Ok(picked) => Ok([names(&picked.vms), names(&picked.among), names(&picked.left_out)]),
        Err(error) => Err((error.kind(), error.candidates().iter().map(ToString::to_string).collect())),
    }
}

fn parse(text: &str) -> Selection {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_laws_of_logic_hold(found in inventory(), one in filter(), other in filter()) {
        let candidates = candidates(&found);
        for (left, right) in [
            (format!("not (({one}) and ({other}))"), format!("not ({one}) or not ({other})")),
            (format!("not (({one}) or ({other}))"), format!("not ({one}) and not ({other})")),
            (format!("not not ({one})"), one.clone()),
            (format!("({one}) and ({other})"), format!("({other}) and ({one})")),
            (format!("({one}) or ({other})"), format!("({other}) or ({one})")),
            (format!("({one}) and all"), one.clone()),
        ] {
            let (left, right) = (parse(&left), parse(&right));
            for candidate in &candidates {
                prop_assert_eq!(left.filter.matches(candidate), right.filter.matches(candidate));
            }
            let (left, right) = (told(left.choose(&candidates, 1)), told(right.choose(&candidates, 1)));
            // Of two ambiguous names the first is told.
            match (left, right) {
                (Err((left, _)), Err((right, _))) => prop_assert_eq!(left, right),
                (left, right) => prop_assert_eq!(left, right),
            }
        }
    }

    #[test]
    fn neither_order_of_the_inventory_nor_anything_but_the_seed_decides(
        mut found in inventory(), filter in filter(), amount in amount(), seed in any::<u64>(), by in 0..24_usize,
    ) {
        let selection = parse(&format!("{filter} take {amount}"));
        let first = told(selection.choose(&candidates(&found), seed));
        let turn = by % found.len();
        found.rotate_left(turn);
        prop_assert_eq!(&told(selection.choose(&candidates(&found), seed)), &first);
        found.reverse();
        prop_assert_eq!(&told(selection.choose(&candidates(&found), seed)), &first);
        let written = selection.to_string();
        prop_assert_eq!(&told(parse(&written).choose(&candidates(&found), seed)), &first);
    }

    #[test]
    fn a_larger_number_takes_those_of_a_smaller_one_and_more(
        found in inventory(), seed in any::<u64>(), limits in select(&["", "max 1 per host", "max 2 per folder max 2 per cluster"][..]),
        random in select(&["", "at random"][..]),
    ) {
        let candidates = candidates(&found);
        let mut before: Vec<String> = Vec::new();
        for count in 1..=found.len() {
            let Ok(picked) = parse(&format!("all take {count} {random} {limits}")).choose(&candidates, seed) else { break };
            let taken = names(&picked.vms);
            prop_assert_eq!(taken.len(), count);
            prop_assert_eq!(&taken[..count - 1], &before[..]);
            before = taken;
        }
    }

    #[test]
    fn no_group_gives_more_than_its_limit(found in inventory(), filter in filter(), count in 1..6_usize, most in 1..3_usize, seed in any::<u64>()) {
        let candidates = candidates(&found);
        let of_group = |per: &str, candidate: &Candidate<'_>| {
            let vm = candidate.vm;
            let folder = vm.path.as_deref().map(|path| path[..path.len() - vm.name.len()].to_owned());
            let field = match per { "host" => vm.host.clone(), "cluster" => vm.cluster.clone(), _ => folder };
            // What is not known is one group.
            field.map(|field| (candidate.endpoint.to_owned(), field))
        };
        for per in ["host", "cluster", "folder"] {
            let selection = parse(&format!("{filter} take {count} at random max {most} per {per}"));
            match selection.choose(&candidates, seed) {
                Ok(picked) => {
                    let mut groups: BTreeMap<_, usize> = BTreeMap::new();
                    for candidate in &picked.vms {
                        *groups.entry(of_group(per, candidate)).or_default() += 1;
                    }
                    prop_assert_eq!(picked.vms.len(), count);
                    prop_assert!(groups.values().all(|taken| *taken <= most), "{:?}", groups);
                }
                Err(error) if error.kind() == ErrorKind::InvalidState => {
                    // One limit alone leaves exactly what its groups give.
                    let Ok(all) = parse(&format!("{filter} take 100%")).choose(&candidates, seed) else { continue };
                    let mut groups: BTreeMap<_, usize> = BTreeMap::new();
                    for candidate in &all.vms {
                        *groups.entry(of_group(per, candidate)).or_default() += 1;
                    }
                    let possible: usize = groups.values().map(|of| *of.min(&most)).sum();
                    prop_assert!(possible < count, "{}", error);
                }
                Err(error) => prop_assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Ambiguous), "{:?}", error),
            }
        }
    }

    #[test]
    fn a_percentage_takes_that_share_of_what_can_be_taken(found in inventory(), percent in 1..=100_usize) {
        let candidates = candidates(&found);
        let pool = found.iter().filter(|(vm, _)| !vm.template && vm.unmanageable.is_none()).count();
        match parse(&format!("all take {percent}% at random")).choose(&candidates, 3) {
            Ok(picked) => {
                prop_assert_eq!(picked.among.len(), pool);
                prop_assert_eq!(picked.vms.len(), (pool * percent / 100).max(1));
                let each_once: BTreeSet<String> = names(&picked.vms).into_iter().collect();
                prop_assert_eq!(each_once.len(), picked.vms.len());
                prop_assert!(picked.vms.iter().all(|one| picked.among.contains(one)));
            }
            Err(error) => prop_assert_eq!((error.kind(), pool), (ErrorKind::NotFound, 0)),
        }
    }

    #[test]
    fn without_names_the_predicate_and_the_choice_agree(mut found in inventory(), filter in joined(pattern())) {
        // A VM whose own name is a glob takes it away from others.
        found.retain(|(vm, _)| vm.name != "*");
        let candidates = candidates(&found);
        let selection = parse(&filter);
        let fits = |candidate: &&Candidate<'_>| {
            selection.filter.matches(candidate) && !candidate.vm.template && candidate.vm.unmanageable.is_none()
        };
        let expected: BTreeSet<String> = candidates.iter().filter(fits).flat_map(|one| names(&[*one])).collect();
        match selection.choose(&candidates, 1) {
            Ok(picked) => prop_assert_eq!(names(&picked.vms).into_iter().collect::<BTreeSet<_>>(), expected),
            Err(error) => prop_assert_eq!((error.kind(), expected.len()), (ErrorKind::NotFound, 0)),
        }
    }
}
