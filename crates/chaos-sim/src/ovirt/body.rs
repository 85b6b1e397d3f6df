//! Bodies of requests: small documents in XML or JSON, read into paths and texts.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::request::{Format, Request};

/// Elements below each other are more than any request of the API has beyond this many.
const MAX_DEPTH: usize = 32;

/// The body makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What a body says: the text of each element by its path below the root, such as `grace_period/expiry` or `parent/@id`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads the body of a request, whose root has to have this name if it has one.
    pub(super) fn read(request: &Request, root: &str) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(&request.body).map_err(|_| Malformed)?;
        match request.body_format() {
            Some(Format::Json) => Self::from_json(text),
            Some(Format::Xml) | None => Self::from_xml(text, root),
        }
    }

    pub(super) fn from_xml(text: &str, root: &str) -> Result<Self, Malformed> {
        let mut fields = Self::default();
        let mut path: Vec<String> = Vec::new();
        let mut content = String::new();
        let mut roots = 0;
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            match reader.read_event().map_err(|_| Malformed)? {
                Event::Start(start) => {
                    roots += usize::from(path.is_empty());
                    let name = start.local_name();
                    if path.len() == MAX_DEPTH || (path.is_empty() && name.as_ref() != root) {
                        return Err(Malformed);
                    }
                    path.push(name.as_ref().to_owned());
                    fields.set_attributes(&path, &start)?;
                    content.clear();
                }
                Event::End(_) => {
                    fields.set(&path, content.trim().to_owned());
                    path.pop();
                    content.clear();
                }
                Event::Text(part) => content.push_str(&part.xml10_content()),
                Event::CData(part) => content.push_str(&part.xml10_content()),
                Event::GeneralRef(reference) => content.push(match reference.resolve_char_ref() {
                    Ok(Some(c)) => c,
                    Ok(None) => predefined(&reference.xml10_content())?,
                    Err(_) => return Err(Malformed),
                }),
                Event::Eof => break,
                Event::DocType(_) => return Err(Malformed),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        if roots == 1 && path.is_empty() { Ok(fields) } else { Err(Malformed) }
    }

    pub(super) fn from_json(text: &str) -> Result<Self, Malformed> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|_| Malformed)?;
        let mut fields = Self::default();
        fields.set_json(&mut Vec::new(), value.as_object().ok_or(Malformed)?);
        Ok(fields)
    }

    fn set_json(&mut self, path: &mut Vec<String>, object: &serde_json::Map<String, serde_json::Value>) {
        for (name, value) in object {
            // What is an attribute in XML is a member like all others here.
            path.push(if name == "id" { "@id".into() } else { name.clone() });
            match value {
                serde_json::Value::Object(inner) => self.set_json(path, inner),
                serde_json::Value::String(text) => _ = self.0.insert(path.join("/"), text.clone()),
                other => _ = self.0.insert(path.join("/"), other.to_string()),
            }
            path.pop();
        }
    }

    fn set_attributes(&mut self, path: &[String], start: &BytesStart<'_>) -> Result<(), Malformed> {
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| Malformed)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Malformed)?.into_owned();
            let mut path = path.to_vec();
            path.push(format!("@{}", attribute.key.local_name().as_ref()));
            self.set(&path, value);
        }
        Ok(())
    }

    /// Notes a text by its path without the root.
    fn set(&mut self, path: &[String], text: String) {
        if let Some(below) = path.get(1..).filter(|below| !below.is_empty()) {
            self.0.insert(below.join("/"), text);
        }
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub(super) fn flag(&self, path: &str) -> Option<bool> {
        self.text(path).map(|text| text == "true" || text == "1")
    }
}

fn predefined(name: &str) -> Result<char, Malformed> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_read_into_paths() {
        let fields = Fields::from_xml(
            "<?xml version=\"1.0\"?><action><reason>a &lt;b&gt; &#252; ü</reason><force>true</force><async/>\
             <vm id=\"1\"><os><reason>x</reason></os></vm><grace_period><expiry>250</expiry></grace_period></action>",
            "action",
        );
        let fields = fields.unwrap();
        assert_eq!(fields.text("reason"), Some("a <b> ü ü"));
        assert_eq!((fields.flag("force"), fields.flag("async"), fields.flag("pause")), (Some(true), Some(false), None));
        assert_eq!((fields.text("grace_period/expiry"), fields.text("vm/@id")), (Some("250"), Some("1")));
        assert_eq!(Fields::from_xml("<action/>", "action"), Ok(Fields::default()));
        for wrong in
            ["", " ", "<action>", "<vm/>", "action", "<action></vm>", "<!DOCTYPE a><action/>", "<action/><action/>"]
        {
            assert_eq!(Fields::from_xml(wrong, "action"), Err(Malformed), "{wrong}");
        }
    }

    #[test]
    fn json_is_read_into_the_same_paths() {
        let fields = Fields::from_json(r#"{"reason": "r", "force": "true", "async": false, "parent": {"id": "7"}}"#);
        let fields = fields.unwrap();
        assert_eq!((fields.text("reason"), fields.text("parent/@id")), (Some("r"), Some("7")));
        assert_eq!((fields.flag("force"), fields.flag("async")), (Some(true), Some(false)));
        assert!(Fields::from_json("{}").is_ok() && Fields::from_json("").is_err() && Fields::from_json("[]").is_err());
    }
}
