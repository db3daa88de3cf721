//! What each fuzz target does with its bytes. Whatever they are, a reader must give a recording or an error.

use std::path::Path;

use chiasm_data::events::{Binning, Events};
use chiasm_data::sound::{MelSpikes, Sound};
use chiasm_data::{Missing, NamedArrays, Photos};
use chiasm_data::datasets::idx::IdxReader;
use chiasm_data::datasets::wiring::{Junction, Wiring};
use chiasm_data::io::{Format, Mapping, ReadOptions, read_bytes};

/// A target: its name, which is also that of its folder of seeds, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 14] = [
    ("hdf5", hdf5),
    ("nwb", nwb),
    ("npz", npz),
    ("npy", npy),
    ("csv", csv),
    ("mat", mat),
    ("parquet", parquet),
    ("mapping", mapping),
    ("idx", idx),
    ("wiring", wiring),
    ("photo", photo),
    ("events", events),
    ("sound", sound),
    ("weights", weights),
];

/// Takes out the panic hook: a panic that a reader catches within is an error like others; one that gets out of it still
/// ends the run.
pub fn hush() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Reads `bytes` by each mapping and then by inspection.
fn read(bytes: &[u8], format: Format, name: &str, maps: &[&str]) {
    let maps = maps.iter().map(|m| m.parse::<Mapping>());
    for map in maps
        .map(|m| Some(m.expect("a mapping of ours")))
        .chain([None])
    {
        let options = ReadOptions {
            map,
            format: Some(format),
            missing: Missing::Keep,
            ..ReadOptions::default()
        };
        // An error is as good as a recording; only not to come back is wrong.
        let _ = read_bytes(Path::new(name), bytes, &options);
    }
}

/// HDF5 of any layout. The mappings hold names that the seeds use, so that every kind of value is reached.
pub fn hdf5(bytes: &[u8]) {
    let maps = [
        "traces=gzip,time=t,labels=labels,ids=units/id,speed=table/speed",
        "spikes=ragged,flags=flags@t,e=enum@t",
        "traces=lzf,rate=half,axes=unit.time,labels=fixed,epochs.x=pairs",
    ];
    read(bytes, Format::Hdf5, "fuzz.h5", &maps);
}

/// NWB by its own layout.
pub fn nwb(bytes: &[u8]) {
    read(bytes, Format::Nwb, "fuzz.nwb", &[]);
}

/// NPZ archives.
pub fn npz(bytes: &[u8]) {
    let maps = [
        "traces=traces,time=time,labels=unit_labels",
        "spikes=spike_times,spike_units=spike_units",
        "traces=traces,rate=1,axes=unit.time,positions=unit_positions",
    ];
    read(bytes, Format::Npz, "fuzz.npz", &maps);
}

/// Lone NPY arrays.
pub fn npy(bytes: &[u8]) {
    let maps = [
        "traces=array,rate=10,axes=time.unit",
        "traces=array,rate=array,axes=unit.time,labels=array",
        "spikes=array,epochs.x=array",
    ];
    read(bytes, Format::Npz, "fuzz.npy", &maps);
}

/// CSV, wide and long.
pub fn csv(bytes: &[u8]) {
    read(bytes, Format::Csv, "fuzz.csv", &[]);
}

/// MAT 5 files.
pub fn mat(bytes: &[u8]) {
    let maps = [
        "traces=traces,time=time,labels=labels",
        "spikes=data/st,labels=data/name",
        "traces=x,rate=1,axes=unit.time",
    ];
    read(bytes, Format::Mat, "fuzz.mat", &maps);
}

/// Parquet, wide and long.
pub fn parquet(bytes: &[u8]) {
    read(bytes, Format::Parquet, "fuzz.parquet", &[]);
}

/// Mappings, on one line and in TOML.
pub fn mapping(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<Mapping>();
        let _ = Mapping::from_toml(text, Path::new("fuzz.toml"));
    }
}

/// IDX files, packed or not, as MNIST comes.
pub fn idx(bytes: &[u8]) {
    for length in [None, Some(bytes.len() as u64)] {
        let owned = std::io::Cursor::new(bytes.to_vec());
        if let Ok(mut reader) = IdxReader::new(Path::new("fuzz.idx"), Box::new(owned), length) {
            let n = reader.n_left();
            let _ = reader.read_f64(n);
        }
    }
}

/// Wiring diagrams in JSON.
pub fn wiring(bytes: &[u8]) {
    if let Ok(wiring) = Wiring::from_json(bytes, Path::new("fuzz.json")) {
        let names: Vec<&str> = wiring.cells().iter().map(String::as_str).collect();
        let _ = wiring.counts(Junction::Chemical, &names);
    }
}

/// PNG and JPEG files.
pub fn photo(bytes: &[u8]) {
    let _ = Photos::decode(bytes, Path::new("fuzz.png"));
}

/// Address events of N-MNIST and AEDAT.
pub fn events(bytes: &[u8]) {
    for read in [Events::decode_bin, Events::decode_aedat] {
        if let Ok(events) = read(bytes, None, Path::new("fuzz.bin")) {
            let _ = events.steps(&Binning::default());
        }
    }
}

/// WAV files, and what is heard of them.
pub fn sound(bytes: &[u8]) {
    if let Ok(sound) = Sound::decode(bytes, Path::new("fuzz.wav")) {
        let _ = MelSpikes::default().spikes(&sound);
    }
}

/// Weights of networks: PyTorch's files and safetensors.
pub fn weights(bytes: &[u8]) {
    for name in ["fuzz.pt", "fuzz.safetensors"] {
        if let Ok(file) = NamedArrays::from_bytes(Path::new(name), bytes.to_vec()) {
            for array in file.names() {
                let _ = file.numbers(array);
            }
        }
    }
}
