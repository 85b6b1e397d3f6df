//! Undo: back to what was found, by whatever leads there, as often as one likes.

use chaos_core::{ErrorKind, Fault, How, Platform, PlatformExt, Stop, Undo, VMPowerState};
use chaos_sim::{Power, Sim, VmSpec};

use super::Bench;

async fn prepared(bench: &Bench, name: &str, fault: Fault) -> Undo {
    let target = bench.target(name).await;
    bench.client.prepare(&bench.cx, &[target], &fault).await.pop().unwrap().unwrap()
}

#[tokio::test]
async fn every_state_is_found_again_from_every_other() {
    let start = |power| Sim::builder().vm(VmSpec::new("one").power(power));
    let cases = [
        (Power::On, Fault::power_off(Stop::hard()), Power::Off, How::PoweredOn),
        (Power::On, Fault::suspend(), Power::Suspended, How::Resumed),
        (Power::Off, Fault::power_on(), Power::On, How::GuestShutdown),
        (Power::Off, Fault::power_on(), Power::Suspended, How::HardPowerOff),
        (Power::Suspended, Fault::power_on(), Power::On, How::Suspended),
    ];
    for (found, fault, now, how) in cases {
        let bench = Bench::start(start(found)).await;
        let undo = prepared(&bench, "one", fault).await;
        let undo: Undo = serde_json::from_str(&serde_json::to_string(&undo).unwrap()).unwrap();
        bench.sim.world().set_power("one", now).unwrap();
        bench.sim.world().settle();
        let outcome = bench.client.undo(&bench.cx, &undo).await.unwrap();
        assert_eq!((outcome.how, bench.power("one")), (how, found));
        let again = bench.client.undo(&bench.cx, &undo).await.unwrap();
        assert_eq!(again.how, How::AlreadyThere);
        assert_eq!(bench.power_calls().len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_put_back_says_so_and_touches_nothing() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("one").power(Power::Suspended))).await;
    let undo = prepared(&bench, "one", Fault::power_on()).await;
    assert_eq!(undo.found.power_state, VMPowerState::Suspended);
    bench.sim.world().set_power("one", Power::Off).unwrap();
    let lost = bench.client.undo(&bench.cx, &undo).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::InvalidState);

    let mut newer = undo.clone();
    newer.version = Undo::VERSION + 1;
    assert_eq!(bench.client.undo(&bench.cx, &newer).await.unwrap_err().kind(), ErrorKind::Unsupported);
    let chaos_core::Target::Vm { mut vm } = undo.target.clone() else { unreachable!() };
    vm.instance = "another".into();
    let mut elsewhere = undo;
    elsewhere.target = vm.into();
    assert_eq!(bench.client.undo(&bench.cx, &elsewhere).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(bench.power_calls(), [""; 0]);
}

#[tokio::test]
async fn a_later_process_needs_nothing_but_the_record() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
    let undo = prepared(&bench, "one", Fault::power_off(Stop::hard())).await;
    bench.client.power_off(&bench.cx, "one", Stop::hard()).await.unwrap();
    bench.client.disconnect(&bench.cx).await.unwrap();
    let config = chaos_vsphere::Config::new(bench.sim.url(), "chaos", "chaos".into());
    let later = chaos_vsphere::VSphere::connect(&bench.cx, config).await.unwrap();
    assert_eq!(later.undo(&bench.cx, &undo).await.unwrap().how, How::PoweredOn);
    assert_eq!(bench.power("one"), Power::On);
}
