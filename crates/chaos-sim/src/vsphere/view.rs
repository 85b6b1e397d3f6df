//! Views: server-side sets of objects that a session keeps.

use std::collections::BTreeSet;

use super::mo::{Mo, ViewKind};
use super::props::Scope;
use super::schema;

/// A view of a session.
#[derive(Debug, Clone)]
pub(super) enum View {
    /// Everything of some types below a container; follows the inventory.
    Container { root: Mo, kinds: Vec<String>, recursive: bool },
    /// A list that its owner keeps.
    List(Vec<Mo>),
}

impl View {
    pub(super) const fn kind(&self) -> ViewKind {
        match self {
            Self::Container { .. } => ViewKind::Container,
            Self::List(_) => ViewKind::List,
        }
    }

    /// The objects in it now.
    pub(super) fn members(&self, scope: &Scope<'_>) -> Vec<Mo> {
        match self {
            Self::List(members) => members.iter().filter(|mo| scope.exists(mo)).cloned().collect(),
            Self::Container { root, kinds, recursive } => {
                let mut found = Vec::new();
                let mut seen = BTreeSet::new();
                let mut waiting = vec![root.clone()];
                while let Some(container) = waiting.pop() {
                    for child in scope.children(&container) {
                        if !seen.insert(child.clone()) {
                            continue;
                        }
                        if kinds.is_empty() || kinds.iter().any(|kind| schema::is_a(child.kind(), kind)) {
                            found.push(child.clone());
                        }
                        if *recursive {
                            waiting.push(child);
                        }
                    }
                }
                found.sort();
                found
            }
        }
    }
}
