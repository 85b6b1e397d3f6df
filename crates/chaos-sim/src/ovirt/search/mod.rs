//! The engine's search language, as its own parser takes it: what a search selects, in which order, and which page of it.
//!
//! A search is terms (`name=web-*`, `hosts.status!=up`, or a free text) joined by `and`, `or` or nothing, then perhaps
//! `sortby FIELD [asc|desc]` and `page N`. There are no parentheses, no `in` and no `not`. What the engine cannot take is
//! not an error for its caller: it answers with an empty collection ([`Invalid`]).
//!
//! Source: oVirt administration guide, "Searches"; oVirt REST API guide, "Searching".

mod evaluate;
mod fields;
mod operand;
mod pattern;
mod print;
mod syntax;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::borrow::Cow;

use jiff::civil;

use self::operand::Operand;
use self::vocabulary::{Field, Object};

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Vms,
    Hosts,
    Clusters,
    Datacenters,
    Events,
}

/// Why the engine cannot take a search. It logs this and answers 200 with an empty collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("`{0}` is illegal anywhere in a search")]
    Character(char),
    #[error("a quotation mark can only stand around a whole value")]
    Quote,
    #[error("a value cannot end with a backslash")]
    Backslash,
    #[error("{0:?} does not take such a value")]
    Value(&'static str),
    #[error("{0:?} cannot be compared in this way")]
    Relation(&'static str),
    #[error("{0:?} has no such field")]
    Field(&'static str),
    #[error("only one free text is allowed for {0:?}")]
    SecondFreeText(&'static str),
    #[error("nothing can be sorted by this")]
    SortField,
    #[error("only `asc` or `desc` can follow the field to sort by")]
    SortDirection,
    #[error("only `page` can follow the direction")]
    AfterSort,
    #[error("`page` needs a number")]
    PageNumber,
    #[error("nothing can follow the page")]
    AfterPage,
    #[error("the search ends too early")]
    Incomplete,
}

/// An object as a search sees it.
pub(crate) trait Row {
    /// The value of a field, by its name in lower case. None if the object has none (NULL in the engine's database), and
    /// for names that mean nothing here.
    ///
    /// Statuses and other words of the engine have no underscores: `poweringup`. Memory is in MiB, `uptime` in seconds,
    /// usage in percent.
    fn value(&self, field: &str) -> Option<Value<'_>>;

    /// The objects of a kind that belong to this one: the host that a VM runs on, the VMs of a host, the data center of a
    /// cluster, the clusters of a data center, the VM, host and cluster of an event.
    fn related(&self, kind: Kind) -> Vec<Box<dyn Row + '_>>;
}

/// What a [`Row`] answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Text, ids and the engine's words.
    Text(Cow<'a, str>),
    Number(f64),
    Flag(bool),
    /// A moment in the engine's own time zone.
    Time(civil::DateTime),
    /// Each tag of the object, followed by the tags above it, nearest first.
    Tags(Vec<Vec<Cow<'a, str>>>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<civil::DateTime> for Value<'_> {
    fn from(time: civil::DateTime) -> Self {
        Self::Time(time)
    }
}

/// How a search is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The parameter `case_sensitive`, false by default.
    pub(crate) case_sensitive: bool,
    /// The time in the engine's own zone, for `today` and the like.
    pub(crate) now: civil::DateTime,
}

/// A search that the engine can take. Printed, it is a search that means the same.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    own: Object,
    /// Terms that stand next to each other all have to hold. Each of them is terms joined by `or`, and each of those terms
    /// joined by `and`.
    terms: Vec<Vec<Vec<Condition>>>,
    sort: Option<Sort>,
    /// The number of the page, from 1. Zero is before the first one.
    page: Option<u32>,
}

/// A term.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    /// What the term is about; None for what is searched for.
    subject: Option<Object>,
    /// None for a free text.
    field: Option<&'static Field>,
    relation: Relation,
    /// As it was written, without quotes.
    value: String,
    operand: Operand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

impl Relation {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::LessOrEqual => "<=",
            Self::GreaterOrEqual => ">=",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sort {
    field: &'static Field,
    is_descending: bool,
}

/// Reads a search for objects of a kind. The empty search selects them all.
pub(crate) fn parse(text: &str, of: Kind) -> Result<Query, Invalid> {
    syntax::parse(text, of.into())
}

impl Query {
    /// The page of `rows` that the search is for. `rows` are all there are, in the order that the collection has by itself;
    /// `max` is the size of a page: without it, all is on the first one.
    pub(crate) fn select<R: Row>(&self, rows: Vec<R>, max: Option<usize>, reading: Reading) -> Vec<R> {
        let mut found: Vec<R> = rows.into_iter().filter(|row| self.matches(row, reading)).collect();
        self.sort(&mut found);
        let page = self.page(found.len(), max);
        found.truncate(page.end);
        found.split_off(page.start)
    }

    /// A value that stands where only an id can, and is none. Nobody checks it before the engine's database, which makes
    /// the request fail with 400.
    pub(crate) fn malformed_id(&self) -> Option<&str> {
        let mut conditions = self.terms.iter().flatten().flatten();
        conditions.find_map(|condition| matches!(condition.operand, Operand::MalformedId).then_some(&*condition.value))
    }
}
