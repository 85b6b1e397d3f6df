//! Arbitrary VMs, faults and records for the properties.

use std::time::Duration;

use chaos_core::{Fault, PlatformIdentity, PlatformKind, Stop, SuspendedMemory, Undo, VMInfo, VMPowerState, VMRef};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) fn state() -> impl Strategy<Value = VMPowerState> {
    select(&VMPowerState::ALL[..])
}

/// Up to eleven days, in milliseconds.
fn duration() -> impl Strategy<Value = Duration> {
    (0_u64..1_000_000_000).prop_map(Duration::from_millis)
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        (duration(), duration()).prop_map(|(grace, hard)| Stop::GuestThenHard { grace, hard }),
        duration().prop_map(|grace| Stop::GuestOnly { grace }),
        duration().prop_map(|limit| Stop::Hard { limit }),
    ]
}

pub(crate) fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        duration().prop_map(|limit| Fault::PowerOn { limit }),
        (stop(), select(&[SuspendedMemory::Keep, SuspendedMemory::Discard][..]))
            .prop_map(|(stop, suspended)| Fault::PowerOff { stop, suspended }),
        stop().prop_map(|stop| Fault::Reboot { stop }),
        duration().prop_map(|limit| Fault::Suspend { limit }),
    ]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).expect("within range"))
}

pub(crate) fn vm() -> impl Strategy<Value = VMInfo> {
    let words = || proptest::option::of("\\PC{0,8}");
    let flags = (any::<bool>(), state(), proptest::option::of(timestamp()));
    let numbers = (proptest::option::of(any::<u32>()), proptest::option::of(any::<u64>()));
    let metadata = proptest::collection::btree_map("\\PC{1,6}", "\\PC{0,6}", 0..3);
    ("\\PC{1,12}", "[a-z0-9-]{1,8}", (words(), words(), words(), words(), words()), flags, numbers, metadata).prop_map(
        |(name, id, (path, datacenter, cluster, host, unmanageable), flags, numbers, metadata)| {
            let (template, power_state, boot_time) = flags;
            let mut vm = VMInfo::new(name, id, power_state, PlatformKind::VSPHERE);
            (vm.path, vm.datacenter, vm.cluster, vm.host) = (path, datacenter, cluster, host);
            (vm.template, vm.boot_time, vm.unmanageable) = (template, boot_time, unmanageable);
            (vm.cpu_count, vm.memory_mb) = numbers;
            vm.metadata = metadata;
            vm
        },
    )
}

pub(crate) fn undo() -> impl Strategy<Value = Undo> {
    (vm(), fault(), timestamp()).prop_map(|(vm, fault, at)| Undo::of_power(vm_ref(&vm.id).into(), &vm, &fault, at))
}

pub(crate) fn vm_ref(id: &str) -> VMRef {
    let identity = PlatformIdentity {
        kind: PlatformKind::VSPHERE,
        entry: "prod".into(),
        instance: "c0ffee".into(),
        description: "vc.example.com".into(),
    };
    VMRef::new(&identity, id)
}
