//! What the study shows.

use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::arms::Trained;
use super::config::Config;
use super::images::Data;
use super::report::{by_batch, by_size, by_width};
use super::run::Results;

pub(super) fn all(config: &Config, results: &Results, data: &Data) -> Vec<Figure> {
    let augmented = results.of("blocks/augmented");
    let mut figures = vec![
        compute(config, results, data),
        accuracy(config, results, data),
        training(results, data),
        filters(
            &[
                ("augmented", augmented),
                ("not augmented", results.of("blocks/bottleneck")),
            ],
            data.train.images().shape(),
        ),
        confusion(&augmented.told, data),
        transfer(config, results),
    ];
    figures.extend(split(results));
    figures
}

fn line(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

/// Error over compute: courses by width, the envelope and its law.
fn compute(config: &Config, results: &Results, data: &Data) -> Figure {
    let mut panel = Panel::new(
        "",
        Axis::new("compute", "multiply-adds").log(),
        Axis::new("test error", "%").log(),
    );
    for width in &config.widths.widths {
        let course = &results.of(&format!("width/{width}")).course;
        let x = course.iter().map(|m| m.compute).collect();
        let y = course.iter().map(|m| 100.0 * (1.0 - m.accuracy)).collect();
        panel = panel.with(line(&format!("width {width}"), x, y));
    }
    let mut caption = format!(
        "Networks of {} inverted bottlenecks on {}, every line one network in training; compute is three times the multiply-adds \
         forward, times the images seen.",
        config.depth, data.name
    );
    if let Some((law, pure, interval)) = &results.law {
        let (first, last) = (
            results.envelope[0],
            results.envelope[results.envelope.len() - 1],
        );
        let (low, high) = (first.compute.ln(), (2.0 * last.compute).ln());
        let x: Vec<f64> = (0..60)
            .map(|i| (low + (high - low) * f64::from(i) / 59.0).exp())
            .collect();
        let y = x.iter().map(|c| 100.0 * law.at(*c)).collect();
        panel = panel.with(line("law with a floor", x.clone(), y));
        let y = x.iter().map(|c| 100.0 * pure.at(*c)).collect();
        panel = panel.with(line("pure power law", x, y));
        panel = panel.with(Mark::Points {
            series: "envelope".into(),
            x: results.envelope.iter().map(|p| p.compute).collect(),
            y: results.envelope.iter().map(|p| 100.0 * p.error).collect(),
            labels: vec![],
        });
        caption += &format!(
            " The law a (b + C)^-alpha + E, fitted to the envelope: alpha {:.2} ({:.2} to {:.2} over {} resamplings of its points), E {:.0} % \
             ({:.0} to {:.0} %).",
            law.alpha,
            interval.alpha.0,
            interval.alpha.1,
            config.resamplings,
            100.0 * law.floor,
            100.0 * interval.floor.0,
            100.0 * interval.floor.1
        );
    }
    Figure::new("compute", "Error falls with compute", &caption).with(panel)
}

/// Accuracy over width, images and batch.
fn accuracy(config: &Config, results: &Results, data: &Data) -> Figure {
    let mut figure = Figure::new(
        "accuracy",
        "Width, images, batch",
        &format!(
            "Test accuracy at the end on {}. Over images: width {}, as many steps each. Over batches: width {}, as many passes each, Lion's \
             rate with the root of the batch.",
            data.name, config.data.width, config.data.width
        ),
    )
    .columns(3);
    for (title, label, unit, pairs) in [
        (
            "width",
            "units of each layer",
            "1",
            by_width(config, results),
        ),
        (
            "images",
            "images learned from",
            "1",
            by_size(config, results),
        ),
        ("batch", "images of a batch", "1", by_batch(config, results)),
    ] {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let panel = Panel::new(
            title,
            Axis::new(label, unit).log(),
            Axis::new("accuracy", "%"),
        );
        let points = Mark::Points {
            series: String::new(),
            x: x.clone(),
            y: y.clone(),
            labels: vec![],
        };
        figure = figure.with(panel.with(line("", x, y)).with(points));
    }
    figure
}

const PARTS: [(&str, &str); 5] = [
    ("augmented", "bottlenecks, augmented"),
    ("bottleneck", "bottlenecks"),
    ("standard", "plain layers"),
    ("no-norm", "bottlenecks, no norm"),
    ("linear", "linear"),
];

/// Courses of training, with parts left out.
fn training(results: &Results, data: &Data) -> Figure {
    let mut accuracy = Panel::new(
        "on test images",
        Axis::new("pass", "1"),
        Axis::new("accuracy", "%"),
    );
    let mut loss = Panel::new(
        "while learning",
        Axis::new("pass", "1"),
        Axis::new("loss above its floor", "nats"),
    );
    for (name, series) in PARTS {
        let course = &results.of(&format!("blocks/{name}")).course;
        let x = || course.iter().map(|m| m.epoch as f64).collect::<Vec<f64>>();
        let y = course.iter().map(|m| 100.0 * m.accuracy).collect();
        accuracy = accuracy.with(line(series, x(), y));
        let y = course.iter().map(|m| m.loss).collect();
        loss = loss.with(line(series, x(), y));
    }
    Figure::new(
        "training",
        "What augmentation, bottlenecks and norm do",
        &format!(
            "Networks of one width on {}; all but the first see images as they are. The floor of the loss is the entropy of smoothed \
             targets, 0 for the linear classifier.",
            data.name
        ),
    )
    .with(accuracy)
    .with(loss)
    .columns(2)
}

/// First-layer weights as images.
pub(super) fn filters(networks: &[(&str, &Trained)], shape: (usize, usize, usize)) -> Figure {
    let (channels, rows, columns) = shape;
    let mut figure = Figure::new(
        "filters",
        "What the first layer looks for",
        "Weights of the units of the first layer with the largest norms, mean over the channels, each scaled by itself.",
    )
    .columns(4);
    for (name, trained) in networks {
        for (i, weights) in trained.filters.iter().enumerate() {
            let mean = |y: usize, x: usize| {
                let each = (0..channels).map(|c| f64::from(weights[(c * rows + y) * columns + x]));
                each.sum::<f64>() / channels as f64
            };
            let values: Vec<Vec<f64>> = (0..rows)
                .map(|y| (0..columns).map(|x| mean(y, x)).collect())
                .collect();
            let most = values
                .iter()
                .flatten()
                .fold(1e-12, |m: f64, v| m.max(v.abs()));
            let panel = Panel::new(
                &format!("{name}, unit {}", i + 1),
                Axis::new("column", "pixel"),
                Axis::new("row", "pixel"),
            );
            let values = values
                .into_iter()
                .map(|r| r.into_iter().map(|v| v / most).collect());
            figure = figure.with(panel.with(Mark::Heatmap {
                series: "weight".into(),
                values: values.collect(),
                x_range: None,
                y_range: None,
                color_range: Some((-1.0, 1.0)),
                diverging: true,
            }));
        }
    }
    figure
}

/// Which class is told for which.
pub(super) fn confusion(told: &[usize], data: &Data) -> Figure {
    let images = data.test.images();
    let n = images.classes().len();
    let mut counts = vec![vec![0.0; n]; n];
    for (label, told) in images.labels().iter().zip(told) {
        counts[*label][*told] += 1.0;
    }
    for row in &mut counts {
        let all: f64 = row.iter().sum();
        row.iter_mut().for_each(|v| *v *= 100.0 / all.max(1.0));
    }
    let names = || images.classes().to_vec();
    let panel = Panel::new(
        "",
        Axis::categories("class told", names()),
        Axis::categories("class", names()),
    );
    Figure::new(
        "confusion",
        "Which classes are taken for which",
        &format!(
            "Test images of {}, each row a class; the share of its images that is told each class, by the network trained with augmentation.",
            data.name
        ),
    )
    .with(panel.with(Mark::Heatmap {
        series: "images (%)".into(),
        values: counts,
        x_range: None,
        y_range: None,
        color_range: Some((0.0, 100.0)),
        diverging: false,
    }))
}

fn transfer(config: &Config, results: &Results) -> Figure {
    let found = &results.transfer;
    let names = ["from scratch", "new head", "new head and body"];
    let panel = Panel::new(
        "",
        Axis::categories("network", names.map(str::to_owned).to_vec()),
        Axis::new("accuracy", "%").range(0.0, 100.0),
    )
    .with(Mark::Bars {
        series: String::new(),
        x: vec![0.0, 1.0, 2.0],
        y: [found.scratch, found.probe, found.tuned]
            .map(|v| 100.0 * v)
            .to_vec(),
        error: vec![],
    })
    .with(Mark::HLine {
        series: "chance".into(),
        y: 50.0,
    });
    Figure::new(
        "transfer",
        "From eight classes to two others",
        &format!(
            "Test images of the two classes, told from {} images: by a network trained on these alone, by a new head on a body trained on \
             the other classes, and where that body learns too.",
            config.transfer.images
        ),
    )
    .with(panel)
}

/// The best sizes over compute.
fn split(results: &Results) -> Option<Figure> {
    let split = results.split.as_ref()?;
    let x = || split.best.iter().map(|b| b.0).collect::<Vec<f64>>();
    let axis = || Axis::new("compute", "multiply-adds").log();
    let points = |y: Vec<f64>| Mark::Points {
        series: String::new(),
        x: x(),
        y,
        labels: vec![],
    };
    let parameters = Panel::new("size", axis(), Axis::new("parameters", "1").log())
        .with(points(split.best.iter().map(|b| b.1).collect()));
    let images = Panel::new("images seen", axis(), Axis::new("images", "1").log())
        .with(points(split.best.iter().map(|b| b.2).collect()));
    Some(
        Figure::new(
            "split",
            "How compute is best spent",
            &format!(
                "For each compute the network of least error among those trained. Parameters go with compute to the power {:.2}, images \
                 seen to the power {:.2}; with few sizes these are rough, and images are seen several times.",
                split.parameters, split.images
            ),
        )
        .with(parameters)
        .with(images)
        .columns(2),
    )
}
