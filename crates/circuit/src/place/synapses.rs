//! What a module has learned: weights, delays, thresholds.

use chiasm_core::Streams;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::Config;

/// Weights and delays from every input to every excitatory neuron, and how far thresholds have risen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Synapses {
    pub(super) n_in: usize,
    pub(super) n: usize,
    /// `[input, neuron]`.
    pub(super) weights: Vec<f64>,
    /// `[input, neuron]`, in steps.
    pub(super) delays: Vec<u16>,
    /// mV, of each neuron.
    pub(super) theta: Vec<f64>,
}

/// mV above which thresholds begin (code).
const THETA_START: f64 = 20.0;

impl Synapses {
    /// Weights `0.3 (U[0, 1) + 0.01)`, delays uniform up to the greatest.
    pub(super) fn draw(n_in: usize, config: &Config, streams: &Streams) -> Self {
        let n = config.n_e;
        let mut rng = streams.stream("weights");
        let weights = (0..n_in * n).map(|_| 0.3 * (rng.random::<f64>() + 0.01));
        let weights = weights.collect();
        let mut rng = streams.stream("delays");
        let longest = config.max_delay_ms / config.dt_ms;
        let delays = (0..n_in * n).map(|_| (longest * rng.random::<f64>()).round() as u16);
        Self {
            n_in,
            n,
            weights,
            delays: delays.collect(),
            theta: vec![THETA_START; n],
        }
    }

    /// Scales the weights onto each neuron to this sum; the first neuron that has none, if there is one.
    pub(super) fn normalize(&mut self, sum: f64) -> Result<(), usize> {
        let n = self.n;
        let mut factors = vec![0.0; n];
        for row in self.weights.chunks_exact(n) {
            for (total, w) in factors.iter_mut().zip(row) {
                *total += w;
            }
        }
        if let Some(silent) = factors.iter().position(|total| *total <= 0.0) {
            return Err(silent);
        }
        for total in &mut factors {
            *total = sum / *total;
        }
        for row in self.weights.chunks_exact_mut(n) {
            for (w, factor) in row.iter_mut().zip(&factors) {
                *w *= factor;
            }
        }
        Ok(())
    }

    /// Adds the sums of the weights onto each neuron.
    #[cfg(test)]
    pub(super) fn sums(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.n];
        for row in self.weights.chunks_exact(self.n) {
            for (sum, w) in sums.iter_mut().zip(row) {
                *sum += w;
            }
        }
        sums
    }
}
