//! How many of the VMs that fit are taken, which, and how far apart they have to be.

use std::fmt;
use std::num::NonZeroUsize;

use crate::select::candidate::Candidate;

/// What stands behind `take`: so many of the VMs that fit. Read as a part of a [`Selection`](super::Selection).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub(super) amount: Amount,
    pub(super) random: bool,
    /// One for each kind of group at most, in the order of the kinds.
    pub(super) limits: Vec<GroupLimit>,
    /// Only of a random choice.
    pub(super) seed: Option<u64>,
}

/// How many VMs are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Amount {
    /// So many.
    Count(NonZeroUsize),
    /// So many of a hundred of those that can be taken, rounded down, but one at least.
    Percent(Percent),
}

/// A share above nothing and up to all, exact to four decimals of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    millionths: u32,
}

/// A kind of group of which not too many VMs may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GroupKind {
    /// The VMs of one host.
    Host,
    /// The VMs of one cluster.
    Cluster,
    /// The VMs of one datacenter.
    Datacenter,
    /// The VMs that are in one folder directly.
    Folder,
}

/// At most so many VMs of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupLimit {
    /// How many.
    pub most: NonZeroUsize,
    /// Of which kind of group.
    pub per: GroupKind,
}

impl Choice {
    /// How many are taken.
    #[must_use]
    pub fn amount(&self) -> Amount {
        self.amount
    }

    /// Whether they are drawn at random; if not, they are the first in order.
    #[must_use]
    pub fn is_random(&self) -> bool {
        self.random
    }

    /// How many of one group may be taken at most.
    #[must_use]
    pub fn limits(&self) -> &[GroupLimit] {
        &self.limits
    }

    /// The seed that is written in the text; without one it comes from the caller.
    #[must_use]
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }
}

impl Amount {
    /// How many of `among` VMs that is. A percentage is rounded down, and is one at least if there is one.
    #[must_use]
    pub fn of(self, among: usize) -> usize {
        match self {
            Self::Count(count) => count.get(),
            Self::Percent(percent) => percent.of(among).0.max(1).min(among),
        }
    }
}

impl Percent {
    const ALL: u32 = 1_000_000;

    /// Reads a decimal number without its sign, such as `12.5`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 4 {
            return None;
        }
        let whole: u32 = whole.parse().ok()?;
        let decimals: u32 = format!("{decimals:0<4}").parse().ok()?;
        let millionths = whole.checked_mul(10_000)?.checked_add(decimals)?;
        (1..=Self::ALL).contains(&millionths).then_some(Self { millionths })
    }

    /// The share of `all`, rounded down, and whether nothing is left over.
    pub(crate) fn of(self, all: usize) -> (usize, bool) {
        let (product, whole) = (all as u128 * u128::from(self.millionths), u128::from(Self::ALL));
        (usize::try_from(product / whole).unwrap_or(all), product.is_multiple_of(whole))
    }

    /// Of a million how many: `12.5%` is 125000.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.millionths
    }
}

impl GroupKind {
    /// All kinds, for help texts and completions.
    pub const ALL: [Self; 4] = [Self::Host, Self::Cluster, Self::Datacenter, Self::Folder];

    /// The word behind `per`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Cluster => "cluster",
            Self::Datacenter => "datacenter",
            Self::Folder => "folder",
        }
    }

    /// What tells this VM's group from others; none if it is not known. Names repeat between servers, and those of clusters
    /// between datacenters.
    pub(crate) fn of<'a>(self, candidate: &Candidate<'a>) -> Option<[&'a str; 3]> {
        let vm = candidate.vm;
        let datacenter = vm.datacenter.as_deref();
        match self {
            Self::Host => Some([candidate.endpoint, "", vm.host.as_deref()?]),
            Self::Cluster => Some([candidate.endpoint, datacenter.unwrap_or(""), vm.cluster.as_deref()?]),
            Self::Datacenter => Some([candidate.endpoint, "", datacenter?]),
            Self::Folder => Some([candidate.endpoint, "", candidate.folder()?]),
        }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for GroupLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "max {} per {}", self.most, self.per)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.millionths / 10_000)?;
        let decimals = format!("{:04}", self.millionths % 10_000);
        match decimals.trim_end_matches('0') {
            "" => f.write_str("%"),
            decimals => write!(f, ".{decimals}%"),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Percent(percent) => percent.fmt(f),
        }
    }
}

/// As it is written behind `take`.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.amount.fmt(f)?;
        if self.random {
            f.write_str(" at random")?;
        }
        for limit in &self.limits {
            write!(f, " {limit}")?;
        }
        match self.seed {
            Some(seed) => write!(f, " seed {seed}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_exact_rounded_down_and_one_at_least() {
        let of = |text: &str, among| Amount::Percent(Percent::read(text).unwrap()).of(among);
        assert_eq!([0, 1, 4, 5, 9, 10, 14, 15].map(|among| of("20", among)), [0, 1, 1, 1, 1, 2, 2, 3]);
        assert_eq!([1, 2, 3].map(|among| of("100", among)), [1, 2, 3]);
        assert_eq!(of("0.1", 1000), 1);
        assert_eq!(of("0.1", 2999), 2);
        assert_eq!(of("29", 100), 29, "0.29 × 100 is 28.999… as a binary fraction");
        assert_eq!(of("0.0001", 3_000_000), 3);
        assert_eq!(of("99.9999", 1_000_000), 999_999);
    }

    #[test]
    fn only_decimal_numbers_up_to_a_hundred_are_percentages() {
        for text in ["0", "0.0", "100.0001", "101", "-1", "+1", "1e1", "", ".", "1.", ".5", "1.00001", "99999999999"] {
            assert_eq!(Percent::read(text), None, "{text}");
        }
        for (text, written) in [("100", "100%"), ("012.50", "12.5%"), ("0.0001", "0.0001%"), ("33.3333", "33.3333%")] {
            assert_eq!(Percent::read(text).unwrap().to_string(), written);
        }
    }
}
