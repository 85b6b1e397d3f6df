//! Turns chunks that were cut anywhere into whole XML tokens, so that an ordinary pull parser can read an answer while
//! it still arrives.

use std::io::{self, BufRead, Read};

use memchr::{memchr, memchr3};

use crate::error::XmlError;

/// Where the scanner stands within the bytes it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    /// Between two pieces of markup.
    Text,
    /// After a `<` whose kind is not known yet.
    Open,
    /// Within a tag, outside of quotes.
    Tag,
    /// Within an attribute value that ends with this quote.
    Quoted(u8),
    /// Within a comment, CDATA section or processing instruction: how long its opening is, and what ends it.
    Until(usize, &'static [u8]),
}

/// A buffer that shows its reader whole tokens only: what it shows always ends just behind a `>` that ends some markup.
///
/// A reader that stops when [`Feed::is_empty`] therefore never meets the end of the input within a token.
#[derive(Debug)]
pub(super) struct Feed {
    bytes: Vec<u8>,
    /// Bytes before this were read.
    read: usize,
    /// Bytes before this are whole tokens.
    whole: usize,
    /// Bytes before this were scanned.
    scanned: usize,
    /// Where the markup in hand began.
    markup: usize,
    scan: Scan,
    /// The longest token that is accepted.
    token_limit: usize,
}

impl Feed {
    pub(super) fn new(token_limit: usize) -> Self {
        Self { bytes: Vec::new(), read: 0, whole: 0, scanned: 0, markup: 0, scan: Scan::Text, token_limit }
    }

    /// Takes the next bytes of the document.
    ///
    /// # Errors
    /// On a document type declaration (it is where entity bombs live, and no answer of an API has one) and on a token
    /// beyond the limit.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), XmlError> {
        self.bytes.drain(..self.read);
        self.whole -= self.read;
        self.scanned -= self.read;
        self.markup = self.markup.saturating_sub(self.read);
        self.read = 0;
        self.bytes.extend_from_slice(chunk);
        self.scan()?;
        if self.bytes.len() - self.whole > self.token_limit {
            return Err(self.token_too_long());
        }
        Ok(())
    }

    /// Whether every whole token was read.
    pub(super) fn is_empty(&self) -> bool {
        self.read == self.whole
    }

    /// What is left behind the last whole token.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.whole..]
    }

    fn token_too_long(&self) -> XmlError {
        XmlError::TooLarge { what: "one tag or text", limit: self.token_limit, unit: "bytes" }
    }

    fn scan(&mut self) -> Result<(), XmlError> {
        loop {
            let ahead = &self.bytes[self.scanned..];
            match self.scan {
                Scan::Text => {
                    let Some(at) = memchr(b'<', ahead) else { break };
                    self.markup = self.scanned + at;
                    if self.markup - self.whole > self.token_limit {
                        return Err(self.token_too_long());
                    }
                    self.scanned = self.markup + 1;
                    self.scan = Scan::Open;
                }
                Scan::Open => {
                    let Some(kind) = kind_of_markup(ahead)? else { return Ok(()) };
                    self.scan = kind;
                }
                Scan::Tag => {
                    let Some(at) = memchr3(b'>', b'"', b'\'', ahead) else { break };
                    let found = ahead[at];
                    self.scanned += at + 1;
                    if found == b'>' {
                        self.end_markup()?;
                    } else {
                        self.scan = Scan::Quoted(found);
                    }
                }
                Scan::Quoted(quote) => {
                    let Some(at) = memchr(quote, ahead) else { break };
                    self.scanned += at + 1;
                    self.scan = Scan::Tag;
                }
                Scan::Until(opening, end) => {
                    let Some(at) = memchr(b'>', ahead) else { break };
                    self.scanned += at + 1;
                    // The opening cannot also serve as the end: `<!-->` is not a comment.
                    if self.scanned >= self.markup + opening + end.len() && self.bytes[..self.scanned].ends_with(end) {
                        self.end_markup()?;
                    }
                }
            }
        }
        self.scanned = self.bytes.len();
        Ok(())
    }

    fn end_markup(&mut self) -> Result<(), XmlError> {
        if self.scanned - self.markup > self.token_limit {
            return Err(self.token_too_long());
        }
        self.whole = self.scanned;
        self.scan = Scan::Text;
        Ok(())
    }
}

/// What the bytes behind a `<` begin, or `None` while there are too few of them.
fn kind_of_markup(ahead: &[u8]) -> Result<Option<Scan>, XmlError> {
    const COMMENT: &[u8] = b"!--";
    const CDATA: &[u8] = b"![CDATA[";
    Ok(match ahead {
        [] => None,
        [b'?', ..] => Some(Scan::Until(2, b"?>")),
        [b'!', ..] if ahead.starts_with(COMMENT) => Some(Scan::Until(4, b"-->")),
        [b'!', ..] if ahead.starts_with(CDATA) => Some(Scan::Until(9, b"]]>")),
        [b'!', ..] if COMMENT.starts_with(ahead) || CDATA.starts_with(ahead) => None,
        [b'!', ..] => return Err(XmlError::Doctype),
        _ => Some(Scan::Tag),
    })
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = &self.bytes[self.read..self.whole];
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.read += count;
        Ok(count)
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(&self.bytes[self.read..self.whole])
    }

    fn consume(&mut self, count: usize) {
        self.read = (self.read + count).min(self.whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(feed: &mut Feed) -> String {
        let mut out = String::new();
        feed.read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn shows_only_whole_tokens() {
        let mut feed = Feed::new(1024);
        feed.push(b"<a b='x>").unwrap();
        assert!(feed.is_empty());
        feed.push(b"'>text > mo").unwrap();
        assert_eq!(whole(&mut feed), "<a b='x>'>");
        feed.push(b"re<!-").unwrap();
        assert!(feed.is_empty());
        feed.push(b"- a > b --><![CDATA[ <x> ]]").unwrap();
        assert_eq!(whole(&mut feed), "text > more<!-- a > b -->");
        feed.push(b"></a>  ").unwrap();
        assert_eq!(whole(&mut feed), "<![CDATA[ <x> ]]></a>");
        assert_eq!(feed.rest(), b"  ");
    }

    #[test]
    fn an_opening_does_not_end_itself() {
        for (open, close) in [("<!-->", "-->"), ("<?>", "?>"), ("<![CDATA[]>", "]]>")] {
            let mut feed = Feed::new(1024);
            feed.push(open.as_bytes()).unwrap();
            assert!(feed.is_empty(), "{open}");
            feed.push(close.as_bytes()).unwrap();
            assert_eq!(whole(&mut feed), format!("{open}{close}"));
        }
    }

    #[test]
    fn refuses_document_types_and_endless_tokens() {
        assert!(matches!(Feed::new(64).push(b"<!DOCTYPE a []>"), Err(XmlError::Doctype)));
        assert!(matches!(Feed::new(64).push(&[b'x'; 65]), Err(XmlError::TooLarge { .. })));
        let long = format!("<a b=\"{}\">", "x".repeat(64));
        assert!(matches!(Feed::new(64).push(long.as_bytes()), Err(XmlError::TooLarge { .. })));
    }
}
