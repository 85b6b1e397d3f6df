//! The one entry for every chore: `cargo xtask ci` is what CI runs.

fn main() {}
