//! From what a person wrote to exactly the VMs that are meant, or an error that says why not.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind};
use crate::select::pattern::TargetPattern;
use crate::select::selector::Selector;
use crate::vm::VMInfo;

/// How a VM came to be chosen, which decides whether a person should be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// By its full name, its id or its path.
    Name,
    /// By a glob, a regular expression or a filter alone.
    Pattern,
}

/// A VM that is meant.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Chosen {
    /// The VM.
    pub vm: VMInfo,
    /// How it came to be chosen.
    pub by: ChosenBy,
}

/// The VMs of an inventory that `selector` means, each once, in the order of the targets and then of the inventory.
///
/// Templates are meant only by name, id or path, never by a pattern.
///
/// # Errors
/// [`ErrorKind::NotFound`] if a target fits no VM,
/// [`ErrorKind::Ambiguous`] if a full name, an id or a path fits several.
pub fn resolve(selector: &Selector, vms: &[VMInfo]) -> Result<Vec<Chosen>, Error> {
    let admitted: Vec<&VMInfo> = vms.iter().filter(|vm| selector.admits(vm)).collect();
    let mut chosen = Vec::new();
    let mut seen = BTreeSet::new();
    let mut choose = |vms: &[&VMInfo], by: ChosenBy| {
        for vm in vms {
            if seen.insert(vm.id.clone()) {
                chosen.push(Chosen { vm: (*vm).clone(), by });
            }
        }
    };
    if selector.targets.is_empty() {
        let all: Vec<&VMInfo> = admitted.iter().copied().filter(|vm| !vm.template).collect();
        choose(&all, ChosenBy::Pattern);
    }
    for target in &selector.targets {
        let (fits, by) = candidates(target, &admitted);
        match (by, fits.as_slice()) {
            (_, []) => return Err(not_found(target, selector, vms)),
            (ChosenBy::Name, [_, _, ..]) => {
                return Err(Error::ambiguous(target, fits.iter().map(|vm| told_apart(vm, &fits)).collect()));
            }
            (_, fits) => choose(fits, by),
        }
    }
    Ok(chosen)
}

fn candidates<'a>(target: &TargetPattern, vms: &[&'a VMInfo]) -> (Vec<&'a VMInfo>, ChosenBy) {
    let select = |fits: &dyn Fn(&VMInfo) -> bool| vms.iter().copied().filter(|vm| fits(vm)).collect::<Vec<_>>();
    match target {
        TargetPattern::Name(name) => {
            let exact = select(&|vm| name.equals(&vm.name));
            if !exact.is_empty() || !name.is_glob() {
                return (exact, ChosenBy::Name);
            }
            (select(&|vm| !vm.template && name.matches(&vm.name)), ChosenBy::Pattern)
        }
        TargetPattern::Id(_) | TargetPattern::Path(_) => (select(&|vm| target.matches(vm)), ChosenBy::Name),
        TargetPattern::Regex { .. } => (select(&|vm| !vm.template && target.matches(vm)), ChosenBy::Pattern),
    }
}

/// The path, and the id too where the path alone does not tell the candidates apart.
fn told_apart(vm: &VMInfo, among: &[&VMInfo]) -> String {
    let path = vm.display_path();
    if among.iter().filter(|other| other.display_path() == path).count() > 1 {
        format!("{path} (id:{})", vm.id)
    } else {
        path.to_owned()
    }
}

fn not_found(target: &TargetPattern, selector: &Selector, vms: &[VMInfo]) -> Error {
    if selector.has_filters() && vms.iter().any(|vm| target.matches(vm)) {
        return Error::new(
            ErrorKind::NotFound,
            format!("no VM fits `{target}` within the given filters, though one exists outside of them"),
        );
    }
    Error::not_found(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::PlatformKind;
    use crate::vm::VMPowerState;

    fn vm(name: &str, id: &str, folder: &str) -> VMInfo {
        let mut vm = VMInfo::new(name, id, VMPowerState::PoweredOn, PlatformKind::VSPHERE);
        vm.path = Some(format!("/DC0/vm{folder}/{name}"));
        vm.datacenter = Some("DC0".into());
        vm
    }

    fn inventory() -> Vec<VMInfo> {
        let mut template = vm("web-tpl", "vm-9", "");
        template.template = true;
        vec![
            vm("web-01", "vm-1", "/a"),
            vm("web-01", "vm-2", "/b"),
            vm("web-02", "vm-3", "/a"),
            vm("db[1]", "vm-4", ""),
            vm("db1", "vm-5", ""),
            template,
        ]
    }

    fn ids(targets: &[&str]) -> Result<Vec<String>, Error> {
        let selector = Selector::targets(targets.iter().map(|text| text.parse().unwrap()));
        Ok(resolve(&selector, &inventory())?.into_iter().map(|chosen| chosen.vm.id).collect())
    }

    #[test]
    fn a_name_of_two_vms_is_refused_with_both_paths() {
        let error = ids(&["web-01"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        assert_eq!(error.candidates(), ["/DC0/vm/a/web-01", "/DC0/vm/b/web-01"]);
        assert_eq!(ids(&["path:/DC0/vm/b/web-01"]).unwrap(), ["vm-2"]);
        assert_eq!(ids(&["id:vm-1"]).unwrap(), ["vm-1"]);
    }

    #[test]
    fn a_full_name_wins_over_its_meaning_as_a_glob() {
        assert_eq!(ids(&["db[1]"]).unwrap(), ["vm-4"]);
        assert_eq!(ids(&["db[2]"]).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(ids(&["db?"]).unwrap(), ["vm-5"]);
    }

    #[test]
    fn patterns_choose_each_vm_once_and_never_a_template() {
        assert_eq!(ids(&["web-*", "re:web-.*"]).unwrap(), ["vm-1", "vm-2", "vm-3"]);
        assert_eq!(ids(&["web-tpl"]).unwrap(), ["vm-9"]);
    }

    #[test]
    fn an_expression_has_to_match_the_whole_name_and_case_counts() {
        assert_eq!(ids(&["re:web"]).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(ids(&["Web-02"]).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_filter_that_hides_a_named_vm_says_so() {
        let mut selector = Selector::targets(["web-02".parse().unwrap()]);
        selector.datacenter = Some("DC1".parse().unwrap());
        let error = resolve(&selector, &inventory()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no VM fits `web-02` within the given filters, though one exists outside of them"
        );
    }
}
