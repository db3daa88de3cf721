//! What the study shows.

use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::arms::Outcome;
use super::config::Arm;
use super::run::Results;

/// All figures there is something for.
pub(super) fn all(results: &Results, data: &str) -> Vec<Figure> {
    let some = [
        curves(results, data),
        matrices(results),
        arms(results),
        subspaces(results),
        Some(course(results)),
    ];
    some.into_iter().flatten().collect()
}

fn line(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

/// The main arms that were run, with their names in legends.
fn main_arms(results: &Results) -> Vec<(&'static str, &Outcome)> {
    let names = [
        (Arm::Sequential, "sequential"),
        (Arm::Replay, "replay"),
        (Arm::Hlop, "HLOP"),
        (Arm::HlopReplay, "HLOP and replay"),
    ];
    let each = names.into_iter();
    each.filter_map(|(arm, name)| Some((name, results.outcomes.get(&arm)?)))
        .collect()
}

/// The first task over the others, and the mean of those learned.
fn curves(results: &Results, data: &str) -> Option<Figure> {
    let arms = main_arms(results);
    if arms.is_empty() {
        return None;
    }
    let mut first = Panel::new(
        "first task",
        Axis::new("tasks learned", "1"),
        Axis::new("accuracy", "%"),
    );
    let mut mean = Panel::new(
        "mean of the tasks learned",
        Axis::new("tasks learned", "1"),
        Axis::new("accuracy", "%"),
    );
    for (name, outcome) in &arms {
        let rows = outcome.accuracies.rows();
        let x: Vec<f64> = (1..=rows.len()).map(|i| i as f64).collect();
        let of = |f: &dyn Fn(&[f64]) -> f64| rows.iter().map(|r| 100.0 * f(r)).collect::<Vec<_>>();
        first = first.with(line(name, x.clone(), of(&|r| r[0])));
        let means = of(&|r| r.iter().sum::<f64>() / r.len() as f64);
        mean = mean.with(line(name, x, means));
    }
    if let Some(together) = results.outcomes.get(&Arm::Together) {
        mean = mean.with(Mark::HLine {
            series: "all tasks at once".into(),
            y: 100.0 * together.accuracies.mean(),
        });
    }
    let caption = format!(
        "Test images of {data}, whose pixels each task sees in another order; one head for all tasks, which is not told the task."
    );
    Some(
        Figure::new("forgetting", "What is kept while more is learned", &caption)
            .with(first)
            .with(mean)
            .columns(2),
    )
}

/// Accuracy on each task after each.
fn matrices(results: &Results) -> Option<Figure> {
    let panels: Vec<Panel> = [(Arm::Sequential, "sequential"), (Arm::Hlop, "HLOP")]
        .into_iter()
        .filter_map(|(arm, name)| {
            let found = &results.outcomes.get(&arm)?.accuracies;
            let n = found.n_tasks();
            let names = || (1..=n).map(|i| i.to_string()).collect();
            let row = |i: usize| (0..n).map(|j| 100.0 * found.get(i, j)).collect();
            let panel = Panel::new(
                name,
                Axis::categories("asked: task", names()),
                Axis::categories("after: task", names()),
            );
            Some(panel.with(Mark::Heatmap {
                series: "accuracy (%)".into(),
                values: (0..n).map(row).collect(),
                x_range: None,
                y_range: None,
                color_range: Some((50.0, 100.0)),
                diverging: false,
            }))
        })
        .collect();
    let mut figure = Figure::new(
        "accuracies",
        "Every task after every task",
        "Accuracy on the test images of each task (columns) after learning each (rows); grey: not learned yet. ACC is the mean of the last row, BWT the mean \
         difference of the last row from the diagonal.",
    )
    .columns(2);
    if panels.is_empty() {
        return None;
    }
    figure.panels = panels;
    Some(figure)
}

/// All arms side by side.
fn arms(results: &Results) -> Option<Figure> {
    let shown: Vec<&Outcome> = results
        .outcomes
        .values()
        .filter(|o| !matches!(o.arm, Arm::FullRank | Arm::Together))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let names = || shown.iter().map(|o| o.arm.name().to_owned()).collect();
    let panel = |label: &str, unit: &str, of: &dyn Fn(&Outcome) -> f64| {
        Panel::new("", Axis::categories("arm", names()), Axis::new(label, unit)).with(Mark::Bars {
            series: String::new(),
            x: (0..shown.len()).map(|i| i as f64).collect(),
            y: shown.iter().map(|o| 100.0 * of(o)).collect(),
            error: vec![],
        })
    };
    Some(
        Figure::new(
            "arms",
            "Every way to learn the tasks",
            "Backward transfer (BWT) is what later tasks changed, in points of accuracy: below 0 is forgetting. ACC is the mean accuracy \
             over all tasks after the last.",
        )
        .with(panel("BWT", "points", &|o| o.accuracies.backward_transfer()))
        .with(panel("ACC", "%", &|o| o.accuracies.mean()))
        .shared_x(),
    )
}

/// How far rows are from orthonormal ones, and how much of the inputs they explain.
fn subspaces(results: &Results) -> Option<Figure> {
    let arms: Vec<(&str, &Outcome)> = [
        (Arm::Hlop, "born orthogonal"),
        (Arm::BornAnywhere, "born anywhere"),
    ]
    .into_iter()
    .filter_map(|(arm, name)| Some((name, results.outcomes.get(&arm)?)))
    .collect();
    if arms.is_empty() {
        return None;
    }
    let mut far = Panel::new(
        "",
        Axis::new("tasks learned", "1"),
        Axis::new("distance from orthonormal", "1"),
    );
    let mut explained = Panel::new(
        "",
        Axis::new("tasks learned", "1"),
        Axis::new("inputs explained", "%").range(0.0, 100.0),
    );
    for (name, outcome) in &arms {
        let x: Vec<f64> = (1..=outcome.trainings.len()).map(|i| i as f64).collect();
        for layer in 0..outcome.rows.len() {
            let series = format!("{name}, layer {}", layer + 1);
            let of = |f: &dyn Fn(usize) -> f64| (0..x.len()).map(f).collect::<Vec<_>>();
            let y = of(&|t| outcome.trainings[t].from_orthonormal[layer]);
            far = far.with(line(&series, x.clone(), y));
            let y = of(&|t| 100.0 * outcome.trainings[t].explained[layer]);
            explained = explained.with(line(&series, x.clone(), y));
        }
    }
    Some(
        Figure::new(
            "subspaces",
            "What the lateral circuits hold",
            "After each task: |HH' - I| (Frobenius) of each layer's rows, 0 where the projection is exact; and the part of the squared \
             length of the layer's inputs, in the task's last batch, that all rows reconstruct.",
        )
        .with(far)
        .with(explained)
        .columns(2),
    )
}

/// The rule on planted directions.
fn course(results: &Results) -> Figure {
    let course = &results.course;
    let x = || course.batches.clone();
    let panel = Panel::new(
        "",
        Axis::new("batches", "1"),
        Axis::new("distance", "1").log(),
    )
    .with(line("from the planted subspace", x(), course.apart.clone()))
    .with(line(
        "from orthonormal rows",
        x(),
        floored(&course.from_orthonormal),
    ))
    .with(line(
        "from orthonormal rows, without the anti-Hebbian half",
        x(),
        floored(&course.alone_from_orthonormal),
    ))
    .with(Mark::HLine {
        series: "bar".into(),
        y: 0.1,
    });
    Figure::new(
        "principal-subspace",
        "The rule finds the principal subspace",
        "Ten rows learn from 100 inputs with ten strong directions (variances 10 to 1, others .01), from random orthonormal rows: \
         |H'H - UU'| over the root of 10, and |HH' - I| (Frobenius).",
    )
    .with(panel)
}

/// Rows that are orthonormal to rounding are at 0, which a logarithm has not.
fn floored(values: &[f64]) -> Vec<f64> {
    values
        .iter()
        .map(|v| if *v < 1e-4 { 1e-4 } else { *v })
        .collect()
}
