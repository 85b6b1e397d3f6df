//! Who wins where several sources give a value, and that its origin is told.

use std::fs;
use std::path::{Path, PathBuf};

use chaos_http::TlsTrust;
use chaos_orchestrator::{Details, SecretSource, ServerSettings, Settings, Sources};
use secrecy::ExposeSecret;
use tempfile::TempDir;

/// A machine with every kind of source in it.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a writable directory");
        fs::write(&path, text).expect("a writable directory");
        owned(&path);
        self
    }

    fn sources(&self) -> Sources {
        Sources::none()
            .system(self.path("etc"))
            .user(self.path("home"))
            .project(self.path("work"))
            .dotenv(self.path("work/.env"))
    }
}

/// As a person's own file is: readable and writable by nobody else.
fn owned(path: &Path) {
    #[cfg(unix)]
    mode(path, 0o600);
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(unix)]
fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn vsphere(settings: &Settings) -> ServerSettings {
    match settings.entry("vsphere").expect("it is always there").details {
        Details::VSphere(server) => server,
        other => panic!("{other:?}"),
    }
}

fn origin(settings: &Settings, key: &str) -> String {
    let value = settings.values().iter().find(|value| value.key == key);
    value.map(|value| value.origin.to_string()).unwrap_or_default()
}

fn refusal(sources: Sources) -> String {
    sources.load().expect_err("these settings should be refused").to_string()
}

#[test]
fn each_source_goes_before_those_below_it() {
    let yaml = |port: u16| format!("platforms:\n  vsphere:\n    port: {port}\n");
    let machine = Machine::new()
        .write("etc/chaosmonkey.yaml", &yaml(1001))
        .write("home/chaosmonkey.toml", "[platforms.vsphere]\nport = 1002\n")
        .write("work/chaosmonkey.json", "{\"platforms\": {\n\"vsphere\": {\"port\": 1003}}}")
        .write("other.yml", &yaml(1004))
        .write("work/.env", "# lab\nVSPHERE_PORT=1005\n");
    let all = || {
        machine.sources().config(machine.path("other.yml")).variables([("VSPHERE_PORT", "1006")]).flag(
            "platforms.vsphere.port",
            "1007".into(),
            "--set",
        )
    };
    let only = |without: &[&str]| {
        for name in without {
            let _ = fs::remove_file(machine.path(name));
        }
        machine.sources()
    };
    let here = |name: &str| machine.path(name).display().to_string();
    // From the top down, each time without what won before.
    let steps: [_; 7] = [
        (all().load(), 1007, "--set".to_owned()),
        (machine.sources().variables([("VSPHERE_PORT", "1006")]).load(), 1006, "environment VSPHERE_PORT".to_owned()),
        (machine.sources().load(), 1005, format!("{}:2 VSPHERE_PORT", here("work/.env"))),
        (only(&["work/.env"]).config(machine.path("other.yml")).load(), 1004, format!("{}:3", here("other.yml"))),
        (only(&["work/.env"]).load(), 1003, format!("{}:2", here("work/chaosmonkey.json"))),
        (only(&["work/chaosmonkey.json"]).load(), 1002, format!("{}:2", here("home/chaosmonkey.toml"))),
        (only(&["home/chaosmonkey.toml"]).load(), 1001, format!("{}:3", here("etc/chaosmonkey.yaml"))),
    ];
    for (settings, port, place) in steps {
        let settings = settings.unwrap_or_else(|error| panic!("{port}: {error}"));
        assert_eq!(vsphere(&settings).port, Some(port));
        assert_eq!(origin(&settings, "platforms.vsphere.port"), place);
    }
    let settings = only(&["etc/chaosmonkey.yaml"]).variables([("VSPHERE_SERVER", "vc")]).load().unwrap();
    assert_eq!(vsphere(&settings).port, None);
    assert_eq!(origin(&settings, "platforms.vsphere.port"), "default");
}

#[test]
fn a_file_is_taken_value_by_value() {
    let machine = Machine::new()
        .write("home/chaosmonkey.yaml", "platforms: {vsphere: {username: ann, password: secret, port: 1}}\n")
        .write("work/chaosmonkey.yaml", "platforms: {vsphere: {server: vc.example.com, port: 2}}\n");
    let server = vsphere(&machine.sources().load().unwrap());
    assert_eq!((server.username.as_deref(), server.port), (Some("ann"), Some(2)));
    assert_eq!(server.server.unwrap().host_str(), Some("vc.example.com"));
    assert!(server.password.is_some());
}

#[test]
fn words_for_no_mean_no_in_every_language() {
    for (name, text) in [
        ("a.yaml", "chaos: {dry_run: \"false\"}"),
        ("a.yaml", "chaos: {dry_run: no}"),
        ("a.yaml", "chaos: {dry_run: 0}"),
        ("a.json", "{\"chaos\": {\"dry_run\": \"false\"}}"),
        ("a.json", "{\"chaos\": {\"dry_run\": false}}"),
        ("a.toml", "[chaos]\ndry_run = 0\n"),
        ("a.toml", "[chaos]\ndry_run = \"off\"\n"),
    ] {
        let machine = Machine::new().write(name, text);
        let settings = Sources::none().config(machine.path(name)).load().unwrap();
        assert_eq!(settings.chaos.dry_run, None, "{text}");
    }
    let machine = Machine::new().write("a.yaml", "chaos:\n  dry_run: yes\n");
    let settings = Sources::none().config(machine.path("a.yaml")).load().unwrap();
    assert!(settings.chaos.dry_run.unwrap().to_string().ends_with("a.yaml:2"));
}

#[test]
fn a_wrong_value_is_named_by_file_and_line() {
    for (name, text, line) in [
        ("a.yaml", "# lab\nplatforms:\n  vsphere:\n    server: vc\n    port: https\n", 5),
        ("a.json", "{\n \"platforms\": {\n  \"vsphere\": {\n   \"port\": 70000 } } }", 4),
        ("a.toml", "[platforms.vsphere]\n# none\nport = \"x\"\n", 3),
        ("a.yaml", "platforms:\n  vsphere:\n    port: [443]\n", 3),
    ] {
        let machine = Machine::new().write(name, text);
        let error = refusal(Sources::none().config(machine.path(name)));
        let place = format!("platforms.vsphere.port (in {}:{line})", machine.path(name).display());
        assert!(error.starts_with(&place) && error.contains("1 to 65535"), "{error}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_what_was_meant() {
    let text = "platforms:\n  vsphere:\n    pasword: hunter2\n    port: 0\n  lab:\n    server: vc\n  vpshere: {server: a}\n\
                \x20 dora:\n    environments:\n      EPB-Prod: {vcentre: x, patternPath: y}\n    host: {name: a}\nchoas:\n  dry_run: true\n\
                chaos: true\nnomad: {address: x}\n";
    let machine = Machine::new().write("a.yaml", text);
    let error = Sources::none().config(machine.path("a.yaml")).load().unwrap_err();
    let said = error.to_string();
    for expected in [
        "platforms.vsphere.pasword (in FILE:3) is not known: did you mean `password`?",
        "platforms.vsphere.port (in FILE:4) is not understood",
        "platforms.lab (in FILE:5) is not known: an entry of this name needs a `type`",
        "platforms.vpshere (in FILE:7) is not known: did you mean `vsphere`?",
        "platforms.dora.environments.EPB-Prod.vcentre (in FILE:10) is not known: did you mean `vcenter`?",
        "platforms.dora.environments.EPB-Prod.patternPath (in FILE:10) is not known: did you mean `pattern_path`?",
        "platforms.dora.host (in FILE:11) is not understood: it has to be a value",
        "choas (in FILE:12) is not known: did you mean `chaos`?",
        "chaos (in FILE:14) is not understood: it has to be a section",
    ] {
        let expected = expected.replace("FILE", &machine.path("a.yaml").display().to_string());
        assert!(said.contains(&expected), "{expected}\n{said}");
    }
    assert_eq!(error.all().len(), 9, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn entries_of_any_name_carry_their_type() {
    let text =
        "platforms:\n  east: {type: vsphere, server: east.example.com}\n  west: {type: olvm, url: west.example.com}\n";
    let machine = Machine::new()
        .write("home/chaosmonkey.yaml", text)
        .write("work/chaosmonkey.yaml", "platforms:\n  east:\n    username: bob\n");
    let settings = machine.sources().load().unwrap();
    let kinds: Vec<_> = settings.entries().map(|entry| (entry.name.as_str(), entry.kind().as_str())).collect();
    assert_eq!(kinds, [("east", "vsphere"), ("west", "olvm")]);
    for (text, said) in [
        ("platforms: {vsphere: {type: olvm}}", "is of this type"),
        ("platforms: {east: {type: vcenter}}", "a type is vsphere, olvm or dora"),
        ("platforms: {\"ea st\": {type: vsphere}}", "an entry's name has letters"),
        ("platforms: {west: {type: olvm, server: x}}", "platforms.west.server"),
        ("platforms: [vsphere]", "it has to be a section"),
        ("platforms: {vsphere: vc.example.com}", "it has to be a section"),
        ("- a\n- b\n", "have to be a map"),
    ] {
        let machine = Machine::new().write("a.yaml", text);
        let error = refusal(Sources::none().config(machine.path("a.yaml")));
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn a_higher_way_to_give_a_password_or_trust_replaces_a_lower_one() {
    let text = "platforms:\n  vsphere:\n    password_file: pw\n    insecure: true\n";
    let machine = Machine::new().write("home/chaosmonkey.yaml", text);
    let low = vsphere(&machine.sources().load().unwrap());
    assert_eq!(low.password, Some(SecretSource::File(machine.path("home/pw"))), "from the directory of the file");
    assert!(low.trust.is_insecure());
    let variables = [("VSPHERE_PASSWORD", "x"), ("VSPHERE_CA_FILE", "ca.pem")];
    let high = vsphere(&machine.sources().variables(variables).load().unwrap());
    assert!(matches!(high.password, Some(SecretSource::Inline(_))));
    assert_eq!(high.trust, TlsTrust::CaFile("ca.pem".into()));
    let checked = vsphere(&machine.sources().variables([("VSPHERE_INSECURE", "false")]).load().unwrap());
    assert_eq!(checked.trust, TlsTrust::SystemRoots);

    let both = "platforms: {vsphere: {password: a, password_file: b}}";
    let machine = Machine::new().write("a.yaml", both);
    assert!(refusal(Sources::none().config(machine.path("a.yaml"))).contains("contradict each other"));
}

#[test]
fn to_ask_for_the_checks_keeps_the_authority_that_another_source_names() {
    let machine = Machine::new().write("home/chaosmonkey.yaml", "platforms: {vsphere: {ca_file: /ca.pem}}");
    let settings = machine.sources().variables([("VSPHERE_INSECURE", "false")]).load().unwrap();
    assert_eq!(vsphere(&settings).trust, TlsTrust::CaFile("/ca.pem".into()));
}

#[test]
fn the_port_of_the_higher_source_counts() {
    let machine =
        Machine::new().write("home/chaosmonkey.yaml", "platforms: {vsphere: {server: 'vc:8443', port: 8443}}");
    let port = |sources: Sources| {
        let server = vsphere(&sources.load().unwrap());
        (server.server.unwrap().port(), server.port)
    };
    assert_eq!(port(machine.sources().variables([("VSPHERE_PORT", "9443")])), (None, Some(9443)));
    assert_eq!(port(machine.sources().variables([("VSPHERE_SERVER", "other:7443")])), (Some(7443), None));
}

#[test]
fn a_text_may_stand_for_a_variable() {
    let text = "platforms:\n  lab:\n    type: vsphere\n    server: ${LAB_HOST}\n    username: ${LAB_USER}\n    password: ${LAB_PW}\n";
    let machine = Machine::new().write("work/chaosmonkey.yaml", text).write("work/.env", "LAB_PW='a $b'\n");
    let settings = machine.sources().variables([("LAB_HOST", "lab.example.com")]).load().unwrap();
    let Details::VSphere(lab) = settings.entry("lab").unwrap().details else { panic!() };
    assert_eq!(lab.server.unwrap().host_str(), Some("lab.example.com"));
    let Some(SecretSource::Inline(password)) = lab.password else { panic!() };
    assert_eq!(password.expose_secret(), "a $b");
    assert_eq!(lab.username, None, "what is not set is missing when it is needed");
    assert!(settings.warnings().is_empty(), "{:?}", settings.warnings());
}

#[test]
#[cfg(unix)]
fn a_secret_that_others_can_read_is_warned_about() {
    let machine = Machine::new()
        .write("work/chaosmonkey.yaml", "platforms:\n  vsphere:\n    password: hunter2\n")
        .write("work/.env", "OLVM_PASSWORD=hunter2\n");
    assert!(machine.sources().load().unwrap().warnings().is_empty());
    mode(&machine.path("work/chaosmonkey.yaml"), 0o644);
    mode(&machine.path("work/.env"), 0o640);
    let referred = Machine::new()
        .write("work/chaosmonkey.yaml", "platforms: {vsphere: {password: '${PW}'}}\n")
        .write("work/.env", "PW=hunter2\n");
    mode(&referred.path("work/.env"), 0o644);
    let warnings = referred.sources().load().unwrap().warnings().join("\n");
    assert!(warnings.contains("PW (in") && warnings.contains("chmod 600"), "{warnings}");
    let settings = machine.sources().flag("platforms.dora.password", "hunter2".into(), "--set").load().unwrap();
    let warnings = settings.warnings().join("\n");
    for said in ["platforms.vsphere.password (in", "OLVM_PASSWORD (in", "platforms.dora.password (--set)", "chmod 600"]
    {
        assert!(warnings.contains(said), "{said}: {warnings}");
    }
    assert!(!warnings.contains("hunter2"), "{warnings}");
}

#[test]
#[cfg(unix)]
fn a_project_file_that_others_may_have_written_runs_nothing_and_switches_no_check_off() {
    let dangerous = "platforms:\n  vsphere:\n    insecure: true\n    password_command: [pass, vc]\n";
    let machine = Machine::new().write("work/chaosmonkey.yaml", dangerous);
    assert!(machine.sources().load().is_ok(), "the user's own file");
    for (bits, reason) in [(0o664, "users of its group"), (0o666, "by all users")] {
        mode(&machine.path("work/chaosmonkey.yaml"), bits);
        let error = refusal(machine.sources());
        for said in ["platforms.vsphere.insecure", "platforms.vsphere.password_command", reason, "--config"] {
            assert!(error.contains(said), "{said}: {error}");
        }
        assert!(machine.sources().config(machine.path("work/chaosmonkey.yaml")).load().is_ok(), "it was named");
    }
}

/// Whoever can write the file would get the password of another source.
#[test]
#[cfg(unix)]
fn a_file_that_all_can_write_does_not_say_where_a_password_goes() {
    let own = "platforms:\n  vsphere: {username: ann, password: secret}\n";
    for (key, value) in [
        ("server", "evil.example.com"),
        ("port", "8443"),
        ("ca_file", "own.pem"),
        ("thumbprint", &"ab".repeat(32)),
        ("password_file", "/home/ann/.ssh/id_ed25519"),
        ("username", "${HOME_SECRET}"),
    ] {
        let theirs = format!("platforms:\n  vsphere:\n    insecure: no\n    {key}: {value}\n");
        let machine = Machine::new().write("home/chaosmonkey.yaml", own).write("work/chaosmonkey.yaml", &theirs);
        let sources = || machine.sources().variables([("HOME_SECRET", "x")]);
        mode(&machine.path("work/chaosmonkey.yaml"), 0o664);
        assert!(sources().load().is_ok(), "{key}: the group may well be the user alone");
        mode(&machine.path("work/chaosmonkey.yaml"), 0o666);
        let error = refusal(sources());
        assert!(error.contains(&format!("platforms.vsphere.{key} (in")), "{key}: {error}");
    }
    let machine = Machine::new().write("work/.env", "VSPHERE_SERVER=evil.example.com\nVSPHERE_INSECURE=true\n");
    mode(&machine.path("work/.env"), 0o664);
    assert!(machine.sources().load().is_ok());
    mode(&machine.path("work/.env"), 0o666);
    let error = refusal(machine.sources());
    assert!(error.contains("VSPHERE_SERVER (in") && error.contains("VSPHERE_INSECURE (in"), "{error}");
    let harmless =
        Machine::new().write("work/chaosmonkey.yaml", "platforms: {vsphere: {username: ann}}\nchaos: {dry_run: yes}\n");
    mode(&harmless.path("work/chaosmonkey.yaml"), 0o666);
    assert!(harmless.sources().load().is_ok());
}

/// A trusted file refers to a variable, and somebody else says what that is.
#[test]
#[cfg(unix)]
fn a_dotenv_that_all_can_write_does_not_fill_in_for_a_file_of_the_user() {
    let own = "platforms:\n  olvm: {url: '${MYENGINE}', username: ann, password: secret, insecure: '${INS}'}\n";
    let machine = Machine::new()
        .write("home/chaosmonkey.yaml", own)
        .write("work/.env", "MYENGINE=http://evil.example.com\nINS=true\n");
    assert!(machine.sources().load().is_ok());
    mode(&machine.path("work/.env"), 0o666);
    let error = refusal(machine.sources());
    assert!(error.contains("MYENGINE (in") && error.contains("INS (in"), "{error}");
}

/// Only root can give files away.
#[test]
#[cfg(unix)]
fn a_file_of_another_user_is_not_trusted() {
    let machine = Machine::new().write("work/chaosmonkey.yaml", "platforms: {vsphere: {server: evil.example.com}}\n");
    if std::os::unix::fs::chown(machine.path("work/chaosmonkey.yaml"), Some(4711), None).is_err() {
        return;
    }
    assert!(refusal(machine.sources()).contains("belongs to another user"));
}

#[test]
fn a_variable_that_is_not_set_takes_the_value_of_a_lower_source_away() {
    let machine = Machine::new()
        .write("home/chaosmonkey.yaml", "platforms: {vsphere: {server: prod.example.com}}\n")
        .write("work/chaosmonkey.yaml", "platforms: {vsphere: {server: '${LAB_VC}'}}\n");
    assert!(
        vsphere(&machine.sources().load().unwrap()).server.is_none(),
        "not another server than the one that is meant"
    );
    let set = machine.sources().variables([("VSPHERE_SERVER", "vc.example.com")]).load().unwrap();
    assert!(vsphere(&set).server.is_some(), "what is higher counts");
}

#[test]
fn a_port_in_the_server_is_one_also_if_it_is_the_usual_one() {
    let machine = Machine::new().write("home/chaosmonkey.yaml", "platforms: {vsphere: {port: 8443}}");
    let settings = machine.sources().variables([("VSPHERE_SERVER", "https://vc:443")]).load().unwrap();
    assert_eq!(vsphere(&settings).port, None, "the port belongs to another server");
    assert_eq!(origin(&settings, "platforms.vsphere.port"), "", "{:?}", settings.values());
    let error = refusal(Sources::none().variables([("VSPHERE_SERVER", "vc:443"), ("VSPHERE_PORT", "8443")]));
    assert!(error.contains("contradict"), "{error}");
    let settings = Sources::none().variables([("VSPHERE_SERVER", "vc:8443")]).load().unwrap();
    let server = settings.values().iter().find(|value| value.key == "platforms.vsphere.server").unwrap();
    assert_eq!(server.value, "vc:8443");
}

#[test]
fn a_host_of_dora_is_a_host_and_no_place_for_a_password() {
    for host in ["ann:hunter2@dora", "http://dora", "dora:8000"] {
        let error = refusal(Sources::none().variables([("DORA_HOST", host)]));
        assert!(error.contains("DORA_HOST") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
#[cfg(unix)]
fn what_is_no_plain_file_is_refused_and_never_waited_for() {
    let machine = Machine::new().write("work/other.yaml", "");
    let made = std::process::Command::new("mkfifo").arg(machine.path("work/.env")).status().unwrap();
    assert!(made.success());
    assert!(refusal(machine.sources()).contains("no plain file"));
    fs::remove_file(machine.path("work/.env")).unwrap();
    std::os::unix::fs::symlink("/no/such/file", machine.path("work/chaosmonkey.yaml")).unwrap();
    assert!(refusal(machine.sources()).contains("chaosmonkey.yaml"), "a link to nowhere was meant");
    fs::remove_file(machine.path("work/chaosmonkey.yaml")).unwrap();
    fs::create_dir(machine.path("work/chaosmonkey.yaml")).unwrap();
    assert!(refusal(machine.sources()).contains("no plain file"));
}

#[test]
fn an_entry_with_nothing_in_it_is_none() {
    let machine = Machine::new().write("a.yaml", "platforms:\n  vsphere:\n  olvm: {}\n  lab:\n");
    let settings = Sources::none().config(machine.path("a.yaml")).load().unwrap();
    assert_eq!(settings.entries().count(), 0);
}

#[test]
fn a_port_that_the_server_names_is_not_shown_as_another() {
    let settings = Sources::none().variables([("VSPHERE_SERVER", "vc:8443")]).load().unwrap();
    assert_eq!(origin(&settings, "platforms.vsphere.port"), "", "{:?}", settings.values());
}

#[test]
fn two_files_side_by_side_are_refused() {
    let machine = Machine::new().write("work/chaosmonkey.yaml", "").write("work/chaosmonkey.json", "{}");
    let error = refusal(machine.sources());
    assert!(
        error.contains("chaosmonkey.yaml") && error.contains("chaosmonkey.json") && error.contains("keep one"),
        "{error}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let machine = Machine::new().write("a.yaml", "a: [\n").write("a.ini", "").write("b.yaml", "x: '\u{0}'");
    for name in ["a.yaml", "a.ini", "missing.yaml", "."] {
        let error = refusal(Sources::none().config(machine.path(name)));
        assert!(error.contains(&machine.path(name).display().to_string()), "{name}: {error}");
    }
}

/// What a user of the Python tool has.
#[test]
fn the_files_and_variables_of_the_python_tool_are_known() {
    let yaml = "nomad:\n  address: http://nomad:4646\n  region: global\n  token: t\n  namespace: default\n\
                chaos:\n  experiments_path: experiments\n  reports_path: reports\n  dry_run: false\n\
                platforms:\n  olvm:\n    url: https://engine.example.com/ovirt-engine/api\n    username: admin@internal\n    password: a\n    ca_file: /ca.pem\n    insecure: false\n\
                \x20 vsphere:\n    server: vc.example.com\n    username: administrator@vsphere.local\n    password: b\n    port: 443\n    insecure: false\n\
                \x20 dora:\n    host: dora.example.com\n    api_port: 8000\n    auth_port: 51051\n    username: ann\n    password: c\n\
                prometheus:\n  url: http://prometheus:9090\n  timeout: 10\n";
    let env = "NOMAD_ADDR=http://nomad:4646\nREDIS_URL=redis://localhost\nPROMETHEUS_TIMEOUT=10\nWEB_UI_PORT=8081\nPORT=8080\nDEBUG=1\n\
               DORA_HOST=dora.example.com\nDORA_API_PORT=8000\nDORA_AUTH_PORT=51051\nDORA_USERNAME=ann\nDORA_PASSWORD='p'\n\
               OLVM_INSECURE=false\nVSPHERE_PORT=443\nVSPHERE_INSECURE=True\n";
    let machine = Machine::new().write("work/chaosmonkey.yaml", yaml).write("work/.env", env);
    let settings = machine.sources().variables([("NOMAD_TOKEN", "of another tool")]).load().unwrap();
    assert_eq!(settings.warnings().len(), 1, "{:?}", settings.warnings());
    let warning = &settings.warnings()[0];
    for name in ["nomad (in", "prometheus (in", "NOMAD_ADDR (in", "REDIS_URL (in", "WEB_UI_PORT (in", "do nothing"] {
        assert!(warning.contains(name), "{name}: {warning}");
    }
    assert!(vsphere(&settings).trust.is_insecure(), "the file said so");
    assert_eq!(settings.chaos.experiments_path, Some(machine.path("work/experiments")));
    assert_eq!(settings.entries().count(), 3);
}

#[test]
fn a_misspelt_variable_of_ours_is_pointed_at() {
    let settings = Sources::none().variables([("VSPHERE_PASSWROD", "x"), ("VSPHERE_FOLDER", "of another tool")]).load();
    let warnings = settings.unwrap().warnings().join("\n");
    assert_eq!(warnings, "VSPHERE_PASSWROD (in the environment) is not known: did you mean VSPHERE_PASSWORD?");
}

#[test]
fn nothing_that_is_shown_is_a_secret() {
    let text = "platforms:\n  vsphere: {server: vc, password: canary-1, thumbprint: ''}\n  olvm: {url: e, password_command: [vault, canary-2]}\n";
    let machine = Machine::new().write("a.yaml", text);
    let settings = Sources::none().config(machine.path("a.yaml")).variables([("DORA_PASSWORD", "canary-3")]).load();
    let settings = settings.unwrap_or_else(|error| panic!("{error}"));
    let shown = format!("{:?} {settings:?} {}", settings.values(), serde_json::to_string(settings.values()).unwrap());
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("\"***\"") && shown.contains("vault and 1 argument"), "{shown}");
}
