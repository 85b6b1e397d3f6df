//! The guard: rules that say which faults may be sent, and what they say of a fault before it leaves.
//!
//! A [`Policy`] is a list of [`Rule`]s, all of which have to agree. Nothing that is added to it allows more, so an experiment
//! can only narrow what the settings allow. A guard refuses to break and never to repair: what powers a VM on is not
//! asked about, and whoever puts something back does not ask.

mod calendar;
mod cool_down;
mod denial;
mod keeper;
mod limit;
mod own;
mod policy;
mod quota;
mod register;
mod review;
mod rule;
mod scene;
mod spare;
mod zoned;

pub use calendar::{Freeze, Window};
pub use cool_down::CoolDown;
pub use denial::Denial;
pub use keeper::Guard;
pub use limit::{AtMost, Keep, Of};
pub use own::{Known, Own};
pub use policy::Policy;
pub use quota::Quota;
pub use register::{Elsewhere, FaultRegister};
pub use review::{Lasting, PlannedStrike, Review};
pub use rule::Rule;
pub use scene::{Member, Scene, Strike};
pub use spare::{Only, Protect};
