//! Numbers as Python reads them: integers without a limit, and floats that may be infinite.

use serde_json::{Number, Value};

/// Python refuses longer ones too, as reading them takes time that grows with the square of their length.
const MAX_DIGITS: usize = 4300;

/// Something was read as a text, and this is why.
pub(super) const BEYOND_INTEGERS: &str = "a whole number of more than 64 bits is taken as a text";
/// Something was read as a text, and this is why.
pub(super) const NOT_FINITE: &str = "a number that is infinite or no number (NaN) is taken as a text";

/// Why a text is no integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is something else.
    NoInteger,
    /// It is longer than anyone needs.
    TooLong,
}

impl Unfit {
    pub(super) fn message(self) -> String {
        match self {
            Self::NoInteger => "this is no whole number".to_owned(),
            Self::TooLong => format!("a whole number has at most {MAX_DIGITS} digits"),
        }
    }
}

/// The value of an integer in decimal digits, and whether it did not fit and is a text. `digits` are decimal digits.
pub(super) fn integer(negative: bool, digits: &str) -> Result<(Value, bool), Unfit> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unfit::NoInteger);
    }
    if digits.len() > MAX_DIGITS {
        return Err(Unfit::TooLong);
    }
    let digits = digits.trim_start_matches('0');
    let text = match (digits, negative) {
        ("", _) => "0".to_owned(),
        (digits, true) => format!("-{digits}"),
        (digits, false) => digits.to_owned(),
    };
    let number = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    Ok(match number {
        Ok(number) => (number.into(), false),
        Err(_) => (text.into(), true),
    })
}

/// The decimal digits of an integer of another base, up to 36.
pub(super) fn decimal(digits: &str, radix: u32) -> Result<String, Unfit> {
    if digits.is_empty() {
        return Err(Unfit::NoInteger);
    }
    if digits.len() > MAX_DIGITS {
        return Err(Unfit::TooLong);
    }
    let mut big = Big::default();
    let (mut factor, mut summand) = (1, 0);
    for digit in digits.chars() {
        let digit = digit.to_digit(radix).ok_or(Unfit::NoInteger)?;
        (factor, summand) = (factor * radix, summand * radix + digit);
        // Several digits at once, as many as surely fit into 32 bits.
        if factor > u32::MAX / (36 * 36) {
            big.shift(factor, summand);
            (factor, summand) = (1, 0);
        }
    }
    big.shift(factor, summand);
    Ok(big.digits())
}

/// The decimal digits of an integer of base 60 as `12:30:45`, whose parts are decimal.
pub(super) fn sexagesimal(text: &str) -> Result<String, Unfit> {
    if text.len() > MAX_DIGITS {
        return Err(Unfit::TooLong);
    }
    let mut big = Big::default();
    for (at, part) in text.split(':').enumerate() {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Unfit::NoInteger);
        }
        if at == 0 {
            big = Big::of(part);
        } else {
            big.shift(60, part.parse().map_err(|_| Unfit::NoInteger)?);
        }
    }
    Ok(big.digits())
}

/// The value of a float, and whether it is not finite and a text, as Python's `str()` gives it.
pub(super) fn float(float: f64) -> (Value, bool) {
    match Number::from_f64(float) {
        Some(number) => (number.into(), false),
        None if float.is_nan() => ("nan".into(), true),
        None if float > 0.0 => ("inf".into(), true),
        None => ("-inf".into(), true),
    }
}

/// A natural number of any size: its parts of nine decimal digits, the least one first.
#[derive(Debug, Default)]
struct Big(Vec<u32>);

impl Big {
    const BASE: u64 = 1_000_000_000;

    /// The number of decimal digits.
    fn of(digits: &str) -> Self {
        let parts = digits.as_bytes().rchunks(9);
        Self(parts.map(|part| part.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))).collect())
    }

    /// Times `factor`, plus `summand`.
    fn shift(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for part in &mut self.0 {
            let sum = u64::from(*part) * u64::from(factor) + carry;
            *part = u32::try_from(sum % Self::BASE).unwrap_or_default();
            carry = sum / Self::BASE;
        }
        while carry > 0 {
            self.0.push(u32::try_from(carry % Self::BASE).unwrap_or_default());
            carry /= Self::BASE;
        }
    }

    fn digits(&self) -> String {
        let mut parts = self.0.iter().rev().skip_while(|part| **part == 0);
        let first = parts.next().map_or_else(|| "0".to_owned(), u32::to_string);
        parts.fold(first, |digits, part| format!("{digits}{part:09}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_whatever_their_size() {
        assert_eq!(integer(true, "000"), Ok((0.into(), false)));
        assert_eq!(integer(false, "18446744073709551615"), Ok((u64::MAX.into(), false)));
        assert_eq!(integer(true, "9223372036854775808"), Ok((i64::MIN.into(), false)));
        assert_eq!(integer(true, "9223372036854775809"), Ok(("-9223372036854775809".into(), true)));
        assert_eq!(integer(false, &"9".repeat(4301)), Err(Unfit::TooLong));
        assert_eq!(decimal("ffffffffffffffffffff", 16).unwrap(), "1208925819614629174706175");
        assert_eq!(decimal("1000000000", 10).unwrap(), "1000000000");
        assert_eq!(decimal("", 2), Err(Unfit::NoInteger));
        assert_eq!(sexagesimal("190:20:30").unwrap(), "685230");
        assert_eq!(sexagesimal("99999999999999999999:0").unwrap(), "5999999999999999999940");
    }

    #[test]
    fn what_is_not_finite_has_pythons_text() {
        assert_eq!(float(1.5), (1.5.into(), false));
        let texts = [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|value| float(value).0);
        assert_eq!(texts, ["nan", "nan", "inf", "-inf"]);
    }
}
