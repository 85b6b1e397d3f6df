//! Looks at all faults of a plan before the first is sent: what would be in a fault together, at any moment.

use super::denial::Denial;
use super::policy::Policy;
use super::scene::{Member, Scene, Strike};
use crate::fault::Fault;
use crate::vm_ref::VMRef;

/// How long VMs may be in a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lasting {
    /// Until the step is over, as with a restart.
    Step,
    /// Until something powers them on, or the run is over.
    Open,
}

/// A fault of a plan.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlannedStrike<'a> {
    /// The faults of one stage may be under way at the same time; stages follow each other.
    pub stage: usize,
    /// What is done.
    pub fault: &'a Fault,
    /// To what.
    pub targets: Vec<&'a Member>,
    /// How long it lasts.
    pub lasting: Lasting,
}

impl<'a> PlannedStrike<'a> {
    /// A fault of a stage.
    #[must_use]
    pub fn new(stage: usize, fault: &'a Fault, targets: Vec<&'a Member>, lasting: Lasting) -> Self {
        Self { stage, fault, targets, lasting }
    }
}

/// What a policy says of a plan.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Review {
    /// What is not allowed; nothing may be touched if there is something.
    pub denials: Vec<Denial>,
    /// Of each rule that counts: how many VMs more could be hit before it refuses, at the closest.
    pub slack: Vec<(String, usize)>,
}

impl Policy {
    /// What the rules say of a whole plan, whatever the order is in which the faults of a stage begin, succeed and fail.
    ///
    /// Everything that a stage hits counts as hit from its begin to its end, and what lasts longer as hit from then on, also
    /// where the plan powers it on: that may fail. So what is allowed here breaks no limit at any moment.
    #[must_use]
    pub fn review<'a>(&self, plan: &[PlannedStrike<'a>], scene: &Scene<'a>) -> Review {
        let mut scene = scene.clone();
        let mut review = Review { denials: Vec::new(), slack: Vec::new() };
        let mut at = 0;
        while let Some(first) = plan.get(at) {
            let stage: Vec<&PlannedStrike<'a>> =
                plan[at..].iter().take_while(|strike| strike.stage == first.stage).collect();
            at += stage.len();
            // All of the stage stand in each other's scene.
            let hit = |strike: &&PlannedStrike<'a>| strike.fault.breaks();
            let refs = |strike: &PlannedStrike<'a>| strike.targets.iter().map(|member| &member.at).collect::<Vec<_>>();
            let during: Vec<&'a VMRef> = stage.iter().copied().filter(hit).flat_map(refs).collect();
            let crowded = scene.clone().faulted(during);
            for strike in &stage {
                let strike = Strike { fault: strike.fault, targets: strike.targets.clone() };
                for denial in self.check(&strike, &crowded).err().into_iter().flatten() {
                    let is_said = |said: &Denial| said.rule == denial.rule && said.why == denial.why;
                    if !review.denials.iter().any(is_said) {
                        review.denials.push(denial);
                    }
                }
                self.note_slack(&mut review, &strike, &crowded);
            }
            let lasting = |strike: &&PlannedStrike<'a>| hit(strike) && strike.lasting == Lasting::Open;
            let left: Vec<&'a VMRef> = stage.iter().copied().filter(lasting).flat_map(refs).collect();
            scene = scene.faulted(left);
        }
        review
    }

    fn note_slack(&self, review: &mut Review, strike: &Strike<'_>, scene: &Scene<'_>) {
        if !strike.fault.breaks() {
            return;
        }
        for rule in self.rules() {
            let Some(slack) = rule.slack(strike, scene) else { continue };
            let name = rule.to_string();
            match review.slack.iter_mut().find(|(known, _)| *known == name) {
                Some((_, least)) => *least = slack.min(*least),
                None => review.slack.push((name, slack)),
            }
        }
    }
}
