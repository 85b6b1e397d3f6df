//! Properties of the service itself: its content, what it says about itself, and sessions.

use super::Scope;
use crate::vsphere::Site;
use crate::vsphere::mo::{Flavour, Mo};
use crate::vsphere::session::Session;
use crate::vsphere::value::{Struct, Value};

pub(super) fn property(scope: &Scope<'_>, mo: &Mo, first: &str, rest: &[&str]) -> Option<Value> {
    match (mo, first) {
        (Mo::ServiceInstance, "content") => service_content(scope.site).at(rest),
        (Mo::ServiceInstance, "serverClock") => Some(scope.state.moment().into()),
        (Mo::SessionManager, "currentSession") => user_session(scope, scope.session?).at(rest),
        (Mo::SessionManager, "sessionList") => {
            let session = scope.session.map(|session| user_session(scope, session).into());
            Some(Value::List("UserSession", session.into_iter().collect()))
        }
        (Mo::SessionManager, "defaultLocale") => Some("en_US".into()),
        (Mo::SessionManager, "messageLocaleList" | "supportedLocaleList") => {
            Some(Value::List("string", vec![Value::string("en_US")]))
        }
        (Mo::ViewManager, "viewList") => {
            let views = scope.session?.views.iter();
            Some(Value::refs(views.map(|(id, view)| scope.reference(&Mo::View(view.kind(), id.clone())))))
        }
        (Mo::TaskManager, "recentTask") => {
            Some(Value::refs(scope.state.tasks.keys().map(|id| scope.reference(&Mo::Task(*id)))))
        }
        (Mo::Collector(id), "filter") => {
            let filters = scope.session?.collector(id.as_deref())?.filters();
            Some(Value::refs(filters.into_iter().map(|id| scope.reference(&Mo::Filter(id)))))
        }
        _ => None,
    }
}

/// `ServiceInstance.content`.
pub(in crate::vsphere) fn service_content(site: &Site) -> Struct {
    let reference = |mo: Mo| mo.reference(site.flavour);
    Struct::new("ServiceContent")
        .with("rootFolder", reference(Mo::Root))
        .with("propertyCollector", reference(Mo::Collector(None)))
        .with("viewManager", reference(Mo::ViewManager))
        .with("about", about(site))
        .with("setting", reference(Mo::OptionManager))
        .with("sessionManager", reference(Mo::SessionManager))
        .with("authorizationManager", reference(Mo::AuthorizationManager))
        .with("taskManager", reference(Mo::TaskManager))
        .with("searchIndex", reference(Mo::SearchIndex))
}

/// The version that the server says it is, without its last part.
fn about_version(site: &Site) -> String {
    site.version.splitn(4, '.').take(3).collect::<Vec<_>>().join(".")
}

fn about(site: &Site) -> Struct {
    let version = about_version(site);
    let (name, product_line, os, api) = match site.flavour {
        Flavour::VCenter => ("VMware vCenter Server", "vpx", "linux-x64", "VirtualCenter"),
        Flavour::Esxi => ("VMware ESXi", "embeddedEsx", "vmnix-x86", "HostAgent"),
    };
    let data = Struct::new("AboutInfo")
        .with("name", name)
        .with("fullName", format!("{name} {version} build-0 (simulated by chaos-sim)"))
        .with("vendor", "VMware, Inc.")
        .with("version", version)
        .with("build", "0")
        .with("localeVersion", "INTL")
        .with("localeBuild", "000")
        .with("osType", os)
        .with("productLineId", product_line)
        .with("apiType", api)
        .with("apiVersion", site.version.clone());
    // An ESXi host has no instance UUID.
    let instance = (site.flavour == Flavour::VCenter).then(|| site.instance_uuid.clone());
    data.with_some("instanceUuid", instance).with("licenseProductName", name).with("licenseProductVersion", "8.0")
}

/// A `UserSession`.
pub(in crate::vsphere) fn user_session(scope: &Scope<'_>, session: &Session) -> Struct {
    let moment = |elapsed| scope.state.timestamp(elapsed);
    Struct::new("UserSession")
        .with("key", session.key.clone())
        .with("userName", session.user.clone())
        .with("fullName", session.user.clone())
        .with("loginTime", moment(session.login))
        .with("lastActiveTime", moment(session.last_active))
        .with("locale", "en_US")
        .with("messageLocale", "en_US")
        .with("extensionSession", false)
        .with("ipAddress", session.address.clone())
        .with("userAgent", session.agent.clone())
        .with("callCount", Value::long(i64::try_from(session.calls).unwrap_or(i64::MAX)))
}
