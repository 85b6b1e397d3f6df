//! A simulated vCenter in this process, and the program pointed at it.

use std::time::Duration;

use chaos_sim::{Builder, Sim, Timing, VmSpec};
use serde_json::Value;

use crate::program::{Program, Run};

/// A password that must be seen nowhere; with characters that encodings change.
pub(crate) const PASSWORD: &str = "canary-7f3a <&\"'% +";
pub(crate) const USER: &str = "chaos@vsphere.local";

/// Calls that change something.
const CHANGES: [&str; 7] = [
    "PowerOnVM_Task",
    "PowerOffVM_Task",
    "ResetVM_Task",
    "SuspendVM_Task",
    "ShutdownGuest",
    "RebootGuest",
    "StandbyGuest",
];

/// A simulated vCenter and the program pointed at it.
pub(crate) struct Lab {
    pub(crate) sim: Sim,
    pub(crate) program: Program,
}

impl Lab {
    /// The demo estate, in which everything is over within milliseconds.
    pub(crate) async fn demo() -> Self {
        Self::of(Sim::builder()).await
    }

    /// The demo estate and some more VMs.
    pub(crate) async fn with(vms: impl IntoIterator<Item = VmSpec>) -> Self {
        Self::of(vms.into_iter().fold(Sim::builder(), Builder::vm)).await
    }

    pub(crate) async fn of(builder: Builder) -> Self {
        let sim =
            builder.timing(Timing::fast()).credentials(USER, PASSWORD).start().await.expect("the simulator starts");
        let program = Program::new()
            .env("VSPHERE_SERVER", sim.url())
            .env("VSPHERE_USERNAME", USER)
            .env("VSPHERE_PASSWORD", PASSWORD);
        Self { sim, program }
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.program.run(args)
    }

    /// Runs `chaosmonkey platforms ARGS --format json`, which has to end with `code`, and gives what it printed.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str], code: i32) -> Vec<Value> {
        let args: Vec<&str> =
            ["platforms"].into_iter().chain(args.iter().copied()).chain(["--format", "json"]).collect();
        let run = self.run(&args).exits(code);
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
    }

    /// Every call that changes something, as `METHOD VM`.
    pub(crate) fn changes(&self) -> Vec<String> {
        let calls = self.sim.calls().into_iter().filter(|call| CHANGES.contains(&call.method.as_str()));
        calls.map(|call| format!("{} {}", call.method, call.object_name.unwrap_or(call.object))).collect()
    }

    /// Waits for something that another process does to the simulator, at most half a minute.
    pub(crate) async fn until(&self, condition: impl Fn(&Self) -> bool + Send + Sync) {
        let reached = async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.expect("the condition is reached");
    }

    #[track_caller]
    pub(crate) fn is_untouched(&self) {
        assert_eq!(self.changes(), Vec::<String>::new(), "nothing may be touched");
    }

    /// The session is given back at the end.
    #[track_caller]
    pub(crate) fn is_logged_out(&self) {
        assert!(self.sim.sessions().is_empty(), "{:?}", self.sim.sessions());
    }
}
