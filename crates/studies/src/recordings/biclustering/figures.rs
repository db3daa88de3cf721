//! Figures of the study and of the fit.

use chiasm_analysis::biclustering::{Biclustering, Chain, Summary, Trace};
use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use ndarray::Array2;

use super::held_out::PredictionArm;
use super::score::LatentScore;

/// Cells of a heat map along each side, at most.
const CELLS: usize = 180;

/// Who shares a cluster, neurons ordered by their groups; which bins share a state, in time.
pub(super) fn co_clustering(
    summary: &Summary,
    groups: &[usize],
    states: &[usize],
    what: &str,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let n = groups.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&i| (groups[i], summary.neurons.labels[i], i));
    let mut neurons = Panel::new(
        "neurons",
        Axis::new(&format!("neuron, by {what} group"), "1"),
        Axis::new(&format!("neuron, by {what} group"), "1"),
    )
    .with(matrix(
        "probability of one cluster (1)",
        &summary.neuron_similarity,
        &order,
    ));
    for border in borders(&order.iter().map(|&i| groups[i]).collect::<Vec<_>>()) {
        neurons = neurons.with(Mark::VLine {
            series: String::new(),
            x: border - 0.5,
        });
    }
    let n_bins = states.len();
    let mut order: Vec<usize> = (0..n_bins).collect();
    order.sort_by_key(|&t| (states[t], t));
    let bins = Panel::new(
        "bins",
        Axis::new(&format!("bin, by {what} state"), "1"),
        Axis::new(&format!("bin, by {what} state"), "1"),
    )
    .with(matrix(
        "probability of one state (1)",
        &summary.bin_similarity,
        &order,
    ));
    bench.figure(
        Figure::new(
            "co-clustering",
            "Who goes with whom",
            &format!(
                "Left: posterior probability that two neurons share a cluster; lines part the {what} groups. Right: that two \
                 bins share a state, bins of one {what} state side by side and within it in time. Blocks along the diagonal \
                 mean agreement with the {what} partition."
            ),
        )
        .columns(2)
        .with(neurons)
        .with(bins),
    )
}

fn borders(sorted: &[usize]) -> Vec<f64> {
    (1..sorted.len())
        .filter(|&i| sorted[i] != sorted[i - 1])
        .map(|i| i as f64)
        .collect()
}

/// A matrix in this order of its rows and columns; of large ones every so many-th.
fn matrix(series: &str, values: &Array2<f64>, order: &[usize]) -> Mark {
    let step = order.len().div_ceil(CELLS).max(1);
    let shown: Vec<usize> = order.iter().copied().step_by(step).collect();
    let rows = shown
        .iter()
        .map(|&i| shown.iter().map(|&j| values[[i, j]]).collect())
        .collect();
    let range = Some((-0.5, order.len() as f64 - 0.5)).filter(|_| step > 1);
    Mark::Heatmap {
        series: series.into(),
        values: rows,
        x_range: range,
        y_range: range,
        color_range: Some((0.0, 1.0)),
        diverging: false,
    }
}

/// The traces of all chains.
pub(super) fn traces(
    method: &Biclustering,
    chains: &[Chain],
    bench: &mut Bench,
) -> Result<(), Failure> {
    type Value = fn(&Trace) -> f64;
    let all: [(&str, &str, Value); 5] = [
        ("clusters", "1", |t| f64::from(t.clusters)),
        ("states in use", "1", |t| f64::from(t.states)),
        ("norm of the mean paths", "1", |t| t.mean_norm),
        ("norm of the latents", "1", |t| t.latent_norm),
        ("log likelihood", "nat", |t| t.ln_likelihood),
    ];
    let mut figure = Figure::new(
        "traces",
        "The chains",
        "Traces of every chain over its sweeps; draws are kept right of the line. Chains that wander apart, or one that \
         drifts, have not mixed (see the table of R-hat).",
    )
    .shared_x();
    for (label, unit, value) in all {
        let mut panel = Panel::new("", Axis::new("sweep", "1"), Axis::new(label, unit)).height(0.5);
        for chain in chains {
            let step = chain.trace.len().div_ceil(500).max(1);
            let shown = chain.trace.iter().enumerate().step_by(step);
            let (x, y): (Vec<f64>, Vec<f64>) = shown.map(|(s, t)| (s as f64, value(t))).unzip();
            panel = panel.with(Mark::Line {
                series: format!("chain {}", chain.index + 1),
                x,
                y,
            });
        }
        figure = figure.with(panel.with(Mark::VLine {
            series: "end of burn-in".into(),
            x: method.burn_in as f64,
        }));
    }
    bench.figure(figure)
}

/// Posterior of the numbers of clusters and states.
pub(super) fn counts(summary: &Summary, bench: &mut Bench) -> Result<(), Failure> {
    let panel = |title: &str, counts: &[(usize, f64)]| {
        Panel::new(
            title,
            Axis::new("number", "1"),
            Axis::new("posterior probability", "1").range(0.0, 1.0),
        )
        .with(Mark::Bars {
            series: String::new(),
            x: counts.iter().map(|c| c.0 as f64).collect(),
            y: counts.iter().map(|c| c.1).collect(),
            error: vec![],
        })
    };
    bench.figure(
        Figure::new(
            "numbers",
            "How many clusters and states",
            "Share of the kept draws with each number of clusters of neurons (left) and of states in use (right).",
        )
        .columns(2)
        .with(panel("clusters of neurons", &summary.cluster_counts))
        .with(panel("states in use", &summary.state_counts)),
    )
}

/// States over time, one row for each way to find them.
pub(super) fn ribbon(
    times_s: &[f64],
    rows: &[(&str, &[usize])],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let step = times_s.len().div_ceil(1000).max(1);
    let reference = rows[0].1;
    let values = rows
        .iter()
        .map(|(_, labels)| {
            let named = chiasm_analysis::partition::relabel(reference, labels)?;
            Ok(named.iter().step_by(step).map(|l| *l as f64).collect())
        })
        .collect::<Result<Vec<Vec<f64>>, Failure>>()?;
    let width = times_s.get(1).map_or(1.0, |t| t - times_s[0]);
    let (first, last) = (times_s[0], times_s[times_s.len() - 1] + width);
    let names = rows.iter().map(|(name, _)| (*name).to_owned()).collect();
    bench.figure(
        Figure::new(
            "states",
            "States over time",
            "The color is the state of each bin, numbered so that as many bins as possible agree with the first row.",
        )
        .with(
            Panel::new("", Axis::new("time", "s"), Axis::categories("found by", names)).height(0.6).with(Mark::Heatmap {
                series: "state (1)".into(),
                values,
                x_range: Some((first, last)),
                y_range: None,
                color_range: None,
                diverging: false,
            }),
        ),
    )
}

/// Paths of the clusters with their bands, and the planted ones aligned to them.
pub(super) fn latents(
    times_s: &[f64],
    summary: &Summary,
    scores: Option<&[LatentScore]>,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let caption = if scores.is_some() {
        "Posterior mean (line) and 95% highest posterior density (band) of the paths of each cluster found, latents matched in \
         order and sign over the draws; the planted paths, mapped linearly to them, for comparison. The first column is \
         the mean path, the others are latents."
    } else {
        "Posterior mean (line) and 95% highest posterior density (band) of the paths of each cluster of the point partition, \
         latents matched in order and sign over the draws. The first column is the mean path, the others are latents."
    };
    let rows = summary.latents.first().map_or(1, |l| l.mean.nrows());
    let mut figure = Figure::new("latents", "Paths of the clusters", caption)
        .columns(rows.min(3))
        .shared_x();
    // More would be too small to read.
    for (at, l) in summary.latents.iter().enumerate().take(6) {
        for row in 0..rows.min(3) {
            let title = if row == 0 {
                format!("cluster {}, mean path", l.label + 1)
            } else {
                format!("cluster {}, latent {row}", l.label + 1)
            };
            let mut panel =
                Panel::new(&title, Axis::new("time", "s"), Axis::new("log rate", "1")).height(0.6);
            panel = panel.with(Mark::Band {
                series: "95% band".into(),
                x: times_s.to_vec(),
                low: l.low.row(row).to_vec(),
                high: l.high.row(row).to_vec(),
            });
            if let Some(score) = scores.and_then(|s| s.iter().find(|s| s.found == at)) {
                panel = panel.with(Mark::Line {
                    series: "planted".into(),
                    x: times_s.to_vec(),
                    y: score.aligned.row(row).to_vec(),
                });
            }
            figure = figure.with(panel.with(Mark::Line {
                series: "posterior mean".into(),
                x: times_s.to_vec(),
                y: l.mean.row(row).to_vec(),
            }));
        }
    }
    bench.figure(figure)
}

/// Agreement of states by each way to find them, and predictions of held-out counts.
pub(super) fn arms(
    agreement: &[(String, f64)],
    arms: &[PredictionArm],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let positions = |n: usize| (0..n).map(|i| i as f64).collect();
    let found = Panel::new(
        "states",
        Axis::categories("found by", agreement.iter().map(|a| a.0.clone()).collect()),
        Axis::new("agreement with planted", "1").range(0.0, 1.0),
    )
    .with(Mark::Bars {
        series: String::new(),
        x: positions(agreement.len()),
        y: agreement.iter().map(|a| a.1).collect(),
        error: vec![],
    })
    .with(Mark::HLine {
        series: "paper, negative binomial".into(),
        y: 0.954,
    });
    let losses: Vec<f64> = arms.iter().map(|a| arms[0].mean - a.mean).collect();
    let predicted = Panel::new(
        "held-out counts",
        Axis::categories(
            "model",
            arms.iter()
                .skip(1)
                .map(|a| a.name.replace('_', " "))
                .collect(),
        ),
        Axis::new("loss against the full model", "nat per count"),
    )
    .with(Mark::Bars {
        series: String::new(),
        x: positions(arms.len() - 1),
        y: losses[1..].to_vec(),
        error: arms.iter().skip(1).map(|a| a.error).collect(),
    });
    bench.figure(
        Figure::new(
            "arms",
            "Beside baselines and ablations",
            "Left: share of bins whose state agrees with the planted one. Right: how much worse held-out counts are predicted \
             with one cluster, with one state, or by each neuron's mean rate than by the full model (mean and standard error \
             of the paired difference).",
        )
        .columns(2)
        .with(found)
        .with(predicted),
    )
}
