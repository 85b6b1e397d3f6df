//! Rules together: all of them have to agree.

use std::fmt;

use super::denial::Denial;
use super::own::Own;
use super::rule::Rule;
use super::scene::{Scene, Strike};
use crate::error::{Error, ErrorKind};

/// The rules that every fault has to keep. None allows everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// The policy of some rules, as they are written in one place.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if one cannot be read, or if there are two `only` or two `window`: that both have to agree
    /// is hardly meant, and one with `or` says what is.
    pub fn read<'t>(rules: impl IntoIterator<Item = &'t str>) -> Result<Self, Error> {
        Self::new(rules.into_iter().map(str::parse).collect::<Result<_, _>>()?)
    }

    /// The same of rules that are read already.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn new(rules: Vec<Rule>) -> Result<Self, Error> {
        let several = |word: &str, is: fn(&Rule) -> bool| match rules.iter().filter(|rule| is(rule)).count() {
            0 | 1 => Ok(()),
            _ => Err(Error::new(
                ErrorKind::Configuration,
                format!("there is more than one rule `{word}`, and all would have to agree: write one, with `or`"),
            )),
        };
        several("only", |rule| matches!(rule, Rule::Only(_)))?;
        several("window", |rule| matches!(rule, Rule::Window(_)))?;
        Ok(Self { rules })
    }

    /// This and further rules: it allows what both allow.
    #[must_use]
    pub fn narrowed(mut self, by: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(by);
        self
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules on single VMs and on the time: what a person at a terminal has to keep too, who switches VMs by hand and
    /// whose doings nobody counts.
    #[must_use]
    pub fn by_hand(&self) -> Self {
        let keeps = |rule: &&Rule| match rule {
            Rule::Protect(_) | Rule::Own(_) | Rule::Only(_) | Rule::Window(_) | Rule::Freeze(_) => true,
            Rule::AtMost(_) | Rule::Keep(_) | Rule::CoolDown(_) => false,
        };
        Self { rules: self.rules.iter().filter(keeps).cloned().collect() }
    }

    /// Whether a rule says something of VMs that are not hit, so that all have to be known.
    #[must_use]
    pub fn looks_around(&self) -> bool {
        self.rules.iter().any(Rule::looks_around)
    }

    /// Whether a rule may say something else once VMs have changed, so that they have to be read again.
    #[must_use]
    pub fn looks_afresh(&self) -> bool {
        self.rules.iter().any(Rule::looks_afresh)
    }

    /// The same with the rule `protect own` that knows this, once: where it stands, or else in front.
    #[must_use]
    pub fn with_own(mut self, own: &Own) -> Self {
        let stands = self.rules.iter().position(|rule| matches!(rule, Rule::Own(_)));
        self.rules.retain(|rule| !matches!(rule, Rule::Own(_)));
        self.rules.insert(stands.unwrap_or(0), Rule::Own(own.clone()));
        self
    }

    /// What the rules say of a fault on all of its targets at once. Powering on is never refused.
    ///
    /// # Errors
    /// The first thing that each rule which does not allow it has to say.
    pub fn check(&self, strike: &Strike<'_>, scene: &Scene<'_>) -> Result<(), Vec<Denial>> {
        let denials: Vec<Denial> = self.rules.iter().filter_map(|rule| rule.check(strike, scene).err()).collect();
        if denials.is_empty() { Ok(()) } else { Err(denials) }
    }
}

impl IntoIterator for Policy {
    type Item = Rule;
    type IntoIter = std::vec::IntoIter<Rule>;

    fn into_iter(self) -> Self::IntoIter {
        self.rules.into_iter()
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, rule) in self.rules.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            rule.fmt(f)?;
        }
        Ok(())
    }
}
