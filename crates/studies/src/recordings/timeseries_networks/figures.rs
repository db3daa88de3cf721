//! The study's figures.

use chiasm_analysis::timeseries_graph::{Graph, Picture, Series, Visibility};
use chiasm_core::{Failure, stats};
use chiasm_data::generate::cerebral_flow::SITES;
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

use super::arms::{Arm, recurrence, sampled};
use super::config::Config;
use super::noise::Known;
use super::run::{Group, LaidOut};

/// Spans of time that layouts are colored by.
const SPANS: usize = 5;
/// Cells of an adjacency raster, a side.
const CELLS: usize = 100;

pub(super) fn all(
    config: &Config,
    groups: &[Group],
    pictures: &[Vec<LaidOut>; 2],
    known: &Known,
    bench: &mut Bench,
) -> Result<(), Failure> {
    bench.figure(sites(groups))?;
    let [states, beats] = pictures;
    bench.figure(layouts(
        "recurrence-layouts",
        "Recurrence networks, laid out",
        "Force-directed layouts of the recurrence networks of the first subject: each point is a moment, near those in which the \
         system is in nearly the same state; links are left out. Colors are fifths of the recording, in order. NSR: sinus \
         rhythm, AF: fibrillation; behind the site, the elongation index, the ratio of the principal axes: 1 is round.",
        states,
    ))?;
    bench.figure(layouts(
        "cycle-layouts",
        "Cycle networks, laid out",
        "Force-directed layouts of the cycle networks of the first subject (largest component): each point is a beat, near those \
         of like course. Colors are fifths of the recording, in order; behind the site, the elongation index.",
        beats,
    ))?;
    bench.figure(with_links(config, bench)?)?;
    bench.figure(degrees(known))?;
    let figure = rasters(config, bench)?;
    bench.figure(figure)
}

/// Mean and standard deviation over subjects at every site.
fn sites(groups: &[Group]) -> Figure {
    let axis = || Axis::categories("site", SITES.map(String::from).to_vec());
    let curve = |panel: Panel, name: &str, values: &dyn Fn(usize) -> Vec<f64>| {
        let x: Vec<f64> = (0..SITES.len()).map(|s| s as f64).collect();
        let means: Vec<f64> = (0..SITES.len()).map(|s| stats::mean(&values(s))).collect();
        let sds: Vec<f64> = (0..SITES.len()).map(|s| stats::sd(&values(s), 1)).collect();
        let edge = |sign: f64| means.iter().zip(&sds).map(|(m, s)| m + sign * s).collect();
        panel
            .with(Mark::Band {
                series: name.into(),
                x: x.clone(),
                low: edge(-1.0),
                high: edge(1.0),
            })
            .with(Mark::Line {
                series: name.into(),
                x,
                y: means,
            })
    };
    let mut density = Panel::new(
        "cycle network",
        axis(),
        Axis::new("link density", "1").range(0.0, 1.02),
    );
    for g in groups {
        density = curve(density, g.arm.name(), &|s| g.at(s, |x| x.cycle.density));
    }
    let mut panels = vec![density];
    type Value = fn(&super::arms::Site) -> f64;
    let others: [(&str, &str, Value); 5] = [
        ("cycle network", "mean path", |x| x.cycle.path),
        ("recurrence network", "mean path", |x| {
            x.rest.as_ref().map_or(f64::NAN, |r| r.recurrence.path)
        }),
        ("recurrence network", "transitivity", |x| {
            x.rest
                .as_ref()
                .map_or(f64::NAN, |r| r.recurrence.transitivity)
        }),
        ("natural visibility", "mean path", |x| {
            x.rest.as_ref().map_or(f64::NAN, |r| r.natural.path)
        }),
        ("series alone", "autocorrelation at one beat", |x| {
            x.rest.as_ref().map_or(f64::NAN, |r| r.series.at_one_cycle)
        }),
    ];
    for (title, label, value) in others {
        let mut panel = Panel::new(title, axis(), Axis::new(label, "1"));
        for g in groups
            .iter()
            .filter(|g| matches!(g.arm, Arm::Sinus | Arm::Fibrillation))
        {
            panel = curve(panel, g.arm.name(), &|s| g.at(s, value));
        }
        panels.push(panel);
    }
    let figure = Figure::new(
        "sites",
        "Networks from the heart to the capillaries",
        "Mean over subjects with a band of one standard deviation. Nulls: the beats of fibrillation shuffled, and narrowed to \
         the variation of sinus rhythm; ablation: sinus rhythm without autoregulation. The last panel needs no network.",
    )
    .columns(2);
    panels.into_iter().fold(figure, Figure::with)
}

/// Points of a layout, by time.
pub(super) fn layout_panel(
    title: &str,
    picture: &Picture,
    n_nodes: usize,
    span_name: impl Fn(usize) -> String,
) -> Panel {
    let axis = |i: usize| Axis::new(&format!("dimension {i}"), "1");
    let mut panel = Panel::new(title, axis(1), axis(2));
    for span in 0..SPANS {
        let own = |k: &usize| picture.nodes[*k] as usize * SPANS / n_nodes == span;
        let nodes: Vec<usize> = (0..picture.nodes.len()).filter(own).collect();
        let of = |c: usize| nodes.iter().map(|&k| picture.xy[k][c]).collect();
        panel = panel.with(Mark::Points {
            series: span_name(span),
            x: of(0),
            y: of(1),
            labels: vec![],
        });
    }
    panel
}

fn layouts(id: &str, title: &str, caption: &str, laid: &[LaidOut]) -> Figure {
    let mut figure = Figure::new(id, title, caption).columns(SITES.len());
    for l in laid.iter().filter(|l| l.subject == 0) {
        let rhythm = if l.arm == Arm::Sinus { "NSR" } else { "AF" };
        let title = format!("{rhythm}, {}: {:.2}", SITES[l.site], l.picture.elongation());
        let last = l.picture.nodes.iter().max().map_or(1, |m| *m as usize + 1);
        figure = figure.with(layout_panel(&title, &l.picture, last, |k| {
            format!("fifth {}", k + 1)
        }));
    }
    figure
}

/// All lines of sight of a graph, broken between edges.
pub(super) fn links(graph: &Graph, series: &Series<'_>) -> Mark {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (i, j) in graph.edges() {
        for k in [i, j] {
            x.push(series.time_s(k));
            y.push(series.values()[k]);
        }
        x.push(f64::NAN);
        y.push(f64::NAN);
    }
    Mark::Line {
        series: "lines of sight".into(),
        x,
        y,
    }
}

/// The capillary pressure of both rhythms with its lines of sight.
fn with_links(config: &Config, bench: &Bench) -> Result<Figure, Failure> {
    let mut figure = Figure::new(
        "lines-of-sight",
        "Capillary pressure as a natural visibility graph",
        "The first samples of the first subject of each rhythm. Every sample is joined with those it sees over the samples between.",
    );
    for arm in [Arm::Sinus, Arm::Fibrillation] {
        let truth = arm.simulate(config, bench.streams(), 0)?;
        let x = sampled(config, &truth, SITES.len() - 1);
        let x = &x[..x.len().min(80)];
        let series = Series::even(x, config.skip_s, config.sample_step_s)?;
        let graph = Visibility::default().build(&series)?;
        let times: Vec<f64> = (0..x.len()).map(|i| series.time_s(i)).collect();
        let panel = Panel::new(
            arm.name(),
            Axis::new("time", "s"),
            Axis::new("pressure", "mmHg"),
        )
        .with(links(&graph, &series))
        .with(Mark::Points {
            series: "samples".into(),
            x: times,
            y: x.to_vec(),
            labels: vec![],
        });
        figure = figure.with(panel);
    }
    Ok(figure)
}

fn degrees(known: &Known) -> Figure {
    let curve = |name: &str, shares: &[f64]| {
        let seen: Vec<usize> = (0..shares.len()).filter(|k| shares[*k] > 0.0).collect();
        Mark::Points {
            series: name.into(),
            x: seen.iter().map(|k| *k as f64).collect(),
            y: seen.iter().map(|k| shares[*k]).collect(),
            labels: vec![],
        }
    };
    let law: Vec<f64> = (2..25).map(|k| (2.0f64 / 3.0).powi(k - 2) / 3.0).collect();
    let panel = Panel::new(
        "",
        Axis::new("degree", "1"),
        Axis::new("share of samples", "1").log(),
    )
    .with(Mark::Line {
        series: "exact law, horizontal".into(),
        x: (2..25).map(f64::from).collect(),
        y: law,
    })
    .with(curve("horizontal", &known.horizontal))
    .with(curve("natural", &known.natural));
    Figure::new(
        "degree-distribution",
        "Degrees of the visibility graphs of noise",
        "Uniform noise. The horizontal graph follows (1/3)(2/3)^(k-2) whatever the distribution of the noise; the natural graph \
         has a heavier tail.",
    )
    .with(panel)
}

/// The share of pairs joined between moments, coarsened.
pub(super) fn raster(graph: &Graph) -> Vec<Vec<f64>> {
    let n = graph.n_nodes();
    let cells = CELLS.min(n);
    let mut counts = vec![vec![0.0; cells]; cells];
    let of = |i: usize| i * cells / n;
    for (i, j) in graph.edges() {
        counts[of(i)][of(j)] += 1.0;
        counts[of(j)][of(i)] += 1.0;
    }
    let mut sizes = vec![0.0; cells];
    (0..n).for_each(|i| sizes[of(i)] += 1.0);
    for (a, row) in counts.iter_mut().enumerate() {
        for (b, c) in row.iter_mut().enumerate() {
            *c /= sizes[a] * sizes[b];
        }
    }
    counts
}

fn rasters(config: &Config, bench: &Bench) -> Result<Figure, Failure> {
    let mut figure = Figure::new(
        "recurrence-rasters",
        "Recurrence networks as matrices",
        "The share of moments joined, first subject. Lines along the diagonal are stretches in which the system repeats itself.",
    )
    .columns(2);
    let end = config.skip_s + config.samples as f64 * config.sample_step_s;
    for site in [0, SITES.len() - 1] {
        for arm in [Arm::Sinus, Arm::Fibrillation] {
            let truth = arm.simulate(config, bench.streams(), 0)?;
            let graph = recurrence(config, &sampled(config, &truth, site), bench.watch())?;
            let span = Some((config.skip_s, end));
            let title = format!("{}, {}", arm.name(), SITES[site]);
            let panel = Panel::new(&title, Axis::new("time", "s"), Axis::new("time", "s"));
            figure = figure.with(panel.with(Mark::Heatmap {
                series: "share joined (1)".into(),
                values: raster(&graph),
                x_range: span,
                y_range: span,
                color_range: None,
                diverging: false,
            }));
        }
    }
    Ok(figure)
}
