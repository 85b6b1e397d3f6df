//! What somebody may write: a selector. What is read is written down so that it reads as the same, and chooses from an inventory
//! whatever the order of that is.
#![no_main]

use chaos_core::{Candidate, Error, Filter, Picked, PlatformKind, Selection, VMInfo, VMPowerState};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let selection = match text.parse::<Selection>() {
        Ok(selection) => selection,
        Err(error) => {
            assert!(text.is_char_boundary(error.offset()));
            assert_eq!(error.to_string().lines().count(), 3);
            assert!(!Error::from(error).to_string().contains('\n'));
            return assert!(text.parse::<Filter>().is_err());
        }
    };
    let written = selection.to_string();
    let again: Selection = written.parse().expect("what we write we read");
    assert_eq!(again, selection);
    assert_eq!(again.to_string(), written);

    let inventory = inventory();
    let mut candidates: Vec<Candidate<'_>> =
        inventory.iter().map(|(vm, endpoint)| Candidate::new(vm, endpoint)).collect();
    let first = told(selection.choose(&candidates, 7));
    candidates.reverse();
    assert_eq!(told(again.choose(&candidates, 7)), first);
    candidates.rotate_left(5);
    assert_eq!(told(selection.choose(&candidates, 7)), first);
});

/// The VMs in their order, or why there are none.
fn told(result: Result<Picked<'_>, Error>) -> Result<Vec<String>, String> {
    let ids = |picked: Picked<'_>| picked.vms.iter().map(|one| format!("{} {}", one.endpoint, one.vm.id)).collect();
    result.map(ids).map_err(|error| error.to_string())
}

fn inventory() -> Vec<(VMInfo, &'static str)> {
    let names = ["a", "b", "a", "a*", "[ab]", "web-01", "web-02", "db 1", "a:b", "all", "x/y", "é", "tpl", "lost"];
    let vm = |(number, name): (usize, &&str)| {
        let state = VMPowerState::ALL[number % 4];
        let mut vm = VMInfo::new(*name, format!("vm-{}", number / 2), state, PlatformKind::VSPHERE);
        vm.path = (number % 5 != 4).then(|| format!("/DC0/vm/{}/{name}", number % 3));
        vm.host = (number % 3 != 2).then(|| format!("esx-{}", number % 2));
        vm.cluster = (number % 4 != 3).then(|| "prod".to_owned());
        vm.datacenter = Some("DC0".to_owned());
        vm.guest_os = Some("Oracle Linux".to_owned());
        vm.template = *name == "tpl";
        vm.unmanageable = (*name == "lost").then(|| "its host is gone".to_owned());
        (vm, if number % 2 == 0 { "east" } else { "west" })
    };
    names.iter().enumerate().map(vm).collect()
}
