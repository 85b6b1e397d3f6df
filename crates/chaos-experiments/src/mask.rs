//! Keeps secrets out of everything that is written down.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use chaos_core::{CallResult, Error, Failure, RunEventKind};
use serde_json::{Map, Value};

use crate::error::Finding;
use crate::python;
use crate::substitute::{Variables, whole_reference};

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "********";

/// A secret shorter than this is masked only where it is the whole text: else it would blacken ordinary words.
const SHORTEST_WORD: usize = 4;
/// A secret shorter than this is masked only where it stands as a word: `chaos` is a password that people choose, and
/// `chaosmonkey` is no secret.
const SHORTEST_PART: usize = 8;

/// A line of a secret that is shorter than this is masked only where texts come line by line.
const SHORTEST_LINE: usize = 16;

/// Knows the secrets of a run.
#[derive(Clone, Default)]
pub(crate) struct Masker {
    known: Arc<RwLock<Known>>,
    /// Whether it knows the lines of longer secrets too.
    by_line: bool,
}

/// Secrets, longest first, so that no part of a longer one stays.
#[derive(Default)]
struct Known {
    whole: Vec<String>,
    lines: Vec<String>,
}

impl Known {
    fn of(mut secrets: BTreeSet<String>) -> Self {
        let long = |line: &&str| line.len() >= SHORTEST_PART;
        let mut lines: BTreeSet<String> = secrets
            .iter()
            .flat_map(|secret| secret.lines())
            .filter(long)
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.extend(secrets.iter().cloned());
        let sorted = |mut secrets: BTreeSet<String>| {
            secrets.remove("");
            let mut secrets: Vec<String> = secrets.into_iter().collect();
            secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
            secrets
        };
        let others: Vec<String> = secrets.iter().flat_map(|secret| other_forms(secret)).collect();
        secrets.extend(others.iter().cloned());
        lines.extend(others);
        Self { whole: sorted(secrets), lines: sorted(lines) }
    }
}

/// How a secret may look that another program has printed: escaped by Python or in JSON, without its line breaks, or one of
/// its lines alone.
fn other_forms(secret: &str) -> Vec<String> {
    if secret.len() < SHORTEST_PART || secret.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Vec::new();
    }
    let repr = python::text(&Value::from_iter([secret]));
    let json = Value::from(secret).to_string();
    let within = |text: &str, border: usize| text.get(border..text.len().saturating_sub(border)).map(str::to_owned);
    let mut forms: Vec<String> = within(&repr, 2).into_iter().chain(within(&json, 1)).collect();
    if secret.trim_end().contains('\n') {
        let lines = secret.lines().map(str::trim_end).filter(|line| line.len() >= SHORTEST_LINE);
        forms.extend(lines.map(str::to_owned));
        forms.push(secret.replace(['\r', '\n'], ""));
    }
    forms
}

impl Masker {
    /// Masks the secrets of `variables`, the configuration whose name, or the name of whose environment variable, says
    /// that it is secret, and `more`.
    pub(crate) fn new(variables: &Variables, more: impl IntoIterator<Item = String>) -> Self {
        let masker = Self::default();
        masker.learn(variables, more);
        masker
    }

    /// Masks these from now on too, wherever it is in use.
    pub(crate) fn learn(&self, variables: &Variables, more: impl IntoIterator<Item = String>) {
        let mut secrets: BTreeSet<String> = more.into_iter().collect();
        for value in variables.secrets.values() {
            collect(value, &mut secrets);
        }
        for (key, value) in &variables.configuration {
            if is_secret_name(key) || variables.sensitive.contains(key) {
                collect(value, &mut secrets);
            }
            collect_of_urls(value, &mut secrets);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if secrets.iter().any(|secret| !known.whole.contains(secret)) {
            secrets.extend(std::mem::take(&mut known.whole));
            *known = Known::of(secrets);
        }
    }

    /// The same for texts that come line by line: it knows the lines of longer secrets, such as keys, too.
    pub(crate) fn line_by_line(&self) -> Self {
        Self { known: Arc::clone(&self.known), by_line: true }
    }

    /// `text` without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut masked = text.to_owned();
        for secret in if self.by_line { &known.lines } else { &known.whole } {
            if masked == *secret {
                return MASK.to_owned();
            }
            if secret.len() >= SHORTEST_WORD && masked.contains(secret.as_str()) {
                masked = replace(&masked, secret);
            }
        }
        masked
    }

    /// `error` without secrets.
    pub(crate) fn error(&self, error: Error) -> Error {
        error.map_text(|text| self.text(text))
    }

    /// `finding` without secrets.
    pub(crate) fn finding(&self, finding: Finding) -> Finding {
        Finding { message: self.text(&finding.message), hint: finding.hint.map(|hint| self.text(&hint)), ..finding }
    }

    /// `value` without secrets, at any depth, keys of mappings included.
    pub(crate) fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                let masked: Map<String, Value> =
                    map.iter().map(|(key, value)| (self.text(key), self.value(value))).collect();
                Value::Object(masked)
            }
            Value::Number(number) if self.is_secret(&number.to_string()) => MASK.into(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn is_secret(&self, text: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.whole.iter().any(|secret| secret == text)
    }

    /// The experiment as it may be written down: what is declared in the place of a secret is masked whatever it is,
    /// unless it only says where the secret comes from.
    pub(crate) fn document(&self, root: &Map<String, Value>) -> Value {
        let mut shown = root.clone();
        if let Some(secrets) = shown.get_mut("secrets") {
            blacken(secrets);
        }
        if let Some(Value::Object(configuration)) = shown.get_mut("configuration") {
            for (key, value) in configuration.iter_mut() {
                if is_secret_name(key) || is_secret_source(value) {
                    blacken(value);
                }
            }
        }
        self.activity(&Value::Object(shown))
    }

    /// An activity, or a document that holds activities, as it may be written down.
    pub(crate) fn activity(&self, declaration: &Value) -> Value {
        let mut shown = declaration.clone();
        blacken_arguments(&mut shown);
        self.value(&shown)
    }

    /// An event without secrets. What says how a target is put back stays as it is.
    pub(crate) fn event(&self, event: RunEventKind) -> RunEventKind {
        let failure = |failure: Failure| Failure { message: self.text(&failure.message), ..failure };
        match event {
            RunEventKind::ActivityEnded { activity, status, output, exception, tolerance_met } => {
                RunEventKind::ActivityEnded {
                    activity,
                    status,
                    output: self.value(&output),
                    exception: exception.iter().map(|line| self.text(line)).collect(),
                    tolerance_met,
                }
            }
            RunEventKind::ActivityTried { activity, exception } => RunEventKind::ActivityTried {
                activity,
                exception: exception.iter().map(|line| self.text(line)).collect(),
            },
            RunEventKind::Outcome { prepared, result: CallResult::Error(error) } => {
                RunEventKind::Outcome { prepared, result: CallResult::Error(failure(error)) }
            }
            RunEventKind::UndoDelayed { prepared, until, failure: error } => {
                RunEventKind::UndoDelayed { prepared, until, failure: error.map(failure) }
            }
            RunEventKind::UndoFailed { prepared, failure: error } => {
                RunEventKind::UndoFailed { prepared, failure: failure(error) }
            }
            RunEventKind::ActivityStarted { section, activity } => {
                RunEventKind::ActivityStarted { section, activity: self.activity(&activity) }
            }
            RunEventKind::ActivityAmended { activity, record } => {
                RunEventKind::ActivityAmended { activity, record: self.activity(&record) }
            }
            RunEventKind::JournalAmended { changes } => match self.value(&Value::Object(changes)) {
                Value::Object(changes) => RunEventKind::JournalAmended { changes },
                _ => RunEventKind::JournalAmended { changes: Map::new() },
            },
            RunEventKind::StopRequested { cause, reason, since } => {
                RunEventKind::StopRequested { cause, reason: self.text(&reason), since }
            }
            RunEventKind::Interrupted { reason } => RunEventKind::Interrupted { reason: self.text(&reason) },
            // The experiment of the first event was masked as a whole; the rest holds no text from outside.
            other => other,
        }
    }
}

fn replace(text: &str, secret: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let end = at + secret.len();
        // What was masked before is no part of a word.
        let before = rest[..at].chars().next_back().or_else(|| masked.chars().next_back());
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let word = !inside(before) && !inside(rest[end..].chars().next());
        masked.push_str(&rest[..at]);
        masked.push_str(if word || secret.len() >= SHORTEST_PART { MASK } else { secret });
        rest = &rest[end..];
    }
    masked.push_str(rest);
    masked
}

/// Whether a name says that its value is secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "password",
        "passwd",
        "secret",
        "token",
        "api_key",
        "api-key",
        "apikey",
        "private_key",
        "authorization",
        "cookie",
    ];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Whether a value is declared to come from an environment variable whose name says that it is secret.
pub(crate) fn is_secret_source(declared: &Value) -> bool {
    let field = |name| declared.get(name).and_then(Value::as_str);
    field("type") == Some("env") && field("key").is_some_and(is_secret_variable)
}

/// Whether the name of an environment variable says that its value is secret. Wider than [`is_secret_name`]: an
/// experiment that reads `SSH_KEY` reads a key.
fn is_secret_variable(name: &str) -> bool {
    const PARTS: [&str; 8] = ["pwd", "pass", "passphrase", "key", "credential", "credentials", "cred", "creds"];
    // The working directory is called so everywhere.
    if matches!(name, "PWD" | "OLDPWD") {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    is_secret_name(name) || lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| PARTS.contains(&part))
}

fn collect(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            secrets.insert(text.clone());
        }
        Value::Number(number) => {
            secrets.insert(number.to_string());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, secrets)),
        Value::Object(map) => map.values().for_each(|value| collect(value, secrets)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Masks every literal in a declaration of a secret; a reference or the declaration of a source stays.
fn blacken(value: &mut Value) {
    match value {
        Value::String(text) if whole_reference(text).is_some() => {}
        Value::Object(map) if matches!(map.get("type").and_then(Value::as_str), Some("env" | "vault")) => {
            if let Some(default) = map.get_mut("default") {
                blacken(default);
            }
        }
        Value::Object(map) => map.values_mut().for_each(blacken),
        Value::Array(items) => items.iter_mut().for_each(blacken),
        Value::String(_) | Value::Number(_) => *value = MASK.into(),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Masks literals in the arguments of providers whose name says that they are secret.
fn blacken_arguments(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if (key == "arguments" || key == "headers")
                    && let Value::Object(arguments) = value
                {
                    arguments.iter_mut().filter(|(name, _)| is_secret_name(name)).for_each(|(_, value)| blacken(value));
                }
                blacken_arguments(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blacken_arguments),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Notes the passwords of URLs, such as those of databases, at any depth.
fn collect_of_urls(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            for (_, rest) in text.match_indices("://").map(|(at, _)| text.split_at(at + 3)) {
                let authority = rest.split(|c: char| "/?#".contains(c) || c.is_whitespace()).next().unwrap_or("");
                let login = authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':'));
                secrets.extend(login.map(|(_, password)| password.to_owned()).filter(|password| !password.is_empty()));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_of_urls(item, secrets)),
        Value::Object(map) => map.values().for_each(|value| collect_of_urls(value, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_is_masked_however_another_program_prints_it() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQDabcdefgh12345\n-----END KEY-----\n";
        let masker = Masker::new(&Variables::default(), [key.to_owned(), "Zq7\"x\\y/9kW".to_owned()]);
        for text in [
            r"{'tok': '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQDabcdefgh12345\n-----END KEY-----\n'}",
            "/bin/sh: 5: MIIEvQIBADANBgkqhkiG9w0BAQEFAASC: not found",
            "http://h/-----BEGIN KEY-----MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDabcdefgh12345-----END KEY-----",
        ] {
            assert!(!masker.text(text).contains("MIIE"), "{}", masker.text(text));
        }
        assert_eq!(masker.text(r#"{'tok': 'Zq7"x\\y/9kW'}"#), format!("{{'tok': '{MASK}'}}"));
        assert_eq!(masker.text(r#""Zq7\"x\\y/9kW""#), format!("\"{MASK}\""));
    }

    use super::*;
    use serde_json::json;

    fn masker() -> Masker {
        let mut variables = Variables::default();
        variables.secrets.insert("s".into(), json!({"a": "hunter2", "b": "hunter2-long", "c": "ab", "d": 4711}));
        variables.configuration.insert("olvm_password".into(), json!("from-config"));
        Masker::new(&variables, ["typed-in".to_owned()])
    }

    #[test]
    fn secrets_are_masked_in_texts_longest_first() {
        let masker = masker();
        assert_eq!(masker.text("x hunter2-long y hunter2 z"), "x ******** y ******** z");
        assert_eq!(masker.text("able and ab"), "able and ab");
        assert_eq!(masker.text("ab"), MASK);
        assert_eq!(masker.text("https://u:hunter2@host hunter22"), "https://u:********@host hunter22");
        assert_eq!(masker.text("xhunter2-longx"), "x********x");
        assert_eq!(
            masker.value(&json!([4711, 4712, {"k": "from-config", "typed-in": 1}])),
            json!([MASK, 4712, {"k": MASK, MASK: 1}])
        );
    }

    #[test]
    fn the_lines_of_a_longer_secret_are_masked_where_texts_come_line_by_line() {
        let mut variables = Variables::default();
        variables.secrets.insert("s".into(), json!({"key": "-----BEGIN KEY-----\nbGluZSBvbmU=\nab\n"}));
        let masker = Masker::new(&variables, []).line_by_line();
        assert_eq!(masker.text("key: bGluZSBvbmU="), "key: ********");
        assert_eq!(masker.text("ab"), "ab", "a short line is an ordinary word");
        assert!(masker.value(&json!("-----BEGIN KEY-----\nbGluZSBvbmU=\nab\n")) == json!(MASK));
    }

    #[test]
    fn the_name_of_an_environment_variable_says_whether_it_is_secret() {
        for name in ["VSPHERE_PASSWORD", "db_pwd", "SSH_KEY", "APIKEY", "AWS_CREDENTIALS", "TOKEN", "MYSQL_PASS"] {
            assert!(is_secret_variable(name), "{name}");
        }
        for name in ["PWD", "VM_NAME", "KEYBOARD", "MONKEY", "COMPASS_URL"] {
            assert!(!is_secret_variable(name), "{name}");
        }
    }

    #[test]
    fn a_declared_secret_is_masked_and_its_source_is_shown() {
        let root = json!({
            "configuration": {
                "olvm_password": "x", "api_token": {"type": "env", "key": "T", "default": "y"}, "vm_name": "web-01"
            },
            "secrets": {"s": {"inline": "z", "pin": 1, "env": {"type": "env", "key": "K"}}},
            "method": [{"provider": {"arguments": {"password": "p", "vm_name": "web-01"}}},
                       {"provider": {"arguments": {"password": "${olvm_password}"}}}]
        });
        insta::assert_snapshot!(Masker::default().document(root.as_object().unwrap()), @r#"{"configuration":{"olvm_password":"********","api_token":{"type":"env","key":"T","default":"********"},"vm_name":"web-01"},"secrets":{"s":{"inline":"********","pin":"********","env":{"type":"env","key":"K"}}},"method":[{"provider":{"arguments":{"password":"********","vm_name":"web-01"}}},{"provider":{"arguments":{"password":"${olvm_password}"}}}]}"#);
    }
}
