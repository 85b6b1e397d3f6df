//! Who is logged in: accounts, and sessions that are known by a token or by a cookie.
//!
//! Source: oVirt REST API guide, "Authentication".

use std::collections::HashMap;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::accounts::{Role, SessionInfo, SessionRules};
use crate::world;

/// The profile of accounts whose names have none.
const INTERNAL: &str = "internal";
/// How often a login of one user gets an entry in the log at most.
const LOGIN_NOTED_EVERY: Duration = Duration::from_secs(5);

/// One login.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Its public key.
    pub(super) key: String,
    /// With its profile.
    pub(super) user: String,
    pub(super) role: Role,
    /// Whether it is known by a cookie, not by a token.
    pub(super) has_cookie: bool,
    /// Whether its requests have to repeat its id in a header.
    pub(super) is_guarded: bool,
    agent: String,
    calls: u64,
    last_active: Duration,
}

/// Why a user name and a password are not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denied(pub(super) String);

/// All sessions, by their token or the value of their cookie.
#[derive(Debug)]
pub(super) struct Sessions {
    accounts: HashMap<String, (SecretString, Role)>,
    pub(super) idle_limit: Duration,
    open: HashMap<String, Session>,
    seed: u64,
    logins: u64,
    noted: HashMap<String, Duration>,
}

impl Sessions {
    pub(super) fn new(seed: u64, rules: SessionRules) -> Self {
        let SessionRules { accounts, idle_limit, limit: _ } = rules;
        Self { accounts, idle_limit, open: HashMap::new(), seed, logins: 0, noted: HashMap::new() }
    }

    /// The user of that name, with its profile, if the password is right.
    pub(super) fn check(&self, name: &str, password: &str) -> Result<(String, Role), Denied> {
        let (login, profile) = name.rsplit_once('@').unwrap_or((name, ""));
        let account = self.accounts.get_key_value(name).or_else(|| {
            let plain = self.accounts.get_key_value(login)?;
            (profile == INTERNAL && !login.contains('@')).then_some(plain)
        });
        match account {
            Some((name, (right, role))) if right.expose_secret() == password => Ok((with_profile(name), *role)),
            None if !self.has_profile(profile) => {
                Err(Denied(format!("Cannot authenticate user '{login}@N/A': No valid profile found in credentials..")))
            }
            Some(_) | None => Err(Denied(format!(
                "Cannot authenticate user '{}': Unable to log in. Verify your login information or contact the system \
                 administrator..",
                with_profile(name)
            ))),
        }
    }

    /// What the account of a name may do; the name is told with its profile.
    pub(super) fn account(&self, is_meant: impl Fn(&str) -> bool) -> Option<Role> {
        let meant = self.accounts.iter().find(|(name, _)| is_meant(&with_profile(name)));
        meant.map(|(_, (_, role))| *role)
    }

    fn has_profile(&self, profile: &str) -> bool {
        let known = |name: &String| name.rsplit_once('@').is_some_and(|(_, known)| known == profile);
        profile == INTERNAL || self.accounts.keys().any(known)
    }

    /// Opens a session; tells its token, or the value of its cookie.
    pub(super) fn open(
        &mut self,
        (user, role): (String, Role),
        (has_cookie, is_guarded): (bool, bool),
        agent: String,
        now: Duration,
    ) -> String {
        self.drop_idle(now);
        self.logins += 1;
        let key = world::uuid(self.seed, "engine session", &[self.logins]);
        let secret = self.secret(if has_cookie { 40 } else { 86 });
        let session = Session { key, user, role, has_cookie, is_guarded, agent, calls: 0, last_active: now };
        self.open.insert(secret.clone(), session);
        secret
    }

    /// Text that nobody can guess who does not know the seed, in the letters of base64url.
    fn secret(&self, length: u64) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let letter = |position: u64| {
            let drawn = world::number(self.seed, "engine token", &[self.logins, position]) % 64;
            char::from(LETTERS[usize::try_from(drawn).unwrap_or_default()])
        };
        (0..length).map(letter).collect()
    }

    /// The session of a token or cookie, which is used now, unless it has been idle for too long.
    pub(super) fn touch(&mut self, secret: &str, has_cookie: bool, now: Duration) -> Option<Session> {
        let session = self.open.get_mut(secret).filter(|session| session.has_cookie == has_cookie)?;
        if now.saturating_sub(session.last_active) > self.idle_limit {
            self.open.remove(secret);
            return None;
        }
        session.last_active = now;
        session.calls += 1;
        Some(session.clone())
    }

    /// The session of a token or cookie as it is.
    pub(super) fn peek(&self, secret: &str) -> Option<&Session> {
        self.open.get(secret)
    }

    /// Ends a session.
    pub(super) fn close(&mut self, secret: &str) -> Option<Session> {
        self.open.remove(secret)
    }

    /// Ends all sessions, or those of a user or key; tells how many.
    pub(super) fn close_matching(&mut self, who: Option<&str>) -> usize {
        let before = self.open.len();
        self.open.retain(|_, session| {
            let bare = session.user.strip_suffix(INTERNAL).and_then(|user| user.strip_suffix('@'));
            who.is_some_and(|who| session.user != who && bare != Some(who) && session.key != who)
        });
        before - self.open.len()
    }

    /// Whether a login of this user belongs into the log: they are many when every request is one.
    pub(super) fn is_noted(&mut self, user: &str, now: Duration) -> bool {
        let last = self.noted.get(user).copied();
        let is_due = last.is_none_or(|last| now.saturating_sub(last) >= LOGIN_NOTED_EVERY);
        if is_due {
            self.noted.insert(user.to_owned(), now);
        }
        is_due
    }

    /// The open sessions, by key.
    pub(super) fn infos(&self) -> Vec<SessionInfo> {
        let mut infos: Vec<SessionInfo> = self
            .open
            .values()
            .map(|session| SessionInfo {
                key: session.key.clone(),
                user: session.user.clone(),
                agent: session.agent.clone(),
                calls: session.calls,
                open_tokens: 0,
                views: 0,
                filters: 0,
                collectors: 0,
            })
            .collect();
        infos.sort_by(|left, right| left.key.cmp(&right.key));
        infos
    }

    fn drop_idle(&mut self, now: Duration) {
        let limit = self.idle_limit;
        self.open.retain(|_, session| now.saturating_sub(session.last_active) <= limit);
    }
}

/// The name of an account as the engine writes it.
fn with_profile(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@{INTERNAL}") }
}
