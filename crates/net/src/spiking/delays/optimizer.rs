//! Adam with a rate and a first decay that change from epoch to epoch.

use chiasm_core::vectorized;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Real;

const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Numbers of a task.
const CHUNK: usize = 1 << 13;

/// Of one array.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Adam<T> {
    steps: i32,
    mean: Vec<T>,
    square: Vec<T>,
}

/// How one step is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) rate: f64,
    /// What the mean of gradients keeps of itself.
    pub(super) beta: f64,
    /// Times the values, added to the gradient.
    pub(super) decay: f64,
}

impl<T: Real> Adam<T> {
    pub(super) fn new(n: usize) -> Self {
        Self {
            steps: 0,
            mean: vec![T::ZERO; n],
            square: vec![T::ZERO; n],
        }
    }

    pub(super) fn update(&mut self, values: &mut [T], gradient: &[T], step: Step) {
        self.steps += 1;
        let (one, two) = (step.beta, BETA2);
        // As PyTorch's: the bias of a mean whose decay changes is corrected by the decay of now.
        let (bias1, bias2) = (1.0 - one.powi(self.steps), 1.0 - two.powi(self.steps));
        let (rate, root) = (T::of(step.rate / bias1), T::of(1.0 / bias2.sqrt()));
        let (decay, epsilon) = (T::of(step.decay), T::of(EPSILON));
        let (keep1, take1) = (T::of(one), T::of(1.0 - one));
        let (keep2, take2) = (T::of(two), T::of(1.0 - two));
        values
            .par_chunks_mut(CHUNK)
            .zip(self.mean.par_chunks_mut(CHUNK))
            .zip(self.square.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|(((values, mean), square), gradient)| {
                vectorized(
                    #[inline(always)]
                    || {
                        let all = values.iter_mut().zip(mean).zip(square).zip(gradient);
                        for (((value, m), s), g) in all {
                            let g = *g + decay * *value;
                            *m = keep1 * *m + take1 * g;
                            *s = keep2 * *s + take2 * g * g;
                            *value -= rate * *m / (s.sqrt() * root + epsilon);
                        }
                    },
                );
            });
    }
}
