//! From a selection and an inventory to the VMs that are meant, or an error that says why not.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind};
use crate::random::SeededRandom;
use crate::select::bound::Bound;
use crate::select::candidate::Candidate;
use crate::select::choice::{Amount, Choice, GroupLimit};
use crate::select::resolve::ChosenBy;
use crate::select::selection::Selection;
use crate::select::selector_error::one_line;

/// What a selection means in an inventory.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Picked<'a> {
    /// The VMs that are meant, in the order in which they were drawn; without `at random` in that of `among`.
    pub vms: Vec<Candidate<'a>>,
    /// Those that they were taken of, by entry, path and id.
    pub among: Vec<Candidate<'a>>,
    /// Those that fit and were left out because they cannot be managed, in the same order.
    pub left_out: Vec<Candidate<'a>>,
    /// The seed with which the same VMs are drawn again among the same; none if nothing was drawn at random.
    pub seed: Option<u64>,
    /// By name if the whole filter is one full name, id or path.
    pub by: ChosenBy,
}

impl Selection {
    /// The VMs of an inventory that are meant. `candidates` are all VMs that there are, each once, in any order; `seed` is for a
    /// choice at random that names none.
    ///
    /// * A name that a VM bears in full means only VMs of that very name, as in [`resolve`](super::resolve()).
    /// * A template or a VM that cannot be managed is meant only by its name, id or path, and never taken by a choice.
    /// * The same seed takes the same VMs, and a larger number those of a smaller one and more.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if a plain name, an id or a path means no VM (under `not` too), or no VM fits;
    /// [`ErrorKind::Ambiguous`] if a full name, an id or a path by which VMs are chosen means several of them;
    /// [`ErrorKind::InvalidState`] if there are fewer than are to be taken.
    pub fn choose<'a>(&self, candidates: &[Candidate<'a>], seed: u64) -> Result<Picked<'a>, Error> {
        self.pick(candidates, seed, false)
    }

    /// The same where no VM at all may fit: then none is meant. That a name has to be that of a VM holds here too.
    ///
    /// # Errors
    /// As [`choose`](Self::choose), but for that no VM fits.
    pub fn choose_or_none<'a>(&self, candidates: &[Candidate<'a>], seed: u64) -> Result<Picked<'a>, Error> {
        self.pick(candidates, seed, true)
    }

    fn pick<'a>(&self, candidates: &[Candidate<'a>], seed: u64, or_none: bool) -> Result<Picked<'a>, Error> {
        let bound = Bound::new(&self.filter, candidates)?;
        let (mut among, mut left_out, mut templates) = (Vec::new(), Vec::new(), 0);
        for candidate in candidates {
            if candidate.can_be_drawn() {
                if bound.fits(candidate) {
                    among.push(*candidate);
                }
            } else if bound.names(candidate) {
                among.push(*candidate);
            } else if bound.fits(candidate) {
                if candidate.vm.template {
                    templates += 1;
                } else {
                    left_out.push(*candidate);
                }
            }
        }
        in_order(&mut among);
        in_order(&mut left_out);
        if among.is_empty() {
            if or_none {
                return Ok(Picked { vms: Vec::new(), among, left_out, seed: None, by: bound.by() });
            }
            return Err(self.nothing_fits(templates, left_out.len()));
        }
        bound.check_ambiguous(&among)?;
        let mut picked = Picked { vms: Vec::new(), among, left_out, seed: None, by: bound.by() };
        match &self.choice {
            Some(choice) => {
                let (drawn, named): (Vec<_>, Vec<_>) =
                    picked.among.into_iter().partition(|candidate| candidate.can_be_drawn());
                picked.left_out.extend(named);
                in_order(&mut picked.left_out);
                picked.seed = choice.random.then(|| choice.seed.unwrap_or(seed));
                picked.vms = self.take(choice, &drawn, picked.left_out.len(), picked.seed)?;
                picked.among = drawn;
            }
            None => picked.vms.clone_from(&picked.among),
        }
        Ok(picked)
    }

    /// Takes VMs in the order of a draw, or in order, passing over those of which too many of a group are taken.
    fn take<'a>(
        &self,
        choice: &Choice,
        among: &[Candidate<'a>],
        left_out: usize,
        seed: Option<u64>,
    ) -> Result<Vec<Candidate<'a>>, Error> {
        let wanted = choice.amount.of(among.len()).max(1);
        if among.len() < wanted {
            let why = match (left_out, among.len()) {
                (0, fit) => format!("only {fit} can be"),
                (left_out, fit) => format!("{} fit, of which {left_out} cannot be managed", fit + left_out),
            };
            return Err(self.too_few(choice.amount, wanted, &why));
        }
        let mut groups: Vec<_> = choice.limits.iter().map(|limit| (*limit, HashMap::new())).collect();
        let mut is_free = |candidate: &Candidate<'a>| {
            let full = |(limit, taken): &(GroupLimit, HashMap<_, usize>)| {
                taken.get(&limit.per.of(candidate)).is_some_and(|taken| *taken >= limit.most.get())
            };
            if groups.iter().any(full) {
                return false;
            }
            for (limit, taken) in &mut groups {
                *taken.entry(limit.per.of(candidate)).or_insert(0) += 1;
            }
            true
        };
        let mut random = seed.map(SeededRandom::new);
        let mut order = among.to_vec();
        let mut taken = Vec::new();
        for at in 0..order.len() {
            // The next step of a Fisher-Yates shuffle.
            if let Some(random) = &mut random {
                let left = order.len() - at;
                order.swap(at, at + random.below(left));
            }
            if is_free(&order[at]) {
                taken.push(order[at]);
            }
            if taken.len() == wanted {
                return Ok(taken);
            }
        }
        let limits: Vec<String> = choice.limits.iter().map(ToString::to_string).collect();
        let unknown = choice.limits.iter().find(|limit| among.iter().any(|vm| limit.per.of(vm).is_none()));
        let unknown = unknown.map(|limit| format!("; those of no known {} count as one group", limit.per));
        let why = format!(
            "{} fit, and {} leaves {}{}",
            among.len(),
            limits.join(", "),
            taken.len(),
            unknown.unwrap_or_default()
        );
        Err(self.too_few(choice.amount, wanted, &why))
    }

    fn too_few(&self, amount: Amount, wanted: usize, why: &str) -> Error {
        let amount = match amount {
            Amount::Count(count) => count.to_string(),
            Amount::Percent(percent) => format!("{percent}, which is {wanted},"),
        };
        let filter = one_line(&self.filter.to_string());
        Error::new(ErrorKind::InvalidState, format!("{amount} cannot be taken of `{filter}`: {why}"))
    }

    fn nothing_fits(&self, templates: usize, left_out: usize) -> Error {
        let filter = one_line(&self.filter.to_string());
        if templates + left_out == 0 {
            return Error::not_found(filter);
        }
        let counted = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let parts = [
            counted(templates, "template", "templates"),
            counted(left_out, "that cannot be managed", "that cannot be managed"),
        ];
        let but = parts.into_iter().flatten().collect::<Vec<_>>().join(" and ");
        let message = format!("no VM fits `{filter}` but {but}: write the name, the id or the path of what is meant");
        Error::new(ErrorKind::NotFound, message)
    }
}

/// By entry, path and id, each once.
fn in_order(candidates: &mut Vec<Candidate<'_>>) {
    // The keys are looked up once: VMs are large, and far apart in memory.
    let mut keyed: Vec<_> = candidates.drain(..).map(|candidate| (candidate.order(), candidate)).collect();
    keyed.sort_unstable_by_key(|(order, _)| *order);
    keyed.dedup_by(|(one, _), (other, _)| one == other);
    candidates.extend(keyed.into_iter().map(|(_, candidate)| candidate));
}
