//! Just enough of HTTP/1.1 and SOAP to pass messages on unchanged and to name the call in them.

use std::io::{self, BufRead, Read, Write};

/// Above this a head is not one that a client or a vCenter sends.
const HEAD_LIMIT: u64 = 64 * 1024;

/// One request or response, as it came.
#[derive(Debug, Default)]
pub(super) struct Message {
    head: String,
    raw_body: Vec<u8>,
    body: Vec<u8>,
}

impl Message {
    /// Reads a request; none when the peer has closed the connection between two.
    pub(super) fn request(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(head) = head(from)? else {
            return Ok(None);
        };
        let mut message = Self { head, ..Self::default() };
        message.read_body(from, false)?;
        Ok(Some(message))
    }

    /// Reads the response to a request.
    pub(super) fn response(from: &mut impl BufRead, to: &Self) -> io::Result<Self> {
        let head = head(from)?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let mut message = Self { head, ..Self::default() };
        let status = message.head.split(' ').nth(1).unwrap_or_default();
        let bodiless = to.head.starts_with("HEAD ") || status.starts_with('1') || status == "204" || status == "304";
        if !bodiless {
            message.read_body(from, true)?;
        }
        Ok(message)
    }

    /// Sends it on, byte for byte.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(self.head.as_bytes())?;
        to.write_all(&self.raw_body)?;
        to.flush()
    }

    /// Whether the sender closes the connection after this message.
    pub(super) fn closes(&self) -> bool {
        let ends_with_connection = self.head.starts_with("HTTP/") && !self.raw_body.is_empty();
        self.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
            || ends_with_connection && self.field("content-length").is_none() && !self.is_chunked()
    }

    /// The start line's verb and target.
    pub(super) fn start(&self) -> (&str, &str) {
        let mut words = self.head.split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    /// The fields in their order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(field, value)| (field, value.trim()))
    }

    /// What follows the head, without the marks of its chunks.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The SOAP method, or `VERB /path` for a request without an envelope.
    pub(super) fn call(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        soap_method(&body).map_or_else(|| self.head.split(' ').take(2).collect::<Vec<_>>().join(" "), ToOwned::to_owned)
    }

    fn read_body(&mut self, from: &mut impl BufRead, until_close: bool) -> io::Result<()> {
        if self.is_chunked() {
            return self.read_chunks(from);
        }
        match self.field("content-length").map(str::parse::<u64>) {
            Some(Ok(length)) => {
                let read = from.take(length).read_to_end(&mut self.raw_body)?;
                if read as u64 != length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Some(Err(_)) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "content-length is not a number"));
            }
            None if until_close => {
                from.read_to_end(&mut self.raw_body)?;
            }
            None => {}
        }
        self.body.clone_from(&self.raw_body);
        Ok(())
    }

    fn read_chunks(&mut self, from: &mut impl BufRead) -> io::Result<()> {
        loop {
            let line = line(from)?;
            self.raw_body.extend_from_slice(line.as_bytes());
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "bad chunk size"))?;
            if size == 0 {
                break;
            }
            let start = self.raw_body.len();
            from.take(size).read_to_end(&mut self.raw_body)?;
            self.body.extend_from_slice(&self.raw_body[start..]);
            self.raw_body.extend_from_slice(self::line(from)?.as_bytes());
        }
        // Trailer fields, if any, and the empty line.
        loop {
            let line = line(from)?;
            self.raw_body.extend_from_slice(line.as_bytes());
            if line.trim_end().is_empty() {
                return Ok(());
            }
        }
    }

    fn is_chunked(&self) -> bool {
        self.field("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Start line and fields with the empty line; none at the end of the stream.
fn head(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut head = String::new();
    let mut limited = from.take(HEAD_LIMIT);
    loop {
        let before = head.len();
        if limited.read_line(&mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        if head[before..].trim_end().is_empty() {
            return Ok(Some(head));
        }
    }
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if from.take(HEAD_LIMIT).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}

/// The name of the first element in the envelope's `Body`, whatever its prefix.
fn soap_method(envelope: &str) -> Option<&str> {
    let mut elements = envelope.split('<').skip(1).map(|element| {
        let name = element.split(['>', ' ', '/', '\n', '\t', '\r']).next().unwrap_or_default();
        name.rsplit(':').next().unwrap_or(name)
    });
    elements.find(|name| *name == "Body")?;
    elements.next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Message, soap_method};

    #[test]
    fn the_method_is_found_behind_any_prefix_and_header() {
        let bare = r#"<?xml version="1.0"?><Envelope xmlns="e"><Body><Login xmlns="urn:vim25"><_this/></Login></Body></Envelope>"#;
        assert_eq!(soap_method(bare), Some("Login"));
        let prefixed = "<soapenv:Envelope><soapenv:Header><operationID>1</operationID></soapenv:Header>\n<soapenv:Body>\n<v:Logout/></soapenv:Body></soapenv:Envelope>";
        assert_eq!(soap_method(prefixed), Some("Logout"));
        assert_eq!(soap_method("no envelope"), None);
    }

    #[test]
    fn bodies_are_passed_on_unchanged_and_the_next_message_stays_in_the_stream() {
        let first = "POST /sdk HTTP/1.1\r\nHost: h\r\nContent-Length: 31\r\n\r\n<Envelope><Body><X/></Body></E>";
        let second = "POST /sdk HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n<Envelope><Body>\r\n5;a=b\r\n<Y/> \r\n0\r\n\r\n";
        let third = "GET /sdk/vimServiceVersions.xml HTTP/1.1\r\nHost: h\r\n\r\n";
        let stream = format!("{first}{second}{third}");
        let mut reader = stream.as_bytes();
        for (text, call) in [(first, "X"), (second, "Y"), (third, "GET /sdk/vimServiceVersions.xml")] {
            let message = Message::request(&mut reader).unwrap().unwrap();
            let mut written = Vec::new();
            message.write(&mut written).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), text);
            assert_eq!(message.call(), call);
        }
        assert!(Message::request(&mut reader).unwrap().is_none());
    }

    #[test]
    fn a_response_without_a_length_ends_with_the_connection() {
        let request = Message::request(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).unwrap().unwrap();
        let response = Message::response(&mut &b"HTTP/1.1 200 OK\r\n\r\nall of it"[..], &request).unwrap();
        assert!(response.closes());
        let empty = Message::response(&mut &b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1"[..], &request).unwrap();
        assert!(!empty.closes());
    }

    #[test]
    fn a_cut_body_is_an_error() {
        let cut = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc";
        assert!(Message::request(&mut &cut[..]).is_err());
    }
}
