//! Samples whose inputs are made batch by batch.

use ndarray::ArrayView2;

use super::{Loss, Targets};
use crate::Real;

/// Samples to learn from, whose inputs are made when a batch is due: augmented images, samples that lie on disk.
pub trait Supply<T: Real>: Sync {
    /// Columns of the inputs.
    fn inputs(&self) -> usize;

    /// What the outputs should be, for every sample.
    fn targets(&self) -> Targets<'_, T>;

    /// Writes the inputs of these samples, row by row, into `rows`, which holds just as many. What is written may depend on
    /// epoch, step and samples alone, so that training that was stopped goes on to the same bits.
    ///
    /// Where each sample was mixed with another, returns with which and how.
    fn fill(&self, epoch: usize, step: usize, samples: &[usize], rows: &mut [T]) -> Option<Mix>;

    /// Whether an epoch leaves out what is no whole batch.
    fn whole_batches(&self) -> bool {
        false
    }
}

/// Samples of a batch mixed with others (MixUp, Zhang et al. 2018): their loss is `kept` times that of their own target and
/// `1 - kept` times that of their partner's.
///
/// The share of samples told right still counts the own target alone: on mixed inputs it says little.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// The sample with which each was mixed.
    pub partners: Vec<usize>,
    /// Share of the own one, 0 to 1.
    pub kept: f64,
}

/// Mixes the loss, and the gradient of the outputs, with those of the partners' targets; returns the loss.
pub(super) fn mixed<T: Real>(
    loss: &Loss,
    (outputs, targets): (&[T], &Targets<'_, T>),
    mix: &Mix,
    own: f64,
    gradient: &mut [T],
) -> f64 {
    let mut other = vec![T::ZERO; gradient.len()];
    let sums = loss.of(outputs, targets, &mix.partners, &mut other);
    let (kept, rest) = (T::of(mix.kept), T::of(1.0 - mix.kept));
    for (g, o) in gradient.iter_mut().zip(&other) {
        *g = kept * *g + rest * *o;
    }
    mix.kept * own + (1.0 - mix.kept) * sums.loss
}

/// Samples whose inputs lie in memory.
pub(super) struct Matrix<'x, 't, T> {
    pub(super) x: ArrayView2<'x, T>,
    pub(super) targets: Targets<'t, T>,
}

impl<T: Real> Supply<T> for Matrix<'_, '_, T> {
    fn inputs(&self) -> usize {
        self.x.ncols()
    }

    fn targets(&self) -> Targets<'_, T> {
        match &self.targets {
            Targets::Classes(labels) => Targets::Classes(labels),
            Targets::Values(values) => Targets::Values(values.view()),
        }
    }

    fn fill(&self, _: usize, _: usize, samples: &[usize], rows: &mut [T]) -> Option<Mix> {
        for (row, sample) in rows.chunks_exact_mut(self.x.ncols()).zip(samples) {
            let from = self.x.row(*sample);
            match from.as_slice() {
                Some(from) => row.copy_from_slice(from),
                None => row.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
            }
        }
        None
    }
}
