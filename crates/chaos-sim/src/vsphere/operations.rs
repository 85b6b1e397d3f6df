//! Power operations, questions and tasks.

use super::dispatch::{Caller, Outcome, returned};
use super::fault::Fault;
use super::mo::{Flavour, Mo};
use super::value::Value;
use super::xml::Element;
use super::{Door, Privilege};
use crate::world::{DatacenterId, Operation, Refusal, TaskId, VmId};

impl Door {
    pub(super) fn operate(
        &self,
        vm: VmId,
        operation: Operation,
        privilege: &'static str,
        caller: &Caller<'_>,
    ) -> Outcome {
        let mo = Mo::Vm(vm);
        self.may_operate(&mo, privilege, caller)?;
        let begun = self.world.operate(vm, operation, &caller.user);
        let task = begun.map_err(|refusal| Fault::refused(&refusal, vm, self.site.flavour))?;
        Ok(returned(task.map(|task| Value::Ref(Mo::Task(task).reference(self.site.flavour)))))
    }

    /// `PowerOnMultiVM_Task`: one task that starts a task for each VM, and lists those that it could not start.
    pub(super) fn power_on_several(&self, call: &Element, datacenter: DatacenterId, caller: &Caller<'_>) -> Outcome {
        let flavour = self.site.flavour;
        let mo = Mo::Datacenter(datacenter);
        if flavour == Flavour::Esxi {
            return Err(Fault::method_not_found(&mo, &call.name, flavour).into());
        }
        self.may_operate(&mo, "VirtualMachine.Interact.PowerOn", caller)?;
        let vms = call
            .children("vm")
            .map(|vm| match Mo::parse(&vm.kind, &vm.text, flavour) {
                Some(Mo::Vm(id)) => Ok(id),
                _ => Err(Fault::not_found(&vm.kind, &vm.text)),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let task = self.world.with(|state| {
            let elsewhere = vms.iter().find(|vm| {
                let place = state.inventory.vms.get(vm).map(|vm| vm.place);
                place.and_then(|place| state.inventory.datacenter_of(place)).is_none_or(|of| of.id != datacenter)
            });
            match elsewhere {
                Some(_) => Err(Fault::invalid_argument("vm")),
                None => Ok(state.begin_joint_power_on(datacenter, &vms, &caller.user)),
            }
        })?;
        Ok(returned(Some(Value::Ref(Mo::Task(task).reference(flavour)))))
    }

    pub(super) fn answer_question(&self, call: &Element, vm: VmId, caller: &Caller<'_>) -> Outcome {
        self.may_operate(&Mo::Vm(vm), "VirtualMachine.Interact.AnswerQuestion", caller)?;
        let question = call.text_of("questionId").unwrap_or_default();
        let choice = call.text_of("answerChoice").unwrap_or_default();
        let answered = self.world.with(|state| state.answer(vm, question, choice));
        answered.map_err(|refusal| Fault::refused(&refusal, vm, self.site.flavour))?;
        Ok(String::new())
    }

    pub(super) fn cancel_task(&self, task: TaskId, caller: &Caller<'_>) -> Outcome {
        let mo = Mo::Task(task);
        self.may_operate(&mo, "Task.CancelTask", caller)?;
        let reference = mo.reference(self.site.flavour);
        self.world.with(|state| state.cancel(task)).map_err(|refusal| match refusal {
            Refusal::Gone => Fault::not_found(reference.kind, &reference.id),
            Refusal::TaskOver => Fault::plain("InvalidState", "The task is over."),
            _ => Fault::not_supported(),
        })?;
        Ok(String::new())
    }

    fn may_operate(&self, mo: &Mo, privilege: &'static str, caller: &Caller<'_>) -> Result<(), Fault> {
        self.demand(caller, Privilege::Power, mo, privilege)?;
        if self.site.is_read_only {
            return Err(Fault::restricted_version());
        }
        Ok(())
    }
}
