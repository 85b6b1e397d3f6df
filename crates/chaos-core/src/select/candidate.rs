//! A VM as a selector sees it, with the entry of the settings that it was found through.

use crate::vm::VMInfo;

/// A VM that may be selected. A reference to it and no copy: a large inventory is looked at where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'a> {
    /// The VM.
    pub vm: &'a VMInfo,
    /// The entry in the settings through which it is reached, such as `vsphere-east`.
    pub endpoint: &'a str,
}

impl<'a> Candidate<'a> {
    /// A VM that is reached through `endpoint`.
    #[must_use]
    pub fn new(vm: &'a VMInfo, endpoint: &'a str) -> Self {
        Self { vm, endpoint }
    }

    /// Whether somebody could draw it: no template, and nothing keeps it from being managed.
    pub(super) fn can_be_drawn(self) -> bool {
        !self.vm.template && self.vm.unmanageable.is_none()
    }

    /// The inventory path of the folder that it is in, without a slash at either end; empty at the root, none if its own path
    /// is not known.
    pub(super) fn folder(self) -> Option<&'a str> {
        let path = self.vm.path.as_deref()?;
        // A name may hold slashes of its own: names in a path are decoded.
        let of_name = path.strip_suffix(self.vm.name.as_str()).and_then(|above| above.strip_suffix('/'));
        let above = of_name.or_else(|| path.rsplit_once('/').map(|(above, _)| above)).unwrap_or("");
        Some(above.trim_matches('/'))
    }

    /// What decides the order of candidates: the entry, the path, the id.
    pub(super) fn order(self) -> (&'a str, &'a str, &'a str) {
        (self.endpoint, self.vm.display_path(), &self.vm.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::PlatformKind;
    use crate::vm::VMPowerState;

    #[test]
    fn the_folder_is_what_stands_above_the_name_in_the_path() {
        for (path, name, folder) in [
            (Some("/DC0/vm/web/web-01"), "web-01", Some("DC0/vm/web")),
            (Some("/DC0/vm/a/b"), "a/b", Some("DC0/vm")),
            (Some("/DC0/vm/b"), "other", Some("DC0/vm")),
            (Some("/b"), "b", Some("")),
            (Some("b"), "b", Some("")),
            (None, "b", None),
        ] {
            let mut vm = VMInfo::new(name, "vm-1", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
            vm.path = path.map(str::to_owned);
            assert_eq!(Candidate::new(&vm, "prod").folder(), folder, "{path:?} {name}");
        }
    }
}
