//! A malformed corpus: each document is an error within bounds, never a panic.

use chaos_xml::{Limits, Node, Records, XmlError, XmlStream};
use proptest::prelude::*;

use super::{VOCABULARY, read};

#[test]
fn deep_nesting_is_refused() {
    let document = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    assert!(matches!(read(document.as_bytes()), Err(XmlError::TooLarge { unit: "levels", .. })));
}

#[test]
fn a_huge_attribute_and_a_huge_text_are_refused_before_they_are_held() {
    let attribute = format!("<a b=\"{}\"/>", "x".repeat(8 << 20));
    assert!(matches!(read(attribute.as_bytes()), Err(XmlError::TooLarge { unit: "bytes", .. })));
    let mut stream = XmlStream::new(Limits::STREAMED, &VOCABULARY, None);
    stream.push(b"<a>", &mut |_| Ok::<(), XmlError>(())).unwrap();
    let chunk = [b'x'; 16 * 1024];
    let mut taken = 0_usize;
    let error = loop {
        match stream.push(&chunk, &mut |_| Ok::<(), XmlError>(())) {
            Ok(()) => taken += chunk.len(),
            Err(error) => break error,
        }
        assert!(taken < 100 << 20, "100 MB of text were accepted");
    };
    assert!(matches!(error, XmlError::TooLarge { .. }));
    assert!(taken <= 1 << 20, "{taken} bytes were held");
}

#[test]
fn many_elements_and_many_attributes_are_refused() {
    let elements = format!("<a>{}</a>", "<b/>".repeat(200_000));
    assert!(matches!(read(elements.as_bytes()), Err(XmlError::TooLarge { unit: "elements", .. })));
    let attributes: String =
        (0..150_000).flat_map(|number| [" a".to_owned(), number.to_string(), "=''".to_owned()]).collect();
    assert!(matches!(read(format!("<a{attributes}/>").as_bytes()), Err(XmlError::TooLarge { .. })));
}

#[test]
fn entity_bombs_and_document_types_are_refused() {
    let bomb =
        r#"<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol1 "&lol;&lol;">]><lolz>&lol1;</lolz>"#;
    assert!(matches!(read(bomb.as_bytes()), Err(XmlError::Doctype)));
    assert!(matches!(read(b"<a>&lol;</a>"), Err(XmlError::UnknownEntity)));
    assert!(matches!(read(b"<a>&#0;</a>"), Err(XmlError::Malformed { .. })));
    assert!(matches!(read(b"<a>& </a>"), Err(XmlError::Malformed { .. })));
}

#[test]
fn a_cut_document_says_so_wherever_it_is_cut() {
    let document =
        "<?xml version='1.0'?>\n<e:a xmlns:e=\"urn:envelope\"><!-- c --><b id='1'>a&amp;b<![CDATA[c]]></b></e:a>";
    for end in 1..document.len() {
        let error = read(&document.as_bytes()[..end]).unwrap_err();
        assert!(matches!(error, XmlError::Cut | XmlError::NotXml | XmlError::Malformed { .. }), "{end}: {error}");
    }
    assert!(matches!(read(&document.as_bytes()[..document.len() - 3]), Err(XmlError::Cut)));
}

#[test]
fn what_is_not_xml_or_not_utf8_is_refused() {
    for document in [&b""[..], b"   ", b"hello", b"503 Service Unavailable", b"{\"a\": 1}", b"<a/>tail", b"<a/><b/>"] {
        assert!(
            matches!(read(document), Err(XmlError::NotXml | XmlError::Cut)),
            "{:?}",
            String::from_utf8_lossy(document)
        );
    }
    let utf16: Vec<u8> = "\u{feff}<a>x</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read(&utf16).is_err());
    assert!(read(b"<a>\xff\xfe</a>").is_err());
    assert!(matches!(read(b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>"), Err(XmlError::Encoding(_))));
    assert!(
        read(b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?><a/>").is_ok(),
        "a byte order mark of UTF-8 is harmless"
    );
    assert!(read(b"<a><b></a></b>").is_err());
    assert!(read(b"<a b='1' b='2'/>").is_err());
}

/// Reads all that can be read, as one document and as a list.
fn read_everything(document: &[u8]) -> usize {
    fn visit(node: Node<'_>) -> usize {
        let attributes = [node.attribute("id"), node.attribute_in(super::SCHEMA, "type")];
        let here =
            node.name().len() + node.text().len() + attributes.into_iter().flatten().map(str::len).sum::<usize>();
        here + node.children().map(visit).sum::<usize>()
    }
    let whole = read(document).ok().and_then(|tree| tree.root().map(visit));
    let mut stream = XmlStream::new(Limits::STREAMED, &VOCABULARY, Some(Records { depth: 2, name: "a" }));
    let mut members = 0;
    for chunk in document.chunks(3) {
        let read_on = stream.push(chunk, &mut |node| {
            members += visit(node);
            Ok::<(), XmlError>(())
        });
        if read_on.is_err() {
            break;
        }
    }
    whole.unwrap_or_default() + members + stream.so_far().root().map_or(0, visit)
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        read_everything(&bytes);
    }

    #[test]
    fn markup_soup_never_panics(parts in proptest::collection::vec(prop_oneof![
        Just("<"), Just(">"), Just("</"), Just("/>"), Just("<a"), Just("<a>"), Just("</a>"), Just("<!--"), Just("-->"),
        Just("<![CDATA["), Just("]]>"), Just("<?"), Just("?>"), Just("\""), Just("'"), Just("="), Just("&"), Just(";"),
        Just("&lt;"), Just("&#x41;"), Just(" "), Just(" id='1'"), Just(" s:type='"), Just("xmlns:s='urn:schema'"),
        Just("é"), Just("\u{0}"), Just("<!"),
    ], 0..60), framed in any::<bool>()) {
        let soup = parts.concat();
        read_everything(if framed { format!("<a xmlns:s='urn:schema'><a>{soup}</a></a>") } else { soup }.as_bytes());
    }
}
