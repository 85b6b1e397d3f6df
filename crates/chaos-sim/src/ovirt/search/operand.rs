//! What a value of a search means for the field that it stands beside, and whether the field takes it at all.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::ToSpan;
use jiff::civil::{self, Weekday};

use super::pattern::Pattern;
use super::vocabulary::{Field, Type};
use super::{Invalid, Reading, Relation, Value};

/// A value of a search, ready to be compared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// Text of this pattern.
    Like(Pattern),
    /// No value at all.
    Absent,
    /// This text and no other.
    Exactly(String),
    /// This text in any case.
    AnyCase(String),
    /// The word at a position among those of the engine.
    Word(&'static [&'static str], usize),
    Flag(bool),
    Number(f64),
    Day(Day),
    /// A UUID in lower case, without hyphens.
    Id(String),
    /// Something else where a UUID has to be.
    MalformedId,
    Tag(Pattern),
}

/// A day, at whose beginning it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    Date(civil::Date),
    Today,
    Yesterday,
    Weekday(Weekday),
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

impl Operand {
    /// What `value` means beside `relation`, for a field or, without one, for a free text.
    pub(super) fn new(field: Option<&Field>, relation: Relation, value: &str) -> Result<Self, Invalid> {
        let is_negative = relation == Relation::NotEqual;
        // The database takes no pattern that ends with an escape character, and the engine looks at every value.
        if value.ends_with('\\') {
            return Err(Invalid::Backslash);
        }
        let Some(field) = field else {
            let pattern = Pattern::new(value, is_negative);
            return Ok(Self::Like(if value.is_empty() { pattern } else { pattern.anywhere() }));
        };
        let operand = match field.of {
            Type::Text => Some(Self::Like(Pattern::new(value, is_negative))),
            Type::Contained => Some(Self::Like(Pattern::new(value, is_negative).anywhere())),
            Type::Tag => Some(Self::Tag(Pattern::new(value, is_negative))),
            Type::Exact | Type::ExactAndFree | Type::Id | Type::Os if is_null(value) => Some(Self::Absent),
            Type::Exact | Type::ExactAndFree => Some(Self::Exactly(value.to_owned())),
            Type::Os => Some(Self::AnyCase(value.to_owned())),
            Type::Id => Some(hexadecimal(value).map_or(Self::MalformedId, Self::Id)),
            Type::Word(words) => place(words, value).map(|at| Self::Word(words, at)),
            Type::Flag => place(&["false", "true"], value).map(|at| Self::Flag(at == 1)),
            Type::Integer => value.parse::<i32>().ok().map(|number| Self::Number(number.into())),
            Type::Decimal => value.parse::<f64>().ok().filter(|number| number.is_finite()).map(Self::Number),
            Type::Span => span(value).map(Self::Number),
            Type::Date => short_date(value).map(|date| Self::Day(Day::Date(date))),
            Type::Day => day(value).map(Self::Day),
        };
        operand.ok_or(Invalid::Value(field.name))
    }

    /// Whether a value compares so with this; None is a value that is absent.
    pub(super) fn holds(&self, value: Option<&Value<'_>>, relation: Relation, reading: Reading) -> bool {
        if *self == Self::Absent {
            return value.is_none() == (relation == Relation::Equal);
        }
        match (value, relation) {
            // What is not there is not equal to anything, which is not the same as less or more.
            (None, relation) => relation == Relation::NotEqual,
            (Some(Value::Tags(tags)), relation) => self.holds_for_tags(tags, relation, reading.case_sensitive),
            (Some(value), Relation::Equal) => self.equals(value, reading),
            (Some(value), Relation::NotEqual) => !self.equals(value, reading),
            (Some(value), relation) => self.order(value, reading).is_some_and(|order| match relation {
                Relation::Equal => order.is_eq(),
                Relation::NotEqual => order.is_ne(),
                Relation::Less => order.is_lt(),
                Relation::Greater => order.is_gt(),
                Relation::LessOrEqual => order.is_le(),
                Relation::GreaterOrEqual => order.is_ge(),
            }),
        }
    }

    /// An object has a tag if it has that or one below it; here case counts. It is without a tag if it has none or any
    /// other.
    fn holds_for_tags(&self, tags: &[Vec<Cow<'_, str>>], relation: Relation, case_sensitive: bool) -> bool {
        let mut own = tags.iter().filter_map(|path| path.first());
        match (self, relation) {
            (Self::Tag(pattern), Relation::Equal) => tags.iter().flatten().any(|tag| pattern.matches(tag, true)),
            (Self::Tag(pattern), _) => tags.is_empty() || own.any(|tag| !pattern.matches(tag, case_sensitive)),
            (Self::Like(pattern), relation) => {
                own.any(|tag| pattern.matches(tag, case_sensitive) == (relation == Relation::Equal))
            }
            _ => false,
        }
    }

    fn equals(&self, value: &Value<'_>, reading: Reading) -> bool {
        match (self, value) {
            (Self::Like(pattern), Value::Text(text)) => pattern.matches(text, reading.case_sensitive),
            (Self::Exactly(wanted), Value::Text(text)) => wanted == text,
            (Self::AnyCase(wanted), Value::Text(text)) => is(wanted, text),
            // Hyphens apart; long chains of ids are compared with every row.
            (Self::Id(wanted), Value::Text(text)) => {
                text.bytes().filter(|b| *b != b'-').map(|b| b.to_ascii_lowercase()).eq(wanted.bytes())
            }
            (Self::Flag(wanted), Value::Flag(flag)) => wanted == flag,
            (Self::Day(day), Value::Time(time)) => {
                let midnight = day.midnight(reading.now);
                *time >= midnight && *time <= midnight.saturating_add(1.day())
            }
            _ => self.order(value, reading).is_some_and(Ordering::is_eq),
        }
    }

    /// How a value stands to this, if both have an order.
    fn order(&self, value: &Value<'_>, reading: Reading) -> Option<Ordering> {
        match (self, value) {
            (Self::Number(wanted), Value::Number(number)) => number.partial_cmp(wanted),
            (Self::Word(words, wanted), Value::Text(word)) => Some(place(words, word)?.cmp(wanted)),
            (Self::Day(day), Value::Time(time)) => Some(time.cmp(&day.midnight(reading.now))),
            _ => None,
        }
    }
}

impl Day {
    fn midnight(self, now: civil::DateTime) -> civil::DateTime {
        let today = now.date();
        let date = match self {
            Self::Date(date) => date,
            Self::Today => today,
            Self::Yesterday => today.saturating_sub(1.day()),
            // Yesterday and today have words of their own: a day of the week is the last one before them.
            Self::Weekday(weekday) => {
                let from = today.saturating_sub(1.day());
                from.nth_weekday(-1, weekday).unwrap_or(from)
            }
        };
        date.to_datetime(civil::Time::midnight())
    }
}

/// Where a word is among `words`.
pub(super) fn place(words: &[&str], word: &str) -> Option<usize> {
    words.iter().position(|known| is(word, known))
}

fn is(value: &str, word: &str) -> bool {
    value.to_lowercase() == word.to_lowercase()
}

fn is_null(value: &str) -> bool {
    value.is_empty() || value.eq_ignore_ascii_case("null")
}

/// A UUID as the database takes it: in any case, with braces around it, and with hyphens after every fourth digit or
/// none.
fn hexadecimal(text: &str) -> Option<String> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut digits = String::with_capacity(32);
    let mut may_be_hyphen = false;
    for c in inner.chars() {
        match c {
            '-' if may_be_hyphen => may_be_hyphen = false,
            c if c.is_ascii_hexdigit() => {
                digits.push(c.to_ascii_lowercase());
                may_be_hyphen = digits.len().is_multiple_of(4) && digits.len() < 32;
            }
            _ => return None,
        }
    }
    (digits.len() == 32).then_some(digits)
}

/// Seconds of a time span: whole days, `d.hh:mm[:ss[.ff]]` or `hh:mm[:ss[.ff]]`. A hyphen anywhere makes it negative, and
/// a negative one is none.
fn span(value: &str) -> Option<f64> {
    let digits = value.trim().replace('-', "");
    let digits = digits.trim();
    let (days, clock) = match (digits.find('.'), digits.find(':')) {
        (_, None) => (whole(digits)?, 0.0),
        (Some(dot), Some(colon)) if dot < colon => (whole(&digits[..dot])?, clock(&digits[dot + 1..])?),
        (_, Some(_)) => (0.0, clock(digits)?),
    };
    Some(if value.contains('-') { 0.0 } else { days * 86_400.0 + clock })
}

/// Seconds of `hh:mm[:ss[.ff]]`, without the fraction.
fn clock(text: &str) -> Option<f64> {
    let pair = |text: &str| whole(text).filter(|_| text.len() == 2);
    let (text, fraction) = text.split_once('.').map_or((text, None), |(text, fraction)| (text, Some(fraction)));
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (pair(parts.next()?)?, pair(parts.next()?)?, parts.next().map(pair));
    let has_rest = parts.next().is_some() || (seconds.is_none() && fraction.is_some());
    if has_rest || fraction.is_some_and(|fraction| pair(fraction).is_none()) {
        return None;
    }
    Some(hours * 3600.0 + minutes * 60.0 + seconds.unwrap_or(Some(0.0))?)
}

fn whole(text: &str) -> Option<f64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i32>().ok().map(f64::from)).flatten()
}

/// A date in the engine's short form, which is American: `1/31/24`. Two digits of a year are of this century.
fn short_date(value: &str) -> Option<civil::Date> {
    let mut parts = value.split('/').map(|part| {
        let is_number = !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse::<i16>().ok()).flatten()
    });
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let year = if year < 100 { 2000 + year } else { year };
    civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn day(value: &str) -> Option<Day> {
    if is(value, "today") {
        return Some(Day::Today);
    }
    if is(value, "yesterday") {
        return Some(Day::Yesterday);
    }
    let weekday = WEEKDAYS.iter().find(|(name, _)| is(value, name)).map(|(_, weekday)| Day::Weekday(*weekday));
    weekday.or_else(|| short_date(value).map(Day::Date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_days_or_clock_times() {
        assert_eq!(span("10"), Some(864_000.0));
        assert_eq!(span("1.02:30"), Some(86_400.0 + 9000.0));
        assert_eq!(span("02:30"), Some(9000.0));
        assert_eq!(span("02:30:05"), Some(9005.0));
        assert_eq!(span("1.02:30:05.99"), Some(86_400.0 + 9005.0));
        assert_eq!(span("-1"), Some(0.0));
        for wrong in ["", "x", "2:30", "1.5", "1.2:30", "02:30:05:06", "1d", "99999999999", "02:30.50", "02:30:05.5"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_the_short_date_is_a_date() {
        assert_eq!(short_date("1/31/24"), Some(civil::date(2024, 1, 31)));
        assert_eq!(short_date("01/31/2024"), Some(civil::date(2024, 1, 31)));
        for wrong in ["2024-01-31", "31.01.2024", "31/1/24", "1/31", "1/31/24/5", "today", "", "1//24"] {
            assert_eq!(short_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_have_words() {
        let now = civil::date(2024, 1, 31).at(15, 30, 0, 0);
        let midnight = |word: &str| day(word).map(|day| day.midnight(now).date());
        assert_eq!(midnight("Today"), Some(civil::date(2024, 1, 31)));
        assert_eq!(midnight("yesterday"), Some(civil::date(2024, 1, 30)));
        // The 31st is a Wednesday.
        assert_eq!(midnight("monday"), Some(civil::date(2024, 1, 29)));
        assert_eq!(midnight("WEDNESDAY"), Some(civil::date(2024, 1, 24)));
        assert_eq!(midnight("tomorrow"), None);
    }

    #[test]
    fn ids_may_be_written_as_the_database_allows() {
        let plain = "7f0f4b9c4f0e4f6ea7a50d3a0c6c7f01";
        for id in [plain, "7F0F4B9C-4F0E-4F6E-A7A5-0D3A0C6C7F01", "{7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01}"] {
            assert_eq!(hexadecimal(id).as_deref(), Some(plain), "{id}");
        }
        for wrong in
            ["", "7f0f4b9c", "7f0f4b9c--4f0e4f6ea7a50d3a0c6c7f01", "-7f0f4b9c4f0e4f6ea7a50d3a0c6c7f01", "{7f0f"]
        {
            assert_eq!(hexadecimal(wrong), None, "{wrong}");
        }
    }
}
