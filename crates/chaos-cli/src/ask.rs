//! Asking the person at the terminal for a password that nothing else gives.

use async_trait::async_trait;
use chaos_core::{Context, Error, ErrorKind};
use chaos_orchestrator::{AskPassword, PasswordQuestion};
use secrecy::SecretString;
use tokio::sync::{Mutex, oneshot};

use crate::output::{Output, Typed};

/// The person at the terminal, who is asked one thing at a time.
#[derive(Debug, Default)]
pub(crate) struct Terminal(Mutex<()>);

#[async_trait]
impl AskPassword for Terminal {
    async fn ask(&self, cx: &Context, question: PasswordQuestion<'_>) -> Result<Option<SecretString>, Error> {
        const DOING: &str = "asking for a password";
        let _alone = cx.bounded(DOING, self.0.lock()).await?;
        let prompt = format!("password of {} at {} ({})", question.username, question.host, question.entry);
        // A thread of its own: nothing ends the reading of a line, and nobody waits for it.
        let (answer, asked) = oneshot::channel();
        let echo = Echo::now();
        std::thread::spawn(move || drop(answer.send(Output::ask_password(&prompt))));
        let typed = cx.bounded(DOING, asked).await.inspect_err(|_| echo.restore())?;
        match typed {
            Ok(Typed::Text(password)) => Ok(Some(password)),
            Ok(Typed::NobodyThere) => Ok(None),
            Ok(Typed::GaveUp) | Err(_) => Err(Error::new(ErrorKind::Cancelled, "no password was given")),
        }
    }
}

/// How the terminal was before it was told not to show what is typed.
struct Echo(Option<nix::sys::termios::Termios>);

impl Echo {
    fn now() -> Self {
        Self(nix::sys::termios::tcgetattr(std::io::stdin()).ok())
    }

    fn restore(&self) {
        if let Some(before) = &self.0 {
            // Without a terminal there is nothing to restore.
            let _ = nix::sys::termios::tcsetattr(std::io::stdin(), nix::sys::termios::SetArg::TCSANOW, before);
        }
    }
}
