//! What holds for any text: nothing panics, and what is printed means what was read.

use proptest::prelude::*;

use super::*;

const KINDS: [Kind; 5] = [Kind::Vms, Kind::Hosts, Kind::Clusters, Kind::Datacenters, Kind::Events];

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(&KINDS[..])
}

/// Something that is a part of a search, or nearly.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "name",
        "status",
        "memory",
        "id",
        "tag",
        "hosts.",
        "host",
        "vms.",
        "event_vm",
        "time",
        "uptime",
        "type",
        "severity",
        "and",
        "or",
        "sortby",
        "page",
        "asc",
        "desc",
        "=",
        "!=",
        "<",
        ">=",
        "!",
        "\"",
        "*",
        "\\",
        "%",
        "_",
        "(",
        ")",
        "not",
        "in",
        " ",
        "  ",
        "\t",
        ".",
        "up",
        "poweringup",
        "1",
        "22",
        "today",
        "1/2/24",
        "web-*",
        "ß",
        "ı",
        "日本",
        "\"a b\"",
        "\"\"",
        "null",
        "'",
        ";",
        "datacenter",
        "cluster",
        "quota",
    ];
    prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => "[a-z]{1,6}", 1 => ".{0,3}"]
}

fn search() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..12)
        .prop_flat_map(|pieces| prop_oneof![Just(pieces.join(" ")), Just(pieces.concat())])
}

/// A term that is well formed.
fn term() -> impl Strategy<Value = String> {
    let text = "[a-zA-Z0-9 ()=*%_.ß-]{0,10}";
    prop_oneof![
        text.prop_map(|value| format!("name=\"{value}\"")),
        text.prop_map(|value| format!("hosts.name!=\"{value}\"")),
        any::<i32>().prop_map(|value| format!("memory>={value}")),
        prop::sample::select(vec!["up", "down", "poweringup"]).prop_map(|value| format!("status!={value}")),
        Just("tag=chaos".to_owned()),
    ]
}

/// Well formed terms with operators between them.
fn terms() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec![" and ", " or ", " "]);
    (term(), prop::collection::vec((operator, term()), 0..6)).prop_map(|(first, rest)| {
        let rest: String = rest.iter().flat_map(|(operator, term)| [*operator, term]).collect();
        format!("{first}{rest}")
    })
}

/// A search that is well formed.
fn well_formed() -> impl Strategy<Value = String> {
    let ends = vec!["", " sortby name", " sortby memory desc", " sortby name asc page 2", " page 3"];
    (terms(), prop::sample::select(ends)).prop_map(|(terms, end)| format!("{terms}{end}"))
}

fn rows() -> Vec<Thing> {
    vec![
        Thing::new("web-01").with("status", "up").with("memory", 1024).tagged(&[&["chaos"]]),
        Thing::new("a b").with("status", "poweringup").with("memory", 7).to(Kind::Hosts, Thing::new("h1")),
        Thing::default(),
    ]
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![search(), any::<String>()], of in kind(), max in prop::option::of(0..4_usize)) {
        if let Ok(query) = parse(&text, of) {
            let found = query.select(rows(), max, reading());
            prop_assert!(found.len() <= max.unwrap_or(3));
            query.malformed_id();
        }
    }

    #[test]
    fn a_well_formed_search_is_taken_and_printed_as_one_that_means_the_same(text in well_formed()) {
        let query = parse(&text, Kind::Vms).unwrap();
        prop_assert_eq!(parse(&query.to_string(), Kind::Vms), Ok(query), "{}", text);
    }

    #[test]
    fn whatever_is_taken_is_printed_as_something_that_means_the_same(text in search(), of in kind()) {
        if let Ok(query) = parse(&text, of) {
            let printed = query.to_string();
            // The one thing that no search can say is a quotation mark, which gets into a value by mistake only.
            if !query.terms.iter().flatten().flatten().any(|condition| condition.value.contains('"')) {
                prop_assert_eq!(parse(&printed, of), Ok(query), "{} -> {}", text, printed);
            }
        }
    }

    #[test]
    fn illegal_characters_are_illegal_everywhere(
        before in terms(), after in well_formed(), bad in prop::sample::select(vec!['\'', ';'])
    ) {
        let text = format!("{before} {bad}{after}");
        prop_assert_eq!(parse(&text, Kind::Vms), Err(Invalid::Character(bad)));
    }

    #[test]
    fn pages_together_are_everything_once(count in 0..20_usize, max in 1..6_usize) {
        let rows: Vec<Thing> = (0..count).map(|n| Thing::default().with("name", format!("{n:02}"))).collect();
        let pages = (1..=count / max + 1).map(|page| {
            parse(&format!("sortby name asc page {page}"), Kind::Vms).unwrap().select(rows.clone(), Some(max), reading())
        });
        let names: Vec<String> = pages.flatten().map(|row| row.name()).collect();
        prop_assert_eq!(names, rows.iter().map(Thing::name).collect::<Vec<_>>());
    }
}
