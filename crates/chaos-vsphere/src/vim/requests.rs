//! Every method call that this client makes, as a pure function from its arguments. Elements stand in the order of the
//! WSDL.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::content::ServiceContent;
use super::property::Page;
use super::request::{Answer, Effect, Request};
use super::types::{MoRef, ReadError};
use super::update::UpdateSet;
use crate::soap::envelope::Writer;
use crate::soap::node::VimNode;

/// Objects a page; a server may send fewer. Unset, a vCenter stops after 100.
const PAGE: u32 = 1000;
/// How long the answer to a long poll may come late.
const WAIT_MARGIN: Duration = Duration::from_secs(15);

#[expect(clippy::unnecessary_wraps, reason = "it is one of the readers of `Request`")]
fn nothing(_: &Answer<'_>) -> Result<(), ReadError> {
    Ok(())
}

fn reference(answer: &Answer<'_>) -> Result<MoRef, ReadError> {
    answer.reference()
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the readers of `Request`")]
fn page(answer: &Answer<'_>) -> Result<Page, ReadError> {
    Ok(Page::read(answer))
}

/// `ServiceInstance`, the one object whose id is the same on every server.
fn service_instance() -> MoRef {
    MoRef::new("ServiceInstance", "ServiceInstance")
}

/// Asks for the server's singletons. Needs no session.
pub(crate) fn retrieve_service_content() -> Request<ServiceContent> {
    Request::new("RetrieveServiceContent", Effect::Repeatable, &service_instance(), |w| w, ServiceContent::read)
}

/// Logs in. Fault messages are asked for in English.
pub(crate) fn login(session_manager: &MoRef, user: &str, password: &SecretString) -> Request<()> {
    let arguments =
        |w: Writer| w.text("userName", user).text("password", password.expose_secret()).text("locale", "en_US");
    Request::new("Login", Effect::Once, session_manager, arguments, nothing)
}

/// Ends the session.
pub(crate) fn logout(session_manager: &MoRef) -> Request<()> {
    Request::new("Logout", Effect::Once, session_manager, |w| w, nothing)
}

/// The server's time: the smallest call that needs a session and keeps it alive.
pub(crate) fn current_time() -> Request<()> {
    Request::new("CurrentTime", Effect::Repeatable, &service_instance(), |w| w, nothing)
}

/// What to read and where to start.
#[derive(Clone, Debug, Default)]
pub(crate) struct FilterSpec<'a> {
    /// Types and the property paths to read of each.
    pub(crate) properties: Vec<(&'a str, &'a [&'a str])>,
    /// The objects to start from.
    pub(crate) objects: Vec<MoRef>,
    /// How to go on from each of them.
    pub(crate) walk: &'a [Walk],
    /// Whether the objects to start from are left out of the answer themselves.
    pub(crate) skip_start: bool,
}

/// One `TraversalSpec`: from objects of a type, along a property, and by which names to go on from there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) path: &'static str,
    pub(crate) then: &'static [&'static str],
}

impl FilterSpec<'_> {
    fn write(&self, w: Writer) -> Writer {
        let w = w.each(&self.properties, |w, (kind, paths)| {
            w.element("propSet", |w| w.text("type", kind).each(*paths, |w, path| w.text("pathSet", path)))
        });
        let w = w.each(&self.objects, |w, object| {
            w.element("objectSet", |w| {
                w.reference("obj", object).text("skip", self.skip_start).each(self.walk, |w, walk| {
                    w.typed("selectSet", "TraversalSpec", |w| {
                        w.text("name", walk.name)
                            .text("type", walk.kind)
                            .text("path", walk.path)
                            .text("skip", false)
                            .each(walk.then, |w, name| w.element("selectSet", |w| w.text("name", name)))
                    })
                })
            })
        });
        w.text("reportMissingObjectsInResults", true)
    }
}

/// Reads properties. The answer is read as a stream of [`ObjectContent`](super::ObjectContent); what remains is the
/// [`Page`].
pub(crate) fn retrieve_properties(collector: &MoRef, spec: &FilterSpec<'_>) -> Request<Page> {
    let arguments =
        |w: Writer| w.element("specSet", |w| spec.write(w)).element("options", |w| w.text("maxObjects", PAGE));
    Request::new("RetrievePropertiesEx", Effect::Repeatable, collector, arguments, page)
}

/// The next page. A token is good for one call, so this is not repeatable.
pub(crate) fn continue_retrieve_properties(collector: &MoRef, token: &str) -> Request<Page> {
    Request::new("ContinueRetrievePropertiesEx", Effect::Once, collector, |w| w.text("token", token), page)
}

/// Gives back what the server keeps for pages that nobody will ask for.
pub(crate) fn cancel_retrieve_properties(collector: &MoRef, token: &str) -> Request<()> {
    Request::new("CancelRetrievePropertiesEx", Effect::Repeatable, collector, |w| w.text("token", token), nothing)
}

/// Reads who is logged in by this session: no `currentSession` means nobody. Needs no privilege, unlike
/// `SessionIsActive`.
pub(crate) fn current_session(collector: &MoRef, session_manager: &MoRef) -> Request<Page> {
    let spec = FilterSpec {
        properties: vec![("SessionManager", &["currentSession"])],
        objects: vec![session_manager.clone()],
        ..FilterSpec::default()
    };
    retrieve_properties(collector, &spec)
}

/// Asks which of some privileges a session has on each of some objects. The answer is the privileges that are granted, once
/// for each object on which they are.
pub(crate) fn has_privilege_on_entities(
    manager: &MoRef,
    entities: &[MoRef],
    session: &str,
    privileges: &[&str],
) -> Request<Vec<String>> {
    let arguments = |w: Writer| {
        w.each(entities, |w, entity| w.reference("entity", entity))
            .text("sessionId", session)
            .each(privileges, |w, privilege| w.text("privId", privilege))
    };
    Request::new("HasPrivilegeOnEntities", Effect::Repeatable, manager, arguments, granted)
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the readers of `Request`")]
fn granted(answer: &Answer<'_>) -> Result<Vec<String>, ReadError> {
    let availabilities = answer.values().flat_map(|entity| entity.children_named("privAvailability"));
    let granted = availabilities
        .filter(|privilege| privilege.child_value("isGranted").and_then(super::types::boolean).unwrap_or(false));
    Ok(granted.filter_map(|privilege| Some(privilege.child_value("privId")?.trim().to_owned())).collect())
}

/// Makes a view of all objects of some types below a folder. A way to learn references without walking the inventory.
pub(crate) fn create_container_view(view_manager: &MoRef, container: &MoRef, kinds: &[&str]) -> Request<MoRef> {
    let arguments = |w: Writer| {
        w.reference("container", container).each(kinds, |w, kind| w.text("type", kind)).text("recursive", true)
    };
    Request::new("CreateContainerView", Effect::Once, view_manager, arguments, reference)
}

/// Finds an object by its inventory path, with `/` within a name written as `%2f`. `None` when there is none.
pub(crate) fn find_by_inventory_path(search_index: &MoRef, path: &str) -> Request<Option<MoRef>> {
    let read = |answer: &Answer<'_>| Ok(answer.value().and_then(MoRef::read));
    Request::new("FindByInventoryPath", Effect::Repeatable, search_index, |w| w.text("inventoryPath", path), read)
}

/// Powers on, or resumes if suspended.
pub(crate) fn power_on(vm: &MoRef) -> Request<MoRef> {
    Request::new("PowerOnVM_Task", Effect::Once, vm, |w| w, reference)
}

/// Powers off without asking the guest.
pub(crate) fn power_off(vm: &MoRef) -> Request<MoRef> {
    Request::new("PowerOffVM_Task", Effect::Once, vm, |w| w, reference)
}

/// Power-cycles without asking the guest.
pub(crate) fn reset(vm: &MoRef) -> Request<MoRef> {
    Request::new("ResetVM_Task", Effect::Once, vm, |w| w, reference)
}

/// Suspends with memory.
pub(crate) fn suspend(vm: &MoRef) -> Request<MoRef> {
    Request::new("SuspendVM_Task", Effect::Once, vm, |w| w, reference)
}

/// Asks the guest to shut down. Returns as soon as it was asked.
pub(crate) fn shutdown_guest(vm: &MoRef) -> Request<()> {
    Request::new("ShutdownGuest", Effect::Once, vm, |w| w, nothing)
}

/// Asks the guest to restart. Returns as soon as it was asked.
pub(crate) fn reboot_guest(vm: &MoRef) -> Request<()> {
    Request::new("RebootGuest", Effect::Once, vm, |w| w, nothing)
}

/// Makes a collector of our own: waits on a shared one disturb each other.
pub(crate) fn create_property_collector(collector: &MoRef) -> Request<MoRef> {
    Request::new("CreatePropertyCollector", Effect::Once, collector, |w| w, reference)
}

/// Destroys a collector with its filters.
pub(crate) fn destroy_property_collector(collector: &MoRef) -> Request<()> {
    Request::new("DestroyPropertyCollector", Effect::Once, collector, |w| w, nothing)
}

/// Watches what `spec` selects. Changes name the path that was asked for, never a part of it.
pub(crate) fn create_filter(collector: &MoRef, spec: &FilterSpec<'_>) -> Request<MoRef> {
    let arguments = |w: Writer| w.element("spec", |w| spec.write(w)).text("partialUpdates", false);
    Request::new("CreateFilter", Effect::Once, collector, arguments, reference)
}

/// What a filter over everything in a list view watches.
pub(crate) fn list_view_filter<'a>(view: &MoRef, kind: &'a str, paths: &'a [&'a str]) -> FilterSpec<'a> {
    const MEMBERS: &[Walk] = &[Walk { name: "members", kind: "ListView", path: "view", then: &[] }];
    FilterSpec { properties: vec![(kind, paths)], objects: vec![view.clone()], walk: MEMBERS, skip_start: true }
}

/// Makes a list of objects that filters can watch.
pub(crate) fn create_list_view(view_manager: &MoRef, objects: &[MoRef]) -> Request<MoRef> {
    let arguments = |w: Writer| w.each(objects, |w, object| w.reference("obj", object));
    Request::new("CreateListView", Effect::Once, view_manager, arguments, reference)
}

/// Changes a list. Returns what the server could not resolve: objects that are gone already.
pub(crate) fn modify_list_view(view: &MoRef, add: &[MoRef], remove: &[MoRef]) -> Request<Vec<MoRef>> {
    let arguments = |w: Writer| {
        w.each(add, |w, object| w.reference("add", object)).each(remove, |w, object| w.reference("remove", object))
    };
    // Adding what is there and removing what is not changes nothing, so it may be sent again.
    let read = |answer: &Answer<'_>| Ok(answer.values().filter_map(MoRef::read).collect());
    Request::new("ModifyListView", Effect::Repeatable, view, arguments, read)
}

/// Destroys a view of any kind.
pub(crate) fn destroy_view(view: &MoRef) -> Request<()> {
    Request::new("DestroyView", Effect::Once, view, |w| w, nothing)
}

/// Waits for changes since `version` (empty: everything as it is now). `None` when none came in `max_wait`, which
/// counts in whole seconds; zero answers at once.
///
/// Never sent again by the layers below: a collector takes one wait at a time, and the lost one may still be under way.
pub(crate) fn wait_for_updates(
    collector: &MoRef,
    version: &str,
    max_wait: Duration,
    max_objects: u32,
) -> Request<Option<UpdateSet>> {
    let arguments = |w: Writer| {
        w.text("version", version)
            .element("options", |w| w.text("maxWaitSeconds", max_wait.as_secs()).text("maxObjectUpdates", max_objects))
    };
    Request::new("WaitForUpdatesEx", Effect::Once, collector, arguments, UpdateSet::read)
        .with_patience(max_wait.saturating_add(WAIT_MARGIN))
}
