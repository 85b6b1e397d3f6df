//! What Chaos Toolkit takes over from Python: texts, truth, equality and order of values, and how numbers are read.

use std::cmp::Ordering;
use std::fmt::Write;
use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_json::{Number, Value};

/// Characters that Python does not print: other and separators, but the space.
static UNPRINTABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{C}\p{Z}]").expect("a fixed expression is correct"));
/// Decimal digits of any script.
static DIGIT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\p{Nd}").expect("a fixed expression is correct"));

/// The JSON of a value, as Python's `json.dumps()` writes it: with spaces, and in ASCII.
pub(crate) fn json(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", ascii(key), json(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => ascii(text),
        Value::Number(number) => number_text(number),
        Value::Null | Value::Bool(_) => value.to_string(),
    }
}

/// A text in JSON, in which every character beyond ASCII is escaped.
fn ascii(text: &str) -> String {
    let plain = Value::from(text).to_string();
    let mut escaped = String::with_capacity(plain.len());
    for c in plain.chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// The text of a value, as Python's `str()` gives it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// The text of a value inside a list or mapping, as Python's `repr()` gives it.
fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number_text(number),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", quoted(key), repr(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_text(float),
        _ => number.to_string(),
    }
}

/// Python's shortest text: positional from 1e-4 up to 1e16, else with an exponent of two digits or more.
fn float_text(float: f64) -> String {
    let scientific = format!("{float:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if float == 0.0 || (-4..16).contains(&exponent) {
        let positional = format!("{float}");
        return if positional.contains('.') { positional } else { format!("{positional}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c == quote => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            c if is_printable(c) => quoted.push(c),
            c => {
                // Writing to a String cannot fail.
                let _ = match u32::from(c) {
                    code @ ..=0xff => write!(quoted, "\\x{code:02x}"),
                    code @ ..=0xffff => write!(quoted, "\\u{code:04x}"),
                    code => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push(quote);
    quoted
}

fn is(class: &Regex, c: char) -> bool {
    class.is_match(c.encode_utf8(&mut [0; 4])).unwrap_or(false)
}

fn is_printable(c: char) -> bool {
    !is(&UNPRINTABLE, c)
}

/// Whether Python counts a character as white space.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// A text without Python's white space at its ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The value of a decimal digit of any script.
pub(crate) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.to_digit(10).and_then(|digit| digit.try_into().ok());
    }
    // The digits of a script follow each other from 0 to 9, and some scripts follow each other too.
    let mut before = 0_u8;
    while before < 100 {
        let at = u32::from(c).checked_sub(before.into()).and_then(char::from_u32);
        match at {
            Some(at) if is(&DIGIT, at) => before += 1,
            _ => break,
        }
    }
    before.checked_sub(1).map(|since_zero| since_zero % 10)
}

/// The text of a number as Python's `int()` and `float()` take it, for a parser that knows ASCII only: without white
/// space around it (in a text of ASCII only that of C), with the digits of all scripts as ASCII, and without the `_` that may stand between two digits.
pub(crate) fn numeral(text: &str) -> Option<String> {
    let mut plain = String::new();
    let trimmed = if text.is_ascii() { text.trim() } else { trim(text) };
    let mut characters = trimmed.chars().peekable();
    let mut after_digit = false;
    while let Some(c) = characters.next() {
        if c == '_' {
            let before_digit = characters.peek().copied().and_then(digit).is_some();
            if !(after_digit && before_digit) {
                return None;
            }
            after_digit = false;
        } else {
            let digit = digit(c);
            after_digit = digit.is_some();
            plain.push(digit.map_or(c, |digit| char::from(b'0' + digit)));
        }
    }
    Some(plain)
}

/// Whether Python takes a value for true.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Whether two values are equal: numbers by value, with true as 1 and false as 0; texts only to texts.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (Value::Null, Value::Null) => true,
        _ => order(a, b) == Some(Ordering::Equal),
    }
}

/// The order of two numbers, two texts or two lists; none for everything else.
///
/// In lists the first items that are not equal decide, or else the lengths.
pub(crate) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => return Some(a.cmp(b)),
        (Value::Array(a), Value::Array(b)) => {
            let unequal = a.iter().zip(b).find(|(a, b)| !equal(a, b));
            return unequal.map_or(Some(a.len().cmp(&b.len())), |(a, b)| order(a, b));
        }
        _ => {}
    }
    match (number(a)?, number(b)?) {
        (Numeric::Int(a), Numeric::Int(b)) => Some(a.cmp(&b)),
        (Numeric::Float(a), Numeric::Float(b)) => a.partial_cmp(&b),
        (Numeric::Int(a), Numeric::Float(b)) => order_mixed(a, b),
        (Numeric::Float(a), Numeric::Int(b)) => order_mixed(b, a).map(Ordering::reverse),
    }
}

enum Numeric {
    Int(i128),
    Float(f64),
}

fn number(value: &Value) -> Option<Numeric> {
    match value {
        Value::Bool(flag) => Some(Numeric::Int(i128::from(*flag))),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Some(Numeric::Int(int.into())),
            (None, Some(int)) => Some(Numeric::Int(int.into())),
            (None, None) => number.as_f64().map(Numeric::Float),
        },
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Exact also where a float cannot hold the integer.
#[expect(clippy::cast_possible_truncation, reason = "the float is within the range of the integer there")]
fn order_mixed(int: i128, float: f64) -> Option<Ordering> {
    // Integers of JSON are within 64 bits, so a float beyond 2^100 decides by its sign.
    if float.abs() > 1e30 {
        return 0.0_f64.partial_cmp(&float);
    }
    let whole = float.trunc();
    match int.cmp(&(whole as i128)) {
        Ordering::Equal => whole.partial_cmp(&float),
        decided => Some(decided),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_those_of_python() {
        for (value, expected) in [
            (json!(true), "True"),
            (json!(null), "None"),
            (json!("x"), "x"),
            (json!([1, "x", null]), "[1, 'x', None]"),
            (json!({"k": "v", "n": {"f": 2.5}}), "{'k': 'v', 'n': {'f': 2.5}}"),
            (json!(["it's", "a\nb", "say \"it's\""]), r#"["it's", 'a\nb', 'say "it\'s"']"#),
            (json!(1.0), "1.0"),
            (json!(-0.0), "-0.0"),
            (json!(1e16), "1e+16"),
            (json!(123_456_789_012_345.6), "123456789012345.6"),
            (json!(0.0001), "0.0001"),
            (json!(0.00001), "1e-05"),
            (json!(1.5e-300), "1.5e-300"),
            (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
        ] {
            assert_eq!(text(&value), expected);
        }
    }

    #[test]
    fn numbers_are_equal_by_value_and_texts_are_not_numbers() {
        assert!(equal(&json!(1), &json!(1.0)));
        assert!(equal(&json!(true), &json!(1)));
        assert!(equal(&json!([0, {"a": 2}]), &json!([false, {"a": 2.0}])));
        assert!(!equal(&json!("1"), &json!(1)));
        assert!(!equal(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992.0)));
        assert_eq!(order(&json!(3), &json!(3.5)), Some(Ordering::Less));
        assert_eq!(order(&json!(-3), &json!(-3.5)), Some(Ordering::Greater));
        assert_eq!(order(&json!(null), &json!(0)), None);
    }

    #[test]
    fn the_first_items_that_differ_decide_the_order_of_lists() {
        assert_eq!(order(&json!([1, 2]), &json!([1, 3])), Some(Ordering::Less));
        assert_eq!(order(&json!([1, 2]), &json!([1])), Some(Ordering::Greater));
        assert_eq!(order(&json!([{"a": 1}, 2]), &json!([{"a": 1}, 1])), Some(Ordering::Greater));
        assert_eq!(order(&json!([1, "a"]), &json!([1, 2])), None);
        assert_eq!(order(&json!([]), &json!([])), Some(Ordering::Equal));
    }

    #[test]
    fn numerals_of_all_scripts_are_read() {
        for (text, expected) in [
            (" 1_000\u{a0}", Some("1000")),
            ("\u{661}\u{662}", Some("12")),
            ("\u{1d7d9}", Some("1")),
            ("1_0.0_1e1_0", Some("10.01e10")),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("1_.5", None),
            ("\x1c1", Some("\x1c1")),
            ("\x1c\u{661}", Some("1")),
        ] {
            assert_eq!(numeral(text).as_deref(), expected, "{text}");
        }
    }
}
