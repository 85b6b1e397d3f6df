//! What vim25 gives a meaning in a document beside names and texts.

use chaos_xml::{AttributeName, Namespace, Node, Vocabulary};

/// The envelope's own elements (`Envelope`, `Body`, `Fault`) are no deeper than this; further down nobody asks for
/// namespaces.
const ENVELOPE: Namespace = Namespace { uri: "http://schemas.xmlsoap.org/soap/envelope/", depth: 3 };

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The SOAP envelope is told by its namespace; below it servers differ, and local names decide.
pub(crate) static VIM: Vocabulary = Vocabulary {
    namespace: Some(ENVELOPE),
    attributes: &[
        AttributeName::plain("type"),
        AttributeName::in_namespace(XSI, "type"),
        AttributeName::in_namespace(XSI, "nil"),
    ],
};

/// What an element of a vim25 answer says by its attributes.
pub(crate) trait VimNode<'t>: Copy {
    /// The type that `xsi:type` names, without its prefix: prefixes are the server's choice.
    fn xsi_type(self) -> Option<&'t str>;

    /// The plain `type` of a managed object reference.
    fn reference_type(self) -> Option<&'t str>;

    /// Whether the value is explicitly absent (`xsi:nil`).
    fn is_nil(self) -> bool;

    /// The text of the first child of that name, unless there is none or it is nil.
    fn child_value(self, name: &str) -> Option<&'t str>;
}

impl<'t> VimNode<'t> for Node<'t> {
    fn xsi_type(self) -> Option<&'t str> {
        let name = self.attribute_in(XSI, "type")?;
        Some(name.rsplit_once(':').map_or(name, |(_, local)| local).trim())
    }

    fn reference_type(self) -> Option<&'t str> {
        self.attribute("type")
    }

    fn is_nil(self) -> bool {
        matches!(self.attribute_in(XSI, "nil"), Some("true" | "1"))
    }

    fn child_value(self, name: &str) -> Option<&'t str> {
        self.child(name).filter(|child| !child.is_nil()).map(Node::text)
    }
}

#[cfg(test)]
mod tests {
    use chaos_xml::{Limits, XmlStream};

    use super::*;

    #[test]
    fn what_attributes_say_does_not_depend_on_prefixes() {
        let document = r#"<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:other">
            <ref type="VirtualMachine" i:type="vim:ManagedObjectReference">vm-1</ref>
            <gone i:nil="true">no</gone><here i:nil="false" x:nil="true" x:type="No">yes</here>
        </a>"#;
        let tree = XmlStream::read_all(document.as_bytes(), Limits::SMALL, &VIM).unwrap();
        let root = tree.root().unwrap();
        let reference = root.child("ref").unwrap();
        assert_eq!(reference.xsi_type(), Some("ManagedObjectReference"));
        assert_eq!(reference.reference_type(), Some("VirtualMachine"));
        assert_eq!(root.child_value("gone"), None);
        assert_eq!(root.child_value("here"), Some("yes"));
        assert_eq!(root.child("here").unwrap().xsi_type(), None);
    }
}
