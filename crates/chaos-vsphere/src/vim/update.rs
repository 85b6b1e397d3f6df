//! `UpdateSet`: what changed on watched objects, as one long poll answers it.

use chaos_xml::Node;

use super::property::{MissingProperty, missing};
use super::request::Answer;
use super::state::Question;
use super::types::{MoRef, ReadError};
use crate::soap::fault::Fault;
use crate::soap::node::VimNode;

/// All changes since the version that was asked for, in the order in which they have to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpdateSet {
    /// To be sent with the next wait. Opaque.
    pub(crate) version: String,
    /// There is more: ask again at once.
    pub(crate) truncated: bool,
    pub(crate) objects: Vec<ObjectUpdate>,
}

/// What changed on one object, as seen by one filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectUpdate {
    pub(crate) filter: MoRef,
    pub(crate) kind: ChangeKind,
    pub(crate) object: MoRef,
    pub(crate) changes: Vec<PropertyChange>,
    pub(crate) missing: Vec<MissingProperty>,
}

/// Whether the object came into the filter, changed or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// With every property that the filter asks for.
    Enter,
    /// With those that changed.
    Modify,
    /// Destroyed, or no longer selected.
    Leave,
}

/// One property and its new value; `None` when it is now unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PropertyChange {
    pub(crate) path: String,
    pub(crate) value: Option<PropertyValue>,
}

/// A value, as far as its shape matters to anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PropertyValue {
    /// Any scalar: text, number, boolean, time, or an enumeration of any version.
    Scalar(String),
    Reference(MoRef),
    /// `ArrayOfManagedObjectReference`.
    References(Vec<MoRef>),
    /// `ArrayOf…` of scalars.
    Scalars(Vec<String>),
    /// `LocalizedMethodFault`.
    Fault(Box<Fault>),
    /// `VirtualMachineQuestionInfo`.
    Question(Question),
    /// Any other structure, by its type name.
    Other(String),
}

impl PropertyValue {
    pub(crate) fn read(value: Node<'_>) -> Self {
        let name = value.xsi_type().unwrap_or_default();
        if let Some(reference) = MoRef::read(value).filter(|_| value.is_leaf()) {
            return Self::Reference(reference);
        }
        match name {
            "LocalizedMethodFault" => Self::Fault(Box::new(Fault::from_localized(value))),
            "VirtualMachineQuestionInfo" => Self::Question(Question::read(value)),
            "ArrayOfManagedObjectReference" => Self::References(value.children().filter_map(MoRef::read).collect()),
            _ if name.starts_with("ArrayOf") => Self::Scalars(
                value.children().filter(|item| item.is_leaf()).map(|item| item.text().to_owned()).collect(),
            ),
            _ if value.is_leaf() => Self::Scalar(value.text().to_owned()),
            _ => Self::Other(name.to_owned()),
        }
    }

    /// The scalar's text.
    pub(crate) fn as_scalar(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

impl UpdateSet {
    /// `None` when the wait ended without a change.
    pub(super) fn read(answer: &Answer<'_>) -> Result<Option<Self>, ReadError> {
        let Some(set) = answer.value() else { return Ok(None) };
        let mut objects = Vec::new();
        for filter_set in set.children_named("filterSet") {
            let filter = filter_set.child("filter").and_then(MoRef::read).ok_or_else(|| answer.lacks("filter"))?;
            for update in filter_set.children_named("objectSet") {
                if let Some(update) = read_object(update, &filter) {
                    objects.push(update);
                }
            }
        }
        Ok(Some(Self {
            version: set.child_value("version").ok_or_else(|| answer.lacks("version"))?.to_owned(),
            truncated: set.child_value("truncated").and_then(super::types::boolean).unwrap_or(false),
            objects,
        }))
    }
}

/// `None` for an update that names no object or a kind of change that nobody knows.
fn read_object(update: Node<'_>, filter: &MoRef) -> Option<ObjectUpdate> {
    let kind = match update.child_value("kind")?.trim() {
        "enter" => ChangeKind::Enter,
        "modify" => ChangeKind::Modify,
        "leave" => ChangeKind::Leave,
        _ => return None,
    };
    Some(ObjectUpdate {
        filter: filter.clone(),
        kind,
        object: update.child("obj").and_then(MoRef::read)?,
        changes: update.children_named("changeSet").filter_map(read_change).collect(),
        missing: missing(update).collect(),
    })
}

fn read_change(change: Node<'_>) -> Option<PropertyChange> {
    // `remove` and `indirectRemove` say that it is gone, as does `assign` without a value.
    let gone = matches!(change.child_value("op").map(str::trim), Some("remove" | "indirectRemove"));
    let value = change.child("val").filter(|value| !gone && !value.is_nil());
    Some(PropertyChange { path: change.child_value("name")?.trim().to_owned(), value: value.map(PropertyValue::read) })
}
