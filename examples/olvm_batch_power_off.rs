//! Powers several VMs of a simulated engine off, three at a time, and puts each back to the state it was found in.
//!
//! One of them was off before and stays off; the guest of another hangs and is stopped hard.
//!
//! ```text
//! cargo run -p chaos-examples --example olvm_batch_power_off
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Result;
use chaos_core::{Context, Platform, PlatformExt, Stop};
use chaos_olvm::{Config, Olvm};
use chaos_sim::{Guest, OnShutdown, Power, Sim, Timing, VmSpec};

#[tokio::main]
async fn main() -> Result<()> {
    let hangs = Guest { on_shutdown: OnShutdown::Hangs, ..Guest::default() };
    let sim = Sim::builder()
        .olvm()
        .timing(Timing::fast())
        .vm(VmSpec::new("drill-01"))
        .vm(VmSpec::new("drill-02").power(Power::Off))
        .vm(VmSpec::new("drill-03").guest(hangs))
        .start()
        .await?;
    let cx = Context::with_timeout(Duration::from_mins(1)).reason("an example");
    let olvm = Olvm::connect(&cx, Config::new(sim.url(), "chaos@internal", "chaos".into())).await?;

    let stop = Stop::GuestThenHard { grace: Duration::from_secs(2), hard: Duration::from_secs(10) };
    let parallel = NonZeroUsize::new(3).expect("3 is not 0");
    let reports = olvm.batch_power_off(&cx, &["drill-01", "drill-02", "drill-03"], stop, parallel).await?;
    for report in &reports {
        match &report.result {
            Ok(outcome) => println!("{}: {} in {:.1?}", report.name, outcome.how, outcome.duration),
            Err(error) => println!("{}: {error}", report.name),
        }
    }
    for undo in reports.iter().rev().filter_map(|report| report.undo.as_ref()) {
        let outcome = olvm.undo(&cx, undo).await?;
        println!("{}: {} again ({})", undo.name, outcome.state, outcome.how);
    }
    olvm.disconnect(&cx).await?;
    sim.shutdown().await;
    Ok(())
}
