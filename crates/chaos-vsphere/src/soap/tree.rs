//! A small element tree in two flat buffers, made to be emptied and filled again for each object of a long answer.

use std::borrow::Cow;

use super::xml::{Limits, XmlError};

/// A piece of the tree's text buffer.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

/// Which namespace an element is in, as far as anybody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// The SOAP 1.1 envelope.
    Envelope,
    /// Any other or none: servers differ, and local names decide there.
    Other,
}

#[derive(Debug)]
struct Entry {
    namespace: Namespace,
    name: Span,
    text: Span,
    xsi_type: Option<Span>,
    reference_type: Option<Span>,
    nil: bool,
    has_children: bool,
    /// The index behind the last descendant, or [`OPEN`]; children of `i` start at `i + 1`.
    end: u32,
}

/// The end of an element that is still open: all that was read so far belongs to it.
const OPEN: u32 = u32::MAX;

/// What the reader knows about an element when it begins. Attributes that no vim25 answer gives a meaning are left out.
#[derive(Debug)]
pub(super) struct Opening<'a> {
    pub(super) namespace: Namespace,
    pub(super) name: &'a str,
    pub(super) attributes: Attributes<'a>,
}

/// The three attributes that matter in vim25 answers.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    /// `xsi:type`, with its prefix if it has one.
    pub(super) xsi_type: Option<Cow<'a, str>>,
    /// The plain `type` of a managed object reference.
    pub(super) reference_type: Option<Cow<'a, str>>,
    /// `xsi:nil="true"`.
    pub(super) nil: bool,
}

/// An element tree. Text is kept for leaves only: vim25 has no mixed content.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    entries: Vec<Entry>,
    text: String,
    /// The elements that are still open.
    open: Vec<u32>,
}

impl Tree {
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
        let reference_type =
            opening.attributes.reference_type.as_deref().map(|text| self.store(text, limits)).transpose()?;
        let text = self.store("", limits)?;
        let index = narrow(self.entries.len())?;
        self.entries.push(Entry {
            namespace: opening.namespace,
            name,
            text,
            xsi_type,
            reference_type,
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
    pub(crate) fn root(&self) -> Option<Node<'_>> {
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
pub(crate) struct Node<'t> {
    tree: &'t Tree,
    index: usize,
}

impl<'t> Node<'t> {
    fn entry(self) -> &'t Entry {
        &self.tree.entries[self.index]
    }

    /// The local name.
    pub(crate) fn name(self) -> &'t str {
        self.tree.slice(self.entry().name)
    }

    pub(crate) fn namespace(self) -> Namespace {
        self.entry().namespace
    }

    /// The character data of a leaf, verbatim; empty for an element with children.
    pub(crate) fn text(self) -> &'t str {
        self.tree.slice(self.entry().text)
    }

    /// The type that `xsi:type` names, without its prefix: prefixes are the server's choice.
    pub(crate) fn xsi_type(self) -> Option<&'t str> {
        self.entry().xsi_type.map(|span| self.tree.slice(span))
    }

    /// The `type` attribute of a managed object reference.
    pub(crate) fn reference_type(self) -> Option<&'t str> {
        self.entry().reference_type.map(|span| self.tree.slice(span))
    }

    /// Whether the value is explicitly absent (`xsi:nil`).
    pub(crate) fn is_nil(self) -> bool {
        self.entry().nil
    }

    pub(crate) fn is_leaf(self) -> bool {
        !self.entry().has_children
    }

    pub(crate) fn children(self) -> Children<'t> {
        let end = (self.entry().end as usize).min(self.tree.entries.len());
        Children { tree: self.tree, next: self.index + 1, end }
    }

    /// The first child of that local name.
    pub(crate) fn child(self, name: &str) -> Option<Node<'t>> {
        self.children().find(|child| child.name() == name)
    }

    /// All children of that local name.
    pub(crate) fn children_named(self, name: &'static str) -> impl Iterator<Item = Node<'t>> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The text of the first child of that name, unless there is none or it is nil.
    pub(crate) fn child_text(self, name: &str) -> Option<&'t str> {
        self.child(name).filter(|child| !child.is_nil()).map(Node::text)
    }
}

/// The children of an element in document order.
#[derive(Clone, Debug)]
pub(crate) struct Children<'t> {
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
