//! What the own language models look like.

use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

use super::figures::{line, points};
use super::models::{Course, State};
use super::own::{self, Association, at};
use super::published::MEASURES;

/// The measures that are drawn, with their titles and whether they span orders of magnitude.
const DRAWN: [(&str, &str, bool); 4] = [
    ("norms_log_var", "NC2: equinorm", false),
    ("cdnv", "NC1: variance over distance", true),
    ("log_kern_var", "GNC2: uniformity", true),
    ("agreement", "NC4: agreement", false),
];

fn widths(courses: &[Course]) -> Vec<usize> {
    let mut widths: Vec<usize> = courses.iter().map(|c| c.job.width).collect();
    widths.sort_unstable();
    widths.dedup();
    widths
}

/// Four measures against the loss, model by model.
pub(super) fn measures_and_loss(courses: &[Course], name: &str) -> Figure {
    let mut figure = Figure::new(
        "own-measures-and-loss",
        "Own models: the more uniform the class means and the more agreement, the lower the loss",
        &format!(
            "Language models trained on {name}, each point one at the end of its training: models of several widths, depths, lengths \
             of training and weight decays. Four measures of collapse against the validation loss. With the labels of the training \
             tokens shuffled the class means are those of random samples."
        ),
    )
    .columns(2);
    for (measure, title, log) in DRAWN {
        let x = Axis::new(measure, "1");
        let x = if log { x.log() } else { x };
        let mut panel = Panel::new(title, x, Axis::new("validation loss", "nats"));
        for width in widths(courses) {
            let same: Vec<&Course> = courses.iter().filter(|c| c.job.width == width).collect();
            let x = same
                .iter()
                .map(|c| own::own(c).values()[at(measure)])
                .collect();
            let y = same.iter().map(|c| c.last().loss).collect();
            panel = panel.with(points(&format!("width {width}"), x, y));
        }
        let x = own::values(courses, at(measure), own::shuffled);
        let y = courses.iter().map(|c| c.last().loss).collect();
        figure = figure.with(panel.with(points("labels shuffled", x, y)));
    }
    figure
}

/// The longest runs, one for each width: the deepest, at the first decay.
fn longest(courses: &[Course]) -> Vec<&Course> {
    let each = widths(courses).into_iter().filter_map(|width| {
        let same = courses.iter().filter(|c| c.job.width == width);
        same.fold(None, |best: Option<&Course>, c| match best {
            Some(b) if (b.job.epochs, b.job.blocks) >= (c.job.epochs, c.job.blocks) => Some(b),
            _ => Some(c),
        })
    });
    each.collect()
}

/// Four measures epoch by epoch.
pub(super) fn through_training(courses: &[Course], name: &str) -> Figure {
    let mut figure = Figure::new(
        "own-through-training",
        "Measures of collapse as models learn",
        &format!(
            "Measures on the training tokens of {name} before training and after some of its epochs (agreement: on validation \
             tokens), for the longest run of each width."
        ),
    )
    .columns(2);
    for (measure, title, log) in DRAWN {
        let y = Axis::new(measure, "1");
        let y = if log { y.log() } else { y };
        let mut panel = Panel::new(title, Axis::new("epochs done", "1"), y);
        for course in longest(courses) {
            let x: Vec<f64> = course.states.iter().map(|s| s.epoch as f64).collect();
            let of = |s: &State| s.own.values()[at(measure)];
            let y = course.states.iter().map(of).collect();
            let series = format!("{} x {}", course.job.blocks, course.job.width);
            panel = panel.with(line(&series, &x, y));
        }
        figure = figure.with(panel);
    }
    figure
}

/// Loss epoch by epoch, to learn from and to validate on.
pub(super) fn losses(courses: &[Course], name: &str) -> Figure {
    let axes = || (Axis::new("epochs done", "1"), Axis::new("loss", "nats"));
    let (x, y) = axes();
    let mut training = Panel::new("training tokens", x, y);
    let (x, y) = axes();
    let mut validation = Panel::new("validation tokens", x, y);
    for course in longest(courses) {
        let series = format!("{} x {}", course.job.blocks, course.job.width);
        let of = |f: &dyn Fn(&State) -> Option<f64>| -> (Vec<f64>, Vec<f64>) {
            let known = course
                .states
                .iter()
                .filter_map(|s| Some((s.epoch as f64, f(s)?)));
            known.unzip()
        };
        let (x, y) = of(&|s| s.train_loss);
        training = training.with(line(&series, &x, y));
        let (x, y) = of(&|s| Some(s.loss));
        validation = validation.with(line(&series, &x, y));
    }
    Figure::new(
        "own-losses",
        "Larger models learn the text better",
        &format!(
            "Cross-entropy of the next token of {name}, for the longest run of each width (layers x width). On training tokens it is \
             the mean over the epoch just done."
        ),
    )
    .columns(2)
    .with(training)
    .with(validation)
}

/// How strongly each measure goes with the loss.
pub(super) fn strengths(found: &Association) -> Figure {
    let names: Vec<String> = MEASURES.iter().map(|(n, _)| (*n).to_owned()).collect();
    let bars = |series: &str, all: &[chiasm_analysis::collapse::Correlation]| Mark::Bars {
        series: series.into(),
        x: (0..MEASURES.len()).map(|i| i as f64).collect(),
        y: all.iter().map(|c| c.spearman).collect(),
        error: vec![],
    };
    let panel = Panel::new(
        "",
        Axis::categories("measure", names),
        Axis::new("Spearman correlation with the loss", "1").range(-1.05, 1.05),
    )
    .with(bars("own labels", &found.own))
    .with(bars("labels shuffled", &found.shuffled));
    Figure::new(
        "own-strengths",
        "Which measure goes with the loss of own models",
        "Spearman correlation of each measure with the validation loss over own language models, with the labels of the tokens and \
         with shuffled ones. What goes with the loss when labels are shuffled is the geometry of the features, width above all, and no collapse of classes.",
    )
    .with(panel)
}
