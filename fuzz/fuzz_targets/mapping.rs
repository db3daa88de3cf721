//! Mappings, on one line and in TOML.
#![no_main]

use chiasm_data::io::Mapping;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    // A panic that is caught within is an error like others; one that gets out still ends the run.
    init: std::panic::set_hook(Box::new(|_| {})),
    |text: &str| {
    let _ = text.parse::<Mapping>();
    let _ = Mapping::from_toml(text, "fuzz.toml".as_ref());
    }
);
