//! What each power operation means on vSphere: which method, what ends it, and what the faults on the way say.
//!
//! Power-on uses `PowerOnVM_Task` on vCenter too. Its successor there, `PowerOnMultiVM_Task`, has to be called once for each
//! datacenter, may leave a VM to a recommendation that a person has to apply, and its task says nothing about any single VM; the
//! older method gives each VM a task with its own outcome.

mod guest;
mod info;
mod job;
mod reboot;
mod task;

use chaos_core::{
    Context, Error, ErrorKind, Fault, How, Need, Outcome, PlatformIdentity, Target, Undo, VMPowerState, VMRef,
    check_power,
};

use crate::session::Session;
use crate::vim::MoRef;
use crate::watch::Watch;
use job::Job;
use task::{POWER_ON, Reached, SUSPEND};

/// How many steps may lead back to the found state. Two suffice, unless somebody else works on the VM too.
const UNDO_STEPS: u32 = 4;

/// The power operations of one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Power<'a> {
    pub(crate) session: &'a Session,
    pub(crate) watch: &'a Watch,
    pub(crate) identity: &'a PlatformIdentity,
}

impl<'a> Power<'a> {
    /// Reads what an undo needs. All VMs go on the watch list in one request, and are found there by [`Power::apply`].
    pub(crate) async fn prepare(self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        let followed: Vec<_> = targets
            .iter()
            .map(|target| {
                let vm = self.own(target)?;
                let followed = self.watch.follow(cx, &MoRef::vm(&vm.id))?;
                Ok((target, vm, followed))
            })
            .collect();
        let mut undos = Vec::with_capacity(followed.len());
        for item in followed {
            undos.push(match item {
                Ok((target, vm, followed)) => match Job::begin(self, cx, vm, followed).await {
                    Ok(job) => check_power(&job.info(), fault)
                        .map(|_| Undo::of_power(target.clone(), &job.info(), fault, cx.now())),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            });
        }
        undos
    }

    /// Applies a fault and waits until its goal is reached.
    pub(crate) async fn apply(self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error> {
        let mut job = self.job(cx, target).await?;
        let how = job.perform(fault).await?;
        Ok(job.outcome(how))
    }

    /// Brings a VM back to the power state in which it was found.
    pub(crate) async fn undo(self, cx: &Context, undo: &Undo) -> Result<Outcome, Error> {
        let mut job = self.job(cx, &undo.target).await?;
        let mut how = How::AlreadyThere;
        for _ in 0..UNDO_STEPS {
            job.check_reachable()?;
            match undo.next_step(job.power())? {
                None => return Ok(job.outcome(how)),
                Some(fault) => how = job.perform(&fault).await?,
            }
        }
        let message = format!(
            "was brought back {UNDO_STEPS} times and is {} all the same: somebody else changes its power state",
            job.power()
        );
        Err(job.describe(Error::new(ErrorKind::Failed, message)))
    }

    async fn job<'t>(self, cx: &'t Context, target: &'t Target) -> Result<Job<'t>, Error>
    where
        'a: 't,
    {
        let vm = self.own(target)?;
        let followed = self.watch.follow(cx, &MoRef::vm(&vm.id))?;
        Job::begin(self, cx, vm, followed).await
    }

    fn own(self, target: &Target) -> Result<&VMRef, Error> {
        let Some(vm) = target.vm() else {
            return Err(Error::unsupported(&self.identity.kind, "faults on anything but VMs"));
        };
        if vm.is_on(self.identity) {
            return Ok(vm);
        }
        let message = format!(
            "`{vm}` is a VM of the server {} and this is {}: connect to the server that it was found on",
            vm.instance, self.identity.instance
        );
        Err(Error::new(ErrorKind::NotFound, message).platform(self.identity.kind.clone()))
    }
}

impl Job<'_> {
    /// Does what `fault` says, unless the VM is there already, and says how the goal was reached.
    async fn perform(&mut self, fault: &Fault) -> Result<How, Error> {
        let result = match check_power(&self.info(), fault) {
            Ok(Need::Nothing) => return Ok(How::AlreadyThere),
            Ok(Need::Act) => self.act(fault).await,
            Err(refused) => Err(refused),
        };
        result.map_err(|error| self.describe(error).operation(fault.operation().words()))
    }

    async fn act(&mut self, fault: &Fault) -> Result<How, Error> {
        match *fault {
            Fault::PowerOn { limit } => {
                let resumes = self.power() == VMPowerState::Suspended;
                let how = if resumes { How::Resumed } else { How::PoweredOn };
                let limit = self.cx.limit(limit);
                Ok(self.run_task(&limit, POWER_ON, fault).await?.how(how))
            }
            Fault::Suspend { limit } => {
                let limit = self.cx.limit(limit);
                Ok(self.run_task(&limit, SUSPEND, fault).await?.how(How::Suspended))
            }
            Fault::PowerOff { stop, .. } => self.power_off(fault, stop).await,
            Fault::Reboot { stop } => self.reboot(fault, stop).await,
            _ => Err(Error::unsupported(&self.vm_ref.platform, fault.operation().words())),
        }
    }
}

impl Reached {
    /// `how` if it was this client that did it.
    fn how(self, how: How) -> How {
        match self {
            Self::Done => how,
            Self::Already => How::AlreadyThere,
        }
    }
}
