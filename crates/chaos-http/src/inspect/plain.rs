//! One harmless question to a server, and what kind of answer came.

use std::time::Duration;

use chaos_core::{Context, Error};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::clock::ClockSkew;
use super::step;

/// The head of an answer is shorter than this.
const HEAD: usize = 16 << 10;

/// The first byte of a TLS alert (RFC 8446, section 5.1).
const TLS_ALERT: u8 = 0x15;

/// What a server answered to `HEAD /`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// It speaks HTTP.
    Http {
        /// The status of its answer.
        status: u16,
        /// How far its clock is from this machine's, if it told its time.
        clock: Option<ClockSkew>,
    },
    /// It wants TLS first.
    WantsTls,
    /// It said nothing in time.
    Silent,
    /// It hung up without an answer.
    HungUp,
    /// It answered something that is no HTTP.
    Other,
}

impl Reply {
    /// Whether this may be what a TLS server says to those who speak plainly: some answer in plain words, others hang up.
    pub(super) fn may_be_of_tls(&self) -> bool {
        matches!(self, Self::Http { status: 400, .. } | Self::HungUp | Self::Other)
    }
}

/// Asks.
pub(super) async fn ask(
    cx: &Context,
    longest: Duration,
    mut stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    host: &str,
) -> Result<Reply, Error> {
    let question = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    let sent = cx.now();
    let exchange = async {
        stream.write_all(question.as_bytes()).await?;
        stream.flush().await?;
        let mut head = Vec::new();
        let mut piece = [0; 1024];
        while head.len() < HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n") && head.first() != Some(&TLS_ALERT) {
            match stream.read(&mut piece).await? {
                0 => break,
                read => head.extend_from_slice(&piece[..read]),
            }
        }
        Ok::<_, std::io::Error>(head)
    };
    let head = match step(cx, longest, exchange).await? {
        None => return Ok(Reply::Silent),
        Some(Err(_)) => return Ok(Reply::HungUp),
        Some(Ok(head)) => head,
    };
    let received = cx.now();
    Ok(match head.first() {
        None => Reply::HungUp,
        Some(&TLS_ALERT) => Reply::WantsTls,
        Some(_) => read(&String::from_utf8_lossy(&head)).map_or(Reply::Other, |(status, date)| Reply::Http {
            status,
            clock: date.and_then(|date| ClockSkew::of(date, sent, received)),
        }),
    })
}

/// The status and the `Date` of the head of an answer.
fn read(head: &str) -> Option<(u16, Option<&str>)> {
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()?;
    let date = lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("date"));
    Some((status, date.map(|(_, value)| value.trim())))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_head_has_a_status_and_perhaps_a_date() {
        let head = "HTTP/1.1 404 Not Found\r\ndate: Thu, 26 Nov 2026 12:05:01 GMT\r\n\r\n";
        assert_eq!(read(head), Some((404, Some("Thu, 26 Nov 2026 12:05:01 GMT"))));
        assert_eq!(read("HTTP/1.0 200\r\n\r\n"), Some((200, None)));
        for none in ["", "SSH-2.0-OpenSSH_9.2", "HTTP/1.1", "HTTP/1.1 abc"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
