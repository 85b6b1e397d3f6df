//! The driver of a watch: polls while somebody waits, and puts newcomers on the lists beside it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chaos_core::{Error, ErrorKind, PlatformKind, Retry};
use tokio::time::Instant;
use tracing::debug;

use super::objects::Objects;
use super::pace::{PAUSE, SHORT_PAUSE};
use super::roll::{ListChange, Watched};
use super::{Board, Listed, Shared};
use crate::error::CallError;
use crate::soap::fault::FaultKind;
use crate::vim::{self, MoRef, TaskState, UpdateSet, VmState};

/// The most object updates in one answer; what does not fit follows at once.
const MAX_OBJECTS: u32 = 1000;
/// How long making what is needed to wait may take, and each change of a list.
const CALL_LIMIT: Duration = Duration::from_mins(1);
/// What a long poll may take beyond the time that the server was given.
const POLL_SLACK: Duration = Duration::from_mins(1);
/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How many times in a row something that should not happen is taken for an accident.
const IN_A_ROW: u32 = 4;

/// Why the polls cannot go on as they are.
#[derive(Debug)]
pub(super) enum Broken {
    /// What the server held for us is gone: it has to be made anew.
    Gone(Error),
    /// The server could not be asked; it may be later.
    Later(Error),
    /// Asking again is of no use.
    Refused(Error),
}

impl From<CallError> for Broken {
    fn from(error: CallError) -> Self {
        let gone = error.is_not_found()
            || error.is_unauthenticated()
            || matches!(error.fault().map(|fault| &fault.kind), Some(FaultKind::RequestCanceled));
        let error = Error::from(error);
        if gone {
            return Self::Gone(error);
        }
        match error.retry_class() {
            Retry::Later | Retry::Exhausted | Retry::Unsettled => Self::Later(error),
            // An answer that cannot be read may be a proxy's.
            _ if error.kind() == ErrorKind::Protocol => Self::Later(error),
            _ => Self::Refused(error),
        }
    }
}

/// Runs until nobody follows anything any more, or the server refuses.
pub(super) async fn drive(shared: Arc<Shared>) {
    let mut objects = shared.objects.lock().await;
    // The driver before this one may have been ended in the midst of a change.
    shared.with_board(|board| {
        board.vms.ask_again();
        board.tasks.ask_again();
    });
    let mut failures = 0;
    loop {
        let answered = *shared.answered.borrow();
        let broken = match shared.run(&mut objects).await {
            Ok(()) => return,
            Err(broken) => broken,
        };
        failures = if *shared.answered.borrow() > answered { 1 } else { failures + 1 };
        let (error, accident) = match broken {
            Broken::Refused(error) => (error, false),
            Broken::Gone(error) => (error, failures < IN_A_ROW),
            Broken::Later(error) => {
                let accident = error.kind() != ErrorKind::Protocol || failures < IN_A_ROW;
                (error, accident)
            }
        };
        if !accident {
            return shared.give_up(error);
        }
        debug!(failures, %error, "the watch is made anew");
        let followed = shared.with_board(|board| {
            board.pulse.stop();
            board.trouble = Some(error.to_string());
            let followed = board.is_followed();
            if !followed {
                board.driver = None;
            }
            followed
        });
        // An answer may be lost, and what it said is not said again by every server: only a fresh start tells all.
        if let Some(old) = objects.take() {
            old.destroy(&shared.session, &shared.asker(CALL_LIMIT)).await;
        }
        if !followed {
            return;
        }
        if failures > 1 {
            let pause = FIRST_PAUSE.saturating_mul(1 << (failures - 2).min(16)).min(LONGEST_PAUSE);
            shared.sleep(pause).await;
        }
    }
}

impl Shared {
    /// Makes what is needed, if it is not there, and polls. `Ok` when nobody follows anything any more.
    async fn run(&self, objects: &mut Option<Objects>) -> Result<(), Broken> {
        if objects.as_ref().is_none_or(|objects| objects.generation != self.session.generation()) {
            self.with_board(|board| {
                board.vms.relist();
                board.tasks.relist();
            });
            *objects = Some(Objects::make(&self.session, &self.asker(CALL_LIMIT)).await?);
        }
        let Some(objects) = objects.as_mut() else { return Ok(()) };
        let generation = objects.generation;
        self.generation.store(generation, Ordering::Release);
        let Objects { collector, vms, tasks, version, .. } = objects;
        // What waits already goes on the lists before the first poll, which then tells about it.
        if let Ok(changes) = self.due() {
            self.change(vms, tasks, changes).await?;
        }
        tokio::select! {
            ended = self.poll(collector, version) => ended,
            broken = self.keep_lists(vms, tasks) => Err(broken),
            () = self.renewed(generation) => Err(Broken::Gone(gone("the session was renewed"))),
        }
    }

    /// Polls until nobody follows anything any more.
    async fn poll(&self, collector: &MoRef, version: &mut String) -> Result<(), Broken> {
        let mut truncated = false;
        loop {
            let urgent = self.with_board(|board| {
                if !truncated && !board.is_followed() {
                    // Together with the check, so that whoever comes now starts another driver.
                    board.pulse.stop();
                    board.driver = None;
                    return None;
                }
                Some(board.pulse.begin())
            });
            let Some(urgent) = urgent else { return Ok(()) };
            let wait = if urgent { Duration::ZERO } else { self.long_poll };
            let request = vim::wait_for_updates(collector, version, wait, MAX_OBJECTS);
            match self.session.call(&self.asker(wait + POLL_SLACK), &request).await {
                Ok(set) => truncated = self.take_over(set, version)?,
                Err(error) if is_unknown_version(&error) && !version.is_empty() => {
                    debug!("the server does not know the version any more: reading everything");
                    version.clear();
                    self.with_board(|board| board.pulse.answer(false));
                    truncated = true;
                }
                Err(error) => return Err(error.into()),
            }
            if !truncated {
                self.pause().await;
            }
        }
    }

    /// Lets changes come together, but does not keep anybody waiting who has to know how things are now.
    async fn pause(&self) {
        self.sleep(SHORT_PAUSE).await;
        let rest = async {
            while !self.with_board(|board| board.pulse.is_urgent()) {
                self.hurry.notified().await;
            }
        };
        tokio::select! {
            () = rest => {}
            () = self.sleep(PAUSE.saturating_sub(SHORT_PAUSE)) => {}
        }
    }

    /// Takes over what a poll answered; `None` is an answer without changes. True if there is more to come at once.
    fn take_over(&self, set: Option<UpdateSet>, version: &mut String) -> Result<bool, Broken> {
        let Some(set) = set else {
            self.heard(&[], true);
            return Ok(false);
        };
        let dead = |update: &vim::ObjectUpdate| update.missing.iter().any(vim::MissingProperty::is_unauthenticated);
        if set.objects.iter().any(dead) {
            return Err(Broken::Gone(gone("the session ended")));
        }
        *version = set.version;
        self.heard(&set.objects, !set.truncated);
        Ok(set.truncated)
    }

    /// Tells the followers, and in the same breath that the poll is over: whoever hears of a change and asks how things are
    /// now must not take the poll that told of it for one that is still waiting.
    fn heard(&self, updates: &[vim::ObjectUpdate], in_full: bool) {
        let poll = self.with_board(|board| {
            for update in updates {
                match update.object.kind.as_str() {
                    VmState::KIND => board.vms.apply(update),
                    TaskState::KIND => board.tasks.apply(update),
                    _ => {}
                }
            }
            board.trouble = None;
            board.pulse.answer(in_full)
        });
        self.answered.send_replace(poll);
    }

    /// Puts newcomers on the lists, for as long as it is awaited.
    async fn keep_lists(&self, vms: &MoRef, tasks: &MoRef) -> Broken {
        loop {
            match self.due() {
                Ok(changes) => {
                    if let Err(broken) = self.change(vms, tasks, changes).await {
                        return broken;
                    }
                }
                Err(None) => self.wishes.notified().await,
                Err(Some(until)) => {
                    tokio::select! {
                        () = self.wishes.notified() => {}
                        () = tokio::time::sleep_until(until) => {}
                    }
                }
            }
        }
    }

    /// Waits until the session is another one than that of `generation`.
    async fn renewed(&self, generation: u64) {
        while self.session.generation() == generation {
            self.moved.notified().await;
        }
    }

    /// The changes of the lists whose turn it is, else when it will be, if that is known.
    fn due(&self) -> Result<(Option<ListChange>, Option<ListChange>), Option<Instant>> {
        self.with_board(|board| {
            let company = board.tasks.is_followed_on_list();
            let held = if board.tasks.has_additions() { board.wave.hold(Instant::now(), company) } else { None };
            let vms = board.vms.take_change();
            let tasks = if held.is_some() { None } else { board.tasks.take_change() };
            if vms.is_none() && tasks.is_none() { Err(held) } else { Ok((vms, tasks)) }
        })
    }

    async fn change(
        &self,
        vms: &MoRef,
        tasks: &MoRef,
        (of_vms, of_tasks): (Option<ListChange>, Option<ListChange>),
    ) -> Result<(), Broken> {
        futures_util::try_join!(
            self.change_list::<VmState>(vms, of_vms),
            self.change_list::<TaskState>(tasks, of_tasks)
        )?;
        Ok(())
    }

    async fn change_list<S: Listed>(&self, view: &MoRef, change: Option<ListChange>) -> Result<(), Broken> {
        let Some(ListChange { add, remove }) = change else { return Ok(()) };
        let mut unresolved = Vec::new();
        loop {
            let rest: Vec<MoRef> = add.iter().filter(|object| !unresolved.contains(*object)).cloned().collect();
            let request = vim::modify_list_view(view, &rest, &remove);
            match self.session.call(&self.asker(CALL_LIMIT), &request).await {
                Ok(more) => {
                    unresolved.extend(more);
                    break;
                }
                // Some servers refuse the whole change for one object that is gone, and name it.
                Err(error) => match missing_object(&error).filter(|object| rest.contains(object)) {
                    Some(object) => unresolved.push(object.clone()),
                    None => return Err(error.into()),
                },
            }
        }
        self.with_board(|board| S::roll(board).changed(&add, &unresolved));
        Ok(())
    }

    fn give_up(&self, error: Error) {
        debug!(%error, "the watch ends");
        let error = Arc::new(error);
        self.with_board(|board| {
            board.pulse.stop();
            board.driver = None;
            board.fail(&error);
        });
    }

    async fn sleep(&self, duration: Duration) {
        let cx = self.asker(CALL_LIMIT);
        cx.clock().sleep_until(cx.monotonic().saturating_add(duration)).await;
    }

    fn with_board<T>(&self, with: impl FnOnce(&mut Board) -> T) -> T {
        with(&mut self.board())
    }
}

fn gone(why: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, why).platform(PlatformKind::VSPHERE)
}

fn is_unknown_version(error: &CallError) -> bool {
    matches!(error.fault().map(|fault| &fault.kind), Some(FaultKind::InvalidCollectorVersion))
}

fn missing_object(error: &CallError) -> Option<&MoRef> {
    match &error.fault()?.kind {
        FaultKind::ManagedObjectNotFound { object } => object.as_ref(),
        _ => None,
    }
}
