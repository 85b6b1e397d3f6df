//! One rule of a policy, as people write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use super::calendar::{Freeze, Window};
use super::cool_down::CoolDown;
use super::denial::Denial;
use super::limit::{AtMost, Keep, Of, Room};
use super::own::Own;
use super::quota::Quota;
use super::scene::{Scene, Strike};
use super::spare::{Only, Protect};
use crate::error::{Error, ErrorKind};
use crate::select::{Filter, GroupKind, SelectorError};

/// A rule that every fault has to keep.
///
/// ```
/// use chaos_core::Rule;
///
/// for text in [
///     "protect db-* or folder:infra",
///     "protect own",
///     "only cluster:test",
///     "at most 5",
///     "at most 20% of each cluster",
///     "at most 2 of web-*",
///     "keep 3 of web-*",
///     "window mon-fri 09:00-17:00 Europe/Berlin",
///     "freeze 2026-12-20..2027-01-06 Europe/Berlin",
///     "cool-down 30m",
/// ] {
///     let rule: Rule = text.parse().unwrap();
///     assert_eq!(rule.to_string(), text);
/// }
/// assert!("at most some".parse::<Rule>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// These VMs are never hit.
    Protect(Protect),
    /// Neither this machine nor those of the servers are hit.
    Own(Own),
    /// No other VMs may be hit.
    Only(Only),
    /// So many VMs in a fault at the same time.
    AtMost(AtMost),
    /// So many VMs of a group stay up.
    Keep(Keep),
    /// At these times only.
    Window(Window),
    /// Not in this time.
    Freeze(Freeze),
    /// So long after a VM was hit it is not hit again.
    CoolDown(CoolDown),
}

impl Rule {
    /// What the rule says of a fault.
    ///
    /// # Errors
    /// If it does not allow it.
    pub fn check(&self, strike: &Strike<'_>, scene: &Scene<'_>) -> Result<(), Denial> {
        if !strike.fault.breaks() || strike.targets.is_empty() {
            return Ok(());
        }
        let checked = match self {
            Self::Protect(rule) => rule.check(strike, scene),
            Self::Own(rule) => rule.check(strike),
            Self::Only(rule) => rule.check(strike, scene),
            Self::AtMost(rule) => rule.check(strike, scene),
            Self::Keep(rule) => rule.check(strike, scene),
            Self::Window(rule) => rule.check(scene.now),
            Self::Freeze(rule) => rule.check(scene.now),
            Self::CoolDown(rule) => rule.check(strike, scene),
        };
        checked.map_err(|denial| denial.by(self))
    }

    /// What the rule says of any fault at a time, whatever it hits.
    ///
    /// # Errors
    /// If it allows none then.
    pub fn check_time(&self, now: Timestamp) -> Result<(), Denial> {
        let checked = match self {
            Self::Window(rule) => rule.check(now),
            Self::Freeze(rule) => rule.check(now),
            Self::Protect(_) | Self::Own(_) | Self::Only(_) | Self::AtMost(_) | Self::Keep(_) | Self::CoolDown(_) => {
                Ok(())
            }
        };
        checked.map_err(|denial| denial.by(self))
    }

    /// Whether it says something of VMs that are not hit, so that all have to be known.
    #[must_use]
    pub fn looks_around(&self) -> bool {
        match self {
            Self::AtMost(_) | Self::Keep(_) => true,
            Self::Protect(_) | Self::Own(_) | Self::Only(_) | Self::Window(_) | Self::Freeze(_) | Self::CoolDown(_) => {
                false
            }
        }
    }

    /// Whether what it says may change with the VMs while a run goes on, so that they have to be read again. What a VM is, and
    /// the time alone, need no reading.
    #[must_use]
    pub fn looks_afresh(&self) -> bool {
        match self {
            Self::Protect(_) | Self::Only(_) | Self::AtMost(_) | Self::Keep(_) | Self::CoolDown(_) => true,
            Self::Own(_) | Self::Window(_) | Self::Freeze(_) => false,
        }
    }

    /// How many VMs more could be hit before it refuses; none where it does not count.
    pub(super) fn slack(&self, strike: &Strike<'_>, scene: &Scene<'_>) -> Option<usize> {
        match self {
            Self::AtMost(rule) => rule.room(strike, scene).map(|Room { there, limit }| limit.saturating_sub(there)),
            Self::Keep(rule) => rule.room(strike, scene).map(|Room { there, limit }| there.saturating_sub(limit)),
            Self::Protect(_) | Self::Own(_) | Self::Only(_) | Self::Window(_) | Self::Freeze(_) | Self::CoolDown(_) => {
                None
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protect(rule) => rule.fmt(f),
            Self::Own(rule) => rule.fmt(f),
            Self::Only(rule) => rule.fmt(f),
            Self::AtMost(rule) => rule.fmt(f),
            Self::Keep(rule) => rule.fmt(f),
            Self::Window(rule) => rule.fmt(f),
            Self::Freeze(rule) => rule.fmt(f),
            Self::CoolDown(rule) => rule.fmt(f),
        }
    }
}

/// The words that a rule begins with.
const WORDS: &str = "`protect`, `only`, `at most`, `keep`, `window`, `freeze` or `cool-down`";

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        read(text)
            .map_err(|why| Error::new(ErrorKind::Configuration, format!("the rule `{text}` cannot be read: {why}")))
    }
}

fn read(text: &str) -> Result<Rule, String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match word {
        // A VM of that name is `protect name:own`.
        "protect" if rest == "own" => Ok(Rule::Own(Own::default())),
        "protect" => Ok(Rule::Protect(Protect { vms: filter(rest)? })),
        "only" => Ok(Rule::Only(Only { vms: filter(rest)? })),
        "at" => {
            let rest = rest.strip_prefix("most").filter(|rest| rest.starts_with(char::is_whitespace));
            let rest = rest.ok_or("`at most` is followed by a number or a share")?;
            let (quota, of) = quota(rest)?;
            let of = match of.map(|of| of.split_whitespace().collect::<Vec<_>>()).as_deref() {
                None => Of::All,
                Some(["each", kind]) => Of::Each(group(kind)?),
                Some(_) => Of::Group(filter(of.unwrap_or_default())?),
            };
            Ok(Rule::AtMost(AtMost { quota, of }))
        }
        "keep" => match quota(rest)? {
            (quota, Some(of)) => Ok(Rule::Keep(Keep { quota, of: filter(of)? })),
            (_, None) => Err("it has to say of which VMs: write `keep 3 of web-*`".to_owned()),
        },
        "window" => rest.parse().map(Rule::Window),
        "freeze" => rest.parse().map(Rule::Freeze),
        "cool-down" => pause(rest).map(|pause| Rule::CoolDown(CoolDown { pause })),
        _ => Err(format!("a rule begins with {WORDS}")),
    }
}

/// The kind of group that follows `each`.
fn group(word: &str) -> Result<GroupKind, String> {
    let known = GroupKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    let words = || GroupKind::ALL.map(GroupKind::as_str).join("`, `");
    known.ok_or_else(|| format!("`each {word}` is not known: it is followed by one of `{}`", words()))
}

fn filter(text: &str) -> Result<Filter, String> {
    if text.is_empty() {
        return Err("it has to say which VMs: write `all` for all".to_owned());
    }
    text.parse().map_err(|error: SelectorError| Error::from(error).message().to_owned())
}

/// `AMOUNT [of …]`.
fn quota(text: &str) -> Result<(Quota, Option<&str>), String> {
    let text = text.trim();
    let (quota, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let quota = quota.parse()?;
    match rest.trim() {
        "" => Ok((quota, None)),
        rest => match rest.split_once(char::is_whitespace) {
            Some(("of", of)) => Ok((quota, Some(of.trim()))),
            None if rest == "of" => Err("`of` is followed by which VMs".to_owned()),
            _ => Err(format!("`{rest}` should be `of …`")),
        },
    }
}

/// A number and a unit, such as `30m`.
fn pause(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: write `30m`, `2h` or `1d`");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = &text[..text.len() - 1];
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let total = number.checked_mul(seconds).filter(|total| *total > 0).ok_or_else(wrong)?;
    Ok(Duration::from_secs(total))
}
