//! Long lists, of which one member at a time is held.

use chaos_xml::{Limits, Node, Records, XmlError, XmlStream};
use proptest::prelude::*;

use super::VOCABULARY;

const VMS: Records = Records { depth: 2, name: "vm" };

const LIST: &str = "<?xml version='1.0'?><!-- a list --><vms><total>3</total>\
    <vm id='1'><name>web-01</name><vm>not a record</vm></vm>\r\n<vm id='2'/><other><vm id='no'/></other>\
    <vm id='3'><name>d&#228;mon > \"x\"</name></vm><next>4</next></vms>\n";

/// Reads `document` in chunks of these sizes, over and over.
fn vms(document: &str, sizes: &[usize], limits: Limits) -> Result<(Vec<String>, Vec<String>), XmlError> {
    let mut stream = XmlStream::new(limits, &VOCABULARY, Some(VMS));
    let (mut seen, mut rest, mut sizes) = (Vec::new(), document.as_bytes(), sizes.iter().cycle());
    let mut each = |vm: Node<'_>| {
        let text = |name| vm.child_text(name).unwrap_or_default();
        seen.push(format!("{} {}{}", vm.attribute("id").unwrap_or_default(), text("name"), text("vm")));
        Ok::<(), XmlError>(())
    };
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at((*sizes.next().expect("they come over and over")).min(rest.len()));
        stream.push(chunk, &mut each)?;
        rest = behind;
    }
    let kept = stream.finish()?.root().into_iter().flat_map(Node::children);
    Ok((seen, kept.map(|node| format!("{}={}", node.name(), node.text())).collect()))
}

fn expected() -> (Vec<String>, Vec<String>) {
    let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    (own(&["1 web-01not a record", "2 ", "3 dämon > \"x\""]), own(&["total=3", "other=", "next=4"]))
}

proptest! {
    #[test]
    fn a_list_reads_the_same_however_it_is_cut(sizes in proptest::collection::vec(1_usize..40, 1..8)) {
        prop_assert_eq!(vms(LIST, &sizes, Limits::STREAMED).unwrap(), expected());
    }
}

#[test]
fn records_come_as_soon_as_they_are_whole() {
    let mut stream = XmlStream::new(Limits::STREAMED, &VOCABULARY, Some(VMS));
    let mut seen = 0;
    let mut push = |stream: &mut XmlStream, chunk: &[u8]| {
        stream
            .push(chunk, &mut |_: Node<'_>| {
                seen += 1;
                Ok::<(), XmlError>(())
            })
            .unwrap();
        seen
    };
    assert_eq!(push(&mut stream, b"<vms><total>2</total><vm id='1'></v"), 0);
    assert_eq!(stream.so_far().root().and_then(|root| root.child_text("total")), Some("2"));
    assert_eq!(push(&mut stream, b"m>"), 1);
    assert_eq!(push(&mut stream, b"<vm/></vms>"), 2);
    assert!(stream.finish().is_ok());
}

#[test]
fn limits_hold_for_one_record_and_not_for_their_sum() {
    let limits = Limits { nodes: 10, tree_bytes: 100, ..Limits::STREAMED };
    let small = format!("<vms>{}</vms>", "<vm id='1'><name>web</name></vm>".repeat(1000));
    assert_eq!(vms(&small, &[7], limits).unwrap().0.len(), 1000);
    let large = format!("<vms><vm>{}</vm></vms>", "<name/>".repeat(10));
    assert!(matches!(vms(&large, &[7], limits), Err(XmlError::TooLarge { unit: "elements", .. })));
    let long = format!("<vms><vm id='{}'/></vms>", "x".repeat(100));
    assert!(matches!(vms(&long, &[7], limits), Err(XmlError::TooLarge { unit: "bytes", .. })));
    let endless = Limits { document_bytes: 1000, ..limits };
    assert!(matches!(vms(&small, &[7], endless), Err(XmlError::TooLarge { what: "the answer", .. })));
}

#[test]
fn an_error_of_the_reader_of_records_ends_the_document() {
    let mut stream = XmlStream::new(Limits::STREAMED, &VOCABULARY, Some(VMS));
    let mut seen = 0;
    let error = stream.push(b"<vms><vm/><vm/></vms>", &mut |_| {
        seen += 1;
        Err(XmlError::NotXml)
    });
    assert!(matches!(error, Err(XmlError::NotXml)));
    assert_eq!(seen, 1);
}
