//! Every request as a value: method, path, query and body, without a server.

use chaos_core::{Context, RunId};
use chaos_http::Method;
use chaos_xml::escape;

use super::action::Action;

/// The most bytes of a URL. The web server in front of the engine passes a request on in packets of 8 KiB, in which the
/// request line has to fit together with all headers, and a token may have 2 KiB.
pub(crate) const LONGEST_URL: usize = 6000;
/// The most VMs that one request names.
pub(crate) const MOST_IDS: usize = 120;
/// The longest correlation id that the engine keeps.
const LONGEST_CORRELATION: usize = 36;

/// A request of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    /// Below `/ovirt-engine/api`, encoded, with a leading slash if it is not empty.
    pub(crate) path: String,
    /// Encoded, without the question mark.
    pub(crate) query: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) correlation: Option<String>,
}

impl Request {
    fn get(operation: &'static str, path: impl Into<String>) -> Self {
        Self { operation, method: Method::GET, path: path.into(), query: None, body: None, correlation: None }
    }

    fn searching(mut self, search: &str) -> Self {
        self.query = Some(format!("search={}", encode(search)));
        self
    }

    /// The entry point.
    pub(crate) fn entry_point() -> Self {
        Self::get("GET api", "")
    }

    /// All VMs, or those that a search finds.
    pub(crate) fn vms(search: Option<&str>) -> Self {
        let request = Self::get("GET vms", "/vms");
        match search {
            Some(search) => request.searching(search),
            None => request,
        }
    }

    /// One VM.
    pub(crate) fn vm(id: &str) -> Self {
        Self::get("GET vms/id", format!("/vms/{}", encode(id)))
    }

    pub(crate) fn hosts() -> Self {
        Self::get("GET hosts", "/hosts")
    }

    pub(crate) fn clusters() -> Self {
        Self::get("GET clusters", "/clusters")
    }

    pub(crate) fn datacenters() -> Self {
        Self::get("GET datacenters", "/datacenters")
    }

    /// What a user and the user's groups were given, and on what.
    pub(crate) fn permissions(user: &str) -> Self {
        Self::get("GET users/permissions", format!("/users/{}/permissions", encode(user)))
    }

    /// What a role permits.
    pub(crate) fn permits(role: &str) -> Self {
        Self::get("GET roles/permits", format!("/roles/{}/permits", encode(role)))
    }

    /// The newest lines of the log on a VM, if given only those that a call of ours brought about.
    pub(crate) fn events(vm: &str, codes: &[u32], correlation: Option<&str>) -> Self {
        // AND binds before OR and there are no parentheses: every alternative says all of it.
        let term = |code: &u32| match correlation {
            Some(correlation) => format!("_event_vm_id={vm} and type={code} and correlation_id={correlation}"),
            None => format!("_event_vm_id={vm} and type={code}"),
        };
        let search = codes.iter().map(term).collect::<Vec<_>>().join(" or ");
        let mut request = Self::get("GET events", "/events").searching(&search);
        request.query = request.query.map(|query| query + "&max=10");
        request
    }

    /// An action on a VM. Each call has a correlation id of its own, by which its lines in the engine's log are found.
    pub(crate) fn action(cx: &Context, vm: &str, action: Action, call: u64) -> Self {
        let mut body = String::from("<action>");
        if action.takes_reason() {
            body += "<reason>";
            let reason = format!("chaosmonkey {}: {}", cx.run_id(), cx.reason_text());
            body += &escape(reason.as_str());
            body += "</reason>";
        }
        body += "</action>";
        Self {
            operation: action.operation(),
            method: Method::POST,
            path: format!("/vms/{}/{}", encode(vm), action.word()),
            query: None,
            body: Some(body),
            correlation: Some(correlation(cx.run_id(), call)),
        }
    }
}

/// The id of a call in the engine's log, such as `chaosmonkey-3f2c9d1e88ab-7`. The engine keeps letters, digits, `_` and `-`.
fn correlation(run: &RunId, call: u64) -> String {
    let end = format!("-{call}");
    let mut text: String = format!("chaosmonkey-{run}")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' })
        .collect();
    text.truncate(LONGEST_CORRELATION - end.len());
    text + &end
}

/// A search for the VMs of some ids, if it fits into a URL.
pub(crate) fn search_of_ids(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("id={id}")).collect::<Vec<_>>().join(" or ")
}

/// Whether a text can be the id of an object: the engine's ids are UUIDs, and what is none must not get into a search.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3): the engine takes `+` for a space.
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write;

    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ID: &str = "7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01";

    #[test]
    fn requests_are_what_the_engine_reads() {
        let cx = Context::with_timeout(Duration::from_secs(1)).run(RunId::new("game.day")).reason("R&D <drill>");
        let stop = Request::action(&cx, ID, Action::Stop, 7);
        assert_eq!(stop.path, format!("/vms/{ID}/stop"));
        insta::assert_snapshot!(stop.body.unwrap(), @"<action><reason>chaosmonkey game.day: R&amp;D &lt;drill&gt;</reason></action>");
        assert_eq!(stop.correlation.as_deref(), Some("chaosmonkey-game-day-7"));
        assert_eq!(Request::action(&cx, ID, Action::Start, 8).body.unwrap(), "<action></action>");

        let search = Request::vms(Some("name=\"my vm\" and datacenter=\"Süd+\""));
        assert_eq!(search.query.unwrap(), "search=name%3D%22my%20vm%22%20and%20datacenter%3D%22S%C3%BCd%2B%22");
        let events = Request::events(ID, &[76, 157], Some("c-1"));
        insta::assert_snapshot!(events.query.unwrap(), @"search=_event_vm_id%3D7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01%20and%20type%3D76%20and%20correlation_id%3Dc-1%20or%20_event_vm_id%3D7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01%20and%20type%3D157%20and%20correlation_id%3Dc-1&max=10");
    }

    #[test]
    fn a_correlation_id_is_never_longer_than_the_engine_keeps() {
        let run = RunId::new(&"x".repeat(64));
        let id = correlation(&run, 12_345);
        assert_eq!(id.len(), LONGEST_CORRELATION);
        assert!(id.ends_with("-12345"), "{id}");
        assert!(correlation(&run, u64::MAX).len() <= LONGEST_CORRELATION);
    }

    #[test]
    fn the_ids_of_one_request_fit_into_a_url() {
        let ids = vec![ID; MOST_IDS];
        let query = Request::vms(Some(&search_of_ids(&ids))).query.unwrap();
        assert!(query.len() + 100 < LONGEST_URL, "{}", query.len());
    }

    #[test]
    fn only_a_uuid_is_an_id() {
        assert!(is_id(ID));
        for text in [
            "",
            "no-such-id",
            "7f0f4b9c4f0e-4f6e-a7a5-0d3a0c6c7f0100",
            "7f0f4b9c-4f0e-4f6e-a7a5-0d3a0c6c7f01 or name=*",
        ] {
            assert!(!is_id(text), "{text}");
        }
    }
}
