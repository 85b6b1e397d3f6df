//! Settings files: where they are, what they are written in, and who else may read and write them.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::SettingsError;
use super::tree::{Node, SyntaxError};
use super::{toml, yaml};

/// The names that a settings file may have in a directory.
pub(crate) const NAMES: [&str; 4] = ["chaosmonkey.yaml", "chaosmonkey.yml", "chaosmonkey.json", "chaosmonkey.toml"];

/// Many times what settings take. A path may also name something without an end.
const LARGEST: u64 = 1 << 20;

/// A settings file that was read.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    pub(crate) path: PathBuf,
    pub(crate) root: Node,
    pub(crate) access: Access,
}

/// Who may do what with a file, beside whoever runs this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Access {
    /// Others can read it.
    pub(crate) is_readable_by_others: bool,
    /// Why it may hold what its user did not write, if so.
    pub(crate) distrust: Option<Distrust>,
}

/// Why a file may hold what its user did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// It is another user's.
    Foreign,
    /// Everybody can write it.
    OpenToAll,
    /// Its group can write it: on many systems that is the user alone, and nobody can tell.
    OpenToGroup,
}

impl Distrust {
    /// For messages: "the file …".
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Foreign => "belongs to another user",
            Self::OpenToAll => "can be written by all users",
            Self::OpenToGroup => "can be written by other users of its group",
        }
    }
}

impl Access {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        let mode = metadata.mode();
        let distrust = if metadata.uid() != nix::unistd::geteuid().as_raw() {
            Some(Distrust::Foreign)
        } else if mode & 0o002 != 0 {
            Some(Distrust::OpenToAll)
        } else if mode & 0o020 != 0 {
            Some(Distrust::OpenToGroup)
        } else {
            None
        };
        Self { is_readable_by_others: mode & 0o044 != 0, distrust }
    }

    /// Elsewhere nothing is known, and nothing is claimed.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Self {
        Self::default()
    }
}

/// A text file and who may do what with it.
pub(crate) fn text_of(path: &Path) -> io::Result<(String, Access)> {
    let (bytes, access) = bytes_of(path, LARGEST)?;
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))?;
    Ok((text, access))
}

/// A file and who may do what with it. Only a plain file of a sensible size is read: a pipe could keep us for ever.
pub(crate) fn bytes_of(path: &Path, largest: u64) -> io::Result<(Vec<u8>, Access)> {
    let not_plain = || io::Error::other("it is no plain file");
    if !std::fs::metadata(path)?.is_file() {
        return Err(not_plain());
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_plain());
    }
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(io::Error::other(format!("it is larger than {largest} bytes")));
    }
    Ok((bytes, Access::of(&metadata)))
}

/// The settings file of a directory, if it has one.
///
/// # Errors
/// [`SettingsError::Several`] if it has more than one.
pub(crate) fn find(directory: &Path) -> Result<Option<PathBuf>, SettingsError> {
    // Also one that cannot be read, such as a link to nowhere: it was meant.
    let mut found = NAMES.iter().map(|name| directory.join(name)).filter(|path| path.symlink_metadata().is_ok());
    match (found.next(), found.next()) {
        (Some(first), Some(second)) => Err(SettingsError::Several { first, second }),
        (found, _) => Ok(found),
    }
}

/// Reads a settings file; its name says what it is written in.
///
/// # Errors
/// It cannot be read, or not understood.
pub(crate) fn read(path: &Path) -> Result<SettingsFile, SettingsError> {
    let unreadable = |reason: String| SettingsError::Unreadable { path: path.to_owned(), reason };
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    let parse: fn(&str) -> Result<Node, SyntaxError> = match extension.as_deref() {
        Some("yaml" | "yml") => yaml::parse,
        Some("json") => yaml::parse_json,
        Some("toml") => toml::parse,
        _ => return Err(unreadable("its name has to end in .yaml, .yml, .json or .toml".to_owned())),
    };
    let (text, access) = text_of(path).map_err(|error| unreadable(error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let root = parse(text).map_err(|SyntaxError { place, reason }| SettingsError::Syntax {
        path: path.to_owned(),
        line: place.line,
        column: place.column,
        reason,
    })?;
    Ok(SettingsFile { path: path.to_owned(), root, access })
}
