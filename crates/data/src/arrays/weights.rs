//! Files of weights, as PyTorch and others leave them. The three `.pt` files were made by PyTorch 2.15 (`fuzz/seeds.py`).

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{ArrayD, IxDyn, array};

use super::{NamedArrays, write_safetensors};
use crate::{DataError, DiskFiles};

const NETWORK: &[u8] = include_bytes!("../formats/pytorch/network.pt");
const VIEWS: &[u8] = include_bytes!("../formats/pytorch/views.pt");
const MODULE: &[u8] = include_bytes!("../formats/pytorch/module.pt");

fn open(name: &str, bytes: &[u8]) -> Result<NamedArrays, DataError> {
    NamedArrays::from_bytes(Path::new(name), bytes.to_vec())
}

#[test]
fn a_state_is_read_by_its_keys_and_a_module_by_the_same() {
    let saved = open("network.pt", NETWORK).unwrap();
    let names = [
        "model.0.bias",
        "model.0.weight",
        "model.2.bias",
        "model.2.weight",
        "model.3.bias",
        "model.3.weight",
        "x",
        "y",
    ];
    assert_eq!(saved.names(), names);
    assert_eq!(saved.numbers("model.0.weight").unwrap().shape(), [4, 3]);
    assert_eq!(saved.numbers("model.0.bias").unwrap().shape(), [4]);
    let module = open("module.pt", MODULE).unwrap();
    for name in names.iter().filter_map(|n| n.strip_prefix("model.")) {
        let same = saved.numbers(&format!("model.{name}")).unwrap();
        assert_eq!(module.numbers(name).unwrap(), same, "{name}");
    }
}

#[test]
fn views_and_types_are_what_pytorch_shows() {
    let views = open("views.pt", VIEWS).unwrap();
    let t = array![[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]].into_dyn();
    let expected = [
        t.t().to_owned().into_dyn(),
        array![4.0, 5.0].into_dyn(),
        t.clone(),
        t.clone(),
        t.clone(),
        t.mapv(|v| f64::from(v != 0.0)),
        t.clone(),
        t,
    ];
    for (i, expected) in expected.iter().enumerate() {
        let found = views.numbers(&i.to_string()).unwrap();
        assert_eq!(found, *expected, "tensor {i}");
    }
}

#[test]
fn safetensors_come_back_in_the_precision_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let single = ArrayD::from_elem(IxDyn(&[2, 3]), 0.5);
    let double = array![0.1, f64::NAN].into_dyn();
    let arrays = BTreeMap::from([("a".into(), single.clone()), ("b".into(), double)]);
    write_safetensors(&DiskFiles, &path, &arrays).unwrap();
    let back = NamedArrays::open(&path).unwrap();
    assert_eq!(back.names(), ["a", "b"]);
    assert_eq!(back.numbers("a").unwrap(), single);
    let double = back.vector("b").unwrap();
    assert!(double[0] == 0.1 && double[1].is_nan());
    let header = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    assert!(header.contains("F32") && header.contains("F64"));
    assert!(matches!(back.numbers("c"), Err(DataError::Absent { .. })));
}

#[test]
fn damaged_files_are_errors_wherever_the_damage_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let arrays = BTreeMap::from([("a".into(), ArrayD::from_elem(IxDyn(&[3]), 0.5))]);
    write_safetensors(&DiskFiles, &path, &arrays).unwrap();
    let safe = std::fs::read(&path).unwrap();
    for (name, bytes) in [
        ("a.pt", NETWORK),
        ("b.pt", MODULE),
        ("c.safetensors", &safe[..]),
    ] {
        let every = |bytes: &[u8]| {
            if let Ok(file) = open(name, bytes) {
                for array in file.names() {
                    let _ = file.numbers(array);
                }
            }
        };
        for cut in 0..bytes.len() {
            assert!(open(name, &bytes[..cut]).is_err() || cut + 64 > bytes.len());
            every(&bytes[..cut]);
        }
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= flip;
                every(&bytes);
            }
        }
    }
    let old = open("old.pt", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.");
    let message = old.err().map(|e| e.to_string());
    assert!(message.is_some_and(|m| m.contains("no ZIP archive")));
}
