//! The power commands: what is done to which VMs by hand.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::{FormatArg, NOTATION, Selection, StateArgs};
use crate::duration;

/// What every power command takes.
#[derive(Debug, Args)]
pub(crate) struct PowerArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,

    /// How many VMs may be in transition at the same time
    #[arg(long, value_name = "N", default_value_t = chaos_core::DEFAULT_PARALLEL)]
    pub(crate) parallel: NonZeroUsize,

    /// Check everything and say what would be done, but do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do not ask about VMs that were chosen by a pattern, a filter or a selector
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) state: StateArgs,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// What the operations take that have one limit.
#[derive(Debug, Args)]
#[command(after_help = NOTATION)]
pub(crate) struct LimitedPower {
    #[command(flatten)]
    pub(crate) power: PowerArgs,

    /// How long the platform may take for each VM: seconds, or 30s, 5m
    #[arg(short, long, value_name = "TIME", default_value = "300", value_parser = duration::parse)]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
#[command(after_help = NOTATION)]
pub(crate) struct PowerOff {
    #[command(flatten)]
    pub(crate) power: PowerArgs,

    #[command(flatten)]
    pub(crate) stop: StopArgs,

    /// Power suspended VMs off too; what is in their memory is lost for good
    #[arg(long)]
    pub(crate) discard_suspended: bool,
}

#[derive(Debug, Args)]
#[command(after_help = NOTATION)]
pub(crate) struct Reboot {
    #[command(flatten)]
    pub(crate) power: PowerArgs,

    #[command(flatten)]
    pub(crate) stop: StopArgs,
}

/// How a running VM is brought down.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// Ask the guest, and do it the hard way if it does not in time (the default)
    #[arg(long, conflicts_with_all = ["graceful_only", "force"])]
    pub(crate) graceful: bool,

    /// Ask the guest, and fail if it does not in time; nothing hard ever happens
    #[arg(long, conflicts_with = "force")]
    pub(crate) graceful_only: bool,

    /// Do it the hard way at once: pull the plug, or reset
    #[arg(long)]
    pub(crate) force: bool,

    /// How long the guest may take, or with --force the whole call: seconds, or 30s, 5m
    #[arg(short, long, value_name = "TIME", default_value = "300", value_parser = duration::parse)]
    pub(crate) timeout: Duration,

    /// How long the hard way may take after a guest that did not do it
    #[arg(long, value_name = "TIME", default_value = "60", value_parser = duration::parse)]
    #[arg(conflicts_with_all = ["graceful_only", "force"])]
    pub(crate) hard_timeout: Duration,
}
