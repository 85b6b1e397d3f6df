//! Roles and what they permit.
//!
//! Source: API model, types `Role` and `Permit`; the roles and the numbers of permits are those that every engine has.

use super::element::Element;
use super::scene::{Scene, href};
use crate::accounts;

/// What one may do with a permit: number, name, and whether it is for administrators only.
type Permit = (u32, &'static str, bool);

/// A role.
#[derive(Debug)]
pub(super) struct Role {
    id: &'static str,
    name: &'static str,
    description: &'static str,
    is_administrative: bool,
    /// Whether somebody made it, and may change it.
    is_mutable: bool,
    permits: &'static [Permit],
}

const CREATE_VM: Permit = (1, "create_vm", false);
const DELETE_VM: Permit = (2, "delete_vm", false);
const EDIT_VM: Permit = (3, "edit_vm_properties", false);
/// Shown beside the five that it stands for, to those who know only this.
const BASIC: Permit = (4, "vm_basic_operations", false);
const CHANGE_CD: Permit = (5, "change_vm_cd", false);
const MIGRATE_VM: Permit = (6, "migrate_vm", false);
const CONNECT: Permit = (7, "connect_to_vm", false);
const CREATE_INSTANCE: Permit = (16, "create_instance", false);
const REBOOT: Permit = (17, "reboot_vm", false);
const STOP: Permit = (18, "stop_vm", false);
const SHUT_DOWN: Permit = (19, "shut_down_vm", false);
const HIBERNATE: Permit = (21, "hibernate_vm", false);
const RUN: Permit = (22, "run_vm", false);
const RESET: Permit = (23, "reset_vm", false);
const CREATE_HOST: Permit = (100, "create_host", true);
const CREATE_CLUSTER: Permit = (400, "create_cluster", true);
const USERS: Permit = (500, "manipulate_users", true);
const PERMISSIONS: Permit = (502, "manipulate_permissions", false);
const LOGIN: Permit = (1300, "login", false);

/// Of administrators.
static SUPER_USER: Role = Role {
    id: "00000000-0000-0000-0000-000000000001",
    name: "SuperUser",
    description: "Roles management administrator",
    is_administrative: true,
    is_mutable: false,
    permits: &[
        CREATE_VM,
        DELETE_VM,
        EDIT_VM,
        BASIC,
        CHANGE_CD,
        MIGRATE_VM,
        CONNECT,
        CREATE_INSTANCE,
        REBOOT,
        STOP,
        SHUT_DOWN,
        HIBERNATE,
        RUN,
        RESET,
        CREATE_HOST,
        CREATE_CLUSTER,
        USERS,
        PERMISSIONS,
        LOGIN,
    ],
};

/// Of operators.
static USER_VM_MANAGER: Role = Role {
    id: "def00006-0000-0000-0000-def000000006",
    name: "UserVmManager",
    description: "User Role, with permission for any operation on Vms",
    is_administrative: false,
    is_mutable: false,
    permits: &[
        DELETE_VM,
        EDIT_VM,
        BASIC,
        CHANGE_CD,
        CONNECT,
        REBOOT,
        STOP,
        SHUT_DOWN,
        HIBERNATE,
        RUN,
        RESET,
        PERMISSIONS,
        LOGIN,
    ],
};

/// Of those who only look. An engine has no such role for users by itself: somebody made it.
static VM_VIEWER: Role = Role {
    id: "5b1d3a86-6f0c-4a52-9d0e-3c1f7e2a9b44",
    name: "VmViewer",
    description: "Look at VMs and at their consoles",
    is_administrative: false,
    is_mutable: true,
    permits: &[CONNECT, LOGIN],
};

/// What everybody has on the blank template.
pub(super) static TEMPLATE_USER: Role = Role {
    id: "def00009-0000-0000-0000-def000000009",
    name: "UserTemplateBasedVm",
    description: "User Role, with permissions only to use Templates",
    is_administrative: false,
    is_mutable: false,
    permits: &[CREATE_INSTANCE, LOGIN],
};

impl Role {
    const ALL: [&'static Self; 4] = [&SUPER_USER, &USER_VM_MANAGER, &VM_VIEWER, &TEMPLATE_USER];

    /// The role that accounts of a kind have on what they see.
    pub(super) fn of(account: accounts::Role) -> &'static Self {
        match account {
            accounts::Role::Administrator => &SUPER_USER,
            accounts::Role::Operator => &USER_VM_MANAGER,
            accounts::Role::ReadOnly => &VM_VIEWER,
        }
    }

    /// The role of an id.
    pub(super) fn find(id: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|role| role.id.eq_ignore_ascii_case(id))
    }

    /// A reference to it.
    pub(super) fn reference(&self) -> Element {
        Element::reference("role", href("roles", self.id), self.id.to_owned())
    }

    /// All of it.
    pub(super) fn element(&self) -> Element {
        self.reference().with([
            Element::text("name", self.name),
            Element::text("description", self.description),
            Element::link("permits", format!("{}/permits", href("roles", self.id))),
            Element::flag("administrative", self.is_administrative),
            Element::flag("mutable", self.is_mutable),
        ])
    }
}

impl Scene<'_> {
    /// All roles.
    pub(super) fn roles(&self) -> Element {
        Element::list("roles", self.shuffled(Role::ALL.map(Role::element).into(), 0))
    }

    /// What a role permits; none if there is no such role.
    pub(super) fn permits(&self, id: &str) -> Option<Element> {
        let role = Role::find(id)?;
        let has_reset = self.engine.site.version.has_reset();
        let permits = role.permits.iter().filter(|permit| has_reset || **permit != RESET);
        let permits = permits.map(|(number, name, is_administrative)| {
            let number = number.to_string();
            Element::reference("permit", format!("{}/permits/{number}", href("roles", role.id)), number).with([
                Element::text("name", *name),
                Element::flag("administrative", *is_administrative),
                role.reference(),
            ])
        });
        Some(Element::list("permits", self.shuffled(permits.collect(), 0)))
    }
}
