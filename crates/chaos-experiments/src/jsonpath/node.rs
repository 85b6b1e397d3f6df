//! The nodes that a path goes through.

use std::rc::Rc;

use serde_json::{Map, Value};

/// Something that was found, or that a function made of what was found.
#[derive(Clone)]
pub(super) enum Node<'a> {
    Found(&'a Value),
    Number(usize),
    Text(Rc<str>),
    List(Rc<[Node<'a>]>),
}

impl<'a> Node<'a> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Found(value) => value.as_str(),
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::List(_) => None,
        }
    }

    /// As an index: a whole number, or true and false as 1 and 0.
    pub(super) fn index(&self) -> Option<i64> {
        match self {
            Self::Found(Value::Bool(flag)) => Some((*flag).into()),
            Self::Found(Value::Number(number)) if !number.is_f64() => Some(number.as_i64().unwrap_or(i64::MAX)),
            Self::Number(number) => Some(i64::try_from(*number).unwrap_or(i64::MAX)),
            Self::Found(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    pub(super) fn mapping(&self) -> Option<&'a Map<String, Value>> {
        match self {
            Self::Found(value) => value.as_object(),
            Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The number of items, if it is a list.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Self::Found(value) => value.as_array().map(Vec::len),
            Self::List(items) => Some(items.len()),
            Self::Number(_) | Self::Text(_) => None,
        }
    }

    /// An item of a list, from the end if `index` is negative.
    pub(super) fn item(&self, index: i64) -> Option<Node<'a>> {
        let length = self.length()?;
        let index =
            usize::try_from(index).ok().or_else(|| length.checked_sub(index.unsigned_abs().try_into().ok()?))?;
        match self {
            Self::Found(value) => value.get(index).map(Node::Found),
            Self::List(items) => items.get(index).cloned(),
            Self::Number(_) | Self::Text(_) => None,
        }
    }

    /// What is directly below it.
    pub(super) fn children(&self) -> Vec<Node<'a>> {
        match self {
            Self::Found(Value::Array(items)) => items.iter().map(Node::Found).collect(),
            Self::Found(Value::Object(map)) => map.values().map(Node::Found).collect(),
            Self::List(items) => items.to_vec(),
            Self::Found(_) | Self::Number(_) | Self::Text(_) => Vec::new(),
        }
    }

    pub(super) fn list(nodes: impl IntoIterator<Item = Node<'a>>) -> Self {
        Self::List(nodes.into_iter().collect())
    }
}
