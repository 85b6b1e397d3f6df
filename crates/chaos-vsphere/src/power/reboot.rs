//! When is a guest's restart over? A pure state machine: it is over when the guest was seen going down and coming up again.
//!
//! `RebootGuest` returns at once and gives no task, and a guest that has not begun yet looks exactly like one that is up again.
//! So nothing counts as "up" before a sign of "down" (vSphere Web Services API: `VirtualMachine.RebootGuest`, `GuestInfo`).

use chaos_core::VMPowerState;
use jiff::Timestamp;

use crate::vim::VmState;

/// How far a restart is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The guest was asked and shows no reaction.
    Asked,
    /// It was seen going down.
    Down,
    /// It was seen coming up after that.
    Up,
}

/// Follows one restart.
#[derive(Debug)]
pub(super) struct Restart {
    boot_time: Option<Timestamp>,
    phase: Phase,
}

impl Restart {
    /// Begins with what the VM was like just before its guest was asked.
    pub(super) fn asked(before: &VmState) -> Self {
        Self { boot_time: before.boot_time, phase: Phase::Asked }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes the next state of the VM into account and says how far the restart is now.
    pub(super) fn observe(&mut self, now: &VmState) -> Phase {
        // What is shown of a VM whose host cannot be reached is old or empty: no sign of anything.
        if is_reachable(now) {
            if self.phase == Phase::Asked && (shows_down(now) || self.was_power_cycled(now)) {
                self.phase = Phase::Down;
            }
            if self.phase == Phase::Down && shows_up(now) {
                self.phase = Phase::Up;
            }
        }
        self.phase
    }

    /// A VM that is set to power-cycle when its guest restarts (`vmx.reboot.PowerCycle`) may do so between two updates: then
    /// only its boot time tells. It is unset while the VM is off, which says nothing by itself.
    fn was_power_cycled(&self, now: &VmState) -> bool {
        now.boot_time.is_some() && now.boot_time != self.boot_time && self.boot_time.is_some()
    }
}

fn is_reachable(vm: &VmState) -> bool {
    vm.connection_state.as_deref().is_none_or(|state| state == "connected")
}

fn shows_down(vm: &VmState) -> bool {
    vm.power() != VMPowerState::PoweredOn
        || matches!(vm.guest_state.as_deref(), Some("resetting" | "notrunning"))
        || vm.tools_running_status.as_deref() == Some("guestToolsNotRunning")
        || vm.state_change_supported == Some(false)
}

/// Old servers do not say whether the guest takes power operations: there, running Tools have to do.
fn shows_up(vm: &VmState) -> bool {
    !shows_down(vm) && vm.tools_running() && vm.guest_state.as_deref() != Some("shuttingdown")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn up() -> VmState {
        VmState {
            power_state: Some("poweredOn".into()),
            connection_state: Some("connected".into()),
            tools_running_status: Some("guestToolsRunning".into()),
            state_change_supported: Some(true),
            guest_state: Some("running".into()),
            boot_time: Some(Timestamp::UNIX_EPOCH),
            ..VmState::default()
        }
    }

    fn with(change: impl FnOnce(&mut VmState)) -> VmState {
        let mut state = up();
        change(&mut state);
        state
    }

    fn tools(word: &str) -> VmState {
        with(|vm| {
            vm.tools_running_status = Some(word.into());
            vm.state_change_supported = Some(word == "guestToolsRunning");
        })
    }

    fn phases(states: &[VmState]) -> Vec<Phase> {
        let mut restart = Restart::asked(&up());
        states.iter().map(|state| restart.observe(state)).collect()
    }

    #[test]
    fn up_without_down_is_a_guest_that_has_not_begun() {
        assert_eq!(phases(&[up(), up()]), [Phase::Asked, Phase::Asked]);
    }

    #[test]
    fn a_restart_is_over_when_the_guest_takes_orders_again() {
        let states = [
            with(|vm| vm.guest_state = Some("resetting".into())),
            tools("guestToolsNotRunning"),
            tools("guestToolsExecutingScripts"),
            with(|vm| vm.state_change_supported = Some(false)),
            up(),
        ];
        assert_eq!(phases(&states), [Phase::Down, Phase::Down, Phase::Down, Phase::Down, Phase::Up]);
    }

    #[test]
    fn the_first_sign_of_going_down_is_not_also_the_return() {
        // `resetting` comes while Tools still run; another property that changes then must not end it.
        let resetting = with(|vm| vm.guest_state = Some("resetting".into()));
        assert_eq!(phases(&[resetting.clone(), resetting]), [Phase::Down, Phase::Down]);
    }

    #[test]
    fn a_power_cycle_on_restart_is_a_restart() {
        let off = with(|vm| {
            vm.power_state = Some("poweredOff".into());
            vm.tools_running_status = Some("guestToolsNotRunning".into());
            vm.boot_time = None;
        });
        assert_eq!(phases(&[off, up()]), [Phase::Down, Phase::Up]);
        let missed = with(|vm| vm.boot_time = Some(Timestamp::from_second(60).unwrap()));
        assert_eq!(phases(&[missed]), [Phase::Up]);
    }

    #[test]
    fn servers_that_do_not_say_whether_the_guest_is_ready_are_taken_by_their_tools() {
        let old = |word: &str| {
            with(|vm| {
                vm.tools_running_status = Some(word.into());
                vm.state_change_supported = None;
                vm.guest_state = None;
            })
        };
        assert_eq!(phases(&[old("guestToolsNotRunning"), old("guestToolsRunning")]), [Phase::Down, Phase::Up]);
    }

    #[test]
    fn an_unreachable_host_proves_nothing() {
        let lost = with(|vm| {
            vm.connection_state = Some("disconnected".into());
            vm.tools_running_status = Some("guestToolsNotRunning".into());
        });
        assert_eq!(phases(&[lost, up()]), [Phase::Asked, Phase::Asked]);
    }

    fn any_state() -> impl Strategy<Value = VmState> {
        let power = prop::sample::select(vec!["poweredOn", "poweredOff", "suspended"]);
        let connection = prop::sample::select(vec!["connected", "disconnected"]);
        let tools = prop::sample::select(vec![
            None,
            Some("guestToolsRunning"),
            Some("guestToolsNotRunning"),
            Some("guestToolsExecutingScripts"),
        ]);
        let guest = prop::sample::select(vec![
            None,
            Some("running"),
            Some("shuttingdown"),
            Some("resetting"),
            Some("notrunning"),
            Some("unknown"),
        ]);
        let ready = prop::sample::select(vec![None, Some(true), Some(false)]);
        let boot = prop::sample::select(vec![None, Some(0), Some(60)]);
        (power, connection, tools, guest, ready, boot).prop_map(|(power, connection, tools, guest, ready, boot)| {
            VmState {
                power_state: Some(power.into()),
                connection_state: Some(connection.into()),
                tools_running_status: tools.map(Into::into),
                guest_state: guest.map(Into::into),
                state_change_supported: ready,
                boot_time: boot.map(|second| Timestamp::from_second(second).unwrap()),
                ..VmState::default()
            }
        })
    }

    proptest! {
        #[test]
        fn up_is_only_ever_reached_after_a_sign_of_down_and_with_a_guest_that_is_up(
            states in prop::collection::vec(any_state(), 0..12),
        ) {
            let mut restart = Restart::asked(&up());
            let (mut before, mut down_seen) = (Phase::Asked, false);
            for state in &states {
                let connected = state.connection_state.as_deref() == Some("connected");
                let cycled = state.boot_time.is_some_and(|time| time != Timestamp::UNIX_EPOCH);
                down_seen |= connected && (shows_down(state) || cycled);
                let phase = restart.observe(state);
                prop_assert!(phase >= before, "a restart never goes back");
                prop_assert_eq!(phase > Phase::Asked, down_seen);
                if phase == Phase::Up && before != Phase::Up {
                    prop_assert!(down_seen && connected);
                    prop_assert_eq!(state.power(), VMPowerState::PoweredOn);
                    prop_assert!(state.tools_running());
                    prop_assert_ne!(state.state_change_supported, Some(false));
                }
                before = phase;
            }
        }
    }
}
