//! From text to [`Query`], letter by letter as the engine reads: a name ends with its last letter, not with a blank.
//!
//! So `name=a android` is `name=a`, `and`, `roid`. Where the engine's way of reading has results that nobody would expect,
//! they are kept: a client has to live with them.

use super::operand::Operand;
use super::vocabulary::{Field, LONGEST_NAME, Object, begins, begins_object};
use super::{Condition, Invalid, Query, Relation, Sort};

/// What was read last, and with it what can come next.
#[derive(Debug, Clone, Copy)]
enum State {
    /// Nothing yet.
    Start,
    /// `and` or `or`.
    Operator,
    /// A whole term.
    Term,
    /// What a term is about.
    Reference(Object),
    /// The dot behind that.
    Dot(Object),
    Field(Option<Object>, &'static Field),
    Relation(Option<Object>, Option<&'static Field>, Relation),
    SortBy,
    SortField,
    SortDirection,
    Page,
    PageNumber,
}

impl State {
    /// Whether a blank ends something here. Elsewhere it is passed over.
    const fn minds_blanks(self) -> bool {
        match self {
            Self::Start | Self::Operator | Self::Term | Self::Relation(..) => true,
            Self::Reference(_)
            | Self::Dot(_)
            | Self::Field(..)
            | Self::SortBy
            | Self::SortField
            | Self::SortDirection
            | Self::Page
            | Self::PageNumber => false,
        }
    }
}

#[derive(Debug)]
enum Part {
    Condition(Condition),
    And,
    Or,
}

struct Parser {
    text: Vec<char>,
    own: Object,
    /// Where what is being read begins, and the letter that is looked at.
    start: usize,
    at: usize,
    state: State,
    /// Whether the search may end here.
    is_complete: bool,
    parts: Vec<Part>,
    /// What there was a free text for.
    free_texts: Vec<Object>,
    sort: Option<Sort>,
    page: Option<u32>,
}

pub(super) fn parse(text: &str, own: Object) -> Result<Query, Invalid> {
    let mut parser = Parser {
        text: text.chars().collect(),
        own,
        start: 0,
        at: 0,
        state: State::Start,
        is_complete: true,
        parts: Vec::new(),
        free_texts: Vec::new(),
        sort: None,
        page: None,
    };
    while let Some(&here) = parser.text.get(parser.at) {
        if matches!(here, '\'' | ';') {
            return Err(Invalid::Character(here));
        }
        if here == ' ' && !parser.state.minds_blanks() {
            parser.start += 1;
        } else {
            parser.step(here)?;
        }
        parser.at += 1;
    }
    if !parser.is_complete {
        return Err(Invalid::Incomplete);
    }
    Ok(Query { own, terms: grouped(parser.parts), sort: parser.sort, page: parser.page })
}

/// `and` binds first, `or` second. What merely stands side by side is joined last of all.
fn grouped(parts: Vec<Part>) -> Vec<Vec<Vec<Condition>>> {
    let mut terms: Vec<Vec<Vec<Condition>>> = Vec::new();
    let mut joined_by = None;
    for part in parts {
        match part {
            Part::And | Part::Or => joined_by = Some(part),
            Part::Condition(condition) => match (joined_by.take(), terms.last_mut()) {
                (Some(Part::And), Some(any)) if !any.is_empty() => {
                    let last = any.len() - 1;
                    any[last].push(condition);
                }
                (Some(Part::Or), Some(any)) => any.push(vec![condition]),
                _ => terms.push(vec![vec![condition]]),
            },
        }
    }
    terms
}

impl Parser {
    fn step(&mut self, here: char) -> Result<(), Invalid> {
        match self.state {
            State::Start => self.at_start(here),
            State::Operator => self.after_operator(here),
            State::Term => self.after_term(here),
            State::Reference(object) => self.after_reference(object),
            State::Dot(object) => self.after_dot(object),
            State::Field(subject, field) => self.after_field(subject, field),
            State::Relation(subject, field, relation) => self.phrase(here, subject, field, relation).map(drop),
            State::SortBy => self.after_sort_by(),
            State::SortField => self.after_sort_field(),
            State::SortDirection => self.after_sort_direction(),
            State::Page => self.after_page(here),
            State::PageNumber => Err(Invalid::AfterPage),
        }
    }

    /// What was read since the last whole thing, in upper case. More than a name can have is cut off.
    fn letters(&self) -> String {
        upper(&self.text[self.start..=self.at])
    }

    fn next(&self) -> Option<char> {
        self.text.get(self.at + 1).copied()
    }

    /// Ends what is being read with the present letter.
    fn enter(&mut self, state: State) {
        self.state = state;
        self.start = self.at + 1;
    }

    fn at_start(&mut self, here: char) -> Result<(), Invalid> {
        let letters = self.letters();
        if let Some(field) = self.own.field(&letters) {
            // Here alone, a field needs an operator behind it: `named*` is a free text.
            if matches!(self.next(), Some(' ' | '!' | '=' | '<' | '>')) {
                self.enter(State::Field(None, field));
            }
            self.is_complete = false;
        } else if !self.trailer(&letters) && !self.reference(&letters) && self.free_text(here)? {
            self.free_texts.push(self.own);
        }
        Ok(())
    }

    fn after_operator(&mut self, here: char) -> Result<(), Invalid> {
        let letters = self.letters();
        if let Some(field) = self.own.field(&letters) {
            self.enter(State::Field(None, field));
            self.is_complete = false;
        } else if !self.reference(&letters) {
            if self.free_text(here)? {
                self.only_free_text_for(self.own)?;
            } else {
                self.is_complete = false;
            }
        }
        Ok(())
    }

    fn after_term(&mut self, here: char) -> Result<(), Invalid> {
        let letters = upper(trimmed(&self.text[self.start..=self.at]));
        if letters.is_empty() {
            return Ok(());
        }
        if let Some(field) = self.own.field(&letters) {
            self.enter(State::Field(None, field));
            self.is_complete = false;
        } else if self.trailer(&letters) || self.reference(&letters) {
        } else if letters == "AND" || letters == "OR" {
            self.parts.push(if letters == "AND" { Part::And } else { Part::Or });
            self.enter(State::Operator);
            self.is_complete = false;
        } else {
            let may_go_on = self.own.begins_field(&letters)
                || begins_object(&letters)
                || ["sortby", "and", "or"].iter().any(|word| begins(word, &letters));
            if !may_go_on && self.free_text(here)? {
                self.only_free_text_for(self.own)?;
            } else {
                self.is_complete = false;
            }
        }
        Ok(())
    }

    /// `sortby` or `page`.
    fn trailer(&mut self, letters: &str) -> bool {
        let state = match letters {
            "SORTBY" => State::SortBy,
            "PAGE" => State::Page,
            _ => return false,
        };
        self.enter(state);
        self.is_complete = false;
        true
    }

    /// What a term is about, in the singular or the plural.
    fn reference(&mut self, letters: &str) -> bool {
        let Some(object) = self.own.reference(letters) else { return false };
        if matches!(self.next(), Some('s' | 'S')) {
            self.at += 1;
        }
        self.enter(State::Reference(object));
        self.is_complete = false;
        true
    }

    fn after_reference(&mut self, object: Object) -> Result<(), Invalid> {
        match self.letters().as_str() {
            "." => self.enter(State::Dot(object)),
            "=" => self.enter(State::Relation(Some(object), None, Relation::Equal)),
            "!=" => self.enter(State::Relation(Some(object), None, Relation::NotEqual)),
            "!" => {}
            _ => return Err(Invalid::Relation(object.name())),
        }
        Ok(())
    }

    fn after_dot(&mut self, object: Object) -> Result<(), Invalid> {
        let letters = self.letters();
        if let Some(field) = object.field(&letters) {
            self.enter(State::Field(Some(object), field));
        } else if !object.begins_field(&letters) {
            return Err(Invalid::Field(object.name()));
        }
        Ok(())
    }

    fn after_field(&mut self, subject: Option<Object>, field: &'static Field) -> Result<(), Invalid> {
        let symbols = field.relations.symbols();
        let letters = self.letters();
        if let Some(next) = self.next()
            && symbols.contains(&&*format!("{letters}{next}"))
        {
            return Ok(());
        }
        if let Some(relation) = relation(&letters).filter(|relation| symbols.contains(&relation.symbol())) {
            self.state = State::Relation(subject, Some(field), relation);
        } else if !symbols.iter().any(|symbol| symbol.starts_with(&letters)) {
            return Err(Invalid::Relation(field.name));
        }
        self.start = self.at + 1;
        self.is_complete = false;
        Ok(())
    }

    fn free_text(&mut self, here: char) -> Result<bool, Invalid> {
        self.phrase(here, None, None, Relation::Equal)
    }

    fn only_free_text_for(&mut self, object: Object) -> Result<(), Invalid> {
        if self.free_texts.contains(&object) {
            return Err(Invalid::SecondFreeText(object.name()));
        }
        self.free_texts.push(object);
        Ok(())
    }

    /// Reads a value up to its closing quotation mark or, without quotes, up to a blank or the end. Says whether it ended.
    fn phrase(
        &mut self,
        here: char,
        subject: Option<Object>,
        field: Option<&'static Field>,
        relation: Relation,
    ) -> Result<bool, Invalid> {
        let since = &self.text[self.start..=self.at];
        let is_quoted = since[..since.len() - 1].contains(&'"');
        let value = match (here, is_quoted) {
            ('"', true) => {
                let all: String = since.iter().collect();
                all.trim_matches('"').to_owned()
            }
            ('"', false) if since[..since.len() - 1].iter().all(|c| is_space(*c)) => return Ok(false),
            ('"', false) => return Err(Invalid::Quote),
            (_, true) => return Ok(false),
            (_, false) if here != ' ' && self.at + 1 < self.text.len() => return Ok(false),
            (_, false) => {
                let word = trimmed(since);
                if word.is_empty() || word.iter().any(|c| is_space(*c)) {
                    // Nothing yet, or a word that nobody understood: it is forgotten.
                    self.start = self.at + 1;
                    return Ok(false);
                }
                word.iter().collect()
            }
        };
        let operand = Operand::new(field, relation, &value)?;
        if let (Some(object), None) = (subject, field) {
            self.only_free_text_for(object)?;
        }
        self.parts.push(Part::Condition(Condition { subject, field, relation, value, operand }));
        self.enter(State::Term);
        self.is_complete = true;
        Ok(true)
    }

    fn after_sort_by(&mut self) -> Result<(), Invalid> {
        let letters = self.letters();
        if let Some(field) = self.own.field(&letters) {
            self.sort = Some(Sort { field, is_descending: false });
            self.enter(State::SortField);
            self.is_complete = true;
        } else if !self.own.begins_field(&letters) {
            return Err(Invalid::SortField);
        }
        Ok(())
    }

    fn after_sort_field(&mut self) -> Result<(), Invalid> {
        let letters = self.letters();
        if letters == "ASC" || letters == "DESC" {
            if let Some(sort) = &mut self.sort {
                sort.is_descending = letters == "DESC";
            }
            self.enter(State::SortDirection);
        } else if !begins("asc", &letters) && !begins("desc", &letters) {
            return Err(Invalid::SortDirection);
        }
        Ok(())
    }

    fn after_sort_direction(&mut self) -> Result<(), Invalid> {
        let letters = self.letters();
        if letters == "PAGE" {
            self.enter(State::Page);
        } else if !begins("page", &letters) {
            return Err(Invalid::AfterSort);
        }
        Ok(())
    }

    /// The number of the page. One character behind the digits goes with them, and then it is no number any more: the
    /// engine shows the first page.
    fn after_page(&mut self, here: char) -> Result<(), Invalid> {
        if !here.is_ascii_digit() {
            return Err(Invalid::PageNumber);
        }
        let rest = &self.text[self.at..];
        let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let number: String = rest.iter().take(digits + 1).collect();
        self.page = Some(number.parse::<i32>().ok().and_then(|page| u32::try_from(page).ok()).unwrap_or(1));
        // It also passes over the character after that.
        self.at += number.chars().count();
        self.enter(State::PageNumber);
        self.is_complete = true;
        Ok(())
    }
}

fn relation(symbol: &str) -> Option<Relation> {
    let all = [
        Relation::Equal,
        Relation::NotEqual,
        Relation::Less,
        Relation::Greater,
        Relation::LessOrEqual,
        Relation::GreaterOrEqual,
    ];
    all.into_iter().find(|relation| relation.symbol() == symbol)
}

/// Upper case of what can be a name; more letters than a name has are cut off, and what remains is none.
fn upper(text: &[char]) -> String {
    text.iter().take(LONGEST_NAME + 1).flat_map(|c| c.to_uppercase()).collect()
}

fn trimmed(text: &[char]) -> &[char] {
    let start = text.iter().position(|c| *c > ' ').unwrap_or(text.len());
    let end = text.iter().rposition(|c| *c > ' ').map_or(start, |last| last + 1);
    &text[start..end]
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}
