//! Reads the log of a run: all segments in order, up to the end or to the first damage.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use chaos_core::{Damage, Error, ErrorKind, RecordedRun, RunEvent, RunId};

use crate::files;
use crate::lease_file::Leases;
use crate::segment::{self, Header, VERSION, Versions};

/// The longest line that a log may have, in bytes.
const LONGEST: u64 = 8 * 1024 * 1024;

/// Why reading ends before the end.
enum Stop {
    Damage(Damage),
    Error(Error),
}

/// The log of the run in `directory`.
///
/// # Errors
/// A file that cannot be read, or that a newer version wrote.
pub(crate) fn read(directory: &Path, run: &RunId) -> Result<RecordedRun, Error> {
    let cannot = |error| files::failed("read", directory, error);
    let mut recorded = RecordedRun::new(run.clone(), Vec::new());
    recorded.is_alive = files::is_locked(&directory.join("lock")).map_err(cannot)?;
    let mut has_head = false;
    for (number, (segment, path)) in segments(directory).map_err(cannot)?.into_iter().enumerate() {
        let read = if usize::try_from(segment).is_ok_and(|segment| segment == number) {
            read_segment(&path, segment, &mut recorded)
        } else {
            Err(Stop::Damage(Damage::new(path.display().to_string(), 0, "a segment before it is missing")))
        };
        match read {
            Ok(head) => has_head |= head,
            Err(Stop::Damage(damage)) => {
                recorded.damage = Some(damage);
                break;
            }
            Err(Stop::Error(error)) => return Err(error),
        }
    }
    // A run takes leases when the head of its log is written, so one that has some and no head has lost its log.
    let is_empty = recorded.events.is_empty() && recorded.damage.is_none() && !recorded.is_alive;
    if is_empty && !has_head && held_something(directory, run) {
        let place = directory.join(segment_name(0)).display().to_string();
        recorded.damage = Some(Damage::new(place, 0, "the log is empty, and the run held VMs"));
    }
    Ok(recorded)
}

/// Whether the run whose log is in `directory` has leases that it has not given back.
fn held_something(directory: &Path, run: &RunId) -> bool {
    let root = directory.parent().and_then(Path::parent);
    root.and_then(|root| Leases::read(root).ok()).is_some_and(|leases| leases.of(run).next().is_some())
}

/// The segments of a log with their numbers, in order.
pub(crate) fn segments(directory: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let number =
            path.extension().filter(|ending| *ending == "log").and_then(|_| path.file_stem()?.to_str()?.parse().ok());
        if let Some(number) = number {
            segments.push((number, path));
        }
    }
    segments.sort();
    Ok(segments)
}

/// The name of a segment.
pub(crate) fn segment_name(number: u32) -> String {
    format!("{number:04}.log")
}

/// Reads a segment, and says whether it has a header.
fn read_segment(path: &Path, number: u32, recorded: &mut RecordedRun) -> Result<bool, Stop> {
    let cannot = |error| Stop::Error(files::failed("read", path, error));
    let mut reader = BufReader::new(File::open(path).map_err(cannot)?);
    let mut offset = 0_u64;
    let mut line = Vec::new();
    let mut is_header = true;
    loop {
        line.clear();
        let length = (&mut reader).take(LONGEST + 1).read_until(b'\n', &mut line).map_err(cannot)?;
        if length == 0 {
            return Ok(!is_header);
        }
        let damaged = |why: String| Stop::Damage(Damage::new(path.display().to_string(), offset, why));
        if length as u64 > LONGEST {
            return Err(damaged(format!("the record is longer than {LONGEST} bytes")));
        }
        let is_whole = line.last() == Some(&b'\n');
        let content = if is_whole { &line[..length - 1] } else { &line[..] };
        let json = match segment::json(content) {
            Ok(json) => json,
            // With a byte too many at its end it was written as a whole, and changed later.
            Err(_) if !is_whole && segment::json(&content[..length - 1]).is_ok() => {
                return Err(damaged("the record has another end than it was written with".to_owned()));
            }
            Err(_) if !is_whole => {
                recorded.torn_bytes += length as u64;
                return Ok(!is_header);
            }
            Err(why) => return Err(damaged(why.to_owned())),
        };
        if is_header {
            check_header(json, path, number, recorded).map_err(|stop| stop.unwrap_or_else(&damaged))?;
        } else {
            let event = event(json, path).map_err(|stop| stop.unwrap_or_else(&damaged))?;
            check_event(&event, recorded).map_err(damaged)?;
            recorded.events.push(event);
        }
        is_header = false;
        offset += length as u64;
    }
}

/// An error, or damage in words.
type Wrong = Result<Stop, String>;

fn check_header(json: &[u8], path: &Path, number: u32, recorded: &RecordedRun) -> Result<(), Wrong> {
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let version: Version =
        serde_json::from_slice(json).map_err(|_| Err("this is no header of a run log".to_owned()))?;
    if version.version > VERSION {
        return Err(Ok(too_new(path, version.version)));
    }
    let header: Header = serde_json::from_slice(json).map_err(|_| Err("this is no header of a run log".to_owned()))?;
    if !header.is_ours() {
        return Err(Err("this is no header of a run log".to_owned()));
    }
    let next = recorded.events.len() as u64;
    if (&header.run, header.segment, header.first) != (&recorded.run, number, next) {
        let (run, segment, first) = (header.run, header.segment, header.first);
        return Err(Err(format!(
            "this is segment {segment} of run {run} from event {first}, and not the one that follows"
        )));
    }
    Ok(())
}

fn event(json: &[u8], path: &Path) -> Result<RunEvent, Wrong> {
    let versions: Versions =
        serde_json::from_slice(json).map_err(|error| Err(format!("this is no run event: {error}")))?;
    if let Some(version) = versions.too_new() {
        return Err(Ok(too_new(path, version)));
    }
    // It fits its checksum, so somebody has meant it: a version that knows more.
    serde_json::from_slice(json).map_err(|error| {
        let message =
            format!("{} holds an event that this version does not know: use the one that wrote it", path.display());
        Ok(Stop::Error(Error::new(ErrorKind::Unsupported, message).caused_by(error)))
    })
}

fn check_event(event: &RunEvent, recorded: &RecordedRun) -> Result<(), String> {
    let next = recorded.events.len() as u64;
    if event.run != recorded.run {
        return Err(format!("this is an event of run {}", event.run));
    }
    if event.sequence != next {
        return Err(format!("this is event {}, and {next} should follow", event.sequence));
    }
    Ok(())
}

fn too_new(path: &Path, version: u32) -> Stop {
    Stop::Error(Error::new(
        ErrorKind::Unsupported,
        format!("{} has format {version}, and this version knows up to {VERSION}: use a newer one", path.display()),
    ))
}
