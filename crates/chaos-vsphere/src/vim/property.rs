//! What the property collector answers: objects with the properties that could be read, and those that could not.

use chaos_xml::{Node, Records};

use super::request::Answer;
use super::types::MoRef;
use crate::soap::fault::{Fault, FaultKind};
use crate::soap::node::VimNode;

/// The elements of a `RetrievePropertiesEx` answer that are read one by one:
/// `Envelope/Body/RetrievePropertiesExResponse/returnval/objects`.
pub(crate) const OBJECTS: Records = Records { depth: 5, name: "objects" };

/// One object of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectContent<'t>(Node<'t>);

impl<'t> ObjectContent<'t> {
    pub(crate) fn new(node: Node<'t>) -> Self {
        Self(node)
    }

    /// Which object it is; `None` if the server forgot to say, which makes the rest useless.
    pub(crate) fn object(self) -> Option<MoRef> {
        self.0.child("obj").and_then(MoRef::read)
    }

    /// The properties that were read: path and value. A property without a value is unset, like one that is missing
    /// here.
    pub(crate) fn properties(self) -> impl Iterator<Item = (&'t str, Node<'t>)> {
        self.0.children_named("propSet").filter_map(|property| {
            let value = property.child("val").filter(|value| !value.is_nil())?;
            Some((property.child_value("name")?.trim(), value))
        })
    }

    /// The properties that the server would not read.
    pub(crate) fn missing(self) -> impl Iterator<Item = MissingProperty> {
        missing(self.0)
    }
}

pub(super) fn missing(object: Node<'_>) -> impl Iterator<Item = MissingProperty> {
    object.children_named("missingSet").map(|missing| MissingProperty {
        path: missing.child_value("path").unwrap_or_default().trim().to_owned(),
        fault: missing.child("fault").map_or_else(
            || Fault { kind: FaultKind::Other("MethodFault".to_owned()), message: String::new() },
            Fault::from_localized,
        ),
    })
}

/// A property that the server would not read, and why. With `NotAuthenticated` it means that the session is dead,
/// although the call itself was answered with 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingProperty {
    pub(crate) path: String,
    pub(crate) fault: Fault,
}

impl MissingProperty {
    /// Whether this says that nobody is logged in.
    pub(crate) fn is_unauthenticated(&self) -> bool {
        matches!(self.fault.kind, FaultKind::NotAuthenticated { .. })
    }
}

/// What is left of a page when its objects were handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Where the next page begins, if there is one. Any text, `0` included, is a token.
    pub(crate) token: Option<String>,
}

impl Page {
    /// Reads what is outside of the objects. No `returnval` means that nothing matched.
    pub(crate) fn read(answer: &Answer<'_>) -> Self {
        let token = answer.value().and_then(|value| value.child("token")).filter(|token| !token.is_nil());
        Self { token: token.map(|token| token.text().to_owned()) }
    }
}
