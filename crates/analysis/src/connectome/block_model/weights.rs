//! What the weights between two blocks cost.

use std::borrow::Cow;

use statrs::function::gamma::ln_gamma;

use super::config::WeightModel;
use super::error::BlockModelError;
use super::graph::WeightedGraph;
use super::terms::{Cell, LogFactorials};

const LN_2_PI: f64 = 1.837_877_066_409_345_3;

/// A graph as its weight model sees it.
#[derive(Debug)]
pub(super) struct Weighting<'g> {
    /// The graph; of the log-normal model, its weights' logarithms.
    pub(super) graph: Cow<'g, WeightedGraph>,
    pub(super) term: WeightTerm,
    /// The part of the cost that no partition changes.
    pub(super) constant: f64,
}

impl<'g> Weighting<'g> {
    /// # Errors
    /// Where a weight is outside the model's domain; the edge is named.
    pub(super) fn new(
        model: WeightModel,
        graph: &'g WeightedGraph,
    ) -> Result<Self, BlockModelError> {
        if model != WeightModel::LogNormal {
            let (term, constant) = WeightTerm::new(model, graph)?;
            return Ok(Self {
                graph: Cow::Borrowed(graph),
                term,
                constant,
            });
        }
        check(graph, "a weight above 0 (log-normal model)", |w| w > 0.0)?;
        let logs = graph.map_weights(f64::ln);
        let (term, _) = WeightTerm::new(WeightModel::Normal, &logs)?;
        Ok(Self {
            term,
            // Densities of ln w become densities of w, so that the models can be compared.
            constant: logs.edges().map(|e| e.2).sum(),
            graph: Cow::Owned(logs),
        })
    }
}

impl WeightModel {
    /// The models among which this one chooses: itself, or of [`WeightModel::Auto`] those that these weights allow.
    ///
    /// # Errors
    /// Where a weight is outside the domain of all.
    pub(super) fn candidates(
        self,
        graph: &WeightedGraph,
    ) -> Result<Vec<(Self, Weighting<'_>)>, BlockModelError> {
        if self != Self::Auto {
            return Ok(vec![(self, Weighting::new(self, graph)?)]);
        }
        let mut all = vec![(Self::Exponential, Weighting::new(Self::Exponential, graph)?)];
        // Weights that are all equal have no log-normal.
        if let Ok(weighting) = Weighting::new(Self::LogNormal, graph) {
            all.push((Self::LogNormal, weighting));
        }
        Ok(all)
    }
}

fn check(
    graph: &WeightedGraph,
    expected: &'static str,
    fits: impl Fn(f64) -> bool,
) -> Result<(), BlockModelError> {
    match graph.edges().find(|e| !fits(e.2)) {
        Some((a, b, found)) => Err(BlockModelError::Weight {
            a,
            b,
            expected,
            found,
        }),
        None => Ok(()),
    }
}

/// The marginal likelihood of the weights between two blocks, its parameters integrated out under a conjugate prior
/// whose constants come from the whole graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum WeightTerm {
    None,
    /// Gamma prior of shape 1 and rate `beta` on the rate.
    Exponential {
        beta: f64,
        ln_beta: f64,
    },
    /// Gamma prior of shape 1 and rate `beta` on the mean.
    Poisson {
        beta: f64,
        ln_beta: f64,
    },
    /// Normal-inverse-gamma prior: mean `mean` with weight 1, variance with shape 1/2 and scale `half_variance`.
    Normal {
        mean: f64,
        half_variance: f64,
        half_ln_half_variance: f64,
    },
}

impl WeightTerm {
    /// The term of this model on this graph.
    ///
    /// # Errors
    /// Where a weight is outside the model's domain; the edge is named.
    pub(super) fn new(
        model: WeightModel,
        graph: &WeightedGraph,
    ) -> Result<(Self, f64), BlockModelError> {
        let mean = graph.mean_weight();
        Ok(match model {
            WeightModel::None => (Self::None, 0.0),
            // The choice is made above, between the costs of whole fits.
            WeightModel::Exponential | WeightModel::Auto => {
                check(graph, "a weight above 0 (exponential model)", |w| w > 0.0)?;
                let ln_beta = mean.ln();
                (
                    Self::Exponential {
                        beta: mean,
                        ln_beta,
                    },
                    0.0,
                )
            }
            WeightModel::Poisson => {
                check(graph, "a whole number of 0 or more (Poisson model)", |w| {
                    w >= 0.0 && w.fract() == 0.0 && w < 9e15
                })?;
                // Where every weight is 0 any prior does; rate 1 keeps it proper.
                let beta = if mean > 0.0 { 1.0 / mean } else { 1.0 };
                let constant = graph.edges().map(|e| ln_gamma(e.2 + 1.0)).sum();
                (
                    Self::Poisson {
                        beta,
                        ln_beta: beta.ln(),
                    },
                    constant,
                )
            }
            WeightModel::Normal | WeightModel::LogNormal => {
                let n = graph.n_edges() as f64;
                let variance = graph.edges().map(|e| (e.2 - mean).powi(2)).sum::<f64>() / n;
                if variance <= 0.0 {
                    let (a, b, found) = graph.edges().next().unwrap_or((0, 0, f64::NAN));
                    return Err(BlockModelError::Weight {
                        a,
                        b,
                        expected: "weights that are not all equal (normal model)",
                        found,
                    });
                }
                (
                    Self::Normal {
                        mean,
                        half_variance: 0.5 * variance,
                        half_ln_half_variance: 0.5 * (0.5 * variance).ln(),
                    },
                    0.0,
                )
            }
        })
    }

    /// `-ln P` of the weights in this cell, without the part that no partition changes.
    #[inline(always)]
    pub(super) fn cost(&self, cell: &Cell, lf: &LogFactorials) -> f64 {
        if cell.count == 0 {
            return 0.0;
        }
        let c = f64::from(cell.count);
        match *self {
            Self::None => 0.0,
            Self::Exponential { beta, ln_beta } => {
                (1.0 + c) * (beta + cell.sum).ln() - ln_beta - lf.factorial(u64::from(cell.count))
            }
            Self::Poisson { beta, ln_beta } => {
                (1.0 + cell.sum) * (beta + c).ln() - ln_beta - lf.factorial(cell.sum.round() as u64)
            }
            Self::Normal {
                mean,
                half_variance,
                half_ln_half_variance,
            } => {
                // Weights are centred on the global mean first: the sums stay small and the mean's prior is 0.
                let sum = cell.sum - c * mean;
                let square = cell.square - 2.0 * mean * cell.sum + c * mean * mean;
                let shape = 0.5 + 0.5 * c;
                let scale = half_variance + (0.5 * (square - sum * sum / (1.0 + c))).max(0.0);
                0.5 * c * LN_2_PI + lf.normal(cell.count) - half_ln_half_variance
                    + shape * scale.ln()
            }
        }
    }
}
