//! The experiment.

use chiasm_core::Failure;
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};

use super::arms::{self, Outcome};
use super::config::Config;
use super::exact::{self, Diagram};
use super::{figures, photos};

/// What was measured.
pub(super) struct Results {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) diagram: Diagram,
}

impl Results {
    /// All draws of a group at a step.
    pub(super) fn of(&self, group: &str, k: f64) -> Vec<&Outcome> {
        let all = self.outcomes.iter();
        all.filter(|o| o.plan.group == group && o.plan.k == k)
            .collect()
    }
}

pub(super) fn mean(of: &[&Outcome], value: impl Fn(&Outcome) -> f64) -> f64 {
    of.iter().map(|o| value(o)).sum::<f64>() / of.len() as f64
}

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    exact::map(config.data.q, bench)?;
    exact::one_sample(bench)?;
    let diagram = bench.stage("diagram", |_| exact::diagram())?;
    let plans = arms::plans(config);
    let passes = plans.iter().map(|p| p.passes as u64).sum();
    bench.watch().stage("descending", passes);
    let outcomes = bench.arms(plans.len(), |i, bench| {
        let plan = &plans[i];
        let name = format!("{}-{:.4}-{}", plan.group, plan.k, plan.draw);
        bench.stage(&name, |bench| arms::run(plan, config, bench))
    })?;
    let results = Results { outcomes, diagram };
    steps(&results, config, bench)?;
    ablations(&results, config, bench)?;
    for outcome in &results.outcomes {
        if let Some(why) = &outcome.stopped {
            let plan = &outcome.plan;
            bench.note(format!(
                "{}, k = {:.3}, draw {}: stopped: {why}",
                plan.group, plan.k, plan.draw
            ));
        }
    }
    for figure in figures::all(&results, config) {
        bench.figure(figure)?;
    }
    bench.table(table(&results, config))?;
    photos::run(&config.photos, bench)?;
    Ok(findings(&results, config))
}

fn steps(results: &Results, config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let [below, above] = config.around;
    for k in [config.control, below, above, config.k] {
        let of = results.of("steps", k);
        let mut metric =
            |what: &str, value: f64| bench.metric(&format!("{what}/k-{k}"), value, "1");
        metric("weak", mean(&of, |o| o.weak))?;
        metric("strong", mean(&of, |o| o.strong))?;
        metric("loss", mean(&of, |o| o.loss))?;
        metric("growth", mean(&of, |o| o.growth))?;
        metric("oscillating", mean(&of, |o| o.oscillating))?;
        metric("shortfall", mean(&of, |o| o.shortfall))?;
    }
    let (small, near) = (
        results.of("steps", config.control),
        results.of("steps", below),
    );
    let large = results.of("steps", config.k);
    let weak = |of: &[&Outcome]| mean(of, |o| o.weak);
    let best = weak(&small).max(weak(&near));
    bench.metric("steps/weak-large", weak(&large), "1")?;
    bench.metric("steps/weak-small", best, "1")?;
    bench.metric("steps/weak-gap", weak(&large) - best, "1")?;
    let all = results.outcomes.iter().filter(|o| o.plan.group == "steps");
    let least = all.map(|o| o.strong).fold(f64::INFINITY, f64::min);
    bench.metric("steps/strong-least", least, "1")?;
    let loss = mean(&small, |o| o.loss).max(mean(&large, |o| o.loss));
    bench.metric("steps/loss", loss, "1")?;
    // An eighth of the samples is weak (paper: 4 of 32).
    let total = |of: &[&Outcome]| mean(of, |o| 0.875 * o.strong + 0.125 * o.weak);
    bench.metric("steps/total-large", total(&large), "1")?;
    bench.metric("steps/total-small", total(&small), "1")?;
    bench.metric("steps/total-gap", total(&large) - total(&small), "1")?;
    bench.metric("steps/growth-large", mean(&large, |o| o.growth), "1")?;
    bench.metric("steps/growth-small", mean(&small, |o| o.growth), "1")
}

fn ablations(results: &Results, config: &Config, bench: &mut Bench) -> Result<(), Failure> {
    let weak = |group: &str, k: f64| mean(&results.of(group, k), |o| o.weak);
    let apart = |k: f64| (weak("no-feature", k) - 0.5).abs();
    let most = apart(config.control).max(apart(config.k));
    bench.metric("no-feature/apart", most, "1")?;
    bench.metric(
        "no-weak-sample/small",
        weak("no-weak-sample", config.control),
        "1",
    )?;
    bench.metric("no-weak-sample/large", weak("no-weak-sample", 1.4), "1")?;
    for name in arms::ABLATIONS.into_iter().skip(1) {
        let of = results.of(name, config.k);
        bench.metric(&format!("{name}/weak"), mean(&of, |o| o.weak), "1")?;
        bench.metric(&format!("{name}/strong"), mean(&of, |o| o.strong), "1")?;
        let stopped = of.iter().filter(|o| o.stopped.is_some()).count();
        bench.metric(&format!("{name}/stopped"), stopped as f64, "runs")?;
    }
    let gained = weak("decay", config.k) - weak("steps", config.control);
    bench.metric("decay/gained", gained, "1")
}

fn table(results: &Results, config: &Config) -> Table {
    let mut rows = Vec::new();
    let mut groups: Vec<(String, f64)> = Vec::new();
    for outcome in &results.outcomes {
        let key = (outcome.plan.group.clone(), outcome.plan.k);
        if outcome.plan.group != "sweep" && !groups.contains(&key) {
            groups.push(key);
        }
    }
    for (group, k) in groups {
        let of = results.of(&group, k);
        let list = |value: &dyn Fn(&Outcome) -> f64| {
            let each = of.iter().map(|o| format!("{:.3}", value(o)));
            each.collect::<Vec<_>>().join(", ")
        };
        rows.push(vec![
            group.clone(),
            format!("{k}"),
            of[0].plan.passes.to_string(),
            of[0].standing.clone(),
            list(&|o| o.weak),
            format!("{:.4}", mean(&of, |o| o.strong)),
            format!("{:.1e}", mean(&of, |o| o.loss)),
            format!("{:.2}", mean(&of, |o| o.oscillating)),
            of.iter()
                .filter(|o| o.stopped.is_some())
                .count()
                .to_string(),
        ]);
    }
    Table {
        id: "runs".into(),
        title: format!(
            "Every way to learn; {} test samples of either kind",
            config.n_test
        ),
        columns: [
            "group",
            "k",
            "passes",
            "where the step lies",
            "accuracy on weak samples, each draw",
            "accuracy on strong samples",
            "loss",
            "oscillating",
            "stopped",
        ]
        .map(Into::into)
        .to_vec(),
        rows,
    }
}

fn findings(results: &Results, config: &Config) -> Findings {
    let [below, above] = config.around;
    let sentence = |k: f64| {
        let of = results.of("steps", k);
        format!(
            "k = {k}: {:.1} % of weak samples and {:.1} % of strong ones",
            100.0 * mean(&of, |o| o.weak),
            100.0 * mean(&of, |o| o.strong)
        )
    };
    let each: Vec<String> = [config.control, below, above, config.k]
        .map(sentence)
        .into();
    let standing = results.of("steps", config.k);
    let standing = standing.first().map_or("", |o| o.standing.as_str());
    Findings::new(format!(
        "Told right, mean of {} draws: {}.",
        config.draws,
        each.join("; ")
    ))
    .and(format!("Where the large step lies: {standing}."))
}
