//! Texts of the table in the forms that the pages need.

use chaos_orchestrator::{Form, Key};

/// The width of a line in an example.
pub(super) const WIDTH: usize = 118;

/// A text as comment lines, each of which begins with `indent` and `# `.
pub(super) fn comment(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let room = WIDTH.saturating_sub(indent.len() + 2);
    let mut line = String::new();
    let mut end = |line: &mut String| {
        lines.push_str(indent);
        lines.push_str("# ");
        lines.push_str(line);
        lines.push('\n');
        line.clear();
    };
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            end(&mut line);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    end(&mut line);
    lines
}

/// What `about` says of a key, its form where that is not plain to see, and what holds if nobody gives it.
pub(super) fn meaning(key: &Key, about: &str) -> String {
    let form = match key.form {
        Form::Choice(words) => format!(" One of {}.", words.join(", ")),
        Form::Seconds => " In seconds.".to_owned(),
        _ => String::new(),
    };
    let default = key.default.map(|default| format!(" Default: {default}.")).unwrap_or_default();
    format!("{about}{form}{default}")
}

/// The first sentence of a text.
pub(super) fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_broken_between_words_and_nowhere_else() {
        let text = "word ".repeat(60);
        let lines = comment(&text, "    ");
        assert!(lines.lines().count() > 2 && lines.lines().all(|line| line.len() <= WIDTH), "{lines}");
        assert_eq!(lines.matches("word").count(), 60);
        assert!(lines.lines().all(|line| line.starts_with("    # word") && line.ends_with("word")), "{lines}");
    }
}
