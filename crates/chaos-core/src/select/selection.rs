//! A selection: a filter, and how many of the VMs that fit it are taken.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::select::choice::Choice;
use crate::select::filter::Filter;
use crate::select::parser;
use crate::select::selector_error::SelectorError;

/// What a selector says: which VMs, and how many of them, such as `cluster:prod take 20% at random max 1 per host`.
///
/// `Display` gives the canonical text, which reads as an equal selection.
///
/// ```
/// use chaos_core::{Candidate, PlatformKind, Selection, VMInfo, VMPowerState};
///
/// let vms = ["web-1", "web-2", "web-3", "db-1"]
///     .map(|name| VMInfo::new(name, name, VMPowerState::PoweredOn, PlatformKind::VSPHERE));
/// let candidates: Vec<Candidate> = vms.iter().map(|vm| Candidate::new(vm, "east")).collect();
///
/// let selection: Selection = "web-* and not web-2 take 1 at random".parse()?;
/// let picked = selection.choose(&candidates, 7)?;
/// assert_eq!((picked.vms.len(), picked.among.len(), picked.seed), (1, 2, Some(7)));
///
/// let error = "web-* and not web-9".parse::<Selection>()?.choose(&candidates, 7).unwrap_err();
/// assert!(error.to_string().contains("`web-9`"));
/// # Ok::<(), chaos_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// What a VM has to be.
    pub filter: Filter,
    /// How many of those that fit are taken; none means all.
    pub choice: Option<Choice>,
}

impl Selection {
    /// Every VM that fits `filter`.
    #[must_use]
    pub fn all_of(filter: Filter) -> Self {
        Self { filter, choice: None }
    }
}

impl From<Filter> for Selection {
    fn from(filter: Filter) -> Self {
        Self::all_of(filter)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)?;
        match &self.choice {
            Some(choice) => write!(f, " take {choice}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Selection {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parser::selection(text)
    }
}

impl Serialize for Selection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: String| text.parse().map_err(|error: SelectorError| error.one_line());
        read(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
