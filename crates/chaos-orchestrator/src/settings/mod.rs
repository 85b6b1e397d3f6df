//! Settings: from files, variables and flags to what each platform needs.

mod calendar;
mod check;
mod convert;
mod dora;
mod dotenv;
mod entry;
mod environment;
mod error;
mod file;
mod keys;
mod kind;
mod layer;
mod machine;
mod merged;
mod origin;
mod policy;
mod server;
mod show;
mod sources;
mod toml;
mod tree;
mod yaml;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chaos_core::{Known, Own, Policy};
use jiff::Timestamp;

pub use dora::{DoraSettings, EnvironmentSettings};
pub use entry::{Details, Entry};
pub use environment::read_dotenv;
pub use error::SettingsError;
pub use keys::{Form, Key, SECTIONS, Section};
pub use kind::Kind;
pub use origin::ValueOrigin;
pub use server::ServerSettings;
pub use show::ShownValue;
pub use sources::Sources;

use merged::Merged;

/// The settings of every platform, and how experiments behave. They come from [`Sources`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    /// How experiments and power commands behave.
    pub chaos: ChaosSettings,
    entries: BTreeMap<String, Entry>,
    warnings: Vec<String>,
    shown: Vec<ShownValue>,
}

/// How experiments and power commands behave: the section `chaos`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ChaosSettings {
    /// Where it is said that nothing may be done and only be told, if it is.
    pub dry_run: Option<ValueOrigin>,
    /// A directory with experiment files.
    pub experiments_path: Option<PathBuf>,
    /// A directory for what is told of a run.
    pub reports_path: Option<PathBuf>,
    /// A directory with ready-made experiments.
    pub templates_path: Option<PathBuf>,
    /// The rules that every fault has to keep: those of all settings files together.
    pub policy: Policy,
}

impl Settings {
    /// The same settings with one more entry, or another one of its name.
    #[must_use]
    pub fn with(mut self, entry: Entry) -> Self {
        self.entries.insert(entry.name.clone(), entry);
        self
    }

    /// All entries of which something is given, by name.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The entry of that name. `vsphere`, `olvm` and `dora` are always there, if only with nothing in them.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<Entry> {
        self.entries.get(name).cloned().or_else(|| Kind::parse(name).map(|kind| Entry::empty(name, kind)))
    }

    /// What deserves a word, although it does no harm: settings that do nothing, secrets that others can read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Every value that counts, with its origin and without secrets.
    #[must_use]
    pub fn values(&self) -> &[ShownValue] {
        &self.shown
    }

    /// Reads what counts, and the rules as they are at a time if one is given; `machine` is protected if it is known. `errors`
    /// are those that were found before.
    fn read(
        merged: &Merged,
        kinds: &BTreeMap<String, Kind>,
        rules: Option<Timestamp>,
        machine: Option<Known>,
        mut warnings: Vec<String>,
        mut errors: Vec<SettingsError>,
    ) -> Result<Self, SettingsError> {
        let mut entries = BTreeMap::new();
        for (name, kind) in kinds {
            let path = ["platforms".to_owned(), name.clone()];
            let mut reader = merged.section(&["platforms", name], &mut errors);
            let details = match kind {
                Kind::VSphere => Details::VSphere(ServerSettings::read(&mut reader, "server")),
                Kind::Olvm => Details::Olvm(ServerSettings::read(&mut reader, "url")),
                Kind::Dora => {
                    let mut dora = DoraSettings::read(&mut reader);
                    dora.read_named(merged, &path, &mut errors);
                    Details::Dora(dora)
                }
            };
            let mut entry = Entry::new(name, details);
            entry.unset = merged.unset_below(&path);
            entries.insert(name.clone(), entry);
        }
        let mut policy =
            rules.map(|now| policy::read(merged.rules(), now, &mut warnings, &mut errors)).unwrap_or_default();
        let mut reader = merged.section(&["chaos"], &mut errors);
        let is_dry = reader.boolean("dry_run") == Some(true);
        let is_protected = reader.boolean("protect_own") != Some(false);
        if let (Some(machine), Some(_)) = (machine.filter(|_| is_protected), rules) {
            let servers = entries.values().filter_map(Entry::host).collect();
            policy = policy.with_own(&Own::knowing(Known { servers, ..machine }));
        }
        let chaos = ChaosSettings {
            dry_run: reader.given("dry_run").filter(|_| is_dry).map(|given| given.origin.clone()),
            experiments_path: reader.path("experiments_path"),
            reports_path: reader.path("reports_path"),
            templates_path: reader.path("templates_path"),
            policy,
        };
        SettingsError::unless_empty(errors)?;
        Ok(Self { chaos, entries, warnings, shown: show::values(merged, kinds) })
    }
}
