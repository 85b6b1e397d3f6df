//! What the engine takes and what it does not: one row for each rule that a client has to know.

use super::*;

const ID: &str = "7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01";
const OTHER_ID: &str = "11111111-2222-3333-4444-555555555555";

/// The VMs that the table is about.
fn vms() -> Vec<Thing> {
    let host = |name| Thing::new(name).with("address", "10.0.0.1").with("status", "up").with("memory", 65536);
    vec![
        Thing::new("db")
            .with("status", "poweringup")
            .with("memory", 4096)
            .with("vcpus", 4)
            .with("uptime", 11 * 86_400)
            .with("cluster", "gold")
            .with("datacenter", "Prod")
            .with("on_host", "h1")
            .with("creationdate", civil::date(2020, 6, 1).at(12, 0, 0, 0))
            .with("id", ID)
            .to(Kind::Hosts, host("h1")),
        Thing::new("my vm")
            .with("status", "down")
            .with("cluster", "silver")
            .with("datacenter", "Prod")
            .with("memory", 512),
        Thing::new("web-01")
            .with("status", "up")
            .with("memory", 1024)
            .with("vcpus", 2)
            .with("uptime", 600)
            .with("cluster", "gold")
            .with("datacenter", "Test")
            .with("on_host", "h2")
            .with("creationdate", civil::date(2024, 1, 31).at(9, 0, 0, 0))
            .with("id", OTHER_ID)
            .with("apps", "kernel-5.14,guest-agent-8")
            .tagged(&[&["chaos-soft", "chaos"], &["team-a"]])
            .to(Kind::Hosts, host("h2")),
        Thing::new("WEB-02").with("memory", 2048).tagged(&[&["chaos"]]).with("comment", "the spare of web-01"),
        Thing::new("=x"),
        Thing::new("a%b"),
        Thing::new("a_b"),
        Thing::new("a\\b"),
        Thing::new("axb"),
        Thing::new("").with("description", "without a name"),
    ]
}

/// Stands for "the engine answers with nothing".
const INVALID: &str = "(invalid)";
const ALL: &str = "db|my vm|web-01|WEB-02|=x|a%b|a_b|a\\b|axb|";

#[rustfmt::skip]
const TABLE: &[(&str, &str)] = &[
    // Names: `*` is the only wildcard, and there is no implicit one. Case does not matter.
    ("name=web-*", "web-01|WEB-02"),
    ("name=web", ""),
    ("name=Web-01", "web-01"),
    ("NAME=web-01", "web-01"),
    ("name=*", ALL),
    ("", ALL),
    ("   ", ALL),
    // Blanks need quotes, in which wildcards still work.
    ("name=\"my vm\"", "my vm"),
    ("name=\"MY V*\"", "my vm"),
    ("name=my vm", INVALID),
    ("name = web-01", "web-01"),
    // Characters that are illegal wherever they stand.
    ("name=o'brien", INVALID),
    ("name=\"o'brien\"", INVALID),
    ("name=a;b", INVALID),
    ("name=\"a;b\"", INVALID),
    // There is no way to write a quotation mark.
    ("name=\"a\\\"b\"", INVALID),
    ("name=\"a\"b\"", INVALID),
    ("name=a\"b", INVALID),
    // What SQL would take as a wildcard is none.
    ("name=a%b", "a%b"),
    ("name=a_b", "a_b"),
    ("name=a\\b", "a\\b"),
    ("name=a\\", INVALID),
    ("name=\"a\\\"", INVALID),
    ("name==x", "=x"),
    ("name=", INVALID),
    ("name", INVALID),
    ("name=\"\"", ""),
    ("description=\"without a name\"", ""),
    // Statuses: the engine's words, not those of the XML.
    ("status=up", "web-01"),
    ("status=UP", "web-01"),
    ("status=poweringup", "db"),
    ("status=PoweringUp", "db"),
    ("status=powering_up", INVALID),
    ("status=migrating", INVALID),
    ("status=bogus", INVALID),
    ("status=up*", INVALID),
    ("status=\"\"", INVALID),
    ("status!=down", "db|web-01|WEB-02|=x|a%b|a_b|a\\b|axb|"),
    ("status>down", INVALID),
    // No parentheses, no IN, no NOT.
    ("(status=up or status=down)", INVALID),
    ("status in (up, down)", INVALID),
    ("status=up or status=down", "my vm|web-01"),
    ("not name=web-01", ""),
    // AND binds before OR, and adjacent terms all have to hold.
    ("name=db or name=web-01 and status=down", "db"),
    ("status=down and name=db or name=web-01", "web-01"),
    ("name=web-01 status=up", "web-01"),
    ("name=web-01 status=down", ""),
    ("name=WEB-* AND memory>1024 OR name=db", "db|WEB-02"),
    ("name=db and", INVALID),
    ("name=db or ", INVALID),
    // Unknown fields make the whole word a free text.
    ("foo=bar", ""),
    ("domain=x", ""),
    ("datacenter.name=Prod", ""),
    ("vms.name=db", ""),
    // Free text: anywhere in any text column, once.
    ("web*", "web-01|WEB-02"),
    ("eb-0", "web-01|WEB-02"),
    ("spare", "WEB-02"),
    ("\"spare of\"", "WEB-02"),
    ("gold", "db|web-01"),
    ("spare gold", INVALID),
    ("gold and web", INVALID),
    ("gold status=up", "web-01"),
    // Places by name.
    ("datacenter=Prod", "db|my vm"),
    ("datacenter=prod and cluster=silver", "my vm"),
    ("datacenter=Pro", ""),
    ("cluster=g*", "db|web-01"),
    // A host is something else: its columns, its fields, or the name that the VM has of it.
    ("host=h1", "db"),
    ("host=10.0", "db|web-01"),
    ("Host.name=h1", "db"),
    ("hosts.name=h*", "db|web-01"),
    ("hosts.memory>1024", "db|web-01"),
    ("on_host=h2", "web-01"),
    ("hosts.bogus=1", INVALID),
    ("templates.name=Blank", ""),
    // Tags, with those below them.
    ("tag=chaos", "web-01|WEB-02"),
    ("tag=chaos-soft", "web-01"),
    ("tag=chaos*", "web-01|WEB-02"),
    ("tag=unknown", ""),
    // Ids, in chains.
    ("id=7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01", "db"),
    ("id=7F0F4B9C-4F0E-4F6E-A7A5-0D3A0C6C7F01", "db"),
    ("id=7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01 or id=11111111-2222-3333-4444-555555555555", "db|web-01"),
    ("id=7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01 and status!=down or id=11111111-2222-3333-4444-555555555555 and status!=up", "db"),
    // Numbers: MiB, CPUs, days.
    ("memory>1024", "db|WEB-02"),
    ("memory>=1024", "db|web-01|WEB-02"),
    ("memory<1024", "my vm"),
    ("memory<=1024", "my vm|web-01"),
    ("memory=512", "my vm"),
    ("memory!=512 and name=*b", "db|a%b|a_b|a\\b|axb"),
    ("memory>many", INVALID),
    ("memory>1.5", INVALID),
    ("memory>99999999999", INVALID),
    ("vcpus>2", "db"),
    ("uptime>10", "db"),
    ("uptime<1", "web-01"),
    ("uptime=10", INVALID),
    // Dates in the engine's short form alone.
    ("creationdate>2020-01-01", INVALID),
    ("creationdate>1/1/21", "web-01"),
    ("creationdate<1/1/2021", "db"),
    ("creationdate>today", INVALID),
    // Sorting and pages.
    ("status!=down sortby memory", "=x|a%b|a_b|a\\b|axb||web-01|WEB-02|db"),
    ("memory>0 sortby memory desc", "db|WEB-02|web-01|my vm"),
    ("memory>0 sortby memory asc page 1", "my vm|web-01|WEB-02|db"),
    ("sortby name page 2", INVALID),
    ("sortby bogus", INVALID),
    ("sortby name upwards", INVALID),
    ("sortby name asc page 2", ""),
    ("memory>0 sortby name asc page", "db|my vm|web-01|WEB-02"),
    ("memory>0 page", INVALID),
    ("sortby name asc page two", INVALID),
    ("sortby name asc page 1 name=db", INVALID),
    ("sortby name name=db", INVALID),
    ("sortby name asc name=db", INVALID),
    ("page 1", ALL),
    ("page 2", ""),
    ("page", INVALID),
    ("apps=guest-agent", "web-01"),
];

#[test]
fn a_search_finds_what_the_engine_finds() {
    let vms = vms();
    for (search, expected) in TABLE {
        let answer = match parse(search, Kind::Vms) {
            Ok(query) => {
                let found = query.select(vms.clone(), None, reading());
                found.iter().map(Thing::name).collect::<Vec<_>>().join("|")
            }
            Err(_) => INVALID.to_owned(),
        };
        assert_eq!(answer, *expected, "{search}");
    }
}

#[test]
fn the_empty_name_can_be_searched_for() {
    let query = parse("name=\"\"", Kind::Vms).unwrap();
    assert_eq!(query.select(vms(), None, reading()).len(), 1);
}

#[test]
fn case_counts_where_the_caller_says_so() {
    let reading = Reading { case_sensitive: true, now: NOW };
    let count = |text: &str| parse(text, Kind::Vms).unwrap().select(vms(), None, reading).len();
    assert_eq!((count("name=web-*"), count("name=WEB-*"), count("Gold"), count("status=UP")), (1, 1, 0, 1));
}

#[test]
fn a_page_is_as_long_as_max() {
    let rows = ["a", "b", "c", "d", "e"].map(Thing::new);
    let page = |text: &str, max: Option<usize>| paged(text, Kind::Vms, &rows, max).unwrap();
    assert_eq!(page("sortby name asc page 1", Some(2)), "a b");
    assert_eq!(page("sortby name asc page 2", Some(2)), "c d");
    assert_eq!(page("sortby name asc page 3", Some(2)), "e");
    assert_eq!(page("sortby name asc page 4", Some(2)), "");
    assert_eq!(page("page 99999", Some(usize::MAX)), "");
    assert_eq!(page("sortby name desc", Some(2)), "e d");
    assert_eq!(page("", Some(0)), "");
    assert_eq!(page("page 2", Some(0)), "");
    assert_eq!(page("page 0", Some(2)), "");
    // Without a size, everything is on the first page.
    assert_eq!(page("page 1", None), "a b c d e");
    assert_eq!(page("page 2", None), "");
}

#[test]
fn a_malformed_id_is_left_to_the_database() {
    let query = parse(&format!("id={ID} or id=no-such-id"), Kind::Vms).unwrap();
    assert_eq!(query.malformed_id(), Some("no-such-id"));
    assert_eq!(parse(&format!("id={ID}"), Kind::Vms).unwrap().malformed_id(), None);
    assert_eq!(parse("id!=null", Kind::Vms).unwrap().malformed_id(), None);
}
