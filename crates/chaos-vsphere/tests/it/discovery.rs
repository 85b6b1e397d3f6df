//! Reading an inventory.

use std::time::Duration;

use chaos_core::{ErrorKind, Platform, Selector, ToolsStatus, VMInfo, VMPowerState, VMRef};
use wiremock::ResponseTemplate;
use wiremock::matchers::body_string_contains;

use crate::scripted::{Scripted, calls, cx, envelope, fault, ok, page};

/// One object with properties whose values are given with their element.
fn object(kind: &str, id: &str, properties: &[(&str, &str)]) -> String {
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("<propSet><name>{name}</name>{value}</propSet>")).collect();
    format!(r#"<objects><obj type="{kind}">{id}</obj>{}</objects>"#, properties.concat())
}

fn text(value: &str) -> String {
    format!(r#"<val xsi:type="xsd:string">{value}</val>"#)
}

fn to(kind: &str, id: &str) -> String {
    format!(r#"<val type="{kind}" xsi:type="ManagedObjectReference">{id}</val>"#)
}

fn place(kind: &str, id: &str, name: &str, parent: Option<(&str, &str)>) -> String {
    let parent = parent.map(|(kind, id)| to(kind, id));
    let name = text(name);
    let mut properties = vec![("name", name.as_str())];
    if let Some(parent) = &parent {
        properties.push((if kind == "VirtualApp" { "parentFolder" } else { "parent" }, parent));
    }
    object(kind, id, &properties)
}

/// A VM with everything that an ordinary one has.
fn vm(id: &str, name: &str, parent: (&str, &str), host: &str, more: &[(&str, &str)]) -> String {
    let config = r#"<val xsi:type="VirtualMachineConfigSummary"><name>x</name><template>false</template><vmPathName>[ds] x/x.vmx</vmPathName><memorySizeMB>4096</memorySizeMB><numCpu>2</numCpu><uuid>bios</uuid><instanceUuid>inst</instanceUuid><guestId>debian12_64Guest</guestId><guestFullName>Debian GNU/Linux 12 (64-bit)</guestFullName><hwVersion>vmx-20</hwVersion><laterField><x/></laterField></val>"#;
    let (name, host) = (text(name), to("HostSystem", host));
    let parent = (if parent.0 == "VirtualApp" { "parentVApp" } else { "parent" }, to(parent.0, parent.1));
    let mut properties = vec![
        ("name", name.as_str()),
        (parent.0, parent.1.as_str()),
        ("runtime.powerState", r#"<val xsi:type="VirtualMachinePowerState">poweredOn</val>"#),
        ("runtime.connectionState", r#"<val xsi:type="VirtualMachineConnectionState">connected</val>"#),
        ("runtime.host", host.as_str()),
        ("runtime.bootTime", r#"<val xsi:type="xsd:dateTime">2026-11-23T03:26:51.658096Z</val>"#),
        ("summary.config", config),
        ("guest.toolsRunningStatus", r#"<val xsi:type="xsd:string">guestToolsRunning</val>"#),
        ("guest.toolsVersionStatus2", r#"<val xsi:type="xsd:string">guestToolsCurrent</val>"#),
    ];
    for (path, value) in more {
        properties.retain(|(name, _)| name != path);
        if !value.is_empty() {
            properties.push((path, value));
        }
    }
    object("VirtualMachine", id, &properties)
}

/// Two datacenters (one within a folder), a cluster, a standalone host, nested folders, a vApp within a vApp.
fn estate() -> String {
    [
        place("Folder", "group-d1", "Datacenters", None),
        place("Folder", "group-d2", "sites", Some(("Folder", "group-d1"))),
        place("Datacenter", "dc-1", "DC%2f0", Some(("Folder", "group-d2"))),
        place("Folder", "group-v1", "vm", Some(("Datacenter", "dc-1"))),
        place("Folder", "group-v2", "web", Some(("Folder", "group-v1"))),
        place("VirtualApp", "vapp-1", "shop", Some(("Folder", "group-v2"))),
        object("VirtualApp", "vapp-2", &[("name", &text("inner")), ("parentVApp", &to("VirtualApp", "vapp-1"))]),
        place("Datacenter", "dc-2", "DC1", Some(("Folder", "group-d1"))),
        place("Folder", "group-v3", "vm", Some(("Datacenter", "dc-2"))),
        object("ClusterComputeResource", "domain-c1", &[("name", &text("prod"))]),
        object("ComputeResource", "domain-s1", &[("name", &text("lonely.example"))]),
        host("host-1", "esx1", "domain-c1", "connected"),
        host("host-2", "lonely.example", "domain-s1", "connected"),
        host("host-3", "esx3", "domain-c1", "notResponding"),
    ]
    .concat()
}

fn host(id: &str, name: &str, compute: &str, state: &str) -> String {
    let state = format!(r#"<val xsi:type="HostSystemConnectionState">{state}</val>"#);
    object(
        "HostSystem",
        id,
        &[("name", &text(name)), ("parent", &to("ComputeResource", compute)), ("runtime.connectionState", &state)],
    )
}

async fn discover(vms: &str) -> chaos_core::Discovery {
    let scripted = Scripted::start().await;
    calls("RetrievePropertiesEx").respond_with(page(None, &format!("{vms}{}", estate()))).mount(&scripted.server).await;
    let vsphere = scripted.connect().await;
    vsphere.discover(&cx(), &Selector::all()).await.unwrap()
}

fn by_id<'a>(vms: &'a [VMInfo], id: &str) -> &'a VMInfo {
    vms.iter().find(|vm| vm.id == id).unwrap()
}

#[tokio::test]
async fn a_vm_comes_with_its_place_host_and_size() {
    let found = discover(&vm("vm-1", "web%2f01", ("Folder", "group-v2"), "host-1", &[])).await;
    insta::assert_json_snapshot!(found.vms[0], @r#"
    {
      "name": "web/01",
      "id": "vm-1",
      "power_state": "powered_on",
      "platform": "vsphere",
      "host": "esx1",
      "datacenter": "DC/0",
      "cluster": "prod",
      "cpu_count": 2,
      "memory_mb": 4096,
      "guest_os": "Debian GNU/Linux 12 (64-bit)",
      "tools_status": "running",
      "path": "/sites/DC/0/vm/web/web/01",
      "template": false,
      "instance_uuid": "inst",
      "boot_time": "2026-11-23T03:26:51.658096Z",
      "native_state": "poweredOn",
      "unmanageable": null,
      "metadata": {
        "bios_uuid": "bios",
        "guest_id": "debian12_64Guest",
        "hardware_version": "vmx-20",
        "tools_version_status": "guestToolsCurrent",
        "vm_path_name": "[ds] x/x.vmx"
      }
    }
    "#);
    assert!(found.problems.is_empty());
}

#[tokio::test]
async fn vapps_standalone_hosts_and_duplicates_are_told_apart() {
    let found = discover(
        &[
            vm("vm-1", "db", ("VirtualApp", "vapp-2"), "host-1", &[]),
            vm("vm-2", "db", ("Folder", "group-v3"), "host-2", &[]),
            vm("vm-2", "db", ("Folder", "group-v3"), "host-2", &[]),
        ]
        .concat(),
    )
    .await;
    let paths: Vec<_> = found.vms.iter().map(VMInfo::display_path).collect();
    assert_eq!(paths, ["/DC1/vm/db", "/sites/DC/0/vm/web/shop/inner/db"]);
    assert_eq!(by_id(&found.vms, "vm-2").cluster, None);
    assert_eq!(by_id(&found.vms, "vm-2").datacenter.as_deref(), Some("DC1"));
    assert_eq!(by_id(&found.vms, "vm-1").datacenter.as_deref(), Some("DC/0"));
}

#[tokio::test]
async fn odd_vms_are_shown_with_the_reason_why_they_are_odd() {
    let config = |field: &str| format!("<val xsi:type=\"VirtualMachineConfigSummary\"><numCpu>1</numCpu>{field}</val>");
    let (template, managed, secondary) = (
        config("<template>true</template>"),
        config("<managedBy><extensionKey>com.vmware.nsx</extensionKey><type>a</type></managedBy>"),
        config("<ftInfo xsi:type=\"FaultToleranceSecondaryConfigInfo\"><role>2</role></ftInfo>"),
    );
    let state = |state: &str| format!("<val xsi:type=\"VirtualMachineConnectionState\">{state}</val>");
    let place = ("Folder", "group-v1");
    let found = discover(
        &[
            vm("template", "t", place, "host-1", &[("summary.config", &template)]),
            vm("managed", "m", place, "host-1", &[("summary.config", &managed)]),
            vm("secondary", "s", place, "host-1", &[("summary.config", &secondary)]),
            vm("vcls", "vCLS-4211", place, "host-1", &[]),
            vm("orphaned", "o", place, "host-1", &[("runtime.connectionState", &state("orphaned"))]),
            vm("unheard", "u", place, "host-1", &[("runtime.connectionState", &state("quantum"))]),
            vm(
                "noconfig",
                "n",
                place,
                "host-1",
                &[("summary.config", "<val xsi:type=\"VirtualMachineConfigSummary\"/>")],
            ),
            vm("lost", "l", place, "host-3", &[]),
            vm(
                "new",
                "w",
                place,
                "host-1",
                &[("runtime.powerState", "<val xsi:type=\"VirtualMachinePowerState\">hibernated</val>")],
            ),
        ]
        .concat(),
    )
    .await;
    let reason = |id: &str| by_id(&found.vms, id).unmanageable.clone().unwrap_or_default();
    assert!(by_id(&found.vms, "template").template);
    assert_eq!(reason("template"), "");
    assert_eq!(reason("managed"), "it belongs to the extension com.vmware.nsx");
    assert!(reason("secondary").contains("secondary of a fault-tolerant pair"));
    assert!(reason("vcls").contains("Cluster Services"));
    assert!(reason("orphaned").contains("orphaned"));
    assert_eq!(reason("unheard"), "its connection state is quantum");
    assert!(reason("noconfig").contains("no configuration"));
    assert_eq!(by_id(&found.vms, "noconfig").cpu_count, None);
    assert_eq!(reason("lost"), "its host esx3 is notResponding");
    let new = by_id(&found.vms, "new");
    assert_eq!((new.power_state, new.native_state.as_str()), (VMPowerState::Unknown, "hibernated"));
}

#[tokio::test]
async fn what_may_not_be_read_is_told_once_and_the_vms_stay() {
    let hidden = |id: &str| {
        format!(
            r#"<objects><obj type="VirtualMachine">{id}</obj><propSet><name>name</name>{}</propSet><missingSet><path>summary.config</path><fault><fault xsi:type="NoPermission"><object type="VirtualMachine">{id}</object><privilegeId>System.Read</privilegeId></fault><localizedMessage>no</localizedMessage></fault></missingSet></objects>"#,
            text(id)
        )
    };
    let found = discover(&[hidden("vm-1"), hidden("vm-2")].concat()).await;
    assert_eq!(found.vms.len(), 2);
    assert_eq!(found.vms[0].unmanageable, None, "nobody knows whether it has a configuration");
    assert_eq!(found.vms[0].tools_status, Some(ToolsStatus::Unknown));
    let problem = &found.problems[0];
    assert_eq!(problem.subject, "VirtualMachine:vm-1");
    assert_eq!(
        problem.message,
        "cannot read `summary.config` (and of 1 more): NoPermission: privilege System.Read is missing (no)"
    );
}

#[tokio::test]
async fn a_token_is_followed_whatever_its_value() {
    let scripted = Scripted::start().await;
    let place = ("Folder", "group-v1");
    calls("RetrievePropertiesEx")
        .respond_with(page(Some("0"), &vm("vm-1", "a", place, "host-1", &[])))
        .mount(&scripted.server)
        .await;
    calls("ContinueRetrievePropertiesEx")
        .and(body_string_contains("<token>0</token>"))
        .respond_with(page(Some(""), &vm("vm-2", "b", place, "host-1", &[])))
        .mount(&scripted.server)
        .await;
    calls("ContinueRetrievePropertiesEx")
        .and(body_string_contains("<token></token>"))
        .respond_with(page(None, &format!("{}{}", vm("vm-3", "c", place, "host-1", &[("parentVApp", "")]), estate())))
        .mount(&scripted.server)
        .await;
    let found = scripted.connect().await.discover(&cx(), &Selector::all()).await.unwrap();
    assert_eq!(found.vms.iter().map(|vm| vm.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(!scripted.called().await.contains(&"CancelRetrievePropertiesEx".to_owned()));
}

async fn until_called(scripted: &Scripted, name: &str) {
    let called = async {
        while !scripted.called().await.iter().any(|called| called == name) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), called).await.unwrap_or_else(|_| panic!("{name} was not called"));
}

#[tokio::test]
async fn pages_that_nobody_will_read_are_given_back() {
    let scripted = Scripted::start().await;
    calls("RetrievePropertiesEx").respond_with(page(Some("tok-1"), "")).mount(&scripted.server).await;
    calls("ContinueRetrievePropertiesEx")
        .respond_with(page(None, "").set_delay(Duration::from_secs(30)))
        .mount(&scripted.server)
        .await;
    calls("CancelRetrievePropertiesEx")
        .and(body_string_contains("<token>tok-1</token>"))
        .respond_with(ok("CancelRetrievePropertiesEx", ""))
        .mount(&scripted.server)
        .await;
    let vsphere = scripted.connect().await;
    // Dropped in the middle, as a caller's select does it.
    let (context, all) = (cx(), Selector::all());
    tokio::select! {
        _ = vsphere.discover(&context, &all) => panic!("the second page never comes"),
        () = until_called(&scripted, "ContinueRetrievePropertiesEx") => {}
    }
    until_called(&scripted, "CancelRetrievePropertiesEx").await;
    // Disconnecting waits for it: the logout is last.
    vsphere.disconnect(&cx()).await.unwrap();
    assert_eq!(scripted.called().await.last().unwrap(), "Logout");
}

#[tokio::test]
async fn a_cancelled_call_ends_soon_and_gives_its_pages_back() {
    let scripted = Scripted::start().await;
    calls("RetrievePropertiesEx").respond_with(page(Some("tok-1"), "")).mount(&scripted.server).await;
    calls("ContinueRetrievePropertiesEx")
        .respond_with(page(None, "").set_delay(Duration::from_secs(30)))
        .mount(&scripted.server)
        .await;
    calls("CancelRetrievePropertiesEx")
        .respond_with(ok("CancelRetrievePropertiesEx", ""))
        .mount(&scripted.server)
        .await;
    let vsphere = scripted.connect().await;
    let context = cx();
    let cancel = context.cancellation().clone();
    let all = Selector::all();
    let (result, ()) = tokio::join!(vsphere.discover(&context, &all), async {
        until_called(&scripted, "ContinueRetrievePropertiesEx").await;
        cancel.cancel();
    });
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
    until_called(&scripted, "CancelRetrievePropertiesEx").await;
}

#[tokio::test]
async fn a_cut_body_is_read_again() {
    let scripted = Scripted::start().await;
    let whole = envelope(
        r#"<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval></returnval></RetrievePropertiesExResponse>"#,
    );
    let cut = ResponseTemplate::new(200).set_body_raw(&whole[..whole.len() - 40], "text/xml");
    calls("RetrievePropertiesEx").respond_with(cut).up_to_n_times(1).with_priority(1).mount(&scripted.server).await;
    calls("RetrievePropertiesEx").respond_with(page(None, &estate())).mount(&scripted.server).await;
    assert!(scripted.connect().await.discover(&cx(), &Selector::all()).await.unwrap().vms.is_empty());
}

#[tokio::test]
async fn an_answer_that_is_html_or_stays_cut_is_a_typed_error() {
    for (answer, kind) in [
        (ResponseTemplate::new(200).set_body_raw("<html><p>Sign in</html>", "text/html"), ErrorKind::Protocol),
        (ResponseTemplate::new(200).set_body_raw(&envelope("")[..60], "text/xml"), ErrorKind::Protocol),
        (ResponseTemplate::new(500).set_body_raw("oops", "text/plain"), ErrorKind::Protocol),
        (fault("SystemError", "<reason>full</reason>"), ErrorKind::Failed),
    ] {
        let scripted = Scripted::start().await;
        calls("RetrievePropertiesEx").respond_with(answer).mount(&scripted.server).await;
        let error = scripted.connect().await.discover(&cx(), &Selector::all()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn an_object_that_vanishes_under_the_walk_costs_another_walk() {
    let scripted = Scripted::start().await;
    let gone = fault("ManagedObjectNotFound", r#"<obj type="VirtualMachine">vm-9</obj>"#);
    calls("RetrievePropertiesEx").respond_with(gone).up_to_n_times(3).with_priority(1).mount(&scripted.server).await;
    calls("RetrievePropertiesEx").respond_with(page(None, &estate())).mount(&scripted.server).await;
    scripted.connect().await.discover(&cx(), &Selector::all()).await.unwrap();
    assert_eq!(scripted.called().await[3..], ["RetrievePropertiesEx"; 4]);
}

#[tokio::test]
async fn an_inventory_that_never_holds_still_is_read_in_pieces() {
    let scripted = Scripted::start().await;
    let gone = fault("ManagedObjectNotFound", r#"<obj type="VirtualMachine">vm-9</obj>"#);
    calls("RetrievePropertiesEx")
        .and(body_string_contains("childEntity"))
        .respond_with(gone)
        .with_priority(1)
        .mount(&scripted.server)
        .await;
    calls("CreateContainerView")
        .respond_with(ok("CreateContainerView", r#"<returnval type="ContainerView">session[1]v</returnval>"#))
        .mount(&scripted.server)
        .await;
    let members = r#"<val xsi:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="VirtualMachine" xsi:type="ManagedObjectReference">vm-1</ManagedObjectReference></val>"#;
    calls("RetrievePropertiesEx")
        .and(body_string_contains("<pathSet>view</pathSet>"))
        .respond_with(page(None, &object("ContainerView", "session[1]v", &[("view", members)])))
        .with_priority(2)
        .mount(&scripted.server)
        .await;
    calls("DestroyView").respond_with(ok("DestroyView", "")).expect(1).mount(&scripted.server).await;
    let place = ("Folder", "group-v1");
    calls("RetrievePropertiesEx")
        .and(body_string_contains(r#"<obj type="VirtualMachine">vm-1</obj>"#))
        .respond_with(page(None, &format!("{}{}", vm("vm-1", "a", place, "host-1", &[]), estate())))
        .mount(&scripted.server)
        .await;
    let found = scripted.connect().await.discover(&cx(), &Selector::all()).await.unwrap();
    assert_eq!(found.vms[0].display_path(), "/sites/DC/0/vm/a");
}

#[tokio::test]
async fn a_lookup_by_id_costs_one_request() {
    let scripted = Scripted::start().await;
    let answer = format!("{}{}", vm("vm-1", "a", ("Folder", "group-v1"), "host-1", &[]), estate());
    calls("RetrievePropertiesEx").respond_with(page(None, &answer)).mount(&scripted.server).await;
    let vsphere = scripted.connect().await;
    let known = VMRef::new(vsphere.identity(), "vm-1");
    let unknown = VMRef::new(vsphere.identity(), "vm-2");
    let mut foreign = known.clone();
    foreign.instance = "another".into();
    let answers = vsphere.get(&cx(), &[unknown, known, foreign]).await;
    assert_eq!(answers[0].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    let vm = answers[1].as_ref().unwrap();
    assert_eq!((vm.display_path(), vm.cluster.as_deref()), ("/sites/DC/0/vm/a", Some("prod")));
    assert_eq!(answers[2].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(scripted.called().await[3..], ["RetrievePropertiesEx"]);
    vsphere.discover(&cx(), &Selector::targets(["id:vm-1".parse().unwrap()])).await.unwrap();
    assert_eq!(scripted.called().await[4..], ["RetrievePropertiesEx"]);
    let bodies: Vec<String> =
        scripted.requests().await[3..].iter().map(|request| String::from_utf8(request.body.clone()).unwrap()).collect();
    assert!(bodies.iter().all(|body| !body.contains("childEntity")), "no walk over the inventory");
}

#[tokio::test]
async fn a_path_is_looked_up_by_the_servers_index_and_else_in_the_whole_inventory() {
    let scripted = Scripted::start().await;
    let answer = format!("{}{}", vm("vm-1", "a%2fb", ("Folder", "group-v3"), "host-1", &[]), estate());
    calls("RetrievePropertiesEx").respond_with(page(None, &answer)).mount(&scripted.server).await;
    calls("FindByInventoryPath").respond_with(ok("FindByInventoryPath", "")).mount(&scripted.server).await;
    let vsphere = scripted.connect().await;
    let selector = Selector::targets(["path:/DC1/vm/a/b".parse().unwrap()]);
    let found = vsphere.discover(&cx(), &selector).await.unwrap();
    assert_eq!(found.vms[0].name, "a/b");
    assert_eq!(scripted.called().await[3..], ["FindByInventoryPath", "RetrievePropertiesEx"]);
}

#[tokio::test]
async fn an_environment_is_summed_up() {
    let scripted = Scripted::start().await;
    let template = "<val xsi:type=\"VirtualMachineConfigSummary\"><numCpu>1</numCpu><template>true</template></val>";
    let answer = [
        vm("vm-1", "a", ("Folder", "group-v1"), "host-1", &[]),
        vm("vm-2", "b", ("Folder", "group-v3"), "host-2", &[]),
        vm("vm-3", "t", ("Folder", "group-v3"), "host-2", &[("summary.config", template)]),
        estate(),
    ];
    calls("RetrievePropertiesEx").respond_with(page(None, &answer.concat())).mount(&scripted.server).await;
    let vsphere = scripted.connect().await;
    let discovery = vsphere.discovery();
    let report = discovery.summary(&cx()).await.unwrap();
    assert_eq!((report.summary.vms, report.summary.templates, report.summary.cpu_count), (2, 1, 4));
    assert_eq!(report.summary.by_datacenter["DC/0"], 1);
    assert_eq!(discovery.by_datacenter(&cx(), "DC1").await.unwrap().vms.len(), 2);
    assert_eq!(discovery.by_cluster(&cx(), "prod").await.unwrap().vms.len(), 1);
    assert_eq!(discovery.by_host(&cx(), "lonely*").await.unwrap().vms.len(), 2);
    assert_eq!(discovery.powered_on(&cx()).await.unwrap().vms.len(), 3);
}
