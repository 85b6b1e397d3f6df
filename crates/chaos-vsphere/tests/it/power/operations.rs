//! Each operation, from each state, with the guests that there are.

use chaos_core::{How, PlatformExt, Stop, VMPowerState};
use chaos_sim::{Sim, VmSpec};

use super::Bench;

#[tokio::test]
async fn a_guest_is_shut_down_and_the_vm_is_off() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
    let outcome = bench.client.power_off(&bench.cx, "one", Stop::graceful()).await.unwrap();
    assert_eq!((outcome.how, outcome.state), (How::GuestShutdown, VMPowerState::PoweredOff));
    assert_eq!(bench.state("one").await, VMPowerState::PoweredOff);
    assert_eq!(bench.calls("PowerOffVM_Task"), 0);
    let outcome = bench.client.power_on(&bench.cx, "one").await.unwrap();
    assert_eq!((outcome.how, outcome.state), (How::PoweredOn, VMPowerState::PoweredOn));
}
