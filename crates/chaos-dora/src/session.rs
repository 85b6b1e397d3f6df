//! The login: one token, made when it is first needed, renewed once when the service rejects it.

use std::sync::Arc;

use chaos_core::{Context, Error, ErrorKind, PlatformKind};
use chaos_http::{Answer, Client, PlainHttp, Request, StatusCode, Url};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::debug;

use crate::config::{Config, Scheme};
use crate::wire;

/// How often a request is tried that is never answered. Each takes as long as the limit says.
const ATTEMPTS: u32 = 2;

/// Speaks to one service with one token. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Session(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    http: Client,
    auth: Url,
    api: Url,
    config: Config,
    login: Mutex<Login>,
}

/// What is known of the login. Locked while somebody logs in, so that the others wait for the outcome.
#[derive(Debug, Default)]
struct Login {
    token: Option<SecretString>,
    /// Counts logins.
    generation: u64,
    /// Why nobody may log in any more.
    ended: Option<Ended>,
}

#[derive(Debug, Clone, Copy)]
enum Ended {
    Closed,
    /// One refusal is enough: servers lock accounts.
    Refused,
}

impl Session {
    /// Makes the client. Connects to nothing.
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        config.check_account()?;
        let mut http = chaos_http::Config::platform();
        http.trust = config.trust.clone();
        http.limits.read = config.timeout;
        http.retry.attempts = ATTEMPTS;
        if config.scheme == Scheme::Http {
            http.plain_http = PlainHttp::Anywhere;
        }
        Ok(Self(Arc::new(Shared {
            http: Client::new(http)?,
            auth: config.root(config.auth_port)?,
            api: config.root(config.api_port)?,
            login: Mutex::default(),
            config,
        })))
    }

    /// What the client was made from.
    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    /// The root of the inventory.
    pub(crate) fn api(&self) -> &Url {
        &self.0.api
    }

    /// Forgets the token, for good. The service knows no logout, so that nothing is sent.
    pub(crate) async fn close(&self, cx: &Context) -> Result<(), Error> {
        let mut login = cx.bounded("waiting for a login", self.0.login.lock()).await?;
        login.token = None;
        login.ended = Some(Ended::Closed);
        Ok(())
    }

    /// Logs in, unless somebody has.
    pub(crate) async fn log_in(&self, cx: &Context) -> Result<(), Error> {
        self.token(cx, None).await.map(drop)
    }

    /// The whole answer to a request that carries the token. A token that is rejected is renewed once.
    pub(crate) async fn fetch(
        &self,
        cx: &Context,
        request: impl Fn(&Url, &SecretString) -> Result<Request, Error> + Send + Sync,
    ) -> Result<Answer, Error> {
        let (token, generation) = self.token(cx, None).await?;
        let answer = self.0.http.fetch(cx, &request(&self.0.api, &token)?).await.map_err(of_dora)?;
        if !is_rejected(answer.status()) {
            return Ok(answer);
        }
        debug!(generation, "the token was rejected: logging in again");
        let (token, _) = self.token(cx, Some(generation)).await?;
        let answer = self.0.http.fetch(cx, &request(&self.0.api, &token)?).await.map_err(of_dora)?;
        if is_rejected(answer.status()) {
            let message = format!("the service rejects a token that it has just given (status {})", answer.status());
            return Err(dora(ErrorKind::Unauthenticated, message));
        }
        Ok(answer)
    }

    /// The token and its generation; a newer one than that of `rejected`.
    async fn token(&self, cx: &Context, rejected: Option<u64>) -> Result<(SecretString, u64), Error> {
        let mut login = cx.bounded("logging in", self.0.login.lock()).await?;
        let ended = login.ended.map(|ended| match ended {
            Ended::Closed => "the client has disconnected",
            Ended::Refused => "the service refused the login, which is not tried again",
        });
        if let Some(why) = ended {
            return Err(dora(ErrorKind::Unauthenticated, why));
        }
        match &login.token {
            Some(token) if rejected != Some(login.generation) => return Ok((token.clone(), login.generation)),
            _ => {}
        }
        login.token = None;
        match self.ask_for_token(cx).await {
            Ok(token) => {
                login.token = Some(token.clone());
                login.generation += 1;
                Ok((token, login.generation))
            }
            Err(error) => {
                login.ended = (error.kind() == ErrorKind::Unauthenticated).then_some(Ended::Refused);
                Err(error)
            }
        }
    }

    async fn ask_for_token(&self, cx: &Context) -> Result<SecretString, Error> {
        let Config { username, password, .. } = &self.0.config;
        let request = wire::login(&self.0.auth, username, password)?;
        let answer = self.0.http.fetch(cx, &request).await.map_err(of_dora)?;
        let status = answer.status();
        if is_rejected(status) {
            let message =
                format!("the service refused the login (status {status}): check the user name and the password");
            return Err(dora(ErrorKind::Unauthenticated, message));
        }
        if !status.is_success() {
            return Err(unexpected("GetLoginToken", status));
        }
        let token = match serde_json::from_slice(answer.bytes()) {
            Ok(Value::Object(mut object)) => match object.remove("token") {
                Some(Value::String(token)) => token,
                _ => String::new(),
            },
            Ok(_) => String::new(),
            Err(_) => {
                let message =
                    "GetLoginToken: the answer is no JSON: is this a Dora service, and is this its port for logins?";
                return Err(dora(ErrorKind::Protocol, message));
            }
        };
        if token.trim().is_empty() {
            let message =
                "the service gave no token, which is how it refuses a login: check the user name and the password";
            return Err(dora(ErrorKind::Unauthenticated, message));
        }
        Ok(SecretString::from(token))
    }
}

fn is_rejected(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// The error for an answer of another status than 200.
pub(crate) fn unexpected(call: &str, status: StatusCode) -> Error {
    let (kind, more) = if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        (ErrorKind::Unavailable, "")
    } else if status == StatusCode::NOT_FOUND {
        (ErrorKind::Protocol, ": is this a Dora service, and is this its port?")
    } else {
        (ErrorKind::Protocol, "")
    };
    dora(kind, format!("{call}: the service answered with status {status}{more}"))
}

fn dora(kind: ErrorKind, message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(kind, message).platform(PlatformKind::DORA)
}

fn of_dora(error: chaos_http::HttpError) -> Error {
    Error::from(error).platform(PlatformKind::DORA)
}
