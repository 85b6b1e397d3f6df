//! What each power operation means on vSphere: which method, what ends it, and what the faults on the way say.
//!
//! Power-on uses `PowerOnVM_Task` on vCenter too. Its successor there, `PowerOnMultiVM_Task`, has to be called once for each
//! datacenter, may leave a VM to a recommendation that a person has to apply, and its task says nothing about any single VM; the
//! older method gives each VM a task with its own outcome.

mod guest;
mod info;
mod job;
mod read;
mod reboot;
mod task;

use std::collections::HashMap;

use chaos_core::{
    Context, Error, ErrorKind, Fault, How, Need, Outcome, PlatformIdentity, Target, Undo, VMPowerState, VMRef,
    check_power,
};

use crate::platform::again;
use crate::session::Session;
use crate::vim::MoRef;
use crate::watch::Watch;
use info::info;
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
        let mut jobs = Vec::with_capacity(followed.len());
        for item in followed {
            jobs.push(match item {
                Ok((target, vm, followed)) => Job::begin(self, cx, vm, followed).await.map(|job| (target, job)),
                Err(error) => Err(error),
            });
        }
        // An undo is worth nothing if it rests on what was true an instant ago.
        let old: Vec<MoRef> = jobs
            .iter()
            .flatten()
            .filter(|(_, job)| job.vm.is_nearly_fresh())
            .map(|(_, job)| job.vm.object().clone())
            .collect();
        let read = if old.is_empty() { Ok(HashMap::new()) } else { read::read(self.session, cx, &old).await };
        let prepared = |(target, job): (&Target, Job<'_>)| {
            let vm = match (&read, job.vm.is_nearly_fresh()) {
                (_, false) => job.info(),
                (Ok(read), true) => info(&job.vm_ref.id, read.get(&job.vm_ref.id).ok_or_else(|| job.gone())?),
                (Err(error), true) => return Err(job.describe(again(error))),
            };
            check_power(&vm, fault)?;
            Ok(Undo::of_power(target.clone(), &vm, fault, cx.now()))
        };
        jobs.into_iter().map(|job| job.and_then(prepared)).collect()
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
            let mut step = undo.next_step(job.power());
            if !matches!(step, Ok(Some(_))) {
                job.confirm().await?;
                step = undo.next_step(job.power());
            }
            match step? {
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
        let mut need = check_power(&self.info(), fault);
        if !matches!(need, Ok(Need::Act)) {
            // The server judges what is sent; what is not sent has to be judged by the latest state.
            self.confirm().await?;
            need = check_power(&self.info(), fault);
        }
        let result = match need {
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
