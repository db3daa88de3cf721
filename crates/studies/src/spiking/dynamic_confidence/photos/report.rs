//! What is told of the networks.

use chiasm_core::Failure;
use chiasm_lab::Bench;
use chiasm_lab::bench::Table;

use super::super::arms::Measured;
use super::Photos;
use super::run::Arm;

/// The published demonstration: steps, accuracy in percent (card 48, claim 1).
const DEMONSTRATION: [(usize, f64); 6] = [
    (1, 78.76),
    (2, 84.28),
    (4, 88.89),
    (8, 92.17),
    (16, 93.76),
    (27, 94.27),
];

fn mean(arms: &[Arm], of: impl Fn(&Arm) -> f64) -> f64 {
    arms.iter().map(of).sum::<f64>() / arms.len() as f64
}

pub(super) fn report(arms: &[Arm], photos: &Photos, bench: &mut Bench) -> Result<(), Failure> {
    let names = arms[0].measured.numbers();
    for (k, (name, _, unit)) in names.iter().enumerate() {
        let value = mean(arms, |a| a.measured.numbers()[k].1);
        bench.metric(&format!("photographs/{name}"), value, unit)?;
    }
    let fixed = |t: usize| mean(arms, |a| a.measured.score.fixed[t - 1]);
    let saved = mean(arms, |a| 1.0 - a.agent_spikes / a.spikes);
    let apart = (saved - mean(arms, |a| a.measured.score.saved)).abs();
    let converted = arms
        .iter()
        .map(|a| (a.measured.whole() - a.quantized).abs());
    for (name, value, unit) in [
        ("quantized/accuracy", mean(arms, |a| a.quantized), "1"),
        ("conversion/apart", converted.fold(0.0, f64::max), "1"),
        ("fixed/gained", fixed(photos.steps) - fixed(1), "1"),
        ("spikes/all-steps", mean(arms, |a| a.spikes), "1"),
        ("spikes/agent", mean(arms, |a| a.agent_spikes), "1"),
        ("spikes/saved", saved, "1"),
        ("spikes/apart-from-latency", apart, "1"),
        ("first-layer/unequal", mean(arms, |a| a.unequal), "1"),
        (
            "loss",
            mean(arms, |a| a.losses.last().copied().unwrap_or(0.0)),
            "nats",
        ),
    ] {
        bench.metric(&format!("photographs/{name}"), value, unit)?;
    }
    for (layer, _) in photos.channels.iter().enumerate() {
        let scale = mean(arms, |a| a.scales[layer]);
        bench.metric(&format!("photographs/scale-{}", layer + 1), scale, "1")?;
    }
    for t in 1..=photos.steps {
        bench.log("photographs/fixed", t as f64, fixed(t));
    }
    let percent = |x: f64| format!("{:.2}", 100.0 * x);
    let mut steps: Vec<usize> = DEMONSTRATION.iter().map(|d| d.0).collect();
    steps.push(photos.steps);
    steps.retain(|t| *t <= photos.steps);
    steps.sort_unstable();
    steps.dedup();
    let row = |t: &usize| {
        let theirs = DEMONSTRATION.iter().find(|d| d.0 == *t);
        let theirs = theirs.map_or_else(String::new, |d| format!("{:.2}", d.1));
        vec![t.to_string(), percent(fixed(*t)), theirs]
    };
    let mut rows: Vec<Vec<String>> = steps.iter().map(row).collect();
    let quantized = percent(mean(arms, |a| a.quantized));
    rows.push(vec!["quantized network".into(), quantized, "93.79".into()]);
    let agent = format!("agent, {:.2}", mean(arms, |a| a.measured.score.latency));
    let accuracy = percent(mean(arms, |a| a.measured.score.accuracy));
    rows.push(vec![agent, accuracy, "94.27 after 11.51".into()]);
    bench.table(Table {
        id: "photographs-steps".into(),
        title: "Accuracy by steps for everyone, beside the published demonstration (ResNet-18, all of CIFAR-10; no bound)".into(),
        columns: ["steps", "accuracy (%)", "the paper's (%)"].map(String::from).to_vec(),
        rows,
    })
}

pub(super) fn said(arms: &[Arm], photos: &Photos, name: &str) -> Vec<String> {
    let percent = |x: f64| format!("{:.2} %", 100.0 * x);
    let of = |f: &dyn Fn(&Measured) -> f64| mean(arms, |a| f(&a.measured));
    vec![format!(
        "On {name} ({} to learn from) a convolutional network in levels tells {} of the test images, its spikes {} after {} steps for \
         everyone, and {} when each image's run ends at its confidence, after {:.2} steps in the mean: {} of the steps are saved, and \
         {} against the fewest for everyone that do as well ({:.1}). The same stop times dealt out at random: {}; the oracle: {} after \
         {:.2} steps.",
        photos.n_train,
        percent(mean(arms, |a| a.quantized)),
        percent(of(&|m| m.whole())),
        photos.steps,
        percent(of(&|m| m.score.accuracy)),
        of(&|m| m.score.latency),
        percent(of(&|m| m.score.saved)),
        percent(of(&|m| m.score.saved_honestly)),
        of(&|m| m.score.equal_steps as f64),
        percent(of(&|m| m.dealt)),
        percent(of(&|m| m.oracle.accuracy)),
        of(&|m| m.oracle.latency),
    )]
}
