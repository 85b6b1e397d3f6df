//! `policy`: which rules there are, and what they say.

use std::collections::HashSet;

use chaos_core::{
    Clock, Denial, Fault, Guard, HaltFlag, Member, Policy, Rule, RunId, Selector, Strike, SystemClock, VMInfo, VMRef,
};
use serde::Serialize;

use super::{context, resolved, until_second};
use crate::cli::{self, PolicyCheck, PolicyExplain, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Output, write_rulings};
use crate::session::{self, Session};
use crate::state::State;

/// What a rule says.
#[derive(Debug, Serialize)]
pub(crate) struct Ruling {
    pub(crate) rule: String,
    pub(crate) allows: bool,
    /// Why not, and what would have to change.
    #[serde(flatten)]
    pub(crate) denial: Option<Denied>,
}

/// Why a rule does not allow something.
#[derive(Debug, Serialize)]
pub(crate) struct Denied {
    pub(crate) target: Option<String>,
    pub(crate) why: String,
    pub(crate) way_out: String,
}

impl Ruling {
    fn new(rule: &Rule, said: Result<(), Denial>) -> Self {
        let denied = |denial: Denial| Denied { target: denial.target, why: denial.why, way_out: denial.way_out };
        Self { rule: rule.to_string(), allows: said.is_ok(), denial: said.err().map(denied) }
    }

    /// What all rules say.
    fn of_all(policy: &Policy, says: impl Fn(&Rule) -> Result<(), Denial>) -> Vec<Self> {
        policy.rules().iter().map(|rule| Self::new(rule, says(rule))).collect()
    }
}

/// Runs one of the commands.
pub(super) async fn run(command: cli::Policy, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    match command {
        cli::Policy::Check(args) => check(args, settings, output).await,
        cli::Policy::Explain(args) => explain(args, settings, output).await,
    }
}

async fn check(args: PolicyCheck, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let policy = session::settings(settings, output)?.chaos.policy;
    let now = SystemClock::new().now();
    let mut rulings = halt(&args.state).await?;
    // The time is the same for all VMs, so that one that is not there will do.
    rulings.extend(Ruling::of_all(&policy, |rule| rule.check_time(now)));
    tell(&policy, &rulings, args.format.format, output)
}

async fn explain(args: PolicyExplain, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let source = session::platforms(settings, output)?;
    let policy = source.settings().chaos.policy.clone();
    let interrupts = Interrupts::listen(output.clone(), "interrupted: logging out")?;
    let session = Session::open(source, &args.platform.platform, context(&interrupts, "chaosmonkey policy")).await?;
    let fault = Fault::from(args.fault);
    let looking = async {
        let wanted = Selector::targets(args.vms.clone());
        // Rules that count have to see all.
        let all = if policy.looks_around() { Selector::all() } else { wanted.clone() };
        let discovery = session.discover(&all, output).await?;
        let chosen: HashSet<String> = resolved(&wanted, &discovery)?.into_iter().map(|chosen| chosen.vm.id).collect();
        let identity = session.platform().identity();
        let member = |vm: VMInfo| Member { at: VMRef::new(identity, &vm.id), vm };
        let estate: Vec<Member> = discovery.vms.into_iter().map(member).collect();
        let targets: Vec<&Member> = estate.iter().filter(|member| chosen.contains(&member.vm.id)).collect();
        let now = SystemClock::new().now();
        let mut rulings = halt(&args.state).await?;
        let store = State::existing(&args.state, false)?.store;
        // As for a run that begins now.
        let elsewhere = Guard::new(policy.clone(), store).elsewhere(&RunId::random(), now).await?;
        let scene = elsewhere.scene(now, &estate);
        let strike = Strike { fault: &fault, targets };
        rulings.extend(Ruling::of_all(&policy, |rule| rule.check(&strike, &scene)));
        Ok(rulings)
    };
    let rulings = until_second(&interrupts, looking).await;
    session.close(output).await;
    tell(&policy, &rulings?, args.format.format, output)
}

/// What the halt says, if there is one.
async fn halt(state: &cli::StateArgs) -> Result<Vec<Ruling>, Failure> {
    let halt = State::existing(state, false)?.store.get().await?;
    Ok(halt
        .map(|halt| Ruling {
            rule: "halt".to_owned(),
            allows: false,
            denial: Some(Denied {
                target: None,
                why: halt.to_string(),
                way_out: "`chaosmonkey resume` ends that".to_owned(),
            }),
        })
        .into_iter()
        .collect())
}

fn tell(policy: &Policy, rulings: &[Ruling], format: cli::Format, output: &Output) -> Result<Exit, Failure> {
    output.data(|to| write_rulings(format, rulings, to))?;
    if policy.is_empty() {
        output.note("there are no rules: set `chaos.policy`");
    }
    match rulings.iter().filter(|ruling| !ruling.allows).count() {
        0 => Ok(Exit::Done),
        1 => Err(Failure::new(Exit::Refused, "1 rule does not allow it")),
        several => Err(Failure::new(Exit::Refused, format!("{several} rules do not allow it"))),
    }
}
