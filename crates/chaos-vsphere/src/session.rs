//! One session with a server: logged in once, kept alive, renewed once when it dies, logged out at the end.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, PlatformKind, Retry};
use chaos_http::SessionCookie;
use chaos_xml::{Limits, XmlStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::config::Config;
use crate::error::{CallError, Cause};
use crate::soap::fault::FaultKind;
use crate::soap::node::VIM;
use crate::transport::Transport;
use crate::vim::{self, Answer, FilterSpec, OBJECTS, ObjectContent, Page, Request, ServiceContent};

/// The longest that a call made on nobody's behalf may take: logging out behind a dropped client, giving a token back.
const TIDYING: Duration = Duration::from_secs(5);
/// How often a read that broke off is begun again.
const RESTARTS: u32 = 2;
/// How often a walk is begun again because an object vanished under it.
const WALKS: u32 = 3;

/// A session. Cheap to clone; all clones are the same session. When the last one is dropped without [`Session::close`],
/// it logs out behind the scenes as well as that can be done without blocking.
#[derive(Clone)]
pub(crate) struct Session(Arc<Shared>);

struct Shared {
    transport: Transport,
    config: Config,
    content: ServiceContent,
    login: Mutex<Login>,
    /// Held while somebody finds out whether the session is alive and logs in again.
    renewal: tokio::sync::Mutex<()>,
    last_call: Mutex<Instant>,
    /// What runs beside the callers: the keep-alive, and tokens being given back.
    background: TaskTracker,
    stop: CancellationToken,
}

/// Where the login stands.
#[derive(Debug)]
struct Login {
    cookie: Option<SessionCookie>,
    generation: u64,
    /// Why nobody may log in again.
    ended: Option<Ended>,
}

#[derive(Clone, Copy, Debug)]
enum Ended {
    Closed,
    /// One refusal is enough: servers lock accounts.
    Refused,
}

/// Receives the objects of a read. Begun anew, from its default, when the read is.
pub(crate) trait Collect: Default + Send {
    /// Takes one object.
    fn object(&mut self, object: ObjectContent<'_>);
}

impl Session {
    /// Agrees on a version, learns the server's singletons and logs in: three requests.
    pub(crate) async fn open(cx: &Context, config: Config) -> Result<Self, Error> {
        let transport = Transport::open(cx, &config).await?;
        let (content, cookie) = transport.call(cx, &vim::retrieve_service_content(), None).await?;
        let session = Self(Arc::new(Shared {
            transport,
            content,
            login: Mutex::new(Login { cookie: None, generation: 0, ended: None }),
            renewal: tokio::sync::Mutex::new(()),
            last_call: Mutex::new(Instant::now()),
            background: TaskTracker::new(),
            stop: CancellationToken::new(),
            config,
        }));
        session.log_in(cx, cookie).await?;
        session.0.background.spawn(keep_alive(Arc::downgrade(&session.0), session.0.stop.clone()));
        Ok(session)
    }

    /// Where the server's singletons are.
    pub(crate) fn content(&self) -> &ServiceContent {
        &self.0.content
    }

    /// What the client was made from.
    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    /// The server's host, for people.
    pub(crate) fn host(&self) -> &str {
        self.0.transport.host()
    }

    /// Counts logins. Session objects (collectors, filters, views) that were made under another generation are gone.
    pub(crate) fn generation(&self) -> u64 {
        self.0.login().generation
    }

    /// Makes a call. If the session turns out to be dead, the call was not executed: the session is renewed once and
    /// the call made again.
    ///
    /// # Errors
    /// [`CallError`]; for a call that changes something see [`CallError::may_have_taken_effect`].
    pub(crate) async fn call<T>(&self, cx: &Context, request: &Request<T>) -> Result<T, CallError> {
        let (cookie, generation) = self.0.current().map_err(|error| request.failed(Cause::Ended(error)))?;
        match self.attempt(cx, request, &cookie).await {
            Err(error) if error.is_unauthenticated() => {
                if !self.renew(cx, generation).await? {
                    return Err(error.on_a_live_session());
                }
                let (cookie, _) = self.0.current().map_err(|error| request.failed(Cause::Ended(error)))?;
                self.attempt(cx, request, &cookie).await
            }
            result => result,
        }
    }

    async fn attempt<T>(&self, cx: &Context, request: &Request<T>, cookie: &SessionCookie) -> Result<T, CallError> {
        let result = self.0.transport.call(cx, request, Some(cookie)).await;
        self.0.touch();
        result.map(|(value, _)| value)
    }

    /// Reads everything that `spec` selects, page after page. A read that breaks off is begun again, a few times; one
    /// that runs into an object which has just vanished likewise.
    pub(crate) async fn retrieve<C: Collect>(&self, cx: &Context, spec: &FilterSpec<'_>) -> Result<C, CallError> {
        let (mut restarts, mut walks, mut renewed) = (0, 0, false);
        // A property that is missing for want of a session may belong to a dead session, until proved otherwise.
        let mut suspicious = true;
        loop {
            let mut collected = C::default();
            let request = vim::retrieve_properties(&self.0.content.property_collector, spec);
            let (cookie, generation) = self.0.current().map_err(|error| request.failed(Cause::Ended(error)))?;
            let Err(error) = self.read_pages(cx, request, &cookie, suspicious, &mut collected).await else {
                return Ok(collected);
            };
            if error.is_unauthenticated() && !renewed {
                renewed = true;
                let alive = !self.renew(cx, generation).await?;
                if alive && error.fault().is_some() {
                    return Err(error.on_a_live_session());
                }
                suspicious = !alive;
            } else if error.is_interrupted() && restarts < RESTARTS {
                restarts += 1;
                debug!(restarts, %error, "the answer broke off: reading again");
                let pause = Duration::from_millis(200) * restarts;
                cx.pause("reading the inventory", pause)
                    .await
                    .map_err(|ended| CallError { cause: Cause::Ended(ended), ..error })?;
            } else if error.is_not_found() && walks < WALKS {
                walks += 1;
                debug!(walks, %error, "an object vanished under the walk: reading again");
            } else {
                return Err(error);
            }
        }
    }

    async fn read_pages<C: Collect>(
        &self,
        cx: &Context,
        mut request: Request<Page>,
        cookie: &SessionCookie,
        suspicious: bool,
        collected: &mut C,
    ) -> Result<(), CallError> {
        let collector = &self.0.content.property_collector;
        let mut each = |object: ObjectContent<'_>| {
            if suspicious && object.missing().any(|missing| missing.is_unauthenticated()) {
                return Err(Cause::DeadSession);
            }
            collected.object(object);
            Ok(())
        };
        let mut pages = OpenPages { session: self, cookie, stream: None, token: None };
        loop {
            let stream = pages.stream.insert(XmlStream::new(Limits::STREAMED, &VIM, Some(OBJECTS)));
            let page = self.0.transport.page(cx, &request, Some(cookie), stream, &mut each).await;
            self.0.touch();
            match page {
                Ok(Page { token: Some(token) }) => {
                    request = vim::continue_retrieve_properties(collector, &token);
                    pages.token = Some(token);
                }
                Ok(Page { token: None }) => {
                    pages.done();
                    return Ok(());
                }
                Err(error) => {
                    if error.is_unauthenticated() {
                        pages.done();
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Logs out. Nothing can be called afterwards, and nobody logs in again.
    pub(crate) async fn close(&self, cx: &Context) -> Result<(), CallError> {
        let shared = &self.0;
        let request = vim::logout(&shared.content.session_manager);
        let ended = |error| request.failed(Cause::Ended(error));
        shared.stop.cancel();
        let _renewal = cx.bounded("logging out", shared.renewal.lock()).await.map_err(ended)?;
        let cookie = {
            let mut login = shared.login();
            login.ended = Some(Ended::Closed);
            login.cookie.take()
        };
        shared.background.close();
        cx.bounded("logging out", shared.background.wait()).await.map_err(ended)?;
        let Some(cookie) = cookie else { return Ok(()) };
        match shared.transport.call(cx, &request, Some(&cookie)).await {
            Err(error) if !error.is_unauthenticated() => Err(error),
            _ => Ok(()),
        }
    }

    /// Renews the session unless it is alive or somebody else has done so since `seen`; `true` if there is a new one.
    async fn renew(&self, cx: &Context, seen: u64) -> Result<bool, CallError> {
        let shared = &self.0;
        let request = vim::current_session(&shared.content.property_collector, &shared.content.session_manager);
        let ended = |error| request.failed(Cause::Ended(error));
        let _renewal = cx.bounded("logging in again", shared.renewal.lock()).await.map_err(ended)?;
        let (cookie, generation) = shared.current().map_err(ended)?;
        if generation != seen {
            return Ok(true);
        }
        if self.is_alive(cx, &request, &cookie).await? {
            return Ok(false);
        }
        debug!(generation, "the session is dead: logging in again");
        self.log_in(cx, None).await.map_err(ended)?;
        Ok(true)
    }

    async fn is_alive(&self, cx: &Context, request: &Request<Page>, cookie: &SessionCookie) -> Result<bool, CallError> {
        let mut alive = false;
        let mut each = |object: ObjectContent<'_>| {
            alive |= object.properties().any(|(path, _)| path == "currentSession");
            Ok(())
        };
        let mut stream = XmlStream::new(Limits::SMALL, &VIM, Some(OBJECTS));
        match self.0.transport.page(cx, request, Some(cookie), &mut stream, &mut each).await {
            Ok(_) => Ok(alive),
            Err(error) if error.is_unauthenticated() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Logs in. `cookie` is one that the server gave to this not yet authenticated client; a dead session's cookie must
    /// not be sent.
    async fn log_in(&self, cx: &Context, cookie: Option<SessionCookie>) -> Result<(), Error> {
        let Shared { transport, config, content, .. } = &*self.0;
        let request = vim::login(&content.session_manager, &config.username, &config.password);
        match transport.call(cx, &request, cookie.as_ref()).await {
            Ok(((), newest)) => {
                let cookie = newest.or(cookie).ok_or_else(|| {
                    Error::new(ErrorKind::Protocol, "the server accepted the login and set no session cookie")
                        .platform(PlatformKind::VSPHERE)
                })?;
                let mut login = self.0.login();
                login.cookie = Some(cookie);
                login.generation += 1;
                Ok(())
            }
            Err(error) => {
                if matches!(error.fault().map(|fault| &fault.kind), Some(FaultKind::InvalidLogin)) {
                    self.0.login().ended = Some(Ended::Refused);
                }
                // Whether a lost login took effect matters to nobody: nothing was done to any VM.
                let unsettled = error.may_have_taken_effect();
                let error = Error::from(error);
                Err(if unsettled { error.retry(Retry::Later) } else { error })
            }
        }
    }
}

impl Shared {
    fn login(&self) -> MutexGuard<'_, Login> {
        // Nothing can panic while it is held.
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Result<(SessionCookie, u64), Error> {
        let login = self.login();
        let message = match login.ended {
            Some(Ended::Closed) => "the client has disconnected",
            Some(Ended::Refused) => "the session ended and the server refused a new login, which is not tried again",
            None => "the client is not logged in",
        };
        match &login.cookie {
            Some(cookie) if login.ended.is_none() => Ok((cookie.clone(), login.generation)),
            _ => Err(Error::new(ErrorKind::Unauthenticated, message).platform(PlatformKind::VSPHERE)),
        }
    }

    fn touch(&self) {
        *self.last_call.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn idle(&self) -> Duration {
        self.last_call.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.cancel();
        let Some(cookie) = self.login().cookie.take() else { return };
        // Dropping must not block, so without a runtime the session is left to the server's idle limit.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let transport = self.transport.clone();
        let request = vim::logout(&self.content.session_manager);
        runtime.spawn(async move {
            let result = transport.call(&Context::with_timeout(TIDYING), &request, Some(&cookie)).await;
            debug!(ok = result.is_ok(), "logged out behind a dropped client");
        });
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("config", &self.0.config)
            .field("login", &*self.0.login())
            .finish_non_exhaustive()
    }
}

/// Tells the server now and then that an idle client is still there, for as long as there is a client.
async fn keep_alive(session: Weak<Shared>, stop: CancellationToken) {
    loop {
        let Some(shared) = session.upgrade() else { return };
        let limit = shared.config.keep_alive;
        let idle = shared.idle();
        let mut wait = limit.saturating_sub(idle);
        if wait.is_zero() {
            let session = Session(shared);
            let cx = Context::with_timeout(session.config().read_limit).cancelled_by(stop.clone());
            if let Err(error) = session.call(&cx, &vim::current_time()).await {
                debug!(%error, "the server did not hear that the client is still there");
            }
            wait = limit;
        } else {
            // Between two signs of life nothing here keeps the client from being dropped.
            drop(shared);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Pages that the server keeps for us. Dropped before the last one was read, it gives them back: tokens left open
/// accumulate in a vCenter until it falls over.
struct OpenPages<'s> {
    session: &'s Session,
    cookie: &'s SessionCookie,
    stream: Option<XmlStream>,
    token: Option<String>,
}

impl OpenPages<'_> {
    fn done(&mut self) {
        self.stream = None;
        self.token = None;
    }
}

impl Drop for OpenPages<'_> {
    fn drop(&mut self) {
        // The token stands before the objects, so a page that broke off may have told it.
        let newest = self.stream.as_ref().and_then(|stream| match Answer::find(stream.so_far()) {
            Ok(Ok(answer)) => Page::read(&answer).token,
            _ => None,
        });
        let Some(token) = newest.or(self.token.take()) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let shared = &self.session.0;
        let transport = shared.transport.clone();
        let request = vim::cancel_retrieve_properties(&shared.content.property_collector, &token);
        let cookie = self.cookie.clone();
        let give_back = async move {
            let result = transport.call(&Context::with_timeout(TIDYING), &request, Some(&cookie)).await;
            debug!(ok = result.is_ok(), "gave unread pages back");
        };
        shared.background.spawn_on(give_back, &runtime);
    }
}
