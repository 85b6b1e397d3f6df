//! What a Dora service says once the way is free: only the login, since it can be read and no more.

use std::time::Duration;

use chaos_core::{Context, Error};

use super::login::{refused, taken};
use super::{Check, Checkup, Finding, Step};
use crate::ask::Ask;
use crate::settings::{DoraSettings, Entry};

/// Logs in to a Dora service.
///
/// # Errors
/// The context's own end.
pub(super) async fn examine(
    cx: &Context,
    entry: &Entry,
    settings: &DoraSettings,
    ask: &Ask,
    patience: Duration,
    checkup: &mut Checkup,
) -> Result<(), Error> {
    let start = cx.clock().monotonic();
    let limited = cx.limit(patience);
    let opened = async {
        let client = crate::open::dora::client(&limited, entry, settings, ask).await?;
        client.log_in(&limited).await?;
        Ok(client)
    };
    let opened = opened.await;
    let took = cx.clock().monotonic().saturating_sub(start);
    match opened {
        Ok(_) => checkup.note(taken(took, "the service takes the account")),
        Err(error) => {
            cx.check("logging in")?;
            checkup.note(refused(entry, &error, patience));
            return Ok(());
        }
    }
    checkup.note(Check::new(
        Step::Rights,
        Finding::Unknown,
        "the service can only be read, so there is nothing to allow",
    ));
    Ok(())
}
