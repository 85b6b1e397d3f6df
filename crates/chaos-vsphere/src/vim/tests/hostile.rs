//! Whatever a server answers, reading it ends without a panic. What XML itself allows is `chaos-xml`'s to test.

use proptest::prelude::*;

use super::envelope;
use crate::fuzzing;

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        fuzzing::small_tree(&bytes);
        fuzzing::fault(&bytes);
        fuzzing::retrieve_result(&bytes);
        fuzzing::update_set(&bytes);
    }

    #[test]
    fn markup_soup_never_panics(parts in proptest::collection::vec(prop_oneof![
        Just("<"), Just(">"), Just("</"), Just("/>"), Just("<a"), Just("<objects>"), Just("</objects>"), Just("<!--"), Just("-->"),
        Just("<![CDATA["), Just("]]>"), Just("<?"), Just("?>"), Just("\""), Just("'"), Just("="), Just("&"), Just(";"), Just("&lt;"),
        Just("&#x41;"), Just(" "), Just("xsi:type"), Just("xmlns:xsi"), Just("soapenv:Envelope"), Just("é"), Just("\u{0}"), Just("<!"),
    ], 0..60), framed in any::<bool>()) {
        let soup = parts.concat();
        let document = if framed { envelope(&soup) } else { soup };
        fuzzing::small_tree(document.as_bytes());
        fuzzing::fault(document.as_bytes());
        fuzzing::retrieve_result(document.as_bytes());
        fuzzing::update_set(document.as_bytes());
    }
}
