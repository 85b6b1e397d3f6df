//! `doctor`: how far one gets with each platform, and what to do where that ends.

use chaos_orchestrator::{Checkup, Finding, PlatformOrchestrator};
use futures_util::future::join_all;

use super::{context, until_second};
use crate::cli::{Doctor, Format, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Output, write_checkups};
use crate::session;

/// Examines the platforms, all at the same time.
pub(super) async fn run(args: Doctor, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let source = session::platforms(settings, output)?;
    let interrupts = Interrupts::listen(output.clone(), "interrupted: logging out")?;
    let names = names(args.platform, &source)?;
    let cx = context(&interrupts, "doctor");
    let examining = async {
        let examined = names.iter().map(|name| source.examine(&cx, name, args.timeout));
        let checkups: Result<Vec<Checkup>, _> = join_all(examined).await.into_iter().collect();
        Ok(checkups?)
    };
    let checkups = until_second(&interrupts, examining).await?;
    output.data(|to| write_checkups(args.format.format, &checkups, to))?;
    let worst = checkups.iter().map(Checkup::worst).max();
    if args.format.format == Format::Table {
        let bad = checkups.iter().filter(|checkup| checkup.worst() == Finding::Bad).count();
        let doubtful = checkups.iter().flat_map(|checkup| &checkup.checks);
        let doubtful = doubtful.filter(|check| check.finding == Finding::Doubtful).count();
        match (bad, doubtful) {
            (0, 0) => output.note("all of it works"),
            (0, 1) => output.note("it works, and one thing deserves a look"),
            (0, several) => output.note(format_args!("it works, and {several} things deserve a look")),
            (bad, _) => output.note(format_args!("{bad} of {} platforms cannot be used as they are", checkups.len())),
        }
    }
    Ok(if worst == Some(Finding::Bad) { Exit::Failed } else { Exit::Done })
}

/// The platforms that are meant, each once.
fn names(given: Vec<String>, source: &PlatformOrchestrator) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::new();
    for name in given {
        source.entry(&name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        names = source.configured();
    }
    if names.is_empty() {
        return Err(Failure::usage("the settings name no server of any platform")
            .hint("`chaosmonkey config init` writes a settings file to begin with"));
    }
    Ok(names)
}
