//! Several simulated servers in one settings file, and the program pointed at it.

use std::fs;

use chaos_sim::Sim;
use serde_json::{Map, Value, json};

use crate::lab::{PASSWORD, USER};
use crate::program::{Program, Run};

/// A directory with a settings file, and the program in it.
pub(crate) struct Site {
    entries: Map<String, Value>,
    chaos: Value,
    pub(crate) program: Program,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self { entries: Map::new(), chaos: json!({}), program: Program::new() }
    }

    /// One more entry.
    pub(crate) fn entry(mut self, name: &str, entry: Value) -> Self {
        self.entries.insert(name.to_owned(), entry);
        self.write();
        self
    }

    /// The section `chaos`.
    pub(crate) fn chaos(mut self, chaos: Value) -> Self {
        self.chaos = chaos;
        self.write();
        self
    }

    fn write(&self) {
        let settings = json!({"platforms": self.entries, "chaos": self.chaos});
        let path = self.program.directory().join("chaosmonkey.json");
        fs::write(&path, serde_json::to_string_pretty(&settings).expect("JSON")).expect("a writable directory");
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.program.run(args)
    }
}

/// An entry for a simulated vCenter, with the account of the [`lab`](crate::lab).
pub(crate) fn vcenter(sim: &Sim) -> Value {
    json!({"type": "vsphere", "server": sim.url(), "username": USER, "password": PASSWORD})
}

/// The same for an engine.
pub(crate) fn engine(sim: &Sim) -> Value {
    json!({"type": "olvm", "url": sim.url(), "username": USER, "password": PASSWORD})
}

/// The same for a Dora service.
pub(crate) fn dora(port: u16) -> Value {
    json!({"host": "127.0.0.1", "api_port": port, "auth_port": port, "username": USER, "password": PASSWORD})
}

/// A port at which nothing listens.
pub(crate) fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has one").port()
}
