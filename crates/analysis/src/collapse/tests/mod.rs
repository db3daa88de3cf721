//! Closed forms, plain versions, properties and refusals.

mod geometry;
mod pairs;
mod passes;
mod refusals;
mod theory;

use chiasm_core::{Rng, Streams};
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};

fn draws(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    normal((rows, columns), &mut Streams::new(seed).stream("draws"))
}

fn normal(shape: (usize, usize), rng: &mut Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(rng))
}

/// A simplex of `k` points `[class, feature]` at distance 1 from their mean.
fn simplex(k: usize) -> Array2<f64> {
    let scale = (k as f64 / (k as f64 - 1.0)).sqrt();
    Array2::from_shape_fn((k, k), |(i, j)| {
        scale * (f64::from(u8::from(i == j)) - 1.0 / k as f64)
    })
}

/// Samples around means: `[sample, feature]` and labels, class after class.
fn around(
    means: &Array2<f64>,
    per_class: &[usize],
    sigma: f64,
    seed: u64,
) -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = per_class
        .iter()
        .enumerate()
        .flat_map(|(c, n)| std::iter::repeat_n(c, *n))
        .collect();
    let mut x = draws(labels.len(), means.ncols(), seed) * sigma;
    for (mut row, &label) in x.rows_mut().into_iter().zip(&labels) {
        row += &means.row(label);
    }
    (x, labels)
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs())
}
