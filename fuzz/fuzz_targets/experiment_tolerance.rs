//! Tolerances, and outputs that are held against them. The first line is the tolerance, the second is the output, each as
//! JSON or as a text; the rest is what the name `a` stands for.
#![no_main]

#[path = "../value.rs"]
mod value;

use std::time::Duration;

use chaos_experiments::fuzzing::{Limits, Names};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use value::{read, texts};

/// More than any check of an input of a fuzzer takes. What a machine does beside it does not count.
const LIMIT: Duration = Duration::from_secs(3);

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().map_or(Value::Null, read);
    let (declared, output, meant) = (next(), next(), next());
    let is_valid = Limits::are_valid(&declared);

    // Without names, what is read is what is valid; only a path is trimmed before it is found valid.
    let is_probe = declared.get("type") == Some(&json!("probe"));
    if !is_probe && !texts(&declared, &mut |text| text.contains("$$")) {
        let is_read = Limits::read(&declared, &Names::default()).is_some();
        assert!(is_valid || !is_read, "what is read is valid");
        assert!(is_read || !is_valid || declared.get("type") == Some(&json!("jsonpath")), "what is valid is read");
    }
    let names = Names::new([("a".to_owned(), meant)].into_iter().collect(), serde_json::Map::new());
    if let Some(limits) = Limits::read(&declared, &names) {
        let before = spent();
        let checked = limits.check(&output);
        assert!(spent().saturating_sub(before) < LIMIT, "a check takes too long");
        assert_eq!(checked, limits.check(&output));
        assert!(checked.err().is_none_or(|why| !why.is_empty()));
    }
    // A value is one of a list that it is in.
    if output.get("status").is_none() {
        let of_it = Limits::read(&json!([output]), &Names::default()).expect("any list is a tolerance");
        assert_eq!(of_it.check(&output), Ok(()));
    }
});

/// The time that the processor has spent on this thread.
fn spent() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
