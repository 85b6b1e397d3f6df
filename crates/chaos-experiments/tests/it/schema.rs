//! The schema for editors accepts what the engine accepts, and refuses what it refuses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chaos_experiments::{Document, Environment, Experiment, Inputs, Overrides, Rules, Template, schema};
use jsonschema::Validator;
use serde_json::{Value, json};

/// Where the experiments are that are held against Chaos Toolkit.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../xtask/peers/chaostoolkit");

/// Cases that Chaos Toolkit takes and an editor marks: what is written there is of no use, or ends the run.
const MARKED: [&str; 5] = [
    "activities-aborting.5",
    "activities-bad-pauses.1",
    "validation-activity-fields-allowed.1",
    "validation-activity-fields-allowed.3",
    "validation-http-not-looked-at.3",
];

fn validator() -> Validator {
    jsonschema::draft202012::options().build(&schema()).unwrap()
}

/// Whether the engine takes a document, whatever the environment holds.
fn is_valid(document: &Document, rules: Rules) -> bool {
    let mut names = BTreeSet::new();
    variables(&Value::Object(document.root().clone()), &mut names);
    let environment: Environment = names.into_iter().map(|name| (name, "1".to_owned())).collect();
    let inputs = Inputs::new(Overrides::none()).rules(rules).environment(environment);
    Experiment::new(document, &inputs).is_ok()
}

/// The environment variables that a document names.
fn variables(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            names.extend(map.get("key").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| variables(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| variables(value, names)),
        _ => {}
    }
}

/// What is wrong with a document by the schema.
fn wrong(validator: &Validator, document: &Document) -> Vec<String> {
    let root = Value::Object(document.root().clone());
    validator.iter_errors(&root).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn load(path: &Path) -> Option<Document> {
    let text = std::fs::read_to_string(path).ok()?.replace("${SERVER}", "http://127.0.0.1:1");
    let name = path.to_string_lossy();
    match path.extension()?.to_str()? {
        "json" => Document::from_json(&name, &text).ok(),
        "yaml" | "yml" => Document::from_yaml(&name, &text).ok(),
        _ => None,
    }
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Puts a value at a JSON pointer, of which `-` is behind the last item; none removes what is there.
fn put(root: &mut Value, pointer: &str, value: Option<Value>) -> Option<()> {
    let (parent, last) = pointer.rsplit_once('/')?;
    match root.pointer_mut(parent)? {
        Value::Object(map) => match value {
            Some(value) => drop(map.insert(last.replace("~1", "/").replace("~0", "~"), value)),
            None => drop(map.shift_remove(last)),
        },
        Value::Array(items) => match (last.parse::<usize>().ok(), value) {
            (None, value) => items.push(value?),
            (Some(at), Some(value)) => *items.get_mut(at)? = value,
            (Some(at), None) => drop((at < items.len()).then(|| items.remove(at))?),
        },
        _ => return None,
    }
    Some(())
}

/// The changed documents that the cases of a table stand for.
fn cases(table: &Path) -> Vec<(String, Document)> {
    let directory = table.parent().unwrap();
    let text = std::fs::read_to_string(table).unwrap();
    let table: toml::Table = toml::from_str(&text).unwrap();
    let texts = |value: &toml::Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let mut found = Vec::new();
    for case in table["case"].as_array().unwrap() {
        let Some(base) = case.get("experiment").and_then(|name| load(&directory.join(name.as_str()?))) else {
            continue;
        };
        let list = |key: &str| case.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let places = case.get("at").map(texts).unwrap_or_default();
        let all: Vec<(String, String)> = list("change")
            .iter()
            .filter_map(|change| texts(change).try_into().ok().map(|[place, value]: [String; 2]| (place, value)))
            .collect();
        let mut variants: Vec<Vec<String>> = list("variants").iter().map(texts).collect();
        if variants.is_empty() {
            variants.push(Vec::new());
        }
        for (number, values) in variants.into_iter().enumerate() {
            let mut root = Value::Object(base.root().clone());
            let own = places.iter().cloned().zip(values);
            let is_put = all.iter().cloned().chain(own).all(|(place, value)| {
                let value = (!value.is_empty()).then(|| serde_json::from_str(&value).unwrap_or_default());
                put(&mut root, &place, value).is_some()
            });
            let name = format!("{}.{}", case["name"].as_str().unwrap(), number + 1);
            if let Some(document) = is_put.then(|| Document::from_value(&name, root).ok()).flatten() {
                found.push((name, document));
            }
        }
    }
    found
}

#[test]
fn what_the_engine_takes_is_accepted() {
    let validator = validator();
    let mut documents: Vec<(String, Document)> = Vec::new();
    for path in files(Path::new(CORPUS)) {
        if path.ends_with("cases.toml") {
            documents.extend(cases(&path));
        } else if let Some(document) = load(&path) {
            documents.push((path.strip_prefix(CORPUS).unwrap().display().to_string(), document));
        }
    }
    let (mut taken, mut marked, mut failures) = ([0, 0], 0, Vec::new());
    for (name, document) in &documents {
        let is_taken = [Rules::Compat, Rules::Strict].map(|rules| is_valid(document, rules));
        taken = [taken[0] + usize::from(is_taken[0]), taken[1] + usize::from(is_taken[1])];
        if MARKED.contains(&name.as_str()) {
            assert!(!is_taken[1] && !wrong(&validator, document).is_empty(), "{name} is not marked");
            marked += 1;
        } else if is_taken.contains(&true) {
            failures.extend(wrong(&validator, document).into_iter().map(|why| format!("{name}: {why}")));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), documents.len(), failures.join("\n"));
    assert_eq!(marked, MARKED.len());
    assert!(taken[0] > 500 && taken[1] > 200, "{taken:?} of {}", documents.len());
}

#[test]
fn every_template_is_accepted() {
    for template in Template::all() {
        let document = Document::from_value(template.name(), template.document()).unwrap();
        assert_eq!(wrong(&validator(), &document), [""; 0], "{}", template.name());
    }
}

#[test]
fn what_the_documents_show_is_accepted() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let mut shown = 0;
    for path in files(Path::new(docs)).into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for block in text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            let Ok(part) = Document::from_yaml("docs", block) else { continue };
            let keys: Vec<&str> = part.root().keys().map(String::as_str).collect();
            if !keys.iter().any(|key| ["method", "stop-conditions", "steady-state-hypothesis"].contains(key)) {
                continue;
            }
            let mut whole = json!({"title": "t", "description": "d", "method": []});
            whole.as_object_mut().unwrap().extend(part.root().clone());
            let whole = Document::from_value("docs", whole).unwrap();
            assert_eq!(wrong(&validator(), &whole), [""; 0], "{}:\n{block}", path.display());
            shown += 1;
        }
    }
    assert!(shown > 0);
}

/// An experiment with a part of every kind.
fn whole() -> Value {
    let look = json!({"type": "python", "module": "chaosmonkey.vm", "func": "vm_power_state",
                      "arguments": {"vm_name": "${vm}", "platform_type": "vsphere"}});
    let ask = json!({"type": "http", "url": "http://x/", "timeout": [1, 2], "headers": {"A": 1}});
    json!({
        "title": "t", "description": "d", "tags": ["a"], "extensions": [{"name": "x"}], "unknown": 1,
        "configuration": {"vm": "web-01", "n": {"type": "env", "key": "N", "env_var_type": "int", "default": 1}},
        "secrets": {"s": {"token": {"type": "env", "key": "T"}, "deep": {"er": "x"}}},
        "runtime": {"hypothesis": {"strategy": "continuously"}, "rollbacks": {"strategy": "always"}},
        "steady-state-hypothesis": {"title": "h", "probes": [
            {"type": "probe", "name": "on", "tolerance": "powered_on", "provider": look},
            {"type": "probe", "name": "up", "tolerance": {"type": "jsonpath", "path": "$.a"}, "provider": ask},
        ]},
        "method": [
            {"type": "action", "name": "run", "background": true, "pauses": {"after": 1},
             "provider": {"type": "process", "path": "true", "arguments": ["a"], "timeout": 5, "unknown": 1}},
            {"type": "action", "name": "call", "tolerance": {"type": "range", "range": [1, 2], "target": "a"},
             "provider": {"type": "python", "module": "os", "func": "getcwd", "arguments": {}, "secrets": ["s"]}},
            {"type": "probe", "name": "match", "tolerance": {"type": "regex", "pattern": "a"}, "provider": ask},
            {"ref": "on"},
        ],
        "rollbacks": [{"type": "action", "name": "back", "provider": {"type": "python", "module": "chaosmonkey.vm",
            "func": "vm_restore", "arguments": {"vm_names": ["${vm}"], "platform_type": "vsphere"}}}],
        "stop-conditions": [{"type": "probe", "name": "fine", "tolerance": 200, "provider": ask, "frequency": 2}],
    })
}

#[test]
fn an_experiment_with_everything_is_accepted() {
    let document = Document::from_value("whole", whole()).unwrap();
    assert_eq!(wrong(&validator(), &document), [""; 0]);
    assert!(is_valid(&document, Rules::Strict));
}

#[test]
fn what_is_broken_is_refused_by_both() {
    let validator = validator();
    let broken = [
        ("/title", None),
        ("/title", Some(json!(""))),
        ("/description", None),
        ("/method", None),
        ("/method", Some(json!(null))),
        ("/method", Some(json!({}))),
        ("/rollbacks", Some(json!({}))),
        ("/tags/0", Some(json!(""))),
        ("/tags/0", Some(json!(1))),
        ("/extensions/0", Some(json!({}))),
        ("/extensions/0/name", Some(json!(" "))),
        ("/configuration", Some(json!([]))),
        ("/configuration/n/key", None),
        ("/configuration/n/env_var_type", Some(json!("whole"))),
        ("/secrets", Some(json!("x"))),
        ("/secrets/s", Some(json!("x"))),
        ("/secrets/s", Some(json!({"type": "env", "key": "T"}))),
        ("/secrets/s/token/key", None),
        ("/secrets/s/deep/er", Some(json!({"type": "env"}))),
        ("/runtime/hypothesis/strategy", Some(json!("sometimes"))),
        ("/runtime/rollbacks/strategy", Some(json!(1))),
        ("/steady-state-hypothesis", Some(json!([]))),
        ("/steady-state-hypothesis/title", None),
        ("/steady-state-hypothesis/probes", Some(json!({}))),
        ("/steady-state-hypothesis/probes/0/tolerance", None),
        ("/steady-state-hypothesis/probes/0/tolerance", Some(json!(null))),
        ("/steady-state-hypothesis/probes/0/tolerance", Some(json!(1.5))),
        ("/steady-state-hypothesis/probes/0/tolerance", Some(json!({}))),
        ("/steady-state-hypothesis/probes/0/tolerance", Some(json!({"type": "xpath", "path": "a"}))),
        ("/steady-state-hypothesis/probes/1/tolerance/path", None),
        ("/steady-state-hypothesis/probes/1/tolerance/path", Some(json!(" "))),
        ("/steady-state-hypothesis/probes/1/tolerance", Some(json!({"type": "probe", "name": "p"}))),
        ("/method/1/tolerance/range", Some(json!([1]))),
        ("/method/1/tolerance/range", Some(json!(["1", "2"]))),
        ("/method/1/tolerance/range", None),
        ("/method/2/tolerance/pattern", None),
        ("/method/2/tolerance/pattern", Some(json!(1))),
        ("/method/0/type", Some(json!("act"))),
        ("/method/0/type", None),
        ("/method/0/name", None),
        ("/method/0/name", Some(json!(""))),
        ("/method/0/background", Some(json!("yes"))),
        ("/method/0/pauses/after", Some(json!("soon"))),
        ("/method/0/pauses/after", Some(json!(-1))),
        ("/method/0/timeout", Some(json!([]))),
        ("/method/0/provider", None),
        ("/method/0/provider", Some(json!("process"))),
        ("/method/0/provider/type", None),
        ("/method/0/provider/type", Some(json!("shell"))),
        ("/method/0/provider/path", None),
        ("/method/0/provider/path", Some(json!(1))),
        ("/method/0/provider/arguments", Some(json!(1))),
        ("/method/0/provider/timeout", Some(json!(0))),
        ("/method/1/provider/module", None),
        ("/method/1/provider/func", Some(json!(""))),
        ("/method/1/provider/arguments", Some(json!([]))),
        ("/method/1/provider/secrets", Some(json!([1]))),
        ("/method/2/provider/url", None),
        ("/method/2/provider/headers", Some(json!([1]))),
        ("/method/2/provider/timeout", Some(json!([1]))),
        ("/method/2/provider/verify_tls", Some(json!("no"))),
        ("/method/2/provider/max_retries", Some(json!(-1))),
        ("/method/2/provider/method", Some(json!(1))),
        ("/method/3", Some(json!("on"))),
        ("/method/3/ref", Some(json!(1))),
        ("/method/3/ref", Some(json!(""))),
        ("/rollbacks/0/provider/func", Some(json!("vm_explode"))),
        ("/rollbacks/0/provider/arguments", None),
        ("/rollbacks/0/provider/arguments/vm_names", None),
        ("/rollbacks/0/provider/arguments/vm_names", Some(json!([]))),
        ("/rollbacks/0/provider/arguments/vm_names", Some(json!(1))),
        ("/rollbacks/0/provider/arguments/platform_type", None),
        ("/rollbacks/0/provider/arguments/vm_name", Some(json!("web-01"))),
        ("/stop-conditions", Some(json!({}))),
        ("/stop-conditions/0/tolerance", None),
        ("/stop-conditions/0/frequency", Some(json!("often"))),
    ];
    for (place, value) in broken {
        let mut root = whole();
        let shown = format!("{place} = {value:?}");
        put(&mut root, place, value).unwrap_or_else(|| panic!("{shown} leads nowhere"));
        let document = Document::from_value("broken", root).unwrap();
        assert!(!is_valid(&document, Rules::Strict), "the engine takes {shown}");
        assert!(!wrong(&validator, &document).is_empty(), "the schema takes {shown}");
    }
}
