//! A platform of one's own: machines in the racks of a lab, on power strips that can be switched.
//!
//! [`Lab`] is the world, here a table in this process; a real one is behind a protocol. [`LabPlatform`] is all that has
//! to be written for it. The tests at the end put it through the conformance suite; docs/adding-a-platform.md explains
//! the parts.
//!
//! ```text
//! cargo run -p chaos-examples --example custom_platform
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{
    Capabilities, Context, Discovery, Error, ErrorKind, Fault, How, Need, Operation, Outcome, Platform, PlatformExt,
    PlatformIdentity, PlatformKind, Retry, Selector, SharedClock, Stop, Target, Undo, VMInfo, VMPowerState, VMRef,
    check_power,
};

/// How long a power strip takes to switch.
const SWITCHING: Duration = Duration::from_millis(100);
/// How long the client waits between two looks at a machine.
const LOOK: Duration = Duration::from_millis(20);

/// The lab. Clones are the same lab.
#[derive(Debug, Clone)]
struct Lab {
    clock: SharedClock,
    machines: Arc<Mutex<Vec<Machine>>>,
}

/// A machine of the lab.
#[derive(Debug, Clone)]
struct Machine {
    id: String,
    name: String,
    room: String,
    row: Option<String>,
    rack: String,
    cpus: u32,
    memory_mb: u64,
    is_on: bool,
    /// How often it was switched on.
    starts: u64,
    /// What was ordered last and has not happened yet, and when it will.
    coming: Option<(Duration, Order)>,
    /// All that was ever ordered.
    orders: Vec<Order>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    On,
    Off,
    /// Off and on again.
    Cycle,
}

impl Machine {
    fn new(name: &str, room: &str) -> Self {
        Self {
            id: String::new(),
            name: name.to_owned(),
            room: room.to_owned(),
            row: None,
            rack: "rack-0".to_owned(),
            cpus: 4,
            memory_mb: 8192,
            is_on: true,
            starts: 0,
            coming: None,
            orders: Vec::new(),
        }
    }
}

impl Lab {
    fn new(clock: SharedClock) -> Self {
        Self { clock, machines: Arc::default() }
    }

    /// Puts a machine into the lab and tells its id.
    fn add(&self, machine: Machine) -> String {
        self.with(|machines| {
            let id = format!("machine-{}", machines.len() + 1);
            machines.push(Machine { id: id.clone(), ..machine });
            id
        })
    }

    fn machine(&self, id: &str) -> Option<Machine> {
        self.with(|machines| machines.iter().find(|machine| machine.id == id).cloned())
    }

    /// Orders a switch, which takes its time; none if there is no such machine.
    fn order(&self, id: &str, order: Order) -> Option<()> {
        let done = self.clock.monotonic() + SWITCHING;
        self.with(|machines| {
            let machine = machines.iter_mut().find(|machine| machine.id == id)?;
            machine.orders.push(order);
            machine.coming = Some((done, order));
            Some(())
        })
    }

    /// The machines, to which all that was due has happened.
    fn with<T>(&self, use_them: impl FnOnce(&mut Vec<Machine>) -> T) -> T {
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        for machine in machines.iter_mut() {
            if let Some((_, order)) = machine.coming.take_if(|(at, _)| *at <= now) {
                machine.is_on = order != Order::Off;
                machine.starts += u64::from(machine.is_on);
            }
        }
        use_them(&mut machines)
    }
}

/// The platform: a client of one lab.
#[derive(Debug)]
struct LabPlatform {
    lab: Lab,
    identity: PlatformIdentity,
    is_closed: AtomicBool,
}

impl LabPlatform {
    /// A client of `lab`, whose VMs are to be found again through the settings entry `entry`.
    fn connect(lab: &Lab, entry: &str) -> Result<Self, Error> {
        let identity = PlatformIdentity {
            kind: PlatformKind::new("lab")?,
            entry: entry.to_owned(),
            instance: "lab-of-this-process".to_owned(),
            description: "the lab in this process".to_owned(),
        };
        Ok(Self { lab: lab.clone(), identity, is_closed: AtomicBool::new(false) })
    }

    /// Before every call to the lab: is it still wanted, and may it still be made?
    fn check(&self, cx: &Context, doing: &str) -> Result<(), Error> {
        if self.is_closed.load(Ordering::SeqCst) {
            let error = Error::new(ErrorKind::Unavailable, "the platform was disconnected").retry(Retry::Never);
            return Err(error.platform(self.identity.kind.clone()));
        }
        cx.check(doing)
    }

    fn read(&self, cx: &Context, vm: &VMRef) -> Result<Machine, Error> {
        self.check(cx, "reading a machine")?;
        let found = if vm.is_on(&self.identity) { self.lab.machine(&vm.id) } else { None };
        found.ok_or_else(|| Error::not_found(vm).platform(self.identity.kind.clone()))
    }

    /// A machine in the words of every platform. What is not known stays empty.
    fn info(&self, machine: &Machine) -> VMInfo {
        let mut vm = VMInfo::new(&machine.name, &machine.id, state(machine), self.identity.kind.clone());
        if machine.is_on { "on" } else { "off" }.clone_into(&mut vm.native_state);
        vm.datacenter = Some(machine.room.clone());
        vm.cluster.clone_from(&machine.row);
        vm.host = Some(machine.rack.clone());
        vm.cpu_count = Some(machine.cpus);
        vm.memory_mb = Some(machine.memory_mb);
        vm.guest_os = Some("Linux".to_owned());
        vm.path = Some(format!("/{}/{}", machine.room, machine.name));
        vm
    }

    /// The machine as it is now, and whether there is anything to do.
    fn begin(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<(Machine, Need), Error> {
        let vm = self.vm_of(target)?;
        let operation = fault.operation();
        let machine = self.read(cx, vm)?;
        if !self.capabilities().supports(operation) {
            return Err(Error::unsupported(&self.identity.kind, operation.words()).vm(&machine.name));
        }
        let need = check_power(&self.info(&machine), fault)?;
        Ok((machine, need))
    }

    fn vm_of<'t>(&self, target: &'t Target) -> Result<&'t VMRef, Error> {
        target.vm().ok_or_else(|| Error::unsupported(&self.identity.kind, "faults on anything but VMs"))
    }

    /// Orders what `fault` says, once, and looks until it has happened.
    async fn act(&self, cx: &Context, vm: &VMRef, before: &Machine, fault: &Fault) -> Result<(How, Machine), Error> {
        let (order, how, limit) = match *fault {
            Fault::PowerOn { limit } => (Order::On, How::PoweredOn, limit),
            Fault::PowerOff { stop, .. } => {
                let (how, limit) = without_guest(stop, How::HardPowerOff, How::HardWithoutTools)?;
                (Order::Off, how, limit)
            }
            Fault::Reboot { stop } => {
                let (how, limit) = without_guest(stop, How::Reset, How::ResetWithoutTools)?;
                (Order::Cycle, how, limit)
            }
            // Whatever is no capability was refused before.
            _ => return Err(Error::unsupported(&self.identity.kind, fault.operation().words())),
        };
        let cx = cx.limit(limit);
        self.check(&cx, "ordering a switch")?;
        self.lab.order(&vm.id, order).ok_or_else(|| Error::not_found(vm))?;
        // The order cannot be taken back: from here on, who stops waiting does not know what becomes of it.
        let unsettled = |error: Error| error.retry(Retry::Unsettled);
        loop {
            let machine = self.read(&cx, vm).map_err(unsettled)?;
            let is_done = match order {
                Order::On => machine.is_on,
                Order::Off => !machine.is_on,
                Order::Cycle => machine.starts > before.starts,
            };
            if is_done {
                return Ok((how, machine));
            }
            cx.pause("waiting for the power strip", LOOK).await.map_err(unsettled)?;
        }
    }
}

fn state(machine: &Machine) -> VMPowerState {
    if machine.is_on { VMPowerState::PoweredOn } else { VMPowerState::PoweredOff }
}

/// A power strip asks no guest: only where the hard way is allowed it is taken, and then the outcome says why.
fn without_guest(stop: Stop, asked: How, instead: How) -> Result<(How, Duration), Error> {
    match stop {
        Stop::Hard { limit } => Ok((asked, limit)),
        Stop::GuestThenHard { hard, .. } => Ok((instead, hard)),
        Stop::GuestOnly { .. } => {
            Err(Error::new(ErrorKind::InvalidState, "has no guest that could be asked: allow the hard way"))
        }
    }
}

#[async_trait]
impl Platform for LabPlatform {
    fn identity(&self) -> &PlatformIdentity {
        &self.identity
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new([Operation::PowerOn, Operation::PowerOff, Operation::Reboot])
    }

    async fn discover(&self, cx: &Context, selector: &Selector) -> Result<Discovery, Error> {
        self.check(cx, "listing the machines")?;
        let vms = self.lab.with(|machines| machines.iter().map(|machine| self.info(machine)).collect());
        Ok(Discovery::new(vms, Vec::new(), selector))
    }

    async fn get(&self, cx: &Context, vms: &[VMRef]) -> Vec<Result<VMInfo, Error>> {
        vms.iter().map(|vm| Ok(self.info(&self.read(cx, vm)?))).collect()
    }

    async fn prepare(&self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        let one = |target: &Target| {
            let (machine, _) = self.begin(cx, target, fault)?;
            Ok(Undo::of_power(target.clone(), &self.info(&machine), fault, cx.now()))
        };
        targets.iter().map(one).collect()
    }

    async fn apply(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error> {
        let start = cx.monotonic();
        let (before, need) = self.begin(cx, target, fault)?;
        let (how, after) = match need {
            Need::Nothing => (How::AlreadyThere, before.clone()),
            Need::Act => self.act(cx, self.vm_of(target)?, &before, fault).await.map_err(|error| {
                error.platform(self.identity.kind.clone()).vm(&before.name).operation(fault.operation().words())
            })?,
        };
        Ok(Outcome::new(how, state(&before), state(&after), cx.monotonic().saturating_sub(start)))
    }

    async fn undo(&self, cx: &Context, undo: &Undo) -> Result<Outcome, Error> {
        let now = state(&self.read(cx, self.vm_of(&undo.target)?)?);
        let outcome = match undo.next_step(now)? {
            None => Outcome::new(How::AlreadyThere, now, now, Duration::ZERO),
            Some(fault) => self.apply(cx, &undo.target, &fault).await?,
        };
        match undo.next_step(outcome.state)? {
            None => Ok(outcome),
            Some(_) => Err(Error::new(ErrorKind::Failed, "was put back, and somebody has switched it since")),
        }
    }

    async fn disconnect(&self, _: &Context) -> Result<(), Error> {
        self.is_closed.store(true, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cx = Context::with_timeout(Duration::from_mins(1));
    let lab = Lab::new(Arc::clone(cx.clock()));
    for (name, room) in [("web-01", "north"), ("web-02", "north"), ("db-01", "south")] {
        lab.add(Machine::new(name, room));
    }
    let platform = LabPlatform::connect(&lab, "lab")?;
    println!("{}", platform.identity().description);
    for vm in platform.discover(&cx, &Selector::all()).await?.vms {
        println!("{:<11} {}", vm.power_state, vm.display_path());
    }

    let parallel = NonZeroUsize::new(2).expect("2 is not 0");
    let reports = platform.batch_power_off(&cx, &["web-01", "web-02"], Stop::graceful(), parallel).await?;
    for report in reports {
        let outcome = report.result?;
        println!("{} is {} ({})", report.name, outcome.state, outcome.how);
        let undo = report.undo.expect("whatever was applied was prepared");
        let back = platform.undo(&cx, &undo).await?;
        println!("{} is {} again ({})", report.name, back.state, back.how);
    }
    if let Err(error) = platform.suspend(&cx, "db-01").await {
        println!("as it should be, {error}");
    }
    platform.disconnect(&cx).await?;
    Ok(())
}

#[cfg(test)]
#[path = "custom_platform/conformance.rs"]
mod conformance;
