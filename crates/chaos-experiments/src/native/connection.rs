//! Connection values: those that an experiment writes beside a VM function, and those that overrides give.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chaos_core::{Connection, Origin};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::configuration::CONNECTION_FIELDS;
use crate::native::Reading;
use crate::native::arguments::Arguments;

/// The arguments of a VM function that say how to reach the platform.
pub(crate) const ARGUMENTS: [&str; 7] = CONNECTION_FIELDS;

/// Those of them that decide who gets to see credentials.
const DECIDING: [&str; 5] = ["server", "url", "port", "ca_file", "insecure"];

/// Takes the connection values out of the arguments. They are as trusted as the experiment, unless all that decide
/// about the server were given from outside.
pub(crate) fn read(arguments: &mut Arguments<'_>, secrets: &mut BTreeSet<String>) -> Connection {
    let mut connection = Connection::default();
    connection.origin = if arguments.all_given(&DECIDING) { Origin::Override } else { Origin::ExperimentFile };
    let (url, server) = (arguments.text("url"), arguments.text("server"));
    if url.is_some() && server.is_some() && url != server {
        // Whichever was taken, it would get to see the credentials that are meant for the other.
        arguments.refuse("url", "`url` and `server` name two servers: give one of them");
    }
    connection.endpoint = url.or(server);
    connection.port = arguments.port("port");
    connection.username = arguments.text("username");
    connection.password = arguments.text("password").map(|password| {
        secrets.insert(password.clone());
        SecretString::from(password)
    });
    connection.ca_file = arguments.text("ca_file").map(PathBuf::from);
    connection.insecure = arguments.optional_flag("insecure");
    connection
}

/// Puts the overrides `<platform>_server` and so on over what the experiment says. An override of the server leaves
/// nothing of what the experiment says about another one.
pub(crate) fn with_overrides(
    written: Connection,
    platform: &str,
    reading: &mut Reading<'_>,
    place: &str,
) -> Connection {
    let given: Map<String, Value> = CONNECTION_FIELDS
        .into_iter()
        .filter_map(|field| {
            let name = format!("{platform}_{field}");
            let declared = reading.variables.configuration.contains_key(&name);
            let given = reading.overrides.get(&name).filter(|_| !declared)?;
            Some((field.to_owned(), given.plain()))
        })
        .collect();
    if given.is_empty() {
        return written;
    }
    let mut given = read(&mut Arguments::literal(given, place, reading.findings), reading.secrets);
    if given.endpoint.is_some() || written.is_empty() {
        return given;
    }
    given.endpoint = written.endpoint;
    given.port = given.port.or(written.port);
    given.username = given.username.or(written.username);
    given.password = given.password.or(written.password);
    given.ca_file = given.ca_file.or(written.ca_file);
    given.insecure = given.insecure.or(written.insecure);
    given.origin = written.origin;
    given
}

/// Whether two connections are the same in every value.
pub(crate) fn same_connection(a: &Connection, b: &Connection) -> bool {
    let secret = |connection: &Connection| connection.password.as_ref().map(|text| text.expose_secret().to_owned());
    a.endpoint == b.endpoint
        && a.port == b.port
        && a.username == b.username
        && secret(a) == secret(b)
        && a.ca_file == b.ca_file
        && a.insecure == b.insecure
        && a.origin == b.origin
}
