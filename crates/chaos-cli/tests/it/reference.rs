//! What the program writes about itself: completions for shells, and the pages that the repository holds.

use crate::program::Program;

#[test]
fn every_shell_gets_a_script_that_knows_the_commands_and_their_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = Program::new().run(&["completions", shell]).exits(0);
        assert_eq!(run.stderr, "", "{shell}");
        for word in ["power-off", "graceful-only", "all-platforms", "powered_off"] {
            // PowerShell and elvish have no values.
            let has_values = !["elvish", "powershell"].contains(&shell) || word != "powered_off";
            assert!(!has_values || run.stdout.contains(word), "{word} for {shell}");
        }
    }
}

#[test]
fn bash_accepts_its_script() {
    let program = Program::new();
    let script = program.run(&["completions", "bash"]).exits(0).stdout;
    std::fs::write(program.directory().join("script"), script).expect("it can be written");
    // What is typed so far, and what bash should offer.
    for (typed, offered) in
        [("chaosmonkey platforms power-o", "power-off"), ("chaosmonkey execute --reh", "--rehearse")]
    {
        let words: Vec<&str> = typed.split(' ').collect();
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let ask = format!(
            "set -u; . ./script; COMP_WORDS=({typed}); COMP_CWORD={}; _chaosmonkey chaosmonkey '{last}' '{before}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.len() - 1
        );
        let bash = std::process::Command::new("bash").args(["-c", &ask]).current_dir(program.directory()).output();
        // Without bash there is nothing to accept it.
        let Ok(bash) = bash else { return };
        let reply = String::from_utf8_lossy(&bash.stdout).into_owned();
        assert!(bash.status.success() && reply.lines().any(|line| line == offered), "{typed}: {reply:?} {bash:?}");
    }
}

#[test]
fn the_schema_is_json_and_nothing_else() {
    let run = Program::new().run(&["schema"]).exits(0);
    assert_eq!(run.stderr, "");
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["title"]["type"], "string");
}

#[test]
fn a_shell_that_nobody_knows_is_refused_with_those_that_are() {
    Program::new().run(&["completions", "csh"]).exits(2).says("bash, elvish, fish, powershell, zsh");
}

#[test]
fn the_reference_is_written_whole_and_the_same_each_time() {
    let program = Program::new();
    let read = |name: &str| std::fs::read_to_string(program.directory().join(name)).expect("it is there");
    program.run(&["reference", "--out", "one"]).exits(0).says("files to one");
    program.run(&["reference", "--out", "two"]).exits(0);
    for name in ["configuration.md", "chaosmonkey.yaml", ".env.platforms.example", "man/chaosmonkey.1"] {
        let (one, two) = (read(&format!("one/{name}")), read(&format!("two/{name}")));
        assert!(!one.is_empty() && one == two, "{name}");
    }
    assert!(read("one/configuration.md").contains("`VSPHERE_SERVER`"));
    assert!(read("one/man/chaosmonkey-platforms-power-off.1").contains("graceful"));
    program.run(&["reference", "--out", "one/chaosmonkey.yaml"]).exits(1).says("cannot write one/chaosmonkey.yaml/");
}

#[test]
fn the_reference_is_a_chore_and_no_command_for_users() {
    assert!(!Program::new().run(&["--help"]).exits(0).stdout.contains("reference"));
}

#[test]
fn the_stubs_are_python_and_have_every_function() {
    let program = Program::new();
    program.run(&["reference", "--stubs", "--out", "stubs"]).exits(0).says("wrote 4 files to stubs");
    for module in ["chaosmonkey/vm.py", "chaosmonkey/stubs/actions.py"] {
        let text = std::fs::read_to_string(program.directory().join("stubs").join(module)).expect("it is there");
        for function in chaos_experiments::native_functions() {
            assert!(text.contains(&format!("\ndef {}(platform_type, ", function.name)), "{module}: {}", function.name);
        }
        // `except` is a word of Python.
        assert!(text.contains("def vm_group_powered_on(platform_type, group, ") && text.contains("**others"), "{text}");
    }
    let import = "import chaosmonkey.vm, chaosmonkey.stubs.actions";
    let mut python = std::process::Command::new("python3");
    python.args(["-c", import]).current_dir(program.directory().join("stubs"));
    // Without Python there is nothing to accept them.
    let Ok(python) = python.output() else { return };
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
}
