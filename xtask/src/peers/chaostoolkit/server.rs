//! The HTTP server of the corpus: it answers as the request's own query asks it to, and tells what it was asked.
//!
//! `/echo` describes the request. `/answer?status=503&type=text/plain&body=busy` gives that answer; `field=NAME:VALUE` adds
//! a field, `file=NAME` takes the body from the directory of the run, `delay=SECONDS` waits, `need=NAME:VALUE` answers 401
//! to a request without that field. `key=K` counts the requests, `drop=N` closes the connection of the first N of them
//! without an answer, and `/hits?key=K` tells how many there were.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use super::super::message::Message;
use super::json::Json;

/// A running server, one for each run, so that its counts are that run's.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    directory: PathBuf,
    hits: Mutex<BTreeMap<String, u64>>,
}

impl Server {
    /// Listens on a free loopback port.
    pub(super) fn start(directory: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
        let address = listener.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let shared = Arc::new(Shared { directory: directory.to_owned(), hits: Mutex::default() });
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A client that goes away in the middle is part of the corpus.
                thread::spawn(move || stream.and_then(|stream| shared.serve(&stream)));
            }
        });
        Ok(Self { address, stopping, acceptor: Some(acceptor) })
    }

    /// `HOST:PORT`.
    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it is to stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// The parameters of a query.
#[derive(Debug)]
struct Query(Vec<(String, String)>);

impl Query {
    fn of(target: &str) -> Self {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Shared {
    fn serve(&self, mut stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = Message::request(&mut reader)? {
            let (verb, target) = request.start();
            let query = Query::of(target);
            let hits = self.count(target, &query);
            if query.get("drop").and_then(|times| times.parse().ok()).is_some_and(|times: u64| hits <= times) {
                return stream.shutdown(Shutdown::Both);
            }
            if let Some(Ok(seconds)) = query.get("delay").map(str::parse) {
                thread::sleep(Duration::from_secs_f64(seconds));
            }
            let answer = self.answer(&request, &query, hits);
            stream.write_all(&answer.head)?;
            // The answer to HEAD has the fields of a body and no body.
            if verb != "HEAD" {
                stream.write_all(&answer.body)?;
            }
            stream.flush()?;
        }
        Ok(())
    }

    /// Counts the request; asking for the count does not change it.
    fn count(&self, target: &str, query: &Query) -> u64 {
        let mut hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        let count = hits.entry(query.get("key").unwrap_or_default().to_owned()).or_default();
        *count += u64::from(!target.starts_with("/hits"));
        *count
    }

    fn answer(&self, request: &Message, query: &Query, hits: u64) -> Answer {
        let (_, target) = request.start();
        // As a proxy it is asked by whole URLs.
        let path = target.strip_prefix("http://").and_then(|url| url.find('/').map(|at| &url[at..])).unwrap_or(target);
        if path.starts_with("/echo") {
            return Answer::new("200", Some("application/json"), None, description(request).to_string().into_bytes());
        }
        if path.starts_with("/hits") {
            return Answer::new("200", Some("application/json"), None, hits.to_string().into_bytes());
        }
        let needed = query.get("need").and_then(|need| need.split_once(':'));
        if let Some((name, value)) = needed
            && !request.fields().any(|(known, given)| known.eq_ignore_ascii_case(name) && given == value)
        {
            return Answer::new("401", Some("text/plain"), None, Vec::new());
        }
        let file = query.get("file").map(|file| std::fs::read(self.directory.join(file)).unwrap_or_default());
        let body = file.unwrap_or_else(|| latin(query.get("body").unwrap_or_default(), query.get("latin").is_some()));
        Answer::new(query.get("status").unwrap_or("200"), query.get("type"), query.get("field"), body)
    }
}

#[derive(Debug)]
struct Answer {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: &str, kind: Option<&str>, field: Option<&str>, body: Vec<u8>) -> Self {
        let mut lines = vec![format!("HTTP/1.1 {status} As Asked")];
        lines.extend(kind.map(|kind| format!("Content-Type: {kind}")));
        lines.extend(field.and_then(|field| field.split_once(':')).map(|(name, value)| format!("{name}: {value}")));
        if status != "204" {
            lines.push(format!("Content-Length: {}", body.len()));
        }
        let head = lines.join("\r\n") + "\r\n\r\n";
        Self { head: head.into_bytes(), body }
    }
}

/// What was asked, without what every client says in its own way.
fn description(request: &Message) -> Json {
    let (verb, target) = request.start();
    let told = |name: &str| name.eq_ignore_ascii_case("content-type") || name.to_ascii_lowercase().starts_with("x-");
    let fields = request.fields().filter(|(name, _)| told(name));
    let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), Json::text(value))).collect();
    Json::Object(vec![
        ("method".to_owned(), Json::text(verb)),
        ("target".to_owned(), Json::text(target)),
        ("headers".to_owned(), Json::Object(fields)),
        ("body".to_owned(), Json::text(String::from_utf8_lossy(request.body()))),
    ])
}

/// The bytes of a text, in the one encoding or the other.
fn latin(text: &str, latin: bool) -> Vec<u8> {
    if latin { text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect() } else { text.as_bytes().to_vec() }
}

/// A part of a query as it was before it was written as one.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).unwrap_or(0);
                u8::try_from(digit() * 16 + digit()).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::path::Path;

    use super::Server;

    fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nX-One: 1\r\nAccept: all\r\n\r\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn an_answer_is_what_the_query_asks_for() {
        let server = Server::start(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let answer = ask(&server, "GET /answer?status=503&type=text/plain&field=X-A:b%20c&body=bu%73y");
        let expected = "HTTP/1.1 503 As Asked\r\nContent-Type: text/plain\r\nX-A: b c\r\nContent-Length: 4\r\n\r\nbusy";
        assert_eq!(answer, expected);
        assert!(ask(&server, "HEAD /answer?body=busy").ends_with("Content-Length: 4\r\n\r\n"));
        assert!(ask(&server, "GET /answer?file=Cargo.toml").contains("[package]"));
        assert!(ask(&server, "GET /answer?need=x-one:1").starts_with("HTTP/1.1 200"));
        assert!(ask(&server, "GET /answer?need=x-one:2").starts_with("HTTP/1.1 401"));
    }

    #[test]
    fn requests_are_described_counted_and_dropped() {
        let server = Server::start(Path::new("")).unwrap();
        assert_eq!(ask(&server, "GET /answer?key=k&drop=1"), "");
        assert!(ask(&server, "GET /answer?key=k&drop=1").starts_with("HTTP/1.1 200"));
        assert!(ask(&server, "GET /hits?key=k").ends_with("\r\n\r\n2"));
        let told = ask(&server, "DELETE /echo?a=1");
        assert!(
            told.ends_with(r#"{"method": "DELETE", "target": "/echo?a=1", "headers": {"x-one": "1"}, "body": ""}"#)
        );
    }
}
