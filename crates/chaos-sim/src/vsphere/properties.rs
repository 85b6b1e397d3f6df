//! Calls on property collectors and views: reading, paging, filters, waiting for changes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::collector::Collector;
use super::dispatch::{Caller, Outcome, returned};
use super::fault::Fault;
use super::mo::{Mo, ViewKind};
use super::props::Scope;
use super::select::{FilterSpec, write_all};
use super::value::Value;
use super::view::View;
use super::xml::Element;
use super::{Door, schema};
use crate::world::State;

/// How a wait was asked for.
struct Wait<'a> {
    version: &'a str,
    /// How long to wait at most; for ever if absent.
    limit: Option<Duration>,
    max_objects: usize,
}

impl Door {
    pub(super) async fn collector_call(&self, call: &Element, mo: &Mo, caller: &Caller<'_>) -> Outcome {
        let gone =
            || Fault::not_found(mo.kind(), &call.child("_this").map(|this| this.text.clone()).unwrap_or_default());
        let Mo::Collector(id) = mo else { return Err(gone().into()) };
        let session = self.with_session(caller.cookie, |session, _| {
            (session.collector(id.as_deref()).cloned(), session.ended.clone())
        });
        let Some((Some(collector), ended)) = session else { return Err(gone().into()) };
        match call.name.as_str() {
            // These do not wait for their turn.
            "CancelWaitForUpdates" => {
                collector.cancel_waits();
                return Ok(String::new());
            }
            "DestroyPropertyCollector" => return self.destroy_collector(id.as_deref(), caller),
            "CreatePropertyCollector" => return self.create_collector(caller),
            "Fetch" => return self.fetch(call, mo, Some(caller.cookie)),
            _ => {}
        }
        let _turn = tokio::select! {
            turn = collector.turn.lock() => turn,
            () = ended.cancelled() => return Err(Fault::request_canceled().into()),
        };
        match call.name.as_str() {
            "RetrieveProperties" => self.retrieve(call, &collector, caller, usize::MAX),
            "RetrievePropertiesEx" => {
                let asked = call.child("options").and_then(|options| options.text_of("maxObjects"));
                let asked = asked.and_then(|asked| asked.parse().ok()).filter(|asked| *asked > 0);
                self.retrieve(call, &collector, caller, asked.unwrap_or(usize::MAX).min(self.site.page_cap))
            }
            "ContinueRetrievePropertiesEx" => {
                let token = call.text_of("token").unwrap_or_default();
                Ok(self.scoped(Some(caller.cookie), |scope| collector.next_page(scope, token))?)
            }
            "CancelRetrievePropertiesEx" => {
                collector.cancel_pages(call.text_of("token").unwrap_or_default())?;
                Ok(String::new())
            }
            "CreateFilter" => self.create_filter(call, &collector, caller),
            "WaitForUpdatesEx" | "WaitForUpdates" | "CheckForUpdates" => {
                let wait = self.read_wait(call);
                let found = self.wait_for_updates(&collector, caller, wait, &ended).await?;
                Ok(found.unwrap_or_default())
            }
            other => Err(Fault::method_not_found(mo, other, self.site.flavour).into()),
        }
    }

    fn retrieve(&self, call: &Element, collector: &Collector, caller: &Caller<'_>, page: usize) -> Outcome {
        let specs = self.read_specs(call)?;
        // The old method returns the objects themselves, all of them.
        let found = if call.name == "RetrieveProperties" {
            self.scoped(Some(caller.cookie), |scope| write_all(&specs, scope, "returnval"))?
        } else {
            self.scoped(Some(caller.cookie), |scope| collector.retrieve(scope, specs, page))?.unwrap_or_default()
        };
        Ok(found)
    }

    /// Without a session the objects that are named are there, and every property of them is missing.
    pub(super) fn retrieve_without_session(&self, call: &Element) -> Outcome {
        let specs = self.read_specs(call)?;
        let name = if call.name == "RetrieveProperties" { "returnval" } else { "objects" };
        let objects = self.scoped(None, |scope| write_all(&specs, scope, name))?;
        if name == "returnval" || objects.is_empty() {
            return Ok(objects);
        }
        Ok(format!("<returnval>{objects}</returnval>"))
    }

    fn read_specs(&self, call: &Element) -> Result<Vec<FilterSpec>, Fault> {
        let specs = call.children("specSet").map(|spec| FilterSpec::read(spec, &self.site));
        let specs = specs.collect::<Result<Vec<_>, _>>()?;
        if specs.is_empty() {
            return Err(Fault::invalid_argument("specSet"));
        }
        Ok(specs)
    }

    fn create_collector(&self, caller: &Caller<'_>) -> Outcome {
        let id = self.in_session(caller, |session, _| {
            let id = session.new_id("collector");
            session.collectors.insert(id.clone(), Arc::new(Collector::default()));
            id
        })?;
        Ok(self.returned_mo(&Mo::Collector(Some(id))))
    }

    fn destroy_collector(&self, id: Option<&str>, caller: &Caller<'_>) -> Outcome {
        let Some(id) = id else { return Err(Fault::not_supported().into()) };
        let removed = self.in_session(caller, |session, _| session.collectors.remove(id))?;
        if let Some(collector) = removed {
            collector.cancel_waits();
        }
        Ok(String::new())
    }

    fn create_filter(&self, call: &Element, collector: &Collector, caller: &Caller<'_>) -> Outcome {
        let spec = call.child("spec").ok_or_else(|| Fault::invalid_argument("spec"))?;
        let spec = FilterSpec::read(spec, &self.site)?;
        let id = self.in_session(caller, |session, _| session.new_id("filter"))?;
        self.scoped(Some(caller.cookie), |scope| collector.add_filter(id.clone(), spec, scope))?;
        Ok(self.returned_mo(&Mo::Filter(id)))
    }

    pub(super) fn remove_filter(&self, caller: &Caller<'_>, id: &str) {
        self.with_session(caller.cookie, |session, _| {
            session.all_collectors().any(|collector| collector.remove_filter(id))
        });
    }

    fn read_wait<'a>(&self, call: &'a Element) -> Wait<'a> {
        let option = |name: &str| call.child("options").and_then(|options| options.text_of(name));
        let seconds = match call.name.as_str() {
            "CheckForUpdates" => Some("0"),
            "WaitForUpdates" => None,
            _ => option("maxWaitSeconds"),
        };
        let max_objects = option("maxObjectUpdates").and_then(|text| text.parse().ok()).filter(|max| *max > 0);
        Wait {
            version: call.text_of("version").unwrap_or_default(),
            limit: seconds.and_then(|text| text.parse::<u32>().ok()).map(|seconds| Duration::from_secs(seconds.into())),
            max_objects: max_objects.unwrap_or(usize::MAX).min(self.site.page_cap),
        }
    }

    /// Waits until something changed. The limit is world time or real time, whichever is over first, so that neither a
    /// fast nor a paused world keeps a client waiting longer than it asked for.
    async fn wait_for_updates(
        &self,
        collector: &Collector,
        caller: &Caller<'_>,
        wait: Wait<'_>,
        ended: &tokio_util::sync::CancellationToken,
    ) -> Result<Option<String>, Fault> {
        let mut changes = self.world.changes();
        let cancelled = collector.cancellation();
        let clock = self.world.clock();
        let (begun, begun_world) = (Instant::now(), clock.elapsed());
        loop {
            changes.mark_unchanged();
            let found = self.scoped(Some(caller.cookie), |scope| match scope.session {
                Some(_) => collector.updates(scope, wait.version, wait.max_objects),
                None => Err(Fault::request_canceled()),
            })?;
            if found.is_some() || wait.limit == Some(Duration::ZERO) {
                return Ok(found);
            }
            let timeout = async {
                match wait.limit {
                    Some(limit) => tokio::select! {
                        () = tokio::time::sleep_until(begun + limit) => {}
                        () = clock.sleep_until(begun_world.saturating_add(limit)) => {}
                    },
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = changes.changed() => {}
                () = timeout => return Ok(None),
                () = cancelled.cancelled() => return Err(Fault::request_canceled()),
                () = ended.cancelled() => return Err(Fault::request_canceled()),
            }
        }
    }

    pub(super) fn view_call(&self, call: &Element, mo: &Mo, caller: &Caller<'_>) -> Outcome {
        match (mo, call.name.as_str()) {
            (Mo::ViewManager, "CreateContainerView") => {
                let container = call.child("container").ok_or_else(|| Fault::invalid_argument("container"))?;
                let root = self.existing(container, caller)?;
                let kinds: Vec<String> = call.children("type").map(|kind| kind.text.clone()).collect();
                if let Some(_unknown) = kinds.iter().find(|kind| !schema::is_known(kind)) {
                    return Err(Fault::invalid_argument("type").into());
                }
                self.create_view(
                    ViewKind::Container,
                    View::Container { root, kinds, recursive: call.flag("recursive") },
                    caller,
                )
            }
            (Mo::ViewManager, "CreateListView") => {
                let members = call.children("obj").map(|obj| self.existing(obj, caller)).collect::<Result<_, _>>()?;
                self.create_view(ViewKind::List, View::List(members), caller)
            }
            (Mo::View(ViewKind::List, id), "ModifyListView" | "ResetListView") => self.change_list(call, id, caller),
            (Mo::View(_, id), "DestroyView") => {
                self.in_session(caller, |session, _| session.views.remove(id))?;
                self.touch();
                Ok(String::new())
            }
            (_, "Fetch") => self.fetch(call, mo, Some(caller.cookie)),
            (_, other) => Err(Fault::method_not_found(mo, other, self.site.flavour).into()),
        }
    }

    fn create_view(&self, kind: ViewKind, view: View, caller: &Caller<'_>) -> Outcome {
        let id = self.in_session(caller, |session, _| {
            let id = session.new_id("view");
            session.views.insert(id.clone(), view);
            id
        })?;
        Ok(self.returned_mo(&Mo::View(kind, id)))
    }

    /// Changes a list in one go; returns the references of objects that are not there.
    fn change_list(&self, call: &Element, id: &str, caller: &Caller<'_>) -> Outcome {
        let flavour = self.site.flavour;
        let read = |object: &Element| Mo::parse(&object.kind, &object.text, flavour);
        let is_reset = call.name == "ResetListView";
        let unresolved = self.in_session(caller, |session, scope| {
            let Some(View::List(members)) = session.views.get_mut(id) else { return String::new() };
            let removed: HashSet<Mo> = call.children("remove").filter_map(read).collect();
            members.retain(|mo| !is_reset && !removed.contains(mo));
            let mut there: HashSet<Mo> = members.iter().cloned().collect();
            let mut unresolved = String::new();
            for object in call.children(if is_reset { "obj" } else { "add" }) {
                match read(object).filter(|mo| scope.exists(mo)) {
                    Some(mo) if !there.insert(mo.clone()) => {}
                    Some(mo) => members.push(mo),
                    None => {
                        let kind = super::props::known_kind(&object.kind);
                        super::value::Ref { kind, id: object.text.clone() }.write(&mut unresolved, "returnval", false);
                    }
                }
            }
            unresolved
        })?;
        self.touch();
        Ok(unresolved)
    }

    /// The object of a reference, if it is there.
    pub(super) fn existing(&self, reference: &Element, caller: &Caller<'_>) -> Result<Mo, Fault> {
        let mo = Mo::parse(&reference.kind, &reference.text, self.site.flavour);
        let mo = mo.filter(|mo| self.scoped(Some(caller.cookie), |scope| scope.exists(mo)));
        mo.ok_or_else(|| Fault::not_found(&reference.kind, &reference.text))
    }

    fn in_session<R>(
        &self,
        caller: &Caller<'_>,
        change: impl FnOnce(&mut super::Session, &Scope<'_>) -> R,
    ) -> Result<R, Fault> {
        let changed = self.with_session(caller.cookie, change);
        changed.ok_or_else(|| Fault::not_authenticated(&Mo::ServiceInstance, "System.View", self.site.flavour))
    }

    /// Wakes whoever waits for changes: a view has changed.
    fn touch(&self) {
        self.world.with(State::touch);
    }

    pub(super) fn returned_mo(&self, mo: &Mo) -> String {
        returned(Some(Value::Ref(mo.reference(self.site.flavour))))
    }
}
