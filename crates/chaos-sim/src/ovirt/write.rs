//! Writes documents as the engine does: XML in its layout, and JSON with its peculiar numbers.
//!
//! Source: oVirt REST API guide, "Common concepts", and the answers that it shows.

use std::fmt::Write as _;

use super::element::{Content, Element};
use super::request::Format;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// The document in a format.
pub(super) fn document(root: &Element, format: Format) -> String {
    match format {
        Format::Xml => xml(root),
        Format::Json => json(root),
    }
}

/// A collection that is written member by member, so that a long one is never there as a tree.
#[derive(Debug)]
pub(super) struct Collection {
    format: Format,
    root: &'static str,
    out: String,
    is_empty: bool,
}

impl Collection {
    pub(super) const fn new(root: &'static str, format: Format) -> Self {
        Self { format, root, out: String::new(), is_empty: true }
    }

    /// Writes one more. All have the same name.
    pub(super) fn push(&mut self, member: &Element) {
        let Self { format, root, out, is_empty } = self;
        let format = *format;
        match (format, *is_empty) {
            (Format::Xml, true) => {
                let _ = writeln!(out, "{DECLARATION}<{root}>");
            }
            (Format::Json, true) => {
                let _ = write!(out, "{{\n  \"{}\" : [ ", member.name);
            }
            (Format::Xml, false) => {}
            (Format::Json, false) => out.push_str(", "),
        }
        *is_empty = false;
        match format {
            Format::Xml => xml_element(out, member, 1),
            Format::Json => json_value(out, member, 1),
        }
    }

    /// The whole document.
    pub(super) fn finish(mut self) -> String {
        if self.is_empty {
            return document(&Element::new(self.root), self.format);
        }
        match self.format {
            Format::Xml => {
                let _ = writeln!(self.out, "</{}>", self.root);
            }
            Format::Json => self.out.push_str(" ]\n}"),
        }
        self.out
    }
}

/// The document in XML, with four spaces a level.
fn xml(root: &Element) -> String {
    let mut out = String::from(DECLARATION);
    xml_element(&mut out, root, 0);
    out
}

fn xml_element(out: &mut String, element: &Element, level: usize) {
    indent(out, 4 * level);
    out.push('<');
    out.push_str(element.name);
    for (name, value) in [("href", element.href.as_deref()), ("id", element.id.as_deref()), ("rel", element.rel)] {
        if let Some(value) = value {
            let _ = write!(out, " {name}=\"");
            escape(out, value);
            out.push('"');
        }
    }
    match &element.content {
        Content::Elements(elements) if elements.is_empty() => {
            out.push_str("/>\n");
            return;
        }
        Content::Elements(elements) => {
            out.push_str(">\n");
            for inner in elements {
                xml_element(out, inner, level + 1);
            }
            indent(out, 4 * level);
        }
        Content::Text(text) | Content::Moment(text, _) => {
            out.push('>');
            escape(out, text);
        }
        Content::Number(number) => {
            let _ = write!(out, ">{number}");
        }
    }
    out.push_str("</");
    out.push_str(element.name);
    out.push_str(">\n");
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

/// The document in JSON: the root has no name, links come last, an empty collection is `{ }`.
fn json(root: &Element) -> String {
    let mut out = String::new();
    json_value(&mut out, root, 0);
    out
}

fn json_value(out: &mut String, element: &Element, level: usize) {
    match &element.content {
        Content::Text(text) => json_text(out, text),
        Content::Number(number) | Content::Moment(_, number) => {
            let _ = write!(out, "{number}");
        }
        Content::Elements(elements) => json_object(out, element, elements, level),
    }
}

fn json_object(out: &mut String, element: &Element, elements: &[Element], level: usize) {
    let mut is_empty = true;
    let mut begin = |out: &mut String, name: &str| {
        out.push_str(if is_empty { "{\n" } else { ",\n" });
        is_empty = false;
        indent(out, 2 * (level + 1));
        json_text(out, name);
        out.push_str(" : ");
    };
    let mut lists: Vec<&'static str> = Vec::new();
    for inner in elements.iter().filter(|inner| inner.name != "link") {
        if !inner.is_member {
            begin(out, inner.name);
            json_value(out, inner, level + 1);
        } else if !lists.contains(&inner.name) {
            lists.push(inner.name);
            begin(out, inner.name);
            json_array(out, elements, inner.name, level + 1);
        }
    }
    if elements.iter().any(|inner| inner.name == "link") {
        begin(out, "link");
        json_array(out, elements, "link", level + 1);
    }
    for (name, value) in [("href", element.href.as_deref()), ("id", element.id.as_deref()), ("rel", element.rel)] {
        if let Some(value) = value {
            begin(out, name);
            json_text(out, value);
        }
    }
    if is_empty {
        out.push_str("{ }");
    } else {
        out.push('\n');
        indent(out, 2 * level);
        out.push('}');
    }
}

fn json_array(out: &mut String, elements: &[Element], name: &str, level: usize) {
    out.push_str("[ ");
    for (position, inner) in elements.iter().filter(|inner| inner.name == name).enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        json_value(out, inner, level);
    }
    out.push_str(" ]");
}

fn json_text(out: &mut String, text: &str) {
    // Writing into a string cannot fail, and text always is JSON.
    let _ = write!(out, "{}", serde_json::Value::from(text));
}

fn indent(out: &mut String, spaces: usize) {
    const SPACES: &str = "                                                                ";
    let mut left = spaces;
    while left > 0 {
        let now = left.min(SPACES.len());
        out.push_str(&SPACES[..now]);
        left -= now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Element {
        let vm = Element::reference("vm", "/ovirt-engine/api/vms/1".into(), "1".into()).with([
            Element::text("name", "a <b> & \"c\""),
            Element::text("description", ""),
            Element::link("nics", "/ovirt-engine/api/vms/1/nics".into()),
            Element::long("memory", 1024_i64),
            Element::int("cpu_shares", 0),
            Element::flag("stateless", false),
        ]);
        Element::list("vms", [vm])
    }

    #[test]
    fn a_collection_is_the_same_member_by_member() {
        let Content::Elements(one) = document().content else { panic!("a list") };
        for format in [Format::Xml, Format::Json] {
            for count in 0..3 {
                let members: Vec<Element> = one.iter().cycle().take(count).cloned().collect();
                let mut collection = Collection::new("vms", format);
                for member in &members {
                    collection.push(member);
                }
                assert_eq!(collection.finish(), super::document(&Element::list("vms", members), format));
            }
        }
    }

    #[test]
    fn xml_has_the_layout_of_the_engine() {
        assert_eq!(
            xml(&document()),
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
             <vms>\n    <vm href=\"/ovirt-engine/api/vms/1\" id=\"1\">\n\
             \u{20}       <name>a &lt;b&gt; &amp; &quot;c&quot;</name>\n        <description></description>\n\
             \u{20}       <link href=\"/ovirt-engine/api/vms/1/nics\" rel=\"nics\"/>\n        <memory>1024</memory>\n\
             \u{20}       <cpu_shares>0</cpu_shares>\n        <stateless>false</stateless>\n    </vm>\n</vms>\n"
        );
        assert_eq!(xml(&Element::new("vms")).len(), 63);
    }

    #[test]
    fn json_has_small_numbers_as_text_large_ones_as_numbers_and_lists_under_the_name_of_one() {
        assert_eq!(
            json(&document()),
            "{\n  \"vm\" : [ {\n    \"name\" : \"a <b> & \\\"c\\\"\",\n    \"description\" : \"\",\n    \"memory\" : 1024,\n    \
             \"cpu_shares\" : \"0\",\n    \"stateless\" : \"false\",\n    \"link\" : [ {\n      \
             \"href\" : \"/ovirt-engine/api/vms/1/nics\",\n      \"rel\" : \"nics\"\n    } ],\n    \
             \"href\" : \"/ovirt-engine/api/vms/1\",\n    \"id\" : \"1\"\n  } ]\n}"
        );
        assert_eq!(json(&Element::new("vms")), "{ }");
    }
}
