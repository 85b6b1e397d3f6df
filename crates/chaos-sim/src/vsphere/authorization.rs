//! `AuthorizationManager`: what the user of a session may do.
//!
//! Source: the vSphere Web Services API reference, `HasPrivilegeOnEntities`, since 5.5.

use super::dispatch::{Caller, Outcome, returned};
use super::fault::Fault;
use super::mo::Mo;
use super::value::{Struct, Value};
use super::xml::Element;
use super::{Door, Privilege};

impl Door {
    /// Which privileges a session has on which objects. VMs that its user may not read grant nothing.
    pub(super) fn has_privilege(&self, call: &Element, caller: &Caller<'_>) -> Outcome {
        let key = call.text_of("sessionId").unwrap_or_default();
        let is_own = self.with_session(caller.cookie, |session, _| session.key == key);
        if is_own != Some(true) {
            return Err(Fault::plain("NotFound", "The session is not there.").into());
        }
        let privileges: Vec<&str> = call.children("privId").map(|privilege| privilege.text.as_str()).collect();
        let mut answer = String::new();
        for entity in call.children("entity") {
            let mo = Mo::parse(&entity.kind, &entity.text, self.site.flavour);
            let mo = mo.filter(|mo| self.scoped(Some(caller.cookie), |scope| scope.exists(mo)));
            let Some(mo) = mo else { return Err(Fault::not_found(&entity.kind, &entity.text).into()) };
            let is_hidden =
                self.scoped(Some(caller.cookie), |scope| self.site.denies(scope, &mo, "runtime.powerState").is_some());
            let availabilities = privileges.iter().map(|privilege| {
                let needed = if privilege.starts_with("Sessions.") { Privilege::Sessions } else { Privilege::Power };
                let may = self.with_session(caller.cookie, |session, _| session.may(needed)).unwrap_or(false);
                let is_granted = !is_hidden && (may || privilege.starts_with("System."));
                Struct::new("PrivilegeAvailability")
                    .with("privId", (*privilege).to_owned())
                    .with("isGranted", Value::from(is_granted))
                    .into()
            });
            let entry = Struct::new("EntityPrivilege")
                .with("entity", mo.reference(self.site.flavour))
                .with("privAvailability", Value::List("PrivilegeAvailability", availabilities.collect()));
            answer.push_str(&returned(Some(entry.into())));
        }
        Ok(answer)
    }
}
