//! Reads declared activities into what will be done, and gathers what is wrong with them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::RunMode;
use serde_json::{Map, Value};

use crate::activity::{Activity, Breaks, Call, Declared, Judge, More, StopCondition};
use crate::controls;
use crate::declared::{all_in, breaks, is_native, is_ours, referenced};
use crate::error::{Finding, Severity};
use crate::extensions::Extension;
use crate::inputs::Inputs;
use crate::late;
use crate::native::{self, Function, Kind, MODULES, Reading, read_call};
use crate::provider::{ProviderCall, TYPES};
use crate::strategy::Dry;
use crate::substitute::{Variables, mentions, step_references};
use crate::tolerance::{self, Tolerance};
use crate::validation;

/// How long is waited between two looks at a stop condition that does not say.
const DEFAULT_FREQUENCY: Duration = Duration::from_secs(1);
/// The shortest such wait: a server has other things to do.
const SHORTEST_FREQUENCY: Duration = Duration::from_millis(100);

/// What an activity comes down to that cannot be told before the run.
const NOT_KNOWN_YET: &str = "a value of the configuration is not known before the run";

/// Reads activities and gathers what is wrong with them.
pub(crate) struct Reader<'a> {
    pub(crate) root: &'a Map<String, Value>,
    pub(crate) inputs: &'a Inputs,
    pub(crate) variables: &'a Variables,
    pub(crate) findings: Vec<Finding>,
    pub(crate) secrets: BTreeSet<String>,
}

impl Reader<'_> {
    /// The probes of a declared hypothesis.
    pub(crate) fn hypothesis(&mut self, declared: Option<&Value>, place: &str) -> Vec<Activity> {
        let probes = self.list(declared, place, Declared::Hypothesis);
        // They only look: nothing may be touched before the method.
        for (at, probe) in probes.iter().enumerate().filter(|_| self.inputs.rules.keeps_probes_harmless()) {
            check_only_looks(probe, Declared::Hypothesis, &format!("{place}/{at}"), &mut self.findings);
        }
        probes
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
                check_only_looks(&probe, Declared::StopConditions, &place, &mut self.findings);
                if probe.more.retry.is_some() || probe.more.until.is_some() {
                    self.find(&place, "a stop condition is looked at again and again, and waits for nothing");
                }
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
                each.flat_map(|(at, item)| {
                    let place = format!("{place}/{at}");
                    match item.as_object().filter(|map| map.contains_key("parallel") && !map.contains_key("provider")) {
                        Some(group) => self.group(group, &place, owner),
                        None => self.entry(item, &place, owner).into_iter().collect(),
                    }
                })
                .collect()
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
    pub(crate) fn entry(&mut self, declared: &Value, place: &str, owner: Declared) -> Option<Activity> {
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
                let Some((target, target_place)) = referenced(self.root, name) else {
                    let message = format!("there is no activity {reference}");
                    if !self.inputs.validates {
                        // The run finds it.
                        return Some(Activity::broken(map, "", Breaks::Before, message));
                    }
                    let finding = Finding::error(format!("{place}/ref"), message);
                    self.findings.push(finding.hint("a `ref` names an activity of the method or of the hypothesis"));
                    return None;
                };
                (target, target_place)
            }
        };
        let mut activity = self.target(target, &target_place)?;
        // A reference has a tolerance of its own or none; the method checks the one that is written with the activity.
        activity.tolerance = match map.get("tolerance") {
            None => None,
            // There will be nothing to hold against it.
            Some(_) if matches!(activity.call, Call::NotRehearsed(_)) => None,
            Some(_) if owner == Declared::Steps && !self.inputs.rules.judges_steps() => {
                self.findings.extend(Extension::ASSERTIONS.used(format!("{place}/tolerance"), self.inputs));
                None
            }
            Some(tolerance) => Some(self.judge(tolerance, &format!("{place}/tolerance"))?),
        };
        activity.background = owner == Declared::Steps && map.get("background") == Some(&Value::Bool(true));
        Some(activity)
    }

    /// The activity that is declared at `place`. Where the rules say so, what is wrong with its values only comes out when
    /// its turn comes.
    pub(crate) fn target(&mut self, map: &Map<String, Value>, place: &str) -> Option<Activity> {
        if map.values().any(|value| self.is_pending(value)) {
            validation::activity(map, place, self.inputs, &mut self.findings);
            return Some(Activity::broken(map, place, Breaks::Run, NOT_KNOWN_YET.to_owned()));
        }
        if self.inputs.rules.refuses_bad_values() {
            return self.activity(map, place);
        }
        let before = self.errors();
        if self.inputs.validates {
            validation::activity(map, place, self.inputs, &mut self.findings);
            let mut found = Vec::new();
            controls::of_owner(map, place, self.inputs, &mut found);
            self.findings.extend(found.into_iter().filter(|finding| finding.severity == Severity::Error));
        }
        let is_valid = self.errors() == before;
        let told = std::mem::take(&mut self.findings);
        let activity = self.activity(map, place);
        let problems = std::mem::replace(&mut self.findings, told);
        let (errors, warnings): (Vec<Finding>, Vec<Finding>) =
            problems.into_iter().partition(|finding| finding.severity == Severity::Error);
        self.findings.extend(warnings);
        match activity {
            Some(activity) => Some(activity),
            None if !is_valid => None,
            // What would be done to a VM is never guessed.
            None if is_ours(map) && self.inputs.validates => {
                self.findings.extend(errors);
                None
            }
            None => {
                if all_in(&errors, &format!("{place}/pauses/after"))
                    && let Some(activity) = self.without_pause_after(map, place)
                {
                    let breaks_behind = Some(self.left_to_the_run(errors));
                    return Some(Activity { breaks_behind, ..activity });
                }
                let how = breaks(map, &errors, place);
                Some(Activity::broken(map, place, how, self.left_to_the_run(errors)))
            }
        }
    }

    /// Whether a value depends on one that only the run knows.
    fn is_pending(&self, value: &Value) -> bool {
        self.variables.pending.iter().any(|name| mentions(value, name))
    }

    /// What an output is held against.
    pub(crate) fn judge(&mut self, declared: &Value, place: &str) -> Option<Judge> {
        if self.is_pending(declared) {
            return Some(Judge::Never(NOT_KNOWN_YET.to_owned()));
        }
        if self.waits_for_steps(declared) {
            return Some(Judge::Later { declared: declared.clone(), place: place.to_owned() });
        }
        let is_probe = declared.get("type").and_then(Value::as_str) == Some("probe");
        let strict = self.inputs.rules.refuses_bad_values();
        if self.inputs.validates && (is_probe || !strict) {
            let before = self.errors();
            tolerance::validate(declared, place, &mut self.findings);
            if let Some(probe) = declared.as_object().filter(|_| is_probe) {
                validation::activity(probe, place, self.inputs, &mut self.findings);
            }
            if self.errors() > before {
                return None;
            }
        }
        if is_probe {
            let name = declared.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            return match declared.get("provider").and_then(Value::as_object) {
                Some(provider) if provider.get("arguments").is_some_and(Value::is_object) => {
                    Some(Judge::Probe { name, provider: provider.clone(), place: format!("{place}/provider") })
                }
                _ => {
                    let why = "a probe that is a tolerance needs `arguments`, a mapping, to take the value";
                    if strict {
                        self.find(format!("{place}/provider"), why);
                        return None;
                    }
                    Some(Judge::Never(why.to_owned()))
                }
            };
        }
        if strict {
            return Tolerance::parse(declared, self.variables, place, &mut self.findings).map(Judge::Tolerance);
        }
        let mut problems = Vec::new();
        let tolerance = Tolerance::parse(declared, self.variables, place, &mut problems);
        Some(match tolerance {
            Some(tolerance) => Judge::Tolerance(tolerance),
            None => Judge::Never(self.left_to_the_run(problems)),
        })
    }

    /// An activity whose pause behind it is none: it runs as any other does.
    fn without_pause_after(&mut self, map: &Map<String, Value>, place: &str) -> Option<Activity> {
        let mut rest = map.clone();
        rest.get_mut("pauses")?.as_object_mut()?.shift_remove("after");
        let activity = self.activity(&rest, place)?;
        Some(Activity { declaration: Value::Object(map.clone()), ..activity })
    }

    /// What is wrong and only comes out when its turn comes.
    fn left_to_the_run(&mut self, problems: Vec<Finding>) -> String {
        let why: Vec<String> = problems.iter().map(|finding| finding.message.clone()).collect();
        let later = |finding: Finding| Finding { severity: Severity::Warning, ..finding };
        self.findings.extend(problems.into_iter().map(later));
        why.join("; ")
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
        validation::background(map, place, &mut self.findings);
        let controls = controls::of_owner(map, place, self.inputs, &mut self.findings);
        let dry = Dry::declared(map.get("dry").unwrap_or(&Value::Null));
        if dry.is_none() {
            self.findings.push(
                Finding::error(format!("{place}/dry"), "this is no way for an activity to be dry")
                    .hint("write true, or one of probes, actions, activities, pause"),
            );
        }
        // Where it limits nothing, what is wrong with it does not matter.
        let timeout = map.get("timeout").filter(|_| self.inputs.rules.honours_activity_timeout());
        let timeout = timeout.and_then(|timeout| self.time(timeout, &format!("{place}/timeout")));
        let pauses = map.get("pauses").filter(|pauses| !pauses.is_null());
        let mut pause = |which: &str| {
            let pause = pauses?.get(which)?;
            self.time(pause, &format!("{place}/pauses/{which}"))
        };
        let (pause_before, pause_after) = (pause("before"), pause("after"));
        let late = map.get("provider").and_then(Value::as_object).filter(|_| !is_native(map));
        let late = late.filter(|provider| provider.values().any(|value| self.waits_for_steps(value)));
        let written = late.map(|provider| Value::Object(late::stand_in(provider)));
        let call = self.provider(kind, written.as_ref().or(map.get("provider")), &format!("{place}/provider"));
        let (retry, until) = (self.retry(map, place, call.as_ref()), self.until(map, place, kind));
        if let (Some(Kind::Probe), Some(Call::Vm(call))) = (kind, &call)
            && call.function.kind() == Kind::Action
            && self.inputs.rules.keeps_probes_harmless()
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
            place: place.to_owned(),
            controls,
            tolerance: None,
            dry: dry.flatten(),
            background: false,
            pause_before,
            pause_after,
            breaks_behind: None,
            timeout,
            call: call?,
            more: More { group: None, retry, until, provider: late.map(|provider| Arc::new(provider.clone())) },
        })
    }

    /// Whether a value depends on the output of an earlier step that is not there yet.
    fn waits_for_steps(&self, value: &Value) -> bool {
        let known = &self.variables.steps;
        self.inputs.rules.knows_extensions() && step_references(value).iter().any(|step| !known.contains_key(step))
    }

    pub(crate) fn time(&mut self, declared: &Value, place: &str) -> Option<Duration> {
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

    pub(crate) fn provider(&mut self, activity: Option<Kind>, declared: Option<&Value>, place: &str) -> Option<Call> {
        let Some(provider) = declared.and_then(Value::as_object) else {
            self.find(place, "an activity needs a `provider`, which is a mapping");
            return None;
        };
        let text = |key: &str| provider.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, module, function) = (text("type"), text("module"), text("func"));
        let foreign = match kind {
            "python" => !MODULES.contains(&module),
            _ if TYPES.contains(&kind) || self.inputs.providers.has(kind) => true,
            _ => {
                self.find(format!("{place}/type"), "the type of a provider is `python`, `process` or `http`");
                return None;
            }
        };
        let looks = activity == Some(Kind::Probe) && self.inputs.rehearse_probes;
        if foreign && self.inputs.mode == RunMode::Rehearsal && !looks {
            return Some(Call::NotRehearsed(kind.to_owned()));
        }
        if foreign {
            // A script that is handed to Python may be full of what looks like names.
            let refuses = activity == Some(Kind::Action) && kind != "python" && self.inputs.rules.refuses_bad_values();
            let refuses_unresolved = refuses && !self.variables.is_empty();
            let mut reading = Reading { refuses_unresolved, ..self.reading() };
            return ProviderCall::read(kind, provider, place, &mut reading).map(Call::Provider);
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
            exported: &self.inputs.exported,
            providers: &self.inputs.providers,
            rules: self.inputs.rules,
            refuses_unresolved: false,
            names_extensions: self.inputs.names_extensions,
            without_connection: self.inputs.mode == RunMode::Rehearsal,
            findings: &mut self.findings,
            secrets: &mut self.secrets,
        }
    }
}

fn check_only_looks(probe: &Activity, declared: Declared, place: &str, findings: &mut Vec<Finding>) {
    let looks = declared.only_looks();
    if probe.kind == Kind::Action && probe.vm_call().is_none() {
        findings.push(Finding::error(place, format!("`{}` is an action: {looks}", probe.name)));
    }
    if let Some(call) = probe.vm_call().filter(|call| call.function.kind() == Kind::Action) {
        let function = call.function.name();
        findings.push(Finding::error(place, format!("`{}` changes VMs by `{function}`: {looks}", probe.name)));
    }
}
