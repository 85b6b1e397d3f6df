//! Lists the VMs of a vCenter or ESXi host, and sums the environment up.
//!
//! Against the server that `VSPHERE_SERVER`, `VSPHERE_USERNAME` and `VSPHERE_PASSWORD` name (certificates are checked
//! unless `VSPHERE_INSECURE=true`); without them against a simulated vCenter:
//!
//! ```text
//! cargo run -p chaos-examples --example vsphere_discover
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::env;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chaos_core::{Context, Platform};
use chaos_sim::Sim;
use chaos_vsphere::{Config, TlsTrust, VSphere};

#[tokio::main]
async fn main() -> Result<()> {
    let Ok(server) = env::var("VSPHERE_SERVER") else {
        println!("VSPHERE_SERVER is not set: this is a simulated vCenter\n");
        let sim = Sim::builder().start().await?;
        list(Config::new(sim.url(), "chaos", "chaos".into())).await?;
        sim.shutdown().await;
        return Ok(());
    };
    let user = env::var("VSPHERE_USERNAME").context("VSPHERE_USERNAME is not set")?;
    let password = env::var("VSPHERE_PASSWORD").context("VSPHERE_PASSWORD is not set")?;
    let mut config = Config::new(server, user, password.into());
    if env::var("VSPHERE_INSECURE").is_ok_and(|text| text == "true") {
        config.trust = TlsTrust::Insecure;
    }
    list(config).await
}

async fn list(config: Config) -> Result<()> {
    let cx = Context::with_timeout(Duration::from_mins(5));
    let vsphere = VSphere::connect(&cx, config).await?;
    println!("{}\n", vsphere.identity().description);

    let found = vsphere.discovery().all(&cx).await?;
    for vm in &found.vms {
        let note = match (&vm.unmanageable, vm.template) {
            (Some(reason), _) => format!("  ({reason})"),
            (None, true) => "  (template)".to_owned(),
            (None, false) => String::new(),
        };
        println!("{:<11} {:<48} {}{note}", vm.power_state, vm.display_path(), vm.cluster.as_deref().unwrap_or("-"));
    }
    for problem in &found.problems {
        println!("{}: {}", problem.subject, problem.message);
    }

    let summary = vsphere.discovery().summary(&cx).await?.summary;
    println!(
        "\n{} VMs and {} templates, {} vCPUs, {} MiB",
        summary.vms, summary.templates, summary.cpu_count, summary.memory_mb
    );
    for (state, count) in summary.by_state.iter().filter(|(_, count)| **count > 0) {
        println!("{count:>6} {state}");
    }
    vsphere.disconnect(&cx).await?;
    Ok(())
}
