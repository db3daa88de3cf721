//! What the results look like.

use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

use super::exact::Sphere;
use super::planted::Point;
use super::published::{MEASURES, Published, Rows};

pub(super) fn points(series: &str, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Points {
        series: series.into(),
        x,
        y,
        labels: vec![],
    }
}

pub(super) fn line(series: &str, x: &[f64], y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x: x.to_vec(),
        y,
    }
}

/// Four measures against the loss, over scales and seeds.
pub(super) fn measures_and_loss(found: &Published) -> Figure {
    let mut figure = Figure::new(
        "measures-and-loss",
        "The more uniform the class means and the more agreement, the lower the loss",
        "Published language models: each point is one. Four measures of collapse against the validation loss, over models of 30 \
         sizes and seven ways to train (scales) and over 20 seeds of one size. The variance over distance and that of the log \
         kernel are on logarithmic axes.",
    )
    .columns(2);
    for (name, title, log) in [
        ("norms_log_var", "NC2: equinorm", false),
        ("cdnv", "NC1: variance over distance", true),
        ("log_kern_var", "GNC2: uniformity", true),
        ("agreement", "NC4: agreement", false),
    ] {
        let place = MEASURES.iter().position(|(n, _)| *n == name).unwrap_or(0);
        let x = Axis::new(name, "1");
        let x = if log { x.log() } else { x };
        let of = |rows: &Rows| (rows.measures[place].clone(), rows.loss.clone());
        let (scaling, seeds) = (of(&found.scaling), of(&found.seeds));
        let panel = Panel::new(title, x, Axis::new("validation loss", "nats"))
            .with(points("scales", scaling.0, scaling.1))
            .with(points("seeds", seeds.0, seeds.1));
        figure = figure.with(panel);
    }
    figure
}

/// How strongly each measure goes with the loss.
pub(super) fn strengths(found: &Published) -> Figure {
    let names: Vec<String> = MEASURES.iter().map(|(n, _)| (*n).to_owned()).collect();
    let bars = |series: &str, rows: &Rows| Mark::Bars {
        series: series.into(),
        x: (0..MEASURES.len()).map(|i| i as f64).collect(),
        y: rows.correlations.iter().map(|c| c.spearman.abs()).collect(),
        error: vec![],
    };
    let panel = Panel::new(
        "",
        Axis::categories("measure", names),
        Axis::new("Spearman correlation with the loss, without sign", "1").range(0.0, 1.05),
    )
    .with(bars("scales", &found.scaling))
    .with(bars("seeds", &found.seeds));
    Figure::new(
        "strengths",
        "Equinorm says least of the loss",
        "Spearman correlation of each published measure with the validation loss, over scales and over 20 seeds of one size.",
    )
    .with(panel)
}

/// Measures over planted scatter.
pub(super) fn planted(found: &[Point]) -> Figure {
    let x: Vec<f64> = found.iter().map(|p| p.scatter).collect();
    let of = |f: &dyn Fn(&Point) -> f64| found.iter().map(f).collect::<Vec<f64>>();
    let scatter = || Axis::new("scatter over distance of means", "1").log();
    let variances = Panel::new(
        "",
        scatter(),
        Axis::new("variance over distance", "1").log(),
    )
    .with(line("expected", &x, of(&|p| p.expected)))
    .with(points("measured", x.clone(), of(&|p| p.cdnv)))
    .with(line(
        "with distance to the fourth",
        &x,
        of(&|p| p.cdnv_squared),
    ))
    .with(line("labels shuffled", &x, of(&|p| p.shuffled_cdnv)));
    let agreement = Panel::new("", scatter(), Axis::new("agreement", "1").range(0.0, 1.05))
        .with(line("agreement", &x, of(&|p| p.agreement)))
        .with(line("labels shuffled", &x, of(&|p| p.shuffled_agreement)));
    Figure::new(
        "planted",
        "Planted collapse is measured as planted",
        "Classes at the unit vectors with normal scatter around them. Left: class-distance normalized variance with the squared \
         distance, and the value it must have; with its square, as in the language study; and with labels shuffled. Right: how \
         often the classifier along the unit vectors decides as the nearest class mean does.",
    )
    .columns(2)
    .with(variances)
    .with(agreement)
}

/// Variance of the log kernel of uniform directions.
pub(super) fn spheres(found: &[Sphere]) -> Figure {
    let x: Vec<f64> = found.iter().map(|s| s.features as f64).collect();
    let limit = x.iter().map(|d| 1.0 / (4.0 * d)).collect();
    let measured: Vec<f64> = found.iter().map(|s| s.variance).collect();
    let panel = Panel::new(
        "",
        Axis::new("features D", "1").log(),
        Axis::new("variance of the log kernel", "1").log(),
    )
    .with(line("1/(4D)", &x, limit))
    .with(points("uniform directions", x.clone(), measured));
    Figure::new(
        "spheres",
        "What uniformity is like by chance",
        "Variance of the log kernel over pairs of uniform random directions: what a set of class means without any structure has.",
    )
    .with(panel)
}

/// Own data by frequency of its classes.
pub(super) fn bins(names: &[String], series: &[(&str, Vec<f64>)]) -> Figure {
    let figure = Figure::new(
        "bins",
        "Rare classes and frequent ones",
        "Classes by the number of their samples, in bins of as many classes each, from the rarest; each bin is measured by itself.",
    )
    .columns(series.len().clamp(1, 3));
    series.iter().fold(figure, |figure, (name, values)| {
        let panel = Panel::new(
            "",
            Axis::categories("samples of a class", names.to_vec()),
            Axis::new(name, "1"),
        )
        .with(Mark::Bars {
            series: String::new(),
            x: (0..values.len()).map(|i| i as f64).collect(),
            y: values.clone(),
            error: vec![],
        });
        figure.with(panel)
    })
}

/// Own data: variance against number of samples, class by class.
pub(super) fn classes(counts: Vec<f64>, variances: Vec<f64>) -> Figure {
    let panel = Panel::new(
        "",
        Axis::new("samples of the class", "1").log(),
        Axis::new("mean squared distance from its mean", "1"),
    )
    .with(points("classes", counts, variances));
    Figure::new(
        "classes",
        "Scatter of each class",
        "Each point is a class: how many samples it has, and how far they lie from their mean.",
    )
    .with(panel)
}
