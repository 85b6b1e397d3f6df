//! The progress of a power command as one bar with the last thing that happened.

use std::collections::BTreeSet;
use std::sync::Mutex;

use chaos_core::{Operation, Progress, ProgressSink, ProgressStep, VMPowerState, VMRef};
use indicatif::ProgressBar;

use crate::output::printable;

/// A bar over the VMs of one operation.
#[derive(Debug)]
pub(crate) struct Bar {
    shown: ProgressBar,
    operation: Operation,
    done: Mutex<BTreeSet<VMRef>>,
}

impl Bar {
    pub(crate) fn new(bar: ProgressBar, operation: Operation) -> Self {
        Self { shown: bar, operation, done: Mutex::default() }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.shown.finish_and_clear();
    }

    /// Whether `step` is the last one of the operation.
    fn is_goal(&self, step: &ProgressStep) -> bool {
        match (self.operation, step) {
            (Operation::PowerOn, ProgressStep::State(state)) => *state == VMPowerState::PoweredOn,
            (Operation::PowerOff, ProgressStep::State(state)) => *state == VMPowerState::PoweredOff,
            (Operation::Suspend, ProgressStep::State(state)) => *state == VMPowerState::Suspended,
            (Operation::Reboot, ProgressStep::GuestUp) => true,
            _ => false,
        }
    }
}

impl ProgressSink for Bar {
    fn report(&self, progress: Progress) {
        if self.is_goal(&progress.step)
            && let Ok(mut done) = self.done.lock()
            && done.insert(progress.vm.clone())
        {
            self.shown.inc(1);
        }
        self.shown.set_message(format!("{}: {}", printable(&progress.name), words(&progress.step)));
    }
}

fn words(step: &ProgressStep) -> String {
    match step {
        ProgressStep::GuestAsked => "the guest was asked".to_owned(),
        ProgressStep::FallingBack => "the guest did not do it, the hard way follows".to_owned(),
        ProgressStep::Accepted => "accepted".to_owned(),
        ProgressStep::Percent(percent) => format!("{percent} %"),
        ProgressStep::State(state) => format!("is {state}"),
        ProgressStep::Question(question) => format!("waits for an answer: {}", printable(question)),
        ProgressStep::GuestDown => "the guest went down".to_owned(),
        ProgressStep::GuestUp => "the guest is up again".to_owned(),
        // Steps may be added to the vocabulary; an unknown one is progress all the same.
        _ => "working".to_owned(),
    }
}
