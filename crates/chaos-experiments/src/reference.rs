//! Our rules held against the answers of Chaos Toolkit itself, which `tests/reference/generate.py` wrote down.

use std::borrow::Cow;
use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::configuration;
use crate::inputs::{Environment, Inputs, Overrides};
use crate::jsonpath::JsonPath;
use crate::python;
use crate::substitute::Variables;
use crate::tolerance::{self, Tolerance};

/// Where we differ, and why: the table, the question as it stands there, and the reason.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "tolerance",
        r#"["${nothing}",null]"#,
        "TOL-04: what stands for null or a fraction is compared as any other value",
    ),
    ("tolerance", r#"["${half}",0.5]"#, "TOL-04: what stands for null or a fraction is compared as any other value"),
    ("tolerance", r#"[{"type":"range","range":[-1.5,1e+300]},[0,[1,2],0]]"#, "TOL-14: no list is a number"),
    ("tolerance", r#"[{"type":"range","range":[0,9007199254740993]},[0,[1,2],0]]"#, "TOL-14: no list is a number"),
    (
        "tolerance",
        r#"[{"type":"jsonpath","path":"$","expect":"NaN"},"NaN"]"#,
        "TOL-11: NaN is no JSON, so it is a text",
    ),
    ("tolerance", r#"[{"type":"jsonpath","path":"$","expect":"[1e400]"},"[1e400]"]"#, "TOL-11: no number is infinite"),
    ("tolerance", r#"[{"type":"jsonpath","path":"$..*"},"[1e400]"]"#, "TOL-11: no number is infinite"),
    (
        "tolerance_valid",
        r#"[{"type":"regex","pattern":"\\N{BULLET}"}]"#,
        "TOL-10: there is no table of names of characters",
    ),
    (
        "jsonpath",
        r#"["text","$.substring(0,99999999999999999999)"]"#,
        "JP-08: a whole number of more than 64 bits is a fraction",
    ),
    ("env_types", r#"["json","text","-0"]"#, "CONF-04: the JSON number -0 is a fraction"),
    ("env_types", r#"["int","text","18446744073709551616"]"#, "CONF-04: whole numbers have 64 bits"),
    ("env_types", r#"["int","text","-9223372036854775809"]"#, "CONF-04: whole numbers have 64 bits"),
    ("env_types", r#"["int","text","111111111111111111111111111111"]"#, "CONF-04: whole numbers have 64 bits"),
    ("env_types", r#"["int","default",1e+20]"#, "CONF-04: whole numbers have 64 bits"),
    ("env_types", r#"["integer","default",1e+20]"#, "CONF-04: whole numbers have 64 bits"),
];

/// The lines of a table.
fn table(text: &str) -> Vec<Vec<Value>> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The names of the first line of a table.
fn variables(line: &[Value]) -> Variables {
    let mut variables = Variables::default();
    let entries = |section: &str| line[0][section].as_object().cloned().unwrap_or_default();
    variables.configuration.extend(entries("configuration"));
    variables.secrets.extend(entries("secrets"));
    variables
}

/// Compares all answers of a table, and tells all that are wrong at once.
struct Comparison {
    table: &'static str,
    wrong: Vec<String>,
    different: BTreeSet<String>,
    compared: usize,
}

impl Comparison {
    fn of(table: &'static str) -> Self {
        Self { table, wrong: Vec::new(), different: BTreeSet::new(), compared: 0 }
    }

    fn compare(&mut self, question: &[Value], theirs: &Value, ours: &Value) {
        self.compared += 1;
        let question = Value::from(question.to_vec()).to_string();
        let listed = DIFFERENCES.iter().any(|(table, known, _)| *table == self.table && *known == question);
        if theirs == ours {
            return;
        }
        if listed {
            self.different.insert(question);
        } else {
            self.wrong.push(format!("{question}: the reference says {theirs}, we say {ours}"));
        }
    }

    /// At least so many answers were compared, and every difference that is listed is one.
    fn end(self, at_least: usize) {
        assert!(self.wrong.is_empty(), "{}: {} wrong\n{}", self.table, self.wrong.len(), self.wrong.join("\n"));
        let listed = DIFFERENCES.iter().filter(|(table, _, _)| *table == self.table);
        let listed: BTreeSet<String> = listed.map(|(_, question, _)| (*question).to_owned()).collect();
        assert_eq!(listed, self.different, "{}: what is listed does not differ", self.table);
        assert!(self.compared >= at_least, "{}: only {} answers", self.table, self.compared);
    }
}

#[test]
fn tolerances_are_met_as_in_the_reference() {
    let table = table(include_str!("../tests/reference/tolerance.jsonl"));
    let mut comparison = Comparison::of("tolerance");
    let variables = variables(&table[0]);
    let mut last = (&Value::Null, None);
    for line in &table[1..] {
        if *last.0 != line[0] {
            last = (&line[0], Tolerance::parse(&line[0], &variables, "/t", &mut Vec::new()));
        }
        let met = last.1.as_ref().is_some_and(|tolerance| tolerance.check(&line[1]).is_ok());
        // What makes the reference crash is not met.
        comparison.compare(&line[..2], &(line[2] == json!([true])).into(), &met.into());
    }
    comparison.end(2000);
}

#[test]
fn tolerances_are_valid_as_in_the_reference() {
    let mut comparison = Comparison::of("tolerance_valid");
    for line in table(include_str!("../tests/reference/tolerance_valid.jsonl")) {
        let mut findings = Vec::new();
        tolerance::validate(&line[0], "/t", &mut findings);
        comparison.compare(&line[..1], &(line[1] == json!([null])).into(), &findings.is_empty().into());
    }
    comparison.end(250);
}

#[test]
fn paths_find_what_they_find_in_the_reference() {
    let mut comparison = Comparison::of("jsonpath");
    let mut documents = Map::new();
    for line in table(include_str!("../tests/reference/jsonpath.jsonl")) {
        let name = line[0].as_str().unwrap();
        let (Some(document), Some(path)) = (documents.get(name), line[1].as_str().filter(|_| !line[2].is_null()))
        else {
            documents.insert(name.to_owned(), line[1].clone());
            continue;
        };
        let ours = match JsonPath::parse(path) {
            Err(_) => json!("refuses"),
            Ok(path) => match path.matches(document, None) {
                Ok(found) => Value::from(vec![found.into_iter().map(Cow::into_owned).collect::<Value>()]),
                Err(_) => json!("crashes"),
            },
        };
        comparison.compare(&line[..2], &line[2], &ours);
    }
    comparison.end(450);
}

#[test]
fn names_are_replaced_as_in_the_reference() {
    let table = table(include_str!("../tests/reference/substitution.jsonl"));
    let mut comparison = Comparison::of("substitution");
    let variables = variables(&table[0]);
    for line in &table[1..] {
        comparison.compare(&line[..1], &line[1], &json!([variables.substitute_always(&line[0]).value]));
    }
    comparison.end(100);
}

#[test]
fn environment_variables_have_the_types_of_the_reference() {
    let mut comparison = Comparison::of("env_types");
    for line in table(include_str!("../tests/reference/env_types.jsonl")) {
        let mut declared = json!({"type": "env", "key": "X", "env_var_type": line[0]});
        let mut environment = Vec::new();
        if line[1] == json!("default") {
            declared["default"] = line[2].clone();
        } else {
            environment.push(("X".to_owned(), line[2].as_str().unwrap().to_owned()));
        }
        let inputs = Inputs::new(Overrides::none()).environment(environment.into_iter().collect::<Environment>());
        let root = json!({"configuration": {"key": declared}});
        let mut findings = Vec::new();
        let read = configuration::resolve(root.as_object().unwrap(), &inputs, &mut findings);
        let ours = read.configuration.get("key").map_or(json!("refuses"), |value| json!([value]));
        assert_eq!(findings.is_empty(), ours.is_array(), "{line:?}");
        // What makes the reference crash is refused, and so is what no JSON can hold.
        let theirs = if line[3].is_array() { line[3].clone() } else { json!("refuses") };
        comparison.compare(&line[..3], &theirs, &ours);
    }
    comparison.end(700);
}

#[test]
fn texts_and_truth_of_values_are_those_of_the_reference() {
    let mut comparison = Comparison::of("text");
    for line in table(include_str!("../tests/reference/text.jsonl")) {
        comparison.compare(&line[..1], &line[1], &json!([python::text(&line[0])]));
    }
    comparison.end(150);
    let mut comparison = Comparison::of("truthy");
    for line in table(include_str!("../tests/reference/truthy.jsonl")) {
        comparison.compare(&line[..1], &line[1], &json!([python::truthy(&line[0])]));
    }
    comparison.end(20);
}

/// Any JSON, of few different parts so that they meet.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ab]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[ab]", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// What looks like a tolerance, with anything in its fields.
fn any_tolerance() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![Just("regex"), Just("jsonpath"), Just("range"), Just("probe")];
    let text =
        prop_oneof!["[ab$^*.(){]{0,4}", r"\$(\.a|\[\*\]|\.\.b|\[0\])?", r"\$\{(name|other)\}"].prop_map(Value::from);
    let field = prop_oneof![any_json(), text];
    let bounds = (any::<f64>(), any::<i32>()).prop_map(|(from, to)| json!([from, to]));
    let bounds = prop_oneof![bounds, any_json()];
    let mapping = (kind, field.clone(), field.clone(), bounds, any_json(), any_json()).prop_map(
        |(kind, pattern, path, range, target, expect)| {
            json!({"type": kind, "pattern": pattern, "path": path, "range": range, "target": target, "expect": expect})
        },
    );
    prop_oneof![mapping, field]
}

proptest! {
    #[test]
    fn any_tolerance_is_read_and_checked_or_refused(tolerance in any_tolerance(), output in any_json(), name in any_json()) {
        let mut variables = Variables::default();
        variables.configuration.insert("name".to_owned(), name);
        let mut findings = Vec::new();
        tolerance::validate(&tolerance, "/t", &mut findings);
        findings.clear();
        if let Some(tolerance) = Tolerance::parse(&tolerance, &variables, "/t", &mut findings) {
            let _ = tolerance.check_in(&output, output.as_object());
        } else {
            prop_assert_eq!(findings.len(), 1);
        }
    }

    #[test]
    fn anything_is_substituted_and_written(value in any_json(), name in any_json()) {
        let mut variables = Variables::default();
        variables.configuration.insert("a".to_owned(), name);
        let substituted = variables.substitute_always(&value).value;
        prop_assert!(python::equal(&substituted, &substituted));
        prop_assert!(!python::text(&json!([substituted])).is_empty());
    }
}
