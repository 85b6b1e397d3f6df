//! How long it takes to start a large estate, and to serve all of it page by page.

use std::hint::black_box;

use chaos_sim::Sim;
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;

#[path = "../tests/it/client.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "the client of the tests, of which only a part is used here")]
mod client;

use client::{COLLECTOR, Client, whole_inventory};

const VMS: usize = 10_000;

async fn start() -> Sim {
    Sim::builder().vms(VMS).start().await.expect("a free port and a plain estate")
}

/// Reads every VM; tells how many bytes that was.
async fn read_all(client: &Client) -> usize {
    let paths = ["name", "parent", "runtime.powerState", "runtime.host", "summary.config", "guest.toolsRunningStatus"];
    let first = format!("{}<options></options>", whole_inventory("specSet", "VirtualMachine", &paths));
    let mut answer = client.ask("RetrievePropertiesEx", COLLECTOR, &first).await;
    let mut bytes = answer.bytes.len();
    while let Some(token) = answer.first("token") {
        let next = format!("<token>{token}</token>");
        answer = client.ask("ContinueRetrievePropertiesEx", COLLECTOR, &next).await;
        bytes += answer.bytes.len();
    }
    bytes
}

fn world(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("simulator");
    group.sample_size(10);
    group.bench_function("start 10,000 VMs", |bencher| {
        bencher.to_async(&runtime).iter(|| async { black_box(start().await) });
    });
    let (_sim, client) = runtime.block_on(async {
        let sim = start().await;
        let client = Client::login(&sim).await;
        (sim, client)
    });
    group.bench_function("read 10,000 VMs in pages", |bencher| {
        bencher.to_async(&runtime).iter(|| async { black_box(read_all(&client).await) });
    });
    group.finish();
}

criterion_group!(benches, world);
criterion_main!(benches);
