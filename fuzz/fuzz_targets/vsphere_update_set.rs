//! What a vCenter may answer: the answer to a long poll.
#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| chaos_vsphere::fuzzing::update_set(document));
