//! What the measures are where geometry says it: a simplex, isotropic means, uniform directions.

use chiasm_analysis::collapse::{
    Pairs, duality, duality_error, norms, simplex_error, simplex_error_floor,
};
use chiasm_core::{Failure, Inside};
use chiasm_lab::Bench;
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::config::Config;

/// Variances of the log kernel of uniform directions that an independent computation gave (card 50, works when 2).
const SPHERES: [(usize, f64); 3] = [(32, 0.0085), (64, 0.0041), (256, 0.000_99)];

/// Uniform directions in so many dimensions.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Sphere {
    pub(super) features: usize,
    pub(super) mean: f64,
    pub(super) variance: f64,
}

fn simplex(k: usize) -> Array2<f64> {
    Array2::from_shape_fn((k, k), |(i, j)| {
        f64::from(u8::from(i == j)) - 1.0 / k as f64
    })
}

/// Errors of a simplex of several sizes, and of the floor for isotropic means.
pub(super) fn simplices(bench: &mut Bench) -> Result<(), Failure> {
    let (mut simplex_apart, mut kernel_apart, mut dual_apart) = (0.0f64, 0.0f64, 0.0f64);
    for k in [3, 10, 100, 300] {
        let m = simplex(k);
        simplex_apart = simplex_apart.max(simplex_error(m.view())?);
        let pairs = Pairs::default().measure(m.view(), &vec![0.0; k], &Inside(bench.watch()))?;
        let expected = -0.5 * (2.0 * k as f64 / (k as f64 - 1.0)).ln();
        let apart = (pairs.log_kernel.mean - expected).abs();
        kernel_apart = kernel_apart.max(apart).max(pairs.log_kernel.variance);
        let w = &m * 3.0;
        let dual = duality(w.view(), m.view())?;
        let cosines = (dual.cosine.mean - 1.0).abs().max(dual.cosine.variance);
        let error = duality_error(w.view(), m.view())?;
        dual_apart = dual_apart.max(error).max(cosines);
        let spread = norms(m.view())?.variation;
        simplex_apart = simplex_apart.max(spread);
    }
    bench.metric("exact/simplex", simplex_apart, "1")?;
    bench.metric("exact/log-kernel", kernel_apart, "1")?;
    bench.metric("exact/duality", dual_apart, "1")?;
    let mut floor_apart = 0.0f64;
    for d in [2, 5, 20, 64] {
        // Both ends of every axis: centered and isotropic.
        let cross = Array2::from_shape_fn((2 * d, d), |(i, j)| {
            let end = if i % 2 == 0 { 1.0 } else { -1.0 };
            f64::from(u8::from(i / 2 == j)) * end
        });
        let apart = simplex_error(cross.view())? - simplex_error_floor(d, 2 * d);
        floor_apart = floor_apart.max(apart.abs());
    }
    bench.metric("exact/floor", floor_apart, "1")
}

/// Log kernels of uniform directions.
pub(super) fn spheres(config: &Config, bench: &Bench) -> Result<Vec<Sphere>, Failure> {
    let n = config.directions;
    let each = config.spheres.iter().map(|&features| {
        let mut rng = bench.streams().indexed("directions", features);
        let m = Array2::from_shape_simple_fn((n, features), || StandardNormal.sample(&mut rng));
        let found = Pairs::default().measure(m.view(), &vec![0.0; n], &Inside(bench.watch()))?;
        Ok(Sphere {
            features,
            mean: found.log_kernel.mean,
            variance: found.log_kernel.variance,
        })
    });
    each.collect()
}

/// The largest distance of the means from that of infinitely many features, and of the variances from the reference,
/// relative, where this has one.
pub(super) fn deviations(spheres: &[Sphere]) -> (f64, Option<f64>) {
    let limit = -0.5 * 2f64.ln();
    let mean = spheres
        .iter()
        .fold(0.0f64, |m, s| m.max((s.mean - limit).abs()));
    let known = spheres.iter().filter_map(|s| {
        let reference = SPHERES.iter().find(|(d, _)| *d == s.features);
        reference.map(|(_, v)| (s.variance / v - 1.0).abs())
    });
    (
        mean,
        known.fold(None, |m: Option<f64>, v| Some(m.map_or(v, |m| m.max(v)))),
    )
}
