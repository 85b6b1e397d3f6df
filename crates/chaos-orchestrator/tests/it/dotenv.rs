//! The `.env` file: below the environment, never exported, never quoted in an error.

use std::fs;

use chaos_orchestrator::{Details, SecretSource, ServerSettings, Sources};
use secrecy::ExposeSecret;
use tempfile::TempDir;

fn dotenv(text: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join(".env"), text).expect("a writable directory");
    directory
}

fn read(directory: &TempDir, process: &[(&str, &str)]) -> Result<ServerSettings, String> {
    let sources = Sources::none().variables(process.iter().copied()).dotenv(directory.path().join(".env"));
    let settings = sources.load().map_err(|error| error.to_string())?;
    match settings.entry("vsphere").expect("it is always there").details {
        Details::VSphere(server) => Ok(server),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_environment_goes_before_the_file() {
    let directory = dotenv("# a lab\nexport VSPHERE_SERVER=lab.example.com\nVSPHERE_USERNAME='chaos'\nOTHER=1\n");
    let settings = read(&directory, &[("VSPHERE_SERVER", "vc.example.com")]).unwrap();
    assert_eq!(settings.server.unwrap().host_str(), Some("vc.example.com"));
    assert_eq!(settings.username.as_deref(), Some("chaos"));
    assert!(std::env::var_os("VSPHERE_USERNAME").is_none(), "nothing is exported");
}

#[test]
fn a_quoted_password_is_kept_as_it_is() {
    let directory = dotenv("VSPHERE_PASSWORD='p$a#s \"s'\n");
    let settings = read(&directory, &[]).unwrap();
    let Some(SecretSource::Inline(password)) = settings.password else { panic!("{settings:?}") };
    assert_eq!(password.expose_secret(), "p$a#s \"s");
}

#[test]
fn no_file_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    assert!(read(&directory, &[]).is_ok());
}

#[test]
fn a_broken_line_is_named_by_its_variable_and_not_repeated() {
    for line in ["VSPHERE_PASSWORD='hunter2\n", "VSPHERE_PASSWORD='hunter2'more\n"] {
        let error = read(&dotenv(line), &[]).unwrap_err();
        assert!(error.contains(".env: the value of VSPHERE_PASSWORD in line 1 cannot be read"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_line_that_python_reads_is_never_dropped() {
    let directory = dotenv("VSPHERE_USERNAME=CORP\\chaos\nVSPHERE_PASSWORD=p@ss wo$rd\n");
    let settings = read(&directory, &[]).unwrap();
    assert_eq!(settings.username.as_deref(), Some("CORP\\chaos"));
    let Some(SecretSource::Inline(password)) = settings.password else { panic!("{settings:?}") };
    assert_eq!(password.expose_secret(), "p@ss wo$rd");
}

#[test]
fn a_broken_line_of_somebody_else_does_not_matter() {
    let directory = dotenv("THIS IS NOT A LINE\nVSPHERE_USERNAME=chaos\n");
    assert_eq!(read(&directory, &[]).unwrap().username.as_deref(), Some("chaos"));
}

#[test]
fn an_error_in_the_file_says_where_it_was_set() {
    let directory = dotenv("# a lab\nexport VSPHERE_PORT = abc\n");
    let error = read(&directory, &[]).unwrap_err();
    assert!(error.starts_with("VSPHERE_PORT (in ") && error.contains(".env:2)"), "{error}");
}
