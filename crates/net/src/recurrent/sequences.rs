//! Trials of inputs and labels over time.

use ndarray::{Array2, Array3, Axis};

use super::RecurrentError;

/// Trials, all of one length: inputs `[step, trial, channel]` and a class for each step of each trial, `[step, trial]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequences<T> {
    inputs: Array3<T>,
    labels: Array2<usize>,
}

impl<T: crate::Real> Sequences<T> {
    /// Trials.
    ///
    /// # Errors
    /// [`RecurrentError::Shape`] for labels of another shape, or no step or trial; [`RecurrentError::NotFinite`], whose row
    /// counts steps and trials within them.
    pub fn new(inputs: Array3<T>, labels: Array2<usize>) -> Result<Self, RecurrentError> {
        let (steps, trials, channels) = inputs.dim();
        if labels.dim() != (steps, trials) || steps == 0 || trials == 0 {
            return Err(RecurrentError::Shape {
                what: "labels",
                expected: format!("{} steps x {} trials", steps.max(1), trials.max(1)),
                found: format!("{} x {}", labels.nrows(), labels.ncols()),
            });
        }
        if let Some((i, v)) = inputs.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(RecurrentError::NotFinite {
                what: "inputs",
                row: i / channels,
                column: i % channels,
                found: v.wide(),
            });
        }
        let inputs = inputs.as_standard_layout().into_owned();
        Ok(Self { inputs, labels })
    }

    /// Steps of a trial.
    #[must_use]
    pub fn n_steps(&self) -> usize {
        self.inputs.dim().0
    }

    /// Trials.
    #[must_use]
    pub fn n_trials(&self) -> usize {
        self.inputs.dim().1
    }

    /// Input channels.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.inputs.dim().2
    }

    /// `[step, trial, channel]`.
    #[must_use]
    pub fn inputs(&self) -> &Array3<T> {
        &self.inputs
    }

    /// `[step, trial]`.
    #[must_use]
    pub fn labels(&self) -> &Array2<usize> {
        &self.labels
    }

    /// These trials, in this order; those beyond the last are left out.
    #[must_use]
    pub fn select(&self, trials: &[usize]) -> Self {
        let there: Vec<usize> = trials
            .iter()
            .copied()
            .filter(|t| *t < self.n_trials())
            .collect();
        let inputs = self.inputs.select(Axis(1), &there);
        Self {
            // The steps lie one after the other, as the network reads them.
            inputs: inputs.as_standard_layout().into_owned(),
            labels: self.labels.select(Axis(1), &there),
        }
    }

    /// Refuses trials that do not fit a network.
    pub(super) fn accept(&self, inputs: usize, outputs: usize) -> Result<(), RecurrentError> {
        if self.n_channels() != inputs {
            return Err(RecurrentError::Shape {
                what: "input channels",
                expected: inputs.to_string(),
                found: self.n_channels().to_string(),
            });
        }
        let bad = self.labels.indexed_iter().find(|(_, l)| **l >= outputs);
        bad.map_or(Ok(()), |((step, trial), &found)| {
            Err(RecurrentError::Label {
                step,
                trial,
                classes: outputs,
                found,
            })
        })
    }
}
