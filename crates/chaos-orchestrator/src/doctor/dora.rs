//! What a Dora service says once the way is free: only the login, since it can be read and no more.

use std::time::Duration;

use chaos_core::{Context, Error};
use chaos_dora::Client;

use super::login::{refused, taken};
use super::{Check, Checkup, Finding, Step};
use crate::ask::Ask;
use crate::open::dora::{catalogue, host_filter};
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
    // Got before the clock runs: a person may have to type it.
    let client = match crate::open::dora::client(cx, entry, settings, ask).await {
        Ok(client) => client,
        Err(error) => {
            cx.check("getting the password")?;
            checkup.note(refused(entry, &error, patience));
            return Ok(());
        }
    };
    let start = cx.clock().monotonic();
    let limited = cx.limit(patience);
    let opened = async {
        client.log_in(&limited).await?;
        Ok(&client)
    };
    let opened = opened.await;
    let took = cx.clock().monotonic().saturating_sub(start);
    match opened {
        Ok(client) => {
            checkup.note(taken(took, "the service takes the account"));
            checkup.note(inventory(cx, client, settings, patience).await?);
        }
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

/// Asks for the environment that the settings name, which is also the only way to try the token.
async fn inventory(cx: &Context, client: &Client, settings: &DoraSettings, patience: Duration) -> Result<Check, Error> {
    let Some(name) = &settings.environment else {
        return Ok(Check::new(Step::Inventory, Finding::Unknown, "not asked for: the settings name no `environment`"));
    };
    let data = async {
        let catalogue = catalogue(settings)?;
        client.environment_data(&cx.limit(patience), catalogue.get(name)?, &host_filter(settings)).await
    };
    Ok(match data.await {
        Ok(data) if data.vms.is_empty() => {
            Check::new(Step::Inventory, Finding::Doubtful, format!("there is no VM in `{name}`"))
                .cure("look at its paths and its host filter; `dora-discover --hostfilter omit` asks for all hosts")
        }
        Ok(data) => {
            let (hypervisors, vms) = (data.hypervisors.len(), data.vms.len());
            Check::good(Step::Inventory, format!("{hypervisors} hypervisors and {vms} VMs in `{name}`"))
        }
        Err(error) => {
            cx.check("looking at the inventory")?;
            Check::bad(
                Step::Inventory,
                error.with_causes(),
                "check the port of the inventory (api_port) and the environment's values; `dora-environments` lists them",
            )
        }
    })
}
