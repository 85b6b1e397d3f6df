//! Controls: what is called at the begin and the end of each part of a run.

mod global;
mod native;
mod read;

use serde_json::{Map, Value};

use crate::rules::Rules;

pub use global::GlobalControls;
pub(crate) use native::hand_over;
pub(crate) use read::{globals, of_owner, references};

/// A declared control.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    pub(crate) name: String,
    /// Where it is declared.
    pub(crate) place: String,
    /// As it is declared.
    pub(crate) declaration: Value,
    /// The only side of a part on which it is called; none for both.
    scope: Option<When>,
    /// Whether what is below the experiment has it too.
    automatic: bool,
    /// Whether its failure at the begin of a part interrupts the run.
    pub(crate) interrupts: bool,
    /// The control of the experiment that it brings along.
    refers: Option<String>,
    pub(crate) provider: ControlProvider,
}

/// How a control is called.
#[derive(Debug, Clone)]
pub(crate) enum ControlProvider {
    /// Functions of a module.
    Python { module: String, arguments: Value },
    /// A process or a request, as it is declared.
    Native(Map<String, Value>),
}

impl ControlProvider {
    /// The module of one in Python.
    pub(crate) fn module(&self) -> Option<&str> {
        match self {
            Self::Python { module, .. } => Some(module),
            Self::Native(_) => None,
        }
    }
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Experiment,
    Hypothesis,
    Method,
    Rollback,
    Activity,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::Hypothesis => "hypothesis",
            Self::Method => "method",
            Self::Rollback => "rollback",
            Self::Activity => "activity",
        }
    }
}

/// The side of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

impl When {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// A side of a part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) when: When,
    pub(crate) level: Level,
}

impl Point {
    /// Its name, such as `before_activity`.
    pub(crate) fn name(self) -> String {
        format!("{}_{}", self.when.word(), self.level.word())
    }
}

/// The controls that are not those of a single activity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Controls {
    pub(crate) global: Vec<Control>,
    pub(crate) top: Vec<Control>,
    pub(crate) hypothesis: Vec<Control>,
}

impl Controls {
    /// The controls at a point, in the order in which they are called, each name once; `own` are those that the part
    /// itself declares.
    pub(crate) fn at<'a>(&'a self, point: Point, own: &'a [Control], rules: Rules) -> Vec<&'a Control> {
        let inherited = self.top.iter().filter(|control| control.automatic);
        let is_redeclared = |control: &&Control| own.iter().chain(&self.global).any(|other| other.name == control.name);
        let mut all: Vec<&Control> = match point.level {
            Level::Experiment => self.global.iter().chain(&self.top).collect(),
            Level::Method | Level::Rollback => {
                // Where the experiment has controls, Chaos Toolkit forgets the global ones here.
                let global = self.global.iter().filter(|_| self.top.is_empty() || !rules.forgets_global_controls());
                global.chain(inherited).collect()
            }
            Level::Hypothesis | Level::Activity => {
                let inherited = inherited.filter(|control| !is_redeclared(control));
                let mut all: Vec<&Control> = inherited.chain(&self.global).chain(own).collect();
                for reference in own.iter().filter_map(|control| control.refers.as_ref()) {
                    all.extend(self.top.iter().find(|control| control.name == *reference));
                }
                all
            }
        };
        let mut names = Vec::with_capacity(all.len());
        all.retain(|control| {
            let is_new = !names.contains(&control.name.as_str());
            names.push(&control.name);
            is_new
        });
        all.retain(|control| control.scope.is_none_or(|scope| scope == point.when));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(name: &str) -> Control {
        Control {
            name: name.to_owned(),
            place: String::new(),
            declaration: Value::Null,
            scope: None,
            automatic: true,
            interrupts: false,
            refers: None,
            provider: ControlProvider::Python { module: "m".to_owned(), arguments: Value::Null },
        }
    }

    fn names(controls: &Controls, level: Level, own: &[Control], rules: Rules) -> String {
        let point = Point { when: When::Before, level };
        controls.at(point, own, rules).iter().map(|control| control.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_control_is_called_once_and_in_the_order_of_chaos_toolkit() {
        let manual = Control { automatic: false, ..control("manual") };
        let after = Control { scope: Some(When::After), ..control("after") };
        let own = [control("own"), control("twice"), after];
        let controls = Controls {
            global: vec![control("global")],
            top: vec![control("top"), manual, control("twice")],
            hypothesis: Vec::new(),
        };
        for (level, own, expected) in [
            (Level::Experiment, &[][..], "global top manual twice"),
            (Level::Hypothesis, &[], "top twice global"),
            (Level::Activity, &own, "top global own twice"),
            (Level::Method, &[], "top twice"),
        ] {
            assert_eq!(names(&controls, level, own, Rules::Compat), expected, "{level:?}");
        }
        assert_eq!(names(&controls, Level::Rollback, &[], Rules::Strict), "global top twice");
        let only_global = Controls { global: vec![control("global")], ..Controls::default() };
        assert_eq!(names(&only_global, Level::Method, &[], Rules::Compat), "global");
    }

    #[test]
    fn a_reference_brings_a_control_of_the_experiment_along() {
        let manual = Control { automatic: false, ..control("manual") };
        let controls = Controls { top: vec![manual], ..Controls::default() };
        let own = [Control { refers: Some("manual".to_owned()), ..control("own") }];
        assert_eq!(names(&controls, Level::Activity, &own, Rules::Compat), "own manual");
        assert_eq!(names(&controls, Level::Activity, &[], Rules::Compat), "");
    }
}
