//! VMs that a selector chooses, all that fit it or some of them.

use chaos_core::{Amount, Candidate, Error, Selection, VMInfo};

use crate::draw::{Drawn, paths};

/// A selector in the place of a VM.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub(crate) selection: Selection,
    /// For a choice at random that names none itself. None: that of the experiment.
    pub(crate) seed: Option<u64>,
    /// Whether there may be no VM that fits.
    pub(crate) may_be_empty: bool,
    /// Whether several may be meant.
    pub(crate) many: bool,
}

impl Selected {
    /// The VMs of an inventory that are meant, whatever its order is. `vms` is all that there is at `endpoint`, the entry of
    /// the settings.
    ///
    /// # Errors
    /// What [`Selection::choose`] gives, and that several fit where one is meant.
    pub(crate) fn choose(
        &self,
        endpoint: &str,
        seed_of_experiment: u64,
        vms: &[VMInfo],
    ) -> Result<(Vec<VMInfo>, Drawn), Error> {
        let candidates: Vec<Candidate<'_>> = vms.iter().map(|vm| Candidate::new(vm, endpoint)).collect();
        let seed = self.seed.unwrap_or(seed_of_experiment);
        let picked = if self.may_be_empty {
            self.selection.choose_or_none(&candidates, seed)?
        } else {
            self.selection.choose(&candidates, seed)?
        };
        let all = |candidates: &[Candidate<'_>]| paths(candidates.iter().map(|candidate| candidate.vm));
        if !self.many && picked.vms.len() > 1 {
            return Err(Error::ambiguous(&self.selection, all(&picked.vms)));
        }
        let drawn = Drawn {
            from: format!("`{}`", self.selection),
            seed: picked.seed,
            among: picked.among.len(),
            vms: all(&picked.vms),
            candidates: all(&picked.among),
            left_out: all(&picked.left_out),
        };
        Ok((picked.vms.into_iter().map(|candidate| candidate.vm.clone()).collect(), drawn))
    }

    /// Whether more than one is taken whatever the inventory is.
    pub(crate) fn takes_several(selection: &Selection) -> bool {
        let amount = selection.choice.as_ref().map(chaos_core::Choice::amount);
        matches!(amount, Some(Amount::Count(count)) if count.get() > 1)
    }
}
