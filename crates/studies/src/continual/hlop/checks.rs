//! What is exact: the rule's fixed point, and what a projection protects.

use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_net::Real;
use chiasm_net::continual::hlop::{Birth, Hebb, Subspace};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// Inputs, strong directions, batches, and samples in each (card 19, works when 1).
const DIMENSION: usize = 100;
const STRONG: usize = 10;
const BATCHES: usize = 2000;
const BATCH: usize = 64;
/// Variance of the other directions.
const NOISE: f64 = 0.01;

/// The course of the rule, with and without its anti-Hebbian half.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Course {
    pub(super) batches: Vec<f64>,
    /// Distance of the projectors, and of the rows from orthonormal ones.
    pub(super) apart: Vec<f64>,
    pub(super) from_orthonormal: Vec<f64>,
    pub(super) alone_from_orthonormal: Vec<f64>,
}

fn normal<T: Real>(rows: usize, columns: usize, rng: &mut chiasm_core::Rng) -> Array2<T> {
    Array2::from_shape_simple_fn((rows, columns), || {
        let draw: f64 = StandardNormal.sample(rng);
        T::of(draw)
    })
}

fn frobenius<T: Real>(x: &Array2<T>) -> f64 {
    x.iter().map(|v| v.wide().powi(2)).sum::<f64>().sqrt()
}

pub(super) fn course(bench: &Bench) -> Result<Course, Failure> {
    let streams = bench.streams().child("principal subspace");
    let draws = normal::<f64>(STRONG, DIMENSION, &mut streams.stream("directions"));
    let planted = Subspace::spanning(draws.view())?;
    let directions = planted.finished();
    let projector = directions.t().dot(&directions);
    let mut rows = Subspace::new(DIMENSION);
    rows.add_block(STRONG, Birth::Orthogonal, &mut streams.stream("rows"))?;
    let mut alone = rows.clone();
    let mut rng = streams.stream("inputs");
    let mut course = Course {
        batches: vec![],
        apart: vec![],
        from_orthonormal: vec![],
        alone_from_orthonormal: vec![],
    };
    for batch in 0..=BATCHES {
        if batch % 20 == 0 {
            bench.watch().check()?;
            let held = rows.rows();
            let apart = frobenius(&(held.t().dot(&held) - &projector));
            course.batches.push(batch as f64);
            course.apart.push(apart / (STRONG as f64).sqrt());
            course.from_orthonormal.push(rows.from_orthonormal());
            course.alone_from_orthonormal.push(alone.from_orthonormal());
        }
        // Variances 10, 9, ... 1.
        let mut strong = normal::<f64>(BATCH, STRONG, &mut rng);
        for (j, mut column) in strong.columns_mut().into_iter().enumerate() {
            column *= ((STRONG - j) as f64).sqrt();
        }
        let noise = normal::<f64>(BATCH, DIMENSION, &mut rng) * NOISE.sqrt();
        let x = strong.dot(&directions) + noise;
        rows.learn(x.view(), &Hebb::default())?;
        let hebb = Hebb {
            anti: false,
            ..Hebb::default()
        };
        alone.learn(x.view(), &hebb)?;
    }
    Ok(course)
}

/// How far outputs for old inputs have moved, relative to themselves, after many projected steps on new ones. The finished rows
/// span the old inputs.
pub(super) fn moved<T: Real>(bench: &Bench) -> Result<f64, Failure> {
    const RANK: usize = 12;
    const STEPS: usize = 1000;
    let streams = bench.streams().child("exact protection");
    let mut rng = streams.stream("draws");
    let coefficients = normal::<T>(60, RANK, &mut rng);
    let old = coefficients.dot(&normal::<T>(RANK, DIMENSION, &mut rng));
    let kept = Subspace::spanning(old.view())?;
    let start = normal::<T>(STRONG, DIMENSION, &mut rng);
    let aims = normal::<T>(BATCH, STRONG, &mut rng);
    let mut weights = start.clone();
    for _ in 0..STEPS {
        let x = normal::<T>(BATCH, DIMENSION, &mut rng);
        let delta = x.dot(&weights.t()) - &aims;
        let gradient = delta.t().dot(&kept.project(x.view())?);
        weights.scaled_add(T::of(-0.1 / BATCH as f64), &gradient);
    }
    let before = start.dot(&old.t());
    Ok(frobenius(&(weights.dot(&old.t()) - &before)) / frobenius(&before))
}
