//! One session with an engine: logged in once, renewed once when it dies, logged out at the end.
//!
//! An engine ends a session that was idle for half an hour, and forgets all of them when it restarts. It authenticates
//! before it does anything, so that a call which met a dead session was not executed and may be made again.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, PlatformKind, Retry};
use chaos_http::{ExposeSecret, Method, SessionCookie, StatusCode};
use chaos_xml::Node;
use tracing::debug;

use crate::api::action::{Action, read_answer};
use crate::api::request::Request;
use crate::api::token::{login_form, logout_form};
use crate::config::{Config, LoginMethod};
use crate::error::{CallError, Cause};
use crate::transport::{Credential, List, Repeat, Transport};

const TOKEN: &str = "POST sso/oauth/token";
const LOGOUT: &str = "POST services/sso-logout";
/// The longest that a logout may take that nobody waits for.
const TIDYING: Duration = Duration::from_secs(5);
/// How often a list that broke off is begun again.
const RESTARTS: u32 = 2;

/// A session. Cheap to clone; all clones are the same session. When the last one is dropped without [`Session::close`],
/// it logs out behind the scenes as well as that can be done without blocking.
#[derive(Clone)]
pub(crate) struct Session(Arc<Shared>);

struct Shared {
    transport: Transport,
    config: Config,
    login: Mutex<Login>,
    /// Held while somebody logs in again.
    renewal: tokio::sync::Mutex<()>,
    /// Numbers the actions, so that each is found in the engine's log.
    actions: AtomicU64,
}

/// Where the login stands.
#[derive(Debug)]
struct Login {
    credential: Option<Credential>,
    generation: u64,
    /// Why nobody may log in again.
    ended: Option<Ended>,
}

#[derive(Clone, Copy, Debug)]
enum Ended {
    Closed,
    /// One refusal is enough: accounts are locked for less.
    Refused,
}

/// What becomes of a call that met a dead session, once there is a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterLogin {
    /// It is made again.
    Again,
    /// It fails as it did: whoever made it has to look first.
    Return,
}

fn same(a: Option<&SessionCookie>, b: Option<&SessionCookie>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.value().expose_secret() == b.value().expose_secret(),
        _ => false,
    }
}

/// An action that the engine accepted or refused, and the id by which its lines in the log are found.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) correlation: String,
    pub(crate) result: Result<(), CallError>,
}

impl Session {
    /// Logs in: one request.
    pub(crate) async fn open(cx: &Context, config: Config) -> Result<Self, Error> {
        let transport = Transport::new(&config)?;
        let session = Self(Arc::new(Shared {
            transport,
            config,
            login: Mutex::new(Login { credential: None, generation: 0, ended: None }),
            renewal: tokio::sync::Mutex::new(()),
            actions: AtomicU64::new(1),
        }));
        session.log_in(cx).await?;
        Ok(session)
    }

    /// What the client was made from.
    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    /// The engine's host, for people.
    pub(crate) fn host(&self) -> String {
        self.0.transport.host()
    }

    /// Reads one object.
    pub(crate) async fn read<T: Send>(
        &self,
        cx: &Context,
        request: &Request,
        read: impl Fn(Node<'_>) -> Option<T> + Send + Sync,
    ) -> Result<T, CallError> {
        let read = &read;
        self.authenticated(cx, request, AfterLogin::Again, |transport, credential| async move {
            let read = |_, root: Node<'_>| read(root).ok_or_else(|| Cause::Document(root.name().to_owned()));
            transport.call(cx, request, &credential, read).await
        })
        .await
    }

    /// Reads a list. One that breaks off is read again from its beginning, a few times.
    pub(crate) async fn list<T: Send>(
        &self,
        cx: &Context,
        request: &Request,
        list: List,
        read: impl Fn(Node<'_>) -> Option<T> + Send + Sync,
    ) -> Result<Vec<T>, CallError> {
        let (read, mut restarts) = (&read, 0);
        loop {
            let result = self
                .authenticated(cx, request, AfterLogin::Again, |transport, credential| async move {
                    let mut members = Vec::new();
                    let mut each = |node: Node<'_>| members.extend(read(node));
                    let cookie = transport.list(cx, request, &credential, list, &mut each).await?;
                    Ok((members, cookie))
                })
                .await;
            match result {
                Err(error) if error.is_interrupted() && restarts < RESTARTS => {
                    restarts += 1;
                    debug!(restarts, %error, "the answer broke off: reading again");
                    let pause = cx.pause("reading a list", Duration::from_millis(200) * restarts).await;
                    pause.map_err(|ended| CallError { cause: Cause::Ended(ended), ..error })?;
                }
                result => return result,
            }
        }
    }

    /// Sends an action on a VM. It is sent once more only if the engine did not accept the login, and so did nothing; a shutdown
    /// not even then, since the VM may have become what a shutdown stops hard while the login was renewed.
    pub(crate) async fn act(&self, cx: &Context, vm: &str, action: Action) -> Sent {
        let call = self.0.actions.fetch_add(1, Ordering::Relaxed);
        let request = Request::action(cx, vm, action, call);
        let asked = &request;
        let after = if action == Action::Shutdown { AfterLogin::Return } else { AfterLogin::Again };
        let result = self
            .authenticated(cx, asked, after, |transport, credential| async move {
                let read = |status: StatusCode, root: Node<'_>| {
                    read_answer(status, root).map_err(|fault| Cause::Fault(Box::new(fault)))
                };
                transport.call(cx, asked, &credential, read).await
            })
            .await;
        Sent { correlation: request.correlation.unwrap_or_default(), result }
    }

    /// Makes a call. If the engine did not accept the login, and so did nothing, there is a new one afterwards.
    async fn authenticated<T, F>(
        &self,
        cx: &Context,
        request: &Request,
        after: AfterLogin,
        call: impl Fn(Transport, Credential) -> F + Send + Sync,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<(T, Option<SessionCookie>), CallError>> + Send,
    {
        let ended = |error| CallError {
            operation: request.operation,
            method: request.method.clone(),
            cause: Cause::Ended(error),
        };
        cx.check(request.operation).map_err(ended)?;
        let (credential, generation) = self.0.current().map_err(ended)?;
        let mut used = credential.cookie().cloned();
        let result = match call(self.0.transport.clone(), credential).await {
            Err(error) if error.is_unauthenticated() => {
                debug!(generation, %error, "the session is dead: logging in again");
                self.renew(cx, generation).await.map_err(ended)?;
                if after == AfterLogin::Return {
                    return Err(error);
                }
                let (credential, _) = self.0.current().map_err(ended)?;
                used = credential.cookie().cloned();
                call(self.0.transport.clone(), credential).await
            }
            result => result,
        };
        let (value, cookie) = result?;
        if let Some(newest) = cookie {
            self.keep(cx, used.as_ref(), newest).await;
        }
        Ok(value)
    }

    /// Keeps the session that the engine opened for a request in place of the one that it carried, which has ended. Of requests
    /// that met that together each was given one: all but the first are given back.
    async fn keep(&self, cx: &Context, used: Option<&SessionCookie>, newest: SessionCookie) {
        let surplus = match &mut self.0.login().credential {
            Some(Credential::Basic { cookie, .. }) if same(cookie.as_ref(), used) => {
                *cookie = Some(newest);
                None
            }
            Some(Credential::Basic { cookie, .. }) if same(cookie.as_ref(), Some(&newest)) => None,
            _ => Some(newest),
        };
        if let Some(surplus) = surplus
            && let Err(error) = self.0.transport.end_session(cx, &surplus).await
        {
            debug!(%error, "a session is left to the engine's idle limit");
        }
    }

    /// Logs in again, unless somebody else has done so since `seen`.
    async fn renew(&self, cx: &Context, seen: u64) -> Result<(), Error> {
        let _renewal = cx.bounded("logging in again", self.0.renewal.lock()).await?;
        let (_, generation) = self.0.current()?;
        if generation == seen { self.log_in(cx).await } else { Ok(()) }
    }

    async fn log_in(&self, cx: &Context) -> Result<(), Error> {
        let Shared { transport, config, .. } = &*self.0;
        let attempt = match config.login {
            LoginMethod::Token => {
                let form = login_form(&config.username, &config.password);
                let answer = transport.sso(cx, TOKEN, "sso/oauth/token", &form, Repeat::Unsafe).await;
                answer.and_then(|answer| match answer.token() {
                    Ok(token) => Ok(Credential::Token(token)),
                    Err(refusal) => {
                        Err(CallError { operation: TOKEN, method: Method::POST, cause: Cause::Sso(refusal) })
                    }
                })
            }
            LoginMethod::Basic => {
                let (username, password) = (config.username.clone(), config.password.clone());
                let credential = Credential::Basic { username, password, cookie: None };
                let entered = transport.call(cx, &Request::entry_point(), &credential, |_, _| Ok(())).await;
                entered.map(|((), newest)| match credential {
                    Credential::Basic { username, password, .. } => {
                        Credential::Basic { username, password, cookie: newest }
                    }
                    token @ Credential::Token(_) => token,
                })
            }
        };
        let error = match attempt {
            Ok(credential) => {
                let mut login = self.0.login();
                login.credential = Some(credential);
                login.generation += 1;
                return Ok(());
            }
            Err(CallError { cause: Cause::Unauthenticated(told), .. }) => {
                Error::new(ErrorKind::Unauthenticated, format!("the engine refused the login: {told}"))
                    .platform(PlatformKind::OLVM)
            }
            // Whether a lost login took effect matters to nobody: nothing was done to any VM.
            Err(error) if error.may_have_taken_effect() => Error::from(error).retry(Retry::Later),
            Err(error) => error.into(),
        };
        if error.kind() == ErrorKind::Unauthenticated {
            self.0.login().ended = Some(Ended::Refused);
        }
        Err(error)
    }

    /// Logs out. Nothing can be called afterwards, and nobody logs in again.
    pub(crate) async fn close(&self, cx: &Context) -> Result<(), Error> {
        self.0.login().ended = Some(Ended::Closed);
        let _renewal = cx.bounded("logging out", self.0.renewal.lock()).await?;
        let credential = self.0.login().credential.clone();
        let Some(credential) = credential else { return Ok(()) };
        log_out(&self.0.transport, cx, &credential).await?;
        // Not before: what could not be given back is for the next attempt, or for whoever drops the client.
        self.0.login().credential = None;
        Ok(())
    }
}

async fn log_out(transport: &Transport, cx: &Context, credential: &Credential) -> Result<(), CallError> {
    match credential {
        Credential::Token(token) => {
            // An unknown token is no error to the service.
            let answer = transport.sso(cx, LOGOUT, "services/sso-logout", &logout_form(token), Repeat::Safe).await?;
            match answer.refusal() {
                None => Ok(()),
                Some(refusal) => Err(CallError { operation: LOGOUT, method: Method::POST, cause: Cause::Sso(refusal) }),
            }
        }
        Credential::Basic { cookie: Some(cookie), .. } => transport.end_session(cx, cookie).await,
        Credential::Basic { cookie: None, .. } => Ok(()),
    }
}

impl Shared {
    fn login(&self) -> MutexGuard<'_, Login> {
        // Nothing can panic while it is held.
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Result<(Credential, u64), Error> {
        let login = self.login();
        let message = match login.ended {
            Some(Ended::Closed) => "the client has disconnected",
            Some(Ended::Refused) => "the session ended and the engine refused a new login, which is not tried again",
            None => "the client is not logged in",
        };
        match &login.credential {
            Some(credential) if login.ended.is_none() => Ok((credential.clone(), login.generation)),
            _ => Err(Error::new(ErrorKind::Unauthenticated, message).platform(PlatformKind::OLVM)),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(credential) = self.login().credential.take() else { return };
        // Dropping must not block, so without a runtime the session is left to the engine's idle limit.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let transport = self.transport.clone();
        runtime.spawn(async move {
            let result = log_out(&transport, &Context::with_timeout(TIDYING), &credential).await;
            debug!(ok = result.is_ok(), "logged out behind a dropped client");
        });
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("config", &self.0.config)
            .field("generation", &self.0.login().generation)
            .finish_non_exhaustive()
    }
}
