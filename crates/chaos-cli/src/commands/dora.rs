//! `dora-environments` and `dora-discover`: what a Dora service knows.

use std::io::BufRead;
use std::path::Path;

use chaos_orchestrator::PlatformOrchestrator;
use secrecy::SecretString;

use super::{context, until_second};
use crate::cli::{DoraDiscover, DoraEnvironments, Format, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Output, write_environment_data, write_environments};
use crate::output_file::OutputFile;
use crate::session;

/// Longer than any password.
const LONGEST_PASSWORD: u64 = 64 << 10;

/// Lists the environments. Connects to nothing.
pub(super) fn environments(args: &DoraEnvironments, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let source = session::platforms(settings, output)?;
    let environments = source.dora_environments(&args.dora.platform)?;
    let environments: Vec<_> = environments.iter().collect();
    output.data(|to| write_environments(args.format.format, &environments, to))?;
    let placeholders = environments.iter().filter(|environment| environment.is_placeholder).count();
    if placeholders > 0 && args.format.format == Format::Table {
        output.note(format_args!(
            "{placeholders} of them have placeholders: set their values under `platforms.{}.environments`",
            args.dora.platform
        ));
    }
    Ok(Exit::Done)
}

/// Asks about one environment.
pub(super) async fn discover(args: DoraDiscover, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let entry = &args.dora.platform;
    // A pipe may be waited for here: that is before signals are ours.
    let source = source(&args, settings, output)?;
    let interrupts = Interrupts::listen(output.clone(), "interrupted: giving up")?;
    // Found out before anything is asked: an unknown name, and a file that cannot be written.
    source.dora_environments(entry)?.get(&args.environment)?;
    let file = args.output.as_deref().map(OutputFile::create).transpose()?;
    let format = args.format.unwrap_or_else(|| format_of(args.output.as_deref()));
    let filter = args.hostfilter.as_deref().map(|text| match text.parse() {
        Ok(filter) => filter,
    });
    let cx = context(&interrupts, "look at the inventory").limit(session::READING);
    let asking = async {
        let asked = source.dora_environment(&cx, entry, &args.environment, filter).await;
        // The hints for platforms with VMs to switch are of no use here.
        asked.map_err(|error| Failure::from(error).without_hints())
    };
    let data = until_second(&interrupts, asking).await?;
    if data.hypervisors.is_empty() && data.vms.is_empty() && args.hostfilter.is_none() {
        let filter = data.environment.host_filter.as_deref().unwrap_or("of the settings");
        output.note(format_args!("no host fits the filter {filter}: `--hostfilter omit` asks for all"));
    }
    let Some(file) = file else {
        output.data(|to| write_environment_data(format, &data, entry, to))?;
        return Ok(Exit::Done);
    };
    let path = file.path().display().to_string();
    file.write(|to| write_environment_data(format, &data, entry, to))?;
    output.note(format_args!("{} hypervisors and {} VMs: {path}", data.hypervisors.len(), data.vms.len()));
    Ok(Exit::Done)
}

/// The format that a file's name asks for.
fn format_of(file: Option<&Path>) -> Format {
    let Some(file) = file else { return Format::Table };
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml") => Format::Yaml,
        Some("csv") => Format::Csv,
        _ => Format::Json,
    }
}

/// The platforms of the settings, in which the account of the arguments goes before that of all files and variables.
fn source(args: &DoraDiscover, settings: &SettingsArgs, output: &Output) -> Result<PlatformOrchestrator, Failure> {
    let key = |name: &str| format!("platforms.{}.{name}", args.dora.platform);
    let mut sources = session::sources(settings)?;
    if let Some(username) = &args.username {
        sources = sources.flag(key("username"), SecretString::from(username.as_str()), "--username");
    }
    if let Some(password) = &args.password {
        sources = sources.flag(key("password"), password.clone(), "--password");
    }
    if args.password_stdin {
        sources = sources.private_flag(key("password"), password_of_stdin()?, "--password-stdin");
    }
    session::platforms_of(sources, output)
}

/// The first line of standard input.
fn password_of_stdin() -> Result<SecretString, Failure> {
    let mut line = Vec::new();
    let mut input = std::io::Read::take(std::io::stdin().lock(), LONGEST_PASSWORD);
    input
        .read_until(b'\n', &mut line)
        .map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
    // The error of the conversion would hold the text.
    let line =
        String::from_utf8(line).map_err(|_| Failure::usage("the password on standard input is not UTF-8 text"))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::usage("there is no password on standard input"));
    }
    Ok(SecretString::from(line))
}
