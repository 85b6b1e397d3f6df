//! Long fuzzing of every target in fuzz/, with what it ran and what it reached.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{ci, say, shell};

/// Bytes of an input, seconds and MiB that one may take; and the figures at the end.
const LIMITS: [&str; 4] = ["-max_len=16384", "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"];

/// What libFuzzer says at its end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    executions: u64,
    coverage: u64,
    features: u64,
}

/// Fuzzes each target; one without a finding is one check that held.
pub(super) fn run(workspace: &Workspace, options: &super::Options) -> Result<Tally> {
    let tools = workspace.scratch("tools")?;
    let program = ci::installed(workspace, &tools, "cargo-fuzz")?;
    let fuzz = |verb: &str| {
        let mut command = Command::new(&program);
        // Sanitizers need a nightly compiler, whatever toolchain runs us.
        command.env("RUSTUP_TOOLCHAIN", "nightly").env_remove("CARGO").env_remove("RUSTC").args(["fuzz", verb]);
        command.current_dir(workspace.root());
        command
    };
    let targets: Vec<String> = match &options.target {
        Some(target) => vec![target.clone()],
        None => shell::capture(&mut fuzz("list"), Duration::from_mins(5))?
            .lines()
            .map(|line| line.trim().to_owned())
            .collect(),
    };
    if targets.is_empty() {
        bail!("there is no fuzz target in fuzz/");
    }

    let mut tally = Tally::default();
    let mut summary = Vec::new();
    for target in &targets {
        say::heading(format_args!("fuzz {target} for {} min", options.minutes));
        let mut command = fuzz("run");
        command.args(arguments(workspace, target, options.minutes)?);
        let mut figures = Figures::default();
        // Building comes on top of the time for fuzzing.
        let limit = Duration::from_mins(options.minutes + 60);
        let status = shell::stream(&mut command, limit, |line| figures.read(line))
            .with_context(|| format!("fuzzing {target}"))?;
        tally += Tally::check(status.success());
        summary.push(format!(
            "{} fuzz {target}: {} executions, {} edges and {} features covered",
            if status.success() { "ok" } else { "not ok" },
            figures.executions,
            figures.coverage,
            figures.features,
        ));
    }
    say::line("");
    summary.iter().for_each(say::line);
    Ok(tally)
}

/// The target, what to start from, and the limits beyond which an input counts as a finding.
fn arguments(workspace: &Workspace, target: &str, minutes: u64) -> Result<Vec<OsString>> {
    let fuzz = workspace.root().join("fuzz");
    let mut arguments: Vec<OsString> = Vec::new();
    // The parser holds no unsafe code, which is what an address sanitizer would watch.
    arguments.extend(["--sanitizer".into(), "none".into(), "--target-dir".into()]);
    arguments.extend([workspace.target().join("fuzz").into(), target.into()]);
    // What the fuzzer finds worth keeping goes into the first directory; the seeds stay as they are.
    arguments.push(workspace.scratch(&format!("soak/corpus/{target}"))?.into());
    let seeds = fuzz.join("seeds").join(target);
    if seeds.is_dir() {
        arguments.push(seeds.into());
    }
    let findings = workspace.scratch(&format!("soak/findings/{target}"))?;
    arguments.extend(["--".into(), format!("-max_total_time={}", minutes * 60).into()]);
    arguments.push(format!("-artifact_prefix={}/", findings.display()).into());
    // A dictionary serves all targets of a protocol: it is named by their common prefix.
    let dictionary = fuzz.join(target.split('_').next().unwrap_or(target)).with_extension("dict");
    if dictionary.is_file() {
        arguments.push(format!("-dict={}", dictionary.display()).into());
    }
    arguments.extend(LIMITS.map(Into::into));
    Ok(arguments)
}

impl Figures {
    /// `#1024 NEW cov: 120 ft: 300 corp: …` and `stat::number_of_executed_units: 5000`.
    fn read(&mut self, line: &str) {
        if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = number.trim().parse().unwrap_or(self.executions);
        }
        if line.starts_with('#') {
            self.coverage = self.coverage.max(after(line, "cov: "));
            self.features = self.features.max(after(line, "ft: "));
        }
    }
}

fn after(line: &str, key: &str) -> u64 {
    let number = line.split_once(key).and_then(|(_, rest)| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Figures;

    #[test]
    fn the_fuzzers_own_figures_are_read() {
        let mut figures = Figures::default();
        let output = "INFO: seed corpus: files: 3\n\
                      #2\tINITED cov: 118 ft: 119 corp: 1/1b exec/s: 0 rss: 43Mb\n\
                      #131072\tpulse  cov: 240 ft: 401 corp: 30/1Kb lim: 1290 exec/s: 65536 rss: 90Mb\n\
                      stat::number_of_executed_units: 200313";
        output.lines().for_each(|line| figures.read(line));
        assert_eq!(figures, Figures { executions: 200_313, coverage: 240, features: 401 });
    }
}
