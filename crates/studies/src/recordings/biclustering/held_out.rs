//! What is lost without clusters or without states: predictions of counts that the sampler did not see.

use chiasm_analysis::biclustering::{Biclustering, ClusterPrior, Counts, HeldOut};
use chiasm_core::{Failure, stats};
use chiasm_lab::Bench;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::config::Config;

/// How an arm predicts the counts it did not see.
pub(super) struct PredictionArm {
    pub name: &'static str,
    /// Mean log probability, nats per count.
    pub mean: f64,
    /// Standard error of its difference from the first arm.
    pub error: f64,
}

/// Predictions of held-out counts with all parts of the model, and without clusters or states.
pub(super) fn held_out(
    config: &Config,
    counts: &Counts,
    bench: &mut Bench,
) -> Result<Vec<PredictionArm>, Failure> {
    let mut rng = bench.streams().stream("held out");
    let mut places: Vec<(usize, usize)> = (0..counts.n_neurons())
        .flat_map(|i| (0..counts.n_bins()).map(move |t| (i, t)))
        .filter(|&(i, t)| !counts.of(i)[t].is_nan() && rng.random::<f64>() < config.held_out)
        .collect();
    // A neuron whose every spike is held out would be silent: it shows one of them.
    places.shuffle(&mut rng);
    let mut seen: Vec<f64> = (0..counts.n_neurons())
        .map(|i| counts.of(i).iter().filter(|y| **y > 0.0).count() as f64)
        .collect();
    places.retain(|&(i, t)| {
        let spike = counts.of(i)[t] > 0.0;
        let hide = !spike || seen[i] > 1.0;
        if spike && hide {
            seen[i] -= 1.0;
        }
        hide
    });
    places.sort_unstable();
    let hidden: Vec<HeldOut> = places
        .iter()
        .map(|&(neuron, bin)| HeldOut {
            neuron,
            bin,
            count: counts.of(neuron)[bin],
        })
        .collect();
    let shown = counts.without(&places)?;
    let full = Biclustering {
        sweeps: config.arm_sweeps,
        burn_in: config.arm_sweeps / 2,
        chains: 1,
        ..config.method.clone()
    };
    let methods = [
        ("full", full.clone()),
        (
            "one_cluster",
            Biclustering {
                cluster_prior: ClusterPrior::Fixed,
                clusters: 1,
                ..full.clone()
            },
        ),
        ("one_state", Biclustering { states: 1, ..full }),
    ];
    let mut predicted: Vec<(&'static str, Vec<f64>)> = Vec::new();
    for (name, method) in methods {
        let of_arm = bench.stage(&format!("held out, {name}"), |b| {
            let streams = b.streams().child("held out");
            let chains = method.run(&shown, &hidden, &streams, b.watch())?;
            Ok(method.predictive(&chains)?)
        })?;
        predicted.push((name, of_arm));
    }
    // The plainest: a Poisson count of each neuron's mean rate.
    let rates: Vec<f64> = (0..shown.n_neurons())
        .map(|i| {
            let y: Vec<f64> = shown
                .of(i)
                .iter()
                .copied()
                .filter(|v| !v.is_nan())
                .collect();
            stats::mean(&y)
        })
        .collect();
    let ln_factorial = |y: f64| (1..=y as usize).map(|j| (j as f64).ln()).sum::<f64>();
    let plain = hidden.iter().map(|h| {
        let rate = rates[h.neuron];
        h.count * rate.ln() - rate - ln_factorial(h.count)
    });
    predicted.push(("mean_rate", plain.collect()));
    let mut arms = Vec::new();
    for (name, values) in &predicted {
        let gains: Vec<f64> = predicted[0]
            .1
            .iter()
            .zip(values)
            .map(|(a, b)| a - b)
            .collect();
        let error = stats::sd(&gains, 1) / (gains.len() as f64).sqrt();
        let mean = stats::mean(values);
        bench.metric(&format!("held_out/{name}"), mean, "nat")?;
        if *name != "full" {
            bench.metric(
                &format!("held_out/gain_over_{name}"),
                stats::mean(&gains),
                "nat",
            )?;
            bench.metric(&format!("held_out/gain_over_{name}/error"), error, "nat")?;
        }
        arms.push(PredictionArm { name, mean, error });
    }
    Ok(arms)
}
