//! Passwords from files, programs and people: got when they are needed, and said nowhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Connection, Context, Error, ErrorKind, PlatformSource};
use chaos_orchestrator::{AskPassword, PasswordQuestion, PlatformOrchestrator, SecretSource, Sources};
use secrecy::{ExposeSecret, SecretString};

fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(30))
}

fn command(words: &[&str]) -> SecretSource {
    SecretSource::Command(words.iter().map(|word| SecretString::from(*word)).collect())
}

async fn read(source: &SecretSource) -> Result<String, Error> {
    source.read(&cx()).await.map(|secret| secret.expose_secret().to_owned())
}

#[tokio::test]
async fn one_line_break_at_the_end_is_not_of_the_password() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pw");
    for (text, password) in
        [("pw", "pw"), ("pw\n", "pw"), ("pw\r\n", "pw"), (" p w \n\n", " p w \n"), ("\u{e9}\n", "\u{e9}")]
    {
        std::fs::write(&path, text).unwrap();
        assert_eq!(read(&SecretSource::File(path.clone())).await.unwrap(), password, "{text:?}");
    }
    assert_eq!(read(&command(&["printf", "%s\n", "p'w $x"])).await.unwrap(), "p'w $x", "no shell looks at it");
}

#[tokio::test]
async fn what_gives_no_password_is_named_and_nothing_of_it_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pw");
    std::fs::write(&path, "\n").unwrap();
    let missing = directory.path().join("missing");
    for (source, said) in [
        (SecretSource::File(missing.clone()), "the file"),
        (SecretSource::File(path), "no password in it"),
        (SecretSource::File(directory.path().to_owned()), "the file"),
        (SecretSource::File("/dev/zero".into()), "no plain file"),
        (
            command(&["sh", "-c", "echo canary; echo canary >&2; exit 3"]),
            "the program `sh`: it ended with exit status: 3",
        ),
        (command(&["true"]), "no password in it"),
        (command(&["printf", "canary\\377"]), "not UTF-8"),
        (command(&["chaosmonkey-has-no-such-program", "canary"]), "cannot be started"),
        (command(&["yes", "canary"]), "more than"),
    ] {
        let error = source.read(&cx()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(said), "{said}: {error}");
        assert!(!format!("{error:?} {source:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_program_may_leave_something_running() {
    let source = command(&["sh", "-c", "echo pw; sleep 20 &"]);
    let cx = Context::with_timeout(Duration::from_secs(10));
    assert_eq!(source.read(&cx).await.unwrap().expose_secret(), "pw", "it is over when the program is");
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_by_the_deadline() {
    let source = command(&["sleep", "1000"]);
    let error = source.read(&Context::with_timeout(Duration::from_millis(100))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("`sleep`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_run_once_and_only_for_the_platform_that_needs_it() {
    let sim = chaos_sim::Sim::builder().start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let script = format!("echo run >> {}; echo chaos", directory.path().join("runs").display());
    let text = serde_json::json!({"platforms": {
        "lab": {"type": "vsphere", "server": sim.url(), "username": "chaos", "password_command": ["sh", "-c", script]},
        "other": {"type": "vsphere", "server": "vc.example.com", "username": "chaos", "password_command": ["false"]},
    }});
    let file = directory.path().join("chaosmonkey.json");
    std::fs::write(&file, text.to_string()).unwrap();
    let orchestrator = PlatformOrchestrator::new(Sources::none().config(file).load().unwrap());
    assert!(!directory.path().join("runs").exists(), "nothing is run before it is needed");
    for _ in 0..3 {
        orchestrator.open(&cx(), "lab", &Connection::default()).await.unwrap();
    }
    assert_eq!(std::fs::read_to_string(directory.path().join("runs")).unwrap(), "run\n");
    orchestrator.close(&cx()).await.unwrap();
}

/// Somebody who answers, or nobody.
#[derive(Debug, Default)]
struct Somebody {
    answer: Option<&'static str>,
    asked: AtomicUsize,
}

#[async_trait]
impl AskPassword for Somebody {
    async fn ask(&self, _: &Context, question: PasswordQuestion<'_>) -> Result<Option<SecretString>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert_eq!((question.entry, question.username, question.host), ("vsphere", "chaos", "127.0.0.1"));
        Ok(self.answer.map(SecretString::from))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_asked_once_for_what_nothing_gives() {
    let sim = chaos_sim::Sim::builder().start().await.unwrap();
    let variables = [("VSPHERE_SERVER", sim.url()), ("VSPHERE_USERNAME", "chaos")];
    let with = |somebody: &Arc<Somebody>| {
        let settings = Sources::none().variables(variables).load().unwrap();
        PlatformOrchestrator::new(settings).asking(Arc::<Somebody>::clone(somebody))
    };
    let somebody = Arc::new(Somebody { answer: Some("chaos"), ..Somebody::default() });
    let orchestrator = with(&somebody);
    for _ in 0..2 {
        orchestrator.open(&cx(), "vsphere", &Connection::default()).await.unwrap();
    }
    assert_eq!(somebody.asked.load(Ordering::SeqCst), 1);
    orchestrator.close(&cx()).await.unwrap();

    let error = with(&Arc::default()).open(&cx(), "vsphere", &Connection::default()).await.unwrap_err().to_string();
    assert!(error.contains("VSPHERE_PASSWORD") && error.contains("platforms.vsphere.password"), "{error}");
}

#[tokio::test]
async fn a_variable_that_is_not_set_is_named_and_not_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.yaml");
    std::fs::write(&file, "platforms:\n  vsphere:\n    server: vc\n    username: a\n    password: ${VC_PW}\n").unwrap();
    let somebody = Arc::new(Somebody::default());
    let settings = Sources::none().config(file).load().unwrap();
    let orchestrator = PlatformOrchestrator::new(settings).asking(Arc::<Somebody>::clone(&somebody));
    let error = orchestrator.open(&cx(), "vsphere", &Connection::default()).await.unwrap_err().to_string();
    assert!(error.contains("a.yaml:5) refers to VC_PW, which is not set"), "{error}");
    assert_eq!(somebody.asked.load(Ordering::SeqCst), 0);
}
