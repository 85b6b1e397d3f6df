//! What the engine does with whole experiments, on a platform in memory.

mod lab;
mod whole_run;
