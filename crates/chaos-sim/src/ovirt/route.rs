//! Where a path leads.

/// Collections at the top of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Top {
    Vms,
    Hosts,
    Clusters,
    Datacenters,
    Events,
    Jobs,
    Tags,
}

/// Actions on the power of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Stop,
    Shutdown,
    Reboot,
    Reset,
    Suspend,
}

/// Where a path leads. Ids are as they stand in the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Token,
    Logout,
    Health,
    Certificate,
    Api,
    List(Top),
    One(Top, String),
    /// A collection of a VM, and perhaps a member of it.
    OfVm(String, &'static Part, Option<String>),
    Action(String, Action),
    /// An action that has tasks, to be looked at again.
    Running(String, Action, String),
    /// What a user was given.
    Permissions(String),
    Roles,
    Role(String),
    /// What a role permits.
    Permits(String),
    /// In the API, where nothing is.
    Nowhere,
    /// Outside of the API, where nothing is either.
    Elsewhere,
}

/// A collection of a VM.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// In the path.
    pub(super) path: &'static str,
    /// The name of the root element, and of the relation.
    pub(super) root: &'static str,
}

const fn part(path: &'static str, root: &'static str) -> Part {
    Part { path, root }
}

/// The collections of a VM.
pub(super) static PARTS: [Part; 19] = [
    part("affinitylabels", "affinity_labels"),
    part("applications", "applications"),
    part("backups", "backups"),
    part("cdroms", "cdroms"),
    part("checkpoints", "checkpoints"),
    part("diskattachments", "disk_attachments"),
    part("graphicsconsoles", "graphics_consoles"),
    part("hostdevices", "host_devices"),
    part("katelloerrata", "katello_errata"),
    part("mediateddevices", "vm_mediated_devices"),
    part("nics", "nics"),
    part("numanodes", "vm_numa_nodes"),
    part("permissions", "permissions"),
    part("reporteddevices", "reported_devices"),
    part("sessions", "sessions"),
    part("snapshots", "snapshots"),
    part("statistics", "statistics"),
    part("tags", "tags"),
    part("watchdogs", "watchdogs"),
];

impl Part {
    pub(super) fn of(path: &str) -> Option<&'static Self> {
        PARTS.iter().find(|part| part.path == path)
    }
}

impl Top {
    const ALL: [Self; 7] =
        [Self::Vms, Self::Hosts, Self::Clusters, Self::Datacenters, Self::Events, Self::Jobs, Self::Tags];

    /// In the path, and the word for a list in the record.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Vms => "vms",
            Self::Hosts => "hosts",
            Self::Clusters => "clusters",
            Self::Datacenters => "datacenters",
            Self::Events => "events",
            Self::Jobs => "jobs",
            Self::Tags => "tags",
        }
    }

    /// The name of the root element.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Datacenters => "data_centers",
            Self::Vms | Self::Hosts | Self::Clusters | Self::Events | Self::Jobs | Self::Tags => self.path(),
        }
    }

    /// The word for one of them in the record.
    const fn one(self) -> &'static str {
        match self {
            Self::Vms => "vm",
            Self::Hosts => "host",
            Self::Clusters => "cluster",
            Self::Datacenters => "datacenter",
            Self::Events => "event",
            Self::Jobs => "job",
            Self::Tags => "tag",
        }
    }
}

impl Action {
    const ALL: [Self; 6] = [Self::Start, Self::Stop, Self::Shutdown, Self::Reboot, Self::Reset, Self::Suspend];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Shutdown => "shutdown",
            Self::Reboot => "reboot",
            Self::Reset => "reset",
            Self::Suspend => "suspend",
        }
    }

    /// As the engine's messages say it.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Start => "run",
            Self::Stop => "stop",
            Self::Shutdown => "shutdown",
            Self::Reboot => "restart",
            Self::Reset => "reset",
            Self::Suspend => "hibernate",
        }
    }
}

impl Route {
    /// Where the segments of a path lead.
    pub(super) fn of(segments: &[&str]) -> Self {
        match segments {
            ["ovirt-engine", "sso", "oauth", "token"] => Self::Token,
            ["ovirt-engine", "services", "sso-logout"] => Self::Logout,
            ["ovirt-engine", "services", "health"] => Self::Health,
            ["ovirt-engine", "services", "pki-resource"] => Self::Certificate,
            ["ovirt-engine", "api", "v4", rest @ ..] | ["ovirt-engine", "api", rest @ ..] => Self::in_api(rest),
            _ => Self::Elsewhere,
        }
    }

    fn in_api(rest: &[&str]) -> Self {
        let top = |name: &str| Top::ALL.into_iter().find(|top| top.path() == name);
        match rest {
            [] => Self::Api,
            ["vms", id, rest @ ..] if !rest.is_empty() => Self::below_vm(id, rest),
            ["users", id, "permissions"] => Self::Permissions((*id).to_owned()),
            ["roles"] => Self::Roles,
            ["roles", id] => Self::Role((*id).to_owned()),
            ["roles", id, "permits"] => Self::Permits((*id).to_owned()),
            [collection] => top(collection).map_or(Self::Nowhere, Self::List),
            [collection, id] => top(collection).map_or(Self::Nowhere, |top| Self::One(top, (*id).to_owned())),
            _ => Self::Nowhere,
        }
    }

    fn below_vm(id: &str, rest: &[&str]) -> Self {
        let action = |name: &str| Action::ALL.into_iter().find(|action| action.word() == name);
        let id = id.to_owned();
        match rest {
            [name] => match (action(name), Part::of(name)) {
                (Some(action), _) => Self::Action(id, action),
                (None, Some(part)) => Self::OfVm(id, part, None),
                (None, None) => Self::Nowhere,
            },
            [name, member] => match (action(name), Part::of(name)) {
                (Some(action), _) => Self::Running(id, action, (*member).to_owned()),
                (None, Some(part)) => Self::OfVm(id, part, Some((*member).to_owned())),
                (None, None) => Self::Nowhere,
            },
            _ => Self::Nowhere,
        }
    }

    /// The word for it in the record.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Logout => "logout",
            Self::Health => "health",
            Self::Certificate => "pki-resource",
            Self::Api => "api",
            Self::List(top) => top.path(),
            Self::One(top, _) => top.one(),
            Self::OfVm(_, part, _) => part.path,
            Self::Action(_, action) | Self::Running(_, action, _) => action.word(),
            Self::Permissions(_) => "permissions",
            Self::Roles => "roles",
            Self::Role(_) => "role",
            Self::Permits(_) => "permits",
            Self::Nowhere | Self::Elsewhere => "(nowhere)",
        }
    }

    /// The id in the path, of the VM or whatever else it is about.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::One(_, id)
            | Self::OfVm(id, ..)
            | Self::Action(id, _)
            | Self::Running(id, ..)
            | Self::Permissions(id)
            | Self::Role(id)
            | Self::Permits(id) => Some(id),
            Self::Token
            | Self::Logout
            | Self::Health
            | Self::Certificate
            | Self::Api
            | Self::List(_)
            | Self::Roles
            | Self::Nowhere
            | Self::Elsewhere => None,
        }
    }

    /// Whether one has to be logged in for it.
    pub(super) const fn is_in_api(&self) -> bool {
        match self {
            Self::Token | Self::Logout | Self::Health | Self::Certificate | Self::Elsewhere => false,
            Self::Api
            | Self::List(_)
            | Self::One(..)
            | Self::OfVm(..)
            | Self::Action(..)
            | Self::Running(..)
            | Self::Permissions(_)
            | Self::Roles
            | Self::Role(_)
            | Self::Permits(_)
            | Self::Nowhere => true,
        }
    }
}
