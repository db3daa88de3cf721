//! What the study shows.

use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};
use chiasm_net::spiking::confidence::{Bin, Point, Reliability};

use super::arms::Measured;

/// All figures of one agent; their names begin with `prefix`.
pub(super) fn all(measured: &Measured, data: &str, prefix: &str) -> Vec<Figure> {
    let mut all = vec![
        curves(measured, data),
        stops(measured),
        robustness(measured),
        reliability(measured),
    ];
    for figure in &mut all {
        figure.id.insert_str(0, prefix);
    }
    all
}

fn points(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Points {
        series: series.into(),
        x,
        y,
        labels: vec![],
    }
}

fn line(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

/// Accuracy against latency.
fn curves(measured: &Measured, data: &str) -> Figure {
    let score = &measured.score;
    let steps: Vec<f64> = (1..=score.fixed.len()).map(|t| t as f64).collect();
    let of = |f: fn(&Point) -> f64| measured.smooth.iter().map(f).collect::<Vec<_>>();
    let percent = |y: Vec<f64>| y.into_iter().map(|v| 100.0 * v).collect::<Vec<_>>();
    let panel = Panel::new(
        "",
        Axis::new("mean latency", "steps"),
        Axis::new("accuracy", "%"),
    )
    .with(line(
        "as many steps for everyone",
        steps.clone(),
        percent(score.fixed.clone()),
    ))
    .with(points("", steps, percent(score.fixed.clone())))
    .with(line(
        "stopped by confidence, all thresholds",
        of(|p| p.latency),
        percent(of(|p| p.accuracy)),
    ))
    .with(points(
        "calibrated",
        vec![score.latency],
        vec![100.0 * score.accuracy],
    ))
    .with(points(
        "oracle",
        vec![measured.oracle.latency],
        vec![100.0 * measured.oracle.accuracy],
    ));
    Figure::new(
        "latency",
        "Accuracy by latency",
        &format!(
            "Of the test samples ({data}). The calibrated threshold was chosen on other samples. The oracle stops at the first step \
             that is right; samples that are never right take it one step."
        ),
    )
    .with(panel)
}

/// When runs end.
fn stops(measured: &Measured) -> Figure {
    let stopped = &measured.score.stopped;
    let all: usize = stopped.iter().sum();
    let panel = Panel::new(
        "",
        Axis::new("steps taken", "steps"),
        Axis::new("samples", "%"),
    )
    .with(Mark::Bars {
        series: String::new(),
        x: (1..=stopped.len()).map(|t| t as f64).collect(),
        y: stopped
            .iter()
            .map(|n| 100.0 * *n as f64 / all as f64)
            .collect(),
        error: vec![],
    });
    let agent = measured.agent();
    Figure::new(
        "stops",
        "How long samples are watched until the network is sure",
        &format!(
            "Steps until the confidence reaches {:.3} (outputs divided by {:.2} before the softmax).",
            agent.threshold, agent.alpha
        ),
    )
    .with(panel)
}

/// Accuracy and latency by threshold.
fn robustness(measured: &Measured) -> Figure {
    let threshold = |points: &[Point]| points.iter().map(|p| p.threshold).collect::<Vec<_>>();
    let panel = |y: Axis, of: &dyn Fn(&Point) -> f64| {
        let series = |name: &str, points: &[Point]| {
            line(name, threshold(points), points.iter().map(of).collect())
        };
        Panel::new("", Axis::new("threshold", "1"), y)
            .with(series("calibrated smoothing", &measured.smooth))
            .with(series("no smoothing", &measured.raw))
    };
    Figure::new(
        "thresholds",
        "What a threshold costs, with and without smoothing",
        &format!(
            "Accuracy and mean latency on the test samples, for outputs divided by {:.2} before the softmax (calibrated) and by 1.",
            measured.agent().alpha
        ),
    )
    .with(panel(Axis::new("accuracy", "%"), &|p| 100.0 * p.accuracy))
    .with(panel(Axis::new("latency", "steps"), &|p| p.latency))
    .shared_x()
}

/// Confidence beside accuracy.
fn reliability(measured: &Measured) -> Figure {
    let panel = |title: &str, found: &Reliability| {
        let seen: Vec<&Bin> = found.bins.iter().filter(|b| b.n > 0).collect();
        Panel::new(
            &format!("{title}, error {:.3}", found.error),
            Axis::new("confidence", "1").range(0.0, 1.0),
            Axis::new("accuracy", "1").range(0.0, 1.0),
        )
        .with(line("as sure as right", vec![0.0, 1.0], vec![0.0, 1.0]))
        .with(points(
            "samples of like confidence",
            seen.iter().map(|b| b.confidence).collect(),
            seen.iter().map(|b| b.accuracy).collect(),
        ))
    };
    Figure::new(
        "reliability",
        "Whether confidence is accuracy",
        "Test samples in 15 bins of confidence, after the first and after the last step; error: mean distance of confidence from \
         accuracy.",
    )
    .with(panel("after one step", &measured.first))
    .with(panel("after all steps", &measured.last))
    .columns(2)
}
