//! What a run would come to: how many VMs of each cluster, host and group it hits, what stays up, and what the guard says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chaos_core::{Candidate, Context, Denial, Error, Filter, Guard, Member, Of, Review, Rule, VMPowerState, VMRef};
use serde::{Deserialize, Serialize};

use crate::resolve::ResolvedExperiment;

/// What a run would come to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outlook {
    /// What it hits.
    pub blast_radius: BlastRadius,
    /// What the guard does not allow; nothing, if it may begin.
    pub denials: Vec<Denial>,
    /// The rules that speak of VMs and mean none of these platforms. A name in them may be misspelt.
    pub idle: Vec<String>,
}

/// How many VMs a run hits, of how many. What it hits is taken to be in a fault together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BlastRadius {
    /// All VMs of the platforms that it is about.
    pub all: Share,
    /// By datacenter, those that are hit.
    pub datacenters: BTreeMap<String, Share>,
    /// By cluster, those that are hit.
    pub clusters: BTreeMap<String, Share>,
    /// By host, those that are hit.
    pub hosts: BTreeMap<String, Share>,
    /// By the groups of which the rules of the guard speak.
    pub groups: BTreeMap<String, Share>,
    /// Of each rule that counts, how many VMs more could be hit before it refuses; the closest first.
    pub slack: Vec<Slack>,
}

/// How much of a part of the estate a run hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Share {
    /// How many VMs it hits.
    pub hit: usize,
    /// Of how many.
    pub of: usize,
    /// How many stay powered on.
    pub stay_up: usize,
}

/// How close a rule is to its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Slack {
    /// The rule.
    pub rule: String,
    /// How many VMs more could be hit.
    pub more: usize,
}

impl ResolvedExperiment {
    /// What a run would come to, and what a guard says of it. Reads only.
    ///
    /// # Errors
    /// As [`review`](Self::review).
    pub async fn outlook(&self, cx: &Context, guard: &Guard) -> Result<Outlook, Error> {
        let guard = &self.guarded(Some(guard));
        let estate = self.whole_estate(cx).await?;
        let review = self.review_of(cx, guard, &estate).await?;
        let hit: BTreeSet<VMRef> = self.strikes().into_iter().flat_map(|(_, strike)| strike.targets).collect();
        let means_none = |rule: &&Rule| {
            let named = named(rule);
            named.is_some_and(|filter| !estate.iter().any(|member| is_in(filter, member)))
        };
        let idle = guard.policy().rules().iter().filter(means_none).map(ToString::to_string).collect();
        let blast_radius = BlastRadius::of(&estate, &hit, guard, &review);
        Ok(Outlook { blast_radius, denials: review.denials, idle })
    }
}

impl BlastRadius {
    fn of(estate: &[Member], hit: &BTreeSet<VMRef>, guard: &Guard, review: &Review) -> Self {
        let mut radius = Self::default();
        let groups: Vec<&Filter> = guard.policy().rules().iter().filter_map(group).collect();
        for member in estate.iter().filter(|member| !member.vm.template) {
            let is_hit = hit.contains(&member.at);
            let stays_up = !is_hit && member.vm.power_state == VMPowerState::PoweredOn;
            radius.all.add(is_hit, stays_up);
            for (places, name) in [
                (&mut radius.datacenters, &member.vm.datacenter),
                (&mut radius.clusters, &member.vm.cluster),
                (&mut radius.hosts, &member.vm.host),
            ] {
                let name = name.clone().unwrap_or_else(|| "(none)".to_owned());
                places.entry(name).or_default().add(is_hit, stays_up);
            }
            for group in &groups {
                if is_in(group, member) {
                    radius.groups.entry(group.to_string()).or_default().add(is_hit, stays_up);
                }
            }
        }
        for places in [&mut radius.datacenters, &mut radius.clusters, &mut radius.hosts, &mut radius.groups] {
            places.retain(|_, reach| reach.hit > 0);
        }
        radius.slack = review.slack.iter().map(|(rule, more)| Slack { rule: rule.clone(), more: *more }).collect();
        radius.slack.sort_by_key(|slack| slack.more);
        radius
    }
}

fn is_in(filter: &Filter, member: &Member) -> bool {
    filter.matches(&Candidate::new(&member.vm, &member.at.entry))
}

/// The VMs of which a rule speaks.
fn named(rule: &Rule) -> Option<&Filter> {
    match rule {
        Rule::Protect(rule) => Some(&rule.vms),
        Rule::Only(rule) => Some(&rule.vms),
        other => group(other),
    }
}

/// The group of which a rule speaks.
fn group(rule: &Rule) -> Option<&Filter> {
    match rule {
        Rule::AtMost(rule) => match &rule.of {
            Of::Group(filter) => Some(filter),
            _ => None,
        },
        Rule::Keep(rule) => Some(&rule.of),
        _ => None,
    }
}

impl Share {
    fn add(&mut self, is_hit: bool, stays_up: bool) {
        self.of += 1;
        self.hit += usize::from(is_hit);
        self.stay_up += usize::from(stays_up);
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} hit, {} stay up", self.hit, self.of, self.stay_up)
    }
}

impl fmt::Display for BlastRadius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blast radius: {}", self.all)?;
        for (kind, places) in [
            ("datacenter", &self.datacenters),
            ("cluster", &self.clusters),
            ("host", &self.hosts),
            ("group", &self.groups),
        ] {
            for (name, reach) in places {
                write!(f, "\n  {kind} {name}: {reach}")?;
            }
        }
        for Slack { rule, more } in &self.slack {
            write!(f, "\n  rule `{rule}`: {more} more could be hit")?;
        }
        Ok(())
    }
}
