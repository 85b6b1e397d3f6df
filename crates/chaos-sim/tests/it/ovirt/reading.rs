//! Documents: what they hold, in which order, and what is absent when.

use std::collections::BTreeSet;

use chaos_sim::{
    ClusterSpec, Condition, DatacenterSpec, Disks, Estate, HostState, OnShutdown, Power, Reach, Sim, Tools, VmPatch,
    VmSpec,
};
use hyper::Method;
use serde_json::Value;

use super::{Api, DECLARATION, XML, attribute, builder, child, id_of, names, pass, plain, texts, with};

/// The names of the members of the first element of a name, in their order, without repetitions.
fn members(document: &str, element: &str) -> Vec<String> {
    let mut lines = document.lines();
    let open = lines.find(|line| line.trim_start().starts_with(&format!("<{element} "))).unwrap();
    let depth = open.len() - open.trim_start().len();
    let inside = lines.take_while(|line| !line.trim_start().starts_with(&format!("</{element}>")));
    let inside = inside.filter(|line| line.len() - line.trim_start().len() == depth + 4);
    let mut names: Vec<String> = Vec::new();
    for line in inside.map(str::trim_start).filter(|line| !line.starts_with("</")) {
        let name = line.trim_start_matches('<').split([' ', '>', '/']).next().unwrap().to_owned();
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names
}

#[tokio::test]
async fn the_entry_point_tells_product_time_and_counts_and_its_links_in_a_header() {
    let sim = builder().starts_at("2026-03-01T10:00:00Z".parse().unwrap()).start().await.unwrap();
    let api = Api::login(&sim).await;
    let document = api.read("").await;
    for part in ["<major>4</major>", "<minor>5</minor>", "<full_version>4.5.", "<instance_id>", "<vendor>"] {
        assert!(document.contains(part), "{part}");
    }
    assert!(document.contains("<time>2026-03-01T12:00:00.000+02:00</time>"), "{document}");
    assert!(document.contains("<active>9</active>\n            <total>10</total>"), "{document}");
    let head = api.send(Method::HEAD, "", "", &[]).await;
    let links = head.headers["link"].to_str().unwrap();
    assert!(head.status == 200 && head.bytes.is_empty() && links.contains("</ovirt-engine/api/vms>; rel=vms"));
}

#[tokio::test]
async fn members_stand_in_the_order_of_the_schema() {
    let (sim, api) = plain().await;
    let document = api.read(&format!("/vms/{}", id_of(&sim, "web-01"))).await;
    assert!(document.starts_with(&format!("{DECLARATION}<vm href=\"/ovirt-engine/api/vms/")));
    let members = members(&document, "vm");
    assert_eq!(members[..5], ["actions", "name", "description", "comment", "link"]);
    let sorted = |from: &str, to: &str| {
        let place = |name: &str| members.iter().position(|member| member == name).unwrap();
        members[place(from)..=place(to)].is_sorted()
    };
    assert!(sorted("bios", "virtio_scsi_multi_queues_enabled"), "{members:?}");
    assert!(sorted("cluster", "cpu_profile") && sorted("fqdn", "status") && sorted("host", "template"), "{members:?}");
}

#[tokio::test]
async fn links_come_in_another_order_each_time_and_the_same_again_with_the_same_seed() {
    let order = |document: &str| {
        let links = document.lines().map(str::trim).filter(|line| line.starts_with("<link "));
        links.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (sim, api) = plain().await;
        let path = format!("/vms/{}", id_of(&sim, "web-01"));
        let (first, second) = (order(&api.read(&path).await), order(&api.read(&path).await));
        assert_ne!(first, second);
        assert_eq!(first.iter().collect::<BTreeSet<_>>(), second.iter().collect::<BTreeSet<_>>());
        seen.push((first, second));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn every_status_has_its_word_and_a_broken_disk_has_none() {
    let (sim, api, vm) = with(VmSpec::new("it")).await;
    let patch = |patch: VmPatch| sim.world().change("it", &patch).unwrap();
    for (condition, status) in [
        (Condition::Paused, "paused"),
        (Condition::PausedForSpace, "paused"),
        (Condition::Migrating, "migrating"),
        (Condition::Unresponsive, "not_responding"),
        (Condition::Unclear, "unassigned"),
        (Condition::Normal, "up"),
    ] {
        patch(VmPatch { condition: Some(condition), ..VmPatch::default() });
        assert_eq!(api.status(&vm).await.as_deref(), Some(status));
    }
    patch(VmPatch { condition: Some(Condition::PausedForSpace), ..VmPatch::default() });
    assert_eq!(child(&api.read(&format!("/vms/{vm}")).await, "vm", "status_detail").as_deref(), Some("enospc"));
    patch(VmPatch { reach: Some(Reach::Disconnected), ..VmPatch::default() });
    assert_eq!(api.status(&vm).await.as_deref(), Some("unknown"));
    assert!(attribute(&api.read(&format!("/vms/{vm}")).await, "host", "id").is_some(), "unknown still has its host");
    for (disks, status) in [
        (Disks::Locked, Some("image_locked")),
        (Disks::Broken, None),
        (Disks::Missing, Some("down")),
        (Disks::Ready, Some("down")),
    ] {
        patch(VmPatch {
            power: Some(Power::Off),
            disks: Some(disks),
            reach: Some(Reach::Connected),
            ..VmPatch::default()
        });
        assert_eq!(api.status(&vm).await.as_deref(), status);
        assert_eq!(attribute(&api.read(&format!("/vms/{vm}")).await, "host", "id"), None);
    }
}

#[tokio::test]
async fn what_only_a_running_vm_has_is_absent_otherwise() {
    let (sim, api, vm) = with(VmSpec::new("it").on_shutdown(OnShutdown::Obeys)).await;
    let read = async || api.read(&format!("/vms/{vm}")).await;
    let up = read().await;
    for part in ["<start_time>", "<run_once>false", "<fqdn>it.guests.example", "<guest_operating_system>", "<host "] {
        assert!(up.contains(part), "{part} is not in {up}");
    }
    sim.world().set_power("it", Power::Off).unwrap();
    let down = read().await;
    for part in ["<start_time>", "<run_once>", "<fqdn>", "<guest_operating_system>", "<guest_time_zone>", "<host "] {
        assert!(!down.contains(part), "{part} is in {down}");
    }
    assert!(down.contains("<stop_time>") && down.contains("<description></description>"));
}

#[tokio::test]
async fn a_guest_without_an_agent_tells_nothing_of_itself() {
    let (_sim, api, vm) = with(VmSpec::new("it").tools(Tools::NotInstalled)).await;
    let document = api.read(&format!("/vms/{vm}")).await;
    assert!(document.contains("<status>up</status>") && !document.contains("<fqdn>"), "{document}");
    assert!(api.read(&format!("/vms/{vm}/reporteddevices")).await.ends_with("<reported_devices/>\n"));
}

#[tokio::test]
async fn processors_are_sockets_times_cores_times_threads_and_memory_is_in_bytes() {
    let mut spec = VmSpec::new("it").topology(2, 3, 2);
    spec.memory_mb = Some(3072);
    let (_sim, api, vm) = with(spec).await;
    let document = api.read(&format!("/vms/{vm}")).await;
    let numbers: Vec<String> =
        ["sockets", "cores", "threads"].iter().filter_map(|name| child(&document, "topology", name)).collect();
    assert_eq!(numbers, ["2", "3", "2"]);
    assert_eq!(child(&document, "vm", "memory").as_deref(), Some("3221225472"));
    assert_eq!(texts(&document, "vm", "name"), ["it"]);
}

#[tokio::test]
async fn all_content_has_a_whole_document_inside_a_text() {
    let (sim, api) = plain().await;
    let path = format!("/vms/{}", id_of(&sim, "web-01"));
    let usual = api.read(&path).await;
    for all in [api.read(&format!("{path}?all_content")).await, api.read(&format!("{path};all_content=true")).await] {
        assert!(all.contains("<data>&lt;?xml version=&quot;1.0&quot;") && all.len() > usual.len() + 16_000);
        for part in ["<console>", "<rng_device>", "<soundcard_enabled>", "<virtio_scsi>"] {
            assert!(all.contains(part) && !usual.contains(part), "{part}");
        }
    }
    let in_header = api.send(Method::GET, &path.clone(), "", &[("all-content", "true")]).await;
    assert!(in_header.text().contains("<data>"));
    assert!((5_000..12_000).contains(&usual.len()), "{}", usual.len());
}

#[tokio::test]
async fn what_does_not_exist_is_404_without_a_word() {
    let (_sim, api) = plain().await;
    let nobody = "00000000-aaaa-bbbb-cccc-000000000000";
    for collection in ["vms", "hosts", "clusters", "datacenters", "jobs", "tags"] {
        for id in [nobody, "web-01"] {
            let answer = api.get(&format!("/{collection}/{id}")).await;
            assert_eq!((answer.status, answer.bytes.len()), (404, 0), "{collection}/{id}");
            assert!(answer.headers.get("content-type").is_none() && answer.headers.contains_key("correlation-id"));
            assert_eq!(answer.headers["content-length"], "0");
        }
    }
    assert_eq!(api.get(&format!("/vms/{nobody}/snapshots")).await.status, 404);
    for path in ["/nonsense", "/vms/x/y/z", "/v3/vms"] {
        let answer = api.get(path).await;
        assert!(answer.status == 404 && answer.text().contains("<body>Not Found</body>"), "{path}");
    }
    let old = api.client.send(Method::GET, "/api", String::new(), &[]).await.unwrap();
    assert!(old.status == 404 && old.text().contains("<body>Not Found</body>"));
    assert_eq!(api.get("/v4/vms").await.status, 200);
}

#[tokio::test]
async fn json_has_texts_for_numbers_and_the_name_of_one_for_many() {
    let (sim, api) = plain().await;
    let read = async |path: &str| {
        let answer = api.send(Method::GET, path, "", &[("accept", "application/json")]).await;
        assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"application/json".parse().unwrap()));
        assert!(answer.text().contains(" : ") || answer.text() == "{ }", "{}", answer.text());
        serde_json::from_slice::<Value>(&answer.bytes).unwrap()
    };
    let vm = read("/vms?search=name%3Dweb-01").await["vm"][0].take();
    assert_eq!(
        (&vm["name"], &vm["stateless"], &vm["id"]),
        (&"web-01".into(), &"false".into(), &id_of(&sim, "web-01").into())
    );
    assert!(vm["cpu"]["topology"]["cores"].is_string() && vm["memory"].is_u64() && vm["creation_time"].is_i64());
    let boot = sim.world().vm("web-01").unwrap().boot_time.unwrap();
    assert_eq!(vm["start_time"], boot.as_millisecond());
    assert!(vm["actions"]["link"].as_array().unwrap().len() > 20 && vm["link"].is_array());
    assert_eq!(read("/vms?search=name%3Dnobody").await, serde_json::json!({}));
    assert_eq!(read("").await["product_info"]["version"]["major"], "4");
    let fault = api.send(Method::GET, "/vms?max=-1", "", &[("accept", "application/json")]).await;
    assert_eq!(serde_json::from_slice::<Value>(&fault.bytes).unwrap()["reason"], "Operation Failed");
}

#[tokio::test]
async fn hosts_clusters_and_data_centres_hang_together_also_for_hosts_and_clusters_that_stand_alone() {
    let cluster = |name: &str, host: &str| ClusterSpec { name: name.into(), hosts: vec![host.into()] };
    let estate = Estate {
        datacenters: vec![
            DatacenterSpec {
                name: "north".into(),
                clusters: vec![cluster("c1", "n1")],
                orphan_clusters: vec![cluster("orphan", "lost")],
                hosts: vec!["alone".into()],
                vms: vec![VmSpec::new("a").host("n1"), VmSpec::new("b").host("alone"), VmSpec::new("c").host("lost")],
                ..DatacenterSpec::default()
            },
            DatacenterSpec {
                name: "south".into(),
                clusters: vec![cluster("c1", "s1")],
                vms: vec![VmSpec::new("a")],
                ..DatacenterSpec::default()
            },
        ],
    };
    let sim = Sim::builder().olvm().estate(estate).start().await.unwrap();
    let api = Api::login(&sim).await;
    assert_eq!(names(&api.read("/hosts").await, "host"), "alone lost n1 s1");
    let clusters = api.read("/clusters").await;
    assert_eq!(names(&clusters, "cluster"), "c1 c1 Default orphan");
    assert_eq!(clusters.matches("<data_center ").count(), 3, "the orphan is in none");
    let datacenters = api.read("/datacenters").await;
    assert!(datacenters.starts_with(&format!("{DECLARATION}<data_centers>")));
    assert_eq!(names(&datacenters, "data_center"), "north south");
    assert_eq!(texts(&datacenters, "data_center", "status"), ["up", "up"]);
    // Names are unique in a data centre only.
    assert_eq!(api.found("name=a").await, "a a");
    assert_eq!(api.found("cluster=Default").await, "b");
    assert_eq!(api.found("datacenter=south").await, "a");
    sim.world().set_host("s1", HostState::Disconnected).unwrap();
    assert_eq!(texts(&api.read("/datacenters").await, "data_center", "status"), ["up", "problematic"]);
    assert_eq!(texts(&api.read("/hosts?search=name%3Ds1").await, "host", "status"), ["non_responsive"]);
}

#[tokio::test]
async fn a_flag_may_be_empty_and_a_parameter_may_stand_in_the_path() {
    let (_sim, api) = plain().await;
    assert_eq!(names(&api.read("/vms;max=2").await, "vm").split(' ').count(), 2);
    assert_eq!(names(&api.read("/vms;search=name%3Dweb-01?max=5").await, "vm"), "web-01");
    assert_eq!(names(&api.read("/vms?search=name%3DWEB-01&case_sensitive").await, "vm"), "");
    assert_eq!(names(&api.read("/vms?search=name%3DWEB-01&case_sensitive=no").await, "vm"), "web-01");
}

#[tokio::test]
async fn statistics_and_times_follow_the_clock_of_the_world() {
    let (sim, api, vm) = with(VmSpec::new("it").power(Power::Off)).await;
    api.act(&vm, "start", "<action/>").await;
    pass(&sim, 5);
    let started = child(&api.read(&format!("/vms/{vm}")).await, "vm", "start_time").unwrap();
    assert!(started.ends_with("+02:00") && started.len() == "2026-11-26T15:16:33.713+02:00".len(), "{started}");
    pass(&sim, 600);
    let statistics = api.read(&format!("/vms/{vm}/statistics")).await;
    assert!(statistics.contains("<datum>600</datum>"), "{statistics}");
}

#[tokio::test]
async fn methods_and_types_that_a_path_does_not_take_are_refused() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    assert_eq!(api.send(Method::POST, "/vms", "<vm/>", &[XML]).await.status, 405);
    let get = api.get(&format!("/vms/{vm}/start")).await;
    assert_eq!((get.status, &get.headers["allow"]), (405, &"POST".parse().unwrap()));
    for headers in [&[][..], &[("content-type", "text/plain")][..]] {
        let answer = api.send(Method::POST, &format!("/vms/{vm}/stop"), "<action/>", headers).await;
        assert_eq!(answer.status, 415);
    }
    assert_eq!(api.send(Method::GET, "/vms", "", &[("accept", "text/html")]).await.status, 406);
    assert_eq!(api.send(Method::GET, "/vms", "", &[("version", "3")]).await.status, 400);
    assert_eq!(api.send(Method::GET, "/vms", "", &[("version", "4")]).await.status, 200);
    assert_eq!(sim.world().vm("web-01").unwrap().operations, 0);
}
