//! One subject of one arm: its networks at every site, in numbers.

use chiasm_analysis::timeseries_graph::measures::{
    Measures, assortativity, clustering, components, degree_exponent, density, paths,
};
use chiasm_analysis::timeseries_graph::{
    CycleNetwork, Graph, Lag, Link, Recurrence, Series, SeriesMeasures, Visibility, WindowNetwork,
};
use chiasm_core::{Failure, Streams, Watch, stats};
use chiasm_data::generate::cerebral_flow::SITES;
use chiasm_data::generate::{CerebralFlow, CerebralFlowTruth, Rhythm};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::config::Config;

/// Who is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arm {
    /// Normal sinus rhythm.
    Sinus,
    /// Atrial fibrillation.
    Fibrillation,
    /// Null: the very beats of the fibrillating subjects in another order.
    Shuffled,
    /// Null: fibrillating beats, as independent, but no more variable than those of sinus rhythm.
    Narrowed,
    /// Ablation: sinus rhythm without autoregulation.
    Unregulated,
}

impl Arm {
    pub(super) const ALL: [Self; 5] = [
        Self::Sinus,
        Self::Fibrillation,
        Self::Shuffled,
        Self::Narrowed,
        Self::Unregulated,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sinus => "sinus",
            Self::Fibrillation => "fibrillation",
            Self::Shuffled => "shuffled",
            Self::Narrowed => "narrowed",
            Self::Unregulated => "unregulated",
        }
    }

    /// Whether all networks are made, or the cycle network alone.
    fn whole(self) -> bool {
        matches!(self, Self::Sinus | Self::Fibrillation | Self::Unregulated)
    }

    /// The simulated subject.
    pub(super) fn simulate(
        self,
        config: &Config,
        streams: &Streams,
        subject: usize,
    ) -> Result<CerebralFlowTruth, Failure> {
        let planted = CerebralFlow {
            n_beats: config.beats,
            rhythm: match self {
                Self::Sinus | Self::Unregulated => Rhythm::Sinus,
                _ => Rhythm::Fibrillation,
            },
            variation: (self == Self::Narrowed).then_some(0.07),
            autoregulation: if self == Self::Unregulated { 0.0 } else { 0.8 },
            ..CerebralFlow::default()
        };
        // Null and ablation share the intervals of the arm that they are compared with.
        let rhythm = match planted.rhythm {
            Rhythm::Sinus => "sinus",
            Rhythm::Fibrillation => "fibrillation",
        };
        let own = streams.child(&format!("{rhythm} {subject}"));
        let mut rr = planted.rr_intervals(&own)?;
        if self == Self::Shuffled {
            rr.shuffle(&mut own.stream("shuffle"));
        }
        Ok(planted.pressure(&rr)?)
    }
}

/// A network in the numbers that the study compares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shape {
    pub density: f64,
    /// Mean shortest path within the largest component.
    pub path: f64,
    pub diameter: f64,
    pub transitivity: f64,
    pub mean_local: f64,
    pub assortativity: f64,
    pub largest_share: f64,
}

/// One site of one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Site {
    pub cycle: Shape,
    /// Mean of each beat in the cycle network, mmHg.
    pub beat_means: Vec<f64>,
    pub rest: Option<Rest>,
}

/// What is measured of the two rhythms alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rest {
    pub windows: Shape,
    pub recurrence: Shape,
    /// Its mean path over that of random graphs of the same degrees.
    pub path_ratio: f64,
    pub natural: Shape,
    pub natural_degree: f64,
    /// Decay of the degree distribution of the horizontal graph.
    pub exponent: f64,
    pub series: SeriesMeasures,
}

/// One subject: a site after the other.
pub(super) type Subject = Vec<Site>;

/// Simulates a subject and measures its networks.
pub(super) fn measure(
    arm: Arm,
    config: &Config,
    streams: &Streams,
    subject: usize,
    watch: &dyn Watch,
) -> Result<Subject, Failure> {
    let truth = arm.simulate(config, streams, subject)?;
    let streams = streams.child(&format!("measures of {} {subject}", arm.name()));
    (0..SITES.len())
        .map(|s| {
            watch.check()?;
            let (cycle, beat_means) = cycle_network(config, &truth, s, watch)?;
            let rest = if arm.whole() {
                Some(rest(config, &truth, s, &streams.child(SITES[s]), watch)?)
            } else {
                None
            };
            Ok(Site {
                cycle: shape(&cycle, &streams, watch)?,
                beat_means,
                rest,
            })
        })
        .collect()
}

/// The cycle network of a site, and the mean of each of its beats.
pub(super) fn cycle_network(
    config: &Config,
    truth: &CerebralFlowTruth,
    site: usize,
    watch: &dyn Watch,
) -> Result<(Graph, Vec<f64>), Failure> {
    let x = &truth.pressure[site];
    let series = Series::even(x, 0.0, truth.step_s)?;
    let end = series.time_s(series.len() - 1);
    let onsets: Vec<f64> = truth
        .onsets_s
        .iter()
        .copied()
        .filter(|t| *t <= end)
        .collect();
    let method = CycleNetwork {
        least_r: config.least_r,
        max_beats: config.cycle_beats,
        skip_s: config.skip_s,
        ..CycleNetwork::default()
    };
    let network = method.build(&series, &onsets, watch)?;
    let at = |t: f64| (t / truth.step_s).ceil() as usize;
    let mean = |pair: &[f64]| stats::mean(&x[at(pair[0])..at(pair[1]).min(x.len())]);
    let first = onsets.iter().position(|t| *t >= config.skip_s).unwrap_or(0);
    let beats = onsets[first..].windows(2).take(network.graph.n_nodes());
    Ok((network.graph, beats.map(mean).collect()))
}

/// The samples that become recurrence and visibility networks.
pub(super) fn sampled(config: &Config, truth: &CerebralFlowTruth, site: usize) -> Vec<f64> {
    let whole = |s: f64| (s / truth.step_s).round() as usize;
    let step = whole(config.sample_step_s).max(1);
    let late = truth.pressure[site].iter().skip(whole(config.skip_s));
    late.step_by(step).take(config.samples).copied().collect()
}

/// The recurrence network of these samples.
pub(super) fn recurrence(config: &Config, x: &[f64], watch: &dyn Watch) -> Result<Graph, Failure> {
    let method = Recurrence {
        dimension: config.dimension,
        lag: Lag::Seconds(config.lag_s),
        link: Link::Density(config.density),
        ..Recurrence::default()
    };
    let series = Series::even(x, 0.0, config.sample_step_s)?;
    Ok(method.build(&series, watch)?.timed.graph)
}

fn rest(
    config: &Config,
    truth: &CerebralFlowTruth,
    site: usize,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<Rest, Failure> {
    let x = sampled(config, truth, site);
    let series = Series::even(&x, config.skip_s, config.sample_step_s)?;
    let natural = Visibility::default().build(&series)?;
    let horizontal = Visibility::horizontal().build(&series)?;
    let states = recurrence(config, &x, watch)?;
    let measures = Measures {
        path_sources: usize::MAX,
        betweenness_sources: 0,
        communities: false,
        rewired: config.rewired,
        ..Measures::default()
    };
    let beside = measures
        .of(&states, &streams.child("recurrence"), watch)?
        .small_world;
    let start = (config.skip_s / truth.step_s).round() as usize;
    let late = &truth.pressure[site][start..];
    let fine = Series::even(late, config.skip_s, truth.step_s)?;
    let windows = WindowNetwork {
        least_r: config.least_r,
        ..WindowNetwork::default()
    };
    Ok(Rest {
        windows: shape(&windows.build(&fine, watch)?.graph, streams, watch)?,
        recurrence: shape(&states, streams, watch)?,
        path_ratio: beside.map_or(f64::NAN, |s| s.path_ratio),
        natural: shape(&natural, streams, watch)?,
        natural_degree: chiasm_analysis::timeseries_graph::measures::mean_degree(&natural),
        exponent: degree_exponent(&horizontal, 3).map_or(f64::NAN, |e| e.0),
        series: SeriesMeasures::of(&fine, stats::mean(&truth.rr_s))?,
    })
}

fn shape(graph: &Graph, streams: &Streams, watch: &dyn Watch) -> Result<Shape, Failure> {
    let adjacency = graph.adjacency();
    let parts = components(&adjacency);
    let mut rng = streams.stream("path sources");
    let paths = paths(&adjacency, &parts.largest_nodes(), 20_000, &mut rng, watch)?;
    let triangles = clustering(&adjacency, watch)?;
    let nan = f64::NAN;
    Ok(Shape {
        density: density(graph),
        path: paths.as_ref().map_or(nan, |p| p.mean),
        diameter: paths.map_or(nan, |p| p.diameter as f64),
        transitivity: triangles.transitivity.unwrap_or(nan),
        mean_local: triangles.mean_local,
        assortativity: assortativity(&adjacency).unwrap_or(nan),
        largest_share: parts.largest_share(),
    })
}
