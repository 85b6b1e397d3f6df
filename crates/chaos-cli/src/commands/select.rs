//! Which VMs are meant: by names and filters, or by a selector.

use chaos_core::{Candidate, ChosenBy, Discovery, Picked, Selection, Selector, VMInfo};
use chaos_experiments::any_seed;

use super::{resolved, selector};
use crate::cli::{self, SelectArgs};
use crate::failure::Failure;
use crate::output::{Listed, Output};

/// How many VMs are named that are left out.
const NAMED: usize = 5;

/// What chooses the VMs of one platform.
pub(super) enum Wish {
    Named(Box<Selector>),
    Selected { selection: Box<Selection>, seed: Option<u64> },
}

impl Wish {
    /// What the arguments say, which has to be something.
    ///
    /// # Errors
    /// If there is no target, no filter and no selector: nothing ever means "all".
    pub(super) fn of(args: cli::Selection) -> Result<Self, Failure> {
        let SelectArgs { select, seed } = args.select;
        if let Some(selection) = select {
            return Ok(Self::Selected { selection, seed });
        }
        let mut targets = args.vms;
        targets.extend(args.names);
        let selector = selector(targets, args.filters);
        if selector.targets.is_empty() && !selector.has_filters() {
            return Err(Failure::usage("no VM is named")
                .hint("name VMs, such as `web-01`, `'web-*'`, `--cluster prod` or `--select 'cluster:prod take 2'`"));
        }
        Ok(Self::Named(Box::new(selector)))
    }

    /// What has to be discovered.
    pub(super) fn selector(&self) -> Selector {
        match self {
            Self::Named(selector) => Selector::clone(selector),
            Self::Selected { .. } => Selector::all(),
        }
    }

    /// The VMs that are meant of what was discovered at the entry `endpoint`, and how they came to be.
    ///
    /// # Errors
    /// What is not there or ambiguous, or too few to take.
    pub(super) fn find(
        &self,
        endpoint: &str,
        discovery: &Discovery,
        output: &Output,
    ) -> Result<(Vec<VMInfo>, ChosenBy), Failure> {
        match self {
            Self::Named(selector) => {
                let chosen = resolved(selector, discovery)?;
                let by_pattern = chosen.iter().any(|chosen| chosen.by == ChosenBy::Pattern);
                let by = if by_pattern { ChosenBy::Pattern } else { ChosenBy::Name };
                Ok((chosen.into_iter().map(|chosen| chosen.vm).collect(), by))
            }
            Self::Selected { selection, seed } => {
                let candidates: Vec<_> = discovery.vms.iter().map(|vm| Candidate::new(vm, endpoint)).collect();
                let picked = pick(selection, *seed, &candidates, output)?;
                Ok((picked.vms.into_iter().map(|candidate| candidate.vm.clone()).collect(), picked.by))
            }
        }
    }
}

/// What has to be discovered: all if there is a selector, else what `named` says.
pub(super) fn discovered(args: &SelectArgs, named: Selector) -> Selector {
    if args.select.is_some() { Selector::all() } else { named }
}

/// Those of the VMs of all platforms that a selector means; without one all of them.
///
/// # Errors
/// As [`Wish::find`].
pub(super) fn among(args: &SelectArgs, vms: Vec<Listed>, output: &Output) -> Result<Vec<Listed>, Failure> {
    let Some(selection) = &args.select else { return Ok(vms) };
    let candidates: Vec<_> = vms.iter().map(|listed| Candidate::new(&listed.vm, &listed.entry)).collect();
    let picked = pick(selection, args.seed, &candidates, output)?;
    let listed = |one: Candidate<'_>| Listed { vm: one.vm.clone(), entry: one.endpoint.to_owned() };
    Ok(picked.vms.into_iter().map(listed).collect())
}

/// What a selector means; the seed that decided is told, and what was left out.
fn pick<'a>(
    selection: &Selection,
    seed: Option<u64>,
    candidates: &[Candidate<'a>],
    output: &Output,
) -> Result<Picked<'a>, Failure> {
    let of_text = selection.choice.as_ref().and_then(chaos_core::Choice::seed);
    match (seed, of_text) {
        (Some(seed), Some(of_text)) if seed != of_text => {
            output.warning(format_args!("--seed {seed} does not count: the selector has the seed {of_text}"));
        }
        (Some(_), _) if !selection.choice.as_ref().is_some_and(chaos_core::Choice::is_random) => {
            output.warning("--seed decides nothing: the selector takes nothing `at random`");
        }
        _ => {}
    }
    let picked = selection.choose(candidates, seed.unwrap_or_else(any_seed))?;
    if let Some(seed) = picked.seed {
        let again = if of_text.is_none() { format!(": `--seed {seed}` takes the same again") } else { String::new() };
        let (taken, among) = (picked.vms.len(), picked.among.len());
        output.note(format_args!("{taken} of {among} drawn with seed {seed}{again}"));
    }
    if !picked.left_out.is_empty() {
        let more = picked.left_out.len().saturating_sub(NAMED);
        let named = picked.left_out.iter().take(NAMED).map(|candidate| candidate.vm.display_path().to_owned());
        let named: Vec<_> = named.chain((more > 0).then(|| format!("and {more} more"))).collect();
        output.warning(format_args!("left out, because it cannot be managed: {}", named.join(", ")));
    }
    Ok(picked)
}
