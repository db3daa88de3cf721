#![no_main]
libfuzzer_sys::fuzz_target!(init: chiasm_fuzz::hush(), |bytes: &[u8]| chiasm_fuzz::weights(bytes));
