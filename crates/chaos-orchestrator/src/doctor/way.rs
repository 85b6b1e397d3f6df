//! The way to a server, as checks: name, connection, TLS, clock.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind};
use chaos_http::{
    ConnectFailure, Handshake, Inspection, RefusedCertificate, Reply, Rule, TlsInspection, TlsTrust, inspect,
};
use url::Url;

use super::{Check, Checkup, Finding, Step};
use crate::settings::Entry;

/// How far clocks may be apart before tokens and certificates get into trouble.
const TOLERANCE: Duration = Duration::from_mins(1);

/// Looks at the way and notes what there is.
///
/// # Errors
/// The context's own end.
pub(super) async fn look(
    cx: &Context,
    entry: &Entry,
    url: &Url,
    trust: &TlsTrust,
    checkup: &mut Checkup,
) -> Result<(), Error> {
    let seen = match inspect(cx, url, trust).await {
        Ok(seen) => seen,
        Err(error) if error.kind() == ErrorKind::Configuration => {
            let cure = format!("mend {}", entry.short("ca_file"));
            checkup.note(Check::bad(Step::Tls, error.with_causes(), cure));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let place = format!("{}:{}", seen.host, seen.port);
    // A second place on the same host adds nothing about its name.
    if checkup.checks.iter().all(|check| check.step != Step::Name) {
        checkup.note(name(entry, &seen));
    }
    if checkup.is_over() {
        return Ok(());
    }
    checkup.note(connection(entry, &seen, &place));
    if checkup.is_over() {
        return Ok(());
    }
    match &seen.tls {
        Some(seen) => checkup.note(tls(entry, seen, trust, &place)),
        None => checkup.note(plain(entry, seen.reply.as_ref(), url, &place)),
    }
    if !checkup.is_over()
        && checkup.checks.iter().all(|check| check.step != Step::Clock)
        && let Some(reply) = &seen.reply
    {
        checkup.note(clock(reply));
    }
    Ok(())
}

fn name(entry: &Entry, seen: &Inspection) -> Check {
    match &seen.addresses {
        Ok(addresses) => {
            let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            Check::good(Step::Name, format!("{} is {}", seen.host, shown.join(", ")))
        }
        Err(reason) => Check::bad(
            Step::Name,
            format!("{} has no address: {reason}", seen.host),
            format!("check {}, the name service and the VPN", entry.short(entry.server_key())),
        ),
    }
}

fn connection(entry: &Entry, seen: &Inspection, place: &str) -> Check {
    let port = match entry.server_key() {
        "url" => entry.short("url"),
        "host" => format!("{}, {}", entry.short("auth_port"), entry.short("api_port")),
        _ => entry.short("port"),
    };
    match &seen.connection {
        Some(Ok(connected)) => {
            let took = connected.took.as_secs_f64() * 1000.0;
            Check::good(Step::Connection, format!("{} answers in {took:.0} ms", connected.address))
        }
        Some(Err(ConnectFailure::Refused)) => Check::bad(
            Step::Connection,
            format!("nothing listens at {place}: the connection was refused"),
            format!("check the port ({port}) and whether the service runs there"),
        ),
        Some(Err(ConnectFailure::TimedOut)) | None => Check::bad(
            Step::Connection,
            format!("nobody answers at {place}"),
            "check the address, and the firewalls and the VPN on the way",
        ),
        Some(Err(ConnectFailure::Other(reason))) => Check::bad(
            Step::Connection,
            format!("no connection to {place}: {reason}"),
            "check the address, and the network of this machine",
        ),
        Some(Err(_)) => Check::bad(Step::Connection, format!("no connection to {place}"), "check the address"),
    }
}

fn tls(entry: &Entry, seen: &TlsInspection, trust: &TlsTrust, place: &str) -> Check {
    let mut check = match &seen.handshake {
        Handshake::Trusted if trust.is_insecure() => Check::new(
            Step::Tls,
            Finding::Doubtful,
            "the certificate is not checked: whoever sits in between reads the password",
        )
        .cure(format!("remove {} and {}", entry.short("insecure"), ways_to_trust(entry, seen))),
        Handshake::Trusted => {
            let version = seen.version.as_deref().unwrap_or("TLS");
            Check::good(Step::Tls, format!("{version}, the certificate is trusted"))
        }
        Handshake::Refused(refused) => refusal(entry, refused, seen),
        Handshake::PlainHttp => Check::bad(
            Step::Tls,
            format!("{place} speaks plain HTTP where TLS belongs"),
            format!("check the port in {}: the usual one for TLS is 443", entry.short(entry.server_key())),
        ),
        Handshake::Silent => Check::bad(
            Step::Tls,
            format!("{place} takes the connection and then says nothing for 10 s"),
            "the server is overloaded, or something in between swallows TLS: look at the server, and at proxies and firewalls",
        ),
        Handshake::Failed(reason) => Check::bad(
            Step::Tls,
            format!("TLS with {place} failed: {reason}"),
            "check that this is the right port; servers need TLS 1.2 or 1.3",
        ),
        _ => Check::bad(Step::Tls, "TLS failed", "check that this is the right port"),
    };
    let position = |at: usize| if at == 0 { "server" } else { "signed by" };
    check.details = seen.chain.iter().enumerate().map(|(at, one)| format!("{}: {one}", position(at))).collect();
    check
}

fn refusal(entry: &Entry, refused: &RefusedCertificate, seen: &TlsInspection) -> Check {
    let says = format!("the certificate of {} is not trusted: {}", refused.host, refused.rule);
    let cure = match &refused.rule {
        Rule::NotValidYet { .. } => "check the clock of this machine, then that of the server".to_owned(),
        Rule::Expired { .. } => format!("have the certificate renewed; until then {}", pin(entry, seen)),
        Rule::WrongHost { presented } if !presented.is_empty() => format!(
            "name the server as its certificate does ({}) in {}, or {}",
            presented.join(", "),
            entry.short(entry.server_key()),
            pin(entry, seen)
        ),
        Rule::OtherThumbprint { .. } => {
            format!(
                "if the certificate was renewed, compare its thumbprint with the server's console and {}",
                pin(entry, seen)
            )
        }
        _ => ways_to_trust(entry, seen),
    };
    Check::bad(Step::Tls, says, cure)
}

/// Both ways to trust a certificate, with its thumbprint.
fn ways_to_trust(entry: &Entry, seen: &TlsInspection) -> String {
    format!(
        "put the certificate of its authority into a file and name that by {}, or compare the thumbprint with the server's \
         console and {}",
        entry.short("ca_file"),
        pin(entry, seen)
    )
}

fn pin(entry: &Entry, seen: &TlsInspection) -> String {
    match seen.chain.first() {
        Some(server) => format!("set {}={}", entry.short("thumbprint"), server.thumbprint),
        None => format!("set {}", entry.short("thumbprint")),
    }
}

/// A server that is spoken to without TLS.
fn plain(entry: &Entry, reply: Option<&Reply>, url: &Url, place: &str) -> Check {
    let is_here = chaos_http::check_endpoint(url, &TlsTrust::SystemRoots).is_ok();
    match reply {
        Some(Reply::WantsTls) => Check::bad(
            Step::Tls,
            format!("{place} speaks TLS where plain HTTP was expected"),
            match entry.server_key() {
                "host" => format!("set {} to https", entry.short("scheme")),
                key => format!("begin {} with https://", entry.short(key)),
            },
        ),
        Some(Reply::Http { .. }) if is_here => Check::good(Step::Tls, "none, on this machine"),
        Some(Reply::Http { .. }) => {
            Check::new(Step::Tls, Finding::Doubtful, "none: everyone on the way can read the password").cure(
                match entry.server_key() {
                    "host" => format!("put a front with TLS before it and set {} to https", entry.short("scheme")),
                    key => format!("begin {} with https://", entry.short(key)),
                },
            )
        }
        Some(Reply::Silent) => Check::bad(
            Step::Tls,
            format!("{place} takes the connection and then says nothing for 10 s"),
            "the server is overloaded, or something in between swallows the answer: look at the server, and at proxies",
        ),
        _ => Check::bad(
            Step::Tls,
            format!("{place} answers, and not as a web server"),
            "check the port: something else listens there",
        ),
    }
}

fn clock(reply: &Reply) -> Check {
    match reply {
        Reply::Http { clock: Some(skew), .. } if skew.exceeds(TOLERANCE) => {
            Check::new(Step::Clock, Finding::Doubtful, format!("the server's clock is {skew}"))
                .cure("synchronise both clocks by NTP: tokens and certificates depend on them")
        }
        Reply::Http { clock: Some(skew), .. } => Check::good(Step::Clock, format!("the server's clock is {skew}")),
        _ => Check::new(Step::Clock, Finding::Unknown, "the server does not tell its time"),
    }
}
