//! Which VMs are meant: the target notation, filters, the selector language, and how a text becomes exactly the right VMs.

mod atom;
mod bound;
mod candidate;
mod choice;
mod choice_parser;
mod choose;
mod filter;
mod lexer;
mod parser;
mod pattern;
mod resolve;
mod selection;
mod selector;
mod selector_error;

pub use candidate::Candidate;
pub use choice::{Amount, Choice, GroupKind, GroupLimit, Percent};
pub use choose::Picked;
pub use filter::Filter;
pub use pattern::{NamePattern, TargetPattern};
pub use resolve::{Chosen, ChosenBy, resolve};
pub use selection::Selection;
pub use selector::Selector;
pub use selector_error::SelectorError;
