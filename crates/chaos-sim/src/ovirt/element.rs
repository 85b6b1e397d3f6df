//! Documents of the API before they are written: the same tree becomes XML or JSON.

use jiff::Timestamp;
use jiff::tz::Offset;

/// An element with its attributes and what is in it.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) name: &'static str,
    /// In XML before `id`; a link has `rel` in place of that.
    pub(super) href: Option<String>,
    pub(super) id: Option<String>,
    pub(super) rel: Option<&'static str>,
    pub(super) content: Content,
    /// One of many of its name: JSON has them in an array, even if there is one only.
    pub(super) is_member: bool,
}

/// What is in an element.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Text in JSON too, as are whole numbers of 32 bits and flags.
    Text(String),
    /// A number in JSON.
    Number(i64),
    /// As XML has it, and milliseconds since 1970 for JSON.
    Moment(String, i64),
    /// Perhaps none.
    Elements(Vec<Element>),
}

impl Element {
    /// With nothing in it.
    pub(super) const fn new(name: &'static str) -> Self {
        let content = Content::Elements(Vec::new());
        Self { name, href: None, id: None, rel: None, content, is_member: false }
    }

    /// With a text.
    pub(super) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self { content: Content::Text(text.into()), ..Self::new(name) }
    }

    /// With `true` or `false`.
    pub(super) fn flag(name: &'static str, flag: bool) -> Self {
        Self::text(name, if flag { "true" } else { "false" })
    }

    /// With a whole number of 32 bits.
    pub(super) fn int(name: &'static str, number: impl Into<i64>) -> Self {
        Self::text(name, number.into().to_string())
    }

    /// With a whole number of 64 bits.
    pub(super) fn long(name: &'static str, number: impl Into<i64>) -> Self {
        Self { content: Content::Number(number.into()), ..Self::new(name) }
    }

    /// With a moment in the engine's own zone, to the millisecond.
    pub(super) fn moment(name: &'static str, moment: Timestamp, zone: Offset) -> Self {
        let millis = moment.as_millisecond();
        let rounded = Timestamp::from_millisecond(millis).unwrap_or(moment);
        let local = zone.to_datetime(rounded);
        let minutes = zone.seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        let text = format!("{}{sign}{hours:02}:{rest:02}", local.strftime("%Y-%m-%dT%H:%M:%S.%3f"));
        Self { content: Content::Moment(text, millis), ..Self::new(name) }
    }

    /// A reference to an object of its own.
    pub(super) fn reference(name: &'static str, href: String, id: String) -> Self {
        Self { href: Some(href), id: Some(id), ..Self::new(name) }
    }

    /// A link.
    pub(super) fn link(rel: &'static str, href: String) -> Self {
        Self { href: Some(href), rel: Some(rel), is_member: true, ..Self::new("link") }
    }

    /// A collection of many elements of one name.
    pub(super) fn list(name: &'static str, elements: impl IntoIterator<Item = Self>) -> Self {
        let elements = elements.into_iter().map(|element| Self { is_member: true, ..element }).collect();
        Self { content: Content::Elements(elements), ..Self::new(name) }
    }

    /// With these elements in it.
    pub(super) fn of(name: &'static str, elements: impl IntoIterator<Item = Self>) -> Self {
        Self::new(name).with(elements)
    }

    /// With more elements in it.
    pub(super) fn with(mut self, elements: impl IntoIterator<Item = Self>) -> Self {
        match &mut self.content {
            Content::Elements(there) => there.extend(elements),
            Content::Text(_) | Content::Number(_) | Content::Moment(..) => self = Self::new(self.name).with(elements),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(moment: &str, zone: Offset) -> (String, i64) {
        match Element::moment("time", moment.parse().unwrap(), zone).content {
            Content::Moment(text, millis) => (text, millis),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn moments_have_milliseconds_and_the_zone_of_the_engine() {
        let moment = "2019-09-01T16:30:35.6427Z";
        assert_eq!(written(moment, jiff::tz::offset(3)), ("2019-09-01T19:30:35.642+03:00".into(), 1_567_355_435_642));
        let half = Offset::from_seconds(-(3 * 3600 + 1800)).unwrap();
        assert_eq!(written(moment, half).0, "2019-09-01T13:00:35.642-03:30");
        assert_eq!(written("2020-01-01T00:00:00Z", Offset::UTC).0, "2020-01-01T00:00:00.000+00:00");
    }
}
