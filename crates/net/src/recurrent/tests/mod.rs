use chiasm_core::Streams;
use ndarray::{Array2, Array3};
use rand::RngExt;

use super::*;

mod gradients;
mod learning;
mod weights;

/// A small network with leaks of its own and random trials.
fn small(activation: Activation, seed: u64) -> (Recurrent<f64>, Sequences<f64>) {
    let config = RecurrentConfig {
        inputs: 2,
        hidden: 7,
        outputs: 3,
        activation,
        leak: vec![1.0, 0.5, 0.3, 1.0, 0.8, 0.6, 1.0],
    };
    let streams = Streams::new(seed);
    let weights = starts::gaussian(7, 1.2, &mut streams.stream("w")).unwrap();
    let network = Recurrent::new(&config, weights.view(), &mut streams.stream("rest")).unwrap();
    (network, trials(5, 4, seed))
}

fn trials(steps: usize, n: usize, seed: u64) -> Sequences<f64> {
    let mut rng = Streams::new(seed).stream("trials");
    let x = Array3::from_shape_simple_fn((steps, n, 2), || rng.random::<f64>() * 2.0 - 0.5);
    let y = Array2::from_shape_simple_fn((steps, n), || rng.random_range(0..3));
    Sequences::new(x, y).unwrap()
}
