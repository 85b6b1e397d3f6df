//! The search index: finding one object by path, UUID or host name.

use super::Door;
use super::dispatch::{Caller, Outcome};
use super::fault::Fault;
use super::mo::{Mo, unescape_name};
use super::props::Scope;
use super::xml::Element;
use crate::world::{Place, Vm};

impl Door {
    pub(super) fn search_call(&self, call: &Element, mo: &Mo, caller: &Caller<'_>) -> Outcome {
        let datacenter = match call.child("datacenter") {
            Some(reference) => match self.existing(reference, caller)? {
                Mo::Datacenter(id) => Some(id),
                _ => return Err(Fault::invalid_argument("datacenter").into()),
            },
            None => None,
        };
        let text = |name: &str| call.text_of(name).unwrap_or_default().to_owned();
        let is_there = |scope: &Scope<'_>, vm: &Vm| {
            datacenter.is_none() || scope.state.inventory.datacenter_of(vm.place).map(|of| of.id) == datacenter
        };
        let find = |matches: &dyn Fn(&Vm) -> bool| {
            self.scoped(Some(caller.cookie), |scope| {
                let vms = scope.state.inventory.vms.values();
                let found = vms.filter(|vm| is_there(scope, vm) && matches(vm)).map(|vm| Mo::Vm(vm.id));
                found.collect::<Vec<_>>()
            })
        };
        let mut found = match call.name.as_str() {
            "FindByInventoryPath" => {
                let path = text("inventoryPath");
                self.scoped(Some(caller.cookie), |scope| by_path(scope, &path)).into_iter().collect()
            }
            "FindByUuid" | "FindAllByUuid" => {
                if !call.flag("vmSearch") {
                    return Ok(String::new());
                }
                let (uuid, by_instance) = (text("uuid").to_ascii_lowercase(), call.flag("instanceUuid"));
                find(&|vm| vm.has_config && uuid == if by_instance { &*vm.instance_uuid } else { &*vm.bios_uuid })
            }
            "FindByDnsName" | "FindAllByDnsName" => {
                let name = text("dnsName");
                self.scoped(Some(caller.cookie), |scope| {
                    let vms = scope.state.inventory.vms.values().filter(|vm| is_there(scope, vm));
                    let named = vms.filter(|vm| {
                        let host_name = scope.property(&Mo::Vm(vm.id), "guest.hostName");
                        host_name.is_some_and(|found| found == super::value::Value::string(name.clone()))
                    });
                    named.map(|vm| Mo::Vm(vm.id)).collect()
                })
            }
            "FindByIp" | "FindAllByIp" => {
                let ip = text("ip");
                find(&|vm| vm.has_config && vm.tools_answer() && vm.ip_address == ip)
            }
            "FindChild" => {
                let entity = call.child("entity").ok_or_else(|| Fault::invalid_argument("entity"))?;
                let (entity, name) = (self.existing(entity, caller)?, unescape_name(&text("name")));
                self.scoped(Some(caller.cookie), |scope| child(scope, &entity, &name)).into_iter().collect()
            }
            other => return Err(Fault::method_not_found(mo, other, self.site.flavour).into()),
        };
        if !call.name.starts_with("FindAll") {
            found.truncate(1);
        }
        Ok(found.iter().map(|mo| self.returned_mo(mo)).collect())
    }
}

/// The entity at an inventory path such as `DC0/vm/folder/name`; names in it are escaped.
fn by_path(scope: &Scope<'_>, path: &str) -> Option<Mo> {
    let mut steps = path.split('/').filter(|step| !step.is_empty()).peekable();
    steps.peek()?;
    steps.try_fold(Mo::Root, |here, step| child(scope, &here, &unescape_name(step)))
}

fn child(scope: &Scope<'_>, parent: &Mo, name: &str) -> Option<Mo> {
    let place = match parent {
        Mo::VmFolder(id) => Some(Place::Datacenter(*id)),
        Mo::Folder(id) => Some(Place::Folder(*id)),
        Mo::App(id) => Some(Place::App(*id)),
        _ => None,
    };
    let vm = place.and_then(|place| scope.state.inventory.vm_named(place, name)).map(|vm| Mo::Vm(vm.id));
    let others = || {
        let children = scope.children(parent).into_iter().filter(|child| !matches!(child, Mo::Vm(_)));
        children.into_iter().find(|child| scope.name(child).as_deref() == Some(name))
    };
    vm.or_else(others)
}
