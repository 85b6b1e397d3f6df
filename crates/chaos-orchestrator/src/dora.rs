//! Dora through the settings: environments by name, and where its VMs can be switched.

use std::sync::Arc;

use chaos_core::{
    Connection, Context, Error, ErrorKind, NamePattern, Platform, PlatformKind, PlatformSource, Selector,
    TargetPattern, VMInfo, nearest,
};
use chaos_dora::{Catalogue, EnvironmentData, HostFilter};
use futures_util::future::try_join_all;

use crate::open::dora::{catalogue, client, host_filter};
use crate::open::read_only::ReadOnly;
use crate::orchestrator::PlatformOrchestrator;
use crate::settings::{Details, DoraSettings, Entry, Kind};

/// A VM that Dora knows, on the platform that runs it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Located {
    /// The entry of that platform.
    pub entry: String,
    /// The VM as that platform sees it.
    pub vm: VMInfo,
}

impl PlatformOrchestrator {
    /// The environments that the Dora service `entry` knows by name: the built-in ones and those of the settings.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the entry is none of a Dora service, or an environment of the settings is not complete.
    pub fn dora_environments(&self, entry: &str) -> Result<Catalogue, Error> {
        catalogue(&dora(&self.entry(entry)?)?)
    }

    /// What cannot work about the environments and vCenters of a Dora service, as far as the settings tell.
    ///
    /// # Errors
    /// The first that is found; also if the entry is none of a Dora service.
    pub fn check_dora(&self, entry: &str) -> Result<(), Error> {
        let settings = dora(&self.entry(entry)?)?;
        let at = |error: Error| Error::new(error.kind(), format!("platforms.{entry}: {}", error.message()));
        let catalogue = catalogue(&settings).map_err(at)?;
        if let Some(environment) = &settings.environment {
            catalogue.get(environment).map_err(at)?;
        }
        for vcenter in settings.vcenters.keys() {
            self.platform_of(&settings, Some(vcenter)).map_err(at)?;
        }
        Ok(())
    }

    /// Hypervisors and VMs of an environment, as the Dora service `entry` knows them. Without `filter`, that of the settings
    /// counts.
    ///
    /// # Errors
    /// What [`chaos_dora::Client::environment_data`] can give, and [`ErrorKind::Configuration`] for an unknown environment,
    /// which is found out before anything is sent.
    pub async fn dora_environment(
        &self,
        cx: &Context,
        entry: &str,
        environment: &str,
        filter: Option<HostFilter>,
    ) -> Result<EnvironmentData, Error> {
        let entry = self.entry(entry)?;
        let settings = dora(&entry)?;
        let catalogue = catalogue(&settings)?;
        let environment = catalogue.get(environment)?;
        let client = client(cx, &entry, &settings, self.asked()).await?;
        let filter = filter.unwrap_or_else(|| host_filter(&settings));
        client.environment_data(cx, environment, &filter).await.map_err(|error| {
            if !environment.is_placeholder || error.kind() != ErrorKind::NotFound {
                return error;
            }
            // Where that is done.
            let message =
                format!("{}, under `platforms.{}.environments.{}`", error.message(), entry.name, environment.name);
            Error::new(error.kind(), message).platform(PlatformKind::DORA)
        })
    }

    /// Finds the platform that runs a VM which the Dora service `entry` knows, and the VM there.
    ///
    /// The platform is the one that the settings name for the VM's vCenter (`vcenters`), or the entry that has the vCenter's
    /// name; if there is neither, every vCenter, ESXi host and engine of the settings is looked at. There the VM is known by
    /// its managed object id, or else by its name. Where the vCenter is not known, an id counts only together with the name,
    /// and a name only if Dora tells no id: other vCenters give the same ids and names to other VMs.
    ///
    /// # Errors
    /// [`ErrorKind::Ambiguous`] if it could be one of two VMs; [`ErrorKind::NotFound`] if it is on none;
    /// [`ErrorKind::Configuration`] if there is no platform to look at; and what looking can give: with a platform that does
    /// not answer nobody can know.
    pub async fn locate(&self, cx: &Context, entry: &str, vm: &VMInfo) -> Result<Located, Error> {
        let settings = dora(&self.entry(entry)?)?;
        let vcenter = vm.metadata.get("vcenter").map(String::as_str);
        let (platforms, is_known) = match self.platform_of(&settings, vcenter)? {
            Some(known) => (vec![known], true),
            None => (self.switchable(), false),
        };
        if platforms.is_empty() {
            let vcenter = vcenter.unwrap_or("its vCenter");
            let message = format!(
                "the settings have no platform that could run it: make {vcenter} an entry of `platforms`, and name that \
                 under `platforms.{entry}.vcenters`"
            );
            return Err(Error::new(ErrorKind::Configuration, message).vm(vm.name.clone()));
        }
        let looks = platforms.iter().map(|platform| self.look(cx, platform, vm));
        let found: Vec<Located> = try_join_all(looks).await?.into_iter().flatten().collect();
        let by_id: Vec<&Located> =
            found.iter().filter(|found| found.vm.id == vm.id && (is_known || found.vm.name == vm.name)).collect();
        // On an unknown vCenter a VM of that name with another id is another VM.
        let name_tells = is_known || vm.id == vm.name;
        let by_name: Vec<&Located> = found.iter().filter(|found| name_tells && found.vm.name == vm.name).collect();
        match (by_id.as_slice(), by_name.as_slice()) {
            ([only], _) | ([], [only]) => Ok((*only).clone()),
            ([], []) => {
                let hint = if is_known {
                    String::new()
                } else {
                    format!(": name its vCenter {} under `platforms.{entry}.vcenters`", vcenter.unwrap_or_default())
                };
                let message = format!("no VM fits `{}` ({}) on {}{hint}", vm.name, vm.id, platforms.join(", "));
                Err(Error::new(ErrorKind::NotFound, message))
            }
            ([], several) | (several, _) => {
                let path = |found: &&Located| format!("{} on {}", found.vm.display_path(), found.entry);
                Err(Error::ambiguous(&vm.name, several.iter().map(path).collect()))
            }
        }
    }

    /// A Dora service as a platform, with the way out where it cannot do what it is asked for. Others are as they are.
    pub(crate) fn with_way_out(&self, entry: &Entry, platform: Arc<dyn Platform>) -> Arc<dyn Platform> {
        let Details::Dora(settings) = &entry.details else { return platform };
        let environment = settings.environment.as_deref().unwrap_or_default();
        let vcenter = catalogue(settings).and_then(|known| Ok(known.get(environment)?.vcenter.clone()));
        let vcenter = vcenter.unwrap_or_default();
        let way_out = match (self.platform_of(settings, Some(&vcenter)), self.switchable()) {
            (Ok(Some(known)), _) => format!("its vCenter {vcenter} is the platform `{known}`, which can"),
            (_, several) if !several.is_empty() => format!(
                "its vCenter {vcenter} is one of the platforms {}; say which under `platforms.{}.vcenters`",
                several.join(", "),
                entry.name
            ),
            _ => format!(
                "make its vCenter {vcenter} an entry of `platforms`, and name that under `platforms.{}.vcenters`",
                entry.name
            ),
        };
        Arc::new(ReadOnly::new(platform, way_out))
    }

    /// The entry that is the vCenter of this name, if the settings say so or it has that name.
    fn platform_of(&self, settings: &DoraSettings, vcenter: Option<&str>) -> Result<Option<String>, Error> {
        let Some(vcenter) = vcenter else { return Ok(None) };
        if let Some(named) = settings.vcenters.get(vcenter) {
            return match self.settings().entry(named).map(|entry| entry.kind()) {
                Some(Kind::VSphere | Kind::Olvm) => Ok(Some(named.clone())),
                Some(Kind::Dora) | None => {
                    let known = self.switchable();
                    let names: Vec<&str> = known.iter().map(String::as_str).collect();
                    let meant = match nearest(named, &names) {
                        Some(meant) => format!(", did you mean `{meant}`?"),
                        None => String::new(),
                    };
                    let message = format!(
                        "`vcenters` says that {vcenter} is `{named}`, which is no vCenter, ESXi host or engine{meant}"
                    );
                    Err(Error::new(ErrorKind::Configuration, message))
                }
            };
        }
        Ok(self.switchable().into_iter().find(|name| name.eq_ignore_ascii_case(vcenter)))
    }

    /// The entries of platforms whose VMs can be switched.
    fn switchable(&self) -> Vec<String> {
        let entries = self.settings().entries().filter(|entry| entry.names_a_server() && entry.kind() != Kind::Dora);
        entries.map(|entry| entry.name.clone()).collect()
    }

    /// The VMs of one platform that have the id or the name.
    async fn look(&self, cx: &Context, platform: &str, vm: &VMInfo) -> Result<Vec<Located>, Error> {
        let opened = self.open(cx, platform, &Connection::default()).await?;
        // The selector is a hint to the platform; what fits is decided below.
        let selector = match NamePattern::new(&vm.name) {
            Ok(name) => Selector::targets([TargetPattern::Id(vm.id.clone()), TargetPattern::Name(name)]),
            Err(_) => Selector::all(),
        };
        let discovery = opened.discover(cx, &selector).await?;
        let fits = |found: &VMInfo| found.id == vm.id || found.name == vm.name;
        let located = |vm: VMInfo| Located { entry: platform.to_owned(), vm };
        Ok(discovery.vms.into_iter().filter(fits).map(located).collect())
    }
}

fn dora(entry: &Entry) -> Result<DoraSettings, Error> {
    match &entry.details {
        Details::Dora(settings) => Ok(settings.clone()),
        Details::VSphere(_) | Details::Olvm(_) => {
            let message = format!("`{}` is of type {}, and a Dora service is needed", entry.name, entry.kind());
            Err(Error::new(ErrorKind::Configuration, message).platform(PlatformKind::DORA))
        }
    }
}
