//! Reads a SOAP request into a small tree, within bounds.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 500_000;

/// An element of a request: names are local names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Local name.
    pub(super) name: String,
    /// The `type` attribute of a managed object reference.
    pub(super) kind: String,
    /// `xsi:type` without its prefix.
    pub(super) xsi_type: String,
    /// Text directly inside.
    pub(super) text: String,
    /// Elements directly inside.
    pub(super) children: Vec<Element>,
    /// Whether its namespace is that of SOAP itself.
    pub(super) is_soap: bool,
}

impl Element {
    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// Whether the first child of that name says true.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text_of(name).is_some_and(|text| matches!(text.trim(), "true" | "1"))
    }
}

/// A request that is not SOAP.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadRequest {
    #[error("malformed XML: {0}")]
    Malformed(String),
    #[error("the request is nested too deeply or has too many elements")]
    TooLarge,
    #[error("the request is not a SOAP envelope with a body and one call in it")]
    NotSoap,
}

/// The call inside an envelope, and the `operationID` of its header.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) call: Element,
    pub(super) operation_id: Option<String>,
}

/// Reads an envelope.
pub(super) fn read_request(text: &str) -> Result<Request, BadRequest> {
    let envelope = read_tree(text)?;
    if envelope.name != "Envelope" || !envelope.is_soap {
        return Err(BadRequest::NotSoap);
    }
    let operation_id = envelope.child("Header").and_then(|header| header.text_of("operationID")).map(str::to_owned);
    let body = envelope.children.into_iter().find(|child| child.name == "Body" && child.is_soap);
    let call = body.and_then(|body| body.children.into_iter().next()).ok_or(BadRequest::NotSoap)?;
    Ok(Request { call, operation_id })
}

fn read_tree(text: &str) -> Result<Element, BadRequest> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = vec![Element::default()];
    let mut nodes = 0_usize;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(malformed)?;
        let is_soap = matches!(&namespace, ResolveResult::Bound(bound) if bound.as_ref() == SOAP);
        match event {
            Event::Start(start) => {
                nodes += 1;
                if open.len() > MAX_DEPTH || nodes > MAX_NODES {
                    return Err(BadRequest::TooLarge);
                }
                open.push(element(&reader, &start, is_soap)?);
            }
            Event::End(_) => {
                let Some(closed) = open.pop() else { return Err(BadRequest::NotSoap) };
                let parent = open.last_mut().ok_or(BadRequest::NotSoap)?;
                parent.children.push(closed);
            }
            Event::Text(content) => push_text(&mut open, &content.xml10_content()),
            Event::CData(content) => push_text(&mut open, &content.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().map_err(malformed)? {
                    Some(character) => character,
                    None => predefined(&reference.xml10_content())?,
                };
                push_text(&mut open, resolved.encode_utf8(&mut [0; 4]));
            }
            Event::Eof => break,
            Event::DocType(_) => return Err(BadRequest::Malformed("a document type is not allowed".into())),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    let root = open.pop().filter(|_| open.is_empty()).ok_or(BadRequest::NotSoap)?;
    root.children.into_iter().next().ok_or(BadRequest::NotSoap)
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>, is_soap: bool) -> Result<Element, BadRequest> {
    let mut element = Element { name: start.local_name().as_ref().to_owned(), is_soap, ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(malformed)?;
        let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
        if local.as_ref() != "type" {
            continue;
        }
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(malformed)?;
        match namespace {
            ResolveResult::Bound(bound) if bound.as_ref() == XSI => {
                value.rsplit(':').next().unwrap_or_default().clone_into(&mut element.xsi_type);
            }
            ResolveResult::Unbound => element.kind = value.into_owned(),
            ResolveResult::Bound(_) | ResolveResult::Unknown(_) => {}
        }
    }
    Ok(element)
}

fn push_text(open: &mut [Element], text: &str) {
    if let Some(here) = open.last_mut() {
        here.text.push_str(text);
    }
}

fn predefined(name: &str) -> Result<char, BadRequest> {
    match name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        other => Err(BadRequest::Malformed(format!("unknown entity {other:?}"))),
    }
}

fn malformed(error: impl std::fmt::Display) -> BadRequest {
    BadRequest::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_resolved_and_entities_decoded() {
        let request = read_request(
            r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
               <s:Header><operationID>run-1</operationID></s:Header>
               <s:Body><v:Login xmlns:v="urn:vim25"><v:_this type="SessionManager">SessionManager</v:_this>
               <v:password>a&lt;b&#38;c</v:password><v:x i:type="v:TraversalSpec"/></v:Login></s:Body></s:Envelope>"#,
        )
        .unwrap();
        assert_eq!(request.call.name, "Login");
        assert_eq!(request.call.child("_this").unwrap().kind, "SessionManager");
        assert_eq!(request.call.text_of("password"), Some("a<b&c"));
        assert_eq!(request.call.child("x").unwrap().xsi_type, "TraversalSpec");
        assert_eq!(request.operation_id.as_deref(), Some("run-1"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_comes_in_makes_it_panic(text in "(<|>|/|a|b|:|=|\"|&|;|#|x|!|\\[|\\]|-|\\?| |é|xmlns|CDATA|Envelope|Body){0,60}") {
            let _ = read_request(&text);
        }
    }

    #[test]
    fn what_is_not_soap_is_refused() {
        for text in [
            "",
            "<a",
            "<a/>",
            "<Envelope><Body><x/></Body></Envelope>",
            "plain",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
        ] {
            assert!(read_request(text).is_err(), "{text:?}");
        }
        let deep = "<a>".repeat(1000);
        assert!(matches!(read_request(&deep), Err(BadRequest::TooLarge)));
    }
}
