//! `protect own`: neither the VM that this runs in is hit, nor one that the server of a platform runs in.

use std::fmt;
use std::net::IpAddr;

use super::denial::Denial;
use super::scene::Strike;
use crate::vm::VMInfo;

/// `protect own`: the VM that this runs in is never hit, and none in which the server of a platform runs.
///
/// It knows only what it is [told](Own::knowing). What is not known, of the machine or of a VM, matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Own {
    /// What is known.
    pub known: Known,
}

/// What is known of the machine that this runs on and of the servers of the platforms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The machine's host name. One without a domain tells machines apart only together with an address.
    pub host_name: Option<String>,
    /// The UUID in its firmware, the System UUID of SMBIOS (DSP0134, 7.2.1).
    pub product_uuid: Option<String>,
    /// Its addresses in the network.
    pub addresses: Vec<IpAddr>,
    /// The hosts, by name or address, by which the servers are reached.
    pub servers: Vec<String>,
}

impl Own {
    /// The rule with what is known.
    #[must_use]
    pub fn knowing(known: Known) -> Self {
        Self { known }
    }

    pub(super) fn check(&self, strike: &Strike<'_>) -> Result<(), Denial> {
        let way_out = "leave it out, or set `chaos.protect_own: false`";
        for hit in &strike.targets {
            let path = hit.vm.display_path();
            if self.known.is_here(&hit.vm) {
                return Err(Denial::new(Some(path), format!("{path} is the machine that this runs on"), way_out));
            }
            if let Some(server) = self.known.servers.iter().find(|server| is_server(server, &hit.vm)) {
                return Err(Denial::new(Some(path), format!("{path} is the machine of the server {server}"), way_out));
            }
        }
        Ok(())
    }
}

impl Known {
    fn is_here(&self, vm: &VMInfo) -> bool {
        let uuids = [vm.metadata.get("bios_uuid"), vm.instance_uuid.as_ref(), Some(&vm.id)];
        let is_same = |mine: &String| uuids.into_iter().flatten().any(|uuid| is_same_uuid(mine, uuid));
        if self.product_uuid.as_ref().is_some_and(is_same) {
            return true;
        }
        let Some(mine) = self.host_name.as_deref().map(plain).filter(|name| is_telling(name)) else { return false };
        guest_names(vm).any(|name| {
            let is_full = mine.contains('.') && name == mine;
            let is_near = || address(vm).is_some_and(|at| self.addresses.contains(&at));
            is_full || (short(&name) == short(&mine) && is_near())
        })
    }
}

/// Whether a server is reached by what a VM is called, or by the address that it has.
fn is_server(server: &str, vm: &VMInfo) -> bool {
    let server = plain(server.trim_start_matches('[').trim_end_matches(']'));
    if let Ok(at) = server.parse::<IpAddr>() {
        return !at.is_loopback() && !at.is_unspecified() && address(vm) == Some(at);
    }
    if !is_telling(&server) {
        return false;
    }
    let is_it = |name: &str| name == server || name == short(&server);
    // A guest with a domain is the server if that is the same, or if the server was named without one.
    is_it(&plain(&vm.name)) || guest_names(vm).any(|name| is_it(&name) || short(&name) == server)
}

/// What the guest calls itself.
fn guest_names(vm: &VMInfo) -> impl Iterator<Item = String> {
    ["host_name", "fqdn"].into_iter().filter_map(|key| vm.metadata.get(key)).map(|name| plain(name))
}

fn address(vm: &VMInfo) -> Option<IpAddr> {
    vm.metadata.get("ip_address")?.trim().parse().ok()
}

fn plain(name: &str) -> String {
    name.trim().trim_end_matches('.').to_lowercase()
}

fn short(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// Every machine is its own `localhost`.
fn is_telling(name: &str) -> bool {
    !short(name).is_empty() && short(name) != "localhost"
}

/// Whether two texts are one UUID. Firmware has its first three fields with the low byte first, and some of those that show it
/// turn these around and some do not (DSP0134, 7.2.1).
fn is_same_uuid(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (uuid(one), uuid(other)) else { return false };
    let mut turned = one;
    turned[..4].reverse();
    turned[4..6].reverse();
    turned[6..8].reverse();
    other == one || other == turned
}

/// The bytes of a UUID. None and all of one kind mean that there is none.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.trim().bytes().filter(|byte| *byte != b'-').collect();
    let mut bytes = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    (bytes != [0; 16] && bytes != [0xff; 16]).then_some(bytes)
}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("protect own")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::PlatformKind;
    use crate::vm::VMPowerState;

    fn vm(name: &str, metadata: &[(&str, &str)]) -> VMInfo {
        let mut vm = VMInfo::new(name, "vm-1", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
        vm.metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        vm
    }

    #[test]
    fn the_uuid_of_the_firmware_is_known_in_either_order_of_bytes() {
        let known = |uuid: &str| Known { product_uuid: Some(uuid.to_owned()), ..Known::default() };
        let here = vm("a", &[("bios_uuid", "4223a1b2-c3d4-e5f6-0102-030405060708")]);
        assert!(known("4223A1B2-C3D4-E5F6-0102-030405060708\n").is_here(&here));
        assert!(known("b2a12342-d4c3-f6e5-0102-030405060708").is_here(&here));
        assert!(!known("b2a12342-d4c3-f6e5-0102-030405060709").is_here(&here));
        let mut engine = vm("a", &[]);
        engine.id = "4223a1b2-c3d4-e5f6-0102-030405060708".to_owned();
        assert!(known("4223a1b2-c3d4-e5f6-0102-030405060708").is_here(&engine), "an engine gives a VM its own id");
        for nothing in ["", "vm-1", "00000000-0000-0000-0000-000000000000", "Not Settable", "é".repeat(16).as_str()] {
            assert!(!known(nothing).is_here(&vm("a", &[("bios_uuid", nothing)])), "{nothing}");
        }
    }

    #[test]
    fn a_name_alone_tells_only_with_its_domain() {
        let known = |name: &str, addresses: &[&str]| Known {
            host_name: Some(name.to_owned()),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            ..Known::default()
        };
        let here = vm("a", &[("host_name", "Chaos-1.example.com"), ("ip_address", "192.0.2.7")]);
        assert!(known("chaos-1.example.com.", &[]).is_here(&here));
        assert!(!known("chaos-1", &[]).is_here(&here) && !known("chaos-1", &["192.0.2.8"]).is_here(&here));
        assert!(known("chaos-1", &["127.0.0.1", "192.0.2.7"]).is_here(&here));
        assert!(!known("chaos-1.example.org", &[]).is_here(&here) && !known("other", &["192.0.2.7"]).is_here(&here));
        let local = vm("a", &[("host_name", "localhost.localdomain"), ("ip_address", "192.0.2.7")]);
        assert!(!known("localhost.localdomain", &["192.0.2.7"]).is_here(&local));
        assert!(
            !known("chaos-1.example.com", &[]).is_here(&vm("chaos-1.example.com", &[])),
            "a name that people gave it"
        );
    }

    #[test]
    fn a_server_is_known_by_its_name_or_its_address() {
        for (server, name, metadata, is) in [
            ("vcenter.example.com", "vcenter", &[][..], true),
            ("vcenter.example.com", "VCENTER.example.com", &[], true),
            ("vcenter.example.com", "vcenter-test", &[], false),
            ("vcenter.example.com", "appliance", &[("host_name", "vcenter.example.com")], true),
            ("vcenter.example.com", "appliance", &[("fqdn", "vcenter")], true),
            ("vcenter.example.com", "appliance", &[("fqdn", "vcenter.example.org")], false),
            ("vcenter", "appliance", &[("fqdn", "vcenter.example.org")], true),
            ("192.0.2.7", "appliance", &[("ip_address", "192.0.2.7")], true),
            ("192.0.2.7", "192.0.2.7", &[], false),
            ("[2001:db8::7]", "appliance", &[("ip_address", "2001:db8:0::7")], true),
            ("127.0.0.1", "appliance", &[("ip_address", "127.0.0.1")], false),
            ("localhost", "localhost", &[("host_name", "localhost")], false),
            ("", "", &[("host_name", "")], false),
        ] {
            assert_eq!(is_server(server, &vm(name, metadata)), is, "{server} {name} {metadata:?}");
        }
    }
}
