//! The crash matrix: the runner is killed with SIGKILL, behind every record of its log and at random moments. From the log
//! alone every VM is put back to the state that it was found in, or is listed with a reason; run and journal are there.
//!
//! Run by `cargo xtask soak crash`, which sets how many random moments there are and prints the figures; and by CI, with
//! fewer of them. Not part of an ordinary `cargo test`, since it takes minutes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chaos_core::{Context, Error, EventSink, PlatformSource, RunEvent, RunEventKind, RunId, RunLog};
use chaos_experiments::{Document, Experiment, Inputs, Overrides, RunOptions, Sinks};
use chaos_orchestrator::{PlatformOrchestrator, Sources};
use chaos_sim::{Door, Estate, Power, Sim, Timing, VmSpec};
use chaos_store::FileStore;
use futures_util::StreamExt;
use nix::sys::signal::{Signal, raise};
use serde_json::{Value, json};

use crate::lab::{Lab, PASSWORD, USER};
use crate::program::Program;

/// The VMs of the estate as they are found; the last one is named by nobody.
const FOUND: [(&str, Power); 9] = [
    ("off-me", Power::On),
    ("suspend-me", Power::On),
    ("reboot-me", Power::On),
    ("start-me", Power::Off),
    ("batch-1", Power::On),
    ("batch-2", Power::On),
    ("batch-3", Power::On),
    ("twice", Power::On),
    ("bystander", Power::On),
];

/// How many runs go on at the same time.
const PARALLEL: usize = 8;
/// Nothing that the program does here takes longer.
const LIMIT: &str = "60s";
/// As long as the longest call of the experiment may take.
const SETTLE: &str = "3s";

/// When the runner is killed.
#[derive(Debug, Clone, Copy)]
enum Kill {
    /// Behind the record of this number.
    Behind(u64),
    /// So long after its start.
    After(Duration),
}

/// What became of one killed run.
#[derive(Debug, Default, Clone, Copy)]
struct Figures {
    kills: usize,
    /// Runs that came to their end before they were killed.
    complete: usize,
    /// VMs that a recovery had to put back.
    restored: usize,
    /// VMs that are listed with a reason.
    listed: usize,
    /// VMs that are neither as they were found nor listed. Each is a failure.
    lost: usize,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.complete += other.complete;
        self.restored += other.restored;
        self.listed += other.listed;
        self.lost += other.lost;
    }
}

fn experiment(platform: &str) -> Value {
    let action = |name: &str, function: &str, mut arguments: Value| {
        arguments["platform_type"] = platform.into();
        arguments["timeout"] = 2.into();
        if ["vm_power_off", "vm_reboot", "vm_batch_power_off"].contains(&function) {
            arguments["hard_timeout"] = 1.into();
        }
        json!({"type": "action", "name": name, "provider":
            {"type": "python", "module": "chaosmonkey.vm", "func": function, "arguments": arguments}})
    };
    let one = |vm: &str| json!({"vm_name": vm});
    let mut beside = action("suspend", "vm_suspend", one("suspend-me"));
    beside["background"] = true.into();
    let there = json!({"type": "probe", "name": "bystander is on", "tolerance": "powered_on", "provider":
        {"type": "python", "module": "chaosmonkey.vm", "func": "vm_power_state",
         "arguments": {"vm_name": "bystander", "platform_type": platform}}});
    json!({
        "title": "crash matrix", "description": "every kind of step",
        "runtime": {"hypothesis": {"strategy": "continuously"}},
        "steady-state-hypothesis": {"title": "the bystander is on", "probes": [there]},
        "method": [
            action("off", "vm_power_off", one("off-me")),
            beside,
            {"name": "at once", "parallel": [
                action("reboot", "vm_reboot", one("reboot-me")),
                action("start", "vm_power_on", one("start-me")),
            ]},
            action("batch", "vm_batch_power_off", json!({"vm_names": "batch-1,batch-2,batch-3", "parallel": 3})),
            action("twice-off", "vm_power_off", one("twice")),
            action("twice-on", "vm_power_on", one("twice")),
            action("twice-suspend", "vm_suspend", one("twice")),
        ],
        "rollbacks": [action("back", "vm_power_on", one("off-me"))]
    })
}

/// Slow enough that a random moment falls into a call, and not only between two.
fn timing() -> Timing {
    let slow = Timing::fast();
    Timing {
        power_on: Duration::from_millis(40),
        power_off: Duration::from_millis(40),
        suspend: Duration::from_millis(60),
        shutdown: Duration::from_millis(120),
        boot: Duration::from_millis(80),
        ..slow
    }
}

async fn lab(platform: &str) -> Lab {
    let mut builder = Sim::builder().doors([Door::VSphere, Door::Olvm]).estate(Estate::of_size(0)).timing(timing());
    for (name, power) in FOUND {
        builder = builder.vm(VmSpec::new(name).power(power));
    }
    let sim = builder.credentials(USER, PASSWORD).start().await.expect("the simulator starts");
    let program = Program::new()
        .env("VSPHERE_SERVER", sim.url())
        .env("VSPHERE_USERNAME", USER)
        .env("VSPHERE_PASSWORD", PASSWORD)
        .env("OLVM_URL", sim.url())
        .env("OLVM_USERNAME", USER)
        .env("OLVM_PASSWORD", PASSWORD);
    let file = program.directory().join("experiment.json");
    fs::write(file, experiment(platform).to_string()).expect("the experiment is written");
    Lab { sim, program }
}

/// Kills itself behind one record: what the record announces has not left.
#[derive(Debug)]
struct KillBehind(u64);

#[async_trait]
impl EventSink for KillBehind {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        if event.sequence == self.0 {
            raise(Signal::SIGKILL).expect("one may kill oneself");
        }
        Ok(())
    }
}

/// The runner of one case: what `execute` is made of, with a sink that kills it.
#[tokio::test]
#[ignore = "a part of the crash matrix, which runs it in a process of its own"]
async fn runner() {
    let Ok(number) = std::env::var("CHAOS_KILL_BEHIND") else { return };
    let settings = Sources::of_process(std::env::vars_os()).load().expect("the settings are fine");
    let source = PlatformOrchestrator::new(settings);
    let document = Document::load(Path::new("experiment.json")).expect("it is there");
    let inputs = Inputs::new(Overrides::parse(Vec::<&str>::new()).expect("none"));
    let experiment = Experiment::new(&document, &inputs).expect("it is valid");
    let cx = Context::with_timeout(Duration::from_mins(5)).run(RunId::random());
    let resolved = experiment.resolve(&cx, &source).await.expect("every VM is there");
    let store = Arc::new(FileStore::open(".local/state/chaosmonkey").expect("there is room"));
    let log = store.begin(cx.run_id(), cx.now()).await.expect("it can be written");
    let mut options = RunOptions::default();
    options.claim = Some(resolved.claim(cx.run_id(), store.clone()).await.expect("nobody else is there"));
    let kill = KillBehind(number.parse().expect("a number"));
    let report = resolved.run(&cx, &Sinks(vec![log, Arc::new(kill)]), &options).await;
    source.close(&cx).await.expect("logged out");
    assert!(report.left_changed.is_empty());
}

fn start(lab: &Lab, kill: Kill) -> std::process::Child {
    let template = lab.program.command(&["execute", "-e", "experiment.json"]);
    let mut command = match kill {
        Kill::After(_) => template,
        Kill::Behind(number) => {
            let mut runner = Command::new(std::env::current_exe().expect("this program"));
            runner
                .args(["crash::runner", "--exact", "--ignored"])
                .env_clear()
                .envs(template.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))));
            runner.env("CHAOS_KILL_BEHIND", number.to_string()).current_dir(lab.program.directory());
            runner
        }
    };
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.spawn().expect("the runner starts")
}

/// Runs and kills one runner, recovers, and looks at everything.
async fn case(platform: &'static str, kill: Kill) -> Figures {
    let lab = lab(platform).await;
    let mut runner = start(&lab, kill);
    let status = tokio::task::spawn_blocking(move || {
        if let Kill::After(moment) = kill {
            std::thread::sleep(moment);
            // It may be over by then.
            let _ = runner.kill();
        }
        runner.wait().expect("it was started here")
    })
    .await
    .expect("no panic");
    let was_killed = status.signal().is_some();
    assert!(was_killed || status.success(), "{platform} {kill:?}: {status}");
    let mut figures =
        Figures { kills: usize::from(was_killed), complete: usize::from(!was_killed), ..Figures::default() };

    let what = format!("{platform}, killed {kill:?}");
    let listed = recover(&lab, &what, &mut figures).await;
    let lost = lost(&lab, &listed, &what).await;
    figures.lost = lost.len();
    assert!(lost.is_empty(), "{what}: lost {lost:?}\n{}", evidence(&lab));
    figures
}

/// The same, and once more at an earlier moment for as long as the run ends before it is killed.
async fn until_killed(platform: &'static str, mut kill: Kill) -> Figures {
    let mut figures = Figures::default();
    loop {
        figures += case(platform, kill).await;
        match &mut kill {
            Kill::After(moment) if figures.kills == 0 => *moment /= 2,
            _ => return figures,
        }
    }
}

/// Recovers twice, and gives the VMs that are listed.
async fn recover(lab: &Lab, what: &str, figures: &mut Figures) -> BTreeMap<String, String> {
    let args = ["recover", "--settle", SETTLE, "--timeout", LIMIT, "--format", "json"];
    let run = run(lab, &args).await;
    assert!(matches!(run.code, Some(0 | 1)), "{what}: {:?}\n{}", run.code, run.stderr);
    let reports: Vec<Value> =
        if run.stdout.is_empty() { Vec::new() } else { serde_json::from_str(&run.stdout).expect("JSON") };
    let mut listed = BTreeMap::new();
    for target in reports.iter().flat_map(|report| report["targets"].as_array().expect("a list")) {
        let name = target["name"].as_str().expect("a name").to_owned();
        match target["result"].as_str().expect("a result") {
            "put_back" => figures.restored += 1,
            "as_found" => {}
            _ => {
                figures.listed += 1;
                listed.insert(name, target["why"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    assert_eq!(run.code == Some(0), reports.iter().all(|report| report["state"] != "unrecovered"), "{what}");

    let runs = self::run(lab, &["runs", "list", "--format", "json"]).await.exits(0);
    let runs: Vec<Value> = serde_json::from_str(&runs.stdout).expect("JSON");
    match runs.as_slice() {
        // Nothing was written down, so nothing was sent.
        [] => assert!(lab.changes().is_empty(), "{what}: {:?}", lab.changes()),
        [one] => {
            let settled = ["recovered", "completed", "failed", "died", "interrupted"];
            assert!(settled.iter().any(|state| one["state"] == *state) || run.code == Some(1), "{what}: {one}");
            let journal = self::run(lab, &["runs", "journal"]).await.exits(0);
            let journal: Value = serde_json::from_str(&journal.stdout).expect("JSON");
            let ended = if figures.complete == 1 { "completed" } else { "interrupted" };
            // The kill may have come behind the last record.
            assert!(journal["status"] == ended || journal["status"] == "completed", "{what}: {}", journal["status"]);
        }
        more => panic!("{what}: one run, not {more:?}"),
    }
    let before = lab.sim.calls().len();
    let again = self::run(lab, &args).await;
    assert_eq!(again.code, run.code, "{what}: {}", again.stderr);
    let changes = lab.sim.calls().len() - before;
    assert!(run.code == Some(1) || changes == 0, "{what}: a second recovery made {changes} calls");
    listed
}

/// The VMs that are not as they were found and not listed, once nothing moves any more.
async fn lost(lab: &Lab, listed: &BTreeMap<String, String>, what: &str) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let world = lab.sim.world();
        let lost: Vec<String> = FOUND
            .iter()
            .filter(|(name, found)| world.vm(name).expect("there").power != *found && !listed.contains_key(*name))
            .map(|(name, _)| (*name).to_owned())
            .collect();
        // What a dead runner has asked for may still come: it has to be as found after that, too.
        let is_quiet = world.tasks().iter().all(|task| task.finished.is_some());
        if (is_quiet && lost.is_empty()) || Instant::now() > deadline {
            assert!(listed.values().all(|why| !why.is_empty()), "{what}: {listed:?}");
            return lost;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn run(lab: &Lab, args: &[&str]) -> crate::program::Run {
    let mut command = lab.program.command(args);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    output.expect("the program starts").into()
}

/// What a person needs to find out what went wrong.
fn evidence(lab: &Lab) -> String {
    let show = lab.run(&["runs", "show"]);
    let states: Vec<String> = lab.sim.world().vms().iter().map(|vm| format!("{} {:?}", vm.name, vm.power)).collect();
    format!("{}\n{}\n{:?}\n{:?}", show.stdout, show.stderr, states, lab.changes())
}

/// Figures of many cases, several at the same time.
async fn all(cases: Vec<(&'static str, Kill)>) -> Figures {
    let mut figures = Figures::default();
    let mut running = futures_util::stream::iter(
        cases.into_iter().map(|(platform, kill)| tokio::spawn(until_killed(platform, kill))),
    )
    .buffer_unordered(PARALLEL);
    while let Some(one) = running.next().await {
        figures += one.expect("the case holds");
    }
    figures
}

/// How many records the run of the experiment has, and how long it takes.
async fn measure(platform: &'static str) -> (u64, Duration) {
    let lab = lab(platform).await;
    let begin = Instant::now();
    run(&lab, &["execute", "-e", "experiment.json"]).await.exits(0);
    let took = begin.elapsed();
    let show = run(&lab, &["runs", "show", "--format", "json"]).await.exits(0);
    let show: Value = serde_json::from_str(&show.stdout).expect("JSON");
    let events: Vec<RunEvent> = serde_json::from_value(show["events"].clone()).expect("events");
    assert!(matches!(events.last().expect("some").event, RunEventKind::RunEnded { .. }));
    (events.last().expect("some").sequence, took)
}

/// `SplitMix64`: a few numbers from a seed.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo xtask soak crash`"]
async fn a_runner_that_is_killed_loses_nothing() {
    let begin = Instant::now();
    let (moments, mut seed) = (number("CHAOS_KILLS", 40), number("CHAOS_SEED", 1));
    println!("crash matrix: {moments} random moments on each of two platforms, seed {seed}");
    let mut cases = Vec::new();
    for platform in ["vsphere", "olvm"] {
        let (last, took) = measure(platform).await;
        println!("{platform}: {} records, {:.1} s without a kill", last + 1, took.as_secs_f64());
        cases.extend((0..=last).map(|number| (platform, Kill::Behind(number))));
        let span = u64::try_from(took.as_millis()).expect("less than ages");
        cases.extend((0..moments).map(|_| (platform, Kill::After(Duration::from_millis(random(&mut seed) % span)))));
    }
    let figures = all(cases).await;
    println!(
        "crash matrix: {} kills, {} VMs restored, {} listed, {} lost; {} runs ended before they were killed; {:.0} s",
        figures.kills,
        figures.restored,
        figures.listed,
        figures.lost,
        figures.complete,
        begin.elapsed().as_secs_f64()
    );
    assert_eq!(figures.lost, 0);
    assert_eq!(figures.listed, 0, "nobody else was there, so all can be put back");
}
