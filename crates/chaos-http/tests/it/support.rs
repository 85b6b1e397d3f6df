//! A server that misbehaves on purpose, and a clock that the test moves.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use chaos_core::{Clock, Context};
use chaos_http::Url;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A clock that stands still until it is moved, but lets short sleeps, such as back-off, end at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestClock(Arc<Mutex<ClockState>>);

#[derive(Debug, Default)]
struct ClockState {
    now: Duration,
    skip: Duration,
    wakers: Vec<Waker>,
}

impl TestClock {
    /// A clock that only [`TestClock::advance`] moves.
    pub(crate) fn still() -> Self {
        Self::default()
    }

    /// Sleeps of up to `skip` end at once and move the clock on.
    pub(crate) fn skipping(skip: Duration) -> Self {
        Self(Arc::new(Mutex::new(ClockState { skip, ..ClockState::default() })))
    }

    /// Moves the clock on.
    pub(crate) fn advance(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        state.now += by;
        state.wakers.drain(..).for_each(Waker::wake);
    }

    /// A context on this clock that ends after an hour of it.
    pub(crate) fn context(&self) -> Context {
        Context::on_clock(Arc::new(self.clone()), Duration::from_hours(1))
    }
}

impl Clock for TestClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        poll_fn(move |cx| {
            let mut state = clock.0.lock().unwrap();
            if at.saturating_sub(state.now) > state.skip {
                state.wakers.push(cx.waker().clone());
                return Poll::Pending;
            }
            state.now = state.now.max(at);
            state.wakers.drain(..).for_each(Waker::wake);
            Poll::Ready(())
        })
        .boxed()
    }
}

/// A server that does with each connection what the test says. It ends when it is dropped.
pub(crate) struct RawServer {
    pub(crate) url: Url,
    requests: mpsc::UnboundedReceiver<String>,
    _tasks: JoinSet<()>,
}

/// One connection to a [`RawServer`].
pub(crate) struct Connection {
    /// 0 for the first connection, 1 for the second, ...
    pub(crate) number: usize,
    stream: TcpStream,
    requests: mpsc::UnboundedSender<String>,
}

impl RawServer {
    pub(crate) async fn start<F>(mut handler: impl FnMut(Connection) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/sdk", listener.local_addr().unwrap())).unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(handler(Connection { number, stream, requests: sender.clone() }));
            }
        });
        Self { url, requests, _tasks: tasks }
    }

    /// Waits until the server has read the next request, and returns it.
    pub(crate) async fn request(&mut self) -> String {
        self.requests.recv().await.unwrap()
    }

    /// The number of requests that were read and not yet taken by [`RawServer::request`].
    pub(crate) fn unread(&self) -> usize {
        self.requests.len()
    }
}

impl Connection {
    /// Reads one request with its body.
    pub(crate) async fn read(&mut self) {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let count = self.stream.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                return;
            }
            text.extend_from_slice(&buffer[..count]);
            let request = String::from_utf8_lossy(&text);
            if let Some((head, body)) = request.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                if body.len() >= length.unwrap_or(0) {
                    let _ = self.requests.send(request.into_owned());
                    return;
                }
            }
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The client may have gone, which is what some tests are about.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Answers with this status line, headers and body.
    pub(crate) async fn answer(&mut self, head: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        self.send(format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len())).await;
        self.send(body).await;
    }

    /// Breaks the connection with a TCP reset.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Keeps the connection open and silent until the server is dropped.
    pub(crate) async fn stall(self) {
        let _open = self.stream;
        std::future::pending::<()>().await;
    }
}
