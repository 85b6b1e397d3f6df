//! Every key of the settings: what it means, which variable gives it too, and what it is if nobody gives it. The files are
//! checked against these tables, and the reference for users is made from them.

use std::fmt;

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Any text.
    Text,
    /// Any text, which is never shown.
    Secret,
    /// `true` or `false`, also `1`/`0`, `yes`/`no`, `on`/`off`.
    Boolean,
    /// A TCP port.
    Port,
    /// A whole number of seconds.
    Seconds,
    /// A file or a directory; in a settings file relative to that file.
    Path,
    /// A program and its arguments, as a list.
    Command,
    /// Rules of the guard, as a list.
    Rules,
    /// A host or a URL.
    Endpoint,
    /// A SHA-256 thumbprint.
    Thumbprint,
    /// One of some words.
    Choice(&'static [&'static str]),
}

impl fmt::Display for Form {
    /// For the reference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Secret => f.write_str("secret text"),
            Self::Boolean => f.write_str("true or false"),
            Self::Port => f.write_str("port number"),
            Self::Seconds => f.write_str("seconds"),
            Self::Path => f.write_str("path"),
            Self::Command => f.write_str("list of words"),
            Self::Rules => f.write_str("list of rules"),
            Self::Endpoint => f.write_str("host or URL"),
            Self::Thumbprint => f.write_str("SHA-256 thumbprint"),
            Self::Choice(words) => f.write_str(&words.join(", ")),
        }
    }
}

/// A key of the settings.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Key {
    /// Its name below its section. `*` stands for a name that the user chooses.
    pub name: &'static str,
    /// The form of its value.
    pub form: Form,
    /// The value if nobody gives one, in words if it is none that could be written.
    pub default: Option<&'static str>,
    /// The environment variable that gives it too; for an entry only if the entry has the plain name of its type.
    pub variable: Option<&'static str>,
    /// What it means.
    pub about: &'static str,
    /// A value for an example.
    pub example: &'static str,
}

/// A part of the settings with keys of its own.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Section {
    /// Where its keys are, such as `platforms.vsphere`.
    pub path: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// All sections, in the order in which they are explained. An entry of another name has the keys of its type.
pub const SECTIONS: [Section; 4] = [
    Section {
        path: "platforms.vsphere",
        about: "A vCenter or an ESXi host. An entry of another name needs `type: vsphere`.",
        keys: VSPHERE,
    },
    Section {
        path: "platforms.olvm",
        about: "An engine of Oracle Linux Virtualization Manager or oVirt. An entry of another name needs `type: olvm`.",
        keys: OLVM,
    },
    Section {
        path: "platforms.dora",
        about: "A Dora inventory service, which can be read only. An entry of another name needs `type: dora`.",
        keys: DORA,
    },
    Section { path: "chaos", about: "How experiments and power commands behave.", keys: CHAOS },
];

/// Sections of the Python tool for parts that this tool does not have. They are accepted and named in a warning.
pub(crate) const LEGACY_SECTIONS: [&str; 2] = ["nomad", "prometheus"];

/// Its variables for the same.
pub(crate) const LEGACY_VARIABLES: [&str; 11] = [
    "NOMAD_ADDR",
    "NOMAD_REGION",
    "NOMAD_TOKEN",
    "NOMAD_NAMESPACE",
    "PROMETHEUS_URL",
    "PROMETHEUS_TIMEOUT",
    "REDIS_URL",
    "HOST",
    "PORT",
    "WEB_UI_PORT",
    "DEBUG",
];

const CHAOS: &[Key] = &[
    Key {
        name: "dry_run",
        form: Form::Boolean,
        default: Some("false"),
        variable: None,
        about: "Power commands and `execute` say what they would do and do nothing, as with `--dry-run`.",
        example: "true",
    },
    Key {
        name: "experiments_path",
        form: Form::Path,
        default: None,
        variable: None,
        about: "Where `execute --experiment FILE` looks too, if there is no such file in the working directory.",
        example: "experiments",
    },
    Key {
        name: "reports_path",
        form: Form::Path,
        default: None,
        variable: None,
        about: "Where `execute` writes `run-ID.json`, the journal, if `--journal-path` is not given.",
        example: "reports",
    },
    Key {
        name: "templates_path",
        form: Form::Path,
        default: None,
        variable: None,
        about: "Ready-made experiments beside those that are built in, for `execute --chaos-type` and `templates`, if \
                `--templates` is not given.",
        example: "templates",
    },
    Key {
        name: "policy",
        form: Form::Rules,
        default: None,
        variable: None,
        about: "What faults may be sent, and which are refused. The rules of all settings files count together: none can be \
                taken away in a nearer one.",
        example: "[at most 5, protect db-*]",
    },
    Key {
        name: "protect_own",
        form: Form::Boolean,
        default: Some("true"),
        variable: None,
        about: "Neither the VM that this runs in is hit nor one that the server of a platform runs in, as far as they are \
                known: the rule `protect own`.",
        example: "false",
    },
];

/// `type`, which every entry may have.
const fn kind(example: &'static str) -> Key {
    Key {
        name: "type",
        form: Form::Choice(&["vsphere", "olvm", "dora"]),
        default: Some("the entry's name"),
        variable: None,
        about: "What the entry is.",
        example,
    }
}

const fn key(
    name: &'static str,
    form: Form,
    default: Option<&'static str>,
    variable: Option<&'static str>,
    about: &'static str,
    example: &'static str,
) -> Key {
    Key { name, form, default, variable, about, example }
}

const USERNAME: &str = "The account.";
const PASSWORD: &str = "Its password. Better one of the next two, or `${VARIABLE}`.";
const PASSWORD_FILE: &str = "A file that holds the password and nothing else.";
const PASSWORD_COMMAND: &str =
    "A program that prints the password, run without a shell when the platform is first needed.";
const CA_FILE: &str = "PEM file of an authority to trust beside those of the system.";
const THUMBPRINT: &str = "Trust the server with this certificate, and no other.";
const INSECURE: &str = "Trust any certificate: whoever sits in between reads the password.";
const COMMAND_EXAMPLE: &str = "[vault, kv, get, -field=password, secret/chaos]";
const THUMBPRINT_EXAMPLE: &str =
    "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89";

const VSPHERE: &[Key] = &[
    key("server", Form::Endpoint, None, Some("VSPHERE_SERVER"), "vCenter or ESXi.", "vcenter.example.com"),
    key("port", Form::Port, Some("443"), Some("VSPHERE_PORT"), "Its TCP port.", "8443"),
    key("username", Form::Text, None, Some("VSPHERE_USERNAME"), USERNAME, "chaos@vsphere.local"),
    key("password", Form::Secret, None, Some("VSPHERE_PASSWORD"), PASSWORD, "${VCENTER_PASSWORD}"),
    key("password_file", Form::Path, None, Some("VSPHERE_PASSWORD_FILE"), PASSWORD_FILE, "/run/secrets/vcenter"),
    key("password_command", Form::Command, None, None, PASSWORD_COMMAND, COMMAND_EXAMPLE),
    key("ca_file", Form::Path, None, Some("VSPHERE_CA_FILE"), CA_FILE, "/etc/ssl/certs/vmca.pem"),
    key("thumbprint", Form::Thumbprint, None, Some("VSPHERE_THUMBPRINT"), THUMBPRINT, THUMBPRINT_EXAMPLE),
    key("insecure", Form::Boolean, Some("false"), Some("VSPHERE_INSECURE"), INSECURE, "false"),
    kind("vsphere"),
];

const OLVM: &[Key] = &[
    key("url", Form::Endpoint, None, Some("OLVM_URL"), "The engine.", "https://engine.example.com/ovirt-engine/api"),
    key("username", Form::Text, None, Some("OLVM_USERNAME"), "The account with its profile.", "chaos@internal"),
    key("password", Form::Secret, None, Some("OLVM_PASSWORD"), PASSWORD, "${ENGINE_PASSWORD}"),
    key("password_file", Form::Path, None, Some("OLVM_PASSWORD_FILE"), PASSWORD_FILE, "/run/secrets/engine"),
    key("password_command", Form::Command, None, None, PASSWORD_COMMAND, COMMAND_EXAMPLE),
    key("ca_file", Form::Path, None, Some("OLVM_CA_FILE"), CA_FILE, "/etc/pki/ovirt-engine/ca.pem"),
    key("thumbprint", Form::Thumbprint, None, Some("OLVM_THUMBPRINT"), THUMBPRINT, THUMBPRINT_EXAMPLE),
    key("insecure", Form::Boolean, Some("false"), Some("OLVM_INSECURE"), INSECURE, "false"),
    kind("olvm"),
];

const DORA: &[Key] = &[
    key("host", Form::Text, None, Some("DORA_HOST"), "The service's host.", "dora.example.com"),
    key(
        "scheme",
        Form::Choice(&["http", "https"]),
        Some("http"),
        Some("DORA_SCHEME"),
        "How it is spoken to. The service itself knows only `http`, on which the password can be read by others; `https` \
         is for a front that adds TLS.",
        "https",
    ),
    key("api_port", Form::Port, Some("8000"), Some("DORA_API_PORT"), "The TCP port of the inventory.", "8000"),
    key("auth_port", Form::Port, Some("51051"), Some("DORA_AUTH_PORT"), "The TCP port of the login.", "51051"),
    key("username", Form::Text, None, Some("DORA_USERNAME"), USERNAME, "chaos"),
    key("password", Form::Secret, None, Some("DORA_PASSWORD"), PASSWORD, "${DORA_SECRET}"),
    key("password_file", Form::Path, None, Some("DORA_PASSWORD_FILE"), PASSWORD_FILE, "/run/secrets/dora"),
    key("password_command", Form::Command, None, None, PASSWORD_COMMAND, COMMAND_EXAMPLE),
    key("ca_file", Form::Path, None, Some("DORA_CA_FILE"), CA_FILE, "/etc/ssl/certs/site.pem"),
    key("thumbprint", Form::Thumbprint, None, Some("DORA_THUMBPRINT"), THUMBPRINT, THUMBPRINT_EXAMPLE),
    key("insecure", Form::Boolean, Some("false"), Some("DORA_INSECURE"), INSECURE, "false"),
    key("timeout", Form::Seconds, Some("20"), None, "How long each answer may take.", "60"),
    key(
        "environment",
        Form::Text,
        None,
        None,
        "The environment that `--platform dora` means. `platforms dora-discover` takes any.",
        "EPB-Prod",
    ),
    key(
        "host_filter",
        Form::Text,
        Some("the environment's"),
        None,
        "Which hosts are asked about: a regular expression, `empty` to send an empty one, `omit` to send none.",
        "^esx-",
    ),
    key(
        "vcenters.*",
        Form::Text,
        Some("the entry with the vCenter's name"),
        None,
        "The entry of `platforms` that is the vCenter of this name in Dora; it is where the VMs can be switched.",
        "vsphere",
    ),
    key(
        "environments.*.vcenter",
        Form::Text,
        Some("the built-in one"),
        None,
        "The vCenter of an environment, by its name in Dora. A new environment needs this and the next two.",
        "SiteVC",
    ),
    key("environments.*.pattern_path", Form::Text, Some("the built-in one"), None, "Its path for hypervisors.", "PROD"),
    key("environments.*.vm_path", Form::Text, Some("the built-in one"), None, "Its path for VMs.", "PROD"),
    key("environments.*.host_filter", Form::Text, Some("the built-in one"), None, "Its filter for hosts.", "prod"),
    kind("dora"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_key_and_each_variable_is_there_once() {
        let mut variables = BTreeSet::new();
        for section in SECTIONS {
            let mut names = BTreeSet::new();
            for key in section.keys {
                assert!(names.insert(key.name), "{} {}", section.path, key.name);
                assert!(!key.about.is_empty() && !key.example.is_empty(), "{} {}", section.path, key.name);
                if let Some(variable) = key.variable {
                    assert!(variables.insert(variable), "{variable}");
                }
            }
        }
        assert!(LEGACY_VARIABLES.iter().all(|variable| !variables.contains(variable)));
    }
}
