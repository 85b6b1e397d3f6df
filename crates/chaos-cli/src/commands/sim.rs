//! `sim serve`: a simulated platform for people and for other programs.

use std::io::Write;
use std::time::Duration;

use chaos_sim::Sim;
use secrecy::ExposeSecret;
use tempfile::NamedTempFile;

use crate::cli::{Serve, Simulated};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::Output;

/// How long open connections may take to end.
const CLOSING: Duration = Duration::from_secs(5);

/// Serves until a signal comes.
pub(super) async fn serve(args: Serve, output: &Output) -> Result<Exit, Failure> {
    let Simulated::Vsphere = args.platform;
    // Before the first line is printed, so that whoever reads it may stop it at once.
    let interrupts = Interrupts::listen(output.clone(), "stopping")?;
    let password = args.password.expose_secret();
    let sim = Sim::builder()
        .vms(args.vms)
        .listen(args.listen)
        .tls(args.tls)
        .seed(args.seed)
        .credentials(args.username.as_str(), password)
        .start()
        .await
        .map_err(|error| Failure::usage(error.to_string()))?;
    // Kept until the end: the file goes with it.
    let ca_file = sim.ca_pem().map(ca_file).transpose()?;

    let mut variables = vec![
        ("VSPHERE_SERVER", sim.url().to_owned()),
        ("VSPHERE_USERNAME", args.username.clone()),
        ("VSPHERE_PASSWORD", password.to_owned()),
        ("GOVC_URL", format!("{}/sdk", sim.url())),
        ("GOVC_USERNAME", args.username.clone()),
        ("GOVC_PASSWORD", password.to_owned()),
    ];
    if let Some(file) = &ca_file {
        let path = file.path().display().to_string();
        variables.extend([("VSPHERE_CA_FILE", path.clone()), ("GOVC_TLS_CA_CERTS", path)]);
    }
    output.data(|to| variables.iter().try_for_each(|(name, value)| writeln!(to, "export {name}={}", quoted(value))))?;
    output.note(format_args!(
        "simulating {} VMs at {url}, with a control door at {url}/sim/; Ctrl-C stops it",
        args.vms,
        url = sim.url()
    ));

    if !sim.address().ip().is_loopback() {
        output.warning("the simulator and its control door can be reached from other machines");
    }

    interrupts.first().cancelled().await;
    tokio::select! {
        () = sim.shutdown() => {}
        () = interrupts.second().cancelled() => {}
        () = tokio::time::sleep(CLOSING) => {}
    }
    Ok(Exit::Done)
}

/// A file with the authority that a client has to trust; it is removed when this is dropped.
fn ca_file(pem: &str) -> Result<NamedTempFile, Failure> {
    let write = || {
        let mut file = tempfile::Builder::new().prefix("chaosmonkey-sim-").suffix(".pem").tempfile()?;
        file.write_all(pem.as_bytes())?;
        Ok(file)
    };
    write().map_err(|error: std::io::Error| {
        Failure::new(Exit::Failed, format!("cannot write the simulator's certificate authority: {error}"))
    })
}

/// A value as a shell reads it back.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_every_value_back() {
        for value in ["chaos", "it's $HOME; `ls`", "a'b'c", ""] {
            let script = format!("printf %s {}", quoted(value));
            let read = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(read.stdout).unwrap(), value);
        }
    }
}
