//! HDF5 of any layout, by mappings, by chiasm's own layout and by inspection.
#![no_main]

use chiasm_data::Missing;
use chiasm_data::io::{Format, Mapping, ReadOptions, read_bytes};
use libfuzzer_sys::fuzz_target;

/// Names that the seeds use, so that every kind of value is reached.
const MAPS: [&str; 3] = [
    "traces=gzip,time=t,labels=labels,ids=units/id,speed=table/speed",
    "spikes=ragged,flags=flags@t,e=enum@t",
    "traces=lzf,rate=half,axes=unit.time,labels=fixed,epochs.x=pairs",
];

fuzz_target!(
    // A panic that is caught within is an error like others; one that gets out still ends the run.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
    let maps = MAPS.iter().map(|m| m.parse::<Mapping>().ok());
    for map in maps.chain([None]) {
        let options = ReadOptions {
            map,
            format: Some(Format::Hdf5),
            missing: Missing::Keep,
            ..ReadOptions::default()
        };
        let _ = read_bytes("fuzz.h5".as_ref(), bytes, &options);
    }
    }
);
