//! Module `chaosmonkey.probes`: looks at names, ports and certificates that need no Python.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind};
use serde_json::{Map, Value};
use tokio::net::{TcpStream, lookup_host};

use super::Fields;
use crate::extensions::Extension;
use crate::native::{Arguments, target_texts};

/// The module of these functions.
pub(crate) const MODULE: &str = "chaosmonkey.probes";

/// How long a look takes at most that does not say.
const LIMIT: Duration = Duration::from_secs(10);
const SECONDS_A_DAY: f64 = 86_400.0;

/// A look to be made.
#[derive(Debug, Clone)]
pub(crate) struct NativeProbe {
    what: What,
    limit: Duration,
}

#[derive(Debug, Clone)]
enum What {
    /// Whether a port takes connections.
    TcpConnects { host: String, port: u16 },
    /// The addresses of a name, or whether they are the expected ones.
    DnsLookup { name: String, expected: Option<BTreeSet<IpAddr>> },
    /// For how many days the certificate of a server is valid.
    TlsDaysLeft { host: String, port: u16 },
}

const FUNCTIONS: [(&str, &[&str]); 3] = [
    ("tcp_connects", &["host", "port", "timeout"]),
    ("dns_lookup", &["name", "expected", "timeout"]),
    ("tls_days_left", &["host", "port", "timeout"]),
];

impl NativeProbe {
    /// Whether a provider names a function of this module.
    pub(super) fn is_named(provider: &Map<String, Value>) -> bool {
        provider.get("module").and_then(Value::as_str) == Some(MODULE)
    }

    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let place = format!("{}/module", fields.place);
        let rules = (fields.reading.rules, fields.reading.names_extensions);
        fields.reading.findings.extend(Extension::PROBES.used_by(place, rules));
        let function = fields.required_text("func")?;
        let Some((function, known)) = FUNCTIONS.into_iter().find(|(name, _)| *name == function) else {
            let names = FUNCTIONS.map(|(name, _)| name).join(", ");
            fields.refuse("func", format!("the module `{MODULE}` has {names}, and no `{function}`"));
            return None;
        };
        let none = Map::new();
        let declared = match fields.get("arguments") {
            None => &none,
            Some(Value::Object(declared)) => declared,
            Some(_) => {
                fields.refuse("arguments", "arguments are a mapping of names to values");
                return None;
            }
        };
        let place = format!("{}/arguments", fields.place);
        let mut arguments = Arguments::new(declared, &place, fields.reading.variables, fields.reading.findings);
        let limit = arguments.seconds("timeout", LIMIT);
        let what = match function {
            "tcp_connects" => {
                let (host, port) = (arguments.required_text("host"), arguments.port("port"));
                if port.is_none() && !declared.contains_key("port") {
                    arguments.refuse("port", "this argument is missing");
                }
                host.zip(port).map(|(host, port)| What::TcpConnects { host, port })
            }
            "dns_lookup" => {
                let (name, expected) = (arguments.required_text("name"), arguments.value("expected"));
                let expected = match expected {
                    None => Some(None),
                    Some(expected) => {
                        let addresses = addresses(&expected);
                        if addresses.is_none() {
                            arguments.refuse("expected", "this has to be a list of IP addresses");
                        }
                        addresses.map(Some)
                    }
                };
                name.zip(expected).map(|(name, expected)| What::DnsLookup { name, expected })
            }
            _ => {
                let host = arguments.required_text("host");
                let port = if declared.contains_key("port") { arguments.port("port") } else { Some(443) };
                host.zip(port).map(|(host, port)| What::TlsDaysLeft { host, port })
            }
        };
        arguments.finish_with(function, known, "");
        Some(Self { what: what?, limit: limit? })
    }

    /// What it does, in words. May hold secrets.
    pub(super) fn words(&self) -> String {
        match &self.what {
            What::TcpConnects { host, port } => format!("connects to port {port} of {host}"),
            What::DnsLookup { name, .. } => format!("looks {name} up"),
            What::TlsDaysLeft { host, port } => format!("looks at the certificate at port {port} of {host}"),
        }
    }

    /// Makes the look.
    ///
    /// # Errors
    /// If the time of the activity is over before that of the look, or there is no certificate to look at.
    pub(super) async fn run(&self, cx: &Context) -> Result<Value, Error> {
        let limited = cx.limit(self.limit);
        let doing = self.words();
        match &self.what {
            What::TcpConnects { host, port } => {
                let connected = limited.bounded(&doing, TcpStream::connect((bare(host), *port))).await;
                cx.check(&doing)?;
                Ok(matches!(connected, Ok(Ok(_))).into())
            }
            What::DnsLookup { name, expected } => {
                let found = limited.bounded(&doing, lookup_host((bare(name), 0))).await;
                cx.check(&doing)?;
                let found: BTreeSet<IpAddr> = match found {
                    Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "a name was not found");
                        BTreeSet::new()
                    }
                    Err(error) => return Err(error),
                };
                Ok(match expected {
                    Some(expected) => (found == *expected).into(),
                    None => found.iter().map(IpAddr::to_string).collect(),
                })
            }
            What::TlsDaysLeft { host, port } => {
                let chain = limited.bounded(&doing, chaos_http::certificates(&limited, bare(host), *port)).await??;
                let last = chain.first().and_then(|certificate| certificate.not_after);
                let last = last.ok_or_else(|| Error::new(ErrorKind::Protocol, "its certificate cannot be read"))?;
                let days = last.duration_since(cx.now()).as_secs_f64() / SECONDS_A_DAY;
                Ok(((days * 100.0).round() / 100.0).into())
            }
        }
    }
}

/// An IPv6 address may stand in brackets.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn addresses(value: &Value) -> Option<BTreeSet<IpAddr>> {
    target_texts(value)?.iter().map(|text| text.parse().ok()).collect()
}
