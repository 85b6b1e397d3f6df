//! The targets of a recovery, and what is done about each in one round.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{
    Context, Error, ErrorKind, Failure, Outcome, Platform, PlatformSource, RunAccount, RunEventKind, TargetAccount,
    VMInfo, VMRef,
};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use crate::engine::recorder::Recorder;
use crate::recovery::RecoverOptions;
use crate::recovery::assess::{Assessment, assess};
use crate::recovery::report::{Recovered, RecoveredTarget};

/// How long opening a platform, and reading VMs, may take in one round.
const READING: Duration = Duration::from_mins(2);
/// How long one try to put a VM back may take. A try that ends is followed by another one.
const TRY: Duration = Duration::from_mins(7);
/// How often a VM is looked at that may still change.
const WATCHING: Duration = Duration::from_secs(2);

/// All targets that a run left open.
pub(super) struct Work<'a> {
    options: &'a RecoverOptions,
    /// The last activity first.
    jobs: Vec<Job<'a>>,
}

struct Job<'a> {
    account: &'a TargetAccount,
    platform: Option<Arc<dyn Platform>>,
    /// Until when it is watched, on the clock of the recovery; set at the first look that calls for it.
    watched_until: Option<Duration>,
    /// Whether another try may end better.
    is_hopeless: bool,
    /// Whether it was not there at the last look.
    was_gone: bool,
    result: Option<Recovered>,
    /// Whether its end is written down.
    is_written: bool,
}

impl Job<'_> {
    fn is_over(&self) -> bool {
        self.is_hopeless || matches!(&self.result, Some(result) if !matches!(result, Recovered::Open { .. }))
    }

    fn vm(&self) -> Option<&VMRef> {
        self.account.undo.target.vm()
    }

    /// It is not back, for this reason; if only because the time is over, for the reason that there was before.
    fn open(&mut self, cx: &Context, error: &Error) {
        self.is_hopeless = !may_pass(error);
        if matches!(self.result, Some(Recovered::Open { .. })) && cx.check("putting it back").is_err() {
            return;
        }
        self.result = Some(Recovered::Open { why: error.with_causes() });
    }
}

/// Whether what failed may go better later. Recovery is patient: only what time cannot mend ends it.
fn may_pass(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::Unsupported
            | ErrorKind::Configuration
            | ErrorKind::Cancelled
    )
}

/// Why a VM was not seen.
enum Unseen {
    /// Another server answers than the one that it is on.
    OtherServer(String),
    Failed(Error),
}

impl<'a> Work<'a> {
    pub(super) fn of(account: &'a RunAccount, options: &'a RecoverOptions) -> Self {
        let job = |account| Job {
            account,
            platform: None,
            watched_until: None,
            is_hopeless: false,
            was_gone: false,
            result: None,
            is_written: false,
        };
        Self { options, jobs: account.open().rev().map(job).collect() }
    }

    /// Nothing is done about any of them, for this reason.
    pub(super) fn leave_all_open(&mut self, why: &str) {
        for job in &mut self.jobs {
            job.result = Some(Recovered::Open { why: why.to_owned() });
            job.is_hopeless = true;
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.jobs.iter().all(Job::is_over)
    }

    /// In what time something has to be looked at that may still change.
    pub(super) fn next_look(&self, cx: &Context) -> Option<Duration> {
        let watched = self.jobs.iter().filter(|job| !job.is_over()).filter_map(|job| job.watched_until);
        watched.map(|until| until.saturating_sub(cx.monotonic()).min(WATCHING)).min()
    }

    /// Says of each what would be done.
    pub(super) async fn look(&mut self, cx: &Context, source: &dyn PlatformSource) {
        for (at, seen) in self.read(cx, source).await {
            let job = &mut self.jobs[at];
            job.result = Some(match seen {
                Err(Unseen::OtherServer(why)) => Recovered::OtherServer { why },
                Err(Unseen::Failed(error)) if error.kind() == ErrorKind::NotFound => {
                    Recovered::LeftAlone { why: gone(&error) }
                }
                Err(Unseen::Failed(error)) => Recovered::Open { why: error.with_causes() },
                Ok(now) => match assess(job.account, &now, cx.now(), self.options.settle) {
                    Assessment::AsFound => Recovered::AsFound,
                    Assessment::MayChange(left) => Recovered::WouldWatch { seconds: left.as_secs().max(1) },
                    Assessment::Changed => Recovered::WouldPutBack { state: now.power_state },
                    Assessment::Foreign(why) => Recovered::LeftAlone { why },
                    Assessment::Impossible(why) | Assessment::Unclear(why) => Recovered::Open { why },
                },
            });
        }
    }

    /// Looks at all that is open, and puts back what was changed.
    pub(super) async fn round(&mut self, cx: &Context, source: &dyn PlatformSource, recorder: &Recorder<'_>) {
        let mut changed = Vec::new();
        for (at, seen) in self.read(cx, source).await {
            let settle = self.options.settle;
            let job = &mut self.jobs[at];
            match seen {
                // Twice, since what is settled is never looked at again.
                Err(Unseen::Failed(error)) if error.kind() == ErrorKind::NotFound && job.was_gone => {
                    job.result = Some(Recovered::LeftAlone { why: gone(&error) });
                }
                Err(Unseen::Failed(error)) if error.kind() == ErrorKind::NotFound => {
                    job.was_gone = true;
                    job.result = Some(Recovered::Open { why: gone(&error) });
                }
                Err(Unseen::Failed(error)) => job.open(cx, &error),
                // Nothing that time would mend.
                Err(Unseen::OtherServer(why)) => job.result = Some(Recovered::OtherServer { why }),
                Ok(now) => match assess(job.account, &now, cx.now(), settle) {
                    Assessment::AsFound => job.result = Some(Recovered::AsFound),
                    Assessment::MayChange(left) => {
                        let until = *job.watched_until.get_or_insert(cx.monotonic().saturating_add(left));
                        job.result = (cx.monotonic() >= until).then_some(Recovered::AsFound);
                    }
                    Assessment::Changed => changed.push(at),
                    Assessment::Foreign(why) => job.result = Some(Recovered::LeftAlone { why }),
                    Assessment::Impossible(why) => {
                        job.result = Some(Recovered::Open { why });
                        job.is_hopeless = true;
                    }
                    Assessment::Unclear(why) => job.result = Some(Recovered::Open { why }),
                },
            }
        }
        self.put_back(cx, changed, recorder).await;
        self.write(recorder).await;
    }

    /// Undoes what was changed: the last activity first, and together what one activity did.
    async fn put_back(&mut self, cx: &Context, mut changed: Vec<usize>, recorder: &Recorder<'_>) {
        let mut results = Vec::with_capacity(changed.len());
        let jobs = &self.jobs;
        // Activities at once have touched theirs in turns.
        changed.sort_by_key(|at| std::cmp::Reverse(jobs[*at].account.activity));
        for group in changed.chunk_by(|a, b| jobs[*a].account.activity == jobs[*b].account.activity) {
            let mut tries: Vec<BoxFuture<'_, (usize, Result<Outcome, Error>)>> = Vec::with_capacity(group.len());
            for &at in group {
                tries.push(Box::pin(async move { (at, undo(cx, &jobs[at], recorder).await) }));
            }
            let mut tries = futures_util::stream::iter(tries).buffer_unordered(self.options.parallel.get());
            while let Some(ended) = tries.next().await {
                results.push(ended);
            }
        }
        for (at, result) in results {
            let job = &mut self.jobs[at];
            match result {
                Ok(outcome) => job.result = Some(Recovered::PutBack { outcome }),
                Err(error) => job.open(cx, &error),
            }
        }
    }

    /// Reads what all open targets are now: one request for each platform.
    async fn read(&mut self, cx: &Context, source: &dyn PlatformSource) -> Vec<(usize, Result<VMInfo, Unseen>)> {
        let mut entries: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, job) in self.jobs.iter().enumerate().filter(|(_, job)| !job.is_over()) {
            if let Some(vm) = job.vm() {
                entries.entry(vm.entry.as_str()).or_default().push(at);
            }
        }
        let entries: Vec<(String, Vec<usize>)> =
            entries.into_iter().map(|(name, jobs)| (name.to_owned(), jobs)).collect();
        let looks = entries.iter().map(|(entry, jobs)| self.read_entry(cx, source, entry, jobs));
        let mut all = Vec::new();
        for (platform, seen) in futures_util::future::join_all(looks).await {
            for (at, result) in seen {
                self.jobs[at].platform = platform.clone().or_else(|| self.jobs[at].platform.take());
                all.push((at, result));
            }
        }
        // In the order of the jobs, whichever platform they are on.
        all.sort_by_key(|(at, _)| *at);
        all
    }

    async fn read_entry(
        &self,
        cx: &Context,
        source: &dyn PlatformSource,
        entry: &str,
        jobs: &[usize],
    ) -> (Option<Arc<dyn Platform>>, Vec<(usize, Result<VMInfo, Unseen>)>) {
        let cx = cx.limit(READING);
        let connection = self.options.connections.get(entry).cloned().unwrap_or_default();
        let opened = cx.bounded("opening the platform", source.open(&cx, entry, &connection)).await;
        let platform = match opened.and_then(|opened| opened) {
            Ok(platform) => platform,
            Err(error) => {
                // That something on the way is not found says nothing about a VM.
                let kind = if error.kind() == ErrorKind::NotFound { ErrorKind::Unavailable } else { error.kind() };
                let again = || {
                    Error::new(kind, format!("cannot open `{entry}`: {}", error.with_causes()))
                        .retry(error.retry_class())
                };
                return (None, jobs.iter().map(|at| (*at, Err(Unseen::Failed(again())))).collect());
            }
        };
        let mut seen = Vec::with_capacity(jobs.len());
        let mut there = Vec::with_capacity(jobs.len());
        for &at in jobs {
            let Some(vm) = self.jobs[at].vm() else { continue };
            if vm.is_on(platform.identity()) {
                there.push((at, vm.clone()));
            } else {
                let why = format!(
                    "`{entry}` is another server now ({}, instance {}): the run was on instance {}",
                    platform.identity().description,
                    platform.identity().instance,
                    vm.instance
                );
                seen.push((at, Err(Unseen::OtherServer(why))));
            }
        }
        let refs: Vec<VMRef> = there.iter().map(|(_, vm)| vm.clone()).collect();
        let mut results = platform.get(&cx, &refs).await.into_iter();
        for (at, _) in there {
            let missing = || Err(Error::new(ErrorKind::Protocol, "the platform answered for fewer VMs than asked"));
            seen.push((at, results.next().unwrap_or_else(missing).map_err(Unseen::Failed)));
        }
        (Some(platform), seen)
    }

    /// Reads once more what was put back: a later undo may have disturbed an earlier one.
    pub(super) async fn verify(&mut self, cx: &Context, recorder: &Recorder<'_>) {
        for job in &mut self.jobs {
            let (Some(Recovered::PutBack { .. }), Some(platform), Some(vm)) =
                (&job.result, job.platform.clone(), job.account.undo.target.vm())
            else {
                continue;
            };
            let found = job.account.undo.found.power_state;
            // What cannot be read now was read when it was put back.
            let Some(Ok(now)) = platform.get(&cx.detached(READING), std::slice::from_ref(vm)).await.pop() else {
                continue;
            };
            if now.power_state != found {
                job.result = Some(Recovered::Open { why: format!("it was put back and is {} now", now.power_state) });
                job.is_written = false;
                job.is_hopeless = true;
            }
        }
        self.write(recorder).await;
    }

    /// Writes down what is over.
    async fn write(&mut self, recorder: &Recorder<'_>) {
        for job in self.jobs.iter_mut().filter(|job| job.is_over() && !job.is_written) {
            job.is_written = true;
            let prepared = job.account.prepared;
            let found = job.account.undo.found.power_state;
            let event = match &job.result {
                Some(Recovered::PutBack { outcome }) => RunEventKind::Undone { prepared, outcome: outcome.clone() },
                Some(Recovered::AsFound) => RunEventKind::Undone { prepared, outcome: Outcome::already_there(found) },
                Some(Recovered::LeftAlone { why }) => RunEventKind::LeftAlone { prepared, why: why.clone() },
                Some(Recovered::OtherServer { why } | Recovered::Open { why }) => {
                    RunEventKind::UndoFailed { prepared, failure: failure(why) }
                }
                Some(Recovered::WouldPutBack { .. } | Recovered::WouldWatch { .. }) | None => continue,
            };
            recorder.note(event).await;
        }
    }

    /// The time is over: what is still open stays so.
    pub(super) async fn give_up(&mut self, recorder: &Recorder<'_>) {
        for job in self.jobs.iter_mut().filter(|job| !job.is_over()) {
            job.is_hopeless = true;
            job.result.get_or_insert_with(|| Recovered::Open {
                why: "it was as it was found when it was last looked at, and a call may still take effect".to_owned(),
            });
        }
        self.write(recorder).await;
    }

    pub(super) fn into_targets(self) -> Vec<RecoveredTarget> {
        let describe = |job: Job<'_>| RecoveredTarget {
            target: job.account.undo.target.clone(),
            name: job.account.undo.name.clone(),
            path: job.account.undo.path.clone(),
            found: job.account.undo.found.power_state,
            result: job.result.unwrap_or_else(|| Recovered::Open { why: "it was not looked at".to_owned() }),
        };
        self.jobs.into_iter().map(describe).collect()
    }
}

/// Puts one target back. That it begins is written down first: from then on a newer boot is our doing.
async fn undo(cx: &Context, job: &Job<'_>, recorder: &Recorder<'_>) -> Result<Outcome, Error> {
    cx.check("putting it back")?;
    let Some(platform) = &job.platform else {
        return Err(Error::new(ErrorKind::Unavailable, "its platform is not open"));
    };
    recorder.note(RunEventKind::Undoing { prepared: job.account.prepared }).await;
    platform.undo(&cx.limit(TRY), &job.account.undo).await
}

fn gone(error: &Error) -> String {
    format!("it is gone: {}", error.with_causes())
}

fn failure(why: &str) -> Failure {
    Failure { kind: ErrorKind::Failed.as_str().to_owned(), message: why.to_owned() }
}
