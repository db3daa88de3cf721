//! What the study shows.

use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};
use chiasm_net::theory::critical_periods::Activation;

use super::config::Config;
use super::matrices::mean;
use super::paths::{MODES, Path};
use super::run::Results;

mod completion;

/// All figures.
pub(super) fn all(results: &Results, config: &Config) -> Vec<Figure> {
    let mut all: Vec<Figure> = pathways(results, config).into_iter().collect();
    all.push(lesion(results));
    all.push(map(results, config));
    all.push(portraits(results));
    all.push(activations(results, config));
    all.extend(completion::all(results, config));
    all
}

fn line(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

/// Several curves under one name: the first ends where the next begins, with a gap.
fn joined(series: &str, curves: impl Iterator<Item = (Vec<f64>, Vec<f64>)>) -> Mark {
    let (mut x, mut y) = (vec![], vec![]);
    for (a, b) in curves {
        x.extend(a);
        y.extend(b);
        x.push(f64::NAN);
        y.push(f64::NAN);
    }
    line(series, x, y)
}

/// Strengths of some modes over time, theory as lines and descent as points.
fn strengths(title: &str, path: &Path, modes: &[usize], span: (f64, f64)) -> Panel {
    let mut panel = Panel::new(
        title,
        Axis::new("step", "1"),
        Axis::new("strength of a mode", "1"),
    )
    .with(Mark::Spans {
        series: "pathway b does not learn".into(),
        spans: vec![span],
    });
    for (name, offset) in [("a", 0), ("b", MODES)] {
        let curves = modes.iter().map(|mode| {
            let y = path.theory.iter().map(|k| k[mode + offset]);
            (path.steps.clone(), y.collect())
        });
        panel = panel.with(joined(&format!("pathway {name}, theory"), curves));
    }
    for (name, offset) in [("a", 0), ("b", MODES)] {
        let at: Vec<usize> = (0..path.steps.len()).step_by(8).collect();
        let each = || {
            modes
                .iter()
                .flat_map(|mode| at.iter().map(move |t| (*t, *mode)))
        };
        panel = panel.with(Mark::Points {
            series: format!("pathway {name}, descent"),
            x: each().map(|(t, _)| path.steps[t]).collect(),
            y: each()
                .map(|(t, mode)| path.network[t][mode + offset])
                .collect(),
            labels: vec![],
        });
    }
    panel
}

/// Early, middle and late deficits at depth 4, or at the deepest.
fn pathways(results: &Results, config: &Config) -> Option<Figure> {
    let depths = &config.paths.depths;
    let depth = if depths.contains(&4) {
        4
    } else {
        *depths.last()?
    };
    let mut figure = Figure::new(
        "pathways",
        "What a deficit leaves, by when it comes",
        &format!(
            "Strengths of modes 1, 2, 3 and 5 of the hierarchy in two pathways of {depth} weight matrices. In the shaded steps \
             pathway b is not changed, though it still reaches the output."
        ),
    );
    for (name, onset) in ["early", "middle", "late"]
        .into_iter()
        .zip(config.paths.onsets)
    {
        let path = results.path(depth, Activation::Linear, Some(onset))?;
        let span = (onset as f64, (onset + config.paths.length) as f64);
        figure = figure.with(strengths(name, path, &[0, 1, 2, 4], span));
    }
    Some(figure.shared_x())
}

fn lesion(results: &Results) -> Figure {
    let panel = strengths("", &results.lesion, &[0, 1, 2], (0.0, 200.0));
    Figure::new(
        "lesion",
        "A mode that one pathway lacks waits for the other's gate",
        "Modes 1, 2 and 3 at depth 3. Mode 2 is taken from pathway a in the whole run (it stays at 0); pathway b, which does not \
         learn in the shaded steps, takes it once its gate is open, and nothing else.",
    )
    .with(panel)
}

/// Damage by onset and length, for each depth.
fn map(results: &Results, config: &Config) -> Figure {
    let map = &results.map;
    let mut figure = Figure::new(
        "deficits",
        "What every deficit leaves",
        "Damage by onset and length of a deficit: (K_a - K_b) / (K_a + K_b) at the end, the mean over modes weighted by their \
         singular values. 0: pathways share everything; 1: pathway b has no part in anything. Exact dynamics.",
    )
    .columns(2);
    let ends = |list: &[usize]| {
        let half = list
            .windows(2)
            .next()
            .map_or(0.5, |w| (w[1] as f64 - w[0] as f64) / 2.0);
        let at = |v: Option<&usize>| v.map_or(0.0, |v| *v as f64);
        (at(list.first()) - half, at(list.last()) + half)
    };
    for (depth, values) in config.paths.depths.iter().zip(&map.damage) {
        let panel = Panel::new(
            &format!("depth {depth}"),
            Axis::new("onset", "steps"),
            Axis::new("length", "steps"),
        );
        let (low, high) = ends(&map.lengths);
        figure = figure.with(panel.with(Mark::Heatmap {
            series: "damage (1)".into(),
            values: values.iter().rev().cloned().collect(),
            x_range: Some(ends(&map.onsets)),
            // Long deficits at the top.
            y_range: Some((high, low)),
            color_range: Some((0.0, 1.0)),
            diverging: false,
        }));
    }
    figure
}

/// Trajectories from unbalanced starts.
fn portraits(results: &Results) -> Figure {
    let mut figure = Figure::new(
        "portraits",
        "One mode in the plane of both pathways",
        "Trajectories from unbalanced starts near 0, S = 10, when pathway b does not learn in steps 0 to 15 (early) or 100 to 115 \
         (late) of 1000. They end on the line K_a + K_b = S.",
    )
    .columns(4);
    for (depth, early, ways) in &results.portraits.unbalanced {
        let when = if *early { "early" } else { "late" };
        let panel = Panel::new(
            &format!("depth {depth}, {when}"),
            Axis::new("K_a", "1").range(-0.5, 10.5),
            Axis::new("K_b", "1").range(-0.5, 10.5),
        );
        // All of 100 would be 100,000 points on one page.
        let shown = ways.iter().take(30).map(|way| {
            let kept = way.iter().step_by(8).chain(way.last());
            kept.map(|[a, b]| (*a, *b)).unzip()
        });
        figure = figure.with(
            panel
                .with(line("K_a + K_b = S", vec![0.0, 10.0], vec![10.0, 0.0]))
                .with(joined("trajectories", shown)),
        );
    }
    figure
}

/// Damage with each activation.
fn activations(results: &Results, config: &Config) -> Figure {
    let names = ["early", "middle", "late"].map(Into::into).to_vec();
    let mut panel = Panel::new(
        "",
        Axis::categories("deficit", names),
        Axis::new("damage", "1").range(0.0, 1.0),
    );
    for (name, of) in [
        ("linear", Activation::Linear),
        ("tanh", Activation::Tanh),
        ("ReLU", Activation::Relu),
    ] {
        let damage = |onset| results.path(3, of, Some(onset)).map(|p| p.damage);
        let y: Option<Vec<f64>> = config.paths.onsets.into_iter().map(damage).collect();
        if let Some(y) = y {
            panel = panel.with(Mark::Bars {
                series: name.into(),
                x: vec![0.0, 1.0, 2.0],
                y,
                error: vec![],
            });
        }
    }
    Figure::new(
        "activations",
        "The same with a nonlinearity after each layer",
        "Damage by a deficit of the same length at depth 3.",
    )
    .with(panel)
}
