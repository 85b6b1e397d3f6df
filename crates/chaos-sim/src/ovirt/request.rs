//! A request as the engine reads it: path, parameters from everywhere, and what the client wants to get.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use url::form_urlencoded;

use super::route::Route;

/// The longest request line that the web server takes, in bytes.
const LINE_LIMIT: usize = 8190;
/// The size of a packet between the web server and the engine, which has to hold the line and all headers.
const PACKET_LIMIT: usize = 8192;

/// A request. It may hold a password or a token, so it has no `Debug`.
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) route: Route,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) peer: String,
    /// The query's parameters, then those of the path's segments.
    parameters: Vec<(String, String)>,
    /// Why the web server does not even pass it on.
    pub(super) too_large: Option<u16>,
    /// Of this request alone, in whichever order requests come.
    pub(super) number: u64,
}

/// What a client can get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Xml,
    Json,
}

impl Request {
    pub(super) fn new(parts: &Parts, body: Bytes, peer: String, number: u64) -> Self {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let line = parts.method.as_str().len() + " ".len() + target.len() + " HTTP/1.1".len();
        let head: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let too_large = if line > LINE_LIMIT { Some(414) } else { (line + head > PACKET_LIMIT).then_some(400) };
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut segments = Vec::new();
        for segment in parts.uri.path().split('/').filter(|segment| !segment.is_empty()) {
            let mut pieces = segment.split(';');
            segments.push(decoded(pieces.next().unwrap_or_default()));
            parameters.extend(pieces.filter(|piece| !piece.is_empty()).map(|piece| {
                let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
                (decoded(name), decoded(value))
            }));
        }
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let route = Route::of(&segments);
        Self {
            method: parts.method.clone(),
            route,
            headers: parts.headers.clone(),
            body,
            peer,
            parameters,
            too_large,
            number,
        }
    }

    /// The value of a parameter, as it was given first.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A flag that is a parameter or, failing that, a header.
    pub(super) fn flag(&self, parameter: &str, header: &str) -> Option<bool> {
        self.parameter(parameter).or_else(|| self.header(header)).map(is_true)
    }

    /// Parameters of the body, if it is a form, after those of the query.
    pub(super) fn form(&self, name: &str) -> Option<String> {
        let in_body = || {
            let mut fields = form_urlencoded::parse(&self.body);
            fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
        };
        self.parameter(name).map(str::to_owned).or_else(in_body)
    }

    /// The query for the record; parameters of segments are joined to it. None if there are none.
    pub(super) fn told_query(&self) -> Option<String> {
        let pairs: Vec<String> = self
            .parameters
            .iter()
            .map(|(name, value)| if value.is_empty() { name.clone() } else { format!("{name}={value}") })
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("&"))
    }

    /// The details that are asked for, as a parameter or within `Accept`.
    pub(super) fn detail(&self) -> Option<&str> {
        let accept = || self.header("accept")?.split(';').find_map(|part| part.trim().strip_prefix("detail="));
        self.parameter("detail").or_else(accept)
    }

    /// What to answer in; none if the client takes neither.
    pub(super) fn format(&self) -> Option<Format> {
        let Some(accept) = self.header(header::ACCEPT.as_str()) else { return Some(Format::Xml) };
        accept.split(',').find_map(|range| match range.split(';').next().unwrap_or_default().trim() {
            "application/xml" | "*/*" | "application/*" | "" => Some(Format::Xml),
            "application/json" => Some(Format::Json),
            _ => None,
        })
    }

    /// What the body is in; none if the engine reads neither.
    pub(super) fn body_format(&self) -> Option<Format> {
        match self.header(header::CONTENT_TYPE.as_str())?.split(';').next().unwrap_or_default().trim() {
            "application/xml" => Some(Format::Xml),
            "application/json" => Some(Format::Json),
            _ => None,
        }
    }

    /// Whether the header `Prefer` has this word.
    pub(super) fn prefers(&self, word: &str) -> bool {
        let values = self.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    }

    /// The engine as the client knows it, for addresses in texts.
    pub(super) fn host(&self) -> &str {
        self.header("host").unwrap_or("localhost")
    }
}

/// As the engine reads flags: what is empty is true.
fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "" | "true" | "t" | "yes" | "y" | "1")
}

/// A piece of a path: `%XX` decoded, a plus sign left as it is.
fn decoded(text: &str) -> String {
    let escaped = text.replace('+', "%2B");
    form_urlencoded::parse(format!("={escaped}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
