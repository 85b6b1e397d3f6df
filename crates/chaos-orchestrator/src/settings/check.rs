//! Whether everything that is given is known, is where it should be, and comes from somebody who may give it.

use std::collections::BTreeMap;

use chaos_core::nearest;
use secrecy::ExposeSecret;

use super::convert::boolean;
use super::environment::{Variables, is_ours};
use super::error::SettingsError;
use super::file::Distrust;
use super::keys::{Form, Key, LEGACY_SECTIONS, LEGACY_VARIABLES, SECTIONS};
use super::kind::Kind;
use super::layer::{Given, Layer, Raw};
use super::origin::ValueOrigin;

/// What a path means.
enum Meaning {
    Key(&'static Key),
    /// A section of which something has to be given below it.
    Section,
    /// Something is given below a key that has no parts.
    Below(usize),
    /// The name at this step is not known; these are.
    Unknown(usize, Vec<&'static str>),
}

/// The kinds of all entries, by name.
///
/// # Errors
/// Into `errors`: a name that cannot be one, a type that is missing, unknown, or not that of the name.
pub(crate) fn kinds(layers: &[Layer], errors: &mut Vec<SettingsError>) -> BTreeMap<String, Kind> {
    let mut kinds = BTreeMap::new();
    let mut entries: BTreeMap<&str, (&Given, Option<&Given>)> = BTreeMap::new();
    for given in layers.iter().flat_map(|layer| &layer.given) {
        let [section, entry, ..] = given.path.as_slice() else { continue };
        // An entry with nothing in it is none.
        if section != "platforms" || (given.path.len() == 2 && matches!(given.raw, Raw::Nothing)) {
            continue;
        }
        let known = entries.entry(entry).or_insert((given, None));
        if given.path.len() == 3 && given.path[2] == "type" && !matches!(given.raw, Raw::Nothing) {
            known.1 = Some(given);
        }
    }
    for (entry, (first, kind)) in entries {
        let implied = Kind::parse(entry);
        let word = kind.map(|given| match &given.raw {
            Raw::Text(text) => text.expose_secret().trim(),
            Raw::Nothing | Raw::List(_) | Raw::Tangle => "",
        });
        let expected = |expected: String| SettingsError::Value { name: kind.unwrap_or(first).name(), expected };
        match (implied, word, word.and_then(Kind::parse)) {
            _ if !is_name(entry) => errors.push(SettingsError::Value {
                name: first.name_of_step(1),
                expected: "an entry's name has letters, digits, `-` and `_`, and begins with a letter or digit"
                    .to_owned(),
            }),
            (Some(implied), None, _) => drop(kinds.insert(entry.to_owned(), implied)),
            (Some(implied), Some(_), Some(kind)) if implied == kind => drop(kinds.insert(entry.to_owned(), kind)),
            (Some(implied), Some(_), _) => errors.push(expected(format!(
                "an entry with the name `{implied}` is of this type: give the entry another name, or remove its type"
            ))),
            (None, Some(_), Some(kind)) => drop(kinds.insert(entry.to_owned(), kind)),
            (None, Some(_), None) => errors.push(expected("a type is vsphere, olvm or dora".to_owned())),
            (None, None, _) => errors.push(SettingsError::Unknown {
                name: first.name_of_step(1),
                hint: match nearest(entry, &["vsphere", "olvm", "dora"]) {
                    Some(meant) => format!(": did you mean `{meant}`? Else give it a `type`: vsphere, olvm or dora"),
                    None => ": an entry of this name needs a `type`: vsphere, olvm or dora".to_owned(),
                },
            }),
        }
    }
    kinds
}

/// Everything that is wrong with what one layer gives, apart from the values themselves.
pub(crate) fn layer(
    layer: &Layer,
    variables: &Variables,
    kinds: &BTreeMap<String, Kind>,
    errors: &mut Vec<SettingsError>,
) {
    for given in &layer.given {
        if let Some(error) = given_is_known(given, kinds) {
            errors.push(error);
        } else if let (true, Some(distrust)) = (layer.is_found, layer.access.distrust)
            && is_refused(given, distrust)
        {
            errors.push(SettingsError::Untrusted { name: given.name(), reason: distrust.reason() });
        } else if let Some(distrust) = variables.access.distrust
            && let Some(origin @ ValueOrigin::DotEnv { .. }) =
                given.reference.as_ref().and_then(|from| from.origin.as_ref())
            && is_refused(&Given { origin: origin.clone(), reference: None, ..given.clone() }, distrust)
        {
            // A trusted file that refers to a variable of one that is not.
            errors.push(SettingsError::Untrusted { name: origin.name(&given.path), reason: distrust.reason() });
        }
    }
}

/// The keys that say where a password goes and what is read to get it.
const WHEREABOUTS: [&str; 10] =
    ["server", "url", "host", "scheme", "port", "api_port", "auth_port", "ca_file", "thumbprint", "password_file"];

/// Whether a value does not count in a file that others may have written.
///
/// From no such file counts what runs a program or switches a check off. One that the group can write is a settings file that
/// many systems make by themselves, so the rest of it counts; and its `.env` has always counted whole. From one of another
/// user, or that all can write, neither counts where a password is sent to: it may be that of another source.
fn is_refused(given: &Given, distrust: Distrust) -> bool {
    let is_dotenv = matches!(given.origin, ValueOrigin::DotEnv { .. });
    match (given.path.first().map(String::as_str), given.path.last().map(String::as_str), &given.raw) {
        (_, _, Raw::Nothing) => false,
        (Some("platforms"), Some("insecure"), Raw::Text(text)) => {
            boolean(text.expose_secret()) != Some(false) && !(is_dotenv && distrust == Distrust::OpenToGroup)
        }
        (Some("platforms"), Some(key), _) if key.ends_with("_command") => true,
        (Some("platforms"), Some(key), _) => {
            let is_vcenter = given.path.get(2).is_some_and(|key| key == "vcenters");
            distrust != Distrust::OpenToGroup && (WHEREABOUTS.contains(&key) || is_vcenter || given.reference.is_some())
        }
        // Where the VMs of a Dora service are switched, and that nothing may be switched at all.
        (Some("chaos"), Some("dry_run"), Raw::Text(text)) => {
            distrust != Distrust::OpenToGroup && boolean(text.expose_secret()) == Some(false)
        }
        _ => false,
    }
}

fn given_is_known(given: &Given, kinds: &BTreeMap<String, Kind>) -> Option<SettingsError> {
    let section = given.path[0].as_str();
    let (from, meaning) = match (section, given.path.get(1)) {
        ("chaos", _) => (1, meaning(SECTIONS[SECTIONS.len() - 1].keys, &given.path[1..])),
        ("platforms", None) => (1, Meaning::Section),
        // An entry without a kind is an error already.
        ("platforms", Some(entry)) => (2, meaning(kinds.get(entry)?.keys(), &given.path[2..])),
        (legacy, _) if LEGACY_SECTIONS.contains(&legacy) => return None,
        _ => (0, Meaning::Unknown(0, vec!["platforms", "chaos"])),
    };
    match meaning {
        Meaning::Key(_) => None,
        Meaning::Section if matches!(given.raw, Raw::Nothing) => None,
        Meaning::Section => Some(SettingsError::Value {
            name: given.name(),
            expected: "it has to be a section, with keys in it".to_owned(),
        }),
        Meaning::Below(step) => Some(SettingsError::Value {
            name: given.name_of_step(from + step),
            expected: "it has to be a value, without keys in it".to_owned(),
        }),
        Meaning::Unknown(step, known) => {
            let step = from + step;
            let name = given.name_of_step(step);
            let meant = meant(&given.path[step], &known);
            let hint = if meant.is_empty() { format!(": use one of {}", known.join(", ")) } else { meant };
            Some(SettingsError::Unknown { name, hint })
        }
    }
}

fn meaning(keys: &'static [Key], path: &[String]) -> Meaning {
    let mut candidates: Vec<(&Key, Vec<&str>)> = keys.iter().map(|key| (key, key.name.split('.').collect())).collect();
    for (step, name) in path.iter().enumerate() {
        if let [(_, parts)] = candidates.as_slice()
            && parts.len() <= step
        {
            return Meaning::Below(step - 1);
        }
        let mut known: Vec<&str> =
            candidates.iter().filter_map(|(_, parts)| parts.get(step)).copied().filter(|part| *part != "*").collect();
        known.dedup();
        candidates.retain(|(_, parts)| parts.get(step).is_some_and(|part| part == name || *part == "*"));
        if candidates.is_empty() {
            return Meaning::Unknown(step, known);
        }
    }
    match candidates.iter().find(|(_, parts)| parts.len() == path.len()) {
        Some((key, _)) => Meaning::Key(key),
        None => Meaning::Section,
    }
}

/// The key that a path in an entry means.
pub(crate) fn key_of(kind: Kind, path: &[String]) -> Option<&'static Key> {
    match meaning(kind.keys(), path) {
        Meaning::Key(key) => Some(key),
        Meaning::Section | Meaning::Below(_) | Meaning::Unknown(..) => None,
    }
}

/// What deserves a word, although it does no harm.
pub(crate) fn warnings(layers: &[Layer], variables: &Variables, kinds: &BTreeMap<String, Kind>) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut legacy: Vec<String> = Vec::new();
    for given in layers.iter().flat_map(|layer| &layer.given) {
        let is_legacy = LEGACY_SECTIONS.contains(&given.path[0].as_str());
        let section = is_legacy.then(|| given.name_of_step(0)).filter(|section| !legacy.contains(section));
        legacy.extend(section);
    }
    for (name, origin) in variables.names() {
        let is_file = matches!(origin, ValueOrigin::DotEnv { .. });
        if is_file && LEGACY_VARIABLES.contains(&name) {
            legacy.push(origin.name(&[]));
        } else if is_ours(name) && !is_known(name) {
            let known: Vec<&str> = known_variables().collect();
            if let Some(meant) =
                synonym(name).or_else(|| nearest(name, &known)).filter(|meant| variables.get(meant).is_none())
            {
                warnings.push(format!("{} is not known: did you mean {meant}?", origin.name(&[])));
            }
        }
    }
    if !legacy.is_empty() {
        let list = legacy.join(", ");
        warnings
            .push(format!("these belong to parts of the Python tool that are not in this one and do nothing: {list}"));
    }
    warnings.extend(exposed(layers, variables, kinds));
    warnings
}

/// Secrets that stand in files which others can read, and on the command line.
fn exposed(layers: &[Layer], variables: &Variables, kinds: &BTreeMap<String, Kind>) -> Vec<String> {
    let mut warnings = Vec::new();
    for layer in layers {
        let secrets = layer.given.iter().filter(|given| {
            let key = match given.path.as_slice() {
                [_, entry, rest @ ..] => kinds.get(entry).and_then(|kind| key_of(*kind, rest)),
                _ => None,
            };
            let is_secret = key.is_some_and(|key| key.form == Form::Secret);
            is_secret && !matches!(given.raw, Raw::Nothing)
        });
        for given in secrets {
            // What a file refers to may stand in another one.
            let referred = given.reference.as_ref().map(|reference| reference.origin.as_ref());
            let origin = match &referred {
                None => &given.origin,
                Some(Some(origin @ ValueOrigin::DotEnv { .. })) => *origin,
                Some(_) => continue,
            };
            match origin {
                ValueOrigin::File { path, .. } if layer.access.is_readable_by_others => warnings.push(format!(
                    "{} is a secret in a file that others can read: `chmod 600 {}`, or use password_file, \
                     password_command or ${{VARIABLE}}",
                    given.name(),
                    path.display()
                )),
                ValueOrigin::DotEnv { path, .. } if variables.access.is_readable_by_others => warnings.push(format!(
                    "{} is a secret in a file that others can read: `chmod 600 {}`",
                    origin.name(&given.path),
                    path.display()
                )),
                ValueOrigin::Flag { .. } => warnings.push(format!(
                    "{} is a secret on the command line, which everyone on this machine can read while it runs",
                    given.name()
                )),
                _ => {}
            }
        }
    }
    warnings
}

/// What other tools call the same.
fn synonym(variable: &str) -> Option<&'static str> {
    let (prefix, name) = variable.split_once('_')?;
    match (prefix, name) {
        ("VSPHERE", "HOST" | "URL") => Some("VSPHERE_SERVER"),
        ("VSPHERE", "USER") => Some("VSPHERE_USERNAME"),
        ("VSPHERE", "PASS") => Some("VSPHERE_PASSWORD"),
        ("OLVM", "HOST" | "SERVER" | "ENGINE_URL") => Some("OLVM_URL"),
        ("OLVM", "USER") => Some("OLVM_USERNAME"),
        ("OLVM", "PASS") => Some("OLVM_PASSWORD"),
        ("DORA", "URL" | "SERVER") => Some("DORA_HOST"),
        ("DORA", "USER") => Some("DORA_USERNAME"),
        ("DORA", "PASS") => Some("DORA_PASSWORD"),
        ("DORA", "PORT") => Some("DORA_API_PORT"),
        _ => None,
    }
}

fn known_variables() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().flat_map(|section| section.keys).filter_map(|key| key.variable)
}

fn is_known(variable: &str) -> bool {
    known_variables().any(|known| known == variable)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// `: did you mean …?`, or nothing.
fn meant(written: &str, known: &[&str]) -> String {
    nearest(written, known).map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default()
}
