//! Sessions: who is logged in, and what belongs to a login and dies with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;

use super::Privilege;
use super::collector::Collector;
use super::view::View;
use crate::accounts::Role;
use crate::world;

/// One login.
#[derive(Debug)]
pub(super) struct Session {
    /// Its public key.
    pub(super) key: String,
    pub(super) user: String,
    pub(super) role: Role,
    pub(super) login: Duration,
    pub(super) last_active: Duration,
    pub(super) address: String,
    pub(super) agent: String,
    pub(super) calls: u64,
    pub(super) views: BTreeMap<String, View>,
    /// Private collectors.
    pub(super) collectors: BTreeMap<String, Arc<Collector>>,
    /// The collector that every session has.
    pub(super) default_collector: Arc<Collector>,
    /// Set when the session ends.
    pub(super) ended: CancellationToken,
    made: u64,
}

impl Session {
    /// A new id for an object of this session.
    pub(super) fn new_id(&mut self, purpose: &str) -> String {
        self.made += 1;
        format!("session[{}]{}", self.key, world::uuid(world::key(&self.key), purpose, &[self.made]))
    }

    /// The session's own collector, or a private one of that id.
    pub(super) fn collector(&self, id: Option<&str>) -> Option<&Arc<Collector>> {
        id.map_or(Some(&self.default_collector), |id| self.collectors.get(id))
    }

    /// All collectors.
    pub(super) fn all_collectors(&self) -> impl Iterator<Item = &Arc<Collector>> {
        std::iter::once(&self.default_collector).chain(self.collectors.values())
    }

    pub(super) fn has_filter(&self, id: &str) -> bool {
        self.all_collectors().any(|collector| collector.has_filter(id))
    }

    /// Whether the user may do this.
    pub(super) fn may(&self, privilege: Privilege) -> bool {
        match self.role {
            Role::Administrator => true,
            Role::Operator => !matches!(privilege, Privilege::Sessions),
            Role::ReadOnly => false,
        }
    }
}

/// How a login is turned down.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LoginError {
    /// Wrong user or password, or logged in already.
    Invalid,
    /// No more sessions.
    Full,
}

/// Who may log in.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) password: SecretString,
    pub(super) role: Role,
}

/// All sessions of a server, by the value of their cookie.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) accounts: HashMap<String, Account>,
    pub(super) idle_limit: Duration,
    pub(super) limit: usize,
    open: HashMap<String, Session>,
    seed: u64,
    logins: u64,
}

impl Sessions {
    pub(super) fn new(seed: u64, accounts: HashMap<String, Account>, idle_limit: Duration, limit: usize) -> Self {
        Self { accounts, idle_limit, limit, open: HashMap::new(), seed, logins: 0 }
    }

    /// Opens a session; tells the value of its cookie.
    pub(super) fn login(
        &mut self,
        (user, password): (&str, &str),
        address: String,
        agent: String,
        now: Duration,
    ) -> Result<String, LoginError> {
        let account = self.accounts.get(user).filter(|account| account.password.expose_secret() == password);
        let role = account.ok_or(LoginError::Invalid)?.role;
        self.drop_idle(now);
        if self.open.len() >= self.limit {
            return Err(LoginError::Full);
        }
        self.logins += 1;
        let key = world::uuid(self.seed, "session key", &[self.logins]);
        let cookie = world::uuid(self.seed, "session cookie", &[self.logins]).replace('-', "");
        let session = Session {
            key,
            user: user.to_owned(),
            role,
            login: now,
            last_active: now,
            address,
            agent,
            calls: 0,
            views: BTreeMap::new(),
            collectors: BTreeMap::new(),
            default_collector: Arc::new(Collector::default()),
            ended: CancellationToken::new(),
            made: 0,
        };
        self.open.insert(cookie.clone(), session);
        Ok(cookie)
    }

    /// The session of a cookie, unless it has been idle for too long.
    pub(super) fn find(&mut self, cookie: &str, now: Duration) -> Option<&mut Session> {
        let idle = now.saturating_sub(self.open.get(cookie)?.last_active);
        if idle > self.idle_limit {
            self.close(cookie);
            return None;
        }
        self.open.get_mut(cookie)
    }

    /// The session of a cookie as it is.
    pub(super) fn peek(&self, cookie: &str) -> Option<&Session> {
        self.open.get(cookie)
    }

    /// Ends a session.
    pub(super) fn close(&mut self, cookie: &str) -> bool {
        let closed = self.open.remove(cookie);
        if let Some(session) = &closed {
            session.ended.cancel();
        }
        closed.is_some()
    }

    /// Ends all sessions, or those of a user or key; tells how many.
    pub(super) fn close_matching(&mut self, who: Option<&str>) -> usize {
        let matching = |session: &Session| who.is_none_or(|who| session.user == who || session.key == who);
        let cookies: Vec<String> =
            self.open.iter().filter(|(_, session)| matching(session)).map(|(cookie, _)| cookie.clone()).collect();
        cookies.iter().filter(|cookie| self.close(cookie)).count()
    }

    /// The open sessions.
    pub(super) fn all(&self) -> impl Iterator<Item = &Session> {
        self.open.values()
    }

    fn drop_idle(&mut self, now: Duration) {
        let limit = self.idle_limit;
        let idle = |session: &Session| now.saturating_sub(session.last_active) > limit;
        let cookies: Vec<String> =
            self.open.iter().filter(|(_, session)| idle(session)).map(|(cookie, _)| cookie.clone()).collect();
        for cookie in cookies {
            self.close(&cookie);
        }
    }
}
