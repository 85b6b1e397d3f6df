//! How functions in Python end that do not end by themselves, and how they end a run.

use std::time::{Duration, Instant};

use chaos_experiments::Verdict;
use serde_json::json;

use crate::lab::{Lab, document};
use crate::pythons::{Modules, call};

const SLOW: &str = r"
import os, signal, subprocess, sys, threading, time

def mark(name):
    open(os.path.join(os.path.dirname(__file__), name), 'w').close()

def waits():
    try:
        mark('begun')
        time.sleep(60)
    finally:
        mark('cleaned')

def waits_for_a_process():
    try:
        mark('begun')
        subprocess.run(['sleep', '60'])
    finally:
        mark('cleaned')

def heeds_nothing():
    child = subprocess.Popen(['sleep', '60'])
    with open(os.path.join(os.path.dirname(__file__), 'pids'), 'w') as file:
        file.write('%d %d' % (os.getpid(), child.pid))
    mark('begun')
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

def is_there():
    return True
";

#[tokio::test]
async fn a_run_that_is_told_to_stop_lets_a_function_clean_up() {
    for func in ["waits", "waits_for_a_process"] {
        let modules = Modules::of("slow", SLOW);
        let lab = Lab::in_real_time(&[]);
        let rollback = call("slow", "is_there", &json!({}));
        let experiment = modules.read(document(&[call("slow", func, &json!({}))], &[rollback]));
        let ((report, _), stopped) = tokio::join!(lab.run(experiment), async {
            modules.wait_for("begun").await;
            lab.cx.cancellation().cancel();
            Instant::now()
        });
        assert!(stopped.elapsed() < Duration::from_secs(3), "{:?}", stopped.elapsed());
        assert_eq!((report.verdict, report.journal.run[0].status), (Verdict::Interrupted, None));
        assert!(modules.path("cleaned").exists(), "{func}");
        assert_eq!(report.journal.rollbacks[0].output, true);
    }
}

#[tokio::test]
async fn a_time_limit_kills_what_heeds_nothing_with_all_that_it_started_and_there_is_a_new_python() {
    let modules = Modules::of("slow", SLOW);
    let mut activity = call("slow", "heeds_nothing", &json!({}));
    activity["timeout"] = json!(2);
    let experiment = modules.read(document(&[activity], &[call("slow", "is_there", &json!({}))]));
    let (report, _) = Lab::in_real_time(&[]).run(experiment).await;
    let reason = report.reason.unwrap();
    let expected = "the time limit passed while running `slow.heeds_nothing`; it did not heed the interruption, and \
                    Python was killed with everything that it started";
    assert!(reason.contains(expected), "{reason}");
    assert_eq!(report.journal.rollbacks[0].output, true);
    let pids = std::fs::read_to_string(modules.path("pids")).unwrap();
    for pid in pids.split_whitespace() {
        assert!(gone(pid).await, "{pid} still runs");
    }
}

/// Whether a process ends, or has.
async fn gone(pid: &str) -> bool {
    for _ in 0..500 {
        match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) if !stat.contains(") Z ") => tokio::time::sleep(Duration::from_millis(10)).await,
            _ => return true,
        }
    }
    false
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_no_python_running() {
    let modules = Modules::of("slow", SLOW);
    let lab = Lab::in_real_time(&[]);
    let experiment = modules.read(document(&[call("slow", "heeds_nothing", &json!({}))], &[]));
    tokio::select! {
        _ = lab.run(experiment) => panic!("it waits"),
        () = modules.wait_for("begun") => {}
    }
    for pid in std::fs::read_to_string(modules.path("pids")).unwrap().split_whitespace() {
        assert!(gone(pid).await, "{pid} still runs");
    }
}

#[tokio::test]
async fn a_python_that_dies_is_told_and_replaced() {
    let source = "import os, sys\n\ndef die(how):\n    sys.stderr.write('oh no\\n')\n    sys.stderr.flush()\n    \
                  os.kill(os.getpid(), 9) if how == 'killed' else os._exit(3)\n\ndef fine():\n    return 1\n";
    let modules = Modules::of("mortal", source);
    for (how, expected) in [("killed", "ended in between: signal: 9 (SIGKILL)"), ("exits", "exit status: 3")] {
        let method = [call("mortal", "die", &json!({"how": how}))];
        let experiment = modules.read(document(&method, &[call("mortal", "fine", &json!({}))]));
        let (report, _) = Lab::in_real_time(&[]).run(experiment).await;
        let reason = report.reason.unwrap();
        assert!(reason.contains(expected) && reason.contains("its last words: oh no"), "{reason}");
        assert_eq!(report.journal.rollbacks[0].output, 1);
    }
}

#[tokio::test]
async fn a_function_can_end_the_run() {
    let source = "import os, signal, sys, time\n\ndef leave(how):\n    if how == 'exit':\n        sys.exit(20)\n    \
                  if how == 'interrupt':\n        raise KeyboardInterrupt()\n    \
                  os.kill(os.getpid(), getattr(signal, how))\n    time.sleep(60)\n\ndef later():\n    time.sleep(0.5)\n    \
                  os.kill(os.getpid(), signal.SIGUSR1)\n    time.sleep(60)\n";
    let modules = Modules::of("leaves", source);
    for (how, code) in [("exit", 20), ("interrupt", 130), ("SIGUSR1", 20), ("SIGUSR2", 30), ("SIGTERM", 143)] {
        let method = [call("leaves", "leave", &json!({"how": how})), call("leaves", "leave", &json!({"how": how}))];
        let report = modules.run(&method).await;
        assert_eq!((report.verdict, report.journal.run.len()), (Verdict::Interrupted, 1), "{how}");
        let reason = report.reason.unwrap();
        assert!(reason.contains(&format!("asked to end the run, with exit code {code}")), "{reason}");
    }
    // From a thread of its own, while something else is waited for.
    let wait =
        json!({"type": "probe", "name": "w", "provider": {"type": "process", "path": "sleep", "arguments": ["60"]}});
    let mut experiment = document(&[wait], &[]);
    let mut watch = call("leaves", "later", &json!({}));
    watch["tolerance"] = json!(true);
    experiment["stop-conditions"] = json!([watch]);
    let (report, _) = Lab::in_real_time(&[]).run(modules.read(experiment)).await;
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert!(report.reason.unwrap().contains("exit code 20"));
}

#[tokio::test]
async fn a_stop_condition_looks_while_a_function_runs() {
    let source = "import time\nlooks = 0\n\ndef look():\n    global looks\n    looks += 1\n    return looks < 3\n\n\
                  def waits():\n    time.sleep(60)\n";
    let modules = Modules::of("watched", source);
    let mut watch = call("watched", "look", &json!({}));
    (watch["tolerance"], watch["frequency"]) = (json!(true), json!(0.1));
    let mut experiment = document(&[call("watched", "waits", &json!({}))], &[]);
    experiment["stop-conditions"] = json!([watch]);
    let (report, _) = Lab::in_real_time(&[]).run(modules.read(experiment)).await;
    assert!(report.reason.unwrap().contains("the stop condition `look`"));
}
