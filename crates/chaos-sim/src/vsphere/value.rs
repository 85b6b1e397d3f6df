//! Values of vim25 and how they are written.

use std::borrow::Cow;

use jiff::Timestamp;

/// A reference to a managed object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ref {
    pub(super) kind: &'static str,
    pub(super) id: String,
}

/// A data object: members in the order of its type's schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Struct {
    pub(super) kind: &'static str,
    pub(super) members: Vec<(&'static str, Value)>,
}

/// A value of a property or member.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Simple types and enumerations: the type's name and the text.
    Text(&'static str, Cow<'static, str>),
    /// A reference.
    Ref(Ref),
    /// A data object.
    Struct(Struct),
    /// An array: the name of an item, which also names the array's type, and the items.
    List(&'static str, Vec<Value>),
    /// A value whose declared type is a base type, so that its own type is written too.
    Typed(Box<Value>),
}

impl Struct {
    /// A data object without members yet.
    pub(super) const fn new(kind: &'static str) -> Self {
        Self { kind, members: Vec::new() }
    }

    /// Adds a member.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Adds a member if there is one.
    #[must_use]
    pub(super) fn with_some(mut self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        self.members.extend(value.map(|value| (name, value.into())));
        self
    }

    /// The value at a path of members; none if any of them is unset.
    pub(super) fn at(mut self, path: &[&str]) -> Option<Value> {
        let Some((first, rest)) = path.split_first() else { return Some(Value::Struct(self)) };
        let position = self.members.iter().position(|(name, _)| name == first)?;
        let (_, value) = self.members.swap_remove(position);
        match value {
            Value::Struct(inner) => inner.at(rest),
            Value::Typed(inner) if !rest.is_empty() => match *inner {
                Value::Struct(inner) => inner.at(rest),
                _ => None,
            },
            value if rest.is_empty() => Some(value),
            _ => None,
        }
    }
}

impl Value {
    /// An `xsd:string`.
    pub(super) fn string(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Text("xsd:string", text.into())
    }

    /// A constant of an enumeration.
    pub(super) fn constant(kind: &'static str, text: &'static str) -> Self {
        Self::Text(kind, Cow::Borrowed(text))
    }

    /// An `xsd:int`.
    pub(super) fn int(number: impl Into<i64>) -> Self {
        Self::Text("xsd:int", number.into().to_string().into())
    }

    /// An `xsd:long`.
    pub(super) fn long(number: impl Into<i64>) -> Self {
        Self::Text("xsd:long", number.into().to_string().into())
    }

    /// An `xsd:short`.
    pub(super) fn short(number: impl Into<i64>) -> Self {
        Self::Text("xsd:short", number.into().to_string().into())
    }

    /// A list of references.
    pub(super) fn refs(refs: impl IntoIterator<Item = Ref>) -> Self {
        Self::List("ManagedObjectReference", refs.into_iter().map(Self::Ref).collect())
    }

    /// The same value, written with its type wherever it stands.
    pub(super) fn typed(self) -> Self {
        Self::Typed(Box::new(self))
    }

    /// The references in it.
    pub(super) fn into_refs(self) -> Vec<Ref> {
        match self {
            Self::Ref(reference) => vec![reference],
            Self::List(_, items) => items.into_iter().flat_map(Self::into_refs).collect(),
            Self::Text(..) | Self::Struct(_) | Self::Typed(_) => Vec::new(),
        }
    }

    /// Writes it as the element `name`, with its type if `typed`. An array without type is its items, one after the other.
    pub(super) fn write(&self, out: &mut String, name: &str, typed: bool) {
        match self {
            Self::Typed(inner) => inner.write(out, name, true),
            Self::Text(kind, text) => {
                open(out, name, typed.then_some((*kind, "")));
                escape(out, text);
                close(out, name);
            }
            Self::Ref(reference) => reference.write(out, name, typed),
            Self::Struct(data) => {
                open(out, name, typed.then_some((data.kind, "")));
                data.write_members(out);
                close(out, name);
            }
            Self::List(item, items) if typed => {
                open(out, name, Some((item, "ArrayOf")));
                for value in items {
                    value.write(out, item, false);
                }
                close(out, name);
            }
            Self::List(_, items) => {
                for value in items {
                    value.write(out, name, false);
                }
            }
        }
    }
}

impl Struct {
    /// Writes the members.
    pub(super) fn write_members(&self, out: &mut String) {
        for (name, value) in &self.members {
            value.write(out, name, false);
        }
    }
}

impl Ref {
    /// Writes it as the element `name`.
    pub(super) fn write(&self, out: &mut String, name: &str, typed: bool) {
        out.push('<');
        out.push_str(name);
        out.push_str(" type=\"");
        out.push_str(self.kind);
        out.push_str(if typed { "\" xsi:type=\"ManagedObjectReference\">" } else { "\">" });
        escape(out, &self.id);
        close(out, name);
    }
}

/// Writes a start tag; `kind` is the type's name and what goes before it.
fn open(out: &mut String, name: &str, kind: Option<(&str, &str)>) {
    out.push('<');
    out.push_str(name);
    if let Some((kind, before)) = kind {
        out.push_str(" xsi:type=\"");
        out.push_str(before);
        if before.is_empty() {
            out.push_str(kind);
        } else {
            // `ArrayOfString` has items named `string`.
            let mut letters = kind.chars();
            out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            out.push_str(letters.as_str());
        }
        out.push('"');
    }
    out.push('>');
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Writes an element that holds only text.
pub(super) fn text_element(out: &mut String, name: &str, text: &str) {
    open(out, name, None);
    escape(out, text);
    close(out, name);
}

/// Writes text with the characters escaped that XML reserves; characters that XML cannot hold become `?`.
pub(super) fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '\r' => out.push_str("&#13;"),
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => out.push('?'),
            other => out.push(other),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::constant("xsd:boolean", if value { "true" } else { "false" })
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::string(value)
    }
}

impl From<&'static str> for Value {
    fn from(value: &'static str) -> Self {
        Self::string(value)
    }
}

impl From<Ref> for Value {
    fn from(value: Ref) -> Self {
        Self::Ref(value)
    }
}

impl From<Struct> for Value {
    fn from(value: Struct) -> Self {
        Self::Struct(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Text("xsd:dateTime", format!("{value:.6}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value, typed: bool) -> String {
        let mut out = String::new();
        value.write(&mut out, "val", typed);
        out
    }

    #[test]
    fn arrays_are_wrapped_when_typed_and_repeated_inside_structures() {
        let list = Value::List("string", vec![Value::string("a"), Value::string("<b>")]);
        assert_eq!(
            written(&list, true),
            r#"<val xsi:type="ArrayOfString"><string>a</string><string>&lt;b&gt;</string></val>"#
        );
        assert_eq!(written(&list, false), "<val>a</val><val>&lt;b&gt;</val>");
    }

    #[test]
    fn a_path_leads_through_structures() {
        let data = Struct::new("A").with("b", Struct::new("B").with("c", true)).with("d", "text");
        assert_eq!(data.clone().at(&["b", "c"]), Some(Value::from(true)));
        assert_eq!(data.clone().at(&["b", "x"]), None);
        assert_eq!(data.at(&["d", "x"]), None);
    }

    #[test]
    fn times_are_written_with_a_zone() {
        assert_eq!(written(&Value::from(Timestamp::UNIX_EPOCH), false), "<val>1970-01-01T00:00:00.000000Z</val>");
    }
}
