//! How fast an inventory is read: our reader with extraction and join, beside a bare quick-xml pass over the same bytes.

use std::fmt::Write;
use std::hint::black_box;

use chaos_vsphere::fuzzing;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quick_xml::Reader;
use quick_xml::events::Event;
use quick_xml::reader::NsReader;

/// A page as a vCenter writes it: 2,000 VMs in 20 folders on 40 hosts.
fn document() -> String {
    let mut text = String::from(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<soapenv:Body>
<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval>"#,
    );
    let mut add = |kind: &str, id: &str, properties: &[(&str, &str, &str)]| {
        write!(text, r#"<objects><obj type="{kind}">{id}</obj>"#).expect("a string takes everything");
        for (path, wire, value) in properties {
            write!(text, "<propSet><name>{path}</name><val {wire}>{value}</val></propSet>")
                .expect("a string takes everything");
        }
        text.push_str("</objects>");
    };
    let string = r#"xsi:type="xsd:string""#;
    let folder = r#"type="Folder" xsi:type="ManagedObjectReference""#;
    add("Folder", "group-d1", &[("name", string, "Datacenters")]);
    add("Datacenter", "dc-1", &[("name", string, "DC0"), ("parent", folder, "group-d1")]);
    let datacenter = r#"type="Datacenter" xsi:type="ManagedObjectReference""#;
    add("Folder", "group-v0", &[("name", string, "vm"), ("parent", datacenter, "dc-1")]);
    add("ClusterComputeResource", "domain-c1", &[("name", string, "prod")]);
    for number in 1..=20 {
        add("Folder", &format!("group-v{number}"), &[("name", string, "team"), ("parent", folder, "group-v0")]);
    }
    for number in 0..40 {
        let cluster = r#"type="ClusterComputeResource" xsi:type="ManagedObjectReference""#;
        let name = format!("esx-{number:03}.example.com");
        add("HostSystem", &format!("host-{number}"), &[("name", string, &name), ("parent", cluster, "domain-c1")]);
    }
    for number in 0..2000 {
        let (name, place) = (format!("web-{number:05}"), format!("group-v{}", number % 20 + 1));
        let config = format!(
            "<name>{name}</name><template>false</template><vmPathName>[datastore1] {name}/{name}.vmx</vmPathName>\
             <memorySizeMB>4096</memorySizeMB><cpuReservation>0</cpuReservation><memoryReservation>0</memoryReservation>\
             <numCpu>2</numCpu><numEthernetCards>1</numEthernetCards><numVirtualDisks>1</numVirtualDisks>\
             <uuid>420f9f4a-0d5d-5c83-e4c5-1f2b8f8a{number:04x}</uuid><instanceUuid>500f9f4a-0d5d-5c83-e4c5-1f2b8f8a{number:04x}</instanceUuid>\
             <guestId>debian12_64Guest</guestId><guestFullName>Debian GNU/Linux 12 (64-bit)</guestFullName><annotation></annotation>\
             <installBootRequired>false</installBootRequired><hwVersion>vmx-20</hwVersion>"
        );
        add(
            "VirtualMachine",
            &format!("vm-{number}"),
            &[
                ("guest.hostName", string, &name),
                ("guest.ipAddress", string, "10.0.0.1"),
                ("guest.toolsRunningStatus", string, "guestToolsRunning"),
                ("guest.toolsVersionStatus2", string, "guestToolsCurrent"),
                ("name", string, &name),
                ("parent", folder, &place),
                ("runtime.bootTime", r#"xsi:type="xsd:dateTime""#, "2026-11-23T03:26:51.658096Z"),
                ("runtime.connectionState", r#"xsi:type="VirtualMachineConnectionState""#, "connected"),
                (
                    "runtime.host",
                    r#"type="HostSystem" xsi:type="ManagedObjectReference""#,
                    &format!("host-{}", number % 40),
                ),
                ("runtime.powerState", r#"xsi:type="VirtualMachinePowerState""#, "poweredOn"),
                ("summary.config", r#"xsi:type="VirtualMachineConfigSummary""#, &config),
            ],
        );
    }
    text.push_str("</returnval></RetrievePropertiesExResponse>\n</soapenv:Body>\n</soapenv:Envelope>");
    text
}

fn bare(document: &[u8]) -> usize {
    let mut reader = Reader::from_reader(document);
    let (mut buffer, mut events) = (Vec::new(), 0);
    while !matches!(reader.read_event_into(&mut buffer).expect("it is well-formed"), Event::Eof) {
        events += 1;
        buffer.clear();
    }
    events
}

fn bare_with_namespaces(document: &[u8]) -> usize {
    let mut reader = NsReader::from_reader(document);
    let (mut buffer, mut events) = (Vec::new(), 0);
    while !matches!(reader.read_resolved_event_into(&mut buffer).expect("it is well-formed"), (_, Event::Eof)) {
        events += 1;
        buffer.clear();
    }
    events
}

fn discovery(criterion: &mut Criterion) {
    let document = document();
    let bytes = document.as_bytes();
    assert_eq!(fuzzing::inventory(bytes), Some(2000));
    let mut group = criterion.benchmark_group("discovery");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("read, extract and join", |bencher| bencher.iter(|| fuzzing::inventory(black_box(bytes))));
    group.bench_function("bare quick-xml", |bencher| bencher.iter(|| bare(black_box(bytes))));
    group.bench_function("bare quick-xml with namespaces", |bencher| {
        bencher.iter(|| bare_with_namespaces(black_box(bytes)));
    });
    group.finish();
}

criterion_group!(benches, discovery);
criterion_main!(benches);
