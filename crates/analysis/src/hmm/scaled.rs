//! The scaled recursions: each bin's forward vector is divided by its sum, so that a bin costs S exponentials and 2 S^2
//! products. Where a scale would underflow all the same (a state that must be taken although another explains the bin
//! e^300 times better), the work is done again in log space.

use ndarray::{Array2, ArrayView2};

use super::{HiddenChain, HmmError, Smoothed};

/// A scale below this has lost digits.
const SMALLEST_SCALE: f64 = 1e-280;

/// The forward pass: filtered probabilities, scales and what was emitted.
pub(super) struct Filtered {
    /// p(state at t | bins up to t), `[time, state]`.
    pub(super) filtered: Array2<f64>,
    /// Emission probabilities, each row divided by its largest.
    emission: Array2<f64>,
    /// The sum of each bin before it was divided out.
    scale: Vec<f64>,
    log_likelihood: f64,
}

impl HiddenChain {
    /// State posteriors `[time, state]`, expected transitions `[from, to]` and log-likelihood for the emissions
    /// `log p(bin | state)` `[time, state]`.
    ///
    /// # Errors
    /// [`HmmError::Shape`], [`HmmError::NoBin`], [`HmmError::Emission`]; [`HmmError::Impossible`] if no path can emit
    /// what was seen.
    pub fn smooth(&self, log_emission: ArrayView2<'_, f64>) -> Result<Smoothed, HmmError> {
        self.check(log_emission)?;
        match self.filter(log_emission).and_then(|f| self.backward(f)) {
            Some(smoothed) => Ok(smoothed),
            None => self.smooth_in_logs(log_emission),
        }
    }

    /// log p(all bins): the forward pass alone.
    ///
    /// # Errors
    /// As [`HiddenChain::smooth`].
    pub fn log_likelihood(&self, log_emission: ArrayView2<'_, f64>) -> Result<f64, HmmError> {
        self.check(log_emission)?;
        match self.filter(log_emission) {
            Some(filtered) => Ok(filtered.log_likelihood),
            None => Ok(self.smooth_in_logs(log_emission)?.log_likelihood),
        }
    }

    /// `None` where a scale underflows.
    pub(super) fn filter(&self, log_emission: ArrayView2<'_, f64>) -> Option<Filtered> {
        let (n_bins, n_states) = log_emission.dim();
        let mut emission = Array2::zeros((n_bins, n_states));
        let mut filtered = Array2::zeros((n_bins, n_states));
        let mut scale = Vec::with_capacity(n_bins);
        let mut log_likelihood = 0.0;
        let mut now = self.initial().to_vec();
        let mut next = vec![0.0; n_states];
        let transition = self.transition().as_standard_layout();
        for t in 0..n_bins {
            let row = log_emission.row(t);
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if largest == f64::NEG_INFINITY {
                return None;
            }
            if t > 0 {
                next.fill(0.0);
                for (&p, to) in now.iter().zip(transition.rows()) {
                    for (n, &a) in next.iter_mut().zip(to) {
                        *n += p * a;
                    }
                }
                std::mem::swap(&mut now, &mut next);
            }
            let mut sum = 0.0;
            for (s, p) in now.iter_mut().enumerate() {
                let e = (row[s] - largest).exp();
                emission[[t, s]] = e;
                *p *= e;
                sum += *p;
            }
            if sum.is_nan() || sum <= SMALLEST_SCALE {
                return None;
            }
            for (s, p) in now.iter_mut().enumerate() {
                *p /= sum;
                filtered[[t, s]] = *p;
            }
            log_likelihood += sum.ln() + largest;
            scale.push(sum);
        }
        Some(Filtered {
            filtered,
            emission,
            scale,
            log_likelihood,
        })
    }

    /// `None` where a backward message overflows.
    fn backward(&self, f: Filtered) -> Option<Smoothed> {
        let (n_bins, n_states) = f.filtered.dim();
        let mut posterior = f.filtered;
        let mut transitions = Array2::<f64>::zeros((n_states, n_states));
        let transition = self.transition().as_standard_layout();
        let mut message = vec![1.0; n_states];
        let mut weighted = vec![0.0; n_states];
        for t in (0..n_bins - 1).rev() {
            for (j, w) in weighted.iter_mut().enumerate() {
                *w = f.emission[[t + 1, j]] * message[j] / f.scale[t + 1];
            }
            let mut now = posterior.row_mut(t);
            let mut sum = 0.0;
            for (i, to) in transition.rows().into_iter().enumerate() {
                let mut m = 0.0;
                let p = now[i];
                for ((&a, &w), total) in to.iter().zip(&weighted).zip(transitions.row_mut(i)) {
                    m += a * w;
                    *total += p * a * w;
                }
                message[i] = m;
                now[i] = p * m;
                sum += now[i];
            }
            if !(sum > 0.5 && sum < 2.0) {
                return None;
            }
            // 1 up to rounding, which would otherwise add up over bins.
            now /= sum;
            message.iter_mut().for_each(|m| *m /= sum);
        }
        let finite = transitions.iter().all(|v| v.is_finite());
        finite.then_some(Smoothed {
            posterior,
            transitions,
            log_likelihood: f.log_likelihood,
        })
    }
}
