//! Simulated virtualisation servers for rehearsals and tests: one world of VMs behind vendor front doors.
//!
//! A [`Sim`] is an HTTP server in this process. Its [`World`] knows no vendor; each [`Door`] renders it in the words of a
//! platform: the vSphere Web Services API (vim25 SOAP), the REST API of an oVirt engine, or the Dora inventory service. Any
//! client of that platform can work with it. Things can go wrong on demand: in the world (guests that hang, tasks that
//! fail, hosts that crash) and on the wire ([`WireFault`]). The world has a clock of its own ([`SimClock`]), and everything
//! in it is a pure function of the seed, the VM and the count of operations on that VM.
//!
//! ```
//! use chaos_sim::{OnShutdown, Sim, VmSpec, WireAction, WireFault};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let sim = Sim::builder().seed(7).vm(VmSpec::new("stubborn").on_shutdown(OnShutdown::Hangs)).start().await?;
//! sim.inject(WireFault::new(WireAction::ResetAfter).method("PowerOffVM_Task").object("stubborn"));
//! println!("point a client at {}", sim.url());
//! assert_eq!(sim.world().vm("stubborn")?.operations, 0);
//! sim.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod accounts;
mod clock_seam;
mod control;
mod dora;
mod front;
mod ovirt;
mod sim;
mod vsphere;
mod wire;
mod world;

pub use accounts::{Role, SessionInfo};
pub use ovirt::EngineVersion;
pub use sim::{Builder, Door, Sim, StartError};
pub use vsphere::Flavour;
pub use wire::{Call, Outcome, WireAction, WireFault};
pub use world::{
    App, AppId, AppSpec, Cluster, ClusterId, ClusterSpec, Condition, Datacenter, DatacenterId, DatacenterSpec, Disks,
    Estate, Failure, Folder, FolderId, Guest, GuestPhase, Happening, Hold, Host, HostId, HostState, LogEntry, Note,
    OnReboot, OnShutdown, Operation, Place, Power, Question, Reach, Refusal, SimClock, Task, TaskId, TaskOwner,
    TaskState, Timing, Tools, Vm, VmId, VmPatch, VmRole, VmSpec, World, WorldError,
};
