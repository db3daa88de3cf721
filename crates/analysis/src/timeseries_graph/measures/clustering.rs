//! Triangles.

use std::sync::atomic::{AtomicU64, Ordering};

use chiasm_core::{Cancelled, Watch};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::timeseries_graph::Adjacency;

/// How often the neighbours of a node are neighbours of each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clustering {
    /// Triangles.
    pub triangles: u64,
    /// Closed over all paths of two edges, 0 to 1; `None` without such a path.
    pub transitivity: Option<f64>,
    /// Mean over nodes of the share of pairs of neighbours that are joined; 0 for a node with fewer than two.
    pub mean_local: f64,
}

/// Counts the triangles of a graph: each once, at the node of the lowest degree, in O(m^1.5) for m edges.
///
/// # Errors
/// Cancelled work.
pub fn clustering(adjacency: &Adjacency, watch: &dyn Watch) -> Result<Clustering, Cancelled> {
    let n = adjacency.n_nodes();
    // Each node keeps its neighbours of higher degree (of equals, those of higher number), which bounds the lists.
    let above = |i: usize, j: usize| (adjacency.degree(j), j) > (adjacency.degree(i), i);
    let lists: Vec<Vec<u32>> = (0..n)
        .into_par_iter()
        .map(|i| {
            let list = adjacency.of(i).iter().copied();
            list.filter(|&j| above(i, j as usize)).collect()
        })
        .collect();
    let upper = Adjacency::from_lists(&lists);
    drop(lists);
    watch.stage("counting triangles", n as u64);
    // Whole numbers: the order in which threads add them does not matter.
    let of_node: Vec<AtomicU64> = (0..n).map(|_| AtomicU64::new(0)).collect();
    let add = |i: usize, k: u64| of_node[i].fetch_add(k, Ordering::Relaxed);
    let nodes: Vec<usize> = (0..n).collect();
    nodes.par_chunks(1024).try_for_each(|chunk| {
        watch.check()?;
        for &i in chunk {
            let mine = upper.of(i);
            for &j in mine {
                let mut shared = 0;
                each_common(mine, upper.of(j as usize), |k| {
                    shared += 1;
                    add(k as usize, 1);
                });
                if shared > 0 {
                    add(i, shared);
                    add(j as usize, shared);
                }
            }
        }
        watch.tick(chunk.len() as u64);
        Ok(())
    })?;
    let mut corners = 0u64;
    let mut wedges = 0.0f64;
    let mut local = 0.0;
    for (i, count) in of_node.iter().enumerate() {
        let (count, d) = (count.load(Ordering::Relaxed), adjacency.degree(i) as f64);
        corners += count;
        let pairs = d * (d - 1.0) / 2.0;
        wedges += pairs;
        if pairs > 0.0 {
            local += count as f64 / pairs;
        }
    }
    Ok(Clustering {
        triangles: corners / 3,
        transitivity: (wedges > 0.0).then(|| corners as f64 / wedges),
        mean_local: local / n as f64,
    })
}

/// Calls `with` for each number in both of two ascending lists.
fn each_common(a: &[u32], b: &[u32], mut with: impl FnMut(u32)) {
    let (mut p, mut q) = (0, 0);
    while p < a.len() && q < b.len() {
        let (x, y) = (a[p], b[q]);
        if x == y {
            with(x);
        }
        p += usize::from(x <= y);
        q += usize::from(y <= x);
    }
}
