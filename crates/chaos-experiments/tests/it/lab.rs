//! What these tests share: an estate on a clock of its own, and short ways to write and run experiments.

use std::time::Duration;

use chaos_core::{
    Context, Error, EventSink, PlatformKind, RunEvent, RunEventKind, RunId, SharedClock, SystemClock, VMPowerState,
};
use chaos_experiments::{
    Document, Environment, Experiment, Findings, Inputs, MemorySink, Overrides, ResolvedExperiment, RunOptions,
    RunReport, Template,
};
use chaos_testkit::{EstateSpec, MemoryEstate, MemorySource, TestClock};
use serde_json::{Value, json};

/// An estate, a way to it, and the context of a run.
pub(crate) struct Lab {
    pub(crate) estate: MemoryEstate,
    pub(crate) source: MemorySource,
    pub(crate) cx: Context,
}

impl Lab {
    /// Only in tests with paused time, which then passes by itself.
    pub(crate) fn new(spec: &EstateSpec) -> Self {
        Self::on(spec, TestClock::auto().shared())
    }

    /// The same with an estate of OLVM.
    pub(crate) fn olvm(spec: &EstateSpec) -> Self {
        Self::of(&PlatformKind::OLVM, spec, TestClock::auto().shared())
    }

    pub(crate) fn on(spec: &EstateSpec, clock: SharedClock) -> Self {
        Self::of(&PlatformKind::VSPHERE, spec, clock)
    }

    fn of(kind: &PlatformKind, spec: &EstateSpec, clock: SharedClock) -> Self {
        let estate = MemoryEstate::of_kind(kind.clone(), spec, clock.clone());
        let source = MemorySource::of(kind.as_str(), &estate);
        let cx = Context::on_clock(clock, Duration::from_hours(2)).run(RunId::new("run-1"));
        Self { estate, source, cx }
    }

    pub(crate) fn with(names: &[&str]) -> Self {
        Self::new(&EstateSpec::of(names.iter().copied()))
    }

    /// For what goes on outside of this process, whose time cannot be paused.
    pub(crate) fn in_real_time(names: &[&str]) -> Self {
        Self::on(&EstateSpec::of(names.iter().copied()), SystemClock::shared())
    }

    pub(crate) async fn resolve(&self, experiment: Experiment) -> Result<ResolvedExperiment, Error> {
        experiment.resolve(&self.cx, &self.source).await
    }

    pub(crate) async fn run(&self, experiment: Experiment) -> (RunReport, Vec<RunEvent>) {
        let sink = MemorySink::default();
        let report = self.run_with(experiment, &sink).await;
        (report, sink.events())
    }

    pub(crate) async fn run_with(&self, experiment: Experiment, sink: &dyn EventSink) -> RunReport {
        let resolved = self.resolve(experiment).await.expect("every VM is there");
        resolved.run(&self.cx, sink, &options()).await
    }

    pub(crate) fn state(&self, name: &str) -> VMPowerState {
        self.estate.power_state(name).expect("the VM is there")
    }

    /// How many calls that change something reached the server.
    pub(crate) fn destructive_calls(&self) -> usize {
        self.estate.calls().iter().filter(|call| call.kind.is_destructive()).count()
    }
}

pub(crate) fn options() -> RunOptions {
    let mut options = RunOptions::default();
    options.node = "laptop".into();
    options
}

pub(crate) fn action(name: &str, function: &str, mut arguments: Value) -> Value {
    arguments["platform_type"] = "vsphere".into();
    json!({"type": "action", "name": name, "provider":
        {"type": "python", "module": "chaosmonkey.vm", "func": function, "arguments": arguments}})
}

pub(crate) fn probe(name: &str, function: &str, arguments: Value, tolerance: Value) -> Value {
    let mut probe = action(name, function, arguments);
    probe["type"] = "probe".into();
    probe["tolerance"] = tolerance;
    probe
}

/// An experiment of a method and rollbacks.
pub(crate) fn document(method: &[Value], rollbacks: &[Value]) -> Value {
    json!({"title": "t", "description": "d", "method": method, "rollbacks": rollbacks})
}

pub(crate) fn with_hypothesis(mut document: Value, probes: &[Value]) -> Value {
    document["steady-state-hypothesis"] = json!({"title": "all is well", "probes": probes});
    document
}

pub(crate) fn inputs(overrides: &[&str]) -> Inputs {
    Inputs::new(Overrides::parse(overrides).unwrap()).environment(Environment::default())
}

pub(crate) fn read(document: Value) -> Result<Experiment, Findings> {
    read_with(document, &inputs(&[]))
}

pub(crate) fn read_with(document: Value, inputs: &Inputs) -> Result<Experiment, Findings> {
    Experiment::new(&Document::from_value("e.json", document).unwrap(), inputs)
}

/// An experiment from a template.
pub(crate) fn rendered(template: &str, overrides: &[&str]) -> Experiment {
    let overrides = Overrides::parse(overrides).unwrap();
    let (document, connection) = Template::find(template).unwrap().render(&overrides).unwrap();
    Experiment::new(&document, &Inputs::new(connection).environment(Environment::default())).unwrap()
}

/// The kinds of events, in order, as they are written.
pub(crate) fn kinds(events: &[RunEvent]) -> Vec<String> {
    events
        .iter()
        .map(|event| serde_json::to_value(&event.event).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect()
}

pub(crate) fn count(events: &[RunEvent], wanted: impl Fn(&RunEventKind) -> bool) -> usize {
    events.iter().filter(|event| wanted(&event.event)).count()
}
