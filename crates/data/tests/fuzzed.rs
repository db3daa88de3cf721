//! Inputs on which a reader once failed, as fuzzing found them; each is built here at its smallest.

use std::path::Path;
use std::time::{Duration, Instant};

use chiasm_data::DataError;
use chiasm_data::io::{Mapping, ReadOptions, read, read_bytes};

fn mapped(map: &str) -> ReadOptions {
    ReadOptions {
        map: Some(map.parse::<Mapping>().expect("a mapping")),
        ..ReadOptions::default()
    }
}

/// The type's first character took two bytes, and was split between them.
#[test]
fn an_npy_type_need_not_be_ascii() {
    let header = "{'descr': '<Æ3', 'fortran_order': False, 'shape': (2,), }\n";
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend([0; 16]);
    let options = mapped("traces=array,rate=10,axes=time.unit");
    let error = read_bytes(Path::new("x.npy"), &file, &options).expect_err("no type");
    assert!(
        error.to_string().contains("type `<Æ3` is not read"),
        "{error}"
    );
}

/// Two billion values in chunks that were never written: a small file, read block by block for minutes and gigabytes.
#[test]
fn an_hdf5_matrix_that_was_never_written_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hollow.h5");
    let file = rust_hdf5::H5File::create(&path).expect("created");
    let hollow = file
        .new_dataset::<f32>()
        .shape([3, 700_000_000])
        .chunk(&[3, 20_000]);
    hollow.create("traces").expect("made");
    file.close().expect("closed");
    assert!(path.metadata().expect("there").len() < 1 << 20);
    for axes in ["unit.time", "time.unit"] {
        let began = Instant::now();
        let options = mapped(&format!("traces=traces,rate=10,axes={axes}"));
        let error = read(&path, &options).expect_err("nothing was written");
        assert!(matches!(error, DataError::Malformed { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("hollow.h5") && text.contains("`traces`"),
            "{text}"
        );
        assert!(began.elapsed() < Duration::from_secs(5), "{text}");
    }
}

/// No samples of 10^17 units take no bytes, but a table of that many units overflowed.
#[test]
fn units_without_samples_are_not_counted_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wide.h5");
    let file = rust_hdf5::H5File::create(&path).expect("created");
    let wide = file
        .new_dataset::<f32>()
        .shape([0, 100_000_000_000_000_000]);
    wide.create("traces").expect("made");
    let time = file.new_dataset::<f64>().shape([1]).create("time");
    time.expect("made").write_raw(&[0.0]).expect("written");
    file.close().expect("closed");
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 100000000000000000), }\n";
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend((header.len() as u16).to_le_bytes());
    npy.extend(header.as_bytes());
    let options = mapped("traces=array,rate=10,axes=time.unit");
    for refused in [
        read(&path, &ReadOptions::default()),
        read(&path, &mapped("traces=traces,time=time,axes=time.unit")),
        read_bytes(Path::new("wide.npy"), &npy, &options),
    ] {
        let text = refused.expect_err("nothing in it").to_string();
        assert!(text.contains("wide.") && text.contains("found"), "{text}");
    }
}
