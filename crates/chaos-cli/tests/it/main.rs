//! The program as people and scripts meet it: started as a process, against a simulated platform. It has to have all kinds of
//! platforms; what each is without the others is tested in `chaos-orchestrator`.

#![cfg(all(feature = "vsphere", feature = "olvm", feature = "dora"))]

mod again;
mod arguments;
#[cfg(unix)]
mod crash;
mod defaults;
mod experiment;
mod help;
mod inventory;
mod lab;
mod lazy;
mod notifications;
mod old_tool;
mod own_templates;
mod platforms;
mod policy;
mod power;
mod program;
#[cfg(target_os = "linux")]
mod recovery;
mod reference;
mod secrets;
mod selects;
mod sessions;
mod sim;
mod site;
#[cfg(target_os = "linux")]
mod terminal;
mod toolkit;
mod transcript;
