//! A template in a file: the experiment itself, and under `extensions` what it takes.

use std::borrow::Cow;
use std::path::Path;

use chaos_core::nearest;
use regex::Regex;
use serde_json::{Map, Value};

use crate::configuration::{CONNECTION_FIELDS, escape};
use crate::document::Document;
use crate::error::{ExperimentError, Finding, Findings};
use crate::inputs::Given;
use crate::templates::parameter::plain;
use crate::templates::{Limits, Optional, Parameter, ParameterKind, Source, Template};

/// The name of the extension.
const EXTENSION: &str = "chaosmonkey-template";
/// What the extension may hold.
const KNOWN: [&str; 4] = ["name", "summary", "platform", "parameters"];
/// What a parameter may hold.
const OF_PARAMETER: [&str; 10] =
    ["name", "type", "summary", "default", "required", "choices", "minimum", "maximum", "pattern", "without"];

impl Template {
    /// Reads a template from a file, whose name without the ending is its name.
    pub(super) fn load(path: &Path) -> Result<Self, ExperimentError> {
        let document = Document::load(path)?;
        let mut reader = Reader { document: &document, findings: document.duplicates().to_vec() };
        let read = reader.template(path);
        let Reader { findings, .. } = reader;
        match read {
            Some(read) if findings.is_empty() => {
                let Read { name, summary, platform, parameters, optional, extension } = read;
                Ok(Self {
                    name: name.into(),
                    summary: summary.into(),
                    platform: platform.map(Cow::Owned),
                    parameters: parameters.into(),
                    optional: optional.into(),
                    source: Source::File { document, extension },
                })
            }
            _ => {
                let locate = |finding: Finding| {
                    let position = finding.position.or_else(|| document.position(&finding.place));
                    finding.at(position)
                };
                let list = findings.into_iter().map(locate).collect();
                Err(Findings { document: document.name().to_owned(), list }.into())
            }
        }
    }
}

/// What a file declares.
struct Read {
    name: String,
    summary: String,
    platform: Option<String>,
    parameters: Vec<Parameter>,
    optional: Vec<Optional>,
    extension: usize,
}

struct Reader<'d> {
    document: &'d Document,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn refuse(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding::error(place, message));
    }

    /// None only where something is wrong.
    fn template(&mut self, path: &Path) -> Option<Read> {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().replace('_', "-");
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            self.refuse("", "the name of a template has small letters, digits and `-`, and this file's has others");
        }
        let root = self.document.root();
        let extensions = root.get("extensions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let ours = |extension: &&Value| extension.get("name").is_some_and(|name| name == EXTENSION);
        let mut found = extensions.iter().enumerate().filter(|(_, extension)| ours(extension));
        let Some((extension, Value::Object(declared))) = found.next() else {
            let finding = Finding::error("/extensions", "this experiment does not say what it takes as a template");
            let hint = format!("add an entry with `name: {EXTENSION}` and `parameters`, or move the file elsewhere");
            self.findings.push(finding.hint(hint));
            return None;
        };
        if let Some((second, _)) = found.next() {
            self.refuse(format!("/extensions/{second}"), format!("there is a second `{EXTENSION}`"));
        }
        let place = format!("/extensions/{extension}");
        self.known(&place, declared, &KNOWN);
        let summary = self.text(&place, declared, "summary");
        let platform = self.text(&place, declared, "platform");
        let title = root.get("title").and_then(Value::as_str).unwrap_or_default();
        let summary = summary.unwrap_or_else(|| title.to_owned());
        let (parameters, optional) = self.parameters(&place, declared, platform.as_deref());
        Some(Read { name, summary, platform, parameters, optional, extension })
    }

    fn parameters(
        &mut self,
        place: &str,
        declared: &Map<String, Value>,
        platform: Option<&str>,
    ) -> (Vec<Parameter>, Vec<Optional>) {
        let (mut parameters, mut optional): (Vec<Parameter>, Vec<Optional>) = (Vec::new(), Vec::new());
        let list = match declared.get("parameters") {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(list)) => list.as_slice(),
            Some(_) => {
                self.refuse(format!("{place}/parameters"), "this has to be a list");
                &[][..]
            }
        };
        for (at, declared) in list.iter().enumerate() {
            let place = format!("{place}/parameters/{at}");
            let Value::Object(declared) = declared else {
                self.refuse(place, "a parameter is a mapping with `name` and `type`");
                continue;
            };
            let Some(parameter) = self.parameter(&place, declared) else { continue };
            let name = &*parameter.name;
            let in_configuration = self.document.root().get("configuration").is_some_and(|all| all.get(name).is_some());
            let short = platform.and_then(|platform| name.strip_prefix(platform)?.strip_prefix('_')).unwrap_or(name);
            let clash = if parameters.iter().any(|known| known.name == name) {
                Some("there is a parameter of this name already")
            } else if in_configuration {
                Some("`configuration` has this name too: give the parameter a `default` instead")
            } else if CONNECTION_FIELDS.contains(&short) {
                Some("this is the name of a connection value, which every template takes")
            } else {
                None
            };
            if let Some(clash) = clash {
                self.refuse(format!("{place}/name"), clash);
            }
            optional.extend(self.without(&place, declared, &parameter));
            parameters.push(parameter);
        }
        // In the order of the document, so that one after the other can be taken out from the end.
        optional.sort_by(|one, other| steps(&one.place).cmp(&steps(&other.place)));
        (parameters, optional)
    }

    fn parameter(&mut self, place: &str, declared: &Map<String, Value>) -> Option<Parameter> {
        self.known(place, declared, &OF_PARAMETER);
        let name = self.text(place, declared, "name").unwrap_or_default();
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !is_name(&name) {
            self.refuse(format!("{place}/name"), "a parameter has a name of letters, digits and `_`");
        }
        let kind = self.kind(place, declared)?;
        let mut parameter = Parameter {
            name: name.into(),
            summary: self.text(place, declared, "summary").unwrap_or_default().into(),
            kind,
            default: None,
            required: false,
            limits: self.limits(place, declared, kind),
        };
        let default = declared.get("default").filter(|default| !default.is_null()).map(plain);
        if let Some(default) = &default
            && parameter.read(&Given::Text(default.clone())).is_none()
        {
            self.refuse(format!("{place}/default"), format!("the default has to be {}", parameter.form()));
        }
        parameter.required = match declared.get("required") {
            None | Some(Value::Null) => default.is_none(),
            Some(Value::Bool(true)) if default.is_some() => {
                self.refuse(format!("{place}/required"), "what has a default need not be given");
                true
            }
            Some(Value::Bool(required)) => *required,
            Some(_) => {
                self.refuse(format!("{place}/required"), "this has to be true or false");
                true
            }
        };
        parameter.default = default.map(Cow::Owned);
        Some(parameter)
    }

    fn kind(&mut self, place: &str, declared: &Map<String, Value>) -> Option<ParameterKind> {
        let words = ParameterKind::WORDS.map(|(word, _)| word);
        let Some(written) = self.text(place, declared, "type") else {
            self.refuse(place, format!("a parameter needs a `type`: {}", words.join(", ")));
            return None;
        };
        let kind = ParameterKind::WORDS.iter().find(|(word, _)| *word == written).map(|(_, kind)| *kind);
        if kind.is_none() {
            let meant = nearest(&written, &words).map(|meant| format!(", did you mean `{meant}`?"));
            let meant = meant.as_deref().unwrap_or(":");
            let message = format!("`{written}` is no type{meant} use one of {}", words.join(", "));
            self.refuse(format!("{place}/type"), message);
        }
        kind
    }

    fn limits(&mut self, place: &str, declared: &Map<String, Value>, kind: ParameterKind) -> Limits {
        let is_plain = matches!(kind, ParameterKind::Text | ParameterKind::Integer | ParameterKind::Number);
        let fits = [
            ("choices", is_plain, "text, integer and number"),
            ("minimum", kind.is_number(), "integer, number and count"),
            ("maximum", kind.is_number(), "integer, number and count"),
            ("pattern", kind == ParameterKind::Text, "text"),
        ];
        for (limit, fits, of) in fits {
            if declared.contains_key(limit) && !fits {
                self.refuse(format!("{place}/{limit}"), format!("only {of} can have this"));
            }
        }
        let mut bound = |limit: &str| {
            let value = declared.get(limit)?;
            if !value.is_number() {
                self.refuse(format!("{place}/{limit}"), "this has to be a number");
            }
            value.as_f64()
        };
        let (minimum, maximum) = (bound("minimum"), bound("maximum"));
        if minimum.zip(maximum).is_some_and(|(least, most)| least > most) {
            self.refuse(format!("{place}/minimum"), "this is more than the maximum");
        }
        let pattern = self.text(place, declared, "pattern").and_then(|text| {
            let whole = Regex::new(&text).and_then(|_| Regex::new(&format!("^(?:{text})$")));
            if whole.is_err() {
                self.refuse(format!("{place}/pattern"), "this is not a regular expression");
            }
            whole.ok().map(|whole| (text, whole))
        });
        let mut limits = Limits { choices: Vec::new(), minimum, maximum, pattern };
        match declared.get("choices") {
            None => {}
            Some(Value::Array(choices)) if !choices.is_empty() => {
                let bare = |limits: &Limits| Parameter {
                    name: "".into(),
                    summary: "".into(),
                    kind,
                    default: None,
                    required: false,
                    limits: limits.clone(),
                };
                let bare = bare(&limits);
                for (at, choice) in choices.iter().enumerate() {
                    match bare.read(&Given::Text(plain(choice))) {
                        Some(choice) => limits.choices.push(choice),
                        None => {
                            self.refuse(format!("{place}/choices/{at}"), format!("this has to be {}", bare.form()));
                        }
                    }
                }
            }
            Some(_) => self.refuse(format!("{place}/choices"), "this has to be a list that is not empty"),
        }
        limits
    }

    /// What is left out where a parameter is not given.
    fn without(&mut self, place: &str, declared: &Map<String, Value>, parameter: &Parameter) -> Vec<Optional> {
        let place = format!("{place}/without");
        let places = match declared.get("without") {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(places)) => places.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        if parameter.required || parameter.default.is_some() {
            self.refuse(place, "nothing can be left out for it: it always has a value; say `required: false`");
            return Vec::new();
        }
        let root = self.document.root();
        let mut all = Vec::new();
        for (at, pointer) in places.iter().enumerate() {
            let first = pointer.as_str().and_then(|pointer| pointer.strip_prefix('/')?.split('/').next());
            let there = |pointer: &str| {
                let (_, below) = pointer.split_once('/')?;
                let (key, rest) = below.split_once('/').map_or((below, ""), |(key, rest)| (key, rest));
                let value = root.get(&key.replace("~1", "/").replace("~0", "~"))?;
                if rest.is_empty() { Some(value) } else { value.pointer(&format!("/{rest}")) }
            };
            match pointer.as_str().filter(|pointer| there(pointer).is_some()) {
                Some(pointer) if !matches!(first, Some("extensions" | "configuration")) => {
                    let (place, parameter) = (Cow::Owned(pointer.to_owned()), parameter.name.clone());
                    all.push(Optional { place, parameter });
                }
                _ => self.refuse(
                    format!("{place}/{at}"),
                    "this has to be a place in the experiment, such as /steady-state-hypothesis/probes/1",
                ),
            }
        }
        all
    }

    /// A text that is not empty, if it is there.
    fn text(&mut self, place: &str, declared: &Map<String, Value>, key: &str) -> Option<String> {
        match declared.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
            Some(_) => {
                self.refuse(format!("{place}/{key}"), "this has to be a text that is not empty");
                None
            }
        }
    }

    fn known(&mut self, place: &str, declared: &Map<String, Value>, known: &[&str]) {
        for key in declared.keys().filter(|key| !known.contains(&key.as_str())) {
            let meant = nearest(key, known).map(|meant| format!(", did you mean `{meant}`?"));
            let message = format!("`{key}` is not known here{}", meant.as_deref().unwrap_or(""));
            let finding = Finding::error(format!("{place}/{}", escape(key)), message);
            self.findings.push(finding.hint(format!("there can be {}", known.join(", "))));
        }
    }
}

/// A pointer in an order in which the items of a list are sorted by their number.
fn steps(pointer: &str) -> Vec<(usize, &str)> {
    pointer.split('/').map(|step| (step.parse().unwrap_or(0), step)).collect()
}
