//! What a client may rely on when it reads an answer.

mod attributes;
mod escaping;
mod hostile;
mod records;

use chaos_xml::{AttributeName, Limits, Namespace, Tree, Vocabulary, XmlError, XmlStream};

const SCHEMA: &str = "urn:schema";

/// Elements of `urn:envelope` are told apart down to the second level; `id` and the schema's `type` are kept.
static VOCABULARY: Vocabulary = Vocabulary {
    namespace: Some(Namespace { uri: "urn:envelope", depth: 2 }),
    attributes: &[AttributeName::plain("id"), AttributeName::in_namespace(SCHEMA, "type")],
};

fn read(document: &[u8]) -> Result<Tree, XmlError> {
    XmlStream::read_all(document, Limits::SMALL, &VOCABULARY)
}
