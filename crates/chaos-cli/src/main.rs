//! ChaosMonkey for virtual machines: arguments in, words out.

mod ask;
mod cli;
mod commands;
mod duration;
mod exit;
mod failure;
mod interrupt;
mod logging;
mod narrator;
mod output;
mod output_file;
mod progress;
mod reference;
mod session;
mod state;
mod toolkit;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::arguments(&error),
    };
    let output = Output::new();
    run(cli, &output).unwrap_or_else(|failure| output.failure(&failure)).into()
}

fn run(cli: Cli, output: &Output) -> Result<exit::Exit, Failure> {
    logging::start(&cli.logging, output)?;
    if let Some(directory) = &cli.toolkit.change_dir {
        std::env::set_current_dir(directory)
            .map_err(|error| Failure::usage(format!("cannot go to {}: {error}", directory.display())))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(exit::Exit::Failed, format!("cannot start: {error}")))?;
    let ended = runtime.block_on(commands::run(cli, output));
    // Whatever still reads a file or a name then is not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    ended
}
