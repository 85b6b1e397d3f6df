//! Reads a call, checks who makes it and on what, and sends it to the code that carries it out.

use super::fault::Fault;
use super::mo::Mo;
use super::session::LoginError;
use super::value::{Struct, Value, escape};
use super::xml::{Element, Request, read_request};
use super::{COOKIE, Door, Privilege, SoapAnswer, SoapCall, order, props};
use crate::wire::Subject;
use crate::world::Operation;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope \
    xmlns:soapenc=\"http://schemas.xmlsoap.org/soap/encoding/\" xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
    xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<soapenv:Body>\n";
const TAIL: &str = "\n</soapenv:Body>\n</soapenv:Envelope>\n";

/// A call that was read, and what it is about. It may hold a password, so it has no `Debug`.
pub(crate) struct Parsed {
    pub(crate) subject: Subject,
    call: Element,
    cookie: Option<String>,
    address: String,
    agent: String,
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Refused {
    Fault(Fault),
    /// HTTP 503: no more sessions.
    Busy,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The inside of a response element, or why there is none.
pub(super) type Outcome = Result<String, Refused>;

/// What a method works with.
pub(super) struct Caller<'a> {
    /// The value of the session cookie.
    pub(super) cookie: &'a str,
    pub(super) user: String,
}

impl Door {
    /// Reads a call. What is not SOAP gets its answer at once.
    pub(crate) fn parse(&self, call: SoapCall) -> Result<Parsed, SoapAnswer> {
        let Request { call: element, operation_id } =
            read_request(&call.body).map_err(|error| fault_answer(&Fault::invalid_request(error.to_string())))?;
        let object = element.child("_this").map(|this| this.text.clone()).unwrap_or_default();
        let kind = element.child("_this").map(|this| this.kind.as_str()).unwrap_or_default();
        let cookie = call.cookie.map(|cookie| cookie.trim_matches('"').to_owned());
        let (object_name, session) = self.scoped(cookie.as_deref(), |scope| {
            let name = Mo::parse(kind, &object, scope.flavour()).and_then(|mo| scope.name(&mo));
            (name, scope.session.map(|session| session.key.clone()))
        });
        let method = element.name.clone();
        let subject = Subject { method, object, object_name, session, operation_id, ..Subject::default() };
        Ok(Parsed { subject, call: element, cookie, address: call.address, agent: call.agent })
    }

    /// Carries out a call.
    pub(crate) async fn answer(&self, parsed: &Parsed) -> SoapAnswer {
        let method = &parsed.call.name;
        if let Some(wrong) = order::misplaced(&parsed.call) {
            return fault_answer(&Fault::invalid_request(format!("Unexpected element tag \"{wrong}\" seen")));
        }
        let mut set_cookie = None;
        let outcome = match method.as_str() {
            "Login" => self.login(parsed, &mut set_cookie),
            _ => self.call(parsed).await,
        };
        match outcome {
            Ok(inside) => {
                let mut body = String::with_capacity(inside.len() + 600);
                body.push_str(HEAD);
                body.push('<');
                escape(&mut body, method);
                body.push_str("Response xmlns=\"urn:vim25\">");
                body.push_str(&inside);
                body.push_str("</");
                escape(&mut body, method);
                body.push_str("Response>");
                body.push_str(TAIL);
                SoapAnswer { status: 200, body, set_cookie, fault: None }
            }
            Err(Refused::Fault(fault)) => fault_answer(&fault),
            Err(Refused::Busy) => SoapAnswer {
                status: 503,
                body: "503 Service Unavailable: out of HTTP sessions\n".into(),
                ..SoapAnswer::default()
            },
        }
    }

    fn login(&self, parsed: &Parsed, set_cookie: &mut Option<String>) -> Outcome {
        let call = &parsed.call;
        let credentials = (call.text_of("userName").unwrap_or_default(), call.text_of("password").unwrap_or_default());
        let mut sessions = self.sessions();
        self.world.with(|state| {
            let is_logged_in =
                parsed.cookie.as_deref().is_some_and(|cookie| sessions.find(cookie, state.now).is_some());
            if is_logged_in {
                return Err(Fault::invalid_login().into());
            }
            let login = sessions.login(credentials, parsed.address.clone(), parsed.agent.clone(), state.now);
            let cookie = login.map_err(|error| match error {
                LoginError::Invalid => Refused::Fault(Fault::invalid_login()),
                LoginError::Full => Refused::Busy,
            })?;
            let secure = if self.site.secure_cookie { " Secure;" } else { "" };
            *set_cookie = Some(format!("{COOKIE}=\"{cookie}\"; Path=/; HttpOnly;{secure}"));
            let session = sessions.peek(&cookie);
            let scope = props::Scope { state, site: &self.site, session };
            let data = session.map(|session| props::user_session(&scope, session));
            Ok(returned(data.map(Value::from)))
        })
    }

    async fn call(&self, parsed: &Parsed) -> Outcome {
        let call = &parsed.call;
        let this = call.child("_this").ok_or_else(|| Fault::invalid_request("the call names no object".into()))?;
        let flavour = self.site.flavour;
        let mo = Mo::parse(&this.kind, &this.text, flavour).ok_or_else(|| Fault::not_found(&this.kind, &this.text))?;
        let caller = parsed.cookie.as_deref().and_then(|cookie| self.caller(cookie));
        let Some(caller) = caller else {
            return self.call_without_session(call, &mo);
        };
        let exists = self.scoped(Some(caller.cookie), |scope| scope.exists(&mo));
        if !exists {
            return Err(Fault::not_found(&this.kind, &this.text).into());
        }
        match (&mo, call.name.as_str()) {
            (Mo::ServiceInstance, "RetrieveServiceContent") => Ok(self.content()),
            (Mo::ServiceInstance, "CurrentTime") => {
                Ok(returned(Some(self.world.with(|state| Value::from(state.moment())))))
            }
            (Mo::SessionManager, _) => self.session_call(call, &mo, &caller),
            (Mo::Collector(_), _) => self.collector_call(call, &mo, &caller).await,
            (Mo::Filter(id), "DestroyPropertyFilter") => {
                self.remove_filter(&caller, id);
                Ok(String::new())
            }
            (Mo::ViewManager | Mo::View(..), _) => self.view_call(call, &mo, &caller),
            (Mo::AuthorizationManager, "HasPrivilegeOnEntities") => self.has_privilege(call, &caller),
            (Mo::SearchIndex, _) => self.search_call(call, &mo, &caller),
            (Mo::OptionManager, "QueryOptions") => self.query_options(call),
            (_, "Fetch") => self.fetch(call, &mo, Some(caller.cookie)),
            (Mo::Vm(_) | Mo::Datacenter(_) | Mo::Task(_), _) => self.operation_call(call, &mo, &caller),
            _ => Err(Fault::method_not_found(&mo, &call.name, flavour).into()),
        }
    }

    /// The few things that can be asked without a session.
    fn call_without_session(&self, call: &Element, mo: &Mo) -> Outcome {
        match (mo, call.name.as_str()) {
            (Mo::ServiceInstance, "RetrieveServiceContent") => Ok(self.content()),
            (Mo::Collector(None), "RetrieveProperties" | "RetrievePropertiesEx") => self.retrieve_without_session(call),
            (Mo::ServiceInstance | Mo::SessionManager, "Fetch") => self.fetch(call, mo, None),
            _ => Err(Fault::not_authenticated(mo, "System.View", self.site.flavour).into()),
        }
    }

    /// The caller behind a cookie, if it has a session; counts the call.
    fn caller<'a>(&self, cookie: &'a str) -> Option<Caller<'a>> {
        self.with_session(cookie, |session, scope| {
            session.last_active = scope.state.now;
            session.calls += 1;
            Caller { cookie, user: session.user.clone() }
        })
    }

    /// Refuses what the caller's role does not allow.
    pub(super) fn demand(
        &self,
        caller: &Caller<'_>,
        privilege: Privilege,
        mo: &Mo,
        name: &'static str,
    ) -> Result<(), Fault> {
        let may = self.with_session(caller.cookie, |session, _| session.may(privilege));
        match may {
            Some(true) => Ok(()),
            Some(false) => Err(Fault::no_permission(mo, name, self.site.flavour)),
            None => Err(Fault::not_authenticated(mo, name, self.site.flavour)),
        }
    }

    fn content(&self) -> String {
        returned(Some(props::service_content(&self.site).into()))
    }

    fn session_call(&self, call: &Element, mo: &Mo, caller: &Caller<'_>) -> Outcome {
        match call.name.as_str() {
            "Logout" => {
                self.kill_session(caller.cookie);
                Ok(String::new())
            }
            "SessionIsActive" => {
                if self.site.flavour == super::Flavour::Esxi {
                    return Err(Fault::plain("NotImplemented", "The method is not implemented.").into());
                }
                self.demand(caller, Privilege::Sessions, mo, "Sessions.ValidateSession")?;
                let key = call.text_of("sessionID").unwrap_or_default();
                let is_active = self.sessions().all().any(|session| session.key == key);
                Ok(returned(Some(is_active.into())))
            }
            "TerminateSession" => {
                self.demand(caller, Privilege::Sessions, mo, "Sessions.TerminateSession")?;
                let found = call.children("sessionId").map(|id| self.kill_sessions(Some(&id.text))).sum::<usize>();
                if found == 0 {
                    return Err(Fault::plain("NotFound", "The session is not there.").into());
                }
                Ok(String::new())
            }
            "Fetch" => self.fetch(call, mo, Some(caller.cookie)),
            "SetLocale" => Ok(String::new()),
            other => Err(Fault::method_not_found(mo, other, self.site.flavour).into()),
        }
    }

    /// `OptionManager.QueryOptions`: the few that clients look at.
    fn query_options(&self, call: &Element) -> Outcome {
        let name = call.text_of("name").unwrap_or_default();
        let (idle, limit) = {
            let sessions = self.sessions();
            (sessions.idle_limit, sessions.limit)
        };
        let options = [
            ("VirtualCenter.InstanceName", Value::string("chaos-sim")),
            ("config.vmacore.soap.maxSessionCount", Value::int(i64::try_from(limit).unwrap_or(i64::MAX))),
            ("config.vmacore.soap.sessionTimeout", Value::int(i64::try_from(idle.as_secs() / 60).unwrap_or(i64::MAX))),
        ];
        let matching = options
            .into_iter()
            .filter(|(key, _)| name.is_empty() || *key == name || (name.ends_with('.') && key.starts_with(name)));
        let found: String = matching
            .map(|(key, value)| {
                returned(Some(Struct::new("OptionValue").with("key", key).with("value", value.typed()).into()))
            })
            .collect();
        if found.is_empty() {
            return Err(Fault::plain("InvalidName", "The name is not valid.").into());
        }
        Ok(found)
    }

    /// The read of a single property, as some clients do it.
    pub(super) fn fetch(&self, call: &Element, mo: &Mo, cookie: Option<&str>) -> Outcome {
        let path = call.text_of("prop").unwrap_or_default();
        if !super::schema::has_path(mo.kind(), path) {
            return Err(Fault::invalid_property(path).into());
        }
        self.scoped(cookie, |scope| {
            if let Some(fault) = self.site.denies(scope, mo, path) {
                return Err(fault.into());
            }
            let mut out = String::new();
            if let Some(value) = scope.property(mo, path) {
                value.write(&mut out, "returnval", true);
            }
            Ok(out)
        })
    }

    fn operation_call(&self, call: &Element, mo: &Mo, caller: &Caller<'_>) -> Outcome {
        let operation = match call.name.as_str() {
            "PowerOnVM_Task" => Some((Operation::PowerOn, "VirtualMachine.Interact.PowerOn")),
            "PowerOffVM_Task" => Some((Operation::PowerOff, "VirtualMachine.Interact.PowerOff")),
            "ResetVM_Task" => Some((Operation::Reset, "VirtualMachine.Interact.Reset")),
            "SuspendVM_Task" => Some((Operation::Suspend, "VirtualMachine.Interact.Suspend")),
            "ShutdownGuest" => Some((Operation::ShutdownGuest, "VirtualMachine.Interact.PowerOff")),
            "RebootGuest" => Some((Operation::RebootGuest, "VirtualMachine.Interact.Reset")),
            "StandbyGuest" => Some((Operation::StandbyGuest, "VirtualMachine.Interact.Suspend")),
            "TerminateVM" => Some((Operation::Terminate, "VirtualMachine.Interact.PowerOff")),
            _ => None,
        };
        match (mo, operation) {
            (Mo::Vm(vm), Some((operation, privilege))) => self.operate(*vm, operation, privilege, caller),
            (Mo::Vm(vm), None) if call.name == "AnswerVM" => self.answer_question(call, *vm, caller),
            (Mo::Datacenter(id), None) if call.name == "PowerOnMultiVM_Task" => {
                self.power_on_several(call, *id, caller)
            }
            (Mo::Task(id), None) if call.name == "CancelTask" => self.cancel_task(*id, caller),
            _ => Err(Fault::method_not_found(mo, &call.name, self.site.flavour).into()),
        }
    }
}

/// A `returnval` element; nothing if there is no value.
pub(super) fn returned(value: Option<Value>) -> String {
    let mut out = String::new();
    if let Some(value) = value {
        value.write(&mut out, "returnval", false);
    }
    out
}

/// The answer that carries a fault.
pub(super) fn fault_answer(fault: &Fault) -> SoapAnswer {
    let mut body = String::from(HEAD);
    fault.write(&mut body);
    body.push_str(TAIL);
    SoapAnswer { status: 500, body, set_cookie: None, fault: Some(fault.kind()) }
}

/// The answer that carries a fault made on demand.
pub(crate) fn injected_fault_answer(kind: &str) -> SoapAnswer {
    fault_answer(&Fault::injected(kind))
}
