//! Whether a target that a dead run has sent something is still that run's to put back: a pure function of what is written
//! down and of what the VM is now.

use std::time::Duration;

use chaos_core::{CallResult, Fault, How, SentFault, TargetAccount, VMInfo, VMPowerState};
use jiff::{SignedDuration, Timestamp};

/// Two boot times that are nearer than this are one: servers round.
const SAME_BOOT: SignedDuration = SignedDuration::from_secs(1);
/// How much later than the answer of a power-on its boot time may be, where the answer did not tell it: the clock of the
/// server is another one.
const CLOCKS: SignedDuration = SignedDuration::from_mins(2);

/// What is to be done about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Assessment {
    /// It is as it was found.
    AsFound,
    /// It is as it was found, and a call that was sent may still change that for so long.
    MayChange(Duration),
    /// The run has changed it.
    Changed,
    /// Somebody else has changed it since, so it is not touched.
    Foreign(String),
    /// The run has changed it, and no way leads back.
    Impossible(String),
    /// Nobody can tell at the moment.
    Unclear(String),
}

/// Holds what is written down about a target against what it is now, at `at`. A call of which nobody knows how it ended
/// may take effect for as long as it was given, and for `settle` at least.
pub(super) fn assess(target: &TargetAccount, now: &VMInfo, at: Timestamp, settle: Duration) -> Assessment {
    let found = target.undo.found.power_state;
    let state = now.power_state;
    if state == VMPowerState::Unknown {
        return Assessment::Unclear(format!("its power state is not known (`{}`)", now.native_state));
    }
    if state == found {
        return as_found(target, now, at, settle);
    }
    if !calls(target).any(|call| leads_to(&call.fault, state)) {
        return Assessment::Foreign(format!(
            "it is {state}, which nothing that this run did leads to: somebody else has changed it"
        ));
    }
    if let Some(boot) = foreign_boot(target, now) {
        return Assessment::Foreign(format!("somebody else has started it since, at {boot:.0}, and it is {state} now"));
    }
    match target.undo.next_step(state) {
        Err(error) => Assessment::Impossible(error.message().to_owned()),
        Ok(_) => Assessment::Changed,
    }
}

fn as_found(target: &TargetAccount, now: &VMInfo, at: Timestamp, settle: Duration) -> Assessment {
    let found = target.undo.found.power_state;
    let unsettled = calls(target).filter(|call| !ended_well(call) && leads_away(&call.fault, found));
    if let Some(left) = unsettled.map(|call| time_left(call, at, settle)).max().filter(|left| !left.is_zero()) {
        return Assessment::MayChange(left);
    }
    if let Some(boot) = foreign_boot(target, now) {
        return Assessment::Foreign(format!(
            "it is {found} as it was found, and somebody else has started it, at {boot:.0}"
        ));
    }
    if let Some(SentFault { result: Some((_, CallResult::Ok(outcome))), .. }) = target.sent.last()
        && outcome.state != found
        && !target.undoing
    {
        return Assessment::Foreign(format!("it is {found} as it was found, and somebody else has put it back"));
    }
    Assessment::AsFound
}

/// How much longer a call may take effect. Never longer than from its begin, however the clock was set in between.
fn time_left(call: &SentFault, at: Timestamp, settle: Duration) -> Duration {
    let all = call.fault.limit().max(settle);
    let passed = Duration::try_from(at.duration_since(call.at)).unwrap_or_default();
    all.saturating_sub(passed)
}

/// The calls that may have changed something.
fn calls(target: &TargetAccount) -> impl Iterator<Item = &SentFault> {
    target
        .sent
        .iter()
        .filter(|call| !matches!(&call.result, Some((_, CallResult::Ok(outcome))) if outcome.how == How::AlreadyThere))
}

fn ended_well(call: &SentFault) -> bool {
    matches!(call.result, Some((_, CallResult::Ok(_))))
}

/// Whether a fault may leave a VM in `state`, at its end or where it broke off.
fn leads_to(fault: &Fault, state: VMPowerState) -> bool {
    match fault {
        Fault::PowerOn { .. } => state == VMPowerState::PoweredOn,
        Fault::PowerOff { .. } => state == VMPowerState::PoweredOff,
        Fault::Suspend { .. } => state == VMPowerState::Suspended,
        Fault::Reboot { .. } => matches!(state, VMPowerState::PoweredOn | VMPowerState::PoweredOff),
        // A fault that this version does not know may lead anywhere.
        _ => true,
    }
}

/// Whether a fault may leave a VM in another state than `state`. A restart may: its guest went down and stayed there.
fn leads_away(fault: &Fault, state: VMPowerState) -> bool {
    match fault {
        Fault::PowerOn { .. } | Fault::PowerOff { .. } | Fault::Suspend { .. } => !leads_to(fault, state),
        _ => true,
    }
}

/// When somebody else has started the VM, if the boot time tells so.
fn foreign_boot(target: &TargetAccount, now: &VMInfo) -> Option<Timestamp> {
    let boot = now.boot_time?;
    let booting = || calls(target).filter(|call| matches!(call.fault, Fault::PowerOn { .. } | Fault::Reboot { .. }));
    let open_end = target.undoing || booting().any(|call| !ended_well(call));
    if open_end {
        return None;
    }
    let known = target.boot_time;
    // Its boot time was known, or the answer to a power-on of ours bounds it.
    let told = booting().filter_map(|call| match &call.result {
        Some((at, CallResult::Ok(outcome))) if outcome.boot_time.is_none() => at.saturating_add(CLOCKS).ok(),
        _ => None,
    });
    let latest = known.into_iter().map(|known| known.saturating_add(SAME_BOOT).unwrap_or(known)).chain(told).max()?;
    (boot > latest).then_some(boot)
}
