//! Which VMs are meant: the target notation, filters, and how a text becomes exactly the right VMs.

mod pattern;
mod resolve;
mod selector;

pub use pattern::{NamePattern, TargetPattern};
pub use resolve::{Chosen, ChosenBy, resolve};
pub use selector::Selector;
