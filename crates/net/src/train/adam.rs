//! Adam (Kingma & Ba 2015, algorithm 1), with the norm of each group's gradient clipped.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Parameters, Scalar};

/// Parameters that share a rate and whose gradient is clipped as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What they are.
    pub name: String,
    /// Positions of their arrays.
    pub arrays: Vec<usize>,
    /// Learning rate.
    pub rate: f64,
}

/// The optimizer's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adam<T> {
    groups: Vec<Group>,
    clip: f64,
    step: u64,
    mean: Vec<Vec<T>>,
    square: Vec<Vec<T>>,
}

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Numbers per task: norms are summed within these first, then from task to task in order.
const CHUNK: usize = 1 << 14;

impl<T: Scalar> Adam<T> {
    /// An optimizer at its start. `clip` is the largest norm of a group's gradient.
    #[must_use]
    pub fn new(parameters: &Parameters<T>, groups: Vec<Group>, clip: f64) -> Self {
        let zeros = || {
            parameters
                .arrays
                .iter()
                .map(|a| vec![T::of(0.0); a.values.len()])
                .collect()
        };
        Self {
            groups,
            clip,
            step: 0,
            mean: zeros(),
            square: zeros(),
        }
    }

    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// One step. Returns the norm of each group's gradient before clipping; where one is not finite nothing is changed.
    pub fn update(&mut self, parameters: &mut Parameters<T>, gradients: &[Vec<T>]) -> Vec<f64> {
        let norms: Vec<f64> = self
            .groups
            .iter()
            .map(|g| {
                let squares: f64 = g.arrays.iter().map(|&a| squared_norm(&gradients[a])).sum();
                squares.sqrt()
            })
            .collect();
        if norms.iter().any(|n| !n.is_finite()) {
            return norms;
        }
        self.step += 1;
        let t = self.step as f64;
        let (bias1, bias2) = (1.0 - BETA1.powf(t), 1.0 - BETA2.powf(t));
        for (group, norm) in self.groups.iter().zip(&norms) {
            // As PyTorch's clip_grad_norm_.
            let scale = (self.clip / (norm + 1e-6)).min(1.0);
            let step = group.rate / bias1;
            for &a in &group.arrays {
                let values = parameters.arrays[a].values.par_chunks_mut(CHUNK);
                values
                    .zip(self.mean[a].par_chunks_mut(CHUNK))
                    .zip(self.square[a].par_chunks_mut(CHUNK))
                    .zip(gradients[a].par_chunks(CHUNK))
                    .for_each(|(((values, mean), square), gradient)| {
                        let all = values.iter_mut().zip(mean).zip(square).zip(gradient);
                        for (((v, m), s), g) in all {
                            let g = scale * g.to_f64();
                            let mean = BETA1 * m.to_f64() + (1.0 - BETA1) * g;
                            let square = BETA2 * s.to_f64() + (1.0 - BETA2) * g * g;
                            (*m, *s) = (T::of(mean), T::of(square));
                            let change = step * mean / ((square / bias2).sqrt() + EPSILON);
                            *v = T::of(v.to_f64() - change);
                        }
                    });
            }
        }
        norms
    }
}

fn squared_norm<T: Scalar>(x: &[T]) -> f64 {
    let parts: Vec<f64> = x
        .par_chunks(CHUNK)
        .map(|c| c.iter().map(|v| v.to_f64() * v.to_f64()).sum())
        .collect();
    parts.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(values: Vec<f64>) -> (Parameters<f64>, Adam<f64>) {
        let mut parameters = Parameters::default();
        let n = values.len();
        parameters.push("x", [1, n], values);
        let group = Group {
            name: "all".into(),
            arrays: vec![0],
            rate: 0.1,
        };
        let adam = Adam::new(&parameters, vec![group], 1.0);
        (parameters, adam)
    }

    #[test]
    fn the_first_step_is_the_rate_against_the_sign() {
        let (mut x, mut adam) = one(vec![1.0, -2.0, 3.0]);
        adam.update(&mut x, &[vec![0.3, -0.4, 0.0]]);
        for (v, expected) in x.arrays[0].values.iter().zip([0.9, -1.9, 3.0]) {
            assert!((v - expected).abs() < 1e-7);
        }
    }

    #[test]
    fn it_finds_the_bottom_of_a_bowl_and_reports_norms_before_clipping() {
        let (x, mut adam) = one(vec![3.0, -4.0]);
        let gradient = |x: &Parameters<f64>| x.arrays[0].values.iter().map(|v| 2.0 * v).collect();
        let first = adam.update(&mut x.clone(), &[gradient(&x)]);
        assert!((first[0] - 10.0).abs() < 1e-12);
        let (mut x, mut adam) = one(vec![3.0, -4.0]);
        for _ in 0..500 {
            let g = gradient(&x);
            adam.update(&mut x, &[g]);
        }
        assert!(x.arrays[0].values.iter().all(|v| v.abs() < 1e-2));
    }

    #[test]
    fn a_gradient_that_is_not_finite_changes_nothing() {
        let (mut x, mut adam) = one(vec![1.0]);
        let before = (x.clone(), adam.clone());
        let norms = adam.update(&mut x, &[vec![f64::NAN]]);
        assert!(norms[0].is_nan());
        assert_eq!((x, adam), before);
    }
}
