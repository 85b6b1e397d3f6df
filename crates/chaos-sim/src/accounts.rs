//! Who may come in, and what is told of whoever is in.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Everything.
    #[default]
    Administrator,
    /// Look at everything and operate VMs. An engine shows only what belongs to the user: no hosts, no counts.
    Operator,
    /// Look, as an operator does.
    ReadOnly,
}

/// An open session, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionInfo {
    /// Its public key; not what its cookie or its token holds.
    pub key: String,
    /// Its user.
    pub user: String,
    /// What the client calls itself.
    pub agent: String,
    /// How many calls it made.
    pub calls: u64,
    /// Paged answers that were neither read to the end nor cancelled.
    pub open_tokens: usize,
    /// Views that it keeps on the server.
    pub views: usize,
    /// Property filters that it keeps on the server.
    pub filters: usize,
    /// Private property collectors.
    pub collectors: usize,
}

/// Accounts and limits of a door's sessions.
#[derive(Debug, Clone)]
pub(crate) struct SessionRules {
    pub(crate) accounts: HashMap<String, (SecretString, Role)>,
    pub(crate) idle_limit: Duration,
    pub(crate) limit: usize,
}
