//! Activities: what is declared in hypothesis, method and rollbacks, read into what will be done.

use std::collections::BTreeSet;
use std::time::Duration;

use chaos_core::RunMode;
use serde_json::{Map, Value};

use crate::error::{Finding, Severity};
use crate::inputs::Inputs;
use crate::native::{self, Function, Kind, MODULES, Reading, VmCall, read_call};
use crate::provider::{ProviderCall, TYPES};
use crate::substitute::Variables;
use crate::tolerance::Tolerance;

/// How long is waited between two looks at a stop condition that does not say.
const DEFAULT_FREQUENCY: Duration = Duration::from_secs(1);
/// The shortest such wait: a server has other things to do.
const SHORTEST_FREQUENCY: Duration = Duration::from_millis(100);

/// One thing to do or to look at.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// As it is declared, for records. Holds what is written in it, secrets included.
    pub(crate) declaration: Value,
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) pause_before: Option<Duration>,
    pub(crate) pause_after: Option<Duration>,
    /// The longest that it may take as a whole.
    pub(crate) timeout: Option<Duration>,
    pub(crate) call: Call,
}

/// What has to hold while an experiment runs.
#[derive(Debug, Clone)]
pub(crate) struct StopCondition {
    pub(crate) probe: Activity,
    /// How long is waited between two looks.
    pub(crate) every: Duration,
}

/// Who declares an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Hypothesis,
    StopConditions,
    /// Method or rollbacks.
    Steps,
}

impl Declared {
    /// What an activity is there, if it has to be judged.
    fn judged(self) -> Option<&'static str> {
        match self {
            Self::Hypothesis => Some("a probe of the steady-state hypothesis"),
            Self::StopConditions => Some("a stop condition"),
            Self::Steps => None,
        }
    }

    fn only_looks(self) -> &'static str {
        match self {
            Self::StopConditions => "a stop condition only looks",
            Self::Hypothesis | Self::Steps => "a hypothesis only looks",
        }
    }
}

/// How an activity is carried out.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// A function of ours.
    Vm(VmCall),
    /// A process or a request.
    Provider(ProviderCall),
    /// Left out, because this is a rehearsal and the provider of this type is not native.
    NotRehearsed(String),
}

impl Activity {
    pub(crate) fn vm_call(&self) -> Option<&VmCall> {
        match &self.call {
            Call::Vm(call) => Some(call),
            Call::Provider(_) | Call::NotRehearsed(_) => None,
        }
    }

    /// The process or request by which it acts: what that does cannot be undone.
    pub(crate) fn acts_without_undo(&self) -> Option<&ProviderCall> {
        match &self.call {
            Call::Provider(call) if self.kind == Kind::Action => Some(call),
            Call::Provider(_) | Call::Vm(_) | Call::NotRehearsed(_) => None,
        }
    }
}

/// Controls are foreign code: a rehearsal leaves them out, and a run has to know that it would.
pub(crate) fn refuse_controls(owner: &Map<String, Value>, place: &str, mode: RunMode) -> Option<Finding> {
    owner.get("controls").and_then(Value::as_array).filter(|controls| !controls.is_empty())?;
    let place = format!("{place}/controls");
    Some(match mode {
        RunMode::Rehearsal => Finding::warning(place, "controls are left out of the rehearsal"),
        _ => Finding::error(place, "controls are not supported yet"),
    })
}

/// Reads activities and gathers what is wrong with them.
pub(crate) struct Reader<'a> {
    pub(crate) root: &'a Map<String, Value>,
    pub(crate) inputs: &'a Inputs,
    pub(crate) variables: &'a Variables,
    pub(crate) findings: Vec<Finding>,
    pub(crate) secrets: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// The probes of a declared hypothesis. They only look: nothing may be touched before the method.
    pub(crate) fn hypothesis(&mut self, declared: Option<&Value>, place: &str) -> Vec<Activity> {
        let probes = self.list(declared, place, Declared::Hypothesis);
        for (at, probe) in probes.iter().enumerate() {
            self.check_only_looks(probe, Declared::Hypothesis, &format!("{place}/{at}"));
        }
        probes
    }

    fn check_only_looks(&mut self, probe: &Activity, declared: Declared, place: &str) {
        let looks = declared.only_looks();
        if probe.kind == Kind::Action && probe.vm_call().is_none() {
            self.find(place, format!("`{}` is an action: {looks}", probe.name));
        }
        if let Some(call) = probe.vm_call().filter(|call| call.function.kind() == Kind::Action) {
            let function = call.function.name();
            self.find(place, format!("`{}` changes VMs by `{function}`: {looks}", probe.name));
        }
    }

    /// The declared stop conditions: probes with a tolerance, and how often each is looked at.
    pub(crate) fn stop_conditions(&mut self, declared: Option<&Value>, place: &str) -> Vec<StopCondition> {
        let items = match declared {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.find(place, "this has to be a list of probes");
                return Vec::new();
            }
        };
        let mut conditions = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let place = format!("{place}/{at}");
            let probe = self.entry(item, &place, Declared::StopConditions);
            let every = match item.get("frequency") {
                None | Some(Value::Null) => Some(DEFAULT_FREQUENCY),
                Some(frequency) => self.time(frequency, &format!("{place}/frequency")),
            };
            if let (Some(probe), Some(every)) = (probe, every) {
                self.check_only_looks(&probe, Declared::StopConditions, &place);
                conditions.push(StopCondition { probe, every: every.max(SHORTEST_FREQUENCY) });
            }
        }
        conditions
    }

    /// The activities of a declared list; null and absent are none.
    pub(crate) fn list(&mut self, declared: Option<&Value>, place: &str, owner: Declared) -> Vec<Activity> {
        match declared {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => {
                let each = items.iter().enumerate();
                each.filter_map(|(at, item)| self.entry(item, &format!("{place}/{at}"), owner)).collect()
            }
            Some(_) => {
                self.find(place, "this has to be a list of activities");
                Vec::new()
            }
        }
    }

    fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding::error(place, message));
    }

    /// How many findings keep the experiment from running.
    fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// An activity, or a `ref` to one of the method or the hypothesis.
    fn entry(&mut self, declared: &Value, place: &str, owner: Declared) -> Option<Activity> {
        let Some(map) = declared.as_object() else {
            self.find(place, "an activity is a mapping with type, name and provider");
            return None;
        };
        if let Some(judged) = owner.judged().filter(|_| !map.contains_key("tolerance")) {
            self.find(place, format!("{judged} needs a `tolerance`"));
        }
        let (target, target_place) = match map.get("ref") {
            None => (map, place.to_owned()),
            Some(reference) => {
                let name = reference.as_str().unwrap_or_default();
                let Some((target, target_place)) = self.referenced(name) else {
                    self.findings.push(
                        Finding::error(format!("{place}/ref"), format!("there is no activity {reference}"))
                            .hint("a `ref` names an activity of the method or of the hypothesis"),
                    );
                    return None;
                };
                (target, target_place)
            }
        };
        let mut activity = self.activity(target, &target_place)?;
        // A reference has a tolerance of its own or none; the method checks the one that is written with the activity.
        activity.tolerance = match map.get("tolerance") {
            None => None,
            // There will be nothing to hold against it.
            Some(_) if matches!(activity.call, Call::NotRehearsed(_)) => None,
            Some(tolerance) => {
                Some(Tolerance::parse(tolerance, self.variables, &format!("{place}/tolerance"), &mut self.findings)?)
            }
        };
        Some(activity)
    }

    /// The last activity of that name in the method and then in the hypothesis.
    fn referenced(&self, name: &str) -> Option<(&'a Map<String, Value>, String)> {
        let hypothesis = self.root.get("steady-state-hypothesis").and_then(|hypothesis| hypothesis.get("probes"));
        let lists = [(self.root.get("method"), "/method"), (hypothesis, "/steady-state-hypothesis/probes")];
        let mut found = None;
        for (list, place) in lists {
            for (at, item) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
                if let Some(map) = item.as_object()
                    && map.get("name").and_then(Value::as_str) == Some(name)
                {
                    found = Some((map, format!("{place}/{at}")));
                }
            }
        }
        found
    }

    fn activity(&mut self, map: &Map<String, Value>, place: &str) -> Option<Activity> {
        let before = self.errors();
        let kind = match map.get("type").and_then(Value::as_str) {
            Some("action") => Some(Kind::Action),
            Some("probe") => Some(Kind::Probe),
            _ => {
                self.find(format!("{place}/type"), "the type of an activity is `probe` or `action`");
                None
            }
        };
        let name = map.get("name").and_then(Value::as_str).unwrap_or_default();
        match map.get("name") {
            Some(Value::String(name)) if !name.is_empty() => {}
            Some(other @ (Value::Bool(_) | Value::Number(_))) => self.findings.push(
                Finding::error(
                    format!("{place}/name"),
                    format!("the name of an activity is a text, and this is {other}"),
                )
                .hint("YAML takes words such as on, off, yes and no for true and false: put them in quotes"),
            ),
            _ => self.find(format!("{place}/name"), "an activity needs a name"),
        }
        self.refuse_what_would_be_ignored(map, place);
        let timeout = map.get("timeout").and_then(|timeout| self.time(timeout, &format!("{place}/timeout")));
        let pauses = map.get("pauses").filter(|pauses| !pauses.is_null());
        let mut pause = |which: &str| {
            let pause = pauses?.get(which)?;
            self.time(pause, &format!("{place}/pauses/{which}"))
        };
        let (pause_before, pause_after) = (pause("before"), pause("after"));
        let call = self.provider(kind, map.get("provider"), &format!("{place}/provider"));
        if let (Some(Kind::Probe), Some(Call::Vm(call))) = (kind, &call)
            && call.function.kind() == Kind::Action
        {
            let message = format!("`{}` changes VMs and is an action, not a probe", call.function.name());
            self.find(format!("{place}/type"), message);
        }
        if self.errors() > before {
            return None;
        }
        Some(Activity {
            name: name.to_owned(),
            kind: kind?,
            declaration: Value::Object(map.clone()),
            tolerance: None,
            pause_before,
            pause_after,
            timeout,
            call: call?,
        })
    }

    /// What this engine does not do must not be passed over in silence.
    fn refuse_what_would_be_ignored(&mut self, map: &Map<String, Value>, place: &str) {
        if map.get("background").is_some_and(|background| *background != Value::Bool(false)) {
            self.find(format!("{place}/background"), "activities in the background are not supported yet");
        }
        self.findings.extend(refuse_controls(map, place, self.inputs.mode));
        if map.get("dry").is_some_and(|dry| !dry.is_null()) {
            self.findings.push(
                Finding::error(format!("{place}/dry"), "an activity cannot be dry on its own")
                    .hint("use a dry run or a rehearsal of the whole experiment"),
            );
        }
    }

    fn time(&mut self, declared: &Value, place: &str) -> Option<Duration> {
        let substituted = self.variables.substitute(declared);
        if substituted.value.is_null() {
            return None;
        }
        let time = native::seconds(&substituted.value);
        if time.is_none() {
            self.find(place, "this has to be seconds, 0 or more");
        }
        time
    }

    fn provider(&mut self, activity: Option<Kind>, declared: Option<&Value>, place: &str) -> Option<Call> {
        let Some(provider) = declared.and_then(Value::as_object) else {
            self.find(place, "an activity needs a `provider`, which is a mapping");
            return None;
        };
        let text = |key: &str| provider.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, module, function) = (text("type"), text("module"), text("func"));
        let foreign = match kind {
            "python" => !MODULES.contains(&module),
            _ if TYPES.contains(&kind) => true,
            _ => {
                self.find(format!("{place}/type"), "the type of a provider is `python`, `process` or `http`");
                return None;
            }
        };
        let looks = activity == Some(Kind::Probe) && self.inputs.rehearse_probes;
        if foreign && self.inputs.mode == RunMode::Rehearsal && !looks {
            return Some(Call::NotRehearsed(kind.to_owned()));
        }
        if TYPES.contains(&kind) {
            let mut reading = self.reading();
            return ProviderCall::read(kind, provider, place, &mut reading).map(Call::Provider);
        }
        if foreign {
            let message = format!("the module `{module}` is not one of {}", MODULES.join(", "));
            let hint = format!(
                "`{}` has {}; a provider of type `process` can run any program, Python too",
                MODULES[0],
                Function::names()
            );
            self.findings.push(Finding::error(format!("{place}/module"), message).hint(hint));
            return None;
        }
        let Some(function) = Function::parse(function) else {
            let message = format!("the module `{module}` has no function `{function}`");
            self.findings
                .push(Finding::error(format!("{place}/func"), message).hint(format!("it has {}", Function::names())));
            return None;
        };
        let none = Map::new();
        let place = format!("{place}/arguments");
        let arguments = match provider.get("arguments") {
            None | Some(Value::Null) => &none,
            Some(Value::Object(arguments)) => arguments,
            Some(_) => {
                self.find(place, "arguments are a mapping of names to values");
                return None;
            }
        };
        read_call(function, arguments, &place, &mut self.reading()).map(Call::Vm)
    }

    fn reading(&mut self) -> Reading<'_> {
        Reading {
            variables: self.variables,
            overrides: &self.inputs.overrides,
            without_connection: self.inputs.mode == RunMode::Rehearsal,
            findings: &mut self.findings,
            secrets: &mut self.secrets,
        }
    }
}
