//! How a login went.

use std::time::Duration;

use chaos_core::{Error, ErrorKind};

use super::{Check, Finding, Step};
use crate::settings::Entry;

/// A login that takes longer than this deserves a word.
const SLOW: Duration = Duration::from_secs(5);

/// The account was taken.
pub(super) fn taken(took: Duration, says: &str) -> Check {
    let seconds = took.as_secs_f64();
    if took > SLOW {
        Check::new(Step::Login, Finding::Doubtful, format!("{says}, but the login took {seconds:.1} s"))
            .cure("look at the load of the server; commands with a short `--timeout` may fail")
    } else {
        Check::good(Step::Login, format!("{says}, in {seconds:.1} s"))
    }
}

/// The account was not taken.
pub(super) fn refused(entry: &Entry, error: &Error, patience: Duration) -> Check {
    let says = error.with_causes();
    match error.kind() {
        ErrorKind::Unauthenticated => Check::bad(
            Step::Login,
            says,
            format!(
                "check {} (with its domain or profile) and {}; it was tried once, since servers lock accounts",
                entry.short("username"),
                entry.short("password")
            ),
        ),
        ErrorKind::Timeout => Check::bad(
            Step::Login,
            format!("the login was not over within {} s", patience.as_secs()),
            "the server is slow: look at its load, or give it longer with `doctor --timeout`",
        ),
        ErrorKind::Configuration => Check::bad(
            Step::Login,
            says,
            "`chaosmonkey config show` tells which settings count and where they come from",
        ),
        ErrorKind::Protocol | ErrorKind::NotFound => Check::bad(
            Step::Login,
            says,
            format!("check {}: another kind of server seems to be there", entry.short(entry.server_key())),
        ),
        _ => Check::bad(Step::Login, says, "look at the server and at what is on the way to it"),
    }
}
