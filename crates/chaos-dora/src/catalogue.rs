//! The environments that are known by name. The built-in ones are data; a site overrides them and adds its own.

use std::collections::BTreeMap;

use chaos_core::{Error, ErrorKind, PlatformKind, nearest};
use serde::{Deserialize, Serialize};

/// The built-in environments.
const BUILT_IN: &str = include_str!("environments.json");

/// What stands in for a value that only the site knows. No vCenter is called so.
const PLACEHOLDER: &str = "CHANGE-ME";

/// An environment: a part of a vCenter, as Dora names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The vCenter, by its name in Dora.
    pub vcenter: String,
    /// The path that its hypervisors are found by. A `/` separates the parts of a path.
    pub pattern_path: String,
    /// The path that its VMs are found by.
    pub vm_path: String,
    /// A regular expression for the hosts that belong to it.
    pub host_filter: Option<String>,
    /// Whether one of its values is only a placeholder, because the site has not said what it is.
    #[serde(rename = "placeholder")]
    pub is_placeholder: bool,
}

/// Values that replace those of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvironmentPatch {
    /// Replaces [`Environment::vcenter`].
    pub vcenter: Option<String>,
    /// Replaces [`Environment::pattern_path`].
    pub pattern_path: Option<String>,
    /// Replaces [`Environment::vm_path`].
    pub vm_path: Option<String>,
    /// Replaces [`Environment::host_filter`].
    pub host_filter: Option<String>,
}

/// The environments that are known by name.
///
/// ```
/// use chaos_dora::Catalogue;
///
/// let catalogue = Catalogue::builtin();
/// assert_eq!(catalogue.get("Dev1").unwrap().vcenter, "OracleQA");
/// assert!(catalogue.get("EPB-Prod").unwrap().is_placeholder);
/// let error = catalogue.get("EBP-Prod").unwrap_err();
/// assert!(error.to_string().contains("did you mean `EPB-Prod`?"), "{error}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    built_in: Vec<Environment>,
    added: BTreeMap<String, Environment>,
}

#[derive(Deserialize)]
struct BuiltIn {
    name: String,
    vcenter: Option<String>,
    pattern_path: Option<String>,
    vm_path: Option<String>,
    host_filter: Option<String>,
}

impl Catalogue {
    /// The environments that are built in. Of most of them only the name is known: these are placeholders.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the file is part of the program, and a test reads it")]
    pub fn builtin() -> Self {
        let built_in: Vec<BuiltIn> = serde_json::from_str(BUILT_IN).expect("the built-in environments are well formed");
        let environment = |BuiltIn { name, vcenter, pattern_path, vm_path, host_filter }| {
            let mut environment = Environment::unknown(name);
            environment.apply(EnvironmentPatch { vcenter, pattern_path, vm_path, host_filter });
            environment
        };
        Self { built_in: built_in.into_iter().map(environment).collect(), added: BTreeMap::new() }
    }

    /// Replaces values of an environment, or adds one of a new name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an empty vCenter or path, and for a new name without one of them: nothing could be
    /// asked about it.
    pub fn set(&mut self, name: &str, patch: EnvironmentPatch) -> Result<(), Error> {
        if let Some(empty) = patch.empty() {
            let message =
                format!("`{empty}` of the environment `{name}` is empty: say what your site calls it, or leave it out");
            return Err(configuration(message));
        }
        let built_in = self.built_in.iter_mut().find(|there| there.name == name);
        if let Some(there) = built_in.or_else(|| self.added.get_mut(name)) {
            there.apply(patch);
            return Ok(());
        }
        let mut environment = Environment::unknown(name.to_owned());
        environment.apply(patch);
        if environment.is_placeholder {
            let missing = environment.placeholders().join(", ");
            let names = self.names();
            let meant = match nearest(name, &names) {
                Some(meant) => format!("; did you mean to change `{meant}`?"),
                None => String::new(),
            };
            return Err(configuration(format!("the new environment `{name}` lacks {missing}{meant}")));
        }
        self.added.insert(name.to_owned(), environment);
        Ok(())
    }

    /// The environment of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], which lists the names that there are and points at the one that was probably meant.
    pub fn get(&self, name: &str) -> Result<&Environment, Error> {
        self.iter().find(|environment| environment.name == name).ok_or_else(|| {
            let names = self.names();
            let meant = match nearest(name, &names) {
                Some(meant) => format!(", did you mean `{meant}`?"),
                None => ":".to_owned(),
            };
            configuration(format!("there is no environment `{name}`{meant} use one of {}", names.join(", ")))
        })
    }

    /// All of them: the built-in ones in their order, then those that were added, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Environment> {
        self.built_in.iter().chain(self.added.values())
    }

    fn names(&self) -> Vec<&str> {
        self.iter().map(|environment| environment.name.as_str()).collect()
    }
}

impl EnvironmentPatch {
    /// The first value that is there and says nothing: what is asked for would be another path.
    fn empty(&self) -> Option<&'static str> {
        let values = [("vcenter", &self.vcenter), ("pattern_path", &self.pattern_path), ("vm_path", &self.vm_path)];
        let is_empty =
            |value: &Option<String>| value.as_ref().is_some_and(|text| text.replace('/', "").trim().is_empty());
        values.into_iter().find(|(_, value)| is_empty(value)).map(|(name, _)| name)
    }
}

impl Environment {
    /// An environment of which only the name is known.
    fn unknown(name: String) -> Self {
        let placeholder = || PLACEHOLDER.to_owned();
        Self {
            name,
            vcenter: placeholder(),
            pattern_path: placeholder(),
            vm_path: placeholder(),
            host_filter: None,
            is_placeholder: true,
        }
    }

    fn apply(&mut self, patch: EnvironmentPatch) {
        let EnvironmentPatch { vcenter, pattern_path, vm_path, host_filter } = patch;
        let replace = |old: &mut String, new: Option<String>| {
            if let Some(new) = new {
                *old = new;
            }
        };
        replace(&mut self.vcenter, vcenter);
        replace(&mut self.pattern_path, pattern_path);
        replace(&mut self.vm_path, vm_path);
        self.host_filter = host_filter.or(self.host_filter.take());
        self.is_placeholder = !self.placeholders().is_empty();
    }

    /// The values that are placeholders, by the names that the settings have for them.
    fn placeholders(&self) -> Vec<&'static str> {
        let values = [("vcenter", &self.vcenter), ("pattern_path", &self.pattern_path), ("vm_path", &self.vm_path)];
        values.into_iter().filter(|(_, value)| *value == PLACEHOLDER).map(|(name, _)| name).collect()
    }

    /// Why nothing may be known about it, if that is because of placeholders.
    pub(crate) fn excuse(&self) -> Option<String> {
        let Self { name, .. } = self;
        self.is_placeholder.then(|| {
            format!(
                "the built-in values of `{name}` are placeholders: its {} have to be set to what the site calls them",
                self.placeholders().join(", ")
            )
        })
    }
}

fn configuration(message: String) -> Error {
    Error::new(ErrorKind::Configuration, message).platform(PlatformKind::DORA)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(vcenter: Option<&str>, path: Option<&str>) -> EnvironmentPatch {
        let text = |text: Option<&str>| text.map(str::to_owned);
        EnvironmentPatch { vcenter: text(vcenter), pattern_path: text(path), vm_path: text(path), host_filter: None }
    }

    #[test]
    fn the_built_in_names_are_there_in_order_and_all_but_one_are_placeholders() {
        let catalogue = Catalogue::builtin();
        let names: Vec<_> = catalogue.iter().filter(|one| one.is_placeholder).map(|one| one.name.as_str()).collect();
        assert_eq!(names.len(), 13);
        assert_eq!((names[0], names[9], names[12]), ("Paytv", "EPB-Prod", "MSG-Prod"));
        let dev1 = catalogue.get("Dev1").unwrap();
        assert_eq!((dev1.vm_path.as_str(), dev1.host_filter.as_deref()), ("ORA-DEV", Some("dev1")));
        assert_eq!(dev1.excuse(), None);
    }

    #[test]
    fn a_placeholder_becomes_real_when_all_of_it_is_said() {
        let mut catalogue = Catalogue::builtin();
        catalogue.set("EPB-Prod", patch(Some("EpbVC"), None)).unwrap();
        let half = catalogue.get("EPB-Prod").unwrap().clone();
        assert!(half.is_placeholder && half.vcenter == "EpbVC");
        let excuse = half.excuse().unwrap();
        assert!(excuse.contains("its pattern_path, vm_path have to be set"), "{excuse}");
        catalogue.set("EPB-Prod", patch(None, Some("PROD"))).unwrap();
        assert!(!catalogue.get("EPB-Prod").unwrap().is_placeholder);
    }

    #[test]
    fn a_new_environment_needs_all_of_its_values() {
        let mut catalogue = Catalogue::builtin();
        let error = catalogue.set("EPB-Prd", patch(Some("x"), None)).unwrap_err().to_string();
        assert!(error.contains("lacks pattern_path, vm_path") && error.contains("`EPB-Prod`"), "{error}");
        catalogue.set("Lab", patch(Some("x"), Some("y"))).unwrap();
        catalogue.set("Attic", patch(Some("x"), Some("y"))).unwrap();
        let names: Vec<_> = catalogue.iter().skip(13).map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Dev1", "Attic", "Lab"], "the added ones by name");
        let error = catalogue.get("lab").unwrap_err().to_string();
        assert!(error.contains("did you mean `Lab`?") && error.contains("Paytv, Oracle-Paytv"), "{error}");
    }

    #[test]
    fn what_is_empty_is_no_value() {
        let mut catalogue = Catalogue::builtin();
        for (vcenter, path, key) in [("", "x", "vcenter"), ("x", "", "pattern_path"), ("x", " // ", "pattern_path")] {
            let error = catalogue.set("EPB-Prod", patch(Some(vcenter), Some(path))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(&format!("`{key}` of the environment `EPB-Prod` is empty")), "{error}");
        }
        assert_eq!(catalogue, Catalogue::builtin(), "nothing was changed");
    }
}
