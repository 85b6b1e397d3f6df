//! What a power command would do to a VM, as it was just read.

use chaos_core::{Error, Need, Operation, PlatformKind, VMInfo, VMPowerState};
use serde::Serialize;

use crate::output::{PowerRow, printable};

/// One VM of a power command before anything is done. Serialised with the fields of a power report.
#[derive(Debug, Serialize)]
pub(super) struct Planned {
    vm: String,
    id: String,
    path: Option<String>,
    platform: PlatformKind,
    operation: Operation,
    outcome: Option<PlannedOutcome>,
    previous_state: VMPowerState,
    state: Option<VMPowerState>,
    duration_seconds: Option<f64>,
    error: Option<String>,
}

/// What would happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum PlannedOutcome {
    /// The operation would be sent.
    Planned,
    /// Nothing would be done.
    AlreadyThere,
}

impl Planned {
    /// What `check` means for `vm`.
    pub(super) fn new(vm: &VMInfo, operation: Operation, check: Result<Need, Error>) -> Self {
        let (outcome, error) = match check {
            Ok(Need::Act) => (Some(PlannedOutcome::Planned), None),
            Ok(Need::Nothing) => (Some(PlannedOutcome::AlreadyThere), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self {
            vm: vm.name.clone(),
            id: vm.id.clone(),
            path: vm.path.clone(),
            platform: vm.platform.clone(),
            operation,
            outcome,
            previous_state: vm.power_state,
            state: None,
            duration_seconds: None,
            error,
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn refusal(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether it is refused because the memory of a suspended VM would be lost.
    pub(super) fn would_lose_memory(&self) -> bool {
        self.is_refused() && self.operation == Operation::PowerOff && self.previous_state == VMPowerState::Suspended
    }

    pub(super) fn display_path(&self) -> &str {
        self.path.as_deref().unwrap_or(&self.vm)
    }

    pub(super) fn previous_state(&self) -> VMPowerState {
        self.previous_state
    }
}

impl PowerRow for Planned {
    fn cells(&self) -> [String; 6] {
        let outcome = match self.outcome {
            Some(PlannedOutcome::Planned) => format!("would {}", self.operation.words()),
            Some(PlannedOutcome::AlreadyThere) => "already there".to_owned(),
            None => "refused".to_owned(),
        };
        [
            printable(self.display_path()).into_owned(),
            outcome,
            self.previous_state.to_string(),
            "-".to_owned(),
            "-".to_owned(),
            printable(self.refusal().unwrap_or_default()).into_owned(),
        ]
    }
}
