//! How many VMs: a number, or a share of those that there are.

use std::fmt;
use std::str::FromStr;

use crate::select::Percent;

/// A number of VMs, or a share of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quota {
    /// So many.
    Vms(usize),
    /// So many of a hundred.
    Share(Percent),
}

impl Quota {
    /// How many VMs of `all` that is at most: a share rounded down, which may be none.
    #[must_use]
    pub fn at_most(self, all: usize) -> usize {
        match self {
            Self::Vms(vms) => vms,
            Self::Share(share) => share.of(all).0,
        }
    }

    /// How many VMs of `all` that is at least: a share rounded up.
    #[must_use]
    pub fn at_least(self, all: usize) -> usize {
        match self {
            Self::Vms(vms) => vms,
            Self::Share(share) => {
                let (whole, is_exact) = share.of(all);
                whole + usize::from(!is_exact)
            }
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vms(vms) => vms.fmt(f),
            Self::Share(share) => share.fmt(f),
        }
    }
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = match text.strip_suffix('%') {
            Some(share) => Percent::read(share).map(Self::Share),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Self::Vms),
            None => None,
        };
        read.ok_or_else(|| {
            format!("`{text}` is no number of VMs and no share: write `3`, or `20%`, which is up to `100%`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(text: &str) -> Quota {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_is_exact_and_errs_on_the_careful_side() {
        assert_eq!((quota("33.33%").at_most(3), quota("33.33%").at_least(3)), (0, 1));
        assert_eq!((quota("20%").at_most(14), quota("20%").at_least(15)), (2, 3));
        assert_eq!(quota("100%").at_most(usize::MAX), usize::MAX);
        assert_eq!(quota("2").at_most(0), 2);
    }

    #[test]
    fn what_is_written_comes_back() {
        for text in ["0", "12", "20%", "0.5%", "33.33%", "100%"] {
            assert_eq!(quota(text).to_string(), text);
        }
        for text in ["", "%", "-1", "1.5", "0%", "101%", "1.%", ".5%", "1 %", "+1", "99999999999999999999"] {
            assert!(text.parse::<Quota>().is_err(), "{text}");
        }
    }
}
