//! From a request to its answer: what is wrong with it, who makes it, and which code carries it out.

use http::{HeaderName, HeaderValue, Method, header};

use super::Engine;
use super::access::Caller;
use super::action::Options;
use super::collection::Answer;
use super::element::Element;
use super::fault::{Fault, Refused};
use super::page;
use super::perform::running;
use super::request::{Format, Request};
use super::role::Role;
use super::route::{Action, Part, Route, Top};
use super::scene::{Scene, href};
use super::write;
use crate::accounts;
use crate::wire::Reply;
use crate::world::Operation;

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
        if !has_body && !caller.is_filtered && caller.role != accounts::Role::Administrator {
            return refused(
                &Fault::failed(400, "Query execution failed due to insufficient permissions.").into(),
                format,
            );
        }
        let answered =
            match (&request.method, &request.route) {
                (&Method::HEAD, Route::Api) => return self.entry_head(caller, request),
                (&Method::POST, Route::Action(id, action)) => {
                    return self.perform(request, caller, correlation, (id, *action), format).await;
                }
                (&Method::POST | &Method::DELETE, _) => {
                    self.change_tags(request, caller, correlation).map(|(status, tag)| document(status, &tag, format))
                }
                (_, Route::Permissions(user)) => {
                    self.permissions_of(request, caller, user).map(|permissions| document(200, &permissions, format))
                }
                _ => self.scene(caller, request, |scene| self.look(scene, request, caller, format)).map(|answer| {
                    match answer {
                        Answer::Document(element) => document(200, &element, format),
                        Answer::Written(text) => written(200, text, format),
                    }
                }),
            };
        match answered {
            Ok(reply) => reply,
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

    fn look(&self, scene: &Scene<'_>, request: &Request, caller: &Caller, format: Format) -> Result<Answer, Refused> {
        if let Route::List(top) = &request.route
            && *top != Top::Jobs
        {
            return scene.list(*top, request, format);
        }
        self.look_at(scene, request, caller).map(Answer::Document)
    }

    fn look_at(&self, scene: &Scene<'_>, request: &Request, caller: &Caller) -> Result<Element, Refused> {
        match &request.route {
            Route::Api => Ok(scene.entry(caller)),
            Route::List(Top::Jobs) => {
                let jobs = self.jobs();
                let found = jobs.find(request.parameter("search").unwrap_or_default());
                Ok(Element::list("jobs", found.into_iter().map(|job| scene.job(job)).collect::<Vec<_>>()))
            }
            Route::One(Top::Jobs, id) => {
                let jobs = self.jobs();
                jobs.get(id).map(|job| scene.job(job)).ok_or(Refused::Absent)
            }
            Route::Roles => Ok(scene.roles()),
            Route::Role(id) => Role::find(id).map(Role::element).ok_or(Refused::Absent),
            Route::Permits(id) => scene.permits(id).ok_or(Refused::Absent),
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
            Route::List(_)
            | Route::Permissions(_)
            | Route::Action(..)
            | Route::Token
            | Route::Logout
            | Route::Health
            | Route::Certificate
            | Route::Nowhere
            | Route::Elsewhere => Err(Refused::Absent),
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
}

/// A document as the client wants it.
pub(super) fn document(status: u16, element: &Element, format: Format) -> Reply {
    written(status, write::document(element, format), format)
}

fn written(status: u16, text: String, format: Format) -> Reply {
    Reply::new(status, if format == Format::Xml { XML } else { JSON }, text)
}

/// A refusal as the client wants it.
pub(super) fn refused(why: &Refused, format: Format) -> Reply {
    match why {
        Refused::Fault(fault) => document(fault.status, &fault.element(), format).refused(fault.detail.as_str()),
        Refused::Absent => Reply { status: 404, ..Reply::default() }.refused("not found"),
        Refused::Stumbled => page::container(500, "Internal Server Error"),
    }
}
