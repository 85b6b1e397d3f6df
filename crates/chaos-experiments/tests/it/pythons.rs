//! Functions in Python as probes and actions: real ones, of modules that these tests write.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chaos_core::{ActivityStatus, RunEventKind};
use chaos_experiments::{Environment, Experiment, Finding, Inputs, RunReport, Verdict};
use serde_json::{Value, json};

use crate::lab::{Lab, count, document, inputs, read_with};

/// A directory with modules, in which Python finds them.
pub(crate) struct Modules(tempfile::TempDir);

impl Modules {
    pub(crate) fn of(name: &str, source: &str) -> Self {
        let modules = Self(tempfile::tempdir().unwrap());
        modules.add(name, source);
        modules
    }

    pub(crate) fn add(&self, name: &str, source: &str) {
        std::fs::write(self.path(&format!("{name}.py")), source).unwrap();
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// The environment that Python needs, and more.
    pub(crate) fn inputs(&self, more: &[(&str, &str)]) -> Inputs {
        let own = ["PATH", "HOME"].into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
        let found = ("PYTHONPATH".to_owned(), self.0.path().display().to_string());
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        inputs(&[]).environment(own.chain([found]).chain(more).collect::<Environment>())
    }

    pub(crate) fn read(&self, document: Value) -> Experiment {
        read_with(document, &self.inputs(&[])).unwrap()
    }

    pub(crate) async fn run(&self, method: &[Value]) -> RunReport {
        Lab::in_real_time(&[]).run(self.read(document(method, &[]))).await.0
    }

    /// Waits until a function has left a file.
    pub(crate) async fn wait_for(&self, file: &str) {
        let began = Instant::now();
        while !self.path(file).exists() {
            assert!(began.elapsed() < Duration::from_secs(30), "`{file}` is not there");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) fn call(module: &str, func: &str, arguments: &Value) -> Value {
    json!({"type": "probe", "name": func, "provider":
        {"type": "python", "module": module, "func": func, "arguments": arguments}})
}

const VALUES: &str = r"
import datetime, decimal, enum, uuid, collections

class Word(str, enum.Enum):
    A = 'a'

class Level(enum.IntEnum):
    HIGH = 3

class Plain(enum.Enum):
    X = 1

class Odd:
    def __repr__(self):
        raise ValueError('never shown')

circle = []
circle.append(circle)
deep = 1
for _ in range(300):
    deep = [deep]
Pair = collections.namedtuple('Pair', 'x y')
values = dict(
    nothing=None, text='\u00e9\ud800x', number=7, exact=1.5, yes=True, big=2**70, small=-2**63, top=2**64 - 1,
    nan=float('nan'), endless=float('-inf'), pair=Pair(1, 2), keys={1: 'a', None: 'b', True: 'c', 1.5: 'd', (1, 2): 'e'},
    moment=datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), day=datetime.date(2026, 1, 2),
    decimal=decimal.Decimal('1.10'), uuid=uuid.UUID(int=7), raw=b'a\xffb', one={1}, kind=int, word=Word.A,
    level=Level.HIGH, plain=Plain.X, odd=Odd(), nested={'a': [{'b': (1, {2})}]},
)

def get(name):
    return values[name]

def get_circle():
    return circle

def get_deep():
    return deep
";

#[tokio::test]
async fn what_a_function_returns_is_the_output_and_what_json_cannot_hold_is_a_text() {
    let table = [
        ("nothing", json!(null)),
        ("text", json!("é\u{fffd}x")),
        ("number", json!(7)),
        ("exact", json!(1.5)),
        ("yes", json!(true)),
        ("big", json!("1180591620717411303424")),
        ("small", json!(i64::MIN)),
        ("top", json!(u64::MAX)),
        ("nan", json!("nan")),
        ("endless", json!("-inf")),
        ("pair", json!([1, 2])),
        ("keys", json!({"1": "c", "null": "b", "1.5": "d", "(1, 2)": "e"})),
        ("moment", json!("2026-01-02T03:04:05+00:00")),
        ("day", json!("2026-01-02")),
        ("decimal", json!("1.10")),
        ("uuid", json!("00000000-0000-0000-0000-000000000007")),
        ("raw", json!("a\u{fffd}b")),
        ("one", json!("{1}")),
        ("kind", json!("<class 'int'>")),
        ("word", json!("a")),
        ("level", json!(3)),
        ("plain", json!("<Plain.X: 1>")),
        ("odd", json!("<Odd>")),
        ("nested", json!({"a": [{"b": [1, "{2}"]}]})),
    ];
    let modules = Modules::of("values_of", VALUES);
    let mut method: Vec<Value> =
        table.iter().map(|(name, _)| call("values_of", "get", &json!({"name": name}))).collect();
    method.extend([call("values_of", "get_circle", &json!({})), call("values_of", "get_deep", &json!({}))]);
    let report = modules.run(&method).await;
    assert_eq!(report.verdict, Verdict::Completed, "{:?}", report.reason);
    for ((name, expected), record) in table.iter().zip(&report.journal.run) {
        assert_eq!(&record.output, expected, "{name}");
    }
    assert!(report.journal.run[24].output.to_string().contains("[[...]]"), "a circle ends");
    assert!(report.journal.run[25].output.to_string().contains("[[1]]"), "what is deep ends in a text");
}

#[tokio::test]
async fn an_answer_that_is_too_large_fails_the_activity() {
    let modules = Modules::of(
        "large",
        "def much():\n    return 'x' * 50_000_000\n\ndef many():\n    return ['\\u00e9' * 1_000_000] * 12\n",
    );
    for func in ["much", "many"] {
        let report = modules.run(&[call("large", func, &json!({}))]).await;
        assert_eq!(report.journal.run[0].status, Some(ActivityStatus::Failed));
        let reason = report.reason.unwrap();
        assert!(reason.contains("what it returned is larger than the 16777216 bytes that are kept"), "{reason}");
    }
}

#[tokio::test]
async fn an_exception_fails_the_activity_with_its_traceback() {
    let source = "class Own(Exception):\n    pass\n\ndef fails(x):\n    raise Own('too\\nbad')\n";
    let modules = Modules::of("failing", source);
    let report = modules.run(&[call("failing", "fails", &json!({"x": 1}))]).await;
    let record = &report.journal.run[0];
    assert_eq!((record.status, &record.output), (Some(ActivityStatus::Failed), &Value::Null));
    let lines: Vec<String> = record
        .exception
        .iter()
        .flatten()
        .map(|line| line.replace(&*modules.0.path().to_string_lossy(), "/d"))
        .collect();
    insta::assert_json_snapshot!(lines, @r#"
    [
      "Traceback (most recent call last):\n",
      "  File \"/d/failing.py\", line 5, in fails\n    raise Own('too\\nbad')\n",
      "failing.Own: too\nbad\n",
      "\nDuring handling of the above exception, another exception occurred:\n\n",
      "chaoslib.exceptions.ActivityFailed: failing.Own: too\nbad\n"
    ]
    "#);
    let report = modules.run(&[call("failing", "fails", &json!({"y": 1}))]).await;
    let last = report.journal.run[0].exception.as_ref().and_then(|lines| lines.last()).unwrap().clone();
    let expected = "chaoslib.exceptions.ActivityFailed: TypeError: fails() got an unexpected keyword argument 'y'";
    assert!(last.starts_with(expected), "{last}");
}

#[tokio::test]
async fn what_cannot_be_called_is_told_with_its_reason() {
    let modules = Modules::of("broken", "1 / 0\n");
    modules.add("well", "number = 7\n");
    for (module, func, expected) in [
        ("gone", "f", "the module `gone` cannot be imported: ModuleNotFoundError: No module named 'gone'"),
        ("broken", "f", "the module `broken` cannot be imported: ZeroDivisionError: division by zero"),
        ("well", "f", "the module `well` has no `f`: AttributeError: "),
        ("well", "number", "the parameters of `7` cannot be told: TypeError: 7 is not a callable object"),
    ] {
        let report = modules.run(&[call(module, func, &json!({}))]).await;
        assert_eq!(report.verdict, Verdict::Aborted);
        let reason = report.reason.unwrap();
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test]
async fn configuration_and_secrets_are_handed_to_functions_that_take_them() {
    let source = "def takes(x, configuration, secrets=None):\n    return [x, configuration, type(secrets).__name__, \
                  [key for key in (secrets or {})]]\n\ndef takes_any(**given):\n    return sorted(given)\n\n\
                  class Kind:\n    def __init__(self, x):\n        self.x = x\n    def __repr__(self):\n        \
                  return 'Kind(%s)' % self.x\n";
    let modules = Modules::of("injected", source);
    let with = |scopes: Value| {
        let mut activity = call("injected", "takes", &json!({"x": "${n}", "configuration": "never seen"}));
        activity["provider"]["secrets"] = scopes;
        activity
    };
    let mut experiment = document(
        &[
            with(json!(null)),
            with(json!("one")),
            with(json!(["two", "nobody", "one"])),
            call("injected", "takes_any", &json!({"a": "${unknown} $n", "secrets": "mine"})),
            call("injected", "Kind", &json!({"x": "${n}"})),
            call("time", "time", &json!({})),
        ],
        &[],
    );
    experiment["configuration"] = json!({"n": 7});
    experiment["secrets"] = json!({"one": {"a": "first-secret", "b": 2}, "two": {"b": 3, "c": 4}});
    let experiment = modules.read(experiment);
    let warnings: Vec<String> = experiment.warnings().iter().map(ToString::to_string).collect();
    assert!(warnings.iter().any(|warning| warning.contains("there is no scope `nobody`")), "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("`${unknown}` stands for nothing")), "{warnings:?}");
    let (report, _) = Lab::in_real_time(&[]).run(experiment).await;
    assert_eq!(report.verdict, Verdict::Completed, "{:?}", report.reason);
    let output = |at: usize| report.journal.run[at].output.to_string();
    assert_eq!(output(0), r#"[7,{"n":7},"NoneType",[]]"#);
    assert_eq!(output(1), r#"[7,{"n":7},"dict",["a","b"]]"#);
    assert_eq!(output(2), r#"[7,{"n":7},"dict",["b","c","a"]]"#);
    assert_eq!(output(3), r#"["a","secrets"]"#);
    assert_eq!(output(4), r#""Kind(7)""#);
    assert!(report.journal.run[5].output.is_f64());
}

#[tokio::test]
async fn a_secret_that_a_function_returns_is_masked() {
    let modules = Modules::of("leaky", "def leak(secrets, password):\n    raise ValueError(secrets['a'] + password)\n");
    let mut activity = call("leaky", "leak", &json!({"password": "literal-secret"}));
    activity["provider"]["secrets"] = json!(["s"]);
    let mut experiment = document(&[activity], &[]);
    experiment["secrets"] = json!({"s": {"a": "hunter2-long"}});
    let (report, events) = Lab::in_real_time(&[]).run(modules.read(experiment)).await;
    let written = format!("{}{}", serde_json::to_string(&events).unwrap(), report.reason.unwrap());
    assert!(written.contains("ValueError: ****************"), "{written}");
    assert!(!written.contains("hunter2-long") && !written.contains("literal-secret"), "{written}");
}

#[tokio::test]
async fn what_a_function_prints_and_reads_does_not_disturb() {
    let source = "import os, subprocess, sys\n\ndef noisy():\n    print('{\"id\": 1, \"returned\": \"wrong\"}')\n    \
                  os.write(1, b'\\xff' * 300000)\n    sys.stderr.write('no end')\n    subprocess.run(['echo', 'x'])\n    \
                  return [sys.stdin.read(), subprocess.run(['cat'], stdout=subprocess.PIPE).stdout.decode(), \
                  '' in sys.path]\n";
    let modules = Modules::of("noisy", source);
    let report = modules.run(&[call("noisy", "noisy", &json!({})), call("noisy", "noisy", &json!({}))]).await;
    assert_eq!(report.verdict, Verdict::Completed, "{:?}", report.reason);
    assert_eq!(report.journal.run[1].output, json!(["", "", false]));
}

#[tokio::test]
async fn modules_keep_what_one_activity_leaves_for_the_next_and_end_as_programs_do() {
    let source = "import atexit, os\ncount = 0\natexit.register(lambda: open(__file__ + '.end', 'w').close())\n\
                  def add():\n    global count\n    count += 1\n    return [count, os.getpid()]\n";
    let modules = Modules::of("keeps", source);
    let rollback = call("keeps", "add", &json!({}));
    let experiment = document(&[call("keeps", "add", &json!({})), call("keeps", "add", &json!({}))], &[rollback]);
    let (report, _) = Lab::in_real_time(&[]).run(modules.read(experiment)).await;
    assert_eq!(report.journal.run[1].output[0], 2);
    assert_eq!(report.journal.rollbacks[0].output[0], 3);
    assert_eq!(report.journal.run[0].output[1], report.journal.rollbacks[0].output[1], "it is one process");
    assert!(modules.path("keeps.py.end").exists());
}

#[tokio::test]
async fn an_action_in_python_has_no_undo() {
    let modules = Modules::of("slow", "def is_there():\n    return True\n");
    let mut action = call("slow", "is_there", &json!({}));
    action["type"] = json!("action");
    let experiment = modules.read(document(&[action], &[]));
    let lab = Lab::in_real_time(&[]);
    let resolved = lab.resolve(experiment.clone()).await.unwrap();
    assert!(resolved.plan().to_string().contains("calls `slow.is_there` in Python, which cannot be undone"));
    let (report, events) = lab.run(experiment).await;
    assert_eq!((report.without_undo.len(), &*report.without_undo[0].provider), (1, "python"));
    let told = |event: &RunEventKind| matches!(event, RunEventKind::NotUndoable { .. });
    assert_eq!(count(&events, told), 1);
}

#[tokio::test]
async fn where_there_is_no_python_the_way_out_is_told() {
    let modules = Modules::of("slow", "def is_there():\n    return True\n");
    for (variable, value, expected) in [
        ("PATH", "/nowhere", "there is no Python: `python3` is not in /nowhere; install Python 3.8 or newer, or name"),
        ("CHAOSMONKEY_PYTHON", "/nowhere/python", "`/nowhere/python`, which CHAOSMONKEY_PYTHON names as the Python"),
        ("CHAOSMONKEY_PYTHON", "true", "cannot start Python: Python, `/"),
    ] {
        let inputs = modules.inputs(&[(variable, value)]);
        let method = [call("slow", "is_there", &json!({})), call("slow", "is_there", &json!({}))];
        let experiment = read_with(document(&method, &[]), &inputs).unwrap();
        let findings = experiment.check_python(&Lab::in_real_time(&[]).cx).await;
        assert!(findings[0].message.contains(expected), "{findings:?}");
        let (report, _) = Lab::in_real_time(&[]).run(experiment).await;
        let reason = report.reason.unwrap();
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_calls_is_found_at_once() {
    let source = "import functools, os\nfrom json import dumps\n\ndef f(a, b=1, *, c):\n    pass\n\n\
                  def any_name(a, **rest):\n    pass\n\ndef given(configuration, secrets):\n    pass\n\n\
                  def position(a, /):\n    pass\n\nclass Kind:\n    pass\n\ncached = functools.lru_cache()(f)\nnumber = 7\n";
    let modules = Modules::of("checked", source);
    modules.add("ends", "import sys\nsys.exit(3)\n");
    modules.add("dies", "import os\nos._exit(3)\n");
    modules.add("wrong", "def f(:\n");
    let mut listed = call("checked", "given", &json!({}));
    listed["provider"]["secrets"] = json!("s");
    let mut experiment = document(
        &[
            call("checked", "f", &json!({"a": 1, "c": 2})),
            call("checked", "f", &json!({"a": 1, "d": 2, "e": 3})),
            call("checked", "any_name", &json!({"a": 1, "z": 2})),
            call("checked", "any_name", &json!({"z": 2})),
            call("checked", "given", &json!({})),
            listed,
            call("checked", "position", &json!({"a": 1})),
            call("checked", "Kind", &json!({})),
            call("checked", "cached", &json!({})),
            call("checked", "number", &json!({})),
            call("checked", "gone", &json!({})),
            call("checked", "dumps", &json!({"obj": 1})),
            call("gone", "f", &json!({})),
            call("ends", "f", &json!({})),
            call("dies", "f", &json!({})),
            call("wrong", "f", &json!({})),
            call("math", "sqrt", &json!({"x": 1})),
            call("time", "time", &json!({})),
            call("os.path", "exists", &json!({"path": "/"})),
            json!({"ref": "gone"}),
        ],
        &[],
    );
    experiment["secrets"] = json!({"s": {"a": "b"}});
    let experiment = modules.read(experiment);
    let findings = experiment.check_python(&Lab::in_real_time(&[]).cx).await;
    let findings: Vec<String> =
        findings.iter().map(|found: &Finding| format!("{found} {:?}", found.severity)).collect();
    insta::with_settings!({filters => [("Python, `[^`]+`", "Python, `python3`")]}, {
        insta::assert_snapshot!(findings.join("\n"));
    });
}

#[test]
fn what_cannot_be_read_is_found_before_python_is_needed() {
    let mut odd = call("m", "f", &json!([1]));
    odd["provider"]["secrets"] = json!([1]);
    let experiment = document(&[odd, json!({"type": "probe", "name": "n", "provider": {"type": "python"}})], &[]);
    let findings = read_with(experiment, &inputs(&[])).unwrap_err().to_string();
    insta::assert_snapshot!(findings);
}
