//! Reads a `.env` file by the rules of python-dotenv, which the users of the Python tool have theirs written by.
//!
//! A line is `NAME=value`, with `export` before it if need be. A value without quotes goes to the end of the line or to ` #`;
//! one in single quotes is what it is; in double quotes `\n`, `\"` and the like mean what they mean everywhere. Quotes may
//! hold line breaks. `${NAME}` outside of single quotes is replaced, and `$NAME` is not. Of a variable given twice the last
//! counts.

use secrecy::{ExposeSecret, SecretString};

/// A variable that a file sets.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: SecretString,
    /// The line, from 1.
    pub(super) line: usize,
}

/// A value that is not what it looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// The variable.
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) reason: &'static str,
}

/// The variables of a file and what is broken in it. `known` gives the variables that go before those of the file.
pub(super) fn parse(text: &str, known: impl Fn(&str) -> Option<SecretString>) -> (Vec<Variable>, Vec<Broken>) {
    let mut variables: Vec<Variable> = Vec::new();
    let mut broken = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let (value, used) = match head(rest) {
            None => (None, end_of_line(rest)),
            Some((name, at)) => match value(&rest[at..]) {
                Ok((value, length)) => (Some((name, Ok(value))), at + length),
                Err(reason) => (Some((name, Err(reason))), end_of_line(rest)),
            },
        };
        match value {
            None => {}
            Some((name, Err(reason))) => broken.push(Broken { name: name.to_owned(), line, reason }),
            Some((name, Ok(value))) => {
                let lookup = |name: &str| {
                    let earlier =
                        || variables.iter().rev().find(|there| there.name == name).map(|there| there.value.clone());
                    known(name).or_else(earlier)
                };
                let value = if value.is_literal { value.text } else { replaced(&value.text, lookup) };
                variables.push(Variable { name: name.to_owned(), value: SecretString::from(value), line });
            }
        }
        line += rest[..used].matches('\n').count();
        rest = &rest[used..];
    }
    (variables, broken)
}

/// The end of the line, with its break.
fn end_of_line(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

/// The name that a line sets, and where its value begins.
fn head(text: &str) -> Option<(&str, usize)> {
    let line = &text[..end_of_line(text)];
    let (before, _) = line.split_once('=')?;
    let name = before.trim();
    let name = name.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace)).unwrap_or(name).trim();
    let is_name =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-');
    is_name.then_some((name, before.len() + 1))
}

/// A value as it is written.
struct Value {
    text: String,
    /// Whether nothing in it is replaced.
    is_literal: bool,
}

/// The value at the beginning of `text`, and how much of it that takes, the line break included.
fn value(text: &str) -> Result<(Value, usize), &'static str> {
    let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
    let inner = &text[blanks..];
    let Some(quote) = inner.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        let line = &text[..end_of_line(text)];
        let comment = line.match_indices('#').find(|(at, _)| line[..*at].ends_with([' ', '\t'])).map(|(at, _)| at);
        let value = line[..comment.unwrap_or(line.len())].trim();
        return Ok((Value { text: value.to_owned(), is_literal: false }, line.len()));
    };
    let mut value = String::new();
    let mut characters = inner.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        if c == quote {
            let after = &inner[at + 1..];
            let line = &after[..end_of_line(after)];
            let tail = line.trim();
            if !tail.is_empty() && !tail.starts_with('#') {
                return Err("there is more after the closing quote: put the whole value in quotes");
            }
            return Ok((Value { text: value, is_literal: quote == '\'' }, blanks + at + 1 + line.len()));
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        match (characters.next().map(|(_, c)| c), quote) {
            (Some(c @ ('\\' | '\'')), '\'') | (Some(c @ ('\\' | '\'' | '"')), _) => value.push(c),
            (Some('n'), '"') => value.push('\n'),
            (Some('r'), '"') => value.push('\r'),
            (Some('t'), '"') => value.push('\t'),
            (Some(c), _) => value.extend(['\\', c]),
            (None, _) => break,
        }
    }
    Err("the quote at its beginning is not closed")
}

/// `${NAME}` and `${NAME:-default}` replaced.
fn replaced(text: &str, known: impl Fn(&str) -> Option<SecretString>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let Some(length) = rest[at..].find('}') else { break };
        let (name, default) = match rest[at + 2..at + length].split_once(":-") {
            Some((name, default)) => (name, default),
            None => (&rest[at + 2..at + length], ""),
        };
        out.push_str(&rest[..at]);
        match known(name) {
            Some(value) => out.push_str(value.expose_secret()),
            None => out.push_str(default),
        }
        rest = &rest[at + length + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let known = |name: &str| (name == "HOME").then(|| SecretString::from("/home/ann"));
        let (variables, _) = parse(text, known);
        let shown =
            |variable: &Variable| format!("{}@{}={}", variable.name, variable.line, variable.value.expose_secret());
        variables.iter().map(shown).collect()
    }

    /// Each as python-dotenv 1.1 reads it, but that single quotes keep `${…}` here.
    #[test]
    fn values_are_what_they_are_for_python() {
        for (line, value) in [
            ("A=b", "b"),
            ("export A = b ", "b"),
            ("A=", ""),
            ("A=p@ss word", "p@ss word"),
            ("A=CORP\\chaos", "CORP\\chaos"),
            ("A=pa$word", "pa$word"),
            ("A=pa#word # comment", "pa#word"),
            ("A=it's", "it's"),
            ("A='p$a#s \"s' # comment", "p$a#s \"s"),
            ("A='it\\'s'", "it's"),
            ("A=\"a\\nb\\\"c\"", "a\nb\"c"),
            ("A=\"a\\b\"", "a\\b"),
            ("A=\"two\nlines\"", "two\nlines"),
            ("A=${HOME}/x", "/home/ann/x"),
            ("A=\"${NONE:-b}${NONE}\"", "b"),
            ("A='${HOME}'", "${HOME}"),
            ("A=b=c", "b=c"),
            ("\u{feff}A=b\r", "b"),
            ("A=ü", "ü"),
        ] {
            assert_eq!(read(line), [format!("A@1={value}")], "{line:?}");
        }
    }

    #[test]
    fn lines_that_set_nothing_are_passed_over_and_lines_are_counted() {
        let text = "# first\n\nTHIS IS NOT A LINE\nA='x\ny'\nB=${A}\n  C = 1\nB=2";
        assert_eq!(read(text), ["A@4=x\ny", "B@6=x\ny", "C@7=1", "B@8=2"]);
    }

    #[test]
    fn what_is_broken_is_told_by_name_and_line_and_the_rest_counts() {
        let (variables, broken) = parse("A='x\nB=1\nC='a'b\nD=2\n", |_| None);
        let names: Vec<_> = variables.iter().map(|variable| variable.name.as_str()).collect();
        // The quote of A is closed by the first one of C.
        assert!(names.ends_with(&["D"]), "{names:?}");
        assert_eq!(broken[0].name, "A");
        let (variables, broken) = parse("A='x\nB=1\n", |_| None);
        assert_eq!((variables[0].name.as_str(), broken[0].line), ("B", 1));
    }
}
