//! What the study shows.

use chiasm_circuit::place::Ensemble;
use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::answers::{Answers, PLAIN, RECALL_AT, SAD, SILENCED};

/// Most places that a matrix shows.
const MOST: usize = 200;
/// Receptive fields that are shown.
const N_FIELDS: usize = 9;

fn fraction(label: &str) -> Axis {
    Axis::new(label, "1").range(0.0, 1.0)
}

/// Responses of places to queries.
pub(super) fn responses(answers: &Answers) -> Figure {
    let figure = Figure::new(
        "responses",
        "Which places respond to which query",
        "Rows are queries, columns places of the test, both along the route: right answers stand on the diagonal. Responses \
         are relative to each query's largest; of SAD, where the nearest place has 1 and the farthest 0. The first 200 \
         places of a longer route.",
    )
    .columns(3);
    let shown = answers
        .scores
        .iter()
        .filter(|s| [PLAIN, SILENCED, SAD].contains(&s.name.as_str()));
    shown.fold(figure, |figure, score| {
        let rows = score.responses.iter().take(MOST).map(|row| {
            let row = &row[..row.len().min(MOST)];
            let most = row.iter().copied().fold(0.0, f64::max);
            let least = if score.name == SAD {
                row.iter().copied().fold(f64::INFINITY, f64::min)
            } else {
                0.0
            };
            let span = if most > least { most - least } else { 1.0 };
            row.iter().map(|r| (r - least) / span).collect()
        });
        let panel = Panel::new(
            &score.name,
            Axis::new("place", "index"),
            Axis::new("query", "index"),
        );
        figure.with(panel.with(Mark::Heatmap {
            series: "relative response (1)".into(),
            values: rows.collect(),
            x_range: None,
            y_range: None,
            color_range: Some((0.0, 1.0)),
            diverging: false,
        }))
    })
}

/// Precision against recall.
pub(super) fn precision_recall(answers: &Answers) -> Figure {
    let panel = Panel::new("", fraction("recall"), fraction("precision"));
    let panel = answers.scores.iter().fold(panel, |panel, score| {
        panel.with(Mark::Line {
            series: score.name.clone(),
            x: score.at_recall.clone(),
            y: score.precision.clone(),
        })
    });
    Figure::new(
        "precision-recall",
        "Precision against recall",
        "Queries whose best response is below a threshold are turned away; from left to right the threshold falls. At the \
         right end every query that drew a response has a match.",
    )
    .with(panel)
}

/// Recall at N.
pub(super) fn recall(answers: &Answers) -> Figure {
    let panel = Panel::new("", Axis::new("N", "1"), fraction("recall at N"));
    let panel = answers.scores.iter().fold(panel, |panel, score| {
        panel.with(Mark::Line {
            series: score.name.clone(),
            x: RECALL_AT.iter().map(|n| *n as f64).collect(),
            y: score.recall.clone(),
        })
    });
    Figure::new(
        "recall",
        "Recall at N",
        "Fraction of test queries whose place is among the N that respond most.",
    )
    .with(panel)
}

/// Recall at 1 against the threshold of hyperactivity.
pub(super) fn thresholds(answers: &Answers) -> Figure {
    let x: Vec<f64> = answers
        .thresholds
        .iter()
        .map(|t| f64::from(t.threshold))
        .collect();
    let line = |series: &str, value: &dyn Fn(&super::answers::Silenced) -> f64| Mark::Line {
        series: series.into(),
        x: x.clone(),
        y: answers.thresholds.iter().map(value).collect(),
    };
    let panel = Panel::new(
        "",
        Axis::new("threshold", "reference images"),
        fraction("fraction"),
    )
    .with(line("recall at 1, test", &|t| t.test))
    .with(line("recall at 1, calibration", &|t| t.calibration))
    .with(line("neurons silenced", &|t| t.share))
    .with(Mark::VLine {
        series: "chosen on the calibration".into(),
        x: f64::from(answers.chosen),
    });
    Figure::new(
        "thresholds",
        "What silencing adds",
        "Neurons that respond to at least so many reference images are silenced; at 0 nobody is. The calibration's queries \
         are asked among all places, the test's among the test's.",
    )
    .with(panel)
}

/// How many neurons respond to how many reference images.
pub(super) fn activity(answers: &Answers) -> Figure {
    let bin = answers.n_references.div_ceil(50).max(1);
    let mut counts = vec![0.0; answers.n_references / bin + 1];
    for n in &answers.n_responses {
        counts[*n as usize / bin] += 1.0;
    }
    let panel = Panel::new(
        "",
        Axis::new("reference images with a response", "1"),
        Axis::new("neurons", "1"),
    )
    .with(Mark::Bars {
        series: "neurons of all modules".into(),
        x: (0..counts.len()).map(|b| (b * bin) as f64).collect(),
        y: counts,
        error: vec![],
    })
    .with(Mark::VLine {
        series: "threshold".into(),
        x: f64::from(answers.chosen),
    });
    Figure::new(
        "activity",
        "Neurons by the number of reference images they respond to",
        "A neuron that stood for its place alone would respond to one image of each reference traverse. Those from the \
         threshold on are silenced; at 0 nobody is.",
    )
    .with(panel)
}

/// What neurons of the first module have learned to see.
pub(super) fn fields(ensemble: &Ensemble, (rows, columns): (usize, usize)) -> Figure {
    let figure = Figure::new(
        "fields",
        "Receptive fields",
        "Weights from the pixels onto the first neurons of the first module, with the place that each stands for.",
    )
    .columns(3);
    let Some(module) = ensemble.modules().first() else {
        return figure;
    };
    let labels = module.assignment().place.iter().enumerate().take(N_FIELDS);
    labels.fold(figure, |figure, (j, place)| {
        let title = match place {
            Some(place) => format!("place {place}"),
            None => "no place".into(),
        };
        let field = module.receptive_field(j);
        let values = field
            .chunks(columns)
            .take(rows)
            .map(<[f64]>::to_vec)
            .collect();
        let panel = Panel::new(
            &title,
            Axis::new("column", "pixel"),
            Axis::new("row", "pixel"),
        );
        figure.with(panel.with(Mark::Heatmap {
            series: "weight (1)".into(),
            values,
            x_range: None,
            y_range: None,
            color_range: None,
            diverging: false,
        }))
    })
}
