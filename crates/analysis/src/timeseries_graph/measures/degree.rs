//! What degrees alone say.

use crate::timeseries_graph::{Adjacency, Graph};

/// Mean degree.
#[must_use]
pub fn mean_degree(graph: &Graph) -> f64 {
    2.0 * graph.n_edges() as f64 / graph.n_nodes() as f64
}

/// Population standard deviation of the degree.
#[must_use]
pub fn sd_degree(graph: &Graph) -> f64 {
    let mean = mean_degree(graph);
    let square = |k: u32| (f64::from(k) - mean).powi(2);
    let sum: f64 = graph.degrees().into_iter().map(square).sum();
    (sum / graph.n_nodes() as f64).sqrt()
}

/// Edges over pairs of nodes, 0 to 1; NaN for a single node.
#[must_use]
pub fn density(graph: &Graph) -> f64 {
    mean_degree(graph) / (graph.n_nodes() as f64 - 1.0)
}

/// The share of nodes of each degree 0, 1, ..., up to the largest.
#[must_use]
pub fn degree_distribution(graph: &Graph) -> Vec<f64> {
    let degrees = graph.degrees();
    let most = degrees.iter().max().map_or(0, |m| *m as usize);
    let mut share = vec![0.0; most + 1];
    for k in degrees {
        share[k as usize] += 1.0 / graph.n_nodes() as f64;
    }
    share
}

/// The decay lambda of the degree distribution, `P(k) ~ exp(-lambda k)` for `k >= from`, and its standard error: the
/// maximum-likelihood estimate `ln(1 + 1 / (mean excess over from))`. The horizontal graph of noise has ln(3/2) = 0.405;
/// correlated series lie above it, chaotic ones below (Lacasa & Toral 2010). `None` where no node exceeds `from`.
#[must_use]
pub fn degree_exponent(graph: &Graph, from: usize) -> Option<(f64, f64)> {
    let excess: Vec<f64> = graph
        .degrees()
        .into_iter()
        .filter(|k| *k as usize >= from)
        .map(|k| f64::from(k) - from as f64)
        .collect();
    let mean = chiasm_core::stats::mean(&excess);
    // NaN where there is none.
    if mean.is_nan() || mean <= 0.0 {
        return None;
    }
    let lambda = (1.0 / mean).ln_1p();
    // The information of a geometric distribution in lambda, n q / (1 - q)^2 with q = exp(-lambda).
    let q = (-lambda).exp();
    let error = (1.0 - q) / (excess.len() as f64 * q).sqrt();
    Some((lambda, error))
}

/// The correlation of the degrees at both ends of an edge (Newman 2002), -1 to 1; `None` without edges or where all ends
/// have one degree.
#[must_use]
pub fn assortativity(adjacency: &Adjacency) -> Option<f64> {
    // Sums of whole numbers, exact up to 2^127: degrees below 2^32 on fewer than 2^63 arcs.
    let (mut sum, mut squares, mut products) = (0u128, 0u128, 0u128);
    for i in 0..adjacency.n_nodes() {
        let own = adjacency.degree(i) as u128;
        let others: u128 = adjacency
            .of(i)
            .iter()
            .map(|&j| adjacency.degree(j as usize) as u128)
            .sum();
        sum += own * own;
        squares += own * own * own;
        products += own * others;
    }
    let n = adjacency.n_arcs() as f64;
    if n == 0.0 {
        return None;
    }
    let mean = sum as f64 / n;
    let variance = squares as f64 / n - mean * mean;
    (variance > 1e-12 * mean * mean).then(|| (products as f64 / n - mean * mean) / variance)
}
