//! What the server holds for a watch: a private collector, a view and a filter each for VMs and tasks.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, PlatformKind};

use super::driver::Broken;
use super::roll::Watched;
use crate::error::CallError;
use crate::session::Session;
use crate::vim::{self, MoRef, TaskState, VmState};

/// How long giving something back may take. Short, so that time is left to log out, which gives everything back.
const GIVE_BACK: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Objects {
    /// The session that they were made in, and end with.
    pub(super) generation: u64,
    pub(super) collector: MoRef,
    pub(super) vms: MoRef,
    pub(super) tasks: MoRef,
    /// Where the next poll goes on. Empty: with everything as it is.
    pub(super) version: String,
}

impl Objects {
    pub(super) async fn make(session: &Session, cx: &Context) -> Result<Self, Broken> {
        let content = session.content();
        let Some(manager) = &content.view_manager else {
            let message = "the server has no view manager, without which nothing can be waited for";
            return Err(Broken::Refused(Error::new(ErrorKind::Unsupported, message).platform(PlatformKind::VSPHERE)));
        };
        // A login in between makes what was made before it worthless, which the first poll would find out anyway.
        let generation = session.generation();
        let (collector, view) =
            (vim::create_property_collector(&content.property_collector), vim::create_list_view(manager, &[]));
        let (collector, vms, tasks) =
            futures_util::try_join!(session.call(cx, &collector), session.call(cx, &view), session.call(cx, &view),)?;
        futures_util::try_join!(
            filter::<VmState>(session, cx, &collector, &vms),
            filter::<TaskState>(session, cx, &collector, &tasks),
        )?;
        Ok(Self { generation, collector, vms, tasks, version: String::new() })
    }

    /// Gives the collector and its filters back; the views end with the session.
    pub(super) async fn destroy_collector(self, session: &Session, cx: &Context) {
        if self.generation == session.generation() {
            let cx = cx.limit(GIVE_BACK);
            if let Err(error) = session.call(&cx, &vim::destroy_property_collector(&self.collector)).await {
                tracing::debug!(%error, "the collector ends with the session");
            }
        }
    }

    /// Gives everything back, because new ones are made in the same session.
    pub(super) async fn destroy(self, session: &Session, cx: &Context) {
        if self.generation != session.generation() {
            return;
        }
        let cx = cx.limit(GIVE_BACK);
        for view in [&self.vms, &self.tasks] {
            if let Err(error) = session.call(&cx, &vim::destroy_view(view)).await {
                tracing::debug!(%error, "the view ends with the session");
            }
        }
        self.destroy_collector(session, &cx).await;
    }
}

async fn filter<S: Watched>(
    session: &Session,
    cx: &Context,
    collector: &MoRef,
    view: &MoRef,
) -> Result<MoRef, CallError> {
    session.call(cx, &vim::create_filter(collector, &vim::list_view_filter(view, S::KIND, S::PATHS))).await
}
