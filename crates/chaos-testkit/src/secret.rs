//! Finds a canary secret in a text, also in the disguises that protocols and log formats give it.

/// Whether `haystack` gives `canary` away in any form that [`find_secret`] knows.
#[must_use]
pub fn contains_secret(haystack: &str, canary: &str) -> bool {
    find_secret(haystack, canary).is_some()
}

/// The form in which `haystack` gives `canary` away, if it does: plain, percent-encoded, XML-escaped, JSON-escaped
/// (which is also how Rust's `Debug` writes it), base64 at any alignment, hexadecimal, or a list of byte values.
///
/// The haystack is decoded rather than the canary encoded, so that it does not matter which characters an encoder
/// chose to escape.
///
/// ```
/// use chaos_testkit::find_secret;
///
/// assert_eq!(find_secret("user=chaos&password=a%26b", "a&b"), Some("percent-encoded"));
/// // The base64 of `chaos:s3cret!`.
/// assert_eq!(find_secret("Authorization: Basic Y2hhb3M6czNjcmV0IQ==", "s3cret!"), Some("base64"));
/// assert_eq!(find_secret("password: ***", "s3cret!"), None);
/// ```
///
/// # Panics
/// If the canary is shorter than three bytes: it would be found everywhere.
#[must_use]
pub fn find_secret(haystack: &str, canary: &str) -> Option<&'static str> {
    assert!(canary.len() >= 3, "a canary needs at least three bytes");
    let forms: [(&'static str, &dyn Fn() -> bool); 7] = [
        ("plain", &|| haystack.contains(canary)),
        ("percent-encoded", &|| {
            percent_decoded(haystack).contains(canary) || percent_decoded(&haystack.replace('+', " ")).contains(canary)
        }),
        ("XML-escaped", &|| xml_unescaped(haystack).contains(canary)),
        ("JSON-escaped", &|| json_unescaped(haystack).contains(canary)),
        ("base64", &|| base64_forms(canary).iter().any(|form| haystack.contains(form.as_str()))),
        ("hexadecimal", &|| {
            let hex: Vec<String> = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
            haystack.to_ascii_lowercase().contains(&hex.concat())
        }),
        ("byte values", &|| {
            let bytes: Vec<String> = canary.bytes().map(|byte| byte.to_string()).collect();
            haystack.split_whitespace().collect::<String>().contains(&bytes.join(","))
        }),
    ];
    forms.iter().find(|(_, found)| found()).map(|(form, _)| *form)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn xml_unescaped(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.find(';').map(|end| (&rest[1..end], end + 1));
        if let Some((c, length)) = entity.and_then(|(name, length)| entity_char(name).map(|c| (c, length))) {
            decoded.push(c);
            rest = &rest[length..];
        } else {
            decoded.push('&');
            rest = &rest[1..];
        }
    }
    decoded + rest
}

fn entity_char(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

fn json_unescaped(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\\') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        let Some(c) = rest.chars().next() else { break };
        let unicode = rest.get(1..5).filter(|_| c == 'u').and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if let Some(escaped) = unicode.and_then(char::from_u32) {
            decoded.push(escaped);
            rest = &rest[5..];
        } else {
            decoded.push(match c {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            });
            rest = &rest[c.len_utf8()..];
        }
    }
    decoded + rest
}

/// The characters of the base64 text that `canary` alone decides, for each of the three ways it can lie in the
/// bytes around it, in both alphabets.
fn base64_forms(canary: &str) -> Vec<String> {
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    let mut forms = Vec::new();
    for alphabet in [STANDARD, URL] {
        for before in 0..3_usize {
            let mut bits: Vec<bool> = vec![false; before * 8];
            bits.extend(canary.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)));
            // The first whole group of six bits that holds nothing of what comes before the canary.
            let first = (before * 8).div_ceil(6);
            let form = bits[first * 6..]
                .chunks_exact(6)
                .map(|group| group.iter().fold(0, |value, bit| value << 1 | usize::from(*bit)))
                .map(|value| char::from(alphabet[value]))
                .collect();
            forms.push(form);
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = r#"S3<&"c'>\t ü/+%"#;

    #[test]
    fn every_disguise_is_seen_through() {
        let cases = [
            ("plain", format!("password={CANARY};")),
            ("percent-encoded", "p=S3%3C%26%22c%27%3e%5Ct%20%C3%BC%2F%2B%25&x=100%".to_owned()),
            ("percent-encoded", "p=S3%3C%26%22c%27%3E%5Ct+%C3%BC%2F%2B%25".to_owned()),
            ("XML-escaped", r"<password>S3&lt;&amp;&quot;c&#39;&gt;\t ü/+%</password> & so on".to_owned()),
            ("XML-escaped", r#"<p a="S3&lt;&amp;&#x22;c'>\t &#252;/+%"/>"#.to_owned()),
            ("JSON-escaped", serde_json::to_string(CANARY).unwrap()),
            ("JSON-escaped", r#"{"p":"S3\u003c&\"c\u0027>\\t \u00fc\/+%"}"#.to_owned()),
            ("JSON-escaped", format!("{CANARY:?}")),
            ("hexadecimal", CANARY.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()),
            ("byte values", format!("{:?}", CANARY.as_bytes())),
            ("byte values", format!("{:#?}", format!("chaos:{CANARY}!").as_bytes())),
        ];
        for (form, haystack) in cases {
            assert_eq!(find_secret(&haystack, CANARY), Some(form), "{haystack}");
        }
    }

    #[test]
    fn base64_is_found_at_every_alignment() {
        // Made with another implementation: base64 of "s3cret!", ":s3cret!", "a:s3cret!" and "ab:s3cret!\n".
        for haystack in ["czNjcmV0IQ==", "OnMzY3JldCE=", "YTpzM2NyZXQh", "YWI6czNjcmV0IQo="] {
            assert_eq!(find_secret(haystack, "s3cret!"), Some("base64"), "{haystack}");
        }
    }

    #[test]
    fn what_only_resembles_the_canary_is_left_alone() {
        for haystack in
            ["", "s3cret", "%73%33", "&amp;&;&#xZZ;&", r"\", r"\u12", "czNjcmV", "100 % of \u{fc}", "S3CRET!"]
        {
            assert_eq!(find_secret(haystack, "s3cret!"), None, "{haystack}");
        }
    }
}
