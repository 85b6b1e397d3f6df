//! Waiting for VMs: one look at all that are waited for, a tick at a time, however many wait.
//!
//! There is no task in the background. Whoever waits and finds nobody else at it makes the next tick for all; if it goes
//! away in the midst of that, another one does. Ticks follow each other fast while things change and slowly while nothing
//! does. The engine has no call that waits for a change, and asks of its clients not to poll each object by itself.

mod pace;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chaos_core::{Context, Error, ErrorKind, PlatformKind, Retry, SharedClock};
use tokio::sync::{Notify, OwnedMutexGuard, watch};
use tracing::debug;

use crate::api::vm::Vm;
use crate::discovery::{LookedUp, look_up};
use crate::error::again;
use crate::session::Session;
use pace::Pace;

/// How many answers in a row that make no sense are taken for an accident.
const IN_A_ROW: u32 = 4;
const READING: &str = "reading the VM's state";

/// What one client waits for.
#[derive(Debug)]
pub(crate) struct Watch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    session: Session,
    board: Mutex<Board>,
    /// Held by whoever makes the tick.
    lead: tokio::sync::Mutex<()>,
    /// The number of the last tick that is over.
    over: watch::Sender<u64>,
    /// Somebody cannot wait for the next tick to come by itself.
    hurry: Notify,
}

#[derive(Debug)]
struct Board {
    followed: BTreeMap<String, Entry>,
    pace: Pace,
    /// The clock of whoever began to follow when nobody did.
    clock: Option<SharedClock>,
    /// The number of the last tick that was begun.
    begun: u64,
    /// Why nothing is heard at the moment.
    trouble: Option<String>,
    /// Ticks in a row whose answer made no sense.
    senseless: u32,
}

/// A VM that somebody follows.
#[derive(Debug, Default)]
struct Entry {
    followers: usize,
    /// Held by whoever asks the guest, from the look before until it was asked.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The last tick that was begun when something was done to the VM: what it told, and those before it, is old.
    acted: u64,
    /// The tick that told, and what it told.
    told: Option<(u64, Told)>,
}

/// What a tick tells of a VM.
#[derive(Debug, Clone)]
enum Told {
    There(Vm),
    Gone,
    /// The engine refuses to be asked.
    Failed(Arc<Error>),
}

impl Watch {
    pub(crate) fn new(session: Session) -> Self {
        let config = session.config();
        let board = Board {
            followed: BTreeMap::new(),
            pace: Pace::new(config.shortest_tick, config.longest_tick),
            clock: None,
            begun: 0,
            trouble: None,
            senseless: 0,
        };
        Self(Arc::new(Shared {
            session,
            board: Mutex::new(board),
            lead: tokio::sync::Mutex::default(),
            over: watch::Sender::new(0),
            hurry: Notify::new(),
        }))
    }

    /// Follows a VM from now on. Nothing is known of it before [`Followed::fresh`].
    pub(crate) fn follow(&self, cx: &Context, id: &str) -> Followed {
        let mut board = self.0.board();
        if board.followed.is_empty() {
            board.clock = Some(Arc::clone(cx.clock()));
            board.pace.rest();
        }
        board.followed.entry(id.to_owned()).or_default().followers += 1;
        drop(board);
        Followed { shared: Arc::clone(&self.0), id: id.to_owned(), seen: 0, vm: Vm::default() }
    }
}

/// A VM that is followed until this is dropped.
#[derive(Debug)]
pub(crate) struct Followed {
    shared: Arc<Shared>,
    id: String,
    /// The tick that `vm` is of.
    seen: u64,
    vm: Vm,
}

impl Followed {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The VM as of the last [`Followed::fresh`] or [`Followed::next`].
    pub(crate) fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Why nothing is heard at the moment, if so.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.shared.board().trouble.clone()
    }

    /// Looks at the VM as it is now: waits for a tick that begins after this call.
    pub(crate) async fn fresh(&mut self, cx: &Context) -> Result<&Vm, Error> {
        let after = {
            let mut board = self.shared.board();
            board.pace.hurry();
            board.begun
        };
        self.shared.hurry.notify_one();
        cx.bounded(READING, self.after(cx, after)).await?
    }

    /// Waits for the next tick that tells of the VM. How long is the caller's to bound: it may wait for others.
    pub(crate) async fn next(&mut self, cx: &Context) -> Result<&Vm, Error> {
        self.after(cx, self.seen).await
    }

    /// Says that something was done: what follows from it is looked for soon and often, and what was seen until now is no
    /// sign of it.
    pub(crate) fn expect_change(&mut self) {
        let mut board = self.shared.board();
        board.pace.hurry();
        self.seen = board.begun;
        if let Some(entry) = board.followed.get_mut(&self.id) {
            entry.acted = self.seen;
        }
        drop(board);
        self.shared.hurry.notify_one();
    }

    /// Whether somebody has done something to the VM since it was seen.
    pub(crate) fn is_outdated(&self) -> bool {
        self.shared.board().followed.get(&self.id).is_some_and(|entry| entry.acted >= self.seen)
    }

    /// Waits for the turn to ask the guest: two questions at once would be an order to stop hard. Ends when it is dropped.
    pub(crate) async fn turn(&self, cx: &Context) -> Result<OwnedMutexGuard<()>, Error> {
        let turn = self.shared.board().followed.get(&self.id).map(|entry| Arc::clone(&entry.turn)).unwrap_or_default();
        cx.bounded("waiting for another caller that asks the guest", turn.lock_owned()).await
    }

    /// Waits for what a tick later than `tick` tells, whoever makes it.
    async fn after(&mut self, cx: &Context, tick: u64) -> Result<&Vm, Error> {
        match self.shared.told_after(cx, &self.id, tick).await? {
            (seen, Told::There(vm)) => {
                self.seen = seen;
                self.vm = vm;
                Ok(&self.vm)
            }
            (_, Told::Gone) => Err(gone(&self.id)),
            (_, Told::Failed(error)) => Err(again(&error)),
        }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let mut board = self.shared.board();
        if let Some(entry) = board.followed.get_mut(&self.id) {
            entry.followers -= 1;
            if entry.followers == 0 {
                board.followed.remove(&self.id);
            }
        }
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        // Every change of the board is complete before anything can panic.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is told of a VM later than `tick`. Makes ticks while nobody else does.
    async fn told_after(&self, cx: &Context, id: &str, tick: u64) -> Result<(u64, Told), Error> {
        let mut over = self.over.subscribe();
        loop {
            if let Some(told) = self.board().told(id, tick) {
                return Ok(told);
            }
            tokio::select! {
                biased;
                changed = over.changed() => changed.map_err(|_| gone(id))?,
                _lead = self.lead.lock() => self.tick(cx).await?,
            }
        }
    }

    /// Waits until a tick is due, looks at all VMs that are followed by then, and tells what was seen.
    ///
    /// # Errors
    /// Only the end of `cx`: everything else is told to all.
    async fn tick(&self, cx: &Context) -> Result<(), Error> {
        let clock = self.board().clock.clone().unwrap_or_else(|| Arc::clone(cx.clock()));
        loop {
            let due = self.board().pace.due();
            if clock.monotonic() >= due {
                break;
            }
            tokio::select! {
                () = clock.sleep_until(due) => {}
                () = self.hurry.notified() => {}
            }
        }
        let (tick, ids) = {
            let mut board = self.board();
            board.begun += 1;
            board.pace.begin(clock.monotonic());
            (board.begun, board.followed.keys().cloned().collect::<Vec<_>>())
        };
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        match look_up(&self.session, cx, &ids).await {
            Ok(vms) => self.board().hear(tick, &ids, vms),
            Err(error) => {
                // If it is this caller's end, it is no sign of anything to the others.
                cx.check(READING)?;
                self.board().fail(tick, error);
            }
        }
        self.over.send_replace(tick);
        Ok(())
    }
}

impl Board {
    /// What is known of a VM since `tick`.
    fn told(&self, id: &str, tick: u64) -> Option<(u64, Told)> {
        let (seen, told) = self.followed.get(id)?.told.as_ref()?;
        (*seen > tick).then(|| (*seen, told.clone()))
    }

    fn hear(&mut self, tick: u64, asked: &[&str], mut seen: LookedUp) {
        let mut changed = false;
        let mut found: BTreeMap<String, Vm> = seen.vms.into_iter().map(|vm| (vm.id.clone(), vm)).collect();
        for id in asked {
            let Some(entry) = self.followed.get_mut(*id) else { continue };
            let told = match (found.remove(*id), seen.failed.remove(*id)) {
                (Some(vm), _) => Told::There(vm),
                // One that could not be looked at by itself: the next tick tries again, if that may help.
                (None, Some(error)) if passes(&error) => continue,
                (None, Some(error)) => Told::Failed(Arc::new(error)),
                (None, None) => Told::Gone,
            };
            changed |= match (&entry.told, &told) {
                (Some((_, Told::There(before))), Told::There(now)) => before.status != now.status,
                _ => true,
            };
            entry.told = Some((tick, told));
        }
        self.trouble = None;
        self.senseless = 0;
        self.pace.heard(changed);
    }

    fn fail(&mut self, tick: u64, error: Error) {
        self.senseless = if error.kind() == ErrorKind::Protocol { self.senseless + 1 } else { 0 };
        // An answer that makes no sense may be somebody else's who stands in for the engine for a while.
        let passes = passes(&error) || (error.kind() == ErrorKind::Protocol && self.senseless < IN_A_ROW);
        debug!(tick, passes, %error, "the VMs could not be looked at");
        self.trouble = Some(error.to_string());
        self.pace.failed();
        if !passes {
            let error = Arc::new(error);
            for entry in self.followed.values_mut() {
                entry.told = Some((tick, Told::Failed(Arc::clone(&error))));
            }
        }
    }
}

/// Whether the same look may succeed later.
fn passes(error: &Error) -> bool {
    matches!(error.retry_class(), Retry::Later | Retry::Exhausted | Retry::Unsettled)
}

pub(crate) fn gone(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no VM with id `{id}` any more")).platform(PlatformKind::OLVM)
}
