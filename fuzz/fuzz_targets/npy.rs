//! Lone NPY arrays.
#![no_main]

use chiasm_data::Missing;
use chiasm_data::io::{Format, Mapping, ReadOptions, read_bytes};
use libfuzzer_sys::fuzz_target;

/// Names that the seeds use, so that every kind of value is reached.
const MAPS: [&str; 3] = [
    "traces=array,rate=10,axes=time.unit",
    "traces=array,rate=array,axes=unit.time,labels=array",
    "spikes=array,epochs.x=array",
];

fuzz_target!(
    // A panic that is caught within is an error like others; one that gets out still ends the run.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
    let maps = MAPS.iter().map(|m| m.parse::<Mapping>().ok());
    for map in maps.chain([None]) {
        let options = ReadOptions {
            map,
            format: Some(Format::Npz),
            missing: Missing::Keep,
            ..ReadOptions::default()
        };
        let _ = read_bytes("fuzz.npy".as_ref(), bytes, &options);
    }
    }
);
