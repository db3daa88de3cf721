//! Measures of a graph's shape. Each can be asked for alone; [`Measures`] gives them all.

mod betweenness;
mod clustering;
mod degree;
mod paths;
mod rewiring;

use chiasm_core::{SettingError, Streams, Watch};
use serde::{Deserialize, Serialize};

pub use betweenness::betweenness;
pub use clustering::{Clustering, clustering};
pub use degree::{
    assortativity, degree_distribution, degree_exponent, density, mean_degree, sd_degree,
};
pub use paths::{Components, Paths, components, paths};
pub use rewiring::rewired;

use super::{Adjacency, Graph, TimeseriesGraphError};
use crate::connectome::block_model::WeightedGraph;
use crate::partition::Louvain;

/// What is measured, and with how much effort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Nodes from which shortest paths are followed, drawn at random where there are more (all: exact).
    pub path_sources: usize,
    /// Nodes from which betweenness is summed, drawn at random where there are more; 0 leaves it out.
    pub betweenness_sources: usize,
    /// Whether communities are sought (Louvain).
    pub communities: bool,
    /// Random graphs of the same degrees to compare with; 0 leaves the small-world ratio out.
    pub rewired: usize,
    /// Tried swaps for each edge of a random graph.
    pub swaps: usize,
    /// Smallest degree that the exponent of the degree distribution is fitted to.
    pub exponent_from: usize,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            path_sources: 2048,
            betweenness_sources: 256,
            communities: true,
            rewired: 5,
            swaps: 10,
            exponent_from: 3,
        }
    }
}

/// A graph in numbers. What is not defined for it (the clustering of a graph without edges) is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphMeasures {
    /// Nodes.
    pub n_nodes: usize,
    /// Edges.
    pub n_edges: usize,
    /// Edges over pairs, 0 to 1.
    pub density: f64,
    /// Mean degree.
    pub mean_degree: f64,
    /// Standard deviation of the degree.
    pub sd_degree: f64,
    /// Largest degree.
    pub max_degree: usize,
    /// Decay of the degree distribution, `P(k) ~ exp(-lambda k)`, with its standard error.
    pub exponent: Option<(f64, f64)>,
    /// Components, by size.
    pub components: Components,
    /// Shortest paths within the largest component.
    pub paths: Option<Paths>,
    /// Triangles.
    pub clustering: Clustering,
    /// Correlation of the degrees at both ends of an edge, -1 to 1.
    pub assortativity: Option<f64>,
    /// Largest and mean betweenness of a node, 0 to 1.
    pub betweenness: Option<(f64, f64)>,
    /// Modularity of the communities found, and their number.
    pub communities: Option<(f64, usize)>,
    /// Clustering and paths against random graphs of the same degrees.
    pub small_world: Option<SmallWorld>,
}

/// A graph beside random graphs of the same degrees: small-world if it is much more clustered at paths as short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SmallWorld {
    /// Transitivity over the mean one of the random graphs.
    pub transitivity_ratio: f64,
    /// Mean shortest path over the mean one of the random graphs.
    pub path_ratio: f64,
}

impl SmallWorld {
    /// The small-world ratio sigma: above 1 for a small world (Humphries & Gurney 2008).
    #[must_use]
    pub fn sigma(&self) -> f64 {
        self.transitivity_ratio / self.path_ratio
    }
}

impl Measures {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// Names the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let s = self.path_sources;
        SettingError::check(s >= 1, "path_sources", "at least 1", s)?;
        let s = self.swaps;
        SettingError::check((1..=1000).contains(&s), "swaps", "1 to 1000", s)?;
        let r = self.rewired;
        SettingError::check(r <= 1000, "rewired", "0 to 1000", r)
    }

    /// Measures a graph. Sources and random graphs come from named streams, so the same seed gives the same bits on any
    /// number of threads.
    ///
    /// # Errors
    /// Settings out of range; cancelled work.
    pub fn of(
        &self,
        graph: &Graph,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<GraphMeasures, TimeseriesGraphError> {
        self.validate()?;
        let adjacency = graph.adjacency();
        let components = components(&adjacency);
        let largest = components.largest_nodes();
        let paths = paths(
            &adjacency,
            &largest,
            self.path_sources,
            &mut streams.stream("path sources"),
            watch,
        )?;
        let triangles = clustering(&adjacency, watch)?;
        let betweenness = self.betweenness_of(&adjacency, streams, watch)?;
        Ok(GraphMeasures {
            n_nodes: graph.n_nodes(),
            n_edges: graph.n_edges(),
            density: density(graph),
            mean_degree: mean_degree(graph),
            sd_degree: sd_degree(graph),
            max_degree: (0..graph.n_nodes())
                .map(|i| adjacency.degree(i))
                .max()
                .unwrap_or(0),
            exponent: degree_exponent(graph, self.exponent_from),
            assortativity: assortativity(&adjacency),
            betweenness,
            communities: self.communities_of(graph, streams)?,
            small_world: self.small_world(graph, &triangles, paths.as_ref(), streams, watch)?,
            clustering: triangles,
            components,
            paths,
        })
    }

    fn betweenness_of(
        &self,
        adjacency: &Adjacency,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Option<(f64, f64)>, TimeseriesGraphError> {
        if self.betweenness_sources == 0 || adjacency.n_nodes() < 3 {
            return Ok(None);
        }
        let mut rng = streams.stream("betweenness sources");
        let of_nodes = betweenness(adjacency, self.betweenness_sources, &mut rng, watch)?;
        let most = of_nodes.iter().copied().fold(0.0, f64::max);
        Ok(Some((most, chiasm_core::stats::mean(&of_nodes))))
    }

    fn communities_of(
        &self,
        graph: &Graph,
        streams: &Streams,
    ) -> Result<Option<(f64, usize)>, TimeseriesGraphError> {
        if !self.communities || graph.n_edges() == 0 {
            return Ok(None);
        }
        let edges: Vec<(usize, usize, f64)> = graph.edges().map(|(i, j)| (i, j, 1.0)).collect();
        let Ok(weighted) = WeightedGraph::from_edges(graph.n_nodes(), &edges) else {
            return Ok(None);
        };
        let fit = Louvain::default().fit(&weighted, &mut streams.stream("communities"))?;
        let n = fit.labels.iter().max().map_or(0, |m| m + 1);
        Ok(Some((fit.modularity, n)))
    }

    fn small_world(
        &self,
        graph: &Graph,
        triangles: &Clustering,
        own: Option<&Paths>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Option<SmallWorld>, TimeseriesGraphError> {
        let (Some(own), Some(own_transitivity)) = (own, triangles.transitivity) else {
            return Ok(None);
        };
        let (mut transitivity, mut length) = (Vec::new(), Vec::new());
        for k in 0..self.rewired {
            watch.check()?;
            let random = rewired(graph, self.swaps, &mut streams.indexed("rewired", k));
            let adjacency = random.adjacency();
            transitivity.extend(clustering(&adjacency, watch)?.transitivity);
            let largest = components(&adjacency).largest_nodes();
            let mut rng = streams.indexed("rewired sources", k);
            length.extend(
                paths(&adjacency, &largest, self.path_sources, &mut rng, watch)?.map(|p| p.mean),
            );
        }
        let mean = |x: &[f64]| chiasm_core::stats::mean(x);
        let ratios = SmallWorld {
            transitivity_ratio: own_transitivity / mean(&transitivity),
            path_ratio: own.mean / mean(&length),
        };
        // Random graphs without a triangle give no ratio, and no random graphs no mean.
        Ok(ratios.sigma().is_finite().then_some(ratios))
    }
}
