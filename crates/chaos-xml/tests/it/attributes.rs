//! Names, texts, namespaces and attributes of what is kept.

use chaos_xml::Node;

use super::{SCHEMA, read};

#[test]
fn names_have_no_prefixes_and_only_leaves_have_text() {
    let tree =
        read(b"<p:vm xmlns:p='urn:x'> <p:name>web &amp; <![CDATA[<db>]]>&#x21;</p:name>\n<cpu>\n <n/>\n</cpu> </p:vm>");
    let tree = tree.unwrap();
    let root = tree.root().unwrap();
    assert_eq!((root.name(), root.text(), root.is_leaf()), ("vm", "", false));
    assert_eq!(root.child_text("name"), Some("web & <db>!"));
    assert_eq!(root.child("cpu").map(Node::text), Some(""));
    assert_eq!(root.child_text("n"), None, "a grandchild is no child");
}

#[test]
fn children_come_in_the_order_of_the_document() {
    let tree = read(b"<a><b>1</b><c><b>no</b></c><b>2</b><d/></a>").unwrap();
    let root = tree.root().unwrap();
    assert_eq!(root.children().map(Node::name).collect::<Vec<_>>(), ["b", "c", "b", "d"]);
    assert_eq!(root.children_named("b").map(Node::text).collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn each_element_has_its_own_attributes() {
    let tree =
        read(b"<a id='1'><b/><c other='no' id='2 &lt; 3'/><d s:type='string' xmlns:s='urn:schema'/><e id=''/></a>");
    let tree = tree.unwrap();
    let root = tree.root().unwrap();
    let id = |name| root.child(name).unwrap().attribute("id");
    assert_eq!(root.attribute("id"), Some("1"));
    assert_eq!((id("b"), id("c"), id("d"), id("e")), (None, Some("2 < 3"), None, Some("")));
    assert_eq!(root.child("d").unwrap().attribute_in(SCHEMA, "type"), Some("string"));
    assert_eq!(root.child("c").unwrap().attribute("other"), None, "it is not in the vocabulary");
}

#[test]
fn attributes_are_told_apart_by_namespace_and_not_by_prefix() {
    let tree =
        read(b"<a xmlns:x='urn:schema' xmlns:y='urn:y' type='1' x:type='2' y:type='3' x:id='4' id='5' z:id='6'/>");
    let tree = tree.unwrap();
    let root = tree.root().unwrap();
    assert_eq!((root.attribute("type"), root.attribute_in(SCHEMA, "type")), (None, Some("2")));
    assert_eq!((root.attribute("id"), root.attribute_in(SCHEMA, "id")), (Some("5"), None));
}

#[test]
fn two_prefixes_for_one_attribute_count_once() {
    let tree = read(b"<a xmlns:x='urn:schema' xmlns:y='urn:schema' x:type='first' y:type='second'><b/></a>").unwrap();
    let root = tree.root().unwrap();
    assert_eq!(root.attribute_in(SCHEMA, "type"), Some("first"));
    assert_eq!(root.child("b").unwrap().attribute_in(SCHEMA, "type"), None);
}

#[test]
fn the_namespace_is_known_down_to_the_level_that_was_asked_for() {
    let tree = read(b"<e:a xmlns:e='urn:envelope'><e:b><e:c/></e:b><b xmlns='urn:other'/></e:a>").unwrap();
    let root = tree.root().unwrap();
    let here: Vec<_> = root.children().map(Node::is_in_namespace).collect();
    assert!(root.is_in_namespace());
    assert_eq!(here, [true, false]);
    assert!(!root.child("b").and_then(|b| b.child("c")).unwrap().is_in_namespace());
}
