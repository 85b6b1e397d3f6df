//! What is asked at a terminal. Python's `pty` plays the terminal, and the person at it.

use std::path::Path;
use std::process::{Command, Stdio};

use chaos_core::RunLog;
use chaos_sim::{Power, Sim};
use chaos_store::FileStore;

use crate::lab::{Lab, PASSWORD, USER};
use crate::program::Program;
use crate::recovery::killed;

/// Starts a program at a terminal, waits for the question, answers, and prints what was shown and how it ended.
const PERSON: &str = r#"
import os, pty, select, signal, sys
question, answer, program = sys.argv[1:4]
pid, terminal = pty.fork()
if pid == 0:
    os.execve(program, sys.argv[3:], dict(os.environ, TERM="xterm"))
shown, answered = b"", False
while select.select([terminal], [], [], 30)[0]:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if question.encode() in shown and not answered:
        answered = True
        if answer == "SIGTERM":
            os.kill(pid, signal.SIGTERM)
        else:
            os.write(terminal, answer.encode())
else:
    os.kill(pid, signal.SIGKILL)
print(shown.decode(errors="replace"))
print("ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

/// What somebody sees who starts the program like this, and answers a question.
fn answer(program: &Program, args: &[&str], question: &str, answer: &str) -> String {
    let template = program.command(args);
    let output = Command::new("python3")
        .args(["-c", PERSON, question, answer])
        .arg(template.get_program())
        .args(args)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(program.directory())
        .stdin(Stdio::null())
        .output()
        .expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn without_password(sim: &Sim) -> Program {
    Program::new().env("VSPHERE_SERVER", sim.url()).env("VSPHERE_USERNAME", USER)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_asked_for_and_not_shown() {
    let sim = Sim::builder().credentials(USER, PASSWORD).start().await.expect("it starts");
    let ask = |typed: &str| answer(&without_password(&sim), &["platforms", "summary"], "password of", typed);
    let shown = ask(&format!("{PASSWORD}\r"));
    assert!(shown.contains("password of chaos@vsphere.local at 127.0.0.1 (vsphere)"), "{shown}");
    assert!(shown.contains("VMs: ") && shown.trim_end().ends_with("ended with 0"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(ask("wrong\r").trim_end().ends_with("ended with 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_can_leave() {
    let sim = Sim::builder().credentials(USER, PASSWORD).start().await.expect("it starts");
    for way in ["\u{3}", "SIGTERM"] {
        let shown = answer(&without_password(&sim), &["platforms", "summary"], "password of", way);
        assert!(shown.trim_end().ends_with("ended with 130"), "{way:?}: {shown}");
    }
    assert!(sim.calls_of("Login").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_has_left_changed_is_put_back_first_if_the_person_says_so() {
    let lab = Lab::demo().await;
    killed(&lab, "web-01").await;
    let before = lab.changes();
    let hit = ["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-01"];
    let offer = "Put that back first?";
    let shown = answer(&lab.program, &hit, offer, "n");
    assert!(shown.contains("has left /demo/vm/web/web-01 changed"), "{shown}");
    assert!(shown.trim_end().ends_with("ended with 5"), "{shown}");
    assert_eq!(lab.changes(), before);

    let shown = answer(&lab.program, &hit, offer, "y");
    assert!(shown.contains("put back: web-01 is powered_on"), "{shown}");
    assert!(shown.trim_end().ends_with("ended with 0"), "{shown}");
    assert_eq!(lab.sim.world().vm("web-01").expect("there").power, Power::On);
    let store = FileStore::existing(lab.program.directory().join(Path::new(".local/state/chaosmonkey")));
    let states: Vec<&str> = store.list().await.unwrap().iter().map(|run| run.state.as_str()).collect();
    assert_eq!(states, ["completed", "recovered"]);
}
