//! Tags: a tree of names, and which VMs have which.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;

use super::Engine;
use super::access::Caller;
use super::body::Fields;
use super::element::Element;
use super::fault::{Fault, Refused};
use super::ids::ZERO;
use super::request::Request;
use super::route::{Route, Top};
use super::scene::{Scene, href};
use crate::accounts::Role;
use crate::world::{self, Note, VmId};

/// A tag.
#[derive(Debug, Clone)]
struct Tag {
    name: String,
    description: String,
    /// The id of the tag above it.
    parent: String,
    vms: BTreeSet<VmId>,
}

/// All tags but the root, by id.
#[derive(Debug, Default)]
pub(super) struct Tags {
    there: BTreeMap<String, Tag>,
    made: u64,
}

impl Tags {
    /// Makes a tag and tells its id. One of that name must not be there.
    pub(super) fn add(
        &mut self,
        seed: u64,
        name: &str,
        description: &str,
        parent: Option<&str>,
    ) -> Result<String, Fault> {
        if name.is_empty() {
            return Err(Fault::incomplete("Tag [name] required for add"));
        }
        if self.named(name).is_some() || name == "root" {
            return Err(Fault::failed(409, "Cannot add Tag. The given name already exists."));
        }
        let parent = parent.unwrap_or(ZERO).to_owned();
        if parent != ZERO && !self.there.contains_key(&parent) {
            return Err(Fault::failed(400, "Cannot add Tag. The parent tag does not exist."));
        }
        self.made += 1;
        let id = world::uuid(seed, "engine tag", &[self.made]);
        let tag = Tag { name: name.to_owned(), description: description.to_owned(), parent, vms: BTreeSet::new() };
        self.there.insert(id.clone(), tag);
        Ok(id)
    }

    /// Removes a tag and those below it.
    pub(super) fn remove(&mut self, id: &str) -> Result<(), Refused> {
        self.there.remove(id).ok_or(Refused::Absent)?;
        let below: Vec<String> =
            self.there.iter().filter(|(_, tag)| tag.parent == id).map(|(below, _)| below.clone()).collect();
        below.iter().try_for_each(|below| self.remove(below))
    }

    /// The id of the tag of that name.
    pub(super) fn named(&self, name: &str) -> Option<&str> {
        self.there.iter().find(|(_, tag)| tag.name == name).map(|(id, _)| id.as_str())
    }

    /// The name of a tag.
    pub(super) fn name(&self, id: &str) -> Option<&str> {
        self.there.get(id).map(|tag| tag.name.as_str())
    }

    /// Gives a tag to a VM; one that has it already keeps it. False if there is no such tag.
    pub(super) fn attach(&mut self, id: &str, vm: VmId) -> bool {
        self.there.get_mut(id).map(|tag| tag.vms.insert(vm)).is_some()
    }

    /// Takes a tag from a VM. False if it did not have it.
    pub(super) fn detach(&mut self, id: &str, vm: VmId) -> bool {
        self.there.get_mut(id).is_some_and(|tag| tag.vms.remove(&vm))
    }

    /// The ids of the tags of a VM.
    pub(super) fn of(&self, vm: VmId) -> impl Iterator<Item = &str> {
        self.there.iter().filter(move |(_, tag)| tag.vms.contains(&vm)).map(|(id, _)| id.as_str())
    }

    /// Each tag of a VM, followed by those above it.
    pub(super) fn paths(&self, vm: VmId) -> Vec<Vec<&str>> {
        self.of(vm).map(|id| self.path(id)).collect()
    }

    fn path(&self, id: &str) -> Vec<&str> {
        let mut names = Vec::new();
        let mut next = self.there.get(id);
        while let Some(tag) = next {
            names.push(tag.name.as_str());
            next = self.there.get(&tag.parent);
        }
        names.push("root");
        names
    }

    /// The ids of all tags but the root.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.there.keys().map(String::as_str)
    }
}

impl Scene<'_> {
    /// A tag, at the top or as one of a VM.
    pub(super) fn tag(&self, id: &str, below: Option<&str>) -> Option<Element> {
        let at = match below {
            Some(vm) => format!("{vm}/tags/{id}"),
            None => href("tags", id),
        };
        if id == ZERO {
            return Some(
                Element::reference("tag", at, id.to_owned())
                    .with([Element::text("name", "root"), Element::text("description", "root")]),
            );
        }
        let tag = self.tags.there.get(id)?;
        let parent = href("tags", &tag.parent);
        let vm = below.map(|vm| {
            let id = vm.rsplit('/').next().unwrap_or_default();
            Element::reference("vm", vm.to_owned(), id.to_owned())
        });
        let tag = Element::reference("tag", at, id.to_owned()).with([
            Element::text("name", tag.name.as_str()),
            Element::text("description", tag.description.as_str()),
            Element::reference("parent", parent, tag.parent.clone()),
        ]);
        Some(tag.with(vm))
    }
}

impl Engine {
    /// Changes tags, or which VM has which.
    pub(super) fn change_tags(
        &self,
        request: &Request,
        caller: &Caller,
        correlation: &str,
    ) -> Result<(u16, Element), Refused> {
        if caller.role == Role::ReadOnly {
            return Err(Fault::forbidden().into());
        }
        let fields = || {
            let misused = Fault::syntax(request.host(), "tags/methods/add");
            Fields::read(request, "tag").map_err(|_| misused)
        };
        let vm_of = |id: &str| self.world.with(|state| self.ids.find_vm(id, state).map(|vm| (vm.id, vm.name.clone())));
        let mut tags = self.tags();
        let told = match (&request.method, &request.route) {
            (&Method::POST, Route::List(Top::Tags)) => {
                let fields = fields()?;
                let name = fields.text("name").unwrap_or_default();
                let description = fields.text("description").unwrap_or_default();
                (tags.add(self.site.seed, name, description, fields.text("parent/@id"))?, None)
            }
            (&Method::DELETE, Route::One(Top::Tags, id)) => {
                tags.remove(id)?;
                return Ok((200, Element::of("action", [Element::text("status", "complete")])));
            }
            (&Method::POST, Route::OfVm(vm, ..)) => {
                let fields = fields()?;
                let (vm, name) = vm_of(vm).ok_or(Refused::Absent)?;
                let named = fields.text("name").and_then(|name| tags.named(name));
                let id = fields.text("@id").or(named).ok_or(Refused::Absent)?.to_owned();
                if !tags.attach(&id, vm) {
                    return Err(Refused::Absent);
                }
                let tag = tags.name(&id).unwrap_or_default();
                let text = format!("Tag {tag} was attached to VM(s) {name} by {}.", caller.user);
                (id, Some((vm, 440, text)))
            }
            (_, Route::OfVm(vm, _, Some(id))) => {
                let (vm, name) = vm_of(vm).ok_or(Refused::Absent)?;
                if !tags.detach(id, vm) {
                    return Err(Refused::Absent);
                }
                let tag = tags.name(id).unwrap_or_default();
                let text = format!("Tag {tag} was detached from VM(s) {name} by {}.", caller.user);
                self.note_of(caller, correlation, (vm, 446, text));
                return Ok((200, Element::of("action", [Element::text("status", "complete")])));
            }
            _ => return Err(Refused::Absent),
        };
        drop(tags);
        let (id, event) = told;
        if let Some(event) = event {
            self.note_of(caller, correlation, event);
        }
        let below = match &request.route {
            Route::OfVm(vm, ..) => Some(href("vms", vm)),
            _ => None,
        };
        let tag = self.scene(caller, request, |scene| scene.tag(&id, below.as_deref()));
        tag.map(|tag| (201, tag)).ok_or(Refused::Absent)
    }

    fn note_of(&self, caller: &Caller, correlation: &str, (vm, code, text): (VmId, u32, String)) {
        let (user, correlation) = (Some(caller.user.clone()), Some(correlation.to_owned()));
        self.note(Some(vm), Note { code, is_error: false, text, user, correlation });
    }
}
