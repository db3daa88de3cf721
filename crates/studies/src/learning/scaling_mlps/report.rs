//! Metrics, the table of networks, and what was found in words.

use chiasm_core::Failure;
use chiasm_lab::bench::Table;
use chiasm_lab::{Bench, Findings};

use super::arms::Trained;
use super::config::Config;
use super::images::Data;
use super::run::Results;

/// Test accuracies of an independent program at the card's scale, percent, by width (works when 4).
const SEEN: [(usize, f64); 5] = [(16, 45.1), (32, 50.4), (64, 53.2), (128, 55.5), (256, 57.5)];

/// Steps at which a list does not rise.
fn inversions(values: &[f64]) -> f64 {
    values.windows(2).filter(|w| w[1] <= w[0]).count() as f64
}

/// Accuracy on images learned from less that on test images, in points.
fn gap(trained: &Trained) -> f64 {
    100.0 * (trained.train_accuracy - trained.last().accuracy)
}

/// Accuracies, percent, by the number of images, all last.
pub(super) fn by_size(config: &Config, results: &Results) -> Vec<(f64, f64)> {
    let named = |name: &str| name.strip_prefix("data/").and_then(|n| n.parse().ok());
    let some = results.arms.iter().filter_map(|(arm, trained)| {
        let n: f64 = named(&arm.name)?;
        Some((n, 100.0 * trained.last().accuracy))
    });
    let mut all: Vec<(f64, f64)> = some.collect();
    let whole = results.accuracy(&format!("width/{}", config.data.width));
    all.push((config.n_train as f64, whole));
    all
}

/// Accuracies, percent, by batch.
pub(super) fn by_batch(config: &Config, results: &Results) -> Vec<(f64, f64)> {
    let named = |name: &str| name.strip_prefix("batch/").and_then(|n| n.parse().ok());
    let some = results.arms.iter().filter_map(|(arm, trained)| {
        let n: f64 = named(&arm.name)?;
        Some((n, 100.0 * trained.last().accuracy))
    });
    let mut all: Vec<(f64, f64)> = some.collect();
    let usual = results.accuracy(&format!("width/{}", config.data.width));
    all.push((config.batch as f64, usual));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

/// Accuracies, percent, by width.
pub(super) fn by_width(config: &Config, results: &Results) -> Vec<(f64, f64)> {
    let widths = config.widths.widths.iter();
    let of = |w: &usize| (*w as f64, results.accuracy(&format!("width/{w}")));
    widths.map(of).collect()
}

/// Largest distance from the independent program's accuracies, in points.
pub(super) fn from_card(config: &Config, results: &Results) -> f64 {
    let own = by_width(config, results);
    let apart = SEEN.iter().map(|(width, seen)| {
        let found = own.iter().find(|(w, _)| *w == *width as f64);
        found.map_or(f64::NAN, |(_, accuracy)| (accuracy - seen).abs())
    });
    apart.fold(0.0, chiasm_core::stats::greater)
}

pub(super) fn metrics(
    config: &Config,
    results: &Results,
    bench: &mut Bench,
) -> Result<(), Failure> {
    for (arm, trained) in &results.arms {
        let name = &arm.name;
        bench.metric(
            &format!("{name}/accuracy"),
            100.0 * trained.last().accuracy,
            "%",
        )?;
        bench.metric(&format!("{name}/best"), 100.0 * trained.best(), "%")?;
        let train = 100.0 * trained.train_accuracy;
        bench.metric(&format!("{name}/train-accuracy"), train, "%")?;
        bench.metric(
            &format!("{name}/loss-above-floor"),
            trained.last().loss,
            "nats",
        )?;
        bench.metric(&format!("{name}/parameters"), trained.parameters, "1")?;
        bench.metric(
            &format!("{name}/compute"),
            trained.last().compute,
            "multiply-adds",
        )?;
        for measure in &trained.course {
            let series = format!("{name}/accuracy");
            bench.log(&series, measure.epoch as f64, 100.0 * measure.accuracy);
        }
    }
    let only = |pairs: Vec<(f64, f64)>| pairs.into_iter().map(|p| p.1).collect::<Vec<f64>>();
    let widths = only(by_width(config, results));
    bench.metric("width/inversions", inversions(&widths), "1")?;
    bench.metric("width/power-law-slope", results.line.0, "1")?;
    bench.metric("width/power-law-r2", results.line.1, "1")?;
    if let Some((law, pure, interval)) = &results.law {
        bench.metric("law/rms-over-pure", law.rms / pure.rms.max(1e-12), "1")?;
        bench.metric("law/exponent", law.alpha, "1")?;
        bench.metric("law/exponent-low", interval.alpha.0, "1")?;
        bench.metric("law/exponent-high", interval.alpha.1, "1")?;
        bench.metric("law/floor", law.floor, "1")?;
        bench.metric("law/floor-low", interval.floor.0, "1")?;
        bench.metric("law/floor-high", interval.floor.1, "1")?;
        bench.metric("law/pure-exponent", pure.alpha, "1")?;
    }
    if let Some(split) = &results.split {
        bench.metric("split/parameters", split.parameters, "1")?;
        bench.metric("split/images", split.images, "1")?;
        let apart = split.images - split.parameters;
        bench.metric("split/images-minus-parameters", apart, "1")?;
    }
    bench.metric(
        "data/inversions",
        inversions(&only(by_size(config, results))),
        "1",
    )?;
    let batches = only(by_batch(config, results));
    let gain = batches[batches.len() - 1] - batches[0];
    bench.metric("batch/largest-gain", gain, "points")?;
    let lion = results.accuracy(&format!("width/{}", config.data.width));
    let other = results
        .accuracy("optimizer/adamw")
        .max(results.accuracy("optimizer/sgd"));
    bench.metric("optimizer/lion-gain", lion - other, "points")?;
    parts(results, bench)
}

fn parts(results: &Results, bench: &mut Bench) -> Result<(), Failure> {
    let best = |name: &str| 100.0 * results.of(name).best();
    let (bottleneck, augmented) = (
        results.of("blocks/bottleneck"),
        results.of("blocks/augmented"),
    );
    let gain = best("blocks/bottleneck") - best("blocks/standard");
    bench.metric("blocks/best-gain", gain, "points")?;
    let gain = best("blocks/bottleneck") - best("blocks/no-norm");
    bench.metric("norm/best-gain", gain, "points")?;
    let last = results.accuracy("blocks/augmented");
    let gain = last - results.accuracy("blocks/bottleneck");
    bench.metric("augmentation/gain", gain, "points")?;
    bench.metric("gap/without-augmentation", gap(bottleneck), "points")?;
    bench.metric("gap/with-augmentation", gap(augmented), "points")?;
    bench.metric(
        "blocks/above-linear",
        last - best("blocks/linear"),
        "points",
    )?;
    let views = augmented
        .views_accuracy
        .unwrap_or(augmented.last().accuracy);
    bench.metric("views/accuracy", 100.0 * views, "%")?;
    bench.metric("views/gain", 100.0 * views - last, "points")?;
    let transfer = &results.transfer;
    for (name, accuracy) in [
        ("scratch", transfer.scratch),
        ("probe", transfer.probe),
        ("tuned", transfer.tuned),
        ("before", transfer.before),
    ] {
        bench.metric(&format!("transfer/{name}"), 100.0 * accuracy, "%")?;
    }
    let gain = 100.0 * (transfer.tuned - transfer.scratch);
    bench.metric("transfer/gain", gain, "points")
}

pub(super) fn table(results: &Results) -> Table {
    let rows = results.arms.iter().map(|(arm, trained)| {
        vec![
            arm.name.clone(),
            trained.parameters.to_string(),
            arm.n_train.to_string(),
            arm.epochs.to_string(),
            format!("{:.2e}", trained.last().compute),
            format!("{:.1}", 100.0 * trained.last().accuracy),
            format!("{:.1}", 100.0 * trained.best()),
            format!("{:.1}", 100.0 * trained.train_accuracy),
            format!("{:.3}", trained.last().loss),
        ]
    });
    Table {
        id: "networks".into(),
        title: "All networks".into(),
        columns: [
            "network",
            "parameters",
            "images",
            "passes",
            "multiply-adds",
            "test accuracy (%)",
            "best pass (%)",
            "on images learned from (%)",
            "loss above its floor (nats)",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.collect(),
    }
}

pub(super) fn findings(config: &Config, results: &Results, data: &Data) -> Findings {
    let widths = by_width(config, results);
    let (narrow, wide) = (widths[0], widths[widths.len() - 1]);
    let law = match &results.law {
        None => String::new(),
        Some((law, _, interval)) => format!(
            " The envelope follows {:.3} (b + C)^-{:.2} + {:.2} (95 % of resamplings: exponents from {:.2} to {:.2}, floors from {:.2} to \
             {:.2}).",
            law.a,
            law.alpha,
            law.floor,
            interval.alpha.0,
            interval.alpha.1,
            interval.floor.0,
            interval.floor.1
        ),
    };
    let percent = |name: &str| results.accuracy(name);
    let transfer = &results.transfer;
    Findings::new(format!(
        "On {} of {} images, accuracy goes from {:.1} % at width {} to {:.1} % at width {}; over these, error falls as compute to the power \
         {:.3} (R^2 {:.3}).{law}",
        data.name, config.n_train, narrow.1, narrow.0, wide.1, wide.0, results.line.0, results.line.1
    ))
    .and(format!(
        "At width {}, bottlenecks end at {:.1} % without augmentation and at {:.1} % with it, plain layers at {:.1} %, bottlenecks \
         without norm at {:.1} %, a linear classifier of pixels at {:.1} %. On images learned from the first two tell {:.1} and {:.1} %.",
        config.blocks.width,
        percent("blocks/bottleneck"),
        percent("blocks/augmented"),
        percent("blocks/standard"),
        percent("blocks/no-norm"),
        percent("blocks/linear"),
        100.0 * results.of("blocks/bottleneck").train_accuracy,
        100.0 * results.of("blocks/augmented").train_accuracy,
    ))
    .and(format!(
        "Two new classes are told from {} images at {:.1} % from scratch, at {:.1} % by a new head on a body trained on the other classes, \
         and at {:.1} % where the body learns too.",
        config.transfer.images,
        100.0 * transfer.scratch,
        100.0 * transfer.probe,
        100.0 * transfer.tuned
    ))
}
