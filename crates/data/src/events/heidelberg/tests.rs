//! On a file that h5py wrote, as it is and with bytes of it changed.

use std::path::Path;

use super::*;

const FILE: &[u8] = include_bytes!("../../../tests/golden/heidelberg/three.h5");

fn read(bytes: &[u8]) -> Result<SpokenWords, DataError> {
    let path = Path::new("three.h5");
    SpokenWords::of(&H5::from_bytes(path, bytes)?).map_err(|e| e.in_file(path))
}

/// The file with one run of bytes, which it must have once, in place of another.
fn spoiled(from: &[u8], to: &[u8]) -> String {
    let at: Vec<usize> = (0..FILE.len() - from.len())
        .filter(|i| &FILE[*i..*i + from.len()] == from)
        .collect();
    assert_eq!(at.len(), 1, "{from:?}");
    let mut bytes = FILE.to_vec();
    bytes[at[0]..at[0] + to.len()].copy_from_slice(to);
    read(&bytes).unwrap_err().to_string()
}

fn halves(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn words_come_back_as_they_were_written() {
    let found = read(FILE).unwrap();
    assert_eq!(found.classes(), ["zero", "one", "two"]);
    let words = found.words();
    assert_eq!(words.len(), 3);
    assert_eq!(words[0].times_s(), [0.0, 0.25, 0.25, 1.125]);
    assert_eq!(words[0].units(), [0, 699, 12, 4]);
    assert_eq!((words[0].label, words[0].speaker), (2, Some(4)));
    assert_eq!((words[1].label, words[1].speaker), (0, Some(11)));
    assert_eq!(words[1].times_s(), [0.5]);
    assert_eq!(words[2].units(), [7, 7, 8]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shd_train.h5");
    std::fs::write(&path, FILE).unwrap();
    assert_eq!(SpokenWords::read(&path).unwrap(), found);
}

#[test]
fn spikes_are_counted_in_steps_and_channels() {
    let found = read(FILE).unwrap();
    let binning = CochleaBinning {
        step_s: 0.125,
        steps: 8,
        together: 5,
    };
    assert_eq!(binning.channels(), 140);
    // The last spike comes after the last step.
    let counts = found.words()[0].counts(&binning).unwrap();
    assert_eq!(counts, [(0, 0, 1), (2, 2, 1), (2, 139, 1)]);
    let counts = found.words()[2].counts(&binning).unwrap();
    assert_eq!(counts, [(0, 1, 1), (6, 1, 1), (7, 1, 1)]);
    let coarse = CochleaBinning {
        step_s: 0.5,
        ..binning
    };
    assert_eq!(
        found.words()[2].counts(&coarse).unwrap(),
        [(0, 1, 1), (1, 1, 2)]
    );
    for (bad, field) in [
        (
            CochleaBinning {
                step_s: f64::NAN,
                ..binning
            },
            "step_s",
        ),
        (
            CochleaBinning {
                steps: 0,
                ..binning
            },
            "steps",
        ),
        (
            CochleaBinning {
                together: 701,
                ..binning
            },
            "together",
        ),
    ] {
        let refused = found.words()[0].counts(&bad).unwrap_err();
        assert_eq!(refused.field, field);
    }
}

#[test]
fn words_are_events_of_a_cochlea() {
    let found = read(FILE).unwrap();
    let events = found.words()[0].events().unwrap();
    assert_eq!(events.sensor(), Sensor::new(700, 1));
    let last = events.as_slice()[3];
    assert_eq!((last.t_us, last.x, last.y), (1_125_000, 4, 0));
}

#[test]
fn a_dataset_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = spoiled(b"labels\0", b"lapels\0");
    assert!(
        refused.contains("three.h5") && refused.contains("labels"),
        "{refused}"
    );
    assert!(spoiled(b"units\0", b"unity\0").contains("spikes/units"));
    assert!(spoiled(b"times\0", b"tides\0").contains("spikes/times"));
    let nowhere = SpokenWords::read(&folder.path().join("shd_test.h5"));
    assert!(nowhere.unwrap_err().to_string().contains("shd_test.h5"));
    assert!(read(b"no HDF5").is_err());
    // Speakers and names may be missing.
    let mut bytes = FILE.to_vec();
    for name in [&b"speaker\0"[..], b"keys\0"] {
        let at = (0..bytes.len())
            .find(|i| bytes[*i..].starts_with(name))
            .unwrap();
        bytes[at] = b'x';
    }
    let found = read(&bytes).unwrap();
    assert_eq!((found.words()[0].speaker, found.classes().len()), (None, 3));
    assert_eq!(found.classes()[2], "2");
}

#[test]
fn faults_name_file_dataset_and_word() {
    // Halves: .5 is 0x3800, .0625 0x2c00, .75 0x3a00, .875 0x3b00.
    let third = halves(&[0x2c00, 0x3a00, 0x3b00]);
    let refused = spoiled(&third, &halves(&[0x2c00, 0x7e00]));
    assert_eq!(
        refused,
        "three.h5, `spikes/times`, index 2: expected finite seconds of at least 0, found NaN at spike 1"
    );
    assert!(spoiled(&third, &halves(&[0x2c00, 0x7c00])).contains("found inf at spike 1"));
    assert!(spoiled(&third, &halves(&[0xac00])).contains("found -0.0625 at spike 0"));
    let refused = spoiled(&third, &halves(&[0x3b00]));
    assert!(
        refused.contains("index 2: expected at least 0.875 s"),
        "{refused}"
    );
    let refused = spoiled(&halves(&[0, 699, 12, 4]), &halves(&[0, 700]));
    assert_eq!(
        refused,
        "three.h5, `spikes/units`, index 0: expected a unit, a whole number from 0 to 699, found 700 at spike 1"
    );
    let refused = spoiled(&halves(&[2, 0, 1]), &halves(&[3]));
    assert!(
        refused.contains("`labels`, index 0: expected a whole number from 0 to 2, found 3"),
        "{refused}"
    );
}

#[test]
fn lists_of_different_lengths_are_refused() {
    // A list is its length, the heap's address and its place there: both datasets have lengths 4, 1 and 3.
    let length = |at: usize| {
        FILE.get(at..at + 4)
            .map(|b| u32::from_le_bytes(b.try_into().unwrap()))
    };
    let lists: Vec<usize> = (0..FILE.len())
        .filter(|i| {
            [(0, 4), (16, 1), (32, 3)]
                .iter()
                .all(|(by, n)| length(i + by) == Some(*n))
        })
        .collect();
    assert_eq!(lists.len(), 2);
    let refused = lists.iter().map(|at| {
        let mut bytes = FILE.to_vec();
        bytes[at + 32] = 2;
        read(&bytes).unwrap_err().to_string()
    });
    let refused: Vec<String> = refused.collect();
    for (expected, found) in [(2, 3), (3, 2)] {
        let message = format!(
            "three.h5, `spikes/units`, index 2: expected {expected} units, one for each time, found {found}"
        );
        assert!(refused.contains(&message), "{refused:?}");
    }
}

#[test]
fn the_folder_is_found_where_both_files_are() {
    let folder = tempfile::tempdir().unwrap();
    let roots = Roots {
        named: Some(folder.path().into()),
        ..Roots::default()
    };
    assert_eq!(heidelberg_folder(&roots), None);
    let shd = folder.path().join("shd");
    std::fs::create_dir(&shd).unwrap();
    std::fs::write(shd.join("shd_train.h5"), FILE).unwrap();
    assert_eq!(heidelberg_folder(&roots), None);
    std::fs::write(shd.join("shd_test.h5"), FILE).unwrap();
    assert_eq!(heidelberg_folder(&roots), Some(shd));
}
