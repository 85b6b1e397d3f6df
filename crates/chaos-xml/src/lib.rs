//! Reads the XML of platform APIs chunk by chunk, within bounds.
//!
//! An [`XmlStream`] takes a document as it arrives. Elements that are declared [`Records`] are handed out one by one,
//! so that of a long list only one member is in memory at a time; everything else is kept as a [`Tree`]. [`Limits`]
//! bound depth, elements and bytes. Document types and entities of a document's own are refused. A [`Vocabulary`] says
//! which attributes are kept. For what is written there is [`escape()`].
//!
//! ```
//! use chaos_xml::{AttributeName, Limits, Node, Records, Vocabulary, XmlError, XmlStream};
//!
//! static VOCABULARY: Vocabulary = Vocabulary { namespace: None, attributes: &[AttributeName::plain("id")] };
//!
//! let mut stream = XmlStream::new(Limits::STREAMED, &VOCABULARY, Some(Records { depth: 2, name: "vm" }));
//! let mut names = Vec::new();
//! let mut each = |vm: Node<'_>| {
//!     names.push(format!("{} {}", vm.attribute("id").unwrap_or_default(), vm.child_text("name").unwrap_or_default()));
//!     Ok::<(), XmlError>(())
//! };
//! // Chunks are cut anywhere.
//! for chunk in [&b"<vms><vm id='1'><na"[..], b"me>web-01</name></vm><vm id='2'/>", b"</vms>"] {
//!     stream.push(chunk, &mut each)?;
//! }
//! assert_eq!(stream.finish()?.root().map(Node::name), Some("vms"));
//! assert_eq!(names, ["1 web-01", "2 "]);
//! # Ok::<(), XmlError>(())
//! ```

mod error;
mod escape;
mod feed;
mod stream;
mod tree;
mod vocabulary;

pub use error::XmlError;
pub use escape::{escape, push_escaped};
pub use stream::{Limits, Records, XmlStream};
pub use tree::{Children, Node, Tree};
pub use vocabulary::{AttributeName, Namespace, Vocabulary};
