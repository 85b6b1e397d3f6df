//! Bodies and queries of HTTP requests, and what the body of an answer becomes.

use chaos_http::{HeaderMap, Url, header};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::python;

/// The one content type whose bodies are JSON values.
pub(super) const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Adds arguments to what the URL asks already: a mapping as parameters, a text as it is.
///
/// # Errors
/// Why that cannot be, in words.
pub(super) fn extend_query(url: &mut Url, arguments: &Value) -> Result<(), &'static str> {
    match arguments {
        Value::String(text) => {
            let query = match url.query() {
                Some(before) if !before.is_empty() => format!("{before}&{text}"),
                _ => text.clone(),
            };
            url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        }
        Value::Object(map) => {
            let parameters = parameters(map);
            if !parameters.is_empty() {
                url.query_pairs_mut().extend_pairs(parameters);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err("arguments of GET are a mapping of parameters, or one text");
        }
    }
    Ok(())
}

/// A body with its content type, where that is not left to the headers.
///
/// # Errors
/// Why there can be none, in words.
pub(super) fn encode(arguments: &Value, json: bool) -> Result<(Option<&'static str>, String), &'static str> {
    match arguments {
        arguments if json => Ok((Some(JSON), python::json(arguments))),
        Value::String(text) => Ok((None, text.clone())),
        Value::Object(map) => {
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters(map)).finish();
            Ok((Some(FORM), form))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("arguments are a mapping of fields or one text; anything else needs the header Content-Type with \
                 exactly application/json")
        }
    }
}

/// Names with their texts: a list repeats its name, null is left out.
fn parameters(map: &Map<String, Value>) -> Vec<(&str, String)> {
    let mut parameters = Vec::new();
    for (name, value) in map {
        let values = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let texts = values.iter().filter(|value| !value.is_null()).map(python::text);
        parameters.extend(texts.map(|text| (name.as_str(), text)));
    }
    parameters
}

/// The body of an answer: a value if its type is exactly `application/json` and it is JSON, else a text.
pub(super) fn decode(headers: &HeaderMap, body: &[u8]) -> Value {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type == JSON
        && let Ok(value) = serde_json::from_slice(body)
    {
        return value;
    }
    text(content_type, body).into()
}

/// UTF-8, unless the type names ISO-8859-1 or the bytes cannot be anything else.
fn text(content_type: &str, body: &[u8]) -> String {
    let lower = content_type.to_ascii_lowercase();
    let charset = lower.split_once("charset=").map(|(_, charset)| charset.trim_matches(['"', ' ', ';']));
    let latin = || body.iter().copied().map(char::from).collect();
    match charset {
        Some("iso-8859-1" | "latin1" | "latin-1") => latin(),
        Some(_) => String::from_utf8_lossy(body).into_owned(),
        None => match std::str::from_utf8(body) {
            Ok(text) => text.to_owned(),
            Err(_) if lower.starts_with("text/") => latin(),
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        },
    }
}
