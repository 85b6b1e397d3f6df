//! The form of a segment: lines with checksums, a header first.

use chaos_core::{RunEvent, RunId};
use serde::{Deserialize, Serialize};

/// What the header of each segment says that it is.
const FORMAT: &str = "chaosmonkey-run-log";
/// The version of the format that is written here.
pub(crate) const VERSION: u32 = 1;
/// Digits of a checksum, and the blank after it.
const CHECKSUM: usize = 9;

/// The first line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    format: String,
    pub(crate) version: u32,
    pub(crate) run: RunId,
    pub(crate) segment: u32,
    /// The number of the first event.
    pub(crate) first: u64,
    /// Which program wrote it.
    pub(crate) made_by: String,
}

impl Header {
    pub(crate) fn new(run: RunId, segment: u32, first: u64) -> Self {
        let made_by = concat!("chaosmonkey ", env!("CARGO_PKG_VERSION")).to_owned();
        Self { format: FORMAT.to_owned(), version: VERSION, run, segment, first, made_by }
    }

    /// Whether it is a header of this format at all.
    pub(crate) fn is_ours(&self) -> bool {
        self.format == FORMAT
    }
}

/// A value as a line.
pub(crate) fn line<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_vec(value)?;
    let mut line = format!("{:08x} ", crc32fast::hash(&json)).into_bytes();
    line.extend_from_slice(&json);
    line.push(b'\n');
    Ok(line)
}

/// The JSON of a line without its end, if it fits its checksum.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn json(line: &[u8]) -> Result<&[u8], &'static str> {
    let (Some(checksum), Some(json)) = (line.get(..CHECKSUM), line.get(CHECKSUM..)) else {
        return Err("the record is too short");
    };
    let digits = checksum.strip_suffix(b" ").filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()).ok_or("the record has no checksum")?;
    let told = u32::from_str_radix(digits, 16).map_err(|_| "the record has no checksum")?;
    // Digits in capitals are not what is written here.
    if told != crc32fast::hash(json) || digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return Err("the record does not fit its checksum");
    }
    Ok(json)
}

/// What a record says beside what happened: enough to know whether this version can read it.
#[derive(Debug, Deserialize)]
pub(crate) struct Versions {
    version: u32,
    event: VersionsWithin,
}

#[derive(Debug, Deserialize)]
struct VersionsWithin {
    #[serde(default)]
    undo: Option<UndoVersion>,
}

#[derive(Debug, Deserialize)]
struct UndoVersion {
    version: u32,
}

impl Versions {
    /// The version that this program does not know, if there is one.
    pub(crate) fn too_new(&self) -> Option<u32> {
        let undo =
            self.event.undo.as_ref().map(|undo| undo.version).filter(|version| *version > chaos_core::Undo::VERSION);
        Some(self.version).filter(|version| *version > RunEvent::VERSION).or(undo)
    }
}
