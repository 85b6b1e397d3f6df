//! What a vCenter may answer: any small document.
#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| chaos_vsphere::fuzzing::small_tree(document));
