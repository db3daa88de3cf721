//! Settings of the method on own data.

use std::path::PathBuf;

use chiasm_analysis::timeseries_graph::measures::Measures;
use chiasm_analysis::timeseries_graph::{
    CycleNetwork, Direction, Lag, Link, Recurrence, Sight, Visibility, Weight, WindowNetwork,
};
use chiasm_core::SettingError;
use chiasm_lab::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a series becomes a graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Construction {
    /// Samples that see each other along straight lines.
    #[default]
    Natural,
    /// Samples that see each other along horizontal lines.
    Horizontal,
    /// Cycles (such as heart beats) of like course.
    Cycle,
    /// Windows of like course.
    Windows,
    /// Moments at which the series comes back to nearly the same state.
    Recurrence,
}

/// Settings of the method on own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// How a series becomes a graph: natural, horizontal, cycle, windows or recurrence.
    pub construction: Construction,
    /// Of spikes: the width of the bins whose counts are the series, s. Sampled traces need none.
    pub bin_s: Option<f64>,
    /// Visibility: samples that a line of sight may pass through.
    pub penetrable: usize,
    /// Visibility: edges above which a graph is refused.
    pub max_edges: usize,
    /// Visibility: what the exported edges carry.
    pub weight: Weight,
    /// Visibility: where the exported edges point.
    pub direction: Direction,
    /// Cycle: the kind of epoch that starts with each cycle.
    pub beat_epochs: Option<String>,
    /// Cycle: a file of spikes or events (such as CSV with the columns unit and time_s) whose first unit marks the start of each cycle.
    pub beats: Option<PathBuf>,
    /// Cycle: points that each cycle is resampled to (card: 32).
    pub points: usize,
    /// Cycle: most cycles (card: 300).
    pub max_beats: usize,
    /// Cycle: cycles that start before this time has passed are left out, s (card: 20 s of transients).
    pub skip_s: f64,
    /// Cycle and windows: least correlation of what is joined (card: 0.9).
    pub least_r: f64,
    /// Windows: their length, s (card: 0.8).
    pub window_s: f64,
    /// Windows: from start to start, s; shorter than a window they correlate by themselves (card: 0.8).
    pub window_step_s: f64,
    /// Recurrence: coordinates of a state (card: 3).
    pub dimension: usize,
    /// Recurrence: delay between them, s; at the first minimum of mutual information if not given (card: 0.2).
    pub lag_s: Option<f64>,
    /// Recurrence: density of the network (card: 0.05).
    pub density: f64,
    /// Recurrence: join states no farther apart than this, in standard deviations, rather than by density.
    pub distance: Option<f64>,
    /// Recurrence: join each state with this many nearest ones, rather than by density.
    pub nearest: Option<usize>,
    /// Recurrence: pairs closer in time than this many samples are not joined.
    pub theiler: usize,
    /// Recurrence: limit to the comparison of all pairs, bytes.
    pub max_bytes: usize,
    /// Nodes from which shortest paths are followed, drawn at random where there are more.
    pub path_sources: usize,
    /// Nodes from which betweenness is summed, drawn at random where there are more; 0 leaves it out.
    pub betweenness_sources: usize,
    /// Random graphs of the same degrees for the small-world ratio; 0 leaves it out.
    pub rewired: usize,
    /// Look for communities (Louvain).
    pub communities: bool,
    /// Length of a cycle for the autocorrelation, s; from the onsets of cycles if not given, else left out.
    pub cycle_s: Option<f64>,
    /// Units whose series, layout and matrix are drawn: the first ones.
    pub drawn: usize,
    /// Nodes above which a graph is not laid out.
    pub layout_nodes: usize,
    /// Steps of the force-directed layout.
    pub layout_steps: usize,
    /// Leave the edges of every unit as a table (CSV).
    pub edges: bool,
    /// Leave the network of every unit as GraphML, for Gephi, Cytoscape, networkx, igraph.
    pub graphml: bool,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            construction: Construction::Natural,
            bin_s: None,
            penetrable: 0,
            max_edges: 20_000_000,
            weight: Weight::One,
            direction: Direction::None,
            beat_epochs: None,
            beats: None,
            points: 32,
            max_beats: 300,
            skip_s: 0.0,
            least_r: 0.9,
            window_s: 0.8,
            window_step_s: 0.8,
            dimension: 3,
            lag_s: None,
            density: 0.05,
            distance: None,
            nearest: None,
            theiler: 0,
            max_bytes: 256 << 20,
            path_sources: 1024,
            betweenness_sources: 128,
            rewired: 2,
            communities: true,
            cycle_s: None,
            drawn: 2,
            layout_nodes: 2000,
            layout_steps: 100,
            edges: false,
            graphml: false,
        }
    }
}

impl FitConfig {
    pub(super) fn visibility(&self) -> Visibility {
        Visibility {
            sight: match self.construction {
                Construction::Horizontal => Sight::Horizontal,
                _ => Sight::Natural,
            },
            penetrable: self.penetrable,
            max_edges: self.max_edges,
        }
    }

    pub(super) fn cycle(&self) -> CycleNetwork {
        CycleNetwork {
            least_r: self.least_r,
            points: self.points,
            max_beats: self.max_beats,
            skip_s: self.skip_s,
        }
    }

    pub(super) fn windows(&self) -> WindowNetwork {
        WindowNetwork {
            least_r: self.least_r,
            window_s: self.window_s,
            step_s: self.window_step_s,
            ..WindowNetwork::default()
        }
    }

    pub(super) fn recurrence(&self) -> Recurrence {
        Recurrence {
            dimension: self.dimension,
            lag: self.lag_s.map_or(Lag::MutualInformation, Lag::Seconds),
            link: match (self.distance, self.nearest) {
                (Some(e), _) => Link::Distance(e),
                (None, Some(k)) => Link::Nearest(k),
                (None, None) => Link::Density(self.density),
            },
            theiler: self.theiler,
            max_bytes: self.max_bytes,
        }
    }

    pub(super) fn measures(&self) -> Measures {
        Measures {
            path_sources: self.path_sources,
            betweenness_sources: self.betweenness_sources,
            communities: self.communities,
            rewired: self.rewired,
            ..Measures::default()
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        self.visibility().validate()?;
        self.cycle().validate()?;
        self.windows()
            .validate()
            .map_err(|e| match e.field.as_str() {
                "step_s" => SettingError {
                    field: "window_step_s".into(),
                    ..e
                },
                _ => e,
            })?;
        self.recurrence().validate()?;
        self.measures().validate()?;
        for (field, s) in [("bin_s", self.bin_s), ("cycle_s", self.cycle_s)] {
            if let Some(s) = s {
                SettingError::check(s > 0.0 && s.is_finite(), field, "above 0", s)?;
            }
        }
        let by_both = self.distance.is_some() && self.nearest.is_some();
        SettingError::check(!by_both, "nearest", "either distance or nearest", "both")?;
        let of_both = self.beats.is_some() && self.beat_epochs.is_some();
        SettingError::check(!of_both, "beats", "either beats or beat_epochs", "both")?;
        if self.construction == Construction::Cycle {
            let given = self.beats.is_some() || self.beat_epochs.is_some();
            SettingError::check(
                given,
                "beats",
                "the onsets of cycles: beat_epochs=KIND or beats=FILE",
                "neither",
            )?;
        }
        let n = self.layout_steps;
        SettingError::check((1..=100_000).contains(&n), "layout_steps", "1 to 100000", n)?;
        let n = self.layout_nodes;
        SettingError::check(n <= 20_000, "layout_nodes", "at most 20000", n)
    }
}
