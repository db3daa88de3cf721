use chiasm_core::Streams;
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};

use super::*;

mod codes;
mod machine;
mod recorded;
mod weights;

/// Standard normal numbers.
fn normal(shape: (usize, usize), seed: u64) -> Array2<f64> {
    let mut rng = Streams::new(seed).stream("normal");
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut rng))
}

/// The corners of a cube of so many dimensions, turned at random into a larger space: a factorized code.
fn cube(bits: usize, units: usize, seed: u64) -> Array2<f64> {
    let corners =
        Array2::from_shape_fn((1 << bits, bits), |(c, b)| (c >> (bits - 1 - b) & 1) as f64);
    corners.dot(&normal((bits, units), seed))
}

/// Labels by one bit of the conditions' numbers, the highest first.
fn bit(bits: usize, which: usize) -> Dichotomy {
    Dichotomy::parities(1 << bits).unwrap().swap_remove(which)
}
