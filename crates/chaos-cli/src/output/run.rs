//! What a run would do, and what became of it.

use std::io::{self, Write};

use chaos_core::ActivityStatus;
use chaos_experiments::{ActivityRecord, BlastRadius, Plan, Planned, RunReport, Verdict};

use serde::Serialize;

use super::cells::{printable, table, write_table};
use super::structured::write_structured;
use crate::cli::ReportFormat;

/// The plan of a run, with how far it reaches.
#[derive(Serialize)]
struct Shown<'p> {
    #[serde(flatten)]
    steps: &'p Plan,
    blast_radius: &'p BlastRadius,
    seed: u64,
}

/// The plan of a run.
pub(crate) fn write_plan(format: ReportFormat, plan: &Planned, to: &mut dyn Write) -> io::Result<()> {
    let Planned { steps, blast_radius, seed, .. } = plan;
    let shown = Shown { steps, blast_radius, seed: *seed };
    match format {
        ReportFormat::Json => write_structured(false, &shown, to),
        ReportFormat::Yaml => write_structured(true, &shown, to),
        ReportFormat::Table => {
            let text = format!("{steps}\n{blast_radius}");
            text.lines().try_for_each(|line| writeln!(to, "{}", printable(line)))
        }
    }
}

/// The report of a run.
pub(crate) fn write_run(format: ReportFormat, report: &RunReport, to: &mut dyn Write) -> io::Result<()> {
    match format {
        ReportFormat::Json => write_structured(false, report, to),
        ReportFormat::Yaml => write_structured(true, report, to),
        ReportFormat::Table => write_summary(report, to),
    }
}

fn write_summary(report: &RunReport, to: &mut dyn Write) -> io::Result<()> {
    let journal = &report.journal;
    let probes = |state: &Option<chaos_experiments::SteadyState>| {
        state.as_ref().map(|state| state.probes.clone()).unwrap_or_default()
    };
    let mut table = table(&["SECTION", "ACTIVITY", "RESULT", "TOOK"]);
    for (section, records) in [
        ("steady state before", probes(&journal.steady_states.before)),
        ("method", journal.run.clone()),
        ("steady state after", probes(&journal.steady_states.after)),
        ("rollbacks", journal.rollbacks.clone()),
    ] {
        for record in &records {
            table.add_row([
                section.to_owned(),
                printable(record.activity["name"].as_str().unwrap_or("?")).into_owned(),
                if is_left_out(report, record) { "left out" } else { result(record) }.to_owned(),
                record.duration.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1}s")),
            ]);
        }
    }
    write_table(&table, to)?;
    for record in journal.run.iter().chain(&journal.rollbacks) {
        if let (true, Some(note)) = (is_about_none(record), record.output["note"].as_str()) {
            let name = record.activity["name"].as_str().unwrap_or("?");
            writeln!(to, "note: {}: {}", printable(name), printable(note))?;
        }
        let outputs = record.output.as_array().map_or(std::slice::from_ref(&record.output), Vec::as_slice);
        for output in outputs {
            if let (Some(vm), Some(note)) = (output["vm"].as_str(), output["note"].as_str()) {
                writeln!(to, "note: {}: {}", printable(vm), printable(note))?;
            }
        }
    }
    for left_out in &report.not_rehearsed {
        writeln!(to, "not rehearsed: {} ({})", printable(&left_out.name), printable(&left_out.provider))?;
    }
    writeln!(to, "{}", printable(&conclusion(report)))
}

/// Whether a rehearsal left the activity out. The journal has no word for that and calls it a success.
fn is_left_out(report: &RunReport, record: &ActivityRecord) -> bool {
    report.not_rehearsed.iter().any(|left_out| record.activity["name"] == left_out.name.as_str())
}

/// Whether the activity did nothing, because there was no VM to do it to.
fn is_about_none(record: &ActivityRecord) -> bool {
    let is_empty = |value: &serde_json::Value| value.as_array().is_some_and(Vec::is_empty);
    is_empty(&record.activity["drawn"]["vms"]) && is_empty(&record.output["vms"])
}

fn result(record: &ActivityRecord) -> &'static str {
    if is_about_none(record) {
        return "nothing to do";
    }
    match (record.status, record.tolerance_met) {
        (Some(ActivityStatus::Failed), _) => "failed",
        (Some(ActivityStatus::Succeeded), Some(false)) => "not within its tolerance",
        (Some(ActivityStatus::Succeeded), Some(true)) => "as it should be",
        (Some(ActivityStatus::Succeeded), None) => "done",
        (None, _) => "cut short",
    }
}

fn conclusion(report: &RunReport) -> String {
    let back = match (report.touched, report.left_changed.len()) {
        (false, _) => "nothing was touched",
        (true, 0) => "everything is back as it was found",
        (true, _) => "NOT EVERYTHING IS BACK as it was found",
    };
    let back = match report.without_undo.as_slice() {
        [] => back.to_owned(),
        begun => {
            let names: Vec<&str> = begun.iter().map(|begun| begun.name.as_str()).collect();
            format!("{back}, beside what {} did, which has no undo", names.join(", "))
        }
    };
    match (&report.reason, report.verdict) {
        (Some(reason), verdict) => format!("{verdict}: {reason}; {back}"),
        (None, verdict @ Verdict::Completed) => {
            let probes = report.journal.steady_states.after.as_ref().map_or(&[][..], |after| &after.probes);
            let held = if probes.is_empty() {
                "no steady state was declared, so none was checked"
            } else if probes.iter().all(|probe| is_left_out(report, probe)) {
                "the steady state was left out of the rehearsal"
            } else {
                "the steady state held"
            };
            format!("{verdict}: {held}, {back}")
        }
        (None, verdict) => format!("{verdict}: {back}"),
    }
}
