//! What somebody may write: an experiment in JSON.
#![no_main]

#[path = "../document.rs"]
mod document;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(read) = chaos_experiments::Document::from_json("fuzz", text) {
        document::check(&read, text);
    }
});
