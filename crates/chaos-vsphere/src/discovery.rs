//! What is asked of an inventory: everything in one walk, or some VMs and their surroundings.

use chaos_core::{Context, Discovery, Error, ErrorKind, PlatformKind, Selector, TargetPattern, VMInfo};
use tracing::debug;

use crate::error::CallError;
use crate::inventory::{Inventory, encode_path};
use crate::session::{Collect, Session};
use crate::vim::{self, FilterSpec, MoRef, ObjectContent, PropertyValue, Walk};

/// What is read of each type. `summary` and `runtime` are the parts that a server reads cheaply for many VMs.
const PROPERTIES: &[(&str, &[&str])] = &[
    (
        "VirtualMachine",
        &[
            "name",
            "parent",
            "parentVApp",
            "runtime.powerState",
            "runtime.connectionState",
            "runtime.host",
            "runtime.bootTime",
            "runtime.question",
            "summary.config",
            "guest.toolsRunningStatus",
            "guest.toolsVersionStatus2",
            "guest.hostName",
            "guest.ipAddress",
        ],
    ),
    ("HostSystem", &["name", "parent", "runtime.connectionState"]),
    ("ComputeResource", &["name"]),
    ("Folder", &["name", "parent"]),
    ("Datacenter", &["name", "parent"]),
    ("VirtualApp", &["name", "parentFolder", "parentVApp"]),
];

/// From the root folder down to every VM and host, through nested folders and, by way of the resource pools, nested
/// vApps. Names refer to each other.
///
/// The folders of VMs and of hosts are walked by specs of their own, so that a server which follows a path on whatever
/// has it (govmomi's simulator does) does not go from each VM to its resource pool and back to all the others.
pub(crate) const DOWN: &[Walk] = &[
    Walk { name: "folders", kind: "Folder", path: "childEntity", then: &["folders", "dcVm", "dcHost"] },
    Walk { name: "dcVm", kind: "Datacenter", path: "vmFolder", then: &["vmFolders"] },
    Walk { name: "vmFolders", kind: "Folder", path: "childEntity", then: &["vmFolders", "vappVm"] },
    Walk { name: "vappVm", kind: "VirtualApp", path: "vm", then: &[] },
    Walk { name: "dcHost", kind: "Datacenter", path: "hostFolder", then: &["hostFolders"] },
    Walk { name: "hostFolders", kind: "Folder", path: "childEntity", then: &["hostFolders", "hosts", "rootPool"] },
    Walk { name: "hosts", kind: "ComputeResource", path: "host", then: &[] },
    Walk { name: "rootPool", kind: "ComputeResource", path: "resourcePool", then: &["pools"] },
    Walk { name: "pools", kind: "ResourcePool", path: "resourcePool", then: &["pools", "vappVm"] },
];

/// From a VM up to its host, cluster, folders and datacenter.
pub(crate) const UP: &[Walk] = &[
    Walk { name: "vmHost", kind: "VirtualMachine", path: "runtime.host", then: &["hostUp"] },
    Walk { name: "hostUp", kind: "HostSystem", path: "parent", then: &[] },
    Walk { name: "vmUp", kind: "VirtualMachine", path: "parent", then: &["fUp", "dcUp"] },
    Walk { name: "vmVa", kind: "VirtualMachine", path: "parentVApp", then: &["vaUp", "vaVa"] },
    Walk { name: "vaUp", kind: "VirtualApp", path: "parentFolder", then: &["fUp", "dcUp"] },
    Walk { name: "vaVa", kind: "VirtualApp", path: "parentVApp", then: &["vaUp", "vaVa"] },
    Walk { name: "fUp", kind: "Folder", path: "parent", then: &["fUp", "dcUp"] },
    Walk { name: "dcUp", kind: "Datacenter", path: "parent", then: &["fUp"] },
];

/// The most VMs that are looked up by one request.
const LOOKUP: usize = 100;
/// The most objects that are read by one request when a walk is not possible.
const PIECE: usize = 500;

fn spec(objects: Vec<MoRef>, walk: &'static [Walk]) -> FilterSpec<'static> {
    FilterSpec { properties: PROPERTIES.to_vec(), objects, walk, skip_start: false }
}

/// The specification of the walk over everything below `root`.
pub(crate) fn everything_below(root: &MoRef) -> FilterSpec<'static> {
    spec(vec![root.clone()], DOWN)
}

/// The specification for some VMs and what is above them.
pub(crate) fn vms_with_surroundings(ids: &[&str]) -> FilterSpec<'static> {
    spec(ids.iter().map(|id| MoRef::vm(*id)).collect(), UP)
}

/// The VMs that `selector` selects, in as few requests as that takes.
pub(crate) async fn discover(session: &Session, cx: &Context, selector: &Selector) -> Result<Discovery, Error> {
    let inventory = match named(session, cx, selector).await? {
        Some(ids) => look_up(session, cx, &ids).await?,
        None => list(session, cx).await?,
    };
    let (vms, problems) = inventory.join(&session.content().root_folder);
    Ok(Discovery::new(vms, problems, selector))
}

/// The VMs of some object ids, in no particular order; those that do not exist are left out.
pub(crate) async fn get(session: &Session, cx: &Context, ids: &[&str]) -> Result<Vec<VMInfo>, Error> {
    let (vms, problems) = look_up(session, cx, ids).await?.join(&session.content().root_folder);
    for problem in problems {
        debug!(subject = problem.subject, problem.message, "not everything could be read");
    }
    Ok(vms)
}

/// The ids of the VMs that a selector can mean, if it names all of them by id or path; `None` if the whole inventory is
/// needed to say.
async fn named(session: &Session, cx: &Context, selector: &Selector) -> Result<Option<Vec<String>>, Error> {
    let by_id_or_path = |target: &TargetPattern| matches!(target, TargetPattern::Id(_) | TargetPattern::Path(_));
    if selector.targets.is_empty() || !selector.targets.iter().all(by_id_or_path) {
        return Ok(None);
    }
    let mut ids = Vec::new();
    for target in &selector.targets {
        match target {
            TargetPattern::Id(id) => ids.push(id.clone()),
            TargetPattern::Path(path) => {
                let Some(index) = &session.content().search_index else { return Ok(None) };
                match session.call(cx, &vim::find_by_inventory_path(index, &encode_path(path))).await? {
                    Some(found) if found.kind == "VirtualMachine" => ids.push(found.id),
                    // A decoded path does not say which of its slashes belong to a name.
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(ids))
}

async fn look_up(session: &Session, cx: &Context, ids: &[impl AsRef<str> + Sync]) -> Result<Inventory, Error> {
    let mut inventory = Inventory::default();
    for piece in ids.chunks(LOOKUP) {
        let piece: Vec<&str> = piece.iter().map(AsRef::as_ref).collect();
        match session.retrieve(cx, &vms_with_surroundings(&piece)).await {
            Ok(found) => inventory.absorb(found),
            // Servers differ in whether one unknown object is left out of an answer or refused with all the others.
            Err(error) if error.is_not_found() => {
                for id in piece {
                    match session.retrieve(cx, &vms_with_surroundings(&[id])).await {
                        Ok(found) => inventory.absorb(found),
                        Err(error) if error.is_not_found() => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(inventory)
}

/// Everything: in one walk, or piece by piece if objects vanish too fast for that.
async fn list(session: &Session, cx: &Context) -> Result<Inventory, Error> {
    match session.retrieve(cx, &everything_below(&session.content().root_folder)).await {
        Err(error) if error.is_not_found() => {
            debug!(%error, "objects keep vanishing under the walk: reading piece by piece");
            list_in_pieces(session, cx).await
        }
        result => Ok(result?),
    }
}

/// First the references, through a view, then the objects in pieces: there the server leaves out what has vanished.
async fn list_in_pieces(session: &Session, cx: &Context) -> Result<Inventory, Error> {
    let content = session.content();
    let Some(views) = &content.view_manager else {
        return Err(Error::new(ErrorKind::Unavailable, "objects keep vanishing from the inventory: try again later")
            .platform(PlatformKind::VSPHERE));
    };
    let kinds: Vec<&str> = PROPERTIES.iter().map(|(kind, _)| *kind).collect();
    let view = session.call(cx, &vim::create_container_view(views, &content.root_folder, &kinds)).await?;
    let members = FilterSpec {
        properties: vec![("ContainerView", &["view"])],
        objects: vec![view.clone()],
        ..FilterSpec::default()
    };
    let members: Result<Members, CallError> = session.retrieve(cx, &members).await;
    // The view goes with the session at the latest.
    if let Err(error) = session.call(cx, &vim::destroy_view(&view)).await {
        debug!(%error, "the view stays until the session ends");
    }
    let mut objects = members?.0;
    objects.push(content.root_folder.clone());
    let mut inventory = Inventory::default();
    for piece in objects.chunks(PIECE) {
        inventory.absorb(session.retrieve(cx, &spec(piece.to_vec(), &[])).await?);
    }
    Ok(inventory)
}

/// The members of a view.
#[derive(Default)]
struct Members(Vec<MoRef>);

impl Collect for Members {
    fn object(&mut self, object: ObjectContent<'_>) {
        for (path, value) in object.properties() {
            if path == "view"
                && let PropertyValue::References(members) = PropertyValue::read(value)
            {
                self.0.extend(members);
            }
        }
    }
}
