//! What a single value of YAML means: the words and numbers of YAML 1.1, as `PyYAML` takes them.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::number::{self, BEYOND_INTEGERS, NOT_FINITE};
use super::timestamp::timestamp;

/// A value, and why it is not what is written, if it is not.
pub(super) type Read = Result<(Value, Option<&'static str>), String>;

/// The forms of whole numbers: of base 2, 8, 10, 16 and 60. Underscores mean nothing.
static INTEGER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let forms = ["0b[01_]+", "0[0-7_]+", "0x[0-9a-fA-F_]+", "0", "[1-9][0-9_]*(?::[0-5]?[0-9])*"];
    Regex::new(&format!(r"\A[-+]?(?:{})\z", forms.join("|"))).ok()
});

/// The forms of fractions, of which each has a dot. A sign belongs only to those with a digit before it.
static FLOAT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let exponent = "(?:[eE][-+][0-9]+)?";
    let forms = [
        &format!(r"[-+]?[0-9][0-9_]*\.[0-9_]*{exponent}"),
        &format!(r"\.[0-9][0-9_]*{exponent}"),
        r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*",
        r"[-+]?\.(?:inf|Inf|INF)",
        r"\.(?:nan|NaN|NAN)",
    ];
    Regex::new(&format!(r"\A(?:{})\z", forms.join("|"))).ok()
});

/// The value of a text that stands without quotes and without a tag.
pub(super) fn plain(text: &str) -> Read {
    let is = |form: &LazyLock<Option<Regex>>| form.as_ref().is_some_and(|form| form.is_match(text));
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Ok((Value::Null, None)),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Ok((true.into(), None)),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Ok((false.into(), None)),
        "=" | "<<" => Err(format!("`{text}` has a meaning of its own in YAML: if it is a text, put it in quotes")),
        _ if !text.starts_with(|c: char| matches!(c, '-' | '+' | '.' | '0'..='9')) => Ok((text.into(), None)),
        _ if is(&FLOAT) => float(text),
        _ if is(&INTEGER) => integer(text),
        _ => match timestamp(text, false) {
            Some(iso) => Ok((iso?.into(), None)),
            None => Ok((text.into(), None)),
        },
    }
}

/// The value of a text with one of the tags of YAML such as `!!int`, whatever quotes it has. None if the tag is no tag
/// for a single value.
pub(super) fn tagged(kind: &str, text: &str) -> Option<Read> {
    Some(match kind {
        "str" => Ok((text.into(), None)),
        "null" => Ok((Value::Null, None)),
        "bool" => match text.to_lowercase().as_str() {
            "yes" | "true" | "on" => Ok((true.into(), None)),
            "no" | "false" | "off" => Ok((false.into(), None)),
            _ => Err("this is neither true nor false".to_owned()),
        },
        "int" => integer(text),
        "float" => float(text),
        "timestamp" => match timestamp(text, true) {
            Some(Ok(iso)) => Ok((iso.into(), None)),
            Some(Err(message)) => Err(message.to_owned()),
            None => Err("this is no date and no time".to_owned()),
        },
        _ => return None,
    })
}

/// The key that a value is, as Python's JSON writes it. None for a list or mapping.
pub(super) fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => Some("null".to_owned()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        Value::Number(_) => Some(crate::python::text(value)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The sign of a number, and the rest of it without underscores.
fn signed(text: &str) -> (bool, String) {
    let text = text.trim().replace('_', "");
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    (negative, rest.to_owned())
}

fn integer(text: &str) -> Read {
    let (negative, rest) = signed(text);
    let digits = if let Some(digits) = rest.strip_prefix("0b") {
        number::decimal(digits, 2)
    } else if let Some(digits) = rest.strip_prefix("0x") {
        number::decimal(digits, 16)
    } else if rest.len() > 1 && rest.starts_with('0') {
        number::decimal(rest.strip_prefix("0o").unwrap_or(&rest), 8)
    } else if rest.contains(':') {
        number::sexagesimal(&rest)
    } else {
        return read_integer(negative, &rest);
    };
    read_integer(negative, &digits.map_err(number::Unfit::message)?)
}

fn read_integer(negative: bool, digits: &str) -> Read {
    let (value, is_text) = number::integer(negative, digits).map_err(number::Unfit::message)?;
    Ok((value, is_text.then_some(BEYOND_INTEGERS)))
}

fn float(text: &str) -> Read {
    let (negative, rest) = signed(text);
    let size = match rest.to_lowercase().as_str() {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        rest if rest.contains(':') => sexagesimal(rest)?,
        rest => rest.parse().map_err(|_| "this is no number".to_owned())?,
    };
    let (value, is_text) = number::float(if negative { -size } else { size });
    Ok((value, is_text.then_some(NOT_FINITE)))
}

/// A fraction of base 60 as `12:30:45.6`. Summed up from its end, as `PyYAML` does, so that the last digit is the same.
fn sexagesimal(text: &str) -> Result<f64, String> {
    let mut sum = 0.0;
    // Up to here a power of 60 has 128 bits; nobody means so many parts.
    for (at, part) in (0..20).zip(text.rsplit(':')) {
        let part: f64 = part.parse().map_err(|_| "this is no number".to_owned())?;
        #[expect(clippy::cast_precision_loss, reason = "the nearest float is meant")]
        let base = 60_u128.pow(at) as f64;
        sum += part * base;
    }
    if text.split(':').count() > 20 {
        return Err("this number of base 60 has too many parts".to_owned());
    }
    Ok(sum)
}
