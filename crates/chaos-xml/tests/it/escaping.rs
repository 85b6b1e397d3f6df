//! What is written reads back.

use chaos_xml::escape;
use proptest::prelude::*;

use super::read;

proptest! {
    #[test]
    fn escaped_text_reads_back_in_an_element_and_on_one_line_in_an_attribute(
        text in "[\\t\\n\\r -~\u{a0}-\u{2ff}\u{2028}😀]{0,40}",
    ) {
        let escaped = escape(&text);
        let tree = read(format!("<a id=\"{escaped}\">{escaped}</a>").as_bytes()).unwrap();
        let root = tree.root().unwrap();
        prop_assert_eq!(root.text(), &text);
        let in_attribute = text.replace(['\t', '\n'], " ");
        prop_assert_eq!(root.attribute("id"), Some(&*in_attribute));
    }

    #[test]
    fn whatever_the_text_the_document_stays_one(text in any::<String>()) {
        let escaped = escape(&text);
        let tree = read(format!("<a id=\"{escaped}\">{escaped}</a>").as_bytes()).unwrap();
        prop_assert!(tree.root().unwrap().is_leaf());
    }
}

#[test]
fn what_xml_cannot_hold_becomes_a_replacement() {
    assert_eq!(escape("a\0b\u{1b}c\u{ffff}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
}
