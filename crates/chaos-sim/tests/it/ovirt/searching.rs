//! Searches and pages over the wire; the language itself is tested where it is read.

use chaos_sim::{Condition, Estate, Power, Sim, VmPatch, VmSpec};

use super::{Api, builder, encoded, id_of, names, plain, texts, with};

#[tokio::test]
async fn a_search_that_cannot_be_read_finds_nothing_without_a_word() {
    let (_sim, api) = plain().await;
    for invalid in [
        "name=my vm",
        "name=o'brien",
        "name=a;b",
        "name=",
        "status=powering_up",
        "status=bogus",
        "(status=up)",
        "status in (up)",
        "sortby name page 2",
        "name=\"a\"b\"",
        "creationdate>2020-01-01",
        "name=web-01 page 1 name=web-01",
    ] {
        let answer = api.get(&format!("/vms?search={}", encoded(invalid))).await;
        assert_eq!((answer.status, answer.bytes.len()), (200, 63), "{invalid}: {}", answer.text());
        assert!(answer.text().ends_with("<vms/>\n"));
    }
    assert_eq!(api.found("foo=bar").await, "", "an unknown field is a free text");
}

#[tokio::test]
async fn names_match_in_any_case_and_wildcards_only_where_they_stand() {
    let (_sim, api) = plain().await;
    assert_eq!(api.found("name=WEB-01").await, "web-01");
    assert_eq!(api.found("name=web").await, "");
    assert_eq!(api.found("name=web-*").await, "web-01 web-02 web-03 web-04");
    assert_eq!(api.found("name=web-01 or name=web-02 and status=down").await, "web-01", "and binds before or");
    assert_eq!(api.found("batch").await, "batch-01", "a free text");
    assert_eq!(api.found("Host.name=esx-f1 and name=lb*").await, "lb-01");
    assert_eq!(api.found("on_host=esx-f2").await, "web-02 web-04");
}

#[tokio::test]
async fn names_with_quotes_umlauts_and_signs_of_sql_are_found_where_they_can_be_said() {
    let names = ["my vm", "Grün-日本", "50%_\\x", "say \"a\"", "o'brien", "a&b;<c>"];
    let mut build = builder();
    for name in names {
        build = build.vm(VmSpec::new(name));
    }
    let sim = build.start().await.unwrap();
    let api = Api::login(&sim).await;
    for (search, name) in [
        ("name=\"my vm\"", "my vm"),
        ("name=\"GRÜN-日本\"", "Grün-日本"),
        ("name=\"50%_\\x\"", "50%_\\x"),
        ("name=\"my *\"", "my vm"),
    ] {
        assert_eq!(api.found(search).await, name, "{search}");
    }
    assert_eq!(api.found("name=\"5%\"").await, "", "only the star stands for others");
    let all = api.read("/vms").await;
    for name in ["say &quot;a&quot;", "o'brien", "a&amp;b;&lt;c&gt;", "Grün-日本"] {
        assert!(all.contains(&format!("<name>{name}</name>")), "{name}");
    }
}

#[tokio::test]
async fn statuses_have_the_names_of_the_engine() {
    let (sim, api, _) = with(VmSpec::new("it").power(Power::Suspended)).await;
    assert_eq!(api.found("status=suspended").await, "it");
    assert_eq!(api.found("status!=up").await, "batch-01 it");
    for (condition, word) in [
        (Condition::Unresponsive, "notresponding"),
        (Condition::Migrating, "migratingfrom"),
        (Condition::Paused, "paused"),
        (Condition::Unclear, "unassigned"),
    ] {
        sim.world().set_power("it", Power::On).unwrap();
        sim.world().change("it", &VmPatch { condition: Some(condition), ..VmPatch::default() }).unwrap();
        assert_eq!(api.found(&format!("status={word}")).await, "it", "{word}");
    }
}

#[tokio::test]
async fn ids_are_chained_and_a_malformed_one_is_an_error_of_the_database() {
    let (sim, api) = plain().await;
    let ids: Vec<String> = ["web-02", "web-01"].map(|name| format!("id={}", id_of(&sim, name))).into();
    assert_eq!(api.found(&ids.join(" or ")).await, "web-01 web-02");
    let counted = format!("/vms;detail=-main+size?search={}", encoded(&format!("{} and status!=down", ids[0])));
    assert!(api.read(&counted).await.ends_with("<vms>\n    <size>1</size>\n</vms>\n"));
    let answer = api.get("/vms?search=id%3Dx").await;
    assert!(answer.status == 400 && answer.text().contains("invalid input syntax for type uuid"), "{}", answer.text());
}

#[tokio::test]
async fn pages_are_a_part_of_the_search_and_their_size_is_not() {
    let (_sim, api) = plain().await;
    let page =
        async |search: &str, max: &str| names(&api.read(&format!("/vms?search={}{max}", encoded(search))).await, "vm");
    let everything = "batch-01 cache-01 database-01 database-02 database-03 lb-01 web-01 web-02 web-03 web-04";
    assert_eq!(page("", "").await, everything, "by name");
    assert_eq!(page("page 2", "").await, "", "without a size all is on the first page");
    assert_eq!(page("sortby name asc page 2", "&max=4").await, "database-03 lb-01 web-01 web-02");
    assert_eq!(page("sortby name desc", "&max=2").await, "web-04 web-03");
    assert_eq!(page("", "&max=0").await, "");
    for all in ["&max=", "&max=x"] {
        assert_eq!(page("", all).await, everything, "{all}");
    }
    let answer = api.get("/vms?max=-1").await;
    assert_eq!(answer.status, 400);
    assert_eq!(texts(answer.text(), "fault", "detail"), ["[Illegal max count value for query : -1]"]);
}

#[tokio::test]
async fn only_a_count_can_be_asked_for_in_three_ways() {
    let (_sim, api) = plain().await;
    let accept = api.send(hyper::Method::GET, "/vms", "", &[("accept", "application/xml; detail=-main+size")]).await;
    for document in
        [api.read("/vms;detail=-main+size").await, api.read("/vms?detail=-main%2Bsize").await, accept.text().to_owned()]
    {
        assert!(document.ends_with("<vms>\n    <size>10</size>\n</vms>\n"), "{document}");
    }
}

#[tokio::test]
async fn hosts_clusters_and_data_centres_are_searched_too() {
    let sim = Sim::builder().olvm().estate(Estate::odd()).start().await.unwrap();
    let api = Api::login(&sim).await;
    let found = async |path: &str, search: &str, element: &str| {
        names(&api.read(&format!("{path}?search={}", encoded(search))).await, element)
    };
    assert_eq!(found("/hosts", "cluster=c1 and datacenter=north", "host").await, "n1 n2");
    assert_eq!(found("/clusters", "datacenter.name=north", "cluster").await, "c1 Default");
    assert_eq!(found("/datacenters", "clusters.name=Default", "data_center").await, "north");
    assert_eq!(found("/hosts", "vms.name=\"on standalone\"", "host").await, "lonely");
}

#[tokio::test]
async fn the_record_tells_what_was_searched_for() {
    let (sim, api) = plain().await;
    api.found("name=web-* and status=up").await;
    let call = sim.calls_of("vms").pop().unwrap();
    assert_eq!(call.search.as_deref(), Some("name=web-* and status=up"));
    assert_eq!(call.query.as_deref(), Some("search=name=web-* and status=up"));
}
