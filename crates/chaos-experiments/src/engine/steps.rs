//! The method and the rollbacks: activities one after the other, and those in the background beside them.

use std::sync::PoisonError;

use chaos_core::{Context, RunEventKind, Section};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::controls::Level;
use crate::engine::Running;
use crate::engine::activity::{Ended, Lane, Stopped};
use crate::engine::ending::Ending;
use crate::engine::hooks::Part;
use crate::resolve::Bound;

/// An activity for the background, and whom to tell that it has begun.
type Job<'a> = (&'a Bound, oneshot::Sender<()>);

impl Running<'_> {
    /// The method, with the hypothesis beside it if it is to be checked meanwhile.
    pub(super) async fn method(&self, cx: &Context, ending: &mut Ending) -> Result<(), Stopped> {
        let method_over = CancellationToken::new();
        let beside = self.beside(cx);
        let cut = beside.cancellation().child_token();
        let looking = beside.clone().cancelled_by(cut.clone());
        // The first look begins before the first activity does.
        let (missed, result) = tokio::join!(biased; self.during(&looking, &method_over), async {
            let result = Box::pin(self.section(cx, &beside, Section::Method)).await;
            if result.is_err() && self.rules.cuts_background() {
                cut.cancel();
            }
            method_over.cancel();
            result
        });
        if let Some(why) = missed {
            let counts = self.rules.passes_count();
            *(if counts { &mut ending.deviated } else { &mut ending.remark }) = Some(why);
        }
        result?;
        match self.braked.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => Ok(()),
            // What comes after a pass that was not met is not changed by it.
            Some(Stopped::Failed(why)) if !self.rules.passes_count() => {
                ending.failed = Some(why);
                Ok(())
            }
            Some(stopped) => Err(stopped),
        }
    }

    /// Ends the method behind the activity that is under way.
    pub(super) fn brake(&self, stopped: Stopped) {
        self.braked.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stopped);
    }

    fn is_braked(&self) -> bool {
        self.braked.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// What goes on beside the method is not cut by what interrupts it, where the rules say so.
    fn beside(&self, cx: &Context) -> Context {
        if self.rules.cuts_background() { cx.clone() } else { cx.clone().cancelled_by(self.give_up.clone()) }
    }

    /// What goes on beside the rollbacks ends with all that puts things back.
    fn beside_rollbacks(&self, repair: &Context) -> Context {
        if self.rules.cuts_background() { repair.clone() } else { repair.clone().cancelled_by(self.hurry.clone()) }
    }

    /// Plays the declared rollbacks. One that fails does not keep the others from being played.
    pub(super) async fn roll_back(&self, repair: &Context, ending: &mut Ending) {
        if self.resolved.rollbacks.is_empty() && !self.live.is_controlled() {
            return;
        }
        self.recorder.note(RunEventKind::RollbacksStarted).await;
        self.braked.lock().unwrap_or_else(PoisonError::into_inner).take();
        match self.section(repair, &self.beside_rollbacks(repair), Section::Rollbacks).await {
            Ok(Some(why)) if self.rules.puts_back() => ending.stop(Stopped::Failed(format!("rollback {why}"))),
            Ok(_) => {}
            Err(stopped) => ending.stop(stopped),
        }
        self.recorder.note(RunEventKind::RollbacksEnded).await;
    }

    /// A section, with what its controls have to do before and after it.
    async fn section(&self, cx: &Context, beside: &Context, section: Section) -> Result<Option<String>, Stopped> {
        if !self.live.is_controlled() {
            return self.steps(cx, beside, section).await;
        }
        let level = if section == Section::Rollbacks { Level::Rollback } else { Level::Method };
        let ready = self.before(cx, &Part::of_experiment(level)).await;
        let is_begun = ready.is_ok();
        let result = match ready {
            Ok(()) => self.steps(cx, beside, section).await,
            Err(stopped) => Err(stopped),
        };
        self.after_steps(cx, section, is_begun, result).await
    }

    /// Carries out the activities of a section in order, those in the background `beside` the others, and waits for all of
    /// them. Says what the first one that went wrong did, if that does not end the section.
    async fn steps(&self, cx: &Context, beside: &Context, section: Section) -> Result<Option<String>, Stopped> {
        let steps = if section == Section::Rollbacks { &self.resolved.rollbacks } else { &self.resolved.method };
        let ends = section == Section::Method && self.rules.failure_ends_method();
        let cut = beside.cancellation().child_token();
        let background = beside.clone().cancelled_by(cut.clone());
        let (jobs, queue) = mpsc::unbounded_channel();
        let foreground = async {
            let result = self.in_order(cx, section, steps, ends, jobs).await;
            if ends && result.is_err() {
                cut.cancel();
            }
            result
        };
        // Both are polled all the time: each may hold what the other waits for.
        let (result, behind) = tokio::join!(foreground, self.in_background(&background, section, queue, ends));
        let first = result?;
        if ends && let Some(why) = behind {
            return Err(Stopped::Failed(why));
        }
        Ok(first.or(behind))
    }

    async fn in_order<'a>(
        &self,
        cx: &Context,
        section: Section,
        steps: &'a [Bound],
        ends: bool,
        jobs: mpsc::UnboundedSender<Job<'a>>,
    ) -> Result<Option<String>, Stopped> {
        let mut first = None;
        for together in steps.chunk_by(at_once) {
            if self.is_braked() {
                break;
            }
            if let [bound] = together
                && bound.activity.background
            {
                let (begun, waiting) = oneshot::channel();
                // Neither fails while the other half of this is polled; an activity that is over has begun too.
                let _ = jobs.send((bound, begun));
                let _ = waiting.await;
                continue;
            }
            let ended = match together {
                [bound] => self.activity(cx, section, bound, Lane::Foreground).await?,
                group => self.group(cx, section, group).await?,
            };
            match ended {
                Ended::Well => {}
                Ended::Missed(why) | Ended::Failed(why) if ends => return Err(Stopped::Failed(why)),
                Ended::Missed(why) | Ended::Failed(why) => {
                    first.get_or_insert(why);
                }
            }
        }
        Ok(first)
    }

    /// Carries out the activities of a group at once and waits for all of them, whatever becomes of one. Gives the first, in
    /// the order of the document, that went wrong.
    async fn group(&self, cx: &Context, section: Section, group: &[Bound]) -> Result<Ended, Stopped> {
        // As in the background, a function in Python has a thread of its own.
        let each = group.iter().map(|bound| self.activity(cx, section, bound, Lane::Background(None)));
        let mut first = Ended::Well;
        for ended in futures_util::future::join_all(each).await {
            let ended = ended?;
            if matches!(first, Ended::Well) {
                first = ended;
            }
        }
        Ok(first)
    }

    async fn in_background(
        &self,
        cx: &Context,
        section: Section,
        mut queue: mpsc::UnboundedReceiver<Job<'_>>,
        ends: bool,
    ) -> Option<String> {
        let mut running = FuturesUnordered::new();
        let (mut first, mut is_open) = (None, true);
        while is_open || !running.is_empty() {
            tokio::select! {
                biased;
                job = queue.recv(), if is_open => match job {
                    Some((bound, begun)) => {
                        running.push(self.activity(cx, section, bound, Lane::Background(Some(begun))));
                    }
                    None => is_open = false,
                },
                Some(ended) = running.next(), if !running.is_empty() => {
                    let why = match ended {
                        Ok(Ended::Well) | Err(Stopped::Interrupted) => continue,
                        Ok(Ended::Missed(why) | Ended::Failed(why)) | Err(Stopped::Failed(why) | Stopped::Aborted(why)) => why,
                    };
                    if ends {
                        self.brake(Stopped::Failed(why.clone()));
                    }
                    first.get_or_insert(why);
                }
            }
        }
        first
    }
}

/// Whether two activities that follow each other are of one group.
fn at_once(one: &Bound, next: &Bound) -> bool {
    one.activity.more.group.is_some() && one.activity.more.group == next.activity.more.group
}
