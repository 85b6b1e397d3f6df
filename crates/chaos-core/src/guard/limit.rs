//! Rules on how many VMs are in a fault at the same time, and how many of a group stay up.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::denial::Denial;
use super::quota::Quota;
use super::scene::{Key, Member, Scene, Strike};
use crate::select::{Candidate, Filter, GroupKind};
use crate::vm::VMPowerState;

/// `at most AMOUNT of …`: so many VMs in a fault at the same time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AtMost {
    /// How many.
    pub quota: Quota,
    /// Of which.
    pub of: Of,
}

/// The VMs that are counted together.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Of {
    /// All.
    All,
    /// Those of each group of a kind for themselves. Those whose group is not known count as one more.
    Each(GroupKind),
    /// A group.
    Group(Filter),
}

/// `keep AMOUNT of FILTER`: so many VMs of a group stay powered on and in no fault.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Keep {
    /// How many.
    pub quota: Quota,
    /// The group.
    pub of: Filter,
}

/// A part of the estate in which VMs are counted together: all, or a group by its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place<'a> {
    Whole,
    Group([&'a str; 3]),
    /// Somewhere on this server.
    Unknown(&'a str),
}

impl Of {
    /// Where a VM is counted; none if it is not.
    fn place<'a>(&self, member: &'a Member) -> Option<Place<'a>> {
        let server = &member.at.instance;
        match self {
            Self::All => Some(Place::Whole),
            // The server tells its groups from those of others, by whichever entry it is reached.
            Self::Each(kind) => {
                Some(kind.of(&Candidate::new(&member.vm, server)).map_or(Place::Unknown(server), Place::Group))
            }
            Self::Group(filter) => filter.matches(&member.candidate()).then_some(Place::Whole),
        }
    }

    /// The place in words.
    fn words(&self, place: Place<'_>) -> String {
        match (self, place) {
            (Self::Each(kind), Place::Group([_, _, name])) => format!("of {} {name}", kind.as_str()),
            (Self::Each(kind), _) => format!("of no known {}", kind.as_str()),
            (Self::All, _) => "in all".to_owned(),
            (Self::Group(filter), _) => format!("of `{filter}`"),
        }
    }
}

/// A number of VMs in words.
fn vms(number: usize) -> String {
    if number == 1 { "1 VM".to_owned() } else { format!("{number} VMs") }
}

/// How close a rule is to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// What there would be.
    pub(super) there: usize,
    /// What there may be; for what has to stay up, what there must be.
    pub(super) limit: usize,
}

impl AtMost {
    pub(super) fn check(&self, strike: &Strike<'_>, scene: &Scene<'_>) -> Result<(), Denial> {
        for (place, room) in self.rooms(strike, scene) {
            if room.there > room.limit {
                let (there, limit, words) = (room.there, room.limit, self.of.words(place));
                let first = strike.targets.iter().find(|member| self.of.place(member) == Some(place));
                let why =
                    format!("{} {words} would be in a fault at the same time, of which {limit} may be", vms(there));
                let way_out = "hit fewer at a time, or wait until others are back";
                return Err(Denial::new(first.map(|member| member.vm.display_path()), why, way_out));
            }
        }
        Ok(())
    }

    /// Each place that is hit, with how many VMs there would be in a fault, in the order of the targets.
    fn rooms<'a>(&self, strike: &Strike<'a>, scene: &Scene<'a>) -> Vec<(Place<'a>, Room)> {
        let hit = strike.keys();
        let mut places: Vec<Place<'a>> = Vec::new();
        let mut known = HashSet::new();
        for place in strike.targets.iter().filter_map(|member| self.of.place(member)) {
            if known.insert(place) {
                places.push(place);
            }
        }
        let mut counts: HashMap<Place<'a>, (usize, usize)> = places.iter().map(|place| (*place, (0, 0))).collect();
        for member in scene.estate.iter().filter(|member| !member.vm.template) {
            if let Some((all, faulted)) = self.of.place(member).and_then(|place| counts.get_mut(&place)) {
                *all += 1;
                *faulted += usize::from(scene.is_hit(&hit, member));
            }
        }
        // What is not in the estate, since it is gone, cannot be read or is of another server, is in a fault all the same. Of what is
        // of the same server nobody knows where it is.
        let strangers = strangers(scene, &hit);
        let servers: HashSet<&str> = scene.estate.iter().map(|member| member.at.instance.as_str()).collect();
        let room = |place: Place<'a>| {
            let (all, faulted) = counts.get(&place).copied().unwrap_or_default();
            let counts_here = |server: &&str| match (&self.of, place) {
                (Of::All, _) => true,
                (Of::Each(_), Place::Group([here, ..]) | Place::Unknown(here)) => *server == here,
                (Of::Each(_) | Of::Group(_), _) => servers.contains(server),
            };
            let strangers = strangers.iter().filter(|server| counts_here(server)).count();
            Room { there: faulted + strangers, limit: self.quota.at_most(all) }
        };
        places.into_iter().map(|place| (place, room(place))).collect()
    }

    /// The place that is closest to its limit.
    pub(super) fn room(&self, strike: &Strike<'_>, scene: &Scene<'_>) -> Option<Room> {
        let rooms = self.rooms(strike, scene).into_iter().map(|(_, room)| room);
        rooms.min_by_key(|room| room.limit.saturating_sub(room.there))
    }
}

/// The servers of the VMs that are in a fault and that the estate does not have, one for each VM.
fn strangers<'a>(scene: &Scene<'a>, hit: &HashSet<Key<'a>>) -> Vec<&'a str> {
    if scene.faulted.is_empty() {
        return Vec::new();
    }
    let known: HashSet<Key<'_>> = scene.estate.iter().map(Member::key).collect();
    let strange = scene.faulted.iter().filter(|key| !known.contains(*key) && !hit.contains(*key));
    strange.map(|(_, server, _)| *server).collect()
}

impl Keep {
    pub(super) fn check(&self, strike: &Strike<'_>, scene: &Scene<'_>) -> Result<(), Denial> {
        let Some(room) = self.room(strike, scene) else { return Ok(()) };
        if room.there >= room.limit {
            return Ok(());
        }
        let first = strike.targets.iter().find(|member| self.of.matches(&member.candidate()));
        let (there, limit) = (room.there, room.limit);
        let why = format!("{} of `{}` would be up, where {limit} must be", vms(there), self.of);
        Err(Denial::new(first.map(|member| member.vm.display_path()), why, "hit fewer, or have more of them up first"))
    }

    /// How many would be up; none if the group is not hit.
    pub(super) fn room(&self, strike: &Strike<'_>, scene: &Scene<'_>) -> Option<Room> {
        let hit = strike.keys();
        if !strike.targets.iter().any(|member| self.of.matches(&member.candidate())) {
            return None;
        }
        let (mut all, mut up) = (0, 0);
        for member in scene.estate.iter().filter(|member| !member.vm.template) {
            if self.of.matches(&member.candidate()) {
                all += 1;
                let is_on = member.vm.power_state == VMPowerState::PoweredOn;
                up += usize::from(is_on && !scene.is_hit(&hit, member));
            }
        }
        Some(Room { there: up, limit: self.quota.at_least(all) })
    }
}

impl fmt::Display for AtMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {}", self.quota)?;
        match &self.of {
            Of::All => Ok(()),
            Of::Each(kind) => write!(f, " of each {}", kind.as_str()),
            Of::Group(filter) => write!(f, " of {filter}"),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keep {} of {}", self.quota, self.of)
    }
}
