//! Properties of the vocabulary, and the form in which it is written down.

mod account;
mod choosing;
mod choosing_laws;
mod generate;
mod guard;
mod guard_laws;
mod json;
mod power_rules;
mod selection;
mod selector_text;
mod selectors_document;
