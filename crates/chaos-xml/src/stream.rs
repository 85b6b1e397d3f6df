//! The bounded XML reader: answers are read chunk by chunk, and of a long one only one object is in memory at a time.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::NamespaceResolver;
use quick_xml::reader::NsReader;
use quick_xml::{XmlVersion, escape};

use crate::error::XmlError;
use crate::feed::Feed;
use crate::tree::{Node, Tree};
use crate::vocabulary::{Vocabulary, is};

/// Chunks are taken in pieces of this size, which bounds the buffer however large a chunk is.
const PIECE: usize = 64 * 1024;

/// Bounds on one document.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Levels of elements.
    pub depth: usize,
    /// Elements held at once: of a streamed object, or of all that is not streamed.
    pub nodes: usize,
    /// Bytes of names and text held at once, likewise.
    pub tree_bytes: usize,
    /// Bytes of one tag or one text.
    pub token_bytes: usize,
    /// Bytes of the whole document.
    pub document_bytes: u64,
}

impl Limits {
    /// For an answer that is small by nature: a fault, one object, a few hundred changes.
    pub const SMALL: Self =
        Self { depth: 64, nodes: 100_000, tree_bytes: 4 << 20, token_bytes: 1 << 20, document_bytes: 16 << 20 };
    /// For a page of an inventory, of which one object at a time is held.
    pub const STREAMED: Self =
        Self { depth: 64, nodes: 200_000, tree_bytes: 16 << 20, token_bytes: 1 << 20, document_bytes: 1 << 30 };
}

/// Which elements are handed out one by one instead of being kept: those of this name, at this depth (the root has
/// depth 1).
#[derive(Clone, Copy, Debug)]
pub struct Records {
    /// The level of elements.
    pub depth: usize,
    /// Their local name.
    pub name: &'static str,
}

/// A document that is read while it arrives.
#[derive(Debug)]
pub struct XmlStream {
    reader: NsReader<Feed>,
    /// The bytes of the event in hand.
    event: Vec<u8>,
    bytes: u64,
    assembly: Assembly,
}

impl XmlStream {
    /// A document of which nothing has arrived yet. Elements that are `records` are handed out, all others are kept.
    #[must_use]
    pub fn new(limits: Limits, vocabulary: &'static Vocabulary, records: Option<Records>) -> Self {
        Self {
            reader: NsReader::from_reader(Feed::new(limits.token_bytes)),
            event: Vec::new(),
            bytes: 0,
            assembly: Assembly {
                limits,
                vocabulary,
                records,
                outer: Tree::default(),
                record: Tree::default(),
                in_record: false,
                depth: 0,
                root_closed: false,
            },
        }
    }

    /// Reads a whole document without records.
    ///
    /// # Errors
    /// When it is not well-formed XML of the supported kind or exceeds a limit.
    pub fn read_all(bytes: &[u8], limits: Limits, vocabulary: &'static Vocabulary) -> Result<Tree, XmlError> {
        let mut stream = Self::new(limits, vocabulary, None);
        stream.push(bytes, &mut |_: Node<'_>| Ok::<(), XmlError>(()))?;
        stream.finish()?;
        Ok(stream.assembly.outer)
    }

    /// Takes the next bytes and hands every record that they complete to `each`.
    ///
    /// # Errors
    /// When what came so far is not well-formed XML of the supported kind or exceeds a limit, and what `each` returns.
    /// The document cannot be read on then.
    pub fn push<E: From<XmlError>>(
        &mut self,
        chunk: &[u8],
        each: &mut impl FnMut(Node<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.bytes += chunk.len() as u64;
        let limit = self.assembly.limits.document_bytes;
        if self.bytes > limit {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            return Err(XmlError::TooLarge { what: "the answer", limit, unit: "bytes" }.into());
        }
        for piece in chunk.chunks(PIECE) {
            self.reader.get_mut().push(piece)?;
            while !self.reader.get_ref().is_empty() {
                if self.next_event()? {
                    if let Some(record) = self.assembly.record.root() {
                        each(record)?;
                    }
                    self.assembly.record.clear();
                }
            }
        }
        Ok(())
    }

    /// What was read so far and was not handed out as a record. The text of an element that is still open may be cut.
    #[must_use]
    pub fn so_far(&self) -> &Tree {
        &self.assembly.outer
    }

    /// Ends the document and returns what was not handed out as a record.
    ///
    /// # Errors
    /// When the root element has not ended, or when there never was one.
    pub fn finish(&self) -> Result<&Tree, XmlError> {
        let rest_is_blank = self.reader.get_ref().rest().iter().all(u8::is_ascii_whitespace);
        match (self.assembly.root_closed, rest_is_blank) {
            (true, true) => Ok(&self.assembly.outer),
            (true, false) => Err(XmlError::NotXml),
            (false, _) if self.bytes == 0 || (self.assembly.outer.root().is_none() && !rest_is_blank) => {
                Err(XmlError::NotXml)
            }
            (false, _) => Err(XmlError::Cut),
        }
    }

    /// Reads one event; `true` when it completed a record.
    fn next_event(&mut self) -> Result<bool, XmlError> {
        self.event.clear();
        let event = match self.reader.read_event_into(&mut self.event) {
            Ok(event) => event,
            Err(source) => return Err(malformed(self.reader.error_position(), source)),
        };
        let position = self.reader.buffer_position();
        let assembly = &mut self.assembly;
        match event {
            Event::Start(start) => {
                assembly.open(&start, self.reader.resolver(), position)?;
                return Ok(false);
            }
            Event::Empty(start) => {
                assembly.open(&start, self.reader.resolver(), position)?;
                return assembly.close();
            }
            Event::End(_) => return assembly.close(),
            Event::Text(text) => assembly.add_text(&text.xml10_content())?,
            Event::CData(text) => assembly.add_text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|source| malformed(position, source))?;
                let mut buffer = [0; 4];
                match character {
                    Some(character) => assembly.add_text(character.encode_utf8(&mut buffer))?,
                    None => {
                        assembly.add_text(escape::resolve_xml_entity(&reference).ok_or(XmlError::UnknownEntity)?)?;
                    }
                }
            }
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(name)) if !name.eq_ignore_ascii_case("utf-8") && !name.eq_ignore_ascii_case("us-ascii") => {
                    return Err(XmlError::Encoding(name.chars().take(40).collect()));
                }
                _ => {}
            },
            Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Eof => return Err(XmlError::Cut),
        }
        Ok(false)
    }
}

fn malformed(position: u64, source: quick_xml::Error) -> XmlError {
    XmlError::Malformed { position, source: Box::new(source) }
}

/// Puts events together: into the record in hand, or into the tree of all the rest.
#[derive(Debug)]
struct Assembly {
    limits: Limits,
    vocabulary: &'static Vocabulary,
    records: Option<Records>,
    outer: Tree,
    /// Emptied and filled again for each record.
    record: Tree,
    in_record: bool,
    depth: usize,
    root_closed: bool,
}

impl Assembly {
    fn open(&mut self, start: &BytesStart<'_>, resolver: &NamespaceResolver, position: u64) -> Result<(), XmlError> {
        if self.root_closed {
            return Err(XmlError::NotXml);
        }
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(XmlError::TooLarge {
                what: "the nesting of the answer",
                limit: self.limits.depth,
                unit: "levels",
            });
        }
        let name = start.name();
        let in_namespace = self.vocabulary.namespace.is_some_and(|namespace| {
            self.depth <= namespace.depth && is(&resolver.resolve_element(name).0, namespace.uri)
        });
        let local = name.local_name().into_inner();
        if self.records.is_some_and(|records| records.depth == self.depth && records.name == local) {
            self.in_record = true;
        }
        let tree = if self.in_record { &mut self.record } else { &mut self.outer };
        tree.open(local, in_namespace, &self.limits)?;
        if start.attributes_raw().is_empty() {
            return Ok(());
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|source| malformed(position, source.into()))?;
            if let Some(name) = self.vocabulary.attribute(attribute.key, resolver) {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                tree.add_attribute(name, &value.map_err(|source| malformed(position, source))?, &self.limits)?;
            }
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str) -> Result<(), XmlError> {
        if self.depth == 0 {
            return if text.trim().is_empty() { Ok(()) } else { Err(XmlError::NotXml) };
        }
        let tree = if self.in_record { &mut self.record } else { &mut self.outer };
        tree.add_text(text, &self.limits)
    }

    /// Ends the innermost element; `true` when that completed a record.
    fn close(&mut self) -> Result<bool, XmlError> {
        self.depth = self.depth.saturating_sub(1);
        if self.in_record {
            let complete = self.record.close()?;
            self.in_record = !complete;
            return Ok(complete);
        }
        self.root_closed = self.outer.close()?;
        Ok(false)
    }
}
