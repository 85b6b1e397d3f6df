//! Faults in the forms that servers are known to use.

use super::tree;
use crate::soap::fault::{Fault, FaultKind};
use crate::vim::{Answer, MoRef};

fn fault(detail: &str, message: &str) -> Fault {
    let tree = tree(&format!(
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{message}</faultstring><detail>{detail}</detail></soapenv:Fault>"
    ));
    *Answer::find(&tree).unwrap().unwrap_err()
}

#[test]
fn the_type_comes_from_xsi_type_and_the_element_is_its_fallback() {
    let gone = FaultKind::ManagedObjectNotFound { object: Some(MoRef::vm("vm-99999")) };
    let typed = fault(
        r#"<ManagedObjectNotFoundFault xmlns="urn:vim25" xsi:type="ManagedObjectNotFound"><obj type="VirtualMachine">vm-99999</obj></ManagedObjectNotFoundFault>"#,
        "The object has already been deleted",
    );
    assert_eq!(typed.kind, gone);
    assert_eq!(
        typed.to_string(),
        "ManagedObjectNotFound: VirtualMachine:vm-99999 (The object has already been deleted)"
    );
    let untyped = fault(
        r#"<ManagedObjectNotFoundFault xmlns="urn:vim25"><obj type="VirtualMachine">vm-99999</obj></ManagedObjectNotFoundFault>"#,
        "",
    );
    assert_eq!(untyped.kind, gone);
}

#[test]
fn a_missing_permission_names_the_privilege_and_the_object() {
    let old = fault(
        r#"<NoPermissionFault xmlns="urn:vim25" xsi:type="NoPermission"><object type="VirtualMachine">vm-1</object><privilegeId>VirtualMachine.Interact.PowerOff</privilegeId></NoPermissionFault>"#,
        "Permission to perform this operation was denied.",
    );
    let new = fault(
        r#"<NoPermissionFault xmlns="urn:vim25" xsi:type="NoPermission"><missingPrivileges><entity type="VirtualMachine">vm-1</entity><privilegeIds>VirtualMachine.Interact.PowerOff</privilegeIds></missingPrivileges></NoPermissionFault>"#,
        "Permission to perform this operation was denied.",
    );
    assert_eq!(old, new);
    assert_eq!(
        old.to_string(),
        "NoPermission: privilege VirtualMachine.Interact.PowerOff is missing on VirtualMachine:vm-1 (Permission to perform this operation was denied.)"
    );
}

#[test]
fn fields_that_decide_what_to_do_next_are_kept() {
    let state = fault(
        r#"<InvalidPowerStateFault xmlns="urn:vim25" xsi:type="vim25:InvalidPowerState"><faultCause><fault xsi:type="Later"/></faultCause><requestedState>poweredOff</requestedState><existingState>poweredOff</existingState></InvalidPowerStateFault>"#,
        "",
    );
    assert_eq!(
        state.kind,
        FaultKind::InvalidPowerState { requested: Some("poweredOff".into()), existing: Some("poweredOff".into()) }
    );
    let busy = fault(
        r#"<TaskInProgressFault xmlns="urn:vim25" xsi:type="TaskInProgress"><task type="Task">task-7</task></TaskInProgressFault>"#,
        "",
    );
    assert_eq!(busy.kind, FaultKind::TaskInProgress { task: Some(MoRef::new("Task", "task-7")) });
    let question = fault(
        r#"<QuestionPendingFault xmlns="urn:vim25" xsi:type="QuestionPending"><text>moved or copied?</text></QuestionPendingFault>"#,
        "",
    );
    assert_eq!(question.kind, FaultKind::QuestionPending { text: "moved or copied?".into() });
}

#[test]
fn an_unknown_fault_keeps_its_name_and_an_empty_one_its_code() {
    let later =
        fault(r#"<FromTheFutureFault xmlns="urn:vim25" xsi:type="FromTheFuture"><x><y/></x></FromTheFutureFault>"#, "");
    assert_eq!(later.to_string(), "FromTheFuture");
    assert_eq!(fault("", "bad").to_string(), "ServerFaultCode (bad)");
}
