//! What the study shows.

use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};
use chiasm_net::theory::oscillation::{LARGEST, TWO_CYCLE};

use super::arms::{ABLATIONS, Course};
use super::config::Config;
use super::run::{Results, mean};

/// All figures.
pub(super) fn all(results: &Results, config: &Config) -> Vec<Figure> {
    let mut all = vec![bifurcation(results)];
    all.extend(course(results, config));
    all.push(ablations(results, config));
    all
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

/// The map's values over the step, and below it what the whole network learns.
fn bifurcation(results: &Results) -> Figure {
    let thresholds = |panel: Panel| {
        [
            ("k = 1", 1.0),
            ("2-cycle lost", TWO_CYCLE),
            ("dying", LARGEST),
        ]
        .into_iter()
        .fold(panel, |panel, (series, x)| {
            panel.with(Mark::VLine {
                series: series.into(),
                x,
            })
        })
    };
    let axis = || Axis::new("k", "1").range(0.05, 1.65);
    let top = Panel::new(
        "one strong sample",
        axis(),
        Axis::new("y f at the end", "1"),
    )
    .with(points(
        "",
        results.diagram.k.clone(),
        results.diagram.g.clone(),
    ));
    let sweep = results.outcomes.iter().filter(|o| o.plan.group == "sweep");
    let sweep: Vec<_> = sweep.collect();
    let mut ks: Vec<f64> = sweep.iter().map(|o| o.plan.k).collect();
    ks.dedup();
    let weak: Vec<f64> = ks
        .iter()
        .map(|k| mean(&results.of("sweep", *k), |o| o.weak))
        .collect();
    let strong = ks
        .iter()
        .map(|k| mean(&results.of("sweep", *k), |o| o.strong));
    let bottom = Panel::new(
        "the network",
        axis(),
        Axis::new("accuracy", "1").range(0.45, 1.02),
    )
    .with(line("strong samples", ks.clone(), strong.collect()))
    .with(line("weak samples", ks.clone(), weak))
    .with(points(
        "weak samples, each draw",
        sweep.iter().map(|o| o.plan.k).collect(),
        sweep.iter().map(|o| o.weak).collect(),
    ));
    Figure::new(
        "bifurcation",
        "Where predictions oscillate, the weak feature is learned",
        "Above: values through which the prediction on one strong sample goes at last, by the dimensionless step k = 4 eta |u|^2 / m \
         (exact). Below: accuracy of the whole network on test samples with and without the strong feature.",
    )
    .with(thresholds(top))
    .with(thresholds(bottom))
    .shared_x()
}

/// What was noted, thinned to some 300 passes.
fn thinned(values: &[f64]) -> (Vec<f64>, Vec<f64>) {
    // An odd stride, so that a 2-cycle is not seen at one of its values alone.
    let stride = (values.len() / 300) | 1;
    let kept = values.iter().enumerate().step_by(stride);
    kept.map(|(i, v)| ((i + 1) as f64, *v)).unzip()
}

fn column(name: &str, course: &Course) -> Vec<Panel> {
    let trace = &course.trace;
    let x = || Axis::new("pass", "1");
    let noted = |series: &str, values: &[f64]| {
        let (x, y) = thinned(values);
        line(series, x, y)
    };
    let positive = |values: &[[f64; 2]], of: usize| -> Vec<f64> {
        let each = values.iter().map(|v| v[of]);
        each.map(|v| if v > 0.0 { v } else { f64::NAN }).collect()
    };
    let (at, predictions) = thinned(&trace.prediction);
    vec![
        Panel::new(name, x(), Axis::new("y f", "1"))
            .with(Mark::HLine {
                series: "label".into(),
                y: 1.0,
            })
            .with(points("first strong sample", at, predictions)),
        Panel::new("", x(), Axis::new("projection", "1").log())
            .with(noted("strong, +", &positive(&trace.strong, 0)))
            .with(noted("strong, -", &positive(&trace.strong, 1)))
            .with(noted("weak, +", &positive(&trace.weak, 0)))
            .with(noted("weak, -", &positive(&trace.weak, 1)))
            .with(noted("noise", &trace.noise)),
        Panel::new("", x(), Axis::new("sum of 1 - y f", "1")).with(noted("", &trace.shortfall)),
        Panel::new("", x(), Axis::new("loss", "1").log()).with(noted(
            "",
            &trace.loss.iter().map(|v| v.max(1e-12)).collect::<Vec<_>>(),
        )),
        Panel::new("", x(), Axis::new("accuracy", "1").range(0.45, 1.02))
            .with(line(
                "strong samples",
                course.passes.clone(),
                course.strong.clone(),
            ))
            .with(line(
                "weak samples",
                course.passes.clone(),
                course.weak.clone(),
            )),
    ]
}

/// The small and the large step side by side.
fn course(results: &Results, config: &Config) -> Option<Figure> {
    let of = |k: f64| {
        let found = results.of("steps", k);
        found.into_iter().find_map(|o| o.course.as_ref())
    };
    let (small, large) = (of(config.control)?, of(config.k)?);
    let left = column(&format!("small step, k = {}", config.control), small);
    let right = column(&format!("large step, k = {}", config.k), large);
    let mut figure = Figure::new(
        "course",
        "What a small and a large step do",
        "First draw. From above: the prediction on the first strong sample, as it came; the largest projection of the positive \
         filters on a feature and of the negative ones on its opposite, and of any filter on a sample's noise; what predictions on \
         strong samples fell short of the label, summed; the loss; accuracy on test samples.",
    );
    for (a, b) in left.into_iter().zip(right) {
        figure = figure.with(a).with(b);
    }
    Some(figure.columns(2).shared_x())
}

/// Each part taken away.
fn ablations(results: &Results, config: &Config) -> Figure {
    let mut bars: Vec<(String, Vec<&super::arms::Outcome>)> = vec![
        (
            format!("small step ({})", config.control),
            results.of("steps", config.control),
        ),
        (
            format!("large step ({})", config.k),
            results.of("steps", config.k),
        ),
    ];
    for name in ABLATIONS.into_iter().skip(1) {
        bars.push((name.replace('-', " "), results.of(name, config.k)));
    }
    for (group, k, name) in [
        ("no-feature", config.control, "no weak feature"),
        ("no-feature", config.k, "no weak feature"),
        ("no-weak-sample", config.control, "no weak sample"),
        ("no-weak-sample", 1.4, "no weak sample"),
    ] {
        bars.push((format!("{name} ({k})"), results.of(group, k)));
    }
    let names = bars.iter().map(|(name, _)| name.clone()).collect();
    let spread = |of: &Vec<&super::arms::Outcome>| {
        let values: Vec<f64> = of.iter().map(|o| o.weak).collect();
        if values.len() < 2 {
            0.0
        } else {
            chiasm_core::stats::sd(&values, 1)
        }
    };
    let panel = Panel::new(
        "",
        Axis::categories("way to learn (k)", names),
        Axis::new("accuracy on weak samples", "1").range(0.0, 1.05),
    )
    .with(Mark::Bars {
        series: String::new(),
        x: (0..bars.len()).map(|i| i as f64).collect(),
        y: bars.iter().map(|(_, of)| mean(of, |o| o.weak)).collect(),
        error: bars.iter().map(|(_, of)| spread(of)).collect(),
    })
    .with(Mark::HLine {
        series: "chance".into(),
        y: 0.5,
    });
    Figure::new(
        "ablations",
        "Each part changed",
        "Accuracy on test samples without the strong feature, mean and standard deviation of all draws; k = 1.3 where no step is named. \
         Networks that diverged are asked as they were then (see the notes).",
    )
    .with(panel)
}
