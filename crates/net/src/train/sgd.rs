//! Stochastic gradient descent with momentum and weight decay, in PyTorch's form: `g += decay p`, `v = momentum v + g`,
//! `p -= rate v`.

use serde::{Deserialize, Serialize};

use super::{Parameters, Scalar};

/// The optimizer's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sgd<T> {
    momentum: f64,
    decay: f64,
    velocity: Vec<Vec<T>>,
}

impl<T: Scalar> Sgd<T> {
    /// An optimizer at rest.
    #[must_use]
    pub fn new(parameters: &Parameters<T>, momentum: f64, decay: f64) -> Self {
        let arrays = parameters.arrays.iter();
        Self {
            momentum,
            decay,
            velocity: arrays.map(|a| vec![T::of(0.0); a.values.len()]).collect(),
        }
    }

    /// One step at this rate. Returns the norm of the whole gradient; where it is not finite nothing is changed.
    pub fn update(
        &mut self,
        parameters: &mut Parameters<T>,
        gradients: &[Vec<T>],
        rate: f64,
    ) -> f64 {
        let squares = |g: &Vec<T>| g.iter().map(|v| v.to_f64() * v.to_f64()).sum::<f64>();
        let norm = gradients.iter().map(squares).sum::<f64>().sqrt();
        if !norm.is_finite() {
            return norm;
        }
        let arrays = parameters.arrays.iter_mut().zip(&mut self.velocity);
        for ((array, velocity), gradient) in arrays.zip(gradients) {
            let all = array.values.iter_mut().zip(velocity).zip(gradient);
            for ((p, v), g) in all {
                let step = self.momentum * v.to_f64() + g.to_f64() + self.decay * p.to_f64();
                *v = T::of(step);
                *p = T::of(p.to_f64() - rate * step);
            }
        }
        norm
    }
}

/// The rate of step `step` of `steps` on half a cosine from `rate` down to 0.
#[must_use]
pub fn cosine(rate: f64, step: usize, steps: usize) -> f64 {
    let done = step as f64 / steps.max(1) as f64;
    rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: f64) -> Parameters<f64> {
        let mut parameters = Parameters::default();
        parameters.push("x", [1, 1], vec![value]);
        parameters
    }

    #[test]
    fn steps_follow_the_recursion_by_hand() {
        let mut x = one(2.0);
        let mut sgd = Sgd::new(&x, 0.9, 0.1);
        sgd.update(&mut x, &[vec![1.0]], 0.5);
        // g = 1 + .1 * 2 = 1.2, x = 2 - .6.
        assert!((x.arrays[0].values[0] - 1.4).abs() < 1e-12);
        sgd.update(&mut x, &[vec![0.0]], 0.5);
        // v = .9 * 1.2 + .14 = 1.22, x = 1.4 - .61.
        assert!((x.arrays[0].values[0] - 0.79).abs() < 1e-12);
    }

    #[test]
    fn a_gradient_that_is_not_finite_changes_nothing() {
        let mut x = one(2.0);
        let mut sgd = Sgd::new(&x, 0.9, 0.0);
        let before = (x.clone(), sgd.clone());
        assert!(
            sgd.update(&mut x, &[vec![f64::INFINITY]], 0.1)
                .is_infinite()
        );
        assert_eq!((x, sgd), before);
    }

    #[test]
    fn the_cosine_goes_from_the_rate_to_nothing() {
        assert_eq!(cosine(0.4, 0, 10), 0.4);
        assert!((cosine(0.4, 5, 10) - 0.2).abs() < 1e-12);
        assert!(cosine(0.4, 10, 10).abs() < 1e-12);
    }
}
