//! Paths of states: the most probable one, and draws from the posterior.

use chiasm_core::Rng;
use ndarray::{Array2, ArrayView2};
use rand::RngExt;

use super::logs::log_sum_exp;
use super::{HiddenChain, HmmError};

/// A path of states.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The state of each bin, from 0.
    pub states: Vec<usize>,
    /// log p(path, all bins).
    pub log_probability: f64,
}

impl HiddenChain {
    /// The most probable path, given emissions `log p(bin | state)` `[time, state]`. Of equals, the lower state is taken.
    ///
    /// # Errors
    /// [`HmmError::Shape`], [`HmmError::NoBin`], [`HmmError::Emission`]; [`HmmError::Impossible`] if no path can emit
    /// what was seen.
    pub fn viterbi(&self, log_emission: ArrayView2<'_, f64>) -> Result<Path, HmmError> {
        self.check(log_emission)?;
        let (n_bins, n_states) = log_emission.dim();
        let log_transition = self.transition().mapv(f64::ln);
        let mut best: Vec<f64> = self.initial().iter().map(|p| p.ln()).collect();
        let mut from = Array2::<u32>::zeros((n_bins, n_states));
        let mut next = vec![0.0; n_states];
        for t in 0..n_bins {
            if t > 0 {
                for j in 0..n_states {
                    let (mut at, mut value) = (0, f64::NEG_INFINITY);
                    for (i, b) in best.iter().enumerate() {
                        let v = b + log_transition[[i, j]];
                        if v > value {
                            (at, value) = (i, v);
                        }
                    }
                    from[[t, j]] = at as u32;
                    next[j] = value;
                }
                std::mem::swap(&mut best, &mut next);
            }
            for (b, e) in best.iter_mut().zip(log_emission.row(t)) {
                *b += e;
            }
            if best.iter().all(|b| *b == f64::NEG_INFINITY) {
                return Err(HmmError::Impossible { bin: t });
            }
        }
        let mut states = vec![first_largest(&best); n_bins];
        for t in (1..n_bins).rev() {
            states[t - 1] = from[[t, states[t]]] as usize;
        }
        let log_probability = best[states[n_bins - 1]];
        Ok(Path {
            states,
            log_probability,
        })
    }

    /// A path drawn from p(path | all bins): forward filtering, backward sampling.
    ///
    /// # Errors
    /// As [`HiddenChain::viterbi`].
    pub fn sample(
        &self,
        log_emission: ArrayView2<'_, f64>,
        rng: &mut Rng,
    ) -> Result<Vec<usize>, HmmError> {
        self.check(log_emission)?;
        if let Some(f) = self.filter(log_emission)
            && let Some(states) = self.backward_draw(f.filtered.view(), rng)
        {
            return Ok(states);
        }
        let mut forward = self.forward_in_logs(log_emission)?;
        // Where a state underflows beside another, it may yet be the only way to the next: weigh it against those alone
        // that lead there.
        let (n_bins, n_states) = forward.dim();
        let mut states = vec![0; n_bins];
        for t in (0..n_bins).rev() {
            let mut row = forward.row_mut(t);
            if t + 1 < n_bins {
                for s in 0..n_states {
                    row[s] += self.transition()[[s, states[t + 1]]].ln();
                }
            }
            let total = log_sum_exp(&row.to_vec());
            let weights: Vec<f64> = row.iter().map(|v| (v - total).exp()).collect();
            states[t] = draw(&weights, rng).unwrap_or(0);
        }
        Ok(states)
    }

    /// `None` where all weights of a bin underflow.
    fn backward_draw(&self, filtered: ArrayView2<'_, f64>, rng: &mut Rng) -> Option<Vec<usize>> {
        let (n_bins, n_states) = filtered.dim();
        let mut states = vec![0; n_bins];
        let mut weights = vec![0.0; n_states];
        for t in (0..n_bins).rev() {
            for (s, w) in weights.iter_mut().enumerate() {
                *w = filtered[[t, s]];
                if t + 1 < n_bins {
                    *w *= self.transition()[[s, states[t + 1]]];
                }
            }
            states[t] = draw(&weights, rng)?;
        }
        Some(states)
    }
}

/// The first position of the largest value.
fn first_largest(x: &[f64]) -> usize {
    let mut at = 0;
    for (i, v) in x.iter().enumerate() {
        if *v > x[at] {
            at = i;
        }
    }
    at
}

/// A position drawn in proportion to weights; `None` if all are 0.
fn draw(weights: &[f64], rng: &mut Rng) -> Option<usize> {
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    let mut last = None;
    for (s, &w) in weights.iter().enumerate() {
        if w > 0.0 {
            last = Some(s);
            if left < w {
                return last;
            }
            left -= w;
        }
    }
    last
}
