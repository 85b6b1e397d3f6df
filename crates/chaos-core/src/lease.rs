//! Leases: two runs never hold one target.

use std::fmt::{self, Debug};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::RunId;
use crate::error::Error;
use crate::fault::Target;

/// A number that grows with every lease that a store gives: of two leases of one target the one with the larger number
/// is the later one, whatever any clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FencingToken(u64);

impl FencingToken {
    /// The token with this number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// That a run holds a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lease {
    /// The target.
    pub target: Target,
    /// Its name or path, for people.
    pub name: String,
    /// The run that holds it.
    pub holder: RunId,
    /// Which of all leases it is.
    pub token: FencingToken,
    /// When it has to be renewed. A store that can tell whether the process of the holder lives goes by that alone.
    pub expires: Timestamp,
}

impl Lease {
    /// That `holder` holds `target`.
    #[must_use]
    pub fn new(
        target: Target,
        name: impl Into<String>,
        holder: RunId,
        token: FencingToken,
        expires: Timestamp,
    ) -> Self {
        Self { target, name: name.into(), holder, token, expires }
    }
}

/// Who holds what.
#[async_trait]
pub trait LeaseStore: Debug + Send + Sync + 'static {
    /// Gives `holder` the lease of each target, with its name for people, or none of them.
    ///
    /// A lease of a run whose process is dead is taken over only if that run left nothing changed, or was recovered.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if another run holds one of them, with the run and the way out.
    async fn acquire(&self, holder: &RunId, targets: &[(Target, String)], ttl: Duration) -> Result<Vec<Lease>, Error>;

    /// Makes leases last `ttl` from now.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if one of them is not held any more: whoever held it has to stop.
    async fn renew(&self, leases: &[Lease], ttl: Duration) -> Result<(), Error>;

    /// Gives leases back. One that is not held any more is passed over.
    ///
    /// # Errors
    /// If this cannot be written down.
    async fn release(&self, leases: &[Lease]) -> Result<(), Error>;
}
