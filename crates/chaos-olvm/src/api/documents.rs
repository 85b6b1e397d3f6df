//! Documents in the shapes that engines of several versions give them, and what is understood of them.

use chaos_core::{ToolsStatus, VMPowerState};
use chaos_xml::{Limits, Node, Records, XmlError, XmlStream};

use super::VOCABULARY;
use super::place::{Place, Places};
use super::vm::Vm;

const RUNNING: &str = "0a1b2c3d-0000-4000-8000-000000000001";

fn read<T>(document: &str, name: &'static str, read: impl Fn(Node<'_>) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    let mut stream = XmlStream::new(Limits::STREAMED, &VOCABULARY, Some(Records { depth: 2, name }));
    let mut each = |node: Node<'_>| {
        found.extend(read(node));
        Ok::<(), XmlError>(())
    };
    // Cut anywhere, as a network does.
    for chunk in document.as_bytes().chunks(7) {
        stream.push(chunk, &mut each).unwrap();
    }
    stream.finish().unwrap();
    found
}

fn vms(members: &str) -> Vec<Vm> {
    let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
    read(&format!("{head}\n<vms>\n{members}\n</vms>"), "vm", Vm::read)
}

/// A running VM of version 4.4 with everything that could be taken for something else: names, states and types of other
/// things within it, and 16 KiB of a configuration as text.
fn busy_vm() -> String {
    let ovf = "&lt;ovf:Envelope&gt;&lt;status&gt;down&lt;/status&gt;".repeat(400);
    format!(
        r#"<vm href="/ovirt-engine/api/vms/{RUNNING}" id="{RUNNING}">
        <actions><link href="/ovirt-engine/api/vms/{RUNNING}/stop" rel="stop"/></actions>
        <name>web &amp; more</name><description>front end</description><comment></comment>
        <bios><type>q35_sea_bios</type></bios>
        <cluster href="/ovirt-engine/api/clusters/c1" id="c1"><name>not the VM</name></cluster>
        <cpu><architecture>x86_64</architecture><topology><cores>2</cores><sockets>3</sockets><threads>2</threads></topology></cpu>
        <display><type>vnc</type><certificate><content>-----BEGIN CERTIFICATE-----
MIIB</content></certificate></display>
        <fqdn>web.example.com</fqdn>
        <guest_operating_system><distribution>Oracle Linux Server</distribution><family>Linux</family><version><full_version>8.9</full_version></version></guest_operating_system>
        <host href="/ovirt-engine/api/hosts/h1" id="h1"/>
        <initialization><configuration><data>{ovf}</data></configuration></initialization>
        <memory>4294967296</memory><memory_policy><guaranteed>1073741824</guaranteed></memory_policy>
        <os><type>rhel_8x64</type></os>
        <snapshots><snapshot id="s"><vm id="{RUNNING}"><name>old</name><status>down</status></vm></snapshot></snapshots>
        <start_time>2024-09-01T19:30:35.642+03:00</start_time>
        <status>up</status><type>server</type>
        </vm>"#
    )
}

#[test]
fn only_the_vms_own_members_are_read() {
    let vms = vms(&busy_vm());
    let [vm] = vms.as_slice() else { panic!("one VM: {vms:?}") };
    assert_eq!((vm.id.as_str(), vm.name.as_str(), vm.status.word()), (RUNNING, "web & more", "up"));
    assert_eq!((vm.host.as_deref(), vm.cluster.as_deref()), (Some("h1"), Some("c1")));
    let info = vm.info();
    assert_eq!((info.cpu_count, info.memory_mb), (Some(12), Some(4096)));
    assert_eq!(info.guest_os.as_deref(), Some("Oracle Linux Server 8.9"));
    assert_eq!(info.tools_status, Some(ToolsStatus::Running));
    assert_eq!(info.boot_time.unwrap().to_string(), "2024-09-01T16:30:35.642Z", "the engine's zone is not ours");
    assert_eq!(info.metadata["fqdn"], "web.example.com");
    assert_eq!(info.metadata["os_type"], "rhel_8x64");
    assert!(!info.metadata.contains_key("comment"), "an empty text is none");
}

#[test]
fn what_an_engine_leaves_out_is_not_made_up() {
    let vms = vms(
        r#"<vm id="1"><name>stopped</name><cluster id="c9"/><cpu><topology><cores>4</cores><sockets>1</sockets></topology></cpu><memory>536870912</memory><os><type>other</type></os><status>down</status></vm>
        <vm id="2"><name>broken</name></vm>
        <vm id="3"><name>later</name><status>dreaming</status><cpu><topology><cores>many</cores></topology></cpu></vm>
        <vm><name>without an id</name></vm>"#,
    );
    assert_eq!(vms.len(), 3);
    let infos: Vec<_> = vms.iter().map(Vm::info).collect();
    assert_eq!(
        (infos[0].power_state, infos[0].cpu_count, infos[0].memory_mb),
        (VMPowerState::PoweredOff, Some(4), Some(512))
    );
    assert_eq!((infos[0].host.clone(), infos[0].boot_time, infos[0].tools_status), (None, None, None));
    assert_eq!(infos[0].guest_os.as_deref(), Some("other"));
    assert_eq!((infos[1].power_state, infos[1].native_state.as_str()), (VMPowerState::Unknown, "absent"));
    assert_eq!((infos[2].power_state, infos[2].native_state.as_str()), (VMPowerState::Unknown, "dreaming"));
    assert_eq!(infos[2].cpu_count, None);
}

#[test]
fn a_vm_that_is_resized_to_its_host_counts_what_it_has_while_it_runs() {
    let vm = |status: &str| {
        format!(
            r#"<vm id="1"><name>pinned</name><cpu><topology><cores>1</cores><sockets>2</sockets><threads>1</threads></topology></cpu><cpu_pinning_policy>resize_and_pin_numa</cpu_pinning_policy><dynamic_cpu><topology><cores>8</cores><sockets>2</sockets><threads>2</threads></topology></dynamic_cpu><status>{status}</status></vm>"#
        )
    };
    assert_eq!(vms(&vm("up"))[0].cpu_count, Some(32));
    assert_eq!(vms(&vm("down"))[0].cpu_count, Some(2));
}

#[test]
fn the_vm_that_the_engine_runs_in_is_not_ours_to_touch() {
    let vms =
        vms(r#"<vm id="1"><name>HostedEngine</name><origin>managed_hosted_engine</origin><status>up</status></vm>"#);
    assert!(vms[0].info().unmanageable.is_some());
}

#[test]
fn places_are_joined_by_id_and_an_orphan_cluster_is_in_no_data_center() {
    let hosts =
        read(r#"<hosts><host id="h1"><name>kvm-1</name><cluster id="c1"/></host></hosts>"#, "host", Place::read);
    let clusters = read(
        r#"<clusters><cluster id="c1"><name>gold</name><data_center href="x" id="d1"/></cluster><cluster id="c9"><name>orphan</name></cluster></clusters>"#,
        "cluster",
        Place::read,
    );
    let datacenters = read(
        r#"<data_centers><data_center id="d1"><name>Berlin</name><version><major>4</major></version></data_center></data_centers>"#,
        "data_center",
        Place::read,
    );
    let places = Places::new(hosts, clusters, datacenters);
    let running = places.describe(&vms(&busy_vm())[0]);
    assert_eq!((running.host.as_deref(), running.datacenter.as_deref()), (Some("kvm-1"), Some("Berlin")));
    assert_eq!(running.path.as_deref(), Some("/Berlin/gold/web & more"));
    let orphan =
        places.describe(&vms(r#"<vm id="1"><name>lost</name><cluster id="c9"/><status>down</status></vm>"#)[0]);
    assert_eq!((orphan.cluster.as_deref(), orphan.datacenter.as_deref()), (Some("orphan"), None));
    assert_eq!(orphan.path.as_deref(), Some("/orphan/lost"));
}

#[test]
fn an_empty_list_is_empty() {
    assert!(vms("").is_empty());
    assert!(read("<vms/>", "vm", Vm::read).is_empty());
}
