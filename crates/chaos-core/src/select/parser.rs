//! From the text of a selector to its filter and its choice.

use crate::error::ErrorKind;
use crate::nearest::nearest;
use crate::select::atom::{Atom, Field, PREFIXES};
use crate::select::choice_parser;
use crate::select::filter::{Filter, Node};
use crate::select::lexer::{Lexer, Token};
use crate::select::pattern::{NamePattern, TargetPattern};
use crate::select::selection::Selection;
use crate::select::selector_error::{SelectorError, shown};
use crate::vm::{ToolsStatus, VMPowerState};

/// How many bytes a selector may have, as it is written and in its canonical form.
const MAX_LENGTH: usize = 16 * 1024;
/// How many parentheses and `not` may stand within one another.
const MAX_DEPTH: usize = 64;
/// How many regular expressions a selector may hold, each of which may take a megabyte.
const MAX_EXPRESSIONS: usize = 64;

pub(super) fn filter(text: &str) -> Result<Filter, SelectorError> {
    let mut parser = Parser::new(text)?;
    let root = parser.whole()?;
    if parser.is_word("take") {
        return Err(parser.error_here("`take` has no place here: only VMs are described, none are taken"));
    }
    parser.end("`and` or `or`")?;
    let filter = Filter { root };
    parser.check_canonical(&filter)?;
    Ok(filter)
}

pub(super) fn selection(text: &str) -> Result<Selection, SelectorError> {
    let mut parser = Parser::new(text)?;
    let filter = Filter { root: parser.whole()? };
    let mut choice = None;
    if parser.is_word("take") {
        parser.advance()?;
        choice = Some(choice_parser::choice(&mut parser)?);
    } else {
        parser.end("`and`, `or` or `take`")?;
    }
    let selection = Selection { filter, choice };
    parser.check_canonical(&selection)?;
    Ok(selection)
}

/// What is left to read, and the token that comes next.
#[derive(Debug)]
pub(super) struct Parser<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    pub(super) token: Token<'t>,
    /// Where that token begins.
    pub(super) at: usize,
    depth: usize,
    expressions: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, SelectorError> {
        if text.len() > MAX_LENGTH {
            let message = format!("a selector has at most {MAX_LENGTH} bytes, and this one {}", text.len());
            return Err(SelectorError::new(text, MAX_LENGTH, message));
        }
        let mut parser = Self { text, lexer: Lexer::new(text), token: Token::End, at: 0, depth: 0, expressions: 0 };
        parser.advance()?;
        Ok(parser)
    }

    pub(super) fn advance(&mut self) -> Result<Token<'t>, SelectorError> {
        let (token, at) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.token == Token::Word(word)
    }

    pub(super) fn error(&self, at: usize, message: impl Into<String>) -> SelectorError {
        SelectorError::new(self.text, at, message)
    }

    pub(super) fn error_here(&self, message: impl Into<String>) -> SelectorError {
        self.error(self.at, message)
    }

    /// The token that comes next, for a message.
    pub(super) fn found(&self) -> String {
        match &self.token {
            Token::Open => "`(`".to_owned(),
            Token::Close => "`)`".to_owned(),
            Token::Word(word) => format!("`{}`", shown(word)),
            Token::Quoted(text) => format!("the text `{}`", shown(text)),
            Token::Prefixed { prefix, .. } => format!("`{}:`", shown(prefix)),
            Token::End => "the end".to_owned(),
        }
    }

    /// A canonical text that is too long could not be read again.
    fn check_canonical(&self, canonical: &impl ToString) -> Result<(), SelectorError> {
        // It is never four times as long as what was written.
        if self.text.len() > MAX_LENGTH / 4 && canonical.to_string().len() > MAX_LENGTH {
            let message =
                format!("a selector has at most {MAX_LENGTH} bytes, and this one has more when it is spelt out");
            return Err(self.error(self.text.len(), message));
        }
        Ok(())
    }

    /// A filter that the text begins with.
    fn whole(&mut self) -> Result<Node, SelectorError> {
        match self.token {
            Token::End => Err(self.error_here("an empty selector selects nothing: `all` means every VM")),
            Token::Word("take") => {
                Err(self.error_here("a filter has to stand before `take`: `all take …` takes of every VM"))
            }
            _ => self.or(),
        }
    }

    /// That nothing more comes.
    fn end(&self, expected: &str) -> Result<(), SelectorError> {
        let hint = match &self.token {
            Token::End => return Ok(()),
            Token::Close => return Err(self.error_here("this parenthesis was never opened")),
            Token::Open if !self.text[..self.at].ends_with(|c: char| c.is_whitespace() || c == ')') => {
                ": a text with parentheses is written in quotes, such as re:\"web-(a|b)\"".to_owned()
            }
            Token::Word("not") => ": write `and not`".to_owned(),
            Token::Word(word) => match meant(word) {
                Some(keyword) => format!(": did you mean `{keyword}`?"),
                None => ": a text with spaces is written in quotes".to_owned(),
            },
            _ => String::new(),
        };
        Err(self.error_here(format!("{} stands where {expected} is expected{hint}", self.found())))
    }

    fn or(&mut self) -> Result<Node, SelectorError> {
        let mut parts = vec![self.and()?];
        while self.is_word("or") {
            self.advance()?;
            parts.push(self.and()?);
        }
        Ok(joined(parts, Node::Or, |node| match node {
            Node::Or(parts) => Ok(parts),
            node => Err(node),
        }))
    }

    fn and(&mut self) -> Result<Node, SelectorError> {
        let mut parts = vec![self.not()?];
        while self.is_word("and") {
            self.advance()?;
            parts.push(self.not()?);
        }
        Ok(joined(parts, Node::And, |node| match node {
            Node::And(parts) => Ok(parts),
            node => Err(node),
        }))
    }

    fn not(&mut self) -> Result<Node, SelectorError> {
        if self.is_word("not") {
            self.deeper()?;
            self.advance()?;
            let part = self.not()?;
            self.depth -= 1;
            return Ok(Node::Not(Box::new(part)));
        }
        if self.token != Token::Open {
            return self.atom().map(Node::Atom);
        }
        self.deeper()?;
        let open = self.at;
        self.advance()?;
        let node = self.or()?;
        match self.token {
            Token::Close => self.advance()?,
            Token::End => return Err(self.error(open, "this parenthesis is not closed: write `)` after its filter")),
            Token::Word("take") => {
                return Err(self.error_here("`take` has no place in parentheses: write it at the end"));
            }
            _ => return Err(self.end("`and`, `or` or `)`").err().unwrap_or_else(|| self.error_here("not closed"))),
        };
        self.depth -= 1;
        Ok(node)
    }

    fn deeper(&mut self) -> Result<(), SelectorError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error_here(format!("more than {MAX_DEPTH} parentheses and `not` within one another")));
        }
        Ok(())
    }

    fn atom(&mut self) -> Result<Atom, SelectorError> {
        let at = self.at;
        match self.token {
            Token::Word("all") => {
                self.advance()?;
                return Ok(Atom::All);
            }
            Token::Word("and" | "or" | "take") | Token::Open | Token::Close | Token::End => {
                let message = match self.token {
                    Token::End => "a filter is missing at the end".to_owned(),
                    Token::Word(word) => {
                        format!("a filter is missing before `{word}`; a VM of that name is written in quotes")
                    }
                    _ => format!("a filter is missing before {}", self.found()),
                };
                return Err(self.error_here(message));
            }
            Token::Word(_) | Token::Quoted(_) | Token::Prefixed { .. } => {}
        }
        match self.advance()? {
            Token::Word(word) => self.name(word, at),
            Token::Quoted(text) => self.name(&text, at),
            Token::Prefixed { prefix, value, value_at } => self.prefixed(prefix, &value, at, value_at),
            Token::Open | Token::Close | Token::End => Err(self.error(at, "a filter is expected here")),
        }
    }

    fn name(&self, text: &str, at: usize) -> Result<Atom, SelectorError> {
        Ok(Atom::Target(TargetPattern::Name(self.pattern(text, at)?)))
    }

    fn pattern(&self, text: &str, at: usize) -> Result<NamePattern, SelectorError> {
        NamePattern::new(text).map_err(|error| self.error(at, error.message()))
    }

    fn prefixed(&mut self, prefix: &str, value: &str, at: usize, value_at: usize) -> Result<Atom, SelectorError> {
        if !PREFIXES.contains(&prefix) {
            let hint = nearest(prefix, &PREFIXES).map(|near| format!(" did you mean `{near}:`?")).unwrap_or_default();
            let message = format!("`{}:` means nothing:{hint} a name with a colon is written in quotes", shown(prefix));
            return Err(self.error(at, message));
        }
        if value.is_empty() {
            return Err(
                self.error(value_at, format!("what `{prefix}:` stands before is missing: it follows without a space"))
            );
        }
        let field = |field: Field| Ok(Atom::Field(field, self.pattern(value, value_at)?));
        match prefix {
            "name" => self.name(value, value_at),
            "id" => Ok(Atom::Target(TargetPattern::Id(value.to_owned()))),
            "path" => match value.trim_start_matches('/') {
                "" => Err(self.error(value_at, "an inventory path has to follow, such as path:/DC0/vm/web-01")),
                path => Ok(Atom::Target(TargetPattern::Path(path.to_owned()))),
            },
            "re" => self.regex(value, value_at),
            "datacenter" => field(Field::Datacenter),
            "cluster" => field(Field::Cluster),
            "host" => field(Field::Host),
            "endpoint" => field(Field::Endpoint),
            "platform" => field(Field::Platform),
            "guest" => {
                let pattern = NamePattern::ignoring_case(value);
                Ok(Atom::Field(Field::Guest, pattern.map_err(|error| self.error(value_at, error.message()))?))
            }
            "folder" if value.starts_with('/') => match value.trim_matches('/') {
                "" => Err(self.error(value_at, "a folder's path has to follow, such as folder:/DC0/vm/web")),
                path => Ok(Atom::FolderPath(self.pattern(path, value_at)?)),
            },
            "folder" => Ok(Atom::FolderName(self.pattern(value, value_at)?)),
            "state" => self.one_of(prefix, value, value_at, &STATES).map(Atom::State),
            _ => self.one_of(prefix, value, value_at, &TOOLS).map(Atom::Tools),
        }
    }

    fn one_of<T: Copy>(
        &self,
        prefix: &str,
        value: &str,
        at: usize,
        words: &[(&'static str, T)],
    ) -> Result<T, SelectorError> {
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == value) {
            return Ok(*meant);
        }
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = match nearest(value, &words) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", words.join(", ")),
        };
        Err(self.error(at, format!("`{}` is nothing that `{prefix}:` can be: {hint}", shown(value))))
    }

    fn regex(&mut self, text: &str, at: usize) -> Result<Atom, SelectorError> {
        self.expressions += 1;
        if self.expressions > MAX_EXPRESSIONS {
            return Err(self.error(at, format!("a selector holds at most {MAX_EXPRESSIONS} regular expressions")));
        }
        match format!("re:{text}").parse::<TargetPattern>() {
            Ok(target) => Ok(Atom::Target(target)),
            Err(error) => {
                debug_assert_eq!(error.kind(), ErrorKind::Configuration);
                // The last line says what is wrong; those before it show where with a caret of their own.
                let why = error.message().lines().last().unwrap_or_default().trim();
                let why =
                    if why.contains("size limit") { "it is too large" } else { why.trim_start_matches("error: ") };
                Err(self.error(at, format!("`{}` is not a regular expression: {}", shown(text), shown(why))))
            }
        }
    }
}

const STATES: [(&str, VMPowerState); 6] = [
    ("powered_on", VMPowerState::PoweredOn),
    ("powered_off", VMPowerState::PoweredOff),
    ("suspended", VMPowerState::Suspended),
    ("unknown", VMPowerState::Unknown),
    ("on", VMPowerState::PoweredOn),
    ("off", VMPowerState::PoweredOff),
];

const TOOLS: [(&str, ToolsStatus); 4] = [
    ("running", ToolsStatus::Running),
    ("not_running", ToolsStatus::NotRunning),
    ("not_installed", ToolsStatus::NotInstalled),
    ("unknown", ToolsStatus::Unknown),
];

/// One node of several parts; parts of its own kind are taken in.
fn joined(mut parts: Vec<Node>, join: fn(Vec<Node>) -> Node, open: fn(Node) -> Result<Vec<Node>, Node>) -> Node {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match open(part) {
            Ok(inner) => flat.extend(inner),
            Err(part) => flat.push(part),
        }
    }
    join(flat)
}

/// The keyword that somebody meant who wrote something else between two filters.
fn meant(word: &str) -> Option<&'static str> {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.to_lowercase().chars().collect();
        letters.sort_unstable();
        letters
    };
    match word {
        "&" | "&&" | "+" => Some("and"),
        "|" | "||" | "," => Some("or"),
        _ => ["and", "or", "take"].into_iter().find(|keyword| sorted(keyword) == sorted(word)),
    }
}
