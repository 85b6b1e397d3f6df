//! The Dora door: shows a world as the inventory service does that mirrors a vCenter. It can be read only.
//!
//! Account, password and token stand in the path of each request; nothing here keeps, records or logs a path.

mod lag;
mod request;
mod tokens;
mod view;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use self::lag::Lag;
pub(crate) use self::request::{Request, is_dora};
use self::tokens::Tokens;
use crate::accounts::{SessionInfo, SessionRules};
use crate::wire::{Reply, Subject};
use crate::world::World;

const JSON: &str = "application/json";

/// What the service is like.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) seed: u64,
    /// What it calls the vCenter that it mirrors.
    pub(crate) vcenter: String,
    /// The path that means the whole estate.
    pub(crate) root: String,
    /// Whether it answers with bare lists, as older servers do.
    pub(crate) is_bare: bool,
    /// How long a token works, in world time.
    pub(crate) token_life: Duration,
    /// How old the shown power states are, at least and at most, in world time.
    pub(crate) staleness: Option<(Duration, Duration)>,
}

/// The door.
#[derive(Debug)]
pub(crate) struct Dora {
    site: Site,
    world: World,
    tokens: Mutex<Tokens>,
    lag: Option<Lag>,
}

impl Dora {
    pub(crate) fn new(world: World, site: Site, rules: SessionRules) -> Self {
        let lag = site.staleness.map(|(least, most)| Lag::new(site.seed, least, most));
        let tokens = Mutex::new(Tokens::new(site.seed, site.token_life, rules));
        Self { site, world, tokens, lag }
    }

    /// What a request is about.
    pub(crate) fn subject(&self, request: &Request) -> Subject {
        let now = self.world.clock().elapsed();
        let session = request.token().and_then(|token| self.tokens().key(token, now));
        Subject {
            method: request.method_name().to_owned(),
            session,
            query: request.query().map(str::to_owned),
            ..Subject::default()
        }
    }

    /// The open sessions, by key: tokens that still work.
    pub(crate) fn session_infos(&self) -> Vec<SessionInfo> {
        self.tokens().infos(self.world.clock().elapsed())
    }

    /// Ends sessions: all, or those of a user or key.
    pub(crate) fn kill_sessions(&self, who: Option<&str>) -> usize {
        self.tokens().close_matching(who, self.world.clock().elapsed())
    }

    /// Ends the session of a request.
    pub(crate) fn kill_session_of(&self, request: &Request) {
        if let Some(token) = request.token() {
            self.tokens().close(token);
        }
    }

    /// Carries a request out.
    pub(crate) fn answer(&self, method: &Method, request: &Request, agent: &str) -> Reply {
        if method != Method::GET {
            return refused(405, "method not allowed");
        }
        match request {
            Request::Login { user, password } => {
                match self.tokens().log_in(user, password, agent, self.world.clock().elapsed()) {
                    Some(token) => json_reply(&json!({"token": token})),
                    None => refused(401, "login failed"),
                }
            }
            Request::List { kind, token, vcenter, path, names_only, filter, .. } => {
                if !self.tokens().touch(token, self.world.clock().elapsed()) {
                    return refused(401, "invalid token");
                }
                if *vcenter != self.site.vcenter {
                    return refused(404, "unknown vcenter");
                }
                let Ok(filter) = filter.as_deref().filter(|text| !text.is_empty()).map(regex::Regex::new).transpose()
                else {
                    return refused(400, "host_filter is no regular expression");
                };
                let scope = view::Scope { path, root: &self.site.root, filter: filter.as_ref() };
                let items = self.world.with(|state| view::items(*kind, &scope, self.lag.as_ref(), state));
                let items =
                    if *names_only { items.into_iter().map(|item| item["name"].clone()).collect() } else { items };
                let items = Value::Array(items);
                json_reply(&if self.site.is_bare { items } else { json!({"items": items}) })
            }
            Request::Other => refused(404, "not found"),
        }
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn json_reply(value: &Value) -> Reply {
    Reply::new(200, JSON, value.to_string())
}

fn refused(status: u16, why: &'static str) -> Reply {
    Reply::new(status, JSON, json!({"error": why}).to_string()).refused(why)
}
