//! An answer that is ready, before it is packed, cut or held back.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::Response;

use super::body::{Body, compressed, cut, full};

/// An answer. Its length and its packing are not its own business.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// What went wrong, in a word or a sentence, if it is a refusal.
    pub(crate) fault: Option<String>,
}

impl Reply {
    /// An answer of this status and type.
    pub(crate) fn new(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into(), ..Self::default() }.with(header::CONTENT_TYPE, kind)
    }

    /// With a header more. One whose value cannot be sent is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.push((name, value));
        }
        self
    }

    /// Noted as a refusal.
    pub(crate) fn refused(mut self, why: impl Into<String>) -> Self {
        self.fault = Some(why.into());
        self
    }

    /// As it goes out to a client that sent these headers.
    pub(crate) fn into_response(self, asked: &HeaderMap) -> Response<Body> {
        let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let packed = compressed(&self.body, accepted);
        let is_packed = packed.is_some();
        let mut response = Response::new(full(packed.unwrap_or_else(|| self.body.clone())));
        self.put_head(&mut response);
        if is_packed {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// Promises the whole answer and sends half of it.
    pub(crate) fn into_cut_response(self) -> Response<Body> {
        let mut response = Response::new(cut(&self.body));
        self.put_head(&mut response);
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        response
    }

    fn put_head(&self, response: &mut Response<Body>) {
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &self.headers {
            response.headers_mut().append(name, value.clone());
        }
    }
}
