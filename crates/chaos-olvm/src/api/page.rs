//! Pages for people, which stand where an answer was expected: Apache's while the engine restarts, and the engine's own.

/// The most text of a page that is shown.
const LONGEST: usize = 200;

/// What a page says: the text of its body, or else its title. Empty if there is neither.
pub(crate) fn text(page: &[u8]) -> String {
    let page = String::from_utf8_lossy(page);
    let body = between(&page, "body").map(strip_tags).filter(|text| !text.is_empty());
    let text = body.or_else(|| between(&page, "title").map(strip_tags)).unwrap_or_default();
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// What is between the first opening and the next closing tag of that name.
fn between<'p>(page: &'p str, tag: &str) -> Option<&'p str> {
    let lower = page.to_ascii_lowercase();
    let open = lower.find(&format!("<{tag}"))?;
    let start = open + lower[open..].find('>')? + 1;
    let end = lower[start..].find(&format!("</{tag}")).map_or(page.len(), |at| start + at);
    Some(&page[start..end])
}

fn strip_tags(text: &str) -> String {
    let mut out = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                out.push(' ');
            }
            c if !in_tag => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(['.', '!']).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_told_in_one_line() {
        let dead = b"<html><head><title>Error</title></head><body>invalid_grant: The provided authorization grant for the auth code has expired.</body></html>";
        assert_eq!(text(dead), "invalid_grant: The provided authorization grant for the auth code has expired");
        let apache = b"<html><head>\n<title>503 Service Unavailable</title>\n</head><body>\n<h1>Service Unavailable</h1>\n<p>The server is busy.</p></body></html>";
        assert_eq!(text(apache), "Service Unavailable The server is busy");
        assert_eq!(text(b"<title>404 Not Found</title>"), "404 Not Found");
        assert_eq!(text(b"plain"), "");
    }

    proptest! {
        #[test]
        fn no_page_panics(page: Vec<u8>) {
            let told = text(&page);
            prop_assert!(told.chars().count() <= LONGEST + 1);
            prop_assert!(!told.contains('\n'));
        }

        #[test]
        fn no_half_page_panics(page in "(<(title|body|html|/body|p|é)>?|[ -~é]){0,20}") {
            text(page.as_bytes());
        }
    }
}
