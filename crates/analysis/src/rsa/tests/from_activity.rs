use chiasm_core::TimeAxis;
use chiasm_data::{Activity, Draft, Epoch, Missing, Recording, Spikes, Traces};
use ndarray::Array2;

use crate::rsa::*;

fn epochs() -> Vec<Epoch> {
    let epoch = |label: &str, start_s: f64| Epoch {
        kind: "stimulus".into(),
        label: label.into(),
        start_s,
        stop_s: start_s + 2.0,
    };
    vec![
        epoch("cat", 0.0),
        epoch("dog", 2.0),
        epoch("car", 4.0),
        epoch("cat", 6.0),
    ]
}

fn traces() -> Recording {
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0,
            len: 9,
        },
        values: Array2::from_shape_fn((9, 2), |(t, u)| (t * (u + 1)) as f32),
        quantity: String::new(),
    }));
    draft.epochs = epochs();
    draft.validate(Missing::Refuse).unwrap()
}

#[test]
fn traces_are_averaged_over_the_epochs_of_a_label() {
    let p = patterns(&traces(), &Conditions::Epochs("stimulus".into())).unwrap();
    assert_eq!(p.conditions, ["cat", "dog", "car"]);
    // cat: samples 0, 1 and 6, 7.
    assert_eq!(
        p.values,
        ndarray::array![[3.5, 7.0], [2.5, 5.0], [4.5, 9.0]]
    );
    let bins = patterns(&traces(), &Conditions::Bins(4)).unwrap();
    assert_eq!(bins.values.column(0).to_vec(), [0.5, 2.5, 4.5, 7.0]);
    assert_eq!(
        rdm(bins.values.view(), &Distance::Euclidean).unwrap().len(),
        6
    );
    let none = patterns(&traces(), &Conditions::Epochs("trial".into())).unwrap_err();
    assert!(none.to_string().contains("`trial`"), "{none}");
    assert!(patterns(&traces(), &Conditions::Bins(2)).is_err());
    // 9 samples cannot fill 40 bins, nor a billion; the first that none falls into is named.
    for n in [40, 1_000_000_000] {
        let empty = patterns(&traces(), &Conditions::Bins(n)).unwrap_err();
        let expected = RsaError::NoSample {
            condition: "bin 1".into(),
            n_conditions: n,
            unit: 0,
            n_missing: 0,
            n_samples: 9,
        };
        assert_eq!(empty, expected);
    }
}

#[test]
fn spikes_become_rates() {
    let mut draft = Draft::new(Activity::Spikes(Spikes {
        times: vec![vec![0.5, 1.0, 2.0, 6.5], vec![4.1, 4.2, 4.3]],
        start_s: 0.0,
        stop_s: 8.0,
    }));
    draft.epochs = epochs();
    let recording = draft.validate(Missing::Refuse).unwrap();
    let p = patterns(&recording, &Conditions::Epochs("stimulus".into())).unwrap();
    assert_eq!(
        p.values,
        ndarray::array![[0.75, 0.0], [0.5, 0.0], [0.0, 1.5]]
    );
}
