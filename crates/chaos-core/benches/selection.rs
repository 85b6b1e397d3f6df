//! How long it takes to read a selector, and to choose by it from a large inventory.

use std::hint::black_box;

use chaos_core::{Candidate, PlatformKind, Selection, VMInfo, VMPowerState};
use criterion::{BenchmarkId, Criterion, criterion_group};

const SELECTOR: &str = "(cluster:prod-* or folder:/DC0/vm/web) and not db-* and not re:\".*-(tmp|test)\" and not web-00007 and \
                        state:on take 5% at random max 20 per host seed 7";

/// VMs in the order in which a server may give them, which is none.
fn inventory(count: usize) -> Vec<VMInfo> {
    let vm = |number: usize| {
        let number = number * 7919 % count;
        let kind = ["web", "db", "app"][number % 3];
        let name = format!("{kind}-{number:05}");
        let mut vm = VMInfo::new(&name, format!("vm-{number}"), VMPowerState::PoweredOn, PlatformKind::VSPHERE);
        vm.path = Some(format!("/DC0/vm/{kind}/team-{}/{name}", number % 40));
        vm.datacenter = Some("DC0".to_owned());
        vm.cluster = Some(format!("{}-{}", if number.is_multiple_of(4) { "stage" } else { "prod" }, number % 10));
        vm.host = Some(format!("esx-{:04}.example.com", number % (count / 40)));
        vm
    };
    let mut vms: Vec<VMInfo> = (0..count).map(vm).collect();
    vms.push(VMInfo::new("web-00007", "vm-named", VMPowerState::PoweredOn, PlatformKind::VSPHERE));
    vms
}

fn selection(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("selection");
    group.sample_size(20);
    group.bench_function("parse", |bencher| bencher.iter(|| black_box(SELECTOR).parse::<Selection>()));
    for count in [10_000, 100_000] {
        let vms = inventory(count);
        let candidates: Vec<Candidate<'_>> = vms.iter().map(|vm| Candidate::new(vm, "east")).collect();
        for (name, text) in [("choose", SELECTOR), ("all at random", "all take 1% at random")] {
            let selection: Selection = text.parse().expect("a valid selector");
            selection.choose(&candidates, 1).expect("enough VMs fit");
            group.bench_with_input(BenchmarkId::new(name, count), &candidates, |bencher, candidates| {
                bencher.iter(|| selection.choose(black_box(candidates), 1));
            });
        }
    }
    group.finish();
}

/// What choosing from so many VMs adds to the peak memory of this process, which holds them.
#[expect(clippy::print_stdout, reason = "the figure is what it is for")]
fn memory(count: usize) {
    let vms = inventory(count);
    let candidates: Vec<Candidate<'_>> = vms.iter().map(|vm| Candidate::new(vm, "east")).collect();
    let selection: Selection = SELECTOR.parse().expect("a valid selector");
    let before = peak_kib();
    let picked = selection.choose(&candidates, 1).expect("enough VMs fit");
    println!("{count} VMs, {} chosen: {} KiB more than {before} KiB", picked.vms.len(), peak_kib() - before);
}

/// The peak resident memory of this process in KiB, as Linux gives it.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is there");
    peak.trim_end_matches("kB").trim().parse().expect("it is a number")
}

criterion_group!(benches, selection);

fn main() {
    if let Ok(count) = std::env::var("CHAOS_VMS") {
        return memory(count.parse().expect("CHAOS_VMS is a number"));
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
