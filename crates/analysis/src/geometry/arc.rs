//! How well a code can agree with two kernels at once.

use serde::{Deserialize, Serialize};

/// The bound on the alignments of one code with inputs and with targets, whose own alignment is `between` (paper 23, D).
///
/// Centered kernels are vectors and alignments cosines, so the angles to the two add up to at least the angle
/// `arccos(between)` from one to the other: alignments lie on or below the arc `(cos t, cos(arccos(between) - t))`. The
/// paper writes it as the unit circle with both axes turned by `(pi / 2 - arccos(between)) / 2`, which is the same curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FeasibleArc {
    /// Alignment of inputs and targets, 0 to 1.
    pub between: f64,
}

impl FeasibleArc {
    /// The angle from inputs to targets.
    fn angle(self) -> f64 {
        self.between.clamp(-1.0, 1.0).acos()
    }

    /// The best target alignment of a code with this input alignment.
    #[must_use]
    pub fn most(self, input: f64) -> f64 {
        let apart = self.angle() - input.clamp(-1.0, 1.0).acos();
        apart.max(0.0).cos()
    }

    /// `n` points of the arc, as input and target alignments, from the inputs themselves `(1, between)` to the targets
    /// `(between, 1)`.
    #[must_use]
    pub fn points(self, n: usize) -> (Vec<f64>, Vec<f64>) {
        let step = |i: usize| self.angle() * i as f64 / (n.max(2) - 1) as f64;
        let point = |i| (step(i).cos(), (self.angle() - step(i)).cos());
        (0..n).map(point).unzip()
    }
}
