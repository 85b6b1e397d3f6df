//! What `run` and `validate` share with `chaos`: its settings file and its log.

mod log;
mod settings;

pub(crate) use log::{ToolkitLog, ToolkitNarrator};
pub(crate) use settings::ToolkitSettings;
