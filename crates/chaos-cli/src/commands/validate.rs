//! `validate`: whether an experiment could run, told all at once. Runs nothing.

use std::path::Path;

use chaos_core::Context;
use chaos_experiments::{Document, Experiment, FetchOptions, Findings, Inputs, LoadError, Notice, Overrides, Rules};
use secrecy::SecretString;

use crate::cli::{ToolkitArgs, Validate};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session;
use crate::toolkit::{ToolkitLog, ToolkitSettings};

/// The variable with the token for servers that experiments are loaded from.
const TOKEN: &str = "CHAOSTOOLKIT_LOADER_AUTH_BEARER_TOKEN";

pub(super) async fn run(args: &Validate, toolkit: &ToolkitArgs, log: &ToolkitLog) -> Result<Exit, Failure> {
    let cx = Context::with_timeout(super::LONGEST);
    let known = ToolkitSettings::load(toolkit, log);
    let rules = args.rules.or(Rules::Compat);
    let document = load(&args.source, rules, args.no_verify_tls, &known, &cx).await;
    let document = document.map_err(|error| Failure::from(error).with_exit(Exit::Failed))?;
    let environment = session::experiment_environment()?;
    let told = known.notifications(environment.clone());
    let mut inputs = Inputs::new(Overrides::none()).rules(rules).environment(environment);
    // Who asks for no rules wants to know about both.
    inputs.names_extensions = !args.rules.compat;
    told.tell(&cx, Notice::ValidateStarted, &document, &inputs, None).await;
    let experiment = match check(&document, &inputs, &cx).await {
        Ok(experiment) => experiment,
        Err(findings) => {
            told.tell(&cx, Notice::ValidateFailed, &document, &inputs, Some(&findings.to_string())).await;
            return Err(Failure::from(findings).with_exit(Exit::Failed));
        }
    };
    told.tell(&cx, Notice::ValidateCompleted, &document, &inputs, None).await;
    for warning in experiment.warnings() {
        log.warning(warning);
    }
    log.info("experiment syntax and semantic look valid");
    Ok(Exit::Done)
}

async fn check(document: &Document, inputs: &Inputs, cx: &Context) -> Result<Experiment, Findings> {
    Experiment::new(document, inputs)?.with_checked_python(cx).await
}

/// Loads an experiment from where `source` says: a file if there is one, else a URL.
///
/// # Errors
/// There is neither, or it holds no experiment.
pub(super) async fn load(
    source: &str,
    rules: Rules,
    any_certificate: bool,
    settings: &ToolkitSettings,
    cx: &Context,
) -> Result<Document, LoadError> {
    let path = Path::new(source);
    if path.exists() || !source.contains("://") {
        return Document::load(path);
    }
    let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
    let host = source.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let mut options = FetchOptions::of(rules);
    options.authorization = match token {
        Some(token) => Some(SecretString::from(format!("bearer {}", token.trim()))),
        None => settings.authorization(host),
    };
    options.any_certificate = any_certificate;
    Document::fetch(cx, source, &options).await
}
