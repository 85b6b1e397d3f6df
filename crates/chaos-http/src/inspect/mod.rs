//! Looks at the way to a server step by step: name, connection, TLS, answer. For people who have to mend it.

mod certificate;
mod clock;
mod plain;
mod tls;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind};
use tokio::net::TcpStream;
use url::{Host, Url};

use crate::config::ConfigError;
use crate::tls::TlsTrust;

pub use certificate::CertificateSummary;
pub use clock::ClockSkew;
pub use plain::Reply;
pub use tls::{Handshake, TlsInspection};

/// How long each step may take: a person waits for it.
const STEP: Duration = Duration::from_secs(10);
/// How long a second look at a server may take that was just connected to: what it is asked then is answered at once.
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// The way to a server, as far as it goes: steps after one that failed are absent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// The host that was asked for.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The addresses of the host, or why there are none.
    pub addresses: Result<Vec<IpAddr>, String>,
    /// The connection, or why there is none.
    pub connection: Option<Result<Connected, ConnectFailure>>,
    /// TLS, for an `https` URL.
    pub tls: Option<TlsInspection>,
    /// What the server answered to a plain question, if it was asked: over TLS that is trusted, or without TLS.
    pub reply: Option<Reply>,
}

/// A connection that came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connected {
    /// With whom.
    pub address: SocketAddr,
    /// How long it took.
    pub took: Duration,
}

/// Why there is no connection to any address of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectFailure {
    /// Nothing listens at the port.
    Refused,
    /// Nobody answered in time: a firewall, a wrong address, a host that is off.
    TimedOut,
    /// Another reason, in the words of the system.
    Other(String),
}

/// Looks at the way to the server of `url` with the given trust, and asks it one harmless question (`HEAD /`) if the way goes
/// so far. Nothing secret is sent. Each step takes ten seconds at most, and a second look, at whether the other kind of
/// server is there, three.
///
/// # Errors
/// [`ErrorKind::Configuration`] if the trust cannot be used, such as a CA file that
/// cannot be read; [`ErrorKind::Timeout`] and
/// [`ErrorKind::Cancelled`] by the context.
pub async fn inspect(cx: &Context, url: &Url, trust: &TlsTrust) -> Result<Inspection, Error> {
    let host = url.host().ok_or(ConfigError::Endpoint(url::ParseError::EmptyHost))?.to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let mut inspection = Inspection {
        host: url.host_str().unwrap_or_default().to_owned(),
        port,
        addresses: resolve(cx, &host, port).await?,
        connection: None,
        tls: None,
        reply: None,
    };
    let Ok(addresses) = inspection.addresses.clone() else { return Ok(inspection) };
    let (stream, connected) = match connect(cx, &addresses, port).await? {
        Ok(there) => there,
        Err(failure) => {
            inspection.connection = Some(Err(failure));
            return Ok(inspection);
        }
    };
    inspection.connection = Some(Ok(connected));
    let (host, address) = (&inspection.host, connected.address);
    if url.scheme() != "https" {
        let reply = plain::ask(cx, STEP, stream, host).await?;
        let wants_tls = reply.may_be_of_tls() && speaks_tls(cx, address, host).await?;
        inspection.reply = Some(if wants_tls { Reply::WantsTls } else { reply });
        return Ok(inspection);
    }
    let (mut tls, stream) = tls::shake_hands(cx, STEP, stream, host, trust).await?;
    match stream {
        Some(stream) => inspection.reply = Some(plain::ask(cx, STEP, *stream, host).await?),
        None if tls.may_be_plain_http() && speaks_plain_http(cx, address, host).await? => {
            tls.handshake = Handshake::PlainHttp;
        }
        None => {}
    }
    inspection.tls = Some(tls);
    Ok(inspection)
}

/// The certificates that a server shows, its own first, whoever signed them. Nothing is sent behind the handshake.
///
/// # Errors
/// [`ErrorKind::Unavailable`] if nobody is there or no certificate is shown; what the context can give.
pub async fn certificates(cx: &Context, host: &str, port: u16) -> Result<Vec<CertificateSummary>, Error> {
    let gone = |why: String| Error::new(ErrorKind::Unavailable, why);
    let parsed = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Host::Ipv4(address),
        Ok(IpAddr::V6(address)) => Host::Ipv6(address),
        Err(_) => Host::parse(host).map_err(ConfigError::Endpoint)?,
    };
    let addresses = resolve(cx, &parsed, port).await?.map_err(gone)?;
    let (stream, _) = connect(cx, &addresses, port).await?.map_err(|failure| {
        gone(match failure {
            ConnectFailure::Refused => "nothing listens at the port".to_owned(),
            ConnectFailure::TimedOut => "nobody answered in time".to_owned(),
            ConnectFailure::Other(why) => why,
        })
    })?;
    let (tls, _) = tls::shake_hands(cx, STEP, stream, host, &TlsTrust::Insecure).await?;
    if tls.chain.is_empty() {
        return Err(gone("it shows no certificate".to_owned()));
    }
    Ok(tls.chain)
}

/// Whether a server answers a plain question as HTTP servers do. Only a second connection can tell.
async fn speaks_plain_http(cx: &Context, address: SocketAddr, host: &str) -> Result<bool, Error> {
    let Some(Ok(stream)) = step(cx, SECOND_LOOK, TcpStream::connect(address)).await? else { return Ok(false) };
    Ok(matches!(plain::ask(cx, SECOND_LOOK, stream, host).await?, Reply::Http { .. }))
}

/// Whether a server shows a certificate, of whatever kind, to one who begins with TLS.
async fn speaks_tls(cx: &Context, address: SocketAddr, host: &str) -> Result<bool, Error> {
    let Some(Ok(stream)) = step(cx, SECOND_LOOK, TcpStream::connect(address)).await? else { return Ok(false) };
    let (seen, _) = tls::shake_hands(cx, SECOND_LOOK, stream, host, &TlsTrust::SystemRoots).await?;
    Ok(!seen.chain.is_empty())
}

async fn resolve(cx: &Context, host: &Host<String>, port: u16) -> Result<Result<Vec<IpAddr>, String>, Error> {
    let name = match host {
        Host::Ipv4(address) => return Ok(Ok(vec![IpAddr::V4(*address)])),
        Host::Ipv6(address) => return Ok(Ok(vec![IpAddr::V6(*address)])),
        Host::Domain(name) => name,
    };
    Ok(match step(cx, STEP, tokio::net::lookup_host((name.as_str(), port))).await? {
        None => Err("the name service did not answer in time".to_owned()),
        Some(Err(error)) => Err(error.to_string()),
        Some(Ok(found)) => {
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found.map(|address| address.ip()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() { Err("the name has no address".to_owned()) } else { Ok(addresses) }
        }
    })
}

/// Connects to the first address that answers; tells the failure of the last if none does.
async fn connect(
    cx: &Context,
    addresses: &[IpAddr],
    port: u16,
) -> Result<Result<(TcpStream, Connected), ConnectFailure>, Error> {
    let mut failure = ConnectFailure::TimedOut;
    // All of them share the time of the step.
    let share = STEP / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    for address in addresses {
        let address = SocketAddr::new(*address, port);
        let start = cx.clock().monotonic();
        failure = match step(cx, share, TcpStream::connect(address)).await? {
            Some(Ok(stream)) => {
                let took = cx.clock().monotonic().saturating_sub(start);
                return Ok(Ok((stream, Connected { address, took })));
            }
            Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => ConnectFailure::Refused,
            Some(Err(error)) if error.kind() == io::ErrorKind::TimedOut => ConnectFailure::TimedOut,
            Some(Err(error)) => ConnectFailure::Other(error.to_string()),
            None => ConnectFailure::TimedOut,
        };
    }
    Ok(Err(failure))
}

/// Waits for one step; `None` if it took longer than it may.
///
/// # Errors
/// The context's own end.
async fn step<T>(cx: &Context, longest: Duration, future: impl Future<Output = T> + Send) -> Result<Option<T>, Error> {
    match cx.limit(longest).bounded("looking at the way to the server", future).await {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            cx.check("looking at the way to the server")?;
            tracing::debug!(%error, "a step took too long");
            Ok(None)
        }
    }
}
