//! Natural visibility: two samples are joined where the straight line between them passes above all samples between.
//!
//! Looking back from sample j, the visible samples are the records of the slope upwards. The next record beyond a
//! visible sample i is the first sample above the line from j through i, and that sample is visible from i, too: had
//! anything between hidden it from i, it would itself lie above the line and come first. So the next neighbour of j is
//! found by bisection in the list of i, which is already there, ordered by slope. Every step but the last of a sample
//! gives an edge: time grows with the edges alone, O(m log d) for m edges and degrees d, whatever the series looks like.
//!
//! The same step appends a sample to a graph that stands, so a batch is a stream.

use super::TimeseriesGraphError;
use super::graph::Graph;
use super::series::Series;
use super::visibility::Points;

/// Lists no longer than this are looked through from the front: nearly all are.
const LINEAR: usize = 8;

/// A growing natural visibility graph: what stands, and how one more sample joins it.
#[derive(Debug, Clone)]
pub(super) struct Natural {
    offsets: Vec<usize>,
    earlier: Vec<u32>,
}

impl Natural {
    pub(super) fn with_capacity(n: usize) -> Self {
        let mut offsets = Vec::with_capacity(n + 1);
        offsets.push(0);
        Self {
            offsets,
            earlier: Vec::with_capacity(3 * n),
        }
    }

    /// Joins sample `j`, the next one, to the graph of those before it.
    #[inline]
    pub(super) fn append<P: Points>(
        &mut self,
        points: &P,
        j: usize,
        max_edges: usize,
        n: usize,
    ) -> Result<(), TimeseriesGraphError> {
        if j > 0 {
            let mut i = j - 1;
            loop {
                self.earlier.push(i as u32);
                let list = &self.earlier[self.offsets[i]..self.offsets[i + 1]];
                match first_above(points, list, i, j) {
                    Some(k) => i = list[k] as usize,
                    None => break,
                }
                if self.earlier.len() > max_edges {
                    break;
                }
            }
            if self.earlier.len() > max_edges {
                return Err(TimeseriesGraphError::TooManyEdges {
                    limit: max_edges,
                    done: j,
                    n,
                });
            }
        }
        self.offsets.push(self.earlier.len());
        Ok(())
    }

    pub(super) fn last(&self) -> &[u32] {
        match self.offsets.as_slice() {
            [.., start, _] => &self.earlier[*start..],
            _ => &[],
        }
    }

    pub(super) fn n_edges(&self) -> usize {
        self.earlier.len()
    }

    pub(super) fn graph(self) -> Graph {
        Graph::from_parts(self.offsets, self.earlier)
    }
}

/// The first sample of `list` (ordered by slope as seen from `i`) that lies above the line from `j` through `i`.
#[inline]
fn first_above<P: Points>(points: &P, list: &[u32], i: usize, j: usize) -> Option<usize> {
    let above = |v: u32| points.above(j, i, v as usize);
    let head = list.len().min(LINEAR);
    if let Some(k) = list[..head].iter().position(|&v| above(v)) {
        return Some(k);
    }
    let rest = &list[head..];
    let k = rest.partition_point(|&v| !above(v));
    (k < rest.len()).then_some(head + k)
}

pub(super) fn build<P: Points>(
    points: &P,
    series: &Series<'_>,
    max_edges: usize,
) -> Result<Graph, TimeseriesGraphError> {
    let n = series.len();
    let mut growing = Natural::with_capacity(n);
    for j in 0..n {
        growing.append(points, j, max_edges, n)?;
    }
    Ok(growing.graph())
}
