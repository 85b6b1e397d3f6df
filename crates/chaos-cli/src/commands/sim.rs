//! `sim serve`: a simulated platform for people and for other programs.

use std::io::Write;
use std::time::Duration;

use chaos_sim::{Door, Sim};
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
    // Before the first line is printed, so that whoever reads it may stop it at once.
    let interrupts = Interrupts::listen(output.clone(), "stopping")?;
    let mut platforms = args.platform.clone();
    platforms.sort_unstable();
    platforms.dedup();
    // Together they show the same VMs.
    let simulators: Vec<Vec<Simulated>> =
        if args.separate { platforms.into_iter().map(|platform| vec![platform]).collect() } else { vec![platforms] };
    if simulators.len() > 1 && args.listen.port() != 0 {
        return Err(Failure::usage("separate simulators cannot share a port: leave out the port, or listen on port 0"));
    }
    let mut serving = Vec::new();
    for platforms in simulators {
        serving.push(Serving::start(&args, platforms).await?);
    }

    let variables: Vec<(&str, String)> = serving.iter().flat_map(|it| it.variables(&args)).collect();
    output.data(|to| variables.iter().try_for_each(|(name, value)| writeln!(to, "export {name}={}", quoted(value))))?;
    for it in &serving {
        output.note(format_args!(
            "simulating {} VMs at {url}, with a control door at {url}/sim/; Ctrl-C stops it",
            args.vms,
            url = it.sim.url()
        ));
    }
    if serving.iter().any(|it| !it.sim.address().ip().is_loopback()) {
        output.warning("the simulator and its control door can be reached from other machines");
    }

    interrupts.first().cancelled().await;
    tokio::select! {
        () = shut_down(serving) => {}
        () = interrupts.second().cancelled() => {}
        () = tokio::time::sleep(CLOSING) => {}
    }
    Ok(Exit::Done)
}

async fn shut_down(serving: Vec<Serving>) {
    for it in serving {
        it.sim.shutdown().await;
    }
}

/// A running simulator and what it plays.
struct Serving {
    sim: Sim,
    platforms: Vec<Simulated>,
    /// Kept until the end: the file goes with it.
    ca_file: Option<NamedTempFile>,
}

impl Serving {
    async fn start(args: &Serve, platforms: Vec<Simulated>) -> Result<Self, Failure> {
        let doors = platforms.iter().map(|platform| match platform {
            Simulated::Vsphere => Door::VSphere,
            Simulated::Olvm => Door::Olvm,
            Simulated::Dora => Door::Dora,
        });
        let sim = Sim::builder()
            .vms(args.vms)
            .listen(args.listen)
            .tls(args.tls)
            .seed(args.seed)
            .doors(doors)
            .credentials(args.username.as_str(), args.password.expose_secret())
            .start()
            .await
            .map_err(|error| Failure::usage(error.to_string()))?;
        let ca_file = sim.ca_pem().map(ca_file).transpose()?;
        Ok(Self { sim, platforms, ca_file })
    }

    /// What points clients at it.
    fn variables(&self, args: &Serve) -> Vec<(&'static str, String)> {
        let url = self.sim.url();
        let (user, password) = (args.username.clone(), args.password.expose_secret().to_owned());
        let ca_file = self.ca_file.as_ref().map(|file| file.path().display().to_string());
        let mut variables = Vec::new();
        for platform in &self.platforms {
            let ca_file = ca_file.clone();
            match platform {
                Simulated::Vsphere => {
                    variables.extend([
                        ("VSPHERE_SERVER", url.to_owned()),
                        ("VSPHERE_USERNAME", user.clone()),
                        ("VSPHERE_PASSWORD", password.clone()),
                        ("GOVC_URL", format!("{url}/sdk")),
                        ("GOVC_USERNAME", user.clone()),
                        ("GOVC_PASSWORD", password.clone()),
                    ]);
                    variables.extend(ca_file.iter().map(|file| ("VSPHERE_CA_FILE", file.clone())));
                    variables.extend(ca_file.map(|file| ("GOVC_TLS_CA_CERTS", file)));
                }
                Simulated::Olvm => {
                    // An engine wants to know which profile a user is of.
                    let user = if user.contains('@') { user.clone() } else { format!("{user}@internal") };
                    variables.extend([
                        ("OLVM_URL", format!("{url}/ovirt-engine/api")),
                        ("OLVM_USERNAME", user),
                        ("OLVM_PASSWORD", password.clone()),
                    ]);
                    variables.extend(ca_file.map(|file| ("OLVM_CA_FILE", file)));
                }
                Simulated::Dora => {
                    let address = self.sim.address();
                    variables.extend([
                        ("DORA_HOST", address.ip().to_string()),
                        ("DORA_API_PORT", address.port().to_string()),
                        ("DORA_AUTH_PORT", address.port().to_string()),
                        ("DORA_USERNAME", user.clone()),
                        ("DORA_PASSWORD", password.clone()),
                    ]);
                    if let Some(file) = ca_file {
                        variables.extend([("DORA_SCHEME", "https".to_owned()), ("DORA_CA_FILE", file)]);
                    }
                }
            }
        }
        variables
    }
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
