//! The log: lines on stderr, as many as were asked for.

use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, Logging};
use crate::failure::Failure;
use crate::output::Output;

/// Starts logging to stderr.
///
/// # Errors
/// A filter that cannot be read.
pub(crate) fn start(logging: &Logging, output: &Output) -> Result<(), Failure> {
    let filter = match logging.log.as_deref().filter(|filter| !filter.trim().is_empty()) {
        Some(filter) => EnvFilter::builder().parse(filter).map_err(|error| {
            Failure::usage(format!("CHAOS_LOG or --log cannot be read: {error}"))
                .hint("give a level (error, warn, info, debug, trace) or pairs like `chaos_http=trace,warn`")
        })?,
        None => EnvFilter::new(directives(logging.verbose)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(output.clone()).with_ansi(false);
    // Only one subscriber can ever be set; in this process that is here.
    let _ = match logging.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    Ok(())
}

/// What `-v`, `-vv` and `-vvv` mean. `chaos` is the beginning of the name of each of our crates.
fn directives(verbose: u8) -> &'static str {
    match verbose {
        0 => "warn",
        1 => "warn,chaos=info",
        2 => "info,chaos=debug",
        _ => "debug,chaos=trace",
    }
}
