//! Ready-made experiments: documents that come with the crate or lie in a directory, and the typed parameters that they take.

mod catalogue;
mod declared;
mod parameter;
mod set;

use std::borrow::Cow;
use std::path::Path;

use chaos_core::Error;
use serde_json::{Map, Value};

use self::parameter::Limits;
use crate::configuration::CONNECTION_FIELDS;
use crate::document::Document;
use crate::error::{Finding, Findings};
use crate::inputs::{Given, Overrides};

pub use parameter::{Parameter, ParameterKind};
pub use set::Templates;

/// A ready-made experiment.
#[derive(Debug)]
pub struct Template {
    name: Cow<'static, str>,
    summary: Cow<'static, str>,
    /// The kind of platform whose connection values it takes.
    platform: Option<Cow<'static, str>>,
    parameters: Cow<'static, [Parameter]>,
    optional: Cow<'static, [Optional]>,
    source: Source,
}

/// What is left out where a parameter is not given.
#[derive(Debug, Clone)]
struct Optional {
    /// The place, as a JSON pointer.
    place: Cow<'static, str>,
    parameter: Cow<'static, str>,
}

/// Where a template comes from.
#[derive(Debug)]
enum Source {
    /// This crate: the text of the document, in which `@platform` stands for the platform.
    BuiltIn(&'static str),
    /// A file, and which of its extensions declares the template.
    File { document: Document, extension: usize },
}

impl Template {
    /// The templates that are built in.
    #[must_use]
    pub fn all() -> &'static [Self] {
        catalogue::ALL
    }

    /// The built-in template of that name; `_` counts as `-`.
    ///
    /// # Errors
    /// As [`Templates::find`].
    pub fn find(name: &str) -> Result<&'static Self, Error> {
        set::find(Self::all().iter(), name)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The kind of platform that it is for, if it is for one.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        self.platform.as_deref()
    }

    /// What it takes beside connection values.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The file that it comes from; none if it is built in.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.source {
            Source::BuiltIn(_) => None,
            Source::File { document, .. } => Some(Path::new(document.name())),
        }
    }

    /// The document with `${NAME}` where parameters go, as it may be copied for an experiment of one's own.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut root = self.raw();
        let mut configuration = written(&root);
        for parameter in &*self.parameters {
            let default = parameter.default.as_ref().and_then(|text| parameter.read(&Given::Text(text.to_string())));
            let gap = || match &parameter.name {
                _ if parameter.stands_for_nothing() => Value::Null,
                name => format!("<{name}>").into(),
            };
            configuration.insert(parameter.name.to_string(), default.unwrap_or_else(gap));
        }
        root.insert("configuration".to_owned(), Value::Object(configuration));
        Value::Object(root)
    }

    /// The document as it is written, without what declares the template.
    fn raw(&self) -> Map<String, Value> {
        match &self.source {
            Source::BuiltIn(text) => {
                let text = text.replace("@platform", self.platform.as_deref().unwrap_or_default());
                serde_json::from_str(&text).expect("the documents of templates are read by a test")
            }
            Source::File { document, extension } => {
                let mut root = document.root().clone();
                if let Some(Value::Array(extensions)) = root.get_mut("extensions") {
                    extensions.remove(*extension);
                    if extensions.is_empty() {
                        root.shift_remove("extensions");
                    }
                }
                root
            }
        }
    }

    /// The document with its parameters, and the overrides of connection values, which are never part of it: give those
    /// to [`Inputs`](crate::Inputs). They are `<platform>_server` and so on, or `server` and so on for short where the
    /// template is for one platform.
    ///
    /// # Errors
    /// Every parameter that is missing, unknown or not what it has to be.
    ///
    /// # Panics
    /// Never: the documents are part of this crate, and tests read them.
    pub fn render(&self, overrides: &Overrides) -> Result<(Document, Overrides), Findings> {
        let mut findings = Vec::new();
        let connection = self.connection(overrides, &mut findings);
        let values = self.values(overrides, &mut findings);
        if !findings.is_empty() {
            let document = match &self.source {
                Source::BuiltIn(_) => self.name.to_string(),
                Source::File { document, .. } => document.name().to_owned(),
            };
            return Err(Findings { document, list: findings });
        }
        let mut root = Value::Object(self.raw());
        // From the last to the first, so that none moves another one.
        let mut moved = false;
        for Optional { place, parameter } in self.optional.iter().rev() {
            if values.get(&**parameter).is_none_or(Value::is_null) {
                moved |= leave_out(&mut root, place);
            }
        }
        let mut root = if let Value::Object(root) = root { root } else { Map::new() };
        let mut configuration = written(&root);
        configuration.extend(values);
        root.insert("configuration".to_owned(), Value::Object(configuration));
        let document = match &self.source {
            Source::BuiltIn(_) => Document::from_value(&self.name, Value::Object(root))
                .expect("the document of a template is a mapping, as a test shows"),
            Source::File { document, .. } => document.with_root(root, moved),
        };
        Ok((document, connection))
    }

    /// The overrides of connection values. Those that nothing takes go to the findings.
    fn connection(&self, overrides: &Overrides, findings: &mut Vec<Finding>) -> Overrides {
        let mut connection = Overrides::none();
        for name in overrides.names() {
            if self.parameters.iter().any(|parameter| parameter.name == name) {
                continue;
            }
            match (self.connection_value(name), overrides.get(name)) {
                (Some(name), Some(given)) => connection.insert(&name, given.clone()),
                _ => findings.push(self.unknown(name)),
            }
        }
        if let Some(platform) = &self.platform {
            let [server, url] = ["server", "url"].map(|field| format!("{platform}_{field}"));
            if let (Some(one), Some(other)) = (connection.get(&server), connection.get(&url))
                && one.plain() != other.plain()
            {
                let message = format!("`{server}` and `{url}` name two servers: give one of them");
                findings.push(Finding::error(format!("/configuration/{url}"), message));
            }
        }
        connection
    }

    /// The full name of the connection value that `name` means, if it means one.
    fn connection_value(&self, name: &str) -> Option<String> {
        let Some(platform) = &self.platform else {
            // Whether the experiment has such a platform is seen when it is read.
            let is_one = |field: &str| name.strip_suffix(field).is_some_and(|rest| rest.ends_with('_'));
            return CONNECTION_FIELDS.into_iter().any(is_one).then(|| name.to_owned());
        };
        let short = name.strip_prefix(&**platform).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name);
        CONNECTION_FIELDS.contains(&short).then(|| format!("{platform}_{short}"))
    }

    fn unknown(&self, name: &str) -> Finding {
        let mut known: Vec<&str> = self.parameters.iter().map(|parameter| &*parameter.name).collect();
        let fields = CONNECTION_FIELDS.join(", ");
        let connection = self.platform.as_ref().map(|platform| format!("and {platform}_{{{fields}}}"));
        known.push(connection.as_deref().unwrap_or("and the connection values of its platforms"));
        let finding = Finding::error(format!("/configuration/{name}"), format!("{} takes no `{name}`", self.name));
        finding.hint(format!("it takes {}", known.join(", ")))
    }

    /// The values of the parameters, in the order of their declaration.
    fn values(&self, overrides: &Overrides, findings: &mut Vec<Finding>) -> Map<String, Value> {
        let mut values = Map::new();
        for (at, parameter) in self.parameters.iter().enumerate() {
            let mut complain = |message: String, hint: Option<String>| {
                let mut finding = Finding::error(format!("/configuration/{}", parameter.name), message);
                finding.hint = hint;
                if let Source::File { document, extension } = &self.source {
                    let declaration = format!("/extensions/{extension}/parameters/{at}");
                    finding = finding.at(document.position(&declaration));
                }
                findings.push(finding);
            };
            let default = parameter.default.as_ref().map(|default| Given::Text(default.to_string()));
            match overrides.get(&parameter.name).or(default.as_ref()) {
                Some(given) => match parameter.read(given) {
                    Some(value) => {
                        values.insert(parameter.name.to_string(), value);
                    }
                    None => complain(format!("`{}` has to be {}", parameter.name, parameter.form()), None),
                },
                None if parameter.required => {
                    let message = format!("{} needs `{}`", self.name, parameter.name);
                    let form = parameter.form();
                    let summary = [&*parameter.summary, &*form].into_iter().filter(|text| !text.is_empty());
                    complain(message, Some(summary.collect::<Vec<_>>().join(", as ")));
                }
                None if parameter.stands_for_nothing() || self.file().is_some() => {
                    values.insert(parameter.name.to_string(), Value::Null);
                }
                None => {}
            }
        }
        values
    }
}

/// The configuration that a document has beside its parameters.
fn written(root: &Map<String, Value>) -> Map<String, Value> {
    root.get("configuration").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Takes the value at a place out, and says whether that moved others.
fn leave_out(root: &mut Value, place: &str) -> bool {
    let Some((parent, last)) = place.rsplit_once('/') else { return false };
    match root.pointer_mut(parent) {
        Some(Value::Array(items)) => {
            let at = last.parse().ok().filter(|at| *at < items.len());
            at.map(|at: usize| items.remove(at)).is_some()
        }
        Some(Value::Object(entries)) => {
            entries.shift_remove(&last.replace("~1", "/").replace("~0", "~"));
            false
        }
        _ => false,
    }
}
