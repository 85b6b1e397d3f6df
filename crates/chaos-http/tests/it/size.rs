//! Bodies: in pieces, compressed, and too large.

use std::io::Write;
use std::time::Duration;

use chaos_core::Context;
use chaos_http::{Bytes, Client, Config, HttpErrorKind, Request, Response, Url};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::TryStreamExt;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{RawServer, TestClock};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn serve(body: Vec<u8>, compressed: bool) -> (MockServer, Request) {
    let mut answer = ResponseTemplate::new(200).set_body_bytes(body);
    if compressed {
        answer = answer.insert_header("content-encoding", "gzip");
    }
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let request = Request::get(Url::parse(&server.uri()).unwrap(), "Get").idempotent();
    (server, request)
}

fn client() -> Client {
    Client::new(Config::platform()).unwrap()
}

fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(30))
}

/// How many bytes come before the body ends or fails.
async fn read_on(mut response: Response) -> (usize, Option<HttpErrorKind>) {
    let mut bytes = 0;
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => bytes += piece.len(),
            Ok(None) => return (bytes, None),
            Err(error) => return (bytes, Some(error.kind().clone())),
        }
    }
}

#[tokio::test]
async fn a_compressed_body_is_decompressed() {
    let text = "<obj/>".repeat(10_000);
    let (_server, request) = serve(gzip(text.as_bytes()), true).await;
    assert_eq!(client().fetch(&cx(), &request).await.unwrap().text().unwrap(), text);
}

#[tokio::test]
async fn a_body_comes_as_a_stream_of_pieces() {
    let (_server, request) = serve(vec![7; 3 << 20], false).await;
    let response = client().send(&cx(), &request).await.unwrap();
    let pieces: Vec<_> = response.into_stream().try_collect().await.unwrap();
    assert!(pieces.len() > 1);
    assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), 3 << 20);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_accepted_and_one_byte_more_is_not() {
    let (_server, request) = serve(vec![0; 1000], false).await;
    let exact = request.clone().response_bytes(1000);
    assert_eq!(client().fetch(&cx(), &exact).await.unwrap().bytes().len(), 1000);
    let error = client().fetch(&cx(), &request.response_bytes(999)).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::TooLarge(999));
    assert_eq!(error.attempts(), 1);
    assert!(error.to_string().contains("larger than the limit of 999 bytes"), "{error}");
    assert_eq!(chaos_core::Error::from(error).kind(), chaos_core::ErrorKind::Protocol);
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_begun() {
    let server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 67108865\r\n\r\nsome").await;
        connection.stall().await;
    })
    .await;
    let response = client().send(&TestClock::still().context(), &Request::get(&server.url, "Get")).await.unwrap();
    assert_eq!(read_on(response).await, (0, Some(HttpErrorKind::TooLarge(64 << 20))));
}

#[tokio::test]
async fn a_gzip_bomb_stops_at_the_limit() {
    // 32 MiB in about 150 KiB.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..32 {
        encoder.write_all(&zeros).unwrap();
    }
    let (_server, request) = serve(encoder.finish().unwrap(), true).await;
    let limit = 64 << 10;
    let request = request.response_bytes(limit);
    let response = client().send(&cx(), &request).await.unwrap();
    let (bytes, end) = read_on(response).await;
    assert_eq!(end, Some(HttpErrorKind::TooLarge(limit)));
    assert!(bytes as u64 <= limit);
    let error = client().fetch(&cx(), &request).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::TooLarge(limit));
}

#[tokio::test]
async fn an_endless_body_stops_at_the_limit() {
    let server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        for _ in 0..100_000 {
            connection.send("400\r\n").await;
            connection.send([b'x'; 1024]).await;
            connection.send("\r\n").await;
        }
    })
    .await;
    let request = Request::get(&server.url, "Get").response_bytes(5000);
    let response = client().send(&TestClock::still().context(), &request).await.unwrap();
    assert_eq!(read_on(response).await.1, Some(HttpErrorKind::TooLarge(5000)));
}

#[tokio::test]
async fn what_does_not_decompress_is_a_protocol_error() {
    let (_server, request) = serve(b"this is no gzip at all, just words".to_vec(), true).await;
    let error = client().fetch(&cx(), &request).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Protocol, "{error}");
}

#[tokio::test]
async fn a_compressed_body_that_ends_early_is_an_error() {
    let mut cut = gzip("<obj/>".repeat(10_000).as_bytes());
    cut.truncate(cut.len() / 2);
    let (_server, request) = serve(cut, true).await;
    let response = client().send(&cx(), &request).await.unwrap();
    assert_eq!(read_on(response).await.1, Some(HttpErrorKind::Interrupted));
}
