//! All layers as one: who wins where several give a value, and reading what they gave as what it should be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::convert::{BOOLEAN, PORT, SECONDS, boolean, explicit_port, port, seconds};
use super::error::SettingsError;
use super::kind::Kind;
use super::layer::{Given, Layer, Raw};
use super::origin::ValueOrigin;

/// Keys of which one layer may give only one, and of which the highest layer that gives one wins.
const ALTERNATIVES: [&[&str]; 2] =
    [&["password", "password_file", "password_command"], &["ca_file", "thumbprint", "insecure"]];

/// Where the rules of the guard are.
const POLICY: [&str; 2] = ["chaos", "policy"];

/// The values that count.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    values: BTreeMap<Vec<String>, Winner>,
    /// The rules of each layer: they are added up, so that a nearer place can only narrow what a farther one allows.
    rules: Vec<Given>,
    /// The variables that are not set although a file refers to them, by the path that they were to give.
    unset: BTreeMap<Vec<String>, String>,
}

#[derive(Debug)]
struct Winner {
    layer: usize,
    given: Given,
}

impl Merged {
    /// What counts of the layers, the lowest of which is first.
    pub(crate) fn of(layers: Vec<Layer>, kinds: &BTreeMap<String, Kind>, errors: &mut Vec<SettingsError>) -> Self {
        let mut merged = Self::default();
        for (layer, given) in
            layers.into_iter().enumerate().flat_map(|(at, layer)| layer.given.into_iter().map(move |given| (at, given)))
        {
            if given.path == POLICY {
                merged.rules.push(given.clone());
            }
            match (&given.raw, &given.reference) {
                (Raw::Nothing, Some(variable)) => {
                    let note = format!("{} refers to {}, which is not set", given.name(), variable.name);
                    // Whoever refers to a variable does not mean what a lower layer has.
                    merged.values.remove(&given.path);
                    merged.unset.insert(given.path, note);
                }
                // Nothing takes nothing away.
                (Raw::Nothing, None) => {}
                _ => drop(merged.values.insert(given.path.clone(), Winner { layer, given })),
            }
        }
        for entry in kinds.keys() {
            for keys in ALTERNATIVES {
                merged.settle(entry, keys, errors);
            }
            merged.settle_port(entry);
        }
        merged
    }

    /// Leaves one of some keys that exclude one another.
    fn settle(&mut self, entry: &str, keys: &[&str], errors: &mut Vec<SettingsError>) {
        let path = |key: &str| vec!["platforms".to_owned(), entry.to_owned(), key.to_owned()];
        let chosen: Vec<(usize, Vec<String>)> = keys
            .iter()
            .map(|key| path(key))
            .filter_map(|path| {
                let winner = self.values.get(&path)?;
                // To ask for the checks is no choice of how to make them.
                let asks_for_checks = path[2] == "insecure" && winner.given.boolean() == Some(false);
                (!asks_for_checks).then_some((winner.layer, path))
            })
            .collect();
        let Some(highest) = chosen.iter().map(|(layer, _)| *layer).max() else { return };
        let (best, others): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|(layer, _)| *layer == highest);
        if let [(_, first), (_, second), ..] = best.as_slice() {
            let name = |path: &Vec<String>| self.values.get(path).map(|winner| winner.given.name()).unwrap_or_default();
            errors.push(SettingsError::Contradiction {
                first: name(first),
                second: name(second),
                hint: " (an empty variable counts as not set)",
            });
        }
        for (_, path) in others {
            self.values.remove(&path);
        }
    }

    /// A port beside a server that a higher layer names with a port is that of another server.
    fn settle_port(&mut self, entry: &str) {
        let path = |key: &str| vec!["platforms".to_owned(), entry.to_owned(), key.to_owned()];
        let (Some(server), Some(port)) = (self.values.get(&path("server")), self.values.get(&path("port"))) else {
            return;
        };
        let is_named = server.given.text().is_some_and(|text| explicit_port(text).is_some());
        if is_named && server.layer > port.layer {
            self.values.remove(&path("port"));
        }
    }

    /// What is given below a path, and where.
    pub(crate) fn below<'m>(&'m self, path: &'m [String]) -> impl Iterator<Item = (&'m [String], &'m Given)> {
        let inside = self.values.iter().filter(move |(key, _)| key.starts_with(path));
        inside.map(move |(key, winner)| (&key[path.len()..], &winner.given))
    }

    /// The variables that are not set although a file refers to them, by the key below `path`.
    pub(crate) fn unset_below(&self, path: &[String]) -> BTreeMap<String, String> {
        let inside = self.unset.iter().filter(|(key, _)| key.starts_with(path) && !self.values.contains_key(*key));
        inside.map(|(key, note)| (key[path.len()..].join("."), note.clone())).collect()
    }

    /// The rules that faults have to keep, those of all layers.
    pub(crate) fn rules(&self) -> &[Given] {
        &self.rules
    }

    /// A reader of the section at `path`.
    pub(crate) fn section<'m>(&'m self, path: &[&str], errors: &'m mut Vec<SettingsError>) -> Reader<'m> {
        Reader { merged: self, path: path.iter().map(|step| (*step).to_owned()).collect(), errors }
    }
}

impl Given {
    fn text(&self) -> Option<&str> {
        match &self.raw {
            Raw::Text(text) => Some(text.expose_secret()),
            Raw::Nothing | Raw::List(_) | Raw::Tangle => None,
        }
    }

    fn boolean(&self) -> Option<bool> {
        self.text().and_then(boolean)
    }

    /// The directory from which paths in it are meant: that of its file, or else the working directory.
    pub(crate) fn base(&self) -> PathBuf {
        match &self.origin {
            ValueOrigin::File { path, .. } => path.parent().unwrap_or(Path::new("")).to_owned(),
            _ => PathBuf::new(),
        }
    }
}

/// Reads the values of one section. What is wrong is noted, and reads as if it were not given.
pub(crate) struct Reader<'m> {
    merged: &'m Merged,
    path: Vec<String>,
    errors: &'m mut Vec<SettingsError>,
}

impl Reader<'_> {
    fn winner(&self, key: &str) -> Option<&Winner> {
        let path: Vec<String> = self.path.iter().cloned().chain(key.split('.').map(str::to_owned)).collect();
        self.merged.values.get(&path)
    }

    /// What is given for `key`, as it was given.
    pub(crate) fn given(&self, key: &str) -> Option<&Given> {
        self.winner(key).map(|winner| &winner.given)
    }

    /// Which of two keys was given in the higher layer; `None` if they are equal.
    pub(crate) fn higher<'k>(&self, first: &'k str, second: &'k str) -> Option<&'k str> {
        let layer = |key: &str| self.winner(key).map(|winner| winner.layer);
        match layer(first).cmp(&layer(second)) {
            std::cmp::Ordering::Greater => Some(first),
            std::cmp::Ordering::Less => Some(second),
            std::cmp::Ordering::Equal => None,
        }
    }

    pub(crate) fn fail(&mut self, error: SettingsError) {
        self.errors.push(error);
    }

    /// A value that `parse` understands.
    fn parsed<T>(&mut self, key: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let given = self.given(key)?;
        let value = given.text().and_then(parse);
        if value.is_none() {
            let error = SettingsError::Value { name: given.name(), expected: expected.to_owned() };
            self.errors.push(error);
        }
        value
    }

    pub(crate) fn boolean(&mut self, key: &str) -> Option<bool> {
        self.parsed(key, BOOLEAN, boolean)
    }

    pub(crate) fn port(&mut self, key: &str) -> Option<u16> {
        self.parsed(key, PORT, port)
    }

    pub(crate) fn seconds(&mut self, key: &str) -> Option<Duration> {
        self.parsed(key, SECONDS, seconds)
    }

    pub(crate) fn word<T>(&mut self, key: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.parsed(key, expected, |text| parse(text.trim()))
    }

    /// A text without the blanks around it.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.parsed(key, "give a text", |text| Some(text.trim().to_owned()))
    }

    /// A text as it is, blanks included.
    pub(crate) fn secret(&mut self, key: &str) -> Option<SecretString> {
        self.parsed(key, "give a text", |text| Some(SecretString::from(text.to_owned())))
    }

    /// A path. One in a file is meant from the directory of the file.
    pub(crate) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let text = self.text(key)?;
        Some(self.given(key).map(Given::base).unwrap_or_default().join(text))
    }

    /// A program and its arguments.
    pub(crate) fn command(&mut self, key: &str) -> Option<Vec<SecretString>> {
        let given = self.given(key)?;
        match &given.raw {
            Raw::List(words) if !words.is_empty() => Some(words.clone()),
            _ => {
                let expected = "give a program and its arguments as a list, such as [pass, show, vcenter]".to_owned();
                let error = SettingsError::Value { name: given.name(), expected };
                self.errors.push(error);
                None
            }
        }
    }
}
