//! Figures of the method on own data.

use chiasm_analysis::timeseries_graph::measures::degree_distribution;
use chiasm_analysis::timeseries_graph::{Layout, Multiplex, Series, Visibility};
use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

use super::figures::{layout_panel, links, raster};
use super::fit::{COLUMNS, Channel, Network, row};
use super::fit_config::{Construction, FitConfig};

/// Samples whose lines of sight are drawn.
const SHOWN: usize = 120;

pub(super) fn all(
    config: &FitConfig,
    channels: &[Channel],
    networks: &[Network],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let drawn = config.drawn.min(channels.len());
    let (some, nets) = (&channels[..drawn], &networks[..drawn]);
    if drawn > 0 {
        if matches!(
            config.construction,
            Construction::Natural | Construction::Horizontal
        ) {
            bench.figure(lines_of_sight(config, some)?)?;
        }
        bench.figure(matrices(some, nets))?;
        bench.figure(degrees(config, some, nets))?;
        layouts(config, some, nets, bench)?;
    }
    bench.figure(over_units(networks))
}

fn lines_of_sight(config: &FitConfig, channels: &[Channel]) -> Result<Figure, Failure> {
    let mut figure = Figure::new(
        "lines-of-sight",
        "Series and their lines of sight",
        "The first samples of the first units. Each sample is joined with those it sees over the samples between.",
    );
    for channel in channels {
        let n = channel.values.len().min(SHOWN);
        let whole = channel.series()?;
        let times: Vec<f64> = (0..n).map(|i| whole.time_s(i)).collect();
        let series = Series::timed(&channel.values[..n], times.clone())?;
        let graph = Visibility {
            max_edges: usize::MAX,
            ..config.visibility()
        };
        let graph = graph.build(&series)?;
        let panel = Panel::new(
            &channel.name,
            Axis::new("time", "s"),
            Axis::new("value", "as recorded"),
        )
        .with(links(&graph, &series))
        .with(Mark::Points {
            series: "samples".into(),
            x: times,
            y: series.values().to_vec(),
            labels: vec![],
        });
        figure = figure.with(panel);
    }
    Ok(figure)
}

fn matrices(channels: &[Channel], networks: &[Network]) -> Figure {
    let mut figure = Figure::new(
        "matrices",
        "Networks as matrices",
        "The share of pairs of nodes joined, by the time of the nodes, for the first units.",
    )
    .columns(2);
    for (channel, network) in channels.iter().zip(networks) {
        let times = &network.timed.times_s;
        let span = Some((times[0], times[times.len() - 1]));
        let panel = Panel::new(
            &channel.name,
            Axis::new("time", "s"),
            Axis::new("time", "s"),
        );
        figure = figure.with(panel.with(Mark::Heatmap {
            series: "share joined (1)".into(),
            values: raster(&network.timed.graph),
            x_range: span.filter(|s| s.1 > s.0),
            y_range: span.filter(|s| s.1 > s.0),
            color_range: None,
            diverging: false,
        }));
    }
    figure
}

fn degrees(config: &FitConfig, channels: &[Channel], networks: &[Network]) -> Figure {
    let mut panel = Panel::new(
        "",
        Axis::new("degree", "1"),
        Axis::new("share of nodes", "1").log(),
    );
    if config.construction == Construction::Horizontal && config.penetrable == 0 {
        panel = panel.with(Mark::Line {
            series: "independent noise".into(),
            x: (2..20).map(f64::from).collect(),
            y: (2..20).map(|k| (2.0f64 / 3.0).powi(k - 2) / 3.0).collect(),
        });
    }
    for (channel, network) in channels.iter().zip(networks) {
        let shares = degree_distribution(&network.timed.graph);
        let seen: Vec<usize> = (0..shares.len()).filter(|k| shares[*k] > 0.0).collect();
        panel = panel.with(Mark::Points {
            series: channel.name.clone(),
            x: seen.iter().map(|k| *k as f64).collect(),
            y: seen.iter().map(|k| shares[*k]).collect(),
            labels: vec![],
        });
    }
    Figure::new(
        "degree-distribution",
        "Degrees",
        "The share of nodes of each degree, for the first units.",
    )
    .with(panel)
}

fn layouts(
    config: &FitConfig,
    channels: &[Channel],
    networks: &[Network],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let layout = Layout {
        iterations: config.layout_steps,
        max_nodes: config.layout_nodes,
        ..Layout::default()
    };
    let mut figure = Figure::new(
        "layouts",
        "Networks, laid out",
        "Force-directed layouts of the largest component, colored by fifths of the recording, in order; links are left out. \
         Behind the name of the unit, its elongation index: 1 is round.",
    )
    .columns(2);
    for (u, (channel, network)) in channels.iter().zip(networks).enumerate() {
        let largest = network
            .measures
            .components
            .sizes
            .iter()
            .max()
            .copied()
            .unwrap_or(0);
        if largest < 3 || largest > config.layout_nodes {
            bench.note(format!(
                "Unit {}: not laid out, with {largest} nodes in its largest component (layout_nodes={}).",
                channel.name, config.layout_nodes
            ));
            continue;
        }
        let streams = bench.streams().child(&format!("layout of {u}"));
        let picture = layout.of(&network.timed.graph, &streams, bench.watch())?;
        let elongation = picture.elongation();
        if elongation.is_finite() {
            bench.metric(&format!("elongation/{}", u + 1), elongation, "1")?;
        }
        let title = format!("{}: {elongation:.2}", channel.name);
        let n = network.timed.graph.n_nodes();
        figure = figure.with(layout_panel(&title, &picture, n, |k| {
            format!("fifth {}", k + 1)
        }));
    }
    if figure.panels.is_empty() {
        Ok(())
    } else {
        bench.figure(figure)
    }
}

/// Every unit's measures.
fn over_units(networks: &[Network]) -> Figure {
    let rows: Vec<_> = networks.iter().map(row).collect();
    let mut figure = Figure::new(
        "units",
        "Networks of all units",
        "Each point is a unit, in the order of the recording. Undefined measures are left out.",
    )
    .columns(2);
    for name in [
        "mean_degree",
        "path",
        "transitivity",
        "assortativity",
        "modularity",
        "small_world",
    ] {
        let c = COLUMNS.iter().position(|(n, _)| *n == name).unwrap_or(0);
        let seen: Vec<usize> = (0..rows.len()).filter(|u| rows[*u][c].is_some()).collect();
        let label = name.replace('_', " ");
        let panel = Panel::new(
            "",
            Axis::new("unit", "index"),
            Axis::new(&label, COLUMNS[c].1),
        );
        figure = figure.with(panel.with(Mark::Points {
            series: String::new(),
            x: seen.iter().map(|u| *u as f64).collect(),
            y: seen.iter().filter_map(|u| rows[*u][c]).collect(),
            labels: vec![],
        }));
    }
    figure
}

/// How much the degrees of a moment in one unit tell of those in another.
pub(super) fn information(channels: &[Channel], shared: &Multiplex) -> Figure {
    let axis = || {
        if channels.len() <= 24 {
            Axis::categories("unit", channels.iter().map(|c| c.name.clone()).collect())
        } else {
            Axis::new("unit", "index")
        }
    };
    let values = shared
        .degree_information
        .iter()
        .enumerate()
        .map(|(a, row)| {
            // A unit with itself would hide all others.
            row.iter()
                .enumerate()
                .map(|(b, v)| if a == b { f64::NAN } else { *v })
                .collect()
        });
    Figure::new(
        "shared-information",
        "What units share",
        "Mutual information of the degrees of the same moment in the visibility graphs of two units.",
    )
    .with(Panel::new("", axis(), axis()).with(Mark::Heatmap {
        series: "mutual information (nat)".into(),
        values: values.collect(),
        x_range: None,
        y_range: None,
        color_range: None,
        diverging: false,
    }))
}
