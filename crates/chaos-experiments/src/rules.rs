//! The two ways to read and run an experiment, and everything in which they differ.

/// By which rules an experiment is read and run. The document and the journal are the same for both.
///
/// Everything in which the two differ is a method of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Rules {
    /// For whoever wants the truth: what goes wrong ends the method, everything is put back, and nothing is guessed.
    #[default]
    Strict,
    /// What Chaos Toolkit does, where that is no defect of it.
    Compat,
}

impl Rules {
    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Compat => "compat",
        }
    }

    fn is_strict(self) -> bool {
        self == Self::Strict
    }

    /// A failed activity ends the method and fails the run. Else the next one follows as if nothing were wrong.
    pub(crate) fn failure_ends_method(self) -> bool {
        self.is_strict()
    }

    /// The tolerance of an activity in the method or the rollbacks is checked. Else only those of the hypothesis are.
    pub(crate) fn judges_steps(self) -> bool {
        self.is_strict()
    }

    /// What Chaos Toolkit does not know ([`Extension`](crate::Extension)) has its meaning. Else it is ignored with a warning,
    /// or refused where Chaos Toolkit could not go on.
    pub(crate) fn knows_extensions(self) -> bool {
        self.is_strict()
    }

    /// The `timeout` of an activity limits it. Else only that of its provider does.
    pub(crate) fn honours_activity_timeout(self) -> bool {
        self.is_strict()
    }

    /// A process or a request without a `timeout` of its own has a time limit, and so has the server of an experiment. Else these may
    /// take for ever.
    pub(crate) fn limits_providers(self) -> bool {
        self.is_strict()
    }

    /// A process has nothing to read. Else it has the standard input of this program, unless that is a terminal.
    pub(crate) fn closes_input(self) -> bool {
        self.is_strict()
    }

    /// A steady state that is not there before the method fails the run, and nothing is played back. Else such a run is
    /// `completed`, with its rollbacks.
    pub(crate) fn gate_fails_run(self) -> bool {
        self.is_strict()
    }

    /// A pass of the hypothesis that is not met while the method goes on means that the system has deviated. Else only the
    /// one after the method does.
    pub(crate) fn passes_count(self) -> bool {
        self.is_strict()
    }

    /// Rollbacks are played whenever the method has begun, and every VM is put back before the run ends. Else rollbacks are
    /// played by strategy, and what the experiment leaves changed stays so and is named.
    pub(crate) fn puts_back(self) -> bool {
        self.is_strict()
    }

    /// What is wrong with a value after substitution is found before anything runs, and a process or a request that acts is handed
    /// no name that stands for nothing. Else the run finds it when it comes
    /// there, and is `aborted`.
    pub(crate) fn refuses_bad_values(self) -> bool {
        self.is_strict()
    }

    /// A key that occurs twice in a mapping is an error. Else the last one counts.
    pub(crate) fn refuses_double_keys(self) -> bool {
        self.is_strict()
    }

    /// A hypothesis only looks, and a probe does nothing to a VM. Else any activity may be anywhere.
    pub(crate) fn keeps_probes_harmless(self) -> bool {
        self.is_strict()
    }

    /// Activities in the background are cut short when the method is. Else they are waited for.
    pub(crate) fn cuts_background(self) -> bool {
        self.is_strict()
    }

    /// A configuration probe that fails keeps the experiment from running. Else its key stands for nothing.
    pub(crate) fn needs_dynamic_configuration(self) -> bool {
        self.is_strict()
    }

    /// The state of a VM has to allow what the experiment does to it first. Else the activity fails when its turn comes.
    pub(crate) fn checks_states_first(self) -> bool {
        self.is_strict()
    }

    /// Controls from outside of the experiment are not told of method and rollbacks where the experiment has controls of
    /// its own.
    pub(crate) fn forgets_global_controls(self) -> bool {
        !self.is_strict()
    }
}
