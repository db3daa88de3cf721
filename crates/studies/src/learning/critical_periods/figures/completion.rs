//! Matrices, and the flow of their singular values.

use chiasm_lab::Figure;
use chiasm_lab::figure::{Axis, Mark, Panel};

use super::super::config::Config;
use super::super::run::Results;
use super::{joined, line, mean};

pub(super) fn all(results: &Results, config: &Config) -> Vec<Figure> {
    let mut all = vec![switches(results, config), sweeps(results)];
    all.extend(values(results, config));
    all.push(flow(results, config));
    all
}

/// Error over the switch, for each depth.
fn switches(results: &Results, config: &Config) -> Figure {
    let mut panel = Panel::new(
        "",
        Axis::new("steps on the first matrix", "1"),
        Axis::new("error on the second matrix", "1").log(),
    );
    let x: Vec<f64> = config.matrices.switches.iter().map(|t| *t as f64).collect();
    for depth in &config.matrices.depths {
        if let Some((errors, _)) = mean(&results.curves, "depth", *depth as f64) {
            panel = panel.with(line(&format!("depth {depth}"), x.clone(), errors));
        }
    }
    for depth in &config.matrices.depths {
        let of =
            |c: &&super::super::matrices::Curve| c.plan.group == "depth" && c.plan.depth == *depth;
        let each = || results.curves.iter().filter(of);
        panel = panel.with(Mark::Points {
            series: format!("depth {depth}, each draw"),
            x: each().flat_map(|_| x.clone()).collect(),
            y: each().flat_map(|c| c.errors.clone()).collect(),
            labels: vec![],
        });
    }
    let caption = format!(
        "Mean squared error over all entries after {} steps on the second matrix, of rank {}, from {} of its {} entries; the first \
         one is of rank {}. Lines: mean of {} draws.",
        config.matrices.steps,
        config.matrices.rank_second,
        config.matrices.observed,
        config.matrices.side * config.matrices.side,
        config.matrices.rank_first,
        config.matrices.repeats
    );
    Figure::new(
        "switches",
        "A first task does harm where the network is deep",
        &caption,
    )
    .with(panel)
}

/// Every sweep, as errors over the switch.
fn sweeps(results: &Results) -> Figure {
    let mut figure = Figure::new(
        "sweeps",
        "What makes the harm worse",
        "Error on the second matrix by steps on the first, at depth 3, mean of all draws: by the first matrix's rank; by entries \
         seen; by the scale of the start; by the cosine between singular vectors of both matrices, both of the second's rank; and \
         where both are the same and only fewer of its entries are seen at first.",
    )
    .columns(2);
    for (group, title, unit) in [
        ("rank", "rank of the first matrix", "rank"),
        ("observed", "entries seen", "entries"),
        ("init", "scale of the start", "scale"),
        ("similarity", "similarity", "cosine"),
        ("few", "few entries first, then", "entries"),
    ] {
        let mut panel = Panel::new(
            title,
            Axis::new("steps on the first", "1"),
            Axis::new("error on the second", "1").log(),
        );
        let mut of = results.curves.iter().filter(|c| c.plan.group == group);
        let first = of.clone().next().map(|c| c.plan.repeat);
        for curve in of.by_ref().filter(|c| Some(c.plan.repeat) == first) {
            let x = curve.plan.switches.iter().map(|t| *t as f64).collect();
            if let Some((errors, _)) = mean(&results.curves, group, curve.plan.value) {
                let name = format!("{unit} {}", curve.plan.value);
                panel = panel.with(line(&name, x, errors));
            }
        }
        if !panel.marks.is_empty() {
            figure = figure.with(panel);
        }
    }
    figure
}

/// Singular values over both phases, for each depth.
fn values(results: &Results, config: &Config) -> Option<Figure> {
    let switch = config.matrices.switches.last().copied()? as f64;
    let mut figure = Figure::new(
        "singular-values",
        "Singular values over both matrices",
        &format!(
            "The twelve largest singular values of the product over the steps, the switch after {switch} of them. First draw."
        ),
    );
    for curve in &results.curves {
        let Some((before, after)) = &curve.phases else {
            continue;
        };
        // Every third note: they lie close.
        let steps = before.steps.iter().chain(&after.steps).step_by(3);
        let steps: Vec<f64> = steps.map(|s| *s as f64 / 1000.0).collect();
        let all = before.values.iter().chain(&after.values).step_by(3);
        let all: Vec<&Vec<f64>> = all.collect();
        let n = all.first().map_or(0, |v| v.len());
        let curves = (0..n).map(|i| (steps.clone(), all.iter().map(|v| v[i]).collect()));
        let panel = Panel::new(
            &format!("depth {}", curve.plan.depth),
            Axis::new("steps", "thousands"),
            Axis::new("singular value", "1"),
        );
        figure = figure.with(panel.with(joined("", curves)).with(Mark::VLine {
            series: "switch".into(),
            x: switch / 1000.0,
        }));
    }
    (!figure.panels.is_empty()).then_some(figure.shared_x())
}

/// The flow beside descent.
fn flow(results: &Results, config: &Config) -> Figure {
    let flows = &results.flows;
    let n = flows.flow.first().map_or(0, Vec::len);
    let curves = (0..n).map(|i| {
        let y = flows.flow.iter().map(|v| v[i]).collect();
        (flows.steps.clone(), y)
    });
    let at: Vec<usize> = (0..flows.steps.len()).step_by(8).collect();
    let each = || (0..n).flat_map(|i| at.iter().map(move |t| (*t, i)));
    let panel = Panel::new("", Axis::new("step", "1"), Axis::new("singular value", "1"))
        .with(joined("flow", curves))
        .with(Mark::Points {
            series: "descent".into(),
            x: each().map(|(t, _)| flows.steps[t]).collect(),
            y: each().map(|(t, i)| flows.descent[t][i]).collect(),
            labels: vec![],
        })
        .with(Mark::VLine {
            series: "switch".into(),
            x: config.flow.steps as f64,
        });
    Figure::new(
        "flow",
        "Singular values follow their flow",
        &format!(
            "The {n} largest singular values of a product of {} matrices of side {}, by the flow and by descent with the same step \
             of {}, on a matrix of rank {} and then one of rank {}. The flow of vectors is not defined where values meet: near such \
             places steps of any length leave it, and both then go ways of their own.",
            config.flow.depth,
            config.flow.side,
            config.flow.rate,
            config.flow.rank_first,
            config.flow.rank_second
        ),
    )
    .with(panel)
}
