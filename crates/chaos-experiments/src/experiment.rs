//! An experiment that is valid, with every value in its place: what is left is to find its VMs and to run it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use chaos_core::{Connection, Context, Policy, RunMode, TargetPattern};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::activity::{Activity, Call, Declared, Judge, StopCondition};
use crate::configuration;
use crate::controls::{self, Control, Controls};
use crate::document::Document;
use crate::draw::any_seed;
use crate::earlier;
use crate::error::{Finding, Findings, Severity};
use crate::guarded;
use crate::inputs::{Environment, Inputs};
use crate::late::Late;
use crate::mask::{Masker, is_secret_name};
use crate::native::What;
use crate::provider::{ProviderCall, PythonWorkers, check_control, validate};
use crate::python;
use crate::reading::Reader;
use crate::rules::Rules;
use crate::strategy::{RollbackStrategy, Strategies};
use crate::substitute::Variables;
use crate::validation;

/// A valid experiment. `Debug` shows its title only: it may hold secrets.
#[derive(Clone)]
pub struct Experiment {
    document: String,
    pub(crate) title: String,
    /// The document as it may be written down.
    pub(crate) shown: Value,
    pub(crate) hypothesis: Vec<Activity>,
    pub(crate) method: Vec<Activity>,
    pub(crate) rollbacks: Vec<Activity>,
    pub(crate) stop_conditions: Vec<StopCondition>,
    /// Rules of its own, which narrow what the guard of a run allows.
    pub(crate) policy: Policy,
    pub(crate) mode: RunMode,
    pub(crate) rules: Rules,
    /// What the experiment declares under `runtime`.
    pub(crate) strategies: Option<Strategies>,
    pub(crate) controls: Controls,
    pub(crate) late: Arc<Late>,
    /// What VMs are drawn by where no seed is given.
    pub(crate) seed: u64,
    pub(crate) masker: Masker,
    /// What Python has of it.
    pub(crate) environment: Environment,
    warnings: Vec<Finding>,
    ignored_connection: bool,
}

/// A VM, or a group of VMs, that an experiment names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct NamedVm {
    /// The platform's name in the settings, or its kind.
    pub platform: String,
    /// The VM in the target notation of [`TargetPattern`].
    pub target: String,
    /// Whether several VMs may be meant.
    pub group: bool,
}

/// An activity that a rehearsal leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NotRehearsed {
    /// The activity.
    pub name: String,
    /// The type of its provider, such as `process`.
    pub provider: String,
}

impl Experiment {
    /// Checks a document and puts configuration, secrets and overrides into it. Reads nothing but the environment in
    /// `inputs`, and looks whether the programs that it runs are there; speaks to no platform.
    ///
    /// # Errors
    /// Everything that is wrong with it at once.
    pub fn new(document: &Document, inputs: &Inputs) -> Result<Self, Findings> {
        let root = document.root();
        let mut findings = noticed(document, inputs);
        validation::top_level(root, inputs, &mut findings);
        let strategies = Strategies::declared(root, &mut findings);
        warn_of_rollbacks(strategies, inputs, &mut findings);
        let variables = configuration::resolve(root, inputs, &mut findings);
        let mut reader = Reader { root, inputs, variables: &variables, findings, secrets: BTreeSet::new() };

        let hypothesis = root.get("steady-state-hypothesis").filter(|hypothesis| !hypothesis.is_null());
        if let Some(hypothesis) = hypothesis
            && inputs.validates
            && !hypothesis.get("title").is_some_and(python::truthy)
        {
            let place = "/steady-state-hypothesis/title";
            reader.findings.push(Finding::error(place, "the steady-state hypothesis needs a title"));
        }
        let probes = hypothesis.and_then(|hypothesis| hypothesis.get("probes"));
        let hypothesis = reader.hypothesis(probes, "/steady-state-hypothesis/probes");
        let method = reader.list(root.get("method"), "/method", Declared::Steps);
        let rollbacks = reader.list(root.get("rollbacks"), "/rollbacks", Declared::Steps);
        let policy = guarded::declared(root, &mut reader.findings);
        let stop_conditions = reader.stop_conditions(root.get("stop-conditions"), "/stop-conditions");
        let controls = Controls {
            global: controls::globals(inputs, &mut reader.findings),
            top: controls::of_owner(root, "", inputs, &mut reader.findings),
            hypothesis: match root.get("steady-state-hypothesis") {
                Some(Value::Object(hypothesis)) => {
                    controls::of_owner(hypothesis, "/steady-state-hypothesis", inputs, &mut reader.findings)
                }
                _ => Vec::new(),
            },
        };
        controls::references(root, inputs, &mut reader.findings);
        let Reader { mut findings, mut secrets, .. } = reader;

        earlier::check(root, inputs, &mut findings);
        let title = title(root, &variables, &mut findings);
        let watched = || stop_conditions.iter().map(|condition| &condition.probe);
        let activities = || hypothesis.iter().chain(&method).chain(&rollbacks).chain(watched());
        let named: BTreeSet<&str> =
            activities().filter_map(Activity::vm_call).map(|call| call.platform.as_str()).collect();
        let well_known = configuration::WELL_KNOWN.map(chaos_core::PlatformKind::as_str);
        let platforms: Vec<&str> = named.union(&well_known.into()).copied().collect();
        // Where an activity could not be read, its platform is not known either.
        if findings.iter().all(|finding| finding.severity == Severity::Warning) {
            configuration::check_overrides(root, inputs, &platforms, &mut findings);
        }
        let place = "/steady-state-hypothesis";
        // A probe that could not be read was told already.
        if hypothesis.is_empty() && !findings.iter().any(|finding| finding.place.starts_with(place)) {
            findings.push(
                Finding::warning(place, "there is no probe, so nothing can tell whether the system held")
                    .hint("say in a probe what has to be true before and after"),
            );
        }
        if activities().any(|activity| matches!(activity.call, Call::Provider(_))) {
            // A process has the whole environment, and may print it.
            secrets.extend(inputs.environment.secrets().map(str::to_owned));
        }
        let masker = Masker::new(&variables, secrets);
        let locate = |finding: Finding| {
            let position = finding.position.or_else(|| document.position(&finding.place));
            finding.at(position)
        };
        let findings: Vec<Finding> = findings.into_iter().map(|finding| masker.finding(locate(finding))).collect();
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(Findings { document: document.name().to_owned(), list: findings });
        }

        let ignored_connection = inputs.mode == RunMode::Rehearsal
            && (inputs.overrides.names().any(|name| configuration::connection_override(name, &platforms).is_some())
                || activities().any(|activity| writes_connection(&activity.declaration)));
        let mut titled = root.clone();
        titled.insert("title".to_owned(), title.clone());
        let shown = masker.document(&titled);
        Ok(Self {
            document: document.name().to_owned(),
            title: masker.text(&python::text(&title)),
            shown,
            hypothesis,
            method,
            rollbacks,
            stop_conditions,
            policy,
            mode: inputs.mode,
            rules: inputs.rules,
            strategies,
            controls,
            late: Arc::new(Late { root: titled, inputs: inputs.clone(), variables }),
            masker,
            seed: inputs.seed.unwrap_or_else(any_seed),
            environment: inputs.environment.clone(),
            warnings: findings,
            ignored_connection,
        })
    }

    /// The title, with names substituted and secrets masked.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The strategies that it declares under `runtime`; none if it has no such section.
    #[must_use]
    pub fn strategies(&self) -> Option<Strategies> {
        self.strategies
    }

    /// Whether every VM is put back before its run ends. Else what it leaves changed stays so and is named.
    #[must_use]
    pub fn puts_back(&self) -> bool {
        self.rules.puts_back()
    }

    /// By which rules it was read and will be run.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// What VMs are drawn by where it names no seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether a value of this name has to be kept from whatever is written down.
    #[must_use]
    pub fn hides(&self, name: &str, value: &str) -> bool {
        is_secret_name(name) || self.masker.text(value) != value
    }

    /// The name of its document.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.document
    }

    /// What is doubtful about it though it can run.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The VMs and groups that it names, each once, so that a simulated estate can hold them.
    #[must_use]
    pub fn vms(&self) -> Vec<NamedVm> {
        let mut named = BTreeSet::new();
        for call in self.activities().filter_map(Activity::vm_call) {
            let group = |group: &TargetPattern| vec![(group.to_string(), true)];
            let all = match &call.what {
                What::Power { vms, .. } | What::Restore { vms } | What::Look { vms } => vms.named(),
                What::Count { group: counted, .. } => group(counted),
                What::Group { group: whole, except } => [group(whole), except.named()].concat(),
            };
            let platform = &call.platform;
            named.extend(all.into_iter().map(|(target, group)| NamedVm { platform: platform.clone(), target, group }));
        }
        named.into_iter().collect()
    }

    /// What a rehearsal leaves out; empty for the real thing.
    #[must_use]
    pub fn not_rehearsed(&self) -> Vec<NotRehearsed> {
        self.activities()
            .filter_map(|activity| match &activity.call {
                Call::NotRehearsed(provider) => {
                    Some(NotRehearsed { name: self.masker.text(&activity.name), provider: provider.clone() })
                }
                Call::Vm(_) | Call::Provider(_) | Call::Broken(_) => None,
            })
            .collect()
    }

    /// Whether connection values were given that this rehearsal ignores.
    #[must_use]
    pub fn ignores_connection_values(&self) -> bool {
        self.ignored_connection
    }

    /// The connection values that it was given beside the settings for platforms on which it may change something, by
    /// the name of the platform; of several for one name the first. Whoever puts back what a run has changed needs the same ([`RecoverOptions::connections`]).
    ///
    /// [`RecoverOptions::connections`]: crate::RecoverOptions::connections
    #[must_use]
    pub fn connections(&self) -> BTreeMap<String, Connection> {
        let mut all = BTreeMap::new();
        for call in self.method.iter().chain(&self.rollbacks).filter_map(Activity::vm_call) {
            if !call.connection.is_empty() && matches!(call.what, What::Power { .. } | What::Restore { .. }) {
                all.entry(call.platform.clone()).or_insert_with(|| call.connection.clone());
            }
        }
        all
    }

    /// Refuses an experiment with functions in Python that are not there or cannot be called so, all at once; the rest becomes
    /// a warning. Does nothing where it calls none. Needs a Python, and imports every module that is named, with whatever that
    /// does.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub async fn with_checked_python(mut self, cx: &Context) -> Result<Self, Findings> {
        let findings = self.check_python(cx).await;
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(Findings { document: self.document, list: findings });
        }
        self.warnings.extend(findings);
        Ok(self)
    }

    /// What is wrong with the functions in Python that it calls, as [`Experiment::with_checked_python`] finds it.
    pub async fn check_python(&self, cx: &Context) -> Vec<Finding> {
        // A tolerance that is a probe is called as well.
        let judged = self.activities().filter_map(|activity| match &activity.tolerance {
            Some(Judge::Probe { provider, place, .. }) => self.late.provider_at(provider, place).ok(),
            _ => None,
        });
        let judged: Vec<Call> = judged.collect();
        let python = |call: &'_ Call| match call {
            Call::Provider(ProviderCall::Python(call)) => Some(call.clone()),
            _ => None,
        };
        let calls = self.activities().map(|activity| &activity.call).chain(&judged).filter_map(python);
        let calls: Vec<_> = calls.collect();
        let controls = self.controls_in_python();
        if calls.is_empty() && controls.is_empty() {
            return Vec::new();
        }
        let workers = self.python_workers();
        let mut findings = validate(cx, calls.iter().map(|call| &**call), &workers).await;
        for (module, control, is_global) in controls {
            let place = if is_global { String::new() } else { format!("{}/provider", control.place) };
            let found = check_control(cx, &workers, module, &control.declaration, &place, is_global).await;
            // Those from outside have no place in the document.
            findings.extend(found.map(|found| if is_global { Finding { place, ..found } } else { found }));
        }
        workers.close().await;
        findings.into_iter().map(|finding| self.masker.finding(finding)).collect()
    }

    /// Whether any activity is a function in Python.
    pub(crate) fn calls_python(&self) -> bool {
        self.activities().any(|activity| matches!(activity.call, Call::Provider(ProviderCall::Python(_))))
    }

    /// The controls that are called in Python, and whether they come from outside.
    fn controls_in_python(&self) -> Vec<(&str, &Control, bool)> {
        let Controls { global, top, hypothesis } = &self.controls;
        let steps = self.activities().flat_map(|activity| &activity.controls);
        let own = top.iter().chain(hypothesis).chain(steps).map(|control| (control, false));
        let all = global.iter().map(|control| (control, true)).chain(own);
        all.filter_map(|(control, is_global)| Some((control.provider.module()?, control, is_global))).collect()
    }

    pub(crate) fn python_workers(&self) -> PythonWorkers {
        PythonWorkers::new(self.environment.clone(), self.masker.clone())
    }

    pub(crate) fn activities(&self) -> impl Iterator<Item = &Activity> {
        let watched = self.stop_conditions.iter().map(|condition| &condition.probe);
        self.hypothesis.iter().chain(&self.method).chain(&self.rollbacks).chain(watched)
    }
}

impl fmt::Debug for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Experiment").field("title", &self.title).finish_non_exhaustive()
    }
}

fn writes_connection(declaration: &Value) -> bool {
    let arguments = declaration.pointer("/provider/arguments").and_then(Value::as_object);
    arguments.is_some_and(|arguments| {
        configuration::CONNECTION_FIELDS.iter().any(|field| arguments.get(*field).is_some_and(|value| !value.is_null()))
    })
}

/// The title with its type: one that is exactly `${name}` may be a number.
fn title(root: &Map<String, Value>, variables: &Variables, findings: &mut Vec<Finding>) -> Value {
    let Some(declared) = root.get("title") else { return Value::Null };
    let substituted = variables.substitute_always(declared);
    for name in &substituted.unresolved {
        findings.push(Finding::warning("/title", format!("`${{{name}}}` stands for nothing")));
    }
    substituted.value
}

/// By strict rules no strategy keeps rollbacks from being played.
fn warn_of_rollbacks(strategies: Option<Strategies>, inputs: &Inputs, findings: &mut Vec<Finding>) {
    let strategy = strategies.unwrap_or_default().rollbacks;
    if inputs.rules.puts_back() && !matches!(strategy, RollbackStrategy::Default | RollbackStrategy::Always) {
        let message = format!("the strategy `{}` is not followed", strategy.as_str());
        let finding = Finding::warning("/runtime/rollbacks/strategy", message);
        findings.push(finding.hint("what was changed is always put back"));
    }
}

/// What loading has noticed. Of a key that occurs twice the last one counts, unless the rules refuse it.
fn noticed(document: &Document, inputs: &Inputs) -> Vec<Finding> {
    let mut findings = document.duplicates().to_vec();
    if !inputs.rules.refuses_double_keys() {
        for finding in &mut findings {
            finding.severity = Severity::Warning;
        }
    }
    findings.extend_from_slice(document.notices());
    findings
}
