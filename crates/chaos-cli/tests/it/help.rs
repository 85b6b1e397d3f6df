//! What a person reads first.

use crate::program::Program;

fn help(args: &[&str]) -> String {
    let run = Program::new().run(args).exits(0);
    assert_eq!(run.stderr, "", "help is data and goes to stdout");
    run.stdout
}

#[test]
fn of_the_program() {
    insta::assert_snapshot!("help", help(&["--help"]));
}

#[test]
fn of_the_platforms() {
    insta::assert_snapshot!("help_platforms", help(&["platforms", "--help"]));
}

#[test]
fn of_discover_vms() {
    insta::assert_snapshot!("help_discover_vms", help(&["platforms", "discover-vms", "--help"]));
}

#[test]
fn of_power_off() {
    insta::assert_snapshot!("help_power_off", help(&["platforms", "power-off", "--help"]));
}

#[test]
fn of_execute() {
    insta::assert_snapshot!("help_execute", help(&["execute", "--help"]));
}

#[test]
fn of_sim_serve() {
    insta::assert_snapshot!("help_sim_serve", help(&["sim", "serve", "--help"]));
}

#[test]
fn every_command_has_help_of_one_line() {
    let commands = ["discover-vms", "vm-info", "power-on", "power-off", "reboot", "suspend", "summary"];
    for command in commands {
        assert!(help(&["platforms", command, "-h"]).lines().next().is_some_and(|line| line.len() > 5), "{command}");
    }
}
