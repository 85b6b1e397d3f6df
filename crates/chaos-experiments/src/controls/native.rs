//! Controls that are processes or requests: what they are told, and how.

use std::io::Write;
use std::time::Duration;

use chaos_core::Context;
use serde_json::{Map, Value, json};

use super::{Control, Point};
use crate::late::Late;
use crate::mask::Masker;
use crate::native::seconds;
use crate::provider::{HttpClients, Place, ProviderCall, PythonWorkers};
use crate::substitute::Variables;

/// How long a control may take that does not say.
const LIMIT: Duration = Duration::from_mins(1);

/// Tells a process or a request what the run has come to. A process finds it in the file that `CHAOSMONKEY_CONTEXT` names.
///
/// # Errors
/// Why it failed: it could not be called, did not end in time, or ended with another status than 0 or 2xx.
pub(crate) async fn hand_over(
    cx: &Context,
    (control, point): (&Control, Point),
    (context, state): (&Value, &Value),
    (late, variables): (&Late, &Variables),
    masker: &Masker,
    clients: &HttpClients,
    workers: &PythonWorkers,
) -> Result<(), String> {
    let super::ControlProvider::Native(provider) = &control.provider else { return Ok(()) };
    let shown = context.as_object().map_or(Value::Null, |context| masker.document(context));
    let told = masker.value(&json!({
        "hook": point.name(),
        "control": control.name,
        "run": cx.run_id().as_str(),
        "context": shown,
        "state": state,
    }));
    let limit = provider.get("timeout").and_then(seconds).unwrap_or(LIMIT);
    let cx = cx.limit(limit);
    let mut file = tempfile::Builder::new().prefix("chaosmonkey-").suffix(".json").tempfile().map_err(unwritten)?;
    file.write_all(told.to_string().as_bytes()).map_err(unwritten)?;
    let exported = [
        ("CHAOSMONKEY_HOOK", point.name()),
        ("CHAOSMONKEY_RUN", cx.run_id().to_string()),
        ("CHAOSMONKEY_CONTEXT", file.path().display().to_string()),
    ];
    let mut provider: Map<String, Value> = provider.clone();
    if provider.get("type").and_then(Value::as_str) == Some("http") {
        provider.insert("method".to_owned(), "POST".into());
    }
    let exported = exported.map(|(name, value)| (name.to_owned(), value));
    let call = late.foreign(&provider, &control.place, variables, exported, masker)?.telling(&told);
    let is_process = matches!(call, ProviderCall::Process(_));
    let output = call.run(&cx, clients, workers, Place::Background).await.map_err(|error| error.words())?;
    let status = output.get("status").and_then(Value::as_i64);
    if (is_process && status == Some(0)) || (!is_process && status.is_some_and(|status| (200..300).contains(&status))) {
        return Ok(());
    }
    let status = status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}"));
    let last = output.get("stderr").and_then(Value::as_str).and_then(|text| text.trim().lines().last());
    Err(last.map_or_else(|| status.clone(), |line| format!("{status}: {line}")))
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn unwritten(error: std::io::Error) -> String {
    format!("what it is told cannot be written to a file: {error}")
}
