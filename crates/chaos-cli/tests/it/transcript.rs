//! A session at a terminal, written down: each command, what it printed, and how it ended.

use std::fmt::Write as _;
use std::path::Path;

use regex::Regex;
use snapbox::{Assert, Data, Redactions};

use crate::program::{Program, Run};

/// A session, written down as it goes on.
pub(crate) struct Transcript {
    name: &'static str,
    text: String,
}

impl Transcript {
    pub(crate) fn of(name: &'static str) -> Self {
        Self { name, text: String::new() }
    }

    /// Runs a command and writes it down.
    pub(crate) fn run(&mut self, program: &Program, args: &[&str]) {
        let Run { code, stdout, stderr } = program.run(args);
        let words: Vec<String> = args.iter().map(|word| quoted(word)).collect();
        writeln!(self.text, "$ chaosmonkey {}", words.join(" ")).expect("a text grows");
        self.text.push_str(&stdout);
        stderr.lines().for_each(|line| writeln!(self.text, "[stderr] {line}").expect("a text grows"));
        writeln!(self.text, "[exit {}]\n", code.unwrap_or(-1)).expect("a text grows");
    }

    /// A line for whoever reads it.
    pub(crate) fn note(&mut self, text: &str) {
        writeln!(self.text, "# {text}").expect("a text grows");
    }

    /// Compares it with the one that is kept in `tests/it/transcripts`; `SNAPSHOTS=overwrite` writes that anew.
    #[track_caller]
    pub(crate) fn check(self) {
        let mut redactions = Redactions::new();
        let patterns = [
            ("[PORT]", r"127\.0\.0\.1:(?<redacted>[0-9]{2,5})"),
            ("[TIME]", r"(?<redacted>20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:.]+(?:Z|\+[0-9:]{5}))"),
            ("[WHY]", r"(?m)has no address: (?<redacted>.*)$"),
            ("[TOOK]", r"(?:answers in|, in|attempts in) (?<redacted>[0-9.]+) m?s"),
            ("[SECONDS]", r"(?m) (?<redacted>[0-9.]+s)$"),
            ("[SKEW]", r"(?m)clock is (?<redacted>.*)$"),
            ("[THUMBPRINT]", r"(?<redacted>(?:[0-9A-F]{2}:){31}[0-9A-F]{2})"),
            ("[DIR]", r"(?<redacted>/[^ :]*/\.tmp[A-Za-z0-9]+)"),
        ];
        for (name, pattern) in patterns {
            redactions.insert(name, Regex::new(pattern).expect("a pattern")).expect("a name");
        }
        let kept =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts").join(format!("{}.txt", self.name));
        let text = redactions.redact(&self.text);
        Assert::new().action_env("SNAPSHOTS").eq(text, Data::read_from(&kept, None).raw());
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{word}'") }
}
