//! The experiment, on a generated route or on own images.

use chiasm_circuit::place::{self, Ensemble};
use chiasm_core::{Failure, stats};
use chiasm_data::generate::route;
use chiasm_data::{DataError, Photos, Place};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings, Input};
use ndarray::s;

use super::answers::{self, Answers, NEAREST, ONE, PLAIN, RECALL_AT, SAD, SILENCED};
use super::config::{Config, Experiment, FitConfig};
use super::learn::{self, Seen};
use super::{claims, figures};

pub(super) fn study(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let (traverses, _) = route(&config.route.0, &bench.streams().child("route"))?;
    let seen = Seen::new(traverses)?;
    let (ensemble, answers) = experiment(&config.experiment, &seen, bench)?;

    let differing = turned(&ensemble, &seen, bench)?;
    bench.metric("order/differing", differing as f64, "1")?;
    let (neurons, synapses) = place::Config::default().size(28 * 28);
    bench.metric("paper-module/neurons", neurons as f64, "1")?;
    bench.metric("paper-module/synapses", synapses as f64, "1")?;
    bench.not_at_this_scale(
        claims::REAL_ROUTES,
        "the images of Nordland and Oxford RobotCar are not to be had without asking; generated routes stand in, and SAD \
         is compared on these",
    );
    if !config.experiment.one_module {
        bench.not_at_this_scale(
            claims::SPLITTING,
            "the single module is left out (one_module)",
        );
    }
    bench.note("The routes are generated: windows of one panorama in changing light; nothing was photographed.");
    Ok(summary(&config.experiment, &answers))
}

pub(super) fn fit(
    config: &FitConfig,
    input: &Input,
    bench: &mut Bench,
) -> Result<Findings, Failure> {
    let mut traverses = vec![];
    for path in &input.paths {
        traverses.push(Photos::read(path, config.rows, config.columns)?.images);
    }
    if traverses.len() < 2 {
        let place = Place::dataset("input");
        let expected = "two traverses at least, the query last";
        let found = format!("{} files", traverses.len());
        return Err(DataError::invalid(place, expected, found).into());
    }
    let seen = Seen::new(traverses)?;
    let (ensemble, answers) = experiment(&config.experiment, &seen, bench)?;
    if let Some(n) = ensemble.short_block() {
        bench.note(format!(
            "The last module has {n} places: the route is no whole number of modules."
        ));
    }
    Ok(summary(&config.experiment, &answers))
}

fn experiment(
    config: &Experiment,
    seen: &Seen,
    bench: &mut Bench,
) -> Result<(Ensemble, Answers), Failure> {
    let (ensemble, one) = learn::ensemble(config, seen, bench)?;
    let answers = bench.stage("answers", |bench| {
        answers::ask(config, seen, &ensemble, one.as_ref(), bench)
    })?;
    record(config, &ensemble, &answers, bench)?;
    bench.figure(figures::responses(&answers))?;
    bench.figure(figures::precision_recall(&answers))?;
    bench.figure(figures::recall(&answers))?;
    bench.figure(figures::thresholds(&answers))?;
    bench.figure(figures::activity(&answers))?;
    let (_, rows, columns) = seen.raw[0].dim();
    bench.figure(figures::fields(&ensemble, (rows, columns)))?;
    Ok((ensemble, answers))
}

/// Queries whose responses differ where the modules stand in another order.
fn turned(ensemble: &Ensemble, seen: &Seen, bench: &Bench) -> Result<usize, Failure> {
    let (_, rows, columns) = seen.raw[0].dim();
    let mut modules = ensemble.modules().to_vec();
    modules.rotate_left(1);
    modules.swap(0, 1);
    let turned = Ensemble::of(modules, (rows, columns))?;
    let n = seen.n_places().min(5);
    let queries = seen.normalized[seen.normalized.len() - 1].slice(s![..n, .., ..]);
    let streams = bench.streams().child("order");
    let counts = [ensemble, &turned].map(|e| {
        let counts = e.listen_all(queries.view(), &streams, bench.watch())?;
        let responses = counts.iter().map(|c| e.responses(c, None));
        Ok::<Vec<Vec<f64>>, Failure>(responses.collect())
    });
    let [ours, theirs] = counts;
    Ok(ours?.iter().zip(&theirs?).filter(|(a, b)| a != b).count())
}

fn record(
    config: &Experiment,
    ensemble: &Ensemble,
    answers: &Answers,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let modules = ensemble.modules();
    let over = |value: &dyn Fn(&place::Module) -> f64| {
        stats::mean(&modules.iter().map(value).collect::<Vec<f64>>())
    };
    bench.metric("modules/recall", over(&|m| m.assignment().recall), "1")?;
    bench.metric("modules/theta", over(&|m| stats::mean(m.theta_mv())), "mV")?;
    bench.metric("modules/active", over(&|m| m.assignment().active), "1")?;
    bench.metric("modules/spikes", over(&|m| m.assignment().spikes), "1")?;
    bench.metric("own/recall", stats::mean(&answers.own), "1")?;
    bench.metric("own/sad", stats::mean(&answers.own_sad), "1")?;
    bench.metric("most-spikes", f64::from(answers.most_spikes), "1")?;
    for score in &answers.scores {
        let slug = score.name.replace(' ', "-").to_lowercase();
        for (n, recall) in RECALL_AT.iter().zip(&score.recall) {
            bench.metric(&format!("{slug}/recall-at-{n}"), *recall, "1")?;
        }
    }
    bench.metric("silencing/threshold", f64::from(answers.chosen), "1")?;
    bench.metric("silencing/gain", gain(answers, SILENCED, PLAIN), "1")?;
    let plain = recall_of(answers, PLAIN);
    if let Some(at) = answers.thresholds.iter().find(|t| t.threshold == 5) {
        bench.metric("silencing/gain-at-5", at.test - plain, "1")?;
    } else {
        // Too few images for a neuron below the threshold, or another list of thresholds.
        bench.not_at_this_scale(
            "silencing-too-many-hurts",
            "a threshold of 5 leaves nobody, or is not among those tried",
        );
    }
    bench.metric("silencing/differing", answers.differing as f64, "1")?;
    let refused = f64::from(u8::from(answers.one_is_refused));
    bench.metric("silencing/one-is-refused", refused, "1")?;
    bench.metric("beside-sad", gain(answers, SILENCED, SAD), "1")?;
    if config.one_module {
        bench.metric("splitting/gain", gain(answers, SILENCED, ONE), "1")?;
    }
    let columns =
        std::iter::once("recall at".to_owned()).chain(RECALL_AT.iter().map(ToString::to_string));
    let rows = answers.scores.iter().map(|score| {
        let numbers = score.recall.iter().map(|r| format!("{r:.3}"));
        std::iter::once(score.name.clone()).chain(numbers).collect()
    });
    bench.table(Table {
        id: "recall".into(),
        title: "Fraction of test queries whose place is among the N that respond most".into(),
        columns: columns.collect(),
        rows: rows.collect(),
    })
}

fn recall_of(answers: &Answers, name: &str) -> f64 {
    let score = answers.scores.iter().find(|s| s.name == name);
    score.map_or(0.0, |s| s.recall[0])
}

fn gain(answers: &Answers, of: &str, over: &str) -> f64 {
    recall_of(answers, of) - recall_of(answers, over)
}

fn summary(config: &Experiment, answers: &Answers) -> Findings {
    let recall = |name: &str| format!("{:.2}", recall_of(answers, name));
    let mut findings = Findings::new(format!(
        "Among its own {} places a module recognizes {:.2} of the queries (SAD: {:.2}).",
        config.module.places_per_module,
        stats::mean(&answers.own),
        stats::mean(&answers.own_sad)
    ))
    .and(format!(
        "All modules side by side recognize {} of the queries; with neurons silenced that respond to at least {} of {} \
         reference images (0: nobody), {}. The threshold was chosen on {} other places.",
        recall(PLAIN),
        answers.chosen,
        answers.n_references,
        recall(SILENCED),
        config.calibration_places
    ))
    .and(format!(
        "Comparing patch-normalized pixels (SAD) recognizes {}, comparing pixels as they are {}.",
        recall(SAD),
        recall(NEAREST)
    ));
    if config.one_module {
        findings = findings.and(format!(
            "A single module that learned all test places recognizes {}.",
            recall(ONE)
        ));
    }
    findings
}
