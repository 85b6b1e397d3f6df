//! Providers that a program brings along.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error};
use serde_json::{Map, Value};

use super::Fields;

/// A kind of activity that is carried out by the program that embeds this engine.
///
/// `provider` is what an activity declares under that name, with names of configuration and secrets in their places.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Whether a declaration can be carried out, before anything is touched.
    ///
    /// # Errors
    /// What is wrong with it, in words for a person.
    fn check(&self, provider: &Map<String, Value>) -> Result<(), String>;

    /// Carries it out, within the time of `cx` and until that is cancelled. What it returns is the output of the activity.
    ///
    /// # Errors
    /// The activity failed.
    async fn call(&self, cx: &Context, provider: &Map<String, Value>) -> Result<Value, Error>;
}

/// Providers by the `type` that activities name them with. `python`, `process` and `http` are the engine's own.
#[derive(Clone, Default)]
pub struct Providers(BTreeMap<String, Arc<dyn Provider>>);

impl Providers {
    /// The same with one more.
    #[must_use]
    pub fn with(mut self, kind: impl Into<String>, provider: impl Provider + 'static) -> Self {
        self.0.insert(kind.into(), Arc::new(provider));
        self
    }

    /// Whether activities of this type are carried out by one of these.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }

    pub(crate) fn get(&self, kind: &str) -> Option<Arc<dyn Provider>> {
        self.0.get(kind).cloned()
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A call of such a provider. `Debug` shows its type only: its values may be secrets.
#[derive(Clone)]
pub(crate) struct CustomCall {
    kind: String,
    provider: Arc<dyn Provider>,
    declared: Map<String, Value>,
}

impl CustomCall {
    pub(super) fn read(kind: &str, provider: Arc<dyn Provider>, fields: &mut Fields<'_, '_>) -> Option<Self> {
        let mut declared = Map::new();
        for name in fields.provider.keys() {
            declared.insert(name.clone(), fields.substituted(name).unwrap_or_default());
        }
        if let Err(why) = provider.check(&declared) {
            fields.refuse("type", format!("`{kind}` cannot do this: {why}"));
            return None;
        }
        Some(Self { kind: kind.to_owned(), provider, declared })
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    pub(super) async fn run(&self, cx: &Context) -> Result<Value, Error> {
        cx.bounded(&format!("waiting for `{}`", self.kind), self.provider.call(cx, &self.declared)).await?
    }
}

impl fmt::Debug for CustomCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomCall").field("kind", &self.kind).finish_non_exhaustive()
    }
}
