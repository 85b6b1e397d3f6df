//! Every value that counts with its origin, for people: secrets are masked here.

use std::collections::BTreeMap;

use chaos_http::{SafeUrl, parse_endpoint};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::check::key_of;
use super::convert::explicit_port;
use super::keys::{Form, SECTIONS};
use super::kind::Kind;
use super::layer::{Given, Raw};
use super::merged::Merged;
use super::origin::ValueOrigin;

/// What stands for a secret.
const MASK: &str = "***";

/// A value that counts, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownValue {
    /// Its whole path, such as `platforms.vsphere.port`.
    pub key: String,
    /// The value; a secret is `***`, and of a program only its name is shown.
    pub value: String,
    /// Where it was given.
    #[serde(serialize_with = "as_text")]
    pub origin: ValueOrigin,
}

fn as_text<S: serde::Serializer>(origin: &ValueOrigin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(origin)
}

/// Every value that counts: what was given, and the defaults beside it.
pub(super) fn values(merged: &Merged, kinds: &BTreeMap<String, Kind>) -> Vec<ShownValue> {
    let mut shown: BTreeMap<Vec<String>, ShownValue> = BTreeMap::new();
    for (path, given) in merged.below(&[]) {
        let form = match path {
            [section, rest @ ..] if section == "chaos" => chaos_form(rest),
            [section, entry, rest @ ..] if section == "platforms" => {
                kinds.get(entry).and_then(|kind| key_of(*kind, rest)).map(|key| key.form)
            }
            _ => None,
        };
        let Some(form) = form else { continue };
        let value = ShownValue { key: path.join("."), value: text(given, form), origin: given.origin.clone() };
        shown.insert(path.to_vec(), value);
    }
    let entries = kinds.iter().filter(|(name, _)| merged.below(&entry(name)).next().is_some());
    let defaults = entries.flat_map(|(name, kind)| kind.keys().iter().map(|key| (entry(name), key)));
    let chaos = SECTIONS[SECTIONS.len() - 1].keys.iter().map(|key| (vec!["chaos".to_owned()], key));
    for (mut path, key) in defaults.collect::<Vec<_>>().into_iter().chain(chaos) {
        let is_value = matches!(key.form, Form::Boolean | Form::Port | Form::Seconds) || key.name == "scheme";
        let Some(default) = key.default.filter(|_| is_value) else { continue };
        if key.name == "port" && names_a_port(merged, &path) {
            continue;
        }
        path.extend(key.name.split('.').map(str::to_owned));
        let value = ShownValue { key: path.join("."), value: default.to_owned(), origin: ValueOrigin::Default };
        shown.entry(path).or_insert(value);
    }
    shown.into_values().collect()
}

/// Whether the server of an entry comes with a port.
fn names_a_port(merged: &Merged, entry: &[String]) -> bool {
    let mut servers = merged.below(entry).filter(|(path, _)| *path == ["server".to_owned()]);
    servers.any(|(_, given)| match &given.raw {
        Raw::Text(text) => explicit_port(text.expose_secret()).is_some(),
        Raw::Nothing | Raw::List(_) | Raw::Tangle => false,
    })
}

fn entry(name: &str) -> Vec<String> {
    vec!["platforms".to_owned(), name.to_owned()]
}

fn chaos_form(path: &[String]) -> Option<Form> {
    let [key] = path else { return None };
    SECTIONS[SECTIONS.len() - 1].keys.iter().find(|known| known.name == key).map(|known| known.form)
}

/// A whole command line in the place of a program may hold anything too.
fn first_word(program: &SecretString) -> &str {
    program.expose_secret().split_whitespace().next().unwrap_or_default()
}

fn text(given: &Given, form: Form) -> String {
    match (form, &given.raw) {
        (Form::Secret, _) => MASK.to_owned(),
        // A variable may hold more than its name says: it is the file that is shown.
        (_, Raw::Text(_)) if given.reference.is_some() => {
            given.reference.as_ref().map(|reference| format!("${{{}}}", reference.name)).unwrap_or_default()
        }
        (Form::Endpoint, Raw::Text(text)) => match parse_endpoint(text.expose_secret().trim()) {
            // As it was given, where there is no room for a secret in it.
            Ok(_) if !text.expose_secret().contains(['?', '#', '@']) => text.expose_secret().trim().to_owned(),
            Ok(url) => SafeUrl::from(url).to_string(),
            Err(_) => MASK.to_owned(),
        },
        (Form::Rules, Raw::List(rules)) => rules.iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>().join("; "),
        // The arguments may hold anything.
        (_, Raw::List(words)) => match words.split_first() {
            Some((program, [_])) => format!("{} and 1 argument", first_word(program)),
            Some((program, [])) => first_word(program).to_owned(),
            Some((program, rest)) => format!("{} and {} arguments", first_word(program), rest.len()),
            None => String::new(),
        },
        (_, Raw::Text(text)) => text.expose_secret().trim().to_owned(),
        (_, Raw::Nothing | Raw::Tangle) => String::new(),
    }
}
