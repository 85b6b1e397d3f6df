//! Probes: what is looked at, and what that says about it.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, ToolsStatus, VMInfo, VMPowerState};
use serde_json::Value;

use crate::native::Function;
use crate::resolve::On;

/// How long a look may take where the activity has no limit of its own.
const LOOK_LIMIT: Duration = Duration::from_mins(2);

/// What is said of several VMs that are not in the same state.
const MIXED: &str = "mixed";
/// How many VMs are named that are not in the state that most are in.
const NAMED: usize = 10;

/// What a probe returns, and in words what lies behind it.
pub(super) struct Seen {
    pub(super) value: Value,
    pub(super) detail: Option<String>,
}

/// Reads the VMs of a probe as they are now.
pub(super) async fn look(cx: &Context, function: Function, on: &On) -> Result<Seen, Error> {
    let cx = cx.limit(LOOK_LIMIT);
    let refs = on.refs();
    let states = cx.bounded("reading the state of VMs", on.platform.get(&cx, &refs)).await?;
    let mut details = Vec::new();
    let mut powers = Vec::new();
    let mut last: Option<VMInfo> = None;
    for (vm, state) in on.vms.iter().zip(states) {
        match (state, function) {
            (Ok(now), _) => {
                details.extend(unfit(&now, function));
                powers.push(now.power_state);
                last = Some(now);
            }
            (
                Err(error),
                Function::Exists | Function::IsManageable | Function::BatchIsManageable | Function::GroupPoweredOn,
            ) if error.kind() == ErrorKind::NotFound => {
                details.push(format!("{} is not there any more", vm.display_path()));
            }
            (Err(error), _) => return Err(error.vm(vm.display_path())),
        }
    }
    let value = match function {
        Function::ToolsState => last.and_then(|vm| vm.tools_status).unwrap_or(ToolsStatus::Unknown).as_str().into(),
        Function::BootTime => {
            let booted = last.and_then(|vm| vm.boot_time).ok_or_else(|| {
                Error::new(ErrorKind::InvalidState, "the platform does not say when it was powered on")
            })?;
            cx.now().duration_since(booted).as_secs().max(0).into()
        }
        Function::PowerState | Function::BatchPowerState => {
            if powers.len() != on.vms.len() {
                return Err(Error::new(ErrorKind::Protocol, "the platform answered for another number of VMs"));
            }
            let odd = out_of_line(&on.vms, &powers);
            let common = powers.first().filter(|_| odd.is_empty()).map_or(MIXED, |power| power.as_str());
            details.extend(odd);
            common.into()
        }
        _ => (details.is_empty() && powers.len() == on.vms.len()).into(),
    };
    let detail = (!details.is_empty()).then(|| details.join(", "));
    Ok(Seen { value, detail })
}

/// How many of these VMs are there still, in the state if one is given.
pub(super) async fn count(cx: &Context, on: &On, state: Option<VMPowerState>) -> Result<u64, Error> {
    let cx = cx.limit(LOOK_LIMIT);
    if on.vms.is_empty() {
        return Ok(0);
    }
    let states = cx.bounded("reading the state of VMs", on.platform.get(&cx, &on.refs())).await?;
    let mut number = 0;
    for (vm, now) in on.vms.iter().zip(states) {
        match now {
            Ok(now) if state.is_none_or(|state| now.power_state == state) => number += 1,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.vm(vm.display_path())),
        }
    }
    Ok(number)
}

/// The VMs that are in another state than most, a few of them by name, and what most are in; nothing if all are alike.
fn out_of_line(vms: &[VMInfo], powers: &[VMPowerState]) -> Vec<String> {
    let how_many = |power: &VMPowerState| powers.iter().filter(|other| *other == power).count();
    let Some(most) = powers.iter().max_by_key(|power| how_many(power)) else { return Vec::new() };
    let odd: Vec<String> = vms
        .iter()
        .zip(powers)
        .filter(|(_, power)| *power != most)
        .map(|(vm, power)| format!("{} is {power}", vm.display_path()))
        .collect();
    if odd.is_empty() {
        return odd;
    }
    let more = odd.len().saturating_sub(NAMED);
    let rest = powers.len() - odd.len();
    let more = (more > 0).then(|| format!("and {more} more"));
    let rest = if rest == 1 { format!("the other is {most}") } else { format!("the other {rest} are {most}") };
    odd.into_iter().take(NAMED).chain(more).chain([rest]).collect()
}

/// Why a VM that is there is not what the function asks for.
fn unfit(vm: &VMInfo, function: Function) -> Option<String> {
    let name = vm.display_path();
    match function {
        Function::IsManageable | Function::BatchIsManageable => {
            let why = vm.unmanageable.clone().or_else(|| vm.template.then(|| "it is a template".to_owned()));
            let unknown = || (vm.power_state == VMPowerState::Unknown).then(|| "its state is not known".to_owned());
            why.or_else(unknown).map(|why| format!("{name} cannot be managed: {why}"))
        }
        Function::GroupPoweredOn => {
            (vm.power_state != VMPowerState::PoweredOn).then(|| format!("{name} is {}", vm.power_state))
        }
        Function::PowerOff
        | Function::PowerOn
        | Function::Reboot
        | Function::Suspend
        | Function::BatchPowerOff
        | Function::Restore
        | Function::Exists
        | Function::PowerState
        | Function::BatchPowerState
        | Function::ToolsState
        | Function::BootTime
        | Function::Count => None,
    }
}
