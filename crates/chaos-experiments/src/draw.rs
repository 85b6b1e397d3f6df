//! VMs that are drawn at random from a group, by a seed with which the same draw can be made again.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;

use chaos_core::{Error, ErrorKind, NamePattern, SeededRandom, Selector, TargetPattern, VMInfo, VMPowerState, resolve};
use serde::{Deserialize, Serialize};

/// From what, and how many.
#[derive(Debug, Clone)]
pub(crate) struct Lot {
    pub(crate) group: TargetPattern,
    pub(crate) datacenter: Option<NamePattern>,
    pub(crate) cluster: Option<NamePattern>,
    pub(crate) host: Option<NamePattern>,
    pub(crate) count: NonZeroUsize,
    /// None: that of the experiment.
    pub(crate) seed: Option<u64>,
}

/// What was chosen: at random, or by a selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Drawn {
    /// From what: a group in the target notation and the filters, or a selector.
    pub from: String,
    /// The seed that gives the same VMs again as long as the same ones can be drawn; none if nothing was drawn at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How many could be chosen: of a group those that were on and manageable.
    pub among: usize,
    /// The paths of those that were chosen, in the order in which they were.
    pub vms: Vec<String>,
    /// The paths of all that could be chosen, sorted.
    #[serde(default)]
    pub candidates: Vec<String>,
    /// The paths of those that fit the selector and were left out, because they cannot be managed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// How many candidates are shown to people.
const SHOWN: usize = 8;

impl Drawn {
    /// Those that could have been chosen, a few of them by path; none where all were.
    pub(crate) fn candidates_in_words(&self) -> Option<String> {
        let more = self.candidates.len().saturating_sub(SHOWN);
        let shown = self.candidates.iter().take(SHOWN).cloned();
        let more = (more > 0).then(|| format!("and {more} more"));
        (self.vms.len() < self.among).then(|| shown.chain(more).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.vms.len(), self.seed) {
            (0, _) => write!(f, "no VM fits {}", self.from)?,
            (chosen, Some(seed)) => write!(f, "{chosen} of {} drawn from {} with seed {seed}", self.among, self.from)?,
            (chosen, None) => write!(f, "{chosen} of {} taken from {}", self.among, self.from)?,
        }
        match self.left_out.len() {
            0 => Ok(()),
            left_out => write!(f, " ({left_out} left out that cannot be managed)"),
        }
    }
}

/// The paths of some VMs, or their names where no path is known.
pub(crate) fn paths<'a>(vms: impl IntoIterator<Item = &'a VMInfo>) -> Vec<String> {
    vms.into_iter().map(|vm| vm.display_path().to_owned()).collect()
}

impl fmt::Display for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.group)?;
        let filters = [("datacenter", &self.datacenter), ("cluster", &self.cluster), ("host", &self.host)];
        for (word, pattern) in filters {
            if let Some(pattern) = pattern {
                write!(f, " of {word} `{pattern}`")?;
            }
        }
        Ok(())
    }
}

impl Lot {
    /// Draws from an inventory. The same seed gives the same VMs whatever the order of the inventory is, and a larger count
    /// gives those of a smaller one and more.
    ///
    /// # Errors
    /// Nothing fits the group, or too few of its VMs are on and manageable.
    pub(crate) fn draw(&self, seed_of_experiment: u64, vms: &[VMInfo]) -> Result<(Vec<VMInfo>, Drawn), Error> {
        let mut selector = Selector::targets([self.group.clone()]);
        selector.datacenter.clone_from(&self.datacenter);
        selector.cluster.clone_from(&self.cluster);
        selector.host.clone_from(&self.host);
        let mut fit: Vec<VMInfo> = resolve(&selector, vms)?.into_iter().map(|chosen| chosen.vm).collect();
        let of_group = fit.len();
        fit.retain(|vm| !vm.template && vm.unmanageable.is_none() && vm.power_state == VMPowerState::PoweredOn);
        fit.sort_by(|one, other| (one.display_path(), &one.id).cmp(&(other.display_path(), &other.id)));
        let (among, wanted) = (fit.len(), self.count.get());
        if among < wanted {
            let message = format!(
                "{wanted} cannot be drawn from {self}: {among} of its {of_group} VMs are powered on and manageable"
            );
            return Err(Error::new(ErrorKind::InvalidState, message));
        }
        let seed = self.seed.unwrap_or(seed_of_experiment);
        let candidates = paths(&fit);
        let mut numbers = SeededRandom::new(seed);
        // The first steps of a Fisher-Yates shuffle.
        for at in 0..wanted {
            fit.swap(at, at + numbers.below(among - at));
        }
        fit.truncate(wanted);
        let from = self.to_string();
        let drawn = Drawn { from, seed: Some(seed), among, vms: paths(&fit), candidates, left_out: Vec::new() };
        Ok((fit, drawn))
    }
}

/// A seed where nobody gave one, small enough to be typed again.
#[must_use]
pub fn any_seed() -> u64 {
    RandomState::new().hash_one(std::process::id()) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_core::PlatformKind;

    fn vm(name: &str) -> VMInfo {
        let mut vm = VMInfo::new(name, format!("id-{name}"), VMPowerState::PoweredOn, PlatformKind::VSPHERE);
        vm.path = Some(format!("/DC0/vm/{name}"));
        vm.cluster = Some(if name < "web-5" { "C0" } else { "C1" }.to_owned());
        vm
    }

    fn lot(group: &str, count: usize, seed: u64) -> Lot {
        Lot {
            group: group.parse().unwrap(),
            datacenter: None,
            cluster: None,
            host: None,
            count: NonZeroUsize::new(count).unwrap(),
            seed: Some(seed),
        }
    }

    fn names(lot: &Lot, vms: &[VMInfo]) -> Vec<String> {
        lot.draw(0, vms).unwrap().0.into_iter().map(|vm| vm.name).collect()
    }

    #[test]
    fn a_draw_depends_on_the_seed_and_not_on_the_order() {
        let mut vms: Vec<VMInfo> = (0..10).map(|number| vm(&format!("web-{number}"))).collect();
        let first = names(&lot("web-*", 3, 7), &vms);
        // Fixed for ever: whoever notes a seed relies on it.
        assert_eq!(first, ["web-7", "web-0", "web-4"]);
        for _ in 0..10 {
            vms.rotate_left(3);
            vms.swap(0, 5);
            assert_eq!(names(&lot("web-*", 3, 7), &vms), first);
        }
        assert_eq!(names(&lot("web-*", 2, 7), &vms), first[..2]);
        let drawn: std::collections::BTreeSet<_> =
            (0..200).flat_map(|seed| names(&lot("web-*", 1, seed), &vms)).collect();
        assert_eq!(drawn.len(), 10, "each can be drawn");
    }

    #[test]
    fn only_what_is_on_and_manageable_is_drawn() {
        let mut vms: Vec<VMInfo> = (0..6).map(|number| vm(&format!("web-{number}"))).collect();
        vms[0].power_state = VMPowerState::PoweredOff;
        vms[1].power_state = VMPowerState::Suspended;
        vms[2].template = true;
        vms[3].unmanageable = Some("its host is gone".into());
        let (_, drawn) = lot("web-*", 2, 1).draw(0, &vms).unwrap();
        assert_eq!((drawn.among, drawn.vms.len()), (2, 2));
        assert_eq!(drawn.candidates, ["/DC0/vm/web-4", "/DC0/vm/web-5"]);
        let error = lot("web-*", 3, 1).draw(0, &vms).unwrap_err();
        assert_eq!(error.to_string(), "3 cannot be drawn from `web-*`: 2 of its 5 VMs are powered on and manageable");
        assert_eq!(lot("db-*", 1, 1).draw(0, &vms).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn filters_narrow_the_group() {
        let vms: Vec<VMInfo> = (0..10).map(|number| vm(&format!("web-{number}"))).collect();
        let mut lot = lot("*", 5, 3);
        lot.cluster = Some("C1".parse().unwrap());
        let (chosen, drawn) = lot.draw(0, &vms).unwrap();
        assert!(chosen.iter().all(|vm| vm.cluster.as_deref() == Some("C1")));
        assert_eq!(drawn.to_string(), "5 of 5 drawn from `*` of cluster `C1` with seed 3");
        assert_eq!(drawn.candidates_in_words(), None);
    }

    #[test]
    fn all_candidates_are_kept_and_few_are_shown() {
        let vms: Vec<VMInfo> = (0..40).rev().map(|number| vm(&format!("web-{number:02}"))).collect();
        let (_, drawn) = lot("*", 1, 3).draw(0, &vms).unwrap();
        assert_eq!((drawn.candidates.len(), drawn.candidates.is_sorted()), (40, true));
        let shown = drawn.candidates_in_words().unwrap();
        assert!(shown.starts_with("/DC0/vm/web-00, /DC0/vm/web-01, "), "{shown}");
        assert!(shown.ends_with("/DC0/vm/web-07, and 32 more"), "{shown}");
    }
}
