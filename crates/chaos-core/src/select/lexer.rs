//! The text of a selector as words, quoted texts and parentheses, each with its place.

use super::selector_error::{SelectorError, shown};

/// One piece of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// A word without a colon: a keyword, a name or a number.
    Word(&'t str),
    /// A text in quotes, without them.
    Quoted(String),
    /// `prefix:value`, of which the value may be in quotes.
    Prefixed {
        prefix: &'t str,
        value: String,
        /// Where the value begins.
        value_at: usize,
    },
    /// Nothing more comes.
    End,
}

/// Reads one token after the other.
#[derive(Debug)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    /// Where the next token is looked for.
    at: usize,
}

/// Whether `c` ends a word, so that a text that holds it has to be in quotes.
pub(super) fn ends_a_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '"')
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token and the byte at which it begins.
    pub(super) fn next(&mut self) -> Result<(Token<'t>, usize), SelectorError> {
        let rest = self.text[self.at..].trim_start();
        let start = self.text.len() - rest.len();
        self.at = start;
        let token = match rest.chars().next() {
            None => Token::End,
            Some('(') => self.one(Token::Open),
            Some(')') => self.one(Token::Close),
            Some('"') => Token::Quoted(self.quoted()?),
            Some(_) => self.word()?,
        };
        Ok((token, start))
    }

    fn one(&mut self, token: Token<'t>) -> Token<'t> {
        self.at += 1;
        token
    }

    fn word(&mut self) -> Result<Token<'t>, SelectorError> {
        let rest = &self.text[self.at..];
        let word = &rest[..rest.find(ends_a_word).unwrap_or(rest.len())];
        let Some((prefix, value)) = word.split_once(':') else {
            self.at += word.len();
            return Ok(Token::Word(word));
        };
        let value_at = self.at + prefix.len() + 1;
        self.at += word.len();
        let value =
            if value.is_empty() && self.text[self.at..].starts_with('"') { self.quoted()? } else { value.to_owned() };
        Ok(Token::Prefixed { prefix, value, value_at })
    }

    /// A text in quotes, of which the first stands at `self.at`.
    fn quoted(&mut self) -> Result<String, SelectorError> {
        let start = self.at;
        let mut value = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + 1 + at + 1;
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    Some((_, other)) => {
                        let other = shown(&other.to_string());
                        let message = format!(
                            "`\\{other}` means nothing in quotes: write `\\\\{other}` for a backslash and `{other}`"
                        );
                        return Err(SelectorError::new(self.text, start + 1 + at, message));
                    }
                    None => break,
                },
                other => value.push(other),
            }
        }
        Err(SelectorError::new(self.text, start, "this quote is not closed: write `\"` at the end of the text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        loop {
            match lexer.next().unwrap().0 {
                Token::End => return tokens,
                token => tokens.push(token),
            }
        }
    }

    #[test]
    fn words_end_at_white_space_parentheses_and_quotes() {
        assert_eq!(
            tokens("not(a\u{a0}b)\"c d\"e"),
            [
                Token::Word("not"),
                Token::Open,
                Token::Word("a"),
                Token::Word("b"),
                Token::Close,
                Token::Quoted("c d".into()),
                Token::Word("e"),
            ]
        );
    }

    #[test]
    fn the_first_colon_ends_a_prefix_and_quotes_hide_it() {
        let prefixed = |prefix, value: &str, value_at| Token::Prefixed { prefix, value: value.into(), value_at };
        assert_eq!(tokens("re:a:b"), [prefixed("re", "a:b", 3)]);
        assert_eq!(tokens(r#"re:"a \"(b)\" \\d""#), [prefixed("re", r#"a "(b)" \d"#, 3)]);
        assert_eq!(tokens("re: a"), [prefixed("re", "", 3), Token::Word("a")]);
        assert_eq!(tokens("\"re:a\""), [Token::Quoted("re:a".into())]);
    }
}
