//! Who is logged in: tokens, which nobody gives back.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::accounts::{SessionInfo, SessionRules};
use crate::world;

/// A token that was given.
#[derive(Debug)]
struct Given {
    key: String,
    user: String,
    agent: String,
    calls: u64,
    at: Duration,
}

/// All tokens.
pub(super) struct Tokens {
    seed: u64,
    life: Duration,
    rules: SessionRules,
    given: HashMap<String, Given>,
    logins: u64,
}

impl Tokens {
    pub(super) fn new(seed: u64, life: Duration, rules: SessionRules) -> Self {
        Self { seed, life, rules, given: HashMap::new(), logins: 0 }
    }

    /// A token for an account, if the password is right.
    pub(super) fn log_in(&mut self, user: &str, password: &str, agent: &str, now: Duration) -> Option<String> {
        let (right, _) = self.rules.accounts.get(user)?;
        if right.expose_secret() != password {
            return None;
        }
        self.logins += 1;
        let token = world::uuid(self.seed, "dora token", &[self.logins]);
        let key = world::uuid(self.seed, "dora session", &[self.logins]);
        let given = Given { key, user: user.to_owned(), agent: agent.to_owned(), calls: 0, at: now };
        self.given.insert(token.clone(), given);
        Some(token)
    }

    /// Whether a token works. It is used now.
    pub(super) fn touch(&mut self, token: &str, now: Duration) -> bool {
        self.drop_old(now);
        match self.given.get_mut(token) {
            Some(given) => {
                given.calls += 1;
                true
            }
            None => false,
        }
    }

    /// The key of the session of a token that works.
    pub(super) fn key(&mut self, token: &str, now: Duration) -> Option<String> {
        self.drop_old(now);
        self.given.get(token).map(|given| given.key.clone())
    }

    /// Ends the session of a token.
    pub(super) fn close(&mut self, token: &str) {
        self.given.remove(token);
    }

    /// Ends all sessions, or those of a user or key; tells how many.
    pub(super) fn close_matching(&mut self, who: Option<&str>, now: Duration) -> usize {
        self.drop_old(now);
        let before = self.given.len();
        self.given.retain(|_, given| who.is_some_and(|who| given.user != who && given.key != who));
        before - self.given.len()
    }

    /// The sessions whose tokens still work, by key.
    pub(super) fn infos(&mut self, now: Duration) -> Vec<SessionInfo> {
        self.drop_old(now);
        let mut infos: Vec<SessionInfo> = self
            .given
            .values()
            .map(|given| SessionInfo {
                key: given.key.clone(),
                user: given.user.clone(),
                agent: given.agent.clone(),
                calls: given.calls,
                open_tokens: 0,
                views: 0,
                filters: 0,
                collectors: 0,
            })
            .collect();
        infos.sort_by(|left, right| left.key.cmp(&right.key));
        infos
    }

    fn drop_old(&mut self, now: Duration) {
        let life = self.life;
        self.given.retain(|_, given| now.saturating_sub(given.at) <= life);
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("given", &self.given.len()).finish_non_exhaustive()
    }
}
