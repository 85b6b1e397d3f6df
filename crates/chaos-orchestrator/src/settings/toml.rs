//! TOML with the place of every value.

use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::{Lines, Member, Node, Place, SyntaxError, Value};

/// The tree of a TOML document.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        SyntaxError::new(lines.place(offset), error.message().to_owned())
    })?;
    Ok(Node { place: Place { line: 1, column: 1 }, value: map(text, &lines, table.get_ref()) })
}

fn map(text: &str, lines: &Lines<'_>, table: &DeTable<'_>) -> Value {
    let mut members: Vec<Member> = table
        .iter()
        .map(|(key, value)| Member {
            key: key.get_ref().to_string(),
            place: lines.place(key.span().start),
            node: node(text, lines, value),
        })
        .collect();
    members.sort_by_key(|member| (member.place.line, member.place.column));
    Value::Map(members)
}

fn node(text: &str, lines: &Lines<'_>, value: &Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let written = || Value::Text(SecretString::from(text.get(span.clone()).unwrap_or_default().to_owned()));
    let inner = match value.get_ref() {
        DeValue::String(string) => Value::Text(SecretString::from(string.to_string())),
        DeValue::Integer(number) => Value::Text(SecretString::from(number.to_string())),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => written(),
        DeValue::Array(list) => Value::List(list.iter().map(|value| node(text, lines, value)).collect()),
        DeValue::Table(table) => map(text, lines, table),
    };
    Node { place: lines.place(span.start), value: inner }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn tables_strings_and_numbers_have_their_lines() {
        let tree = parse("# lab\n[platforms.lab]\nserver = \"vc\"\nport = 8_443\ncommand = ['a', \"b\"]\n").unwrap();
        let Value::Map(top) = &tree.value else { panic!("{tree:?}") };
        assert_eq!((top[0].key.as_str(), top[0].place.line), ("platforms", 2));
        let Value::Map(platforms) = &top[0].node.value else { panic!("{tree:?}") };
        let Value::Map(lab) = &platforms[0].node.value else { panic!("{tree:?}") };
        let shown: Vec<_> = lab.iter().map(|member| (member.key.as_str(), member.node.place.line)).collect();
        assert_eq!(shown, [("server", 3), ("port", 4), ("command", 5)]);
        let Value::Text(port) = &lab[1].node.value else { panic!("{tree:?}") };
        assert_eq!(port.expose_secret(), "8443");
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_place_and_without_its_text() {
        let error = parse("a = 1\nb = hunter2\n").unwrap_err();
        assert_eq!(error.place.line, 2);
        assert!(!error.reason.contains("hunter2"), "{error:?}");
        assert_eq!(parse("a = 1\na = 2\n").unwrap_err().place.line, 2);
    }
}
