//! A JSON Schema of the experiment format, for editors. It is built from the tables that the engine reads experiments by,
//! so that what it offers is what there is.

mod activity;
mod configuration;
mod native;
mod own;
mod provider;
mod tolerance;
mod values;

use serde_json::{Map, Value, json};

use crate::strategy::{HypothesisStrategy, RollbackStrategy};
use values::{described, object, text};

/// The JSON Schema (draft 2020-12) of an experiment.
///
/// It refuses what would be refused in any case, and says of each key what it means. Keys that it does not know are fine, as
/// they are for Chaos Toolkit; only the arguments of a VM function are all known. What cannot be told from the text alone,
/// such as whether a program or a VM is there, is left to `validate` and to a rehearsal.
///
/// ```
/// let schema = chaos_experiments::schema();
/// assert_eq!(schema["required"], serde_json::json!(["title", "description", "method"]));
/// ```
#[must_use]
pub fn schema() -> Value {
    let mut schema = object([
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("title", json!("Chaos experiment")),
        ("description", json!("An experiment in the format of Chaos Toolkit, with VM functions of ChaosMonkey.")),
        ("type", json!("object")),
        ("required", json!(["title", "description", "method"])),
    ]);
    let mut properties = standard();
    properties.extend(own::of_experiment().into_iter().map(|(key, value)| (key.to_owned(), value)));
    schema.insert("properties".to_owned(), Value::Object(properties));
    let definitions = [
        ("step", own::step()),
        ("activities", json!({"type": ["array", "null"], "items": {"$ref": "#/$defs/step"}})),
        ("controls", controls()),
    ];
    let definitions = definitions
        .into_iter()
        .chain(activity::definitions())
        .chain(provider::definitions())
        .chain(tolerance::definitions())
        .chain(configuration::definitions())
        .chain(values::definitions());
    schema.insert("$defs".to_owned(), Value::Object(object(definitions)));
    Value::Object(schema)
}

/// The keys that Chaos Toolkit knows too.
fn standard() -> Map<String, Value> {
    object([
        ("title", described(text(), "What is found out, in one line. Names in `${…}` are replaced.")),
        ("description", described(text(), "Why, and what is expected.")),
        (
            "tags",
            json!({
                "description": "Words to find the experiment by.",
                "type": ["array", "string", "null"],
                "items": {"type": "string", "minLength": 1},
            }),
        ),
        ("configuration", json!({"$ref": "#/$defs/configuration"})),
        ("secrets", json!({"$ref": "#/$defs/secrets"})),
        ("steady-state-hypothesis", hypothesis()),
        (
            "method",
            json!({
                "description": "What is done, one activity after the other. The list may be empty.",
                "type": "array",
                "items": {"$ref": "#/$defs/step"},
            }),
        ),
        (
            "rollbacks",
            described(
                json!({"$ref": "#/$defs/activities"}),
                "What is played at the end. `execute` puts every VM back in any case; what processes, requests and Python \
                 functions did is only mended here.",
            ),
        ),
        ("runtime", runtime()),
        ("controls", json!({"$ref": "#/$defs/controls"})),
        (
            "extensions",
            json!({
                "description": "Data for other tools, each with the name of its tool. They change nothing.",
                "type": ["array", "null"],
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "pattern": "\\S"}}},
            }),
        ),
        ("contributions", json!({"description": "What the experiment contributes to. It changes nothing."})),
    ])
}

fn hypothesis() -> Value {
    json!({
        "description": "What is true of a system that is well. It is checked before and after the method: if it does not \
                        hold before, nothing is done; if it does not hold after, the system has deviated.",
        "type": ["object", "null"],
        "required": ["title"],
        "properties": {
            "title": described(text(), "What is true, in one line."),
            "probes": {
                "description": "Probes, each with the tolerance that its output has to be within.",
                "type": ["array", "null"],
                "items": {"$ref": "#/$defs/judged"},
            },
            "controls": {"$ref": "#/$defs/controls"},
        },
    })
}

fn runtime() -> Value {
    let mut hypothesis = HypothesisStrategy::ALL.map(HypothesisStrategy::as_str).to_vec();
    // The old spelling is understood.
    hypothesis.push("continously");
    let strategy = |words: &[&str], description: &str| {
        let words: Vec<Value> = words.iter().copied().map(Value::from).chain([Value::Null]).collect();
        json!({"type": ["object", "null"], "properties": {"strategy": {"description": description, "enum": words}}})
    };
    let rollbacks = RollbackStrategy::ALL.map(RollbackStrategy::as_str);
    json!({
        "description": "How it is run where the command line does not say. What is left out is `default`.",
        "type": ["object", "null"],
        "properties": {
            "hypothesis": strategy(&hypothesis, "When the hypothesis is checked."),
            "rollbacks": strategy(&rollbacks, "When rollbacks are played. `execute` always plays them."),
        },
    })
}

fn controls() -> Value {
    json!({
        "description": "Python code that is called around activities. Not supported yet: a rehearsal leaves it out, and a \
                        run refuses it.",
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "provider": {
                    "type": "object",
                    "properties": {
                        "type": {"enum": ["python"]},
                        "module": {"type": "string"},
                        "arguments": {"type": ["object", "null"]},
                    },
                },
                "scope": {"description": "Only before or only after.", "enum": ["before", "after", "", null]},
                "automatic": {"description": "Whether it is for every activity.", "type": "boolean"},
                "ref": {"type": "string"},
            },
        },
    })
}
