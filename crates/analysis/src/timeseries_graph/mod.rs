//! Time series as networks: what the shape of a graph says about the course of a series (paper 38, Scarsoglio et al. 2017).
//!
//! Constructions, from a checked [`Series`] to a [`Graph`]:
//!
//! - [`Visibility`]: samples that see each other over those between, along straight or horizontal lines; with
//!   penetrable lines, [`Weight`]s, [`Direction`]s and uneven times; [`VisibilityStream`] grows one sample at a time;
//! - [`CycleNetwork`]: heart beats, or any cycles, that look alike; [`WindowNetwork`]: windows that do;
//! - [`Recurrence`]: moments at which the system comes back to nearly the same state.
//!
//! What can be said of a graph:
//!
//! - [`measures`]: degrees, paths, clustering, assortativity, components, betweenness, communities, small-world ratio;
//! - [`Layout`]: a force-directed picture, and how elongated it is;
//! - [`multiplex`]: what the graphs of several channels share.
//!
//! And of the series itself, as a control: [`SeriesMeasures`].
//!
//! ```
//! use chiasm_analysis::timeseries_graph::measures::{degree_distribution, mean_degree};
//! use chiasm_analysis::timeseries_graph::{Series, Visibility};
//! use chiasm_core::Streams;
//! use rand::RngExt;
//! // Noise: the horizontal graph has P(k) = (1/3) (2/3)^(k - 2), whatever the noise.
//! let mut rng = Streams::new(1).stream("noise");
//! let x: Vec<f64> = (0..20_000).map(|_| rng.random()).collect();
//! let graph = Visibility::horizontal().build(&Series::even(&x, 0.0, 1.0)?)?;
//! assert!((mean_degree(&graph) - 4.0).abs() < 0.01);
//! assert!((degree_distribution(&graph)[2] - 1.0 / 3.0).abs() < 0.01);
//! # Ok::<(), chiasm_core::Failure>(())
//! ```

mod correlation;
mod error;
mod graph;
mod graphml;
mod horizontal;
mod layout;
pub mod measures;
mod multiplex;
mod natural;
mod penetrable;
mod recurrence;
mod series;
mod series_measures;
mod stream;
mod visibility;
mod weights;

pub use correlation::{CycleNetwork, WindowNetwork};
pub use error::TimeseriesGraphError;
pub use graph::{Adjacency, Graph};
pub use graphml::Drawn;
pub use layout::{Layout, Picture, Start};
pub use multiplex::{Multiplex, multiplex};
pub use recurrence::{Lag, Link, Recurrence, RecurrenceGraph, first_minimum};
pub use series::Series;
pub use series_measures::{SeriesMeasures, autocorrelation};
pub use stream::VisibilityStream;
pub use visibility::{Sight, Visibility};
pub use weights::{Direction, Weight, irreversibility};

/// A graph whose nodes have times.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedGraph {
    /// The graph.
    pub graph: Graph,
    /// The time of each node, s, ascending.
    pub times_s: Vec<f64>,
}

impl TimedGraph {
    /// The mean span of time that an edge covers, s; `None` without edges.
    #[must_use]
    pub fn mean_span_s(&self) -> Option<f64> {
        let span = |(i, j): (usize, usize)| self.times_s[j] - self.times_s[i];
        let sum: f64 = self.graph.edges().map(span).sum();
        (self.graph.n_edges() > 0).then(|| sum / self.graph.n_edges() as f64)
    }
}

#[cfg(test)]
mod tests;
