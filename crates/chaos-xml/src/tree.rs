//! A small element tree in two flat buffers, made to be emptied and filled again for each object of a long answer.

use crate::error::XmlError;
use crate::stream::Limits;
use crate::vocabulary::AttributeName;

/// A piece of the tree's text buffer.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn is_empty(self) -> bool {
        self.start == self.end
    }
}

#[derive(Debug)]
struct Entry {
    name: Span,
    text: Span,
    /// The index of its first attribute. They end where those of the next element begin.
    attributes: u32,
    /// The index behind the last descendant, or [`OPEN`]; children of `i` start at `i + 1`.
    end: u32,
    in_namespace: bool,
    has_children: bool,
}

/// An attribute that is kept.
#[derive(Debug)]
struct Kept {
    name: &'static AttributeName,
    value: Span,
}

/// The end of an element that is still open: all that was read so far belongs to it.
const OPEN: u32 = u32::MAX;

/// An element tree. Text is kept for leaves only: the answers of APIs have no mixed content.
#[derive(Debug, Default)]
pub struct Tree {
    entries: Vec<Entry>,
    attributes: Vec<Kept>,
    text: String,
    /// The elements that are still open.
    open: Vec<u32>,
}

impl Tree {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.attributes.clear();
        self.text.clear();
        self.open.clear();
    }

    /// Begins an element. Its attributes come next.
    pub(super) fn open(&mut self, name: &str, in_namespace: bool, limits: &Limits) -> Result<(), XmlError> {
        if self.entries.len() >= limits.nodes {
            return Err(XmlError::TooLarge { what: "one part of the answer", limit: limits.nodes, unit: "elements" });
        }
        if let Some(parent) = self.open.last().map(|&index| &mut self.entries[index as usize])
            && !parent.has_children
        {
            // Until now it might have been a leaf: what was collected is the white space before its first child.
            parent.has_children = true;
            let collected = std::mem::take(&mut parent.text);
            if !collected.is_empty() {
                self.text.truncate(collected.start as usize);
            }
        }
        let name = self.store(name, limits)?;
        let index = narrow(self.entries.len())?;
        let attributes = narrow(self.attributes.len())?;
        self.entries.push(Entry {
            name,
            text: Span::default(),
            attributes,
            end: OPEN,
            in_namespace,
            has_children: false,
        });
        self.open.push(index);
        Ok(())
    }

    /// Adds an attribute to the element that was opened last.
    pub(super) fn add_attribute(
        &mut self,
        name: &'static AttributeName,
        value: &str,
        limits: &Limits,
    ) -> Result<(), XmlError> {
        // Two prefixes can stand for one namespace. No element may hold more attributes than the vocabulary.
        let first = self.entries.last().map_or(0, |entry| entry.attributes as usize);
        if self.attributes[first..].iter().all(|kept| !std::ptr::eq(kept.name, name)) {
            let value = self.store(value, limits)?;
            self.attributes.push(Kept { name, value });
        }
        Ok(())
    }

    pub(super) fn add_text(&mut self, text: &str, limits: &Limits) -> Result<(), XmlError> {
        let Some(&index) = self.open.last() else { return Ok(()) };
        if self.entries[index as usize].has_children {
            return Ok(());
        }
        let added = self.store(text, limits)?;
        let whole = &mut self.entries[index as usize].text;
        if whole.is_empty() {
            *whole = added;
        } else {
            // Nothing was stored since: only another element could have been, and then this is no leaf.
            whole.end = added.end;
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

    /// The value of an attribute without a prefix, if the vocabulary has it.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'t str> {
        self.find_attribute(None, name)
    }

    /// The value of an attribute of the namespace `uri`, if the vocabulary has it.
    #[must_use]
    pub fn attribute_in(self, uri: &str, name: &str) -> Option<&'t str> {
        self.find_attribute(Some(uri), name)
    }

    fn find_attribute(self, namespace: Option<&str>, local: &str) -> Option<&'t str> {
        let end =
            self.tree.entries.get(self.index + 1).map_or(self.tree.attributes.len(), |next| next.attributes as usize);
        let kept = &self.tree.attributes[self.entry().attributes as usize..end];
        let found = kept.iter().find(|kept| kept.name.local == local && kept.name.namespace == namespace)?;
        Some(self.tree.slice(found.value))
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

    /// The text of the first child of that local name.
    #[must_use]
    pub fn child_text(self, name: &str) -> Option<&'t str> {
        self.child(name).map(Node::text)
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
