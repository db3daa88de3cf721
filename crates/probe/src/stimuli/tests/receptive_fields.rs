use chiasm_core::{Quiet, Streams, TimeAxis};
use chiasm_data::generate::{MovieTypes, movie_types};
use chiasm_data::{Activity, Draft, Missing, Recording, Spikes, Traces};
use ndarray::{Array2, Array3};
use rand_distr::{Distribution, StandardNormal};

use crate::stimuli::receptive_fields::{Frames, Regression, fit, responses};
use crate::stimuli::{Nonlinearity, StimuliError};

const RATE_HZ: f64 = 30.0;

fn noise(frames: usize, side: usize, seed: u64) -> Array3<f64> {
    let mut rng = Streams::new(seed).stream("frames");
    Array3::from_shape_simple_fn((frames, side, side), || {
        let v: f64 = StandardNormal.sample(&mut rng);
        40.0 + 7.0 * v
    })
}

fn recording(values: Array2<f32>) -> Recording {
    Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            // In the middle of each frame.
            start_s: 0.5 / RATE_HZ,
            rate_hz: RATE_HZ,
            len: values.nrows(),
        },
        values,
        quantity: String::new(),
    }))
    .validate(Missing::Refuse)
    .unwrap()
}

fn shown(values: Array3<f64>) -> Frames {
    let n = values.dim().0;
    Frames {
        values,
        times_s: (0..n).map(|i| i as f64 / RATE_HZ).collect(),
    }
}

fn how() -> Regression {
    Regression {
        lags: 5,
        ridge: 0.1,
        nonlinearity: Nonlinearity::Softplus,
        center: false,
        least_correlation: 0.1,
    }
}

#[test]
fn planted_fields_come_back() {
    let planted = MovieTypes {
        side: 10,
        lags: 5,
        n_types: 8,
        per_type: (1, 1),
        noise: 0.0,
        ..MovieTypes::default()
    };
    let truth = movie_types(&planted, &Streams::new(1)).unwrap();
    let frames = noise(4000, 10, 1);
    let mut values = Array2::<f32>::zeros((4000, 9));
    for u in 0..8 {
        for t in 0..4000 {
            let mut drive = 0.0;
            for lag in 0..5.min(t + 1) {
                let frame = frames.slice(ndarray::s![t - lag, .., ..]);
                let seen: f64 = frame
                    .iter()
                    .zip(truth.space.row(u))
                    .map(|(v, w)| (v - 40.0) / 7.0 * w)
                    .sum();
                drive += truth.time[[u, lag]] * seen;
            }
            let gain = 2.0;
            values[[t, u]] = Nonlinearity::Softplus.value(gain * drive - 1.0) as f32;
        }
    }
    // The ninth unit is silent.
    let found = fit(&recording(values), &shown(frames), &how(), &Quiet).unwrap();
    assert_eq!(found.units, (0..8).collect::<Vec<_>>());
    assert_eq!(found.left_out.len(), 1);
    assert!(found.left_out[0].0 == 8 && found.left_out[0].1.is_nan());
    for u in 0..8 {
        let cosine = found.space.row(u).dot(&truth.space.row(u));
        assert!(cosine.abs() > 0.97, "{u}: {cosine}");
        let time = found.time.row(u);
        let in_time = time.dot(&truth.time.row(u)) / time.dot(&time).sqrt();
        assert!(in_time * cosine > 0.95, "{u}: {in_time} {cosine}");
        assert!(found.correlation[u] > 0.95 && found.separable[u] > 0.9);
    }
    let model = found.model(10, 5).unwrap();
    assert_eq!((model.n_neurons(), model.shape().n_pixels()), (8, 1000));
    assert!(found.model(10, 10).is_err());
}

#[test]
fn centering_moves_a_field_to_the_middle() {
    let frames = noise(600, 9, 2);
    let values = Array2::from_shape_fn((600, 2), |(t, u)| {
        // One looks at a corner, one at the middle.
        let (y, x) = if u == 0 { (1, 7) } else { (4, 4) };
        frames[[t, y, x]] as f32
    });
    let config = Regression {
        lags: 1,
        nonlinearity: Nonlinearity::Identity,
        center: true,
        ..how()
    };
    let found = fit(&recording(values), &shown(frames), &config, &Quiet).unwrap();
    for u in 0..2 {
        let row = found.space.row(u);
        let peak = (0..81).fold(0, |b, i| if row[i].abs() > row[b].abs() { i } else { b });
        assert_eq!(peak, 4 * 9 + 4);
    }
    assert_eq!(found.model(1, 0).unwrap().shape().n_pixels(), 81);
}

#[test]
fn spikes_are_counted_by_frame() {
    let draft = Draft::new(Activity::Spikes(Spikes {
        times: vec![vec![0.01, 0.02, 0.05], vec![]],
        start_s: 0.0,
        stop_s: 0.2,
    }));
    let recording = draft.validate(Missing::Refuse).unwrap();
    let frames = shown(noise(6, 3, 3));
    let (range, counts) = responses(&recording, &frames, 3).unwrap();
    assert_eq!(range, 0..6);
    assert_eq!(counts.column(0).to_vec(), [2.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(counts.column(1).sum(), 0.0);
}

#[test]
fn frames_that_do_not_fit_are_refused() {
    let values = Array2::from_shape_fn((300, 2), |(t, u)| ((t * 7 + u) % 13) as f32);
    let recording = recording(values);
    let refused = |frames: Frames| match fit(&recording, &frames, &how(), &Quiet) {
        Err(StimuliError::Frames { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let mut few = shown(noise(300, 4, 4));
    few.times_s.pop();
    assert_eq!(refused(few), "frame times");
    let mut back = shown(noise(300, 4, 4));
    back.times_s[9] = 0.0;
    assert_eq!(refused(back), "frame times");
    let mut later = shown(noise(300, 4, 4));
    later.times_s.iter_mut().for_each(|t| *t += 1000.0);
    assert_eq!(refused(later), "frames");
    assert_eq!(refused(shown(Array3::ones((300, 4, 4)))), "frames");
    let mut nan = noise(300, 4, 4);
    nan[[3, 2, 1]] = f64::NAN;
    assert_eq!(refused(shown(nan)), "frames");
    // Responses that have nothing to do with the frames leave no unit.
    let strict = Regression {
        least_correlation: 0.9,
        ..how()
    };
    let frames = shown(noise(300, 4, 4));
    assert!(fit(&recording, &frames, &strict, &Quiet).is_err());
}
