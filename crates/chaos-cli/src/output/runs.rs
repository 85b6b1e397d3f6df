//! Runs, what they did to which VM, and what became of it.

use std::io::{self, Write};

use chaos_core::{CallResult, RecordedRun, RunAccount, RunState, RunSummary, SentFault, Standing, TargetAccount};
use chaos_experiments::RecoveryReport;
use serde_json::{Value, json};

use super::cells::{or_dash, printable, table, write_table};
use super::structured::{write_csv, write_structured};
use crate::cli::{Format, ReportFormat};
use crate::commands::Halted;

/// A list of runs.
pub(crate) fn write_runs(format: Format, runs: &[RunSummary], to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, runs, to),
        Format::Yaml => write_structured(true, runs, to),
        Format::Csv => write_csv(&["run", "started", "last", "title", "state", "touched", "open"], runs, to),
        Format::Table => {
            let mut table = table(&["RUN", "BEGAN", "STATE", "TOUCHED", "LEFT CHANGED", "TITLE"]);
            for run in runs {
                let open: Vec<&str> = run.open.iter().map(|open| open.name.as_str()).collect();
                let open = if run.state == RunState::Running { String::new() } else { open.join(", ") };
                table.add_row([
                    run.run.to_string(),
                    format!("{:.0}", run.started),
                    run.state.to_string(),
                    run.touched.to_string(),
                    or_dash(Some(&open)),
                    or_dash(Some(&run.title)),
                ]);
            }
            write_table(&table, to)
        }
    }
}

/// One run with all that it did.
pub(crate) fn write_run_details(
    format: ReportFormat,
    recorded: &RecordedRun,
    account: &RunAccount,
    to: &mut dyn Write,
) -> io::Result<()> {
    match format {
        ReportFormat::Json => write_structured(false, &details(recorded, account), to),
        ReportFormat::Yaml => write_structured(true, &details(recorded, account), to),
        ReportFormat::Table => {
            let time = |at: Option<jiff::Timestamp>| at.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
            writeln!(to, "run      {}", recorded.run)?;
            writeln!(to, "title    {}", or_dash(Some(&account.title)))?;
            writeln!(to, "state    {}", state(recorded, account))?;
            writeln!(to, "machine  {}", or_dash(Some(&account.node)))?;
            writeln!(to, "began    {}", time(account.started))?;
            writeln!(to, "last     {}", time(account.last))?;
            if let Some(reason) = &account.abandoned {
                writeln!(to, "abandoned: {}", printable(reason))?;
            }
            match (&recorded.damage, account.targets.is_empty()) {
                (Some(damage), _) => writeln!(to, "{damage}: what else was done is not known")?,
                (None, true) => return writeln!(to, "nothing was touched"),
                (None, false) => {}
            }
            writeln!(to)?;
            let mut table = table(&["VM", "FOUND", "AT", "SENT", "RESULT", "NOW"]);
            for target in &account.targets {
                let name = target.undo.path.as_deref().unwrap_or(&target.undo.name);
                let standing = standing(recorded, target);
                let none = (String::new(), "nothing".to_owned(), String::new());
                let calls: Vec<_> =
                    if target.sent.is_empty() { vec![none] } else { target.sent.iter().map(call).collect() };
                for (at, (time, sent, result)) in calls.into_iter().enumerate() {
                    let first = |text: &str| if at == 0 { printable(text).into_owned() } else { String::new() };
                    let found = first(target.undo.found.power_state.as_str());
                    table.add_row([first(name), found, time, sent, printable(&result).into_owned(), first(&standing)]);
                }
            }
            write_table(&table, to)
        }
    }
}

fn state(recorded: &RecordedRun, account: &RunAccount) -> RunState {
    match (recorded.is_alive, &recorded.damage) {
        (true, _) => RunState::Running,
        (false, Some(_)) => RunState::Damaged,
        (false, None) => account.state(),
    }
}

fn call(sent: &SentFault) -> (String, String, String) {
    let result = match &sent.result {
        None => "nobody knows".to_owned(),
        Some((_, CallResult::Ok(outcome))) => format!("{} ({})", outcome.state, outcome.how),
        Some((_, CallResult::Error(failure))) => failure.message.clone(),
    };
    (format!("{:.0}", sent.at), sent.fault.operation().words().to_owned(), result)
}

fn standing(recorded: &RecordedRun, target: &TargetAccount) -> String {
    match &target.standing {
        Standing::Untouched => "untouched".to_owned(),
        Standing::Back => "as it was found".to_owned(),
        Standing::Open(_) if recorded.is_alive => "changed, or may be".to_owned(),
        Standing::Open(None) => "LEFT CHANGED, or may be".to_owned(),
        Standing::Open(Some(failure)) => format!("LEFT CHANGED: {}", failure.message),
        Standing::LeftAlone(why) => format!("left alone: {why}"),
        _ => "unknown".to_owned(),
    }
}

fn details(recorded: &RecordedRun, account: &RunAccount) -> Value {
    let targets: Vec<Value> = account
        .targets
        .iter()
        .map(|target| {
            let sent = target.sent.iter().map(|sent| {
                json!({
                    "at": sent.at,
                    "fault": sent.fault,
                    "ended": sent.result.as_ref().map(|(at, _)| at),
                    "result": sent.result.as_ref().map(|(_, result)| result),
                })
            });
            json!({
                "target": target.undo.target,
                "name": target.undo.name,
                "path": target.undo.path,
                "found": target.undo.found,
                "sent": sent.collect::<Vec<_>>(),
                "standing": standing(recorded, target),
                "is_open": matches!(target.standing, Standing::Open(_)) && account.abandoned.is_none(),
            })
        })
        .collect();
    json!({
        "run": recorded.run,
        "title": account.title,
        "state": state(recorded, account),
        "node": account.node,
        "started": account.started,
        "last": account.last,
        "abandoned": account.abandoned,
        "damage": recorded.damage,
        "torn_bytes": recorded.torn_bytes,
        "targets": targets,
        "events": recorded.events,
    })
}

/// What recoveries did, or would do.
pub(crate) fn write_recoveries(format: ReportFormat, reports: &[RecoveryReport], to: &mut dyn Write) -> io::Result<()> {
    match format {
        ReportFormat::Json => write_structured(false, reports, to),
        ReportFormat::Yaml => write_structured(true, reports, to),
        ReportFormat::Table => {
            for report in reports {
                writeln!(to, "run {} is {}: {}", report.run, report.state, or_dash(Some(&report.title)))?;
                for target in &report.targets {
                    writeln!(to, "  {}", printable(&target.to_string()))?;
                }
                if report.targets.is_empty() && report.damage.is_none() {
                    writeln!(to, "  nothing to put back")?;
                }
            }
            Ok(())
        }
    }
}

/// The runs that a halt has stopped.
pub(crate) fn write_halted(format: Format, halted: &[Halted], to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, halted, to),
        Format::Yaml => write_structured(true, halted, to),
        Format::Csv => write_csv(&["run", "title", "stopped_after", "state"], halted, to),
        Format::Table if halted.is_empty() => Ok(()),
        Format::Table => {
            let mut table = table(&["RUN", "STOPPED AFTER", "STATE", "TITLE"]);
            for run in halted {
                let after = run.stopped_after.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1}s"));
                table.add_row([run.run.to_string(), after, run.state.to_string(), or_dash(Some(&run.title))]);
            }
            write_table(&table, to)
        }
    }
}
