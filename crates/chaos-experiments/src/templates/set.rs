//! The templates that there are: those that are built in, and those of a directory.

use std::path::Path;

use chaos_core::{Error, ErrorKind, nearest};

use crate::error::ExperimentError;
use crate::templates::Template;

/// The built-in templates, and perhaps those of a directory.
///
/// A file of the directory (`.json`, `.yaml`, `.yml`) is an experiment that says under `extensions` what it takes; Chaos
/// Toolkit ignores that. Its name without the ending is the name of the template.
///
/// ```yaml
/// title: The shop without a web server
/// description: Stops one web server.
/// extensions:
///   - name: chaosmonkey-template
///     summary: stop a web server of the shop
///     platform: vsphere            # so that `server` and so on mean `vsphere_server`; may be left out
///     parameters:
///       - name: vm_name
///         type: vm                 # vm, vms, group, count, flag, seconds, seed, text, integer, number
///         summary: the web server
///       - name: timeout            # has to be given, unless it has a default or `required: false`
///         type: seconds
///         default: 120
///       - name: zone
///         type: text
///         choices: [north, south]  # or `pattern`; of numbers also `minimum` and `maximum`
///         required: false          # null where it is not given
///         without: [/method/1]     # and this is left out then
/// method: []
/// ```
#[derive(Debug, Default)]
pub struct Templates {
    own: Vec<Template>,
}

impl Templates {
    /// Those that are built in.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }

    /// Those that are built in and those of a directory, by name. Blocks for the time that it takes to read small files.
    ///
    /// # Errors
    /// A directory or file that cannot be read, a file that declares no template or a wrong one, and a name that two of them
    /// have.
    pub fn with_directory(directory: &Path) -> Result<Self, ExperimentError> {
        let unreadable = |error: std::io::Error| {
            let message = format!("cannot read the templates in {}: {error}", directory.display());
            Error::new(ErrorKind::Configuration, message)
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if is_template(&path) {
                files.push(path);
            }
        }
        files.sort();
        let mut own: Vec<Template> = Vec::with_capacity(files.len());
        for file in files {
            let template = Template::load(&file)?;
            let taken = Template::all().iter().chain(&own).find(|known| known.name == template.name);
            if let Some(taken) = taken {
                let place =
                    taken.file().map_or("it is built in".to_owned(), |file| format!("{} has it", file.display()));
                let message = format!("{}: there is a chaos type `{}` already: {place}", file.display(), template.name);
                return Err(Error::new(ErrorKind::Configuration, message).into());
            }
            own.push(template);
        }
        Ok(Self { own })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        Template::all().iter().chain(&self.own)
    }

    /// The template of that name; `_` counts as `-`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], which lists the names that there are and points at the one that was probably meant.
    pub fn find(&self, name: &str) -> Result<&Template, Error> {
        find(self.iter(), name)
    }
}

/// Whether a file of the directory is meant to be a template.
fn is_template(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().and_then(|ending| ending.to_str());
    !hidden && matches!(ending, Some("json" | "yaml" | "yml")) && path.is_file()
}

pub(super) fn find<'t>(templates: impl Iterator<Item = &'t Template>, name: &str) -> Result<&'t Template, Error> {
    let wanted = name.replace('_', "-");
    let all: Vec<&Template> = templates.collect();
    all.iter().copied().find(|template| template.name == wanted).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|template| template.name()).collect();
        let meant = nearest(&wanted, &names).map(|meant| format!(", did you mean `{meant}`?"));
        let meant = meant.as_deref().unwrap_or(":");
        let message = format!("there is no chaos type `{name}`{meant} use one of {}", names.join(", "));
        Error::new(ErrorKind::Configuration, message)
    })
}
