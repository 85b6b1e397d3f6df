//! What would be wrong with calls, as far as Python can tell without making them: modules are imported.

use chaos_core::Context;
use serde_json::Value;

use super::protocol::{self, Answer};
use super::{Place, PythonCall, PythonError, PythonWorkers};
use crate::error::Finding;
use crate::python::truthy;

/// Checks calls and tells all that is wrong at once. Every module is imported, and with it whatever it does then is done.
pub(crate) async fn validate(
    cx: &Context,
    calls: impl IntoIterator<Item = &PythonCall>,
    workers: &PythonWorkers,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for call in calls {
        let place = &call.place;
        let at_module = |why: String| Finding::error(format!("{place}/module"), why);
        match call.ask(cx, workers, Place::Foreground, |id| call.called().check(id)).await {
            Ok(Answer::Returned(found)) => findings.extend(read(&found, place)),
            Ok(Answer::Broken(why) | Answer::Failed { message: why, .. }) => findings.push(at_module(why)),
            Ok(Answer::Exit(_) | Answer::Interrupted) => {
                findings.push(at_module(format!("the import of the module `{}` ended Python", call.module)));
            }
            Err(PythonError::Broken(why)) => {
                findings.push(at_module(format!("`{}` cannot be checked: {why}", call.name())));
                if !workers.can_start() {
                    // Said once, and true for all of them.
                    break;
                }
            }
            Err(PythonError::Other(error)) => {
                findings.push(at_module(format!("`{}` cannot be checked: {}", call.name(), error.with_causes())));
                if cx.check("checking").is_err() {
                    break;
                }
            }
            Err(PythonError::Failed { .. } | PythonError::Exit(_)) => {}
        }
    }
    // What is referred to is called several times, and wrong once.
    let mut told = Vec::with_capacity(findings.len());
    for finding in findings {
        if !told.contains(&finding) {
            told.push(finding);
        }
    }
    told
}

/// Checks a control in Python, at `place`. What is wrong with a lenient one is only worth a warning.
pub(crate) async fn check_control(
    cx: &Context,
    workers: &PythonWorkers,
    module: &str,
    control: &Value,
    place: &str,
    lenient: bool,
) -> Option<Finding> {
    let request = |id| protocol::check_control(id, module, control, lenient);
    let why = match super::ask(cx, workers, Place::Foreground, module, request).await {
        Ok(Answer::Returned(found)) => return read(&found, place),
        Ok(Answer::Broken(why) | Answer::Failed { message: why, .. }) => why,
        Ok(Answer::Exit(_) | Answer::Interrupted) => format!("the import of the module `{module}` ended Python"),
        Err(error) => error.words(),
    };
    Some(Finding::warning(format!("{place}/module"), format!("the control cannot be checked: {why}")))
}

/// What was found about one call, if anything.
fn read(found: &Value, place: &str) -> Option<Finding> {
    let what = found.get("what")?.as_str()?;
    let at = found.get("at").and_then(Value::as_str).unwrap_or_default();
    let place = format!("{place}/{at}");
    let unsure = found.get("unsure").is_some_and(truthy);
    let finding = if unsure { Finding::warning(place, what) } else { Finding::error(place, what) };
    Some(match at {
        "module" if found.get("missing") == Some(&Value::Bool(true)) => finding.hint(
            "Python looks for modules among its packages and in PYTHONPATH, and not in the working directory; \
             CHAOSMONKEY_PYTHON names another Python",
        ),
        "secrets" => finding.hint("list the scopes that it needs in `secrets` of the provider"),
        "arguments" if unsure => finding.hint("whether the arguments fit is seen only in the run"),
        _ => finding,
    })
}
