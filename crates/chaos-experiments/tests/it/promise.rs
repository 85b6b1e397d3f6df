//! The promise of this project, for random runs, crashes of runs and recoveries, failures, and changes by others: every VM
//! is as it was found, or is listed, or was changed by somebody else.

use std::time::Duration;

use chaos_core::{ErrorKind, VMPowerState};
use chaos_experiments::Recovered;
use chaos_testkit::memory::Failure;
use chaos_testkit::{EstateSpec, VmSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crash::{Crash, everything_comes_to_rest, recover, run};
use crate::lab::{Lab, action, document, read};

const VMS: usize = 4;
const STATES: [VMPowerState; 3] = [VMPowerState::PoweredOn, VMPowerState::PoweredOff, VMPowerState::Suspended];

/// What somebody else does while nobody recovers.
#[derive(Debug, Clone, Copy)]
enum Foreign {
    Sets(usize, VMPowerState),
    Deletes(usize),
}

impl Foreign {
    fn vm(self) -> usize {
        match self {
            Self::Sets(vm, _) | Self::Deletes(vm) => vm,
        }
    }
}

/// What goes wrong at the server.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Refuses(usize),
    CutBefore(usize),
    CutAfter(usize),
    SessionsDie,
}

#[derive(Debug, Clone)]
struct Story {
    found: Vec<usize>,
    /// The function, the VM, and whether the guest is asked.
    steps: Vec<(usize, usize, bool)>,
    crash: Crash,
    foreign: Vec<Foreign>,
    trouble: Vec<Trouble>,
    /// Recoveries that die, before one that does not.
    crashes: Vec<Crash>,
    /// Seconds between all that.
    pauses: u64,
}

fn crash() -> impl Strategy<Value = Crash> {
    prop_oneof![
        (0..40_u64).prop_map(Crash::Before),
        (0..40_u64).prop_map(Crash::Behind),
        (0..400_u64).prop_map(|seconds| Crash::After(Duration::from_secs(seconds))),
        Just(Crash::Never),
    ]
}

fn foreign() -> impl Strategy<Value = Foreign> {
    prop_oneof![
        6 => (0..VMS, 0..STATES.len()).prop_map(|(vm, state)| Foreign::Sets(vm, STATES[state])),
        1 => (0..VMS).prop_map(Foreign::Deletes),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        (0..VMS).prop_map(Trouble::Refuses),
        (0..VMS).prop_map(Trouble::CutBefore),
        (0..VMS).prop_map(Trouble::CutAfter),
        Just(Trouble::SessionsDie),
    ]
}

fn story() -> impl Strategy<Value = Story> {
    (
        prop::collection::vec(0..4_usize, VMS),
        prop::collection::vec((0..6_usize, 0..VMS, any::<bool>()), 1..6),
        crash(),
        prop::collection::vec(foreign(), 0..3),
        prop::collection::vec(trouble(), 0..3),
        prop::collection::vec(crash(), 0..3),
        0..300_u64,
    )
        .prop_map(|(found, steps, crash, foreign, trouble, crashes, pauses)| Story {
            found,
            steps,
            crash,
            foreign,
            trouble,
            crashes,
            pauses,
        })
}

fn estate(found: &[usize]) -> EstateSpec {
    EstateSpec::new().with(found.iter().enumerate().map(|(number, state)| {
        let vm = VmSpec::new(&name(number)).slow(Duration::from_secs(3));
        match state {
            0 => vm,
            1 => vm.off(),
            2 => vm.suspended(),
            _ => vm.hanging(),
        }
    }))
}

fn name(vm: usize) -> String {
    format!("vm{vm}")
}

fn id(vm: usize) -> String {
    format!("vm-{}", vm + 1)
}

fn experiment(steps: &[(usize, usize, bool)]) -> Value {
    let functions = ["vm_power_off", "vm_power_on", "vm_reboot", "vm_suspend", "vm_restore", "vm_batch_power_off"];
    let method: Vec<Value> = steps
        .iter()
        .map(|(function, vm, graceful)| {
            let mut arguments = match function {
                4 => json!({"vm_names": name(*vm)}),
                5 => json!({"vm_names": format!("{},{}", name(*vm), name((*vm + 1) % VMS)), "parallel": 2}),
                _ => json!({"vm_name": name(*vm)}),
            };
            if matches!(function, 0 | 2) {
                arguments["graceful"] = (*graceful).into();
            }
            action("step", functions[*function], arguments)
        })
        .collect();
    document(&method, &[])
}

async fn play(story: Story) -> Result<(), TestCaseError> {
    let lab = Lab::new(&estate(&story.found));
    let found: Vec<VMPowerState> = (0..VMS).map(|vm| lab.state(&name(vm))).collect();
    let experiment = || read(experiment(&story.steps)).unwrap();
    if lab.resolve(experiment()).await.is_err() {
        prop_assert_eq!(lab.destructive_calls(), 0);
        return Ok(());
    }
    let mut trouble = story.trouble.iter();
    let mut happens = || match trouble.next() {
        Some(Trouble::Refuses(vm)) => lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, "refused").on(&id(*vm))),
        Some(Trouble::CutBefore(vm)) => lab.estate.fail_next(Failure::cut_before_effect().on(&id(*vm))),
        Some(Trouble::CutAfter(vm)) => lab.estate.fail_next(Failure::cut_after_effect().on(&id(*vm))),
        Some(Trouble::SessionsDie) => lab.estate.kill_sessions(),
        None => {}
    };
    let pause = || tokio::time::sleep(Duration::from_secs(story.pauses));

    happens();
    let mut events = run(&lab, experiment(), story.crash).await;
    pause().await;
    let mut foreign = story.foreign.iter();
    let mut crashes = story.crashes.iter();
    let mut listed: Vec<String> = Vec::new();
    loop {
        // Somebody else may do something before each recovery, and nobody does after the last one.
        if let Some(foreign) = foreign.next() {
            match foreign {
                Foreign::Sets(vm, state) => lab.estate.set_power_state(&id(*vm), *state),
                Foreign::Deletes(vm) => lab.estate.delete(&id(*vm)),
            }
            pause().await;
        }
        happens();
        let crash = crashes.next();
        let begin = events.len() as u64;
        let crash = crash.map_or(Crash::Never, |crash| match crash {
            Crash::Before(number) => Crash::Before(begin + number % 12),
            Crash::Behind(number) => Crash::Behind(begin + number % 12),
            other => *other,
        });
        let is_last = matches!(crash, Crash::Never) && foreign.len() == 0;
        if let Some(report) = recover(&lab, &mut events, crash).await {
            listed.extend(report.not_back().map(|target| target.name.clone()));
            let put_back = report
                .targets
                .iter()
                .all(|target| !matches!(target.result, Recovered::WouldPutBack { .. } | Recovered::WouldWatch { .. }));
            prop_assert!(put_back, "{:?}", report);
        }
        if is_last {
            break;
        }
    }
    everything_comes_to_rest().await;

    let touched_by_others: Vec<usize> = story.foreign.iter().map(|foreign| foreign.vm()).collect();
    for (vm, found) in found.into_iter().enumerate() {
        let Some(state) = lab.estate.power_state(&name(vm)) else { continue };
        let is_excused = listed.contains(&name(vm)) || touched_by_others.contains(&vm);
        prop_assert!(state == found || is_excused, "{} was {found} and is {state}: {events:#?}", name(vm));
        // What nothing of the run leads to was done by somebody else, and stays.
        let last = story.foreign.iter().rfind(|foreign| foreign.vm() == vm);
        let suspends = story.steps.iter().any(|(function, on, _)| *function == 3 && *on == vm);
        if let Some(Foreign::Sets(_, VMPowerState::Suspended)) = last
            && found != VMPowerState::Suspended
            && !suspends
        {
            prop_assert_eq!(state, VMPowerState::Suspended, "{}: {:#?}", name(vm), events);
        }
    }
    // And once more: nothing is done twice.
    let calls = lab.destructive_calls();
    let again = recover(&lab, &mut events, Crash::Never).await.expect("it does not die");
    if again.is_settled() {
        prop_assert_eq!(lab.destructive_calls(), calls, "{:?}", again);
    }
    Ok(())
}

/// How many stories are told: `cargo xtask soak properties` wants more.
fn cases() -> u32 {
    std::env::var("CHAOS_CASES").ok().map_or(256, |text| text.parse().expect("CHAOS_CASES is a number"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn found_state_or_listed(story in story()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(story))?;
    }
}
