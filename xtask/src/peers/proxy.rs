//! A loopback proxy that counts SOAP calls by method on their way to a vCenter.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

use super::message::Message;

/// A running proxy; it ends, with all its connections, when this is dropped.
#[derive(Debug)]
pub(super) struct CountingProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// How often each method was called.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Calls(BTreeMap<String, usize>);

#[derive(Debug)]
struct Shared {
    upstream: String,
    calls: Mutex<Calls>,
    open: Mutex<Vec<TcpStream>>,
    stopping: AtomicBool,
}

impl CountingProxy {
    /// Listens on a free loopback port and forwards to `upstream` (`HOST:PORT`).
    pub(super) fn start(upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            calls: Mutex::default(),
            open: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let worker = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &worker));
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// `http://HOST:PORT`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls since the last time they were taken.
    pub(super) fn take(&self) -> Calls {
        std::mem::take(&mut self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for CountingProxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it is to stop.
        let _ = TcpStream::connect(self.address);
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A connection that is closed already is as it should be.
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Calls {
    /// Calls of one method.
    pub(super) fn of(&self, method: &str) -> usize {
        self.0.get(method).copied().unwrap_or(0)
    }

    /// All calls.
    pub(super) fn total(&self) -> usize {
        self.0.values().sum()
    }
}

#[cfg(test)]
impl FromIterator<(String, usize)> for Calls {
    fn from_iter<T: IntoIterator<Item = (String, usize)>>(counts: T) -> Self {
        Self(counts.into_iter().collect())
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests", self.total())?;
        for (index, (method, count)) in self.0.iter().enumerate() {
            write!(f, "{} {count} {method}", if index == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

fn accept(listener: &TcpListener, shared: &Shared) {
    thread::scope(|scope| {
        for client in listener.incoming() {
            if shared.stopping.load(Ordering::SeqCst) {
                break;
            }
            if let Ok(client) = client {
                // A connection that breaks is for the client under test to notice.
                scope.spawn(move || forward(client, shared));
            }
        }
    });
}

/// Passes requests and responses of one client connection on, in turns, until either side closes.
fn forward(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let server = TcpStream::connect(&shared.upstream)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        shared.open.lock().unwrap_or_else(PoisonError::into_inner).push(stream.try_clone()?);
    }
    let (mut to_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let (mut from_client, mut from_server) = (BufReader::new(client), BufReader::new(server));
    let result = (|| {
        while let Some(request) = Message::request(&mut from_client)? {
            *shared.calls.lock().unwrap_or_else(PoisonError::into_inner).0.entry(request.call()).or_default() += 1;
            request.write(&mut to_server)?;
            let response = Message::response(&mut from_server, &request)?;
            response.write(&mut to_client)?;
            if request.closes() || response.closes() {
                break;
            }
        }
        Ok(())
    })();
    // The list of open streams holds clones, so that closing has to be said.
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = to_server.shutdown(Shutdown::Both);
    result
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::CountingProxy;

    #[test]
    fn calls_on_one_kept_connection_are_forwarded_and_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut writer = stream;
            while let Some(_request) = super::Message::request(&mut reader).unwrap() {
                writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
            }
        });

        let proxy = CountingProxy::start(&upstream).unwrap();
        let mut client = TcpStream::connect(proxy.url().trim_start_matches("http://")).unwrap();
        let mut answers = BufReader::new(client.try_clone().unwrap());
        for method in ["Login", "Logout", "Login"] {
            let body = format!("<Envelope><Body><{method}/></Body></Envelope>");
            write!(client, "POST /sdk HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                answers.read_line(&mut line).unwrap();
            }
            let mut text = [0; 2];
            answers.read_exact(&mut text).unwrap();
            assert_eq!(&text, b"hi");
        }
        let calls = proxy.take();
        assert_eq!(calls.to_string(), "3 requests: 2 Login, 1 Logout");
        assert_eq!((calls.of("Login"), calls.total()), (2, 3));
        assert_eq!(proxy.take().total(), 0);
        drop(proxy);
        server.join().unwrap();
    }
}
