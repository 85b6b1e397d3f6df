//! Arguments and settings that cannot work: exit 2, before anything is connected.

use std::fs;

use crate::program::Program;

#[test]
fn unknown_commands_and_options_exit_2() {
    for args in [
        &["nonsense"][..],
        &["platforms", "power-off", "web-01", "--now"],
        &["platforms", "power-off", "web-01", "--graceful", "--force"],
        &["platforms", "power-off", "web-01", "--graceful-only", "--hard-timeout", "5"],
        &["platforms", "power-off", "web-01", "--timeout", "soon"],
        &["platforms", "power-off", "web-01", "--parallel", "0"],
        &["platforms", "discover-vms", "--format", "xml"],
        &["platforms", "discover-vms", "--state", "sleeping"],
        &["platforms", "discover-vms", "--name", "re:("],
        &["execute"],
        &["execute", "--rehearse-probes", "--chaos-type", "vsphere-vm-reboot"],
        &["sim", "serve", "--vms", "-1"],
        &[],
    ] {
        let run = Program::new().run(args).exits(2);
        assert_eq!(run.stdout, "", "{args:?}");
    }
}

#[test]
fn a_power_command_without_a_vm_never_means_all() {
    let run = Program::new().run(&["platforms", "power-off"]).exits(2);
    run.says("error: no VM is named").says("hint: name VMs");
}

#[test]
fn missing_settings_are_named_with_the_way_to_give_them() {
    let run = Program::new().run(&["platforms", "discover-vms"]).exits(2);
    run.says("error: ").says("VSPHERE_SERVER").says(".env");
}

#[test]
fn wrong_settings_are_named_by_variable() {
    let program = Program::new().env("VSPHERE_INSECURE", "perhaps");
    program.run(&["platforms", "discover-vms"]).exits(2).says("VSPHERE_INSECURE").says("use true or false");
}

#[test]
fn the_dotenv_file_of_the_working_directory_is_read() {
    let program = Program::new();
    fs::write(program.directory().join(".env"), "VSPHERE_PORT=many\n").unwrap();
    program.run(&["platforms", "discover-vms"]).exits(2).says("VSPHERE_PORT (in .env:1)");
}

#[test]
fn an_unknown_platform_is_refused_with_the_known_ones() {
    let program = Program::new();
    program.run(&["platforms", "discover-vms", "--platform", "hyperv"]).exits(2).says("use one of dora, olvm, vsphere");
}

#[test]
fn an_override_that_cannot_be_read_is_not_repeated() {
    let run = Program::new()
        .run(&["execute", "--chaos-type", "vsphere-vm-poweroff", "--override", "vsphere_password:hunter2"])
        .exits(2)
        .says("NAME=VALUE");
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
}

#[test]
fn a_log_filter_that_cannot_be_read_exits_2() {
    let program = Program::new().env("CHAOS_LOG", "chaos=loudly");
    program.run(&["platforms", "discover-vms"]).exits(2).says("CHAOS_LOG");
}

#[test]
fn a_server_that_cannot_be_plain_http_is_refused_before_anything_is_sent() {
    let program = Program::new()
        .env("VSPHERE_SERVER", "http://vc.example.com")
        .env("VSPHERE_USERNAME", "chaos")
        .env("VSPHERE_PASSWORD", "chaos");
    program.run(&["platforms", "discover-vms"]).exits(2);
}
