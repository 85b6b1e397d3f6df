//! What is kept of a document beside the names and texts of its elements.

use quick_xml::name::{NamespaceResolver, QName, ResolveResult};

/// What is kept of a document beside the names and texts of its elements.
///
/// A client has one, as a `static`: what nobody will ask for costs neither time nor memory.
#[derive(Debug)]
pub struct Vocabulary {
    /// The namespace by which elements are told apart, if names alone do not suffice.
    pub namespace: Option<Namespace>,
    /// The attributes that are kept. All others are only checked for being well formed.
    pub attributes: &'static [AttributeName],
}

impl Vocabulary {
    /// The attribute of this vocabulary that `key` names, if it is one.
    pub(crate) fn attribute(&self, key: QName<'_>, resolver: &NamespaceResolver) -> Option<&'static AttributeName> {
        let (local, prefix) = key.decompose();
        // Prefixes are resolved last: most attributes of a document already differ by their local name.
        self.attributes.iter().find(|name| {
            name.local == local.into_inner()
                && match name.namespace {
                    None => prefix.is_none(),
                    Some(uri) => prefix.is_some() && is(&resolver.resolve_attribute(key).0, uri),
                }
        })
    }
}

/// A namespace that matters near the root of a document.
#[derive(Debug, Clone, Copy)]
pub struct Namespace {
    /// Its name.
    pub uri: &'static str,
    /// Down to which level of elements it is asked for; the root has level 1. Resolving names costs time.
    pub depth: usize,
}

/// The name of an attribute. An attribute without a prefix is in no namespace, so `type` and `xsi:type` are two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeName {
    pub(crate) namespace: Option<&'static str>,
    pub(crate) local: &'static str,
}

impl AttributeName {
    /// An attribute without a prefix.
    #[must_use]
    pub const fn plain(local: &'static str) -> Self {
        Self { namespace: None, local }
    }

    /// An attribute of a namespace, whatever prefix the document gives it.
    #[must_use]
    pub const fn in_namespace(uri: &'static str, local: &'static str) -> Self {
        Self { namespace: Some(uri), local }
    }
}

/// Whether a name was resolved to the namespace `uri`.
pub(crate) fn is(namespace: &ResolveResult<'_>, uri: &str) -> bool {
    matches!(namespace, ResolveResult::Bound(bound) if bound.0 == uri)
}
