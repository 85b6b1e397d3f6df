//! `config show`, `config check` and `config init`: the settings themselves. Nothing is connected to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chaos_orchestrator::SettingsError;

use crate::cli::{Config, ConfigInit, ConfigShow, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, write_settings};
use crate::reference;
use crate::session;

/// Runs one of the commands.
pub(super) fn run(command: &Config, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    match command {
        Config::Show(args) => show(args, settings, output),
        Config::Check => check(settings, output),
        Config::Init(args) => init(args, output),
    }
}

fn show(args: &ConfigShow, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let settings = session::settings(settings, output)?;
    output.data(|to| write_settings(args.format.format, settings.values(), to))?;
    Ok(Exit::Done)
}

fn check(settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    match session::sources(settings)?.load() {
        Ok(settings) => {
            for warning in settings.warnings() {
                output.warning(warning);
            }
            let entries: Vec<String> =
                settings.entries().map(|entry| format!("{} ({})", entry.name, entry.kind())).collect();
            output.note(match entries.as_slice() {
                [] => {
                    "the settings are fine, and name no platform: `chaosmonkey config init` begins with one".to_owned()
                }
                _ => format!("the settings are fine: {}", entries.join(", ")),
            });
            Ok(Exit::Done)
        }
        Err(error) => Err(wrong(&error)),
    }
}

fn wrong(error: &SettingsError) -> Failure {
    let count = error.all().len();
    let failure = Failure::usage(error.to_string());
    if count > 1 { failure.hint(format!("these are {count} mistakes")) } else { failure }
}

fn init(args: &ConfigInit, output: &Output) -> Result<Exit, Failure> {
    let files = [("chaosmonkey.yaml", reference::example_yaml()), (".env.platforms.example", reference::example_env())];
    let files = files.map(|(name, text)| (args.directory.join(name), text));
    // Both or none, as far as that can be known beforehand.
    if let Some((there, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(Failure::usage(format!("{} is there already and is not written over", there.display()))
            .hint("remove it, or write the examples elsewhere with --directory"));
    }
    for (path, text) in &files {
        write_new(path, text).map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))?;
        output.note(format_args!("wrote {}", path.display()));
    }
    output.note("uncomment in chaosmonkey.yaml what you need, or copy .env.platforms.example to .env");
    output.note("then: chaosmonkey config check, chaosmonkey doctor");
    Ok(Exit::Done)
}

/// Writes a file that is not there yet and that nobody else may read: passwords will be put into it.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
