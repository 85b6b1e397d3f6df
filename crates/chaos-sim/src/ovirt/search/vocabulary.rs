//! What can be searched for: the fields of each kind of object, what their values look like, and what refers to what.
//!
//! Source: oVirt administration guide, "Searches"; the fields that it leaves out are those of the engine's own parser.

use super::Kind;
use super::fields;

/// What an object of a search is. The simulator has rows only of those that are a [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    Vm,
    Host,
    Cluster,
    Datacenter,
    Event,
    Template,
    User,
    Storage,
    Nic,
    Vnic,
    Network,
    ClusterNetwork,
    Volume,
    Quota,
}

/// How a field's value is written in a search, and what it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Text with `*` as wildcard, in any case.
    Text,
    /// Text that only has to be contained.
    Contained,
    /// Text that is compared as it is; `null` and the empty text stand for an absent value.
    Exact,
    /// As [`Type::Exact`], and looked at by a free text too.
    ExactAndFree,
    /// The engine's name of an operating system, in any case.
    Os,
    /// One of the engine's own names, in the order of their numbers.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number of 32 bits.
    Integer,
    /// A number.
    Decimal,
    /// A time span: days, or `d.hh:mm:ss`.
    Span,
    /// A short date.
    Date,
    /// A short date, `today`, `yesterday` or a day of the week.
    Day,
    /// A UUID, that nobody checks before the database.
    Id,
    /// The name of a tag, in its own case; tags below it count too.
    Tag,
}

/// The comparisons that a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relations {
    /// None at all: naming the field is an error.
    None,
    /// `=` and `!=`.
    Equality,
    /// `<` and `>`.
    Order,
    /// `<`, `>` and `=`.
    Moment,
    /// All of them.
    All,
}

impl Relations {
    pub(super) const fn symbols(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Equality => &["=", "!="],
            Self::Order => &["<", ">"],
            Self::Moment => &["<", ">", "="],
            Self::All => &["<", ">", "<=", ">=", "=", "!="],
        }
    }
}

/// A field that a search can name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// In lower case.
    pub(super) name: &'static str,
    pub(super) of: Type,
    pub(super) relations: Relations,
    /// Whether its first letters are known as the beginning of a field. Where a name has to be recognised letter by
    /// letter, a field that is not listed cannot be named.
    pub(super) is_listed: bool,
}

impl Field {
    pub(super) const fn new(name: &'static str, of: Type, relations: Relations) -> Self {
        Self { name, of, relations, is_listed: true }
    }

    pub(super) const fn unlisted(self) -> Self {
        Self { is_listed: false, ..self }
    }

    /// Whether a free text looks at this field.
    pub(super) const fn is_free_text(&self) -> bool {
        matches!(self.of, Type::Text | Type::Tag | Type::ExactAndFree)
    }
}

/// The names that begin a search in the engine's web interface. In a search over the API they mean nothing, but their
/// first letters keep a word from being taken as a free text.
static OBJECTS: &[&str] = &[
    "vms",
    "pools",
    "hosts",
    "templates",
    "events",
    "users",
    "groups",
    "clusters",
    "disks",
    "datacenter",
    "storage",
    "volumes",
    "quota",
    "networks",
    "providers",
    "instancetypes",
    "imagetypes",
    "sessions",
    "jobs",
    "vnicprofiles",
];

/// The most letters of a name above.
pub(super) const LONGEST_NAME: usize = 32;

impl From<Kind> for Object {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Vms => Self::Vm,
            Kind::Hosts => Self::Host,
            Kind::Clusters => Self::Cluster,
            Kind::Datacenters => Self::Datacenter,
            Kind::Events => Self::Event,
        }
    }
}

impl Object {
    /// What rows there are of it.
    pub(super) const fn kind(self) -> Option<Kind> {
        match self {
            Self::Vm => Some(Kind::Vms),
            Self::Host => Some(Kind::Hosts),
            Self::Cluster => Some(Kind::Clusters),
            Self::Datacenter => Some(Kind::Datacenters),
            Self::Event => Some(Kind::Events),
            Self::Template
            | Self::User
            | Self::Storage
            | Self::Nic
            | Self::Vnic
            | Self::Network
            | Self::ClusterNetwork
            | Self::Volume
            | Self::Quota => None,
        }
    }

    /// Its name as a cross reference, in lower case and without the `s` that may follow.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Host => "host",
            Self::Cluster => "cluster",
            Self::Datacenter => "datacenter",
            Self::Event => "event",
            Self::Template => "template",
            Self::User => "user",
            Self::Storage => "storage",
            Self::Nic => "nic",
            Self::Vnic => "vnic",
            Self::Network => "network",
            Self::ClusterNetwork => "cluster_network",
            Self::Volume => "volume",
            Self::Quota => "quota",
        }
    }

    pub(super) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Vm => fields::VM,
            Self::Host => fields::HOST,
            Self::Cluster => fields::CLUSTER,
            Self::Datacenter => fields::DATACENTER,
            Self::Event => fields::EVENT,
            Self::Template => fields::TEMPLATE,
            Self::User => fields::USER,
            Self::Storage => fields::STORAGE,
            Self::Nic | Self::Vnic | Self::ClusterNetwork => fields::NETWORK_NAME,
            Self::Network | Self::Volume | Self::Quota => fields::NAME,
        }
    }

    /// What a search for it can refer to.
    pub(super) const fn references(self) -> &'static [Self] {
        match self {
            Self::Vm => &[Self::Host, Self::Template, Self::Event, Self::User, Self::Storage, Self::Vnic],
            Self::Host => &[Self::Vm, Self::Template, Self::Event, Self::User, Self::Storage, Self::Nic],
            Self::Cluster => &[Self::Datacenter, Self::Storage, Self::ClusterNetwork],
            Self::Datacenter => &[Self::Cluster, Self::Storage, Self::Network],
            Self::Event => {
                &[Self::Vm, Self::Host, Self::Template, Self::User, Self::Cluster, Self::Volume, Self::Quota]
            }
            Self::Template
            | Self::User
            | Self::Storage
            | Self::Nic
            | Self::Vnic
            | Self::Network
            | Self::ClusterNetwork
            | Self::Volume
            | Self::Quota => &[],
        }
    }

    /// The field of this name, which is in upper case.
    pub(super) fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Whether a listed field begins with `letters`, which are in upper case.
    pub(super) fn begins_field(self, letters: &str) -> bool {
        self.fields().iter().any(|field| field.is_listed && begins(field.name, letters))
    }

    /// What `name` refers to in a search for this; it is in upper case and without its `s`.
    pub(super) fn reference(self, name: &str) -> Option<Self> {
        self.references().iter().copied().find(|object| object.name().eq_ignore_ascii_case(name))
    }
}

/// Whether the name of an object begins with `letters`, which are in upper case.
pub(super) fn begins_object(letters: &str) -> bool {
    OBJECTS.iter().any(|name| begins(name, letters))
}

/// Whether `name` begins with `letters`, in any case.
pub(super) fn begins(name: &str, letters: &str) -> bool {
    name.get(..letters.len()).is_some_and(|start| start.eq_ignore_ascii_case(letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_longer_than_what_the_parser_looks_at() {
        let objects = [Kind::Vms, Kind::Hosts, Kind::Clusters, Kind::Datacenters, Kind::Events].map(Object::from);
        let named = objects.iter().flat_map(|object| object.references().iter().chain([object]));
        for name in named.flat_map(|object| object.fields()).map(|field| field.name).chain(OBJECTS.iter().copied()) {
            assert!(name.len() <= LONGEST_NAME, "{name}");
            assert_eq!(name, name.to_lowercase());
        }
    }
}
