//! `resolve` and `Selector::filter` agree, choose each VM once, and never mean a template by a pattern.

use std::collections::BTreeSet;

use chaos_core::{ChosenBy, ErrorKind, PlatformKind, Selector, TargetPattern, VMInfo, VMPowerState, resolve};
use proptest::prelude::*;
use proptest::sample::select;

/// Names from few letters and the characters of globs, so that they clash and fit one another.
const NAME: &str = r"[ab\[\]*?{},1-]{1,4}";

/// Name, datacenter, folder, whether it is on, whether it is a template, whether it has a path.
type Drawn = (String, Option<&'static str>, Option<&'static str>, bool, bool, bool);

fn inventory() -> impl Strategy<Value = Vec<VMInfo>> {
    let place = proptest::option::of(select(&["x", "y", "x*"][..]));
    let vm = (NAME, place.clone(), place, any::<bool>(), proptest::bool::weighted(0.2), proptest::bool::weighted(0.8));
    proptest::collection::vec(vm, 0..8).prop_map(|vms| {
        let numbered = vms.into_iter().enumerate();
        let vm = |(n, vm): (usize, Drawn)| {
            let (name, datacenter, folder, on, template, has_path) = vm;
            let state = if on { VMPowerState::PoweredOn } else { VMPowerState::PoweredOff };
            let mut vm = VMInfo::new(&name, format!("vm-{n}"), state, PlatformKind::VSPHERE);
            vm.path = has_path.then(|| format!("/{}/{name}", folder.unwrap_or("vm")));
            vm.datacenter = datacenter.map(str::to_owned);
            vm.template = template;
            vm
        };
        numbered.map(vm).collect()
    })
}

fn target() -> impl Strategy<Value = TargetPattern> {
    prop_oneof![
        6 => NAME.prop_map(|text| text),
        1 => "id:vm-[0-9]",
        1 => "path:/(vm|x)/[ab]{1,2}",
        2 => "re:[ab.*?]{1,4}",
    ]
    .prop_filter_map("a valid target", |text| text.parse().ok())
}

fn selector() -> impl Strategy<Value = Selector> {
    let datacenter = proptest::option::weighted(0.3, select(&["x", "y", "*", "x*", "z"][..]));
    let state = proptest::option::weighted(0.3, select(&VMPowerState::ALL[..]));
    (proptest::collection::vec(target(), 0..4), datacenter, state).prop_map(|(targets, datacenter, state)| {
        let mut selector = Selector::targets(targets);
        selector.datacenter = datacenter.map(|text| text.parse().expect("a valid name"));
        selector.power_state = state;
        selector
    })
}

fn ids<'a>(vms: impl IntoIterator<Item = &'a VMInfo>) -> BTreeSet<&'a str> {
    vms.into_iter().map(|vm| vm.id.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn resolve_chooses_from_what_filter_keeps_and_leaves_out_only_templates(
        vms in inventory(), selector in selector(),
    ) {
        let kept = selector.filter(vms.clone());
        match resolve(&selector, &vms) {
            Ok(chosen) => {
                prop_assert_eq!(ids(chosen.iter().map(|c| &c.vm)).len(), chosen.len(), "each VM once");
                for chosen in &chosen {
                    prop_assert!(kept.contains(&chosen.vm), "{:?} was not kept", chosen);
                    prop_assert!(chosen.by == ChosenBy::Name || !chosen.vm.template, "a template by pattern");
                }
                for vm in kept.iter().filter(|vm| !vm.template) {
                    prop_assert!(chosen.iter().any(|chosen| chosen.vm == *vm), "{vm:?} was left out");
                }
            }
            Err(error) => {
                prop_assert!(!selector.targets.is_empty(), "filters alone may fit nothing: {error}");
                prop_assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Ambiguous), "{error:?}");
            }
        }
    }

    #[test]
    fn filtering_again_changes_nothing(vms in inventory(), selector in selector()) {
        let once = selector.filter(vms.clone());
        prop_assert!(ids(&once).is_subset(&ids(&vms)));
        prop_assert!(once.iter().all(|vm| selector.admits(vm)));
        prop_assert_eq!(selector.filter(once.clone()), once);
    }

    #[test]
    fn the_order_of_the_inventory_decides_nothing(vms in inventory(), selector in selector()) {
        let mut turned = vms.clone();
        turned.reverse();
        match (resolve(&selector, &vms), resolve(&selector, &turned)) {
            (Ok(one), Ok(other)) => {
                prop_assert_eq!(ids(one.iter().map(|c| &c.vm)), ids(other.iter().map(|c| &c.vm)));
            }
            (Err(one), Err(other)) => prop_assert_eq!(one.kind(), other.kind()),
            (one, other) => prop_assert!(false, "{one:?} but {other:?}"),
        }
    }

    #[test]
    fn a_full_name_means_only_the_vms_that_bear_it(vms in inventory(), pick in any::<prop::sample::Index>()) {
        prop_assume!(!vms.is_empty());
        let name = pick.get(&vms).name.clone();
        let selector = Selector::targets([name.parse().expect("a valid target")]);
        let bearers: Vec<&VMInfo> = vms.iter().filter(|vm| vm.name == name).collect();
        let kept = selector.filter(vms.clone());
        prop_assert_eq!(ids(&kept), ids(bearers.iter().copied()));
        match resolve(&selector, &vms) {
            Ok(chosen) => {
                prop_assert_eq!(chosen.len(), 1);
                prop_assert_eq!((&chosen[0].vm, chosen[0].by), (bearers[0], ChosenBy::Name));
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Ambiguous);
                prop_assert_eq!(error.candidates().len(), bearers.len());
                let told_apart: BTreeSet<&String> = error.candidates().iter().collect();
                prop_assert_eq!(told_apart.len(), bearers.len(), "{:?}", error.candidates());
                prop_assert!(bearers.len() > 1);
            }
        }
    }

    #[test]
    fn a_target_means_the_same_after_it_was_written_down(vms in inventory(), target in target()) {
        let again: TargetPattern = target.to_string().parse().expect("what we write we read");
        prop_assert_eq!(again.to_string(), target.to_string());
        let means = |target: &TargetPattern| vms.iter().map(|vm| target.matches(vm)).collect::<Vec<_>>();
        prop_assert_eq!(means(&again), means(&target));
    }

    #[test]
    fn any_text_is_a_target_or_an_error(text in "\\PC{0,20}|(re|id|path):\\PC{0,12}") {
        match text.parse::<TargetPattern>() {
            Ok(target) => {
                // A VM of that very name is always meant by its plain name.
                if let TargetPattern::Name(name) = target {
                    prop_assert!(name.matches(&text));
                }
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Configuration),
        }
    }
}
