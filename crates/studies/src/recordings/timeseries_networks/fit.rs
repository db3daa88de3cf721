//! The method on own data: each unit a series, each series a network.

use std::path::Path;

use chiasm_analysis::timeseries_graph::measures::GraphMeasures;
use chiasm_analysis::timeseries_graph::{
    Drawn, Series, SeriesMeasures, TimedGraph, irreversibility, multiplex,
};
use chiasm_core::{Failure, Inside, SettingError, TimeAxis, stats};
use chiasm_data::io::{ReadOptions, read};
use chiasm_data::{Activity, DataError, Place, Recording};
use chiasm_lab::bench::{Document, Table};
use chiasm_lab::{Bench, Findings, Input};
use rayon::prelude::*;

use super::fit_config::{Construction, FitConfig};
use super::fit_figures;

/// Graphs are kept for a comparison of channels up to this many bytes.
const KEPT_BYTES: usize = 1 << 30;

/// One unit's series.
pub(super) struct Channel {
    pub name: String,
    pub values: Vec<f64>,
    time: TimeAxis,
}

impl Channel {
    pub(super) fn series(&self) -> Result<Series<'_>, Failure> {
        let series = match &self.time {
            TimeAxis::Regular {
                start_s, rate_hz, ..
            } => Series::even(&self.values, *start_s, 1.0 / rate_hz),
            TimeAxis::Explicit(t) => Series::timed(&self.values, t.as_slice()),
        };
        series.map_err(|e| Failure::from(e).about(format!("unit {}", self.name)))
    }
}

/// One unit's network.
pub(super) struct Network {
    pub timed: TimedGraph,
    pub measures: GraphMeasures,
    pub irreversibility: Option<f64>,
    pub series: Option<SeriesMeasures>,
    /// What was chosen for it, or looks odd.
    pub note: Option<String>,
}

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let mut channels = Vec::new();
    let mut onsets = Vec::new();
    for (path, recording) in input.paths.iter().zip(input.recordings(bench)?) {
        let about = |e: Failure| e.about(path.display());
        let mut starts = onsets_of(config, &recording).map_err(about)?;
        if input.span_s.is_some() {
            let (from, to) = recording.span_s();
            starts.retain(|t| (from..=to).contains(t));
        }
        let several = input.paths.len() > 1;
        for channel in
            channels_of(config, &recording, several.then_some(path.as_path())).map_err(about)?
        {
            onsets.push(starts.clone());
            channels.push(channel);
        }
    }
    let networks = build_all(config, &channels, &onsets, bench)?;
    notes(config, &channels, &networks, bench);
    record(config, &channels, &networks, bench)?;
    fit_figures::all(config, &channels, &networks, bench)?;
    Ok(summary(config, &channels, &networks))
}

/// The units of a recording as series.
fn channels_of(
    config: &FitConfig,
    recording: &Recording,
    file: Option<&Path>,
) -> Result<Vec<Channel>, Failure> {
    let (time, columns): (TimeAxis, Vec<Vec<f64>>) = match (recording.activity(), config.bin_s) {
        (Activity::Traces(t), _) => {
            let column = |u: usize| t.values.column(u).iter().map(|v| f64::from(*v)).collect();
            (
                t.time.clone(),
                (0..recording.n_units()).map(column).collect(),
            )
        }
        (Activity::Spikes(_), None) => {
            let expected = "the width of bins, since the recording holds spikes: bin_s=SECONDS";
            return Err(SettingError::new("bin_s", expected, "none").into());
        }
        (Activity::Spikes(_), Some(bin_s)) => {
            let (time, counts) = recording.spike_counts(bin_s)?;
            let columns = counts.columns().into_iter();
            (
                time,
                columns
                    .map(|c| c.iter().map(|k| f64::from(*k)).collect())
                    .collect(),
            )
        }
    };
    let stem = file
        .and_then(Path::file_stem)
        .map(|s| s.to_string_lossy().into_owned());
    let name = |u: usize| {
        let own = recording.units()[u].name();
        stem.as_ref()
            .map_or_else(|| own.to_owned(), |s| format!("{s}: {own}"))
    };
    let channels = columns.into_iter().enumerate().map(|(u, values)| Channel {
        name: name(u),
        values,
        time: time.clone(),
    });
    Ok(channels.collect())
}

/// When cycles start, s; empty for the other constructions.
fn onsets_of(config: &FitConfig, recording: &Recording) -> Result<Vec<f64>, Failure> {
    if config.construction != Construction::Cycle {
        return Ok(vec![]);
    }
    if let Some(kind) = &config.beat_epochs {
        let starts: Vec<f64> = recording.epochs_of(kind).map(|e| e.start_s).collect();
        if starts.is_empty() {
            let mut kinds: Vec<&str> = recording.epochs().iter().map(|e| e.kind.as_str()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            let expected = format!("a kind of epoch of the recording, one of {kinds:?}");
            return Err(SettingError::new("beat_epochs", expected, kind).into());
        }
        return Ok(starts);
    }
    let Some(path) = &config.beats else {
        return Ok(vec![]);
    };
    let events = read(path, &ReadOptions::default())?;
    match events.spikes() {
        Some(s) if !s.times.is_empty() => Ok(s.times[0].clone()),
        _ => {
            let place = Place::dataset("beats").in_file(path);
            let expected = "spikes or events (columns unit and time_s)";
            Err(DataError::invalid(place, expected, "sampled traces").into())
        }
    }
}

fn build_all(
    config: &FitConfig,
    channels: &[Channel],
    onsets: &[Vec<f64>],
    bench: &Bench,
) -> Result<Vec<Network>, Failure> {
    let (streams, watch) = (bench.streams(), bench.watch());
    watch.stage("making networks", channels.len() as u64);
    channels
        .par_iter()
        .zip(onsets)
        .enumerate()
        .map(|(u, (channel, onsets))| {
            watch.check()?;
            let about = |e: Failure| e.about(format!("unit {}", channel.name));
            let inside = Inside(watch);
            let series = channel.series()?;
            let (timed, note) = build(config, &series, onsets, &inside).map_err(about)?;
            let own = streams.child(&format!("unit {u}"));
            let measures = config
                .measures()
                .of(&timed.graph, &own, &inside)
                .map_err(|e| about(e.into()))?;
            let visible = matches!(
                config.construction,
                Construction::Natural | Construction::Horizontal
            );
            let between = onsets.windows(2).map(|w| w[1] - w[0]).collect::<Vec<f64>>();
            let cycle_s = config
                .cycle_s
                .or((!between.is_empty()).then(|| stats::mean(&between)));
            // Uneven times and constant series have no autocorrelation; only a cycle that was asked for outright is refused.
            let classical = cycle_s.map(|c| SeriesMeasures::of(&series, c));
            let classical = match classical {
                Some(Err(e)) if config.cycle_s.is_some() && series.constant().is_none() => {
                    return Err(about(e.into()));
                }
                other => other.and_then(Result::ok),
            };
            watch.tick(1);
            Ok(Network {
                irreversibility: visible.then(|| irreversibility(&timed.graph)),
                timed,
                measures,
                series: classical,
                note: note.or_else(|| {
                    let value = series.constant()?;
                    Some(format!(
                        "the series is constant ({value}): its visibility graph is a bare path"
                    ))
                }),
            })
        })
        .collect()
}

fn build(
    config: &FitConfig,
    series: &Series<'_>,
    onsets: &[f64],
    watch: &Inside<'_>,
) -> Result<(TimedGraph, Option<String>), Failure> {
    match config.construction {
        Construction::Natural | Construction::Horizontal => {
            let graph = config.visibility().build(series)?;
            let times_s = (0..series.len()).map(|i| series.time_s(i)).collect();
            Ok((TimedGraph { graph, times_s }, None))
        }
        Construction::Cycle => Ok((config.cycle().build(series, onsets, watch)?, None)),
        Construction::Windows => {
            let overlap = config.window_step_s < config.window_s;
            let note =
                "windows overlap and correlate by themselves: a chain is no finding".to_owned();
            Ok((
                config.windows().build(series, watch)?,
                overlap.then_some(note),
            ))
        }
        Construction::Recurrence => {
            let found = config.recurrence().build(series, watch)?;
            let chosen = match (config.lag_s, found.distance) {
                (None, Some(d)) => format!("lag of {} samples, joined within {d:.3} sd", found.lag),
                (None, None) => format!("lag of {} samples", found.lag),
                (Some(_), Some(d)) => format!("joined within {d:.3} sd"),
                (Some(_), None) => return Ok((found.timed, None)),
            };
            Ok((found.timed, Some(chosen)))
        }
    }
}

fn notes(config: &FitConfig, channels: &[Channel], networks: &[Network], bench: &mut Bench) {
    const MOST: usize = 20;
    let noted: Vec<String> = channels
        .iter()
        .zip(networks)
        .filter_map(|(c, n)| Some(format!("Unit {}: {}.", c.name, n.note.as_ref()?)))
        .collect();
    noted.iter().take(MOST).for_each(|n| bench.note(n.clone()));
    if noted.len() > MOST {
        bench.note(format!(
            "The like holds for {} more units.",
            noted.len() - MOST
        ));
    }
    if config.construction == Construction::Recurrence {
        let split = channels
            .iter()
            .zip(networks)
            .filter(|(_, n)| n.measures.components.n() > 1);
        for (c, n) in split.take(MOST) {
            bench.note(format!(
                "Unit {}: the network falls into {} components; paths are those of the largest, with {:.1} % of its nodes.",
                c.name,
                n.measures.components.n(),
                100.0 * n.measures.components.largest_share()
            ));
        }
    }
}

/// The measures that every table and figure shows, in order, with their units.
pub(super) const COLUMNS: [(&str, &str); 20] = [
    ("nodes", "1"),
    ("edges", "1"),
    ("density", "1"),
    ("mean_degree", "1"),
    ("sd_degree", "1"),
    ("max_degree", "1"),
    ("exponent", "1"),
    ("components", "1"),
    ("largest_share", "1"),
    ("path", "1"),
    ("diameter", "1"),
    ("radius", "1"),
    ("transitivity", "1"),
    ("mean_local", "1"),
    ("assortativity", "1"),
    ("largest_betweenness", "1"),
    ("modularity", "1"),
    ("small_world", "1"),
    ("span", "s"),
    ("irreversibility", "nat"),
];

/// A unit's measures in the order of [`COLUMNS`].
pub(super) fn row(network: &Network) -> [Option<f64>; COLUMNS.len()] {
    let m = &network.measures;
    let paths = m.paths.as_ref();
    [
        Some(m.n_nodes as f64),
        Some(m.n_edges as f64),
        Some(m.density).filter(|d| d.is_finite()),
        Some(m.mean_degree),
        Some(m.sd_degree),
        Some(m.max_degree as f64),
        m.exponent.map(|e| e.0),
        Some(m.components.n() as f64),
        Some(m.components.largest_share()),
        paths.map(|p| p.mean),
        paths.map(|p| p.diameter as f64),
        paths.map(|p| p.radius as f64),
        m.clustering.transitivity,
        Some(m.clustering.mean_local),
        m.assortativity,
        m.betweenness.map(|b| b.0),
        m.communities.map(|c| c.0),
        m.small_world.map(|s| s.sigma()),
        network.timed.mean_span_s(),
        network.irreversibility,
    ]
}

fn record(
    config: &FitConfig,
    channels: &[Channel],
    networks: &[Network],
    bench: &mut Bench,
) -> Result<(), Failure> {
    bench.metric("units", networks.len() as f64, "1")?;
    let rows: Vec<_> = networks.iter().map(row).collect();
    for (c, (name, unit)) in COLUMNS.iter().enumerate() {
        let defined: Vec<f64> = rows.iter().filter_map(|r| r[c]).collect();
        if !defined.is_empty() {
            bench.metric(&format!("{name}/mean"), stats::mean(&defined), unit)?;
        }
        if defined.len() > 1 {
            bench.metric(&format!("{name}/sd"), stats::sd(&defined, 1), unit)?;
        }
    }
    let exact = networks
        .iter()
        .all(|n| n.measures.paths.as_ref().is_none_or(|p| p.exact));
    if !exact {
        bench.note(format!(
            "Paths start at {} nodes drawn at random: diameters are bounds from below, radii from above.",
            config.path_sources
        ));
    }
    let cell = |v: Option<f64>| v.map_or(String::new(), |v| format!("{v:.6}"));
    let with_series = networks.iter().any(|n| n.series.is_some());
    let mut columns = vec!["unit".to_owned()];
    columns.extend(COLUMNS.iter().map(|(name, unit)| match *unit {
        "1" => (*name).to_owned(),
        unit => format!("{name} ({unit})"),
    }));
    if with_series {
        columns.extend(["at_one_cycle", "decorrelation (s)", "peak_fraction"].map(String::from));
    }
    let line = |(c, (n, r)): (&Channel, (&Network, &[Option<f64>; COLUMNS.len()]))| {
        let mut line = vec![c.name.clone()];
        line.extend(r.iter().map(|v| cell(*v)));
        if with_series {
            let s = n.series.as_ref();
            line.push(cell(s.map(|s| s.at_one_cycle)));
            line.push(cell(s.and_then(|s| s.decorrelation_s)));
            line.push(cell(s.map(|s| s.peak_fraction)));
        }
        line
    };
    bench.table(Table {
        id: "units".into(),
        title: "The network of each unit".into(),
        columns,
        rows: channels
            .iter()
            .zip(networks.iter().zip(&rows))
            .map(line)
            .collect(),
    })?;
    compare_channels(config, channels, networks, bench)?;
    if config.edges {
        edges(config, channels, networks, bench)?;
    }
    if config.graphml {
        graphml(config, channels, networks, bench)?;
    }
    Ok(())
}

/// What the visibility graphs of units on one clock share.
fn compare_channels(
    config: &FitConfig,
    channels: &[Channel],
    networks: &[Network],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let visible = matches!(
        config.construction,
        Construction::Natural | Construction::Horizontal
    );
    let one_clock = channels.iter().all(|c| c.time == channels[0].time);
    let bytes: usize = networks.iter().map(|n| n.timed.graph.bytes()).sum();
    if !visible || !one_clock || networks.len() < 2 || bytes > KEPT_BYTES {
        return Ok(());
    }
    let graphs: Vec<_> = networks.iter().map(|n| n.timed.graph.clone()).collect();
    let shared = multiplex(&graphs)?;
    bench.metric("multiplex/edge_overlap", shared.edge_overlap, "1")?;
    bench.metric(
        "multiplex/degree_information",
        shared.mean_information(),
        "nat",
    )?;
    bench.figure(fit_figures::information(channels, &shared))
}

fn edges(
    config: &FitConfig,
    channels: &[Channel],
    networks: &[Network],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let visible = matches!(
        config.construction,
        Construction::Natural | Construction::Horizontal
    );
    for (u, (channel, network)) in channels.iter().zip(networks).enumerate() {
        let series = channel.series()?;
        let times = &network.timed.times_s;
        let line = |(i, j): (usize, usize)| {
            let (from, to) = if visible {
                config.direction.of(&series, i, j)
            } else {
                (i, j)
            };
            let weight = if visible {
                config.weight.of(&series, i, j)
            } else {
                1.0
            };
            vec![
                from.to_string(),
                to.to_string(),
                times[from].to_string(),
                times[to].to_string(),
                weight.to_string(),
            ]
        };
        bench.table(Table {
            id: format!("edges-{}", u + 1),
            title: format!("Edges of unit {}", channel.name),
            columns: [
                "source",
                "target",
                "source_time (s)",
                "target_time (s)",
                "weight",
            ]
            .map(String::from)
            .to_vec(),
            rows: network.timed.graph.edges().map(line).collect(),
        })?;
    }
    Ok(())
}

fn graphml(
    config: &FitConfig,
    channels: &[Channel],
    networks: &[Network],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let visible = matches!(
        config.construction,
        Construction::Natural | Construction::Horizontal
    );
    for (u, (channel, network)) in channels.iter().zip(networks).enumerate() {
        let series = channel.series()?;
        let drawn = visible.then_some(Drawn {
            series: &series,
            weight: config.weight,
            direction: config.direction,
        });
        bench.document(Document {
            id: format!("network-{}", u + 1),
            title: format!("Network of unit {}", channel.name),
            ending: "graphml".into(),
            text: network.timed.graphml(drawn.as_ref()),
        })?;
    }
    Ok(())
}

fn summary(config: &FitConfig, channels: &[Channel], networks: &[Network]) -> Findings {
    let rows: Vec<_> = networks.iter().map(row).collect();
    let of = |name: &str| {
        let c = COLUMNS.iter().position(|(n, _)| *n == name).unwrap_or(0);
        let defined: Vec<f64> = rows.iter().filter_map(|r| r[c]).collect();
        match defined.len() {
            0 => "undefined".to_owned(),
            1 => format!("{:.3}", defined[0]),
            _ => format!(
                "{:.3} ± {:.3}",
                stats::mean(&defined),
                stats::sd(&defined, 1)
            ),
        }
    };
    let name = format!("{:?}", config.construction).to_lowercase();
    let mut findings = Findings::new(format!(
        "{} units, {} nodes each at most; {name} networks have a mean degree of {}, paths of {}, a transitivity of {} and an \
         assortativity of {} (mean and standard deviation over units).",
        channels.len(),
        networks
            .iter()
            .map(|n| n.measures.n_nodes)
            .max()
            .unwrap_or(0),
        of("mean_degree"),
        of("path"),
        of("transitivity"),
        of("assortativity"),
    ));
    if config.construction == Construction::Horizontal {
        findings = findings.and(format!(
            "Degrees decay with an exponent of {}; independent noise has 0.405, whatever its distribution.",
            of("exponent")
        ));
    }
    findings
}
