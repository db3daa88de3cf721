//! IDX files, packed or not, as MNIST comes.
#![no_main]

use chiasm_data::datasets::idx::IdxReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    // A panic that is caught within is an error like others; one that gets out still ends the run.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
    for length in [None, Some(bytes.len() as u64)] {
        let owned = std::io::Cursor::new(bytes.to_vec());
        if let Ok(mut reader) = IdxReader::new("fuzz.idx".as_ref(), Box::new(owned), length) {
            let n = reader.n_left();
            let _ = reader.read_f64(n);
        }
    }
    }
);
