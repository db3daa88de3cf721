//! Identities that hold exactly, on this run's own events.

use chiasm_analysis::contrastive::loss;
use chiasm_circuit::frozen::{self, Reservoir};
use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};

use super::config::Config;
use super::data::Data;

/// Samples that are looked at.
const SAMPLES: usize = 20;

pub(super) fn checks(config: &Config, data: &Data, bench: &mut Bench) -> Result<(), Failure> {
    let steps = &data.vision.test.steps;
    let steps = &steps[..steps.len().min(SAMPLES)];
    let n_inputs = steps[0].n_channels();
    let mut rng = bench.streams().stream("weights of checks");
    let n = config.vision.n_neurons;
    let mut draw =
        |rows| Array2::<f32>::from_shape_simple_fn((rows, n), || StandardNormal.sample(&mut rng));
    let (input, recurrent) = (draw(n_inputs), draw(n));
    let streams = bench.streams().child("checks");
    let counts = |recurrent: &Array2<f32>, config: &frozen::Config| -> Result<_, Failure> {
        let reservoir = Reservoir::of_weights(input.view(), recurrent.view(), config)?;
        let watch = Inside(bench.watch());
        Ok(reservoir.encode(steps, &streams, &watch)?.counts)
    };

    // Without recurrence and decay a count is the number of steps whose events carry a neuron above the threshold.
    let plain = frozen::Config {
        decay: 0.0,
        input_gain: 0.5,
        ..config.vision
    };
    let found = counts(&Array2::zeros((n, n)), &plain)?;
    let gain = (plain.input_gain * plain.threshold) as f32;
    let mut differing = 0;
    for (sample, row) in steps.iter().zip(found.outer_iter()) {
        for (j, count) in row.iter().enumerate() {
            let above = sample.iter().filter(|events| {
                let each = events.iter().map(|e| gain * input[[*e as usize, j]]);
                each.fold(0.0, |sum: f32, w| sum + w) > plain.threshold as f32
            });
            differing += usize::from(above.count() as f32 != *count);
        }
    }

    // Weights and threshold times the same power of 2, which rounds nothing.
    let scaled = frozen::Config {
        threshold: config.vision.threshold * 8.0,
        ..config.vision
    };
    let (ours, theirs) = (
        counts(&recurrent, &config.vision)?,
        counts(&recurrent, &scaled)?,
    );
    let changed = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();

    let mut error: f64 = 0.0;
    for (b, temperature) in [(2, 1.0), (8, 1.0), (8, 0.1), (64, 0.07)] {
        let z = Array2::from_diag_elem(b, 1.0);
        let labels: Vec<usize> = (0..b).collect();
        let found = loss(z.view(), z.view(), &labels, temperature)?.value;
        let expected = (1.0 + (b as f64 - 1.0) * (-1.0 / temperature).exp()).ln();
        error = error.max((found - expected).abs());
    }
    bench.metric("identity/no-memory", differing as f64, "1")?;
    bench.metric("identity/scaled", changed as f64, "1")?;
    bench.metric("identity/loss-error", error, "1")
}
