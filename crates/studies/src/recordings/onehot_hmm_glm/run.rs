//! The experiment: recursions against brute force, the arms on several networks with scarce data, free weights with ample
//! data.

use chiasm_analysis::hmm::HiddenChain;
use chiasm_core::{Failure, Streams, stats};
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};
use ndarray::{Array1, Array2};
use rand::RngExt;

use super::arms::{ARMS, Outcome, Score, ample, compare};
use super::claims;
use super::config::Config;
use super::figures;

/// State accuracy from which on states count as found (card 26, works when 5).
const FOUND: f64 = 0.95;

pub(super) fn run(config: &Config, bench: &mut Bench) -> Result<Findings, Failure> {
    let difference = brute_force(bench.streams())?;
    bench.metric("chain/brute_force_difference", difference, "1")?;
    let mut outcomes = Vec::new();
    for k in 0..config.networks {
        bench
            .watch()
            .stage("networks with scarce data", config.networks as u64);
        bench.watch().tick(k as u64);
        let streams = network_streams(bench, k);
        let outcome = bench.stage(&format!("network {k}"), |b| {
            compare(config, &streams, b.watch())
        })?;
        outcomes.push(outcome);
    }
    let streams = network_streams(bench, 0);
    let (ample, ceiling) = bench.stage("ample data", |b| ample(config, &streams, b.watch()))?;
    record(config, &outcomes, &ample, ceiling, bench)?;
    for claim in claims::RECORDINGS {
        bench.not_at_this_scale(
            claim,
            "the recordings are not in this study: the paper's spike trains are not public in whole; fit your own with \
             `chiasm fit onehot-hmm-glm`",
        );
    }
    figures::all(config, &outcomes, bench)?;
    Ok(findings(config, &outcomes, &ample, ceiling))
}

fn network_streams(bench: &Bench, k: usize) -> Streams {
    bench.streams().child(&format!("network {k}"))
}

/// The largest difference between forward-backward and sums over all paths of 3 states in 6 bins: posteriors, expected
/// transitions, log-likelihood, for both recursions.
fn brute_force(streams: &Streams) -> Result<f64, Failure> {
    let (n_bins, n) = (6usize, 3usize);
    let mut rng = streams.stream("brute force");
    let mut row = || {
        let x = Array1::from_shape_fn(n, |_| 0.05 + rng.random::<f64>());
        let sum = x.sum();
        x / sum
    };
    let initial = row();
    let mut transition = Array2::zeros((n, n));
    for mut to in transition.rows_mut() {
        to.assign(&row());
    }
    let mut rng = streams.stream("brute force emissions");
    let emission = Array2::from_shape_fn((n_bins, n), |_| 4.0 * (rng.random::<f64>() - 0.5));
    let chain = HiddenChain::new(initial, transition)?;
    let mut posterior = Array2::<f64>::zeros((n_bins, n));
    let mut transitions = Array2::<f64>::zeros((n, n));
    let mut total = 0.0;
    for k in 0..n.pow(n_bins as u32) {
        let state = |t: usize| k / n.pow(t as u32) % n;
        let mut p = chain.initial()[state(0)] * emission[[0, state(0)]].exp();
        for t in 1..n_bins {
            p *= chain.transition()[[state(t - 1), state(t)]] * emission[[t, state(t)]].exp();
        }
        total += p;
        for t in 0..n_bins {
            posterior[[t, state(t)]] += p;
            if t > 0 {
                transitions[[state(t - 1), state(t)]] += p;
            }
        }
    }
    let mut worst = 0.0f64;
    for smoothed in [
        chain.smooth(emission.view())?,
        chain.smooth_in_logs(emission.view())?,
    ] {
        let pairs = smoothed.posterior.iter().zip(&posterior);
        let pairs = pairs.chain(smoothed.transitions.iter().zip(&transitions));
        for (ours, sum) in pairs {
            worst = worst.max((ours - sum / total).abs());
        }
        worst = worst.max((smoothed.log_likelihood - total.ln()).abs());
    }
    Ok(worst)
}

/// Mean over networks of a score of one arm.
fn mean(outcomes: &[Outcome], arm: &str, of: impl Fn(&Score) -> f64) -> f64 {
    stats::mean(&each(outcomes, arm, of))
}

pub(super) fn each(outcomes: &[Outcome], arm: &str, of: impl Fn(&Score) -> f64) -> Vec<f64> {
    outcomes.iter().filter_map(|o| o.of(arm)).map(of).collect()
}

/// The part of the gap between the Gaussian model and the true parameters that one-hot couplings close.
fn gap_closed(outcomes: &[Outcome]) -> f64 {
    let held_out = |arm| mean(outcomes, arm, |s| s.held_out);
    (held_out("one_hot") - held_out("gaussian")) / (held_out("truth") - held_out("gaussian"))
}

fn record(
    config: &Config,
    outcomes: &[Outcome],
    ample: &Score,
    ceiling: f64,
    bench: &mut Bench,
) -> Result<(), Failure> {
    let per_count = "nat per bin and unit";
    for (arm, _) in ARMS {
        bench.metric(
            &format!("held_out/{arm}"),
            mean(outcomes, arm, |s| s.held_out),
            per_count,
        )?;
        if arm == "one_state" {
            continue;
        }
        bench.metric(
            &format!("accuracy/{arm}"),
            mean(outcomes, arm, |s| s.accuracy),
            "1",
        )?;
        if arm != "truth" {
            bench.metric(
                &format!("weight_correlation/{arm}"),
                mean(outcomes, arm, |s| s.weights),
                "1",
            )?;
            bench.metric(
                &format!("types_right/{arm}"),
                mean(outcomes, arm, |s| s.types),
                "1",
            )?;
            bench.metric(
                &format!("states_visited/{arm}"),
                mean(outcomes, arm, |s| s.visited as f64),
                "1",
            )?;
        }
    }
    let gain =
        |a: &str, b: &str| mean(outcomes, a, |s| s.held_out) - mean(outcomes, b, |s| s.held_out);
    bench.metric(
        "gain/gaussian_over_free",
        gain("gaussian", "free"),
        per_count,
    )?;
    bench.metric(
        "gain/one_hot_over_gaussian",
        gain("one_hot", "gaussian"),
        per_count,
    )?;
    bench.metric(
        "gain/gaussian_over_one_hot_cold",
        gain("gaussian", "one_hot_cold"),
        per_count,
    )?;
    let correlation = |arm| mean(outcomes, arm, |s| s.weights);
    bench.metric(
        "gain/weight_correlation",
        correlation("one_hot") - correlation("gaussian"),
        "1",
    )?;
    bench.metric("gap_closed", gap_closed(outcomes), "1")?;
    let signs: Vec<f64> = outcomes
        .iter()
        .flat_map(|o| &o.scores)
        .filter(|s| {
            ["free", "gaussian", "one_hot"].contains(&s.arm.as_str()) && s.accuracy >= FOUND
        })
        .map(|s| s.signs)
        .collect();
    match signs.iter().copied().reduce(f64::min) {
        Some(least) => bench.metric("signs_right", least, "1")?,
        None => bench.not_at_this_scale(
            claims::SIGNS,
            "no model reached a state accuracy of 0.95 on any network",
        ),
    }
    bench.metric("ample/accuracy", ample.accuracy, "1")?;
    bench.metric("ample/weight_correlation", ample.weights, "1")?;
    bench.metric("ample/held_out", ample.held_out, per_count)?;
    bench.metric("ample/held_out_truth", ceiling, per_count)?;
    let number = |v: f64| format!("{v:.4}");
    let mut rows = Vec::new();
    for (k, outcome) in outcomes.iter().enumerate() {
        for (score, (_, name)) in outcome.scores.iter().zip(ARMS) {
            rows.push(vec![
                (k + 1).to_string(),
                name.to_owned(),
                number(score.held_out),
                number(score.accuracy),
                number(score.weights),
                number(score.signs),
                number(score.types),
                score.visited.to_string(),
            ]);
        }
    }
    bench.table(Table {
        id: "arms".into(),
        title: format!(
            "Every model on every network, {} training trials",
            config.scarce_trials
        ),
        columns: [
            "network",
            "model",
            "held-out log-likelihood (nat per bin and unit)",
            "state accuracy",
            "weight correlation",
            "signs right above 0.5",
            "types right",
            "states visited",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })?;
    for (k, outcome) in outcomes.iter().enumerate() {
        for score in outcome.scores.iter().filter(|s| s.arm == "one_hot") {
            for warning in score
                .warnings
                .iter()
                .filter(|w| w.contains("states ") || w.contains("never"))
            {
                bench.note(format!("network {}, one-hot: {warning}", k + 1));
            }
        }
    }
    Ok(())
}

fn findings(config: &Config, outcomes: &[Outcome], ample: &Score, ceiling: f64) -> Findings {
    let of = |arm| {
        let held_out = mean(outcomes, arm, |s| s.held_out);
        let accuracy = mean(outcomes, arm, |s| s.accuracy);
        format!("{held_out:.4} ({accuracy:.3})")
    };
    Findings::new(format!(
        "{} networks of {} units and {} states, {} training trials of {} bins: held-out log-likelihood for each bin and unit \
         (state accuracy) is {} with free weights, {} with weights tied by a Gaussian, {} with one-hot couplings, {} with the \
         true parameters. One-hot couplings close {:.0} % of the gap.",
        outcomes.len(),
        config.data.units,
        config.data.states,
        config.scarce_trials,
        config.data.bins,
        of("free"),
        of("gaussian"),
        of("one_hot"),
        of("truth"),
        100.0 * gap_closed(outcomes),
    ))
    .and(format!(
        "Started cold, with the prior counted once for each trial, the one-hot model reaches {}.",
        of("one_hot_cold")
    ))
    .and(format!(
        "With {} training trials free weights reach a state accuracy of {:.3}, a weight correlation of {:.3} and a held-out \
         log-likelihood of {:.4} (true parameters {ceiling:.4}): the prior matters where data are scarce.",
        config.ample_trials, ample.accuracy, ample.weights, ample.held_out
    ))
}
