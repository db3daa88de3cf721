//! A visibility graph that grows while its series is being recorded.

use super::TimeseriesGraphError;
use super::graph::Graph;
use super::horizontal::Horizontal;
use super::natural::Natural;
use super::visibility::{Sight, Timed};

/// A visibility graph that takes one sample after the other; at every moment it is the graph of the samples so far.
///
/// ```
/// use chiasm_analysis::timeseries_graph::{Series, Sight, Visibility, VisibilityStream};
/// let x = [0.87, 0.49, 0.36, 0.83, 0.87];
/// let mut stream = VisibilityStream::new(Sight::Natural, 1_000_000);
/// for (i, v) in x.iter().enumerate() {
///     stream.push(i as f64, *v)?;
/// }
/// assert_eq!(stream.last(), [3, 0]); // the last sample sees these, the latest first
/// assert_eq!(stream.graph(), Visibility::default().build(&Series::even(&x, 0.0, 1.0)?)?);
/// # Ok::<(), chiasm_core::Failure>(())
/// ```
#[derive(Debug, Clone)]
pub struct VisibilityStream {
    times: Vec<f64>,
    values: Vec<f64>,
    growing: Growing,
    max_edges: usize,
}

#[derive(Debug, Clone)]
enum Growing {
    Natural(Natural),
    Horizontal(Horizontal),
}

impl VisibilityStream {
    /// An empty graph that refuses to grow beyond `max_edges`.
    #[must_use]
    pub fn new(sight: Sight, max_edges: usize) -> Self {
        Self {
            times: Vec::new(),
            values: Vec::new(),
            growing: match sight {
                Sight::Natural => Growing::Natural(Natural::with_capacity(0)),
                Sight::Horizontal => Growing::Horizontal(Horizontal::with_capacity(0)),
            },
            max_edges,
        }
    }

    /// Adds a sample and returns the earlier samples it sees, the latest first. Amortized O(log d) for each edge found.
    ///
    /// # Errors
    /// A value or time that is not finite or beyond 1e100, or a time that is not later than the last: the sample is not added and the stream
    /// can go on. More edges than the limit: the stream is full.
    pub fn push(&mut self, time_s: f64, value: f64) -> Result<&[u32], TimeseriesGraphError> {
        let j = self.values.len();
        for (what, found) in [("value", value), ("time", time_s)] {
            // A batch scales such values; a stream cannot know them beforehand.
            if found.is_nan() || found.abs() > 1e100 {
                return Err(TimeseriesGraphError::NotFinite {
                    what,
                    index: j,
                    found,
                });
            }
        }
        if let Some(&before) = self.times.last()
            && time_s <= before
        {
            return Err(TimeseriesGraphError::TimeOrder {
                index: j,
                before,
                found: time_s,
            });
        }
        let full = TimeseriesGraphError::TooManyEdges {
            limit: self.max_edges,
            done: j,
            n: 0,
        };
        if self.full() {
            return Err(full);
        }
        self.times.push(time_s);
        self.values.push(value);
        match &mut self.growing {
            Growing::Natural(g) => {
                let points = Timed(&self.values, &self.times);
                // The limit is looked at between samples, so that a sample is joined whole.
                g.append(&points, j, usize::MAX, 0)?;
            }
            Growing::Horizontal(g) => g.append(value),
        }
        Ok(self.last())
    }

    fn full(&self) -> bool {
        match &self.growing {
            Growing::Natural(g) => g.n_edges() > self.max_edges,
            Growing::Horizontal(g) => g.n_edges() > self.max_edges,
        }
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no sample yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What the last sample sees, the latest first.
    #[must_use]
    pub fn last(&self) -> &[u32] {
        match &self.growing {
            Growing::Natural(g) => g.last(),
            Growing::Horizontal(g) => g.last(),
        }
    }

    /// The values so far.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Their times, s.
    #[must_use]
    pub fn times_s(&self) -> &[f64] {
        &self.times
    }

    /// The graph of the samples so far.
    #[must_use]
    pub fn graph(&self) -> Graph {
        match &self.growing {
            Growing::Natural(g) => g.clone().graph(),
            Growing::Horizontal(g) => g.clone().graph(),
        }
    }
}
