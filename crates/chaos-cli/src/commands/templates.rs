//! `templates`: which experiments are built in, and what they take.

use chaos_experiments::Template;

use crate::cli::{ReportFormat, Templates};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, write_structured, write_template, write_templates};

pub(super) fn run(command: &Templates, output: &Output) -> Result<Exit, Failure> {
    match command {
        Templates::List(args) => output.data(|to| write_templates(args.format.format, Template::all(), to))?,
        Templates::Show(args) => {
            let template = Template::find(&args.name)?;
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
