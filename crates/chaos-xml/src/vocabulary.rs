//! What is kept of a document beside the names and texts of its elements.

/// The most attributes that a [`Vocabulary`] names.
pub(crate) const MOST_ATTRIBUTES: usize = 2;

/// What is kept of a document beside the names and texts of its elements, `xsi:type` and `xsi:nil`.
#[derive(Debug)]
pub struct Vocabulary {
    /// The namespace by which elements are told apart, if names alone do not suffice.
    pub namespace: Option<Namespace>,
    /// The attributes without a prefix that are kept: at most two, further ones are not.
    pub attributes: &'static [&'static str],
}

/// A namespace that matters near the root of a document.
#[derive(Debug, Clone, Copy)]
pub struct Namespace {
    /// Its name.
    pub uri: &'static str,
    /// Down to which level of elements it is asked for; the root has level 1. Resolving names costs time.
    pub depth: usize,
}
