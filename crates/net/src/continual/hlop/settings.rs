//! What is trained, how, and what protects it.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::subspace::{Birth, Code, Hebb};

/// How spikes are trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// By rates: spikes forward, and back the derivative of what weighted rates do (differentiation on spike representation).
    #[default]
    Dsr,
    /// Back through time, with a sigmoid's slope in place of the spikes'.
    Bptt,
    /// Forward in time: a trace of past spikes instead of the way back through time.
    Ottt,
}

/// What carries errors back in place of the transposed weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Feedback {
    /// The transposed weights themselves.
    #[default]
    Symmetric,
    /// Fixed random weights.
    Random,
    /// The weights' signs over the root of their number of inputs.
    Sign,
}

/// Neurons. Defaults are those of the authors' code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Layers {
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// How spikes are trained.
    pub rule: Rule,
    /// What carries errors back.
    pub feedback: Feedback,
    /// Time steps in which an input is shown (code: 20 for `dsr`, 6 for the others); by the rule if not given.
    pub steps: Option<usize>,
    /// Step over time constant, of `dsr` (code: 0.05).
    pub step: f64,
    /// The threshold before training, of `dsr` (code: 0.3); it learns in the first task.
    pub threshold: f64,
    /// The part of the threshold at which a neuron spikes, of `dsr` (code: 0.3).
    pub spike_at: f64,
    /// Time constant in steps, of `bptt` and `ottt` (code: 2).
    pub tau: f64,
    /// Steepness of the sigmoid, of `bptt` and `ottt` (code: 4).
    pub slope: f64,
}

impl Default for Layers {
    fn default() -> Self {
        Self {
            hidden: vec![800, 800],
            rule: Rule::Dsr,
            feedback: Feedback::Symmetric,
            steps: None,
            step: 0.05,
            threshold: 0.3,
            spike_at: 0.3,
            tau: 2.0,
            slope: 4.0,
        }
    }
}

impl Layers {
    /// Time steps in which an input is shown.
    #[must_use]
    pub fn n_steps(&self) -> usize {
        self.steps.unwrap_or(match self.rule {
            Rule::Dsr => 20,
            Rule::Bptt | Rule::Ottt => 6,
        })
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let hidden = &self.hidden;
        let fine = !hidden.is_empty() && hidden.iter().all(|n| (1..=1 << 14).contains(n));
        let found = format!("{hidden:?}");
        SettingError::check(
            fine,
            "hidden",
            "at least one layer of 1 to 16384 units",
            found,
        )?;
        let n = self.n_steps();
        SettingError::check((1..=1000).contains(&n), "steps", "1 to 1000", n)?;
        for (field, v) in [
            ("step", self.step),
            ("threshold", self.threshold),
            ("slope", self.slope),
        ] {
            SettingError::check(v.is_finite() && v > 0.0, field, "a number above 0", v)?;
        }
        let fine = self.spike_at > 0.0 && self.spike_at <= 1.0;
        SettingError::check(fine, "spike_at", "above 0, at most 1", self.spike_at)?;
        let fine = self.tau.is_finite() && self.tau >= 1.0;
        SettingError::check(fine, "tau", "1 or more", self.tau)
    }
}

/// The descent. Defaults are those of the authors' code for permuted MNIST.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Train {
    /// Learning rate of the weights (code: 0.1).
    pub rate: f64,
    /// Samples in a batch (code: 64).
    pub batch: usize,
    /// Passes over the samples of each task (code: 1).
    pub epochs: usize,
}

impl Default for Train {
    fn default() -> Self {
        Self {
            rate: 0.1,
            batch: 64,
            epochs: 1,
        }
    }
}

impl Train {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let fine = self.rate.is_finite() && self.rate > 0.0;
        SettingError::check(fine, "rate", "a number above 0", self.rate)?;
        for (field, n) in [("batch", self.batch), ("epochs", self.epochs)] {
            SettingError::check((1..=100_000).contains(&n), field, "1 to 100,000", n)?;
        }
        Ok(())
    }
}

/// How many rows each layer's subspace gets with each task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rows {
    /// With the first task, for each layer (code: 80, 200, 100).
    pub first: Vec<usize>,
    /// With each later task, for each layer (code: 70, 70, 70).
    pub later: Vec<usize>,
    /// So many fewer, in each layer, after every third task (code: 20).
    pub fewer: usize,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            first: vec![80, 200, 100],
            later: vec![70, 70, 70],
            fewer: 20,
        }
    }
}

impl Rows {
    /// Rows of layer `layer` with task `task`, both from 0.
    #[must_use]
    pub fn of(&self, task: usize, layer: usize) -> usize {
        let from = if task == 0 { &self.first } else { &self.later };
        let n = from.get(layer).copied().unwrap_or(0);
        if task == 0 {
            n
        } else {
            n.saturating_sub(self.fewer * (task / 3))
        }
    }

    /// Rows of layer `layer` after `tasks` tasks.
    #[must_use]
    pub fn sum(&self, tasks: usize, layer: usize) -> usize {
        (0..tasks).map(|t| self.of(t, layer)).sum()
    }

    /// Checks against layers of these many inputs, for so many tasks.
    ///
    /// # Errors
    /// [`SettingError`] where lists are not one number for each layer, or a layer has more rows than inputs.
    pub fn validate(&self, inputs: &[usize], tasks: usize) -> Result<(), SettingError> {
        for (field, rows) in [("first", &self.first), ("later", &self.later)] {
            let expected = format!("{} numbers, one for each layer", inputs.len());
            SettingError::check(
                rows.len() == inputs.len(),
                field,
                &expected,
                format!("{rows:?}"),
            )?;
        }
        for (layer, n) in inputs.iter().enumerate() {
            let sum = self.sum(tasks, layer);
            let expected = format!(
                "at most {n} rows over {tasks} tasks in layer {layer}, as many as it has inputs"
            );
            SettingError::check(sum <= *n, "later", &expected, sum)?;
        }
        Ok(())
    }
}

/// The lateral circuits of all layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Protect {
    /// Rows of each layer with each task.
    pub rows: Rows,
    /// How new rows begin (code: `anywhere`).
    pub birth: Birth,
    /// Hebbian rate of the first layer, whose inputs are large (code: 0.001).
    pub input_rate: f64,
    /// Hebbian rate of the other layers (code: 0.01).
    pub hidden_rate: f64,
    /// Changes for each batch (code: 5); 0 leaves rows as they began.
    pub iterations: usize,
    /// Whether the reconstruction is subtracted, the anti-Hebbian half of the rule.
    pub anti: bool,
    /// What lateral neurons send.
    pub code: Code,
}

impl Default for Protect {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            birth: Birth::Orthogonal,
            input_rate: 0.001,
            hidden_rate: 0.01,
            iterations: 5,
            anti: true,
            code: Code::Linear,
        }
    }
}

impl Protect {
    /// The learning rule of layer `layer`, from 0.
    #[must_use]
    pub fn hebb(&self, layer: usize) -> Hebb {
        Hebb {
            rate: if layer == 0 {
                self.input_rate
            } else {
                self.hidden_rate
            },
            iterations: self.iterations,
            anti: self.anti,
            code: self.code,
            ..Hebb::default()
        }
    }

    /// Checks every setting but the rows, which depend on the tasks.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        for (field, layer) in [("input_rate", 0), ("hidden_rate", 1)] {
            self.hebb(layer).validate().map_err(|mut e| {
                if e.field == "rate" {
                    e.field = field.into();
                }
                e
            })?;
        }
        Ok(())
    }
}

/// Samples of finished tasks that are learned again after each task. Defaults are those of the authors' code.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// Samples kept of each class of each task (code: 50).
    pub per_class: usize,
    /// Passes over all that are kept, after each task (code: 1).
    pub epochs: usize,
    /// Learning rate (code: 0.01).
    pub rate: f64,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            per_class: 50,
            epochs: 1,
            rate: 0.01,
        }
    }
}

impl Replay {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let n = self.per_class;
        SettingError::check((1..=100_000).contains(&n), "per_class", "1 to 100,000", n)?;
        let n = self.epochs;
        SettingError::check((1..=1000).contains(&n), "epochs", "1 to 1000", n)?;
        let fine = self.rate.is_finite() && self.rate > 0.0;
        SettingError::check(fine, "rate", "a number above 0", self.rate)
    }
}
