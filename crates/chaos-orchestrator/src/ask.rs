//! Getting a password that is not in the settings: from a person, if there is one.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error};
use secrecy::SecretString;

use crate::connect::missing;
use crate::secret::SecretSource;
use crate::settings::Entry;

/// What a person has to know to give the right password.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PasswordQuestion<'q> {
    /// The entry of the settings.
    pub entry: &'q str,
    /// The account.
    pub username: &'q str,
    /// The server's host.
    pub host: &'q str,
}

/// Somebody who can be asked for a password.
#[async_trait]
pub trait AskPassword: Debug + Send + Sync {
    /// The password, or none if nobody is there.
    ///
    /// # Errors
    /// The call was cancelled, or its deadline passed.
    async fn ask(&self, cx: &Context, question: PasswordQuestion<'_>) -> Result<Option<SecretString>, Error>;
}

/// Who is asked, if anybody.
pub(crate) type Ask = Option<Arc<dyn AskPassword>>;

/// The password from where the settings say, or from whoever can be asked. `account` is the user's name and the host.
///
/// # Errors
/// It cannot be got.
pub(crate) async fn password(
    cx: &Context,
    entry: &Entry,
    source: Option<&SecretSource>,
    (username, host): (&str, &str),
    ask: &Ask,
) -> Result<SecretString, Error> {
    if let Some(source) = source {
        return source.read(cx).await;
    }
    // A variable that a file refers to is a decision: it is not made up for by a question.
    if let (Some(ask), None) = (ask, entry.unset.get("password")) {
        let question = PasswordQuestion { entry: &entry.name, username, host };
        if let Some(password) = ask.ask(cx, question).await? {
            return Ok(password);
        }
    }
    Err(missing(entry, "password", "password"))
}
