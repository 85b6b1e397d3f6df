//! Asks a Dora inventory service what an environment has: hypervisors, and VMs by state.
//!
//! Against the service that `DORA_HOST`, `DORA_USERNAME` and `DORA_PASSWORD` name (with `DORA_API_PORT` and `DORA_AUTH_PORT`
//! where they are not the usual ones), about the environment that is given as argument; without them against a simulated
//! one:
//!
//! ```text
//! cargo run -p chaos-examples --example dora_inventory -- Dev1
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::env;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chaos_core::{Context, EnvironmentSummary};
use chaos_dora::{Catalogue, Client, Config, HostFilter};
use chaos_sim::{Door, Sim};

#[tokio::main]
async fn main() -> Result<()> {
    let environment = env::args().nth(1).unwrap_or_else(|| "Dev1".to_owned());
    let Ok(host) = env::var("DORA_HOST") else {
        println!("DORA_HOST is not set: this is a simulated service\n");
        let sim = Sim::builder().doors([Door::Dora]).start().await?;
        let mut config = Config::new("127.0.0.1", "chaos", "chaos".into());
        (config.api_port, config.auth_port) = (sim.address().port(), sim.address().port());
        // The simulated hosts have other names than those that the environment's filter means.
        show(config, &environment, &HostFilter::Omit).await?;
        sim.shutdown().await;
        return Ok(());
    };
    let user = env::var("DORA_USERNAME").context("DORA_USERNAME is not set")?;
    let password = env::var("DORA_PASSWORD").context("DORA_PASSWORD is not set")?;
    let mut config = Config::new(host, user, password.into());
    if let Ok(port) = env::var("DORA_API_PORT") {
        config.api_port = port.parse().context("DORA_API_PORT is no port")?;
    }
    if let Ok(port) = env::var("DORA_AUTH_PORT") {
        config.auth_port = port.parse().context("DORA_AUTH_PORT is no port")?;
    }
    show(config, &environment, &HostFilter::OfEnvironment).await
}

async fn show(config: Config, environment: &str, filter: &HostFilter) -> Result<()> {
    let catalogue = Catalogue::builtin();
    let environment = catalogue.get(environment)?;
    let cx = Context::with_timeout(Duration::from_mins(5));
    let data = Client::new(config)?.environment_data(&cx, environment, filter).await?;

    println!("{} (vCenter {}) at {}\n", environment.name, environment.vcenter, data.timestamp);
    for hypervisor in &data.hypervisors {
        let status = hypervisor.metadata.get("status").map_or("-", String::as_str);
        println!("{status:<8} {}", hypervisor.name);
    }
    let summary = EnvironmentSummary::of(&data.vms);
    println!("\n{} VMs, {} vCPUs, {} MiB", summary.vms, summary.cpu_count, summary.memory_mb);
    for (state, count) in &summary.by_state {
        println!("{count:>8} {state}");
    }
    Ok(())
}
