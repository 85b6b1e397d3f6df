//! What a guard says of an experiment before anything is touched, and what it has to know for that.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chaos_core::{
    Context, Error, ErrorKind, Fault, Guard, Lasting, Member, PlannedStrike, Platform, Policy, Review, Rule, RunMode,
    Scene, Selector, VMInfo, VMRef,
};
use serde_json::{Map, Value};

use crate::activity::Activity;
use crate::engine::leads_to;
use crate::error::Finding;
use crate::native::What;
use crate::resolve::{Bound, On, ResolvedExperiment};

impl ResolvedExperiment {
    /// What a guard says of the whole method, whatever succeeds and fails in it. Reads only. A rollback is not asked about where it
    /// puts back what the method has changed; one that does anything else, such as a restart, is a fault like any other.
    ///
    /// Asked again when the run holds its leases, it misses no other run.
    ///
    /// # Errors
    /// What a platform cannot be asked, or what other runs do cannot be told; then nothing may be touched.
    pub async fn review(&self, cx: &Context, guard: &Guard) -> Result<Review, Error> {
        let guard = self.guarded(Some(guard));
        // Where there is no rule, nothing has to be known.
        let estate = if guard.policy().is_empty() { Vec::new() } else { self.estate(cx, &guard).await? };
        self.review_of(cx, &guard, &estate).await
    }

    /// The same by a guard that has the rules of the experiment, of what is known already.
    pub(crate) async fn review_of(&self, cx: &Context, guard: &Guard, estate: &[Member]) -> Result<Review, Error> {
        if guard.policy().is_empty() {
            return Ok(Policy::default().review(&[], &Scene::new(cx.now(), estate)));
        }
        let elsewhere = guard.elsewhere(cx.run_id(), cx.now()).await?;
        let places = places(estate);
        let strikes = self.strikes();
        let hit: Vec<Vec<Member>> =
            strikes.iter().map(|(_, strike)| members(estate, &places, &strike.targets)).collect::<Result<_, _>>()?;
        let mut plan: Vec<PlannedStrike<'_>> = Vec::with_capacity(strikes.len());
        for ((stage, strike), hit) in strikes.iter().zip(&hit) {
            plan.push(PlannedStrike::new(*stage, strike.fault, hit.iter().collect(), strike.lasting));
        }
        Ok(guard.policy().review(&plan, &elsewhere.scene(cx.now(), estate)))
    }

    /// The guard of a run of this experiment, which has rules of its own. In a rehearsal nothing is broken that anybody would
    /// keep.
    pub(crate) fn guarded(&self, guard: Option<&Guard>) -> Guard {
        if self.experiment.mode == RunMode::Rehearsal {
            return Guard::alone(Policy::default());
        }
        let guard = guard.cloned().unwrap_or_else(|| Guard::alone(Policy::default()));
        guard.narrowed(self.experiment.policy.clone())
    }

    /// What is known of the VMs that the rules of a guard speak of: of all of each platform, or of those that are hit. Where
    /// nothing that changes is asked about, they are not read again.
    pub(crate) async fn estate(&self, cx: &Context, guard: &Guard) -> Result<Vec<Member>, Error> {
        if guard.policy().looks_afresh() {
            return self.read_estate(cx, guard.policy().looks_around()).await;
        }
        let member = |on: &On, vm: &VMInfo| Member { at: VMRef::new(on.platform.identity(), &vm.id), vm: vm.clone() };
        let on = self.acting().filter_map(|bound| bound.on.as_ref());
        Ok(on.flat_map(|on| on.vms.iter().map(move |vm| member(on, vm))).collect())
    }

    /// All VMs of the platforms.
    pub(crate) async fn whole_estate(&self, cx: &Context) -> Result<Vec<Member>, Error> {
        self.read_estate(cx, true).await
    }

    /// All that may send a fault.
    fn acting(&self) -> impl Iterator<Item = &Bound> {
        self.hypothesis.iter().chain(&self.method).chain(&self.rollbacks)
    }

    async fn read_estate(&self, cx: &Context, all: bool) -> Result<Vec<Member>, Error> {
        let mut asked: Vec<(&Arc<dyn Platform>, BTreeSet<VMRef>)> = Vec::new();
        for (bound, on) in self.acting().filter_map(|bound| Some((bound, bound.on.as_ref()?))) {
            let hit = Hit::of(bound).map_or_else(Vec::new, |strike| strike.targets);
            match asked.iter_mut().find(|(platform, _)| Arc::ptr_eq(platform, &on.platform)) {
                Some((_, vms)) => vms.extend(hit),
                None => asked.push((&on.platform, hit.into_iter().collect())),
            }
        }
        let (mut estate, mut known) = (Vec::new(), HashSet::new());
        for (platform, vms) in asked {
            let identity = platform.identity();
            let found = if all {
                let discovery = platform.discover(cx, &Selector::all()).await?;
                for problem in &discovery.problems {
                    let message = self.experiment.masker.text(&problem.message);
                    tracing::warn!(platform = identity.entry, subject = problem.subject, "{message}");
                }
                discovery.vms
            } else {
                let vms: Vec<VMRef> = vms.into_iter().collect();
                // One that cannot be read is missed by whoever hits it.
                platform.get(cx, &vms).await.into_iter().filter_map(Result::ok).collect()
            };
            for vm in found {
                // Two entries may lead to one server, on which each VM counts once.
                if known.insert((identity.kind.clone(), identity.instance.clone(), vm.id.clone())) {
                    estate.push(Member { at: VMRef::new(identity, &vm.id), vm });
                }
            }
        }
        Ok(estate)
    }

    /// The faults by stage: of the method, by compatible rules of a hypothesis, and of rollbacks that put nothing back.
    pub(crate) fn strikes(&self) -> Vec<(usize, Hit<'_>)> {
        let mut strikes = Vec::new();
        let mut stage = 0;
        let mut group = None;
        for bound in self.hypothesis.iter().chain(&self.method) {
            let begun = bound.activity.more.group.as_ref().map(|group| group.name.as_str());
            if begun.is_none() || begun != group {
                stage += 1;
            }
            group = begun;
            strikes.extend(Hit::of(bound).map(|strike| (stage, strike)));
        }
        let method: Vec<VMRef> = strikes.iter().flat_map(|(_, strike)| strike.targets.clone()).collect();
        for bound in &self.rollbacks {
            let Some(mut strike) = Hit::of(bound) else { continue };
            let found = |at: &VMRef| bound.on.as_ref()?.vms.iter().find(|vm| vm.id == at.id);
            let mends = |at: &VMRef| {
                method.iter().any(|hit| hit.is_same_vm(at))
                    && found(at).is_some_and(|vm| leads_to(strike.fault, vm.power_state))
            };
            strike.targets = strike.targets.iter().filter(|at| !mends(at)).cloned().collect();
            stage += 1;
            strikes.push((stage, strike));
        }
        strikes
    }
}

/// The rules that an experiment has of its own: the key `policy`, which Chaos Toolkit ignores.
pub(crate) fn declared(root: &Map<String, Value>, findings: &mut Vec<Finding>) -> Policy {
    let mut find = |place: &str, message: String| findings.push(Finding::error(place, message));
    let items = match root.get("policy") {
        None | Some(Value::Null) => return Policy::default(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            find("/policy", "this has to be a list of rules, such as `at most 2` or `protect db-*`".to_owned());
            return Policy::default();
        }
    };
    let mut rules = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let place = format!("/policy/{at}");
        if item.as_str().is_some_and(|text| text.contains("${")) {
            find(&place, "names such as `${…}` stand for nothing in a rule: write what is meant".to_owned());
            continue;
        }
        match item.as_str().map(str::parse::<Rule>) {
            Some(Ok(rule)) => rules.push(rule),
            Some(Err(error)) => find(&place, error.message().to_owned()),
            None => find(&place, "a rule is a text, such as `at most 2` or `protect db-*`".to_owned()),
        }
    }
    Policy::new(rules).unwrap_or_else(|error| {
        find("/policy", error.message().to_owned());
        Policy::default()
    })
}

/// A fault of the method.
pub(crate) struct Hit<'a> {
    fault: &'a Fault,
    pub(crate) targets: Vec<VMRef>,
    lasting: Lasting,
}

impl<'a> Hit<'a> {
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

/// Where each VM is in an estate, by server and id.
pub(crate) type Places = HashMap<(String, String), usize>;

pub(crate) fn places(estate: &[Member]) -> Places {
    let place = |(at, member): (usize, &Member)| ((member.at.instance.clone(), member.at.id.clone()), at);
    estate.iter().enumerate().map(place).collect()
}

/// Those of an estate that are meant, each by the entry that it is hit through.
///
/// # Errors
/// [`ErrorKind::NotFound`] if one is not there any more.
pub(crate) fn members(estate: &[Member], places: &Places, vms: &[VMRef]) -> Result<Vec<Member>, Error> {
    let find = |at: &VMRef| {
        let place = places.get(&(at.instance.clone(), at.id.clone()));
        let member = place.and_then(|place| estate.get(*place)).ok_or_else(|| gone(at))?;
        Ok(Member { at: at.clone(), vm: member.vm.clone() })
    };
    vms.iter().map(find).collect()
}

pub(crate) fn gone(vm: &VMRef) -> Error {
    Error::new(ErrorKind::NotFound, format!("{vm} is not there any more"))
}

/// A refusal with all that the rules have to say.
pub(crate) fn refusal(denials: &[chaos_core::Denial]) -> Error {
    let said: Vec<String> = denials.iter().map(ToString::to_string).collect();
    Error::new(ErrorKind::Refused, said.join("; "))
}
