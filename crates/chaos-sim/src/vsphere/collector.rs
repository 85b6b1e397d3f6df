//! A property collector: pages of a large answer, filters, and the versions of what they saw.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::fault::Fault;
use super::mo::Mo;
use super::props::Scope;
use super::select::{FilterSpec, write_missing};
use super::value::text_element;

/// A property collector of a session.
#[derive(Debug, Default)]
pub(super) struct Collector {
    /// Calls on one collector are served one after the other.
    pub(super) turn: tokio::sync::Mutex<()>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    pages: HashMap<String, Pages>,
    tokens: u64,
    filters: BTreeMap<String, Filter>,
    versions: Versions,
    /// Ends the waits that are pending now.
    cancel: CancellationToken,
}

/// The rest of an answer.
#[derive(Debug)]
pub(super) struct Pages {
    specs: Vec<Arc<FilterSpec>>,
    rest: VecDeque<(usize, Mo)>,
    page: usize,
}

#[derive(Debug)]
struct Filter {
    spec: FilterSpec,
    known: BTreeMap<Mo, Known>,
}

/// What a client knows of an object.
#[derive(Debug)]
struct Known {
    revision: Option<u64>,
    values: Vec<(String, Reading)>,
}

/// A property as it was last told.
#[derive(Debug, Clone, PartialEq)]
enum Reading {
    Unset,
    /// Written as the element `val`.
    Set(String),
    Denied(Fault),
}

/// Which version a client may come with.
#[derive(Debug, Default)]
struct Versions {
    issued: u64,
    /// The version given out last.
    current: Option<u64>,
    /// Whether that was only a part of what had changed.
    is_truncated: bool,
    /// The version before it, if it can be used again, and what to forget then.
    previous: Option<(u64, Vec<Forget>)>,
}

/// What a filter knew of an object before the last answer.
#[derive(Debug)]
struct Forget {
    filter: String,
    mo: Mo,
    before: Option<Known>,
}

/// Properties that change without notice.
/// Source: "Performance Considerations" of `VirtualMachine.summary` and the notes on `disabledMethod` and `recentTask`.
fn is_silent(path: &str) -> bool {
    path.starts_with("summary.quickStats")
        || matches!(path, "disabledMethod" | "recentTask" | "overallStatus" | "summary.storage")
}

impl Collector {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds all objects that are meant and writes the first page of them; more follow under a token.
    pub(super) fn retrieve(
        &self,
        scope: &Scope<'_>,
        specs: Vec<FilterSpec>,
        page: usize,
    ) -> Result<Option<String>, Fault> {
        let mut rest = VecDeque::new();
        for (index, spec) in specs.iter().enumerate() {
            rest.extend(spec.select(scope, false)?.into_iter().map(|mo| (index, mo)));
        }
        if rest.is_empty() {
            return Ok(None);
        }
        let specs = specs.into_iter().map(Arc::new).collect();
        self.write_page(scope, Pages { specs, rest, page }).map(Some)
    }

    /// Writes the next page. A token can be used once.
    pub(super) fn next_page(&self, scope: &Scope<'_>, token: &str) -> Result<String, Fault> {
        let pages = self.inner().pages.remove(token).ok_or_else(|| Fault::invalid_argument("token"))?;
        self.write_page(scope, pages)
    }

    /// Forgets the rest of an answer.
    pub(super) fn cancel_pages(&self, token: &str) -> Result<(), Fault> {
        self.inner().pages.remove(token).map(|_| ()).ok_or_else(|| Fault::invalid_argument("token"))
    }

    fn write_page(&self, scope: &Scope<'_>, mut pages: Pages) -> Result<String, Fault> {
        let mut objects = String::new();
        for (index, mo) in pages.rest.drain(..pages.page.min(pages.rest.len())) {
            let spec = &pages.specs[index];
            if scope.exists(&mo) {
                spec.write_object(scope, &mo, &mut objects, "objects");
            } else if !(spec.report_missing && spec.names(&mo)) {
                let reference = scope.reference(&mo);
                return Err(Fault::not_found(reference.kind, &reference.id));
            }
        }
        let mut out = String::with_capacity(objects.len() + 100);
        out.push_str("<returnval>");
        if !pages.rest.is_empty() {
            let mut inner = self.inner();
            // The first token of a collector is the text `0`, which is as good as any other.
            let token = inner.tokens.to_string();
            inner.tokens += 1;
            text_element(&mut out, "token", &token);
            inner.pages.insert(token, pages);
        }
        out.push_str(&objects);
        out.push_str("</returnval>");
        Ok(out)
    }

    /// How many answers have pages that nobody has fetched or cancelled.
    pub(super) fn open_tokens(&self) -> usize {
        self.inner().pages.len()
    }

    /// Adds a filter.
    pub(super) fn add_filter(&self, id: String, spec: FilterSpec, scope: &Scope<'_>) -> Result<(), Fault> {
        spec.select(scope, false)?;
        self.inner().filters.insert(id, Filter { spec, known: BTreeMap::new() });
        Ok(())
    }

    /// Removes a filter; false if it was not there.
    pub(super) fn remove_filter(&self, id: &str) -> bool {
        self.inner().filters.remove(id).is_some()
    }

    pub(super) fn has_filter(&self, id: &str) -> bool {
        self.inner().filters.contains_key(id)
    }

    pub(super) fn filters(&self) -> Vec<String> {
        self.inner().filters.keys().cloned().collect()
    }

    /// Ends all pending waits.
    pub(super) fn cancel_waits(&self) {
        std::mem::take(&mut self.inner().cancel).cancel();
    }

    /// Set when the pending waits are to end.
    pub(super) fn cancellation(&self) -> CancellationToken {
        self.inner().cancel.clone()
    }

    /// What has changed since `version`, as an `UpdateSet` of at most `limit` objects; none if nothing has.
    pub(super) fn updates(&self, scope: &Scope<'_>, version: &str, limit: usize) -> Result<Option<String>, Fault> {
        let mut inner = self.inner();
        inner.go_to(version)?;
        let mut round = Round { scope, left: limit, is_truncated: false, forget: Vec::new(), out: String::new() };
        for (id, filter) in &mut inner.filters {
            round.filter(id, filter)?;
        }
        let Round { is_truncated, forget, out, .. } = round;
        if out.is_empty() {
            return Ok(None);
        }
        let version = inner.versions.issue(is_truncated, forget);
        let mut set = String::with_capacity(out.len() + 100);
        set.push_str("<returnval>");
        text_element(&mut set, "version", &version.to_string());
        set.push_str(&out);
        if is_truncated {
            text_element(&mut set, "truncated", "true");
        }
        set.push_str("</returnval>");
        Ok(Some(set))
    }
}

impl Inner {
    /// Brings the filters to what a client with this version knows.
    fn go_to(&mut self, version: &str) -> Result<(), Fault> {
        if version.is_empty() {
            self.filters.values_mut().for_each(|filter| filter.known.clear());
            let issued = self.versions.issued;
            self.versions = Versions { issued, ..Versions::default() };
            return Ok(());
        }
        let stale = || Fault::plain("InvalidCollectorVersion", "The collector version is not valid.");
        let wanted: u64 = version.parse().map_err(|_| stale())?;
        if self.versions.current == Some(wanted) {
            return Ok(());
        }
        let (_, forget) = self.versions.previous.take_if(|(previous, _)| *previous == wanted).ok_or_else(stale)?;
        for Forget { filter, mo, before } in forget.into_iter().rev() {
            let Some(filter) = self.filters.get_mut(&filter) else { continue };
            match before {
                Some(known) => filter.known.insert(mo, known),
                None => filter.known.remove(&mo),
            };
        }
        self.versions.current = Some(wanted);
        self.versions.is_truncated = false;
        Ok(())
    }
}

impl Versions {
    /// Issues the version of an answer. The one before can be used again if it was complete.
    fn issue(&mut self, is_truncated: bool, forget: Vec<Forget>) -> u64 {
        self.issued += 1;
        self.previous = self.current.filter(|_| !self.is_truncated).map(|current| (current, forget));
        self.current = Some(self.issued);
        self.is_truncated = is_truncated;
        self.issued
    }
}

/// One look at all filters.
struct Round<'a> {
    scope: &'a Scope<'a>,
    left: usize,
    is_truncated: bool,
    forget: Vec<Forget>,
    out: String,
}

impl Round<'_> {
    fn filter(&mut self, id: &str, filter: &mut Filter) -> Result<(), Fault> {
        let mut objects = String::new();
        let selected = filter.spec.select(self.scope, true)?;
        let gone: Vec<Mo> = {
            let selected: std::collections::HashSet<&Mo> = selected.iter().collect();
            filter.known.keys().filter(|mo| !selected.contains(mo)).cloned().collect()
        };
        for mo in gone {
            if !self.takes_another() {
                break;
            }
            self.open(&mut objects, "leave", &mo);
            objects.push_str("</objectSet>");
            let before = filter.known.remove(&mo);
            self.forget.push(Forget { filter: id.to_owned(), mo, before });
        }
        for mo in selected {
            let revision = mo.revision(self.scope.state);
            if filter.known.get(&mo).is_some_and(|known| revision.is_some() && known.revision == revision) {
                continue;
            }
            if !self.takes_another() {
                break;
            }
            let values = read(&filter.spec, self.scope, &mo);
            let told = self.tell(&mut objects, &mo, filter.known.get(&mo), &values);
            if told {
                let before = filter.known.insert(mo.clone(), Known { revision, values });
                self.forget.push(Forget { filter: id.to_owned(), mo, before });
            } else {
                self.left += 1;
                if let Some(known) = filter.known.get_mut(&mo) {
                    known.revision = revision;
                }
            }
        }
        if !objects.is_empty() {
            self.out.push_str("<filterSet>");
            self.scope.reference(&Mo::Filter(id.to_owned())).write(&mut self.out, "filter", false);
            self.out.push_str(&objects);
            self.out.push_str("</filterSet>");
        }
        Ok(())
    }

    /// Counts another object; false if the answer is full.
    fn takes_another(&mut self) -> bool {
        if self.left == 0 {
            self.is_truncated = true;
            return false;
        }
        self.left -= 1;
        true
    }

    fn open(&self, objects: &mut String, kind: &str, mo: &Mo) {
        objects.push_str("<objectSet>");
        text_element(objects, "kind", kind);
        self.scope.reference(mo).write(objects, "obj", false);
    }

    /// Writes what is new about an object; false if nothing is.
    fn tell(&self, objects: &mut String, mo: &Mo, known: Option<&Known>, values: &[(String, Reading)]) -> bool {
        let is_new = |path: &str, reading: &Reading| match known {
            None => *reading != Reading::Unset,
            Some(known) => {
                let before = known.values.iter().find(|(known, _)| known == path);
                !is_silent(path) && before.is_none_or(|(_, before)| before != reading)
            }
        };
        let news: Vec<&(String, Reading)> = values.iter().filter(|(path, reading)| is_new(path, reading)).collect();
        if known.is_some() && news.is_empty() {
            return false;
        }
        self.open(objects, if known.is_some() { "modify" } else { "enter" }, mo);
        for (path, reading) in &news {
            if let Reading::Unset | Reading::Set(_) = reading {
                objects.push_str("<changeSet>");
                text_element(objects, "name", path);
                text_element(objects, "op", "assign");
                if let Reading::Set(value) = reading {
                    objects.push_str(value);
                }
                objects.push_str("</changeSet>");
            }
        }
        for (path, reading) in &news {
            if let Reading::Denied(fault) = reading {
                write_missing(objects, path, fault);
            }
        }
        objects.push_str("</objectSet>");
        true
    }
}

fn read(spec: &FilterSpec, scope: &Scope<'_>, mo: &Mo) -> Vec<(String, Reading)> {
    let values = spec.read_object(scope, mo).into_iter().map(|(path, value)| {
        let reading = match value {
            Ok(None) => Reading::Unset,
            Ok(Some(value)) => {
                let mut written = String::new();
                value.write(&mut written, "val", true);
                Reading::Set(written)
            }
            Err(fault) => Reading::Denied(fault),
        };
        (path.to_owned(), reading)
    });
    values.collect()
}
