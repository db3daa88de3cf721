//! The two-layer linear theory beside descent.

use chiasm_analysis::kernel::two_layer::{TwoLayer, expected_alignment, small_start_alignment};
use chiasm_analysis::kernel::{alignment, gram};
use chiasm_core::{Failure, Streams, stats};
use chiasm_lab::Bench;
use ndarray::{Array1, Array2, ArrayView1};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::config::Theory;

/// One start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OfRank {
    pub(super) rank: usize,
    /// Whether the second layer has the norm of the first, or is 0.
    pub(super) second: bool,
    /// The theorem's mean over targets.
    pub(super) theorem: f64,
    /// Mean over the targets drawn, by the formula for each.
    pub(super) formula: f64,
    /// Mean over those learned by descent, and the largest distance from their formula.
    pub(super) descent: f64,
    pub(super) error: f64,
}

/// All that the theory is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) ranks: Vec<OfRank>,
    /// Least alignment of starts aligned with their target, over scales.
    pub(super) aligned: f64,
    /// Mean alignment of rank-one starts that are as balanced and point elsewhere.
    pub(super) misaligned: f64,
    /// Error at ten times a scale over that at the scale.
    pub(super) order: f64,
    /// By strength of the strong features: starts of all features, of the strong ones alone, and of random directions.
    pub(super) features: Vec<[f64; 3]>,
}

const STEPS: usize = 1_000_000;
const TOLERANCE: f64 = 1e-13;

fn unit(length: usize, rng: &mut chiasm_core::Rng) -> Array1<f64> {
    let mut v: Array1<f64> = Array1::from_shape_simple_fn(length, || StandardNormal.sample(rng));
    let size = v.dot(&v).sqrt();
    v /= size;
    v
}

/// Alignment of the kernels before and after descent.
fn turned(start: &TwoLayer, target: ArrayView1<'_, f64>, rate: f64) -> Result<f64, Failure> {
    let mut network = start.clone();
    network.learn(target, rate, TOLERANCE, STEPS)?;
    Ok(alignment(start.kernel().view(), network.kernel().view())?)
}

pub(super) fn run(config: &Theory, bench: &Bench) -> Result<Outcome, Failure> {
    let streams = bench.streams().child("theory");
    let (d, h) = (config.inputs, 2 * config.inputs);
    let targets: Vec<Array1<f64>> = (0..config.targets)
        .map(|i| unit(d, &mut streams.indexed("target", i)))
        .collect();
    let mut ranks = vec![];
    for second in [false, true] {
        for &rank in &config.ranks {
            let size = (config.scale, if second { config.scale } else { 0.0 });
            let mut rng = streams.indexed("start", rank);
            let start = TwoLayer::of_rank((h, d), rank, size, &mut rng)?;
            ranks.push(of_rank(&start, (rank, second), &targets, config, bench)?);
        }
    }
    let (mut aligned, mut misaligned) = (f64::INFINITY, vec![]);
    for (i, target) in targets.iter().take(config.descents.min(20)).enumerate() {
        let direction = unit(h, &mut streams.indexed("unit", i));
        for scale in [0.01, 0.5] {
            let start = TwoLayer::aligned(direction.view(), target.view(), scale);
            aligned = aligned.min(turned(&start, target.view(), config.rate)?);
        }
        let other = unit(d, &mut streams.indexed("other", i));
        let start = TwoLayer::aligned(direction.view(), other.view(), config.scale);
        misaligned.push(turned(&start, target.view(), config.rate)?);
    }
    let error = |scale: f64| -> Result<f64, Failure> {
        let mut rng = streams.stream("order");
        let start = TwoLayer::of_rank((h, d), 2, (scale, scale), &mut rng)?;
        let kernel = start.kernel();
        let mut largest: f64 = 0.0;
        for target in targets.iter().take(5) {
            let expected = small_start_alignment(kernel.view(), target.view())?;
            let found = turned(&start, target.view(), config.rate)?;
            largest = largest.max((found - expected).abs());
        }
        Ok(largest)
    };
    Ok(Outcome {
        ranks,
        aligned,
        misaligned: stats::mean(&misaligned),
        order: error(0.1)? / error(0.01)?.max(f64::MIN_POSITIVE),
        features: config
            .kappas
            .iter()
            .map(|&kappa| features(kappa, config, &streams))
            .collect::<Result<_, _>>()?,
    })
}

fn of_rank(
    start: &TwoLayer,
    (rank, second): (usize, bool),
    targets: &[Array1<f64>],
    config: &Theory,
    bench: &Bench,
) -> Result<OfRank, Failure> {
    let kernel = start.kernel();
    let formula = targets
        .iter()
        .map(|t| small_start_alignment(kernel.view(), t.view()))
        .collect::<Result<Vec<f64>, _>>()?;
    let descent: Vec<f64> = targets[..config.descents]
        .par_iter()
        .map(|t| {
            bench.watch().check()?;
            turned(start, t.view(), config.rate)
        })
        .collect::<Result<_, Failure>>()?;
    let errors = descent.iter().zip(&formula).map(|(a, b)| (a - b).abs());
    Ok(OfRank {
        rank,
        second,
        theorem: expected_alignment(kernel.view())?,
        formula: stats::mean(&formula),
        descent: stats::mean(&descent),
        error: errors.fold(0.0, f64::max),
    })
}

/// Figure 3: inputs' features `z = F x`, targets `F' w`; half of the singular values of `F` are `kappa`, half 1. Mean alignment
/// over targets, in the limit of a small start, of first layers that are all of `F`, its strong half, or random directions
/// with the strong half's singular values.
fn features(kappa: f64, config: &Theory, streams: &Streams) -> Result<[f64; 3], Failure> {
    let d = config.inputs;
    let mut rng = streams.stream("features");
    let left = TwoLayer::of_rank((d, d), d, ((d as f64).sqrt(), 0.0), &mut rng)?.first;
    let right = TwoLayer::of_rank((d, d), d, ((d as f64).sqrt(), 0.0), &mut rng)?.first;
    let other = TwoLayer::of_rank((d, d), d, ((d as f64).sqrt(), 0.0), &mut rng)?.first;
    // `left` and `right` are orthogonal; so are the parts of each.
    let strength = |i: usize| if i < d / 2 { kappa } else { 1.0 };
    let scaled = |with: &Array2<f64>, of: &dyn Fn(usize) -> f64| {
        let middle = Array2::from_shape_fn((d, d), |(i, j)| of(i) * with[[i, j]]);
        left.dot(&middle)
    };
    let strong = |i: usize| if i < d / 2 { kappa } else { 0.0 };
    let all = scaled(&right, &strength);
    let starts = [
        all.clone(),
        scaled(&right, &strong),
        scaled(&other, &strong),
    ];
    let mut means = [0.0; 3];
    for (mean, start) in means.iter_mut().zip(&starts) {
        let kernel = gram(start.t());
        for i in 0..config.targets {
            let w = unit(d, &mut streams.indexed("feature target", i));
            let target = all.t().dot(&w);
            *mean += small_start_alignment(kernel.view(), target.view())? / config.targets as f64;
        }
    }
    Ok(means)
}
