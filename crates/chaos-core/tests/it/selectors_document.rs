//! What docs/selectors.md says about its own inventory is so, and the seeds that anybody may have noted still draw the same.

use chaos_core::{Candidate, PlatformKind, Selection, ToolsStatus, VMInfo, VMPowerState};

const DOCUMENT: &str = include_str!("../../../../docs/selectors.md");
const SEEDS: &str = include_str!("seeds.txt");

/// The cells of every row of a table, without the code marks around them.
fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    let cells = |line: &str| {
        let hidden = line.replace("\\|", "\0");
        let cells =
            hidden.trim_matches('|').split(" |").map(|cell| cell.trim().trim_start_matches("| ").replace('\0', "|"));
        cells.collect::<Vec<String>>()
    };
    text.lines().filter(|line| line.starts_with("| ")).map(cells)
}

fn inventory() -> Vec<(VMInfo, String)> {
    let (_, table) = DOCUMENT.split_once("## The inventory of the examples").expect("the heading");
    let vm = |row: Vec<String>| {
        let [name, id, entry, folder, cluster, host, guest, state, tools, note] =
            <[String; 10]>::try_from(row).expect("ten columns");
        let platform = if note == "olvm" { PlatformKind::OLVM } else { PlatformKind::VSPHERE };
        let state = VMPowerState::ALL.into_iter().find(|known| known.as_str() == state).expect("a state");
        let mut vm = VMInfo::new(&name, id, state, platform);
        let known = |text: String| (!text.is_empty()).then_some(text);
        vm.datacenter = folder.split('/').nth(1).map(str::to_owned);
        vm.path = Some(format!("{folder}/{name}"));
        (vm.cluster, vm.host, vm.guest_os) = (known(cluster), known(host), known(guest));
        vm.tools_status = match tools.as_str() {
            "running" => Some(ToolsStatus::Running),
            "not_running" => Some(ToolsStatus::NotRunning),
            _ => None,
        };
        vm.template = note == "template";
        vm.unmanageable = (note == "unmanageable").then(|| "its host is gone".to_owned());
        (vm, entry)
    };
    rows(table).skip(1).map(vm).collect()
}

#[test]
fn every_example_of_the_document_means_what_it_says() {
    let inventory = inventory();
    assert_eq!(inventory.len(), 11);
    let candidates: Vec<Candidate<'_>> = inventory.iter().map(|(vm, entry)| Candidate::new(vm, entry)).collect();
    let (examples, _) = DOCUMENT.split_once("## The inventory of the examples").expect("the heading");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for row in rows(examples) {
        let [.., selector, expected] = row.as_slice() else { panic!("{row:?}") };
        if selector == "selector" {
            continue;
        }
        seen += 1;
        let selector = selector.strip_prefix('`').and_then(|text| text.strip_suffix('`')).expect("a selector as code");
        let told = match selector.parse::<Selection>().unwrap_or_else(|error| panic!("{error}")).choose(&candidates, 1)
        {
            Ok(picked) => picked.vms.iter().map(|one| one.vm.name.as_str()).collect::<Vec<_>>().join(" "),
            Err(error) => format!("error: {error}"),
        };
        let is_so = if expected.starts_with("error: ") { told.starts_with(expected) } else { told == *expected };
        if !is_so {
            wrong.push(format!("{selector}: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, 37);
}

#[test]
fn a_seed_takes_the_same_vms_for_ever() {
    let mut seen = 0;
    for line in SEEDS.lines().filter(|line| !line.starts_with('#')) {
        let [size, selector, expected] = line.split(" | ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        let size: usize = size.parse().expect("a number of VMs");
        let vm = |number: usize| {
            let mut vm =
                VMInfo::new(format!("vm-{number:02}"), number.to_string(), VMPowerState::PoweredOn, PlatformKind::OLVM);
            vm.host = Some(format!("esx-{}", number % 5));
            vm
        };
        // The last first: the order of an inventory decides nothing.
        let vms: Vec<VMInfo> = (0..size).rev().map(vm).collect();
        let candidates: Vec<Candidate<'_>> = vms.iter().map(|vm| Candidate::new(vm, "east")).collect();
        let picked = selector.parse::<Selection>().expect("a selector").choose(&candidates, 99).expect("enough VMs");
        let taken: Vec<&str> = picked.vms.iter().map(|one| &one.vm.name[3..]).collect();
        assert_eq!(taken.join(" "), expected, "{line}");
        seen += 1;
    }
    assert_eq!(seen, 90);
    assert!(SEEDS.contains("10 | all take 3 at random seed 7 | 07 00 04"), "as draws of experiments have it");
}
