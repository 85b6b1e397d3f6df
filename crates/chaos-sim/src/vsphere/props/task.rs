//! Properties of a `Task`.

use super::Scope;
use crate::vsphere::fault::Fault;
use crate::vsphere::mo::{Mo, escape_name};
use crate::vsphere::value::{Struct, Value};
use crate::world::{Failure, Operation, Task, TaskOwner, TaskState};

/// `Task.info`.
pub(super) fn info(scope: &Scope<'_>, task: &Task) -> Struct {
    let reference = scope.reference(&Mo::Task(task.id));
    let (name, description, entity) = match task.id.owner {
        TaskOwner::Vm(vm) => {
            let (name, description) = names(task.operation);
            (name, description, Mo::Vm(vm))
        }
        TaskOwner::Datacenter(id) => ("PowerOnMultiVM_Task", "Datacenter.powerOnVm", Mo::Datacenter(id)),
    };
    let (state, progress, error) = match &task.state {
        TaskState::Queued => ("queued", None, None),
        TaskState::Running { progress } => ("running", Some(*progress), None),
        TaskState::Succeeded => ("success", None, None),
        TaskState::Failed(failure) => ("error", None, Some(Fault::failed(failure).localized())),
    };
    let moment = |elapsed| scope.state.timestamp(elapsed);
    let entity_name = scope.name(&entity).map(|name| escape_name(&name));
    Struct::new("TaskInfo")
        .with("key", reference.id.clone())
        .with("task", reference)
        .with("name", name)
        .with("descriptionId", description)
        .with("entity", scope.reference(&entity))
        .with_some("entityName", entity_name)
        .with("state", Value::constant("TaskInfoState", state))
        .with("cancelled", task.state == TaskState::Failed(Failure::Cancelled))
        .with("cancelable", scope.state.is_cancelable(task))
        .with_some("error", error)
        .with_some("result", joint_result(scope, task))
        .with_some("progress", progress.map(Value::int))
        .with("reason", Value::from(Struct::new("TaskReasonUser").with("userName", task.user.clone())).typed())
        .with("queueTime", moment(task.queued))
        .with_some("startTime", task.started.map(moment))
        .with_some("completeTime", task.finished.map(moment))
        .with("eventChainId", Value::int(task.id.number))
}

const fn names(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::PowerOn => ("PowerOnVM_Task", "VirtualMachine.powerOn"),
        Operation::PowerOff => ("PowerOffVM_Task", "VirtualMachine.powerOff"),
        Operation::Reset => ("ResetVM_Task", "VirtualMachine.reset"),
        Operation::Suspend => ("SuspendVM_Task", "VirtualMachine.suspend"),
        Operation::ShutdownGuest => ("ShutdownGuest", "VirtualMachine.shutdownGuest"),
        Operation::RebootGuest => ("RebootGuest", "VirtualMachine.rebootGuest"),
        Operation::StandbyGuest => ("StandbyGuest", "VirtualMachine.standbyGuest"),
        Operation::Terminate => ("TerminateVM", "VirtualMachine.terminate"),
    }
}

/// The `ClusterPowerOnVmResult` of a task that powers on several VMs.
fn joint_result(scope: &Scope<'_>, task: &Task) -> Option<Value> {
    if !matches!(task.id.owner, TaskOwner::Datacenter(_)) || task.state != TaskState::Succeeded {
        return None;
    }
    let mut attempted = Vec::new();
    let mut not_attempted = Vec::new();
    for (vm, begun) in &task.members {
        let reference = scope.reference(&Mo::Vm(*vm));
        match begun {
            Ok(task) => attempted.push(
                Struct::new("ClusterAttemptedVmInfo")
                    .with("vm", reference)
                    .with("task", scope.reference(&Mo::Task(*task)))
                    .into(),
            ),
            Err(refusal) => not_attempted.push(
                Struct::new("ClusterNotAttemptedVmInfo")
                    .with("vm", reference)
                    .with("fault", Fault::refused(refusal, *vm, scope.flavour()).localized())
                    .into(),
            ),
        }
    }
    let result = Struct::new("ClusterPowerOnVmResult")
        .with("attempted", Value::List("ClusterAttemptedVmInfo", attempted))
        .with("notAttempted", Value::List("ClusterNotAttemptedVmInfo", not_attempted));
    Some(Value::from(result).typed())
}
