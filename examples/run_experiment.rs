//! Runs an experiment on a simulated estate in this process, and prints what happens while it happens.
//!
//! A program that embeds the engine brings along where the VMs are, the clock, what is told of the run, and kinds of
//! activities of its own: `cargo run -p chaos-examples --example run_experiment`.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use async_trait::async_trait;
use chaos_core::{Context, Error, EventSink, PlatformSource, RunEvent, RunEventKind, TargetPattern};
use chaos_experiments::{Document, Experiment, Inputs, Overrides, Provider, Providers, RunOptions, Verdict};
use chaos_orchestrator::RehearsalSource;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

/// What the experiment looks at: here the orders that the shop of this program has taken.
#[derive(Debug, Default)]
struct Orders(AtomicU64);

#[async_trait]
impl Provider for Orders {
    fn check(&self, provider: &Map<String, Value>) -> Result<(), String> {
        match provider.get("shop") {
            Some(Value::String(_)) => Ok(()),
            _ => Err("`shop` names the shop whose orders are counted".to_owned()),
        }
    }

    async fn call(&self, _: &Context, _: &Map<String, Value>) -> Result<Value, Error> {
        Ok(self.0.fetch_add(1, Ordering::Relaxed).into())
    }
}

/// Events, as a stream. A sink accepts each event before the next step of the run.
#[derive(Debug)]
struct Events(mpsc::UnboundedSender<RunEvent>);

#[async_trait]
impl EventSink for Events {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        // Nobody listens any more: the run goes on all the same.
        let _ = self.0.send(event.clone());
        Ok(())
    }
}

fn experiment() -> Value {
    let web_01 = |function: &str| {
        json!({"type": "python", "module": "chaosmonkey.vm", "func": function,
            "arguments": {"platform_type": "vsphere", "vm_name": "web-01"}})
    };
    json!({
        "title": "the shop takes orders while web-01 is off",
        "description": "one of two web servers is shut down",
        "steady-state-hypothesis": {"title": "orders are taken", "probes": [
            {"type": "probe", "name": "orders", "tolerance": {"type": "range", "range": [0, 1_000_000]},
             "provider": {"type": "orders", "shop": "main"}},
            {"type": "probe", "name": "web-01 is there", "tolerance": true, "provider": web_01("vm_exists")}
        ]},
        "method": [
            {"type": "action", "name": "shut web-01 down", "provider": web_01("vm_power_off"), "pauses": {"after": 30}}
        ]
    })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let document = Document::from_value("shop", experiment())?;
    let providers = Providers::default().with("orders", Orders::default());
    let experiment = Experiment::new(&document, &Inputs::new(Overrides::none()).providers(providers))?;

    // A simulated vCenter with the VMs that the experiment names, on a clock that runs ahead.
    let named = experiment.vms().into_iter().map(|vm| vm.target.parse()).collect::<Result<Vec<TargetPattern>, _>>()?;
    let source = RehearsalSource::start(&named).await?;
    let cx = Context::on_clock(source.clock(), Duration::from_hours(1)).reason("an example");
    let resolved = experiment.resolve(&cx, &source).await?;
    println!("{}", resolved.plan());

    let (tell, mut events) = mpsc::unbounded_channel();
    let (sink, options) = (Events(tell), RunOptions::default());
    let run = async {
        let report = resolved.run(&cx, &sink, &options).await;
        drop(sink);
        report
    };
    let listen = async {
        while let Some(event) = events.recv().await {
            println!("{:>3} {} {}", event.sequence, event.at, words(&event.event));
        }
    };
    let (report, ()) = tokio::join!(run, listen);
    source.close(&cx.detached(Duration::from_secs(30))).await?;
    println!("{}: {}", report.verdict, report.reason.as_deref().unwrap_or("everything is back as it was found"));
    ensure!(report.verdict == Verdict::Completed, "the experiment did not complete");
    Ok(())
}

fn words(event: &RunEventKind) -> String {
    match event {
        RunEventKind::ActivityStarted { section, activity } => format!("{section}: {}", activity["name"]),
        RunEventKind::ActivityEnded { output, .. } => format!("gave {output}"),
        RunEventKind::Sent { .. } => "a call leaves".to_owned(),
        RunEventKind::Undone { outcome, .. } => format!("put back: {}", outcome.state),
        RunEventKind::RunEnded { status, .. } => format!("the run is over: {status}"),
        other => format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_owned(),
    }
}
