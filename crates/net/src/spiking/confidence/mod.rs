//! When a spiking classifier may stop (paper 48): after each step its summed outputs are read as a confidence, and the run
//! ends as soon as that reaches a threshold chosen on calibration data.
//!
//! Nothing here knows of spikes: [`Outputs`] may come from any network that answers a little better with every step.
//!
//! ```
//! use chiasm_net::spiking::confidence::{Agent, Calibration, Given, Outputs};
//! use ndarray::Array3;
//!
//! // 60 samples of 4 steps and 3 classes; every third one is slow to tell.
//! let per_step = Array3::from_shape_fn((60, 4, 3), |(i, t, c)| {
//!     let told = if i % 3 == 0 { t as f32 } else { 4.0 };
//!     if c == i % 2 { told } else { 0.0 }
//! });
//! let labels = (0..60).map(|i| i % 2).collect();
//! let outputs = Outputs::new(per_step, labels, Given::Steps)?;
//! let fitted = Calibration::default().fit(&outputs)?;
//! let decisions = fitted.agent.decide(&outputs);
//! assert!(decisions[0].steps > decisions[1].steps);
//!
//! // One sample as it comes:
//! let mut decider = Agent::new(2.0, 0.9)?.decider(4);
//! assert!(decider.step(&[1.0, 0.5, 0.0]).is_none());
//! assert_eq!(decider.step(&[9.0, 0.5, 0.0]).map(|d| d.steps), Some(2));
//! # Ok::<(), chiasm_net::spiking::confidence::ConfidenceError>(())
//! ```

mod calibration;
mod curves;
mod error;
mod outputs;
#[cfg(test)]
mod tests;

use chiasm_core::SettingError;
use serde::{Deserialize, Serialize};

pub use calibration::{Calibrated, Calibration, Point, Smoothing, scan};
pub use curves::{Bin, Oracle, Reliability, Score, oracle, reliability, score, shuffled};
pub use error::ConfidenceError;
pub use outputs::{Given, Outputs};

/// The rule that ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Smoothing: outputs are divided by it before the softmax. In the outputs' own unit.
    pub alpha: f64,
    /// The run ends at the first step whose confidence is at least this; from 1 on it never ends early.
    pub threshold: f64,
}

/// What was decided for a sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The class.
    pub label: usize,
    /// Steps taken, from 1.
    pub steps: usize,
    /// The confidence at the last of them.
    pub confidence: f64,
}

impl Agent {
    /// An agent of this smoothing and threshold.
    ///
    /// # Errors
    /// [`ConfidenceError::Setting`] for an `alpha` that is not positive, or a threshold outside of 0 to 1.
    pub fn new(alpha: f64, threshold: f64) -> Result<Self, ConfidenceError> {
        let fine = alpha.is_finite() && alpha > 0.0;
        SettingError::check(fine, "alpha", "a number above 0", alpha)?;
        let fine = (0.0..=1.0).contains(&threshold);
        SettingError::check(fine, "threshold", "0 to 1", threshold)?;
        Ok(Self { alpha, threshold })
    }

    /// Whether a run ends at this confidence.
    #[must_use]
    pub fn stops(&self, confidence: f64) -> bool {
        // A confidence rounds to 1 long before it is certain.
        confidence >= self.threshold && self.threshold < 1.0
    }

    /// The decisions on all samples, in their order.
    #[must_use]
    pub fn decide(&self, outputs: &Outputs) -> Vec<Decision> {
        let told = outputs.told(self.alpha);
        let decision = |told: Vec<(usize, f64)>| {
            let stop = self.stop(&told);
            let (label, confidence) = told[stop];
            Decision {
                label,
                steps: stop + 1,
                confidence,
            }
        };
        told.into_iter().map(decision).collect()
    }

    /// Where a run of these classes and confidences ends, counted from 0.
    fn stop(&self, told: &[(usize, f64)]) -> usize {
        let first = told.iter().position(|(_, c)| self.stops(*c));
        first.unwrap_or(told.len() - 1)
    }

    /// Decides on one sample while its outputs come in, in at most `steps` steps.
    #[must_use]
    pub fn decider(&self, steps: usize) -> Decider {
        Decider {
            agent: *self,
            most: steps,
            taken: 0,
        }
    }
}

/// An agent at work on one sample: O(classes) for each step, and no memory of earlier ones.
#[derive(Debug, Clone)]
pub struct Decider {
    agent: Agent,
    most: usize,
    taken: usize,
}

impl Decider {
    /// Takes the sums of the outputs up to the next step; the decision, if this is where the run ends.
    pub fn step(&mut self, sums: &[f32]) -> Option<Decision> {
        self.taken += 1;
        let (label, confidence) = confidence(sums, self.agent.alpha);
        let ends = self.taken >= self.most || self.agent.stops(confidence);
        ends.then_some(Decision {
            label,
            steps: self.taken,
            confidence,
        })
    }
}

/// The class of the largest sum (the first of equals) and its softmax at `sums / alpha`.
#[must_use]
pub fn confidence(sums: &[f32], alpha: f64) -> (usize, f64) {
    let mut best = 0;
    for (c, v) in sums.iter().enumerate() {
        if *v > sums[best] {
            best = c;
        }
    }
    let top = f64::from(sums[best]);
    let total: f64 = sums
        .iter()
        .map(|v| ((f64::from(*v) - top) / alpha).exp())
        .sum();
    (best, 1.0 / total)
}
