//! What a run leaves: metrics, the table, the findings, and claims it does not test.

use chiasm_analysis::geometry::FeasibleArc;
use chiasm_analysis::kernel::cka;
use chiasm_core::{Failure, stats};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};
use chiasm_net::network::Nonlinearity::{self, Linear, Relu, Tanh};

use super::claims::{self, REFERENCE};
use super::config::{Cell, Config};
use super::jobs::{Code, Outcome, Task, unit_name};
use super::run::{Kind, Results, capped, cell, deep_task, lifted, xor};
use super::weights::Course;

pub(super) fn excuse(config: &Config, bench: &mut Bench) {
    let labels = |n: usize| config.cells.iter().any(|c| c.labels == n);
    let full = |n: usize| {
        let mut cells = config.cells.iter();
        cells.any(|c| c.labels == n && c.rank.is_none())
    };
    let reference = config.clusters == 32
        && config.width == 128
        && config.epochs >= 200
        && config.samples >= 5000
        && config.noises[0] == 1.0;
    for claim in claims::all() {
        if REFERENCE.contains(&claim.id) && !reference {
            let why = "the card's bar is for 32 clusters, 128 units, 5,000 samples, 200 epochs and noise 1";
            bench.not_at_this_scale(claim.id, why);
        }
    }
    for (id, n) in [
        ("tanh-targets-one-label", 1),
        ("tanh-targets-five-labels", 5),
    ] {
        if !full(n) {
            bench.not_at_this_scale(
                id,
                format!("no cell of full rank and k = {n} was asked for"),
            );
        }
    }
    if !config.cells.iter().any(|c| c.rank.is_none()) {
        bench.not_at_this_scale("relu-inputs", "no cell of full rank was asked for");
    }
    if !labels(1) {
        for id in [
            "tanh-parallel",
            "tanh-generalizes",
            "relu-keeps-the-rest",
            "relu-fills-more-dimensions",
        ] {
            bench.not_at_this_scale(id, "no cell with one label was asked for");
        }
    }
    if config.depth == 0 {
        bench.not_at_this_scale("every-layer", "deep networks were left out");
    }
}

/// What holds by construction or by theorem.
pub(super) fn exactness(
    results: &Results,
    config: &Config,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let mut deviation: f64 = 0.0;
    for &c in &config.cells {
        let task = cell(config, c).draw(config, bench.streams())?;
        let found = cka(task.input_kernel.view(), task.target_kernel().view())?;
        let asked = config.task(c, 0.0).alignment();
        deviation = deviation.max((found - asked).abs());
    }
    bench.metric("task/deviation", deviation, "1")?;
    let mut excess = f64::NEG_INFINITY;
    for (_, outcome) in &results.jobs {
        let arc = FeasibleArc {
            between: outcome.between,
        };
        for code in &outcome.codes {
            excess = excess.max(code.target - arc.most(code.input));
        }
    }
    bench.metric("arc/excess", excess, "1")
}

/// A measure of a code, by its name in metrics.
pub(super) type Measure = (&'static str, fn(&Code) -> f64);

pub(super) const MEASURES: [Measure; 10] = [
    ("target", |c| c.target),
    ("input", |c| c.input),
    ("parallelism", |c| c.parallelism),
    ("ccgp", |c| c.ccgp),
    ("untrained", |c| c.untrained),
    ("dimension", |c| c.dimension),
    ("effective-rank", |c| c.effective_rank),
    ("sparsity", |c| c.sparsity),
    ("specialists", |c| c.specialists),
    ("selectivity", |c| c.selectivity),
];

pub(super) fn kinds(task: Task) -> [(String, Kind); 5] {
    let of = |unit| Kind::of(task, unit);
    let untrained = |unit| Kind {
        trained: false,
        ..of(unit)
    };
    [
        ("relu".into(), of(Relu)),
        ("tanh".into(), of(Tanh)),
        ("linear".into(), of(Linear)),
        ("untrained-relu".into(), untrained(Relu)),
        ("untrained-tanh".into(), untrained(Tanh)),
    ]
}

fn least(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}

fn range(values: &[f64]) -> f64 {
    let (low, high) = (
        least(values.iter().copied()),
        -least(values.iter().map(|v| -v)),
    );
    high - low
}

pub(super) fn cells(results: &Results, config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let mut spread: f64 = 0.0;
    let mut accuracy = f64::INFINITY;
    for &c in &config.cells {
        let task = cell(config, c);
        for (name, kind) in kinds(task) {
            for (measure, of) in MEASURES {
                let metric = format!("{measure}/{}/{name}", task.name());
                bench.metric(&metric, results.mean(kind, of), "1")?;
            }
            let accuracies: Vec<f64> = results.nets(kind).map(|o| o.test_accuracy).collect();
            let metric = format!("accuracy/{}/{name}", task.name());
            bench.metric(&metric, stats::mean(&accuracies), "1")?;
            if matches!(kind.unit, Relu | Tanh) && kind.trained {
                accuracy = accuracy.min(stats::mean(&accuracies));
                for of in [|c: &Code| c.target, |c: &Code| c.input] {
                    spread = spread.max(range(&results.values(kind, of)));
                }
            }
        }
    }
    bench.metric("accuracy/least", accuracy, "1")?;
    bench.metric("spread/largest", spread, "1")?;
    // Tanh less ReLU in each cell.
    let gap = |c: &Cell, of: fn(&Code) -> f64| {
        let task = cell(config, *c);
        results.mean(Kind::of(task, Tanh), of) - results.mean(Kind::of(task, Relu), of)
    };
    let with = |n: usize| config.cells.iter().filter(move |c| c.labels == n);
    for (name, n) in [("one-label", 1), ("five-labels", 5)] {
        if with(n).next().is_some() {
            let full = with(n).filter(|c| c.rank.is_none());
            let found = least(full.map(|c| gap(c, |c| c.target)));
            if found.is_finite() {
                bench.metric(&format!("gap/target/{name}"), found, "1")?;
            }
        }
    }
    let full = config.cells.iter().filter(|c| c.rank.is_none());
    let found = least(full.map(|c| -gap(c, |c| c.input)));
    if found.is_finite() {
        bench.metric("gap/input", found, "1")?;
    }
    if with(1).next().is_some() {
        let mean =
            |of: fn(&Code) -> f64| stats::mean(&with(1).map(|c| gap(c, of)).collect::<Vec<_>>());
        bench.metric("gap/parallelism", mean(|c| c.parallelism), "1")?;
        bench.metric("gap/ccgp", mean(|c| c.ccgp), "1")?;
        bench.metric("gap/untrained", -mean(|c| c.untrained), "1")?;
        let ratios = with(1).map(|c| {
            let task = cell(config, *c);
            let of = |unit| results.mean(Kind::of(task, unit), |c| c.dimension);
            of(Relu) / of(Tanh)
        });
        bench.metric("ratio/dimension", least(ratios), "1")?;
    }
    Ok(())
}

/// Target alignment over ceilings.
pub(super) fn over(results: &Results, config: &Config, units: &[Nonlinearity]) -> Vec<f64> {
    let task = cell(config, config.ablation);
    let of = |unit: &Nonlinearity| results.mean(Kind::of(task, *unit), |c| c.target);
    units.iter().map(of).collect()
}

/// Tanh less ReLU in target alignment, over nudges.
pub(super) fn xor_gaps(results: &Results, config: &Config, noise: f64) -> Vec<f64> {
    let gap = |task: Task| {
        let of = |unit| results.mean(Kind::of(task, unit), |c| c.target);
        of(Tanh) - of(Relu)
    };
    xor(config, noise).into_iter().map(gap).collect()
}

pub(super) fn ablations(
    results: &Results,
    config: &Config,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let found = over(results, config, &capped(config));
    for (unit, v) in capped(config).into_iter().zip(&found) {
        bench.metric(&format!("caps/target/{}", unit_name(unit)), *v, "1")?;
    }
    let order: Vec<f64> = (0..found.len()).map(|i| i as f64).collect();
    bench.metric("caps/spearman", stats::spearman(&order, &found), "1")?;
    let found = over(results, config, &lifted(config));
    for (unit, v) in lifted(config).into_iter().zip(&found) {
        bench.metric(&format!("lifts/target/{}", unit_name(unit)), *v, "1")?;
    }
    bench.metric("lifts/lost", found[0] - found[found.len() - 1], "1")?;

    let gaps = xor_gaps(results, config, config.xor.noises[0]);
    let by = |sign: f64| {
        let mut at = 0;
        for (i, e) in config.xor.epsilons.iter().enumerate() {
            if sign * e > sign * config.xor.epsilons[at] {
                at = i;
            }
        }
        gaps[at]
    };
    bench.metric("xor/gap-gained", by(1.0) - by(-1.0), "1")?;
    if config.depth > 0 {
        let layers = |unit| {
            let kind = Kind {
                depth: config.depth,
                ..Kind::of(deep_task(config), unit)
            };
            let nets: Vec<&Outcome> = results.nets(kind).collect();
            let mean =
                |l: usize| stats::mean(&nets.iter().map(|o| o.codes[l].target).collect::<Vec<_>>());
            (0..config.depth).map(mean).collect::<Vec<_>>()
        };
        let gaps = layers(Tanh)
            .into_iter()
            .zip(layers(Relu))
            .map(|(t, r)| t - r);
        bench.metric("deep/least-gap", least(gaps), "1")?;
    }
    Ok(())
}

pub(super) fn specialization(results: &Results, bench: &mut Bench) -> Result<(), Failure> {
    let ends = |course: &Course| {
        let s = &course.specialists;
        (s[0], s[s.len() - 1])
    };
    for course in &results.courses {
        for (epoch, share) in course.epochs.iter().zip(&course.specialists) {
            bench.log(&format!("specialists/{}", course.unit), *epoch, *share);
        }
        bench.metric(&format!("specialists/{}", course.unit), ends(course).1, "1")?;
        bench.metric(
            &format!("weights/accuracy/{}", course.unit),
            course.accuracy,
            "1",
        )?;
    }
    let [relu, tanh] = &results.courses[..] else {
        return Ok(());
    };
    let (before, after) = ends(relu);
    bench.metric("specialists/relu-gained", after - before, "1")?;
    let share = ends(tanh).1 / after.max(f64::MIN_POSITIVE);
    bench.metric("specialists/tanh-over-relu", share, "1")
}

pub(super) fn table(results: &Results, config: &Config) -> Table {
    let mut rows = vec![];
    for &c in &config.cells {
        let task = cell(config, c);
        for (name, kind) in kinds(task) {
            let mut row = vec![
                c.labels.to_string(),
                c.separability.to_string(),
                config.task(c, 0.0).free_rank().to_string(),
                name,
            ];
            for (_, of) in MEASURES {
                let values = results.values(kind, of);
                row.push(format!(
                    "{:.3} ± {:.3}",
                    stats::mean(&values),
                    range(&values) / 2.0
                ));
            }
            let accuracies: Vec<f64> = results.nets(kind).map(|o| o.test_accuracy).collect();
            row.push(format!("{:.3}", stats::mean(&accuracies)));
            rows.push(row);
        }
    }
    let names = MEASURES.map(|(name, _)| name);
    let first = ["labels k", "separability s", "rank r", "network"];
    Table {
        id: "cells".into(),
        title: "Codes of all tasks: mean over networks, and half their range".into(),
        columns: first
            .into_iter()
            .chain(names)
            .chain(["accuracy on new samples"])
            .map(String::from)
            .collect(),
        rows,
    }
}

pub(super) fn findings(results: &Results, config: &Config) -> Findings {
    let sentence = |c: &Cell| {
        let task = cell(config, *c);
        let of = |unit| {
            let kind = Kind::of(task, unit);
            (
                results.mean(kind, |c| c.target),
                results.mean(kind, |c| c.input),
            )
        };
        let ((rt, ri), (tt, ti)) = (of(Relu), of(Tanh));
        format!(
            "k = {}, s = {}: ReLU {rt:.3} / {ri:.3}, Tanh {tt:.3} / {ti:.3}",
            c.labels, c.separability
        )
    };
    let all: Vec<String> = config.cells.iter().map(sentence).collect();
    let caps: Vec<String> = over(results, config, &capped(config))
        .iter()
        .map(|v| format!("{v:.3}"))
        .collect();
    Findings::new(format!(
        "Alignment of the hidden code with labels / with inputs, mean of {} networks, {} passes over {} samples: {}.",
        config.nets,
        config.epochs,
        config.samples,
        all.join("; ")
    ))
    .and(format!(
        "With ever lower ceilings on ReLU the code agrees with the labels by {}.",
        caps.join(", ")
    ))
}
