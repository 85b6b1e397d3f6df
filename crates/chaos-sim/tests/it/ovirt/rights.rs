//! What an engine tells of roles, permits and permissions.

use chaos_sim::{EngineVersion, Role, Sim};
use hyper::Method;

use super::{Api, attribute, builder, names, texts};

/// Operators and onlookers beside the administrator.
async fn with_users(restricted: &[&str]) -> Sim {
    let builder = restricted.iter().fold(builder(), |builder, vm| builder.restricted_vm(*vm));
    let builder = builder.user("chaos", "chaos", Role::Administrator).user("opal", "opal", Role::Operator);
    builder.user("rory@lab", "rory", Role::ReadOnly).start().await.unwrap()
}

/// What the caller was given: the document.
async fn permissions(api: &Api) -> String {
    let me = attribute(&api.read("").await, "authenticated_user", "id").unwrap();
    api.read(&format!("/users/{me}/permissions")).await
}

/// How often an element occurs with a reference.
fn count(document: &str, element: &str) -> usize {
    document.matches(&format!("<{element} href=")).count()
}

#[tokio::test]
async fn an_administrator_is_super_user_on_the_system_which_has_no_element() {
    let sim = with_users(&[]).await;
    let given = permissions(&Api::login(&sim).await).await;
    assert_eq!((count(&given, "permission"), count(&given, "user"), count(&given, "role")), (2, 2, 2), "{given}");
    assert!(given.contains("id=\"00000000-0000-0000-0000-000000000001\""), "{given}");
    // The other one is everybody's, on the blank template.
    let objects = ["data_center", "cluster", "vm", "template"].map(|element| count(&given, element));
    assert_eq!(objects, [0, 0, 0, 1], "{given}");
}

#[tokio::test]
async fn others_have_their_role_on_all_that_they_see_and_on_nothing_else() {
    let sim = with_users(&[]).await;
    let given = permissions(&Api::login_as(&sim, "opal@internal", "opal").await).await;
    let objects = ["data_center", "cluster", "vm", "template"].map(|element| count(&given, element));
    assert_eq!(objects, [1, 0, 0, 1], "{given}");

    let sim = with_users(&["database-01"]).await;
    for (user, password) in [("opal@internal", "opal"), ("rory@lab", "rory")] {
        let api = Api::login_as(&sim, user, password).await;
        let given = permissions(&api).await;
        let objects = ["data_center", "cluster", "vm", "template"].map(|element| count(&given, element));
        let beside = names(&api.read("/vms?search=cluster%3Dbackend").await, "vm");
        assert_eq!(beside, "batch-01 cache-01 database-02 database-03");
        assert_eq!(objects, [0, 1, 4, 1], "{user}: {given}");
    }
}

#[tokio::test]
async fn a_role_tells_its_permits_and_those_of_power_are_summed_up_too() {
    let sim = with_users(&[]).await;
    let api = Api::login(&sim).await;
    let roles = api.read("/roles").await;
    assert_eq!(count(&roles, "role"), 4);
    let manager = "/roles/def00006-0000-0000-0000-def000000006";
    let role = api.read(manager).await;
    assert_eq!(texts(&role, "role", "name"), ["UserVmManager"]);
    assert!(role.contains("rel=\"permits\"") && role.contains("<administrative>false</administrative>"), "{role}");
    let permits = texts(&api.read(&format!("{manager}/permits")).await, "permit", "name");
    for name in
        ["vm_basic_operations", "run_vm", "stop_vm", "shut_down_vm", "reboot_vm", "reset_vm", "hibernate_vm", "login"]
    {
        assert!(permits.iter().any(|permit| permit == name), "{name}: {permits:?}");
    }
    for path in ["/roles/none", "/roles/none/permits", "/users/none/permissions"] {
        assert_eq!(api.get(path).await.status, 404, "{path}");
    }
    let nobody = "/users/00000000-0000-0000-0000-000000000000/permissions";
    assert!(api.read(nobody).await.ends_with("<permissions/>\n"));
    assert_eq!(api.send(Method::POST, nobody, "<permission/>", &[super::XML]).await.status, 405);
}

#[tokio::test]
async fn before_4_4_there_is_no_permit_to_reset() {
    let sim = builder().engine_version(EngineVersion::V43).start().await.unwrap();
    let permits = Api::login(&sim).await.read("/roles/00000000-0000-0000-0000-000000000001/permits").await;
    assert!(permits.contains("<name>reboot_vm</name>") && !permits.contains("reset_vm"), "{permits}");
}
