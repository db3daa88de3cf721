//! What the study shows.

use chiasm_core::stats;
use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::config::Config;
use super::nets::{EVERY, Measure, Moved};
use super::run::{Arm, Results};

pub(super) fn all(results: &Results, config: &Config) -> Vec<Figure> {
    let mut all = vec![
        ranks(results),
        losses(results),
        theory(results, config),
        structures("structured", "Structured starts", &results.structured),
    ];
    if let Some(arms) = &results.connectome {
        all.push(structures("connectome", "The worm's connectome", arms));
    }
    all.push(spectra(results));
    all
}

fn line(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

fn bars(series: &str, arms: &[Arm], of: fn(&Moved) -> f64) -> Mark {
    let values: Vec<Vec<f64>> = arms.iter().map(|a| a.values(of)).collect();
    Mark::Bars {
        series: series.into(),
        x: (0..arms.len()).map(|i| i as f64).collect(),
        y: values.iter().map(|v| stats::mean(v)).collect(),
        error: values
            .iter()
            .map(|v| if v.len() > 1 { stats::sd(v, 1) } else { 0.0 })
            .collect(),
    }
}

/// What is shown of every network.
const SHOWN: [Measure; 3] = [
    ("change of weights", |m| m.weights),
    ("alignment of codes", |m| m.representation),
    ("alignment of kernels", |m| m.kernel),
];

fn ranks(results: &Results) -> Figure {
    let mut figure = Figure::new(
        "ranks",
        "The lower the rank, the richer",
        "By rank of the recurrent weights at the start, all of one norm: how far learning moved the recurrent weights (Frobenius), and \
         how far hidden activity at the last step and the tangent kernel kept their direction (1: not moved). Mean and standard \
         deviation over networks.",
    )
    .columns(3);
    for (task, arms) in &results.sweeps {
        let names: Vec<String> = arms
            .iter()
            .filter_map(|a| a.rank)
            .map(|r| r.to_string())
            .collect();
        for (what, of) in SHOWN {
            let panel = Panel::new(
                task.name(),
                Axis::categories("rank", names.clone()),
                Axis::new(what, "1"),
            );
            figure = figure.with(panel.with(bars("", arms, of)));
        }
    }
    figure
}

fn losses(results: &Results) -> Figure {
    let mut figure = Figure::new(
        "losses",
        "While they learn",
        "Mean loss over networks, by rank of the start.",
    )
    .columns(2);
    for (task, arms) in &results.sweeps {
        let mut panel = Panel::new(
            task.name(),
            Axis::new("steps", "1"),
            Axis::new("loss", "nats").log(),
        );
        for arm in arms {
            let courses: Vec<&Vec<f64>> = arm.nets.iter().flatten().map(|m| &m.course).collect();
            let n = courses.iter().map(|c| c.len()).min().unwrap_or(0);
            let at = |i: usize| stats::mean(&courses.iter().map(|c| c[i]).collect::<Vec<_>>());
            let x = (1..=n).map(|i| (i * EVERY) as f64).collect();
            panel = panel.with(line(&arm.name, x, (0..n).map(at).collect()));
        }
        figure = figure.with(panel);
    }
    figure
}

fn theory(results: &Results, config: &Config) -> Figure {
    let mut by_rank = Panel::new(
        "",
        Axis::new("rank of the start", "1"),
        Axis::new("alignment of kernels", "1").range(0.0, 1.02),
    );
    for (second, name) in [(false, "second layer 0"), (true, "second layer as large")] {
        let all = results.theory.ranks.iter().filter(|r| r.second == second);
        let x: Vec<f64> = all.clone().map(|r| r.rank as f64).collect();
        by_rank = by_rank
            .with(line(
                name,
                x.clone(),
                all.clone().map(|r| r.theorem).collect(),
            ))
            .with(Mark::Points {
                series: format!("descent, {name}"),
                x,
                y: all.map(|r| r.descent).collect(),
                labels: vec![],
            });
    }
    let mut features = Panel::new(
        "",
        Axis::new("strength of strong features", "1").log(),
        Axis::new("alignment of kernels", "1"),
    );
    let names = [
        "all features",
        "strong half",
        "random, strong half's values",
    ];
    for (i, name) in names.into_iter().enumerate() {
        let y = results.theory.features.iter().map(|f| f[i]).collect();
        features = features.with(line(name, config.theory.kappas.clone(), y));
    }
    Figure::new(
        "theory",
        "Two-layer linear networks",
        "Left: mean alignment of the tangent kernel before and after learning random targets, by the theorem (lines) and by descent \
         (points). Right: first layers that hold the inputs' features, their strong half, or random directions, by how strong that half \
         is; targets are mixtures of features.",
    )
    .with(by_rank)
    .with(features)
    .columns(2)
}

fn structures(id: &str, title: &str, arms: &[Arm]) -> Figure {
    let names: Vec<String> = arms.iter().map(|a| a.name.clone()).collect();
    let mut figure = Figure::new(
        id,
        title,
        "Starts of one norm, on decisions between two alternatives: participation ratio of their singular values, and how far learning \
         moved the network. Mean and standard deviation over networks.",
    )
    .columns(2);
    let rank: (&str, fn(&Moved) -> f64) = ("participation ratio", |m| m.participation);
    for (what, of) in [rank].into_iter().chain(SHOWN) {
        let panel = Panel::new(
            "",
            Axis::categories("start", names.clone()),
            Axis::new(what, "1"),
        );
        figure = figure.with(panel.with(bars("", arms, of)));
    }
    figure
}

/// Singular values and eigenvalues of the first network of each start.
fn spectra(results: &Results) -> Figure {
    let mut singular = Panel::new(
        "",
        Axis::new("index", "1"),
        Axis::new("singular value", "1"),
    );
    let mut discs = Panel::new(
        "",
        Axis::new("real part", "1"),
        Axis::new("imaginary part", "1"),
    );
    let worm = results.connectome.iter().map(|arms| &arms[1]);
    for arm in results.structured.iter().chain(worm) {
        let Some(first) = arm.nets.iter().flatten().next() else {
            continue;
        };
        let x = (1..=first.singular.len()).map(|i| i as f64).collect();
        singular = singular.with(line(&arm.name, x, first.singular.clone()));
        let (x, y) = first.eigenvalues.iter().copied().unzip();
        discs = discs.with(Mark::Points {
            series: arm.name.clone(),
            x,
            y,
            labels: vec![],
        });
    }
    Figure::new(
        "spectra",
        "Spectra of the starts",
        "Singular values, falling, and eigenvalues of the recurrent weights of the first network of each kind.",
    )
    .with(singular)
    .with(discs)
    .columns(2)
}
