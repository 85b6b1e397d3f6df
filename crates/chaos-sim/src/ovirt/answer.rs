//! From a request to its answer: what is wrong with it, who makes it, and which code carries it out.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};

use super::Engine;
use super::access::Caller;
use super::action::{Options, misused};
use super::body::Fields;
use super::element::Element;
use super::fault::{Fault, Refused};
use super::ids::is_uuid;
use super::job::Job;
use super::page;
use super::power::{self, Actor};
use super::request::{Format, Request};
use super::route::{Action, Part, Route, Top};
use super::scene::{Scene, href};
use super::write;
use crate::accounts::Role;
use crate::wire::Reply;
use crate::world::{Note, Operation, TaskId, TaskState};

const XML: &str = "application/xml;charset=UTF-8";
const JSON: &str = "application/json";
const PEM: &str = "application/x-x509-ca-cert";
/// The most letters of a correlation id.
const CORRELATION: usize = 36;

impl Engine {
    /// Answers a request.
    pub(crate) async fn answer(&self, request: &Request) -> Reply {
        if let Some(page) = self.outage().and_then(|outage| outage.page(self.world.clock().elapsed())) {
            return page;
        }
        if let Some(status) = request.too_large {
            return page::web_server(status);
        }
        let reply = match &request.route {
            Route::Token => self.token(request),
            Route::Logout => self.logout(request),
            Route::Health => Reply::new(200, "text/html;charset=UTF-8", "DB Up!Welcome to Health Status!"),
            Route::Certificate => self.certificate(),
            Route::Elsewhere => page::not_found(),
            route if route.is_in_api() => self.api(request).await,
            _ => page::not_found(),
        };
        reply.with(header::VARY, "Accept-Encoding").with(header::SERVER, "Apache")
    }

    fn certificate(&self) -> Reply {
        match self.certificate.get() {
            Some(pem) => Reply::new(200, PEM, pem.clone()),
            None => page::not_found(),
        }
    }

    async fn api(&self, request: &Request) -> Reply {
        let caller = match self.authenticate(request) {
            Ok(caller) => caller,
            Err(turned_down) => return turned_down,
        };
        let correlation = self.correlation(request);
        let reply = self.authenticated(request, &caller, &correlation).await;
        let reply = reply.with(HeaderName::from_static("correlation-id"), correlation);
        caller
            .headers
            .into_iter()
            .fold(reply, |reply, (name, value): (HeaderName, HeaderValue)| reply.with(name, value))
    }

    /// What the client calls its request, without what the engine does not take; its own name for it if that is nothing.
    fn correlation(&self, request: &Request) -> String {
        let given =
            request.header("correlation-id").or_else(|| request.parameter("correlation_id")).unwrap_or_default();
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let taken: String = given.chars().filter(fits).take(CORRELATION).collect();
        if taken.is_empty() { self.ids.make("engine correlation", request.number) } else { taken }
    }

    async fn authenticated(&self, request: &Request, caller: &Caller, correlation: &str) -> Reply {
        if let Some(reply) = self.misdirected(request) {
            return reply;
        }
        let Some(format) = request.format() else { return page::container(406, "Not Acceptable") };
        let has_body = request.method == Method::POST;
        if has_body && request.body_format().is_none() {
            return page::container(415, "Unsupported Media Type");
        }
        if request.header("version").is_some_and(|version| version.trim() != "4") {
            return refused(&Fault::syntax(request.host(), "system").into(), format);
        }
        // A filtered view cannot be lifted by those who have no other.
        if !has_body && !caller.is_filtered && caller.role != Role::Administrator {
            return refused(
                &Fault::failed(400, "Query execution failed due to insufficient permissions.").into(),
                format,
            );
        }
        let answered = match (&request.method, &request.route) {
            (&Method::HEAD, Route::Api) => return self.entry_head(caller, request),
            (&Method::POST, Route::Action(id, action)) => {
                return self.action(request, caller, correlation, (id, *action), format).await;
            }
            (&Method::POST | &Method::DELETE, _) => self.change(request, caller, correlation),
            _ => self.scene(caller, request, |scene| self.look(scene, request, caller)).map(|element| (200, element)),
        };
        match answered {
            Ok((status, element)) => document(status, &element, format),
            Err(Refused::Absent) if matches!(request.route, Route::Running(..)) => self.gone_elsewhere(request),
            Err(why) => refused(&why, format),
        }
    }

    /// The answer for a path that leads nowhere, or a method that is not for it.
    fn misdirected(&self, request: &Request) -> Option<Reply> {
        let allowed: &[Method] = match &request.route {
            Route::Nowhere => return Some(page::not_found()),
            Route::Action(_, Action::Reset) if !self.site.version.has_reset() => return Some(page::not_found()),
            Route::Api => &[Method::GET, Method::HEAD],
            Route::Action(..) => &[Method::POST],
            Route::List(Top::Tags) | Route::OfVm(_, Part { path: "tags", .. }, None) => &[Method::GET, Method::POST],
            Route::One(Top::Tags, _) | Route::OfVm(_, Part { path: "tags", .. }, Some(_)) => {
                &[Method::GET, Method::DELETE]
            }
            _ => &[Method::GET],
        };
        if allowed.contains(&request.method) {
            return None;
        }
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        Some(page::container(405, "Method Not Allowed").with(header::ALLOW, names.join(", ")))
    }

    fn look(&self, scene: &Scene<'_>, request: &Request, caller: &Caller) -> Result<Element, Refused> {
        match &request.route {
            Route::Api => Ok(scene.entry(caller)),
            Route::List(Top::Jobs) => {
                let jobs = self.jobs();
                let found = jobs.find(request.parameter("search").unwrap_or_default());
                Ok(Element::list("jobs", found.into_iter().map(|job| scene.job(job)).collect::<Vec<_>>()))
            }
            Route::List(top) => scene.list(*top, request),
            Route::One(Top::Jobs, id) => {
                let jobs = self.jobs();
                jobs.get(id).map(|job| scene.job(job)).ok_or(Refused::Absent)
            }
            Route::One(top, id) => scene.one(*top, id, request),
            Route::OfVm(id, part, member) => {
                let vm = scene.vm_of(id).ok_or(Refused::Absent)?;
                match member {
                    None => Ok(scene.part(vm, part)),
                    Some(member) => scene.part_member(vm, part, member).ok_or(Refused::Absent),
                }
            }
            Route::Running(id, action, tasks) => {
                let vm = scene.vm_of(id).ok_or(Refused::Absent)?;
                let is_running = *action == Action::Suspend && scene.state.is_busy_with(vm.id, Operation::Suspend);
                let element = is_running.then(|| running(id, *action, tasks, &Options::default(), None));
                element.ok_or(Refused::Absent)
            }
            Route::Action(..) | Route::Token | Route::Logout | Route::Health | Route::Certificate => {
                Err(Refused::Absent)
            }
            Route::Nowhere | Route::Elsewhere => Err(Refused::Absent),
        }
    }

    /// Where to look instead at what came of an action that is over.
    fn gone_elsewhere(&self, request: &Request) -> Reply {
        let vm = request.route.id().unwrap_or_default();
        let is_there = self.world.with(|state| self.ids.find_vm(vm, state).is_some());
        if !is_there {
            return refused(&Refused::Absent, Format::Xml);
        }
        Reply { status: 301, ..Reply::default() }.with(header::LOCATION, href("vms", vm))
    }

    fn entry_head(&self, caller: &Caller, request: &Request) -> Reply {
        let links = self.scene(caller, request, |scene| {
            let links = scene.entry_links().into_iter();
            let links =
                links.map(|link| format!("<{}>; rel={}", link.href.unwrap_or_default(), link.rel.unwrap_or_default()));
            links.collect::<Vec<_>>().join(",")
        });
        Reply::new(200, XML, "").with(header::LINK, links)
    }

    /// Changes tags.
    fn change(&self, request: &Request, caller: &Caller, correlation: &str) -> Result<(u16, Element), Refused> {
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

    fn note_of(&self, caller: &Caller, correlation: &str, (vm, code, text): (crate::world::VmId, u32, String)) {
        let (user, correlation) = (Some(caller.user.clone()), Some(correlation.to_owned()));
        self.note(Some(vm), Note { code, is_error: false, text, user, correlation });
    }

    async fn action(
        &self,
        request: &Request,
        caller: &Caller,
        correlation: &str,
        (id, action): (&str, Action),
        format: Format,
    ) -> Reply {
        let Ok(options) = Options::read(request) else { return refused(&misused(request, action).into(), format) };
        if !is_uuid(id) {
            return refused(&Refused::Absent, format);
        }
        if let Some(sleep) = options.sleep {
            self.pass(sleep).await;
        }
        let actor = Actor { user: caller.user.clone(), correlation: correlation.to_owned() };
        let found = self.scene(caller, request, |scene| scene.vm_of(id).map(|vm| (vm.id, vm.name.clone())));
        let accepted = match found {
            None if caller.is_filtered => Err(Fault::forbidden()),
            None => Err(power::not_found(action)),
            Some(_) if caller.role == Role::ReadOnly => Err(Fault::forbidden()),
            Some((vm, name)) => {
                let acted =
                    self.world.with(|state| self.act(state, vm, action, &options, &actor).map(|it| (it, state.now)));
                acted.map(|(accepted, now)| (vm, name, accepted, now))
            }
        };
        let (vm, name, accepted, now) = match accepted {
            Ok(accepted) => accepted,
            Err(fault) => {
                let reply = document(fault.status, &options.refused(&fault), format);
                return reply.refused(fault.detail);
            }
        };
        let job = Job {
            id: self.ids.make("engine job", request.number),
            description: format!("{} VM {name}", described(action)),
            correlation: actor.correlation,
            user: actor.user,
            begun: now,
            task: accepted.task,
            lasts: accepted.lasts,
        };
        let job_id = job.id.clone();
        self.jobs().add(job);
        self.until_begun(accepted.task).await;
        if accepted.lasts {
            let tasks = self.ids.make("engine task", request.number);
            let element = running(id, action, &tasks, &options, Some(&job_id));
            return document(202, &element, format);
        }
        let element = self.scene(caller, request, |scene| {
            let job = Element::reference("job", href("jobs", &job_id), job_id.clone());
            let vm = scene.state.inventory.vms.get(&vm).map(|vm| scene.bare_vm(vm));
            options.answer([job, Element::text("status", "complete")].into_iter().chain(vm))
        });
        document(200, &element, format)
    }

    /// Returns when a command has been handed to the host: until then other commands on the VM are refused. A world that
    /// stands still keeps nobody waiting.
    async fn until_begun(&self, task: Option<TaskId>) {
        let Some(id) = task else { return };
        let mut changes = self.world.changes();
        loop {
            changes.mark_unchanged();
            let waits = self.world.with(|state| state.tasks.get(&id).is_some_and(|it| it.state == TaskState::Queued));
            if !waits {
                return;
            }
            tokio::select! {
                told = changes.changed() => if told.is_err() { return },
                () = self.world.clock().until_paused() => return,
            }
        }
    }

    /// Lets world time pass, unless the world stands still.
    async fn pass(&self, time: Duration) {
        tokio::select! {
            () = self.world.clock().sleep(time) => {}
            () = self.world.clock().until_paused() => {}
        }
    }
}

fn described(action: Action) -> &'static str {
    match action {
        Action::Start => "Launching",
        Action::Stop => "Powering Off",
        Action::Shutdown => "Shutting Down",
        Action::Reboot => "Rebooting",
        Action::Reset => "Resetting",
        Action::Suspend => "Suspending",
    }
}

/// An action that has tasks which are not over.
fn running(vm: &str, action: Action, tasks: &str, options: &Options, job: Option<&str>) -> Element {
    let at = format!("{}/{}", href("vms", vm), action.word());
    let job = job.map(|job| Element::reference("job", href("jobs", job), job.to_owned()));
    let members = [
        Element::link("parent", href("vms", vm)),
        Element::link("replay", at.clone()),
        Element::flag("async", true),
        Element::text("status", "in_progress"),
    ];
    let element = options.answer(members.into_iter().chain(job));
    Element { href: Some(format!("{at}/{tasks}")), id: Some(tasks.to_owned()), ..element }
}

/// A document as the client wants it.
fn document(status: u16, element: &Element, format: Format) -> Reply {
    match format {
        Format::Xml => Reply::new(status, XML, write::xml(element)),
        Format::Json => Reply::new(status, JSON, write::json(element)),
    }
}

/// A refusal as the client wants it.
fn refused(why: &Refused, format: Format) -> Reply {
    match why {
        Refused::Fault(fault) => document(fault.status, &fault.element(), format).refused(fault.detail.as_str()),
        Refused::Absent => Reply { status: 404, ..Reply::default() }.refused("not found"),
        Refused::Stumbled => page::container(500, "Internal Server Error"),
    }
}
