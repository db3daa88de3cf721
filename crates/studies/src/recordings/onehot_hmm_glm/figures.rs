//! Figures of the study.

use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

use super::arms::{ARMS, Outcome};
use super::config::Config;
use super::run::each;

pub(super) fn all(config: &Config, outcomes: &[Outcome], bench: &mut Bench) -> Result<(), Failure> {
    let shown = &outcomes[0].shown;
    bench.figure(held_out(outcomes))?;
    bench.figure(weights(&shown.weights))?;
    bench.figure(prior(&shown.prior))?;
    bench.figure(ribbons(&shown.states, &shown.posterior, config.data.bin_s))?;
    bench.figure(rounds(&shown.rounds))?;
    bench.figure(confusion(&shown.confusion))
}

fn held_out(outcomes: &[Outcome]) -> Figure {
    let names: Vec<String> = ARMS.iter().map(|(_, name)| (*name).to_owned()).collect();
    // Less the truth's: networks differ more than models.
    let truth = each(outcomes, "truth", |s| s.held_out);
    let mut panel = Panel::new(
        "",
        Axis::categories("model", names.clone()),
        Axis::new(
            "held-out log-likelihood less the true parameters'",
            "nat per bin and unit",
        ),
    );
    let mut accuracy = Panel::new(
        "",
        Axis::categories("model", names),
        Axis::new("state accuracy", "1").range(0.0, 1.0),
    );
    for (k, _) in outcomes.iter().enumerate() {
        let (mut y, mut right) = (Vec::new(), Vec::new());
        for (arm, _) in ARMS {
            let score = outcomes[k].of(arm);
            y.push(score.map_or(f64::NAN, |s| s.held_out - truth[k]));
            let told = score.filter(|_| arm != "one_state");
            right.push(told.map_or(f64::NAN, |s| s.accuracy));
        }
        let x: Vec<f64> = (0..ARMS.len()).map(|i| i as f64).collect();
        let line = |y: Vec<f64>| Mark::Line {
            series: format!("network {}", k + 1),
            x: x.clone(),
            y,
        };
        panel = panel.with(line(y));
        accuracy = accuracy.with(line(right));
    }
    Figure::new(
        "held-out",
        "Held-out likelihood and states with scarce data",
        "One line for each network. Above: log-likelihood of held-out trials, less that of the true parameters; 0 is the \
         ceiling. Below: the share of their bins whose state is told right.",
    )
    .with(panel)
    .with(accuracy)
    .shared_x()
}

/// Weight matrices of some models, one row of panels each, one column for each state.
fn weights(models: &[Vec<Vec<Vec<f64>>>]) -> Figure {
    let names = ["true", "Gaussian", "one-hot"];
    let mut figure = Figure::new(
        "weights",
        "Couplings of each state",
        "Weight of a unit (column) on a unit (row) in each state, on the first network: true, with weights tied by a Gaussian, \
         with one-hot couplings. Red excites, blue inhibits.",
    )
    .columns(models.len());
    // A row for each state: as many columns as there are states would leave no room for the matrices.
    for state in 0..models[0].len() {
        for (model, name) in models.iter().zip(names) {
            let title = format!("{name}, state {}", state + 1);
            figure = figure.with(matrix_panel(&title, &model[state], "weight (1)", 1.5));
        }
    }
    figure
}

pub(super) fn matrix_panel(title: &str, matrix: &[Vec<f64>], series: &str, reach: f64) -> Panel {
    Panel::new(
        title,
        Axis::new("from unit", "index"),
        Axis::new("to unit", "index"),
    )
    .with(Mark::Heatmap {
        series: series.into(),
        values: matrix.to_vec(),
        x_range: None,
        y_range: None,
        color_range: Some((-reach, reach)),
        diverging: true,
    })
}

fn prior(priors: &[Vec<Vec<f64>>]) -> Figure {
    let mut figure = Figure::new(
        "prior",
        "The prior of the types as a connectome",
        "Probability that a coupling excites less that it inhibits, common to all states: planted, and learned by the one-hot \
         model from scarce data.",
    )
    .columns(priors.len());
    for (matrix, name) in priors.iter().zip(["planted", "learned"]) {
        figure = figure.with(matrix_panel(
            name,
            matrix,
            "excitatory less inhibitory (1)",
            1.0,
        ));
    }
    figure
}

/// Stretches of each state on a time axis, one panel for each path, and the posterior below.
fn ribbons(paths: &[(String, Vec<usize>)], posterior: &[Vec<f64>], bin_s: f64) -> Figure {
    let mut figure = Figure::new(
        "states",
        "States of a held-out trial",
        "The state of each bin: true, and the likeliest by each model; below, the one-hot model's probability of each state.",
    )
    .shared_x();
    for (name, path) in paths {
        figure = figure.with(ribbon(name, path, posterior.len(), bin_s).height(0.45));
    }
    let mut panel = Panel::new(
        "one-hot: probability of each state",
        Axis::new("time", "s"),
        Axis::new("probability", "1").range(0.0, 1.0),
    );
    for (state, p) in posterior.iter().enumerate() {
        panel = panel.with(Mark::Line {
            series: format!("state {}", state + 1),
            x: (0..p.len()).map(|t| t as f64 * bin_s).collect(),
            y: p.clone(),
        });
    }
    figure.with(panel)
}

/// One path of states as colored stretches.
pub(super) fn ribbon(title: &str, path: &[usize], n_states: usize, bin_s: f64) -> Panel {
    let mut panel = Panel::new(
        title,
        Axis::new("time", "s"),
        Axis::categories("state", vec![String::new()]),
    );
    for state in 0..n_states {
        panel = panel.with(Mark::Spans {
            series: format!("state {}", state + 1),
            spans: stretches(path, state, bin_s),
        });
    }
    panel
}

/// Start and end of each stretch of one state, s.
pub(super) fn stretches(path: &[usize], state: usize, bin_s: f64) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    let mut from = None;
    for (t, s) in path.iter().enumerate() {
        match (from, *s == state) {
            (None, true) => from = Some(t),
            (Some(start), false) => {
                spans.push((start as f64 * bin_s, t as f64 * bin_s));
                from = None;
            }
            _ => {}
        }
    }
    spans.extend(from.map(|start| (start as f64 * bin_s, path.len() as f64 * bin_s)));
    spans
}

fn rounds(curves: &[(String, Vec<(f64, f64)>)]) -> Figure {
    let mut panel = Panel::new(
        "",
        Axis::new("round of training", "index"),
        Axis::new(
            "log-likelihood of the training trials",
            "nat per bin and unit",
        ),
    );
    for (name, points) in curves {
        panel = panel.with(Mark::Line {
            series: name.clone(),
            x: points.iter().map(|p| p.0).collect(),
            y: points.iter().map(|p| p.1).collect(),
        });
    }
    Figure::new(
        "training",
        "Training likelihood by round",
        "Log-likelihood of the training trials before each round, on the first network. The one-hot model starts where the \
         Gaussian one ended.",
    )
    .with(panel)
}

fn confusion(matrix: &[Vec<f64>]) -> Figure {
    let states = |label: &str| {
        let names = (1..=matrix.len()).map(|s| s.to_string()).collect();
        Axis::categories(label, names)
    };
    Figure::new(
        "confusion",
        "States told by the one-hot model",
        "Share of the held-out bins of each true state (row) that the one-hot model tells as each state (column).",
    )
    .with(
        Panel::new("", states("state told"), states("true state")).with(Mark::Heatmap {
            series: "share of bins (1)".into(),
            values: matrix.to_vec(),
            x_range: None,
            y_range: None,
            color_range: Some((0.0, 1.0)),
            diverging: false,
        }),
    )
}
