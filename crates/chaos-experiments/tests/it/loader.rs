//! Where the parts of a document stand, what is told of them, and what is refused at once.

use std::fmt::Write;
use std::time::{Duration, Instant};

use chaos_experiments::{Document, Experiment, Position};
use serde_json::{Map, Value, json};

use crate::lab::inputs;

fn yaml(text: &str) -> Document {
    Document::from_yaml("e.yaml", text).unwrap()
}

fn json(text: &str) -> Document {
    Document::from_json("e.json", text).unwrap()
}

/// The pointers of all values with their line and column.
fn positions(document: &Document) -> Vec<String> {
    fn walk(document: &Document, value: &Value, pointer: &str, to: &mut Vec<String>) {
        let Position { line, column } = document.position(pointer).unwrap();
        to.push(format!("{line}:{column} {pointer}"));
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    walk(document, value, &format!("{pointer}/{key}"), to);
                }
            }
            Value::Array(items) => {
                for (at, value) in items.iter().enumerate() {
                    walk(document, value, &format!("{pointer}/{at}"), to);
                }
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    walk(document, &document.root().clone().into(), "", &mut all);
    all
}

#[test]
fn every_value_of_a_json_text_knows_its_place() {
    let text = "\u{feff}\n{\"é😀\": 1, \"a/b\": {\"~\": null},\r\n\t\"list\": [ true,\n[\"x\"],\n  {\"k\":\n3} ]}\n";
    assert_eq!(
        positions(&json(text)),
        [
            "2:1 ",
            "2:2 /é😀",
            "2:11 /a~1b",
            "2:19 /a~1b/~0",
            "3:2 /list",
            "3:12 /list/0",
            "4:1 /list/1",
            "4:2 /list/1/0",
            "5:3 /list/2",
            "5:4 /list/2/k",
        ]
    );
}

#[test]
fn every_value_of_a_yaml_text_knows_its_place() {
    let text = "\u{feff}# first\n---\n'é😀': 1\nbase: &base\n  x: {a: 1, b: [2]}\nlist:\n- &one yes\n- *one\n-  k: |\n     x\n   l:\n\
                own:\n  <<: *base\n  y: !!str 5\n? q\n: 1\n";
    assert_eq!(
        positions(&yaml(text)),
        [
            "3:1 ",
            "3:1 /é😀",
            "4:1 /base",
            "5:3 /base/x",
            "5:7 /base/x/a",
            "5:13 /base/x/b",
            "5:17 /base/x/b/0",
            "6:1 /list",
            "7:8 /list/0",
            "8:3 /list/1",
            "9:4 /list/2",
            "9:4 /list/2/k",
            "11:4 /list/2/l",
            "12:1 /own",
            // What was merged stands where it is written.
            "5:3 /own/x",
            "5:7 /own/x/a",
            "5:13 /own/x/b",
            "5:17 /own/x/b/0",
            "14:3 /own/y",
            "15:3 /q",
        ]
    );
}

#[test]
fn what_is_not_there_has_the_place_of_what_is_nearest() {
    let document = json("{\n \"a\": {\n  \"b\": [1, 2]}}");
    let line = |pointer: &str| document.position(pointer).map(|position| position.line);
    assert_eq!(
        ["/x", "/x/y", "/a/x", "/a/b/2", "/a/b/0/x", "/a/b/00", "/a/b/+0", "/a/b/-"].map(line),
        [1, 1, 2, 3, 3, 3, 3, 3].map(Some)
    );
    assert_eq!(document.position("a"), None);
    assert_eq!(Document::from_value("v", json!({"a": 1})).unwrap().position("/a"), None);
}

#[test]
fn what_is_not_taken_over_as_it_is_written_is_told() {
    let told = |document: &Document| -> Vec<String> {
        document.notices().iter().map(|notice| notice.within(document.name()).to_string()).collect()
    };
    assert_eq!(
        told(&json(r#"{"a": [1e400, NaN], "b": -123456789012345678901, "c": {"d": "\ud800"}}"#)),
        [
            "e.json:1:8: /a/0: a number that is infinite or no number (NaN) is taken as a text",
            "e.json:1:15: /a/1: a number that is infinite or no number (NaN) is taken as a text",
            "e.json:1:26: /b: a whole number of more than 64 bits is taken as a text",
            "e.json:1:62: /c/d: half of a surrogate pair is no character: it is taken as U+FFFD",
        ]
    );
    assert_eq!(
        told(&yaml("a: .inf\nb: [{aa: 1}, {aa: 2}]\nc: {<<: [{aa: 1}, {aa: 2}]}\n")),
        [
            "e.yaml:1:4: /a: a number that is infinite or no number (NaN) is taken as a text",
            "e.yaml:3:9: /c: the merged mappings do not agree on `aa`: the first counts",
        ]
    );
    let many = format!("{{\"a\": [{}0]}}", "NaN, ".repeat(5000));
    assert_eq!(json(&many).notices().len(), 100);
    assert_eq!(yaml("a: 1\n<<: {b: 1}\n<<: {b: 2}").duplicates()[0].place, "/<<");
}

#[test]
fn a_mistake_in_a_json_text_is_told_with_what_was_meant() {
    let message = |text: &str| Document::from_json("e", text).unwrap_err().to_string();
    for (text, expected) in [
        (
            "{\n  \"a\": 1,\n}",
            "e:3:1: a key in double quotes is expected, not `}`: the comma before it is one too many",
        ),
        ("{\"a\": [1, 2,]}", "e:1:13: a value is expected, not `]`: the comma before it is one too many"),
        ("{\"a\": 1\n\"b\": 2}", "e:2:1: `,` or `}` is expected, not `\"`: a comma is missing before it"),
        (
            "{'a': 1}",
            "e:1:2: a key in double quotes or `}` is expected, not `'`: JSON has double quotes, no single ones",
        ),
        ("{a: 1}", "e:1:2: a key in double quotes or `}` is expected, not `a`: a text has to be in double quotes"),
        ("{\"a\" 1}", "e:1:6: `:` after the key is expected, not `1`"),
        ("{\"a\": True}", "e:1:7: a value is expected, not `T`: JSON writes `true`"),
        ("{\"a\": .5}", "e:1:7: a value is expected, not `.`: a number begins with a digit or `-`"),
        ("{\"a\": 0755}", "e:1:7: a number does not begin with 0: if it is a text, put it in quotes"),
        ("{\"a\": 1 // one\n}", "e:1:9: `,` or `}` is expected, not `/`: JSON has no comments"),
        ("{\"é\": \"b\nc\"}", "e:1:9: a text does not go over the end of a line: close it by `\"`, or write `\\n`"),
        ("{\"a\": \"C:\\x\"}", "e:1:10: this is no escape: a backslash itself is written `\\\\`"),
        ("{\"a\": \"b", "e:1:9: the text that begins on line 1, column 7, has no end"),
        ("{\"a\": [1", "e:1:9: `,` or `]` is expected, not the end of the text"),
        ("{\"a\": 1} x", "e:1:10: the end of the text is expected, not `x`"),
        ("{\u{a0}\"a\": 1}", "e:1:2: a key in double quotes or `}` is expected, not the character U+00A0"),
    ] {
        assert_eq!(message(text), expected);
    }
    assert!(message(" \n").contains("this is empty"));
}

#[test]
fn a_mistake_in_a_yaml_text_is_told_with_its_place() {
    let message = |text: &str| Document::from_yaml("e", text).unwrap_err().to_string();
    for (text, expected) in [
        ("a: 1\nb: !x y\n", "e:2:7: the tag `!x` is not taken for a single value: remove it"),
        ("a: !!binary aGk=", "e:1:13: the tag `!!binary` is not taken for a single value: remove it"),
        ("a:\n  ? [x]\n  : y", "e:2:5: a key is a single value, no list and no mapping"),
        ("a: &x [x]\n*x : y", "e:2:1: a key is a single value; this alias names a list or a mapping"),
        ("a: &x [*x]", "e:1:8: this alias stands inside of what it names"),
        ("<<: 5", "e:1:5: `<<` takes a mapping or a list of mappings"),
        ("a: 2020-13-01", "e:1:4: there is no such date or time: if it is a text, put it in quotes"),
        ("a: =", "e:1:4: `=` has a meaning of its own in YAML: if it is a text, put it in quotes"),
        (": a", "e:1:1: a key is missing: if it is meant to be empty, write `~` or `\"\"`"),
        ("a: !!int x", "e:1:10: this is no whole number"),
        ("a: b: c", "e:1:5: no key can be here: a text with `: ` in it has to be in quotes"),
        ("a:\n  b: 1\n c: 2", "e:3:2: a key of the mapping above is expected: is it indented as the keys before it?"),
        ("a: @x", "e:1:4: a text cannot begin with this character: put it in quotes"),
        ("a: \"C:\\d\"", "e:1:4: in double quotes a backslash is written `\\\\`: or use single quotes"),
        ("a:\n\tb: 1", "e:2:2: a tab cannot indent anything: use spaces"),
        ("a: *y", "e:1:4: no value before this has an anchor of that name"),
    ] {
        assert_eq!(message(text), expected);
    }
}

#[test]
fn what_is_meant_to_exhaust_the_reader_is_refused_at_once() {
    let began = Instant::now();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"a\": {}1{}}}", open.repeat(100_000), close.repeat(100_000));
        for error in [Document::from_json("e", &deep), Document::from_yaml("e", &deep)] {
            let message = error.unwrap_err().to_string();
            assert!(message.contains("nested too deeply"), "{message}");
        }
    }
    let mut deep = String::new();
    for level in 0..2_000 {
        let _ = writeln!(deep, "{}a:", " ".repeat(level));
    }
    assert!(Document::from_yaml("e", &deep).unwrap_err().to_string().starts_with("e:101:"));
    let list = "- ".repeat(100_000);
    assert!(Document::from_yaml("e", &list).is_err());

    // Each line is nine times the one before.
    let mut values = "a0: &a0 [x]\n".to_owned();
    let mut texts = format!("a0: &a0 {}\n", "x".repeat(100_000));
    let mut merged = "a0: &a0 {k: v}\n".to_owned();
    let mut levels = "a0: &a0 []\n".to_owned();
    for level in 1..=200 {
        let alias = format!("*a{}", level - 1);
        let nine = [alias.as_str(); 9].join(", ");
        let _ = writeln!(values, "a{level}: &a{level} [{nine}]");
        let _ = writeln!(texts, "a{level}: &a{level} [{nine}]");
        let _ = writeln!(merged, "a{level}: &a{level} {{k{level}: {alias}, l{level}: {alias}, <<: {alias}}}");
        let _ = writeln!(levels, "a{level}: &a{level} [{alias}]");
    }
    for bomb in [values, texts, merged] {
        let message = Document::from_yaml("e", &bomb).unwrap_err().to_string();
        assert!(message.contains("aliases multiply this document beyond any measure"), "{message}");
    }
    let message = Document::from_yaml("e", &levels).unwrap_err().to_string();
    assert_eq!(message, "e:100:12: nested too deeply: 100 levels are the limit");

    let digits = format!("a: 0x{}", "f".repeat(4_000_000));
    assert!(Document::from_yaml("e", &digits).unwrap_err().to_string().contains("at most 4300 digits"));
    let one_line = format!("{{\"a\": [{}0]}}", "{\"k\":0},".repeat(200_000));
    assert_eq!(json(&one_line).position("/a/199999/k").unwrap().column, 8 + 199_999 * 8 + 1);
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
}

#[test]
fn a_document_as_deep_as_it_may_be_can_be_written_and_read_again() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(99), "]".repeat(99));
    let text = serde_json::to_string(json(&deep).root()).unwrap();
    assert_eq!(serde_json::from_str::<Map<String, Value>>(&text).unwrap(), *json(&deep).root());
    assert_eq!(yaml(&deep), yaml(&text));
}

const WRONG: &str = "title: t
description: d
configuration:
  port: .inf
method:
  - type: action
    name: \"off\"
    provider:
      type: python
      module: chaosmonkey.vm
      func: vm_explode
  - type: action
    name: \"off\"
    name: again
";

#[test]
fn findings_tell_the_line_and_the_column_of_what_they_are_about() {
    let findings = Experiment::new(&yaml(WRONG), &inputs(&[])).unwrap_err();
    insta::assert_snapshot!(findings);
    assert_eq!(findings.list[0].position, Some(Position { line: 14, column: 5 }));
}
