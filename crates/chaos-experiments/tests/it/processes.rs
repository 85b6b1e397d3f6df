//! Processes as probes and actions: real ones, on this machine.

use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

use chaos_experiments::{RunReport, Verdict};
use chaos_testkit::{EstateSpec, TestClock};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::lab::{Lab, document, read};

fn process(kind: &str, path: &str, arguments: &Value) -> Value {
    json!({"type": kind, "name": "p", "provider": {"type": "process", "path": path, "arguments": arguments}})
}

fn shell(line: &str) -> Value {
    process("probe", "sh", &json!(["-c", line]))
}

/// Runs one activity as a method, and gives its report and output.
async fn run(activity: Value) -> (RunReport, Value) {
    let report = run_on(&Lab::in_real_time(&[]), activity).await;
    let output = report.journal.run[0].output.clone();
    (report, output)
}

async fn run_on(lab: &Lab, activity: Value) -> RunReport {
    lab.run(read(document(&[activity], &[])).unwrap()).await.0
}

/// A named pipe that a process of a process holds open for a minute, unless it is killed.
struct Witness {
    directory: tempfile::TempDir,
    opened: oneshot::Receiver<()>,
    gone: oneshot::Receiver<()>,
}

impl Witness {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let ((has_opened, opened), (is_gone, gone)) = (oneshot::channel(), oneshot::channel());
        std::thread::spawn(move || {
            // Waits until somebody opens it for writing, and then for the last of them.
            let mut file = File::open(pipe).unwrap();
            let _ = has_opened.send(());
            file.read_to_end(&mut Vec::new()).unwrap();
            let _ = is_gone.send(());
        });
        Self { directory, opened, gone }
    }

    /// A process that starts the one with the pipe and waits for it.
    fn activity(&self) -> Value {
        shell(&format!("sleep 60 >{} & wait", self.directory.path().join("pipe").display()))
    }

    async fn ended(self) {
        tokio::time::timeout(Duration::from_secs(30), self.gone).await.expect("nothing is left running").unwrap();
    }
}

#[tokio::test]
async fn how_a_process_ends_is_its_output_and_no_failure() {
    let (report, output) = run(shell("echo out; echo err >&2; exit 3")).await;
    assert_eq!(report.verdict, Verdict::Completed);
    assert_eq!(output.to_string(), r#"{"status":3,"stdout":"out\n","stderr":"err\n"}"#);
    let (_, output) = run(shell("kill -9 $$")).await;
    assert_eq!(output["status"], -9);
    let (_, output) = run(shell("printf '\\303\\050'; cat")).await;
    assert_eq!(output["stdout"], "\u{fffd}(", "what is not UTF-8 is replaced, and there is nothing to read");
}

#[tokio::test]
async fn arguments_are_those_of_chaos_toolkit() {
    let printf = |arguments: Value| process("probe", "printf", &arguments);
    for (activity, expected) in [
        (printf(json!(["<%s>", "a b", "", null, true, 1.5, [1, "x"]])), "<a b><True><1.5><[1, 'x']>"),
        (printf(json!({"<%s>": "v", "w": null, "x": ""})), "<v><w><x>"),
        (printf(json!("'%s|' a 'b c' $((1 + 1)) | tr a-z A-Z")), "A|B C|2|"),
        (process("probe", "true", &json!(null)), ""),
    ] {
        let (report, output) = run(activity.clone()).await;
        assert_eq!((report.verdict, output["stdout"].as_str()), (Verdict::Completed, Some(expected)), "{activity}");
    }
}

#[tokio::test]
async fn names_are_substituted_in_arguments_and_stay_where_they_stand_for_nothing() {
    let mut experiment = document(&[process("probe", "printf", &json!(["%s|", "${n}", "$n-", "${gone}"]))], &[]);
    experiment["configuration"] = json!({"n": 7});
    let experiment = read(experiment).unwrap();
    let warnings: Vec<String> = experiment.warnings().iter().map(ToString::to_string).collect();
    assert!(warnings.iter().any(|warning| warning.contains("`${gone}` stands for nothing")), "{warnings:?}");
    let (report, _) = Lab::in_real_time(&[]).run(experiment).await;
    assert_eq!(report.journal.run[0].output["stdout"], "7|7-|${gone}|");
}

#[tokio::test]
async fn a_time_limit_ends_everything_that_was_started() {
    for place in ["/timeout", "/provider/timeout"] {
        let mut witness = Witness::new();
        let clock = TestClock::manual();
        let lab = Lab::on(&EstateSpec::new(), clock.shared());
        let mut activity = witness.activity();
        activity["timeout"] = json!(if place == "/timeout" { 10 } else { 1000 });
        activity["provider"]["timeout"] = json!(if place == "/timeout" { 1000 } else { 10 });
        let (report, ()) = tokio::join!(run_on(&lab, activity), async {
            (&mut witness.opened).await.unwrap();
            clock.advance(Duration::from_secs(10));
        });
        assert_eq!(report.verdict, Verdict::Failed);
        let reason = report.reason.unwrap();
        assert!(reason.contains("the time limit passed while running `sh`; it was killed"), "{reason}");
        witness.ended().await;
    }
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_ends_everything_that_was_started() {
    let mut witness = Witness::new();
    let lab = Lab::in_real_time(&[]);
    let (report, ()) = tokio::join!(run_on(&lab, witness.activity()), async {
        (&mut witness.opened).await.unwrap();
        lab.cx.cancellation().cancel();
    });
    assert_eq!((report.verdict, report.journal.run[0].status), (Verdict::Interrupted, None));
    witness.ended().await;
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_nothing_running() {
    let mut witness = Witness::new();
    let lab = Lab::in_real_time(&[]);
    tokio::select! {
        _ = run_on(&lab, witness.activity()) => panic!("it waits"),
        opened = &mut witness.opened => opened.unwrap(),
    }
    witness.ended().await;
}

#[tokio::test]
async fn much_output_is_drained_and_its_beginning_kept() {
    let (report, output) = run(shell("head -c 67108864 /dev/zero; head -c 67108864 /dev/zero >&2; echo end")).await;
    assert_eq!(report.verdict, Verdict::Completed);
    assert_eq!(output["stdout"].as_str().unwrap().len(), 1 << 20);
    assert_eq!(output["stdout_bytes_left_out"], (64 << 20) + 4 - (1 << 20));
    assert_eq!(output["stderr_bytes_left_out"], 63 << 20);
}

#[tokio::test]
async fn a_process_that_never_stops_talking_has_a_time_limit_too() {
    let mut activity = process("probe", "yes", &json!([]));
    activity["timeout"] = json!(0.2);
    let began = Instant::now();
    let (report, _) = run(activity).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_program_that_cannot_be_run_is_found_out_beforehand() {
    let mut slow = process("probe", "true", &json!(5));
    slow["provider"]["timeout"] = json!("soon");
    let experiment = document(
        &[
            process("probe", "no-such-program", &json!([])),
            process("probe", "/etc/passwd", &json!([])),
            slow,
            json!({
                "type": "probe", "name": "n", "provider": {"type": "process"}
            }),
        ],
        &[],
    );
    let findings = read(experiment).unwrap_err().to_string();
    insta::assert_snapshot!(findings, @r"
    e.json: 5 errors
      /method/0/provider/path: there is no program `no-such-program` that this user can run
      /method/1/provider/path: there is no program `/etc/passwd` that this user can run
      /method/2/provider/arguments: arguments are a list, or one text for the shell
      /method/2/provider/timeout: this has to be seconds, more than 0
      /method/3/provider/path: a provider of this type needs `path`, which is a text
      warning: /steady-state-hypothesis: there is no probe, so nothing can tell whether the system held (say in a probe what has to be true before and after)
    ");
}

#[tokio::test]
async fn names_in_what_a_probe_returns_are_not_replaced_on_their_way_to_a_tolerance() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("told");
    let script = format!("printf %s \"$1\" > {}", file.display());
    let returned = "answer $${tok} and $$tok";
    let mut probe = json!({"type": "probe", "name": "p", "provider":
        {"type": "process", "path": "printf", "arguments": ["%s", returned]}});
    probe["tolerance"] = json!({"type": "probe", "name": "judge", "provider":
        {"type": "process", "path": "sh", "arguments": {"-c": script}}});
    let mut experiment = document(&[probe], &[]);
    experiment["secrets"] = json!({"scope": {"tok": "canary-of-the-estate"}});
    let report = Lab::in_real_time(&[]).run(read(experiment).unwrap()).await.0;
    assert_eq!(report.verdict, Verdict::Completed, "{:?}", report.reason);
    let told = std::fs::read_to_string(file).unwrap();
    assert!(told.contains("answer ${tok} and $tok") && !told.contains("canary"), "{told}");
}
