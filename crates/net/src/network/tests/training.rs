//! Training, its refusals, and that it comes to the same bits.

use std::sync::atomic::{AtomicUsize, Ordering};

use chiasm_core::{Quiet, Streams, Watch};
use ndarray::{Array2, array};

use super::super::{
    Layer, Loss, Network, NetworkError, Nonlinearity, Schedule, Targets, TrainingConfig,
};
use super::{drawn, network};
use crate::train::{Rule, Share};

fn config(epochs: usize) -> TrainingConfig {
    TrainingConfig {
        epochs,
        batch: 16,
        rate: 0.01,
        ..TrainingConfig::default()
    }
}

/// Which quadrant's diagonal a point is in.
fn quadrants(n: usize) -> (Array2<f32>, Vec<usize>) {
    let x = drawn::<f32>(n, 2, 11);
    let labels = x
        .rows()
        .into_iter()
        .map(|r| usize::from(r[0] * r[1] > 0.0))
        .collect();
    (x, labels)
}

fn perceptron(seed: u64) -> Network<f32> {
    network(
        2,
        &Layer::perceptron(&[24, 24, 2], Nonlinearity::Relu),
        seed,
    )
}

#[test]
fn quadrants_are_learned() {
    let (x, labels) = quadrants(600);
    let mut training = config(40).start(perceptron(1)).expect("fits");
    let streams = Streams::new(1);
    let epochs = training
        .finish(x.view(), Targets::Classes(&labels), &streams, &Quiet)
        .expect("trains");
    let loss = Loss::CrossEntropy { smoothing: 0.0 };
    let (_, accuracy) = training
        .network()
        .score(x.view(), Targets::Classes(&labels), loss)
        .expect("fits");
    assert!(accuracy > 0.97, "{accuracy}");
    assert!(epochs.last().expect("epochs").loss < 0.3 * epochs[0].loss);
}

#[test]
fn stopped_kept_and_read_back_it_goes_on_to_the_same_bits_on_any_number_of_threads() {
    let (x, labels) = quadrants(300);
    let (targets, streams) = (Targets::Classes(&labels), Streams::new(3));
    let config = TrainingConfig {
        schedule: Schedule::Cosine,
        // Products are cut, and of all batches but the last pass over zeros.
        batch: 128,
        ..config(6)
    };
    let wide = || network(2, &Layer::perceptron(&[300, 300, 2], Nonlinearity::Relu), 2);
    let whole = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let mut training = config.start(wide()).expect("fits");
            training
                .finish(x.view(), targets, &streams, &Quiet)
                .expect("trains");
            training
        })
    };
    let one = whole(1);
    assert_eq!(one, whole(3));
    let mut halves = config.start(wide()).expect("fits");
    for _ in 0..3 {
        halves
            .epoch(x.view(), targets, &streams, &Quiet)
            .expect("trains");
    }
    let kept = serde_json::to_string(&halves).expect("is kept");
    let mut back: super::super::Training<f32> = serde_json::from_str(&kept).expect("is read");
    assert_eq!(back, halves);
    back.finish(x.view(), targets, &streams, &Quiet)
        .expect("trains");
    assert_eq!(back, one);
}

/// Stops at the step of this number.
struct StopsAt(usize, AtomicUsize);

impl Watch for StopsAt {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, _: u64) {}
    fn cancelled(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed) >= self.0
    }
}

#[test]
fn an_epoch_that_was_stopped_leaves_no_trace() {
    let (x, labels) = quadrants(300);
    let (targets, streams) = (Targets::Classes(&labels), Streams::new(3));
    let mut straight = config(4).start(perceptron(2)).expect("fits");
    let mut stopped = straight.clone();
    for step in [0, 1, 7] {
        straight
            .epoch(x.view(), targets, &streams, &Quiet)
            .expect("trains");
        let watch = StopsAt(step, AtomicUsize::new(0));
        let refused = stopped.epoch(x.view(), targets, &streams, &watch);
        assert!(matches!(refused, Err(NetworkError::Cancelled(_))));
        stopped
            .epoch(x.view(), targets, &streams, &Quiet)
            .expect("trains");
        assert_eq!(stopped, straight);
    }
}

#[test]
fn linear_regression_finds_the_least_squares() {
    let x = drawn::<f64>(50, 3, 5);
    let w = array![[1.0], [-2.0], [0.5]];
    let y = x.dot(&w) + 0.25;
    let config = TrainingConfig {
        epochs: 600,
        batch: 50,
        optimizer: Rule::Sgd { momentum: 0.9 },
        rate: 0.2,
        loss: Loss::SquaredError,
        ..TrainingConfig::default()
    };
    let mut training = config
        .start(network(3, &[Layer::dense(1)], 1))
        .expect("fits");
    training
        .finish(
            x.view(),
            Targets::Values(y.view()),
            &Streams::new(1),
            &Quiet,
        )
        .expect("trains");
    let arrays = &training.network().parameters().arrays;
    for (found, expected) in arrays[0].values.iter().zip(&w) {
        assert!((found - expected).abs() < 1e-9);
    }
    assert!((arrays[1].values[0] - 0.25).abs() < 1e-9);
}

#[test]
fn parameters_in_no_group_stay() {
    let (x, labels) = quadrants(64);
    let start = perceptron(4);
    let arrays = &start.parameters().arrays;
    let last: Vec<usize> = (arrays.len() - 2..arrays.len()).collect();
    let shares = vec![Share::of("head", last.clone(), 0.05)];
    let mut training = config(2).start_shares(start.clone(), shares).expect("fits");
    training
        .finish(
            x.view(),
            Targets::Classes(&labels),
            &Streams::new(1),
            &Quiet,
        )
        .expect("trains");
    for (i, (a, b)) in arrays
        .iter()
        .zip(&training.network().parameters().arrays)
        .enumerate()
    {
        assert_eq!(a.values == b.values, !last.contains(&i), "{}", a.name);
    }
}

#[test]
fn a_rate_far_too_large_is_told_with_its_step_and_the_training_stays_as_it_was() {
    let x = drawn::<f64>(32, 3, 5) * 100.0;
    let y = drawn::<f64>(32, 1, 6);
    let config = TrainingConfig {
        epochs: 50,
        batch: 8,
        optimizer: Rule::SGD,
        rate: 1e6,
        loss: Loss::SquaredError,
        ..TrainingConfig::default()
    };
    let layers = Layer::perceptron(&[8, 1], Nonlinearity::Square);
    let mut training = config.start(network(3, &layers, 1)).expect("fits");
    let refused = training.finish(
        x.view(),
        Targets::Values(y.view()),
        &Streams::new(1),
        &Quiet,
    );
    match refused {
        Err(NetworkError::Diverged { epoch, step, .. }) => assert!(epoch == 0 && step > 0),
        other => panic!("{other:?}"),
    }
    let finite = |a: &crate::train::Array<f64>| a.values.iter().all(|v| v.is_finite());
    assert!(training.network().parameters().arrays.iter().all(finite));
}

#[test]
fn bad_input_is_refused_by_name() {
    let (x, labels) = quadrants(8);
    let net = perceptron(1);
    let streams = Streams::new(1);
    let mut training = config(1).start(net.clone()).expect("fits");
    let mut told = |x: &Array2<f32>, targets: Targets<'_, f32>| {
        let refused = training.epoch(x.view(), targets, &streams, &Quiet);
        refused.expect_err("refused").to_string()
    };
    let mut bad = labels.clone();
    bad[3] = 2;
    let said = told(&x, Targets::Classes(&bad));
    assert_eq!(said, "labels, sample 3: expected a class below 2, found 2");
    let said = told(&x, Targets::Classes(&labels[1..]));
    assert_eq!(said, "targets, one for each sample: expected 8, found 7");
    let mut holed = x.clone();
    holed[[2, 1]] = f32::NAN;
    let said = told(&holed, Targets::Classes(&labels));
    assert_eq!(
        said,
        "inputs, row 2, column 1: expected a finite value, found NaN"
    );
    let wide = Array2::zeros((8, 3));
    let said = told(&wide, Targets::Classes(&labels));
    assert_eq!(said, "inputs, columns: expected 2, found 3");
    let none = Array2::zeros((0, 2));
    assert_eq!(
        told(&none, Targets::Classes(&[])),
        "samples, at least: expected 1, found 0"
    );

    let mut rng = streams.stream("start");
    let mut layers = |layers: &[Layer]| {
        let refused = Network::<f32>::new(4, layers, &mut rng);
        refused.expect_err("refused").to_string()
    };
    assert!(layers(&[Layer::dense(0)]).contains("outputs"));
    assert!(layers(&[]).contains("layers"));
    let bent = vec![Layer::dense(3)];
    assert!(layers(&[Layer::Residual(bent)]).contains("4 units"));
    let capped = Nonlinearity::Capped { at: -1.0 };
    assert!(layers(&[Layer::Each(capped)]).contains("`at`"));

    let fields = ["batch", "rate", "decay", "clip", "loss.smoothing", "beta1"];
    for field in fields {
        let mut c = config(1);
        match field {
            "batch" => c.batch = 0,
            "rate" => c.rate = f64::NAN,
            "decay" => c.decay = -1.0,
            "clip" => c.clip = Some(0.0),
            "beta1" => {
                c.optimizer = Rule::Lion {
                    beta1: 1.0,
                    beta2: 0.5,
                }
            }
            _ => c.loss = Loss::CrossEntropy { smoothing: 1.0 },
        }
        let refused = c.validate().expect_err("refused");
        assert_eq!(refused.field, field);
    }
}

#[test]
fn taps_and_recordings_hold_the_same_activity() {
    let (x, _) = quadrants(5);
    let net = perceptron(2);
    let taps = net.taps(x.view()).expect("fits");
    assert_eq!(taps.len(), 5);
    assert_eq!(taps[4], net.outputs(x.view()).expect("fits"));
    assert!(taps[1].iter().all(|v| *v >= 0.0));
    let names: Vec<String> = (0..5).map(|i| format!("point {i}")).collect();
    let recording = net.record(x.view(), &names, &[1, 4]).expect("a recording");
    assert_eq!(recording.n_units(), 26);
    let refused = net
        .record(x.view(), &names[1..], &[1])
        .expect_err("refused");
    assert!(refused.to_string().contains("names"));
    let refused = net.record(x.view(), &names, &[9]).expect_err("refused");
    assert!(refused.to_string().contains("below 5"), "{refused}");
}
