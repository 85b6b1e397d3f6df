//! Every request as it goes over the wire.

use std::time::Duration;

use secrecy::SecretString;

use crate::discovery::{DOWN, UP, everything_below, vms_with_surroundings};
use crate::soap::envelope::envelope;
use crate::vim::{self, Effect, MoRef, Request, TaskState, VmState};

/// The envelope with one element a line, as a person reads it and a server parses it.
fn wire<T>(request: &Request<T>) -> String {
    envelope(request.body(), Some("run-1")).replace("><", ">\n<")
}

fn collector() -> MoRef {
    MoRef::new("PropertyCollector", "propertyCollector")
}

fn sessions() -> MoRef {
    MoRef::new("SessionManager", "SessionManager")
}

fn view() -> MoRef {
    MoRef::new("ListView", "session[52d0]52f1")
}

macro_rules! snapshots {
    ($($name:ident: $request:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(wire(&$request)) });
        }
    )*};
}

snapshots! {
    retrieve_service_content: vim::retrieve_service_content();
    login: vim::login(&sessions(), "DOM\\o'neil & <sons>", &SecretString::from("pa\"ss&<word>\r\n"));
    logout: vim::logout(&sessions());
    current_time: vim::current_time();
    current_session: vim::current_session(&collector(), &sessions());
    continue_retrieve_properties: vim::continue_retrieve_properties(&collector(), "0");
    cancel_retrieve_properties: vim::cancel_retrieve_properties(&collector(), "0");
    create_container_view: vim::create_container_view(&MoRef::new("ViewManager", "ViewManager"), &MoRef::new("Folder", "group-d1"), &["VirtualMachine", "HostSystem"]);
    has_privilege_on_entities: vim::has_privilege_on_entities(&MoRef::new("AuthorizationManager", "AuthorizationManager"), &[MoRef::vm("vm-1"), MoRef::vm("vm-2")], "52d0-key", &["VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff"]);
    find_by_inventory_path: vim::find_by_inventory_path(&MoRef::new("SearchIndex", "SearchIndex"), "DC0/vm/a%2fb");
    power_on: vim::power_on(&MoRef::vm("vm-68"));
    power_off: vim::power_off(&MoRef::vm("vm-68"));
    reset: vim::reset(&MoRef::vm("vm-68"));
    suspend: vim::suspend(&MoRef::vm("vm-68"));
    shutdown_guest: vim::shutdown_guest(&MoRef::vm("vm-68"));
    reboot_guest: vim::reboot_guest(&MoRef::vm("vm-68"));
    create_property_collector: vim::create_property_collector(&collector());
    destroy_property_collector: vim::destroy_property_collector(&collector());
    create_filter_of_vms: vim::create_filter(&collector(), &vim::list_view_filter(&view(), "VirtualMachine", VmState::PATHS));
    create_filter_of_tasks: vim::create_filter(&collector(), &vim::list_view_filter(&view(), "Task", TaskState::PATHS));
    create_list_view: vim::create_list_view(&MoRef::new("ViewManager", "ViewManager"), &[MoRef::vm("vm-1"), MoRef::vm("vm-2")]);
    modify_list_view: vim::modify_list_view(&view(), &[MoRef::new("Task", "task-1")], &[MoRef::new("Task", "task-0")]);
    destroy_view: vim::destroy_view(&view());
    wait_for_updates: vim::wait_for_updates(&collector(), "", Duration::from_secs(30), 100);
}

#[test]
fn what_changes_something_is_never_repeated() {
    let vm = MoRef::vm("vm-1");
    for request in [vim::power_on(&vm), vim::power_off(&vm), vim::reset(&vm), vim::suspend(&vm)] {
        assert_eq!(request.effect(), Effect::Once, "{request:?}");
    }
    for request in [vim::shutdown_guest(&vm), vim::reboot_guest(&vm)] {
        assert_eq!(request.effect(), Effect::Once, "{request:?}");
    }
    assert_eq!(vim::login(&sessions(), "u", &SecretString::from("p")).effect(), Effect::Once);
}

#[test]
fn a_request_does_not_print_its_password() {
    let request = vim::login(&sessions(), "user", &SecretString::from("canary"));
    assert!(!format!("{request:?}").contains("canary"));
}

#[test]
fn retrieve_everything() {
    let request = vim::retrieve_properties(&collector(), &everything_below(&MoRef::new("Folder", "group-d1")));
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(wire(&request)) });
}

#[test]
fn retrieve_vms_with_surroundings() {
    let request = vim::retrieve_properties(&collector(), &vms_with_surroundings(&["vm-1"]));
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(wire(&request)) });
}

#[test]
fn every_walk_goes_on_by_a_name_that_exists() {
    for walks in [DOWN, UP] {
        for next in walks.iter().flat_map(|walk| walk.then) {
            assert!(walks.iter().any(|walk| walk.name == *next), "{next}");
        }
    }
}
