//! Training in stages, and how latents are scored.

use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_net::models::mm_gpvae::score::{Fit, stacked};
use chiasm_net::models::mm_gpvae::{AffineMap, Fitted, MmGpVae, Posterior, Training, Trials};
use ndarray::{Array2, Array3, Axis};

/// Trials to learn from and trials to test on, with what drives them.
pub(super) struct Data {
    pub train: Trials,
    pub test: Trials,
    /// Spike counts and images of the test trials, `[trial, time, ...]`.
    pub test_counts: Array3<f32>,
    pub test_images: Array3<f32>,
    /// The planted latents, `[trial, time, 3]`.
    pub train_latents: Array3<f64>,
    pub test_latents: Array3<f64>,
}

/// One planted latent of all trials stacked, times `scale`.
pub(super) fn truth(latents: &Array3<f64>, column: usize, scale: f64) -> Array2<f64> {
    let (trials, t, _) = latents.dim();
    Array2::from_shape_fn((trials * t, 1), |(row, _)| {
        scale * latents[[row / t, row % t, column]]
    })
}

/// A model to be trained, its name, and the trials it learns from.
pub(super) struct Arm<'a> {
    pub name: &'static str,
    pub model: MmGpVae,
    pub trials: &'a Trials,
}

/// Trains all of them at once, each from the start to its model's epochs; kept on disk every `every` epochs.
pub(super) fn trained(
    arms: &[Arm<'_>],
    every: usize,
    bench: &mut Bench,
) -> Result<Vec<Fitted>, Failure> {
    let ticks = arms.iter().map(|a| a.model.ticks()).sum();
    let what = format!("training {} models", arms.len());
    bench.watch().stage(&what, ticks);
    bench.arms(arms.len(), |i, bench| train(&arms[i], every, bench))
}

/// Trains one of them; its steps are told, the stage is the caller's.
pub(super) fn train(arm: &Arm<'_>, every: usize, bench: &mut Bench) -> Result<Fitted, Failure> {
    let Arm {
        name,
        model,
        trials,
    } = arm;
    let streams = bench.streams().clone();
    let mut training = if model.starts == 1 {
        model.start(trials, &streams)?
    } else {
        bench.stage::<Training, _>(&format!("{name}-start"), |b| {
            Ok(model.best_start(trials, &streams, b.watch())?)
        })?
    };
    let mut done = training.epochs();
    while done < model.epochs {
        let next = (done + every).min(model.epochs);
        let from = training;
        training = bench.stage::<Training, _>(&format!("{name}-{next}"), |b| {
            let mut training = from;
            model.train(trials, &mut training, next, &streams, b.watch())?;
            Ok(training)
        })?;
        done = next;
    }
    for (epoch, e) in training.trace.iter().enumerate() {
        bench.log(&format!("bound/{name}"), epoch as f64 + 1.0, e.bound);
        if e.length_bins > 0.0 {
            bench.log(&format!("length/{name}"), epoch as f64 + 1.0, e.length_bins);
        }
    }
    Ok(model.fitted(&training)?)
}

/// Latents of the trials to learn from and of those to test on.
pub(super) struct Inferred {
    pub train: Posterior,
    pub test: Posterior,
}

pub(super) fn infer(fitted: &Fitted, train: &Trials, test: &Trials) -> Result<Inferred, Failure> {
    Ok(Inferred {
        train: fitted.posterior(train)?,
        test: fitted.posterior(test)?,
    })
}

/// A regression of one target on some latents, fitted on the trials learned from; its fit on the others, and what it
/// predicts there.
pub(super) fn regress(
    inferred: &Inferred,
    columns: std::ops::Range<usize>,
    train_target: &Array2<f64>,
    test_target: &Array2<f64>,
) -> Result<(Fit, Vec<f64>, AffineMap), Failure> {
    let latents = stacked(inferred.train.mean.view(), columns.clone());
    let map = AffineMap::fit(latents.view(), train_target.view())?;
    let latents = stacked(inferred.test.mean.view(), columns);
    let fit = map.test(latents.view(), test_target.view())?[0];
    let predicted = map.predict(latents.view()).column(0).to_vec();
    Ok((fit, predicted, map))
}

/// Mean squared difference.
pub(super) fn mse(a: &Array3<f32>, b: &Array3<f32>) -> f64 {
    let sum: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum();
    sum / a.len() as f64
}

/// Splits trials: the last `n_test` are for testing.
pub(super) fn split<T: Clone>(x: &Array3<T>, n_test: usize) -> (Array3<T>, Array3<T>) {
    let n = x.len_of(Axis(0)) - n_test;
    let (a, b) = x.view().split_at(Axis(0), n);
    (a.to_owned(), b.to_owned())
}
