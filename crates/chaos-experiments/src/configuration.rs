//! From the declared `configuration` and `secrets` to the values that names stand for.

use chaos_core::{PlatformKind, RunMode};
use serde_json::{Map, Value};

use crate::error::Finding;
use crate::inputs::{Given, Inputs, ValueType};
use crate::mask::is_secret_source;
use crate::substitute::Variables;

/// Resolves what an experiment declares. Everything that is wrong goes to `findings`.
pub(crate) fn resolve(root: &Map<String, Value>, inputs: &Inputs, findings: &mut Vec<Finding>) -> Variables {
    let mut variables = Variables::default();
    if let Some(declared) = section(root, "configuration", findings) {
        for (key, value) in declared {
            let place = format!("/configuration/{}", escape(key));
            let given = inputs.overrides.get(key);
            // A declaration from outside takes the place of the one that is written.
            let (value, given) = match given {
                Some(Given::Declared(declaration)) => (declaration, None),
                given => (value, given),
            };
            if kind_of(value) == Some("probe") && given.is_none() {
                match inputs.measured.get(key) {
                    Some(Ok(measured)) => {
                        variables.configuration.insert(key.clone(), measured.clone());
                    }
                    Some(Err(why)) => findings.push(not_measured(why, inputs, &place)),
                    None if inputs.mode == RunMode::Rehearsal => {
                        let hint = "give it as an override, or rehearse with probes";
                        findings.push(Finding::warning(place, "this probe is left out of the rehearsal").hint(hint));
                    }
                    None => {
                        variables.pending.insert(key.clone());
                    }
                }
                continue;
            }
            if is_secret_source(value) {
                variables.sensitive.insert(key.clone());
            }
            if let Some(value) = configured(value, given, inputs, &place, findings) {
                variables.configuration.insert(key.clone(), value);
            }
            if inputs.overrides.get(key).is_some() {
                variables.overridden.insert(key.clone());
            }
        }
    }
    if let Some(declared) = section(root, "secrets", findings) {
        for (scope, value) in declared {
            let place = format!("/secrets/{}", escape(scope));
            if value.is_object()
                && let Some(given) = inputs.overrides.secrets(scope)
            {
                variables.secrets.insert(scope.clone(), given.clone());
                continue;
            }
            if !value.is_object() || kind_of(value).is_some() {
                findings.push(
                    Finding::error(place, "a scope of secrets is a mapping of names to secrets")
                        .hint("write {\"scope\": {\"name\": …}}"),
                );
                continue;
            }
            if let Some(value) = secret(value, inputs, &place, findings) {
                variables.secrets.insert(scope.clone(), value);
            }
        }
    }
    variables
}

/// A declared mapping of the top level; null counts as absent.
pub(crate) fn section<'a>(
    root: &'a Map<String, Value>,
    name: &str,
    findings: &mut Vec<Finding>,
) -> Option<&'a Map<String, Value>> {
    match root.get(name)? {
        Value::Object(map) => Some(map),
        Value::Null => None,
        _ => {
            findings.push(Finding::error(format!("/{name}"), "this has to be a mapping"));
            None
        }
    }
}

/// A key as a part of a JSON pointer (RFC 6901).
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A probe of the configuration that failed. Its key stands for nothing then.
fn not_measured(why: &str, inputs: &Inputs, place: &str) -> Finding {
    let message = format!("the probe of this value failed: {why}");
    if inputs.rules.needs_dynamic_configuration() {
        Finding::error(place, message)
    } else {
        Finding::warning(place, message).hint("what refers to it stays as it is written")
    }
}

pub(crate) fn kind_of(value: &Value) -> Option<&str> {
    value.as_object()?.get("type")?.as_str()
}

fn configured(
    declared: &Value,
    given: Option<&Given>,
    inputs: &Inputs,
    place: &str,
    findings: &mut Vec<Finding>,
) -> Option<Value> {
    match (kind_of(declared), given) {
        (Some("env"), _) => from_environment(declared, given, inputs, place, findings),
        (_, Some(given)) => {
            let kind = ValueType::like(declared);
            let value = given.read(kind);
            if value.is_none() {
                let message = format!("the override has to be {}, as the declared value is", kind.words());
                findings.push(Finding::error(place, message));
            }
            value
        }
        (_, None) => Some(declared.clone()),
    }
}

fn from_environment(
    declared: &Value,
    given: Option<&Given>,
    inputs: &Inputs,
    place: &str,
    findings: &mut Vec<Finding>,
) -> Option<Value> {
    let kind = match declared.get("env_var_type") {
        None | Some(Value::Null) => None,
        Some(word) => {
            let known = word.as_str().and_then(ValueType::parse);
            if known.is_none() {
                let message = format!("{word} is no type of an environment variable");
                let hint = format!("use one of {}", ValueType::WORDS);
                findings.push(Finding::error(format!("{place}/env_var_type"), message).hint(hint));
                return None;
            }
            known
        }
    };
    // An override without a type of its own takes that of the default.
    let kind = kind.or_else(|| given.and(declared.get("default")).map(ValueType::like));
    let read = |given: &Given| match kind {
        Some(kind) => given.read(kind),
        None => Some(given.plain()),
    };
    let (value, what) = if let Some(given) = given {
        (read(given), "the override")
    } else {
        let Some(name) = declared.get("key").and_then(Value::as_str) else {
            findings.push(Finding::error(place, "`key` has to name the environment variable"));
            return None;
        };
        match (inputs.environment.get(name), declared.get("default")) {
            (Some(text), _) => (read(&Given::Text(text.to_owned())), "the environment variable"),
            (None, Some(default)) => {
                // Bytes are a text here, and only a text has bytes.
                let bytes = declared.get("env_var_type").and_then(Value::as_str) == Some("bytes");
                let value = match kind {
                    Some(kind) => kind.convert(default).filter(|_| !bytes || default.is_string()),
                    None => Some(default.clone()),
                };
                (value, "the default")
            }
            (None, None) => {
                let hint = "set it, declare a `default`, or give the value as an override";
                findings.push(unset(name, inputs, place).hint(hint));
                return None;
            }
        }
    };
    if value.is_none() {
        let wanted = kind.map_or("usable", ValueType::words);
        findings.push(Finding::error(place, format!("{what} is not {wanted}")));
    }
    value
}

fn unset(name: &str, inputs: &Inputs, place: &str) -> Finding {
    missing(&format!("the environment variable `{name}` is not set"), inputs, place)
}

/// A value that cannot be had. A rehearsal can do without: what it does need is missed where it is used.
fn missing(message: &str, inputs: &Inputs, place: &str) -> Finding {
    match inputs.mode {
        RunMode::Rehearsal => Finding::warning(place, message),
        _ => Finding::error(place, message),
    }
}

fn secret(declared: &Value, inputs: &Inputs, place: &str, findings: &mut Vec<Finding>) -> Option<Value> {
    match (kind_of(declared), declared) {
        (Some("env"), _) => {
            let Some(name) = declared.get("key").and_then(Value::as_str) else {
                findings.push(Finding::error(place, "`key` has to name the environment variable"));
                return None;
            };
            let value = inputs.environment.get(name).map(Value::from);
            if value.is_none() {
                findings.push(unset(name, inputs, place));
            }
            value
        }
        (Some("vault"), _) => {
            let hint = "put the secret into an environment variable and declare {\"type\": \"env\", \"key\": …}";
            findings.push(missing("secrets from a vault are not supported yet", inputs, place).hint(hint));
            None
        }
        (_, Value::Object(map)) => {
            let mut resolved = Map::new();
            for (key, value) in map {
                if let Some(value) = secret(value, inputs, &format!("{place}/{}", escape(key)), findings) {
                    resolved.insert(key.clone(), value);
                }
            }
            Some(Value::Object(resolved))
        }
        (_, value) => Some(value.clone()),
    }
}

/// The connection values that an override can give for a platform, as `<platform>_<field>`.
pub(crate) const CONNECTION_FIELDS: [&str; 7] =
    ["server", "url", "username", "password", "port", "ca_file", "insecure"];

/// Splits a name such as `vsphere_server` into the platform and the field.
pub(crate) fn connection_override<'a>(name: &'a str, platforms: &[&'a str]) -> Option<(&'a str, &'static str)> {
    platforms.iter().find_map(|platform| {
        let field = name.strip_prefix(platform)?.strip_prefix('_')?;
        CONNECTION_FIELDS.iter().find(|known| **known == field).map(|field| (*platform, *field))
    })
}

/// Complains about overrides that nothing in the experiment takes.
pub(crate) fn check_overrides(
    root: &Map<String, Value>,
    inputs: &Inputs,
    platforms: &[&str],
    findings: &mut Vec<Finding>,
) {
    let declared = root.get("configuration").and_then(Value::as_object);
    for name in inputs.overrides.names() {
        if declared.is_some_and(|declared| declared.contains_key(name))
            || connection_override(name, platforms).is_some()
        {
            continue;
        }
        let mut known: Vec<String> = declared.into_iter().flat_map(|map| map.keys().cloned()).collect();
        known.extend(platforms.iter().map(|platform| format!("{platform}_{}", endpoint_field(platform))));
        let hint = if known.is_empty() {
            "declare it under `configuration`".to_owned()
        } else {
            format!("it takes {} and the other connection values", known.join(", "))
        };
        let message = format!("the experiment takes no override `{name}`");
        findings.push(if inputs.rules.refuses_bad_values() {
            Finding::error("/configuration", message).hint(hint)
        } else {
            Finding::warning("/configuration", message + ": it is left out").hint(hint)
        });
    }
}

/// The platforms that overrides of connection values may be about even if no activity names them.
pub(crate) const WELL_KNOWN: [&PlatformKind; 2] = [&PlatformKind::VSPHERE, &PlatformKind::OLVM];

/// What the field is called, for messages, that says where a platform is: an engine of OLVM is known by its URL. Both
/// words are understood for all.
fn endpoint_field(platform: &str) -> &'static str {
    if platform == PlatformKind::OLVM.as_str() { "url" } else { "server" }
}
