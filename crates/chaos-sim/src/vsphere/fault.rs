//! Faults of the API, as a SOAP fault or inside a task or a list of missing properties.

use std::borrow::Cow;

use super::mo::{Flavour, Mo};
use super::value::{Struct, Value, text_element};
use crate::world::{Failure, Power, Reach, Refusal, VmId};

/// A fault: its data and the message for people.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) data: Struct,
    pub(super) message: Cow<'static, str>,
}

impl Fault {
    fn new(data: Struct, message: impl Into<Cow<'static, str>>) -> Self {
        Self { data, message: message.into() }
    }

    /// Without data of its own.
    pub(super) fn plain(kind: &'static str, message: &'static str) -> Self {
        Self::new(Struct::new(kind), message)
    }

    /// The name of its type.
    pub(super) const fn kind(&self) -> &'static str {
        self.data.kind
    }

    pub(super) fn invalid_login() -> Self {
        Self::plain("InvalidLogin", "Cannot complete login due to an incorrect user name or password.")
    }

    pub(super) fn not_authenticated(object: &Mo, privilege: &'static str, flavour: Flavour) -> Self {
        let data =
            Struct::new("NotAuthenticated").with("object", object.reference(flavour)).with("privilegeId", privilege);
        Self::new(data, "The session is not authenticated.")
    }

    pub(super) fn no_permission(object: &Mo, privilege: &'static str, flavour: Flavour) -> Self {
        let data = Struct::new("NoPermission").with("object", object.reference(flavour)).with("privilegeId", privilege);
        Self::new(data, "Permission to perform this operation was denied.")
    }

    /// `kind` and `id` as they were sent.
    pub(super) fn not_found(kind: &str, id: &str) -> Self {
        // The type is written back as it came where the server knows it.
        let kind = super::props::known_kind(kind);
        let data = Struct::new("ManagedObjectNotFound").with("obj", super::value::Ref { kind, id: id.to_owned() });
        Self::new(data, format!("The object '{kind}:{id}' has already been deleted or has not been completely created"))
    }

    pub(super) fn method_not_found(object: &Mo, method: &str, flavour: Flavour) -> Self {
        let data =
            Struct::new("MethodNotFound").with("receiver", object.reference(flavour)).with("method", method.to_owned());
        Self::new(data, format!("The method {method} is not supported on this object."))
    }

    pub(super) fn invalid_argument(property: &str) -> Self {
        let data = Struct::new("InvalidArgument").with("invalidProperty", property.to_owned());
        Self::new(data, format!("A specified parameter was not correct: {property}"))
    }

    pub(super) fn invalid_property(name: &str) -> Self {
        Self::new(Struct::new("InvalidProperty").with("name", name.to_owned()), "")
    }

    pub(super) fn invalid_request(message: String) -> Self {
        Self::new(Struct::new("InvalidRequest"), message)
    }

    pub(super) fn not_supported() -> Self {
        Self::plain("NotSupported", "The operation is not supported on the object.")
    }

    pub(super) fn request_canceled() -> Self {
        Self::plain("RequestCanceled", "The request was canceled.")
    }

    pub(super) fn restricted_version() -> Self {
        Self::plain(
            "RestrictedVersion",
            "Current license or ESXi version prohibits execution of the requested operation.",
        )
    }

    /// A fault made on demand: any type, with a message.
    pub(super) fn injected(kind: &str) -> Self {
        Self::new(Struct::new(super::props::known_fault(kind)), "a fault injected into the simulator")
    }

    /// Why an operation on a VM was refused.
    pub(super) fn refused(refusal: &Refusal, vm: VmId, flavour: Flavour) -> Self {
        match refusal {
            Refusal::Gone => {
                let vm = Mo::Vm(vm).reference(flavour);
                Self::not_found(vm.kind, &vm.id)
            }
            Refusal::Busy(task) => {
                let data = Struct::new("TaskInProgress").with("task", Mo::Task(*task).reference(flavour));
                Self::new(data, "Another task is already in progress.")
            }
            Refusal::WrongPower { wanted, existing } => Self::wrong_power(*wanted, *existing),
            Refusal::NotSupported | Refusal::NotCancelable => Self::not_supported(),
            Refusal::NoTools => Self::plain(
                "ToolsUnavailable",
                "Cannot complete operation because VMware Tools is not running in this virtual machine.",
            ),
            Refusal::Unreachable(Reach::Disconnected) => {
                Self::plain("HostNotConnected", "Unable to communicate with the remote host, since it is disconnected.")
            }
            Refusal::Unreachable(_) => {
                Self::plain("InvalidState", "The operation is not allowed in the current connection state of the VM.")
            }
            Refusal::HostInMaintenance | Refusal::TaskOver => {
                Self::plain("InvalidState", "The operation is not allowed in the current state.")
            }
            Refusal::NoSuchQuestion => Self::invalid_argument("questionId"),
        }
    }

    /// Why a task failed.
    pub(super) fn failed(failure: &Failure) -> Self {
        match failure {
            Failure::OutOfResources => Self::plain(
                "InsufficientResourcesFault",
                "The operation cannot be performed due to insufficient resources.",
            ),
            Failure::FileLocked => Self::new(
                Struct::new("FileLocked").with("file", "[datastore1] disk.vmdk"),
                "Unable to access a file since it is locked",
            ),
            Failure::HostLost => Self::plain("HostCommunication", "Unable to communicate with the remote host."),
            Failure::Internal(reason) => Self::new(
                Struct::new("SystemError").with("reason", reason.clone()),
                format!("A general system error occurred: {reason}"),
            ),
            Failure::WrongPower { wanted, existing } => Self::wrong_power(*wanted, *existing),
            Failure::Declined => {
                Self::plain("InvalidState", "The operation was declined by the answer to the pending question.")
            }
            Failure::Cancelled => Self::plain("RequestCanceled", "The task was canceled by a user."),
        }
    }

    fn wrong_power(wanted: Power, existing: Power) -> Self {
        let data = Struct::new("InvalidPowerState")
            .with("requestedState", Value::constant("VirtualMachinePowerState", power_state(wanted)))
            .with("existingState", Value::constant("VirtualMachinePowerState", power_state(existing)));
        let words = match existing {
            Power::On => "Powered on",
            Power::Off => "Powered off",
            Power::Suspended => "Suspended",
        };
        Self::new(data, format!("The attempted operation cannot be performed in the current state ({words})."))
    }

    /// As a `LocalizedMethodFault`, as it stands in tasks and missing sets.
    pub(super) fn localized(&self) -> Struct {
        Struct::new("LocalizedMethodFault")
            .with("fault", Value::Struct(self.data.clone()).typed())
            .with("localizedMessage", Value::Text("xsd:string", self.message.clone()))
    }

    /// Writes it as the SOAP fault of an answer.
    pub(super) fn write(&self, out: &mut String) {
        out.push_str("<soapenv:Fault><faultcode>ServerFaultCode</faultcode>");
        text_element(out, "faultstring", &self.message);
        let kind = self.data.kind;
        out.push_str("<detail><");
        out.push_str(kind);
        out.push_str("Fault xmlns=\"urn:vim25\" xsi:type=\"");
        out.push_str(kind);
        out.push_str("\">");
        self.data.write_members(out);
        out.push_str("</");
        out.push_str(kind);
        out.push_str("Fault></detail></soapenv:Fault>");
    }
}

/// The API's word for a power state.
pub(super) const fn power_state(power: Power) -> &'static str {
    match power {
        Power::On => "poweredOn",
        Power::Off => "poweredOff",
        Power::Suspended => "suspended",
    }
}
