//! The chain itself, and what smoothing returns.

use ndarray::{Array1, Array2, ArrayView2};

use super::HmmError;

/// Initial and transition probabilities of S states.
#[derive(Debug, Clone, PartialEq)]
pub struct HiddenChain {
    initial: Array1<f64>,
    transition: Array2<f64>,
}

/// State posteriors of one sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    /// p(state | all bins), `[time, state]`; rows sum to 1.
    pub posterior: Array2<f64>,
    /// Expected transitions, summed over time: `[from, to]`; all its entries sum to T - 1.
    pub transitions: Array2<f64>,
    /// log p(all bins).
    pub log_likelihood: f64,
}

/// How far a sum of probabilities may lie from 1.
const SUM_TOLERANCE: f64 = 1e-6;

impl HiddenChain {
    /// A chain of these initial (`[state]`) and transition (`[from, to]`) probabilities. Rows are divided by their sums,
    /// which must be 1 within 1e-6.
    ///
    /// # Errors
    /// [`HmmError::NoState`], [`HmmError::Shape`], [`HmmError::NotADistribution`].
    pub fn new(mut initial: Array1<f64>, mut transition: Array2<f64>) -> Result<Self, HmmError> {
        let n = initial.len();
        if n == 0 {
            return Err(HmmError::NoState);
        }
        if transition.dim() != (n, n) {
            let (rows, columns) = transition.dim();
            return Err(HmmError::Shape {
                what: "transition",
                expected: format!("{n} x {n}"),
                found: format!("{rows} x {columns}"),
            });
        }
        let sum_of = |row: ndarray::ArrayView1<'_, f64>| {
            if row.iter().all(|p| p.is_finite() && *p >= 0.0) {
                row.sum()
            } else {
                f64::NAN
            }
        };
        let check = |what, row, sum: f64| {
            if (sum - 1.0).abs() <= SUM_TOLERANCE {
                Ok(())
            } else {
                Err(HmmError::NotADistribution { what, row, sum })
            }
        };
        let sum = sum_of(initial.view());
        check("initial", 0, sum)?;
        initial /= sum;
        for (i, mut row) in transition.rows_mut().into_iter().enumerate() {
            let sum = sum_of(row.view());
            check("transition", i, sum)?;
            row /= sum;
        }
        Ok(Self {
            initial,
            transition,
        })
    }

    /// S states of equal initial probability, each of which stays with probability `stay` and goes to any other alike.
    /// One state always stays.
    ///
    /// # Errors
    /// [`HmmError::NoState`]; [`HmmError::NotADistribution`] if `stay` is no probability.
    pub fn sticky(n_states: usize, stay: f64) -> Result<Self, HmmError> {
        let initial = Array1::from_elem(n_states, 1.0 / n_states as f64);
        if n_states == 1 {
            return Self::new(initial, Array2::ones((1, 1)));
        }
        let go = (1.0 - stay) / (n_states as f64 - 1.0);
        let transition =
            Array2::from_shape_fn(
                (n_states, n_states),
                |(i, j)| if i == j { stay } else { go },
            );
        Self::new(initial, transition)
    }

    /// Number of states.
    #[must_use]
    pub fn n_states(&self) -> usize {
        self.initial.len()
    }

    /// Initial probabilities, `[state]`.
    #[must_use]
    pub fn initial(&self) -> &Array1<f64> {
        &self.initial
    }

    /// Transition probabilities, `[from, to]`.
    #[must_use]
    pub fn transition(&self) -> &Array2<f64> {
        &self.transition
    }

    /// Checks emissions `[time, state]`.
    pub(super) fn check(&self, log_emission: ArrayView2<'_, f64>) -> Result<(), HmmError> {
        let (n_bins, n_states) = log_emission.dim();
        if n_states != self.n_states() {
            return Err(HmmError::Shape {
                what: "emissions",
                expected: format!("[time, {} states]", self.n_states()),
                found: format!("[{n_bins}, {n_states}]"),
            });
        }
        if n_bins == 0 {
            return Err(HmmError::NoBin);
        }
        match log_emission
            .indexed_iter()
            .find(|(_, v)| v.is_nan() || **v == f64::INFINITY)
        {
            Some(((bin, state), &value)) => Err(HmmError::Emission { bin, state, value }),
            None => Ok(()),
        }
    }
}
