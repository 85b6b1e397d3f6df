//! Lists the VMs of an engine of Oracle Linux Virtualization Manager or oVirt, and sums them up.
//!
//! Against the engine that `OLVM_URL`, `OLVM_USERNAME` and `OLVM_PASSWORD` name (certificates are checked by `OLVM_CA_FILE`
//! or the system's roots, unless `OLVM_INSECURE=true`); without them against a simulated engine:
//!
//! ```text
//! cargo run -p chaos-examples --example olvm_discover
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::env;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chaos_core::{Context, EnvironmentSummary, Platform, Selector};
use chaos_olvm::{Config, Olvm, TlsTrust};
use chaos_sim::Sim;

#[tokio::main]
async fn main() -> Result<()> {
    let Ok(url) = env::var("OLVM_URL") else {
        println!("OLVM_URL is not set: this is a simulated engine\n");
        let sim = Sim::builder().olvm().start().await?;
        list(Config::new(sim.url(), "chaos@internal", "chaos".into())).await?;
        sim.shutdown().await;
        return Ok(());
    };
    let user = env::var("OLVM_USERNAME").context("OLVM_USERNAME is not set")?;
    let password = env::var("OLVM_PASSWORD").context("OLVM_PASSWORD is not set")?;
    let mut config = Config::new(url, user, password.into());
    if let Ok(file) = env::var("OLVM_CA_FILE") {
        config.trust = TlsTrust::CaFile(file.into());
    } else if env::var("OLVM_INSECURE").is_ok_and(|text| text == "true") {
        config.trust = TlsTrust::Insecure;
    }
    list(config).await
}

async fn list(config: Config) -> Result<()> {
    let cx = Context::with_timeout(Duration::from_mins(5));
    let olvm = Olvm::connect(&cx, config).await?;
    println!("{}\n", olvm.identity().description);

    let found = olvm.discover(&cx, &Selector::all()).await?;
    for vm in &found.vms {
        let host = vm.host.as_deref().unwrap_or("-");
        println!("{:<18} {:<48} {host}", vm.native_state, vm.display_path());
    }
    for problem in &found.problems {
        println!("{}: {}", problem.subject, problem.message);
    }

    let summary = EnvironmentSummary::of(&found.vms);
    println!("\n{} VMs, {} vCPUs, {} MiB", summary.vms, summary.cpu_count, summary.memory_mb);
    olvm.disconnect(&cx).await?;
    Ok(())
}
