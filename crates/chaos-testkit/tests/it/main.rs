//! Tests of the helpers, and the conformance suite on the platform in memory.

mod clock;
mod conformance;
mod logs;
mod memory;
mod source;
