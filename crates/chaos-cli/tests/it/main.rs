//! The program as people and scripts meet it: started as a process, against a simulated platform.

mod arguments;
mod help;
mod inventory;
mod lab;

mod power;
mod program;
mod sim;
