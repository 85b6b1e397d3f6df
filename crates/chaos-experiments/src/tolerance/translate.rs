//! From Python's regular expressions to those of `fancy-regex`, which finds the same in them.
//!
//! All that the two read differently is written out: classes of characters, boundaries, `$`, flags, names of groups.

use std::collections::BTreeMap;

use super::class::{self, Set};
use super::flags::{self, Flags};
use super::item::{Item, Kind, MOST_REPEATS, Width};

/// How deep groups may stand in one another: `fancy-regex` takes 64, and we put some of our own around.
const DEEPEST: usize = 40;
/// The same expression in the other dialect, or why it is none.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        rest: pattern.chars().collect(),
        at: 0,
        flags: Flags::default(),
        groups: Vec::new(),
        names: BTreeMap::new(),
        referenced: 0,
        depth: 0,
    };
    let (text, _) = translator.alternatives(true)?;
    if translator.peek().is_some() {
        return Err("unbalanced parenthesis".to_owned());
    }
    if translator.referenced > translator.groups.len() {
        return Err(format!("there is no group {}", translator.referenced));
    }
    Ok(text)
}

struct Translator {
    rest: Vec<char>,
    at: usize,
    flags: Flags,
    /// The width of each group, none while it is open.
    groups: Vec<Option<Width>>,
    names: BTreeMap<String, usize>,
    /// The highest group that a condition is about.
    referenced: usize,
    depth: usize,
}

type Read<T> = Result<T, String>;

impl Translator {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn takes(&mut self, text: &str) -> bool {
        let there = text.chars().enumerate().all(|(offset, c)| self.rest.get(self.at + offset) == Some(&c));
        self.at += if there { text.chars().count() } else { 0 };
        there
    }

    /// What comes before `end`, which is skipped.
    fn until(&mut self, end: char) -> Read<String> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some(c) if c == end => return Ok(text),
                Some(c) => text.push(c),
                None => return Err(format!("missing {end}, unterminated name")),
            }
        }
    }

    fn alternatives(&mut self, top: bool) -> Read<(String, Width)> {
        let (mut text, mut width) = self.branch(top, top)?;
        while self.takes("|") {
            let (next, other) = self.branch(top, false)?;
            text.push('|');
            text.push_str(&next);
            width = width.or(other);
        }
        Ok((text, width))
    }

    /// What stands up to `|`, `)` or the end.
    fn branch(&mut self, top: bool, first: bool) -> Read<(String, Width)> {
        let mut items: Vec<Item> = Vec::new();
        while let Some(c) = self.peek() {
            if matches!(c, '|' | ')') {
                break;
            }
            self.at += 1;
            if self.flags.verbose && self.skipped(c) {
                continue;
            }
            match c {
                '*' | '+' | '?' | '{' => match self.repeats(c)? {
                    Some(bounds) => self.repeat(items.pop(), bounds).map(|item| items.push(item))?,
                    None => items.push(self.literal(c)),
                },
                '(' => items.extend(self.group(first && items.is_empty())?),
                _ => items.push(self.atom(c)?),
            }
        }
        if top && let Some(last) = items.last_mut().filter(|last| last.text == END) {
            // Nothing comes after it that could look at the newline: without looking ahead it is found faster.
            r"\n?\z".clone_into(&mut last.text);
        }
        let width = items.iter().fold(Width::default(), |width, item| width.then(item.width));
        Ok((items.into_iter().map(|item| item.text).collect(), width))
    }

    /// Whether a verbose expression does not mean the character, and if it is a comment, that too.
    fn skipped(&mut self, c: char) -> bool {
        if c == '#' {
            while self.next().is_some_and(|c| c != '\n') {}
        }
        matches!(c, '#' | ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
    }

    fn literal(&self, c: char) -> Item {
        let text = if self.flags.any_case { class::any_case(c, self.flags) } else { class::literal(c) };
        Item::new(text, Width::ONE, Kind::Plain)
    }

    fn atom(&mut self, c: char) -> Read<Item> {
        Ok(match c {
            '.' => Item::new(if self.flags.dot_all { "(?s:.)" } else { r"[^\n]" }, Width::ONE, Kind::Plain),
            '^' => Item::new(if self.flags.multi_line { "(?m:^)" } else { r"\A" }, Width::default(), Kind::Anchor),
            '$' => Item::new(if self.flags.multi_line { "(?m:$)" } else { END }, Width::default(), Kind::Anchor),
            '[' => {
                let text = class::read(&self.rest, &mut self.at, self.flags)?;
                Item::new(text, Width::ONE, Kind::Plain)
            }
            '\\' => self.escape()?,
            c => self.literal(c),
        })
    }

    /// The bounds of the repetition that `c` begins; none if it is a brace without a meaning.
    fn repeats(&mut self, c: char) -> Read<Option<(u64, Option<u64>)>> {
        match c {
            '*' => return Ok(Some((0, None))),
            '+' => return Ok(Some((1, None))),
            '?' => return Ok(Some((0, Some(1)))),
            _ => {}
        }
        let start = self.at;
        if self.peek() == Some('}') {
            return Ok(None);
        }
        let least = self.digits();
        let most = if self.takes(",") { self.digits() } else { least.clone() };
        if !self.takes("}") {
            self.at = start;
            return Ok(None);
        }
        let number = |digits: &str| digits.parse().ok().filter(|number| *number < MOST_REPEATS);
        let too_large = || "the repetition number is too large".to_owned();
        let least = if least.is_empty() { 0 } else { number(&least).ok_or_else(too_large)? };
        let most = if most.is_empty() { None } else { Some(number(&most).ok_or_else(too_large)?) };
        if most.is_some_and(|most| most < least) {
            return Err("min repeat greater than max repeat".to_owned());
        }
        Ok(Some((least, most)))
    }

    fn digits(&mut self) -> String {
        let mut digits = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            digits.push(digit);
            self.at += 1;
        }
        digits
    }

    fn repeat(&mut self, item: Option<Item>, (least, most): (u64, Option<u64>)) -> Read<Item> {
        let item = match item {
            None | Some(Item { kind: Kind::Anchor, .. }) => return Err("nothing to repeat".to_owned()),
            Some(Item { kind: Kind::Repeat, .. }) => return Err("multiple repeat".to_owned()),
            Some(item) => item,
        };
        let (lazy, possessive) = (self.takes("?"), self.takes("+"));
        if lazy && possessive {
            return Err("multiple repeat".to_owned());
        }
        Ok(item.repeated(least, most, lazy, possessive))
    }

    /// What stands in parentheses up to the closing one.
    fn inside(&mut self) -> Read<(String, Width)> {
        self.deeper()?;
        let read = self.alternatives(false)?;
        self.depth -= 1;
        if self.takes(")") { Ok(read) } else { Err("missing ), unterminated subpattern".to_owned()) }
    }

    fn deeper(&mut self) -> Read<()> {
        self.depth += 1;
        if self.depth > DEEPEST { Err("too many groups in one another".to_owned()) } else { Ok(()) }
    }

    /// What `(` begins; none for comments and flags. `at_start` tells whether nothing came before.
    fn group(&mut self, at_start: bool) -> Read<Option<Item>> {
        if !self.takes("?") {
            return self.capture(None).map(Some);
        }
        for look in ["=", "!", "<=", "<!"] {
            if self.takes(look) {
                let (text, width) = self.inside()?;
                if look.starts_with('<') && width.least != width.most {
                    return Err("look-behind requires fixed-width pattern".to_owned());
                }
                return Ok(Some(Item::new(format!("(?{look}{text})"), Width::default(), Kind::Look)));
            }
        }
        if self.takes("P<") {
            let name = self.until('>')?;
            return self.capture(Some(name)).map(Some);
        }
        if self.takes("P=") {
            let name = self.until(')')?;
            let group = *self.names.get(&name).ok_or_else(|| format!("unknown group name '{name}'"))?;
            return self.reference(group).map(Some);
        }
        if self.takes("#") {
            self.until(')').map_err(|_| "missing ), unterminated comment".to_owned())?;
            return Ok(None);
        }
        if self.takes("(") {
            return self.condition().map(Some);
        }
        if self.takes(">") {
            let (text, width) = self.inside()?;
            return Ok(Some(Item::new(format!("(?>{text})"), width, Kind::Plain)));
        }
        if self.takes(":") {
            return self.inside().map(|(text, width)| Some(Item::group(&text, width)));
        }
        self.flag_group(at_start)
    }

    fn capture(&mut self, name: Option<String>) -> Read<Item> {
        let group = self.groups.len() + 1;
        if let Some(name) = name {
            if !is_name(&name) {
                return Err(format!("bad character in group name '{name}'"));
            }
            if self.names.insert(name.clone(), group).is_some() {
                return Err(format!("redefinition of group name '{name}'"));
            }
        }
        self.groups.push(None);
        let before = self.flags;
        let (text, width) = self.inside()?;
        self.flags = before;
        self.groups[group - 1] = Some(width);
        Ok(Item::new(format!("({text})"), width, Kind::Plain))
    }

    fn reference(&self, group: usize) -> Read<Item> {
        let width = group.checked_sub(1).and_then(|at| self.groups.get(at));
        match width {
            None => Err(format!("invalid group reference {group}")),
            Some(None) => Err("cannot refer to an open group".to_owned()),
            Some(Some(width)) => {
                let text = if self.flags.any_case { format!(r"(?i:\{group})") } else { format!(r"(?:\{group})") };
                Ok(Item::new(text, *width, Kind::Plain))
            }
        }
    }

    /// `(?(1)then|else)`, from the number on.
    fn condition(&mut self) -> Read<Item> {
        let name = self.until(')')?;
        let group = if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
            name.parse().ok().filter(|group| *group > 0).ok_or("bad group number")?
        } else {
            *self.names.get(&name).ok_or_else(|| format!("unknown group name '{name}'"))?
        };
        self.referenced = self.referenced.max(group);
        self.deeper()?;
        let (yes, mut width) = self.branch(false, false)?;
        let (no, other) = if self.takes("|") { self.branch(false, false)? } else { (String::new(), Width::default()) };
        width = width.or(other);
        self.depth -= 1;
        if self.peek() == Some('|') {
            return Err("conditional backref with more than two branches".to_owned());
        }
        if !self.takes(")") {
            return Err("missing ), unterminated subpattern".to_owned());
        }
        let text =
            if yes.is_empty() && no.is_empty() { String::new() } else { format!("(?({group})(?:{yes})|(?:{no}))") };
        Ok(Item::new(text, width, Kind::Plain))
    }

    /// `(?i)` and `(?i-m:…)`, from the first letter on.
    fn flag_group(&mut self, at_start: bool) -> Read<Option<Item>> {
        let before = self.flags;
        let (flags, global) = flags::read(&self.rest, &mut self.at, before)?;
        self.flags = flags;
        if global {
            return if at_start { Ok(None) } else { Err("global flags not at the start of the expression".to_owned()) };
        }
        let (text, width) = self.inside()?;
        self.flags = before;
        Ok(Some(Item::group(&text, width)))
    }

    /// What comes after a backslash, outside of classes.
    fn escape(&mut self) -> Read<Item> {
        let Some(c) = self.peek() else { return Err("bad escape (end of pattern)".to_owned()) };
        let word = class::set(Set::Word, self.flags.ascii);
        let anchor = |text: String| Ok(Item::new(text, Width::default(), Kind::Anchor));
        match c {
            'A' => self.skip(anchor(r"\A".to_owned())),
            'Z' => self.skip(anchor(r"\z".to_owned())),
            'b' => self.skip(anchor(format!("(?:(?<=[{word}])(?![{word}])|(?<![{word}])(?=[{word}]))"))),
            // In an empty text Python finds no place that is no boundary.
            'B' => self.skip(anchor(format!(r"(?:(?<=[{word}])(?=[{word}])|(?<![{word}])(?![{word}])(?!\A\z))"))),
            '1'..='9' => {
                let octal: String = self.rest[self.at..].iter().take(3).filter(|c| ('0'..='7').contains(*c)).collect();
                if octal.len() == 3 {
                    self.at += 3;
                    return class::octal(&octal).map(|c| self.literal(c));
                }
                let digits: String = self.rest[self.at..].iter().take(2).take_while(|c| c.is_ascii_digit()).collect();
                self.at += digits.len();
                self.reference(digits.parse().unwrap_or(usize::MAX))
            }
            _ => match class::escape(&self.rest, &mut self.at, false)? {
                class::Escaped::Character(c) => Ok(self.literal(c)),
                class::Escaped::Nothing => Ok(Item::new(class::NOTHING, Width::ONE, Kind::Plain)),
                class::Escaped::Set { set, negated } => {
                    let not = if negated { "^" } else { "" };
                    let text = format!("[{not}{}]", class::set(set, self.flags.ascii));
                    Ok(Item::new(text, Width::ONE, Kind::Plain))
                }
            },
        }
    }

    fn skip(&mut self, item: Read<Item>) -> Read<Item> {
        self.at += 1;
        item
    }
}

/// The end of the text, or before a newline that ends it.
const END: &str = r"(?=\n?\z)";

fn is_name(name: &str) -> bool {
    let word = |c: char| c == '_' || c.is_alphanumeric();
    name.starts_with(|c: char| word(c) && !c.is_numeric()) && name.chars().all(word)
}
