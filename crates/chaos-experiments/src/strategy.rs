//! How a run goes about its hypothesis, its rollbacks and what it only pretends to do.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Finding;

/// When the steady-state hypothesis is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum HypothesisStrategy {
    /// Before and after the method.
    #[default]
    Default,
    /// Before the method only.
    BeforeMethodOnly,
    /// After the method only.
    AfterMethodOnly,
    /// Again and again while the method goes on.
    DuringMethodOnly,
    /// Before, during and after the method.
    Continuously,
    /// Never.
    Skip,
}

impl HypothesisStrategy {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Default,
        Self::BeforeMethodOnly,
        Self::AfterMethodOnly,
        Self::DuringMethodOnly,
        Self::Continuously,
        Self::Skip,
    ];

    /// The word in an experiment and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::BeforeMethodOnly => "before-method-only",
            Self::AfterMethodOnly => "after-method-only",
            Self::DuringMethodOnly => "during-method-only",
            Self::Continuously => "continuously",
            Self::Skip => "skip",
        }
    }

    /// The strategy that `word` names, also in the spelling `continously` that Chaos Toolkit once had.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = if word == "continously" { "continuously" } else { word };
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == word)
    }

    pub(crate) fn before(self) -> bool {
        matches!(self, Self::Default | Self::BeforeMethodOnly | Self::Continuously)
    }

    pub(crate) fn during(self) -> bool {
        matches!(self, Self::DuringMethodOnly | Self::Continuously)
    }

    pub(crate) fn after(self) -> bool {
        matches!(self, Self::Default | Self::AfterMethodOnly | Self::Continuously)
    }
}

/// When the declared rollbacks are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RollbackStrategy {
    /// Unless the run has failed or was interrupted.
    #[default]
    Default,
    /// Whatever happened.
    Always,
    /// Never.
    Never,
    /// If the steady state was lost.
    Deviated,
}

impl RollbackStrategy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Default, Self::Always, Self::Never, Self::Deviated];

    /// The word in an experiment and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Always => "always",
            Self::Never => "never",
            Self::Deviated => "deviated",
        }
    }

    /// The strategy that `word` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == word)
    }
}

/// What is left out of a run, which otherwise goes on as if it had been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dry {
    /// No probe is made, and no tolerance is checked.
    Probes,
    /// No action is done.
    Actions,
    /// Neither.
    Activities,
    /// Everything is done, without pauses.
    Pause,
}

impl Dry {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Probes, Self::Actions, Self::Activities, Self::Pause];

    /// The word on the command line and in the journal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Probes => "probes",
            Self::Actions => "actions",
            Self::Activities => "activities",
            Self::Pause => "pause",
        }
    }

    /// What `dry` of an activity says: true for the activity itself, or one of the words.
    #[expect(clippy::option_option, reason = "the outer one is whether it can be read, as everywhere")]
    pub(crate) fn declared(value: &Value) -> Option<Option<Self>> {
        match value {
            Value::Null | Value::Bool(false) => Some(None),
            Value::Bool(true) => Some(Some(Self::Activities)),
            Value::String(word) => Self::ALL.into_iter().find(|dry| dry.as_str() == word).map(Some),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Whether tolerances of the hypothesis are taken as met.
    pub(crate) fn takes_tolerances_as_met(self) -> bool {
        matches!(self, Self::Probes | Self::Activities)
    }
}

/// The strategies of a run.
///
/// ```
/// use chaos_experiments::{HypothesisStrategy, Strategies};
///
/// let declared = Strategies { hypothesis: HypothesisStrategy::Skip, ..Strategies::default() };
/// // What is asked for when it is started comes first, then what the experiment declares as a whole.
/// let chosen = Strategies::choose(None, None, Some(declared), Strategies::default());
/// assert_eq!(chosen, declared);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strategies {
    /// When the hypothesis is checked.
    pub hypothesis: HypothesisStrategy,
    /// When rollbacks are played.
    pub rollbacks: RollbackStrategy,
}

impl Strategies {
    /// What counts: the wish of whoever starts the run, else what the experiment declares, else the settings. Declared are
    /// both or none, so that what an experiment leaves out is the default and not what the settings say.
    #[must_use]
    pub fn choose(
        hypothesis: Option<HypothesisStrategy>,
        rollbacks: Option<RollbackStrategy>,
        declared: Option<Self>,
        settings: Self,
    ) -> Self {
        let base = declared.unwrap_or(settings);
        Self { hypothesis: hypothesis.unwrap_or(base.hypothesis), rollbacks: rollbacks.unwrap_or(base.rollbacks) }
    }

    /// What a `runtime` section declares; none if there is none, or nothing in it. Also that of a settings file.
    pub(crate) fn declared(root: &Map<String, Value>, findings: &mut Vec<Finding>) -> Option<Self> {
        let runtime = root.get("runtime")?.as_object().filter(|runtime| !runtime.is_empty())?;
        let mut word = |part: &str, known: &[&str]| {
            let declared = runtime.get(part)?.get("strategy").filter(|strategy| !strategy.is_null())?;
            let text = declared.as_str().filter(|text| known.contains(text) || *text == "continously");
            if text.is_none() {
                let place = format!("/runtime/{part}/strategy");
                let finding = Finding::error(place, format!("{declared} is no strategy"));
                findings.push(finding.hint(format!("use one of {}", known.join(", "))));
            }
            text
        };
        let hypothesis = word("hypothesis", &HypothesisStrategy::ALL.map(HypothesisStrategy::as_str));
        let rollbacks = word("rollbacks", &RollbackStrategy::ALL.map(RollbackStrategy::as_str));
        Some(Self {
            hypothesis: hypothesis.and_then(HypothesisStrategy::parse).unwrap_or_default(),
            rollbacks: rollbacks.and_then(RollbackStrategy::parse).unwrap_or_default(),
        })
    }

    /// What the `runtime` section of a settings file says; what is no strategy counts as not said.
    #[must_use]
    pub fn of_settings(settings: &Map<String, Value>) -> Self {
        Self::declared(settings, &mut Vec::new()).unwrap_or_default()
    }
}

/// How the hypothesis is checked while the method goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Schedule {
    /// How long is waited between the end of a pass and the begin of the next.
    pub frequency: Duration,
    /// Whether the first pass that is not met ends the method.
    pub fail_fast: bool,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { frequency: Duration::from_secs(1), fail_fast: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn declared(runtime: &Value) -> (Option<Strategies>, usize) {
        let root = json!({ "runtime": runtime });
        let mut findings = Vec::new();
        let strategies = Strategies::declared(root.as_object().unwrap(), &mut findings);
        (strategies, findings.len())
    }

    #[test]
    fn a_declared_section_counts_as_a_whole() {
        let settings = Strategies { hypothesis: HypothesisStrategy::Skip, rollbacks: RollbackStrategy::Always };
        let (strategies, wrong) = declared(&json!({"rollbacks": {"strategy": "deviated"}}));
        let chosen = Strategies::choose(None, None, strategies, settings);
        assert_eq!(
            chosen,
            Strategies { hypothesis: HypothesisStrategy::Default, rollbacks: RollbackStrategy::Deviated }
        );
        assert_eq!(wrong, 0);
        assert_eq!(Strategies::choose(None, None, declared(&json!({})).0, settings), settings);
    }

    #[test]
    fn an_unknown_strategy_is_found() {
        assert_eq!(declared(&json!({"hypothesis": {"strategy": "sometimes"}, "rollbacks": {"strategy": 1}})).1, 2);
        let (strategies, wrong) = declared(&json!({"hypothesis": {"strategy": "continously"}}));
        assert_eq!((strategies.unwrap().hypothesis, wrong), (HypothesisStrategy::Continuously, 0));
    }
}
