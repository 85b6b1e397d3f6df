//! Objects, pages and update sets in the forms that servers are known to use.

use chaos_core::VMPowerState;
use chaos_xml::{Limits, XmlError, XmlStream};

use super::{envelope, tree};
use crate::soap::fault::FaultKind;
use crate::soap::node::VIM;
use crate::vim::{
    self, Answer, ChangeKind, MoRef, OBJECTS, ObjectContent, Page, PropertyChange, PropertyValue, ServiceContent,
    TaskPhase, TaskState, VmState,
};

fn answer<T>(body: &str, request: &vim::Request<T>) -> T {
    let tree = tree(body);
    request.read(&Answer::find(&tree).unwrap().unwrap()).unwrap()
}

fn content(kind: &str) -> ServiceContent {
    answer(
        &format!(
            r#"<RetrieveServiceContentResponse xmlns="urn:vim25"><returnval>
            <rootFolder type="Folder">group-d1</rootFolder><propertyCollector type="PropertyCollector">propertyCollector</propertyCollector>
            <viewManager type="ViewManager">ViewManager</viewManager>
            <about><name>VMware vCenter Server</name><fullName>VMware vCenter Server 8.0.3 build-1</fullName><apiType>{kind}</apiType><apiVersion>8.0.3.0</apiVersion><instanceUuid>1e306684</instanceUuid></about>
            <newThing type="Unheard">x</newThing>
            <sessionManager type="SessionManager">SessionManager</sessionManager><searchIndex type="SearchIndex">SearchIndex</searchIndex>
            </returnval></RetrieveServiceContentResponse>"#
        ),
        &vim::retrieve_service_content(),
    )
}

#[test]
fn service_content_tells_a_host_from_a_vcenter() {
    assert_eq!(content("HostAgent").about.api_type, "HostAgent");
    let vcenter = content("VirtualCenter");
    assert_eq!(vcenter.about.api_type, "VirtualCenter");
    assert_eq!(vcenter.root_folder, MoRef::new("Folder", "group-d1"));
    assert_eq!(vcenter.about.instance_uuid.as_deref(), Some("1e306684"));
}

type Seen = (MoRef, Vec<(String, PropertyValue)>, Vec<(String, bool)>);

/// Reads a page in chunks of `size` bytes.
fn objects(document: &str, size: usize) -> (Vec<Seen>, Page) {
    let mut stream = XmlStream::new(Limits::STREAMED, &VIM, Some(OBJECTS));
    let mut seen = Vec::new();
    for chunk in document.as_bytes().chunks(size) {
        stream
            .push(chunk, &mut |node| {
                let object = ObjectContent::new(node);
                seen.push((
                    object.object().unwrap(),
                    object.properties().map(|(path, value)| (path.to_owned(), PropertyValue::read(value))).collect(),
                    object.missing().map(|missing| (missing.path.clone(), missing.is_unauthenticated())).collect(),
                ));
                Ok::<(), XmlError>(())
            })
            .unwrap();
    }
    let tree = stream.finish().unwrap();
    let page = Page::read(&Answer::find(tree).unwrap().unwrap());
    (seen, page)
}

/// One VM in vCenter's style, one in govmomi's simulator's (its own prefix for xsi, `type` and `xsi:type` on one element), one with
/// gaps, one that nobody is logged in for.
fn page() -> String {
    envelope(
        r#"<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval><token>0</token>
<objects><obj type="VirtualMachine">vm-1</obj>
  <propSet><name>name</name><val xsi:type="xsd:string">a &amp; b&#39;s &#xE9;té <![CDATA[<x>]]></val></propSet>
  <propSet><name>disabledMethod</name><val xsi:type="ArrayOfString"><string>PowerOnVM_Task</string><string>ShutdownGuest</string></val></propSet></objects>
<objects><obj type="VirtualMachine" serverGuid="x">vm-2</obj>
  <propSet><name>parent</name><val type="Folder" xmlns:_XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance" _XMLSchema-instance:type="ManagedObjectReference">group-3</val></propSet>
  <propSet><name>childEntity</name><val xmlns:q="http://www.w3.org/2001/XMLSchema-instance" q:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="VirtualMachine" q:type="ManagedObjectReference">vm-3</ManagedObjectReference></val></propSet>
  <propSet><name>network</name><val xsi:type="ArrayOfManagedObjectReference"></val></propSet></objects>
<objects><obj type="VirtualMachine">vm-3</obj>
  <propSet><name>parentVApp</name></propSet>
  <propSet><name>runtime.bootTime</name><val xsi:nil="true"/></propSet>
  <propSet><name>summary.later</name><val xsi:type="vim25:TypeOfTheFuture"><deep><deeper/></deep></val></propSet>
  <propSet><name>guest.guestState</name><val xsi:type="xsd:string"></val></propSet></objects>
<objects><obj type="VirtualMachine">vm-4</obj>
  <missingSet><path>name</path><fault><fault xsi:type="NotAuthenticated"><object type="VirtualMachine">vm-4</object><privilegeId>System.Read</privilegeId></fault></fault></missingSet>
  <missingSet><path>config</path><fault><fault xsi:type="NoPermission"/><localizedMessage>no</localizedMessage></fault></missingSet></objects>
</returnval></RetrievePropertiesExResponse>"#,
    )
}

#[test]
fn a_page_reads_the_same_however_it_is_cut() {
    let document = page();
    let (seen, page) = objects(&document, usize::MAX);
    assert_eq!(page.token.as_deref(), Some("0"));
    let scalar = |text: &str| PropertyValue::Scalar(text.into());
    assert_eq!(
        seen[0].1,
        [
            ("name".into(), scalar("a & b's été <x>")),
            ("disabledMethod".into(), PropertyValue::Scalars(vec!["PowerOnVM_Task".into(), "ShutdownGuest".into()])),
        ]
    );
    assert_eq!(
        seen[1].1,
        [
            ("parent".into(), PropertyValue::Reference(MoRef::new("Folder", "group-3"))),
            ("childEntity".into(), PropertyValue::References(vec![MoRef::vm("vm-3")])),
            ("network".into(), PropertyValue::References(vec![])),
        ]
    );
    assert_eq!(
        seen[2].1,
        [
            ("summary.later".into(), PropertyValue::Other("TypeOfTheFuture".into())),
            ("guest.guestState".into(), scalar(""))
        ]
    );
    assert_eq!(seen[3].2, [("name".into(), true), ("config".into(), false)]);
    for size in 1..document.len().min(200) {
        assert_eq!(objects(&document, size).0, seen, "chunks of {size}");
    }
}

#[test]
fn no_match_is_an_empty_value_or_none() {
    for body in [
        r#"<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval></returnval></RetrievePropertiesExResponse>"#,
        r#"<RetrievePropertiesExResponse xmlns="urn:vim25"></RetrievePropertiesExResponse>"#,
    ] {
        let (seen, page) = objects(&envelope(body), 7);
        assert!(seen.is_empty());
        assert_eq!(page.token, None);
    }
}

fn wait(body: &str) -> Option<vim::UpdateSet> {
    let request = vim::wait_for_updates(&MoRef::new("PropertyCollector", "pc"), "", std::time::Duration::ZERO, 100);
    answer(&format!(r#"<WaitForUpdatesExResponse xmlns="urn:vim25">{body}</WaitForUpdatesExResponse>"#), &request)
}

#[test]
fn a_wait_without_a_value_is_a_time_out() {
    assert_eq!(wait(""), None);
}

#[test]
fn updates_build_up_tasks_and_vms_in_order() {
    let set = wait(
        r#"<returnval><version>7</version><filterSet><filter type="PropertyFilter">session[1]f1</filter>
<objectSet><kind>enter</kind><obj type="Task">task-1</obj>
  <changeSet><name>info.state</name><op>assign</op><val xsi:type="TaskInfoState">running</val></changeSet>
  <changeSet><name>info.progress</name><op>assign</op><val xsi:type="xsd:int">41</val></changeSet></objectSet>
<objectSet><kind>modify</kind><obj type="Task">task-1</obj>
  <changeSet><name>info.state</name><op>assign</op><val xsi:type="TaskInfoState">error</val></changeSet>
  <changeSet><name>info.progress</name><op>assign</op></changeSet>
  <changeSet><name>info.error</name><op>assign</op><val xsi:type="LocalizedMethodFault"><fault xsi:type="InvalidPowerState"><requestedState>poweredOff</requestedState><existingState>poweredOff</existingState></fault><localizedMessage>The attempted operation cannot be performed in the current state (Powered off).</localizedMessage></val></changeSet></objectSet>
<objectSet><kind>enter</kind><obj type="VirtualMachine">vm-1</obj>
  <changeSet><name>runtime.powerState</name><op>assign</op><val xsi:type="VirtualMachinePowerState">poweredOn</val></changeSet>
  <changeSet><name>guest.guestState</name><op>assign</op><val xsi:type="xsd:string">shuttingDown</val></changeSet>
  <changeSet><name>guest.guestStateChangeSupported</name><op>assign</op><val xsi:type="xsd:boolean">true</val></changeSet>
  <changeSet><name>runtime.bootTime</name><op>assign</op><val xsi:type="xsd:dateTime">2026-11-23T03:26:51.658096Z</val></changeSet>
  <changeSet><name>runtime.question</name><op>assign</op><val xsi:type="VirtualMachineQuestionInfo"><id>3</id><text>moved or copied?</text><choice><choiceInfo xsi:type="ElementDescription"><label>button.uuid.movedTheVM</label><key>1</key></choiceInfo></choice></val></changeSet></objectSet>
<objectSet><kind>leave</kind><obj type="VirtualMachine">vm-2</obj></objectSet>
<objectSet><kind>unheardOf</kind><obj type="VirtualMachine">vm-3</obj></objectSet>
</filterSet><truncated>true</truncated></returnval>"#,
    )
    .unwrap();
    assert_eq!((set.version.as_str(), set.truncated, set.objects.len()), ("7", true, 4));
    let mut task = TaskState::default();
    for update in &set.objects[..2] {
        update.changes.iter().for_each(|change| task.apply(change));
    }
    assert_eq!((task.phase, task.progress), (TaskPhase::Error, None));
    let fault = task.error.unwrap();
    assert!(
        matches!(fault.kind, FaultKind::InvalidPowerState { existing: Some(ref state), .. } if state == "poweredOff")
    );
    let mut vm = VmState::default();
    set.objects[2].changes.iter().for_each(|change| vm.apply(change));
    assert_eq!(vm.power(), VMPowerState::PoweredOn);
    assert_eq!(vm.guest_state.as_deref(), Some("shuttingdown"));
    assert_eq!(vm.state_change_supported, Some(true));
    assert!(vm.boot_time.is_some());
    assert_eq!(vm.question.as_ref().unwrap().choices, ["button.uuid.movedTheVM"]);
    vm.apply(&PropertyChange { path: "runtime.question".into(), value: None });
    assert_eq!(vm.question, None);
    assert_eq!(set.objects[3].kind, ChangeKind::Leave);
}
