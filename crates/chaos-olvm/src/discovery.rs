//! What is asked of an engine: the VMs and the places that they refer to, in four requests, whatever the number of VMs.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chaos_core::{Context, Discovery, Error, ErrorKind, Problem, Selector, VMInfo, resolve};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tracing::debug;

use crate::api::place::{Place, Places};
use crate::api::request::{MOST_IDS, Request, is_id, search_of_ids};
use crate::api::search::search;
use crate::api::vm::Vm;
use crate::error::{CallError, Cause};
use crate::session::Session;
use crate::transport::List;

/// A look at one VM that is under way: which, and what came of it.
type Look<'a> = BoxFuture<'a, (&'a str, Result<Option<Vm>, CallError>)>;

/// How many requests one caller has under way at the same time.
pub(crate) const AT_A_TIME: usize = 8;
/// How long the names of places are believed. They hardly ever change.
const PLACES_LIVE: Duration = Duration::from_mins(5);
/// How soon they are asked for once more because of a place that is not among them. It may be hidden from the account.
const PLACES_REST: Duration = Duration::from_secs(10);

/// The places that were read last.
#[derive(Debug, Default)]
pub(crate) struct KnownPlaces(Mutex<Option<(Instant, Arc<Places>)>>);

impl KnownPlaces {
    fn remember(&self, places: &Arc<Places>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(places)));
    }

    /// A VM with the names of its places as far as they were read before.
    pub(crate) fn describe(&self, vm: &Vm) -> VMInfo {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((_, places)) => places.describe(vm),
            None => vm.info(),
        }
    }

    /// The places, unless it is time to read them for these VMs.
    fn recall(&self, vms: &[Vm]) -> Option<Arc<Places>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, places) = known.as_ref()?;
        let lives = if vms.iter().all(|vm| places.know(vm)) { PLACES_LIVE } else { PLACES_REST };
        (read.elapsed() < lives).then(|| Arc::clone(places))
    }
}

/// The VMs that `selector` selects: VMs, hosts, clusters and data centers at once, joined by id.
pub(crate) async fn discover(
    session: &Session,
    known: &KnownPlaces,
    cx: &Context,
    selector: &Selector,
) -> Result<Discovery, Error> {
    let search = search(selector);
    let vms = Box::pin(vms(session, cx, search.as_deref()));
    let (vms, places) = futures_util::future::join(vms, Box::pin(read_places(session, cx))).await;
    let (places, problems) = places?;
    if let Some(problem) = problems.iter().find(|problem| is_filtered_by(selector, &problem.subject)) {
        // Without it nobody can say which VMs are meant.
        return Err(Error::new(
            ErrorKind::Failed,
            format!("the VMs cannot be told apart by place: {}: {}", problem.subject, problem.message),
        ));
    }
    known.remember(&places);
    // One by one, so that no VM is held twice.
    let describe = |vms: Vec<Vm>| vms.into_iter().map(|vm| places.describe(&vm)).collect::<Vec<VMInfo>>();
    let found = describe(vms?);
    if search.is_none() || is_complete(selector, &found) {
        return Ok(Discovery::new(found, problems, selector));
    }
    // A search that the engine does not understand is answered with nothing, as is one that fits nothing.
    debug!("the search did not find everything: listing all VMs");
    let all = describe(self::vms(session, cx, None).await?);
    Ok(Discovery::new(all, problems, selector))
}

/// Whether a problem keeps a filter of `selector` from being applied.
fn is_filtered_by(selector: &Selector, subject: &str) -> bool {
    match subject {
        HOSTS => selector.host.is_some(),
        CLUSTERS => selector.cluster.is_some() || selector.datacenter.is_some(),
        DATACENTERS => selector.datacenter.is_some(),
        _ => false,
    }
}

/// Whether the answer to a search holds at least one VM for each target.
fn is_complete(selector: &Selector, found: &[VMInfo]) -> bool {
    if selector.targets.is_empty() {
        return found.iter().any(|vm| selector.admits(vm));
    }
    selector.targets.iter().all(|target| {
        let mut alone = selector.clone();
        alone.targets = vec![target.clone()];
        match resolve(&alone, found) {
            Ok(chosen) => !chosen.is_empty(),
            Err(error) => error.kind() == ErrorKind::Ambiguous,
        }
    })
}

/// The present state of some VMs by id, with the names of their places, and those that could not be looked at. A VM that does
/// not exist is in neither.
pub(crate) async fn get(
    session: &Session,
    known: &KnownPlaces,
    cx: &Context,
    ids: &[&str],
) -> Result<HashMap<String, Result<VMInfo, Error>>, Error> {
    let LookedUp { vms, failed } = look_up(session, cx, ids).await?;
    let places = places_for(session, known, cx, &vms).await?;
    let found = vms.into_iter().map(|vm| (vm.id.clone(), Ok(places.describe(&vm))));
    Ok(found.chain(failed.into_iter().map(|(id, error)| (id, Err(error)))).collect())
}

/// What some VMs are in, by id: the cluster, and its data center, as far as the account can see them.
pub(crate) async fn places_of(
    session: &Session,
    known: &KnownPlaces,
    cx: &Context,
    ids: &[&str],
) -> Result<HashMap<String, Vec<String>>, Error> {
    let LookedUp { vms, .. } = look_up(session, cx, ids).await?;
    let places = places_for(session, known, cx, &vms).await?;
    Ok(vms.iter().map(|vm| (vm.id.clone(), places.above(vm))).collect())
}

/// The places for these VMs, read unless they are known.
async fn places_for(session: &Session, known: &KnownPlaces, cx: &Context, vms: &[Vm]) -> Result<Arc<Places>, Error> {
    if let Some(places) = known.recall(vms) {
        return Ok(places);
    }
    let (places, _) = read_places(session, cx).await?;
    known.remember(&places);
    Ok(places)
}

/// Some VMs as they are now.
#[derive(Debug, Default)]
pub(crate) struct LookedUp {
    /// Those that are there, in no particular order.
    pub(crate) vms: Vec<Vm>,
    /// Those, by id, that could not be looked at although the others could.
    pub(crate) failed: HashMap<String, Error>,
}

/// Some VMs by id, as they are now. A VM that does not exist is left out.
///
/// One VM is read by its own address, many by as few searches as their ids fit into. A VM counts as gone only if both its
/// address and a search say so: a proxy that lost the engine answers 404 to everything.
pub(crate) async fn look_up(session: &Session, cx: &Context, ids: &[&str]) -> Result<LookedUp, Error> {
    let ids: BTreeSet<&str> = ids.iter().copied().filter(|id| is_id(id)).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    if let [id] = ids.as_slice() {
        let vms = match one(session, cx, id).await? {
            Some(vm) => vec![vm],
            None => vms(session, cx, Some(&search_of_ids(&[*id]))).await?,
        };
        return Ok(LookedUp { vms, ..LookedUp::default() });
    }
    let mut seen = LookedUp::default();
    // Boxed: the compiler cannot yet prove a stream of borrowing closures to be `Send`.
    let mut searches: Vec<BoxFuture<'_, Result<Vec<Vm>, CallError>>> = Vec::new();
    for ids in ids.chunks(MOST_IDS) {
        let search = search_of_ids(ids);
        searches.push(Box::pin(async move { vms(session, cx, Some(&search)).await }));
    }
    let mut answers = futures_util::stream::iter(searches).buffer_unordered(AT_A_TIME);
    while let Some(vms) = answers.next().await {
        seen.vms.extend(vms?);
    }
    let there: BTreeSet<String> = seen.vms.iter().map(|vm| vm.id.clone()).collect();
    let mut looks: Vec<Look<'_>> = Vec::new();
    for id in ids.into_iter().filter(|id| !there.contains(*id)) {
        looks.push(Box::pin(async move { (id, one(session, cx, id).await) }));
    }
    let mut looks = futures_util::stream::iter(looks).buffer_unordered(AT_A_TIME);
    while let Some((id, vm)) = looks.next().await {
        match vm {
            Ok(vm) => seen.vms.extend(vm),
            Err(error) => {
                seen.failed.insert(id.to_owned(), error.into());
            }
        }
    }
    Ok(seen)
}

async fn one(session: &Session, cx: &Context, id: &str) -> Result<Option<Vm>, CallError> {
    match session.read(cx, &Request::vm(id), Vm::read).await {
        Ok(vm) => Ok(Some(vm)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn vms(session: &Session, cx: &Context, search: Option<&str>) -> Result<Vec<Vm>, CallError> {
    session.list(cx, &Request::vms(search), List::VMS, Vm::read).await
}

const HOSTS: &str = "hosts";
const CLUSTERS: &str = "clusters";
const DATACENTERS: &str = "data centers";

/// All places, and which kinds of them could not be read.
async fn read_places(session: &Session, cx: &Context) -> Result<(Arc<Places>, Vec<Problem>), Error> {
    let (hosts, clusters, datacenters) = futures_util::future::join3(
        session.list(cx, &Request::hosts(), List::HOSTS, Place::read),
        session.list(cx, &Request::clusters(), List::CLUSTERS, Place::read),
        session.list(cx, &Request::datacenters(), List::DATACENTERS, Place::read),
    )
    .await;
    let mut problems = Vec::new();
    let mut or_problem = |subject: &str, places: Result<Vec<Place>, CallError>| match places {
        Ok(places) => Ok(places),
        // The caller's end, and the end of the session, are no problem of the places.
        Err(error) if matches!(error.cause, Cause::Ended(_)) || error.is_unauthenticated() => Err(Error::from(error)),
        Err(error) => {
            let error = Error::from(error);
            if matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Cancelled) {
                return Err(error);
            }
            problems.push(Problem::new(subject, error.to_string()));
            Ok(Vec::new())
        }
    };
    let hosts = or_problem(HOSTS, hosts)?;
    let clusters = or_problem(CLUSTERS, clusters)?;
    let datacenters = or_problem(DATACENTERS, datacenters)?;
    Ok((Arc::new(Places::new(hosts, clusters, datacenters)), problems))
}
