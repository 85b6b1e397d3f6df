//! Discovery is complete, ordered and filled; every way to name a VM finds that VM and no other.

use chaos_core::{ErrorKind, PlatformExt, Selector, TargetPattern, ToolsStatus, VMInfo, VMPowerState, VMRef};

use super::bench::{Bench, can, can_also, every_fault, id_by, names, namesakes};
use super::harness::{Ability, Harness};
use crate::estate::{EstateSpec, VmKey, VmSpec};

async fn select(bench: &Bench, targets: &[&str]) -> Vec<VMInfo> {
    let targets = targets.iter().map(|text| text.parse::<TargetPattern>().expect("a valid target"));
    let found = bench.platform.discover(&bench.cx, &Selector::targets(targets)).await.expect("discovery");
    found.vms
}

async fn all(bench: &Bench) -> Vec<VMInfo> {
    let found = bench.platform.discover(&bench.cx, &Selector::all()).await.expect("discovery");
    assert_eq!(found.problems, [], "an estate in order has no problems");
    found.vms
}

pub async fn every_vm_is_found_once_and_in_order(harness: &dyn Harness) {
    let spec = EstateSpec::of(["web-02", "web-01", "db", "Zulu", "app"]);
    let Some(bench) = Bench::start(harness, &[], spec).await else { return };
    let vms = all(&bench).await;
    assert_eq!(names(&vms), ["Zulu", "app", "db", "web-01", "web-02"]);
    let mut ids: Vec<String> = vms.iter().map(|vm| vm.id.clone()).collect();
    let mut expected = Vec::new();
    for key in bench.spec.keys() {
        expected.push(bench.server.id_of(key).await);
    }
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected);
}

pub async fn an_estate_of_many_pages_is_found_whole(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[Ability::ManyVms, Ability::Places], EstateSpec::many(260)).await else {
        return;
    };
    let vms = all(&bench).await;
    let mut found: Vec<&str> = names(&vms);
    found.sort_unstable();
    let expected: Vec<String> = (0..260).map(|n| format!("vm-{n:04}")).collect();
    assert_eq!(found, expected);
    assert!(vms.is_sorted_by_key(|vm| vm.path.clone()), "ordered by path");
}

pub async fn an_empty_estate_is_an_empty_answer(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[], EstateSpec::new()).await else { return };
    assert_eq!(all(&bench).await, []);
}

pub async fn fields_are_filled(harness: &dyn Harness) {
    let vm = VmSpec::new("db-01").size(8, 16_384).host("esx-7").cluster(Some("gold")).datacenter("Berlin");
    let Some((bench, key)) = Bench::of_one(harness, &[Ability::Places], vm).await else { return };
    let vms = all(&bench).await;
    let [vm] = vms.as_slice() else { panic!("one VM, not {vms:?}") };
    assert_eq!(vm.name, "db-01");
    assert_eq!(vm.id, bench.server.id_of(key).await);
    assert_eq!(vm.platform, bench.platform.identity().kind);
    assert_eq!(vm.power_state, VMPowerState::PoweredOn);
    assert_eq!(vm.host.as_deref(), Some("esx-7"));
    assert_eq!(vm.cluster.as_deref(), Some("gold"));
    assert_eq!(vm.datacenter.as_deref(), Some("Berlin"));
    assert_eq!((vm.cpu_count, vm.memory_mb), (Some(8), Some(16_384)));
    if can_also(harness, &[Ability::Guests]) {
        assert_eq!(vm.tools_status, Some(ToolsStatus::Running));
    }
    assert!(vm.guest_os.as_ref().is_some_and(|os| !os.is_empty()), "guest_os");
    assert!(!vm.native_state.is_empty(), "native_state");
    assert!(!vm.template);
    assert_eq!(vm.unmanageable, None);
    assert_eq!(*vm, bench.info(key).await, "get and discover agree");
}

pub async fn power_states_are_told_apart(harness: &dyn Harness) {
    let mut spec = EstateSpec::new().with([VmSpec::new("a-on"), VmSpec::new("b-off").off()]);
    let mut expected = vec![VMPowerState::PoweredOn, VMPowerState::PoweredOff];
    if can_also(harness, &[Ability::SuspendedVms]) {
        spec.add(VmSpec::new("c").suspended());
        expected.push(VMPowerState::Suspended);
    }
    let Some(bench) = Bench::start(harness, &[], spec).await else { return };
    let states: Vec<VMPowerState> = all(&bench).await.iter().map(|vm| vm.power_state).collect();
    assert_eq!(states, expected);
}

pub async fn paths_lead_through_folders_to_the_name(harness: &dyn Harness) {
    let spec = EstateSpec::new().with([
        VmSpec::new("deep").folder("prod").folder("web"),
        VmSpec::new("flat").folder("prod"),
        VmSpec::new("root"),
    ]);
    let Some(bench) = Bench::start(harness, &[Ability::Folders], spec).await else { return };
    let paths: Vec<String> = all(&bench).await.into_iter().map(|vm| vm.path.expect("a path")).collect();
    assert!(paths[0].ends_with("/prod/flat") || paths[0].ends_with("/prod/web/deep"), "{paths:?}");
    for (end, name) in [("/prod/web/deep", "deep"), ("/prod/flat", "flat"), ("/root", "root")] {
        let path = paths.iter().find(|path| path.ends_with(end)).unwrap_or_else(|| panic!("{end} in {paths:?}"));
        assert!(path.starts_with('/'), "{path}");
        assert_eq!(id_by(&bench, &format!("path:{path}")).await.ok(), id_by(&bench, name).await.ok());
    }
}

pub async fn a_standalone_host_has_no_cluster(harness: &dyn Harness) {
    let vm = VmSpec::new("edge-01").cluster(None).host("edge-host");
    let Some((bench, key)) = Bench::of_one(harness, &[Ability::StandaloneHosts], vm).await else { return };
    let vm = bench.info(key).await;
    assert_eq!((vm.cluster, vm.host.as_deref()), (None, Some("edge-host")));
}

pub async fn templates_are_flagged_and_never_meant_by_a_pattern(harness: &dyn Harness) {
    let spec = EstateSpec::new().with([VmSpec::new("web-01"), VmSpec::new("web-tpl").template()]);
    let Some(bench) = Bench::start(harness, &[Ability::Templates], spec).await else { return };
    let flags: Vec<bool> = all(&bench).await.iter().map(|vm| vm.template).collect();
    assert_eq!(flags, [false, true]);
    let found = bench.platform.find(&bench.cx, "web-*").await.expect("the template is not meant");
    assert_eq!(found.name, "web-01");
    assert_eq!(id_by(&bench, "web-tpl").await.ok(), Some(bench.server.id_of(VmKey(1)).await));
}

pub async fn a_name_is_case_sensitive_and_whole(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[], EstateSpec::of(["web-01", "web-010"])).await else { return };
    assert_eq!(id_by(&bench, "web-01").await.ok(), Some(bench.server.id_of(VmKey(0)).await));
    for unknown in ["WEB-01", "web-0", "eb-01", "web-01 ", "re:web-0"] {
        let error = id_by(&bench, unknown).await.expect_err(unknown);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{unknown}");
    }
}

pub async fn globs_and_expressions_select_by_name(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[], EstateSpec::of(["db-1", "web-1", "web-2", "web-33"])).await else {
        return;
    };
    for (targets, expected) in [
        (&["web-?"][..], &["web-1", "web-2"][..]),
        (&["web-*"], &["web-1", "web-2", "web-33"]),
        (&["{db,web}-1"], &["db-1", "web-1"]),
        (&["[!w]*"], &["db-1"]),
        (&[r"re:web-\d"], &["web-1", "web-2"]),
        (&["re:.*-1"], &["db-1", "web-1"]),
        (&["web-33", "db-*", "re:web-3+"], &["db-1", "web-33"]),
    ] {
        assert_eq!(names(&select(&bench, targets).await), expected, "{targets:?}");
    }
}

pub async fn an_id_and_a_path_find_exactly_their_vm(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[], EstateSpec::of(["a", "b"])).await else { return };
    for key in bench.spec.keys() {
        let vm = bench.info(key).await;
        assert_eq!(names(&select(&bench, &[&format!("id:{}", vm.id)]).await), [vm.name.as_str()]);
        let path = vm.path.expect("a path");
        assert_eq!(names(&select(&bench, &[&format!("path:{path}")]).await), [vm.name.as_str()]);
        assert_eq!(names(&select(&bench, &[&format!("path:{}", &path[1..])]).await), [vm.name.as_str()]);
    }
    assert_eq!(select(&bench, &["id:no-such-id"]).await, []);
}

pub async fn odd_names_come_decoded_and_can_be_named(harness: &dyn Harness) {
    let odd = ["a/b", "db[1]", "ümlaut %", "100%2f", "back\\slash", "quote\"<&>'", "Straße 7", "{x}", "日本"];
    let Some(bench) = Bench::start(harness, &[Ability::OddNames], EstateSpec::of(odd)).await else { return };
    let vms = all(&bench).await;
    let mut found = names(&vms);
    let mut expected = odd.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for (key, name) in bench.spec.keys().zip(odd) {
        let id = bench.server.id_of(key).await;
        assert_eq!(id_by(&bench, name).await.ok().as_ref(), Some(&id), "by name: {name}");
        let path = bench.info(key).await.path.expect("a path");
        assert!(path.ends_with(&format!("/{name}")), "{path}");
        assert_eq!(id_by(&bench, &format!("path:{path}")).await.ok(), Some(id), "by path: {path}");
    }
}

pub async fn a_full_name_wins_over_the_glob_that_it_also_is(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[Ability::OddNames], EstateSpec::of(["db[1]", "db1", "db*"])).await else {
        return;
    };
    assert_eq!(names(&select(&bench, &["db[1]"]).await), ["db[1]"]);
    assert_eq!(names(&select(&bench, &["db*"]).await), ["db*"]);
    assert_eq!(names(&select(&bench, &["db?"]).await), ["db*", "db1"]);
}

pub async fn duplicates_are_refused_by_name_and_told_apart_by_path(harness: &dyn Harness) {
    let needs = &[Ability::DuplicateNames, Ability::Places];
    if !can(harness, needs) {
        return;
    }
    let Some(bench) = Bench::start(harness, needs, namesakes(harness)).await else { return };
    assert_eq!(select(&bench, &["web"]).await.len(), bench.spec.vms.len(), "a discovery shows all of them");
    assert_eq!(id_by(&bench, "web").await.expect_err("several of them").kind(), ErrorKind::Ambiguous);
    for key in bench.spec.keys() {
        let path = bench.info(key).await.path.expect("a path");
        assert_eq!(id_by(&bench, &format!("path:{path}")).await.ok(), Some(bench.server.id_of(key).await));
    }
}

pub async fn filters_select_by_place_and_state(harness: &dyn Harness) {
    if !can(harness, &[Ability::Places]) {
        return;
    }
    let place = |name: &str, datacenter: &str, cluster: &str, host: &str| {
        VmSpec::new(name).datacenter(datacenter).cluster(Some(cluster)).host(host)
    };
    let spec = EstateSpec::new().with([
        place("a", "DC0", "gold", "h0"),
        place("b", "DC0", "iron", "h1").off(),
        place("c", "DC1", "gold-2", "h2"),
        place("d", "DC1", "gold-2", "h3").off(),
    ]);
    let Some(bench) = Bench::start(harness, &[], spec).await else { return };
    let filter = |change: &dyn Fn(&mut Selector)| {
        let mut selector = Selector::all();
        change(&mut selector);
        selector
    };
    let name = |text: &str| Some(text.parse().expect("a valid name"));
    for (selector, expected) in [
        (filter(&|selector| selector.datacenter = name("DC1")), &["c", "d"][..]),
        (filter(&|selector| selector.cluster = name("gold")), &["a"]),
        (filter(&|selector| selector.cluster = name("gold*")), &["a", "c", "d"]),
        (filter(&|selector| selector.host = name("h[02]")), &["a", "c"]),
        (filter(&|selector| selector.power_state = Some(VMPowerState::PoweredOff)), &["b", "d"]),
        (
            filter(&|selector| {
                selector.datacenter = name("DC1");
                selector.power_state = Some(VMPowerState::PoweredOn);
            }),
            &["c"],
        ),
        (filter(&|selector| selector.datacenter = name("DC9")), &[]),
    ] {
        let found = bench.platform.discover(&bench.cx, &selector).await.expect("discovery");
        assert_eq!(names(&found.vms), expected, "{selector:?}");
    }
}

pub async fn a_vm_that_is_off_is_found_by_its_host(harness: &dyn Harness) {
    let needs = &[Ability::Places, Ability::HostsOfStoppedVms];
    let spec = EstateSpec::new().with([
        VmSpec::new("a").host("h0"),
        VmSpec::new("b").host("h1").off(),
        VmSpec::new("c").host("h2"),
    ]);
    let Some(bench) = Bench::start(harness, needs, spec).await else { return };
    let mut selector = Selector::all();
    selector.host = Some("h[12]".parse().expect("a valid name"));
    let found = bench.platform.discover(&bench.cx, &selector).await.expect("discovery");
    assert_eq!(names(&found.vms), ["b", "c"]);
}

pub async fn a_selector_that_fits_nothing_gives_nothing(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[], EstateSpec::of(["a"])).await else { return };
    for target in ["nobody", "no*", "re:no.*", "id:no", "path:/no/where"] {
        assert_eq!(select(&bench, &[target]).await, [], "{target}");
    }
}

pub async fn get_answers_in_the_order_asked(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[], EstateSpec::of(["a", "b", "c"])).await else { return };
    let unknown = VMRef::new(bench.platform.identity(), "no-such-id");
    let mut asked = Vec::new();
    for key in [VmKey(2), VmKey(0), VmKey(1)] {
        asked.push(bench.vm_ref(key).await);
    }
    asked.insert(1, unknown);
    asked.push(asked[0].clone());
    let answers = bench.platform.get(&bench.cx, &asked).await;
    let kinds: Vec<Result<&str, ErrorKind>> = answers
        .iter()
        .map(|answer| answer.as_ref().map(|vm| vm.name.as_str()).map_err(chaos_core::Error::kind))
        .collect();
    assert_eq!(kinds, [Ok("c"), Err(ErrorKind::NotFound), Ok("a"), Ok("b"), Ok("c")]);
    assert!(bench.platform.get(&bench.cx, &[]).await.is_empty());
}

pub async fn a_reference_survives_json_and_a_second_client(harness: &dyn Harness) {
    let Some((bench, key)) = Bench::of_one(harness, &[], VmSpec::new("a")).await else { return };
    let json = serde_json::to_string(&bench.vm_ref(key).await).expect("a reference can be written down");
    let read: VMRef = serde_json::from_str(&json).expect("and read again");
    let second = bench.second_client().await;
    let found = second.get(&bench.cx, &[read]).await.remove(0).expect("the same VM");
    assert_eq!(found, bench.info(key).await);
}

pub async fn a_reference_to_another_server_is_not_found(harness: &dyn Harness) {
    let Some((bench, key)) = Bench::of_one(harness, &[Ability::CountCalls], VmSpec::new("a")).await else { return };
    let mut foreign = bench.vm_ref(key).await;
    foreign.instance.push_str("-of-others");
    let kind = |error: Option<chaos_core::Error>| error.map(|error| error.kind());
    let platform = &bench.platform;
    let target = foreign.clone().into();
    let got = platform.get(&bench.cx, &[foreign]).await.remove(0);
    assert_eq!(kind(got.err()), Some(ErrorKind::NotFound), "get");
    for fault in every_fault(harness) {
        let prepared = platform.prepare(&bench.cx, std::slice::from_ref(&target), &fault).await.remove(0);
        assert_eq!(kind(prepared.err()), Some(ErrorKind::NotFound), "prepare {fault:?}");
        let applied = platform.apply(&bench.cx, &target, &fault).await;
        assert_eq!(kind(applied.err()), Some(ErrorKind::NotFound), "apply {fault:?}");
    }
    assert_eq!(bench.server.destructive_calls(key).await, 0);
}

pub async fn a_vm_deleted_since_is_not_found(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[Ability::ChangeVms], EstateSpec::of(["gone", "kept"])).await else {
        return;
    };
    let (gone, kept) = (bench.vm_ref(VmKey(0)).await, bench.vm_ref(VmKey(1)).await);
    bench.server.delete(VmKey(0)).await;
    let answers = bench.platform.get(&bench.cx, &[gone.clone(), kept]).await;
    assert_eq!(answers[0].as_ref().expect_err("deleted").kind(), ErrorKind::NotFound);
    assert_eq!(answers[1].as_ref().expect("still there").name, "kept");
    let target = gone.into();
    for fault in every_fault(harness) {
        let applied = bench.platform.apply(&bench.cx, &target, &fault).await;
        assert_eq!(applied.expect_err("deleted").kind(), ErrorKind::NotFound, "{fault:?}");
    }
    assert_eq!(names(&all(&bench).await), ["kept"]);
}
