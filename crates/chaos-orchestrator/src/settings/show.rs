//! Every value that counts with its origin, for people: secrets are masked here.

use std::collections::BTreeMap;

use chaos_http::{parse_endpoint, printable_endpoint};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::check::key_of;
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
    let mut texts = merged.below(entry).filter(|(path, _)| *path == ["server".to_owned()]);
    let server = texts.find_map(|(_, given)| match &given.raw {
        Raw::Text(text) => parse_endpoint(text.expose_secret().trim()).ok(),
        Raw::Nothing | Raw::List(_) | Raw::Tangle => None,
    });
    server.is_some_and(|server| server.port().is_some())
}

fn entry(name: &str) -> Vec<String> {
    vec!["platforms".to_owned(), name.to_owned()]
}

fn chaos_form(path: &[String]) -> Option<Form> {
    let [key] = path else { return None };
    SECTIONS[SECTIONS.len() - 1].keys.iter().find(|known| known.name == key).map(|known| known.form)
}

fn text(given: &Given, form: Form) -> String {
    match (form, &given.raw) {
        (Form::Secret, _) => MASK.to_owned(),
        (Form::Endpoint, Raw::Text(text)) => printable_endpoint(text.expose_secret()),
        // The arguments may hold anything.
        (_, Raw::List(words)) => match words.split_first() {
            Some((program, [_])) => format!("{} and 1 argument", program.expose_secret()),
            Some((program, [])) => program.expose_secret().to_owned(),
            Some((program, rest)) => format!("{} and {} arguments", program.expose_secret(), rest.len()),
            None => String::new(),
        },
        (_, Raw::Text(text)) => text.expose_secret().trim().to_owned(),
        (_, Raw::Nothing | Raw::Tangle) => String::new(),
    }
}
