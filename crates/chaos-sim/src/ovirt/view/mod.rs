//! Objects as the API shows them: which members they have, in which order, and which are absent when.
//!
//! Source: API model; the order is that of the schema that is generated from it.

mod api;
mod ovf;
mod part;
mod place;
mod vm;

pub(super) use self::place::{CPU_TYPE, HOST_MEMORY_MB, VDSM, address, datacenter_status};
pub(super) use self::vm::{fqdn, hears_agent, os_type};

use super::element::Element;
use super::scene::Scene;

/// What is to be shown of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Usual,
    /// With what costs the engine several queries more.
    AllContent,
}

/// A link was to be followed that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NothingToFollow;

/// The compatibility level of all clusters and datacenters, as `4.7`.
pub(super) fn cluster_level(scene: &Scene<'_>) -> String {
    format!("4.{}", scene.engine.site.version.cluster_level())
}

/// The same as an element.
fn level(scene: &Scene<'_>) -> Element {
    let minor = scene.engine.site.version.cluster_level();
    Element::of("version", [Element::int("major", 4), Element::int("minor", minor)])
}

/// A reference to an object at the top of the API.
fn reference(name: &'static str, collection: &str, id: String) -> Element {
    Element::reference(name, super::scene::href(collection, &id), id)
}
