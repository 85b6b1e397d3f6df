//! Waiting for VMs and tasks: one private collector for all who wait, and at most one long poll in flight.
//!
//! Two list views (VMs, tasks) say what is watched, two filters over them are made once and never changed, and a driver that
//! runs only while somebody waits polls, puts newcomers on the lists, and tells each follower what changed. The driver belongs
//! to the [`Watch`] and ends with it. See `PropertyCollector.WaitForUpdatesEx` and `ListView` in the vSphere Web Services API.

mod driver;
mod followed;
mod objects;
mod pace;
mod roll;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, PlatformKind};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

pub(crate) use followed::{Followed, Lost};
use objects::Objects;
use pace::{Pulse, Wave};
use roll::Roll;
pub(crate) use roll::Watched;

use crate::session::Session;
use crate::vim::{MoRef, TaskState, VmState};

/// What one client waits for.
#[derive(Debug)]
pub(crate) struct Watch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    session: Session,
    /// How long one long poll may wait for a change, in whole seconds.
    long_poll: Duration,
    board: Mutex<Board>,
    /// The lists may be due for a change.
    wishes: Notify,
    /// Somebody waits to be told how things are now.
    hurry: Notify,
    /// The session is another one: what was made in the old one is gone.
    moved: Notify,
    /// The generation of the session in which `objects` were made.
    generation: AtomicU64,
    /// The number of the last poll that was answered.
    answered: watch::Sender<u64>,
    /// What the server holds for us; the driver has it while it runs.
    objects: tokio::sync::Mutex<Option<Objects>>,
}

#[derive(Debug)]
struct Board {
    vms: Roll<VmState>,
    tasks: Roll<TaskState>,
    wave: Wave,
    pulse: Pulse,
    driver: Option<AbortHandle>,
    /// Whose clock and run the driver works for: the latest follower's.
    asker: Option<Context>,
    /// Why nothing is heard at the moment.
    trouble: Option<String>,
    closed: bool,
}

impl Watch {
    pub(crate) fn new(session: Session, long_poll: Duration) -> Self {
        let board = Board {
            vms: Roll::new(),
            tasks: Roll::new(),
            wave: Wave::default(),
            pulse: Pulse::default(),
            driver: None,
            asker: None,
            trouble: None,
            closed: false,
        };
        Self(Arc::new(Shared {
            session,
            long_poll,
            board: Mutex::new(board),
            wishes: Notify::new(),
            hurry: Notify::new(),
            moved: Notify::new(),
            generation: AtomicU64::new(0),
            answered: watch::Sender::new(0),
            objects: tokio::sync::Mutex::new(None),
        }))
    }

    /// Follows an object from now on. What is known of it by then may be old: see [`Followed::settle`].
    pub(crate) fn follow<S: Listed>(&self, cx: &Context, object: &MoRef) -> Result<Followed<S>, Error> {
        let mut board = self.0.board();
        if board.closed {
            return Err(
                Error::new(ErrorKind::Unavailable, "the client is disconnected").platform(PlatformKind::VSPHERE)
            );
        }
        // The clock and the names, not the progress sink: the driver works for all.
        let asker = Context::on_clock(Arc::clone(cx.clock()), Duration::ZERO);
        board.asker = Some(asker.run(cx.run_id().clone()).reason(cx.reason_text()));
        let (id, news, is_new) = S::roll(&mut board).follow(object);
        if board.driver.as_ref().is_none_or(AbortHandle::is_finished) {
            board.pulse.stop();
            board.driver = Some(tokio::spawn(driver::drive(Arc::clone(&self.0))).abort_handle());
        }
        let mut fresh = board.pulse.fresh();
        // What the server will say of a newcomer is of later than now.
        fresh.nearly &= !is_new;
        drop(board);
        self.0.wishes.notify_one();
        self.0.hurry.notify_one();
        Ok(Followed::new(Arc::clone(&self.0), object.clone(), id, news, fresh))
    }

    /// Announces a power call. Tasks that come of calls which are under way together are put on the list together, so keep
    /// this until the call's task is followed.
    pub(crate) fn begin_call(&self) -> CallUnderWay<'_> {
        CallUnderWay { shared: &self.0, id: self.0.board().wave.begin() }
    }

    /// Ends all waiting and gives back what the server holds for it. Failing to do so is no failure: it ends with the session.
    pub(crate) async fn close(&self, cx: &Context) {
        {
            let mut board = self.0.board();
            board.closed = true;
            if let Some(driver) = board.driver.take() {
                driver.abort();
            }
            let closed = Arc::new(Error::new(ErrorKind::Cancelled, "the client was disconnected"));
            board.fail(&closed);
        }
        // The driver lets go of it as soon as it has ended.
        let Ok(mut objects) = cx.bounded("ending the long poll", self.0.objects.lock()).await else { return };
        if let Some(objects) = objects.take() {
            objects.destroy_collector(&self.0.session, cx).await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(driver) = self.0.board().driver.take() {
            driver.abort();
        }
    }
}

/// A power call between its request and the moment when its task is followed.
#[derive(Debug)]
pub(crate) struct CallUnderWay<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for CallUnderWay<'_> {
    fn drop(&mut self) {
        self.shared.board().wave.end(self.id);
        self.shared.wishes.notify_one();
        // The call may have needed a new login; then the poll in flight waits on something that is no more.
        let made_in = self.shared.generation.load(Ordering::Acquire);
        if made_in != 0 && made_in != self.shared.session.generation() {
            self.shared.moved.notify_one();
        }
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        // Every change of the board is complete before anything can panic.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn is_followed(&self) -> bool {
        self.vms.is_followed() || self.tasks.is_followed()
    }

    fn fail(&mut self, error: &Arc<Error>) {
        self.vms.fail(error);
        self.tasks.fail(error);
    }
}

/// Something that has a list view of its own.
pub(crate) trait Listed: Watched {
    #[expect(private_interfaces, reason = "only this module calls it")]
    fn roll(board: &mut Board) -> &mut Roll<Self>;
}

impl Listed for VmState {
    #[expect(private_interfaces, reason = "only this module calls it")]
    fn roll(board: &mut Board) -> &mut Roll<Self> {
        &mut board.vms
    }
}

impl Listed for TaskState {
    #[expect(private_interfaces, reason = "only this module calls it")]
    fn roll(board: &mut Board) -> &mut Roll<Self> {
        &mut board.tasks
    }
}
