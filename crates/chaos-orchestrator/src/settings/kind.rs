//! What an entry of the settings can be.

use std::fmt;

use chaos_core::PlatformKind;
use serde::Serialize;

use super::keys::{Key, SECTIONS};

/// What an entry of the settings is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// A vCenter or an ESXi host.
    VSphere,
    /// An engine of Oracle Linux Virtualization Manager or oVirt.
    Olvm,
    /// A Dora inventory service.
    Dora,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::VSphere, Self::Olvm, Self::Dora];

    /// The word of `type`, which is also the plain name of an entry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VSphere => "vsphere",
            Self::Olvm => "olvm",
            Self::Dora => "dora",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether this build can open it: each has a cargo feature of its name.
    #[must_use]
    pub fn is_built_in(self) -> bool {
        match self {
            Self::VSphere => cfg!(feature = "vsphere"),
            Self::Olvm => cfg!(feature = "olvm"),
            Self::Dora => cfg!(feature = "dora"),
        }
    }

    /// The kind of platform in the vocabulary of `chaos-core`.
    #[must_use]
    pub fn platform(self) -> PlatformKind {
        match self {
            Self::VSphere => PlatformKind::VSPHERE,
            Self::Olvm => PlatformKind::OLVM,
            Self::Dora => PlatformKind::DORA,
        }
    }

    /// The keys of an entry of this kind.
    pub(crate) fn keys(self) -> &'static [Key] {
        let path = format!("platforms.{}", self.as_str());
        SECTIONS.iter().find(|section| section.path == path).map_or(&[], |section| section.keys)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
