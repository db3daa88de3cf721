//! Several channels of one recording: a graph each, on the same moments.

use std::collections::BTreeMap;

use super::{Graph, TimeseriesGraphError};

/// What the graphs of several channels share (Lacasa, Nicosia & Latora 2015).
#[derive(Debug, Clone, PartialEq)]
pub struct Multiplex {
    /// The mean share of channels in which an edge occurs, over the edges of any: 1 where all graphs are equal, 1 over
    /// the number of channels where no edge is shared.
    pub edge_overlap: f64,
    /// Mutual information of the degrees of the same moment in two channels, nats, `[channel][channel]`; a channel with
    /// itself gives the entropy of its degrees.
    pub degree_information: Vec<Vec<f64>>,
}

impl Multiplex {
    /// The mean mutual information over pairs of different channels, nats.
    #[must_use]
    pub fn mean_information(&self) -> f64 {
        let rows = self.degree_information.iter().enumerate();
        let pairs: Vec<f64> = rows.flat_map(|(a, row)| row[..a].to_vec()).collect();
        chiasm_core::stats::mean(&pairs)
    }
}

/// Compares graphs on the same nodes.
///
/// # Errors
/// Fewer than two graphs, or one with another number of nodes.
pub fn multiplex(graphs: &[Graph]) -> Result<Multiplex, TimeseriesGraphError> {
    if graphs.len() < 2 {
        return Err(TimeseriesGraphError::TooFew {
            what: "channels",
            least: 2,
            found: graphs.len(),
        });
    }
    let n = graphs[0].n_nodes();
    if let Some(other) = graphs.iter().find(|g| g.n_nodes() != n) {
        return Err(TimeseriesGraphError::Length {
            what: "nodes of another channel",
            expected: n,
            found: other.n_nodes(),
        });
    }
    let mut of_any = 0usize;
    let mut both = Vec::new();
    for j in 0..n {
        both.clear();
        graphs
            .iter()
            .for_each(|g| both.extend_from_slice(g.earlier(j)));
        both.sort_unstable();
        both.dedup();
        of_any += both.len();
    }
    let all: usize = graphs.iter().map(Graph::n_edges).sum();
    let degrees: Vec<Vec<u32>> = graphs.iter().map(Graph::degrees).collect();
    let mut degree_information = vec![vec![0.0; graphs.len()]; graphs.len()];
    for a in 0..graphs.len() {
        for b in 0..=a {
            let shared = information(&degrees[a], &degrees[b]);
            degree_information[a][b] = shared;
            degree_information[b][a] = shared;
        }
    }
    Ok(Multiplex {
        edge_overlap: all as f64 / (graphs.len() * of_any.max(1)) as f64,
        degree_information,
    })
}

fn information(a: &[u32], b: &[u32]) -> f64 {
    let n = a.len() as f64;
    let count = |x: &[u32]| {
        let mut counts = BTreeMap::new();
        x.iter()
            .for_each(|k| *counts.entry(*k).or_insert(0.0) += 1.0);
        counts
    };
    let (of_a, of_b) = (count(a), count(b));
    let mut joint = BTreeMap::new();
    for pair in a.iter().zip(b) {
        *joint.entry(pair).or_insert(0.0f64) += 1.0;
    }
    let term = |((i, j), k): (&(&u32, &u32), &f64)| k / n * (k * n / (of_a[*i] * of_b[*j])).ln();
    joint.iter().map(term).sum::<f64>().max(0.0)
}
