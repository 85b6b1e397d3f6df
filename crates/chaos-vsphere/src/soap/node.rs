//! What vim25 gives a meaning in a document beside names and texts.

use chaos_xml::{Namespace, Vocabulary};

/// The envelope's own elements (`Envelope`, `Body`, `Fault`) are no deeper than this; further down nobody asks for
/// namespaces.
const ENVELOPE: Namespace = Namespace { uri: "http://schemas.xmlsoap.org/soap/envelope/", depth: 3 };

/// The SOAP envelope is told by its namespace. The plain attribute `type` is that of a managed object reference.
pub(crate) static VIM: Vocabulary = Vocabulary { namespace: Some(ENVELOPE), attributes: &["type"] };
