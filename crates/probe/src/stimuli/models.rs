//! Models of responses that are built in.

mod dense;
mod energy;
mod linear;
mod movie;
mod nonlinearity;
mod train;

pub use dense::Dense;
pub use energy::Energy;
pub use linear::LinearNonlinear;
pub use movie::{Movie, MovieFilters};
pub use nonlinearity::Nonlinearity;
pub use train::Training;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::StimuliError;
use super::model::finite;
use super::product::{times, times_transposed};

/// Precision of the matrix products of a model; everything else is in double precision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 64 bits.
    #[default]
    Double,
    /// 32 bits: twice as fast, half the memory.
    Single,
}

/// A matrix of weights `[neuron, pixel]`, in either precision.
#[derive(Debug, Clone)]
pub(super) enum Weights {
    Double(Array2<f64>),
    Single(Array2<f32>),
}

impl Weights {
    pub(super) fn new(
        what: &'static str,
        weights: Array2<f64>,
        n_columns: usize,
    ) -> Result<Self, StimuliError> {
        if weights.nrows() == 0 || weights.ncols() != n_columns {
            return Err(StimuliError::Shape {
                what,
                expected: format!("[neuron, {n_columns}], the pixels of the stimulus shape"),
                found: format!("{:?}", weights.shape()),
            });
        }
        finite(what, weights.view())?;
        Ok(Self::Double(weights.as_standard_layout().into_owned()))
    }

    pub(super) fn with(self, precision: Precision) -> Self {
        match (self, precision) {
            (Self::Double(w), Precision::Single) => Self::Single(w.mapv(|v| v as f32)),
            (Self::Single(w), Precision::Double) => Self::Double(w.mapv(f64::from)),
            (same, _) => same,
        }
    }

    pub(super) fn n_rows(&self) -> usize {
        match self {
            Self::Double(w) => w.nrows(),
            Self::Single(w) => w.nrows(),
        }
    }

    /// `x` `[stimulus, pixel]` on the weights: `[stimulus, neuron]`.
    pub(super) fn forth(&self, x: ArrayView2<f64>) -> Array2<f64> {
        match self {
            Self::Double(w) => times_transposed(x, w.view()),
            Self::Single(w) => {
                let x = x.mapv(|v| v as f32);
                times_transposed(x.view(), w.view()).mapv(f64::from)
            }
        }
    }

    /// `x` `[stimulus, neuron]` back through the weights: `[stimulus, pixel]`.
    pub(super) fn back(&self, x: ArrayView2<f64>) -> Array2<f64> {
        match self {
            Self::Double(w) => times(x, w.view()),
            Self::Single(w) => {
                let x = x.mapv(|v| v as f32);
                times(x.view(), w.view()).mapv(f64::from)
            }
        }
    }
}

/// A list with one finite number for each neuron.
pub(super) fn per_neuron(
    what: &'static str,
    list: &[f64],
    n_neurons: usize,
) -> Result<(), StimuliError> {
    if list.len() != n_neurons {
        return Err(StimuliError::PerNeuron {
            what,
            expected: n_neurons,
            found: list.len(),
        });
    }
    match list.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(StimuliError::NotFinite {
            what,
            row: i,
            column: 0,
            value: list[i],
        }),
        None => Ok(()),
    }
}
