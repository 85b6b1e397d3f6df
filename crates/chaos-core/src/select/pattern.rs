//! The target notation: `NAME`, `id:…`, `path:/…`, `re:…`.

use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};

use crate::error::{Error, ErrorKind};
use crate::vm::VMInfo;

/// A name as people write it: the full name, or else a glob (`*`, `?`, `[a-z]`, `{a,b}`). Case-sensitive.
///
/// A VM whose full name equals the text is meant by it even if the text holds glob characters, so that a VM called
/// `db[1]` can be named.
#[derive(Clone)]
pub struct NamePattern {
    text: String,
    glob: Option<GlobMatcher>,
    ignores_case: bool,
}

impl NamePattern {
    /// Reads a name or glob. A text that is no valid glob is a plain name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the text is empty.
    pub fn new(text: &str) -> Result<Self, Error> {
        Self::read(text, false)
    }

    /// The same, for which `A` and `a` are one letter. Only those of ASCII are.
    pub(super) fn ignoring_case(text: &str) -> Result<Self, Error> {
        Self::read(text, true)
    }

    fn read(text: &str, ignores_case: bool) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::new(
                ErrorKind::Configuration,
                "an empty name selects nothing: give a name or a pattern",
            ));
        }
        let glob = text
            .contains(['*', '?', '[', '{'])
            .then(|| {
                let mut glob = GlobBuilder::new(text);
                glob.literal_separator(false).backslash_escape(true).case_insensitive(ignores_case).build().ok()
            })
            .flatten()
            .map(|glob| glob.compile_matcher());
        Ok(Self { text: text.to_owned(), glob, ignores_case })
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the text can mean several names.
    #[must_use]
    pub fn is_glob(&self) -> bool {
        self.glob.is_some()
    }

    /// Whether `name` is the text itself.
    #[must_use]
    pub fn equals(&self, name: &str) -> bool {
        self.text == name || self.ignores_case && self.text.eq_ignore_ascii_case(name)
    }

    /// Whether `name` is the text itself or fits the glob.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.equals(name) || self.glob.as_ref().is_some_and(|glob| glob.is_match(name))
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for NamePattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

/// One target as people write it, the same everywhere.
///
/// ```
/// use chaos_core::TargetPattern;
///
/// let glob: TargetPattern = "web-*".parse().unwrap();
/// let by_id: TargetPattern = "id:vm-68".parse().unwrap();
/// let by_path: TargetPattern = "path:/DC0/vm/web/web-01".parse().unwrap();
/// let regex: TargetPattern = r"re:web-\d+".parse().unwrap();
/// assert!("re:(".parse::<TargetPattern>().is_err());
/// # let _ = (glob, by_id, by_path, regex);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TargetPattern {
    /// A full name, or else a glob over names.
    Name(NamePattern),
    /// The platform's object id, exactly.
    Id(String),
    /// The inventory path with decoded names, exactly. A leading `/` may be left out.
    Path(String),
    /// A regular expression that the whole name has to match.
    Regex {
        /// As it was written, without `re:`.
        text: String,
        /// The same, bound to both ends.
        regex: Regex,
    },
}

impl TargetPattern {
    /// Whether `vm` fits. For [`TargetPattern::Name`] a glob counts even if another VM has that very name; see
    /// [`resolve`](super::resolve()) for the rule over a whole inventory.
    #[must_use]
    pub fn matches(&self, vm: &VMInfo) -> bool {
        match self {
            Self::Name(name) => name.matches(&vm.name),
            Self::Id(id) => *id == vm.id,
            Self::Path(path) => vm.path.as_deref().is_some_and(|at| at.trim_start_matches('/') == path),
            Self::Regex { regex, .. } => regex.is_match(&vm.name),
        }
    }
}

impl FromStr for TargetPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let empty = |what: &str| {
            Error::new(ErrorKind::Configuration, format!("`{text}` names no target: an {what} has to follow"))
        };
        if let Some(id) = text.strip_prefix("id:") {
            return if id.is_empty() { Err(empty("object id")) } else { Ok(Self::Id(id.to_owned())) };
        }
        if let Some(path) = text.strip_prefix("path:") {
            let path = path.trim_start_matches('/');
            return if path.is_empty() { Err(empty("inventory path")) } else { Ok(Self::Path(path.to_owned())) };
        }
        if let Some(pattern) = text.strip_prefix("re:") {
            if pattern.is_empty() {
                return Err(empty("expression"));
            }
            // Compiled alone first, so that the error points into what the user wrote.
            Regex::new(pattern).map_err(|error| {
                Error::new(ErrorKind::Configuration, format!("`{text}` is not a regular expression: {error}"))
            })?;
            let regex = RegexBuilder::new(&format!("^(?:{pattern})$"))
                .size_limit(1 << 20)
                .build()
                .map_err(|error| Error::new(ErrorKind::Configuration, format!("`{text}` cannot be used: {error}")))?;
            return Ok(Self::Regex { text: pattern.to_owned(), regex });
        }
        NamePattern::new(text).map(Self::Name)
    }
}

impl fmt::Display for TargetPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Id(id) => write!(f, "id:{id}"),
            Self::Path(path) => write!(f, "path:/{path}"),
            Self::Regex { text, .. } => write!(f, "re:{text}"),
        }
    }
}
