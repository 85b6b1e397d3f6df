//! Counting of results over runners that each report in their own words.

use std::fmt;
use std::ops::AddAssign;

/// How many tests or checks passed, failed and were skipped.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Ran and held.
    pub(crate) passed: u64,
    /// Ran and did not hold, timed out, or could not be run at all.
    pub(crate) failed: u64,
    /// Left out on purpose.
    pub(crate) skipped: u64,
}

/// Whose words a runner's output is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// `cargo nextest`: one summary line on stderr.
    Nextest,
    /// `cargo test`, doctests included: one `test result:` line per binary.
    Libtest,
    /// Our own scripts: a line `ok NAME`, `not ok NAME` or `skip NAME` per check.
    Lines,
    /// A tool that only succeeds or fails: it counts as one check.
    Check,
}

impl Tally {
    /// One check that held, or did not.
    pub(crate) fn check(held: bool) -> Self {
        Self { passed: u64::from(held), failed: u64::from(!held), skipped: 0 }
    }

    /// One check that was left out.
    pub(crate) fn skip() -> Self {
        Self { skipped: 1, ..Self::default() }
    }

    /// Adds what one line of a runner's output says, which is nothing for most lines.
    pub(crate) fn read(&mut self, runner: Runner, line: &str) {
        *self += match runner {
            Runner::Nextest => nextest(line),
            Runner::Libtest => libtest(line),
            Runner::Lines => lines(line),
            Runner::Check => Self::default(),
        };
    }

    /// Brings the count in line with the runner's exit: a failure that no line told counts as one.
    pub(crate) fn close(mut self, runner: Runner, succeeded: bool) -> Self {
        if runner == Runner::Check {
            self.passed += u64::from(succeeded);
        }
        if !succeeded && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// `     Summary [   0.5s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 3 skipped`
fn nextest(line: &str) -> Tally {
    let line = line.trim_start();
    let Some((_, counts)) =
        line.strip_prefix("Summary [").and_then(|rest| rest.split_once(" run: ").or_else(|| rest.split_once("] ")))
    else {
        return Tally::default();
    };
    counts_of(&without_parentheses(counts), ',')
}

/// `test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s`
fn libtest(line: &str) -> Tally {
    let Some((_, counts)) = line.trim_start().strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
    else {
        return Tally::default();
    };
    counts_of(counts, ';')
}

fn lines(line: &str) -> Tally {
    if line.starts_with("ok ") {
        Tally::check(true)
    } else if line.starts_with("not ok ") {
        Tally::check(false)
    } else if line.starts_with("skip ") {
        Tally::skip()
    } else {
        Tally::default()
    }
}

fn counts_of(text: &str, separator: char) -> Tally {
    let mut tally = Tally::default();
    for part in text.split(separator) {
        let Some((number, what)) = part.trim().split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match what.trim() {
            "passed" => tally.passed += number,
            "failed" | "exec failed" | "timed out" => tally.failed += number,
            "skipped" | "ignored" => tally.skipped += number,
            _ => {}
        }
    }
    tally
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|&c| {
            depth += u32::from(c == '(');
            let keep = depth == 0;
            depth -= u32::from(c == ')' && depth > 0);
            keep
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Runner, Tally};

    fn read(runner: Runner, output: &str) -> (u64, u64, u64) {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(runner, line));
        (tally.passed, tally.failed, tally.skipped)
    }

    #[test]
    fn nextest_summary_counts_timeouts_as_failures_and_ignores_remarks() {
        let output = "     Summary [   0.512s] 12 tests run: 9 passed (1 slow, 2 flaky), 2 failed, 1 timed out, 3 skipped\n        FAIL [   0.1s] chaos-core::it 7 passed";
        assert_eq!(read(Runner::Nextest, output), (9, 3, 3));
    }

    #[test]
    fn nextest_without_a_test_counts_nothing() {
        assert_eq!(read(Runner::Nextest, "     Summary [   0.000s] 0 tests run: 0 passed, 0 skipped"), (0, 0, 0));
    }

    #[test]
    fn libtest_sums_over_binaries() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                      test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s";
        assert_eq!(read(Runner::Libtest, output), (4, 2, 1));
    }

    #[test]
    fn our_own_lines_are_counted_by_their_first_words_only() {
        assert_eq!(read(Runner::Lines, "ok login\nnot ok power off: still on\nskip paging\nall ok here"), (1, 1, 1));
    }

    #[test]
    fn a_failure_that_no_line_tells_counts_as_one() {
        assert_eq!(Tally::default().close(Runner::Nextest, false), Tally::check(false));
        let told = Tally { passed: 4, failed: 2, skipped: 0 };
        assert_eq!(told.close(Runner::Libtest, false), told);
    }

    #[test]
    fn a_plain_tool_is_one_check() {
        assert_eq!(Tally::default().close(Runner::Check, true), Tally::check(true));
        assert_eq!(Tally::default().close(Runner::Check, false), Tally::check(false));
    }
}
