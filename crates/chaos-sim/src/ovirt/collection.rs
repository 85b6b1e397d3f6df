//! Collections at the top of the API: what is searched for, how much of it, and with which links followed.
//!
//! Source: oVirt REST API guide, "Searching", "Maximum results parameter", "Following links".

use super::element::Element;
use super::fault::{Fault, Refused};
use super::follow::Follow;
use super::request::{Format, Request};
use super::route::{PARTS, Top};
use super::row::{ClusterRow, DatacenterRow, EventRow, HostRow, VmRow};
use super::scene::Scene;
use super::search::{self, Kind, Reading, Row};
use super::view::{Depth, NothingToFollow};
use super::write::Collection;

impl From<NothingToFollow> for Refused {
    fn from(_: NothingToFollow) -> Self {
        Self::Stumbled
    }
}

/// What a request is answered with.
#[derive(Debug)]
pub(super) enum Answer {
    Document(Element),
    /// One that was written already, in the format that was asked for.
    Written(String),
}

/// How a collection is asked for.
struct Asked<'r> {
    search: &'r str,
    max: Option<usize>,
    reading: Reading,
    follow: Follow,
}

impl Scene<'_> {
    /// A collection.
    pub(super) fn list(&self, top: Top, request: &Request, format: Format) -> Result<Answer, Refused> {
        let asked = self.asked(top, request)?;
        let follow = &asked.follow;
        let elements = match top {
            Top::Vms => return self.list_vms(request, &asked, format),
            Top::Hosts => {
                let rows = self.hosts().into_iter().map(|host| HostRow(self, host)).collect();
                let found = select(&asked, Kind::Hosts, rows)?;
                found.iter().map(|HostRow(_, host)| self.host(host, follow)).collect::<Result<Vec<_>, _>>()?
            }
            Top::Clusters => {
                let rows = self.clusters().into_iter().map(|key| ClusterRow(self, key)).collect();
                let found = select(&asked, Kind::Clusters, rows)?;
                found.iter().map(|ClusterRow(_, key)| self.cluster(*key, follow)).collect::<Result<Vec<_>, _>>()?
            }
            Top::Datacenters => {
                let rows = self.datacenters().into_iter().map(|datacenter| DatacenterRow(self, datacenter)).collect();
                let found = select(&asked, Kind::Datacenters, rows)?;
                let found = found.iter().map(|DatacenterRow(_, datacenter)| self.datacenter(datacenter, follow));
                found.collect::<Result<Vec<_>, _>>()?
            }
            Top::Events => self.list_events(request, &asked)?,
            Top::Tags => return Ok(Answer::Document(self.all_tags())),
            // They are not the world's; whoever asks for them has them at hand.
            Top::Jobs => Vec::new(),
        };
        Ok(Answer::Document(Element::list(top.root(), elements)))
    }

    /// One object of a collection.
    pub(super) fn one(&self, top: Top, id: &str, request: &Request) -> Result<Element, Refused> {
        let follow = links(top, request)?;
        let id = id.to_ascii_lowercase();
        let ids = &self.engine.ids;
        let element = match top {
            Top::Vms => {
                let vm = self.vm_of(&id).ok_or(Refused::Absent)?;
                return Ok(self.vm(vm, depth(request), &follow)?);
            }
            Top::Hosts => {
                let host = self.hosts().into_iter().find(|host| ids.host(host.id) == id);
                host.map(|host| self.host(host, &follow)).transpose()?
            }
            Top::Clusters => {
                let key = self.clusters().into_iter().find(|key| ids.cluster(*key) == id);
                key.map(|key| self.cluster(key, &follow)).transpose()?
            }
            Top::Datacenters => {
                let datacenter = self.datacenters().into_iter().find(|datacenter| ids.datacenter(datacenter.id) == id);
                datacenter.map(|datacenter| self.datacenter(datacenter, &follow)).transpose()?
            }
            Top::Events => {
                let event = id.parse().ok().and_then(|number| self.event(number));
                event.map(|event| self.event_element(&event))
            }
            Top::Tags => self.tag(&id, None),
            Top::Jobs => None,
        };
        element.ok_or(Refused::Absent)
    }

    fn asked<'r>(&self, top: Top, request: &'r Request) -> Result<Asked<'r>, Refused> {
        let reading = Reading {
            case_sensitive: request.flag("case_sensitive", "case-sensitive").unwrap_or(false),
            now: self.local(self.state.moment()),
        };
        let search = request.parameter("search").unwrap_or_default();
        Ok(Asked { search, max: max(request)?, reading, follow: links(top, request)? })
    }

    fn list_vms(&self, request: &Request, asked: &Asked<'_>, format: Format) -> Result<Answer, Refused> {
        let rows = self.vms().into_iter().map(|vm| VmRow::new(self, vm)).collect();
        // A filtered view that is asked for pages by name forgets all else that was asked for.
        let is_paged =
            self.is_filtered && asked.max.is_some() && asked.search.to_lowercase().contains("sortby name asc");
        let found = if is_paged {
            let from = asked.search.to_lowercase().find("sortby name asc").unwrap_or_default();
            let search = asked.search.get(from..).unwrap_or_default();
            select(&Asked { search, follow: Follow::default(), ..*asked }, Kind::Vms, rows)?
        } else {
            select(asked, Kind::Vms, rows)?
        };
        if let Some(detail) = request.detail()
            && detail.replace(' ', "+").contains("-main")
        {
            // A form has a space where a plus sign was meant.
            let size = i64::try_from(found.len()).unwrap_or(i64::MAX);
            return Ok(Answer::Document(Element::of("vms", [Element::long("size", size)])));
        }
        let depth = depth(request);
        let mut collection = Collection::new("vms", format);
        for VmRow { vm, .. } in found {
            collection.push(&self.vm(vm, depth, &asked.follow)?);
        }
        Ok(Answer::Written(collection.finish()))
    }

    fn list_events(&self, request: &Request, asked: &Asked<'_>) -> Result<Vec<Element>, Refused> {
        let from = match request.parameter("from").map(str::trim) {
            None | Some("") => 0,
            Some(from) => {
                let invalid = |_| Fault { status: 400, reason: "Invalid value", detail: format!("from = {from}") };
                from.parse::<u64>().map_err(invalid)?
            }
        };
        let visible = |event: &super::event::Event<'_>| {
            // Those who see only what is theirs see nothing that is not about a VM of theirs.
            let vm = event.entry.vm.as_ref().and_then(|(id, _)| self.state.inventory.vms.get(id));
            !self.is_filtered || vm.is_some_and(|vm| self.shows(vm))
        };
        let events = self.events_after(from).filter(visible);
        let rows: Vec<EventRow<'_>> = match (asked.search.trim(), asked.max) {
            // The usual question for the newest one need not look at all of them.
            ("", Some(max)) => events.take(max).map(|event| EventRow(self, event)).collect(),
            _ => select(asked, Kind::Events, events.map(|event| EventRow(self, event)).collect())?,
        };
        Ok(rows.iter().map(|EventRow(_, event)| self.event_element(event)).collect())
    }
}

/// The links to follow. One that an object of this kind does not have is refused.
fn links(top: Top, request: &Request) -> Result<Follow, Fault> {
    let follow = Follow::parse(request.parameter("follow").unwrap_or_default());
    let known = |name: &str| {
        let of_vms = ["host", "cluster", "template", "originaltemplate", "quota", "vmpool", "cpuprofile"];
        match top {
            Top::Vms => of_vms.contains(&name) || PARTS.iter().any(|part| super::follow::plain(part.root) == name),
            Top::Hosts => ["cluster", "nics", "statistics", "tags"].contains(&name),
            Top::Clusters => ["datacenter", "networks"].contains(&name),
            Top::Datacenters => ["clusters", "networks", "storagedomains"].contains(&name),
            Top::Events | Top::Jobs | Top::Tags => false,
        }
    };
    let unknown = follow.names().find(|name| !known(name));
    let unknown = unknown.map(|name| Fault::failed(400, format!("There is no link {name} to follow.")));
    unknown.map_or(Ok(follow), Err)
}

/// What is found of all that is there. What the engine cannot read finds nothing, without a word.
fn select<R: Row>(asked: &Asked<'_>, kind: Kind, rows: Vec<R>) -> Result<Vec<R>, Refused> {
    let query = match search::parse(asked.search, kind) {
        Ok(query) => query,
        Err(invalid) => {
            tracing::warn!(search = asked.search, %invalid, "a search that an engine cannot read finds nothing");
            return Ok(Vec::new());
        }
    };
    if let Some(value) = query.malformed_id() {
        let detail = format!(
            "PreparedStatementCallback; bad SQL grammar; nested exception is org.postgresql.util.PSQLException: ERROR: \
             invalid input syntax for type uuid: \"{value}\""
        );
        return Err(Fault::failed(400, detail).into());
    }
    Ok(query.select(rows, asked.max, asked.reading))
}

/// The size of a page; none for all.
fn max(request: &Request) -> Result<Option<usize>, Fault> {
    let Some(number) = request.parameter("max").and_then(|max| max.trim().parse::<i32>().ok()) else {
        return Ok(None);
    };
    let negative = |_| Fault::failed(400, format!("Illegal max count value for query : {number}"));
    usize::try_from(number).map(Some).map_err(negative)
}

fn depth(request: &Request) -> Depth {
    if request.flag("all_content", "all-content").unwrap_or(false) { Depth::AllContent } else { Depth::Usual }
}
