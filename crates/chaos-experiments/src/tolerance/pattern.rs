//! Regular expressions as Python's `re` has them, searched by `fancy-regex`.

use fancy_regex::{Error, Regex, RegexBuilder, RuntimeError};

use super::translate;

/// How often a search may go back and try otherwise: enough for a text of this many bytes at least.
const LEAST_EFFORT: usize = 1_000_000;
/// The same for each byte of a text: every place in it is tried.
const EFFORT_PER_BYTE: usize = 8;
/// The most that an expression may be compiled to.
const MOST_INSTRUCTIONS: usize = 1_000_000;

/// An expression that was compiled.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    written: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles an expression, or says why it is none.
    pub(super) fn new(written: &str) -> Result<Self, String> {
        let translated = translate::translate(written)?;
        let regex = compile(&translated, LEAST_EFFORT).map_err(|error| {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
        })?;
        Ok(Self { written: written.to_owned(), regex })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether the expression is found anywhere in a text.
    ///
    /// # Errors
    /// Why that cannot be told: the search takes too long.
    pub(super) fn is_found_in(&self, text: &str) -> Result<bool, String> {
        let effort = text.len().saturating_mul(EFFORT_PER_BYTE);
        let found = if effort <= LEAST_EFFORT {
            self.regex.is_match(text)
        } else {
            compile(self.regex.as_str(), effort).and_then(|regex| regex.is_match(text))
        };
        found.map_err(|error| match error {
            Error::RuntimeError(RuntimeError::BacktrackLimitExceeded | RuntimeError::StackOverflow) => {
                format!("`{}` takes too long to be searched: it can match in too many ways", self.written)
            }
            other => format!("`{}` cannot be searched: {other}", self.written),
        })
    }
}

fn compile(translated: &str, effort: usize) -> Result<Regex, Error> {
    RegexBuilder::new(translated).backtrack_limit(effort).max_prog_size(MOST_INSTRUCTIONS).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(pattern: &str, text: &str) -> bool {
        let pattern = Pattern::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        pattern.is_found_in(text).unwrap()
    }

    #[test]
    fn a_dollar_is_also_before_the_last_newline() {
        assert!(found("^ok$", "ok\n"));
        assert!(!found("^ok$", "ok\n\n"));
        assert!(!found(r"^ok\Z", "ok\n"));
        assert!(found("(?m)^ok$", "no\nok\nno"));
        assert!(found("(ok$|no)", "ok\n"));
        assert!(found("ok$\n", "ok\n"));
        assert!(found("[$]5", "$5"));
    }

    #[test]
    fn the_dialect_is_that_of_python() {
        for (pattern, text) in [
            (r"(?P<word>\w+) (?P=word)", "the the"),
            (r"(\w)\1", "aa"),
            (r"foo(?=bar)", "foobar"),
            (r"(?<!x)b", "ab"),
            (r"(?x) a b  # comment", "ab"),
            (r"[]a]", "]"),
            (r"[[]", "["),
            (r"[a&&b]", "&"),
            (r"x{,2}$", "xx"),
            (r"{", "{"),
            (r"a{b", "a{b"),
            (r"(a)?(?(1)b|c)", "c"),
            (r"\101", "A"),
            (r"(?i:É)", "é"),
        ] {
            assert!(found(pattern, text), "{pattern} in {text}");
        }
        for pattern in ["(?<n>a)", "a**", "*a", "(?<=a+)b", r"\z", r"\q", "a(?i)", "(", ")", "[", r"(?P<1>a)", r"\1"] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_search_without_end_is_ended() {
        let why = Pattern::new(r"^(?=a)(a|a)*\1b$").unwrap().is_found_in(&"a".repeat(60)).unwrap_err();
        assert!(why.contains("takes too long"), "{why}");
        assert!(found(r"\bend\b", &format!("{}end", "no ".repeat(1_000_000))));
    }

    #[test]
    fn no_pattern_takes_the_stack_or_all_memory() {
        for pattern in
            ["(".repeat(100_000), "(?:".repeat(100_000), "(a{1000}){1000}".to_owned(), "a{4294967294}".to_owned()]
        {
            assert!(Pattern::new(&pattern).is_err());
        }
        let _ = Pattern::new("(?:(?=a)a){4294967294}");
        let _ = Pattern::new(&"a?".repeat(20_000));
    }

    proptest! {
        #[test]
        fn any_text_is_an_expression_or_refused(
            pattern in r"(\(\?[:=!>imsx]|\(\?<[=!]|\(\?P<a>|\(\?P=a\)|\(\?\(1\)|[()|*+?{}\[\]^$.,\\0-9abdwsZAuxN-]|é){0,16}",
            text in "[ab1 \n]{0,10}",
        ) {
            if let Ok(pattern) = Pattern::new(&pattern) {
                let _ = pattern.is_found_in(&text);
            }
        }
    }
}
