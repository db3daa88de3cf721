//! The experiment: permuted digits, learned in every way.

use std::collections::BTreeMap;

use chiasm_core::Failure;
use chiasm_core::stats::greater;
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};
use chiasm_net::continual::{Part, Task, permutation};
use ndarray::{Array2, s};

use super::arms::{self, Outcome};
use super::checks::{self, Course};
use super::claims::{self, FULL_SCALE, MNIST_ALONE};
use super::config::{Arm, Config, PIXELS};
use super::figures;
use crate::images;

/// Images as rows of standardized pixels.
struct Rows {
    pixels: Array2<f32>,
    labels: Vec<usize>,
}

/// The first `n`, or all where there are fewer, standardized by MNIST's mean and deviation (code).
fn first(part: &images::Part, n: usize) -> Rows {
    let n = n.min(part.labels.len());
    Rows {
        pixels: part
            .pixels
            .slice(s![..n, ..])
            .mapv(|v| (f32::from(v) / 255.0 - 0.1307) / 0.3081),
        labels: part.labels[..n].iter().map(|l| usize::from(*l)).collect(),
    }
}

/// What was measured, by arm.
pub(super) struct Results {
    pub(super) outcomes: BTreeMap<Arm, Outcome>,
    pub(super) course: Course,
}

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let found = images::load(config.images, (config.n_train, config.n_test), bench)?;
    let (train, test) = (
        first(&found.train, config.n_train),
        first(&found.test, config.n_test),
    );
    let tasks: Vec<Task<'_, f32>> = (0..config.tasks)
        .map(|k| Task {
            name: format!("order {k}"),
            train: Part {
                inputs: train.pixels.view(),
                labels: &train.labels,
            },
            test: Part {
                inputs: test.pixels.view(),
                labels: &test.labels,
            },
            columns: Some(permutation(
                PIXELS,
                &mut bench.streams().indexed("pixels", k),
            )),
        })
        .collect();
    let classes = found.classes.len();
    let course = bench.stage("principal-subspace", |bench| checks::course(bench))?;
    let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
    bench.metric("oja/apart", last(&course.apart), "1")?;
    bench.metric("oja/from-orthonormal", last(&course.from_orthonormal), "1")?;
    let alone = last(&course.alone_from_orthonormal);
    bench.metric("oja/hebb-alone-from-orthonormal", alone, "1")?;
    let moved = checks::moved::<f64>(bench)?;
    bench.metric("protection/f64", moved, "1")?;
    let moved = checks::moved::<f32>(bench)?;
    bench.metric("protection/f32", moved, "1")?;

    let n = train.labels.len();
    let batches = config
        .arms
        .iter()
        .map(|a| arms::n_batches(*a, config, n, classes));
    bench.watch().stage("learning", batches.sum());
    let outcomes = bench.arms(config.arms.len(), |i, bench| {
        let arm = config.arms[i];
        bench.stage(arm.name(), |bench| {
            arms::run(arm, config, (&tasks, classes), bench)
        })
    })?;
    let results = Results {
        outcomes: outcomes.into_iter().map(|o| (o.arm, o)).collect(),
        course,
    };
    excuse(config, (n, found.is_mnist(), found.name), bench);
    report(&results, bench)?;
    for figure in figures::all(&results, found.name) {
        bench.figure(figure)?;
    }
    bench.table(table(&results))?;
    Ok(findings(&results, config, found.name))
}

/// Claims that this run does not test.
fn excuse(config: &Config, (n_train, is_mnist, name): (usize, bool, &str), bench: &mut Bench) {
    for claim in claims::all() {
        let absent = |arm: &&Arm| !config.arms.contains(arm);
        if let Some(arm) = claims::needs(claim.id).iter().find(absent) {
            bench.not_at_this_scale(claim.id, format!("arm `{}` was not asked for", arm.name()));
        } else if MNIST_ALONE.contains(&claim.id) && !is_mnist {
            let why = format!("the figure is permuted MNIST's; these are {name}");
            bench.not_at_this_scale(claim.id, why);
        } else if FULL_SCALE.contains(&claim.id)
            && !(is_mnist
                && config.tasks >= 10
                && n_train >= 60_000
                && config.layers.hidden == [800, 800])
        {
            let why =
                "asks for 10 tasks of MNIST's 60,000 images and 800 hidden units: `--preset paper`";
            bench.not_at_this_scale(claim.id, why);
        }
    }
}

fn report(results: &Results, bench: &mut Bench) -> Result<(), Failure> {
    let of = |arm: Arm| results.outcomes.get(&arm);
    for (arm, outcome) in &results.outcomes {
        let found = &outcome.accuracies;
        let name = arm.name();
        bench.metric(&format!("{name}/acc"), found.mean(), "1")?;
        if *arm == Arm::Together {
            continue;
        }
        bench.metric(&format!("{name}/bwt"), found.backward_transfer(), "1")?;
        bench.metric(&format!("{name}/learned"), found.learned(), "1")?;
        bench.metric(&format!("{name}/first"), found.get(0, 0), "1")?;
        if let Some(far) = outcome.trainings.last().map(|t| &t.from_orthonormal)
            && !far.is_empty()
        {
            let most = far.iter().copied().fold(0.0, greater);
            bench.metric(&format!("{name}/from-orthonormal"), most, "1")?;
            if most > 0.5 {
                bench.note(format!(
                    "{name}: |HH' - I| of a layer came to {most:.2}: its projection is no longer exact (above .5)"
                ));
            }
        }
    }
    if let Some(full) = of(Arm::FullRank) {
        bench.metric("full-rank/second", full.accuracies.get(1, 1), "1")?;
    }
    // What the method keeps against the same training without it.
    for (with, without) in [
        (Arm::Hlop, Arm::Sequential),
        (Arm::BpttHlop, Arm::BpttSequential),
        (Arm::OtttHlop, Arm::OtttSequential),
        (Arm::RandomHlop, Arm::RandomSequential),
        (Arm::SignHlop, Arm::SignSequential),
    ] {
        if let (Some(a), Some(b)) = (of(with), of(without)) {
            let (a, b) = (&a.accuracies, &b.accuracies);
            let name = with.name();
            let kept = a.backward_transfer() - b.backward_transfer();
            bench.metric(&format!("{name}/kept"), kept, "1")?;
            bench.metric(&format!("{name}/acc-gained"), a.mean() - b.mean(), "1")?;
            let apart = (a.get(0, 0) - b.get(0, 0)).abs();
            bench.metric(&format!("{name}/first-apart"), apart, "1")?;
        }
    }
    if let (Some(a), Some(b)) = (of(Arm::Hlop), of(Arm::FrozenRows)) {
        let kept = a.accuracies.backward_transfer() - b.accuracies.backward_transfer();
        bench.metric("hlop/kept-by-learning", kept, "1")?;
    }
    if let (Some(a), Some(b)) = (of(Arm::Hlop), of(Arm::SpikingLateral)) {
        let lost = a.accuracies.mean() - b.accuracies.mean();
        bench.metric("spiking-lateral/acc-lost", lost, "1")?;
    }
    Ok(())
}

fn table(results: &Results) -> Table {
    let percent = |x: f64| format!("{:.1}", 100.0 * x);
    let rows = results.outcomes.values().map(|o| {
        let found = &o.accuracies;
        let ordered = o.arm != Arm::Together;
        let in_order = |x: f64| if ordered { percent(x) } else { String::new() };
        let rows: Vec<String> = o.rows.iter().map(ToString::to_string).collect();
        let far = o.trainings.last().map(|t| &t.from_orthonormal[..]);
        let far: Vec<String> = far
            .unwrap_or(&[])
            .iter()
            .map(|v| format!("{v:.2}"))
            .collect();
        vec![
            o.arm.name().to_owned(),
            found.n_tasks().to_string(),
            percent(found.mean()),
            in_order(found.backward_transfer()),
            in_order(found.learned()),
            in_order(found.get(0, 0)),
            rows.join(", "),
            if o.lateral_numbers > 0 {
                o.lateral_numbers.to_string()
            } else {
                String::new()
            },
            far.join(", "),
        ]
    });
    Table {
        id: "arms".into(),
        title: "Every way to learn the tasks".into(),
        columns: [
            "arm",
            "tasks",
            "ACC (%)",
            "BWT (points)",
            "each when learned (%)",
            "first when learned (%)",
            "rows by layer",
            "numbers held by lateral circuits",
            "|HH' - I| by layer",
        ]
        .map(Into::into)
        .to_vec(),
        rows: rows.collect(),
    }
}

fn findings(results: &Results, config: &Config, name: &str) -> Findings {
    let sentence = |arm: Arm, what: &str| {
        results.outcomes.get(&arm).map(|o| {
            let found = &o.accuracies;
            format!(
                "{what}: ACC {:.1} %, BWT {:+.1} points",
                100.0 * found.mean(),
                100.0 * found.backward_transfer()
            )
        })
    };
    let main: Vec<String> = [
        sentence(Arm::Sequential, "Sequential training"),
        sentence(Arm::Replay, "with replay"),
        sentence(Arm::Hlop, "with lateral circuits"),
        sentence(Arm::HlopReplay, "with both"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut findings = Findings::new(format!(
        "{} tasks of {} images of {name}, each with another order of the pixels, {} pass each. {}.",
        config.tasks,
        config.n_train,
        config.train.epochs,
        main.join("; ")
    ));
    if let Some(together) = results.outcomes.get(&Arm::Together) {
        let acc = 100.0 * together.accuracies.mean();
        findings = findings.and(format!("All tasks at once, in mixed batches: {acc:.1} %."));
    }
    let others: Vec<String> = [
        sentence(Arm::FrozenRows, "Rows that stay at random"),
        sentence(Arm::BornAnywhere, "rows born in any direction"),
        sentence(Arm::SpikingLateral, "lateral neurons that send spikes"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !others.is_empty() {
        findings = findings.and(format!("{}.", others.join("; ")));
    }
    findings
}
