//! The oVirt door: shows a world as an engine does, in its REST API.

pub(crate) mod search;
