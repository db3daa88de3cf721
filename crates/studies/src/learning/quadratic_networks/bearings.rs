//! Faults of bearings in noise, told by convolutional networks along the signal (card 34, works when 6).

use std::path::PathBuf;

use chiasm_core::{Failure, Inside, SettingError, Streams, stats};
use chiasm_data::generate::{BearingVibrations, bearing_vibrations};
use chiasm_data::vibration::{Vibration, vibrations};
use chiasm_lab::Bench;
use chiasm_lab::figure::{Axis, Figure, Mark, Panel};
use chiasm_net::network::{Loss, Network, NetworkError, Schedule, Targets, TrainingConfig};
use chiasm_net::quadratic::ReLinear;
use chiasm_net::train::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bearing_networks::{WINDOW, cut, layers, squared, windows};
use super::config::Config;

/// What the networks are shown and how they learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bearings {
    /// A folder of vibrations, one file (MAT, NPZ, HDF5) for each condition; without one they are generated.
    pub folder: Option<PathBuf>,
    /// The signal of a file: its name, or `DE` for `X105_DE_time` and the like.
    pub sensor: String,
    /// Samples of each generated vibration.
    pub samples: usize,
    /// Power of a signal over that of the white noise added to it, dB (card 34: -6).
    pub snr_db: f64,
    /// Share of each signal, from its start, that windows to learn from are cut from; those to test on lie in the rest.
    pub train_share: f64,
    /// Samples from one window to the next.
    pub step: usize,
    /// Passes over the windows.
    pub epochs: usize,
    /// Windows in a batch (the group's code: 64).
    pub batch: usize,
    /// Learning rate at first; it falls along a cosine.
    pub rate: f64,
    /// Rate of the quadratic parts over that of the others (card 34: 0.01 for more than 4 layers).
    pub gamma: f64,
    /// Networks of each kind, each with noise and a start of its own (card 34: 3).
    pub networks: usize,
}

impl Default for Bearings {
    fn default() -> Self {
        Self {
            folder: None,
            sensor: "DE".into(),
            samples: 120_000,
            snr_db: -6.0,
            train_share: 0.7,
            step: 320,
            epochs: 20,
            batch: 64,
            rate: 0.05,
            gamma: 0.01,
            networks: 3,
        }
    }
}

impl Bearings {
    /// About the windows that the group's code has: 500 of each condition.
    pub(super) fn paper() -> Self {
        Self {
            step: 160,
            epochs: 50,
            ..Self::default()
        }
    }

    pub(super) fn smoke() -> Self {
        Self {
            samples: 7000,
            step: 2048,
            epochs: 1,
            networks: 1,
            ..Self::default()
        }
    }

    pub(super) fn validate(&self) -> Result<(), SettingError> {
        for (field, n, least, most) in [
            ("samples", self.samples, WINDOW, 10_000_000),
            ("step", self.step, 1, 1_000_000),
            ("epochs", self.epochs, 1, 100_000),
            ("batch", self.batch, 1, 1_000_000),
            ("networks", self.networks, 1, 1000),
        ] {
            let expected = format!("{least} to {most}");
            let field = format!("bearings.{field}");
            SettingError::check((least..=most).contains(&n), &field, &expected, n)?;
        }
        let fine = (-100.0..=100.0).contains(&self.snr_db);
        SettingError::check(fine, "bearings.snr_db", "-100 to 100 dB", self.snr_db)?;
        let fine = self.train_share > 0.0 && self.train_share < 1.0;
        let expected = "above 0, below 1";
        SettingError::check(fine, "bearings.train_share", expected, self.train_share)?;
        let fine = self.rate.is_finite() && self.rate > 0.0;
        SettingError::check(fine, "bearings.rate", "a number above 0", self.rate)?;
        let fine = self.gamma > 0.0 && self.gamma <= 1.0;
        SettingError::check(fine, "bearings.gamma", "above 0, at most 1", self.gamma)
    }
}

/// One trained network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    /// On windows of the last part; that of guessing where training diverged.
    accuracy: f64,
    diverged: bool,
    parameters: usize,
    /// Mean loss of each pass.
    losses: Vec<f64>,
}

/// What came of both kinds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Results {
    /// What the vibrations are.
    source: String,
    conditions: Vec<String>,
    /// Windows to learn from and to test on.
    windows: [usize; 2],
    ordinary: Vec<Told>,
    quadratic: Vec<Told>,
    /// A window without and with noise, both at the noisy one's scale.
    example: [Vec<f64>; 2],
}

const KINDS: [&str; 2] = ["ordinary", "quadratic"];

impl Results {
    fn of(&self, kind: usize) -> &[Told] {
        [&self.ordinary, &self.quadratic][kind]
    }

    fn accuracies(&self, kind: usize) -> Vec<f64> {
        self.of(kind).iter().map(|t| t.accuracy).collect()
    }
}

/// A vibration of each condition, and what they are.
pub(super) fn load(
    bearings: &Bearings,
    bench: &mut Bench,
) -> Result<(Vec<Vibration>, String), Failure> {
    let Some(folder) = &bearings.folder else {
        bench.note(
            "The vibrations of bearings are synthetic: name a folder of recorded ones with `bearings.folder`.",
        );
        let how = BearingVibrations {
            samples: bearings.samples,
            ..BearingVibrations::default()
        };
        let streams = bench.streams().child("bearings");
        return Ok((bearing_vibrations(&how, &streams)?, "synthetic".into()));
    };
    let found = vibrations(folder, &bearings.sensor)?;
    let field = "bearings.folder";
    let n = found.len();
    SettingError::check(n > 1, field, "files of two conditions or more", n)?;
    for vibration in &found {
        let (first, last) = cut(&vibration.samples, bearings.train_share);
        let fine = first.len().min(last.len()) >= WINDOW;
        let expected = format!("signals with {WINDOW} samples or more in either part");
        let said = format!(
            "{} and {} in `{}`",
            first.len(),
            last.len(),
            vibration.condition
        );
        SettingError::check(fine, field, &expected, said)?;
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok((found, format!("recorded, folder `{name}`")))
}

pub(super) fn run(
    config: &Config,
    (signals, source): (Vec<Vibration>, String),
    bench: &mut Bench,
) -> Result<Results, Failure> {
    let bearings = &config.bearings;
    let jobs = KINDS.len() * bearings.networks;
    let passes = jobs * bearings.epochs;
    bench.watch().stage("bearings", passes as u64);
    let trained = bench.arms(jobs, |job, bench| {
        let (kind, i) = (job % KINDS.len(), job / KINDS.len());
        bench.stage(&format!("bearings-{}-{i}", KINDS[kind]), |bench| {
            one(config, &signals, kind, i, bench)
        })
    })?;
    let (clean, noisy) = (
        &signals[1],
        in_noise(&signals, bearings, &streams(bench, 0))?,
    );
    let scale = 1.0 / stats::sd(&noisy[1].samples[..WINDOW], 0);
    let example = [clean, &noisy[1]].map(|v| {
        let first = v.samples[..WINDOW].iter();
        first.map(|v| v * scale).collect()
    });
    let count = |last: bool| {
        let part = |s: &Vibration| {
            let (a, b) = cut(&s.samples, bearings.train_share);
            let n = if last { b.len() } else { a.len() };
            (n - WINDOW) / bearings.step + 1
        };
        signals.iter().map(part).sum()
    };
    let windows = [count(false), count(true)];
    let of = |kind: usize| trained.iter().skip(kind).step_by(KINDS.len()).cloned();
    Ok(Results {
        source,
        conditions: signals.iter().map(|s| s.condition.clone()).collect(),
        windows,
        ordinary: of(0).collect(),
        quadratic: of(1).collect(),
        example,
    })
}

fn streams(bench: &Bench, i: usize) -> Streams {
    bench.streams().child(&format!("bearings network {i}"))
}

fn in_noise(
    signals: &[Vibration],
    bearings: &Bearings,
    streams: &Streams,
) -> Result<Vec<Vibration>, SettingError> {
    let each = signals.iter().enumerate();
    each.map(|(c, s)| s.in_noise(bearings.snr_db, &mut streams.indexed("noise", c)))
        .collect()
}

fn one(
    config: &Config,
    signals: &[Vibration],
    kind: usize,
    i: usize,
    bench: &mut Bench,
) -> Result<Told, Failure> {
    let bearings = &config.bearings;
    // The same noise, start and order of windows for both kinds.
    let streams = streams(bench, i);
    let noisy = in_noise(signals, bearings, &streams)?;
    let share = bearings.train_share;
    let (x, labels) = windows(&noisy, bearings.step, |s| cut(s, share).0);
    let (test, asked) = windows(&noisy, bearings.step, |s| cut(s, share).1);
    let layers = layers(signals.len());
    let mut rng = streams.stream("start");
    let ordinary = Network::<f32>::begun(WINDOW, &layers, config.start, &mut rng)?;
    let how = TrainingConfig {
        epochs: bearings.epochs,
        batch: bearings.batch,
        optimizer: Rule::Sgd {
            momentum: config.momentum,
        },
        rate: bearings.rate,
        schedule: Schedule::Cosine,
        ..TrainingConfig::default()
    };
    let mut training = match KINDS[kind] {
        "ordinary" => how.start(ordinary)?,
        _ => {
            let network = squared(&ordinary)?;
            let (g, b) = (bearings.gamma, bearings.gamma);
            let shares = ReLinear::Rates { g, b }.shares(&network, how.rate)?;
            how.start_shares(network, shares)?
        }
    };
    let mut losses = vec![];
    let mut diverged = false;
    while !training.done() {
        let watch = Inside(bench.watch());
        match training.epoch(x.view(), Targets::Classes(&labels), &streams, &watch) {
            Ok(epoch) => losses.push(epoch.loss),
            Err(NetworkError::Diverged { .. }) => {
                diverged = true;
                break;
            }
            Err(other) => return Err(other.into()),
        }
        bench.watch().tick(1);
    }
    let network = training.network();
    let accuracy = if diverged {
        1.0 / signals.len() as f64
    } else {
        let loss = Loss::CrossEntropy { smoothing: 0.0 };
        let targets = Targets::Classes(&asked);
        network.score(test.view(), targets, loss)?.1
    };
    Ok(Told {
        accuracy,
        diverged,
        parameters: network.parameters().len(),
        losses,
    })
}

pub(super) fn metrics(results: &Results, bench: &mut Bench) -> Result<(), Failure> {
    for (kind, name) in KINDS.iter().enumerate() {
        let (all, accuracies) = (results.of(kind), results.accuracies(kind));
        let mut metric =
            |what: &str, value: f64| bench.metric(&format!("bearings/{name}/{what}"), value, "1");
        metric("accuracy", stats::mean(&accuracies))?;
        if all.len() > 1 {
            metric("sd", stats::sd(&accuracies, 1))?;
        }
        let diverged = all.iter().filter(|t| t.diverged).count();
        metric("diverged", diverged as f64 / all.len() as f64)?;
        metric("parameters", all.first().map_or(0, |t| t.parameters) as f64)?;
    }
    let [ordinary, quadratic] = [0, 1].map(|kind| stats::mean(&results.accuracies(kind)));
    bench.metric("bearings/gain", quadratic - ordinary, "1")
}

pub(super) fn finding(results: &Results) -> String {
    let said = |kind: usize| {
        let all = results.accuracies(kind);
        let (least, most) = (stats::quantile(&all, 0.0), stats::quantile(&all, 1.0));
        let [mean, least, most] = [stats::mean(&all), least, most].map(|v| 100.0 * v);
        format!("{mean:.1} % ({least:.1} to {most:.1})")
    };
    format!(
        "Vibrations of bearings ({}): ordinary convolutional networks tell {} conditions in {}, quadratic ones in {}.",
        results.source,
        results.conditions.len(),
        said(0),
        said(1),
    )
}

pub(super) fn figure(results: &Results, config: &Config) -> Figure {
    let bearings = &config.bearings;
    let mut losses = Panel::new(
        "learning",
        Axis::new("pass", "1"),
        Axis::new("loss", "nats").log(),
    );
    let mut accuracy = Panel::new(
        "windows not learned from",
        Axis::new("network", "1"),
        Axis::new("accuracy", "%").range(0.0, 100.0),
    );
    for (kind, name) in KINDS.iter().enumerate() {
        for told in results.of(kind) {
            losses = losses.with(Mark::Line {
                series: (*name).into(),
                x: (1..=told.losses.len()).map(|i| i as f64).collect(),
                // The logarithm has no 0.
                y: told.losses.iter().map(|l| l.max(1e-6)).collect(),
            });
        }
        let y: Vec<f64> = results.accuracies(kind).iter().map(|a| 100.0 * a).collect();
        accuracy = accuracy.with(Mark::Bars {
            series: (*name).into(),
            x: (1..=y.len()).map(|i| i as f64).collect(),
            y,
            error: vec![],
        });
    }
    let mut window = Panel::new(
        &format!("a window of `{}`", results.conditions[1]),
        Axis::new("sample", "1"),
        Axis::new("acceleration", "sd"),
    );
    for (series, y) in ["in noise", "clean"]
        .into_iter()
        .zip(results.example.iter().rev())
    {
        let y = y[..WINDOW / 4].to_vec();
        window = window.with(Mark::Line {
            series: series.into(),
            x: (0..y.len()).map(|i| i as f64).collect(),
            y,
        });
    }
    let [train, test] = results.windows;
    Figure::new(
        "bearings",
        "Faults of bearings in noise",
        &format!(
            "Vibrations: {}. {} conditions, windows of {WINDOW} samples in white noise, {} dB; {train} windows of the first {:.0} % \
             of each signal to learn from, {test} of the rest to test on. Networks of one number have one noise, one start and one \
             order of windows.",
            results.source,
            results.conditions.len(),
            bearings.snr_db,
            100.0 * bearings.train_share,
        ),
    )
    .with(window)
    .with(losses)
    .with(accuracy)
    .columns(3)
}
