//! `policy`: what faults may be sent.

use chaos_core::{Fault, Stop, TargetPattern};
use clap::{Args, Subcommand, ValueEnum};

use super::{FormatArg, PlatformArg, StateArgs, target};

pub(crate) const POLICY: &str = "\
Rules are a list in the settings, `chaos.policy`; those of all settings files count together:
  protect FILTER                     these VMs are never hit
  protect own                        neither this machine nor those of the servers: the default
  only FILTER                        no other VMs may be hit
  at most N | P% [of FILTER | of each host | cluster | datacenter]
                                     so many VMs in a fault at the same time
  keep N | P% of FILTER              so many VMs stay up
  window DAYS FROM-TO ZONE [or …]    at these times only: window mon-fri 09:00-17:00 Europe/Berlin
  freeze FROM..TO ZONE               not on these days: freeze 2026-12-20..2027-01-06 Europe/Berlin
  freeze calendar FILE [in ZONE]     not at the times of an iCalendar file: freeze calendar holidays.ics
  cool-down TIME                     so long after a VM was hit it is left alone: cool-down 30m
What puts something back is never refused.";

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Say which rules there are, and whether any fault may be sent now. Connects to nothing
    #[command(after_help = POLICY)]
    Check(PolicyCheck),
    /// Say of VMs what each rule has to say, as they are now. Changes nothing
    #[command(after_help = POLICY)]
    Explain(PolicyExplain),
}

#[derive(Debug, Args)]
pub(crate) struct PolicyCheck {
    #[command(flatten)]
    pub(crate) state: StateArgs,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyExplain {
    /// The VMs, which are taken to be hit together
    #[arg(value_name = "VM", required = true, value_parser = target)]
    pub(crate) vms: Vec<TargetPattern>,

    #[command(flatten)]
    pub(crate) platform: PlatformArg,

    /// What would be done to them
    #[arg(long, value_enum, default_value_t, value_name = "FAULT")]
    pub(crate) fault: FaultName,

    #[command(flatten)]
    pub(crate) state: StateArgs,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// A fault by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FaultName {
    #[default]
    PowerOff,
    Reboot,
    Suspend,
    PowerOn,
}

impl From<FaultName> for Fault {
    fn from(name: FaultName) -> Self {
        match name {
            FaultName::PowerOff => Self::power_off(Stop::graceful()),
            FaultName::Reboot => Self::reboot(Stop::graceful()),
            FaultName::Suspend => Self::suspend(),
            FaultName::PowerOn => Self::power_on(),
        }
    }
}
