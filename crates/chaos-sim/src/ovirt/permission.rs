//! Permissions: who has which role on what.
//!
//! Source: API model, type `Permission`, and the API service `assigned_permissions`. A permission on the system names no object.

use std::collections::BTreeSet;

use super::Engine;
use super::access::Caller;
use super::element::Element;
use super::fault::Refused;
use super::ids::{ClusterKey, ZERO, is_uuid};
use super::request::Request;
use super::role::{Role, TEMPLATE_USER};
use super::scene::{Scene, href};
use crate::accounts;
use crate::world::Vm;

/// What a role is on: the element, the collection and the id of an object.
type Object = (&'static str, &'static str, String);

impl Engine {
    /// What a user was given. A user that is not known was given nothing.
    pub(super) fn permissions_of(&self, request: &Request, caller: &Caller, user: &str) -> Result<Element, Refused> {
        if !is_uuid(user) {
            return Err(Refused::Absent);
        }
        let user = user.to_ascii_lowercase();
        let account = self.sessions().account(|name| self.ids.user(name) == user);
        let permissions = account.map(|role| self.scene(caller, request, |scene| scene.permissions(&user, role)));
        Ok(Element::list("permissions", permissions.unwrap_or_default()))
    }
}

impl Scene<'_> {
    fn permissions(&self, user: &str, account: accounts::Role) -> Vec<Element> {
        let objects: Vec<Option<Object>> = match account {
            accounts::Role::Administrator => vec![None],
            accounts::Role::Operator | accounts::Role::ReadOnly => self.territory().into_iter().map(Some).collect(),
        };
        let own = objects.into_iter().map(|object| (Role::of(account), object));
        // Given to everybody, which an engine shows as given to whoever it is asked about.
        let common = (&TEMPLATE_USER, Some(("template", "templates", ZERO.to_owned())));
        let permissions = own.chain([common]).zip(0..).map(|((role, object), number)| {
            let purpose = format!("engine permission of {user}");
            let id = self.engine.ids.make(&purpose, number);
            let at = format!("{}/permissions/{id}", href("users", user));
            let user = Element::reference("user", href("users", user), user.to_owned());
            let object = object.map(|(name, collection, id)| Element::reference(name, href(collection, &id), id));
            // Members are in the order of their names.
            let mut members: Vec<Element> = object.into_iter().chain([role.reference(), user]).collect();
            members.sort_by_key(|member| member.name);
            Element::reference("permission", at, id).with(members)
        });
        self.shuffled(permissions.collect(), 0)
    }

    /// The fewest objects that hold all VMs but those that only administrators see.
    fn territory(&self) -> Vec<Object> {
        let is_kept_back = |vm: &Vm| self.engine.site.restricted.contains(&vm.name);
        let kept_back = self.state.inventory.vms.values().filter(|vm| is_kept_back(vm));
        let spoilt: BTreeSet<ClusterKey> = kept_back.filter_map(|vm| self.cluster_of(vm)).collect();
        let clusters = self.clusters();
        let datacenter_of = |cluster: &ClusterKey| self.datacenter_of(*cluster).map(|datacenter| datacenter.id);
        let spoilt_datacenters: BTreeSet<_> = spoilt.iter().filter_map(datacenter_of).collect();
        let ids = &self.engine.ids;

        let whole = self.datacenters().into_iter().filter(|datacenter| !spoilt_datacenters.contains(&datacenter.id));
        let whole = whole.map(|datacenter| ("data_center", "datacenters", ids.datacenter(datacenter.id)));
        let in_parts = |cluster: &&ClusterKey| datacenter_of(cluster).is_none_or(|id| spoilt_datacenters.contains(&id));
        let parts = clusters.iter().filter(in_parts).filter(|cluster| !spoilt.contains(cluster));
        let parts = parts.map(|cluster| ("cluster", "clusters", ids.cluster(*cluster)));
        let alone = self.vms().into_iter().filter(|vm| !is_kept_back(vm));
        let alone = alone.filter(|vm| self.cluster_of(vm).is_some_and(|cluster| spoilt.contains(&cluster)));
        let alone = alone.map(|vm| ("vm", "vms", ids.vm(vm.id)));
        whole.chain(parts).chain(alone).collect()
    }
}
