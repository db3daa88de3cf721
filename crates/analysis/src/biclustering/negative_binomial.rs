//! Sums over the bins of a neuron whose exponentials and logarithms run in vector registers.

use chiasm_core::{summed, vectorized};

use super::lanes::dot;
use crate::number::Number;

/// Bins handled at once.
const CHUNK: usize = 64;

/// The sum of [`super::state::negative_binomial`] over the bins that are not missing.
pub(super) fn negative_binomials(y: &[f64], r: f64, eta: &[f64]) -> f64 {
    vectorized(
        #[inline(always)]
        || {
            let mut sum = 0.0;
            for (y, eta) in y.chunks(CHUNK).zip(eta.chunks(CHUNK)) {
                let mut own = [0.0; CHUNK];
                for ((own, eta), y) in own.iter_mut().zip(eta).zip(y) {
                    let ln = Number::ln(r + Number::exp(*eta));
                    let whole = y * eta - (y + r) * ln;
                    *own = if y.is_nan() { 0.0 } else { whole };
                }
                sum += summed(&own, |v| v);
            }
            sum
        },
    )
}

/// Every number becomes its exponential.
pub(super) fn exponentiate(x: &mut [f64]) {
    vectorized(
        #[inline(always)]
        || {
            for x in x {
                *x = Number::exp(*x);
            }
        },
    );
}

/// The sums of log(r + mean) and of y log(r + mean). `logarithms` is room for as many numbers.
pub(super) fn ln_sums_of(y: &[f64], mean: &[f64], r: f64, logarithms: &mut [f64]) -> (f64, f64) {
    vectorized(
        #[inline(always)]
        || {
            for (ln, mean) in logarithms.iter_mut().zip(mean) {
                *ln = Number::ln(r + mean);
            }
            (summed(logarithms, |v| v), dot(y, logarithms))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::state::negative_binomial;
    use super::*;

    #[test]
    fn sums_are_those_of_every_bin() {
        let y: Vec<f64> = (0..131)
            .map(|t| {
                if t % 13 == 5 {
                    f64::NAN
                } else {
                    f64::from(t * 7 % 11)
                }
            })
            .collect();
        let eta: Vec<f64> = (0..131).map(|t| f64::from(t % 60) - 30.0).collect();
        let seen = || y.iter().zip(&eta).filter(|(y, _)| !y.is_nan());
        let r = 1.7;
        let expected: f64 = seen().map(|(y, eta)| negative_binomial(*y, r, *eta)).sum();
        let found = negative_binomials(&y, r, &eta);
        assert!((found / expected - 1.0).abs() < 1e-13, "{found} {expected}");
        let (y, mut mean): (Vec<f64>, Vec<f64>) = seen().unzip();
        exponentiate(&mut mean);
        let (all, weighted) = ln_sums_of(&y, &mean, r, &mut vec![0.0; y.len()]);
        let plain: Vec<f64> = mean.iter().map(|m| (r + m).ln()).collect();
        let sum: f64 = y.iter().zip(&plain).map(|(y, ln)| y * ln).sum();
        assert!((all / plain.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        assert!((weighted / sum - 1.0).abs() < 1e-13);
    }
}
