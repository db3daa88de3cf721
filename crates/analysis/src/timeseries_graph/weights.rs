//! What an edge carries: weights and directions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::graph::{Adjacency, Graph};
use super::series::Series;

/// A weight for the edge between two samples, seen from the earlier to the later. Time in seconds; the length mixes
/// seconds with the unit of the values, so scale them first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// 1 for every edge.
    #[default]
    One,
    /// Euclidean length of the line of sight.
    Distance,
    /// Its square.
    SquaredDistance,
    /// Rise from the earlier to the later value.
    Rise,
    /// Size of the rise.
    AbsRise,
    /// Span of time between the two, s.
    Span,
    /// Rise over span, per s.
    Slope,
    /// Size of the slope, per s.
    AbsSlope,
    /// Angle of the line of sight, rad: the arc tangent of the slope.
    Angle,
}

impl Weight {
    /// The weight of the edge between samples `i` (earlier) and `j`. Panics beyond the end of the series.
    #[must_use]
    pub fn of(self, series: &Series<'_>, i: usize, j: usize) -> f64 {
        let rise = series.values()[j] - series.values()[i];
        let span = series.time_s(j) - series.time_s(i);
        match self {
            Self::One => 1.0,
            Self::Distance => rise.hypot(span),
            Self::SquaredDistance => rise * rise + span * span,
            Self::Rise => rise,
            Self::AbsRise => rise.abs(),
            Self::Span => span,
            Self::Slope => rise / span,
            Self::AbsSlope => (rise / span).abs(),
            Self::Angle => (rise / span).atan(),
        }
    }

    /// The weights of all edges, in the order of [`Graph::edges`].
    #[must_use]
    pub fn all(self, graph: &Graph, series: &Series<'_>) -> Vec<f64> {
        graph.edges().map(|(i, j)| self.of(series, i, j)).collect()
    }
}

/// Where edges point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Nowhere: they are undirected.
    #[default]
    None,
    /// From the earlier to the later sample.
    Time,
    /// From the larger to the smaller value; between equals from the earlier.
    Descent,
}

impl Direction {
    /// The edge between samples `i` (earlier) and `j` as `(from, to)`.
    #[must_use]
    pub fn of(self, series: &Series<'_>, i: usize, j: usize) -> (usize, usize) {
        let x = series.values();
        match self {
            Self::Descent if x[i] < x[j] => (j, i),
            _ => (i, j),
        }
    }

    /// The nodes to which edges point from each node; both ways where undirected.
    #[must_use]
    pub fn targets(self, graph: &Graph, series: &Series<'_>) -> Adjacency {
        if self == Self::None {
            return graph.adjacency();
        }
        let mut lists = vec![Vec::new(); graph.n_nodes()];
        for (i, j) in graph.edges() {
            let (from, to) = self.of(series, i, j);
            lists[from].push(to as u32);
        }
        lists.iter_mut().for_each(|l| l.sort_unstable());
        Adjacency::from_lists(&lists)
    }
}

/// How unlike the past the future is: the Kullback-Leibler divergence, nats, of the distribution of degrees out (later
/// neighbours) from that of degrees in (earlier ones); 0 for a reversible process (Lacasa et al. 2012, on the horizontal
/// graph). Degrees that never occur on the way in are left out, so a small sample is biased.
#[must_use]
pub fn irreversibility(graph: &Graph) -> f64 {
    let (into, out) = graph.degrees_in_out();
    let most = into.iter().chain(&out).max().map_or(0, |m| *m as usize);
    let count = |degrees: &[u32]| {
        let mut counts = vec![0u64; most + 1];
        degrees.iter().for_each(|&k| counts[k as usize] += 1);
        counts
    };
    let n = graph.n_nodes() as f64;
    let pairs = count(&out).into_iter().zip(count(&into));
    pairs
        .filter(|&(o, i)| o > 0 && i > 0)
        .map(|(o, i)| o as f64 / n * (o as f64 / i as f64).ln())
        .sum()
}
