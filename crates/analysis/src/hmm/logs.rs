//! Forward-backward in log space: nothing can underflow, at the price of an exponential for each transition and bin. The
//! oracle of the scaled recursions, and their refuge where numbers grow too small.

use ndarray::{Array2, Array3, ArrayView2};

use super::{HiddenChain, HmmError, Smoothed};

impl HiddenChain {
    /// State posteriors, expected transitions and log-likelihood, in log space.
    ///
    /// # Errors
    /// [`HmmError::Shape`], [`HmmError::NoBin`], [`HmmError::Emission`]; [`HmmError::Impossible`] if no path can emit
    /// what was seen.
    pub fn smooth_in_logs(&self, log_emission: ArrayView2<'_, f64>) -> Result<Smoothed, HmmError> {
        let passes = self.passes_in_logs(log_emission)?;
        let (n_bins, n_states) = log_emission.dim();
        let mut transitions = Array2::zeros((n_states, n_states));
        for t in 0..n_bins - 1 {
            passes.pairs_of(t, log_emission, |i, j, p| transitions[[i, j]] += p);
        }
        Ok(Smoothed {
            posterior: passes.posterior(),
            transitions,
            log_likelihood: passes.log_likelihood,
        })
    }

    /// p(state at t, state at t + 1 | all bins), `[time - 1, from, to]`: large, for those who need more than the sums.
    ///
    /// # Errors
    /// As [`HiddenChain::smooth_in_logs`].
    pub fn pairs(&self, log_emission: ArrayView2<'_, f64>) -> Result<Array3<f64>, HmmError> {
        let passes = self.passes_in_logs(log_emission)?;
        let (n_bins, n_states) = log_emission.dim();
        let mut pairs = Array3::zeros((n_bins - 1, n_states, n_states));
        for t in 0..n_bins - 1 {
            passes.pairs_of(t, log_emission, |i, j, p| pairs[[t, i, j]] = p);
        }
        Ok(pairs)
    }

    /// log p(state at t, bins up to t), `[time, state]`.
    pub(super) fn forward_in_logs(
        &self,
        log_emission: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, HmmError> {
        Ok(self.passes_in_logs(log_emission)?.forward)
    }

    fn passes_in_logs(&self, log_emission: ArrayView2<'_, f64>) -> Result<Passes, HmmError> {
        self.check(log_emission)?;
        let (n_bins, n_states) = log_emission.dim();
        let log_transition = self.transition().mapv(f64::ln);
        let mut forward = Array2::zeros((n_bins, n_states));
        let mut terms = vec![0.0; n_states];
        for t in 0..n_bins {
            for j in 0..n_states {
                let prior = if t == 0 {
                    self.initial()[j].ln()
                } else {
                    for (i, term) in terms.iter_mut().enumerate() {
                        *term = forward[[t - 1, i]] + log_transition[[i, j]];
                    }
                    log_sum_exp(&terms)
                };
                forward[[t, j]] = prior + log_emission[[t, j]];
            }
            if forward.row(t).iter().all(|v| *v == f64::NEG_INFINITY) {
                return Err(HmmError::Impossible { bin: t });
            }
        }
        let log_likelihood = log_sum_exp(&forward.row(n_bins - 1).to_vec());
        let mut backward = Array2::zeros((n_bins, n_states));
        for t in (0..n_bins - 1).rev() {
            for i in 0..n_states {
                for (j, term) in terms.iter_mut().enumerate() {
                    *term =
                        log_transition[[i, j]] + log_emission[[t + 1, j]] + backward[[t + 1, j]];
                }
                backward[[t, i]] = log_sum_exp(&terms);
            }
        }
        Ok(Passes {
            forward,
            backward,
            log_transition,
            log_likelihood,
        })
    }
}

struct Passes {
    forward: Array2<f64>,
    backward: Array2<f64>,
    log_transition: Array2<f64>,
    log_likelihood: f64,
}

impl Passes {
    /// Each row divided by its own sum: where the log-likelihood is large, its rounding alone would show.
    fn posterior(&self) -> Array2<f64> {
        let mut posterior = &self.forward + &self.backward;
        for mut row in posterior.rows_mut() {
            let total = log_sum_exp(&row.to_vec());
            row.mapv_inplace(|v| (v - total).exp());
            let sum = row.sum();
            row /= sum;
        }
        posterior
    }

    fn pairs_of(
        &self,
        t: usize,
        log_emission: ArrayView2<'_, f64>,
        mut leave: impl FnMut(usize, usize, f64),
    ) {
        let n = self.log_transition.nrows();
        let term = |k: usize| {
            let (i, j) = (k / n, k % n);
            self.forward[[t, i]]
                + self.log_transition[[i, j]]
                + log_emission[[t + 1, j]]
                + self.backward[[t + 1, j]]
        };
        let terms: Vec<f64> = (0..n * n).map(term).collect();
        let total = log_sum_exp(&terms);
        for (k, v) in terms.iter().enumerate() {
            leave(k / n, k % n, (v - total).exp());
        }
    }
}

/// log sum exp, without overflow; -inf for an empty slice or one of -inf alone.
pub(super) fn log_sum_exp(x: &[f64]) -> f64 {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + x.iter().map(|v| (v - largest).exp()).sum::<f64>().ln()
}
