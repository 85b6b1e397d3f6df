//! Each operation from each state: what is done, what is refused, and what others do meanwhile.

use chaos_core::{
    ErrorKind, Fault, How, Platform, PlatformExt, ProgressStep, Stop, SuspendedMemory, Target, VMPowerState,
};
use chaos_sim::{Failure, Flavour, Operation, Power, Question, Reach, Sim, VmRole, VmSpec};

use super::{Bench, seconds};

fn one() -> chaos_sim::Builder {
    Sim::builder().vm(VmSpec::new("one"))
}

#[tokio::test]
async fn off_on_suspended_and_resumed_each_verified_and_said() {
    let mut bench = Bench::start(one()).await;
    let (client, cx) = (&bench.client, &bench.cx);
    let off = client.power_off(cx, "one", Stop::hard()).await.unwrap();
    assert_eq!(
        (off.how, off.previous_state, off.state),
        (How::HardPowerOff, VMPowerState::PoweredOn, VMPowerState::PoweredOff)
    );
    assert_eq!(bench.power("one"), Power::Off);
    let on = client.power_on(cx, "one").await.unwrap();
    assert_eq!((on.how, on.state), (How::PoweredOn, VMPowerState::PoweredOn));
    let suspended = client.suspend(cx, "one").await.unwrap();
    assert_eq!((suspended.how, suspended.state), (How::Suspended, VMPowerState::Suspended));
    let resumed = client.power_on(cx, "one").await.unwrap();
    assert_eq!((resumed.how, resumed.previous_state), (How::Resumed, VMPowerState::Suspended));
    let told = bench.told();
    assert!(told.contains(&ProgressStep::Accepted));
    assert!(told.contains(&ProgressStep::State(VMPowerState::Suspended)), "{told:?}");
}

#[tokio::test]
async fn a_host_without_a_vcenter_is_operated_alike() {
    let bench = Bench::start(one().flavour(Flavour::Esxi)).await;
    let off = bench.client.power_off(&bench.cx, "one", Stop::graceful()).await.unwrap();
    let on = bench.client.power_on(&bench.cx, "one").await.unwrap();
    assert_eq!((off.how, on.how), (How::GuestShutdown, How::PoweredOn));
}

#[tokio::test]
async fn what_is_there_already_is_a_success_without_a_call() {
    let sim = one().vm(VmSpec::new("off").power(Power::Off)).vm(VmSpec::new("slept").power(Power::Suspended));
    let bench = Bench::start(sim).await;
    let (client, cx) = (&bench.client, &bench.cx);
    for outcome in [
        client.power_on(cx, "one").await.unwrap(),
        client.power_off(cx, "off", Stop::graceful()).await.unwrap(),
        client.suspend(cx, "slept").await.unwrap(),
    ] {
        assert_eq!(outcome.how, How::AlreadyThere);
        assert_eq!(outcome.previous_state, outcome.state);
    }
    assert_eq!(bench.power_calls(), [""; 0]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let sim = one()
        .vm(VmSpec::new("off").power(Power::Off))
        .vm(VmSpec::new("slept").power(Power::Suspended))
        .vm(VmSpec::new("pattern").role(VmRole::Template).power(Power::Off))
        .vm(VmSpec::new("vCLS-1").role(VmRole::ClusterService))
        .vm(VmSpec::new("shadow").role(VmRole::FaultToleranceSecondary))
        .vm(VmSpec::new("lost").reach(Reach::Disconnected));
    let bench = Bench::start(sim).await;
    let refused = async |vm: &str, fault: Fault| {
        let error = bench.client.apply(&bench.cx, &bench.target(vm).await, &fault).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidState, "{vm}: {error}");
        error.to_string()
    };
    let hard = Fault::power_off(Stop::hard());
    assert!(refused("slept", hard.clone()).await.contains("would lose its memory"));
    assert!(refused("off", Fault::reboot(Stop::graceful())).await.contains("cannot be rebooted"));
    assert!(refused("off", Fault::suspend()).await.contains("cannot be suspended"));
    assert!(refused("pattern", Fault::power_on()).await.contains("is a template"));
    assert!(refused("vCLS-1", hard.clone()).await.contains("belongs to the extension"));
    assert!(refused("shadow", hard.clone()).await.contains("secondary"));
    assert!(refused("lost", hard).await.contains("its host is not connected"));
    assert_eq!(bench.power_calls(), [""; 0]);
}

#[tokio::test]
async fn a_suspended_vm_is_powered_off_when_its_memory_may_go() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("slept").power(Power::Suspended))).await;
    let target = bench.target("slept").await;
    let discard = |stop| Fault::PowerOff { stop, suspended: SuspendedMemory::Discard };
    let guest_only = discard(Stop::GuestOnly { grace: seconds(5) });
    let error = bench.client.apply(&bench.cx, &target, &guest_only).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    let outcome = bench.client.apply(&bench.cx, &target, &discard(Stop::graceful())).await.unwrap();
    assert_eq!(outcome.how, How::HardPowerOff);
    assert!(outcome.note.unwrap().contains("memory was discarded"));
    assert_eq!(bench.power("slept"), Power::Off);
}

#[tokio::test]
async fn a_name_that_looks_like_a_pattern_is_a_name() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("db[1]")).vm(VmSpec::new("db1"))).await;
    bench.client.power_off(&bench.cx, "db[1]", Stop::hard()).await.unwrap();
    assert_eq!((bench.power("db[1]"), bench.power("db1")), (Power::Off, Power::On));
}

#[tokio::test]
async fn a_vm_of_another_server_is_not_found_here() {
    let bench = Bench::start(one()).await;
    let Target::Vm { mut vm } = bench.target("one").await else { unreachable!() };
    vm.instance = "another".into();
    let target = Target::from(vm);
    let fault = Fault::power_off(Stop::hard());
    let applied = bench.client.apply(&bench.cx, &target, &fault).await.unwrap_err();
    let prepared = bench.client.prepare(&bench.cx, &[target], &fault).await.pop().unwrap().unwrap_err();
    assert_eq!((applied.kind(), prepared.kind()), (ErrorKind::NotFound, ErrorKind::NotFound));
    assert_eq!(bench.power_calls(), [""; 0]);
}

#[tokio::test]
async fn a_vm_that_is_gone_is_not_found() {
    let mut bench = Bench::start(one()).await;
    let target = bench.target("one").await;
    let asked = Fault::power_off(Stop::GuestOnly { grace: seconds(600) });
    let Bench { sim, client, cx, steps } = &mut bench;
    let remove = async {
        super::wait_for_step(steps, |step| *step == ProgressStep::GuestAsked).await;
        sim.world().remove("one").unwrap();
    };
    let (result, ()) = tokio::join!(client.apply(cx, &target, &asked), remove);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    let error = client.apply(cx, &target, &asked).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_task_that_fails_is_an_error_with_the_servers_reason() {
    let bench = Bench::start(one().vm(VmSpec::new("off").power(Power::Off))).await;
    bench.sim.world().fail_tasks(None, None, Failure::Internal("the disk is on fire".into()), 0, 1).unwrap();
    let error = bench.client.power_on(&bench.cx, "off").await.unwrap_err();
    assert!(error.to_string().contains("the disk is on fire"), "{error}");
    assert_eq!(error.vm_name(), Some("off"));
    assert_eq!(bench.power_calls(), ["PowerOnVM_Task"]);
}

#[tokio::test]
async fn another_task_on_the_vm_is_waited_for() {
    let bench = Bench::start(one().vm(VmSpec::new("off").power(Power::Off))).await;
    let off = bench.target("off").await;
    let vm = bench.sim.world().vm("off").unwrap().id;
    bench.sim.world().operate(vm, Operation::PowerOn, "somebody").unwrap();
    let outcome = bench.client.apply(&bench.cx, &off, &Fault::power_on()).await.unwrap();
    assert_eq!(outcome.how, How::AlreadyThere, "somebody else did it");

    let one = bench.target("one").await;
    let vm = bench.sim.world().vm("one").unwrap().id;
    bench.sim.world().operate(vm, Operation::Reset, "somebody").unwrap();
    let outcome = bench.client.apply(&bench.cx, &one, &Fault::power_off(Stop::hard())).await.unwrap();
    assert_eq!(outcome.how, How::HardPowerOff);
}

#[tokio::test]
async fn a_question_is_reported_and_named_when_it_was_not_answered_in_time() {
    let question = Question {
        id: "7".into(),
        text: "was it moved or copied?".into(),
        choices: vec![("0".into(), "I moved it".into()), ("1".into(), "I copied it".into())],
    };
    let mut bench = Bench::start(Sim::builder().vm(VmSpec::new("asks").power(Power::Off).asks(question))).await;
    let target = bench.target("asks").await;
    let fault = Fault::PowerOn { limit: seconds(15) };
    let error = bench.client.apply(&bench.cx, &target, &fault).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    for part in ["was it moved or copied?", "I moved it, I copied it", "PowerOnVM_Task was sent"] {
        assert!(text.contains(part), "{text}");
    }
    bench.step(|step| *step == ProgressStep::Question("was it moved or copied?".into())).await;
}
