//! The accept loop: each connection is served by one task, which ends with the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::connection::{Connection, ResetSwitch};

/// How long to wait before accepting again after it failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A request and the connection that it came on.
pub(crate) struct Exchange {
    pub(crate) request: Request<Incoming>,
    pub(crate) peer: SocketAddr,
}

/// The connection is to be reset instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("the connection was reset on demand")]
pub(crate) struct Reset;

/// Answers requests.
pub(crate) trait Service: Send + Sync + 'static {
    /// The answer, or that the connection is to be reset.
    fn answer(self: Arc<Self>, exchange: Exchange) -> BoxFuture<'static, Result<Response<Body>, Reset>>;
}

/// A bound listener.
pub(crate) struct Listening {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Serves connections until `stop` is set; then all of them are dropped.
pub(crate) async fn listen<S: Service>(listening: Listening, service: Arc<S>, stop: CancellationToken) {
    let Listening { listener, tls } = listening;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve(stream, peer, tls.clone(), Arc::clone(&service)));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    // Most likely out of file handles, which gets better when connections end.
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    }
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    connections.shutdown().await;
}

async fn serve<S: Service>(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, service: Arc<S>) {
    // A small answer is not to wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let switch = ResetSwitch::default();
    let connection = Connection::new(stream, switch.clone());
    let answer = service_fn(move |request| {
        let (service, switch) = (Arc::clone(&service), switch.clone());
        async move {
            let answered = service.answer(Exchange { request, peer }).await;
            if answered.is_err() {
                switch.pull();
            }
            answered
        }
    });
    let ended = match tls {
        Some(acceptor) => match acceptor.accept(connection).await {
            Ok(stream) => http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await,
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake failed");
                return;
            }
        },
        None => http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
