//! A password that is asked for at a terminal. Python's `pty` plays the terminal, and the person at it.

use std::process::{Command, Stdio};

use chaos_sim::Sim;

use crate::lab::{PASSWORD, USER};

/// Starts the program at a terminal, waits for the question, answers, and prints what was shown and how it ended.
const PERSON: &str = r#"
import os, pty, select, signal, sys
program, answer, url, user = sys.argv[1:5]
pid, terminal = pty.fork()
if pid == 0:
    os.execve(program, [program, "platforms", "summary"],
              {"HOME": os.getcwd(), "PATH": os.environ["PATH"], "VSPHERE_SERVER": url, "VSPHERE_USERNAME": user, "TERM": "xterm"})
shown, answered = b"", False
while select.select([terminal], [], [], 30)[0]:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if b"password of" in shown and not answered:
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

fn ask(sim: &Sim, answer: &str) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = Command::new("python3")
        .args(["-c", PERSON, env!("CARGO_BIN_EXE_chaosmonkey"), answer, sim.url(), USER])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_asked_for_and_not_shown() {
    let sim = Sim::builder().credentials(USER, PASSWORD).start().await.expect("it starts");
    let shown = ask(&sim, &format!("{PASSWORD}\r"));
    assert!(shown.contains("password of chaos@vsphere.local at 127.0.0.1 (vsphere)"), "{shown}");
    assert!(shown.contains("VMs: ") && shown.trim_end().ends_with("ended with 0"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(ask(&sim, "wrong\r").trim_end().ends_with("ended with 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_can_leave() {
    let sim = Sim::builder().credentials(USER, PASSWORD).start().await.expect("it starts");
    for way in ["\u{3}", "SIGTERM"] {
        let shown = ask(&sim, way);
        assert!(shown.trim_end().ends_with("ended with 130"), "{way:?}: {shown}");
    }
    assert!(sim.calls_of("Login").is_empty());
}
