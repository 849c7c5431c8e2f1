#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| akv_core::fuzzing::ecdsa_signature(data));
