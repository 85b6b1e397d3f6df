//! The kind of a platform: an open name, so that a new platform needs no change here.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The kind of a platform, such as `vsphere`. Lower-case ASCII letters, digits and `-`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlatformKind(Cow<'static, str>);

impl PlatformKind {
    /// VMware vSphere: vCenter or a single ESXi host.
    pub const VSPHERE: Self = Self(Cow::Borrowed("vsphere"));
    /// Oracle Linux Virtualization Manager, which is oVirt.
    pub const OLVM: Self = Self(Cow::Borrowed("olvm"));
    /// The Dora inventory service, which can be read only.
    pub const DORA: Self = Self(Cow::Borrowed("dora"));

    /// A kind by its name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the name is empty or has other characters
    /// than lower-case ASCII letters, digits and `-`.
    pub fn new(name: impl Into<String>) -> Result<Self, crate::Error> {
        let name = name.into();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(crate::Error::new(
                crate::ErrorKind::Configuration,
                format!("`{name}` is not a platform kind: use lower-case letters, digits and `-`"),
            ));
        }
        Ok(Self(Cow::Owned(name)))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlatformKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PlatformKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for PlatformKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PlatformKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
