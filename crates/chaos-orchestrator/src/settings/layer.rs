//! One source of settings as a flat list of what it gives.

use secrecy::{ExposeSecret, SecretString};

use super::environment::Variables;
use super::error::SettingsError;
use super::file::{Access, SettingsFile};
use super::keys::SECTIONS;
use super::origin::ValueOrigin;
use super::tree::{Node, Value};

/// What one source gives.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    pub(crate) given: Vec<Given>,
    pub(crate) access: Access,
    /// Whether it is a file that nobody named and that may have come with somebody else's work.
    pub(crate) is_found: bool,
}

/// One value that a source gives.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The names from the top down to the value.
    pub(crate) path: Vec<String>,
    /// The line of each of these names, if it is in a file.
    pub(crate) lines: Vec<usize>,
    pub(crate) raw: Raw,
    pub(crate) origin: ValueOrigin,
    /// Where the value was taken from, if it stands in another place than the origin.
    pub(crate) reference: Option<Reference>,
}

/// Where a value was taken from that only refers to it.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// The variable of a `${VARIABLE}`, or another place where nobody sees it.
    pub(crate) name: String,
    /// Where that variable is set, if it is.
    pub(crate) origin: Option<ValueOrigin>,
}

/// A value that a flag gives.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) key: String,
    pub(crate) value: SecretString,
    /// How it was given.
    pub(crate) spelling: String,
    /// Whether the value stands somewhere else than on the command line.
    pub(crate) is_private: bool,
}

/// A value before anybody looked at what it should be.
#[derive(Debug, Clone)]
pub(crate) enum Raw {
    /// Nothing, `null` or an empty section.
    Nothing,
    Text(SecretString),
    List(Vec<SecretString>),
    /// A list with more than texts in it.
    Tangle,
}

impl Given {
    /// The value's name and place.
    pub(crate) fn name(&self) -> String {
        self.origin.name(&self.path)
    }

    /// The same for one of the names on the way to it: `platforms.lab (in chaosmonkey.yaml:2)`.
    pub(crate) fn name_of_step(&self, step: usize) -> String {
        let path = &self.path[..=step];
        match (&self.origin, self.lines.get(step)) {
            (ValueOrigin::File { path: file, .. }, Some(line)) => {
                ValueOrigin::File { path: file.clone(), line: *line }.name(path)
            }
            (origin, _) => origin.name(path),
        }
    }
}

impl Layer {
    /// What a file gives. Texts of the form `${VARIABLE}` become what the variable holds, or nothing.
    ///
    /// # Errors
    /// The file is no map.
    pub(crate) fn of_file(file: SettingsFile, variables: &Variables) -> Result<Self, SettingsError> {
        let mut given = Vec::new();
        let SettingsFile { path, root, access } = file;
        match &root.value {
            Value::Map(_) | Value::Nothing => {}
            Value::Text(_) | Value::List(_) => {
                return Err(SettingsError::Syntax {
                    path,
                    line: root.place.line,
                    column: root.place.column,
                    reason: "the settings have to be a map, with the keys `platforms` and `chaos`".to_owned(),
                });
            }
        }
        let mut walk = Walk { file: &path, variables, path: Vec::new(), lines: Vec::new(), given: &mut given };
        walk.node(&root, root.place.line);
        for name in given.iter().filter_map(|given: &Given| given.reference.as_ref()) {
            variables.check(&name.name)?;
        }
        Ok(Self { given, access, is_found: false })
    }

    /// What the variables of the tables in [`keys`](super::keys) give.
    pub(crate) fn of_variables(variables: &Variables, wanted: impl Fn(&ValueOrigin) -> bool) -> Self {
        let keys = SECTIONS.iter().flat_map(|section| section.keys.iter().map(move |key| (section.path, key)));
        let given = keys.filter_map(|(section, key)| {
            let (value, origin) = variables.get(key.variable?)?;
            wanted(&origin).then(|| Given {
                path: section.split('.').chain(key.name.split('.')).map(str::to_owned).collect(),
                lines: Vec::new(),
                raw: Raw::Text(value),
                origin,
                reference: None,
            })
        });
        Self { given: given.collect(), ..Self::default() }
    }

    /// The same layer of a file that nobody named, with what is known of who may write it.
    pub(crate) fn found(self, access: Access) -> Self {
        Self { access, is_found: true, ..self }
    }

    /// What flags give.
    pub(crate) fn of_flags(flags: Vec<Flag>) -> Self {
        let given = flags.into_iter().map(|Flag { key, value, spelling, is_private }| Given {
            path: key.split('.').map(str::to_owned).collect(),
            lines: Vec::new(),
            raw: if value.expose_secret().trim().is_empty() { Raw::Nothing } else { Raw::Text(value) },
            reference: is_private.then(|| Reference { name: spelling.clone(), origin: None }),
            origin: ValueOrigin::Flag { flag: spelling },
        });
        Self { given: given.collect(), ..Self::default() }
    }
}

/// The way through a file.
struct Walk<'w> {
    file: &'w std::path::Path,
    variables: &'w Variables,
    path: Vec<String>,
    lines: Vec<usize>,
    given: &'w mut Vec<Given>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, line: usize) {
        match &node.value {
            Value::Map(members) if !members.is_empty() => {
                for member in members {
                    self.path.push(member.key.clone());
                    self.lines.push(member.place.line);
                    self.node(&member.node, member.place.line);
                    self.path.pop();
                    self.lines.pop();
                }
            }
            Value::Map(_) | Value::Nothing => self.give(Raw::Nothing, None, line),
            // As with variables, nothing between quotes counts as not given.
            Value::Text(text) if text.expose_secret().trim().is_empty() => self.give(Raw::Nothing, None, line),
            Value::Text(text) => match reference(text.expose_secret()) {
                None => self.give(Raw::Text(text.clone()), None, line),
                Some(name) => {
                    let (raw, origin) = match self.variables.get(name) {
                        Some((value, origin)) => (Raw::Text(value), Some(origin)),
                        None => (Raw::Nothing, None),
                    };
                    self.give(raw, Some(Reference { name: name.to_owned(), origin }), line);
                }
            },
            Value::List(list) => {
                let texts = list.iter().map(|node| match &node.value {
                    Value::Text(text) => Some(text.clone()),
                    Value::Nothing | Value::List(_) | Value::Map(_) => None,
                });
                self.give(texts.collect::<Option<Vec<_>>>().map_or(Raw::Tangle, Raw::List), None, line);
            }
        }
    }

    fn give(&mut self, raw: Raw, reference: Option<Reference>, line: usize) {
        if self.path.is_empty() {
            return;
        }
        let origin = ValueOrigin::File { path: self.file.to_owned(), line };
        self.given.push(Given { path: self.path.clone(), lines: self.lines.clone(), raw, origin, reference });
    }
}

/// The variable that a text stands for, if it is `${VARIABLE}` and nothing else.
fn reference(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("${")?.strip_suffix('}')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn only_a_whole_text_stands_for_a_variable() {
        assert_eq!(reference("${VC_PASSWORD}"), Some("VC_PASSWORD"));
        for text in ["$VC", "a${VC}", "${VC}b", "${}", "${1}", "${a b}", "p${a}s", "${VC", "${a-b}"] {
            assert_eq!(reference(text), None, "{text}");
        }
    }
}
