//! Shuts a VM down by its guest and powers it on again, with everything that happens on the way.
//!
//! Without arguments it works on a simulated vCenter that lives in this process. With `VSPHERE_SERVER`, `VSPHERE_USERNAME` and
//! `VSPHERE_PASSWORD` set and the name of a VM as its argument it works on that one: `cargo run -p chaos-examples --example
//! vsphere_power_cycle -- web-01`.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::env;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chaos_core::{Context, Platform, PlatformExt, Progress, ProgressSink, Selector, Stop};
use chaos_sim::Sim;
use chaos_vsphere::{Config, TlsTrust, VSphere};

/// Prints each step of each VM.
#[derive(Debug)]
struct Steps;

impl ProgressSink for Steps {
    fn report(&self, progress: Progress) {
        println!("  {}: {:?}", progress.name, progress.step);
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let name = env::args().nth(1);
    if let Ok(server) = env::var("VSPHERE_SERVER") {
        let username = env::var("VSPHERE_USERNAME").context("VSPHERE_USERNAME is not set")?;
        let password = env::var("VSPHERE_PASSWORD").context("VSPHERE_PASSWORD is not set")?;
        let name = name.context("say which VM: it is going to be shut down")?;
        let mut config = Config::new(server, username, password.into());
        if env::var("VSPHERE_INSECURE").is_ok_and(|value| value == "true") {
            config.trust = TlsTrust::Insecure;
        }
        let cx = Context::with_timeout(Duration::from_mins(15)).progress_to(Arc::new(Steps));
        return power_cycle(&cx, config, &name).await;
    }
    // A world with a demo estate, in which a minute takes six seconds.
    let sim = Sim::builder().speed(10.0).start().await?;
    let clock = Arc::new(sim.world().clock().clone());
    let cx = Context::on_clock(clock, Duration::from_mins(15)).progress_to(Arc::new(Steps));
    let result =
        power_cycle(&cx, Config::new(sim.url(), "chaos", "chaos".into()), name.as_deref().unwrap_or("web-01")).await;
    sim.shutdown().await;
    result
}

async fn power_cycle(cx: &Context, config: Config, name: &str) -> anyhow::Result<()> {
    let client = VSphere::connect(cx, config).await?;
    println!("connected to {}", client.identity().description);
    let result = cycle(cx, &client, name).await;
    // Whatever happened: a session that is left behind takes one of a limited number.
    client.disconnect(&cx.detached(Duration::from_secs(30))).await?;
    result
}

async fn cycle(cx: &Context, client: &VSphere, name: &str) -> anyhow::Result<()> {
    let found = client.discover(cx, &Selector::all()).await?;
    println!("{} VMs, of which {} could not be read in full", found.vms.len(), found.problems.len());

    println!("shutting {name} down");
    let off = client.power_off(cx, name, Stop::graceful()).await?;
    println!("it is {} ({}) after {:.1} s", off.state, off.how, off.duration.as_secs_f64());

    println!("powering {name} on");
    let on = client.power_on(cx, name).await?;
    println!("it is {} ({}) after {:.1} s", on.state, on.how, on.duration.as_secs_f64());
    Ok(())
}
