//! What the clustering finds, and how to read it.

use chiasm_analysis::partition::PartitionError;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{
    Iteration, Normalization, ResponseModel, StimuliError, StimulusShape, average_linkage_order,
};

/// Functional types of neurons, each with the stimulus that drives it alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Types {
    /// The shape of a stimulus.
    pub shape: StimulusShape,
    /// Temperature of the objective.
    pub temperature: f64,
    /// The type of each neuron: 0, 1, ..., none empty.
    pub labels: Vec<usize>,
    /// The most discriminative stimulus of each type `[type, pixel]`, made from all its neurons.
    #[serde(with = "matrix")]
    pub stimuli: Array2<f64>,
    /// Z-scores of all neurons to them `[type, neuron]`.
    #[serde(with = "matrix")]
    pub responses: Array2<f64>,
    /// The objective of each stimulus, at most ln K.
    pub values: Vec<f64>,
    /// The course of the clustering, before the split stage.
    pub iterations: Vec<Iteration>,
    /// Whether the clustering ended because no neuron moved.
    pub converged: bool,
    /// Splits that stayed.
    pub n_splits: usize,
    /// What restarts are compared by: the mean objective with stimuli from random starts, or, with held-out neurons, the
    /// mean log share of their own type plus ln K.
    pub score: f64,
}

impl Types {
    /// Number of types.
    #[must_use]
    pub fn n_clusters(&self) -> usize {
        self.stimuli.nrows()
    }

    /// Neurons of each type.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.n_clusters()];
        self.labels.iter().for_each(|&l| sizes[l] += 1);
        sizes
    }

    /// How much more the stimulus of its own type drives each neuron than the best of the others, in z-scores: below 0
    /// where another drives it more.
    #[must_use]
    pub fn margins(&self) -> Vec<f64> {
        let margin = |(i, &own): (usize, &usize)| {
            let column = self.responses.column(i);
            let others = column.iter().enumerate().filter(|(k, _)| *k != own);
            let best = others.fold(f64::NEG_INFINITY, |b, (_, &v)| b.max(v));
            column[own] - best
        };
        self.labels.iter().enumerate().map(margin).collect()
    }

    /// Neurons whose margin is below this many z-scores, the least first.
    #[must_use]
    pub fn ambiguous(&self, margin: f64) -> Vec<usize> {
        let margins = self.margins();
        chiasm_core::stats::ascending(&margins)
            .into_iter()
            .filter(|&i| margins[i] < margin)
            .collect()
    }

    /// The share of each type in each neuron `[type, neuron]`: the softmax of its z-scores over the temperature.
    #[must_use]
    pub fn shares(&self) -> Array2<f64> {
        let mut shares = &self.responses / self.temperature;
        for mut column in shares.columns_mut() {
            let most = column.iter().fold(f64::NEG_INFINITY, |m, &v| m.max(v));
            column.mapv_inplace(|v| (v - most).exp());
            let sum = column.sum();
            column.mapv_inplace(|v| v / sum);
        }
        shares
    }

    /// The type of neurons from their z-scores `[type, neuron]` to the stimuli.
    ///
    /// # Errors
    /// If there is not one response to each stimulus.
    pub fn assign(&self, responses: ArrayView2<f64>) -> Result<Vec<usize>, StimuliError> {
        if responses.nrows() != self.n_clusters() {
            return Err(StimuliError::Shape {
                what: "responses",
                expected: format!("[{}, neuron], one row for each stimulus", self.n_clusters()),
                found: format!("{:?}", responses.shape()),
            });
        }
        Ok(argmax(responses))
    }

    /// The type of new neurons: shows them the stimuli.
    ///
    /// # Errors
    /// As [`Normalization::responses`].
    pub fn type_neurons(
        &self,
        model: &dyn ResponseModel,
        normalization: &Normalization,
    ) -> Result<Vec<usize>, StimuliError> {
        self.assign(normalization.responses(model, self.stimuli.view())?.view())
    }

    /// Mean response of each cluster to each stimulus `[stimulus, cluster]`, each column over its diagonal (as it is
    /// where the diagonal is not above 0).
    #[must_use]
    pub fn response_matrix(&self) -> Array2<f64> {
        let (k, sizes) = (self.n_clusters(), self.sizes());
        let mut matrix = Array2::zeros((k, k));
        for (i, &own) in self.labels.iter().enumerate() {
            for stimulus in 0..k {
                matrix[[stimulus, own]] += self.responses[[stimulus, i]] / sizes[own] as f64;
            }
        }
        for c in 0..k {
            let diagonal = matrix[[c, c]];
            if diagonal > 0.0 {
                matrix.column_mut(c).mapv_inplace(|v| v / diagonal);
            }
        }
        matrix
    }

    /// Types in an order in which those that answer alike stand side by side.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        average_linkage_order(self.response_matrix().t())
    }
}

/// The row of the largest value of each column; of equals the first.
pub(super) fn argmax(responses: ArrayView2<f64>) -> Vec<usize> {
    responses
        .columns()
        .into_iter()
        .map(|column| {
            let mut best = 0;
            for (k, v) in column.iter().enumerate() {
                if *v > column[best] {
                    best = k;
                }
            }
            best
        })
        .collect()
}

/// True types against found ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusion {
    /// Neurons `[true type, found type]`.
    pub counts: Array2<usize>,
}

impl Confusion {
    /// Counts how often each pair of labels meets.
    ///
    /// # Errors
    /// If the lists are not of one length, or empty.
    pub fn new(truth: &[usize], found: &[usize]) -> Result<Self, PartitionError> {
        if truth.len() != found.len() {
            return Err(PartitionError::Length {
                expected: truth.len(),
                found: found.len(),
            });
        }
        if truth.is_empty() {
            return Err(PartitionError::Empty);
        }
        let size = |labels: &[usize]| labels.iter().max().map_or(0, |m| m + 1);
        let mut counts = Array2::zeros((size(truth), size(found)));
        for (&t, &f) in truth.iter().zip(found) {
            counts[[t, f]] += 1;
        }
        Ok(Self { counts })
    }

    /// Shares `[true type, found type]`: each row sums to 1, or to 0 where a type has no neuron.
    #[must_use]
    pub fn shares(&self) -> Array2<f64> {
        let mut shares = self.counts.mapv(|c| c as f64);
        for mut row in shares.rows_mut() {
            let sum = row.sum();
            if sum > 0.0 {
                row.mapv_inplace(|v| v / sum);
            }
        }
        shares
    }
}

/// A matrix as its number of columns and its values, row by row.
mod matrix {
    use ndarray::Array2;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(matrix: &Array2<f64>, to: S) -> Result<S::Ok, S::Error> {
        let values: Vec<f64> = matrix.iter().copied().collect();
        (matrix.ncols(), values).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Array2<f64>, D::Error> {
        let (columns, values) = <(usize, Vec<f64>)>::deserialize(from)?;
        let rows = values.len() / columns.max(1);
        Array2::from_shape_vec((rows, columns), values).map_err(D::Error::custom)
    }
}
