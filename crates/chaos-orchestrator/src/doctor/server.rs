//! What a vCenter, an ESXi host or an engine says once the way is free: login, inventory, rights.

use std::time::Duration;

use chaos_core::{Context, Discovery, Error, Operation, Platform, PowerRights, Selector, VMRef};

use super::login::{refused, taken};
use super::{Check, Checkup, Finding, Step, absent};
use crate::ask::{Ask, password};
use crate::connect::Login;
use crate::secret::SecretSource;
use crate::settings::{Details, Entry};

/// How long logging out may take.
const CLOSING: Duration = Duration::from_secs(10);
/// On how many VMs the rights are looked at.
const LOOKED_AT: usize = 100;

/// Logs in, looks at the inventory and the rights, and logs out.
///
/// # Errors
/// The context's own end.
pub(super) async fn examine(
    cx: &Context,
    entry: &Entry,
    login: &Login,
    ask: &Ask,
    patience: Duration,
    checkup: &mut Checkup,
) -> Result<(), Error> {
    // Got before the clock runs: a person may have to type it.
    let host = login.endpoint.host_str().unwrap_or_default();
    let password = match password(cx, entry, login.password.as_ref(), (&login.username, host), ask).await {
        Ok(password) => password,
        Err(error) => {
            cx.check("getting the password")?;
            checkup.note(refused(entry, &error, patience));
            return Ok(());
        }
    };
    let login = &Login { password: Some(SecretSource::Inline(password)), ..login.clone() };
    match &entry.details {
        #[cfg(feature = "vsphere")]
        Details::VSphere(_) => {
            let start = cx.clock().monotonic();
            let opened = crate::open::vsphere::client(&cx.limit(patience), entry, login, ask).await;
            let Some(vsphere) = logged_in(cx, entry, opened, start, patience, checkup)? else { return Ok(()) };
            let looked = inventory(cx, &vsphere, patience, checkup).await;
            let rights = match &looked {
                Ok(Some(vms)) => Some(vsphere.power_rights(&cx.limit(patience), vms).await),
                Ok(None) | Err(_) => None,
            };
            // Whatever came of it, the session is given back.
            close(cx, &vsphere).await;
            looked?;
            if let Some(rights) = rights {
                checkup.note(rights_check(cx, rights)?);
            }
        }
        #[cfg(feature = "olvm")]
        Details::Olvm(_) => {
            let start = cx.clock().monotonic();
            let opened = crate::open::olvm::client(&cx.limit(patience), entry, login, ask).await;
            let Some(olvm) = logged_in(cx, entry, opened, start, patience, checkup)? else { return Ok(()) };
            if let (Ok(Some(product)), Some(login)) =
                (olvm.product(&cx.limit(patience)).await, checkup.checks.last_mut())
            {
                // The description of an engine does not have it, as it takes a request.
                login.says = format!("{product}: {}", login.says);
            }
            let looked = inventory(cx, &olvm, patience, checkup).await;
            let rights = match &looked {
                Ok(Some(vms)) => Some(olvm.power_rights(&cx.limit(patience), vms).await),
                Ok(None) | Err(_) => None,
            };
            close(cx, &olvm).await;
            looked?;
            if let Some(rights) = rights {
                checkup.note(rights_check(cx, rights)?);
            }
        }
        _ => checkup.note(absent(entry)),
    }
    Ok(())
}

/// Notes how the login went, and hands out the platform if it went well.
fn logged_in<P: Platform>(
    cx: &Context,
    entry: &Entry,
    opened: Result<P, Error>,
    start: Duration,
    patience: Duration,
    checkup: &mut Checkup,
) -> Result<Option<P>, Error> {
    let took = cx.clock().monotonic().saturating_sub(start);
    match opened {
        Ok(platform) => {
            checkup.note(taken(took, &platform.identity().description));
            Ok(Some(platform))
        }
        Err(error) => {
            cx.check("logging in")?;
            checkup.note(refused(entry, &error, patience));
            Ok(None)
        }
    }
}

/// Reads the inventory; hands out some VMs if there are any.
async fn inventory<P: Platform>(
    cx: &Context,
    platform: &P,
    patience: Duration,
    checkup: &mut Checkup,
) -> Result<Option<Vec<VMRef>>, Error> {
    let found: Discovery = match platform.discover(&cx.limit(patience), &Selector::all()).await {
        Ok(found) => found,
        Err(error) => {
            cx.check("looking at the inventory")?;
            let cure = "look at the server's load and its log, or give it longer with `doctor --timeout`";
            checkup.note(Check::bad(Step::Inventory, error.with_causes(), cure));
            return Ok(None);
        }
    };
    let vms: Vec<VMRef> = found
        .vms
        .iter()
        .filter(|vm| !vm.template && vm.unmanageable.is_none())
        .map(|vm| VMRef::new(platform.identity(), &vm.id))
        .take(LOOKED_AT)
        .collect();
    if vms.is_empty() {
        let says = format!("the account sees {} VMs, and none that can be switched", found.vms.len());
        let cure = "give the account a role on the VMs, or on a folder, cluster or datacenter above them";
        checkup.note(Check::new(Step::Inventory, Finding::Doubtful, says).cure(cure));
        return Ok(None);
    }
    let mut check = Check::good(Step::Inventory, format!("{} VMs", found.vms.len()));
    if !found.problems.is_empty() {
        check = Check::new(
            Step::Inventory,
            Finding::Doubtful,
            format!("{} VMs, and {} things that could not be read", found.vms.len(), found.problems.len()),
        )
        .cure("`platforms discover-vms` tells what could not be read");
    }
    checkup.note(check);
    Ok(Some(vms))
}

fn rights_check(cx: &Context, rights: Result<PowerRights, Error>) -> Result<Check, Error> {
    let rights = match rights {
        Ok(rights) => rights,
        Err(error) => {
            cx.check("looking at the rights")?;
            return Ok(Check::new(Step::Rights, Finding::Unknown, error.with_causes()));
        }
    };
    let lacking: Vec<String> = rights
        .lacking()
        .map(|right| format!("{} ({} of {} VMs)", right.privilege, right.granted, rights.vms))
        .collect();
    if lacking.is_empty() {
        return Ok(Check::good(
            Step::Rights,
            format!("the account may switch, reset and suspend all {} VMs that were looked at", rights.vms),
        ));
    }
    // Without the two that switch VMs off and put them back there is nothing that can be done.
    let needed = [Operation::PowerOn, Operation::PowerOff];
    let is_useless = needed
        .iter()
        .any(|needed| rights.rights.iter().filter(|right| right.operation == *needed).all(|right| right.granted == 0));
    let finding = if is_useless { Finding::Bad } else { Finding::Doubtful };
    let says = format!("the account lacks {}", lacking.join(", "));
    Ok(Check::new(Step::Rights, finding, says)
        .cure("give it a role with these privileges on the VMs that it is to switch, or on what is above them"))
}

async fn close<P: Platform>(cx: &Context, platform: &P) {
    if let Err(error) = platform.disconnect(&cx.detached(CLOSING)).await {
        tracing::debug!(%error, "logging out failed");
    }
}
