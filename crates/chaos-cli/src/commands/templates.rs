//! `templates`: which experiments are ready-made, and what they take.

use std::path::Path;

use chaos_experiments::Templates as Known;

use crate::cli::{ReportFormat, SettingsArgs, Templates, TemplatesArg};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, write_structured, write_template, write_templates};
use crate::session;

pub(super) fn run(command: &Templates, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let known = |args: &TemplatesArg| {
        // Who names a directory needs no settings.
        let path = match args.directory {
            Some(_) => None,
            None => session::settings(settings, output)?.chaos.templates_path,
        };
        known(args, path.as_deref())
    };
    match command {
        Templates::List(args) => {
            let known = known(&args.templates)?;
            output.data(|to| write_templates(args.format.format, known.iter(), to))?;
        }
        Templates::Show(args) => {
            let known = known(&args.templates)?;
            let template = known.find(&args.name)?;
            if args.document {
                let yaml = args.format != ReportFormat::Json;
                output.data(|to| write_structured(yaml, &template.document(), to))?;
            } else {
                output.data(|to| write_template(args.format, template, to))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// The templates that there are: `--templates` goes before `chaos.templates_path`.
///
/// # Errors
/// A directory or a template that cannot be read.
pub(super) fn known(args: &TemplatesArg, path: Option<&Path>) -> Result<Known, Failure> {
    match args.directory.as_deref().or(path) {
        Some(directory) => Ok(Known::with_directory(directory)?),
        None => Ok(Known::built_in()),
    }
}
