//! One VM of the server in memory: its power state, its guest, and what will happen to it next.

use std::collections::VecDeque;
use std::time::Duration;

use chaos_core::{PlatformKind, ToolsStatus, VMInfo, VMPowerState};
use jiff::Timestamp;

use crate::estate::VmSpec;
use crate::memory::call::CallKind;
use crate::memory::estate::AskGuests;

/// How long the server takes for a power task.
const TASK: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) id: String,
    pub(super) spec: VmSpec,
    pub(super) power: VMPowerState,
    pub(super) unmanageable: Option<String>,
    pub(super) guest_up: bool,
    /// How often the guest has come up.
    pub(super) boots: u64,
    boot_time: Option<Timestamp>,
    /// Until when a power task runs, which admits no other.
    busy_until: Duration,
    coming: VecDeque<(Duration, Event)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Power(VMPowerState),
    GuestDown,
    GuestUp,
}

/// Why a machine did not take a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Another task is running. Nothing was done.
    Busy,
    /// The VM is in the wrong state for it.
    State(VMPowerState),
    /// The guest's agent does not answer.
    NoTools,
}

impl Machine {
    pub(super) fn new(id: String, spec: VmSpec, now: Timestamp) -> Self {
        let power = spec.power_state;
        Self {
            id,
            power,
            unmanageable: None,
            guest_up: power == VMPowerState::PoweredOn,
            boots: 0,
            boot_time: (power == VMPowerState::PoweredOn).then_some(now),
            busy_until: Duration::ZERO,
            coming: VecDeque::new(),
            spec,
        }
    }

    /// Lets happen what was due by `now`.
    pub(super) fn settle(&mut self, now: Duration, clock_time: Timestamp) {
        while let Some((_, event)) = self.coming.pop_front_if(|(at, _)| *at <= now) {
            match event {
                Event::Power(state) => {
                    self.power = state;
                    self.guest_up = false;
                    self.boot_time = (state == VMPowerState::PoweredOn).then_some(clock_time);
                }
                Event::GuestDown => self.guest_up = false,
                Event::GuestUp => {
                    self.guest_up = true;
                    self.boots += 1;
                }
            }
        }
    }

    /// When something happens next.
    pub(super) fn next_event(&self) -> Option<Duration> {
        self.coming.front().map(|(at, _)| *at)
    }

    /// Whether a power task is running.
    pub(super) fn is_busy(&self, now: Duration) -> bool {
        now < self.busy_until
    }

    /// Whether the guest can be asked to do something.
    pub(super) fn guest_listens(&self, asking: AskGuests) -> bool {
        match asking {
            AskGuests::ThroughAgent => self.tools() == ToolsStatus::Running,
            AskGuests::Always => self.guest_up,
            AskGuests::Never => false,
        }
    }

    /// Whether more is going to happen than that a guest comes up.
    pub(super) fn in_transition(&self) -> bool {
        self.coming.iter().any(|(_, event)| *event != Event::GuestUp)
    }

    /// Starts what a power call asks for.
    pub(super) fn start(&mut self, call: CallKind, now: Duration, asking: AskGuests) -> Result<(), Refusal> {
        use VMPowerState::{PoweredOff, PoweredOn, Suspended};

        if self.is_busy(now) {
            return Err(Refusal::Busy);
        }
        let fits = match call {
            CallKind::PowerOn => self.power != PoweredOn && !self.spec.template,
            CallKind::PowerOff => self.power != PoweredOff,
            CallKind::Reset | CallKind::Suspend | CallKind::GuestShutdown | CallKind::GuestReboot => {
                self.power == PoweredOn
            }
            CallKind::Login | CallKind::Logout | CallKind::List | CallKind::Read => true,
        };
        if !fits {
            return Err(Refusal::State(self.power));
        }
        let done = now + TASK;
        let guest = self.spec.guest;
        let coming = match call {
            CallKind::PowerOn => {
                let boot = if self.power == Suspended { Duration::ZERO } else { guest.boot };
                vec![(done, Event::Power(PoweredOn)), (done + boot, Event::GuestUp)]
            }
            CallKind::PowerOff => vec![(done, Event::Power(PoweredOff))],
            CallKind::Suspend => vec![(done, Event::Power(Suspended))],
            CallKind::Reset => vec![(done, Event::GuestDown), (done + guest.boot, Event::GuestUp)],
            CallKind::GuestShutdown | CallKind::GuestReboot => return self.ask_guest(call, now, asking),
            CallKind::Login | CallKind::Logout | CallKind::List | CallKind::Read => return Ok(()),
        };
        self.coming = coming.into();
        self.busy_until = done;
        Ok(())
    }

    fn ask_guest(&mut self, call: CallKind, now: Duration, asking: AskGuests) -> Result<(), Refusal> {
        if !self.guest_listens(asking) {
            return Err(Refusal::NoTools);
        }
        // A guest that is on its way down already is not impressed by being asked again.
        if self.spec.guest.hangs || self.in_transition() {
            return Ok(());
        }
        let down = now + self.spec.guest.shutdown;
        self.coming = if call == CallKind::GuestShutdown {
            [(down, Event::Power(VMPowerState::PoweredOff))].into()
        } else {
            [(down, Event::GuestDown), (down + self.spec.guest.boot, Event::GuestUp)].into()
        };
        Ok(())
    }

    fn tools(&self) -> ToolsStatus {
        match self.spec.guest.tools {
            ToolsStatus::Running if !self.guest_up => ToolsStatus::NotRunning,
            tools => tools,
        }
    }

    /// The VM as a client sees it.
    pub(super) fn info(&self, kind: &PlatformKind) -> VMInfo {
        let mut vm = VMInfo::new(&self.spec.name, &self.id, self.power, kind.clone());
        let mut place = vec!["", &self.spec.datacenter, "vm"];
        place.extend(self.spec.folders.iter().map(String::as_str));
        place.push(&self.spec.name);
        vm.host = Some(self.spec.host.clone());
        vm.datacenter = Some(self.spec.datacenter.clone());
        vm.cluster.clone_from(&self.spec.cluster);
        vm.cpu_count = Some(self.spec.cpu_count);
        vm.memory_mb = Some(self.spec.memory_mb);
        vm.guest_os = Some("Linux".to_owned());
        vm.tools_status = Some(self.tools());
        vm.path = Some(place.join("/"));
        vm.template = self.spec.template;
        vm.boot_time = self.boot_time;
        vm.unmanageable.clone_from(&self.unmanageable);
        vm
    }
}
