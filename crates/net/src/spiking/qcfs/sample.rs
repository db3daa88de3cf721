//! The run of one sample, step by step, whatever its neurons.

use ndarray::{ArrayView1, ArrayViewMut1, ArrayViewMut2};

use super::QcfsError;
use crate::spiking::confidence::{Decider, Decision};

/// What a sample's run has come to.
pub(super) struct Told {
    /// Sums of the outputs, class by class.
    pub(super) sums: Vec<f32>,
    /// Spikes so far.
    pub(super) spikes: u32,
}

impl Told {
    pub(super) fn nothing(n_classes: usize) -> Self {
        Self {
            sums: vec![0.0; n_classes],
            spikes: 0,
        }
    }

    /// Takes in what reaches the outputs in a step.
    pub(super) fn add(&mut self, outputs: &[f32]) {
        for (sum, x) in self.sums.iter_mut().zip(outputs) {
            *sum += x;
        }
    }
}

/// As many steps as there are rows: sums `[step, class]`, and the spikes up to each.
pub(super) fn record(
    mut step: impl FnMut(&mut Told),
    mut sums: ArrayViewMut2<'_, f32>,
    spikes: ArrayViewMut1<'_, u32>,
) {
    let mut told = Told::nothing(sums.ncols());
    for (mut sums, spikes) in sums.outer_iter_mut().zip(spikes) {
        step(&mut told);
        sums.assign(&ArrayView1::from(&told.sums));
        *spikes = told.spikes;
    }
}

/// Steps until it is decided; the decision, and the spikes that it took.
pub(super) fn until_sure(
    mut step: impl FnMut(&mut Told),
    n_classes: usize,
    mut decider: Decider,
) -> (Decision, u32) {
    let mut told = Told::nothing(n_classes);
    loop {
        step(&mut told);
        if let Some(decision) = decider.step(&told.sums) {
            return (decision, told.spikes);
        }
    }
}

/// Refuses a run of no step.
pub(super) fn at_least_one(steps: usize) -> Result<(), QcfsError> {
    if steps > 0 {
        return Ok(());
    }
    Err(QcfsError::Shape {
        what: "steps, at least",
        expected: 1,
        found: 0,
    })
}
