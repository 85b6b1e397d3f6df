//! Activities that are tried again, and probes that wait for what they look for.

use chaos_core::{Context, Error, ErrorKind, RunEventKind, Section};

use crate::activity::Call;
use crate::again::LONGEST_WAIT;
use crate::engine::Running;
use crate::engine::activity::{Returned, Unwell};
use crate::provider::Place;
use crate::resolve::Bound;

impl Running<'_> {
    /// Carries out an activity, and tries it again as it declares. All tries and waits together have the time of `cx`.
    pub(super) async fn try_out(
        &self,
        cx: &Context,
        section: Section,
        started: u64,
        bound: &Bound,
        place: Place,
    ) -> Result<Returned, Unwell> {
        let retry = bound.activity.more.retry;
        let mut delay = retry.map(|retry| retry.delay).unwrap_or_default();
        let mut tries = 1;
        loop {
            let result = self.wait_for(cx, section, started, bound, place).await;
            let (retry, failed) = match (retry, result) {
                (Some(retry), Err(Unwell::Failed(failed))) if tries <= retry.times => (retry, failed),
                (_, result) => return result,
            };
            if cx.cancellation().is_cancelled() || cx.remaining() <= delay {
                return Err(failed.into());
            }
            let exception = failed.lines.clone();
            self.recorder.record(RunEventKind::ActivityTried { activity: started, exception }).await?;
            cx.pause("waiting to try again", delay).await?;
            delay = delay.mul_f64(retry.backoff).min(LONGEST_WAIT);
            tries += 1;
        }
    }

    /// Carries out an activity; a probe that waits for something, until that is there or its time is over.
    async fn wait_for(
        &self,
        cx: &Context,
        section: Section,
        started: u64,
        bound: &Bound,
        place: Place,
    ) -> Result<Returned, Unwell> {
        let activity = &bound.activity;
        let until = activity.more.until.as_ref().filter(|_| !matches!(activity.call, Call::NotRehearsed(_)));
        let Some(until) = until else { return self.carry_out(cx, section, started, bound, place).await };
        let limited = cx.limit(until.timeout);
        let mut last: Option<String> = None;
        loop {
            let why = match self.carry_out(&limited, section, started, bound, place).await {
                Ok(returned) if returned.left_out => return Ok(returned),
                Ok(returned) => match self.judge(&limited, &until.judge, &returned.output).await {
                    Ok(()) => return Ok(returned),
                    Err(why) => returned.detail.map_or_else(|| why.clone(), |detail| format!("{why} ({detail})")),
                },
                Err(Unwell::Failed(failed)) if cx.cancellation().is_cancelled() => return Err(failed.into()),
                // What cannot be looked at now can be later.
                Err(Unwell::Failed(failed)) => failed.error.with_causes(),
                Err(broken) => return Err(broken),
            };
            // That the last look was cut short says less than the one before.
            if last.is_none() || !limited.remaining().is_zero() {
                last = Some(why);
            }
            if limited.pause("waiting to look again", until.every).await.is_err() {
                cx.check("waiting to look again")?;
                let last = last.unwrap_or_default();
                let message = format!("it did not come to pass within {:?}: {last}", until.timeout);
                return Err(Error::new(ErrorKind::Timeout, message).into());
            }
        }
    }
}
