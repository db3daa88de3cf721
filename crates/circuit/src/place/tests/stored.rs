//! Ensembles that were written and read back.

use std::collections::BTreeMap;

use chiasm_data::arrays::write_npz;
use chiasm_data::{DiskFiles, NamedArrays};

use super::*;

#[test]
fn what_was_written_comes_back_and_answers_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("route.npz");
    let route = route(5);
    let config = Config {
        w_sum: 300.0,
        ..small()
    };
    let streams = Streams::new(1);
    let ensemble = Ensemble::train(&views(&route), &config, &streams, &Quiet).unwrap();
    ensemble.save(&DiskFiles, &path).unwrap();
    let back = Ensemble::load(&path).unwrap();
    assert_eq!(back, ensemble);
    let image = route[0].index_axis(Axis(0), 2);
    let counts = ensemble.recognizer().listen(image, &streams).unwrap();
    assert_eq!(back.recognizer().listen(image, &streams).unwrap(), counts);

    // Each of these faults ends in an error that names the array.
    let file = NamedArrays::open(&path).unwrap();
    let arrays: BTreeMap<_, _> = file
        .names()
        .iter()
        .map(|name| (name.clone(), file.numbers(name).unwrap()))
        .collect();
    let spoil = |name: &str, value: f64| {
        let mut arrays = arrays.clone();
        let array = arrays.get_mut(name).unwrap();
        array.iter_mut().last().into_iter().for_each(|v| *v = value);
        let path = folder.path().join("spoilt.npz");
        write_npz(&DiskFiles, &path, &arrays).unwrap();
        Ensemble::load(&path).unwrap_err().to_string()
    };
    for (name, value) in [
        ("format", 2.0),
        ("settings", 7.0),
        ("weights_0", f64::NAN),
        ("delays_1", 1000.0),
        ("labels_0", 3.0),
        ("labels_1", -2.0),
        ("place_1", 2.5),
    ] {
        let message = spoil(name, value);
        assert!(message.contains(&format!("`{name}`")), "{name}: {message}");
    }
    assert!(spoil("shape", 9.0).contains("shape"));
    assert!(spoil("place_1", 0.0).contains("labels_1"));
    let mut fewer = arrays.clone();
    fewer.remove("theta_1");
    write_npz(&DiskFiles, &path, &fewer).unwrap();
    assert!(
        Ensemble::load(&path)
            .unwrap_err()
            .to_string()
            .contains("theta_1")
    );
    assert!(Ensemble::load(&folder.path().join("none.npz")).is_err());
}
