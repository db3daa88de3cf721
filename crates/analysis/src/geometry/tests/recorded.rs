use chiasm_core::TimeAxis;
use chiasm_data::{Activity, Draft, Epoch, Missing, Recording, Traces};

use super::*;

/// Trials of four conditions, two bits coded by 12 units with noise, one second each.
fn recording(trials: usize, seed: u64) -> Recording {
    let points = cube(2, 12, seed);
    let noise = normal((4 * trials, 12), seed + 1);
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 2.0,
            len: 8 * trials,
        },
        values: Array2::from_shape_fn((8 * trials, 12), |(t, u)| {
            (points[[t / 2 % 4, u]] + 0.3 * noise[[t / 2, u]]) as f32
        }),
        quantity: String::new(),
    }));
    draft.epochs = (0..4 * trials)
        .map(|i| Epoch {
            kind: "stimulus".into(),
            label: ["a left", "a right", "b left", "b right"][i % 4].into(),
            start_s: i as f64,
            stop_s: i as f64 + 1.0,
        })
        .collect();
    draft.validate(Missing::Refuse).unwrap()
}

#[test]
fn trials_of_a_recording_have_their_geometry_and_it_is_no_chance() {
    let (names, samples) = Samples::of_recording(&recording(12, 3), "stimulus").unwrap();
    assert_eq!(names, ["a left", "a right", "b left", "b right"]);
    assert_eq!(samples.counts(), [12; 4]);
    let first = bit(2, 0);
    let svm = Svm::default();
    let right = |s: &Samples, d: &Dichotomy| cross_validated(s, d, 4, &svm);
    let streams = Streams::new(2);
    let told = null_of(&samples, &first, Null::Trials, 39, &streams, right).unwrap();
    assert!(told.found > 0.95 && told.p == 1.0 / 40.0, "{told:?}");
    let chance = told.values.iter().sum::<f64>() / 39.0;
    assert!((chance - 0.5).abs() < 0.05, "{chance}");
    let parallel = |s: &Samples, d: &Dichotomy| {
        parallelism(s.means().view(), d, Pairing::Nearest).map(|p| p.score)
    };
    let found = null_of(&samples, &first, Null::Units, 39, &streams, parallel).unwrap();
    assert!(found.found > 0.9 && found.p == 1.0 / 40.0, "{found:?}");
    // Another dichotomy of the two bits is as good, so this one is none of a kind.
    let found = null_of(&samples, &first, Null::Conditions, 39, &streams, parallel).unwrap();
    assert!(found.p > 0.3, "{found:?}");
    let again = null_of(&samples, &first, Null::Conditions, 39, &streams, parallel).unwrap();
    assert_eq!(again, found);
    assert!(null_of(&samples, &first, Null::Units, 0, &streams, parallel).is_err());
}

#[test]
fn recordings_without_trials_are_refused() {
    let e = Samples::of_recording(&recording(2, 1), "trial").unwrap_err();
    assert!(e.to_string().contains("epochs of kind `trial`"));
    let mut draft = recording(2, 1).into_draft();
    draft.epochs[0].start_s = 0.1;
    draft.epochs[0].stop_s = 0.2;
    let e = Samples::of_recording(&draft.validate(Missing::Refuse).unwrap(), "stimulus");
    assert!(e.unwrap_err().to_string().contains("`a left`"));
}
