//! Logging in, staying logged in, and leaving.

use std::time::Duration;

use chaos_core::{ErrorKind, Platform, Retry, Selector};
use wiremock::matchers::{body_string_contains, header, header_exists, method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::scripted::{PASSWORD, Scripted, calls, current_session, cx, fault, logged_in, page};

const EMPTY: &str = "";
const NEW_COOKIE: &str = "vmware_soap_session=\"second\"; Path=/; HttpOnly; Secure;";

/// Mounts the answer to "who is logged in?" above all others.
async fn session_is(scripted: &Scripted, alive: bool) {
    calls("RetrievePropertiesEx")
        .and(body_string_contains("currentSession"))
        .respond_with(current_session(alive))
        .with_priority(1)
        .mount(&scripted.server)
        .await;
}

#[tokio::test]
async fn listing_everything_takes_five_requests() {
    let scripted = Scripted::start().await;
    calls("RetrievePropertiesEx").respond_with(page(None, EMPTY)).mount(&scripted.server).await;
    let vsphere = scripted.connect().await;
    vsphere.discover(&cx(), &Selector::all()).await.unwrap();
    vsphere.disconnect(&cx()).await.unwrap();
    assert_eq!(
        scripted.called().await,
        ["/sdk/vimServiceVersions.xml", "RetrieveServiceContent", "Login", "RetrievePropertiesEx", "Logout"]
    );
    let requests = scripted.requests().await;
    for request in &requests[1..] {
        let action = request.headers.get("soapaction").unwrap();
        assert_eq!(action, "urn:vim25/7.0.3.0", "the best version of ours that the server lists");
    }
    let login = String::from_utf8(requests[2].body.clone()).unwrap();
    assert!(login.contains("<locale>en_US</locale>"));
    assert!(requests[2].headers.get("cookie").is_none());
    for request in &requests[3..] {
        assert_eq!(request.headers.get("cookie").unwrap(), "vmware_soap_session=\"6898e317c3fd\"", "kept verbatim");
    }
}

#[tokio::test]
async fn the_run_id_is_the_operation_id() {
    let scripted = Scripted::start().await;
    calls("RetrievePropertiesEx").respond_with(page(None, EMPTY)).mount(&scripted.server).await;
    let vsphere = scripted.connect().await;
    let cx = cx().run(chaos_core::RunId::new("run-7"));
    vsphere.discover(&cx, &Selector::all()).await.unwrap();
    let requests = scripted.requests().await;
    let body = String::from_utf8(requests.last().unwrap().body.clone()).unwrap();
    assert!(body.contains(r#"<operationID xmlns="urn:vim25">chaosmonkey-run-7</operationID>"#));
}

#[tokio::test]
async fn the_platform_says_which_server_it_is() {
    let scripted = Scripted::start().await;
    let vsphere = scripted.connect().await;
    let identity = vsphere.identity();
    assert_eq!((identity.entry.as_str(), identity.instance.as_str()), ("vsphere", "uuid-1"));
    assert_eq!(identity.description, "VMware vCenter Server 8.0.3 build-24022515 at 127.0.0.1");
}

#[tokio::test]
async fn a_refused_login_is_sent_once() {
    let scripted = Scripted::without_login().await;
    calls("Login").respond_with(fault("InvalidLogin", "")).expect(1).mount(&scripted.server).await;
    let error = chaos_vsphere::VSphere::connect(&cx(), scripted.config()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_class()), (ErrorKind::Unauthenticated, Retry::Never));
    assert!(error.to_string().starts_with("InvalidLogin"), "{error}");
    assert!(!format!("{error:?} {error}").contains(PASSWORD));
}

#[tokio::test]
async fn a_server_without_a_version_of_ours_is_refused_by_name() {
    let scripted = Scripted::start().await;
    let versions = "<namespaces><namespace><name>urn:vim25</name><version>99.1</version></namespace></namespaces>";
    Mock::given(method("GET"))
        .and(path("/sdk/vimServiceVersions.xml"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(versions, "text/xml"))
        .with_priority(1)
        .mount(&scripted.server)
        .await;
    let error = chaos_vsphere::VSphere::connect(&cx(), scripted.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("99.1"), "{error}");
}

#[tokio::test]
async fn what_is_no_vsphere_server_is_called_so() {
    for (answer, kind) in [
        (ResponseTemplate::new(404), ErrorKind::Protocol),
        (ResponseTemplate::new(302).insert_header("location", "https://elsewhere/"), ErrorKind::Protocol),
        (ResponseTemplate::new(200).set_body_raw("<html><body>Hi</body></html>", "text/html"), ErrorKind::Unsupported),
        (ResponseTemplate::new(200).set_body_raw("hello", "text/plain"), ErrorKind::Protocol),
        (ResponseTemplate::new(401), ErrorKind::Unauthenticated),
    ] {
        let scripted = Scripted::start().await;
        Mock::given(method("GET")).respond_with(answer).with_priority(1).mount(&scripted.server).await;
        let error = chaos_vsphere::VSphere::connect(&cx(), scripted.config()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn a_session_that_died_is_renewed_once_and_the_call_made_again() {
    let scripted = Scripted::start().await;
    let vsphere = scripted.connect().await;
    session_is(&scripted, false).await;
    calls("Login").respond_with(logged_in(NEW_COOKIE)).with_priority(1).mount(&scripted.server).await;
    calls("FindByInventoryPath")
        .and(header("cookie", "vmware_soap_session=\"6898e317c3fd\""))
        .respond_with(fault(
            "NotAuthenticated",
            r#"<object type="SearchIndex">si</object><privilegeId>System.View</privilegeId>"#,
        ))
        .mount(&scripted.server)
        .await;
    calls("FindByInventoryPath")
        .and(header("cookie", "vmware_soap_session=\"second\""))
        .respond_with(crate::scripted::ok(
            "FindByInventoryPath",
            r#"<returnval type="VirtualMachine">vm-1</returnval>"#,
        ))
        .mount(&scripted.server)
        .await;
    calls("RetrievePropertiesEx").respond_with(page(None, EMPTY)).mount(&scripted.server).await;
    vsphere.discover(&cx(), &Selector::targets(["path:/DC0/vm/a".parse().unwrap()])).await.unwrap();
    assert_eq!(
        scripted.called().await[3..],
        ["FindByInventoryPath", "RetrievePropertiesEx", "Login", "FindByInventoryPath", "RetrievePropertiesEx"]
    );
    let requests = scripted.requests().await;
    assert!(requests[5].headers.get("cookie").is_none(), "a dead session's cookie makes a login fail");
}

#[tokio::test]
async fn a_200_whose_properties_are_missing_for_want_of_a_session_is_a_dead_session() {
    let scripted = Scripted::start().await;
    let vsphere = scripted.connect().await;
    session_is(&scripted, false).await;
    let nobody = r#"<objects><obj type="Folder">group-d1</obj><missingSet><path>name</path><fault><fault xsi:type="NotAuthenticated"><object type="Folder">group-d1</object><privilegeId>System.Read</privilegeId></fault></fault></missingSet></objects>"#;
    calls("RetrievePropertiesEx")
        .respond_with(page(None, nobody))
        .up_to_n_times(1)
        .with_priority(2)
        .mount(&scripted.server)
        .await;
    let vm = r#"<objects><obj type="VirtualMachine">vm-1</obj><propSet><name>name</name><val xsi:type="xsd:string">web</val></propSet></objects>"#;
    calls("RetrievePropertiesEx").respond_with(page(None, vm)).mount(&scripted.server).await;
    let found = vsphere.discover(&cx(), &Selector::all()).await.unwrap();
    assert_eq!(found.vms[0].name, "web");
    assert!(found.problems.is_empty());
    let logins = scripted.called().await.iter().filter(|name| *name == "Login").count();
    assert_eq!(logins, 2);
}

#[tokio::test]
async fn on_a_live_session_what_may_not_be_read_is_a_problem() {
    let scripted = Scripted::start().await;
    let vsphere = scripted.connect().await;
    session_is(&scripted, true).await;
    let hidden = r#"<objects><obj type="VirtualMachine">vm-1</obj><missingSet><path>name</path><fault><fault xsi:type="NotAuthenticated"/></fault></missingSet></objects>"#;
    calls("RetrievePropertiesEx").respond_with(page(None, hidden)).mount(&scripted.server).await;
    let found = vsphere.discover(&cx(), &Selector::all()).await.unwrap();
    assert_eq!((found.vms.len(), found.problems.len()), (1, 1));
    assert!(!scripted.called().await[3..].contains(&"Login".to_owned()));
}

#[tokio::test]
async fn a_refusal_on_a_live_session_is_a_missing_privilege() {
    let scripted = Scripted::start().await;
    let vsphere = scripted.connect().await;
    session_is(&scripted, true).await;
    let refused = r#"<object type="SearchIndex">si</object><privilegeId>System.View</privilegeId>"#;
    calls("FindByInventoryPath").respond_with(fault("NotAuthenticated", refused)).mount(&scripted.server).await;
    let selector = Selector::targets(["path:/DC0/vm/a".parse().unwrap()]);
    let error = vsphere.discover(&cx(), &selector).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("System.View is missing on SearchIndex:si"), "{error}");
    assert!(!scripted.called().await[3..].contains(&"Login".to_owned()));
}

#[tokio::test]
async fn many_tasks_on_a_dead_session_log_in_once() {
    let scripted = Scripted::start().await;
    let vsphere = std::sync::Arc::new(scripted.connect().await);
    calls("RetrievePropertiesEx")
        .and(body_string_contains("currentSession"))
        .and(header("cookie", "vmware_soap_session=\"6898e317c3fd\""))
        .respond_with(current_session(false))
        .with_priority(1)
        .mount(&scripted.server)
        .await;
    calls("Login").respond_with(logged_in(NEW_COOKIE)).with_priority(1).mount(&scripted.server).await;
    calls("RetrievePropertiesEx")
        .and(header("cookie", "vmware_soap_session=\"6898e317c3fd\""))
        .respond_with(fault("NotAuthenticated", ""))
        .with_priority(2)
        .mount(&scripted.server)
        .await;
    calls("RetrievePropertiesEx").respond_with(page(None, EMPTY)).mount(&scripted.server).await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let vsphere = vsphere.clone();
            tokio::spawn(async move { vsphere.discover(&cx(), &Selector::all()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let logins = scripted.called().await.iter().filter(|name| *name == "Login").count();
    assert_eq!(logins, 2, "the first and one renewal");
}

#[tokio::test]
async fn a_refused_renewal_is_not_tried_again_by_anybody() {
    let scripted = Scripted::start().await;
    let vsphere = scripted.connect().await;
    session_is(&scripted, false).await;
    calls("Login").respond_with(fault("InvalidLogin", "")).with_priority(1).mount(&scripted.server).await;
    calls("RetrievePropertiesEx").respond_with(fault("NotAuthenticated", "")).mount(&scripted.server).await;
    for _ in 0..3 {
        let error = vsphere.discover(&cx(), &Selector::all()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
    let logins = scripted.called().await.iter().filter(|name| *name == "Login").count();
    assert_eq!(logins, 2);
}

#[tokio::test]
async fn an_idle_client_tells_the_server_that_it_is_there_and_stops_when_it_disconnects() {
    let scripted = Scripted::start().await;
    calls("CurrentTime")
        .and(header_exists("cookie"))
        .respond_with(crate::scripted::ok("CurrentTime", "<returnval>2026-11-23T00:00:00Z</returnval>"))
        .mount(&scripted.server)
        .await;
    let mut config = scripted.config();
    config.keep_alive = Duration::from_millis(30);
    let vsphere = chaos_vsphere::VSphere::connect(&cx(), config).await.unwrap();
    let heard = async {
        while scripted.called().await.iter().filter(|name| *name == "CurrentTime").count() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), heard).await.expect("two signs of life");
    vsphere.disconnect(&cx()).await.unwrap();
    assert_eq!(scripted.called().await.last().unwrap(), "Logout");
    let error = vsphere.discover(&cx(), &Selector::all()).await.unwrap_err();
    assert_eq!(error.to_string(), "the client has disconnected");
}

#[tokio::test]
async fn a_dropped_client_logs_out() {
    let scripted = Scripted::start().await;
    drop(scripted.connect().await);
    let logged_out = async {
        while !scripted.called().await.contains(&"Logout".to_owned()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), logged_out).await.expect("a logout");
}

#[test]
fn a_client_that_is_dropped_without_a_runtime_does_not_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (scripted, vsphere) = runtime.block_on(async {
        let scripted = Scripted::start().await;
        let vsphere = scripted.connect().await;
        (scripted, vsphere)
    });
    drop(vsphere);
    drop(scripted);
}
