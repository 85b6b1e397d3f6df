//! Chaos Toolkit compatible experiments on virtual machines, with native actions and an undo that is never left out.
//!
//! An experiment goes through stages, each a value that can be looked at:
//!
//! 1. [`Document`]: a JSON or YAML file as it is written, or a [`Template`] that was rendered.
//! 2. [`Experiment`]: the same, checked ([`Findings`] tell all that is wrong at once), with configuration, secrets and
//!    [`Overrides`] in their places.
//! 3. [`ResolvedExperiment`]: every VM that it names was found, in one discovery for each platform. Its [`Plan`] shows
//!    what would be touched. Up to here everything only reads, so that an [`ExperimentError`] means that nothing was
//!    touched.
//! 4. [`ResolvedExperiment::run`]: the run. Its only output is a stream of [`RunEvent`](chaos_core::RunEvent)s to an
//!    [`EventSink`](chaos_core::EventSink), which has to accept the record of a call before the call leaves. The
//!    [`Journal`] is a pure fold over the events, and the [`RunReport`] says how it ended.
//!
//! The engine gets its platforms through a [`PlatformSource`](chaos_core::PlatformSource) and knows none of them.
//!
//! # A run
//!
//! There are two sets of [`Rules`]. By [`Rules::Compat`] a run goes as one of Chaos Toolkit does, in all that its users rely on.
//! By [`Rules::Strict`], the default, it goes so:
//!
//! 1. The steady-state hypothesis is checked. If it is not met, nothing is touched.
//! 2. The method runs. The first activity that fails or misses its tolerance ends it.
//! 3. The hypothesis is checked again: if it is not met now, the system has deviated.
//! 4. The declared rollbacks are played, also after a failure and after an interruption. `vm_restore` is the one that
//!    fits every VM: it plays the undo of each.
//! 5. Every VM that a call was sent to is put back to the state that the run found it in, the last one first, and is
//!    read once more. A rollback that succeeded leaves nothing to do but to read. A VM that may still go down, because its guest was asked to and nobody can call that back, is
//!    watched before. What cannot be put back is in [`RunReport::left_changed`].
//!
//! # Native functions
//!
//! Provider type `python` with module `chaosmonkey.vm`, or `chaosmonkey.stubs.actions` as in experiments of the Python
//! tool, runs in this process and needs no Python. All take `platform_type` and the connection values `url` or `server`,
//! `username`, `password`, `port`, `ca_file` and `insecure`. VMs are written in the notation of
//! [`TargetPattern`](chaos_core::TargetPattern), and each has to mean exactly one VM. Several are a list, or one text with
//! commas between them; one that is named twice counts once.
//!
//! | function | arguments | gives |
//! |---|---|---|
//! | `vm_power_off`, `vm_reboot` | `vm_name`, `graceful` (true), `timeout` (300 s), `hard_timeout` (60 s) | what happened |
//! | `vm_power_on`, `vm_suspend` | `vm_name`, `timeout` (300 s) | what happened |
//! | `vm_batch_power_off` | `vm_names`, `parallel` (5), and as `vm_power_off` | a list: what happened to each |
//! | `vm_restore` | `vm_names` | a list: how each came back to the state that the run found it in |
//! | `vm_exists` | `vm_name` | whether it is there |
//! | `vm_is_manageable` | `vm_name` | whether it is there and can be managed |
//! | `vm_power_state` | `vm_name` | `powered_on`, `powered_off`, `suspended` or `unknown` |
//! | `vm_batch_is_manageable` | `vm_names` | whether all of them are there and can be managed |
//! | `vm_batch_power_state` | `vm_names` | the state that all of them are in, or `mixed` |
//! | `vm_group_powered_on` | `group` (any target notation), `except` (list) | whether all of them are on |
//! | `vm_tools_state` | `vm_name` | `running`, `not_running`, `not_installed` or `unknown` |
//! | `vm_boot_time` | `vm_name` | for how many seconds it has been powered on |
//! | `vm_count` | `group` (any target notation), `power_state` | how many there are, in that state if one is given |
//!
//! ## VMs at random
//!
//! In the place of a VM, `vm_name`, `vm_names` and `except` take a mapping: `{"random": "web-*", "count": 2, "seed": 7}` are two
//! VMs of the group `web-*`, drawn from those that are powered on and manageable when the experiment begins. `datacenter`,
//! `cluster` and `host` narrow the group. `count` is 1 if it is not given, and always with `vm_name`. The same seed on the same
//! estate draws the same VMs; without one, the experiment has one of its own. So all activities with the same mapping mean the
//! same VMs. What was drawn is in the [`Plan`], and as `drawn` with each activity in log and journal, with all that could have been.
//! A draw sorts the VMs by path and id, and shuffles them (Fisher-Yates) by [`SeededRandom`](chaos_core::SeededRandom).
//!
//! ## VMs by a selector
//!
//! In the same places `{"select": "cluster:prod and not db-* take 2 at random"}` is what a [`Selection`](chaos_core::Selection)
//! means among all VMs of the platform when the experiment begins: without `take` all that fit, and for `vm_name` exactly one. The
//! seed is that of the text, else the `seed` beside it, else that of the experiment. With `"empty": true` there may be no VM that
//! fits; then the activity does nothing and says so, and its tolerance is not looked at. What was chosen is told as above.
//!
//! # Processes, requests and other Python
//!
//! Providers of type `process`, `http` and `python` work as in Chaos Toolkit, as probes and as actions. How a process ends
//! and the status of an answer are output, to be judged by a tolerance, and no failure.
//!
//! | provider | fields | gives | limit |
//! |---|---|---|---|
//! | `process` | `path`, `arguments` (a list, or one text for `/bin/sh`), `timeout` | `status`, `stdout`, `stderr` | 1 h |
//! | `python` | `module`, `func`, `arguments`, `secrets` (scopes) | what the function returns | none |
//! | `http` | `url`, `method`, `headers`, `arguments`, `timeout`, `verify_tls`, `max_retries` | `status`, `headers`, `body` | 60 s |
//!
//! * A process has no input. Of each output 1 MiB is kept, and `stdout_bytes_left_out` says how much came after it. When
//!   its time is over or the run is told to stop, it is killed with everything that it started.
//! * `timeout` of `http` is the time to connect and the longest silence, or a list of both; the whole takes no longer than
//!   60 s, or both together if that is more. Names of headers are given as in `Content-Type` and
//!   found by a tolerance in any case, `Set-Cookie` is masked, an answer
//!   of more than 8 MiB is a failure, and `.netrc` is not read.
//! * Functions of all other Python modules run in one Python process for the whole run, which is `python3` of the `PATH`, 3.8
//!   or newer, or the one that `CHAOSMONKEY_PYTHON` names in [`Inputs::environment`]. An exception is a failure of the
//!   activity; what JSON cannot hold becomes a text, and more than 16 MiB is a failure. When its time is over or the run is told
//!   to stop, a function gets a `KeyboardInterrupt`, and half a second later Python is killed with everything that it started.
//!   What it prints is logged. [`Experiment::check_python`] tells beforehand what does not fit.
//! * What such an action does **has no [`Undo`](chaos_core::Undo)**: plan, events and report say so, and only a declared
//!   rollback can mend it. A rehearsal never runs one, and probes only with [`Inputs::rehearse_probes`].
//! * Other types of providers are those that a program brings along: [`Provider`], [`Inputs::providers`].
//!
//! # Beyond Chaos Toolkit
//!
//! [`Extension::ALL`] is what an experiment may say that Chaos Toolkit does not know: outputs of earlier steps, groups that go on
//! at once, `until`, `retry`, and probes of the module `chaosmonkey.probes`, which look at names, ports and certificates without
//! Python. [`Rules::Compat`] warns of it, or refuses it.
//!
//! # What stops a run, and what outlives it
//!
//! * `stop-conditions`, beside the method, is a list of probes with a tolerance that are looked at all along, each every
//!   `frequency` seconds (1 if it is not given, 0.1 at least). The first that does not hold, or cannot be told, stops the run.
//!   Chaos Toolkit ignores the key.
//! * So does a [`HaltFlag`](chaos_core::HaltFlag) in [`RunOptions::halt`], and a lease that is lost of those in
//!   [`RunOptions::claim`]. What was changed is put back then as after a cancellation, and [`Journal::stop`] says why and how long
//!   it took. Nothing stops putting things back but [`RunOptions::stop_repair`].
//! * `policy`, beside the method, is a list of [`Rule`](chaos_core::Rule)s that narrow what the guard in [`RunOptions::guard`]
//!   allows. Chaos Toolkit ignores the key.
//! * A run whose sink is that of a [`RunLog`](chaos_core::RunLog) can be put back by another process, from its events alone:
//!   [`Recovery`].
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use chaos_core::Context;
//! use chaos_experiments::{Experiment, ExperimentError, Inputs, MemorySink, Overrides, RunOptions, Template, Verdict};
//! # use chaos_core::{PlatformKind, PlatformSource, SystemClock};
//! # use chaos_testkit::{EstateSpec, MemoryEstate, MemorySource};
//!
//! # fn estate() -> impl PlatformSource {
//! #     let spec = EstateSpec::of(["web-01", "web-02"]);
//! #     MemorySource::of("vsphere", &MemoryEstate::of_kind(PlatformKind::VSPHERE, &spec, SystemClock::shared()))
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ExperimentError> {
//! let source = estate(); // a `PlatformSource`, such as the orchestrator
//! let cx = Context::with_timeout(Duration::from_secs(600));
//!
//! let overrides = Overrides::parse(["vm_name=web-01", "group=web-*"])?;
//! let (document, connection) = Template::find("vsphere-vm-poweroff")?.render(&overrides)?;
//! let experiment = Experiment::new(&document, &Inputs::new(connection))?;
//! let resolved = experiment.resolve(&cx, &source).await?;
//! println!("{}", resolved.plan());
//!
//! let sink = MemorySink::default();
//! let report = resolved.run(&cx, &sink, &RunOptions::default()).await;
//! assert_eq!(report.verdict, Verdict::Completed);
//! assert_eq!(report.journal.run[0].output["outcome"], "guest_shutdown");
//! # Ok(())
//! # }
//! ```

mod activity;
mod again;
mod claim;
mod configuration;
mod controls;
mod declared;
mod document;
mod draw;
mod earlier;
mod engine;
mod error;
mod experiment;
mod extensions;
mod fetch;
mod guarded;
mod injected;
mod inputs;
mod journal;
mod jsonpath;
mod late;
mod loader;
mod mask;
mod measure;
mod native;
mod notify;
mod outlook;
mod parallel;
mod plan;
mod planned;
mod provider;
mod python;
mod reading;
mod recovery;
#[cfg(test)]
mod reference;
mod report;
mod resolve;
mod rules;
mod schema;
mod selected;
mod sink;
mod steps;
mod strategy;
mod substitute;
mod templates;
mod tolerance;
mod validation;

pub use claim::Claim;
pub use controls::GlobalControls;
pub use document::Document;
pub use draw::{Drawn, any_seed};
pub use error::{ExperimentError, Finding, Findings, LoadError, Severity};
pub use experiment::{Experiment, NamedVm, NotRehearsed};
pub use extensions::{Extension, Reach};
pub use fetch::FetchOptions;
pub use inputs::{Environment, Inputs, Overrides, ValueType};
pub use journal::{ActivityRecord, Journal, JournalFile, SteadyState, SteadyStates, StopRecord};
pub use loader::Position;
pub use measure::Measured;
pub use native::{NativeFunction, native_functions, native_modules};
pub use notify::{Notice, Notifications};
pub use outlook::{BlastRadius, Outlook, Share, Slack};
pub use plan::{Plan, PlanStep, PlanVm};
pub use planned::{Drift, PlanRecord, Planned};
pub use provider::{Provider, Providers};
pub use recovery::{RecoverOptions, Recovered, RecoveredTarget, Recovery, RecoveryReport};
pub use report::{LeftChanged, RunOptions, RunReport, Verdict, WithoutUndo};
pub use resolve::ResolvedExperiment;
pub use rules::Rules;
pub use schema::schema;
pub use sink::{MemorySink, Sinks};
pub use strategy::{Dry, HypothesisStrategy, RollbackStrategy, Schedule, Strategies};
pub use templates::{Parameter, ParameterKind, Template, Templates};
