//! Figures of a fit on own data.

use chiasm_analysis::switching::{Fold, SwitchingFit};
use chiasm_core::{Failure, stats};
use chiasm_data::Counts;
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

use super::figures::{matrix_panel, ribbon};
use super::fit::{distinct, mean_of};

/// Trials in the figure of states.
const MOST_TRIALS: usize = 12;
/// Bins of a trial in the figure of states: more would not be told apart.
const MOST_BINS: usize = 4000;

pub(super) fn all(
    fit: &SwitchingFit,
    counts: &Counts,
    folds: &[Fold],
    path: &[usize],
    bench: &mut Bench,
) -> Result<(), Failure> {
    bench.figure(weights(fit))?;
    if let Some(prior) = &fit.prior {
        let matrix: Vec<Vec<f64>> = prior
            .outer_iter()
            .map(|row| row.rows().into_iter().map(|p| p[2] - p[0]).collect())
            .collect();
        bench.figure(
            Figure::new(
                "prior",
                "The learned prior as a connectome",
                "Probability that a coupling excites less that it inhibits, common to all states.",
            )
            .with(matrix_panel(
                "",
                &matrix,
                "excitatory less inhibitory (1)",
                1.0,
            )),
        )?;
    }
    bench.figure(states(fit, counts, path))?;
    bench.figure(training(fit))?;
    if !folds.is_empty() {
        bench.figure(comparison(folds))?;
    }
    Ok(())
}

fn weights(fit: &SwitchingFit) -> Figure {
    let sizes: Vec<f64> = fit.model.weights.iter().map(|w| w.abs()).collect();
    // One large weight must not leave all others white.
    let reach = stats::quantile(&sizes, 0.99).max(1e-6);
    let n = fit.model.n_states();
    let mut figure = Figure::new(
        "weights",
        "Couplings of each state",
        "Weight of a unit (column) on a unit (row) in each state. Red excites, blue inhibits; colors end at the 99th percentile.",
    )
    // More of them in a row would leave no room for the matrices.
    .columns(n.min(2));
    for (s, w) in fit.model.weights.outer_iter().enumerate() {
        let matrix: Vec<Vec<f64>> = w.rows().into_iter().map(|r| r.to_vec()).collect();
        let title = format!("state {}", s + 1);
        figure = figure.with(matrix_panel(&title, &matrix, "weight (1)", reach));
    }
    figure
}

fn states(fit: &SwitchingFit, counts: &Counts, path: &[usize]) -> Figure {
    let n = fit.model.n_states();
    let shown = counts.n_trials().min(MOST_TRIALS);
    let mut figure = Figure::new(
        "states",
        "States over time",
        &format!(
            "The likeliest path of states through each trial ({shown} of {} trials, their first {MOST_BINS} bins at most), and \
             below, the probability of each state in the first.",
            counts.n_trials()
        ),
    )
    .shared_x();
    for rows in &counts.trials[..shown] {
        let end = rows.end.min(rows.start + MOST_BINS);
        figure = figure.with(ribbon("", &path[rows.start..end], n, counts.bin_s).height(0.4));
    }
    let first = counts.trials[0].clone();
    let first = first.start..first.end.min(first.start + MOST_BINS);
    let mut panel = Panel::new(
        "",
        Axis::new("time in the trial", "s"),
        Axis::new("probability", "1").range(0.0, 1.0),
    );
    for s in 0..n {
        panel = panel.with(Mark::Line {
            series: format!("state {}", s + 1),
            x: (0..first.len()).map(|t| t as f64 * counts.bin_s).collect(),
            y: first
                .clone()
                .map(|t| fit.decoded.posterior[[t, s]])
                .collect(),
        });
    }
    figure.with(panel)
}

fn training(fit: &SwitchingFit) -> Figure {
    let mut panel = Panel::new(
        "",
        Axis::new("round of training", "index"),
        Axis::new("log-likelihood", "nat per bin and unit"),
    );
    for (one_hot, name) in [(false, "before"), (true, "one-hot")] {
        let points: Vec<(f64, f64)> = fit
            .rounds
            .iter()
            .enumerate()
            .filter(|(_, r)| r.one_hot == one_hot)
            .map(|(k, r)| (k as f64, r.log_likelihood))
            .collect();
        if points.is_empty() {
            continue;
        }
        let (x, y) = points.into_iter().unzip();
        panel = panel.with(Mark::Line {
            series: name.into(),
            x,
            y,
        });
    }
    Figure::new(
        "training",
        "Training likelihood by round",
        "Log-likelihood before each round of the start that was kept; the one-hot model goes on where the Gaussian one ended.",
    )
    .with(panel)
}

fn comparison(folds: &[Fold]) -> Figure {
    let states = distinct(folds);
    let x: Vec<f64> = states.iter().map(|s| *s as f64).collect();
    let mean: Vec<f64> = states.iter().map(|s| mean_of(folds, *s)).collect();
    Figure::new(
        "number-of-states",
        "Held-out likelihood by number of states",
        "Log-likelihood of the trials left out: each fold a point, their mean a line. Higher is better.",
    )
    .with(
        Panel::new(
            "",
            Axis::new("states", "count"),
            Axis::new("held-out log-likelihood", "nat per bin and unit"),
        )
        .with(Mark::Line {
            series: "mean".into(),
            x,
            y: mean,
        })
        .with(Mark::Points {
            series: "fold".into(),
            x: folds.iter().map(|f| f.states as f64).collect(),
            y: folds.iter().map(|f| f.held_out).collect(),
            labels: vec![],
        }),
    )
}
