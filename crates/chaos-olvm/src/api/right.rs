//! Who the account is, what it was granted and what that permits (API model, types `Api`, `Permission`, `Permit`).

use chaos_xml::Node;

/// What the entry point tells of the account and of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryPoint {
    /// The account's id. Engines before 4.3 do not tell it.
    pub(crate) user: Option<String>,
    /// Major and minor number; zeros if it has none.
    pub(crate) version: (u32, u32),
    /// Name and whole version, such as `oVirt Engine 4.5.4-1.el8`.
    pub(crate) product: Option<String>,
}

impl EntryPoint {
    /// Reads an `<api>`.
    pub(crate) fn read(node: Node<'_>) -> Option<Self> {
        if node.name() != "api" {
            return None;
        }
        let info = node.child("product_info");
        let version = info.and_then(|product| product.child("version"));
        let number = |name| version?.child_text(name)?.trim().parse().ok();
        let user = node.child("authenticated_user").and_then(|user| user.attribute("id"));
        let texts = [
            info.and_then(|product| product.child_text("name")),
            version.and_then(|version| version.child_text("full_version")),
        ];
        let texts: Vec<&str> = texts.into_iter().flatten().map(str::trim).filter(|text| !text.is_empty()).collect();
        Some(Self {
            user: user.filter(|id| !id.is_empty()).map(str::to_owned),
            product: (!texts.is_empty()).then(|| texts.join(" ")),
            version: (number("major").unwrap_or_default(), number("minor").unwrap_or_default()),
        })
    }
}

/// A role on something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    /// The role, by id.
    pub(crate) role: String,
    pub(crate) on: On,
}

/// What a role is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum On {
    /// All that there is.
    System,
    /// A data center, a cluster or a VM, by id.
    Place(Kind, String),
    /// Something that no VM is in.
    Elsewhere,
}

/// A kind of object that is a VM, or that VMs are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Datacenter,
    Cluster,
    Vm,
}

impl Permission {
    /// Reads a `<permission>`. None if it has no role.
    pub(crate) fn read(node: Node<'_>) -> Option<Self> {
        let role = node.child("role")?.attribute("id")?.to_owned();
        // Whom it was given to is no matter: the list is of one user, and has what the user's groups were given.
        let object =
            |child: &Node<'_>| child.attribute("id").is_some() && !matches!(child.name(), "role" | "user" | "group");
        let on = match node.children().find(object) {
            None => On::System,
            Some(object) => match (kind(object.name()), object.attribute("id")) {
                (Some(kind), Some(id)) => On::Place(kind, id.to_owned()),
                _ => On::Elsewhere,
            },
        };
        Some(Self { role, on })
    }
}

/// The kind that an element's name says. What runs a VM, what it is stored in and what it was made from hand nothing down.
fn kind(element: &str) -> Option<Kind> {
    match element {
        "data_center" => Some(Kind::Datacenter),
        "cluster" => Some(Kind::Cluster),
        "vm" => Some(Kind::Vm),
        _ => None,
    }
}

/// Reads the name of a `<permit>`.
pub(crate) fn permit(node: Node<'_>) -> Option<String> {
    node.child_text("name").map(|name| name.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use chaos_xml::{Limits, XmlStream};

    use super::*;
    use crate::api::VOCABULARY;

    fn read<T>(document: &str, read: impl Fn(Node<'_>) -> Option<T>) -> Option<T> {
        let tree = XmlStream::read_all(document.as_bytes(), Limits::SMALL, &VOCABULARY).unwrap();
        read(tree.root().unwrap())
    }

    fn on(object: &str) -> On {
        let document = format!(
            r#"<permission href="/x" id="p">{object}<role href="/r" id="r"/><user href="/u" id="u"/></permission>"#
        );
        read(&document, Permission::read).unwrap().on
    }

    #[test]
    fn a_permission_without_an_object_is_on_the_system() {
        assert_eq!(on(""), On::System);
        assert_eq!(on("<name>no object</name>"), On::System);
        assert_eq!(on(r#"<data_center id="1"/>"#), On::Place(Kind::Datacenter, "1".into()));
        assert_eq!(on(r#"<cluster id="2"/>"#), On::Place(Kind::Cluster, "2".into()));
        assert_eq!(on(r#"<vm id="3"/>"#), On::Place(Kind::Vm, "3".into()));
        for object in ["host", "template", "storage_domain", "disk", "vm_pool", "something_new"] {
            assert_eq!(on(&format!(r#"<{object} id="4"/>"#)), On::Elsewhere, "{object}");
        }
        let of_group = r#"<permission id="p"><group id="g"/><role id="r"/></permission>"#;
        assert_eq!(read(of_group, Permission::read).unwrap().on, On::System);
        assert_eq!(read(r#"<permission id="p"><vm id="3"/></permission>"#, Permission::read), None);
    }

    #[test]
    fn an_engine_may_tell_neither_account_nor_version() {
        let whole = r#"<api><product_info><name>OLVM</name><version><build>5</build><full_version>4.5.4</full_version><major>4</major><minor>5</minor></version></product_info><authenticated_user href="/u" id="u"/></api>"#;
        let entry = EntryPoint { user: Some("u".into()), version: (4, 5), product: Some("OLVM 4.5.4".into()) };
        assert_eq!(read(whole, EntryPoint::read), Some(entry));
        assert_eq!(read("<api/>", EntryPoint::read), Some(EntryPoint { user: None, version: (0, 0), product: None }));
        assert_eq!(read("<vms/>", EntryPoint::read), None);
    }
}
