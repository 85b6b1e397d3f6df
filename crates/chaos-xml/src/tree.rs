//! A small element tree in two flat buffers, made to be emptied and filled again for each object of a long answer.

use std::borrow::Cow;

use crate::stream::{Limits, XmlError};
use crate::vocabulary::{MOST_ATTRIBUTES, Vocabulary};

/// A piece of the tree's text buffer.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Debug)]
struct Entry {
    in_namespace: bool,
    name: Span,
    text: Span,
    xsi_type: Option<Span>,
    /// Those of the vocabulary, in its order.
    attributes: [Option<Span>; MOST_ATTRIBUTES],
    nil: bool,
    has_children: bool,
    /// The index behind the last descendant, or [`OPEN`]; children of `i` start at `i + 1`.
    end: u32,
}

/// The end of an element that is still open: all that was read so far belongs to it.
const OPEN: u32 = u32::MAX;

/// What the reader knows about an element when it begins. Attributes that are not in the vocabulary are left out.
#[derive(Debug)]
pub(super) struct Opening<'a> {
    /// Whether it is in the namespace of the vocabulary.
    pub(super) in_namespace: bool,
    pub(super) name: &'a str,
    pub(super) attributes: Attributes<'a>,
}

/// The attributes that are kept.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    /// `xsi:type`, with its prefix if it has one.
    pub(super) xsi_type: Option<Cow<'a, str>>,
    /// Those of the vocabulary, in its order.
    pub(super) plain: [Option<Cow<'a, str>>; MOST_ATTRIBUTES],
    /// `xsi:nil="true"`.
    pub(super) nil: bool,
}

/// An element tree. Text is kept for leaves only: the answers of APIs have no mixed content.
#[derive(Debug)]
pub struct Tree {
    vocabulary: &'static Vocabulary,
    entries: Vec<Entry>,
    text: String,
    /// The elements that are still open.
    open: Vec<u32>,
}

impl Tree {
    pub(super) fn new(vocabulary: &'static Vocabulary) -> Self {
        Self { vocabulary, entries: Vec::new(), text: String::new(), open: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.open.clear();
    }

    pub(super) fn open(&mut self, opening: &Opening<'_>, limits: &Limits) -> Result<(), XmlError> {
        if self.entries.len() >= limits.nodes {
            return Err(XmlError::TooLarge { what: "one part of the answer", limit: limits.nodes, unit: "elements" });
        }
        if let Some(parent) = self.open.last().map(|&index| &mut self.entries[index as usize])
            && !parent.has_children
        {
            // Until now it might have been a leaf: what was collected is the white space before its first child.
            parent.has_children = true;
            self.text.truncate(parent.text.start as usize);
            parent.text = Span::default();
        }
        let name = self.store(opening.name, limits)?;
        let xsi_type =
            opening.attributes.xsi_type.as_deref().map(|text| self.store(without_prefix(text), limits)).transpose()?;
        let mut attributes = [None; MOST_ATTRIBUTES];
        for (kept, text) in attributes.iter_mut().zip(&opening.attributes.plain) {
            *kept = text.as_deref().map(|text| self.store(text, limits)).transpose()?;
        }
        let text = self.store("", limits)?;
        let index = narrow(self.entries.len())?;
        self.entries.push(Entry {
            in_namespace: opening.in_namespace,
            name,
            text,
            xsi_type,
            attributes,
            nil: opening.attributes.nil,
            has_children: false,
            end: OPEN,
        });
        self.open.push(index);
        Ok(())
    }

    pub(super) fn add_text(&mut self, text: &str, limits: &Limits) -> Result<(), XmlError> {
        let Some(&index) = self.open.last() else { return Ok(()) };
        if !self.entries[index as usize].has_children {
            let added = self.store(text, limits)?;
            self.entries[index as usize].text.end = added.end;
        }
        Ok(())
    }

    /// Ends the innermost open element; `true` when that was the root.
    pub(super) fn close(&mut self) -> Result<bool, XmlError> {
        let end = narrow(self.entries.len())?;
        if let Some(index) = self.open.pop() {
            self.entries[index as usize].end = end;
        }
        Ok(self.open.is_empty())
    }

    /// The outermost element, unless nothing was read. It may still be open.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        (!self.entries.is_empty()).then_some(Node { tree: self, index: 0 })
    }

    fn store(&mut self, text: &str, limits: &Limits) -> Result<Span, XmlError> {
        if self.text.len() + text.len() > limits.tree_bytes {
            return Err(XmlError::TooLarge { what: "one part of the answer", limit: limits.tree_bytes, unit: "bytes" });
        }
        let start = narrow(self.text.len())?;
        self.text.push_str(text);
        Ok(Span { start, end: narrow(self.text.len())? })
    }

    fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }
}

fn without_prefix(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local).trim()
}

fn narrow(count: usize) -> Result<u32, XmlError> {
    u32::try_from(count).map_err(|_| XmlError::TooLarge {
        what: "one part of the answer",
        limit: u32::MAX as usize,
        unit: "bytes",
    })
}

/// One element of a [`Tree`].
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    tree: &'t Tree,
    index: usize,
}

impl<'t> Node<'t> {
    fn entry(self) -> &'t Entry {
        &self.tree.entries[self.index]
    }

    /// The local name.
    #[must_use]
    pub fn name(self) -> &'t str {
        self.tree.slice(self.entry().name)
    }

    /// Whether it is in the namespace of the vocabulary, and no deeper than that asks for.
    #[must_use]
    pub fn is_in_namespace(self) -> bool {
        self.entry().in_namespace
    }

    /// The character data of a leaf, verbatim; empty for an element with children.
    #[must_use]
    pub fn text(self) -> &'t str {
        self.tree.slice(self.entry().text)
    }

    /// The type that `xsi:type` names, without its prefix: prefixes are the server's choice.
    #[must_use]
    pub fn xsi_type(self) -> Option<&'t str> {
        self.entry().xsi_type.map(|span| self.tree.slice(span))
    }

    /// An attribute without a prefix, if it is one of the vocabulary.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'t str> {
        let at = self.tree.vocabulary.attributes.iter().position(|kept| *kept == name)?;
        self.entry().attributes.get(at).copied().flatten().map(|span| self.tree.slice(span))
    }

    /// Whether the value is explicitly absent (`xsi:nil`).
    #[must_use]
    pub fn is_nil(self) -> bool {
        self.entry().nil
    }

    /// Whether it has no child elements.
    #[must_use]
    pub fn is_leaf(self) -> bool {
        !self.entry().has_children
    }

    /// Its child elements in document order.
    #[must_use]
    pub fn children(self) -> Children<'t> {
        let end = (self.entry().end as usize).min(self.tree.entries.len());
        Children { tree: self.tree, next: self.index + 1, end }
    }

    /// The first child of that local name.
    #[must_use]
    pub fn child(self, name: &str) -> Option<Node<'t>> {
        self.children().find(|child| child.name() == name)
    }

    /// All children of that local name.
    pub fn children_named(self, name: &'static str) -> impl Iterator<Item = Node<'t>> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The text of the first child of that name, unless there is none or it is nil.
    #[must_use]
    pub fn child_text(self, name: &str) -> Option<&'t str> {
        self.child(name).filter(|child| !child.is_nil()).map(Node::text)
    }
}

/// The children of an element in document order.
#[derive(Clone, Debug)]
pub struct Children<'t> {
    tree: &'t Tree,
    next: usize,
    end: usize,
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node { tree: self.tree, index: self.next };
        self.next = node.entry().end as usize;
        Some(node)
    }
}
