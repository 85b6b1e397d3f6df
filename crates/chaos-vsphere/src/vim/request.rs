//! A method call as a value: name, body, effect, and how to read the answer.

use std::fmt;
use std::time::Duration;

use chaos_xml::{Node, Tree};

use super::types::{MoRef, ReadError};
use crate::error::{CallError, Cause};
use crate::soap::envelope::Writer;
use crate::soap::fault::Fault;
use crate::soap::node::VimNode;

/// What sending a call twice would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It reads, or doing it twice equals doing it once: it may be sent again when its answer was lost.
    Repeatable,
    /// It changes something: when its answer was lost, only reading the state tells what happened.
    Once,
}

/// One method call that answers with a `T`.
pub(crate) struct Request<T> {
    method: &'static str,
    body: String,
    effect: Effect,
    patience: Option<Duration>,
    read: fn(&Answer<'_>) -> Result<T, ReadError>,
}

impl<T> Request<T> {
    pub(super) fn new(
        method: &'static str,
        effect: Effect,
        this: &MoRef,
        arguments: impl FnOnce(Writer) -> Writer,
        read: fn(&Answer<'_>) -> Result<T, ReadError>,
    ) -> Self {
        let body = arguments(Writer::method(method, this)).end(method);
        Self { method, body, effect, patience: None, read }
    }

    /// The method's name on the wire.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }

    /// The content of the SOAP body. It may hold a password: never log it.
    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    /// The server may be silent for so long before it answers.
    pub(super) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// How long the server may be silent, if that is not the ordinary limit.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// The failure of this call.
    pub(crate) fn failed(&self, cause: Cause) -> CallError {
        CallError { method: self.method, effect: self.effect, cause }
    }

    /// Reads the answer.
    pub(crate) fn read(&self, answer: &Answer<'_>) -> Result<T, ReadError> {
        (self.read)(answer)
    }
}

impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("effect", &self.effect).finish_non_exhaustive()
    }
}

/// The response element within the SOAP body of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'t>(Node<'t>);

impl<'t> Answer<'t> {
    /// Finds the response in a whole answer; the inner `Err` is the fault that the server sent instead.
    ///
    /// # Errors
    /// When the document is not a SOAP envelope with something in its body.
    pub(crate) fn find(tree: &'t Tree) -> Result<Result<Self, Box<Fault>>, NotSoap> {
        let envelope = tree.root().filter(|root| root.name() == "Envelope" && root.is_in_namespace()).ok_or(NotSoap)?;
        let body = envelope.child("Body").ok_or(NotSoap)?;
        let content = body.children().next().ok_or(NotSoap)?;
        if content.name() == "Fault" && content.is_in_namespace() {
            return Ok(Err(Box::new(Fault::from_soap(content))));
        }
        Ok(Ok(Self(content)))
    }

    /// The first `returnval`; `None` when the method returned nothing.
    pub(crate) fn value(self) -> Option<Node<'t>> {
        self.0.child("returnval").filter(|value| !value.is_nil())
    }

    /// All `returnval`s of a method that returns an array.
    pub(crate) fn values(self) -> impl Iterator<Item = Node<'t>> {
        self.0.children_named("returnval")
    }

    /// The first `returnval` of a method that always returns something.
    pub(crate) fn required(self) -> Result<Node<'t>, ReadError> {
        self.value().ok_or_else(|| self.lacks("returnval"))
    }

    /// The reference that a method returns.
    pub(crate) fn reference(self) -> Result<MoRef, ReadError> {
        MoRef::read(self.required()?).ok_or_else(|| self.lacks("managed object reference"))
    }

    pub(crate) fn lacks(self, missing: &'static str) -> ReadError {
        let name = self.0.name();
        ReadError { method: name.strip_suffix("Response").unwrap_or(name).chars().take(60).collect(), missing }
    }
}

/// The answer is XML but not a SOAP envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not a SOAP envelope")]
pub(crate) struct NotSoap;
