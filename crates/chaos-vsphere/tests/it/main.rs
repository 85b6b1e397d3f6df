//! What the client sends and how it takes answers, against scripted servers (wiremock).

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as the tests do")]

mod conformance;
mod discovery;
mod power;
mod rights;
mod scripted;
mod session;
mod simulated;
mod watch;
