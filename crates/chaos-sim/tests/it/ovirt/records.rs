//! What the engine keeps beside VMs: jobs, tags, snapshots.

use chaos_sim::VmSpec;
use hyper::Method;

use super::{XML, attribute, child, id_of, names, pass, plain, texts, with};

#[tokio::test]
async fn the_job_of_a_command_ends_with_it_and_not_with_what_it_began() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    let call = [XML, ("correlation-id", "run-1")];
    let answer = api.send(Method::POST, &format!("/vms/{vm}/shutdown"), "<action/>", &call).await;
    let job = attribute(answer.text(), "job", "id").unwrap();
    let found = api.read("/jobs?search=correlation_id%3Drun-1").await;
    assert_eq!(attribute(&found, "job", "id"), Some(job.clone()));
    assert_eq!(texts(&found, "job", "status"), ["finished"], "although the guest is not down yet");
    assert_eq!(texts(&found, "job", "description"), ["Shutting Down VM web-01"]);
    let other = id_of(&sim, "web-02");
    let answer = api.act(&other, "suspend", "<action/>").await;
    let job = attribute(answer.text(), "job", "id").unwrap();
    let status = async || child(&api.read(&format!("/jobs/{job}")).await, "job", "status").unwrap();
    pass(&sim, 3);
    assert_eq!(status().await, "started");
    sim.world().step(std::time::Duration::from_secs(5));
    assert_eq!(status().await, "finished");
    assert!(api.read("/jobs?search=correlation_id%3Dnobody").await.ends_with("<jobs/>\n"));
}

#[tokio::test]
async fn tags_mark_vms_and_a_tag_below_counts_for_the_one_above() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    let add = async |body: &str| api.send(Method::POST, "/tags", body, &[XML]).await;
    let above = add("<tag><name>chaos</name><description>may be broken</description></tag>").await;
    assert_eq!((above.status, child(above.text(), "tag", "name").as_deref()), (201, Some("chaos")));
    let id = attribute(above.text(), "tag", "id").unwrap();
    assert_eq!(add("<tag><name>chaos</name></tag>").await.status, 409);
    assert_eq!(add("<tag/>").await.status, 400);
    let below = add(&format!("<tag><name>often</name><parent id=\"{id}\"/></tag>")).await;
    let below = attribute(below.text(), "tag", "id").unwrap();
    assert_eq!(names(&api.read("/tags").await, "tag").split(' ').count(), 3, "with the root");

    let of_vm = format!("/vms/{vm}/tags");
    for body in ["<tag><name>often</name></tag>".to_owned(), format!("<tag id=\"{below}\"/>")] {
        assert_eq!(api.send(Method::POST, &of_vm, &body, &[XML]).await.status, 201, "{body}");
    }
    assert_eq!(names(&api.read(&of_vm).await, "tag"), "often");
    assert_eq!((api.found("tag=often").await, api.found("tag=chaos").await), ("web-01".into(), "web-01".into()));
    assert_eq!(api.found("tag=nobody").await, "");
    assert_eq!(api.codes(&vm).await, [440, 440]);
    assert_eq!(api.send(Method::POST, &of_vm, "<tag><name>nobody</name></tag>", &[XML]).await.status, 404);

    assert_eq!(api.send(Method::DELETE, &format!("{of_vm}/{below}"), "", &[]).await.status, 200);
    assert_eq!(api.send(Method::DELETE, &format!("{of_vm}/{below}"), "", &[]).await.status, 404);
    assert_eq!(api.found("tag=often").await, "");
    assert_eq!(api.send(Method::DELETE, &format!("/tags/{id}"), "", &[]).await.status, 200);
    assert_eq!(names(&api.read("/tags").await, "tag"), "root");
}

#[tokio::test]
async fn every_vm_has_the_snapshot_that_is_none_with_a_whole_vm_in_it() {
    let (_sim, api, vm) = with(VmSpec::new("it")).await;
    let snapshots = api.read(&format!("/vms/{vm}/snapshots")).await;
    assert_eq!(texts(&snapshots, "snapshot", "description"), ["Active VM"]);
    assert_eq!(texts(&snapshots, "snapshot", "snapshot_type"), ["active"]);
    assert_eq!(names(&snapshots, "vm"), "it");
    let id = attribute(&snapshots, "snapshot", "id").unwrap();
    assert!(api.read(&format!("/vms/{vm}/snapshots/{id}")).await.contains("<snapshot_status>ok</snapshot_status>"));
    assert!(api.read(&format!("/vms/{vm}/nics")).await.ends_with("<nics/>\n"));
    assert!(api.read(&format!("/vms/{vm}/diskattachments")).await.ends_with("<disk_attachments/>\n"));
}
