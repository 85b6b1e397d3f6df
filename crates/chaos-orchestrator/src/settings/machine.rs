//! What this machine knows of itself, so that a VM can be told to be it. Nothing is asked of anybody.

use std::net::IpAddr;

use chaos_core::Known;

/// The UUID in the firmware, which only root may read.
const PRODUCT_UUID: &str = "/sys/class/dmi/id/product_uuid";

/// What is known of the machine that this runs on. What cannot be read is not known.
pub(super) fn known() -> Known {
    Known {
        host_name: host_name(),
        product_uuid: std::fs::read_to_string(PRODUCT_UUID).ok().map(|uuid| uuid.trim().to_owned()),
        addresses: addresses(),
        servers: Vec::new(),
    }
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// Those that others may know it by, too.
#[cfg(unix)]
fn addresses() -> Vec<IpAddr> {
    let Ok(found) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    let address = |found: nix::ifaddrs::InterfaceAddress| {
        let at = found.address?;
        let four = at.as_sockaddr_in().map(|at| IpAddr::V4(at.ip()));
        four.or_else(|| at.as_sockaddr_in6().map(|at| IpAddr::V6(at.ip())))
    };
    found.filter_map(address).filter(|at| !at.is_loopback()).collect()
}

#[cfg(not(unix))]
fn addresses() -> Vec<IpAddr> {
    Vec::new()
}
