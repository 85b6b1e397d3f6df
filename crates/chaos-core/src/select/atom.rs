//! The atoms of a filter: what one of them says about one VM, and how it is written.

use std::fmt;

use crate::select::candidate::Candidate;
use crate::select::lexer::ends_a_word;
use crate::select::pattern::{NamePattern, TargetPattern};
use crate::vm::{ToolsStatus, VMPowerState};

/// The words that mean something of their own where a name could stand.
pub(super) const KEYWORDS: [&str; 5] = ["and", "or", "not", "take", "all"];

/// What may stand before a colon.
pub(super) const PREFIXES: [&str; 13] = [
    "name",
    "re",
    "id",
    "path",
    "datacenter",
    "cluster",
    "host",
    "folder",
    "endpoint",
    "guest",
    "platform",
    "state",
    "tools",
];

/// A field of a VM that a pattern is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Datacenter,
    Cluster,
    Host,
    Endpoint,
    Guest,
    Platform,
}

impl Field {
    fn prefix(self) -> &'static str {
        match self {
            Self::Datacenter => "datacenter",
            Self::Cluster => "cluster",
            Self::Host => "host",
            Self::Endpoint => "endpoint",
            Self::Guest => "guest",
            Self::Platform => "platform",
        }
    }

    fn of<'a>(self, candidate: &Candidate<'a>) -> Option<&'a str> {
        let vm = candidate.vm;
        match self {
            Self::Datacenter => vm.datacenter.as_deref(),
            Self::Cluster => vm.cluster.as_deref(),
            Self::Host => vm.host.as_deref(),
            Self::Endpoint => Some(candidate.endpoint),
            Self::Guest => vm.guest_os.as_deref(),
            Self::Platform => Some(vm.platform.as_str()),
        }
    }
}

/// One thing that a filter says about a VM.
#[derive(Debug, Clone)]
pub(super) enum Atom {
    /// Every VM.
    All,
    /// Its name, id or path.
    Target(TargetPattern),
    /// A field of it.
    Field(Field, NamePattern),
    /// The name of a folder above it.
    FolderName(NamePattern),
    /// The path of a folder above it, without a slash at either end.
    FolderPath(NamePattern),
    /// Its power state.
    State(VMPowerState),
    /// The agent inside of its guest.
    Tools(ToolsStatus),
}

impl Atom {
    /// Whether it is true of a VM. A name fits in full or as a glob; what is not known of a VM fits nothing.
    pub(super) fn matches(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Target(target) => target.matches(candidate.vm),
            Self::Field(field, pattern) => field.of(candidate).is_some_and(|value| pattern.matches(value)),
            Self::FolderName(pattern) => {
                let folder = candidate.folder().unwrap_or("");
                folder.split('/').any(|name| !name.is_empty() && pattern.matches(name))
            }
            Self::FolderPath(pattern) => {
                let folder = candidate.folder().unwrap_or("");
                let above = std::iter::successors(Some(folder), |path| path.rsplit_once('/').map(|(above, _)| above));
                above.take_while(|path| !path.is_empty()).any(|path| pattern.matches(path))
            }
            Self::State(state) => candidate.vm.power_state == *state,
            Self::Tools(status) => candidate.vm.tools_status.unwrap_or(ToolsStatus::Unknown) == *status,
        }
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Target(TargetPattern::Name(name)) => {
                let text = name.as_str();
                let quote = text.contains(':') || text.contains(ends_a_word) || KEYWORDS.contains(&text);
                write_text(f, text, quote)
            }
            Self::Target(TargetPattern::Id(id)) => write_value(f, "id:", id),
            Self::Target(TargetPattern::Path(path)) => write_value(f, "path:", &format!("/{path}")),
            Self::Target(TargetPattern::Regex { text, .. }) => write_value(f, "re:", text),
            Self::Field(field, pattern) => {
                f.write_str(field.prefix())?;
                write_value(f, ":", pattern.as_str())
            }
            Self::FolderName(pattern) => write_value(f, "folder:", pattern.as_str()),
            Self::FolderPath(pattern) => write_value(f, "folder:", &format!("/{pattern}")),
            Self::State(state) => write!(f, "state:{state}"),
            Self::Tools(status) => write!(f, "tools:{status}"),
        }
    }
}

fn write_value(f: &mut fmt::Formatter<'_>, prefix: &str, value: &str) -> fmt::Result {
    f.write_str(prefix)?;
    write_text(f, value, value.contains(ends_a_word))
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str, quote: bool) -> fmt::Result {
    if quote { write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) } else { f.write_str(text) }
}
