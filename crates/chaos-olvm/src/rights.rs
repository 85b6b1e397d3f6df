//! Which power operations the account may use: its roles, where it has them, and what each permits.

use std::collections::{BTreeSet, HashMap};

use chaos_core::{Context, Error, ErrorKind, Operation, PlatformKind, PowerRights, VMRef};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use crate::api::request::Request;
use crate::api::right::{EntryPoint, Kind, On, Permission, permit};
use crate::discovery::{AT_A_TIME, KnownPlaces, places_of};
use crate::error::CallError;
use crate::session::Session;
use crate::transport::List;

/// The permits of the power operations, by the operation that needs them.
const PERMITS: [(Operation, &str); 6] = [
    (Operation::PowerOn, "run_vm"),
    (Operation::PowerOff, "shut_down_vm"),
    (Operation::PowerOff, "stop_vm"),
    (Operation::Reboot, "reboot_vm"),
    (Operation::Reboot, RESET),
    (Operation::Suspend, "hibernate_vm"),
];

/// Engines that can reset VMs have it: those of 4.5, and later ones of 4.4. Nobody lacks it on others.
const RESET: &str = "reset_vm";
/// From this version on it is there for certain, also if none of the account's roles has it.
const ALL_CAN_RESET: (u32, u32) = (4, 5);

/// Those of [`PERMITS`] that something gives.
type Permits = BTreeSet<&'static str>;

/// A role's permits that are being read: which role, and what came of it.
type Reading<'a> = BoxFuture<'a, (&'a str, Result<Vec<String>, CallError>)>;

/// What the account was granted.
#[derive(Debug, Default)]
struct Granted {
    /// On all that there is.
    everywhere: Permits,
    /// On a data center, a cluster or a VM, by its id. No two objects of an engine have the same.
    at: HashMap<String, Permits>,
    /// Whether any of that is handed down to VMs.
    is_inherited: bool,
}

impl Granted {
    fn new(permissions: Vec<Permission>, roles: &HashMap<String, Permits>) -> Self {
        let mut granted = Self::default();
        for Permission { role, on } in permissions {
            let Some(permits) = roles.get(&role).filter(|permits| !permits.is_empty()) else { continue };
            match on {
                On::System => granted.everywhere.extend(permits),
                On::Place(kind, id) => {
                    granted.is_inherited |= kind != Kind::Vm;
                    granted.at.entry(id).or_default().extend(permits);
                }
                On::Elsewhere => {}
            }
        }
        granted
    }

    /// Whether a VM is under a permit, given the objects above it.
    fn covers(&self, permit: &str, vm: &VMRef, above: &HashMap<String, Vec<String>>) -> bool {
        let has = |id: &String| self.at.get(id).is_some_and(|permits| permits.contains(permit));
        self.everywhere.contains(permit) || has(&vm.id) || above.get(&vm.id).is_some_and(|above| above.iter().any(has))
    }
}

/// Which power operations the account may use on `vms`.
pub(crate) async fn read(
    session: &Session,
    known: &KnownPlaces,
    cx: &Context,
    vms: &[&VMRef],
) -> Result<PowerRights, Error> {
    let entry = session.read(cx, &Request::entry_point(), EntryPoint::read).await?;
    let user = entry.user.ok_or_else(cannot_tell)?;
    let permissions = session.list(cx, &Request::permissions(&user), List::PERMISSIONS, Permission::read).await;
    let mut permissions = permissions.map_err(untold)?;
    permissions.retain(|permission| match &permission.on {
        On::System | On::Place(Kind::Datacenter | Kind::Cluster, _) => true,
        On::Place(Kind::Vm, id) => vms.iter().any(|vm| vm.id == *id),
        On::Elsewhere => false,
    });
    let roles = read_roles(session, cx, &permissions).await?;
    let can_reset = entry.version >= ALL_CAN_RESET || roles.values().any(|permits| permits.contains(RESET));
    let granted = Granted::new(permissions, &roles);
    let above = if granted.is_inherited {
        let ids: Vec<&str> = vms.iter().map(|vm| vm.id.as_str()).collect();
        places_of(session, known, cx, &ids).await?
    } else {
        HashMap::new()
    };
    let needed = PERMITS.into_iter().filter(|(_, permit)| can_reset || *permit != RESET);
    let mut rights = PowerRights::none(vms.len(), needed);
    for right in &mut rights.rights {
        right.granted = vms.iter().filter(|vm| granted.covers(&right.privilege, vm, &above)).count();
    }
    Ok(rights)
}

/// What each role permits, each asked once.
async fn read_roles(
    session: &Session,
    cx: &Context,
    permissions: &[Permission],
) -> Result<HashMap<String, Permits>, Error> {
    let roles: BTreeSet<&str> = permissions.iter().map(|permission| permission.role.as_str()).collect();
    // Boxed: the compiler cannot yet prove a stream of borrowing closures to be `Send`.
    let mut readings: Vec<Reading<'_>> = Vec::new();
    for role in roles {
        readings.push(Box::pin(async move {
            (role, session.list(cx, &Request::permits(role), List::PERMITS, permit).await)
        }));
    }
    let mut readings = futures_util::stream::iter(readings).buffer_unordered(AT_A_TIME);
    let mut read = HashMap::new();
    while let Some((role, names)) = readings.next().await {
        let names = names.map_err(untold)?;
        let of_power = PERMITS.into_iter().map(|(_, permit)| permit);
        let permits = of_power.filter(|permit| names.iter().any(|name| name == permit)).collect();
        read.insert(role.to_owned(), permits);
    }
    Ok(read)
}

fn cannot_tell() -> Error {
    Error::new(ErrorKind::Unsupported, "the engine does not tell what the account may do").platform(PlatformKind::OLVM)
}

/// What it means that something was not told: an account that must not ask for its rights may have them all the same.
fn untold(error: CallError) -> Error {
    if error.is_withheld() { cannot_tell().caused_by(error) } else { error.into() }
}
