//! A filter bound to an inventory: each name means what it means among these VMs.

use std::collections::{BTreeSet, HashMap};

use crate::error::{Error, ErrorKind};
use crate::nearest::nearest;
use crate::select::atom::Atom;
use crate::select::candidate::Candidate;
use crate::select::filter::{Filter, Node};
use crate::select::pattern::TargetPattern;
use crate::select::resolve::ChosenBy;
use crate::select::selector_error::one_line;

/// A filter in which `not` stands before atoms alone, by De Morgan's laws.
#[derive(Debug)]
pub(super) enum Bound<'f> {
    Literal {
        atom: &'f Atom,
        negated: bool,
        /// A name, an id or a path that means the VMs that bear it, and nothing else.
        exact: bool,
    },
    All(Vec<Bound<'f>>),
    Any(Vec<Bound<'f>>),
}

/// Something about each name, id and path that a filter holds.
struct ByName<'f, T> {
    names: HashMap<&'f str, T>,
    ids: HashMap<&'f str, T>,
    paths: HashMap<&'f str, T>,
}

impl<'f, T: Default> ByName<'f, T> {
    fn new(targets: impl IntoIterator<Item = &'f TargetPattern>) -> Self {
        let mut by_name = Self { names: HashMap::new(), ids: HashMap::new(), paths: HashMap::new() };
        for target in targets {
            match target {
                TargetPattern::Name(name) => by_name.names.entry(name.as_str()).or_default(),
                TargetPattern::Id(id) => by_name.ids.entry(id).or_default(),
                TargetPattern::Path(path) => by_name.paths.entry(path).or_default(),
                TargetPattern::Regex { .. } => continue,
            };
        }
        by_name
    }

    fn get(&self, target: &TargetPattern) -> Option<&T> {
        match target {
            TargetPattern::Name(name) => self.names.get(name.as_str()),
            TargetPattern::Id(id) => self.ids.get(id.as_str()),
            TargetPattern::Path(path) => self.paths.get(path.as_str()),
            TargetPattern::Regex { .. } => None,
        }
    }

    /// What there is about all that this VM bears.
    fn each(&mut self, candidate: &Candidate<'_>, mut tell: impl FnMut(&mut T)) {
        let vm = candidate.vm;
        let path = vm.path.as_deref().map(|path| path.trim_start_matches('/'));
        let borne =
            [(&mut self.names, Some(vm.name.as_str())), (&mut self.ids, Some(vm.id.as_str())), (&mut self.paths, path)];
        for (map, text) in borne {
            if !map.is_empty()
                && let Some(about) = text.and_then(|text| map.get_mut(text))
            {
                tell(about);
            }
        }
    }
}

impl<'f> Bound<'f> {
    /// Binds a filter to all VMs that there are.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if a plain name, an id or a path means none of them, under `not` too: a typing error there
    /// would hit what was to be spared.
    pub(super) fn new(filter: &'f Filter, inventory: &[Candidate<'_>]) -> Result<Self, Error> {
        let targets = filter.targets();
        let mut borne: ByName<'_, bool> = ByName::new(targets.iter().copied());
        for candidate in inventory {
            borne.each(candidate, |is_borne| *is_borne = true);
        }
        let is_borne = |target: &TargetPattern| borne.get(target).copied().unwrap_or(false);
        match targets.iter().find(|target| has_to_be_borne(target) && !is_borne(target)) {
            Some(target) => Err(no_such(target, inventory)),
            None => Ok(Self::of(&filter.root, false, &is_borne)),
        }
    }

    fn of(node: &'f Node, negated: bool, is_borne: &dyn Fn(&TargetPattern) -> bool) -> Self {
        let all = |parts: &'f [Node]| parts.iter().map(|part| Self::of(part, negated, is_borne)).collect();
        match node {
            Node::Atom(atom) => {
                let exact = matches!(atom, Atom::Target(target) if is_borne(target));
                Self::Literal { atom, negated, exact }
            }
            Node::Not(part) => Self::of(part, !negated, is_borne),
            Node::And(parts) if negated => Self::Any(all(parts)),
            Node::Or(parts) if negated => Self::All(all(parts)),
            Node::And(parts) => Self::All(all(parts)),
            Node::Or(parts) => Self::Any(all(parts)),
        }
    }

    /// Whether the filter is true of a VM.
    pub(super) fn fits(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Self::Literal { atom, negated, exact } => {
                let is_true = match atom {
                    Atom::Target(TargetPattern::Name(name)) if *exact => name.equals(&candidate.vm.name),
                    atom => atom.matches(candidate),
                };
                is_true != *negated
            }
            Self::All(parts) => parts.iter().all(|part| part.fits(candidate)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(candidate)),
        }
    }

    /// Whether the filter is true of a VM by a name, an id or a path of it, and not by patterns alone.
    pub(super) fn names(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Self::Literal { negated, exact, .. } => *exact && !negated && self.fits(candidate),
            Self::All(parts) => self.fits(candidate) && parts.iter().any(|part| part.names(candidate)),
            Self::Any(parts) => parts.iter().any(|part| part.names(candidate)),
        }
    }

    /// How the VMs that fit came to be chosen.
    pub(super) fn by(&self) -> ChosenBy {
        match self {
            Self::Literal { exact: true, negated: false, .. } => ChosenBy::Name,
            Self::Literal { .. } | Self::All(_) | Self::Any(_) => ChosenBy::Pattern,
        }
    }

    /// That no name, id or path by which VMs are chosen means several of those that are.
    pub(super) fn check_ambiguous(&self, chosen: &[Candidate<'_>]) -> Result<(), Error> {
        let mut targets = Vec::new();
        self.collect_exact(&mut targets);
        if targets.is_empty() {
            return Ok(());
        }
        let mut bearers: ByName<'_, Vec<usize>> = ByName::new(targets.iter().copied());
        for (at, candidate) in chosen.iter().enumerate() {
            bearers.each(candidate, |bearers| bearers.push(at));
        }
        for target in targets {
            if let Some(several @ [_, _, ..]) = bearers.get(target).map(Vec::as_slice) {
                return Err(ambiguous(target, &several.iter().map(|at| chosen[*at]).collect::<Vec<_>>()));
            }
        }
        Ok(())
    }

    fn collect_exact(&self, targets: &mut Vec<&'f TargetPattern>) {
        match self {
            Self::Literal { atom: Atom::Target(target), negated: false, exact: true } => targets.push(target),
            Self::Literal { .. } => {}
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect_exact(targets)),
        }
    }
}

fn has_to_be_borne(target: &TargetPattern) -> bool {
    match target {
        TargetPattern::Name(name) => !name.is_glob(),
        TargetPattern::Id(_) | TargetPattern::Path(_) => true,
        TargetPattern::Regex { .. } => false,
    }
}

fn no_such(target: &TargetPattern, inventory: &[Candidate<'_>]) -> Error {
    let written = one_line(&target.to_string());
    let near = match target {
        TargetPattern::Name(name) => {
            let names: BTreeSet<&str> = inventory.iter().map(|candidate| candidate.vm.name.as_str()).collect();
            nearest(name.as_str(), &names.into_iter().collect::<Vec<_>>())
        }
        TargetPattern::Id(_) | TargetPattern::Path(_) | TargetPattern::Regex { .. } => None,
    };
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "every name in a selector has to be that of a VM, also behind `not`".to_owned(),
    };
    Error::new(ErrorKind::NotFound, format!("no VM fits `{written}`: {hint}"))
}

/// The candidates by path; with id and entry too where the path alone does not tell them apart.
fn ambiguous(target: &TargetPattern, fits: &[Candidate<'_>]) -> Error {
    let count = |same: &dyn Fn(&Candidate<'_>) -> bool| fits.iter().filter(|other| same(other)).count();
    let told_apart = |candidate: &Candidate<'_>| {
        let (path, id) = (candidate.vm.display_path(), &candidate.vm.id);
        if count(&|other| other.vm.display_path() == path) == 1 {
            path.to_owned()
        } else if count(&|other| other.vm.display_path() == path && other.endpoint == candidate.endpoint) == 1 {
            format!("{path} (endpoint:{})", candidate.endpoint)
        } else if count(&|other| other.vm.id == *id) == 1 {
            format!("{path} (id:{id})")
        } else {
            format!("{path} (endpoint:{} and id:{id})", candidate.endpoint)
        }
    };
    let one_server = fits.iter().all(|candidate| candidate.endpoint == fits[0].endpoint);
    let written = one_line(&target.to_string());
    let candidates = fits.iter().map(told_apart).collect();
    if one_server { Error::ambiguous(written, candidates) } else { Error::ambiguous_on_endpoints(written, candidates) }
}
