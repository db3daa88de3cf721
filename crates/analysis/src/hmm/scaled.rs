//! The scaled recursions: each bin's forward vector is divided by its sum, so that a bin costs S exponentials and 2 S^2
//! products. Where a scale would underflow all the same (a state that must be taken although another explains the bin
//! e^300 times better), the work is done again in log space.

use chiasm_core::vectorized;
use ndarray::{Array2, ArrayView2};

use super::{HiddenChain, HmmError, Smoothed};
use crate::number::Number;

/// A scale below this has lost digits.
const SMALLEST_SCALE: f64 = 1e-280;
/// What a state emits less likely than this beside another, as a logarithm, is lost in double precision.
const LEAST_LOG: f64 = -700.0;

/// The forward pass: filtered probabilities, scales and what was emitted.
pub(super) struct Filtered {
    /// p(state at t | bins up to t), `[time, state]`.
    pub(super) filtered: Array2<f64>,
    /// Emission probabilities `[time, state]`, each row divided by its largest.
    emission: Vec<f64>,
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

    /// `None` where a scale underflows. Rows are slices: strides, looked up state by state, took most of the time.
    pub(super) fn filter(&self, log_emission: ArrayView2<'_, f64>) -> Option<Filtered> {
        let (n_bins, n_states) = log_emission.dim();
        let log_emission = log_emission.as_standard_layout();
        let transition = self.transition().as_standard_layout();
        let (log_emission, transition) = (log_emission.as_slice()?, transition.as_slice()?);
        let (emission, mut log_likelihood) = emitted(log_emission, n_states)?;
        let mut filtered = vec![0.0; n_bins * n_states];
        let mut scale = Vec::with_capacity(n_bins);
        let mut now = self.initial().to_vec();
        let mut next = vec![0.0; n_states];
        // Logarithms are of products, as long as these are within range.
        let mut product = 1.0;
        let rows = emission
            .chunks_exact(n_states)
            .zip(filtered.chunks_exact_mut(n_states));
        for (t, (emission, filtered)) in rows.enumerate() {
            if t > 0 {
                next.fill(0.0);
                for (&p, to) in now.iter().zip(transition.chunks_exact(n_states)) {
                    for (n, &a) in next.iter_mut().zip(to) {
                        *n += p * a;
                    }
                }
                std::mem::swap(&mut now, &mut next);
            }
            let mut sum = 0.0;
            for (p, e) in now.iter_mut().zip(emission) {
                *p *= e;
                sum += *p;
            }
            if sum.is_nan() || sum <= SMALLEST_SCALE {
                return None;
            }
            for (p, filtered) in now.iter_mut().zip(filtered) {
                *p /= sum;
                *filtered = *p;
            }
            if product * sum <= SMALLEST_SCALE {
                log_likelihood += f64::ln(product);
                product = 1.0;
            }
            product *= sum;
            scale.push(sum);
        }
        log_likelihood += product.ln();
        Some(Filtered {
            filtered: Array2::from_shape_vec((n_bins, n_states), filtered).ok()?,
            emission,
            scale,
            log_likelihood,
        })
    }

    /// `None` where a backward message overflows.
    fn backward(&self, f: Filtered) -> Option<Smoothed> {
        let n_states = f.filtered.ncols();
        let mut posterior = f.filtered;
        let mut transitions = vec![0.0; n_states * n_states];
        let transition = self.transition().as_standard_layout();
        let transition = transition.as_slice()?;
        let mut message = vec![1.0; n_states];
        let mut weighted = vec![0.0; n_states];
        let rows = posterior
            .as_slice_mut()?
            .chunks_exact_mut(n_states)
            .zip(f.emission.chunks_exact(n_states).zip(&f.scale).skip(1));
        for (now, (emission, scale)) in rows.rev() {
            for ((w, e), m) in weighted.iter_mut().zip(emission).zip(&message) {
                *w = e * m / scale;
            }
            let mut sum = 0.0;
            let states = now
                .iter_mut()
                .zip(&mut message)
                .zip(transition.chunks_exact(n_states))
                .zip(transitions.chunks_exact_mut(n_states));
            for (((now, message), to), totals) in states {
                let mut m = 0.0;
                let p = *now;
                for ((&a, &w), total) in to.iter().zip(&weighted).zip(totals) {
                    m += a * w;
                    *total += p * a * w;
                }
                *message = m;
                *now = p * m;
                sum += *now;
            }
            if !(sum > 0.5 && sum < 2.0) {
                return None;
            }
            // 1 up to rounding, which would otherwise add up over bins.
            now.iter_mut().for_each(|p| *p /= sum);
            message.iter_mut().for_each(|m| *m /= sum);
        }
        let transitions = Array2::from_shape_vec((n_states, n_states), transitions).ok()?;
        let finite = transitions.iter().all(|v| v.is_finite());
        finite.then_some(Smoothed {
            posterior,
            transitions,
            log_likelihood: f.log_likelihood,
        })
    }
}

/// Emission probabilities, each row divided by its largest, and what is divided out, as a logarithm. `None` where a bin
/// cannot be emitted.
fn emitted(log_emission: &[f64], n_states: usize) -> Option<(Vec<f64>, f64)> {
    let mut emission = log_emission.to_vec();
    let mut divided_out = 0.0;
    for row in emission.chunks_exact_mut(n_states) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return None;
        }
        row.iter_mut().for_each(|e| *e -= largest);
        divided_out += largest;
    }
    vectorized(
        #[inline(always)]
        || {
            for e in &mut emission {
                let power = Number::exp(Number::largest(*e, LEAST_LOG));
                *e = if *e < LEAST_LOG { 0.0 } else { power };
            }
        },
    );
    Some((emission, divided_out))
}
