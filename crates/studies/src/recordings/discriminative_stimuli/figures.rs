//! What the results look like.

use chiasm_core::stats;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use chiasm_probe::stimuli::{Confusion, Types};
use ndarray::Array2;

use super::arms::{self, ArmResult, Step};
use super::config::Config;
use super::run::of_arm;
use super::typing::{SETS, Typing};

pub(super) fn heatmap(series: &str, matrix: &Array2<f64>, range: Option<(f64, f64)>) -> Mark {
    Mark::Heatmap {
        series: series.into(),
        values: matrix.rows().into_iter().map(|r| r.to_vec()).collect(),
        x_range: None,
        y_range: None,
        color_range: range,
        diverging: range.is_none() || range.is_some_and(|(low, _)| low < 0.0),
    }
}

/// A name for each found type: that of the true type most of its neurons have; numbered where several have one.
pub(super) fn names_of(types: &Types, names: &[String], labels: &[usize]) -> Vec<String> {
    let Ok(confusion) = Confusion::new(labels, &types.labels) else {
        return (0..types.n_clusters()).map(|k| k.to_string()).collect();
    };
    let mut seen = vec![0; names.len()];
    (0..types.n_clusters())
        .map(|k| {
            let column = confusion.counts.column(k);
            let most = (0..column.len()).fold(0, |b, t| if column[t] > column[b] { t } else { b });
            seen[most] += 1;
            match seen[most] {
                1 => names[most].clone(),
                n => format!("{} ({n})", names[most]),
            }
        })
        .collect()
}

/// The objective of the toy over the amplitude of its stimuli.
pub(super) fn toy(norms: &[f64], objectives: &[f64]) -> Figure {
    let panel = Panel::new(
        "",
        Axis::new("norm of the stimulus", "1").log(),
        Axis::new("mean objective", "nat").range(0.0, 0.75),
    )
    .with(Mark::Line {
        series: "ON and OFF neurons".into(),
        x: norms.to_vec(),
        y: objectives.to_vec(),
    })
    .with(Mark::Points {
        series: String::new(),
        x: norms.to_vec(),
        y: objectives.to_vec(),
        labels: vec![],
    })
    .with(Mark::HLine {
        series: "ln 2".into(),
        y: 2f64.ln(),
    });
    Figure::new(
        "toy",
        "Two types of neurons, told apart the better the stronger the stimulus",
        "42 neurons respond to the mean of an image, half of them with the opposite sign; clustered from 5 clusters. The \
         objective of two clusters is at most ln 2.",
    )
    .with(panel)
}

/// Agreement of every arm with the planted types.
pub(super) fn agreement(sets: &[Vec<ArmResult>]) -> Figure {
    let names: Vec<String> = sets[0].iter().map(|a| a.name.clone()).collect();
    let bars = |series: &str, prefix: &str| {
        let own: Vec<usize> = (0..names.len())
            .filter(|&i| names[i].starts_with(prefix))
            .collect();
        let all = |i: usize| of_arm(sets, &names[i]);
        let sd = |i: usize| {
            let all = all(i);
            if all.len() > 1 {
                stats::sd(&all, 1)
            } else {
                f64::NAN
            }
        };
        Mark::Bars {
            series: series.into(),
            x: own.iter().map(|&i| i as f64).collect(),
            y: own.iter().map(|&i| stats::mean(&all(i))).collect(),
            error: own.iter().map(|&i| sd(i)).collect(),
        }
    };
    let shown = names
        .iter()
        .map(|n| {
            n.trim_start_matches("paper-")
                .trim_start_matches("held-out-")
                .replace("-split", ", split")
                .replace("random-stimuli", "8 random stimuli")
        })
        .collect();
    let panel = Panel::new(
        "",
        Axis::categories("clusters to begin with", shown),
        Axis::new("adjusted Rand index", "1").range(0.0, 1.05),
    )
    .with(bars("paper's rule", "paper"))
    .with(bars("neurons held out", "held-out"))
    .with(bars("no clustering", "random"))
    .with(bars("responses to random stimuli", "k-means"));
    Figure::new(
        "agreement",
        "Agreement of clusters with the planted types",
        "Neurons of 8 types, clustered from several numbers of clusters, with and without the split stage. Bars: mean over \
         sets of neurons; lines: standard deviation. Held out: each neuron is judged by stimuli made without it.",
    )
    .with(panel)
}

/// Agreement and neurons moved over iterations, mean over sets.
pub(super) fn course(config: &Config, sets: &[Vec<ArmResult>]) -> Figure {
    let clusters = *config.start_clusters.last().unwrap_or(&0);
    let axis = || Axis::new("iteration", "index");
    let mut panels = [
        Panel::new(
            "",
            axis(),
            Axis::new("adjusted Rand index", "1").range(0.0, 1.05),
        ),
        Panel::new("", axis(), Axis::new("clusters", "1")),
        Panel::new("", axis(), Axis::new("neurons moved", "1")),
        Panel::new("", axis(), Axis::new("mean objective", "nat")),
    ];
    for (rule, series) in [("paper", "paper's rule"), ("held-out", "neurons held out")] {
        let name = arms::name(rule, clusters, false);
        let of: Vec<&ArmResult> = sets
            .iter()
            .flat_map(|s| s.iter().filter(|a| a.name == name))
            .collect();
        let longest = of.iter().map(|a| a.course.len()).max().unwrap_or(0);
        // A set that has converged stays where it is.
        let mean = |i: usize, part: &dyn Fn(&Step) -> f64| {
            let values: Vec<f64> = of
                .iter()
                .filter_map(|a| a.course.get(i).or(a.course.last()))
                .map(part)
                .collect();
            stats::mean(&values)
        };
        let x: Vec<f64> = (1..=longest).map(|i| i as f64).collect();
        let line = |part: &dyn Fn(&Step) -> f64| Mark::Line {
            series: series.into(),
            x: x.clone(),
            y: (0..longest).map(|i| mean(i, part)).collect(),
        };
        let lines = [
            line(&|c| c.3),
            line(&|c| c.0 as f64),
            line(&|c| c.2 as f64),
            line(&|c| c.1),
        ];
        for (panel, line) in panels.iter_mut().zip(lines) {
            panel.marks.push(line);
        }
    }
    let figure = Figure::new(
        "course",
        "The course of the clustering",
        &format!(
            "Begun from {clusters} clusters, without splits; means over sets of neurons, of which those that have converged \
             stay where they are. Clusters in excess empty."
        ),
    )
    .columns(2);
    panels.into_iter().fold(figure, Figure::with)
}

/// Share of fresh neurons typed right by each set of stimuli.
pub(super) fn typing(typings: &[Typing]) -> Figure {
    let bars = |series: &str, shift: f64, of: &dyn Fn(&Typing) -> [f64; 3]| {
        let all = |s: usize| -> Vec<f64> { typings.iter().map(|t| of(t)[s]).collect() };
        let sd = |s: usize| {
            if typings.len() > 1 {
                stats::sd(&all(s), 1)
            } else {
                f64::NAN
            }
        };
        Mark::Bars {
            series: series.into(),
            x: (0..3).map(|s| s as f64 + shift).collect(),
            y: (0..3).map(|s| stats::mean(&all(s))).collect(),
            error: (0..3).map(sd).collect(),
        }
    };
    let names = SETS.map(String::from).to_vec();
    let panel = Panel::new(
        "",
        Axis::categories("8 stimuli", names),
        Axis::new("share typed right", "1").range(0.0, 1.05),
    )
    .with(bars("largest response", 0.0, &|t| t.by_largest))
    .with(bars("nearest mean of a type", 0.0, &|t| t.by_nearest))
    .with(Mark::HLine {
        series: "chance".into(),
        y: 0.125,
    });
    Figure::new(
        "typing",
        "Fresh neurons typed by a few stimuli",
        "Fresh neurons of the 8 types see 8 stimuli, with noise on their responses. Most exciting: the best stimulus of the \
         neuron of each type that can be driven most. Bars: mean over sets of neurons; lines: standard deviation.",
    )
    .with(panel)
}

/// Mean response of each found type to each stimulus, like types side by side.
pub(super) fn responses(id: &str, types: &Types, names: &[String]) -> Figure {
    let order = types.order();
    let matrix = types.response_matrix();
    let sorted = Array2::from_shape_fn(matrix.dim(), |(i, j)| matrix[[order[i], order[j]]]);
    let sorted_names: Vec<String> = order.iter().map(|&k| names[k].clone()).collect();
    let axis = |label: &str| {
        if sorted_names.len() <= 32 {
            Axis::categories(label, sorted_names.clone())
        } else {
            Axis::new(label, "index")
        }
    };
    Figure::new(
        id,
        "Responses of types to each other's stimuli",
        "Mean z-score of the neurons of each found type (column) to the stimulus of each (row), over that to their own \
         stimulus. Types that answer alike stand side by side (average linkage on correlation).",
    )
    .with(
        Panel::new("", axis("found type"), axis("stimulus of"))
            .with(heatmap("response over own", &sorted, Some((-1.0, 1.0)))),
    )
}

/// True types against found ones.
pub(super) fn confusion(id: &str, types: &Types, names: &[String], labels: &[usize]) -> Figure {
    let shares = Confusion::new(labels, &types.labels)
        .map(|c| c.shares())
        .unwrap_or_default();
    // Found types in the order of the true type they hold most of.
    let mut order: Vec<usize> = (0..shares.ncols()).collect();
    let most = |k: usize| {
        (0..shares.nrows()).fold(0, |b, t| {
            if shares[[t, k]] > shares[[b, k]] {
                t
            } else {
                b
            }
        })
    };
    order.sort_by_key(|&k| (most(k), k));
    let sorted = shares.select(ndarray::Axis(1), &order);
    let found = order.iter().map(|k| format!("{}", k + 1)).collect();
    Figure::new(
        id,
        "True types against found ones",
        "Share of the neurons of each true type (row) in each found one (column); rows sum to 1.",
    )
    .with(
        Panel::new(
            "",
            Axis::categories("found type", found),
            Axis::categories("true type", names.to_vec()),
        )
        .with(heatmap("share of neurons (1)", &sorted, Some((0.0, 1.0)))),
    )
}

/// The course of a clustering without known types.
pub(super) fn own_course(types: &Types) -> Figure {
    let x: Vec<f64> = (1..=types.iterations.len()).map(|i| i as f64).collect();
    let panel = |label: &str, unit: &str, y: Vec<f64>| {
        Panel::new("", Axis::new("iteration", "index"), Axis::new(label, unit)).with(Mark::Line {
            series: String::new(),
            x: x.clone(),
            y,
        })
    };
    let of = |part: &dyn Fn(&chiasm_probe::stimuli::Iteration) -> f64| -> Vec<f64> {
        types.iterations.iter().map(part).collect()
    };
    Figure::new(
        "course",
        "The course of the clustering",
        "Before the split stage. Clusters in excess empty; the objective of K clusters is at most ln K.",
    )
    .columns(3)
    .with(panel("clusters", "1", of(&|i| i.n_clusters as f64)))
    .with(panel("mean objective", "nat", of(&|i| i.mean_value)))
    .with(panel("neurons moved", "1", of(&|i| i.changed as f64)))
}
