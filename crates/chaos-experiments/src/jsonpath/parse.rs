//! From the text of a path to its steps.

use serde_json::{Map, Number, Value};

use super::lex::{Token, tokens};
use super::{Comparison, Expression, Function, JsonPathError, Operand, Path, Step, Subscript};

/// How deep brackets, parentheses and braces may stand in one another.
const DEEPEST: usize = 64;
/// How many steps a path may have: functions put what they make into one another.
const MOST_STEPS: usize = 512;
/// The most digits that Python reads as a whole number.
const MOST_DIGITS: usize = 4300;

const SUBSCRIPT: &str = "a key in double quotes, an index, a slice, `*`, `?(…)`, a path or a function";
const OPERAND: &str = "a path that begins with `@` or `$`, or a JSON value";

const RESERVED: [&str; 6] = ["and", "or", "not", "true", "false", "null"];

pub(super) fn parse(text: &str) -> Result<Path, JsonPathError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    if !parser.takes("$") {
        return Err(parser.error("`$`"));
    }
    let steps = parser.steps()?;
    if parser.peek() == Token::End {
        Ok(Path { from_root: true, steps })
    } else {
        Err(parser.error("`.`, `..`, `[` or the end"))
    }
}

struct Parser<'t> {
    tokens: Vec<(Token<'t>, usize)>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, JsonPathError>;

impl<'t> Parser<'t> {
    fn peek(&self) -> Token<'t> {
        self.tokens.get(self.at).map_or(Token::End, |(token, _)| *token)
    }

    fn error(&self, expected: &'static str) -> JsonPathError {
        let offset = self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(_, offset)| *offset);
        JsonPathError { offset, expected }
    }

    fn takes_token(&mut self, token: Token<'_>) -> bool {
        let there = self.peek() == token;
        self.at += usize::from(there);
        there
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        self.takes_token(Token::Sign(sign))
    }

    fn needs(&mut self, sign: &'static str, expected: &'static str) -> Parsed<()> {
        if self.takes(sign) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// Parses something inside of something else, unless that is too deep.
    fn inside<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEEPEST {
            return Err(self.error("fewer brackets in one another"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Items with commas between them.
    fn list<T>(&mut self, parse: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![parse(self)?];
        while self.takes(",") {
            items.push(parse(self)?);
        }
        Ok(items)
    }

    fn steps(&mut self) -> Parsed<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            let descend = self.takes("..");
            let subscripts = if !descend && self.takes(".") {
                vec![self.bare()?]
            } else if self.takes("[") {
                let subscripts = self.inside(|parser| parser.list(Self::subscript))?;
                self.needs("]", "`,` or `]`")?;
                subscripts
            } else if descend {
                vec![self.bare()?]
            } else {
                return Ok(steps);
            };
            if steps.len() == MOST_STEPS {
                return Err(self.error("fewer steps"));
            }
            steps.push(Step { descend, subscripts });
        }
    }

    /// A step without brackets.
    fn bare(&mut self) -> Parsed<Subscript> {
        if self.takes("*") {
            return Ok(Subscript::Wildcard);
        }
        match self.peek() {
            Token::Word(word) if !RESERVED.contains(&word) => {
                let at = self.at;
                self.at += 1;
                if self.peek() == Token::Sign("(") { self.call(word, at) } else { Ok(Subscript::Key(word.to_owned())) }
            }
            Token::Word(_) => Err(self.error("a name; this word needs brackets and quotes")),
            _ => Err(self.error("a name or `*`")),
        }
    }

    /// A call of the function whose name stands at a token before.
    fn call(&mut self, name: &str, at: usize) -> Parsed<Subscript> {
        let function = match name {
            "charAt" => Function::CharAt,
            "entries" => Function::Entries,
            "keys" => Function::Keys,
            "length" => Function::Length,
            "substring" => Function::Substring,
            "values" => Function::Values,
            _ => {
                self.at = at;
                return Err(self.error("charAt, entries, keys, length, substring or values, which are all functions"));
            }
        };
        self.needs("(", "`(`")?;
        if self.takes(")") {
            return Ok(Subscript::Call(function, Vec::new()));
        }
        let arguments = self.inside(|parser| parser.list(Self::operand))?;
        self.needs(")", "`,` or `)`")?;
        Ok(Subscript::Call(function, arguments))
    }

    fn subscript(&mut self) -> Parsed<Subscript> {
        match self.peek() {
            Token::Quoted(key) => {
                self.at += 1;
                Ok(Subscript::Key(key.to_owned()))
            }
            Token::Number(_) => {
                let start = self.whole_number()?;
                if self.peek() == Token::Sign(":") { self.slice(Some(start)) } else { Ok(Subscript::Index(start)) }
            }
            Token::Sign(":") => self.slice(None),
            Token::Sign("*") => {
                self.at += 1;
                Ok(Subscript::Wildcard)
            }
            Token::Sign("?") => {
                self.at += 1;
                self.needs("(", "`(` after `?`")?;
                let expression = self.inside(Self::expression)?;
                self.needs(")", "an operator or `)`")?;
                Ok(Subscript::Filter(expression))
            }
            Token::Sign("@" | "$") => Ok(Subscript::Path(self.inner_path()?)),
            Token::Word(word) if !RESERVED.contains(&word) => {
                let at = self.at;
                self.at += 1;
                if self.peek() != Token::Sign("(") {
                    self.at = at;
                    return Err(self.error(SUBSCRIPT));
                }
                self.call(word, at)
            }
            _ => Err(self.error(SUBSCRIPT)),
        }
    }

    fn slice(&mut self, start: Option<i64>) -> Parsed<Subscript> {
        self.needs(":", "`:`")?;
        let end = self.optional_number()?;
        let step = if self.takes(":") { self.optional_number()? } else { None };
        Ok(Subscript::Slice { start, end, step })
    }

    fn optional_number(&mut self) -> Parsed<Option<i64>> {
        if matches!(self.peek(), Token::Number(_)) { self.whole_number().map(Some) } else { Ok(None) }
    }

    /// A whole number; one that 64 bits cannot hold is beyond every list anyway.
    fn whole_number(&mut self) -> Parsed<i64> {
        let Token::Number(text) = self.peek() else { return Err(self.error("a whole number")) };
        if text.contains(['.', 'e', 'E']) || text.len() > MOST_DIGITS {
            return Err(self.error("a whole number"));
        }
        self.at += 1;
        Ok(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
    }

    fn inner_path(&mut self) -> Parsed<Path> {
        let from_root = self.takes("$");
        if !from_root {
            self.needs("@", OPERAND)?;
        }
        Ok(Path { from_root, steps: self.inside(Self::steps)? })
    }

    fn expression(&mut self) -> Parsed<Expression> {
        let mut all = vec![self.any_of()?];
        while self.takes_token(Token::Word("and")) {
            all.push(self.any_of()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn any_of(&mut self) -> Parsed<Expression> {
        let mut any = vec![self.one()?];
        while self.takes_token(Token::Word("or")) {
            any.push(self.one()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Expression::Or(any) })
    }

    fn one(&mut self) -> Parsed<Expression> {
        let mut negated = false;
        while self.takes_token(Token::Word("not")) {
            negated = !negated;
        }
        let expression = if self.takes("(") {
            let expression = self.inside(Self::expression)?;
            self.needs(")", "an operator or `)`")?;
            expression
        } else {
            let left = self.operand()?;
            match self.comparison() {
                Some(comparison) => Expression::Compare(left, comparison, self.operand()?),
                None => Expression::Some(left),
            }
        };
        Ok(if negated { Expression::Not(Box::new(expression)) } else { expression })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let comparison = match self.peek() {
            Token::Sign("=") => Comparison::Equal,
            Token::Sign("!=") => Comparison::NotEqual,
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::LessOrEqual,
            Token::Sign(">") => Comparison::Greater,
            Token::Sign(">=") => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.at += 1;
        Some(comparison)
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match self.peek() {
            Token::Sign("@" | "$") => self.inner_path().map(Operand::Path),
            _ => self.literal().map(Operand::Literal),
        }
    }

    fn literal(&mut self) -> Parsed<Value> {
        let value = match self.peek() {
            Token::Quoted(text) => text.into(),
            Token::Number(text) => return self.literal_number(text),
            Token::Word("true") => true.into(),
            Token::Word("false") => false.into(),
            Token::Word("null") => Value::Null,
            Token::Sign("[") => {
                self.at += 1;
                if self.takes("]") {
                    return Ok(Value::Array(Vec::new()));
                }
                let items = self.inside(|parser| parser.list(Self::literal))?;
                self.needs("]", "`,` or `]`")?;
                return Ok(Value::Array(items));
            }
            Token::Sign("{") => {
                self.at += 1;
                if self.takes("}") {
                    return Ok(Value::Object(Map::new()));
                }
                let pairs = self.inside(|parser| parser.list(Self::pair))?;
                self.needs("}", "`,` or `}`")?;
                return Ok(Value::Object(pairs.into_iter().collect()));
            }
            _ => return Err(self.error(OPERAND)),
        };
        self.at += 1;
        Ok(value)
    }

    fn literal_number(&mut self, text: &str) -> Parsed<Value> {
        let whole = !text.contains(['.', 'e', 'E']);
        let value = match (text.parse::<i64>(), text.parse::<u64>()) {
            (Ok(int), _) => Some(int.into()),
            (_, Ok(int)) => Some(int.into()),
            _ if whole && text.len() > MOST_DIGITS => None,
            _ => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        };
        let value = value.ok_or_else(|| self.error("a number that is not too large"))?;
        self.at += 1;
        Ok(value)
    }

    fn pair(&mut self) -> Parsed<(String, Value)> {
        let Token::Quoted(key) = self.peek() else { return Err(self.error("a key in double quotes")) };
        self.at += 1;
        self.needs(":", "`:`")?;
        Ok((key.to_owned(), self.literal()?))
    }
}
