//! Where a password is, and getting it when it is needed.

use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// Many times what a password takes. A path may also name something without an end.
const LARGEST: u64 = 64 << 10;

/// How long a program may take to print a password. It may have to ask a server.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long the rest of a program's output may take once the program has ended.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// Where a password is.
#[derive(Clone)]
#[non_exhaustive]
pub enum SecretSource {
    /// Here.
    Inline(SecretString),
    /// In a file that holds nothing else. One line break at its end does not belong to it.
    File(PathBuf),
    /// In what a program prints, which is run without a shell. One line break at the end does not belong to it.
    Command(Vec<SecretString>),
}

impl SecretSource {
    /// Gets the password.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the file cannot be read, the program fails, or there is nothing;
    /// [`ErrorKind::Timeout`] and [`ErrorKind::Cancelled`] if it takes too long.
    pub async fn read(&self, cx: &Context) -> Result<SecretString, Error> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(path) => {
                let open = async {
                    // A pipe would be waited for, whatever the deadline says.
                    if !tokio::fs::metadata(path).await?.is_file() {
                        return Err(std::io::Error::other("it is no plain file"));
                    }
                    let mut text = Vec::new();
                    tokio::fs::File::open(path).await?.take(LARGEST + 1).read_to_end(&mut text).await?;
                    Ok::<_, std::io::Error>(text)
                };
                let text = cx.bounded(&format!("reading {}", path.display()), open).await?;
                let text = text.map_err(|error| self.failed(&error.to_string()))?;
                self.secret(text)
            }
            Self::Command(words) => {
                cx.limit(PATIENCE).bounded(&format!("waiting for {self}"), self.output_of(words)).await?
            }
        }
    }

    async fn output_of(&self, words: &[SecretString]) -> Result<SecretString, Error> {
        let Some((program, arguments)) = words.split_first() else { return Err(self.failed("it names no program")) };
        let mut child = Command::new(program.expose_secret())
            .args(arguments.iter().map(ExposeSecret::expose_secret))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // What it complains about may hold the secret.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.failed(&format!("it cannot be started: {error}")))?;
        let mut text = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = stdout.take(LARGEST + 1);
            let read = tokio::select! {
                read = stdout.read_to_end(&mut text) => read.map(drop),
                // What it left running may hold its output open: what is there by now is the password.
                ended = child.wait() => match ended {
                    Ok(_) => tokio::time::timeout(LEFTOVERS, stdout.read_to_end(&mut text)).await.map_or(Ok(()), |read| read.map(drop)),
                    Err(error) => Err(error),
                },
            };
            read.map_err(|error| self.failed(&error.to_string()))?;
        }
        if text.len() as u64 > LARGEST {
            return self.secret(text);
        }
        let status = child.wait().await.map_err(|error| self.failed(&error.to_string()))?;
        if !status.success() {
            return Err(self.failed(&format!("it ended with {status}: run it by hand to see why")));
        }
        self.secret(text)
    }

    fn secret(&self, text: Vec<u8>) -> Result<SecretString, Error> {
        if text.len() as u64 > LARGEST {
            return Err(self.failed(&format!("this is no password: more than {LARGEST} bytes")));
        }
        // The error of the conversion would hold the text.
        let text = String::from_utf8(text).map_err(|_| self.failed("this is no password: not UTF-8 text"))?;
        let text = SecretString::from(text);
        let line = text.expose_secret();
        let line = line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line);
        if line.is_empty() {
            return Err(self.failed("there is no password in it"));
        }
        Ok(SecretString::from(line))
    }

    fn failed(&self, reason: &str) -> Error {
        Error::new(ErrorKind::Configuration, format!("cannot get the password from {self}: {reason}"))
    }
}

/// Never the secret; of a program only its name.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("***"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(words) => {
                // A whole command line in the place of a program may hold anything.
                let program = words.first().map(ExposeSecret::expose_secret).unwrap_or_default();
                let program = program.split_whitespace().next().unwrap_or_default();
                write!(f, "the program `{program}`")
            }
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for SecretSource {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inline(one), Self::Inline(other)) => one.expose_secret() == other.expose_secret(),
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Command(one), Self::Command(other)) => {
                let words = |words: &[SecretString]| -> Vec<String> {
                    words.iter().map(|word| word.expose_secret().to_owned()).collect()
                };
                words(one) == words(other)
            }
            _ => false,
        }
    }
}

impl From<SecretString> for SecretSource {
    fn from(secret: SecretString) -> Self {
        Self::Inline(secret)
    }
}
