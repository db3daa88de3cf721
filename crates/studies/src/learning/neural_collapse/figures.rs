//! What the results look like.

use chiasm_analysis::collapse::Course;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};

use super::config::Config;
use super::networks::{self, Change, Depth, Stack};
use super::theory::{Spectrum, Springs};

/// A measure of a layer and its name.
type Measure = (&'static str, fn(&Depth) -> f64);

fn line(series: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Mark {
    Mark::Line {
        series: series.into(),
        x,
        y,
    }
}

/// Singular values of the block of a class with itself, for several decays of the features.
pub(super) fn staircase(spectra: &[Spectrum], config: &Config) -> Figure {
    let mut panel = Panel::new(
        "",
        Axis::new("singular value", "rank"),
        Axis::new("1 - singular value", "1"),
    );
    for spectrum in spectra {
        let ranks = (1..=spectrum.own.len()).map(|r| r as f64).collect();
        let lost = spectrum.own.iter().map(|s| (1.0 - s).max(0.0)).collect();
        let name = format!("feature decay {}", spectrum.lambda_h);
        panel = panel.with(line(name, ranks, lost));
    }
    Figure::new(
        "staircase",
        "The more features decay, the more deviations within a class are damped",
        &format!(
            "What each direction loses of a deviation of features of one class, in the block of the perturbation of that class \
             with itself at collapse ({} classes, {} samples of each, {} features, classifier decay {:.3}, spring {}). Directions \
             that lose nothing are common shifts outside of the classes' simplex.",
            config.classes,
            config.per_class,
            config.features,
            config.model.lambda_w,
            config.model.beta
        ),
    )
    .with(panel)
}

/// What passes between classes.
pub(super) fn blocks(spectrum: &Spectrum) -> Figure {
    let axis = |label: &str| Axis::new(label, "class");
    let map = Mark::Heatmap {
        series: "lost or passed on (1)".into(),
        values: spectrum.blocks.clone(),
        x_range: None,
        y_range: None,
        color_range: None,
        diverging: false,
    };
    let panel = Panel::new("", axis("deviation of class"), axis("features of class")).with(map);
    Figure::new(
        "blocks",
        "Deviations of a class lose more on their way than reaches other classes",
        "On the diagonal, the most that a deviation of a class loses on its way to the features of that class; off it, the one \
         singular value with which a deviation of one class (column) reaches the features of another (row).",
    )
    .with(panel)
}

/// Scatter along the flow.
pub(super) fn flow(config: &Config, courses: &[Course]) -> Figure {
    let time = || Axis::new("time", "1");
    let mut panels = [
        Panel::new("", time(), Axis::new("NC1~", "1").log()),
        Panel::new("", time(), Axis::new("weighed scatter within", "1").log()),
        Panel::new("", time(), Axis::new("weighed scatter between", "1").log()),
    ];
    for (course, lambda_h) in courses.iter().zip(&config.flow_decays) {
        let weighed = course.weighed();
        let values = [
            course.quotients(),
            weighed.iter().map(|s| s.within).collect(),
            weighed.iter().map(|s| s.between).collect(),
        ];
        // Two hundred points of a smooth curve are enough.
        let every = course.times.len().div_ceil(200);
        let thin = |v: &[f64]| v.iter().copied().step_by(every).collect::<Vec<f64>>();
        for (panel, values) in panels.iter_mut().zip(values) {
            let name = format!("feature decay {lambda_h}");
            panel
                .marks
                .push(line(name, thin(&course.times), thin(&values)));
        }
    }
    let figure = Figure::new(
        "flow",
        "Along the flow, scatter within classes falls and scatter between them rises",
        "Features from normal draws follow their gradient with the best classifier at every instant. NC1~ is the scatter within \
         classes over that between them; the other two are weighed by exp(2 lambda_h t).",
    )
    .columns(3);
    panels.into_iter().fold(figure, Figure::with)
}

/// NC1~ of the minimum for each spring.
pub(super) fn springs(config: &Config, springs: &Springs) -> Figure {
    let reference = |series: &str, y: f64| Mark::HLine {
        series: series.into(),
        y,
    };
    let panel = Panel::new(
        "",
        Axis::new("strength of the spring", "1").log(),
        Axis::new("NC1~ of the minimum", "1"),
    )
    .with(line(
        "minimum",
        config.springs.clone(),
        springs.found.clone(),
    ))
    .with(reference("features given", springs.given))
    .with(reference("without a spring", springs.free));
    Figure::new(
        "springs",
        "The weaker the spring, the less scattered the minimum",
        "NC1~ of the features that minimize the objective, for springs of several strengths to the same normal draws. Without a \
         spring, in the plain model of free features, classes collapse to points.",
    )
    .with(panel)
}

/// Measures by depth, of layers trained one after the other and of layers that were not trained.
pub(super) fn layers(stack: &Stack, name: &str) -> Figure {
    let figure = Figure::new(
        "layers",
        "Trained layer by layer, features collapse with depth",
        &format!(
            "Each layer is trained on {name} with a head of its own, those before it staying as they are. NC1~ is the scatter \
             within classes over that between them, NC1 the same in units of the scatter between classes, NC2 the distance of the \
             class means from a simplex. Layers that were not trained stand beside."
        ),
    )
    .columns(3);
    let measures: [Measure; 3] = [
        ("NC1~", |d| d.quotient),
        ("NC1", |d| d.ratio),
        ("NC2", |d| d.simplex),
    ];
    measures.into_iter().fold(figure, |figure, (label, of)| {
        let curve = |series: &str, depths: &[Depth]| {
            let x = (1..=depths.len()).map(|i| i as f64).collect();
            line(series, x, depths.iter().map(of).collect())
        };
        let y = Axis::new(label, "1");
        let y = if label == "NC2" { y } else { y.log() };
        figure.with(
            Panel::new("", Axis::new("depth", "layers"), y)
                .with(curve("trained", &stack.trained))
                .with(curve("not trained", &stack.untrained)),
        )
    })
}

/// NC1 and NC2 of networks whose weight decay was changed: means over networks.
pub(super) fn decays(courses: &[networks::Course], name: &str) -> Figure {
    let n = Change::ALL.len();
    let figure = Figure::new(
        "decays",
        "Collapse with weight decay of features or of the head changed",
        &format!(
            "Small networks trained on {name} by the squared error, with a head without bias. The weight decay of the layers \
             below the head (features), or of the head, is doubled or set to zero. NC1 and NC2 of the last hidden layer, means \
             over {} networks.",
            courses.len() / n
        ),
    )
    .columns(2);
    let measures: [Measure; 2] = [("NC1", |d| d.ratio), ("NC2", |d| d.simplex)];
    measures.into_iter().fold(figure, |figure, (label, of)| {
        let y = Axis::new(label, "1");
        let y = if label == "NC1" { y.log() } else { y };
        let mut panel = Panel::new("", Axis::new("epoch", "1"), y);
        for (k, change) in Change::ALL.iter().enumerate() {
            let own: Vec<&networks::Course> = courses.iter().skip(k).step_by(n).collect();
            let x: Vec<f64> = own[0].epochs.iter().map(|e| *e as f64).collect();
            let mean = |i: usize| {
                let sum: f64 = own.iter().map(|c| of(&c.measures[i])).sum();
                sum / own.len() as f64
            };
            let y = (0..x.len()).map(mean).collect();
            panel = panel.with(line(change.name(), x, y));
        }
        figure.with(panel)
    })
}

/// Measures of own data, set by set.
pub(super) fn measured(names: &[String], series: &[(&str, Vec<f64>)]) -> Figure {
    let mut panel = Panel::new(
        "",
        Axis::categories("features", names.to_vec()),
        Axis::new("distance from collapse", "1").log(),
    );
    for (name, values) in series {
        let x: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
        let mark = if values.len() > 1 {
            line(*name, x, values.clone())
        } else {
            Mark::Points {
                series: (*name).into(),
                x,
                y: values.clone(),
                labels: vec![],
            }
        };
        panel = panel.with(mark);
    }
    Figure::new(
        "measures",
        "How far the features have collapsed",
        "Of each set of features, in the order of the files and of the regions in them: NC1, the scatter within classes in units \
         of that between them; NC1~, the quotient of both; NC2, the distance of the class means from a simplex; NC3, that of \
         classifier and means from dual simplices. All are 0 where features have collapsed wholly.",
    )
    .with(panel)
}
