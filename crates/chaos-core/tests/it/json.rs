//! What is written down can be read again, by this version and by people.

use std::time::Duration;

use chaos_core::{
    Error, ErrorKind, Fault, How, Outcome, PlatformKind, Stop, ToolsStatus, Undo, VMInfo, VMPowerState, VMRef,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::generate;

fn through_json<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let json = serde_json::to_string(value).expect("can be written down");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

proptest! {
    #[test]
    fn faults_survive_json(fault in generate::fault()) {
        prop_assert_eq!(through_json(&fault), fault);
    }

    #[test]
    fn vms_survive_json(vm in generate::vm()) {
        prop_assert_eq!(through_json(&vm), vm);
    }

    #[test]
    fn undo_records_survive_json_and_say_the_same(undo in generate::undo(), now in generate::state()) {
        let read = through_json(&undo);
        prop_assert_eq!(&read, &undo);
        let words = |step: Result<Option<Fault>, Error>| step.map_err(|error| error.to_string());
        prop_assert_eq!(words(read.next_step(now)), words(undo.next_step(now)));
    }
}

fn web_01() -> VMInfo {
    let mut vm = VMInfo::new("web-01", "vm-68", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
    vm.host = Some("esx-1".into());
    vm.datacenter = Some("DC0".into());
    vm.cluster = Some("prod".into());
    (vm.cpu_count, vm.memory_mb) = (Some(4), Some(8192));
    vm.guest_os = Some("Oracle Linux 9 (64-bit)".into());
    vm.tools_status = Some(ToolsStatus::Running);
    vm.path = Some("/DC0/vm/web/web-01".into());
    vm.instance_uuid = Some("5029c4a1-0000-4000-8000-000000000001".into());
    vm.boot_time = Some("2026-01-01T00:00:00Z".parse().expect("a timestamp"));
    vm.native_state = "poweredOn".into();
    vm.metadata.insert("annotation".into(), "first of the web tier".into());
    vm
}

fn at() -> Timestamp {
    "2026-01-02T03:04:05.678Z".parse().expect("a timestamp")
}

#[test]
fn a_vm_as_it_is_written() {
    insta::assert_json_snapshot!(web_01());
}

#[test]
fn a_vm_of_which_little_is_known_as_it_is_written() {
    insta::assert_json_snapshot!(VMInfo::new("lost", "vm-9", VMPowerState::Unknown, PlatformKind::OLVM));
}

#[test]
fn faults_as_they_are_written() {
    insta::assert_json_snapshot!([
        Fault::power_on(),
        Fault::power_off(Stop::graceful()),
        Fault::power_off(Stop::GuestOnly { grace: Duration::from_millis(1500) }),
        Fault::PowerOff { stop: Stop::hard(), suspended: chaos_core::SuspendedMemory::Discard },
        Fault::reboot(Stop::hard()),
        Fault::suspend(),
    ]);
}

#[test]
fn undo_records_as_they_are_written() {
    let target = generate::vm_ref("vm-68");
    let mut asleep = web_01();
    asleep.power_state = VMPowerState::Suspended;
    let discard = Fault::PowerOff { stop: Stop::hard(), suspended: chaos_core::SuspendedMemory::Discard };
    insta::assert_json_snapshot!([
        Undo::of_power(target.clone().into(), &web_01(), &Fault::power_off(Stop::graceful()), at()),
        Undo::of_power(target.into(), &asleep, &discard, at()),
    ]);
}

#[test]
fn outcomes_as_they_are_written() {
    let outcome = Outcome::new(
        How::HardAfterGuestTimeout,
        VMPowerState::PoweredOn,
        VMPowerState::PoweredOff,
        Duration::from_millis(300_250),
    );
    insta::assert_json_snapshot!([outcome.clone(), outcome.note("the guest ended in standby")]);
}

#[test]
fn a_record_with_fields_of_a_newer_version_can_be_read_and_is_refused() {
    let undo = Undo::of_power(generate::vm_ref("vm-68").into(), &web_01(), &Fault::power_off(Stop::graceful()), at());
    let mut json = serde_json::to_value(&undo).unwrap();
    json["version"] = 2.into();
    json["lease"] = "l-1".into();
    json["found"]["disks"] = serde_json::json!(["a", "b"]);
    let read: Undo = serde_json::from_value(json).unwrap();
    assert_eq!(read.next_step(VMPowerState::PoweredOff).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn what_was_never_written_is_refused() {
    for bad in [
        r#"{"fault":"explode"}"#,
        r#"{"fault":"power_on"}"#,
        r#"{"fault":"power_on","limit_seconds":"300"}"#,
        r#"{"fault":"reboot","stop":{"mode":"softly"}}"#,
        r#"{"fault":"power_off","stop":{"mode":"hard","limit_seconds":1}}"#,
    ] {
        assert!(serde_json::from_str::<Fault>(bad).is_err(), "{bad}");
    }
    let reference = r#"{"platform":"VSPHERE!","entry":"prod","instance":"x","id":"vm-1"}"#;
    assert!(serde_json::from_str::<VMRef>(reference).is_err());
}
