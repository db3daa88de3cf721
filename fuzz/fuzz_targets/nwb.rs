//! NWB files, by their own layout.
#![no_main]

use chiasm_data::Missing;
use chiasm_data::io::{Format, ReadOptions, read_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    // A panic that is caught within is an error like others; one that gets out still ends the run.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
    let options = ReadOptions {
        format: Some(Format::Nwb),
        missing: Missing::Keep,
        ..ReadOptions::default()
    };
    let _ = read_bytes("fuzz.nwb".as_ref(), bytes, &options);
    }
);
