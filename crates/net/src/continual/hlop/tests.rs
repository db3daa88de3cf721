//! Values by hand, finite differences, planted subspaces, and small networks that learn.

mod learner;
mod rules;
mod subspace;

use chiasm_core::Streams;
use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};

use crate::Real;

fn normal<T: Real>(rows: usize, columns: usize, streams: &Streams, name: &str) -> Array2<T> {
    let mut rng = streams.stream(name);
    Array2::from_shape_simple_fn((rows, columns), || {
        let draw: f64 = StandardNormal.sample(&mut rng);
        T::of(draw)
    })
}

fn frobenius<T: Real>(x: &Array2<T>) -> f64 {
    x.iter().map(|v| v.wide().powi(2)).sum::<f64>().sqrt()
}
