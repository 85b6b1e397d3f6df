//! Text with wildcards, as it becomes a `LIKE` of the engine's database.

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Char(char),
    AnyChar,
    AnyText,
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    /// The pattern for a value of a search, in which `*` is the only wildcard and `%` and `_` stand for themselves. Where
    /// the comparison is negative, the engine forgets about `_`, which is then any one character.
    pub(super) fn new(value: &str, is_negative: bool) -> Self {
        let mut like = escape(value).replace('*', "%");
        if !is_negative {
            like = like.replace('_', "\\_");
        }
        Self(compile(&like))
    }

    /// The pattern for texts that hold one of this pattern.
    pub(super) fn anywhere(mut self) -> Self {
        self.0.insert(0, Piece::AnyText);
        self.0.push(Piece::AnyText);
        self
    }

    /// Whether the whole of `text` is of this pattern.
    pub(super) fn matches(&self, text: &str, case_sensitive: bool) -> bool {
        let text: Vec<char> = text.chars().collect();
        let same = |a: char, b: char| a == b || (!case_sensitive && a.to_lowercase().eq(b.to_lowercase()));
        let (mut piece, mut at) = (0, 0);
        // Where to go on when the rest does not fit: after the last wildcard, one character further on.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(piece) {
                Some(Piece::AnyText) => {
                    piece += 1;
                    retry = Some((piece, at));
                }
                Some(Piece::AnyChar) => (piece, at) = (piece + 1, at + 1),
                Some(Piece::Char(c)) if same(*c, text[at]) => (piece, at) = (piece + 1, at + 1),
                Some(Piece::Char(_)) | None => {
                    let Some((after, from)) = retry else { return false };
                    retry = Some((after, from + 1));
                    (piece, at) = (after, from + 1);
                }
            }
        }
        self.0[piece..].iter().all(|piece| *piece == Piece::AnyText)
    }
}

/// Puts the backslashes that the engine puts: before each `%` and `\`, unless the value looks as if it had one there
/// already. At the very beginning it does not look.
fn escape(value: &str) -> String {
    let chars: Vec<char> = value.chars().collect();
    let mut like = String::with_capacity(value.len());
    for (at, c) in chars.iter().enumerate() {
        let is_escaped = at > 0 && chars[at - 1] == '\\';
        let does_escape = at > 0 && matches!(chars.get(at + 1), Some('%' | '\\'));
        match c {
            '%' if !is_escaped => like.push_str("\\%"),
            '\\' if !is_escaped && !does_escape => like.push_str("\\\\"),
            c => like.push(*c),
        }
    }
    like
}

/// The pieces of a `LIKE`, in which a backslash makes the next character stand for itself.
fn compile(like: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(like.len());
    let mut chars = like.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '\\' => Piece::Char(chars.next().unwrap_or('\\')),
            '%' => Piece::AnyText,
            '_' => Piece::AnyChar,
            c => Piece::Char(c),
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(value: &str, text: &str) -> bool {
        Pattern::new(value, false).matches(text, false)
    }

    #[test]
    fn the_star_is_the_only_wildcard() {
        assert!(matches("web-*", "web-01") && matches("web-*", "WEB-") && matches("*", ""));
        assert!(matches("*a*b*", "xxaxxbxx") && !matches("*a*b*", "xxbxxaxx"));
        assert!(!matches("web-*", "a web-01") && !matches("web", "web-01") && !matches("", "web"));
        assert!(matches("a%b", "a%b") && !matches("a%b", "axb"));
        assert!(matches("a_b", "a_b") && !matches("a_b", "axb"));
        assert!(matches("a\\b", "a\\b") && !matches("a\\b", "ab"));
        assert!(matches("a?b", "a?b") && !matches("a?b", "axb"));
        assert!(matches("STRASSE-Ä", "strasse-ä"));
    }

    #[test]
    fn the_engine_forgets_the_underscore_where_it_says_not() {
        assert!(Pattern::new("a_b", true).matches("axb", false));
        assert!(!Pattern::new("a_b", true).matches("ab", false));
    }

    #[test]
    fn a_backslash_that_looks_like_an_escape_is_taken_as_one() {
        assert!(matches("a\\%b", "a%b") && !matches("a\\%b", "a\\%b"));
        assert!(matches("a\\\\b", "a\\b"));
        // Not at the beginning: there the percent sign is left alone, and stands for any text.
        assert!(matches("\\%b", "\\anything b"));
    }

    #[test]
    fn case_counts_on_demand() {
        assert!(Pattern::new("Web*", false).matches("Web-01", true));
        assert!(!Pattern::new("Web*", false).matches("web-01", true));
    }

    proptest! {
        #[test]
        fn a_text_without_special_characters_matches_itself_and_what_holds_it(
            text in "[a-zA-Z0-9 %_.ßé-]{0,12}", around in "[a-z%_]{0,4}"
        ) {
            prop_assert!(matches(&text, &text));
            let anywhere = Pattern::new(&text, false).anywhere();
            let longer = format!("{around}{text}{around}");
            prop_assert!(anywhere.matches(&longer, true));
        }

        #[test]
        fn nothing_panics(value in ".{0,20}", text in ".{0,20}", is_negative: bool, case_sensitive: bool) {
            Pattern::new(&value, is_negative).matches(&text, case_sensitive);
        }
    }
}
