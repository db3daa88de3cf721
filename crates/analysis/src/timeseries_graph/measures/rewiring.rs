//! Random graphs of given degrees.

use std::collections::HashSet;

use chiasm_core::Rng;
use rand::RngExt;

use crate::timeseries_graph::Graph;

/// A random graph with the degree of every node kept: `swaps` times as often as there are edges, two edges are drawn and
/// exchange their ends, unless that made a loop or a double edge (Maslov & Sneppen 2002).
#[must_use]
pub fn rewired(graph: &Graph, swaps: usize, rng: &mut Rng) -> Graph {
    let mut edges: Vec<(u32, u32)> = graph.edges().map(|(i, j)| (i as u32, j as u32)).collect();
    if edges.len() < 2 {
        return graph.clone();
    }
    let key = |a: u32, b: u32| (u64::from(a.min(b)) << 32) | u64::from(a.max(b));
    let mut present: HashSet<u64> = edges.iter().map(|&(a, b)| key(a, b)).collect();
    for _ in 0..swaps.saturating_mul(edges.len()) {
        let (p, q) = (
            rng.random_range(0..edges.len()),
            rng.random_range(0..edges.len()),
        );
        let ((a, b), (c, d)) = (edges[p], edges[q]);
        // Either pair of ends, so that orientation does not matter.
        let (c, d) = if rng.random() { (c, d) } else { (d, c) };
        let fits = p != q
            && a != d
            && c != b
            && !present.contains(&key(a, d))
            && !present.contains(&key(c, b));
        if fits {
            present.remove(&key(a, b));
            present.remove(&key(c, d));
            present.insert(key(a, d));
            present.insert(key(c, b));
            (edges[p], edges[q]) = ((a, d), (c, b));
        }
    }
    let mut lists = vec![Vec::new(); graph.n_nodes()];
    for (a, b) in edges {
        lists[a.max(b) as usize].push(a.min(b));
    }
    for list in &mut lists {
        list.sort_unstable_by(|x, y| y.cmp(x));
    }
    Graph::from_earlier(&lists)
}
