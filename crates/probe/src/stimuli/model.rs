//! What is asked of a model of responses, and the stimuli it sees.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::StimuliError;

/// The shape of a stimulus. Its pixels stand in one row of a matrix, in the order channel, frame, line, column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StimulusShape {
    /// Color channels.
    pub channels: usize,
    /// Frames; 1 for an image.
    pub frames: usize,
    /// Lines.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl StimulusShape {
    /// An image of one channel.
    #[must_use]
    pub fn image(height: usize, width: usize) -> Self {
        Self::movie(1, 1, height, width)
    }

    /// A movie.
    #[must_use]
    pub fn movie(channels: usize, frames: usize, height: usize, width: usize) -> Self {
        Self {
            channels,
            frames,
            height,
            width,
        }
    }

    /// Pixels of one frame of one channel.
    #[must_use]
    pub fn n_places(&self) -> usize {
        self.height * self.width
    }

    /// Pixels in all.
    #[must_use]
    pub fn n_pixels(&self) -> usize {
        self.channels * self.frames * self.n_places()
    }

    pub(super) fn check(&self) -> Result<(), StimuliError> {
        let sides = [self.channels, self.frames, self.height, self.width];
        let n = sides.iter().try_fold(1_usize, |n, &s| n.checked_mul(s));
        if n.is_some_and(|n| n > 0) {
            return Ok(());
        }
        Err(StimuliError::Shape {
            what: "stimulus",
            expected: "at least one channel, frame, line and column".into(),
            found: format!("{sides:?}"),
        })
    }
}

/// A differentiable model of neurons: stimuli in, a score of each neuron out (a predicted rate, a logit).
///
/// All neurons see the same stimulus, so their receptive fields must be centered on one place: otherwise clusters
/// reflect positions. A model may also take the best score over positions or rotations.
pub trait ResponseModel: Sync {
    /// Number of neurons.
    fn n_neurons(&self) -> usize;

    /// The shape of a stimulus.
    fn shape(&self) -> StimulusShape;

    /// Scores `[stimulus, neuron]` of stimuli `[stimulus, pixel]`.
    fn scores(&self, stimuli: ArrayView2<f64>) -> Array2<f64>;

    /// The vector-Jacobian product: computes the scores, asks `weigh` for the weight of each of them `[stimulus, neuron]`,
    /// and returns the gradient `[stimulus, pixel]` of the weighted sum. One call, so that a model keeps on the way back
    /// what it computed on the way forth.
    fn pull_back(
        &self,
        stimuli: ArrayView2<f64>,
        weigh: &mut dyn FnMut(Array2<f64>) -> Array2<f64>,
    ) -> Array2<f64>;
}

/// Refuses a value that is NaN or infinite.
pub(super) fn finite(what: &'static str, values: ArrayView2<f64>) -> Result<(), StimuliError> {
    // Without a way out in the middle, so that the compiler can use vector instructions.
    let sum: f64 = values.iter().map(|v| v * 0.0).sum();
    if sum == 0.0 {
        return Ok(());
    }
    match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        Some(((row, column), &value)) => Err(StimuliError::NotFinite {
            what,
            row,
            column,
            value,
        }),
        None => Ok(()),
    }
}
