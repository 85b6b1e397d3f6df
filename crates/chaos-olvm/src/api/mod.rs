//! The REST API as pure functions: requests as values, and what is understood of the answers.
//!
//! Answers are XML: in JSON the engine writes most numbers and booleans as texts. Only direct children of an element are
//! read, since the same names (`name`, `status`, `type`) occur at many depths of a VM.

pub(crate) mod action;
#[cfg(test)]
mod documents;
pub(crate) mod event;
pub(crate) mod fault;
pub(crate) mod page;
pub(crate) mod place;
pub(crate) mod request;
pub(crate) mod right;
pub(crate) mod search;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod vm;

use chaos_xml::{AttributeName, Vocabulary};

/// What is kept of a document beside names and text. The API uses no namespaces.
pub(crate) static VOCABULARY: Vocabulary = Vocabulary { namespace: None, attributes: &[AttributeName::plain("id")] };
