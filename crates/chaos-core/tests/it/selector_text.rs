//! The selector language as a text: what is read, how it is written down again, and what is wrong with the rest.

use chaos_core::{Amount, Error, ErrorKind, Filter, GroupKind, Selection};
use proptest::prelude::*;
use proptest::sample::select;

fn canonical(text: &str) -> String {
    match text.parse::<Selection>() {
        Ok(selection) => selection.to_string(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn each_text_has_one_canonical_form() {
    for (text, expected) in [
        ("web-01", "web-01"),
        ("\"web-01\"", "web-01"),
        ("name:web-01", "web-01"),
        ("name:all or \"and\" or \"take\"", "\"all\" or \"and\" or \"take\""),
        ("name:a:b", "\"a:b\""),
        ("\"a b\" or cluster:\"(x)\"", "\"a b\" or cluster:\"(x)\""),
        (r#"re:"a\"b" or re:a\d or re:"\\d""#, r#"re:"a\"b" or re:a\d or re:\d"#),
        ("path:DC0/vm/x", "path:/DC0/vm/x"),
        ("folder:/a/b/ or folder:a", "folder:/a/b or folder:a"),
        ("state:on or state:off or state:suspended", "state:powered_on or state:powered_off or state:suspended"),
        ("a and (b and (c)) or (d or e)", "a and b and c or d or e"),
        ("not(a or b)and not not c", "not (a or b) and not not c"),
        ("((a or b) and c)", "(a or b) and c"),
        ("a\n  or\tb", "a or b"),
        ("At or AND or Take", "At or AND or Take"),
        ("all take 3", "all take 3"),
        (
            "all take 012.50% seed 7 max 2 per host at random max 1 per folder",
            "all take 12.5% at random max 2 per host max 1 per folder seed 7",
        ),
        ("at or max take 1 max 1 per datacenter", "at or max take 1 max 1 per datacenter"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
        assert_eq!(canonical(expected), expected);
    }
}

#[test]
fn a_choice_is_what_its_text_says() {
    let selection: Selection = "cluster:prod and not db-* take 20% at random max 1 per host seed 7".parse().unwrap();
    let choice = selection.choice.unwrap();
    assert!(matches!(choice.amount(), Amount::Percent(percent) if percent.millionths() == 200_000));
    assert_eq!((choice.is_random(), choice.seed()), (true, Some(7)));
    let limits: Vec<_> = choice.limits().iter().map(|limit| (limit.most.get(), limit.per)).collect();
    assert_eq!(limits, [(1, GroupKind::Host)]);
    assert_eq!(selection.filter, "cluster:prod and (not db-*)".parse().unwrap());
}

#[test]
fn a_mistake_is_shown_with_its_place_and_the_way_out() {
    let mut wrong = Vec::new();
    for text in [
        "",
        "  ",
        "take 3",
        "web-01 db-01",
        "web-01 adn db-01",
        "web-01, db-01",
        "web-01 AND db-01",
        "web-01 not db-01",
        "and web-01",
        "web-01 and",
        "web-01 and or db-01",
        "not",
        "(web-01",
        "web-01)",
        "(web-01 take 3)",
        "(web-01 db-01)",
        "()",
        "web-(a|b)",
        "\"web-01",
        "re:\"web-\\d\"",
        "\"\"",
        "clutser:prod",
        "http://example.com",
        "cluster: prod",
        "cluster:\"\"",
        "path:/",
        "folder:/",
        "re:\"(\"",
        "re:a{1000000}",
        "re:\"(?x)a#\"",
        "state:onn",
        "state:broken",
        "tools:of",
        "all take",
        "all take 0",
        "all take +3",
        "all take many",
        "all take 0%",
        "all take 101%",
        "all take 0.00001%",
        "all take 20 %",
        "all take 3 at",
        "all take 3 randomly",
        "all take 3 random",
        "all take 3 at random at random",
        "all take 3 max",
        "all take 3 max 0 per host",
        "all take 3 max 1 host",
        "all take 3 max 1 per hots",
        "all take 3 max 1 per rack",
        "all take 3 max 1 per host max 2 per host",
        "all take 3 seed 7",
        "all take 3 at random seed -7",
        "all take 3 at random seed 7 seed 8",
        "all take 3 at random sede 7",
        "all take 3 and web-01",
    ] {
        let error = text.parse::<Selection>().expect_err(text);
        wrong.push(error.to_string());
    }
    insta::assert_snapshot!(wrong.join("\n\n"));
}

#[test]
fn as_an_error_of_the_library_a_mistake_is_one_line() {
    let error: Error = "cluster:prod\nadn \"é\"".parse::<Selection>().unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(
        error.to_string(),
        "`adn` stands where `and`, `or` or `take` is expected: did you mean `and`? (at character 14 of the selector)"
    );
    let error = "web-* take 3".parse::<Filter>().unwrap_err();
    assert_eq!(error.message(), "`take` has no place here: only VMs are described, none are taken");
}

#[test]
fn length_depth_and_expressions_are_bounded() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(canonical(&nested(64)), "a");
    let error = nested(65).parse::<Selection>().unwrap_err();
    assert_eq!((error.offset(), error.message()), (64, "more than 64 parentheses and `not` within one another"));
    assert!(format!("{}a", "not ".repeat(65)).parse::<Selection>().is_err());
    assert!(nested(100_000).parse::<Selection>().is_err());

    let wide = |atoms: usize| vec!["re:a"; atoms].join(" or ");
    assert_eq!(canonical(&wide(64)), wide(64));
    assert_eq!(wide(65).parse::<Selection>().unwrap_err().message(), "a selector holds at most 64 regular expressions");

    assert!("a".repeat(16 * 1024).parse::<Selection>().is_ok());
    assert_eq!("é".repeat(9 * 1024).parse::<Selection>().unwrap_err().offset(), 16 * 1024);
    let grows = vec!["state:on"; 1300].join(" or ");
    assert!(grows.len() < 16 * 1024);
    assert!(grows.parse::<Selection>().unwrap_err().message().ends_with("when it is spelt out"));
}

#[test]
fn a_selector_is_its_text_in_json() {
    let selection: Selection = serde_json::from_str("\"(a) or b take 1\"").unwrap();
    assert_eq!(serde_json::to_string(&selection).unwrap(), "\"a or b take 1\"");
    let filter: Filter = serde_json::from_str("\"\\\"a b\\\"\"").unwrap();
    assert_eq!(serde_json::to_value(&filter).unwrap(), "\"a b\"");
    let error = serde_json::from_str::<Selection>("\"a or\"").unwrap_err().to_string();
    assert!(error.starts_with("a filter is missing at the end (at character 5 of the selector)"), "{error}");
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c*?:{},\\[\\]-]{1,5}",
        "[a-c \"\\\\()\t\n:]{1,5}",
        "\\PC{1,5}",
        select(&["all", "and", "take", "not", "or", "id:", "/", "/a/b", "é"][..]).prop_map(str::to_owned),
    ]
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn atom() -> impl Strategy<Value = String> {
    let prefix = select(
        &[
            "",
            "name:",
            "id:",
            "path:x",
            "cluster:",
            "host:",
            "datacenter:",
            "folder:",
            "folder:/x",
            "guest:",
            "endpoint:",
        ][..],
    );
    prop_oneof![
        6 => (prefix, value()).prop_map(|(prefix, value)| match prefix.split_once(':') {
            Some((word, start)) => format!("{word}:{}", quoted(&format!("{start}{value}"))),
            None => quoted(&value),
        }),
        2 => "[a-d*-]{1,4}",
        1 => select(&["state:on", "tools:running", "all", "re:\"a (b)\"", "platform:vsphere"][..]).prop_map(str::to_owned),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    atom().prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| format!("not ({part})")),
            inner.clone().prop_map(|part| format!("({part})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner, 2..4).prop_map(|parts| parts.join(" or ")),
        ]
    })
}

fn choice() -> impl Strategy<Value = String> {
    let amount = prop_oneof![(1..999_u32).prop_map(|n| n.to_string()), "[1-9]{1,2}(\\.[0-9]{1,4})?%"];
    let limit =
        |group: &'static str| proptest::option::of((1..9_u32).prop_map(move |most| format!("max {most} per {group}")));
    let limits = (limit("host"), limit("cluster"), limit("folder"));
    (amount, proptest::option::of(proptest::option::of(any::<u64>())), limits).prop_map(|(amount, random, limits)| {
        let mut parts: Vec<String> = [limits.2, limits.0, limits.1].into_iter().flatten().collect();
        if let Some(seed) = random {
            parts.push("at random".to_owned());
            parts.extend(seed.map(|seed| format!("seed {seed}")));
        }
        format!(" take {amount} {}", parts.join(" "))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_written_down_is_read_as_the_same(filter in filter(), choice in proptest::option::of(choice())) {
        let text = filter + &choice.unwrap_or_default();
        let selection: Selection = match text.parse() {
            Ok(selection) => selection,
            // Nothing but slashes.
            Err(error) if error.message().contains("path has to follow") => return Err(TestCaseError::reject("no path")),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let written = selection.to_string();
        let again: Selection = written.parse().map_err(|error: chaos_core::SelectorError| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(again.to_string(), written);
        prop_assert_eq!(again, selection);
    }

    #[test]
    fn any_text_is_a_selector_or_a_mistake_with_a_place(
        text in "\\PC{0,40}|([a-c]|and|or|not|take|all|re:|cluster:|\\(|\\)|\"|\\\\| |[0-9]|%|max|per|host|at random|seed|\n){0,20}",
    ) {
        match text.parse::<Selection>() {
            Ok(selection) => {
                let written = selection.to_string();
                prop_assert_eq!(written.parse::<Selection>(), Ok(selection));
            }
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.offset()));
                prop_assert!(!error.message().is_empty() && !error.message().contains('\n'));
                let shown = error.to_string();
                let lines: Vec<&str> = shown.lines().collect();
                prop_assert_eq!(lines.len(), 3, "{}", shown);
                prop_assert!(lines[2].ends_with('^'));
                prop_assert!(lines[2].chars().count() <= lines[1].chars().count().max(2) + 64, "{}", shown);
            }
        }
        let _ = text.parse::<Filter>();
    }
}
