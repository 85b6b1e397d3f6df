//! What is enough for another process to find the same VM again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kind::PlatformKind;
use crate::platform::PlatformIdentity;

/// A VM, for any process that has the same settings: which kind of platform, which entry of the settings, which
/// server answered there, and which object it was.
///
/// The server's instance id is checked before anything is done to the VM, so that an entry which has since been
/// pointed at another server cannot hit a VM that happens to have the same object id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VMRef {
    /// The kind of platform.
    pub platform: PlatformKind,
    /// The entry in the settings that the server was reached by, such as `vsphere`.
    pub entry: String,
    /// The server's own instance id (vCenter: `about.instanceUuid`).
    pub instance: String,
    /// The object id on that server.
    pub id: String,
}

impl VMRef {
    /// The VM with object id `id` on the server `identity`.
    #[must_use]
    pub fn new(identity: &PlatformIdentity, id: impl Into<String>) -> Self {
        Self {
            platform: identity.kind.clone(),
            entry: identity.entry.clone(),
            instance: identity.instance.clone(),
            id: id.into(),
        }
    }

    /// Whether both are the same VM, whichever entry of the settings it was reached by.
    #[must_use]
    pub fn is_same_vm(&self, other: &Self) -> bool {
        (&self.platform, &self.instance, &self.id) == (&other.platform, &other.instance, &other.id)
    }

    /// Whether this VM is on the server `identity`.
    #[must_use]
    pub fn is_on(&self, identity: &PlatformIdentity) -> bool {
        self.platform == identity.kind && self.instance == identity.instance
    }
}

impl fmt::Display for VMRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entry, self.id)
    }
}
