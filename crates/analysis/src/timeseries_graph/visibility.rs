//! Visibility graphs: each sample is a node, joined with the samples it sees.

use chiasm_core::SettingError;
use robust::{Coord, orient2d};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::graph::Graph;
use super::series::Series;
use super::{TimeseriesGraphError, horizontal, natural, penetrable};

/// Along which lines samples see each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Straight lines between the two samples (Lacasa et al. 2008).
    #[default]
    Natural,
    /// Horizontal lines: all between lie below both (Luque et al. 2009).
    Horizontal,
}

/// A visibility graph: samples i and j are joined where at most `penetrable` of those between reach up to the line of
/// sight. A sample that only touches the line hides, too: three samples in a row on one line are two edges.
///
/// Exact: whether a sample lies above a line is decided on the given numbers without rounding error, so equal input has
/// equal edges on every machine, and no tie is broken by chance.
///
/// ```
/// use chiasm_analysis::timeseries_graph::{Series, Visibility};
/// let series = Series::even(&[0.87, 0.49, 0.36, 0.83, 0.87], 0.0, 1.0)?;
/// let graph = Visibility::default().build(&series)?;
/// let mut edges: Vec<_> = graph.edges().collect();
/// edges.sort();
/// assert_eq!(edges, [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (2, 3), (3, 4)]);
/// # Ok::<(), chiasm_core::Failure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Visibility {
    /// Lines of sight: natural (straight between the samples) or horizontal.
    pub sight: Sight,
    /// Samples that a line of sight may pass through (limited penetrable visibility; 0: none).
    pub penetrable: usize,
    /// Edges above which a graph is refused, since a convex series of n samples has n (n - 1) / 2.
    pub max_edges: usize,
}

impl Default for Visibility {
    fn default() -> Self {
        Self {
            sight: Sight::Natural,
            penetrable: 0,
            max_edges: 100_000_000,
        }
    }
}

impl Visibility {
    /// The graph of horizontal lines of sight.
    #[must_use]
    pub fn horizontal() -> Self {
        Self {
            sight: Sight::Horizontal,
            ..Self::default()
        }
    }

    /// Refuses settings out of range.
    ///
    /// # Errors
    /// Names the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let p = self.penetrable;
        SettingError::check(p <= 1000, "penetrable", "0 to 1000", p)?;
        let m = self.max_edges;
        SettingError::check(m >= 1, "max_edges", "at least 1", m)
    }

    /// The graph of a series.
    ///
    /// # Errors
    /// Settings out of range; more edges than `max_edges`.
    pub fn build(&self, series: &Series<'_>) -> Result<Graph, TimeseriesGraphError> {
        self.validate()?;
        let scaled = scaled(series.values());
        let values = scaled.as_deref().unwrap_or(series.values());
        match (self.sight, self.penetrable) {
            (Sight::Horizontal, 0) => self.at_most(horizontal::build(values), values.len()),
            (Sight::Horizontal, p) => penetrable::horizontal(values, p, self.max_edges),
            (Sight::Natural, p) => match series.times() {
                None => self.natural(&Even(values), series, p),
                Some(times) => self.natural(&Timed(values, times), series, p),
            },
        }
    }

    fn natural<P: Points>(
        &self,
        points: &P,
        series: &Series<'_>,
        p: usize,
    ) -> Result<Graph, TimeseriesGraphError> {
        if p == 0 {
            natural::build(points, series, self.max_edges)
        } else {
            penetrable::natural(points, series.len(), p, self.max_edges)
        }
    }

    fn at_most(&self, graph: Graph, n: usize) -> Result<Graph, TimeseriesGraphError> {
        if graph.n_edges() <= self.max_edges {
            return Ok(graph);
        }
        Err(TimeseriesGraphError::TooManyEdges {
            limit: self.max_edges,
            done: n,
            n,
        })
    }
}

/// The values times a power of two that brings the largest near 1, where their products would leave the range of numbers:
/// the graph stays the same.
fn scaled(values: &[f64]) -> Option<Vec<f64>> {
    let largest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if largest == 0.0 || (1e-100..=1e100).contains(&largest) {
        return None;
    }
    // In two steps, since a single factor may itself be out of range.
    let half = 2f64.powi(-(largest.log2() as i32) / 2);
    Some(values.iter().map(|v| v * half * half).collect())
}

/// Samples in the plane, and on which side of a line they lie.
pub(super) trait Points {
    /// Whether sample `v` lies strictly above the line through `j` and `i`, where `i` and `v` are earlier than `j`: the
    /// slope from `j` back to `v` exceeds that to `i`.
    fn above(&self, j: usize, i: usize, v: usize) -> bool;
}

/// Values at whole numbers: as even steps of any length see each other.
pub(super) struct Even<'a>(pub(super) &'a [f64]);

/// Values at times of their own.
pub(super) struct Timed<'a>(pub(super) &'a [f64], pub(super) &'a [f64]);

impl Points for Even<'_> {
    #[inline]
    fn above(&self, j: usize, i: usize, v: usize) -> bool {
        let x = self.0;
        above([j as f64, x[j]], [i as f64, x[i]], [v as f64, x[v]])
    }
}

impl Points for Timed<'_> {
    #[inline]
    fn above(&self, j: usize, i: usize, v: usize) -> bool {
        let (x, t) = (self.0, self.1);
        above([t[j], x[j]], [t[i], x[i]], [t[v], x[v]])
    }
}

/// Whether `v` lies strictly above the line from `j` back through `i`: the sign of a determinant, from its rounded value
/// where that is far enough from 0, else exactly (Shewchuk 1997).
#[inline]
fn above(j: [f64; 2], i: [f64; 2], v: [f64; 2]) -> bool {
    // Shewchuk's bound A of orient2d: (3 + 16 u) u with u = 2^-53.
    const BOUND: f64 = (3.0 + 16.0 * (f64::EPSILON / 2.0)) * (f64::EPSILON / 2.0);
    let left = (j[0] - v[0]) * (i[1] - v[1]);
    let right = (j[1] - v[1]) * (i[0] - v[0]);
    let determinant = left - right;
    let error = BOUND * (left.abs() + right.abs());
    if determinant.abs() > error {
        return determinant < 0.0;
    }
    exactly_above(j, i, v)
}

#[cold]
fn exactly_above(j: [f64; 2], i: [f64; 2], v: [f64; 2]) -> bool {
    let point = |p: [f64; 2]| Coord { x: p[0], y: p[1] };
    orient2d(point(j), point(i), point(v)) < 0.0
}
