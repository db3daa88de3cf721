//! Training: bits, kept and gone on from; what is recovered; what is done without one stream.

use chiasm_core::Quiet;

use super::super::score::{AffineMap, stacked};
use super::*;

fn in_pool<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(f)
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads_and_in_pieces() {
    let trials = trials_of(&digits(7, 10, 8));
    let config = small();
    let streams = Streams::new(3);
    let whole = in_pool(1, || config.fit(&trials, &streams, &Quiet).unwrap());
    let four = in_pool(4, || config.fit(&trials, &streams, &Quiet).unwrap());
    assert_eq!(whole.training(), four.training());
    // Kept as bytes after each epoch, and gone on from.
    let mut training = config.start(&trials, &streams).unwrap();
    for epochs in 1..=3 {
        config
            .train(&trials, &mut training, epochs, &streams, &Quiet)
            .unwrap();
        let kept = serde_json::to_vec(&training).unwrap();
        training = serde_json::from_slice(&kept).unwrap();
    }
    assert_eq!(whole.training(), &training);
    assert_ne!(
        whole.training(),
        config
            .fit(&trials, &Streams::new(4), &Quiet)
            .unwrap()
            .training()
    );
    let posterior = |threads| in_pool(threads, || whole.posterior(&trials).unwrap());
    assert_eq!(posterior(1), posterior(3));
}

#[test]
fn of_several_starts_the_best_goes_on_and_nothing_else_counts() {
    let trials = trials_of(&digits(6, 10, 8));
    let one = MmGpVae {
        epochs: 4,
        ..small()
    };
    let several = MmGpVae {
        starts: 3,
        start_epochs: 2,
        ..one.clone()
    };
    let streams = Streams::new(9);
    let best = several.best_start(&trials, &streams, &Quiet).unwrap();
    assert_eq!(best.epochs(), 2);
    let alone: Vec<Training> = (0..3)
        .map(|i| {
            let streams = streams.child("mm_gpvae starts").child(&i.to_string());
            let mut training = one.start(&trials, &streams).unwrap();
            one.train(&trials, &mut training, 2, &streams, &Quiet)
                .unwrap();
            training
        })
        .collect();
    let bounds: Vec<f64> = alone.iter().map(|t| t.trace[1].bound).collect();
    assert!(bounds[0] != bounds[1] && bounds[1] != bounds[2]);
    let highest = (0..3).max_by(|a, b| bounds[*a].total_cmp(&bounds[*b]));
    assert_eq!(best, alone[highest.unwrap()]);
    let fitted = several.fit(&trials, &streams, &Quiet).unwrap();
    assert_eq!(fitted.training().trace[..2], best.trace[..]);
    assert_eq!(fitted.training().epochs(), 4);
    assert_eq!(several.ticks(), 8);
}

#[test]
fn training_raises_the_bound_and_recovers_planted_latents_from_counts() {
    let made = digits(60, 30, 8);
    let trials = Trials::new(Some(made.counts.clone()), None, Missing::Refuse).unwrap();
    let config = MmGpVae {
        modalities: Modalities::Neural,
        epochs: 60,
        batch: 10,
        neural_rate: 3e-3,
        ..MmGpVae::default()
    };
    let (train, test): (Vec<usize>, Vec<usize>) = ((0..48).collect(), (48..60).collect());
    let fitted = config
        .fit(&trials.select(&train), &Streams::new(1), &Quiet)
        .unwrap();
    let trace = &fitted.training().trace;
    assert!(trace[59].bound > trace[0].bound + 100.0);
    let latents = |which: &[usize]| {
        let p = fitted.posterior(&trials.select(which)).unwrap();
        assert!(p.variance.iter().all(|v| *v > 0.0));
        stacked(p.mean.view(), 0..2)
    };
    let truth = |which: &[usize]| {
        let t = made.latents.select(ndarray::Axis(0), which);
        stacked(t.mapv(|v| v as f32).view(), 0..2)
    };
    let map = AffineMap::fit(latents(&train).view(), truth(&train).view()).unwrap();
    for fit in map
        .test(latents(&test).view(), truth(&test).view())
        .unwrap()
    {
        assert!(fit.r2 > 0.7, "{fit:?}");
    }
    // Rates beat each unit's mean.
    let test_trials = trials.select(&test);
    let counts = made.counts.select(ndarray::Axis(0), &test);
    let rates = fitted.reconstruct(&test_trials).unwrap().neural.unwrap();
    let mean = counts
        .mean_axis(ndarray::Axis(0))
        .unwrap()
        .mean_axis(ndarray::Axis(0))
        .unwrap();
    let flat = ndarray::Array3::from_shape_fn(counts.dim(), |(_, _, u)| mean[u]);
    let gain = log_likelihood_per_count(&counts, &rates).unwrap()
        - log_likelihood_per_count(&counts, &flat).unwrap();
    assert!(gain > 0.05, "{gain}");
}

#[test]
fn what_was_not_seen_is_predicted_and_has_its_prior() {
    let made = digits(8, 10, 8);
    let trials = trials_of(&made);
    let fitted = small().fit(&trials, &Streams::new(2), &Quiet).unwrap();
    let blind = trials.without_behavior().unwrap();
    let posterior = fitted.posterior(&blind).unwrap();
    let [own, shared, other] = fitted.latents().blocks();
    for bin in 0..10 {
        for latent in other.clone() {
            assert_eq!(posterior.mean[[3, bin, latent]], 0.0);
            assert!((posterior.variance[[3, bin, latent]] - 1.01).abs() < 0.05);
        }
        for latent in own.clone().chain(shared.clone()) {
            assert!(posterior.variance[[3, bin, latent]] < 1.0);
        }
    }
    let predicted = fitted.reconstruct(&blind).unwrap();
    assert!(predicted.behavior.unwrap().iter().all(|v| v.is_finite()));
    // A masked bin says nothing: whatever stood there, the latents are the same.
    let masked = |fill: f32| {
        let mut counts = made.counts.clone();
        let mut images = made.images.clone();
        counts[[0, 4, 0]] = f32::NAN;
        counts[[0, 4, 1]] = fill;
        images[[1, 2, 5]] = f32::NAN;
        images[[1, 2, 6]] = fill;
        let trials = Trials::new(Some(counts), Some(images), Missing::Mask).unwrap();
        let fitted = small().fit(&trials, &Streams::new(2), &Quiet).unwrap();
        fitted.posterior(&trials).unwrap()
    };
    assert_eq!(masked(0.0), masked(7.0));
    // Trials of unequal length.
    let part =
        |n: usize, x: &ndarray::Array3<f32>| x.slice(ndarray::s![n, ..10 - n, ..]).to_owned();
    let counts: Vec<_> = (0..5).map(|n| part(n, &made.counts)).collect();
    let images: Vec<_> = (0..5).map(|n| part(n, &made.images)).collect();
    let padded = Trials::padded(Some(&counts), Some(&images)).unwrap();
    let fitted = small().fit(&padded, &Streams::new(2), &Quiet).unwrap();
    assert!(
        fitted
            .bound(&padded, 2, &Streams::new(1))
            .unwrap()
            .bound
            .is_finite()
    );
}

#[test]
fn every_mode_trains() {
    let trials = trials_of(&digits(6, 10, 8));
    for modalities in [Modalities::Both, Modalities::Neural, Modalities::Behavior] {
        for prior in [
            Prior::Fourier,
            Prior::Unpruned,
            Prior::Time,
            Prior::Independent,
        ] {
            let config = MmGpVae {
                modalities,
                prior,
                ..small()
            };
            let fitted = config.fit(&trials, &Streams::new(2), &Quiet).unwrap();
            let trace = &fitted.training().trace;
            assert!(
                trace
                    .iter()
                    .all(|e| e.bound.is_finite() && e.divergence > 0.0)
            );
            let p = fitted.posterior(&trials).unwrap();
            assert_eq!(p.mean.dim(), (6, 10, config.latents().total()));
            assert_eq!(fitted.length_bins().is_empty(), prior == Prior::Independent);
        }
    }
}

#[test]
fn scores_are_those_of_the_regression_on_rows_not_seen() {
    let x = ndarray::Array2::from_shape_fn((50, 2), |(i, j)| ((i * (j + 3)) % 11) as f64);
    let y = ndarray::Array2::from_shape_fn((50, 1), |(i, _)| 2.0 * x[[i, 0]] - x[[i, 1]] + 4.0);
    let map = AffineMap::fit(x.view(), y.view()).unwrap();
    assert!((map.weights[[0, 0]] - 2.0).abs() < 1e-9 && (map.offsets[0] - 4.0).abs() < 1e-8);
    let far = ndarray::Array2::from_shape_fn((5, 2), |(i, j)| 100.0 * i as f64 + j as f64);
    let truth =
        ndarray::Array2::from_shape_fn((5, 1), |(i, _)| 2.0 * far[[i, 0]] - far[[i, 1]] + 4.0);
    let fit = map.test(far.view(), truth.view()).unwrap()[0];
    assert!(fit.mse < 1e-12 && (fit.r2 - 1.0).abs() < 1e-12);
    // A latent that does not vary gets no weight.
    let dead =
        ndarray::Array2::from_shape_fn((50, 2), |(i, j)| if j == 0 { x[[i, 0]] } else { 3.0 });
    let map = AffineMap::fit(dead.view(), y.view()).unwrap();
    assert!(map.weights[[1, 0]].abs() < 1e-9);
}
