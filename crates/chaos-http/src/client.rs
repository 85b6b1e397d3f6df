//! The client: sends requests, tries again where that is safe, and speaks to nobody it should not.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chaos_core::Context;
use tracing::{Instrument, debug, warn};

use crate::call::Call;
use crate::classify;
use crate::config::{Config, ConfigError, Limits, PlainHttp, Profile};
use crate::endpoint::check_scheme;
use crate::error::{Failure, HttpError, HttpErrorKind, TimeLimit};
use crate::request::Request;
use crate::response::{Answer, Response, read_all};
use crate::retry::{Jitter, RetryPolicy, is_retryable, retry_after};
use crate::safe_url::SafeUrl;
use crate::tls;
use crate::wait::{check, wait};
use crate::watched_body::watch;

/// How long an unused connection is kept. Shorter than common servers keep theirs, so that a power call rarely meets a
/// connection that the server is just closing.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);
/// The pause after which a silent connection is probed: firewalls forget connections, and a long poll is mostly silent.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// The redirects that a probe follows.
const REDIRECTS: usize = 10;

/// An HTTP/1.1 client for one server and its TLS trust. Cheap to clone; clones share their connections.
///
/// Every call takes a [`Context`] and ends with its deadline or its cancellation, whatever the server does.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    profile: Profile,
    insecure: bool,
    plain_http: PlainHttp,
    proxy: Option<SafeUrl>,
    limits: Limits,
    retry: RetryPolicy,
    jitter: Jitter,
    warned: AtomicBool,
}

impl Client {
    /// Makes a client. Reads the CA file, if one is named, and connects to nothing.
    ///
    /// # Errors
    /// [`ConfigError`] if the CA file, the proxy or the user agent cannot be used.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let Config { profile, trust, plain_http, limits, retry, follow_redirects, proxy, user_agent, seed } = config;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&trust)?)
            .user_agent(user_agent)
            .http1_only()
            .gzip(true)
            // A path may hold a secret, and so would the `Referer` header.
            .referer(false)
            // Retries are ours: the library cannot know what may be sent twice.
            .retry(reqwest::retry::never())
            .connect_timeout(limits.connect)
            .pool_idle_timeout(IDLE_CONNECTION)
            .tcp_keepalive(TCP_KEEPALIVE)
            .tcp_nodelay(true);
        builder = match profile {
            Profile::Platform => builder.redirect(reqwest::redirect::Policy::none()).no_proxy(),
            Profile::Probe if follow_redirects => builder.redirect(reqwest::redirect::Policy::limited(REDIRECTS)),
            Profile::Probe => builder.redirect(reqwest::redirect::Policy::none()),
        };
        if let Some(proxy) = &proxy {
            let to = reqwest::Proxy::all(proxy.expose().clone()).map_err(|_| ConfigError::Proxy(proxy.clone()))?;
            builder = builder.proxy(to);
        }
        let http = builder.build().map_err(|error| ConfigError::Client(error.without_url().to_string()))?;
        Ok(Self(Arc::new(Inner {
            http,
            profile,
            insecure: trust.is_insecure(),
            plain_http,
            proxy,
            limits,
            retry,
            jitter: Jitter::new(seed),
            warned: AtomicBool::new(false),
        })))
    }

    /// Sends a request and returns as soon as the head of the answer is there; the body is read from the [`Response`].
    /// What breaks in the body is not tried again.
    ///
    /// Dropping the future gives the call up and closes its connection; the server may execute the request all the same.
    ///
    /// # Errors
    /// [`HttpError`] if there is no answer. An answer of any status is none.
    pub async fn send(&self, cx: &Context, request: &Request) -> Result<Response, HttpError> {
        let (response, _) = self.run(cx, request, Extent::Head).await?;
        Ok(response)
    }

    /// Sends a request and reads the whole answer. If the request is idempotent, a body that is cut is asked for again.
    ///
    /// # Errors
    /// [`HttpError`] if there is no complete answer. An answer of any status is none.
    pub async fn fetch(&self, cx: &Context, request: &Request) -> Result<Answer, HttpError> {
        let (response, body) = self.run(cx, request, Extent::Whole).await?;
        Ok(response.into_answer(body))
    }

    async fn run(&self, cx: &Context, request: &Request, extent: Extent) -> Result<(Response, Bytes), HttpError> {
        let mut call = Call::new(cx, request, &self.0.limits);
        if let Err(error) = self.admit(request) {
            return Err(call.error(Failure::new(HttpErrorKind::Configuration, error.to_string(), false)));
        }
        loop {
            call.begin_attempt();
            let end = self.attempt(&mut call, extent).await;
            match (self.pause(&call, &end), end) {
                (None, Ok((inner, body))) => return Ok((Response::new(inner, call), body)),
                (None, Err(failure)) => return Err(call.error(failure)),
                (Some(pause), end) => {
                    let why = end.map_or_else(|failure| failure.to_string(), |(inner, _)| inner.status().to_string());
                    debug!(parent: &call.span, attempt = call.attempt, why, ?pause, "trying again");
                    self.rest(&call, pause).await?;
                }
            }
        }
    }

    /// Applies the rules that need no network.
    fn admit(&self, request: &Request) -> Result<(), ConfigError> {
        let Inner { profile, insecure, plain_http, warned, .. } = &*self.0;
        let url = request.url.expose();
        let anywhere = *plain_http == PlainHttp::Anywhere;
        match profile {
            Profile::Platform => check_scheme(url, *insecure || anywhere)?,
            Profile::Probe => check_scheme(url, true)?,
        }
        if *insecure && !warned.swap(true, Ordering::Relaxed) {
            warn!(
                host = request.url.host(),
                "insecure by request: the server is not verified, so whoever sits in between can read and change \
                 everything, the password included; use a CA file or a pinned thumbprint instead"
            );
        }
        let is_open = anywhere && check_scheme(url, false).is_err();
        if is_open && !warned.swap(true, Ordering::Relaxed) {
            warn!(
                host = request.url.host(),
                "plain http by request: everyone on the way can read everything, the password included; use https if the \
                 server or a front of it speaks that"
            );
        }
        Ok(())
    }

    /// Sends the request once and waits for the answer, or for its head.
    async fn attempt(&self, call: &mut Call, extent: Extent) -> Result<(reqwest::Response, Bytes), Failure> {
        check(&call.cx, false)?;
        let mut inner = self.exchange(call).await?;
        call.answered(inner.status());
        let body = match extent {
            Extent::Head => Bytes::new(),
            Extent::Whole => read_all(&mut inner, call).await?,
        };
        Ok((inner, body))
    }

    /// Sends the request once and waits for the head of the answer.
    async fn exchange(&self, call: &Call) -> Result<reqwest::Response, Failure> {
        let request = &call.request;
        // A redirect may want the body once more, and a watched one can be read only once.
        let (body, sent) = watch(&request.body, request.idempotent || self.0.profile == Profile::Probe);
        // The builder moves a user and password from the URL to a header: the library would log them with the authority.
        let mut http = self.0.http.request(request.method.clone(), request.url.expose().clone());
        http = http.headers(request.headers.clone());
        if !request.body.is_empty() {
            http = http.body(body);
        }
        let http = http.build().map_err(|error| classify::of_request(&error, false))?;
        let exchange = self.0.http.execute(http).instrument(call.span.clone());
        let answer = wait(&call.cx, call.read_limit, || sent.get(), exchange).await?;
        answer.map_err(|error| {
            let mut failure = classify::of_request(&error, sent.get());
            if let (HttpErrorKind::Connect, Some(proxy)) = (&failure.kind, &self.0.proxy) {
                failure.cause = format!("through the proxy {proxy}: {}", failure.cause);
            }
            failure
        })
    }

    /// The wait before the next attempt. None if there is to be none: because of how this one ended, because the attempts
    /// are used up, or because the deadline would pass meanwhile.
    fn pause(&self, call: &Call, end: &Result<(reqwest::Response, Bytes), Failure>) -> Option<Duration> {
        let Inner { retry, jitter, .. } = &*self.0;
        let idempotent = call.request.idempotent;
        let asked = match end {
            Ok((inner, _)) if idempotent && retry.statuses && is_retryable(inner.status()) => {
                retry_after(inner.headers(), call.cx.now()).unwrap_or_default()
            }
            Err(failure) if is_worth_another(&failure.kind, idempotent) => Duration::ZERO,
            Ok(_) | Err(_) => return None,
        };
        if call.attempt >= retry.attempts {
            return None;
        }
        let pause = asked.saturating_add(retry.wait(call.attempt, jitter.next()));
        (pause < call.cx.remaining()).then_some(pause)
    }

    async fn rest(&self, call: &Call, pause: Duration) -> Result<(), HttpError> {
        let awake = call.cx.clock().sleep_until(call.cx.monotonic().saturating_add(pause));
        // Nothing of the last attempt is in doubt, or there would be no other.
        wait(&call.cx, Duration::MAX, || false, awake).await.map_err(|failure| call.error(failure))
    }
}

/// How much of an answer belongs to the attempt.
#[derive(Clone, Copy)]
enum Extent {
    Head,
    Whole,
}

/// Whether a failure may be followed by the same request; see the table at [`RetryPolicy`].
fn is_worth_another(kind: &HttpErrorKind, idempotent: bool) -> bool {
    match kind {
        HttpErrorKind::Connect => true,
        HttpErrorKind::Interrupted | HttpErrorKind::TimedOut(TimeLimit::Read) => idempotent,
        HttpErrorKind::Configuration
        | HttpErrorKind::Tls
        | HttpErrorKind::TimedOut(TimeLimit::Connect | TimeLimit::Total)
        | HttpErrorKind::Cancelled
        | HttpErrorKind::TooLarge(_)
        | HttpErrorKind::Protocol => false,
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("profile", &self.0.profile)
            .field("insecure", &self.0.insecure)
            .field("limits", &self.0.limits)
            .field("retry", &self.0.retry)
            .finish_non_exhaustive()
    }
}
