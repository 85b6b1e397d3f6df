//! Which power operations the account may use: `AuthorizationManager.HasPrivilegeOnEntities`.

use chaos_core::{Context, Error, ErrorKind, Operation, PlatformKind, PowerRights, VMRef};

use crate::session::{Collect, Session};
use crate::vim::{self, FilterSpec, MoRef, ObjectContent};

/// The privileges of the power operations, by the operation that needs them.
const PRIVILEGES: [(Operation, &str); 4] = [
    (Operation::PowerOn, "VirtualMachine.Interact.PowerOn"),
    (Operation::PowerOff, "VirtualMachine.Interact.PowerOff"),
    (Operation::Reboot, "VirtualMachine.Interact.Reset"),
    (Operation::Suspend, "VirtualMachine.Interact.Suspend"),
];

/// The property that says which session this is.
const SESSION_KEY: &str = "currentSession.key";

/// The key of the session.
#[derive(Default)]
struct Key(Option<String>);

impl Collect for Key {
    fn object(&mut self, object: ObjectContent<'_>) {
        let key = object.properties().find(|(path, _)| *path == SESSION_KEY);
        self.0 = key.map(|(_, value)| value.text().trim().to_owned()).or(self.0.take());
    }
}

/// Which power operations the account may use on `vms`: two requests.
pub(crate) async fn read(session: &Session, cx: &Context, vms: &[&VMRef]) -> Result<PowerRights, Error> {
    let content = session.content();
    let Some(manager) = &content.authorization_manager else { return Err(cannot_tell()) };
    let spec = FilterSpec {
        properties: vec![("SessionManager", &[SESSION_KEY])],
        objects: vec![content.session_manager.clone()],
        ..FilterSpec::default()
    };
    let Key(key) = session.retrieve(cx, &spec).await?;
    let key = key.ok_or_else(cannot_tell)?;
    let entities: Vec<MoRef> = vms.iter().map(|vm| MoRef::vm(&vm.id)).collect();
    let privileges = PRIVILEGES.map(|(_, privilege)| privilege);
    let request = vim::has_privilege_on_entities(manager, &entities, &key, &privileges);
    let granted = session.call(cx, &request).await?;
    let mut rights = PowerRights::none(vms.len(), PRIVILEGES);
    for right in &mut rights.rights {
        right.granted = granted.iter().filter(|privilege| **privilege == right.privilege).count();
    }
    Ok(rights)
}

fn cannot_tell() -> Error {
    Error::new(ErrorKind::Unsupported, "the server does not tell what the account may do")
        .platform(PlatformKind::VSPHERE)
}
