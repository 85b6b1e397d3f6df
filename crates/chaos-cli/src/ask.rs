//! Asking the person at the terminal for a password that nothing else gives.

use async_trait::async_trait;
use chaos_core::{Context, Error, ErrorKind};
use chaos_orchestrator::{AskPassword, PasswordQuestion};
use nix::sys::termios::{self, LocalFlags, SetArg, Termios};
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
        // Before the question: from its first letter on somebody may type.
        let _silence = Silence::begin();
        std::thread::spawn(move || drop(answer.send(Output::ask_password(&prompt))));
        let typed = cx.bounded(DOING, asked).await?;
        match typed {
            Ok(Typed::Text(password)) => Ok(Some(password)),
            Ok(Typed::NobodyThere) => Ok(None),
            Ok(Typed::GaveUp) | Err(_) => Err(Error::new(ErrorKind::Cancelled, "no password was given")),
        }
    }
}

/// A terminal that does not show what is typed, for as long as this is there.
struct Silence(Option<Termios>);

impl Silence {
    fn begin() -> Self {
        let before = termios::tcgetattr(std::io::stdin()).ok();
        if let Some(mut silent) = before.clone() {
            silent.local_flags.remove(LocalFlags::ECHO);
            // Without a terminal there is nothing to silence. What was typed already is not thrown away.
            let _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSANOW, &silent);
        }
        Self(before)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = termios::tcsetattr(std::io::stdin(), SetArg::TCSANOW, before);
        }
    }
}
