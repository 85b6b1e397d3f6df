//! What `check_power` allows, `Undo` puts back: over every state and every fault, in a model of a VM.

use chaos_core::{ErrorKind, Fault, Need, Stop, SuspendedMemory, Undo, VMInfo, VMPowerState, check_power};
use chaos_core::{PlatformKind, VMPowerState::*};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::generate;

fn vm(state: VMPowerState) -> VMInfo {
    VMInfo::new("web-01", "vm-1", state, PlatformKind::VSPHERE)
}

fn undo_of(found: VMPowerState, fault: &Fault) -> Undo {
    Undo::of_power(generate::vm_ref("vm-1").into(), &vm(found), fault, Timestamp::UNIX_EPOCH)
}

/// One fault for each thing that a rule could tell apart.
fn every_fault() -> Vec<Fault> {
    let mut faults = vec![Fault::power_on(), Fault::suspend()];
    for stop in [Stop::hard(), Stop::graceful(), Stop::GuestOnly { grace: Stop::DEFAULT_GRACE }] {
        faults.push(Fault::reboot(stop));
        for suspended in [SuspendedMemory::Keep, SuspendedMemory::Discard] {
            faults.push(Fault::PowerOff { stop, suspended });
        }
    }
    faults
}

/// The state that a fault leads to, if it is allowed.
fn after(now: VMPowerState, fault: &Fault) -> Option<VMPowerState> {
    let goal = match fault {
        Fault::PowerOn { .. } | Fault::Reboot { .. } => PoweredOn,
        Fault::PowerOff { .. } => PoweredOff,
        Fault::Suspend { .. } => Suspended,
        other => panic!("the model lacks {other:?}"),
    };
    match check_power(&vm(now), fault) {
        Ok(Need::Act) => Some(goal),
        Ok(Need::Nothing) => {
            assert_eq!(now, goal, "{fault:?} has nothing to do only where its goal is reached");
            Some(now)
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidState);
            assert!(error.vm_name().is_some() && error.operation_name().is_some(), "{error:?}");
            None
        }
    }
}

/// Plays a record in the model until it has nothing more to do.
fn play(undo: &Undo, mut now: VMPowerState) -> Result<VMPowerState, chaos_core::Error> {
    for _ in 0..3 {
        match undo.next_step(now)? {
            None => return Ok(now),
            Some(step) => now = after(now, &step).expect("the rules allow what a record asks for"),
        }
    }
    panic!("{undo:?} does not come to an end");
}

#[test]
fn every_fault_that_is_allowed_is_undone_or_declared_impossible_beforehand() {
    for found in VMPowerState::ALL {
        for fault in every_fault() {
            let Some(now) = after(found, &fault) else { continue };
            let undo = undo_of(found, &fault);
            match undo.why_impossible() {
                None => assert_eq!(play(&undo, now).unwrap(), found, "{fault:?} on {found}"),
                Some(why) => {
                    assert!(!why.is_empty());
                    assert_eq!((found, now), (Suspended, PoweredOff), "only lost memory cannot be put back");
                    let error = undo.next_step(now).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidState);
                    assert!(error.to_string().contains(why), "{error}");
                }
            }
        }
    }
}

#[test]
fn the_table_of_allowed_operations() {
    let mut table = String::new();
    for fault in every_fault() {
        let cells = VMPowerState::ALL.map(|state| match check_power(&vm(state), &fault) {
            Ok(Need::Act) => "act".to_owned(),
            Ok(Need::Nothing) => "nothing".to_owned(),
            Err(error) => format!("refused: {error}"),
        });
        let word = match fault {
            Fault::PowerOff { suspended: SuspendedMemory::Discard, .. } => "power_off, discarding".to_owned(),
            other => other.operation().to_string(),
        };
        let row = format!(
            "{word}\n{}",
            VMPowerState::ALL
                .iter()
                .zip(cells)
                .fold(String::new(), |rows, (state, cell)| { format!("{rows}  {state}: {cell}\n") })
        );
        // How a VM is stopped makes no difference to whether it may be.
        if !table.contains(&row) {
            table.push_str(&row);
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_record_of_a_newer_format_is_refused_whatever_it_says() {
    for found in VMPowerState::ALL {
        let mut undo = undo_of(found, &Fault::power_on());
        undo.version = Undo::VERSION + 1;
        for now in VMPowerState::ALL {
            assert_eq!(undo.next_step(now).unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }
}

#[test]
fn an_unknown_state_is_never_acted_upon() {
    for fault in every_fault() {
        assert_eq!(after(Unknown, &fault), None);
        assert!(undo_of(Unknown, &fault).why_impossible().is_some());
        for found in [PoweredOn, PoweredOff] {
            assert_eq!(undo_of(found, &fault).next_step(Unknown).unwrap_err().kind(), ErrorKind::InvalidState);
        }
    }
}

proptest! {
    /// A run undoes the first record of a VM, whatever it did to the VM afterwards.
    #[test]
    fn the_first_record_undoes_any_series_of_faults(
        found in generate::state(),
        first in generate::fault(),
        rest in proptest::collection::vec(generate::fault(), 0..6),
    ) {
        // A fault that is refused leaves no record.
        prop_assume!(after(found, &first).is_some());
        let undo = undo_of(found, &first);
        let series = std::iter::once(&first).chain(&rest);
        let mut memory_lost = false;
        let now = series.fold(found, |now, fault| {
            let next = after(now, fault).unwrap_or(now);
            // What was in the memory when the record was made is gone once the VM was off.
            memory_lost |= next == PoweredOff;
            next
        });
        match play(&undo, now) {
            Ok(state) => prop_assert_eq!(state, found),
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidState);
                let excused = found == Unknown || (found == Suspended && memory_lost);
                prop_assert!(excused, "refused without need: {}", error);
            }
        }
    }
}
