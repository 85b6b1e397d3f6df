//! YAML as `PyYAML` reads it with `safe_load`, from the events of a parser.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::notes::Notes;
use super::{Inner, Loaded, MAX_DEPTH, Mark, Position, Refusal, scalar};

/// How many values aliases may add to a document, and how many bytes of texts. Each alias stands for a copy, so that few
/// of them can multiply a short text without end.
const MOST_COPIED: Size = Size { values: 1_000_000, bytes: 64 * 1024 * 1024, depth: MAX_DEPTH };

/// How much of what the parser or the text says is told.
const LONGEST: usize = 200;

/// The value of a text, of which only one document is taken. An empty one is null.
pub(super) fn read(text: &str) -> Result<Loaded, Refusal> {
    let mut options = Options::default();
    options.block_scalar_eof_without_line_feed = true;
    options.set_emit_comments(false);
    let mut reader = Reader {
        events: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        depth: 0,
        copied: Size::default(),
        notes: Notes::default(),
    };
    let mut root = None;
    loop {
        let (event, at) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(..) if root.is_some() => {
                return Err(Refusal::new(at, "a second document begins here: an experiment is a file of its own"));
            }
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            event => {
                let node = reader.node(event, at)?;
                root = Some((node.value, Mark { at, inner: node.inner }));
            }
        }
    }
    let nothing = (Value::Null, Mark { at: Position::START, inner: Inner::Single });
    let (value, mark) = root.unwrap_or(nothing);
    Ok(reader.notes.loaded(value, mark))
}

/// A value that was read.
#[derive(Debug, Clone)]
struct Node {
    value: Value,
    inner: Inner,
    size: Size,
}

/// How much there is in a value.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    values: u64,
    bytes: u64,
    /// How many lists and mappings are in each other.
    depth: usize,
}

impl Size {
    /// Adds what is a part.
    fn add(&mut self, part: Self) {
        self.values = self.values.saturating_add(part.values);
        self.bytes = self.bytes.saturating_add(part.bytes);
        self.depth = self.depth.max(part.depth);
    }
}

/// What `<<` brings into a mapping, with the marks.
type Entries = Map<String, Value>;
type Marks = HashMap<String, Mark>;

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    depth: usize,
    copied: Size,
    notes: Notes,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Position), Refusal> {
        match self.events.next() {
            // The parser's word for what is not written at all.
            Some(Ok((Event::Scalar(_, ScalarStyle::Plain, anchor, tag), span))) if span.is_empty() => {
                Ok((Event::Scalar("".into(), ScalarStyle::Plain, anchor, tag), position(&span)))
            }
            Some(Ok((event, span))) => Ok((event, position(&span))),
            Some(Err(error)) => {
                let at = Position { line: error.marker().line() as u64, column: error.marker().col() as u64 + 1 };
                Err(refusal(&error, at))
            }
            None => Err(Refusal::new(Position::START, "the text ends in the middle of a value")),
        }
    }

    /// The value that begins with `event`.
    fn node(&mut self, event: Event<'t>, at: Position) -> Result<Node, Refusal> {
        match event {
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id) else {
                    return Err(Refusal::new(at, "this alias stands inside of what it names"));
                };
                let size = node.size;
                self.count_copy(size, at)?;
                // It was there a moment ago.
                self.anchors.get(&id).cloned().ok_or_else(|| Refusal::new(at, "this alias names nothing"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), at)?;
                let size = Size { values: 1, bytes: text.len() as u64, depth: 0 };
                self.keep(anchor, Node { value, inner: Inner::Single, size }, at)
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", "a list", at)?;
                let node = self.nested(at, Self::list)?;
                self.keep(anchor, node, at)
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", "a mapping", at)?;
                let node = self.nested(at, Self::map)?;
                self.keep(anchor, node, at)
            }
            _ => Err(Refusal::new(at, "a value is expected here")),
        }
    }

    /// Keeps a value that has an anchor for its aliases.
    fn keep(&mut self, anchor: usize, node: Node, at: Position) -> Result<Node, Refusal> {
        // The parser's word for no anchor.
        if anchor != 0 {
            self.count_copy(Size { depth: 0, ..node.size }, at)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count_copy(&mut self, size: Size, at: Position) -> Result<(), Refusal> {
        if self.depth + size.depth > MOST_COPIED.depth {
            return Err(Refusal::too_deep(at));
        }
        self.copied.add(size);
        if self.copied.values > MOST_COPIED.values || self.copied.bytes > MOST_COPIED.bytes {
            return Err(Refusal::new(at, "aliases multiply this document beyond any measure"));
        }
        Ok(())
    }

    fn nested(&mut self, at: Position, read: impl FnOnce(&mut Self) -> Result<Node, Refusal>) -> Result<Node, Refusal> {
        if self.depth == MAX_DEPTH {
            return Err(Refusal::too_deep(at));
        }
        self.depth += 1;
        let mut node = read(self)?;
        self.depth -= 1;
        node.size.depth += 1;
        Ok(node)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Result<Value, Refusal> {
        let read = match tag {
            None if style != ScalarStyle::Plain => return Ok(text.into()),
            None => scalar::plain(text),
            Some(tag) if is_non_specific(tag) => scalar::plain(text),
            Some(tag) => kind(tag)
                .and_then(|kind| scalar::tagged(&kind, text))
                .unwrap_or_else(|| Err(refused(tag, "a single value"))),
        };
        let (value, notice) = read.map_err(|message| Refusal::new(at, message))?;
        if let Some(notice) = notice {
            self.notes.notice(notice, at);
        }
        Ok(value)
    }

    fn list(&mut self) -> Result<Node, Refusal> {
        let (mut items, mut marks) = (Vec::new(), Vec::new());
        let mut size = Size { values: 1, ..Size::default() };
        loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                break;
            }
            let back = self.notes.enter(&items.len().to_string());
            let node = self.node(event, at)?;
            self.notes.leave(back);
            size.add(node.size);
            items.push(node.value);
            marks.push(Mark { at, inner: node.inner });
        }
        Ok(Node { value: Value::Array(items), inner: Inner::List(Arc::new(marks)), size })
    }

    fn map(&mut self) -> Result<Node, Refusal> {
        let (mut own, mut marks) = (Entries::new(), Marks::new());
        let (mut all, mut all_marks) = (Entries::new(), Marks::new());
        let mut merged: Option<Position> = None;
        let mut size = Size { values: 1, ..Size::default() };
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let key = self.key(event, at)?;
            let name = key.as_deref().unwrap_or("<<");
            let first = if key.is_some() { marks.get(name).map(|mark| mark.at) } else { merged };
            if let Some(first) = first {
                self.notes.duplicate(name, at, first);
            }
            let (event, value_at) = self.next()?;
            let back = self.notes.enter(name);
            let node = self.node(event, value_at)?;
            self.notes.leave(back);
            size.add(node.size);
            size.bytes = size.bytes.saturating_add(name.len() as u64);
            if let Some(key) = key {
                marks.insert(key.clone(), Mark { at, inner: node.inner });
                own.insert(key, node.value);
            } else {
                let (entries, entry_marks) = self.merge(node, value_at)?;
                all.extend(entries);
                all_marks.extend(entry_marks);
                merged.get_or_insert(at);
            }
        }
        if merged.is_none() {
            (all, all_marks) = (own, marks);
        } else {
            // What is merged stands in front, and what stands in the mapping itself goes before it.
            all.extend(own);
            all_marks.extend(marks);
        }
        Ok(Node { value: Value::Object(all), inner: Inner::Map(Arc::new(all_marks)), size })
    }

    /// The text of a key. None for the `<<` that merges.
    fn key(&mut self, event: Event<'t>, at: Position) -> Result<Option<String>, Refusal> {
        match &event {
            Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<" => return Ok(None),
            // Without a meaning only here.
            Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "=" => return Ok(Some("=".to_owned())),
            Event::Scalar(text, ScalarStyle::Plain, _, None) if text.is_empty() => {
                return Err(Refusal::new(at, "a key is missing: if it is meant to be empty, write `~` or `\"\"`"));
            }
            Event::Scalar(..) | Event::Alias(_) => {}
            _ => return Err(Refusal::new(at, "a key is a single value, no list and no mapping")),
        }
        let is_alias = matches!(event, Event::Alias(_));
        let node = self.node(event, at)?;
        match scalar::key(&node.value) {
            Some(key) => Ok(Some(key)),
            None if is_alias => Err(Refusal::new(at, "a key is a single value; this alias names a list or a mapping")),
            None => Err(Refusal::new(at, "a key is a single value")),
        }
    }

    /// The entries that `<<` brings in: those of a mapping, or of several, of which the first with a key wins.
    fn merge(&mut self, node: Node, at: Position) -> Result<(Entries, Marks), Refusal> {
        let refuse = || Refusal::new(at, "`<<` takes a mapping or a list of mappings");
        match (node.value, node.inner) {
            (Value::Object(entries), Inner::Map(marks)) => Ok((entries, Arc::unwrap_or_clone(marks))),
            (Value::Array(items), Inner::List(item_marks)) => {
                let (mut all, mut all_marks) = (Entries::new(), Marks::new());
                for (item, mark) in items.into_iter().zip(item_marks.iter()) {
                    let (Value::Object(entries), Inner::Map(marks)) = (item, &mark.inner) else { return Err(refuse()) };
                    for (key, value) in entries {
                        match (all.get(&key), marks.get(&key)) {
                            (Some(first), _) if *first != value => {
                                let message = format!("the merged mappings do not agree on `{key}`: the first counts");
                                self.notes.notice(message, at);
                            }
                            (None, Some(mark)) => {
                                all_marks.insert(key.clone(), mark.clone());
                                all.insert(key, value);
                            }
                            _ => {}
                        }
                    }
                }
                Ok((all, all_marks))
            }
            _ => Err(refuse()),
        }
    }
}

/// What the parser says, in the words of who wrote the text where it is a usual slip.
fn refusal(error: &ScanError, at: Position) -> Refusal {
    let message = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return Refusal::too_deep(at),
        ErrorKind::UnknownAnchor => "no value before this has an anchor of that name",
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation => "a tab cannot indent anything: use spaces",
        ErrorKind::MappingValueNotAllowed => "no key can be here: a text with `: ` in it has to be in quotes",
        ErrorKind::ExpectedBlockMappingKey => {
            "a key of the mapping above is expected: is it indented as the keys before it?"
        }
        ErrorKind::UnknownQuotedScalarEscape => "in double quotes a backslash is written `\\\\`: or use single quotes",
        ErrorKind::UndeclaredTagHandle => "tags such as `!name` are not taken: remove it",
        ErrorKind::UnexpectedCharacter { .. } => "a text cannot begin with this character: put it in quotes",
        _ => return Refusal::new(at, short(&error.info())),
    };
    Refusal::new(at, message)
}

fn position(span: &Span) -> Position {
    Position { line: span.start.line() as u64, column: span.start.col() as u64 + 1 }
}

/// The `!` that stands alone, which means nothing.
fn is_non_specific(tag: &Tag) -> bool {
    tag.original() == "!"
}

/// The name of one of YAML's own tags, such as `int`.
fn kind(tag: &Tag) -> Option<String> {
    format!("{}{}", tag.handle(), tag.suffix()).strip_prefix("tag:yaml.org,2002:").map(str::to_owned)
}

fn check_tag(tag: Option<&Tag>, wanted: &str, what: &str, at: Position) -> Result<(), Refusal> {
    match tag {
        Some(tag) if !is_non_specific(tag) && kind(tag).as_deref() != Some(wanted) => {
            Err(Refusal::new(at, refused(tag, what)))
        }
        _ => Ok(()),
    }
}

fn refused(tag: &Tag, what: &str) -> String {
    format!("the tag `{}` is not taken for {what}: remove it", short(&tag.original()))
}

/// No more than a line of a text of any length.
fn short(text: &str) -> String {
    text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
