//! What a guard says of an experiment before anything is touched, and what it has to know for that.

use std::sync::Arc;

use chaos_core::{
    Context, Error, ErrorKind, Fault, Guard, Lasting, Member, PlannedStrike, Platform, Review, Selector, VMRef,
};

use crate::activity::Activity;
use crate::native::What;
use crate::resolve::{Bound, ResolvedExperiment};

impl ResolvedExperiment {
    /// What a guard says of the whole method, whatever succeeds and fails in it. Reads only. Rollbacks are not asked about:
    /// they put back.
    ///
    /// Asked again when the run holds its leases, it misses no other run.
    ///
    /// # Errors
    /// What a platform cannot be asked, or what other runs do cannot be told; then nothing may be touched.
    pub async fn review(&self, cx: &Context, guard: &Guard) -> Result<Review, Error> {
        let estate = self.estate(cx, guard).await?;
        self.review_of(cx, guard, &estate).await
    }

    /// The same of what is known already.
    pub(crate) async fn review_of(&self, cx: &Context, guard: &Guard, estate: &[Member]) -> Result<Review, Error> {
        let elsewhere = guard.elsewhere(cx.run_id(), cx.now()).await?;
        let mut plan = Vec::new();
        for (stage, strike) in self.strikes() {
            let targets = members(estate, &strike.targets)?;
            plan.push(PlannedStrike::new(stage, strike.fault, targets, strike.lasting));
        }
        Ok(guard.policy().review(&plan, &elsewhere.scene(cx.now(), estate)))
    }

    /// What is known of the VMs that the rules of a guard speak of: of all of each platform, or of those that are hit.
    pub(crate) async fn estate(&self, cx: &Context, guard: &Guard) -> Result<Vec<Member>, Error> {
        self.read_estate(cx, guard.policy().looks_around()).await
    }

    /// All VMs of the platforms.
    pub(crate) async fn whole_estate(&self, cx: &Context) -> Result<Vec<Member>, Error> {
        self.read_estate(cx, true).await
    }

    async fn read_estate(&self, cx: &Context, all: bool) -> Result<Vec<Member>, Error> {
        let mut asked: Vec<(&Arc<dyn Platform>, Vec<VMRef>)> = Vec::new();
        for on in self.hypothesis.iter().chain(&self.method).filter_map(|bound| bound.on.as_ref()) {
            match asked.iter_mut().find(|(platform, _)| Arc::ptr_eq(platform, &on.platform)) {
                Some((_, vms)) => vms.extend(on.refs()),
                None => asked.push((&on.platform, on.refs())),
            }
        }
        let mut estate = Vec::new();
        for (platform, mut vms) in asked {
            let identity = platform.identity();
            let found = if all {
                platform.discover(cx, &Selector::all()).await?.vms
            } else {
                vms.sort();
                vms.dedup();
                platform.get(cx, &vms).await.into_iter().collect::<Result<_, _>>()?
            };
            estate.extend(found.into_iter().map(|vm| Member { at: VMRef::new(identity, &vm.id), vm }));
        }
        Ok(estate)
    }

    /// The faults of the method by stage. By compatible rules a hypothesis may have some too.
    pub(crate) fn strikes(&self) -> Vec<(usize, Planned<'_>)> {
        let mut strikes = Vec::new();
        let mut stage = 0;
        let mut group = None;
        for bound in self.hypothesis.iter().chain(&self.method) {
            let begun = bound.activity.more.group.as_ref().map(|group| group.name.as_str());
            if begun.is_none() || begun != group {
                stage += 1;
            }
            group = begun;
            strikes.extend(Planned::of(bound).map(|strike| (stage, strike)));
        }
        strikes
    }
}

/// A fault of the method.
pub(crate) struct Planned<'a> {
    fault: &'a Fault,
    pub(crate) targets: Vec<VMRef>,
    lasting: Lasting,
}

impl<'a> Planned<'a> {
    fn of(bound: &'a Bound) -> Option<Self> {
        let Activity { background, .. } = &bound.activity;
        let What::Power { fault, .. } = &bound.activity.vm_call()?.what else { return None };
        // What goes on in the background goes on beside everything that follows.
        let lasting = match fault {
            Fault::Reboot { .. } if !background => Lasting::Step,
            _ => Lasting::Open,
        };
        Some(Self { fault, targets: bound.on.as_ref()?.refs(), lasting })
    }
}

/// Those of an estate that are meant.
///
/// # Errors
/// [`ErrorKind::NotFound`] if one is not there any more.
pub(crate) fn members<'a>(estate: &'a [Member], vms: &[VMRef]) -> Result<Vec<&'a Member>, Error> {
    let known: std::collections::HashMap<(&str, &str), &Member> =
        estate.iter().map(|member| ((member.at.instance.as_str(), member.at.id.as_str()), member)).collect();
    let find = |vm: &VMRef| {
        let member = known.get(&(vm.instance.as_str(), vm.id.as_str())).copied();
        member.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{vm} is not there any more")))
    };
    vms.iter().map(find).collect()
}

/// A refusal with all that the rules have to say.
pub(crate) fn refusal(denials: &[chaos_core::Denial]) -> Error {
    let said: Vec<String> = denials.iter().map(ToString::to_string).collect();
    Error::new(ErrorKind::Refused, said.join("; "))
}
