//! Distances along a graph of short edges: what is left of a representation when only neighborhoods count.
//!
//! Stimuli are nodes, dissimilarities are lengths of edges; long edges are deleted; the geodesic is the length of the
//! shortest path. Pairs without a path get the largest finite geodesic. The result is ranked, as in the released code.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use chiasm_core::stats;
use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::RsaError;
use super::transform::{Thresholds, geo_topological, minmax, rank_minmax};

/// From this many nodes on, Dijkstra from every node of the thinned graph (parallel) takes the place of
/// Floyd-Warshall.
const DENSE_UP_TO: usize = 400;

/// Which edges are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Geodesic {
    /// Those above the upper threshold of the geo-topological transform, whose values are the lengths. The paper's
    /// main analyses use this.
    TwoStep(Thresholds),
    /// Those above this quantile of the ranks (released code: 0.05).
    PShortest(f64),
    /// All but those between a node and one of its `k` nearest, in either direction (released code: 1).
    KNearest(usize),
    /// As `KNearest`, with k = floor(p n), at least 1.
    PNearest(f64),
}

/// What an edge of length zero is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ZeroEdges {
    /// An edge.
    #[default]
    Keep,
    /// None: for comparison with code on graph libraries that drop zeros when they build a graph from a matrix.
    Missing,
}

impl Geodesic {
    /// Ranks of the geodesics of a condensed vector of distances, divided by their number: in (0, 1].
    ///
    /// # Errors
    /// [`RsaError::Constant`], [`RsaError::NotFinite`]; [`RsaError::NoEdges`] if no edge is left;
    /// [`RsaError::FlatGeodesics`] if all paths have one length, as where edges of length 0 connect all stimuli;
    /// [`RsaError::Parameter`] for k or p out of range; [`RsaError::Shape`] if the length is not n(n-1)/2.
    pub fn ranks(&self, distances: &[f64], zeros: ZeroEdges) -> Result<Vec<f64>, RsaError> {
        let mut paths = self.paths(distances, zeros)?;
        close_gaps(&mut paths)?;
        if paths.iter().all(|&p| p == paths[0]) {
            return Err(RsaError::FlatGeodesics {
                what: "RDM".into(),
                length: paths[0],
            });
        }
        let mut ranks = stats::average_ranks(&paths);
        let m = ranks.len() as f64;
        ranks.iter_mut().for_each(|r| *r /= m);
        Ok(ranks)
    }

    /// The geodesics of a condensed vector of distances; infinite where there is no path.
    ///
    /// # Errors
    /// Those of [`Geodesic::ranks`], but [`RsaError::NoEdges`] and [`RsaError::FlatGeodesics`].
    pub fn paths(&self, distances: &[f64], zeros: ZeroEdges) -> Result<Vec<f64>, RsaError> {
        let n = chiasm_data::rdm::n_of_pairs(distances.len()).ok_or_else(|| RsaError::Shape {
            what: "RDM",
            expected: "n(n-1)/2 distances".into(),
            found: distances.len().to_string(),
        })?;
        let x = rank_minmax(distances)?;
        let mut edges = match *self {
            Self::TwoStep(thresholds) => {
                let mut g = geo_topological(&x, thresholds);
                minmax(&mut g)?;
                g.iter()
                    .map(|&g| if g < 1.0 { g } else { f64::INFINITY })
                    .collect()
            }
            Self::PShortest(p) => {
                let cut = stats::quantile(&x, fraction("p", p)?);
                x.iter()
                    .map(|&x| if x <= cut { x } else { f64::INFINITY })
                    .collect()
            }
            Self::KNearest(k) => nearest(x, n, k)?,
            Self::PNearest(p) => {
                let k = (fraction("p", p)? * n as f64).floor() as usize;
                nearest(x, n, k.max(1))?
            }
        };
        if zeros == ZeroEdges::Missing {
            edges
                .iter_mut()
                .filter(|e| **e == 0.0)
                .for_each(|e| *e = f64::INFINITY);
        }
        Ok(shortest_paths(&edges, n))
    }
}

fn fraction(name: &'static str, p: f64) -> Result<f64, RsaError> {
    if p > 0.0 && p <= 1.0 {
        Ok(p)
    } else {
        Err(RsaError::Parameter {
            name,
            expected: "a fraction above 0 and at most 1",
            found: p,
        })
    }
}

/// Keeps the edges between nodes of which one is among the other's `k` nearest; ties go to the lower index.
pub(super) fn nearest(mut x: Vec<f64>, n: usize, k: usize) -> Result<Vec<f64>, RsaError> {
    if k == 0 || k >= n {
        return Err(RsaError::Parameter {
            name: "k",
            expected: "at least 1 and below the number of stimuli",
            found: k as f64,
        });
    }
    let square = chiasm_data::rdm::square(ndarray::ArrayView1::from(&x));
    let mut near = Array2::from_elem((n, n), false);
    for i in 0..n {
        let mut others: Vec<usize> = (0..n).filter(|&j| j != i).collect();
        others.sort_by(|&a, &b| square[[i, a]].total_cmp(&square[[i, b]]));
        others[..k].iter().for_each(|&j| near[[i, j]] = true);
    }
    let mut pair = 0;
    for i in 0..n {
        for j in i + 1..n {
            if !(near[[i, j]] || near[[j, i]]) {
                x[pair] = f64::INFINITY;
            }
            pair += 1;
        }
    }
    Ok(x)
}

/// Replaces what is infinite by the largest finite path.
fn close_gaps(paths: &mut [f64]) -> Result<(), RsaError> {
    let largest = paths
        .iter()
        .copied()
        .filter(|p| p.is_finite())
        .fold(f64::NAN, f64::max);
    if largest.is_nan() {
        return Err(RsaError::NoEdges { what: "RDM".into() });
    }
    paths
        .iter_mut()
        .filter(|p| p.is_infinite())
        .for_each(|p| *p = largest);
    Ok(())
}

/// All-pairs shortest paths over an undirected graph given by the condensed lengths of its edges (infinite: no edge;
/// none below 0). O(n^3) for small or dense graphs, O(n e log n) and parallel for large thin ones.
#[must_use]
pub fn shortest_paths(edges: &[f64], n: usize) -> Vec<f64> {
    if n <= DENSE_UP_TO {
        floyd_warshall(edges, n)
    } else {
        dijkstra_from_all(edges, n)
    }
}

pub(super) fn floyd_warshall(edges: &[f64], n: usize) -> Vec<f64> {
    let mut d = vec![0.0f64; n * n];
    let mut pairs = edges.iter();
    for i in 0..n {
        for j in i + 1..n {
            let e = *pairs.next().expect("n(n-1)/2 edges");
            d[i * n + j] = e;
            d[j * n + i] = e;
        }
    }
    let mut via = vec![0.0; n];
    for k in 0..n {
        via.copy_from_slice(&d[k * n..(k + 1) * n]);
        for i in 0..n {
            let to_k = d[i * n + k];
            if to_k.is_finite() {
                for (d, via) in d[i * n..(i + 1) * n].iter_mut().zip(&via) {
                    let around = to_k + via;
                    // Not f64::min: this compiles to a single vector instruction.
                    *d = if around < *d { around } else { *d };
                }
            }
        }
    }
    upper(&d, n)
}

fn upper(d: &[f64], n: usize) -> Vec<f64> {
    (0..n)
        .flat_map(|i| d[i * n + i + 1..(i + 1) * n].iter().copied())
        .collect()
}

/// A node to visit: the nearest comes first out of the heap.
#[derive(PartialEq)]
struct Visit(f64, usize);

impl Eq for Visit {}
impl PartialOrd for Visit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Visit {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0).then(other.1.cmp(&self.1))
    }
}

pub(super) fn dijkstra_from_all(edges: &[f64], n: usize) -> Vec<f64> {
    let mut neighbors: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n];
    let mut pairs = edges.iter();
    for i in 0..n {
        for j in i + 1..n {
            let e = *pairs.next().expect("n(n-1)/2 edges");
            if e.is_finite() {
                neighbors[i].push((j, e));
                neighbors[j].push((i, e));
            }
        }
    }
    let from = |source: usize| {
        let mut d = vec![f64::INFINITY; n];
        d[source] = 0.0;
        let mut heap = BinaryHeap::from([Visit(0.0, source)]);
        while let Some(Visit(at, i)) = heap.pop() {
            if at > d[i] {
                continue;
            }
            for &(j, e) in &neighbors[i] {
                if at + e < d[j] {
                    d[j] = at + e;
                    heap.push(Visit(at + e, j));
                }
            }
        }
        d.split_off(source + 1)
    };
    let rows: Vec<Vec<f64>> = (0..n).into_par_iter().map(from).collect();
    rows.concat()
}
