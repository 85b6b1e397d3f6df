//! Searches for what is not a VM: hosts, clusters, data centers and events.

use super::*;

#[test]
fn hosts_are_found_by_their_own_fields_and_by_their_vms() {
    let up = Thing::new("h1").with("status", "up").with("cluster", "gold").with("load", 1.5).with("cpus", 16);
    let hosts = [
        up.to(Kind::Vms, Thing::new("db").with("status", "up")).to(Kind::Vms, Thing::new("web").with("status", "down")),
        Thing::new("h2").with("status", "nonresponsive").with("update_available", true),
    ];
    let found = |text: &str| found(text, Kind::Hosts, &hosts);
    assert_eq!(found("status=up"), Ok("h1".to_owned()));
    assert_eq!(found("status=NonResponsive"), Ok("h2".to_owned()));
    assert_eq!(found("status=non_responsive"), Err(Invalid::Value("status")));
    assert_eq!(found("load>1.25"), Ok("h1".to_owned()));
    assert_eq!(found("update_available=true"), Ok("h2".to_owned()));
    assert_eq!(found("update_available=1"), Err(Invalid::Value("update_available")));
    assert_eq!(found("vms.name=db"), Ok("h1".to_owned()));
    // Both terms are about one and the same VM.
    assert_eq!(found("vms.name=db and vms.status=up"), Ok("h1".to_owned()));
    assert_eq!(found("vms.name=db and vms.status=down"), Ok(String::new()));
    // A host without VMs has none of that name.
    assert_eq!(found("vms.name!=db"), Ok("h1 h2".to_owned()));
    assert_eq!(found("vm=web"), Ok("h1".to_owned()));
}

#[test]
fn an_id_of_a_host_can_only_be_named_at_the_beginning_of_a_term() {
    let id = "7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01";
    let host = Thing::new("h1").with("id", id);
    assert_eq!(found(&format!("id={id}"), Kind::Hosts, std::slice::from_ref(&host)), Ok("h1".to_owned()));
    let vm = [Thing::new("db").to(Kind::Hosts, host)];
    assert_eq!(found(&format!("hosts.id={id}"), Kind::Vms, &vm), Err(Invalid::Field("host")));
}

#[test]
fn clusters_are_found_by_their_data_center() {
    let clusters = [
        Thing::new("gold").with("compatibility_level", "4.7").to(Kind::Datacenters, Thing::new("Prod")),
        Thing::new("orphan").with("compatibility_level", "4.3"),
    ];
    let found = |text: &str| found(text, Kind::Clusters, &clusters);
    assert_eq!(found("datacenter.name=prod"), Ok("gold".to_owned()));
    assert_eq!(found("datacenter.name!=prod"), Ok("orphan".to_owned()));
    assert_eq!(found("compatibility_level=4.3"), Ok("orphan".to_owned()));
    // A cluster has no status: the word is a free text.
    assert_eq!(found("status=up"), Ok(String::new()));
    assert_eq!(found("name=*"), Ok("gold orphan".to_owned()));
}

#[test]
fn data_centers_are_found_by_their_clusters() {
    let datacenters = [
        Thing::new("Prod").with("status", "up").to(Kind::Clusters, Thing::new("gold")),
        Thing::new("Test").with("status", "nonresponsive"),
    ];
    let found = |text: &str| found(text, Kind::Datacenters, &datacenters);
    assert_eq!(found("clusters.name=gold"), Ok("Prod".to_owned()));
    assert_eq!(found("status!=up"), Ok("Test".to_owned()));
    assert_eq!(found("status=problematic"), Err(Invalid::Value("status")));
    assert_eq!(found("sortby status asc"), Ok("Prod Test".to_owned()));
    assert_eq!(found("sortby status desc"), Ok("Test Prod".to_owned()));
}

#[test]
fn events_are_found_by_code_severity_object_and_time() {
    let event = |name, code: u32, severity: &'static str, day: i8| {
        let vm = Thing::new("web-01");
        Thing::new(name)
            .with("type", code)
            .with("severity", severity)
            .with("time", civil::date(2024, 1, day).at(8, 0, 0, 0))
            .with("event_vm", "web-01")
            .with("_event_vm_id", "7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01")
            .with("correlation_id", "run-7")
            .with("message", "VM web-01 is down.")
            .to(Kind::Vms, vm)
    };
    let events = [
        event("c", 119, "error", 31),
        event("b", 61, "normal", 30),
        event("a", 1025, "alert", 29).with("event_vm", "db").with("correlation_id", ""),
    ];
    let found = |text: &str| found(text, Kind::Events, &events);
    let ok = |names: &str| Ok(names.to_owned());
    assert_eq!(found("type=61 or type=119"), ok("c b"));
    assert_eq!(found("type=61 or type=119 or type=147 or type=76"), ok("c b"));
    assert_eq!(found("type!=61"), ok("c a"));
    assert_eq!(found("type>61"), Err(Invalid::Relation("type")));
    assert_eq!(found("severity>normal"), ok("c a"));
    assert_eq!(found("severity>=Alert"), ok("a"));
    assert_eq!(found("severity=fatal"), Err(Invalid::Value("severity")));
    assert_eq!(found("event_vm=web-*"), ok("c b"));
    assert_eq!(found("_event_vm_id=7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01 and type=61"), ok("b"));
    assert_eq!(found("vms.name=WEB-01 and type=61"), ok("b"));
    assert_eq!(found("correlation_id=run-7"), ok("c b"));
    assert_eq!(found("message=*down*"), ok("c b a"));
    assert_eq!(found("time>today"), ok("c"));
    assert_eq!(found("time<today"), ok("b a"));
    assert_eq!(found("time=yesterday"), ok("b"));
    assert_eq!(found("time>monday"), ok("c b a"));
    assert_eq!(found("time<1/30/24"), ok("a"));
    assert_eq!(found("time>2024-01-30"), Err(Invalid::Value("time")));
    assert_eq!(found("time>=today"), Err(Invalid::Value("time")));
    assert_eq!(found("sortby time asc"), ok("a b c"));
    assert_eq!(found("severity!=normal sortby severity desc"), ok("a c"));
    assert_eq!(found("usrid=x"), Err(Invalid::Relation("usrid")));
}
