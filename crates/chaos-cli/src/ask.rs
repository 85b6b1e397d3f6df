//! Asking the person at the terminal for a password that nothing else gives.

use async_trait::async_trait;
use chaos_core::{Context, Error, ErrorKind};
use chaos_orchestrator::{AskPassword, PasswordQuestion};
use secrecy::SecretString;

use crate::output::{Output, Typed};

/// The person at the terminal.
pub(crate) struct Terminal(Output);

impl Terminal {
    pub(crate) fn new(output: Output) -> Self {
        Self(output)
    }
}

#[async_trait]
impl AskPassword for Terminal {
    async fn ask(&self, cx: &Context, question: PasswordQuestion<'_>) -> Result<Option<SecretString>, Error> {
        cx.check("asking for a password")?;
        let prompt = format!("password of {} at {} ({})", question.username, question.host, question.entry);
        match tokio::task::block_in_place(|| self.0.ask_password(&prompt)) {
            Typed::Text(password) => Ok(Some(password)),
            Typed::NobodyThere => Ok(None),
            Typed::GaveUp => Err(Error::new(ErrorKind::Cancelled, "no password was given")),
        }
    }
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Terminal")
    }
}
