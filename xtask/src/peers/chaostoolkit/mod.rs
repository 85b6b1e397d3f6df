//! Chaos Toolkit: each experiment of our corpus, run by its `chaos` and by our `chaosmonkey`, must end with the same exit code
//! and the same journal.

mod case;
mod compare;
mod deliberate;
mod json;
mod server;
mod side;
mod templates;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use self::case::Case;
use self::deliberate::Deliberate;
use self::json::Json;
use self::side::Side;
use super::Verdicts;
use crate::say;
use crate::workspace::Workspace;

/// Cases at a time: each starts one program after the other, and most of them wait.
const WORKERS: usize = 2;
/// In place of a case: whether the reference accepts the built-in experiments.
const TEMPLATES: &str = "templates";
/// Differences of one case that are shown.
const SHOWN: usize = 5;

/// Runs the corpus, or those of its cases whose names begin with one of `names`, or that cover such an item.
///
/// Without a program of ours the reference is put on both sides, which shows whether the comparison itself is sound.
pub(super) fn run(
    workspace: &Workspace,
    ours: Option<&Path>,
    reference: &Path,
    names: &[String],
    verdicts: &mut Verdicts,
) -> Result<()> {
    let corpus = workspace.root().join("xtask/peers/chaostoolkit");
    let all = case::load(&corpus)?;
    let deliberate = deliberate::load(&corpus, &all)?;
    let asked = |case: &Case, name: &str| case.name.starts_with(name) || case.covers.iter().any(|item| item == name);
    let chosen = |case: &&Case| names.is_empty() || names.iter().any(|name| asked(case, name));
    let cases: Vec<&Case> = all.iter().filter(chosen).collect();
    let with_templates = names.is_empty() || names.iter().any(|name| name == TEMPLATES);
    if let Some(ours) = ours.filter(|_| with_templates) {
        templates::run(workspace, ours, reference, verdicts)?;
        if cases.is_empty() {
            return Ok(());
        }
    }
    ensure!(!cases.is_empty(), "the corpus has no such case");
    let side = |program: &Path| Side {
        program: program.to_owned(),
        commands: reference.join("bin"),
        modules: corpus.join("modules"),
    };
    let chaos = reference.join("bin/chaos");
    let suite = Suite {
        reference: side(&chaos),
        ours: side(ours.unwrap_or(&chaos)),
        deliberate: if ours.is_some() { deliberate } else { Vec::new() },
        scratch: workspace.scratch("xtask/chaostoolkit")?,
    };
    let (mut equal, mut different) = (0_usize, 0_usize);
    suite.each(&cases, |case, result| {
        if let Ok(found) = &result {
            equal += usize::from(found.deliberate == 0);
            different += usize::from(found.deliberate > 0);
        }
        verdicts.check(format_args!("chaostoolkit {}", case.name), &result.map(|found| found.to_string()));
    });
    say::line(format_args!(
        "chaostoolkit: {} experiments, {equal} equal, {different} with deliberate differences",
        cases.len()
    ));
    Ok(())
}

/// Both sides, and what may differ.
#[derive(Debug)]
struct Suite {
    reference: Side,
    ours: Side,
    deliberate: Vec<Deliberate>,
    scratch: PathBuf,
}

/// Two outcomes that are the same.
#[derive(Debug)]
struct Same {
    fields: usize,
    deliberate: usize,
}

impl std::fmt::Display for Same {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} fields", self.fields)?;
        match self.deliberate {
            0 => Ok(()),
            1 => f.write_str(", one of them different on purpose"),
            more => write!(f, ", {more} of them different on purpose"),
        }
    }
}

impl Suite {
    /// Runs the cases, some at a time, and tells each as it ends.
    fn each(&self, cases: &[&Case], mut told: impl FnMut(&Case, Result<Same>)) {
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            let (sender, results) = mpsc::channel();
            for _ in 0..WORKERS {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if sender.send((*case, self.one(case))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (case, result) in results {
                told(case, result);
            }
        });
    }

    fn one(&self, case: &Case) -> Result<Same> {
        let directory = self.scratch.join(&case.name);
        let theirs = self.reference.run(case, &directory.join("reference")).context("the reference")?;
        let mine = self.ours.run(case, &directory.join("ours")).context("ours")?;
        in_time(case, theirs.journal.as_deref()).context("the reference")?;
        in_time(case, mine.journal.as_deref()).context("ours")?;
        let mut reference = compare::normal(&theirs).context("the reference")?;
        let mut ours = compare::normal(&mine).context("ours")?;
        known(case, &reference).context("the reference is not as the corpus has it")?;
        let fields = reference.fields();
        let mut deliberate = 0;
        for entry in self.deliberate.iter().filter(|entry| entry.is_of(&case.name)) {
            deliberate += entry.apply(&mut reference, &mut ours)?;
        }
        let differences = compare::differences(&reference, &ours);
        if !differences.is_empty() {
            let shown: Vec<String> = differences.iter().take(SHOWN).map(ToString::to_string).collect();
            bail!("{} differences: {}; see {}", differences.len(), shown.join("; "), directory.display());
        }
        // What both sides wrote is of use only while they differ.
        std::fs::remove_dir_all(&directory).with_context(|| format!("cannot remove {}", directory.display()))?;
        Ok(Same { fields, deliberate })
    }
}

/// The reference does what the corpus says that it does.
fn known(case: &Case, outcome: &Json) -> Result<()> {
    let exit = case.known.exit.to_string();
    let status = case.known.status.as_ref().map(Json::text);
    let details = case.known.shows.iter().map(|(place, value)| (place.as_str(), value.clone()));
    let expected = [
        ("/exit", Some(Json::Integer(exit))),
        ("/stdout", Some(Json::text(""))),
        ("/said", Some(Json::List(case.says.iter().map(Json::text).collect()))),
        ("/journal/status", status),
    ];
    for (place, expected) in expected.into_iter().chain(details) {
        let found = outcome.at(place).cloned();
        if found.as_ref().zip(expected.as_ref()).is_none_or(|(found, expected)| !expected.is_part_of(found))
            && (found.is_some() || expected.is_some())
        {
            let shown = |value: Option<Json>| value.map_or("nothing".to_owned(), |value| value.brief());
            bail!("{place} is {}, not {}", shown(found), shown(expected));
        }
    }
    Ok(())
}

/// The journal's duration is within the bounds of a case that has some.
fn in_time(case: &Case, journal: Option<&str>) -> Result<()> {
    let Some([least, most]) = case.seconds else { return Ok(()) };
    let journal = Json::parse(journal.context("there is no journal")?)?;
    let Some(Json::Float(seconds)) = journal.at("/duration") else { bail!("the journal has no duration") };
    ensure!((least..=most).contains(seconds), "it took {seconds} s instead of {least} to {most}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::case;
    use super::deliberate;
    use super::side::Side;
    use super::{Same, Suite};

    /// A corpus of one case and two programs, each a script, in a directory that goes with this.
    struct World(PathBuf);

    impl Drop for World {
        fn drop(&mut self) {
            // What is left in the way of the next run is removed by it.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    impl World {
        fn new(name: &str) -> Self {
            let world = Self(std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id())));
            let area = world.0.join("corpus/area");
            fs::create_dir_all(&area).unwrap();
            fs::write(area.join("it.json"), r#"{"title": "t"}"#).unwrap();
            let table = "[[case]]\nname = 'it'\ncovers = ['X-01']\nexit = 0\nstatus = 'completed'\n";
            fs::write(area.join("cases.toml"), table).unwrap();
            world
        }

        fn side(&self, name: &str, status: &str, exit: u8) -> Side {
            let program = self.0.join(name);
            fs::write(
                &program,
                format!("#!/bin/sh\necho '{{\"status\": \"{status}\"}}' > journal.json\nexit {exit}\n"),
            )
            .unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            Side { program, commands: PathBuf::from("/bin"), modules: PathBuf::from("/") }
        }

        fn compared(&self, reference: Side, ours: Side, differences: &str) -> Result<Same, String> {
            let corpus = self.0.join("corpus");
            fs::write(corpus.join("differences.toml"), differences).unwrap();
            let cases = case::load(&corpus).unwrap();
            let deliberate = deliberate::load(&corpus, &cases).unwrap();
            let suite = Suite { reference, ours, deliberate, scratch: self.0.join("scratch") };
            let mut results = Vec::new();
            suite.each(&cases.iter().collect::<Vec<_>>(), |_, result| results.push(result));
            assert_eq!(results.len(), 1);
            results.remove(0).map_err(|error| format!("{error:#}"))
        }
    }

    #[test]
    fn what_is_equal_differs_and_is_meant_to_differ_is_told_apart() {
        let world = World::new("compared");
        let good = || world.side("good", "completed", 0);
        let bad = || world.side("bad", "failed", 1);
        assert_eq!(world.compared(good(), good(), "").unwrap().deliberate, 0);
        let error = world.compared(good(), bad(), "").unwrap_err();
        assert!(error.starts_with("2 differences: /exit: 1, the reference has 0; /journal/status"), "{error}");
        let both = "[[difference]]\ncases = ['it']\nitems = ['X-01']\nreason = 'r'\n\
                    ours = { '/exit' = '1', '/journal/status' = 'any' }\n";
        assert_eq!(world.compared(good(), bad(), both).unwrap().deliberate, 2);
        assert!(world.compared(good(), good(), both).unwrap_err().contains("is not needed"));
        let error = world.compared(bad(), good(), "").unwrap_err();
        assert_eq!(error, "the reference is not as the corpus has it: /exit is 1, not 0");
    }
}
