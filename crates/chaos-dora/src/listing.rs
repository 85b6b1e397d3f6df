//! What is understood of a listing: an object with `items`, or the bare list of older servers, of objects or of names.

use std::collections::BTreeMap;

use chaos_core::{Error, ErrorKind, PlatformKind};
use serde_json::{Map, Value};

/// The items of an answer to `listing`.
///
/// # Errors
/// [`ErrorKind::Protocol`] if it is no listing.
pub(crate) fn items(listing: &'static str, body: &[u8]) -> Result<Vec<Item>, Error> {
    // The text of a syntax error names a place and nothing of the answer.
    let answer: Value =
        serde_json::from_slice(body).map_err(|error| protocol(format!("{listing}: the answer is no JSON: {error}")))?;
    let items = match answer {
        Value::Array(items) => items,
        Value::Object(mut object) => match object.remove("items") {
            Some(Value::Array(items)) => items,
            _ => return Err(protocol(format!("{listing}: the answer is an object without a list `items`"))),
        },
        other => return Err(protocol(format!("{listing}: the answer is {}, not a list", kind(&other)))),
    };
    items.into_iter().enumerate().map(|(index, value)| Item::new(listing, index, value)).collect()
}

/// One item. Its fields are taken one by one, until only those are left that nobody knows.
#[derive(Debug)]
pub(crate) struct Item {
    listing: &'static str,
    index: usize,
    fields: Map<String, Value>,
}

impl Item {
    fn new(listing: &'static str, index: usize, value: Value) -> Result<Self, Error> {
        let fields = match value {
            Value::Object(fields) => fields,
            // In listing mode there are only names.
            Value::String(name) => Map::from_iter([("name".to_owned(), Value::String(name))]),
            other => {
                let message = format!("{listing}: item {index} is {}, not an object or a name", kind(&other));
                return Err(protocol(message));
            }
        };
        Ok(Self { listing, index, fields })
    }

    /// A text that has to be there.
    pub(crate) fn name(&mut self) -> Result<String, Error> {
        match self.text("name")? {
            Some(name) if !name.is_empty() => Ok(name),
            _ => Err(protocol(format!("{}: item {} has no `name`", self.listing, self.index))),
        }
    }

    /// A text; none if it is missing or null.
    pub(crate) fn text(&mut self, field: &str) -> Result<Option<String>, Error> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(field, &other, "a text")),
        }
    }

    /// A whole number that is not negative; none if it is missing or null.
    pub(crate) fn number<N: TryFrom<u64>>(&mut self, field: &str) -> Result<Option<N>, Error> {
        let value = match self.fields.remove(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value,
        };
        let number = value.as_u64().and_then(|number| N::try_from(number).ok());
        number.map(Some).ok_or_else(|| self.wrong(field, &value, "a whole number"))
    }

    /// Everything that was not taken, as text.
    pub(crate) fn rest(self) -> BTreeMap<String, String> {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, text(value))).collect()
    }

    fn wrong(&self, field: &str, value: &Value, expected: &str) -> Error {
        let Self { listing, index, .. } = self;
        protocol(format!("{listing}: `{field}` of item {index} is {}, not {expected}", kind(value)))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn protocol(message: String) -> Error {
    Error::new(ErrorKind::Protocol, message).platform(PlatformKind::DORA)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        let read = |body: &str| -> Result<(), Error> {
            for mut item in items("GetHypervisors", body.as_bytes())? {
                item.name()?;
                item.number::<u32>("cpus")?;
            }
            Ok(())
        };
        let error = read(body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        error.to_string()
    }

    #[test]
    fn both_shapes_and_bare_names_are_understood() {
        for body in [r#"{"items": [{"name": "a"}, "b"], "total": 2}"#, r#"[{"name": "a"}, "b"]"#] {
            let names: Result<Vec<_>, _> =
                items("GetHypervisors", body.as_bytes()).unwrap().into_iter().map(|mut item| item.name()).collect();
            assert_eq!(names.unwrap(), ["a", "b"], "{body}");
        }
        assert!(items("GetHypervisors", b"[]").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_by_index_and_field() {
        for (body, said) in [
            ("<html>", "the answer is no JSON"),
            ("7", "the answer is a number"),
            (r#"{"item": []}"#, "without a list `items`"),
            (r#"{"items": {"a": 1}}"#, "without a list `items`"),
            (r#"["a", 7]"#, "item 1 is a number, not an object or a name"),
            (r#"["a", {"cpus": 7}]"#, "item 1 has no `name`"),
            (r#"["a", ""]"#, "item 1 has no `name`"),
            (r#"[{"name": ["a"]}]"#, "`name` of item 0 is a list, not a text"),
            (r#"[{"name": "a"}, {"name": "b", "cpus": "4"}]"#, "`cpus` of item 1 is a text, not a whole number"),
            (r#"[{"name": "b", "cpus": -4}]"#, "`cpus` of item 0 is a number, not a whole number"),
            (r#"[{"name": "b", "cpus": 5000000000}]"#, "`cpus` of item 0"),
        ] {
            let error = refusal(body);
            assert!(error.contains("GetHypervisors: ") && error.contains(said), "{body}: {error}");
        }
    }

    #[test]
    fn unknown_fields_are_kept_and_missing_ones_are_none() {
        let body = br#"[{"name": "a", "x": {"y": [1]}, "z": null, "w": 4.5, "v": "t", "cpus": null}]"#;
        let mut item = items("GetHypervisors", body).unwrap().remove(0);
        assert_eq!(item.name().unwrap(), "a");
        assert_eq!(item.number::<u32>("cpus").unwrap(), None);
        assert_eq!(item.text("os").unwrap(), None);
        let rest: Vec<_> = item.rest().into_iter().collect();
        let expected = [("v", "t"), ("w", "4.5"), ("x", r#"{"y":[1]}"#)];
        assert_eq!(rest, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
