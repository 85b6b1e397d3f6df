//! What a vCenter may answer: a call that was refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| chaos_vsphere::fuzzing::fault(document));
