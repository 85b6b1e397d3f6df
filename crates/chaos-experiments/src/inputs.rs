//! What comes to an experiment from outside: overrides, the environment, and whether it is the real thing.

use std::collections::BTreeMap;
use std::fmt;

use chaos_core::{Error, ErrorKind, RunMode};
use indexmap::IndexMap;
use serde_json::{Number, Value};

use crate::controls::GlobalControls;
use crate::mask::is_secret_name;
use crate::measure::Measured;
use crate::provider::Providers;
use crate::python;
use crate::rules::Rules;

/// What comes to an experiment from outside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inputs {
    /// Values that replace what the experiment declares, or that say which server to use.
    pub overrides: Overrides,
    /// The environment variables that `{"type": "env"}` reads, and that Python has.
    pub environment: Environment,
    /// Environment variables that processes get beside those of this process.
    pub exported: Environment,
    /// Whether it is the real thing. A rehearsal runs native VM functions only and ignores connection values.
    pub mode: RunMode,
    /// Whether a rehearsal runs probes that are no VM functions too. They look at the real world.
    pub rehearse_probes: bool,
    /// By which rules it is read and run.
    pub rules: Rules,
    /// Whether what Chaos Toolkit would find wrong beforehand keeps it from running. What would be done to a VM by mistake
    /// does in any case.
    pub validates: bool,
    /// Whether what Chaos Toolkit could not run is only named, and not refused, by rules that do not know it: for a check.
    pub names_extensions: bool,
    /// What VMs are drawn by where the experiment names no seed; none for one that nobody knows beforehand.
    pub seed: Option<u64>,
    /// What the probes of the configuration have found.
    pub measured: Measured,
    /// Providers beside the engine's own.
    pub providers: Providers,
    /// Controls from outside of the experiment.
    pub controls: GlobalControls,
}

impl Inputs {
    /// The real thing in the environment of this process.
    #[must_use]
    pub fn new(overrides: Overrides) -> Self {
        Self {
            overrides,
            environment: Environment::of_process(),
            exported: Environment::default(),
            mode: RunMode::Real,
            rehearse_probes: false,
            rules: Rules::Strict,
            validates: true,
            names_extensions: false,
            seed: None,
            measured: Measured::default(),
            providers: Providers::default(),
            controls: GlobalControls::default(),
        }
    }

    /// The same for a rehearsal.
    #[must_use]
    pub fn rehearsal(mut self) -> Self {
        self.mode = RunMode::Rehearsal;
        self
    }

    /// The same with the probes of a rehearsal that are no VM functions.
    #[must_use]
    pub fn rehearse_probes(mut self) -> Self {
        self.rehearse_probes = true;
        self
    }

    /// The same with more environment variables, which processes get too.
    #[must_use]
    pub fn export(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in variables {
            self.environment.0.insert(name.clone(), value.clone());
            self.exported.0.insert(name, value);
        }
        self
    }

    /// The same with more providers than the engine's own.
    #[must_use]
    pub fn providers(mut self, providers: Providers) -> Self {
        self.providers = providers;
        self
    }

    /// The same with controls from outside of the experiment.
    #[must_use]
    pub fn controls(mut self, controls: GlobalControls) -> Self {
        self.controls = controls;
        self
    }

    /// The same with a seed, by which the same VMs are drawn again as long as the same ones can be drawn.
    #[must_use]
    pub fn seed(mut self, seed: Option<u64>) -> Self {
        self.seed = seed;
        self
    }

    /// The same by other rules.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The same in another environment.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }
}

/// Environment variables. `Debug` shows no values: they may be secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process as they are now. A variable that is not UTF-8 is left out.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// All variables.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// One variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The values of the variables whose name says that they are secret.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, _)| is_secret_name(name)).map(|(_, value)| value.as_str())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

/// The type that a text from outside is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// As it is. In declarations: `str`, `string`, `bytes`.
    Text,
    /// A whole number. In declarations: `int`, `integer`.
    Int,
    /// A number. In declarations: `float`, `number`.
    Float,
    /// False for `false`, `0` and `no` in any case, else true. In declarations: `bool`.
    Bool,
    /// Any JSON; an empty text stays a text. In declarations: `json`.
    Json,
}

impl ValueType {
    /// The words that [`ValueType::parse`] knows, for messages.
    pub(crate) const WORDS: &'static str = "str, int, float, bool, json";

    /// Every word of a declaration, and what it names.
    pub(crate) const NAMES: [(&'static str, Self); 9] = [
        ("str", Self::Text),
        ("string", Self::Text),
        ("bytes", Self::Text),
        ("int", Self::Int),
        ("integer", Self::Int),
        ("float", Self::Float),
        ("number", Self::Float),
        ("bool", Self::Bool),
        ("json", Self::Json),
    ];

    /// The type that `word` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::NAMES.into_iter().find_map(|(name, kind)| (name == word).then_some(kind))
    }

    /// Reads `text` as this type; none if it is none.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => Some(text.into()),
            Self::Int => {
                let numeral = python::numeral(text)?;
                let signed = numeral.parse::<i64>().map(Value::from);
                signed.or_else(|_| numeral.parse::<u64>().map(Value::from)).ok()
            }
            Self::Float => python::numeral(text)?.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number),
            Self::Bool => Some(Value::Bool(!["false", "0", "no"].contains(&text.to_ascii_lowercase().as_str()))),
            Self::Json if text.is_empty() => Some(text.into()),
            Self::Json => serde_json::from_str(text).ok(),
        }
    }

    /// A value that is written in the experiment as this type; none if it cannot be that.
    pub(crate) fn convert(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (_, Value::String(text)) => self.read(text),
            (Self::Int, Value::Bool(flag)) => Some(u8::from(*flag).into()),
            (Self::Int, Value::Number(number)) if number.is_f64() => whole(number.as_f64()?),
            (Self::Text | Self::Json, _) | (Self::Bool, Value::Bool(_)) | (Self::Int, Value::Number(_)) => {
                Some(value.clone())
            }
            (Self::Float, Value::Bool(flag)) => Some(f64::from(u8::from(*flag)).into()),
            (Self::Float, Value::Number(number)) => number.as_f64().and_then(Number::from_f64).map(Value::Number),
            _ => None,
        }
    }

    /// The type of a value that is written in the experiment, as a text that replaces it should have it.
    pub(crate) fn like(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_f64() => Self::Float,
            Value::Number(_) => Self::Int,
            Value::Array(_) | Value::Object(_) => Self::Json,
            Value::Null | Value::String(_) => Self::Text,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Int => "a whole number",
            Self::Float => "a number",
            Self::Bool => "true or false",
            Self::Json => "JSON",
        }
    }
}

/// The whole part of a number, if 64 bits can hold it.
fn whole(number: f64) -> Option<Value> {
    let text = format!("{:.0}", number.trunc());
    let signed = text.parse::<i64>().map(Value::from);
    signed.or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

/// One value from outside.
#[derive(Clone)]
pub(crate) enum Given {
    /// A text whose type depends on what it replaces.
    Text(String),
    /// A value that has its type.
    Typed(Value),
    /// A declaration in the place of the one in the experiment.
    Declared(Value),
}

impl Given {
    /// The value as the given type.
    pub(crate) fn read(&self, kind: ValueType) -> Option<Value> {
        match self {
            Self::Text(text) => kind.read(text),
            Self::Typed(value) | Self::Declared(value) => Some(value.clone()),
        }
    }

    /// The value as it was given, without a type of its own.
    pub(crate) fn plain(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Typed(value) | Self::Declared(value) => value.clone(),
        }
    }
}

/// Values from outside by name, in the order given. `Debug` shows the names only: values may be secrets.
///
/// They replace values of the configuration; whole scopes of secrets are replaced by [`Overrides::set_secrets`].
///
/// ```
/// use chaos_experiments::Overrides;
///
/// let overrides = Overrides::parse(["vm_name=web-01", "timeout:int=30"])?;
/// assert_eq!(overrides.names().collect::<Vec<_>>(), ["vm_name", "timeout"]);
/// assert!(Overrides::parse(["vm_name"]).is_err());
/// # Ok::<(), chaos_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Overrides {
    values: IndexMap<String, Given>,
    /// Secrets by scope.
    secrets: IndexMap<String, Value>,
}

impl Overrides {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads `NAME=VALUE` and `NAME:TYPE=VALUE`; the last of a name wins. Without a type the value takes the type of
    /// what it replaces.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if there is no `=` or no name, the type is not known, or the value is not of it.
    pub fn parse(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Error> {
        let refuse = |message: String| Error::new(ErrorKind::Configuration, message);
        let mut overrides = Self::none();
        for text in texts {
            let text = text.as_ref();
            // The value is never repeated in a message: it may be a password.
            let Some((name, value)) = text.split_once('=') else {
                return Err(refuse("an override is written NAME=VALUE or NAME:TYPE=VALUE, and one has no `=`".into()));
            };
            let (name, given) = match name.rsplit_once(':') {
                None => (name, Given::Text(value.to_owned())),
                Some((name, word)) => {
                    let kind = ValueType::parse(word).ok_or_else(|| {
                        refuse(format!("override `{name}`: `{word}` is no type, use one of {}", ValueType::WORDS))
                    })?;
                    let value = kind
                        .read(value)
                        .ok_or_else(|| refuse(format!("override `{name}`: the value is not {}", kind.words())))?;
                    (name, Given::Typed(value))
                }
            };
            if name.is_empty() {
                return Err(refuse("an override without a name: write NAME=VALUE".into()));
            }
            overrides.values.insert(name.to_owned(), given);
        }
        Ok(overrides)
    }

    /// Sets a value that has its type already.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.values.insert(name.into(), Given::Typed(value.into()));
    }

    /// Sets what a key of the configuration is declared as: a value, or where it comes from (`{"type": "env", …}`).
    pub fn declare(&mut self, name: impl Into<String>, declaration: Value) {
        self.values.insert(name.into(), Given::Declared(declaration));
    }

    /// Replaces a whole scope of secrets. Its values are taken as they are.
    pub fn set_secrets(&mut self, scope: impl Into<String>, secrets: Value) {
        self.secrets.insert(scope.into(), secrets);
    }

    pub(crate) fn secrets(&self, scope: &str) -> Option<&Value> {
        self.secrets.get(scope).filter(|secrets| !secrets.is_null())
    }

    /// The names, in the order given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.secrets.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Given> {
        self.values.get(name)
    }

    pub(crate) fn insert(&mut self, name: &str, given: Given) {
        self.values.insert(name.to_owned(), given);
    }
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_read_as_their_type() {
        for (kind, text, expected) in [
            (ValueType::Int, " 1_000 ", Some(json!(1000))),
            (ValueType::Int, "1.5", None),
            (ValueType::Int, "1__0", None),
            (ValueType::Int, "+5", Some(json!(5))),
            (ValueType::Int, "18446744073709551615", Some(json!(u64::MAX))),
            (ValueType::Int, "18446744073709551616", None),
            (ValueType::Float, "infinity", None),
            (ValueType::Float, "1_0e1", Some(json!(100.0))),
            (ValueType::Float, "2.5", Some(json!(2.5))),
            (ValueType::Float, "nan", None),
            (ValueType::Bool, "No", Some(json!(false))),
            (ValueType::Bool, "off", Some(json!(true))),
            (ValueType::Json, "[1]", Some(json!([1]))),
            (ValueType::Json, "", Some(json!(""))),
            (ValueType::Json, "{", None),
        ] {
            assert_eq!(kind.read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_wrong_override_is_refused_without_repeating_its_value() {
        for text in ["hunter2", "a:int=hunter2", "a:color=hunter2", "=hunter2"] {
            let error = Overrides::parse([text]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn nothing_shows_a_value() {
        let overrides = Overrides::parse(["vsphere_password=hunter2"]).unwrap();
        let environment: Environment = [("TOKEN".to_owned(), "hunter2".to_owned())].into_iter().collect();
        let inputs = Inputs::new(overrides).environment(environment);
        assert!(!format!("{inputs:?}").contains("hunter2"));
    }
}
