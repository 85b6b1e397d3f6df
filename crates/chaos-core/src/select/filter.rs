//! A filter: what is said about VMs, joined by `and`, `or` and `not`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::select::atom::Atom;
use crate::select::candidate::Candidate;
use crate::select::parser;
use crate::select::pattern::TargetPattern;
use crate::select::selector_error::SelectorError;

/// What a VM has to be, such as `cluster:prod and not (db-* or state:off)`.
///
/// `Display` gives the canonical text, which reads as an equal filter; two filters are equal if these texts are.
///
/// ```
/// use chaos_core::{Candidate, Filter, PlatformKind, VMInfo, VMPowerState};
///
/// let filter: Filter = "(cluster:\"prod\") and not db-*".parse().unwrap();
/// assert_eq!(filter.to_string(), "cluster:prod and not db-*");
///
/// let mut vm = VMInfo::new("web-01", "vm-1", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
/// assert!(!filter.matches(&Candidate::new(&vm, "east")));
/// vm.cluster = Some("prod".into());
/// assert!(filter.matches(&Candidate::new(&vm, "east")));
/// ```
#[derive(Clone)]
pub struct Filter {
    pub(super) root: Node,
}

/// A part of a filter. `And` and `Or` hold at least two parts, none of their own kind.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Atom(Atom),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

impl Filter {
    /// Whether it is true of a VM by itself. A name fits every VM that bears it in full, and as a glob every VM that it
    /// fits, templates too. What a filter means over a whole inventory is told by
    /// [`Selection::choose`](super::Selection::choose).
    #[must_use]
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        self.root.matches(candidate)
    }

    /// Every name, id, path and regular expression that it holds, also behind `not`.
    #[must_use]
    pub fn targets(&self) -> Vec<&TargetPattern> {
        let mut targets = Vec::new();
        self.root.collect_targets(&mut targets);
        targets
    }
}

impl Node {
    fn collect_targets<'f>(&'f self, targets: &mut Vec<&'f TargetPattern>) {
        match self {
            Self::Atom(Atom::Target(target)) => targets.push(target),
            Self::Atom(_) => {}
            Self::Not(part) => part.collect_targets(targets),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_targets(targets)),
        }
    }

    fn matches(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Self::Atom(atom) => atom.matches(candidate),
            Self::Not(part) => !part.matches(candidate),
            Self::And(parts) => parts.iter().all(|part| part.matches(candidate)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(candidate)),
        }
    }

    fn write_joined(
        f: &mut fmt::Formatter<'_>,
        parts: &[Self],
        word: &str,
        encloses: fn(&Self) -> bool,
    ) -> fmt::Result {
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                write!(f, " {word} ")?;
            }
            part.write(f, encloses(part))?;
        }
        Ok(())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, enclosed: bool) -> fmt::Result {
        if enclosed { write!(f, "({self})") } else { fmt::Display::fmt(self, f) }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atom(atom) => atom.fmt(f),
            Self::Not(part) => {
                f.write_str("not ")?;
                part.write(f, matches!(**part, Self::And(_) | Self::Or(_)))
            }
            Self::And(parts) => Self::write_joined(f, parts, "and", |part| matches!(part, Self::Or(_))),
            Self::Or(parts) => Self::write_joined(f, parts, "or", |_| false),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Filter {}

impl FromStr for Filter {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parser::filter(text)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: String| text.parse().map_err(|error: SelectorError| error.one_line());
        read(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
