//! What a power operation means in each power state, the same on every platform.

use crate::error::{Error, ErrorKind};
use crate::fault::{Fault, SuspendedMemory};
use crate::vm::{VMInfo, VMPowerState};

/// What is to be done with a VM that was just read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It is in the wanted state: nothing.
    Nothing,
    /// The operation has to be sent.
    Act,
}

/// Says whether `fault` can be applied to `vm` as it was just read, and whether anything has to be done at all.
///
/// | operation | `powered_on` | `powered_off` | `suspended` |
/// |---|---|---|---|
/// | power on | nothing to do | act | act (resumes) |
/// | power off | act | nothing to do | refused, or act with [`SuspendedMemory::Discard`] |
/// | reboot | act | refused | refused |
/// | suspend | act | refused | nothing to do |
///
/// # Errors
/// [`ErrorKind::InvalidState`] for the refused cells, for templates, for VMs that cannot be managed, and where the
/// power state is not known.
pub fn check_power(vm: &VMInfo, fault: &Fault) -> Result<Need, Error> {
    use VMPowerState::{PoweredOff, PoweredOn, Suspended, Unknown};

    let refuse = |why: String| {
        Error::new(ErrorKind::InvalidState, why)
            .platform(vm.platform.clone())
            .vm(vm.display_path())
            .operation(fault.operation().words())
    };
    if vm.template {
        return Err(refuse("is a template, which has no power state to change".to_owned()));
    }
    if let Some(reason) = &vm.unmanageable {
        return Err(refuse(format!("cannot be managed: {reason}")));
    }
    match (fault, vm.power_state) {
        (_, Unknown) => Err(refuse(format!("its power state is not known (`{}`)", vm.native_state))),
        (Fault::PowerOn { .. }, PoweredOn)
        | (Fault::PowerOff { .. }, PoweredOff)
        | (Fault::Suspend { .. }, Suspended) => Ok(Need::Nothing),
        (Fault::PowerOff { suspended: SuspendedMemory::Keep, .. }, Suspended) => Err(refuse(
            "is suspended and powering it off would lose its memory for good: \
             power it on first, or say that the memory may be discarded"
                .to_owned(),
        )),
        (Fault::PowerOn { .. }, PoweredOff | Suspended)
        | (Fault::PowerOff { .. }, PoweredOn | Suspended)
        | (Fault::Reboot { .. } | Fault::Suspend { .. }, PoweredOn) => Ok(Need::Act),
        (Fault::Reboot { .. }, state @ (PoweredOff | Suspended)) => {
            Err(refuse(format!("is {state} and cannot be rebooted: power it on instead")))
        }
        (Fault::Suspend { .. }, PoweredOff) => Err(refuse("is powered_off and cannot be suspended".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Stop;
    use crate::kind::PlatformKind;

    fn vm(state: VMPowerState) -> VMInfo {
        VMInfo::new("web-01", "vm-1", state, PlatformKind::VSPHERE)
    }

    #[test]
    fn powering_off_a_suspended_vm_needs_the_explicit_word() {
        let keep = Fault::power_off(Stop::hard());
        let error = check_power(&vm(VMPowerState::Suspended), &keep).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidState);
        let discard = Fault::PowerOff { stop: Stop::hard(), suspended: SuspendedMemory::Discard };
        assert_eq!(check_power(&vm(VMPowerState::Suspended), &discard).unwrap(), Need::Act);
    }

    #[test]
    fn a_vm_that_is_off_is_not_powered_on_by_a_reboot() {
        let error = check_power(&vm(VMPowerState::PoweredOff), &Fault::reboot(Stop::graceful())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidState);
    }

    #[test]
    fn templates_unmanageable_vms_and_unknown_states_are_refused() {
        let mut template = vm(VMPowerState::PoweredOff);
        template.template = true;
        let mut lost = vm(VMPowerState::PoweredOn);
        lost.unmanageable = Some("its host is disconnected".into());
        for vm in [template, lost, vm(VMPowerState::Unknown)] {
            for fault in
                [Fault::power_on(), Fault::power_off(Stop::hard()), Fault::suspend(), Fault::reboot(Stop::hard())]
            {
                assert_eq!(check_power(&vm, &fault).unwrap_err().kind(), ErrorKind::InvalidState);
            }
        }
    }
}
