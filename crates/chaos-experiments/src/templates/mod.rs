//! Ready-made experiments: documents that come with the crate, and the typed parameters that they take.

mod catalogue;

use chaos_core::{Error, ErrorKind, TargetPattern, nearest};
use serde_json::{Map, Value};

use crate::configuration::CONNECTION_FIELDS;
use crate::document::Document;
use crate::error::{Finding, Findings};
use crate::inputs::{Given, Overrides, ValueType};
use crate::native::{count, flag, seconds, target_texts};

/// A ready-made experiment.
#[derive(Debug)]
pub struct Template {
    name: &'static str,
    summary: &'static str,
    /// The kind of platform whose connection values it takes.
    platform: &'static str,
    parameters: &'static [Parameter],
    /// What is left out where a parameter is not given: the list, as a JSON pointer, the place in it, the parameter.
    optional: &'static [(&'static str, usize, &'static str)],
    document: &'static str,
}

/// A parameter of a template, given as an override of that name.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// What it means.
    pub summary: &'static str,
    /// What it has to be.
    pub kind: ParameterKind,
    /// The value where none is given, as it would be written.
    pub default: Option<&'static str>,
    /// Whether it has to be given.
    pub required: bool,
}

/// What the value of a parameter has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterKind {
    /// One VM, in the target notation.
    Target,
    /// Some VMs: a list, or one text with commas between them, each one in the target notation.
    Targets,
    /// A group of VMs, in the target notation.
    Group,
    /// A whole number of at least 1.
    Count,
    /// True or false.
    Flag,
    /// A time of more than nothing: seconds, or a text such as `90s`.
    Seconds,
}

impl ParameterKind {
    /// What a value has to look like, in words.
    #[must_use]
    pub fn form(self) -> &'static str {
        match self {
            Self::Target => "a name, `id:…` or `path:/…`",
            Self::Targets => "a list of VMs, or a text with commas between them, each a name, `id:…` or `path:/…`",
            Self::Group => "a name, a glob or `re:…`",
            Self::Count => "a whole number of at least 1",
            Self::Flag => "true or false",
            Self::Seconds => "seconds, or a time such as `90s`, of more than 0",
        }
    }

    fn read(self, given: &Given) -> Option<Value> {
        match self {
            Self::Target | Self::Group => {
                let Value::String(text) = given.plain() else { return None };
                text.parse::<TargetPattern>().is_ok().then(|| text.into())
            }
            Self::Targets => {
                let texts = target_texts(&given.plain()).filter(|texts| !texts.is_empty())?;
                texts.iter().all(|text| text.parse::<TargetPattern>().is_ok()).then(|| texts.into())
            }
            Self::Count => count(&given.plain()).map(|count| count.get().into()),
            Self::Flag => flag(&given.plain()).map(Value::Bool),
            Self::Seconds => {
                let value = given.read(ValueType::Int).filter(Value::is_number).unwrap_or_else(|| given.plain());
                seconds(&value).is_some_and(|time| !time.is_zero()).then_some(value)
            }
        }
    }
}

impl Template {
    /// All templates.
    #[must_use]
    pub fn all() -> &'static [Self] {
        catalogue::ALL
    }

    /// The template of that name; `_` counts as `-`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], which lists the names that there are and points at the one that was probably meant.
    pub fn find(name: &str) -> Result<&'static Self, Error> {
        let wanted = name.replace('_', "-");
        Self::all().iter().find(|template| template.name == wanted).ok_or_else(|| {
            let names: Vec<&str> = Self::all().iter().map(|template| template.name).collect();
            let meant = nearest(&wanted, &names).map(|meant| format!(", did you mean `{meant}`?"));
            let meant = meant.as_deref().unwrap_or(":");
            let message = format!("there is no chaos type `{name}`{meant} use one of {}", names.join(", "));
            Error::new(ErrorKind::Configuration, message)
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// The kind of platform that it is for.
    #[must_use]
    pub fn platform(&self) -> &'static str {
        self.platform
    }

    /// What it takes beside connection values.
    #[must_use]
    pub fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }

    /// The document with `${NAME}` where parameters go, as it may be copied for an experiment of one's own.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut root = self.raw();
        let default = |parameter: &Parameter| {
            let value = parameter.default.and_then(|text| parameter.kind.read(&Given::Text(text.to_owned())));
            (parameter.name.to_owned(), value.unwrap_or_else(|| format!("<{}>", parameter.name).into()))
        };
        root["configuration"] = Value::Object(self.parameters.iter().map(default).collect());
        root
    }

    fn raw(&self) -> Value {
        let text = self.document.replace("@platform", self.platform);
        serde_json::from_str(&text).expect("the documents of templates are read by a test")
    }

    /// The document with its parameters, and the overrides of connection values, which are never part of it: give those
    /// to [`Inputs`](crate::Inputs). They are `<platform>_server` and so on, or `server` and so on for short.
    ///
    /// # Errors
    /// Every parameter that is missing, unknown or not what it has to be.
    ///
    /// # Panics
    /// Never: the documents are part of this crate, and tests read them.
    pub fn render(&self, overrides: &Overrides) -> Result<(Document, Overrides), Findings> {
        let mut findings = Vec::new();
        let (configuration, connection) = self.sort(overrides, &mut findings);
        if !findings.is_empty() {
            return Err(Findings { document: self.name.to_owned(), list: findings });
        }
        let mut root = self.raw();
        for (list, at, parameter) in self.optional.iter().rev() {
            if !configuration.contains_key(*parameter)
                && let Some(Value::Array(list)) = root.pointer_mut(list)
            {
                list.remove(*at);
            }
        }
        root["configuration"] = Value::Object(configuration);
        let document =
            Document::from_value(self.name, root).expect("the document of a template is a mapping, as a test shows");
        Ok((document, connection))
    }

    /// Parts parameters, in the order of their declaration, from connection values.
    fn sort(&self, overrides: &Overrides, findings: &mut Vec<Finding>) -> (Map<String, Value>, Overrides) {
        let mut connection = Overrides::none();
        for name in overrides.names() {
            let short = name.strip_prefix(self.platform).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name);
            if self.parameters.iter().any(|parameter| parameter.name == name) {
                continue;
            }
            if let (true, Some(given)) = (CONNECTION_FIELDS.contains(&short), overrides.get(name)) {
                connection.insert(&format!("{}_{short}", self.platform), given.clone());
                continue;
            }
            let known: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name).collect();
            let hint =
                format!("it takes {}, and {}_{{{}}}", known.join(", "), self.platform, CONNECTION_FIELDS.join(", "));
            findings.push(
                Finding::error(format!("/configuration/{name}"), format!("{} takes no `{name}`", self.name)).hint(hint),
            );
        }
        let [server, url] = ["server", "url"].map(|field| format!("{}_{field}", self.platform));
        if let (Some(one), Some(other)) = (connection.get(&server), connection.get(&url))
            && one.plain() != other.plain()
        {
            let message = format!("`{server}` and `{url}` name two servers: give one of them");
            findings.push(Finding::error(format!("/configuration/{url}"), message));
        }
        let mut configuration = Map::new();
        for parameter in self.parameters {
            let place = || format!("/configuration/{}", parameter.name);
            let default = parameter.default.map(|default| Given::Text(default.to_owned()));
            match overrides.get(parameter.name).or(default.as_ref()) {
                Some(given) => match parameter.kind.read(given) {
                    Some(value) => {
                        configuration.insert(parameter.name.to_owned(), value);
                    }
                    None => findings.push(Finding::error(
                        place(),
                        format!("`{}` has to be {}", parameter.name, parameter.kind.form()),
                    )),
                },
                None if parameter.required => findings.push(
                    Finding::error(place(), format!("{} needs `{}`", self.name, parameter.name)).hint(format!(
                        "{}, as {}",
                        parameter.summary,
                        parameter.kind.form()
                    )),
                ),
                None => {}
            }
        }
        (configuration, connection)
    }
}
