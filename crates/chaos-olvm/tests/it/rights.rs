//! What the account may do, as the engine tells it.

use std::time::Duration;

use chaos_core::{
    Context, ErrorKind, Operation, Platform, PlatformExt, PlatformIdentity, PlatformKind, PowerRights, Selector, VMRef,
};
use chaos_olvm::{Config, LoginMethod, Olvm};
use chaos_sim::{EngineVersion, Estate, Role, Sim};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const API: &str = "/ovirt-engine/api";
const VM: &str = "0a1b2c3d-0000-4000-8000-000000000001";
const OTHER: &str = "0a1b2c3d-0000-4000-8000-000000000002";
const ENTRY: &str = r#"<api><product_info><version><major>4</major><minor>5</minor></version></product_info><authenticated_user href="/ovirt-engine/api/users/u1" id="u1"/></api>"#;

fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(30))
}

/// The rights of a user on all VMs that the administrator sees, and the requests that it took to learn them.
async fn rights(sim: &Sim, user: &str) -> (PowerRights, Vec<String>) {
    let cx = &cx();
    let olvm = |user: &str| Olvm::connect(cx, Config::new(sim.url(), format!("{user}@internal"), "pw".into()));
    let (root, olvm) = (olvm("root").await.unwrap(), olvm(user).await.unwrap());
    let vms = root.discover(cx, &Selector::all()).await.unwrap().vms;
    let vms: Vec<VMRef> = vms.iter().map(|vm| root.vm_ref(vm)).collect();
    olvm.discover(cx, &Selector::all()).await.unwrap();
    sim.clear_calls();
    let rights = olvm.power_rights(cx, &vms).await.unwrap();
    let requests = sim.calls().into_iter().map(|call| call.method).collect();
    root.disconnect(cx).await.unwrap();
    olvm.disconnect(cx).await.unwrap();
    (rights, requests)
}

fn granted(rights: &PowerRights) -> Vec<(&str, usize)> {
    rights.rights.iter().map(|right| (right.privilege.as_str(), right.granted)).collect()
}

#[tokio::test]
async fn an_engine_tells_what_an_account_may_do_in_few_requests() {
    let builder = Sim::builder().olvm().estate(Estate::demo()).restricted_vm("database-01");
    let builder = builder.user("root", "pw", Role::Administrator).user("operator", "pw", Role::Operator);
    let sim = builder.user("looker", "pw", Role::ReadOnly).start().await.unwrap();
    // An operator has a role on one cluster and on all but one of the VMs in the other.
    for (user, count, requests) in [
        ("root", 10, vec!["api", "permissions", "permits"]),
        ("operator", 9, vec!["api", "permissions", "permits", "vms", "vm"]),
        ("looker", 0, vec!["api", "permissions", "permits"]),
    ] {
        let (rights, asked) = rights(&sim, user).await;
        assert_eq!((rights.vms, asked), (10, requests.into_iter().map(str::to_owned).collect()), "{user}");
        let permits = ["run_vm", "shut_down_vm", "stop_vm", "reboot_vm", "reset_vm", "hibernate_vm"];
        assert_eq!(granted(&rights), permits.map(|permit| (permit, count)), "{user}");
        assert_eq!(rights.lacking().count(), if count == 10 { 0 } else { 6 });
        let hibernate = rights.rights.iter().find(|right| right.operation == Operation::Suspend).unwrap();
        assert_eq!(hibernate.privilege, "hibernate_vm");
    }
}

#[tokio::test]
async fn a_role_on_a_data_center_counts_for_every_vm_in_it_whatever_their_number() {
    let sim = Sim::builder().olvm().estate(Estate::of_size(240)).user("root", "pw", Role::Administrator);
    let sim = sim.user("operator", "pw", Role::Operator).start().await.unwrap();
    let (rights, requests) = rights(&sim, "operator").await;
    assert_eq!((rights.vms, rights.lacking().count()), (240, 0));
    assert_eq!(requests, ["api", "permissions", "permits", "vms", "vms"]);
}

#[tokio::test]
async fn a_permit_that_an_engine_does_not_know_is_not_missed() {
    let sim = Sim::builder().olvm().engine_version(EngineVersion::V43).user("root", "pw", Role::Administrator);
    let sim = sim.start().await.unwrap();
    let (rights, _) = rights(&sim, "root").await;
    assert_eq!((rights.rights.len(), rights.lacking().count()), (5, 0), "{rights:?}");
}

/// An engine that answers with these documents, or refuses.
async fn engine(answers: &[(&str, ResponseTemplate)]) -> MockServer {
    let server = MockServer::start().await;
    for (at, answer) in answers {
        let at = path(format!("{API}{at}"));
        Mock::given(method("GET")).and(at).respond_with(answer.clone()).mount(&server).await;
    }
    server
}

fn document(status: u16, text: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(text.to_owned(), "application/xml;charset=UTF-8")
}

async fn ask(server: &MockServer) -> Result<PowerRights, chaos_core::Error> {
    let mut config = Config::new(server.uri(), "somebody@internal", "pw".into());
    config.login = LoginMethod::Basic;
    let olvm = Olvm::connect(&cx(), config).await.unwrap();
    let elsewhere = PlatformIdentity { instance: "engine:elsewhere".to_owned(), ..olvm.identity().clone() };
    let vms = [VMRef::new(olvm.identity(), VM), VMRef::new(olvm.identity(), OTHER), VMRef::new(&elsewhere, VM)];
    olvm.power_rights(&cx(), &vms).await
}

#[tokio::test]
async fn an_engine_that_does_not_tell_is_no_failure_but_unsupported() {
    let fault = |status, detail: &str| {
        document(status, &format!("<fault><detail>[{detail}]</detail><reason>Operation Failed</reason></fault>"))
    };
    let given = document(200, r#"<permissions><permission id="p"><role id="r1"/></permission></permissions>"#);
    let hidden = fault(400, "Query execution failed due to insufficient permissions.");
    let page = ResponseTemplate::new(403).set_body_raw("<html>no</html>", "text/html");
    let told = ("", document(200, ENTRY));
    let refusing = |answer: &ResponseTemplate| vec![told.clone(), ("/users/u1/permissions", answer.clone())];
    for (why, answers) in [
        ("old", vec![("", document(200, "<api><product_info/></api>"))]),
        ("403", refusing(&fault(403, "User is not authorized to perform this action."))),
        ("404", refusing(&ResponseTemplate::new(404))),
        ("400", refusing(&hidden)),
        ("a page", refusing(&page)),
        ("the role", [refusing(&given), vec![("/roles/r1/permits", hidden.clone())]].concat()),
    ] {
        let error = ask(&engine(&answers).await).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{why}: {error:?}");
        assert_eq!(error.platform_kind(), Some(&PlatformKind::OLVM));
        assert!(error.to_string().contains("the engine does not tell what the account may do"), "{why}: {error}");
    }
    let broken = engine(&refusing(&fault(500, "out of memory"))).await;
    assert_eq!(ask(&broken).await.unwrap_err().kind(), ErrorKind::Unavailable, "what may pass is no answer");
}

#[tokio::test]
async fn roles_add_up_and_what_is_on_other_things_does_not_count() {
    let permission = |object: &str, role: &str| {
        format!(r#"<permission id="p">{object}<role href="/ovirt-engine/api/roles/{role}" id="{role}"/></permission>"#)
    };
    let permits = |names: &[&str]| {
        let permits = names.iter().map(|name| format!(r#"<permit id="1"><name>{name}</name></permit>"#));
        document(200, &format!("<permits>{}</permits>", permits.collect::<String>()))
    };
    let permissions = [
        permission("", "runner"),
        permission(&format!(r#"<vm id="{VM}"/>"#), "stopper"),
        permission(r#"<group id="g1"/>"#, "runner"),
        permission(r#"<vm id="somebody-elses"/>"#, "never-asked"),
        permission(r#"<host id="h1"/>"#, "never-asked"),
        permission(r#"<vm_pool id="p1"/>"#, "never-asked"),
    ];
    let server = engine(&[
        ("", document(200, ENTRY)),
        ("/users/u1/permissions", document(200, &format!("<permissions>{}</permissions>", permissions.concat()))),
        ("/roles/runner/permits", permits(&["login", "run_vm", "reset_vm"])),
        ("/roles/stopper/permits", permits(&["stop_vm", "Shut_Down_Vm"])),
    ])
    .await;
    let rights = ask(&server).await.unwrap();
    assert_eq!(rights.vms, 2, "a VM of another engine is not looked at");
    let expected =
        [("run_vm", 2), ("shut_down_vm", 1), ("stop_vm", 1), ("reboot_vm", 0), ("reset_vm", 2), ("hibernate_vm", 0)];
    assert_eq!(granted(&rights), expected);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1 + 4, "the login, and nothing twice: {requests:?}");
}
