//! Faults, typed as far as a client acts on them: the same type for a call that is refused and for a task that failed.

use std::fmt;

use chaos_xml::Node;

use super::node::VimNode;
use crate::vim::MoRef;

/// What the server says went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// The server's own words, possibly empty. In the session's locale: for people, never to be matched.
    pub(crate) message: String,
}

/// The faults that a client treats differently, with the fields that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    InvalidLogin,
    /// The session is gone, or (rarely) the user may not do this on a live one.
    NotAuthenticated {
        object: Option<MoRef>,
        privilege: Option<String>,
    },
    NoPermission {
        object: Option<MoRef>,
        privilege: Option<String>,
    },
    /// States are the wire's words: `poweredOn`, `poweredOff`, `suspended`.
    InvalidPowerState {
        requested: Option<String>,
        existing: Option<String>,
    },
    ToolsUnavailable,
    TaskInProgress {
        task: Option<MoRef>,
    },
    ManagedObjectNotFound {
        object: Option<MoRef>,
    },
    QuestionPending {
        text: String,
    },
    InvalidState,
    NotSupported,
    /// The free ESXi licence: it lets everybody read and nobody write.
    RestrictedVersion,
    /// Another product has disabled the method.
    MethodDisabled {
        source: Option<String>,
    },
    MethodNotFound {
        method: Option<String>,
    },
    InvalidCollectorVersion,
    RequestCanceled,
    HostNotConnected,
    HostCommunication,
    InvalidProperty {
        name: Option<String>,
    },
    InvalidArgument {
        property: Option<String>,
    },
    SystemError {
        reason: Option<String>,
    },
    /// Any other, by its type name.
    Other(String),
}

impl Fault {
    /// Reads `soapenv:Fault`: the type is the `xsi:type` of the detail, or else its element name without the suffix
    /// `Fault`.
    pub(crate) fn from_soap(fault: Node<'_>) -> Self {
        let message = fault.child_value("faultstring").unwrap_or_default().trim().to_owned();
        match fault.child("detail").and_then(|detail| detail.children().next()) {
            Some(detail) => {
                let name = detail.name();
                let fallback = name.strip_suffix("Fault").filter(|rest| !rest.is_empty()).unwrap_or(name);
                Self { kind: FaultKind::read(detail, fallback), message }
            }
            None => Self {
                kind: FaultKind::Other(fault.child_value("faultcode").unwrap_or("Fault").trim().to_owned()),
                message,
            },
        }
    }

    /// Reads a `LocalizedMethodFault`: `fault` with its type, and `localizedMessage`.
    pub(crate) fn from_localized(node: Node<'_>) -> Self {
        let message = node.child_value("localizedMessage").unwrap_or_default().trim().to_owned();
        match node.child("fault") {
            Some(fault) => Self { kind: FaultKind::read(fault, "MethodFault"), message },
            None => Self { kind: FaultKind::Other("MethodFault".to_owned()), message },
        }
    }

    /// Forgets which object a privilege is missing on, so that the same fault on many objects reads the same.
    pub(crate) fn forget_object(&mut self) {
        if let FaultKind::NotAuthenticated { object, .. } | FaultKind::NoPermission { object, .. } = &mut self.kind {
            *object = None;
        }
    }

    /// The type name as the API documents it.
    pub(crate) fn name(&self) -> &str {
        match &self.kind {
            FaultKind::InvalidLogin => "InvalidLogin",
            FaultKind::NotAuthenticated { .. } => "NotAuthenticated",
            FaultKind::NoPermission { .. } => "NoPermission",
            FaultKind::InvalidPowerState { .. } => "InvalidPowerState",
            FaultKind::ToolsUnavailable => "ToolsUnavailable",
            FaultKind::TaskInProgress { .. } => "TaskInProgress",
            FaultKind::ManagedObjectNotFound { .. } => "ManagedObjectNotFound",
            FaultKind::QuestionPending { .. } => "QuestionPending",
            FaultKind::InvalidState => "InvalidState",
            FaultKind::NotSupported => "NotSupported",
            FaultKind::RestrictedVersion => "RestrictedVersion",
            FaultKind::MethodDisabled { .. } => "MethodDisabled",
            FaultKind::MethodNotFound { .. } => "MethodNotFound",
            FaultKind::InvalidCollectorVersion => "InvalidCollectorVersion",
            FaultKind::RequestCanceled => "RequestCanceled",
            FaultKind::HostNotConnected => "HostNotConnected",
            FaultKind::HostCommunication => "HostCommunication",
            FaultKind::InvalidProperty { .. } => "InvalidProperty",
            FaultKind::InvalidArgument { .. } => "InvalidArgument",
            FaultKind::SystemError { .. } => "SystemError",
            FaultKind::Other(name) => name,
        }
    }
}

impl FaultKind {
    fn read(node: Node<'_>, fallback: &str) -> Self {
        let text =
            |name: &str| node.child_value(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let reference = |name: &str| node.child(name).and_then(MoRef::read);
        match node.xsi_type().filter(|name| !name.is_empty()).unwrap_or(fallback) {
            "InvalidLogin" => Self::InvalidLogin,
            "NotAuthenticated" => {
                let (object, privilege) = permission(node);
                Self::NotAuthenticated { object, privilege }
            }
            "NoPermission" => {
                let (object, privilege) = permission(node);
                Self::NoPermission { object, privilege }
            }
            "InvalidPowerState" => {
                Self::InvalidPowerState { requested: text("requestedState"), existing: text("existingState") }
            }
            "ToolsUnavailable" => Self::ToolsUnavailable,
            "TaskInProgress" => Self::TaskInProgress { task: reference("task") },
            "ManagedObjectNotFound" => Self::ManagedObjectNotFound { object: reference("obj") },
            "QuestionPending" => Self::QuestionPending { text: text("text").unwrap_or_default() },
            "InvalidState" => Self::InvalidState,
            "NotSupported" => Self::NotSupported,
            "RestrictedVersion" => Self::RestrictedVersion,
            "MethodDisabled" => Self::MethodDisabled { source: text("source") },
            "MethodNotFound" | "NotImplemented" => Self::MethodNotFound { method: text("method") },
            "InvalidCollectorVersion" => Self::InvalidCollectorVersion,
            "RequestCanceled" => Self::RequestCanceled,
            "HostNotConnected" => Self::HostNotConnected,
            "HostCommunication" => Self::HostCommunication,
            "InvalidProperty" => Self::InvalidProperty { name: text("name") },
            "InvalidArgument" => Self::InvalidArgument { property: text("invalidProperty") },
            "SystemError" => Self::SystemError { reason: text("reason") },
            other => Self::Other(other.chars().take(80).collect()),
        }
    }
}

/// `object` and `privilegeId`, or since 8.0 the first of `missingPrivileges`.
fn permission(node: Node<'_>) -> (Option<MoRef>, Option<String>) {
    let missing = node.child("missingPrivileges");
    let object = node.child("object").and_then(MoRef::read).or_else(|| missing?.child("entity").and_then(MoRef::read));
    let privilege = node.child_value("privilegeId").or_else(|| missing?.child_value("privilegeIds"));
    (object, privilege.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::NotAuthenticated { object, privilege } | FaultKind::NoPermission { object, privilege } => {
                f.write_str(self.name())?;
                if let Some(privilege) = privilege {
                    write!(f, ": privilege {privilege} is missing")?;
                }
                if let Some(object) = object {
                    write!(f, " on {object}")?;
                }
            }
            FaultKind::InvalidPowerState { requested, existing } => {
                f.write_str("InvalidPowerState")?;
                if let Some(existing) = existing {
                    write!(f, ": the VM is {existing}")?;
                }
                if let Some(requested) = requested {
                    write!(f, " (state {requested} concerned)")?;
                }
            }
            FaultKind::TaskInProgress { task: Some(task) } => write!(f, "TaskInProgress: {task} is running")?,
            FaultKind::ManagedObjectNotFound { object: Some(object) } => write!(f, "ManagedObjectNotFound: {object}")?,
            FaultKind::QuestionPending { text } => write!(f, "QuestionPending: {text}")?,
            FaultKind::MethodDisabled { source: Some(source) } => write!(f, "MethodDisabled by {source}")?,
            FaultKind::MethodNotFound { method: Some(method) } => write!(f, "MethodNotFound: {method}")?,
            FaultKind::InvalidProperty { name: Some(name) } => write!(f, "InvalidProperty: {name}")?,
            FaultKind::InvalidArgument { property: Some(property) } => write!(f, "InvalidArgument: {property}")?,
            FaultKind::SystemError { reason: Some(reason) } => write!(f, "SystemError: {reason}")?,
            _ => f.write_str(self.name())?,
        }
        if self.message.is_empty() { Ok(()) } else { write!(f, " ({})", self.message) }
    }
}
