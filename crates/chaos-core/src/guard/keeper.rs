//! A policy with what it needs to know of other runs.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::policy::Policy;
use super::register::{Elsewhere, FaultRegister};
use super::rule::Rule;
use crate::context::RunId;
use crate::error::Error;

/// What stands between a run and the platforms: a policy, and where it is known what other runs do.
#[derive(Debug, Clone)]
pub struct Guard {
    policy: Policy,
    /// None: there are no other runs.
    register: Option<Arc<dyn FaultRegister>>,
}

impl Guard {
    /// A guard that keeps `policy`.
    #[must_use]
    pub fn new(policy: Policy, register: Arc<dyn FaultRegister>) -> Self {
        Self { policy, register: Some(register) }
    }

    /// A guard that keeps `policy` where there are no other runs.
    #[must_use]
    pub fn alone(policy: Policy) -> Self {
        Self { policy, register: None }
    }

    /// Its rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same with further rules, such as those of an experiment.
    #[must_use]
    pub fn narrowed(self, by: impl IntoIterator<Item = Rule>) -> Self {
        Self { policy: self.policy.narrowed(by), ..self }
    }

    /// What other runs than `run` do, as far as the rules ask for it.
    ///
    /// # Errors
    /// If that cannot be told, in which case no fault may be sent.
    pub async fn elsewhere(&self, run: &RunId, now: Timestamp) -> Result<Elsewhere, Error> {
        let mut elsewhere = Elsewhere::default();
        let Some(register) = &self.register else { return Ok(elsewhere) };
        if self.policy.looks_around() {
            elsewhere.faulted = register.elsewhere(run).await?;
        }
        let pauses = self.policy.rules().iter().filter_map(|rule| match rule {
            Rule::CoolDown(rule) => Some(rule.pause),
            _ => None,
        });
        if let Some(longest) = pauses.max() {
            elsewhere.hits = register.hits(run, before(now, longest)).await?;
        }
        Ok(elsewhere)
    }
}

fn before(now: Timestamp, pause: Duration) -> Timestamp {
    let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
    now.checked_sub(pause).unwrap_or(Timestamp::MIN)
}
