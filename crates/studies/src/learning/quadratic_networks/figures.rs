//! What the study shows.

use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::arms::GRID;
use super::config::Config;
use super::run::{Results, TASKS, best_inside};

pub(super) fn all(results: &Results, config: &Config) -> Vec<Figure> {
    vec![
        rates(results, config),
        maps(results, config),
        losses(results, config),
        splines(results),
        dimensions(results),
    ]
}

fn line(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

/// Accuracy and divergence over the rate of the quadratic parts.
fn rates(results: &Results, config: &Config) -> Figure {
    let x = || config.gammas.clone();
    let mut accuracy = Panel::new(
        "accuracy",
        Axis::new("rate of quadratic parts / rate", "1").log(),
        Axis::new("accuracy", "%"),
    );
    let mut diverged = Panel::new(
        "networks that diverged",
        Axis::new("rate of quadratic parts / rate", "1").log(),
        Axis::new("networks", "%").range(0.0, 100.0),
    );
    for task in TASKS {
        let of = |f: &dyn Fn(&str) -> f64| -> Vec<f64> {
            let names = config.gammas.iter().map(|g| format!("{task}/gamma-{g}"));
            names.map(|n| 100.0 * f(&n)).collect()
        };
        accuracy = accuracy.with(line(task, x(), of(&|n| results.accuracy(n))));
        accuracy = accuracy.with(Mark::HLine {
            series: format!("{task}, ordinary"),
            y: 100.0 * results.accuracy(&format!("{task}/ordinary")),
        });
        diverged = diverged.with(line(task, x(), of(&|n| results.diverged(n))));
    }
    Figure::new(
        "rates",
        "The quadratic parts learn best slowly",
        "Mean over networks; one that diverged counts as guessing the commoner class.",
    )
    .with(accuracy)
    .with(diverged)
    .columns(2)
}

/// What the first network of each kind says, over the plane.
fn maps(results: &Results, config: &Config) -> Figure {
    let (gamma, _) = best_inside(results, config);
    let mut figure = Figure::new(
        "maps",
        "Classes over the plane",
        "The class that the first network of each kind gives each point of the square from -1 to 1.",
    )
    .columns(2);
    for task in TASKS {
        for (what, title) in [
            ("ordinary".to_owned(), "ordinary"),
            (format!("gamma-{gamma}"), "quadratic"),
        ] {
            let trained = results.of(&format!("{task}/{what}"));
            let Some(map) = trained.first().map(|t| &t.map).filter(|m| !m.is_empty()) else {
                continue;
            };
            let values = map
                .chunks(GRID)
                .map(|r| r.iter().map(|c| f64::from(u8::from(*c))).collect());
            let panel = Panel::new(
                &format!("{task}, {title}"),
                Axis::new("x1", "1"),
                Axis::new("x2", "1"),
            );
            figure = figure.with(panel.with(Mark::Heatmap {
                series: "class".into(),
                values: values.collect(),
                x_range: Some((-1.0, 1.0)),
                y_range: Some((-1.0, 1.0)),
                color_range: Some((0.0, 1.0)),
                diverging: false,
            }));
        }
    }
    figure
}

fn losses(results: &Results, config: &Config) -> Figure {
    let (gamma, _) = best_inside(results, config);
    let mut figure = Figure::new(
        "losses",
        "Training",
        "Mean loss of each pass, the first network of each kind; a line ends where training diverged.",
    )
    .columns(2);
    for task in TASKS {
        let mut panel = Panel::new(
            task,
            Axis::new("pass", "1"),
            Axis::new("loss", "nats").log(),
        );
        let kinds = [
            ("ordinary".to_owned(), "ordinary".to_owned()),
            ("random".to_owned(), "quadratic, random start".to_owned()),
            (format!("gamma-{gamma}"), format!("quadratic, rate {gamma}")),
            ("gamma-1".to_owned(), "quadratic, rate 1".to_owned()),
        ];
        for (what, series) in kinds {
            let trained = results.of(&format!("{task}/{what}"));
            let Some(losses) = trained.first().map(|t| &t.losses).filter(|l| l.len() > 1) else {
                continue;
            };
            let x = (1..=losses.len()).map(|i| i as f64).collect();
            // The logarithm has no 0.
            panel = panel.with(line(
                &series,
                x,
                losses.iter().map(|l| l.max(1e-6)).collect(),
            ));
        }
        figure = figure.with(panel);
    }
    figure
}

fn splines(results: &Results) -> Figure {
    let curves = &results.checks.curves;
    let said = curves.iter().map(|c| {
        let name = c.name.replace('-', " ");
        format!("{name}: {} of degree up to {}", c.pieces, c.degree)
    });
    let caption = format!(
        "Random networks of one input, two hidden layers of 8 units; lines stand where pieces meet. Pieces: {}.",
        said.collect::<Vec<_>>().join(", ")
    );
    let mut figure = Figure::new("splines", "What functions they are", &caption).columns(3);
    for curve in curves {
        let title = curve.name.replace('-', " ");
        let mut panel = Panel::new(&title, Axis::new("input", "1"), Axis::new("output", "1"));
        panel = panel.with(line("", curve.x.clone(), curve.y.clone()));
        for knot in &curve.knots {
            panel = panel.with(Mark::VLine {
                series: "pieces meet".into(),
                x: *knot,
            });
        }
        figure = figure.with(panel);
    }
    figure
}

fn dimensions(results: &Results) -> Figure {
    let found = &results.checks.dimensions;
    let x = || {
        (1..=found.found.len())
            .map(|n| n as f64)
            .collect::<Vec<_>>()
    };
    let y = |v: &[usize]| v.iter().map(|n| *n as f64).collect::<Vec<_>>();
    let panel = Panel::new("", Axis::new("inputs", "1"), Axis::new("dimension", "1"))
        .with(line("quadratic neuron", x(), y(&found.found)))
        .with(line("square activation", x(), y(&found.square)));
    Figure::new(
        "dimensions",
        "In how many directions one neuron's function can move",
        "Rank of the derivatives of the outputs on 120 points with respect to the parameters, without a nonlinearity after them.",
    )
    .with(panel)
}
