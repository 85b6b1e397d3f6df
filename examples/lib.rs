//! Example programs: `cargo run -p chaos-examples --example NAME`.
