//! How many VMs: a number, or a share of those that there are.

use std::fmt;
use std::str::FromStr;

/// A number of VMs, or a share of a group. A share is kept in hundredths of a percent, so that nothing is lost to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quota {
    /// So many.
    Vms(usize),
    /// So many hundredths of a percent: 2,000 is a fifth.
    Share(u32),
}

/// The whole, in hundredths of a percent.
const WHOLE: u32 = 10_000;

impl Quota {
    /// How many VMs of `all` that is at most: a share rounded down, which may be none.
    #[must_use]
    pub fn at_most(self, all: usize) -> usize {
        match self {
            Self::Vms(vms) => vms,
            Self::Share(share) => parts(share, all).0,
        }
    }

    /// How many VMs of `all` that is at least: a share rounded up.
    #[must_use]
    pub fn at_least(self, all: usize) -> usize {
        match self {
            Self::Vms(vms) => vms,
            Self::Share(share) => {
                let (whole, rest) = parts(share, all);
                whole + usize::from(rest > 0)
            }
        }
    }
}

/// The share of `all`, and what is left over in parts of [`WHOLE`].
fn parts(share: u32, all: usize) -> (usize, u128) {
    let (share, all, whole) = (u128::from(share), all as u128, u128::from(WHOLE));
    let product = share * all;
    (usize::try_from(product / whole).unwrap_or(usize::MAX), product % whole)
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Vms(vms) => write!(f, "{vms}"),
            Self::Share(share) => {
                let (whole, rest) = (share / 100, share % 100);
                match rest {
                    0 => write!(f, "{whole}%"),
                    rest if rest % 10 == 0 => write!(f, "{whole}.{}%", rest / 10),
                    rest => write!(f, "{whole}.{rest:02}%"),
                }
            }
        }
    }
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no number of VMs and no share: write `3` or `20%`");
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(share) = text.strip_suffix('%') else {
            return if digits(text) { text.parse().map(Self::Vms).map_err(|_| wrong()) } else { Err(wrong()) };
        };
        let (whole, rest) = share.split_once('.').unwrap_or((share, "0"));
        if !digits(whole) || !digits(rest) || rest.len() > 2 {
            return Err(wrong());
        }
        let whole: u32 = whole.parse().map_err(|_| wrong())?;
        let rest: u32 = format!("{rest:0<2}").parse().map_err(|_| wrong())?;
        let share = whole.checked_mul(100).and_then(|whole| whole.checked_add(rest)).filter(|share| *share <= WHOLE);
        share.map(Self::Share).ok_or_else(|| format!("`{text}` is more than all there is"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exact_and_errs_on_the_careful_side() {
        let share: Quota = "33.33%".parse().unwrap();
        assert_eq!((share.at_most(3), share.at_least(3)), (0, 1));
        assert_eq!(("20%".parse::<Quota>().unwrap().at_most(14), Quota::Share(2000).at_least(15)), (2, 3));
        assert_eq!(Quota::Share(10_000).at_most(usize::MAX), usize::MAX);
        assert_eq!(Quota::Vms(2).at_most(0), 2);
    }

    #[test]
    fn what_is_written_comes_back() {
        for text in ["0", "12", "20%", "0.5%", "33.33%", "100%"] {
            assert_eq!(text.parse::<Quota>().unwrap().to_string(), text);
        }
        for text in ["", "%", "-1", "1.5", "101%", "1.234%", "1.%", ".5%", "1 %", "+1", "99999999999999999999"] {
            assert!(text.parse::<Quota>().is_err(), "{text}");
        }
    }
}
