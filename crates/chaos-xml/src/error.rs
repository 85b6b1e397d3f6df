//! Why a document was not read.

/// Why a document was not read. No variant holds content of the document beyond a name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// It is not well formed.
    #[error("the answer is not well-formed XML near byte {position}")]
    Malformed {
        /// About where, in bytes from the beginning.
        position: u64,
        /// What the parser says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It ends before its root element does.
    #[error("the answer ends in the middle of its XML")]
    Cut,
    /// It is something else.
    #[error("the answer is not XML")]
    NotXml,
    /// It has a document type declaration, where entity bombs live.
    #[error("the answer has a document type declaration, which no API sends")]
    Doctype,
    /// It uses an entity that it would have to define itself.
    #[error("the answer refers to an entity that XML does not define")]
    UnknownEntity,
    /// It is not in UTF-8, but in this encoding.
    #[error("the answer is encoded as {0}, not as UTF-8")]
    Encoding(String),
    /// A limit is exceeded.
    #[error("{what} is larger than {limit} {unit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it may be.
        limit: usize,
        /// In what that is counted.
        unit: &'static str,
    },
}
