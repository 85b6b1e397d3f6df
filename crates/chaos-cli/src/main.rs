//! The `chaosmonkey` command: arguments in, words out.

fn main() {}
