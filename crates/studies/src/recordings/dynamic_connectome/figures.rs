//! The study's figures.

use chiasm_analysis::connectome::affinity::ConnectomeTensor;
use chiasm_analysis::connectome::communities::Communities;
use chiasm_analysis::connectome::factorization::{Factors, RankChoice};
use chiasm_core::{Failure, stats};
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use ndarray::Array2;

use super::score::{Arm, MotifScore, Truth};

/// Error and restart similarity at every rank tried.
pub(super) fn rank_diagnostics(
    choice: Option<&RankChoice>,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let Some(choice) = choice else { return Ok(()) };
    let ranks: Vec<f64> = choice.curve.iter().map(|p| p.rank as f64).collect();
    let spread = |values: &dyn Fn(usize) -> Vec<f64>| -> (Vec<f64>, Vec<f64>) {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (i, rank) in ranks.iter().enumerate() {
            for v in values(i) {
                x.push(*rank);
                y.push(v);
            }
        }
        (x, y)
    };
    let panel = |title: &str, label: &str, best: Vec<f64>, (x, y): (Vec<f64>, Vec<f64>)| {
        let last = ranks.len() as f64;
        Panel::new(
            title,
            Axis::new("components", "1").range(0.5, last + 0.5),
            Axis::new(label, "1"),
        )
        .with(Mark::Spans {
            series: "chosen".into(),
            spans: vec![(choice.rank as f64 - 0.3, choice.rank as f64 + 0.3)],
        })
        .with(Mark::Points {
            series: "starts".into(),
            x,
            y,
            labels: vec![],
        })
        .with(Mark::Line {
            series: "best".into(),
            x: ranks.clone(),
            y: best,
        })
    };
    let errors = choice.curve.iter().map(|p| p.error).collect();
    let stability = choice.curve.iter().map(|p| p.stability).collect();
    let figure = Figure::new(
        "rank-diagnostics",
        "How many components",
        &format!(
            "Left: relative error of every random start, and of the best. Right: similarity of the better starts with the \
             best one, and its mean over the best five. The shaded number, {}, is the smallest at which one more component \
             lowers the error by less than a tenth of what the second did, with a mean similarity of at least 0.9 \
             ({:?}).",
            choice.rank, choice.reason
        ),
    )
    .columns(2)
    .with(panel("error", "relative error", errors, spread(&|i| choice.curve[i].errors.clone())))
    .with(panel(
        "agreement of restarts",
        "similarity",
        stability,
        spread(&|i| choice.curve[i].similarities.clone()),
    ));
    bench.figure(figure)
}

/// One row for each component: time course, animals, pair matrix sorted by community.
pub(super) fn components(
    joined: &ConnectomeTensor,
    truth: &Truth<'_>,
    arm: &Arm,
    factors: &Factors,
    communities: &[Communities],
    scores: &[MotifScore],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let mut figure = Figure::new(
        "components",
        "Components: when, in which animals, between which neurons",
        "Each row is a component. Left: its time course, with the epoch of the motif it was matched to shaded. Middle: its \
         weight in each animal. Right: its pair weights relative to their 99.5th percentile, neurons sorted by the communities of the \
         block model, most cohesive first; thin lines are borders between communities.",
    )
    .columns(3);
    for (c, found) in communities.iter().enumerate() {
        let motif = scores.iter().position(|s| s.component == c);
        let name = match motif {
            Some(m) => format!("component {} (motif {})", c + 1, m + 1),
            None => format!("component {} (background)", c + 1),
        };
        let spans = motif.map_or(vec![], |m| {
            vec![(truth.motifs[m].start_s, truth.motifs[m].stop_s)]
        });
        figure = figure
            .with(
                Panel::new(&name, Axis::new("time", "s"), Axis::new("weight", "1"))
                    .with(Mark::Spans {
                        series: "stimulus".into(),
                        spans,
                    })
                    .with(Mark::Line {
                        series: String::new(),
                        x: arm.times_s.clone(),
                        y: arm.time.row(c).to_vec(),
                    }),
            )
            .with(
                Panel::new(
                    "",
                    Axis::new("animal", "1"),
                    Axis::new("weight", "affinity"),
                )
                .with(Mark::Bars {
                    series: String::new(),
                    x: (1..=joined.n_animals()).map(|w| w as f64).collect(),
                    y: factors.animals.column(c).to_vec(),
                    error: vec![],
                }),
            )
            .with(matrix_panel("", found));
    }
    bench.figure(figure)
}

/// A component's matrix, units sorted by community, with the borders of communities left blank.
pub(super) fn matrix_panel(title: &str, found: &Communities) -> Panel {
    let n = found.order.len();
    let sorted: Array2<f64> = Array2::from_shape_fn((n, n), |(i, j)| {
        found.matrix[[found.order[i], found.order[j]]]
    });
    // A pair seen in few frames may stand out by chance: it must not dim all others.
    let seen: Vec<f64> = sorted.iter().copied().filter(|v| !v.is_nan()).collect();
    let scale = stats::quantile(&seen, 0.995);
    let relative = |v: f64| if scale > 0.0 { v / scale } else { v };
    let values = sorted
        .outer_iter()
        .map(|r| r.iter().map(|v| relative(*v)).collect())
        .collect();
    let labels = found.blocks.labels();
    let mut borders = Panel::new(
        title,
        Axis::new("neuron, sorted", "1").range(0.0, n as f64),
        Axis::new("neuron, sorted", "1").range(n as f64, 0.0),
    )
    .with(Mark::Heatmap {
        series: "relative weight".into(),
        values,
        x_range: Some((0.0, n as f64)),
        y_range: Some((0.0, n as f64)),
        color_range: Some((0.0, 1.0)),
        diverging: false,
    });
    for k in 1..n {
        if labels[found.order[k]] != labels[found.order[k - 1]] {
            let at = k as f64;
            borders = borders
                .with(Mark::HLine {
                    series: String::new(),
                    y: at,
                })
                .with(Mark::VLine {
                    series: String::new(),
                    x: at,
                });
        }
    }
    borders
}

/// Every arm's pair AUC, and communities against the planted ones.
pub(super) fn arms(
    aucs: &[(String, Vec<f64>)],
    by_method: &[f64],
    by_static: &[f64],
    bench: &mut Bench,
) -> Result<(), Failure> {
    let n_motifs = by_method.len();
    let names = aucs.iter().map(|a| a.0.replace('_', " ")).collect();
    let mut auc = Panel::new(
        "pairs of one community",
        Axis::categories("arm", names),
        Axis::new("area under ROC curve", "1").range(0.4, 1.0),
    )
    .with(Mark::HLine {
        series: "chance".into(),
        y: 0.5,
    });
    for m in 0..n_motifs {
        auc = auc.with(Mark::Points {
            series: format!("motif {}", m + 1),
            x: (0..aucs.len())
                .map(|k| k as f64 + 0.15 * (m as f64 - (n_motifs - 1) as f64 / 2.0))
                .collect(),
            y: aucs.iter().map(|a| a.1[m]).collect(),
            labels: vec![],
        });
    }
    let motifs: Vec<String> = (1..=n_motifs).map(|m| format!("motif {m}")).collect();
    let bars = |series: &str, shift: f64, y: &[f64]| Mark::Bars {
        series: series.into(),
        x: (0..n_motifs).map(|m| m as f64 + shift).collect(),
        y: y.to_vec(),
        error: vec![],
    };
    let nmi = Panel::new(
        "communities",
        Axis::categories("motif", motifs),
        Axis::new("normalized mutual information", "1").range(0.0, 1.0),
    )
    .with(bars("block model of the component", -0.2, by_method))
    .with(bars("Louvain of static correlation", 0.2, by_static));
    bench.figure(
        Figure::new(
            "arms",
            "The method beside its ablations and baselines",
            "Left: how well each arm's pair weights single out pairs of neurons that share a drive, for each motif; 0.5 is \
             chance. Right: agreement of communities with the planted ones, on the neurons that are in any.",
        )
        .with(auc)
        .with(nmi),
    )
}
