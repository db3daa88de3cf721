//! Laplace's approximation to the posterior of a neuron's loadings on one path, and to its marginal likelihood there.

use chiasm_core::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::dense::{cholesky, half_ln_det, solve_lower, solve_lower_transposed};
use super::likelihood::{Curvature, Regressors, Target, curve};

/// Laplace's approximation to the posterior of a neuron's loadings on one path.
#[derive(Debug, Clone)]
pub(super) struct Laplace {
    /// Posterior mode of the loadings, on the scaled path.
    pub mode: Vec<f64>,
    /// Cholesky factor of the negative Hessian there.
    pub factor: Vec<f64>,
    /// Log marginal likelihood, without terms of the counts and the dispersion alone.
    pub ln_marginal: f64,
}

impl Laplace {
    /// Loadings drawn from the approximation, on the path itself.
    pub(super) fn draw(&self, scale: &[f64], rng: &mut Rng) -> Vec<f64> {
        let mut noise: Vec<f64> = self
            .mode
            .iter()
            .map(|_| StandardNormal.sample(rng))
            .collect();
        solve_lower_transposed(&self.factor, &mut noise);
        self.mode
            .iter()
            .zip(&noise)
            .zip(scale)
            .map(|((m, e), s)| (m + e) * s)
            .collect()
    }
}

/// A step shorter than this is made by observed information, and converges quadratically from there.
const NEAR: f64 = 0.5;

/// After a step this short the mode is off by its square, some 1e-5, and the marginal likelihood by 1e-7 or so.
const CONVERGED: f64 = 3e-3;

/// Beyond a step of this length in units of the prior the quadratic says nothing.
const LONGEST_STEP: f64 = 2.0;

/// The posterior mode by Fisher scoring with bounded steps and then Newton's method, and the curvature there. The prior of
/// the loadings is N(0, I). `None` where the curvature is not finite.
pub(super) fn laplace(
    target: Target<'_>,
    regressors: &Regressors,
    start: Option<&[f64]>,
) -> Option<Laplace> {
    let p = regressors.scale.len();
    let mut mode = start.map_or_else(|| vec![0.0; p], <[f64]>::to_vec);
    let (mut gradient, mut factor) = (vec![0.0; p], vec![0.0; p * p]);
    // Expected information far away, where it keeps steps sound; observed information near, where it makes them exact.
    let mut size = f64::INFINITY;
    for _ in 0..30 {
        let what = if size > NEAR {
            Curvature::Expected
        } else {
            Curvature::Observed
        };
        curve(target, regressors, &mode, &mut gradient, &mut factor, what);
        if !cholesky(&mut factor, p) {
            return None;
        }
        solve_lower(&factor, &mut gradient);
        solve_lower_transposed(&factor, &mut gradient);
        size = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let shorter = if size > LONGEST_STEP {
            LONGEST_STEP / size
        } else {
            1.0
        };
        mode.iter_mut()
            .zip(&gradient)
            .for_each(|(m, g)| *m += shorter * g);
        if size < CONVERGED {
            break;
        }
    }
    let ln_likelihood = curve(
        target,
        regressors,
        &mode,
        &mut gradient,
        &mut factor,
        Curvature::Whole,
    );
    if !cholesky(&mut factor, p) {
        return None;
    }
    // log lik + log N(mode; 0, I) + p/2 log 2 pi - 1/2 log |H|
    let ln_prior: f64 = mode.iter().map(|m| -0.5 * m * m).sum();
    let ln_marginal = ln_likelihood + ln_prior - half_ln_det(&factor, p);
    ln_marginal.is_finite().then_some(Laplace {
        mode,
        factor,
        ln_marginal,
    })
}

#[cfg(test)]
mod tests {
    use super::super::likelihood::ln_likelihood;
    use super::*;
    use chiasm_core::Streams;
    use rand::RngExt;

    /// The log posterior by its definition.
    fn ln_posterior(y: &[f64], r: Option<f64>, offset: f64, path: &[f64], loadings: &[f64]) -> f64 {
        let rows = loadings.len() + 1;
        let mut sum: f64 = loadings.iter().map(|l| -0.5 * l * l).sum();
        for (y, x) in y
            .iter()
            .zip(path.chunks_exact(rows))
            .filter(|(y, _)| !y.is_nan())
        {
            let eta = offset
                + x[0]
                + loadings
                    .iter()
                    .zip(&x[1..])
                    .map(|(l, v)| l * v)
                    .sum::<f64>();
            sum += match r {
                Some(r) => super::super::state::negative_binomial(*y, r, eta),
                None => super::super::state::poisson(*y, eta),
            };
        }
        sum
    }

    #[test]
    fn the_approximation_is_the_integral() {
        let mut rng = Streams::new(2).stream("laplace");
        let n = 83;
        let path: Vec<f64> = (0..2 * n)
            .map(|q| (q as f64 * 0.31).sin() + 0.2 * rng.random::<f64>())
            .collect();
        let mut y: Vec<f64> = (0..n).map(|t| f64::from((t * 7 % 5) as u8)).collect();
        y[11] = f64::NAN;
        for r in [Some(3.0), None] {
            let target = Target {
                counts: &y,
                offset: 0.3,
                dispersion: r,
            };
            let regressors = Regressors::new(&path, 2, vec![1.0]);
            let fit = laplace(target, &regressors, None).unwrap();
            // One loading: the integral by the trapezoid rule.
            let step = 0.002;
            let most = ln_posterior(&y, r, 0.3, &path, &fit.mode);
            let sum: f64 = (-4000..4000)
                .map(|i| {
                    (ln_posterior(&y, r, 0.3, &path, &[f64::from(i) * step]) - most).exp() * step
                })
                .sum();
            let integral = most + sum.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
            assert!(
                (fit.ln_marginal - integral).abs() < 0.01,
                "{r:?}: {} {integral}",
                fit.ln_marginal
            );
            // No slope is left, by finite differences.
            let slope = (ln_posterior(&y, r, 0.3, &path, &[fit.mode[0] + 1e-4])
                - ln_posterior(&y, r, 0.3, &path, &[fit.mode[0] - 1e-4]))
                / 2e-4;
            assert!(slope.abs() < 1e-2, "{slope}");
            let at = ln_likelihood(target, &regressors, &[0.4]);
            let plain = ln_posterior(&y, r, 0.3, &path, &[0.4]) + 0.08;
            assert!((at - plain).abs() < 1e-9, "{at} {plain}");
        }
    }
}
