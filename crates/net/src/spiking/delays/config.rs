//! Settings of a network and its training.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kernel::{Bump, half};

/// What becomes of the synapses' delays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delays {
    /// They learn with the weights.
    #[default]
    Learned,
    /// They stay at whole numbers drawn at random.
    Fixed,
    /// There are none: a synapse acts in the step of its spike.
    None,
}

/// Settings of a network with delays and of its training. The defaults are the paper's for Spiking Heidelberg Digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Neurons of each hidden layer (code: 256 and 256; SSC and GSC: three layers of 512).
    pub hidden: Vec<usize>,
    /// Whether delays learn, stay as drawn, or are not there.
    pub delays: Delays,
    /// Length of a time step, ms (code: 10).
    pub step_ms: f64,
    /// Span of delays, ms: a kernel has so many steps, or one more where that is an even number (code: 250; SSC and GSC: 300).
    pub max_delay_ms: f64,
    /// Time constant of the membranes, ms; at least a step (code: 10.05; SSC and GSC: 15).
    pub tau_ms: f64,
    /// Steepness of the arcus tangent whose derivative stands for that of a spike (code: 5).
    pub surrogate_alpha: f64,
    /// Probability that a hidden neuron is silenced for a whole sample in training (code: 0.4; SSC and GSC: 0.25).
    pub dropout: f64,
    /// Probability that a synapse does not exist (code: 0).
    pub sparsity: f64,
    /// Passes over the samples (code: 150; SSC: 60; GSC: 100).
    pub epochs: usize,
    /// Samples of a step (code: 256; SSC and GSC: 128).
    pub batch: usize,
    /// Highest rate of weights and batch-norm in one cycle (code: 5e-3).
    pub peak_rate: f64,
    /// Rate of positions at the beginning, on half a cosine down to 0 (code: 0.1).
    pub position_rate: f64,
    /// Decay of weights that is added to their gradient (code: 1e-5).
    pub weight_decay: f64,
    /// Width of kernels at the beginning, steps; without one, half the kernel (code).
    pub sigma_start: Option<f64>,
    /// Width at the end, steps (code: 0.23).
    pub sigma_end: f64,
    /// Share of the epochs over which the width falls geometrically (code: 0.25).
    pub sigma_falls: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hidden: vec![256, 256],
            delays: Delays::Learned,
            step_ms: 10.0,
            max_delay_ms: 250.0,
            tau_ms: 10.05,
            surrogate_alpha: 5.0,
            dropout: 0.4,
            sparsity: 0.0,
            epochs: 150,
            batch: 256,
            peak_rate: 5e-3,
            position_rate: 0.1,
            weight_decay: 1e-5,
            sigma_start: None,
            sigma_end: 0.23,
            sigma_falls: 0.25,
        }
    }
}

impl Config {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let check = |holds, field, expected: &str, found: f64| {
            SettingError::check(holds, field, expected, found)
        };
        let sizes = &self.hidden;
        let holds =
            (1..=16).contains(&sizes.len()) && sizes.iter().all(|n| (1..=65_536).contains(n));
        let expected = "1 to 16 layers of 1 to 65,536 neurons";
        SettingError::check(holds, "hidden", expected, format!("{sizes:?}"))?;
        let step = self.step_ms;
        let holds = step.is_finite() && step > 0.0;
        check(holds, "step_ms", "a time above 0", step)?;
        let span = self.max_delay_ms;
        let holds = span >= step && span / step <= 4096.0;
        let expected = format!("one step ({step} ms) to 4096 steps");
        check(holds, "max_delay_ms", &expected, span)?;
        let tau = self.tau_ms;
        let holds = tau.is_finite() && tau >= step;
        check(
            holds,
            "tau_ms",
            &format!("at least a step ({step} ms)"),
            tau,
        )?;
        let alpha = self.surrogate_alpha;
        let holds = alpha > 0.0 && alpha <= 1e3;
        check(holds, "surrogate_alpha", "above 0 and at most 1000", alpha)?;
        for (field, p) in [("dropout", self.dropout), ("sparsity", self.sparsity)] {
            check((0.0..1.0).contains(&p), field, "0 or more and below 1", p)?;
        }
        for (field, n) in [("epochs", self.epochs), ("batch", self.batch)] {
            let holds = (1..=1_000_000).contains(&n);
            SettingError::check(holds, field, "1 to 1,000,000", n)?;
        }
        let rates = [
            ("peak_rate", self.peak_rate),
            ("position_rate", self.position_rate),
        ];
        for (field, rate) in rates {
            check(
                rate > 0.0 && rate <= 10.0,
                field,
                "above 0 and at most 10",
                rate,
            )?;
        }
        let decay = self.weight_decay;
        check(
            (0.0..=1.0).contains(&decay),
            "weight_decay",
            "0 to 1",
            decay,
        )?;
        let end = self.sigma_end;
        let width = |s: f64| (0.0..=4096.0).contains(&s);
        check(
            end > 0.0 && width(end),
            "sigma_end",
            "above 0 and at most 4096",
            end,
        )?;
        if let Some(start) = self.sigma_start {
            let expected = "at least `sigma_end` and at most 4096";
            check(start >= end && width(start), "sigma_start", expected, start)?;
        }
        let falls = self.sigma_falls;
        check((0.0..=1.0).contains(&falls), "sigma_falls", "0 to 1", falls)
    }

    /// Taps of a kernel, an odd number; and whether one was added to make it so.
    #[must_use]
    pub fn kernel_length(&self) -> (usize, bool) {
        if self.delays == Delays::None {
            return (1, false);
        }
        // Not 24.999999 of 250 / 10.
        let steps = (self.max_delay_ms / self.step_ms + 1e-9).floor().max(1.0) as usize;
        let even = steps.is_multiple_of(2);
        (steps + usize::from(even), even)
    }

    /// What a potential keeps of itself in a step.
    #[must_use]
    pub fn leak(&self) -> f64 {
        1.0 - self.step_ms / self.tau_ms
    }

    /// Width of kernels in an epoch, steps.
    #[must_use]
    pub fn sigma(&self, epoch: usize) -> f64 {
        let (length, _) = self.kernel_length();
        let start = self.sigma_start.unwrap_or(half(length)).max(self.sigma_end);
        let over = self.sigma_falls * self.epochs as f64;
        if epoch as f64 >= over {
            return self.sigma_end;
        }
        start * (self.sigma_end / start).powf(epoch as f64 / over)
    }

    /// The kernels with which an epoch is trained.
    pub(super) fn bump(&self, epoch: usize) -> Bump {
        match self.delays {
            Delays::Learned => Bump::Gauss {
                sigma: self.sigma(epoch),
            },
            Delays::Fixed | Delays::None => Bump::Rounded,
        }
    }
}
