//! `config show`, `config check` and `config init`: the settings themselves. Nothing is connected to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chaos_orchestrator::SettingsError;
#[cfg(feature = "dora")]
use chaos_orchestrator::{Kind, PlatformOrchestrator, Settings};

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
            for entry in settings.entries() {
                for note in entry.notes() {
                    output.warning(note);
                }
            }
            #[cfg(feature = "dora")]
            dora(&settings)?;
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

/// Whether the environments of each Dora service can be asked about.
#[cfg(feature = "dora")]
fn dora(settings: &Settings) -> Result<(), Failure> {
    let source = PlatformOrchestrator::new(settings.clone());
    let mut services = settings.entries().filter(|entry| entry.kind() == Kind::Dora);
    Ok(services.try_for_each(|entry| source.check_dora(&entry.name))?)
}

fn wrong(error: &SettingsError) -> Failure {
    let count = error.all().len();
    let failure = Failure::usage(error.to_string());
    if count > 1 { failure.hint(format!("these are {count} mistakes")) } else { failure }
}

fn init(args: &ConfigInit, output: &Output) -> Result<Exit, Failure> {
    let files = [("chaosmonkey.yaml", reference::example_yaml()), (".env.platforms.example", reference::example_env())];
    let files = files.map(|(name, text)| (args.directory.join(name), text));
    let (there, missing): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| path.symlink_metadata().is_ok());
    for (path, _) in &there {
        output.note(format_args!("{} is there already and stays as it is", path.display()));
    }
    if missing.is_empty() {
        return Err(Failure::usage("there is nothing to write").hint("--directory writes the examples elsewhere"));
    }
    for (path, text) in missing {
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
