//! From names to VMs: every platform is opened and asked once, and every VM is found, before anything is touched.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{
    Capabilities, Connection, Context, Discovery, Error, ErrorKind, Fault, Need, Platform, PlatformSource, Selector,
    TargetPattern, VMInfo, VMRef, check_power, resolve,
};
use serde_json::{Value, json};

use crate::activity::{Activity, StopCondition};
use crate::draw::Drawn;
use crate::experiment::Experiment;
use crate::native::{Kind, VmCall, Vms, What, same_connection};

/// An experiment whose VMs are found: it can be shown as a [`Plan`](crate::Plan) and run.
pub struct ResolvedExperiment {
    pub(crate) experiment: Experiment,
    pub(crate) hypothesis: Vec<Bound>,
    pub(crate) method: Vec<Bound>,
    pub(crate) rollbacks: Vec<Bound>,
    pub(crate) stop_conditions: Vec<Watched>,
}

/// A stop condition.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) bound: Bound,
    /// How long is waited between two looks.
    pub(crate) every: Duration,
}

/// An activity with the VMs that it is about.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) activity: Activity,
    /// None where it is about no VM.
    pub(crate) on: Option<On>,
}

impl Bound {
    /// Whether it is about VMs of which there are none, so that nothing is done.
    pub(crate) fn finds_nothing(&self) -> bool {
        let is_about_each = match self.activity.vm_call().map(|call| &call.what) {
            Some(What::Power { .. } | What::Restore { .. } | What::Look { .. }) => true,
            Some(What::Group { .. } | What::Count { .. }) | None => false,
        };
        is_about_each && self.on.as_ref().is_some_and(|on| on.vms.is_empty())
    }

    /// The activity as it is written down: as it is declared, and with what was chosen for it.
    pub(crate) fn declaration(&self) -> Value {
        let mut declaration = self.activity.declaration.clone();
        let drawn = self.on.as_ref().and_then(|on| on.drawn.as_ref());
        if let (Some(drawn), Value::Object(entries)) = (drawn, &mut declaration) {
            entries.insert("drawn".to_owned(), json!(drawn));
        }
        declaration
    }
}

/// VMs of a platform, found.
#[derive(Debug, Clone)]
pub(crate) struct On {
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) vms: Vec<VMInfo>,
    /// How they were chosen, if they were not named.
    pub(crate) drawn: Option<Drawn>,
}

impl On {
    pub(crate) fn refs(&self) -> Vec<VMRef> {
        self.vms.iter().map(|vm| VMRef::new(self.platform.identity(), &vm.id)).collect()
    }
}

impl Experiment {
    /// Opens the platforms and finds the VMs that the experiment names, in one discovery for each platform. Reads only.
    ///
    /// The platforms stay open for the run; whoever owns `source` closes it.
    ///
    /// # Errors
    /// What opening a platform can give; [`ErrorKind::NotFound`] and [`ErrorKind::Ambiguous`] for a name that does not
    /// mean exactly one VM; [`ErrorKind::Unsupported`] and [`ErrorKind::InvalidState`] if a VM cannot take what the
    /// experiment does to it first.
    pub async fn resolve(self, cx: &Context, source: &dyn PlatformSource) -> Result<ResolvedExperiment, Error> {
        let masker = self.masker.clone();
        self.find(cx, source).await.map_err(|error| masker.error(error))
    }

    async fn find(self, cx: &Context, source: &dyn PlatformSource) -> Result<ResolvedExperiment, Error> {
        let inventories = self.take_stock(cx, source).await?;
        let mut touched = BTreeSet::new();
        let hypothesis = bind_all(&self.hypothesis, &inventories, None)?;
        let checked = self.rules.checks_states_first().then_some(&mut touched);
        let method = bind_all(&self.method, &inventories, checked)?;
        let rollbacks = bind_all(&self.rollbacks, &inventories, None)?;
        each_vm_once_at_once(&method)?;
        each_vm_once_at_once(&rollbacks)?;
        let conditions: Vec<Activity> = self.stop_conditions.iter().map(|condition| condition.probe.clone()).collect();
        let conditions = bind_all(&conditions, &inventories, None)?;
        let watched = |(bound, condition): (Bound, &StopCondition)| Watched { bound, every: condition.every };
        let stop_conditions = conditions.into_iter().zip(&self.stop_conditions).map(watched).collect();
        let resolved = ResolvedExperiment { experiment: self, hypothesis, method, rollbacks, stop_conditions };
        resolved.tell_drawn();
        Ok(resolved)
    }

    async fn take_stock(&self, cx: &Context, source: &dyn PlatformSource) -> Result<Vec<Inventory>, Error> {
        // Of a platform whose VMs a selector chooses, all are.
        let mut wanted: Vec<(&str, &Connection, Option<Vec<TargetPattern>>)> = Vec::new();
        for call in self.activities().filter_map(Activity::vm_call) {
            let patterns = patterns(call);
            let known = wanted
                .iter_mut()
                .find(|(name, connection, _)| *name == call.platform && same_connection(connection, &call.connection));
            match known {
                Some((_, _, all)) => match (all.as_mut(), patterns) {
                    (Some(all), Some(patterns)) => all.extend(patterns),
                    _ => *all = None,
                },
                None => wanted.push((&call.platform, &call.connection, patterns)),
            }
        }
        let mut inventories = Vec::with_capacity(wanted.len());
        for (name, connection, patterns) in wanted {
            let platform = source.open(cx, name, connection).await?;
            let selector = patterns.map_or_else(Selector::all, Selector::targets);
            let discovery = platform.discover(cx, &selector).await?;
            for problem in &discovery.problems {
                tracing::warn!(platform = name, subject = problem.subject, "{}", self.masker.text(&problem.message));
            }
            let capabilities = platform.capabilities();
            inventories.push(Inventory {
                name: name.to_owned(),
                connection: connection.clone(),
                platform,
                capabilities,
                discovery,
                seed: self.seed,
            });
        }
        Ok(inventories)
    }
}

/// A platform and its VMs that the experiment is about.
struct Inventory {
    name: String,
    connection: Connection,
    platform: Arc<dyn Platform>,
    capabilities: Capabilities,
    discovery: Discovery,
    /// The seed of draws that have none of their own.
    seed: u64,
}

impl Inventory {
    /// The VMs of a call, each once, and how they were chosen if they were not named.
    fn find(&self, vms: &Vms) -> Result<(Vec<VMInfo>, Option<Drawn>), Error> {
        match vms {
            Vms::Named(targets) => Ok((self.choose(targets, false)?, None)),
            Vms::Drawn(lot) => {
                let (vms, drawn) = lot.draw(self.seed, &self.discovery.vms)?;
                Ok((vms, Some(drawn)))
            }
            Vms::Selected(selected) => {
                let endpoint = &self.platform.identity().entry;
                let (vms, drawn) = selected.choose(endpoint, self.seed, &self.discovery.vms)?;
                Ok((vms, Some(drawn)))
            }
        }
    }

    /// The VMs that each pattern means, each VM once.
    fn choose(&self, patterns: &[TargetPattern], many: bool) -> Result<Vec<VMInfo>, Error> {
        let mut chosen: Vec<VMInfo> = Vec::new();
        for pattern in patterns {
            let fits = resolve(&Selector::targets([pattern.clone()]), &self.discovery.vms)?;
            if fits.len() > 1 && !many {
                let paths = fits.iter().map(|chosen| chosen.vm.display_path().to_owned()).collect();
                return Err(Error::ambiguous(pattern, paths));
            }
            for fit in fits {
                if chosen.iter().all(|vm| vm.id != fit.vm.id) {
                    chosen.push(fit.vm);
                }
            }
        }
        Ok(chosen)
    }
}

/// What has to be discovered for a call; none: all VMs.
fn patterns(call: &VmCall) -> Option<Vec<TargetPattern>> {
    match &call.what {
        What::Power { vms, .. } | What::Restore { vms } | What::Look { vms } => vms.targets().map(<[_]>::to_vec),
        What::Count { group, .. } => Some(vec![group.clone()]),
        What::Group { group, except } => Some(std::iter::once(group).chain(except.targets()?).cloned().collect()),
    }
}

/// Finds the VMs of each activity. With `touched`, the first fault on each VM is checked against the state that the VM
/// is in now; for a later one that state says nothing.
fn bind_all(
    activities: &[Activity],
    inventories: &[Inventory],
    mut touched: Option<&mut BTreeSet<VMRef>>,
) -> Result<Vec<Bound>, Error> {
    let mut bound = Vec::with_capacity(activities.len());
    for activity in activities {
        let on = match activity.vm_call() {
            None => None,
            Some(call) => {
                let inventory = inventories
                    .iter()
                    .find(|known| known.name == call.platform && same_connection(&known.connection, &call.connection))
                    .ok_or_else(|| Error::new(ErrorKind::Configuration, format!("`{}` is not open", call.platform)))?;
                Some(bind(call, inventory, touched.as_deref_mut())?)
            }
        };
        bound.push(Bound { activity: activity.clone(), on });
    }
    Ok(bound)
}

/// Of two calls that change a VM at once, nobody could say which one counts.
fn each_vm_once_at_once(bounds: &[Bound]) -> Result<(), Error> {
    let changes = |bound: &Bound| bound.activity.vm_call().is_some_and(|call| call.function.kind() == Kind::Action);
    for (at, bound) in
        bounds.iter().enumerate().filter(|(_, bound)| bound.activity.more.group.is_some() && changes(bound))
    {
        let group = bound.activity.more.group.as_ref();
        let others = bounds[..at].iter().filter(|other| other.activity.more.group.as_ref() == group && changes(other));
        let taken: Vec<VMRef> = others.flat_map(|other| &other.on).flat_map(On::refs).collect();
        if let Some(on) = &bound.on
            && let Some((vm, _)) = on.vms.iter().zip(on.refs()).find(|(_, target)| taken.contains(target))
        {
            let (name, vm) = (&bound.activity.name, vm.display_path());
            let message = format!("`{name}` changes {vm} at once with another activity of its group");
            return Err(Error::new(ErrorKind::Configuration, format!("{message}: put them one after the other")));
        }
    }
    Ok(())
}

fn bind(call: &VmCall, inventory: &Inventory, touched: Option<&mut BTreeSet<VMRef>>) -> Result<On, Error> {
    let on = |(vms, drawn)| On { platform: Arc::clone(&inventory.platform), vms, drawn };
    match &call.what {
        What::Look { vms } | What::Restore { vms } => Ok(on(inventory.find(vms)?)),
        What::Count { group, .. } => match inventory.choose(std::slice::from_ref(group), true) {
            Ok(vms) => Ok(on((vms, None))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(on((Vec::new(), None))),
            Err(error) => Err(error),
        },
        What::Group { group, except } => {
            let (without, drawn) = match except {
                Vms::Named(targets) => (inventory.choose(targets, true)?, None),
                Vms::Drawn(_) | Vms::Selected(_) => inventory.find(except)?,
            };
            let mut vms = inventory.choose(std::slice::from_ref(group), true)?;
            vms.retain(|vm| without.iter().all(|other| other.id != vm.id));
            if vms.is_empty() {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("the group `{group}` has no VM beside those that are left out of it"),
                ));
            }
            Ok(on((vms, drawn)))
        }
        What::Power { vms, fault, .. } => {
            let on = on(inventory.find(vms)?);
            if !inventory.capabilities.supports(fault.operation()) {
                let kind = &inventory.platform.identity().kind;
                return Err(Error::unsupported(kind, fault.operation().words()));
            }
            for (vm, target) in on.vms.iter().zip(on.refs()) {
                check_static(vm, fault)?;
                if let Some(touched) = &touched
                    && !touched.contains(&target)
                {
                    let _: Need = check_power(vm, fault)?;
                }
            }
            if let Some(touched) = touched {
                touched.extend(on.refs());
            }
            Ok(on)
        }
    }
}

/// What no change of the power state can mend.
fn check_static(vm: &VMInfo, fault: &Fault) -> Result<(), Error> {
    if vm.template || vm.unmanageable.is_some() {
        check_power(vm, fault)?;
    }
    Ok(())
}

impl ResolvedExperiment {
    /// Logs what was chosen, each choice once.
    fn tell_drawn(&self) {
        let mut told: Vec<&Drawn> = Vec::new();
        for drawn in self.method.iter().chain(&self.rollbacks).filter_map(|bound| bound.on.as_ref()?.drawn.as_ref()) {
            if !told.contains(&drawn) {
                let vms = self.experiment.masker.text(&drawn.vms.join(", "));
                tracing::info!(seed = drawn.seed, vms, "{}", self.experiment.masker.text(&drawn.to_string()));
                if !drawn.left_out.is_empty() {
                    let left_out = self.experiment.masker.text(&drawn.left_out.join(", "));
                    tracing::warn!(vms = left_out, "these fit as well, and are left out: they cannot be managed");
                }
                told.push(drawn);
            }
        }
    }

    /// The experiment.
    #[must_use]
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }
}

impl fmt::Debug for ResolvedExperiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedExperiment").field("experiment", &self.experiment).finish_non_exhaustive()
    }
}
