//! What a selection means over an inventory: who fits, who is taken, and what is refused.

use chaos_core::{
    Candidate, ChosenBy, Error, ErrorKind, Filter, PlatformKind, Selection, ToolsStatus, VMInfo, VMPowerState,
};
/// A VM and the entry that it is reached through.
pub(crate) type Found = (VMInfo, &'static str);

fn vm(name: &str, id: &str, folder: &str) -> VMInfo {
    let mut vm = VMInfo::new(name, id, VMPowerState::PoweredOn, PlatformKind::VSPHERE);
    vm.path = Some(format!("/DC0/vm{folder}/{name}"));
    vm.datacenter = Some("DC0".into());
    vm
}

fn estate() -> Vec<Found> {
    let mut template = vm("web-tpl", "vm-9", "/web");
    template.template = true;
    let mut lost = vm("web-lost", "vm-8", "/web");
    lost.unmanageable = Some("its host is gone".into());
    let mut db = vm("db-01", "vm-4", "/db/main");
    db.guest_os = Some("Oracle Linux 9 (64-bit)".into());
    db.power_state = VMPowerState::PoweredOff;
    db.tools_status = Some(ToolsStatus::Running);
    db.cluster = Some("my cluster".into());
    let mut slash = vm("a/b", "vm-7", "");
    slash.host = Some("esx-1".into());
    vec![
        (vm("web-01", "vm-1", "/web"), "east"),
        (vm("web-02", "vm-2", "/web"), "east"),
        (vm("web-01", "vm-3", "/old"), "east"),
        (db, "east"),
        (vm("db[1]", "vm-5", "/db"), "east"),
        (vm("db1", "vm-6", "/db"), "east"),
        (slash, "east"),
        (template, "east"),
        (lost, "east"),
        (vm("db-01", "vm-4", "/db/main"), "west"),
    ]
}

pub(crate) fn candidates(found: &[Found]) -> Vec<Candidate<'_>> {
    found.iter().map(|(vm, endpoint)| Candidate::new(vm, endpoint)).collect()
}

pub(crate) fn names(candidates: &[Candidate<'_>]) -> Vec<String> {
    candidates.iter().map(|candidate| format!("{}:{}", candidate.endpoint, candidate.vm.id)).collect()
}

fn choose(text: &str) -> Result<Vec<String>, Error> {
    let estate = estate();
    let selection: Selection = text.parse().unwrap_or_else(|error| panic!("{error}"));
    selection.choose(&candidates(&estate), 1).map(|picked| names(&picked.vms))
}

fn chosen(text: &str) -> String {
    choose(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .join(" ")
        .replace("east:vm-", "")
        .replace("west:vm-", "w")
}

#[test]
fn each_atom_means_its_field() {
    for (text, expected) in [
        ("web-02", "2"),
        ("web-0*", "3 1 2"),
        ("re:web-0[12]", "3 1 2"),
        ("id:vm-2", "2"),
        ("path:DC0/vm/old/web-01", "3"),
        ("web-01 and folder:/DC0/vm/web", "1"),
        ("folder:web", "1 2"),
        ("folder:DC0 and a/b", "7"),
        ("folder:a or a/b", "7"),
        ("folder:/DC0/vm/db", "6 5 4 w4"),
        ("folder:/DC0/vm/db/", "6 5 4 w4"),
        ("folder:/*/main", "4 w4"),
        ("folder:/DC0/vm/d", ""),
        ("host:esx-?", "7"),
        ("cluster:\"my cluster\"", "4"),
        ("not cluster:* and db-*", "w4"),
        ("endpoint:w*", "w4"),
        ("guest:*LINUX*", "4"),
        ("guest:linux", ""),
        ("platform:vsphere and web-02", "2"),
        ("state:off", "4"),
        ("tools:running", "4"),
        ("tools:unknown and endpoint:west", "w4"),
        ("datacenter:DC? and web-02", "2"),
        ("all and not folder:/DC0/vm/*", "7"),
    ] {
        if expected.is_empty() {
            assert_eq!(choose(text).unwrap_err().kind(), ErrorKind::NotFound, "{text}");
        } else {
            assert_eq!(chosen(text), expected, "{text}");
        }
    }
}

#[test]
fn a_name_that_a_vm_bears_in_full_is_no_glob() {
    assert_eq!(chosen("db[1]"), "5");
    assert_eq!(chosen("db?"), "6");
    assert_eq!(chosen("folder:/DC0/vm/db and not db[1]"), "6 4 w4");
    // By itself, without an inventory, it may be either.
    let filter: Filter = "db[1]".parse().unwrap();
    let fits: Vec<_> = estate()
        .iter()
        .filter(|(vm, at)| filter.matches(&Candidate::new(vm, at)))
        .map(|(vm, _)| vm.id.clone())
        .collect();
    assert_eq!(fits, ["vm-5", "vm-6"]);
}

#[test]
fn a_name_that_no_vm_bears_is_refused_wherever_it_stands() {
    for (text, expected) in [
        ("web-09x", "no VM fits `web-09x`: every name in a selector has to be that of a VM, also behind `not`"),
        (
            "all and not web-03",
            "no VM fits `web-03`: every name in a selector has to be that of a VM, also behind `not`",
        ),
        ("all and not db-0l", "no VM fits `db-0l`: did you mean `db-01`?"),
        (
            "web-02 or id:vm-99",
            "no VM fits `id:vm-99`: every name in a selector has to be that of a VM, also behind `not`",
        ),
        ("not path:/x", "no VM fits `path:/x`: every name in a selector has to be that of a VM, also behind `not`"),
        ("mail-*", "no VM fits `mail-*`"),
        ("web-02 and db-01", "no VM fits `web-02 and db-01`"),
        (
            "web-tp* or web-los*",
            "no VM fits `web-tp* or web-los*` but 1 template and 1 that cannot be managed: write the name, the id or the path of \
             what is meant",
        ),
    ] {
        let error = choose(text).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::NotFound, expected));
    }
}

#[test]
fn a_name_that_means_several_is_refused_with_what_tells_them_apart() {
    let error = choose("web-01 or state:off").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(error.candidates(), ["/DC0/vm/old/web-01", "/DC0/vm/web/web-01"]);
    for text in ["web-01 take 1", "not not web-01", "not (state:off or not web-01)"] {
        assert_eq!(choose(text).unwrap_err().kind(), ErrorKind::Ambiguous, "{text}");
    }
    assert_eq!(chosen("folder:web and web-01"), "1");
    assert_eq!(chosen("folder:web and not web-01"), "2");
    assert_eq!(chosen("not web-01 and folder:old or folder:web"), "1 2", "a name behind `not` may mean several");
    assert_eq!(chosen("not web-01 and state:off or re:web-01"), "4 3 1");
    let error = choose("id:vm-4").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`id:vm-4` fits 2 VMs (/DC0/vm/db/main/db-01 (endpoint:east), /DC0/vm/db/main/db-01 (endpoint:west)): name one with \
         `path:…` or `id:…`, and its server with `and endpoint:…`"
    );
    assert_eq!(chosen("id:vm-4 and endpoint:west"), "w4");
}

#[test]
fn templates_and_what_cannot_be_managed_are_meant_by_name_alone() {
    assert_eq!(chosen("web-tpl"), "9");
    assert_eq!(chosen("web-lost or web-02"), "2 8");
    assert_eq!(chosen("not (not id:vm-9 or state:off)"), "9");
    assert_eq!(chosen("(web-tpl and state:off) or folder:web"), "1 2", "its name is not what made it fit");
    assert_eq!(chosen("folder:web and web-tpl or web-02"), "2 9");
    assert_eq!(chosen("web-tpl or folder:web"), "1 2 9", "its name alone would do");
    assert_eq!(chosen("folder:web take 100%"), "1 2");
    let estate = estate();
    let all: Selection = "all".parse().unwrap();
    let picked = all.choose(&candidates(&estate), 1).unwrap();
    assert_eq!((picked.vms.len(), names(&picked.left_out)), (8, vec!["east:vm-8".to_owned()]));
    for (text, expected) in [
        ("web-lost take 1", "1 cannot be taken of `web-lost`: 1 fit, of which 1 cannot be managed"),
        ("folder:web take 3", "3 cannot be taken of `folder:web`: 3 fit, of which 1 cannot be managed"),
        ("state:off take 2", "2 cannot be taken of `state:powered_off`: only 1 can be"),
        (
            "all take 100% max 2 per host",
            "100%, which is 8, cannot be taken of `all`: 8 fit, and max 2 per host leaves 3; those of no known host count as one \
             group",
        ),
        ("all take 5 max 4 per datacenter max 1 per folder", ""),
    ] {
        match choose(text) {
            Err(error) => assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidState, expected)),
            Ok(taken) => assert_eq!((taken.len(), expected), (5, "")),
        }
    }
}

#[test]
fn how_they_were_chosen_is_told() {
    let estate = estate();
    let by = |text: &str| text.parse::<Selection>().unwrap().choose(&candidates(&estate), 1).unwrap().by;
    for text in ["web-02", "db[1]", "id:vm-1", "path:/DC0/vm/web/web-01", "(web-02)", "not not web-02", "web-02 take 1"]
    {
        assert_eq!(by(text), ChosenBy::Name, "{text}");
    }
    for text in ["web-02*", "web-02 or db1", "re:web-02", "state:off", "not web-01", "all"] {
        assert_eq!(by(text), ChosenBy::Pattern, "{text}");
    }
}

#[test]
fn a_seed_in_the_text_goes_before_that_of_the_caller() {
    let estate = estate();
    let pick = |text: &str, seed| -> (Vec<String>, Option<u64>) {
        let picked = text.parse::<Selection>().unwrap().choose(&candidates(&estate), seed).unwrap();
        (names(&picked.vms), picked.seed)
    };
    assert_eq!(pick("all take 3 at random seed 5", 9), pick("all take 3 at random", 5));
    assert_ne!(pick("all take 3 at random", 9), pick("all take 3 at random", 5));
    assert_eq!(pick("all take 3", 9), (vec!["east:vm-7".into(), "east:vm-6".into(), "east:vm-5".into()], None));
}

#[test]
fn groups_of_one_name_in_two_places_are_two() {
    let mut vms: Vec<VMInfo> = (0..4).map(|number| vm("a", &format!("vm-{number}"), "")).collect();
    for (number, vm) in vms.iter_mut().enumerate() {
        vm.host = Some("esx-1".into());
        vm.cluster = Some("prod".into());
        vm.datacenter = Some(format!("DC{}", number % 2));
    }
    let most = |vms: &[VMInfo], endpoints: [&str; 4], limit: &str| {
        let candidates: Vec<_> = vms.iter().zip(endpoints).map(|(vm, at)| Candidate::new(vm, at)).collect();
        let possible = |count: &usize| {
            let text = format!("all take {count} {limit}");
            text.parse::<Selection>().unwrap().choose(&candidates, 1).is_ok()
        };
        (1..=4).rev().find(possible)
    };
    let (one, two) = (["east"; 4], ["east", "east", "west", "west"]);
    assert_eq!(most(&vms, one, "max 1 per cluster"), Some(2), "one in each datacenter");
    assert_eq!(most(&vms, two, "max 1 per cluster"), Some(4));
    assert_eq!(most(&vms, one, "max 1 per datacenter"), Some(2));
    assert_eq!(most(&vms, one, "max 1 per host"), Some(1));
    assert_eq!(most(&vms, two, "max 1 per host"), Some(2));
    assert_eq!(most(&vms, two, "max 1 per folder"), Some(2));
    for vm in &mut vms {
        (vm.host, vm.path) = (None, None);
    }
    assert_eq!(most(&vms, two, "max 1 per host"), Some(1), "what is not known may be one host");
    assert_eq!(most(&vms, two, "max 2 per folder"), Some(2));
}

#[test]
fn none_may_be_meant_where_that_is_said_but_a_wrong_name_is_wrong_all_the_same() {
    let estate = estate();
    let or_none = |text: &str| text.parse::<Selection>().unwrap().choose_or_none(&candidates(&estate), 1);
    for text in ["cluster:nowhere", "app-* take 3 at random", "web-t*", "state:suspended and not db1"] {
        let picked = or_none(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((picked.vms.len(), picked.among.len(), picked.seed), (0, 0, None), "{text}");
    }
    for text in ["app-09", "cluster:nowhere and not app-09"] {
        assert_eq!(or_none(text).unwrap_err().kind(), ErrorKind::NotFound, "{text}");
    }
    assert_eq!(or_none("db1 take 2").unwrap_err().kind(), ErrorKind::InvalidState);
    let lost = or_none("web-l*").unwrap();
    assert_eq!((names(&lost.vms), names(&lost.left_out)), (vec![], vec!["east:vm-8".to_owned()]));
    assert_eq!(names(&or_none("db1").unwrap().vms), ["east:vm-6"]);
}

#[test]
fn a_filter_tells_its_names_also_those_that_it_spares() {
    let filter: Filter = "(web-* or id:vm-1) and not (db1 or state:off) and re:w.*".parse().unwrap();
    let targets: Vec<String> = filter.targets().into_iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["web-*", "id:vm-1", "db1", "re:w.*"]);
}
