//! What the study shows.

use chiasm_analysis::geometry::FeasibleArc;
use chiasm_analysis::kernel::centered;
use chiasm_core::Failure;
use chiasm_lab::figure::{Axis, Mark, Panel};
use chiasm_lab::{Bench, Figure};
use chiasm_net::network::Nonlinearity::{Relu, Tanh};
use ndarray::Array2;

use super::config::Config;
use super::jobs::{Code, Task, unit_name};
use super::report::{kinds, over, xor_gaps};
use super::run::{Kind, Results, capped, cell, deep_task, lifted};
use super::weights::Course;

/// A measure of a code and its name.
type Measure = (&'static str, fn(&Code) -> f64);

pub(super) fn all(
    results: &Results,
    config: &Config,
    bench: &Bench,
) -> Result<Vec<Figure>, Failure> {
    let mut all = vec![
        plane(results, config),
        kernels(results, config, bench)?,
        codes(results, config),
        ablation(results, config),
        xor(results, config),
        weights(results),
    ];
    if config.depth > 0 {
        all.push(deep(results, config));
    }
    if config.noises.len() > 1 {
        all.push(noise(results, config));
    }
    Ok(all)
}

fn line(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

fn points(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Points {
        series: series.into(),
        x,
        y,
        labels: vec![],
    }
}

/// Legend names.
fn shown(name: &str) -> String {
    match name {
        "relu" => "ReLU".into(),
        "tanh" => "Tanh".into(),
        "untrained-relu" => "untrained ReLU".into(),
        "untrained-tanh" => "untrained Tanh".into(),
        other => other.into(),
    }
}

fn title(task: Task) -> String {
    match task {
        Task::Aligned(c, _) => {
            let rank = c.rank.map_or(String::new(), |r| format!(", r = {r}"));
            format!("k = {}, s = {}{rank}", c.labels, c.separability)
        }
        Task::Xor { epsilon, .. } => format!("ε = {epsilon}"),
    }
}

/// Every network in the plane of its two alignments, one panel for each cell.
fn plane(results: &Results, config: &Config) -> Figure {
    let mut figure = Figure::new(
        "alignments",
        "Like the inputs or like the labels",
        "Centered kernel alignment of the hidden code (cluster means without noise) with the inputs' kernel and with the labels', each \
         network a point. Nothing can lie above the arc, along which a code goes from the inputs to the labels.",
    )
    .columns(3);
    for &c in &config.cells {
        let task = cell(config, c);
        let axis = |name| Axis::new(name, "1").range(0.0, 1.05);
        let mut panel = Panel::new(
            &title(task),
            axis("alignment with inputs"),
            axis("with labels"),
        );
        let between = config.task(c, 0.0).alignment();
        let (x, y) = FeasibleArc { between }.points(60);
        panel = panel.with(line("arc", x, y));
        for (name, kind) in kinds(task) {
            let x = results.values(kind, |c| c.input);
            let y = results.values(kind, |c| c.target);
            panel = panel.with(points(&shown(&name), x, y));
        }
        figure = figure.with(panel);
    }
    figure
}

/// Kernels of the cell of the ablation: inputs, labels, both codes.
fn kernels(results: &Results, config: &Config, bench: &Bench) -> Result<Figure, Failure> {
    let task = cell(config, config.ablation);
    let drawn = task.draw(config, bench.streams())?;
    let n = config.clusters;
    let heat = |name: &str, values: &Array2<f64>| {
        let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let rows = values.rows().into_iter();
        let rows = rows.map(|r| r.iter().map(|v| v / largest).collect());
        let axis = || Axis::new("cluster", "1");
        Panel::new(name, axis(), axis()).with(Mark::Heatmap {
            series: "similarity, of the largest (1)".into(),
            values: rows.collect(),
            x_range: None,
            y_range: None,
            color_range: Some((-1.0, 1.0)),
            diverging: true,
        })
    };
    let code = |unit| {
        let mut sum = Array2::zeros((n, n));
        for outcome in results.nets(Kind::of(task, unit)) {
            for (s, v) in sum.iter_mut().zip(&outcome.kernel) {
                *s += v;
            }
        }
        sum
    };
    Ok(Figure::new(
        "kernels",
        "Which clusters are represented alike",
        &format!(
            "Centered kernels of the clusters' means at {}: inputs, labels, and the hidden codes, mean over networks.",
            title(task)
        ),
    )
    .with(heat("inputs", &centered(drawn.input_kernel.view())?))
    .with(heat("labels", &drawn.target_kernel()))
    .with(heat("ReLU", &code(Relu)))
    .with(heat("Tanh", &code(Tanh)))
    .columns(2))
}

/// What else the codes are like, by cell.
fn codes(results: &Results, config: &Config) -> Figure {
    let names: Vec<String> = config
        .cells
        .iter()
        .map(|c| title(cell(config, *c)))
        .collect();
    let panel = |what: &str, of: fn(&Code) -> f64| {
        let mut panel = Panel::new(
            "",
            Axis::categories("task", names.clone()),
            Axis::new(what, "1"),
        );
        for i in 0..5 {
            let mut series = (String::new(), vec![], vec![], vec![]);
            for (at, c) in config.cells.iter().enumerate() {
                let (name, kind) = kinds(cell(config, *c))[i].clone();
                let values = results.values(kind, of);
                series.0 = shown(&name);
                series.1.push(at as f64);
                series.2.push(chiasm_core::stats::mean(&values));
                let enough = values.len() > 1;
                series.3.push(if enough {
                    chiasm_core::stats::sd(&values, 1)
                } else {
                    0.0
                });
            }
            panel = panel.with(Mark::Bars {
                series: series.0,
                x: series.1,
                y: series.2,
                error: series.3,
            });
        }
        panel
    };
    Figure::new(
        "codes",
        "What the codes are like",
        &format!(
            "Parallelism and generalization across conditions of the trained labels; accuracy on dichotomies that were not trained, with \
             inputs' noise of {}; participation ratio. Mean and standard deviation over networks.",
            config.decoding_noise
        ),
    )
    .with(panel("parallelism", |c| c.parallelism))
    .with(panel("generalization (CCGP)", |c| c.ccgp))
    .with(panel("untrained dichotomies", |c| c.untrained))
    .with(panel("dimension", |c| c.dimension))
    .columns(2)
}

/// Ceilings.
fn ablation(results: &Results, config: &Config) -> Figure {
    let task = cell(config, config.ablation);
    let mut figure = Figure::new(
        "ceilings",
        "The cause: a side that does not saturate",
        &format!(
            "Alignment with the labels at {}. Left: ReLU with ever lower ceilings. Right: an identity with floor -1 and ever higher \
             ceilings. Lines: ReLU and Tanh.",
            title(task)
        ),
    )
    .columns(2);
    for (title, units) in [
        ("ReLU, capped", capped(config)),
        ("clipped, lifted", lifted(config)),
    ] {
        let names = units.iter().map(|u| match u {
            chiasm_net::network::Nonlinearity::Capped { at } => at.to_string(),
            chiasm_net::network::Nonlinearity::Clipped { high, .. } => high.to_string(),
            _ => "none".into(),
        });
        let x: Vec<f64> = (0..units.len()).map(|i| i as f64).collect();
        let mut panel = Panel::new(
            title,
            Axis::categories("ceiling", names.collect()),
            Axis::new("alignment with labels", "1"),
        )
        .with(Mark::Points {
            series: String::new(),
            x,
            y: over(results, config, &units),
            labels: vec![],
        });
        for unit in [Relu, Tanh] {
            panel = panel.with(Mark::HLine {
                series: shown(&unit_name(unit)),
                y: results.mean(Kind::of(task, unit), |c| c.target),
            });
        }
        figure = figure.with(panel);
    }
    figure
}

fn sorted(x: &[f64], y: Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    let mut pairs: Vec<(f64, f64)> = x.iter().copied().zip(y).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    pairs.into_iter().unzip()
}

fn xor(results: &Results, config: &Config) -> Figure {
    let axis = || Axis::new("nudge ε", "1");
    let mut both = Panel::new("", axis(), Axis::new("alignment with labels", "1"));
    let noise = config.xor.noises[0];
    for unit in [Relu, Tanh] {
        let tasks = super::run::xor(config, noise).into_iter();
        let y = tasks.map(|t| results.mean(Kind::of(t, unit), |c| c.target));
        let (x, y) = sorted(&config.xor.epsilons, y.collect());
        both = both.with(line(&shown(&unit_name(unit)), x, y));
    }
    let mut gaps = Panel::new("", axis(), Axis::new("Tanh less ReLU", "1"));
    for &noise in &config.xor.noises {
        let (x, y) = sorted(&config.xor.epsilons, xor_gaps(results, config, noise));
        gaps = gaps.with(line(&format!("noise {noise}"), x, y));
    }
    Figure::new(
        "xor",
        "XOR, from no linear readout to an easy one",
        &format!(
            "The corners of a square labeled by parity and nudged along their label. Left: alignment of the hidden code with the labels \
             at noise {noise}, mean over networks. Right: the gap between the two nonlinearities."
        ),
    )
    .with(both)
    .with(gaps)
    .columns(2)
}

fn weights(results: &Results) -> Figure {
    let mut figure = Figure::new(
        "weights",
        "Where input weights go",
        "Input weights trained by plain descent, all else as it began: weights of each unit along the axis between the classes and \
         along one within a class, their ways (lines) and where they ended (dots); the clusters' directions as squares in legends. \
         Below: the share of units that are active in a single cluster.",
    )
    .columns(2);
    let mut shares = Panel::new(
        "",
        Axis::new("passes", "1"),
        Axis::new("units of one cluster", "1"),
    );
    for course in &results.courses {
        figure = figure.with(ways(course));
        shares = shares.with(line(
            &shown(&course.unit),
            course.epochs.clone(),
            course.specialists.clone(),
        ));
    }
    figure.with(shares)
}

fn ways(course: &Course) -> Panel {
    let [between, within] = &course.along;
    let (mut x, mut y) = (vec![], vec![]);
    for unit in 0..between.first().map_or(0, Vec::len) {
        for (b, w) in between.iter().zip(within) {
            x.push(b[unit]);
            y.push(w[unit]);
        }
        x.push(f64::NAN);
        y.push(f64::NAN);
    }
    let end = |a: &Vec<Vec<f64>>| a.last().cloned().unwrap_or_default();
    let reach = x
        .iter()
        .chain(&y)
        .filter(|v| v.is_finite())
        .fold(0.0, |m: f64, v| m.max(v.abs()));
    let mut panel = Panel::new(
        &shown(&course.unit),
        Axis::new("between classes", "1"),
        Axis::new("within a class", "1"),
    )
    .with(line("", x, y))
    .with(points("weights at the end", end(between), end(within)));
    let far = course
        .clusters
        .iter()
        .flatten()
        .fold(0.0, |m: f64, v| m.max(v.abs()));
    for (name, class) in [("clusters labeled 1", true), ("clusters labeled 0", false)] {
        let of = |values: &[f64]| -> Vec<f64> {
            let each = values.iter().zip(&course.positive);
            each.filter(|(_, p)| **p == class)
                .map(|(v, _)| v * reach / far.max(f64::MIN_POSITIVE))
                .collect()
        };
        panel = panel.with(points(
            name,
            of(&course.clusters[0]),
            of(&course.clusters[1]),
        ));
    }
    panel
}

fn deep(results: &Results, config: &Config) -> Figure {
    let task = deep_task(config);
    let mut figure = Figure::new(
        "layers",
        "Layer by layer",
        &format!(
            "Networks of {} hidden layers at {}: alignment of each layer's code with labels and with inputs, each network a line.",
            config.depth,
            title(task)
        ),
    )
    .columns(2);
    let measures: [Measure; 2] = [
        ("alignment with labels", |c| c.target),
        ("alignment with inputs", |c| c.input),
    ];
    for (what, of) in measures {
        let mut panel = Panel::new("", Axis::new("hidden layer", "1"), Axis::new(what, "1"));
        for unit in [Relu, Tanh] {
            let kind = Kind {
                depth: config.depth,
                ..Kind::of(task, unit)
            };
            let (mut x, mut y) = (vec![], vec![]);
            for outcome in results.nets(kind) {
                x.extend((1..=config.depth).map(|l| l as f64));
                y.extend(outcome.codes.iter().map(of));
                x.push(f64::NAN);
                y.push(f64::NAN);
            }
            panel = panel.with(line(&shown(&unit_name(unit)), x, y));
        }
        figure = figure.with(panel);
    }
    figure
}

fn noise(results: &Results, config: &Config) -> Figure {
    let c = config.cells[0];
    let mut panel = Panel::new(
        "",
        Axis::new("noise", "sd"),
        Axis::new("alignment with labels", "1"),
    );
    for unit in [Relu, Tanh] {
        let y = config
            .noises
            .iter()
            .map(|&n| results.mean(Kind::of(Task::Aligned(c, n), unit), |c| c.target));
        let (x, y) = sorted(&config.noises, y.collect());
        panel = panel.with(line(&shown(&unit_name(unit)), x, y));
    }
    Figure::new(
        "noise",
        "Noise of the inputs",
        &format!(
            "Alignment with the labels at {}, mean over networks.",
            title(cell(config, c))
        ),
    )
    .with(panel)
}
