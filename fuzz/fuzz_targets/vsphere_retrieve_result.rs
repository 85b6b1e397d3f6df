//! What a vCenter may answer: a page of an inventory, cut into chunks.
#![no_main]

libfuzzer_sys::fuzz_target!(|document: &[u8]| chaos_vsphere::fuzzing::retrieve_result(document));
