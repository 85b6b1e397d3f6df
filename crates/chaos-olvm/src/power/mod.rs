//! What each power operation means to an engine: which action, what ends it, and what refusals on the way say.

mod guest;
mod job;
mod reboot;
mod run;

use chaos_core::{
    Context, Error, ErrorKind, Fault, How, Need, Outcome, PlatformIdentity, Target, Undo, VMPowerState, VMRef,
    check_power,
};
use futures_util::future::join_all;

use crate::discovery::KnownPlaces;
use crate::platform::own;
use crate::session::Session;
use crate::watch::Watch;
use job::Job;
use run::{START, SUSPEND};

/// How many steps may lead back to the found state. Two suffice, unless somebody else works on the VM too.
const UNDO_STEPS: u32 = 4;

/// The power operations of one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Power<'a> {
    pub(crate) session: &'a Session,
    pub(crate) watch: &'a Watch,
    pub(crate) identity: &'a PlatformIdentity,
    pub(crate) places: &'a KnownPlaces,
}

impl<'a> Power<'a> {
    /// Reads what an undo needs: all VMs in one look.
    pub(crate) async fn prepare(self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        let one = |target: &Target| {
            let target = target.clone();
            async move {
                let job = self.job(cx, &target).await?;
                let vm = job.info();
                check_power(&vm, fault)?;
                Ok(Undo::of_power(target.clone(), &vm, fault, cx.now()))
            }
        };
        join_all(targets.iter().map(one)).await
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
            let limit = cx.limit(Fault::DEFAULT_LIMIT);
            job.settled(&limit).await.map_err(|error| job.describe(error))?;
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

    /// Looks at the VM as it is now.
    async fn job<'t>(self, cx: &'t Context, target: &'t Target) -> Result<Job<'t>, Error>
    where
        'a: 't,
    {
        let Some(vm): Option<&VMRef> = target.vm() else {
            return Err(Error::unsupported(&self.identity.kind, "faults on anything but VMs"));
        };
        own(self.identity, vm)?;
        Job::begin(self, cx, vm).await
    }
}

impl Job<'_> {
    /// Does what `fault` says, unless the VM is there already, and says how the goal was reached.
    async fn perform(&mut self, fault: &Fault) -> Result<How, Error> {
        if let Fault::PowerOn { limit } = fault {
            let limit = self.cx.limit(*limit);
            let settled = self.settled(&limit).await;
            settled.map_err(|error| self.describe(error).operation(fault.operation().words()))?;
        }
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
                Ok(self.run(&limit, &START, fault).await?.how(how))
            }
            Fault::Suspend { limit } => {
                let limit = self.cx.limit(limit);
                self.until_up(&limit, fault).await?;
                Ok(self.run(&limit, &SUSPEND, fault).await?.how(How::Suspended))
            }
            Fault::PowerOff { stop, .. } => self.power_off(fault, stop).await,
            Fault::Reboot { stop } => self.reboot(fault, stop).await,
            _ => Err(Error::unsupported(&self.vm_ref.platform, fault.operation().words())),
        }
    }
}
