//! Non-negative symmetric encoder and decoder (Sun et al. 2017), a baseline of community detection.

use chiasm_core::Rng;
use ndarray::{Array2, Zip};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::level::not_negative;
use super::{PartitionError, by_appearance};
use crate::connectome::block_model::WeightedGraph;

/// Weights `A` written as `W H` and memberships as `H = W^T A`, with nothing negative: multiplicative updates of
/// `|A - W H|^2 + |H - W^T A|^2`. A node belongs where its membership is largest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nnsed {
    /// Communities, at most (karateclub: 32).
    pub communities: usize,
    /// Rounds of updates (karateclub: 10; chosen: enough to stand still).
    pub rounds: usize,
}

impl Default for Nnsed {
    fn default() -> Self {
        Self {
            communities: 32,
            rounds: 200,
        }
    }
}

/// Squared errors of encoder and decoder, and labels.
#[derive(Debug, Clone, PartialEq)]
pub struct NnsedFit {
    /// One label for each node, from 0 in order of first appearance.
    pub labels: Vec<usize>,
    /// `|A - W H|^2 + |H - W^T A|^2` before the first round and after each.
    pub errors: Vec<f64>,
}

impl Nnsed {
    /// Factors the weights of a graph, in parts of the largest, from a random start.
    ///
    /// # Errors
    /// Where a weight is negative.
    pub fn fit(&self, graph: &WeightedGraph, rng: &mut Rng) -> Result<NnsedFit, PartitionError> {
        not_negative(graph)?;
        let (n, k) = (graph.n_nodes(), self.communities.max(1));
        let largest = graph.edges().map(|e| e.2).fold(f64::MIN_POSITIVE, f64::max);
        let mut a: Array2<f64> = Array2::zeros((n, n));
        for (i, j, w) in graph.edges() {
            a[[i, j]] += w / largest;
            a[[j, i]] += w / largest;
        }
        let mut draw = |shape| Array2::from_shape_simple_fn(shape, || rng.random::<f64>());
        let (mut w, mut h) = (draw((n, k)), draw((k, n)));
        let error = |w: &Array2<f64>, h: &Array2<f64>| {
            let square = |x: Array2<f64>| x.iter().map(|v| v * v).sum::<f64>();
            square(&a - &w.dot(h)) + square(h - &w.t().dot(&a))
        };
        let mut errors = vec![error(&w, &h)];
        for _ in 0..self.rounds {
            let more = a.dot(&h.t()) * 2.0;
            let less = w.dot(&h.dot(&h.t())) + a.dot(&a.dot(&w));
            scale(&mut w, &more, &less);
            let more = w.t().dot(&a) * 2.0;
            let less = w.t().dot(&w).dot(&h) + &h;
            scale(&mut h, &more, &less);
            errors.push(error(&w, &h));
        }
        let labels: Vec<usize> = h
            .columns()
            .into_iter()
            .map(|column| {
                let larger =
                    |best: usize, c: usize| if column[c] > column[best] { c } else { best };
                (0..k).fold(0, larger)
            })
            .collect();
        Ok(NnsedFit {
            labels: by_appearance(&labels),
            errors,
        })
    }
}

fn scale(x: &mut Array2<f64>, more: &Array2<f64>, less: &Array2<f64>) {
    Zip::from(x)
        .and(more)
        .and(less)
        .for_each(|x, more, less| *x *= more / less.max(f64::MIN_POSITIVE));
}
