//! Reading VMs directly, for decisions that must not rest on what may be an instant old.

use std::collections::HashMap;

use chaos_core::{Context, Error};

use crate::session::{Collect, Session};
use crate::vim::{FilterSpec, MoRef, ObjectContent, PropertyChange, PropertyValue, VmState};

/// VMs by id.
#[derive(Debug, Default)]
struct States(HashMap<String, VmState>);

impl Collect for States {
    fn object(&mut self, object: ObjectContent<'_>) {
        let Some(vm) = object.object() else { return };
        let state = self.0.entry(vm.id).or_default();
        for (path, value) in object.properties() {
            state.apply(&PropertyChange { path: path.to_owned(), value: Some(PropertyValue::read(value)) });
        }
    }
}

/// The present state of some VMs, in one read. A VM that does not exist is not in the answer.
pub(super) async fn read(session: &Session, cx: &Context, vms: &[MoRef]) -> Result<HashMap<String, VmState>, Error> {
    let properties = vec![("VirtualMachine", VmState::PATHS)];
    let spec = FilterSpec { properties, objects: vms.to_vec(), ..FilterSpec::default() };
    Ok(session.retrieve::<States>(cx, &spec).await?.0)
}
