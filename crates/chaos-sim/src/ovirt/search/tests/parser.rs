//! How the engine reads: the reasons for what it refuses, and what surprises in what it takes.

use super::*;

fn invalid(text: &str) -> Option<Invalid> {
    parse(text, Kind::Vms).err()
}

fn printed(text: &str) -> String {
    parse(text, Kind::Vms).map_or_else(|error| error.to_string(), |query| query.to_string())
}

#[test]
fn a_refused_search_says_why() {
    assert_eq!(invalid("name=o'brien"), Some(Invalid::Character('\'')));
    assert_eq!(invalid("name=a;b"), Some(Invalid::Character(';')));
    assert_eq!(invalid("name=a\"b"), Some(Invalid::Quote));
    assert_eq!(invalid("name=a\\"), Some(Invalid::Backslash));
    assert_eq!(invalid("status=powering_up"), Some(Invalid::Value("status")));
    assert_eq!(invalid("name>a"), Some(Invalid::Relation("name")));
    assert_eq!(invalid("hosts>a"), Some(Invalid::Relation("host")));
    assert_eq!(invalid("hosts.bogus=a"), Some(Invalid::Field("host")));
    assert_eq!(invalid("one two"), Some(Invalid::SecondFreeText("vm")));
    assert_eq!(invalid("host=one and host=two"), Some(Invalid::SecondFreeText("host")));
    assert_eq!(invalid("sortby bogus"), Some(Invalid::SortField));
    assert_eq!(invalid("sortby name page 2"), Some(Invalid::SortDirection));
    assert_eq!(invalid("sortby name asc name=a"), Some(Invalid::AfterSort));
    assert_eq!(invalid("page x"), Some(Invalid::PageNumber));
    assert_eq!(invalid("page 1 name=a"), Some(Invalid::AfterPage));
    assert_eq!(invalid("name="), Some(Invalid::Incomplete));
}

#[test]
fn operators_bind_in_three_steps() {
    assert_eq!(printed("name=a or name=b and name=c"), r#"name="a" or name="b" and name="c""#);
    // What merely stands side by side is joined last: this is (a or b) and (c or d).
    let rows = ["a", "b"].map(|name| Thing::new(name).with("comment", if name == "a" { "c" } else { "x" }));
    assert_eq!(found("name=a or name=b comment=c or comment=d", Kind::Vms, &rows), Ok("a".to_owned()));
    assert_eq!(found("name=b or name=a and comment=d or comment=c", Kind::Vms, &rows), Ok("a b".to_owned()));
}

#[test]
fn a_name_ends_with_its_last_letter() {
    assert_eq!(printed("name=a androids"), r#"name="a" and "roids""#);
    assert_eq!(printed("name=a and namesake"), "\"name\" cannot be compared in this way");
    assert_eq!(printed("hostile"), "\"host\" cannot be compared in this way");
    assert_eq!(printed("pages"), "`page` needs a number");
    // Only at the very beginning does a field need an operator behind it.
    assert_eq!(printed("namesake"), "\"namesake\"");
    assert_eq!(printed("name=a andname=b"), r#"name="a" and name="b""#);
    assert_eq!(printed("name=a name=b"), r#"name="a" name="b""#);
}

#[test]
fn words_that_could_become_a_name_are_forgotten_or_make_the_search_invalid() {
    // `vm` could become `vms`: it is no free text, and a search cannot end with it.
    assert_eq!(invalid("name=my vm"), Some(Invalid::Incomplete));
    assert_eq!(printed("name=my server"), r#"name="my""server""#);
    assert_eq!(printed("name=my vm x name=b"), r#"name="my" name="b""#);
}

#[test]
fn a_blank_before_a_quoted_free_text_is_a_part_of_it() {
    let rows = [Thing::new("a").with("comment", "b c")];
    assert_eq!(found("name=\"a\"\"b c\"", Kind::Vms, &rows), Ok("a".to_owned()));
    assert_eq!(found("name=\"a\" and \"b c\"", Kind::Vms, &rows), Ok("a".to_owned()));
    assert_eq!(found("name=\"a\" \"b c\"", Kind::Vms, &rows), Ok(String::new()));
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_as_good_as_nothing_at_the_beginning() {
    assert_eq!(printed("\"web"), "");
    assert_eq!(invalid("name=\"web"), Some(Invalid::Incomplete));
    assert_eq!(invalid("name=a and \"web"), Some(Invalid::Incomplete));
}

#[test]
fn something_behind_the_number_of_a_page_makes_it_the_first() {
    let rows = ["a", "b"].map(Thing::new);
    assert_eq!(paged("page 2", Kind::Vms, &rows, Some(1)), Ok("b".to_owned()));
    assert_eq!(paged("page 2 ", Kind::Vms, &rows, Some(1)), Ok("a".to_owned()));
    assert_eq!(invalid("page 2 and"), Some(Invalid::AfterPage));
}

#[test]
fn a_chain_as_long_as_a_request_line_is_read_at_once() {
    let ids: Vec<String> = (0..120).map(|n| format!("id=7f0f4b9c-4f0e-4f6e-a7a5-{n:012x} and status!=down")).collect();
    let chain = ids.join(" or ");
    assert_eq!(
        parse(&chain, Kind::Vms).unwrap().to_string(),
        chain.replace("id=", "id=\"").replace(" and", "\" and").replace("!=down", "!=\"down\"")
    );
}
