//! YAML, and JSON as a part of it, with the place of every value.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use secrecy::SecretString;

use super::tree::{Member, Node, Place, SyntaxError, Value};

/// Many times what a settings file has. Anchors can multiply a short text without end.
const MOST_NODES: usize = 20_000;

/// The tree of a YAML document. An empty one is a tree of nothing.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut reader = Reader { events: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    let mut root = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(..) if root.is_some() => {
                return Err(SyntaxError::new(place(&span), "there is a second document after `---`: keep one"));
            }
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd | Event::Comment(..) => {}
            event => root = Some(reader.node(event, span)?),
        }
    }
    Ok(root.unwrap_or(Node { place: Place { line: 1, column: 1 }, value: Value::Nothing }))
}

/// The tree of a JSON document.
pub(crate) fn parse_json(text: &str) -> Result<Node, SyntaxError> {
    // What is no JSON may well be YAML; who names a file `.json` means JSON.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let place = Place { line: error.line().max(1), column: error.column().max(1) };
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        return Err(SyntaxError::new(place, reason));
    }
    parse(text)
}

struct Reader<'t> {
    events: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), SyntaxError> {
        match self.events.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let marker = error.marker();
                let place = Place { line: marker.line(), column: marker.col() + 1 };
                Err(SyntaxError::new(place, error.info().clone()))
            }
            None => Err(SyntaxError::new(Place { line: 1, column: 1 }, "the file ends in the middle of a value")),
        }
    }

    /// The next event that is no comment.
    fn next_of_value(&mut self) -> Result<(Event<'t>, Span), SyntaxError> {
        loop {
            let next = self.next()?;
            if !matches!(next.0, Event::Comment(..)) {
                return Ok(next);
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, SyntaxError> {
        let place = place(&span);
        self.count(1, place)?;
        let (value, anchor) = match event {
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned();
                let node = node.ok_or_else(|| SyntaxError::new(place, "the alias stands inside of what it names"))?;
                self.count(node.count(), place)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
                    return Err(SyntaxError::new(place, "tags such as `!name` mean nothing here: remove it"));
                }
                let is_nothing = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                (if is_nothing { Value::Nothing } else { Value::Text(SecretString::from(text.into_owned())) }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map()?, anchor),
            _ => return Err(SyntaxError::new(place, "a value is expected here")),
        };
        let node = Node { place, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, place: Place) -> Result<(), SyntaxError> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            return Err(SyntaxError::new(place, format!("these are more than {MOST_NODES} values")));
        }
        Ok(())
    }

    fn list(&mut self) -> Result<Value, SyntaxError> {
        let mut list = Vec::new();
        loop {
            match self.next_of_value()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(list)),
                (event, span) => list.push(self.node(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Value, SyntaxError> {
        let mut members: Vec<Member> = Vec::new();
        let mut merged: Vec<Member> = Vec::new();
        loop {
            let (key, at) = match self.next_of_value()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(text, ..), span) => (text.into_owned(), place(&span)),
                (_, span) => return Err(SyntaxError::new(place(&span), "a key has to be a word")),
            };
            let (event, span) = self.next_of_value()?;
            let node = self.node(event, span)?;
            if key == "<<" {
                merged.extend(merge(node)?);
                continue;
            }
            if let Some(first) = members.iter().find(|member| member.key == key) {
                return Err(SyntaxError::twice(&key, first.place, at));
            }
            members.push(Member { key, place: at, node });
        }
        // What stands in the map itself goes before what is merged into it.
        for member in merged {
            if members.iter().all(|there| there.key != member.key) {
                members.push(member);
            }
        }
        Ok(Value::Map(members))
    }
}

/// What `<<` brings into a map: the members of one map, or of several, of which the first to have a key wins.
fn merge(node: Node) -> Result<Vec<Member>, SyntaxError> {
    match node.value {
        Value::Map(members) => Ok(members),
        Value::List(list) => Ok(list.into_iter().map(merge).collect::<Result<Vec<_>, _>>()?.concat()),
        Value::Nothing | Value::Text(_) => Err(SyntaxError::new(node.place, "only maps can be merged with `<<`")),
    }
}

fn place(span: &Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// The leaves as `path=text@line`.
    fn leaves(node: &Node, path: &str, to: &mut Vec<String>) {
        match &node.value {
            Value::Nothing => to.push(format!("{path}@{}", node.place.line)),
            Value::Text(text) => to.push(format!("{path}={}@{}", text.expose_secret(), node.place.line)),
            Value::List(list) => list.iter().for_each(|node| leaves(node, &format!("{path}[]"), to)),
            Value::Map(members) => {
                for member in members {
                    leaves(&member.node, &format!("{path}/{}", member.key), to);
                }
            }
        }
    }

    fn read(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        leaves(&parse(text).unwrap(), "", &mut found);
        found
    }

    #[test]
    fn texts_are_kept_as_they_are_written() {
        assert_eq!(
            read("# first\na: 0755\nb: no # not\nc: '0x1F'\nd:\n  - 1e3\n  - \"two\\n\"\ne: ~\nf:\n"),
            ["/a=0755@2", "/b=no@3", "/c=0x1F@4", "/d[]=1e3@6", "/d[]=two\n@7", "/e@8", "/f@9"]
        );
    }

    #[test]
    fn json_is_read_with_its_lines_and_nothing_else_is_json() {
        let mut found = Vec::new();
        let text = "{\n\t\"a\": {\"b\": 7, \"c\": true},\n\t\"d\": [\"\\u00e9\\/\", null]\n}\n";
        leaves(&parse_json(text).unwrap(), "", &mut found);
        assert_eq!(found, ["/a/b=7@2", "/a/c=true@2", "/d[]=é/@3", "/d[]@3"]);
        assert_eq!(parse_json("{\n a: 1}").unwrap_err().place.line, 2);
    }

    #[test]
    fn anchors_and_merges_save_typing() {
        let text = "base: &base {user: ann, port: 1}\nlab:\n  <<: *base\n  port: 2\nlist: [*base]\n";
        assert_eq!(
            read(text),
            [
                "/base/user=ann@1",
                "/base/port=1@1",
                "/lab/port=2@4",
                "/lab/user=ann@1",
                "/list[]/user=ann@1",
                "/list[]/port=1@1"
            ]
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        for (text, line, reason) in [
            ("a: 1\nb: 2\na: 3\n", 3, "given twice, first in line 1"),
            ("a: 1\n---\nb: 2\n", 2, "second document"),
            ("a: !vault secret\n", 1, "tags"),
            ("a:\n  - b\n c: 1\n", 3, ""),
            ("[a]: 1\n", 1, "a key has to be a word"),
            ("a: 1\n<<: 2\n", 2, "only maps"),
            ("a: &a [*a]\n", 1, "inside of what it names"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.place.line == line && error.reason.contains(reason), "{text:?}: {error:?}");
        }
    }

    #[test]
    fn a_short_text_cannot_become_a_huge_tree() {
        let level = |level: usize| {
            let alias = format!("*a{}", level - 1);
            format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(","))
        };
        let text: String = (1..9).map(level).collect();
        let text = format!("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n{text}");
        assert!(parse(&text).unwrap_err().reason.contains("more than"));
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
