//! Decimal numbers of any size that are compared exactly, as Python's `Decimal` has them.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::python;

/// The largest exponent of the first digit.
const LARGEST: i128 = 999_999_999_999_999_999;
/// The smallest exponent of the last digit.
const SMALLEST: i128 = -1_999_999_999_999_999_997;

/// A finite number.
///
/// A tiny text can stand for a number of a billion digits, so it is kept as it is written: 0.d₁d₂d₃… times a power of ten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Without zeros at either end; none of them is zero.
    digits: Vec<u8>,
    /// The power of ten.
    exponent: i128,
}

impl Decimal {
    /// The number that a value is: numbers exactly, true and false as 1 and 0, and texts of a number as they are written.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Self::parse(if *flag { "1" } else { "0" }),
            Value::Number(number) => Self::exact(number),
            Value::String(text) => Self::parse(text),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A float has the value of its bits, which is seldom the one that it is written as: 0.1 is a little more than that.
    fn exact(number: &Number) -> Option<Self> {
        match number.as_f64() {
            // No float has more decimals.
            Some(float) if number.is_f64() => Self::parse(&format!("{float:.1074}")),
            _ => Self::parse(&number.to_string()),
        }
    }

    /// Digits of any script, with `_` anywhere among them and white space around; neither infinite nor NaN.
    fn parse(text: &str) -> Option<Self> {
        let text = python::trim(text);
        let mut plain = String::with_capacity(text.len());
        for c in text.chars().filter(|c| *c != '_') {
            match python::digit(c) {
                Some(digit) => plain.push(char::from(b'0' + digit)),
                None if matches!(c, '+' | '-' | '.' | 'e' | 'E') => plain.push(c),
                None => return None,
            }
        }
        let (negative, unsigned) = match plain.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power_of_ten(power)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let length = |length: usize| i128::try_from(length).unwrap_or(i128::MAX);
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        if leading == digits.len() {
            let last = power - length(fraction.len());
            if !(SMALLEST..=LARGEST).contains(&last) {
                return None;
            }
            return Some(Self { negative: false, digits: Vec::new(), exponent: 0 });
        }
        let exponent = power + length(whole.len()) - length(leading);
        if exponent - 1 > LARGEST || power - length(fraction.len()) < SMALLEST {
            return None;
        }
        digits.drain(..leading);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        Some(Self { negative, digits, exponent })
    }
}

/// An exponent as it is written; one that is far beyond the limits may come out as another that is too.
fn power_of_ten(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let beyond = LARGEST * 1000;
    let power = digits.parse::<i128>().map_or(beyond, |power| power.min(beyond));
    Some(if text.starts_with('-') { -power } else { power })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then_with(|| if self.negative { size().reverse() } else { size() })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn of(value: impl Into<Value>) -> Decimal {
        let value = value.into();
        Decimal::of(&value).unwrap_or_else(|| panic!("{value}"))
    }

    #[test]
    fn numbers_are_compared_exactly() {
        assert!(of(0.1) > of("0.1"));
        assert!(of(0.3) < of("0.3"));
        assert_eq!(of(2.5), of(" +02_.50e0\n"));
        assert_eq!(of(-0.0), of("0e999999999"));
        assert!(of("1e999999999") > of(f64::MAX));
        assert!(of("-1e999999999") < of(f64::MIN));
        assert!(of("1e-999999999") > of(0));
        assert!(of("-0.5") < of("-0.05"));
        assert!(of(u64::MAX) < of("18446744073709551616"));
        assert_eq!(of("\u{661}.5"), of(1.5));
        assert_eq!(of(true), of(1));
        assert!(of(5e-324) > of(0));
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        for value in [
            json!(""),
            json!("."),
            json!("e5"),
            json!("1e"),
            json!("1e+"),
            json!("0x10"),
            json!("1 2"),
            json!("--1"),
            json!("NaN"),
            json!("Infinity"),
            json!("1e999999999999999999999"),
            json!("0e9999999999999999999"),
            json!("1.2.3"),
            json!(null),
            json!([1]),
            json!({}),
        ] {
            assert_eq!(Decimal::of(&value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_keep_their_order(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(of(a).cmp(&of(b)), a.cmp(&b));
        }

        #[test]
        fn floats_keep_their_order(a in -1e300..1e300_f64, b in -1.0..1.0_f64) {
            prop_assert_eq!(of(a).cmp(&of(b)), a.partial_cmp(&b).unwrap());
        }

        #[test]
        fn any_text_is_a_number_or_none(text in r"[-+]?[0-9_.eE+\- é]{0,40}") {
            let _ = Decimal::of(&json!(text));
        }
    }
}
