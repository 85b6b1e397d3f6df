//! Guests and tasks as timed state machines, looked at without any vendor's words.

use std::time::Duration;

use chaos_sim::{
    Estate, Failure, Guest, GuestPhase, HostState, OnReboot, OnShutdown, Operation, Power, Question, Reach, Refusal,
    Sim, TaskState, Timing, Tools, Vm, VmSpec,
};

/// A simulator whose time moves only when it is told to, without jitter.
async fn still(vm: VmSpec) -> Sim {
    let timing = Timing {
        queue: Duration::from_secs(1),
        power_on: Duration::from_secs(4),
        power_off: Duration::from_secs(2),
        suspend: Duration::from_secs(6),
        reset: Duration::from_secs(2),
        boot: Duration::from_secs(30),
        shutdown: Duration::from_secs(10),
        jitter: 0.0,
        ..Timing::default()
    };
    Sim::builder().paused().timing(timing).vm(vm).start().await.unwrap()
}

fn operate(sim: &Sim, operation: Operation) -> Result<Option<TaskState>, Refusal> {
    let vm = sim.world().vm("it").unwrap();
    let task = sim.world().operate(vm.id, operation, "tester")?;
    Ok(task.and_then(|id| sim.world().tasks().into_iter().find(|task| task.id == id)).map(|task| task.state))
}

fn it(sim: &Sim) -> Vm {
    sim.world().vm("it").unwrap()
}

fn only_task(sim: &Sim) -> TaskState {
    sim.world().tasks().pop().unwrap().state
}

fn pass(sim: &Sim, seconds: u64) {
    sim.world().step(Duration::from_secs(seconds));
}

#[tokio::test]
async fn a_task_is_queued_runs_and_ends_at_its_times() {
    let sim = still(VmSpec::new("it").power(Power::Off)).await;
    assert_eq!(operate(&sim, Operation::PowerOn), Ok(Some(TaskState::Queued)));
    pass(&sim, 1);
    assert_eq!(only_task(&sim), TaskState::Running { progress: 0 });
    pass(&sim, 2);
    assert_eq!(only_task(&sim), TaskState::Running { progress: 50 });
    assert_eq!(it(&sim).power, Power::Off);
    pass(&sim, 2);
    assert_eq!(only_task(&sim), TaskState::Succeeded);
    let vm = it(&sim);
    assert_eq!((vm.power, vm.phase, vm.tools_answer()), (Power::On, GuestPhase::Booting, false));
    assert_eq!(vm.boot_time, Some(sim.world().clock().now()));
    pass(&sim, 30);
    assert_eq!((it(&sim).phase, it(&sim).obeys_soft_operations()), (GuestPhase::Ready, true));
}

#[tokio::test]
async fn a_finished_task_can_be_looked_up_for_ten_minutes() {
    let sim = still(VmSpec::new("it")).await;
    operate(&sim, Operation::PowerOff).unwrap();
    pass(&sim, 3);
    pass(&sim, 599);
    assert_eq!(sim.world().tasks().len(), 1);
    pass(&sim, 1);
    assert_eq!(sim.world().tasks().len(), 0);
}

#[tokio::test]
async fn a_second_operation_is_refused_while_a_task_is_at_work() {
    let sim = still(VmSpec::new("it")).await;
    operate(&sim, Operation::Suspend).unwrap();
    assert!(matches!(operate(&sim, Operation::PowerOff), Err(Refusal::Busy(_))));
    assert!(matches!(operate(&sim, Operation::ShutdownGuest), Err(Refusal::Busy(_))));
    pass(&sim, 7);
    assert_eq!(it(&sim).power, Power::Suspended);
    assert!(operate(&sim, Operation::PowerOn).is_ok());
    pass(&sim, 5);
    assert_eq!(
        (it(&sim).power, it(&sim).phase),
        (Power::On, GuestPhase::Ready),
        "a resumed guest goes on where it was"
    );
}

#[tokio::test]
async fn an_operation_that_the_power_does_not_allow_fails_inside_its_task() {
    let sim = still(VmSpec::new("it")).await;
    operate(&sim, Operation::PowerOn).unwrap();
    pass(&sim, 1);
    let wrong = Failure::WrongPower { wanted: Power::On, existing: Power::On };
    assert_eq!(only_task(&sim), TaskState::Failed(wrong));

    let strict = Sim::builder().refuses_at_once().vm(VmSpec::new("it")).start().await.unwrap();
    let refused = Refusal::WrongPower { wanted: Power::On, existing: Power::On };
    assert_eq!(operate(&strict, Operation::PowerOn), Err(refused));
}

#[tokio::test]
async fn an_obedient_guest_shuts_down_in_its_time() {
    let sim = still(VmSpec::new("it")).await;
    assert_eq!(operate(&sim, Operation::ShutdownGuest), Ok(None));
    assert_eq!(it(&sim).phase, GuestPhase::ShuttingDown);
    pass(&sim, 9);
    assert_eq!(it(&sim).power, Power::On);
    pass(&sim, 1);
    assert_eq!((it(&sim).power, it(&sim).clean_power_off, it(&sim).boot_time), (Power::Off, Some(true), None));
}

#[tokio::test]
async fn a_guest_that_hangs_stays_on_until_it_is_powered_off_hard() {
    let sim = still(VmSpec::new("it").on_shutdown(OnShutdown::Hangs)).await;
    operate(&sim, Operation::ShutdownGuest).unwrap();
    pass(&sim, 3600);
    assert_eq!((it(&sim).power, it(&sim).phase), (Power::On, GuestPhase::ShuttingDown));
    operate(&sim, Operation::PowerOff).unwrap();
    pass(&sim, 3);
    assert_eq!((it(&sim).power, it(&sim).clean_power_off), (Power::Off, Some(false)));
}

#[tokio::test]
async fn a_power_off_in_the_gap_after_the_guest_went_down_fails_with_powered_off() {
    let sim = still(VmSpec::new("it")).await;
    operate(&sim, Operation::ShutdownGuest).unwrap();
    pass(&sim, 9);
    // Queued before the guest is down, at work after it.
    operate(&sim, Operation::PowerOff).unwrap();
    pass(&sim, 1);
    let wrong = Failure::WrongPower { wanted: Power::Off, existing: Power::Off };
    assert_eq!(only_task(&sim), TaskState::Failed(wrong));
    assert_eq!(it(&sim).clean_power_off, Some(true));
}

#[tokio::test]
async fn a_reboot_goes_down_and_up_without_moving_the_boot_time() {
    let sim = still(VmSpec::new("it")).await;
    let before = it(&sim).boot_time;
    operate(&sim, Operation::RebootGuest).unwrap();
    let mut phases = vec![it(&sim).phase];
    while sim.world().step_to_next_event().is_some() {
        phases.push(it(&sim).phase);
    }
    assert_eq!(phases, [GuestPhase::Restarting, GuestPhase::Booting, GuestPhase::Ready]);
    assert_eq!((it(&sim).power, it(&sim).boot_time), (Power::On, before));
}

#[tokio::test]
async fn each_odd_answer_to_a_reboot_ends_where_it_says() {
    for (answer, power, phase) in [
        (OnReboot::Ignores, Power::On, GuestPhase::Ready),
        (OnReboot::Hangs, Power::On, GuestPhase::Hung),
        (OnReboot::PowersOff, Power::Off, GuestPhase::Down),
        (OnReboot::PowerCycles, Power::On, GuestPhase::Ready),
    ] {
        let sim = still(VmSpec::new("it").on_reboot(answer)).await;
        let before = it(&sim).boot_time;
        operate(&sim, Operation::RebootGuest).unwrap();
        sim.world().settle();
        let vm = it(&sim);
        assert_eq!((vm.power, vm.phase), (power, phase), "{answer:?}");
        assert_eq!(
            vm.boot_time == before,
            !matches!(answer, OnReboot::PowersOff | OnReboot::PowerCycles),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn soft_operations_need_an_agent_that_answers() {
    for (tools, obeys) in [
        (Tools::Running, true),
        (Tools::Unmanaged, true),
        (Tools::WithoutScripts, false),
        (Tools::Stopped, false),
        (Tools::NotInstalled, false),
    ] {
        let sim = still(VmSpec::new("it").tools(tools)).await;
        let answered = operate(&sim, Operation::ShutdownGuest);
        assert_eq!(answered, if obeys { Ok(None) } else { Err(Refusal::NoTools) }, "{tools:?}");
    }
    let sim = still(VmSpec::new("it").power(Power::Suspended)).await;
    let refused = Refusal::WrongPower { wanted: Power::On, existing: Power::Suspended };
    assert_eq!(operate(&sim, Operation::ShutdownGuest), Err(refused));
}

#[tokio::test]
async fn a_pending_question_holds_the_task_until_it_is_answered() {
    let question = Question {
        id: "7".into(),
        text: "moved or copied?".into(),
        choices: vec![("0".into(), "copied".into()), ("1".into(), "cancel".into())],
    };
    let sim = still(VmSpec::new("it").power(Power::Off).asks(question)).await;
    operate(&sim, Operation::PowerOn).unwrap();
    pass(&sim, 600);
    assert_eq!(only_task(&sim), TaskState::Running { progress: 95 });
    assert_eq!((it(&sim).power, it(&sim).question.map(|asked| asked.id)), (Power::Off, Some("7".into())));
}

#[tokio::test]
async fn a_planned_failure_strikes_the_task_it_was_planned_for() {
    let sim = still(VmSpec::new("it")).await;
    sim.world().fail_tasks(Some("it"), Some(Operation::PowerOff), Failure::FileLocked, 1, 1).unwrap();
    for expected in [TaskState::Succeeded, TaskState::Failed(Failure::FileLocked), TaskState::Succeeded] {
        sim.world().set_power("it", Power::On).unwrap();
        operate(&sim, Operation::PowerOff).unwrap();
        pass(&sim, 3);
        assert_eq!(only_task(&sim), expected);
    }
}

#[tokio::test]
async fn a_crashed_host_takes_its_vms_down_and_out_of_reach() {
    let sim = Sim::builder().estate(Estate::demo()).paused().start().await.unwrap();
    let world = sim.world();
    let web = world.vm("web-01").unwrap();
    world.operate(web.id, Operation::Suspend, "tester").unwrap();
    world.set_host("esx-f1", HostState::Crashed).unwrap();
    let web = world.vm("web-01").unwrap();
    assert_eq!((web.power, web.reach), (Power::Off, Reach::Disconnected));
    assert_eq!(only_task(&sim), TaskState::Failed(Failure::HostLost));
    assert_eq!(world.vm("database-01").unwrap().reach, Reach::Connected);
    assert_eq!(world.operate(web.id, Operation::PowerOn, "tester"), Err(Refusal::Unreachable(Reach::Disconnected)));
    world.set_host("esx-f1", HostState::Up).unwrap();
    assert!(world.operate(web.id, Operation::PowerOn, "tester").is_ok());
}

#[tokio::test]
async fn behaviour_can_be_changed_while_the_vm_runs() {
    let sim = still(VmSpec::new("it")).await;
    sim.world().set_guest("it", Guest { on_shutdown: OnShutdown::Ignores, ..Guest::default() }).unwrap();
    operate(&sim, Operation::ShutdownGuest).unwrap();
    pass(&sim, 3600);
    assert_eq!((it(&sim).power, it(&sim).phase), (Power::On, GuestPhase::Ready));
}
