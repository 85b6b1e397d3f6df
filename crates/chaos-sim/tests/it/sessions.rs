//! Logging in, staying in, and the three ways to be told that one is not in any more.

use std::time::Duration;

use chaos_sim::{Flavour, Role, Sim};

use crate::client::{COLLECTOR, Client, spec};

const SERVICE: (&str, &str) = ("ServiceInstance", "ServiceInstance");
const MANAGER: (&str, &str) = ("SessionManager", "SessionManager");

#[tokio::test]
async fn the_cookie_is_quoted_secure_and_bound_to_no_script() {
    let plain = Sim::builder().start().await.unwrap();
    let answer = Client::stranger(&plain).try_login("chaos", "chaos").await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("\"; Path=/; HttpOnly;"), "{cookie}: a cookie jar could not use it over plain HTTP");

    let sim = Sim::builder().secure_cookie(true).start().await.unwrap();
    let answer = Client::stranger(&sim).try_login("chaos", "chaos").await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("vmware_soap_session=\""), "{cookie}");
    assert!(cookie.ends_with("\"; Path=/; HttpOnly; Secure;"), "{cookie}");
    assert!(!cookie.contains(&answer.first("key").unwrap()), "the public key is not the secret");
    assert_eq!(answer.first("userName").as_deref(), Some("chaos"));
}

#[tokio::test]
async fn a_wrong_password_a_wrong_user_and_a_second_login_are_invalid() {
    let sim = Sim::builder().credentials("admin", "s3cret").start().await.unwrap();
    let mut client = Client::stranger(&sim);
    for (user, password) in [("admin", "wrong"), ("nobody", "s3cret"), ("chaos", "chaos"), ("admin", "")] {
        let answer = client.try_login(user, password).await;
        assert_eq!((answer.status, answer.fault().as_deref()), (500, Some("InvalidLogin")), "{user}");
    }
    assert_eq!(client.try_login("admin", "s3cret").await.status, 200);
    assert_eq!(client.try_login("admin", "s3cret").await.fault().as_deref(), Some("InvalidLogin"));
    client.cookie = None;
    assert_eq!(client.try_login("admin", "s3cret").await.status, 200);
    assert_eq!(sim.sessions().len(), 2);
}

#[tokio::test]
async fn what_needs_no_session_works_without_one() {
    let sim = Sim::builder().api_version("7.0.3.0").start().await.unwrap();
    let client = Client::stranger(&sim);
    let content = client.ask("RetrieveServiceContent", SERVICE, "").await;
    assert_eq!(content.first("apiVersion").as_deref(), Some("7.0.3.0"));
    assert_eq!(content.first("apiType").as_deref(), Some("VirtualCenter"));
    let versions = client.send(hyper::Method::GET, "/sdk/vimServiceVersions.xml", String::new(), &[]).await.unwrap();
    assert_eq!(versions.every("version")[0], "7.0.3.0");
    assert!(versions.text().contains("<version>6.7</version>"));
    assert!(!versions.text().contains("8.0"), "no version above the server's own");
}

#[tokio::test]
async fn a_dead_session_is_told_as_a_fault_or_as_missing_properties() {
    let sim = Sim::builder().start().await.unwrap();
    let client = Client::login(&sim).await;
    let vm = sim.world().vm("web-01").unwrap();
    let view = r#"<container type="Folder">group-d1</container><type>VirtualMachine</type><recursive>true</recursive>"#;
    let view =
        client.ask("CreateContainerView", ("ViewManager", "ViewManager"), view).await.first("returnval").unwrap();
    assert_eq!(sim.kill_sessions(), 1);

    assert_eq!(client.ask("CurrentTime", SERVICE, "").await.fault().as_deref(), Some("NotAuthenticated"));
    assert_eq!(client.on_vm("PowerOffVM_Task", vm.id.0).await.fault().as_deref(), Some("NotAuthenticated"));
    let paths = ["name", "runtime.powerState"];
    let missing = spec("VirtualMachine", &format!("vm-{}", vm.id.0), &paths);
    let answer = client.ask("RetrievePropertiesEx", COLLECTOR, &format!("{missing}<options></options>")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.every("path"), paths);
    assert_eq!(answer.every("propSet").len(), 0);
    assert!(answer.text().contains("xsi:type=\"NotAuthenticated\""));

    let again = Client::login(&sim).await;
    let gone = again.ask("DestroyView", ("ContainerView", &view), "").await;
    assert_eq!(gone.fault().as_deref(), Some("ManagedObjectNotFound"), "what a session made dies with it");
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_does_not() {
    let sim = Sim::builder().paused().start().await.unwrap();
    let client = Client::login(&sim).await;
    for _ in 0..3 {
        sim.world().step(Duration::from_mins(20));
        assert_eq!(client.ask("CurrentTime", SERVICE, "").await.status, 200);
    }
    sim.world().step(Duration::from_mins(31));
    assert_eq!(client.ask("CurrentTime", SERVICE, "").await.fault().as_deref(), Some("NotAuthenticated"));
    assert_eq!(sim.sessions().len(), 0);
}

#[tokio::test]
async fn too_many_sessions_are_http_503_until_one_logs_out() {
    let sim = Sim::builder().session_limit(2).start().await.unwrap();
    let first = Client::login(&sim).await;
    let _second = Client::login(&sim).await;
    let mut third = Client::stranger(&sim);
    assert_eq!(third.try_login("chaos", "chaos").await.status, 503);
    assert_eq!(first.ask("Logout", MANAGER, "").await.status, 200);
    assert_eq!(third.try_login("chaos", "chaos").await.status, 200);
}

#[tokio::test]
async fn current_session_is_unset_without_one() {
    let sim = Sim::builder().start().await.unwrap();
    let client = Client::login(&sim).await;
    let current =
        |client: Client| async move { client.property("SessionManager", "SessionManager", "currentSession").await };
    assert!(current(client.clone()).await.is_some());
    sim.kill_sessions();
    assert_eq!(current(client).await, None);
}

#[tokio::test]
async fn roles_decide_what_a_user_may_do() {
    let sim = Sim::builder()
        .credentials("root", "r")
        .user("viewer", "v", Role::ReadOnly)
        .user("operator", "o", Role::Operator)
        .restricted_vm("web-02")
        .start()
        .await
        .unwrap();
    let (one, two) = (sim.world().vm("web-01").unwrap().id.0, sim.world().vm("web-02").unwrap().id.0);
    let mut viewer = Client::stranger(&sim);
    viewer.try_login("viewer", "v").await;
    let refused = viewer.on_vm("PowerOffVM_Task", one).await;
    assert_eq!(refused.fault().as_deref(), Some("NoPermission"));
    assert_eq!(refused.first("privilegeId").as_deref(), Some("VirtualMachine.Interact.PowerOff"));
    let paths = spec("VirtualMachine", &format!("vm-{two}"), &["name", "runtime.powerState"]);
    let answer = viewer.ask("RetrievePropertiesEx", COLLECTOR, &format!("{paths}<options></options>")).await;
    assert_eq!(
        (answer.first("val").as_deref(), answer.first("path").as_deref()),
        (Some("web-02"), Some("runtime.powerState"))
    );
    let mut operator = Client::stranger(&sim);
    operator.try_login("operator", "o").await;
    assert_eq!(operator.on_vm("PowerOffVM_Task", one).await.status, 200);
    let key = &sim.sessions()[0].key;
    let question = format!("<sessionID>{key}</sessionID><userName>o</userName>");
    let is_active = operator.ask("SessionIsActive", MANAGER, &question);
    assert_eq!(is_active.await.fault().as_deref(), Some("NoPermission"));
}

#[tokio::test]
async fn an_esxi_host_has_its_own_ids_and_lacks_what_it_lacks() {
    let sim = Sim::builder().flavour(Flavour::Esxi).read_only_licence().start().await.unwrap();
    let mut client = Client::stranger(&sim);
    let content = client.ask("RetrieveServiceContent", SERVICE, "").await;
    assert_eq!(content.first("apiType").as_deref(), Some("HostAgent"));
    assert_eq!(content.first("sessionManager").as_deref(), Some("ha-sessionmgr"));
    assert_eq!(content.first("instanceUuid"), None);
    let login = "<userName>chaos</userName><password>chaos</password>";
    let answer = client.ask("Login", ("SessionManager", "ha-sessionmgr"), login).await;
    client.cookie = Some(answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned());
    let id = sim.world().vm("web-01").unwrap().id.0.to_string();
    let refused = client.ask("PowerOffVM_Task", ("VirtualMachine", &id), "").await;
    assert_eq!(refused.fault().as_deref(), Some("RestrictedVersion"));
    let several = client.ask("PowerOnMultiVM_Task", ("Datacenter", "ha-datacenter"), "").await;
    assert_eq!(several.fault().as_deref(), Some("MethodNotFound"));
    let active = client.ask(
        "SessionIsActive",
        ("SessionManager", "ha-sessionmgr"),
        "<sessionID>x</sessionID><userName>x</userName>",
    );
    assert_eq!(active.await.fault().as_deref(), Some("NotImplemented"));
}

#[tokio::test]
async fn the_record_names_calls_sessions_and_operations_and_no_password() {
    let sim = Sim::builder().credentials("root", "canary-password").start().await.unwrap();
    let mut client = Client::stranger(&sim);
    client.try_login("root", "canary-password").await;
    client.try_login("root", "canary-wrong").await;
    let vm = sim.world().vm("web-01").unwrap();
    client.on_vm("PowerOffVM_Task", vm.id.0).await;
    let calls = sim.calls();
    let methods: Vec<_> = calls.iter().map(|call| (call.method.as_str(), call.status)).collect();
    assert_eq!(methods, [("Login", Some(200)), ("Login", Some(500)), ("PowerOffVM_Task", Some(200))]);
    assert_eq!(calls[2].object_name.as_deref(), Some("web-01"));
    assert_eq!(calls[2].session.as_ref(), Some(&sim.sessions()[0].key));
    assert!(!format!("{calls:?} {:?} {sim:?}", sim.sessions()).contains("canary"));
}
