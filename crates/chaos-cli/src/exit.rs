//! The exit codes of every command, in one place.
//!
//! `run` and `validate`, when they come, keep Chaos Toolkit's own 0, 1 and 2.
//!
//! 2 to 5 promise that nothing was touched: every name is resolved and every target checked before the first call that
//! changes anything. Whatever goes wrong after that is 1.

use chaos_core::ErrorKind;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was asked for is done.
    Done = 0,
    /// An operation or an experiment failed.
    Failed = 1,
    /// The arguments or the settings cannot work.
    Usage = 2,
    /// The platform cannot be reached, or it refused the login.
    Unreachable = 3,
    /// A target does not exist, or a name fits several.
    Target = 4,
    /// Everything is halted, another run holds a VM, its state forbids it, or a question was not answered with yes.
    Refused = 5,
    /// Interrupted by Ctrl-C, SIGTERM, a terminal that went away, a halt or a stop condition.
    Interrupted = 130,
}

/// The same for people, at the end of `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
    0  done
    1  the operation or the experiment failed
    2  the arguments or the settings cannot work
    3  the platform cannot be reached, or refused the login; with --fail-on-partial one of several
    4  a target was not found, or its name fits several VMs
    5  refused: everything is halted, another run holds a VM, its state forbids it, or nobody said yes
  130  interrupted: by a signal, by a halt, or by a stop condition
2 to 5 mean that nothing was touched.";

impl Exit {
    /// The meaning of an exit code of this program.
    pub(crate) fn of_code(code: i32) -> Option<Self> {
        let all =
            [Self::Done, Self::Failed, Self::Usage, Self::Unreachable, Self::Target, Self::Refused, Self::Interrupted];
        all.into_iter().find(|exit| *exit as i32 == code)
    }

    /// The exit code for an error that came before anything was touched.
    pub(crate) fn untouched(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Configuration | ErrorKind::Unsupported => Self::Usage,
            ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::Unavailable
            | ErrorKind::Timeout
            | ErrorKind::Protocol => Self::Unreachable,
            ErrorKind::NotFound | ErrorKind::Ambiguous => Self::Target,
            ErrorKind::InvalidState | ErrorKind::Refused => Self::Refused,
            ErrorKind::Cancelled => Self::Interrupted,
            // `ErrorKind` may grow: an unknown failure is a failure.
            ErrorKind::Failed | _ => Self::Failed,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
