mod batch_norm;
mod gradients;
mod pools;
mod quadratic_convolutions;
mod quantized;
mod sequences;
mod training;
mod weights;
mod windows;

use chiasm_core::Streams;
use ndarray::Array2;
use rand::RngExt;

use super::{Layer, Network};
use crate::Real;

fn network<T: Real>(inputs: usize, layers: &[Layer], seed: u64) -> Network<T> {
    let streams = Streams::new(seed);
    Network::new(inputs, layers, &mut streams.stream("start")).expect("layers that fit")
}

/// Uniform within plus or minus 1.
fn drawn<T: Real>(rows: usize, columns: usize, seed: u64) -> Array2<T> {
    let mut rng = Streams::new(seed).stream("drawn");
    Array2::from_shape_fn((rows, columns), |_| T::of(2.0 * rng.random::<f64>() - 1.0))
}
