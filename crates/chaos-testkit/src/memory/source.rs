//! A source of platforms in memory, for tests of whatever opens platforms by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chaos_core::{Connection, Context, Error, ErrorKind, Platform, PlatformSource};

use crate::memory::estate::MemoryEstate;
use crate::memory::platform::MemoryPlatform;

/// Opens the [`MemoryEstate`]s that it was given, by name or by their kind. Clones share everything.
#[derive(Clone, Default)]
pub struct MemorySource(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    estates: BTreeMap<String, MemoryEstate>,
    open: BTreeMap<String, Arc<MemoryPlatform>>,
    opened: Vec<Opened>,
    closes: usize,
    fail_open: Option<(ErrorKind, String)>,
}

/// One request for a platform.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The name that was asked for.
    pub name: String,
    /// The connection values beside it.
    pub connection: Connection,
}

impl MemorySource {
    /// A source without platforms.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A source of one platform.
    #[must_use]
    pub fn of(name: &str, estate: &MemoryEstate) -> Self {
        Self::new().with(name, estate)
    }

    /// Adds a platform.
    #[must_use]
    pub fn with(self, name: &str, estate: &MemoryEstate) -> Self {
        self.state().estates.insert(name.to_owned(), estate.clone());
        self
    }

    /// Makes the next request for a platform fail.
    pub fn fail_next_open(&self, kind: ErrorKind, message: &str) {
        self.state().fail_open = Some((kind, message.to_owned()));
    }

    /// Every request for a platform, in order, also those that failed.
    #[must_use]
    pub fn opened(&self) -> Vec<Opened> {
        self.state().opened.clone()
    }

    /// How often the source was closed.
    #[must_use]
    pub fn closes(&self) -> usize {
        self.state().closes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PlatformSource for MemorySource {
    async fn open(&self, cx: &Context, name: &str, connection: &Connection) -> Result<Arc<dyn Platform>, Error> {
        let (entry, estate) = {
            let mut state = self.state();
            state.opened.push(Opened { name: name.to_owned(), connection: connection.clone() });
            if let Some((kind, message)) = state.fail_open.take() {
                return Err(Error::new(kind, message));
            }
            if let Some(platform) = state.open.get(name) {
                return Ok(Arc::clone(platform) as Arc<dyn Platform>);
            }
            let by_name = state.estates.get_key_value(name);
            let found = by_name.or_else(|| state.estates.iter().find(|(_, estate)| estate.kind().as_str() == name));
            let Some((entry, estate)) = found else {
                let known: Vec<&str> = state.estates.keys().map(String::as_str).collect();
                let message = format!("no platform is called `{name}`; there are: {}", known.join(", "));
                return Err(Error::new(ErrorKind::Configuration, message));
            };
            (entry.clone(), estate.clone())
        };
        let platform = Arc::new(estate.connect(cx, &entry).await?);
        self.state().open.insert(name.to_owned(), Arc::clone(&platform));
        Ok(platform)
    }

    async fn close(&self, cx: &Context) -> Result<(), Error> {
        let open = {
            let mut state = self.state();
            state.closes += 1;
            std::mem::take(&mut state.open)
        };
        let mut result = Ok(());
        for platform in open.into_values() {
            result = result.and(platform.disconnect(cx).await);
        }
        result
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemorySource")
            .field("estates", &state.estates)
            .field("opened", &state.opened.len())
            .finish_non_exhaustive()
    }
}
