//! The program as people and scripts meet it: started as a process, against a simulated platform.

mod arguments;
mod defaults;
mod experiment;
mod help;
mod inventory;
mod lab;
mod lazy;
mod platforms;
mod power;
mod program;
mod reference;
mod secrets;
mod sessions;
mod sim;
mod site;
mod transcript;
