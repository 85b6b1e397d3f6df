//! Serves a simulated vCenter, ESXi host, engine or Dora service until Ctrl-C:
//! `cargo run -p chaos-sim --example serve -- [VMS|demo|odd] [PORT] [tls|esxi|olvm|dora]`.

use std::net::SocketAddr;

use chaos_sim::{Door, Estate, Flavour, Sim};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example tells where it is")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let estate = match arguments.next().as_deref() {
        None | Some("demo") => Estate::demo(),
        Some("odd") => Estate::odd(),
        Some(count) => Estate::of_size(count.parse()?),
    };
    let port: u16 = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let builder = Sim::builder().estate(estate).listen(SocketAddr::from(([127, 0, 0, 1], port)));
    let sim = match arguments.next().as_deref() {
        Some("tls") => builder.tls(true),
        Some("olvm") => builder.olvm(),
        Some("dora") => builder.doors([Door::Dora]),
        Some("esxi") => builder.flavour(Flavour::Esxi),
        _ => builder,
    };
    let begun = std::time::Instant::now();
    let sim = sim.start().await?;
    println!("{} ({} VMs, started in {:?})", sim.url(), sim.world().vms().len(), begun.elapsed());
    tokio::signal::ctrl_c().await?;
    sim.shutdown().await;
    Ok(())
}
