//! Sounds looked up among images and images among sounds, by projections that learned from pairs.

use chiasm_analysis::contrastive::{
    Contrastive, Objective, Pairs, Projections, class_similarity, pair_up, top_1,
};
use chiasm_analysis::readout::Standard;
use chiasm_circuit::frozen;
use chiasm_core::{Failure, Inside, Streams, Watch, stats};
use chiasm_lab::Bench;
use ndarray::{Array2, Axis};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::data::{Data, Modality, Part};
use super::probe::{self, Source};

/// Digits of the paper's training; 8 and 9 are its held-out ones.
pub(super) const TRAINED: [usize; 7] = [1, 2, 3, 4, 5, 6, 7];
pub(super) const PAPERS_PAIR: [usize; 2] = [8, 9];

/// Untrained projections that are averaged.
const UNTRAINED_DRAWS: usize = 10;

/// Features of one modality, and their digits.
struct Side {
    train: Array2<f32>,
    train_labels: Vec<usize>,
    test: Array2<f32>,
    test_labels: Vec<usize>,
}

/// Both: a is seen, b is heard.
struct Features {
    a: Side,
    b: Side,
}

/// How often the most similar item of the other modality has the same digit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) audio_to_image: f64,
    pub(super) image_to_audio: f64,
}

impl Found {
    fn mean(of: &[Self]) -> Self {
        let mean = |side: fn(&Self) -> f64| stats::mean(&of.iter().map(side).collect::<Vec<f64>>());
        Self {
            audio_to_image: mean(|f| f.audio_to_image),
            image_to_audio: mean(|f| f.image_to_audio),
        }
    }
}

/// One training on the paper's seven digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct InClass {
    pub(super) name: String,
    /// On these digits.
    pub(super) found: Found,
    /// On 8 and 9.
    pub(super) papers_pair: Found,
    /// Loss of each pass, nats.
    pub(super) loss: Vec<f64>,
    /// Mean similarity of sounds of each digit to images of each, `[heard][seen]`.
    pub(super) similarity: Vec<Vec<f64>>,
}

/// One pair of digits, held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct HeldOut {
    pub(super) pair: [usize; 2],
    pub(super) found: Found,
    /// By untrained projections.
    pub(super) untrained: Found,
    /// On the seven digits that were trained.
    pub(super) in_class: Found,
}

pub(super) const MAIN: &str = "reservoirs";
pub(super) const UNTRAINED: &str = "untrained";
pub(super) const COUNTS: &str = "events";
pub(super) const NOISY: &str = "noisy-chip";
pub(super) const PROTOTYPES: &str = "prototypes";
pub(super) const RAW: &str = "not-normalized";

pub(super) fn temperature_name(temperature: f64) -> String {
    format!("temperature-{temperature}")
}

pub(super) struct Cross {
    pub(super) in_class: Vec<InClass>,
    pub(super) held_out: Vec<HeldOut>,
    /// Pairs of one pass over the paper's seven digits.
    pub(super) n_pairs: usize,
}

impl Cross {
    pub(super) fn of(&self, name: &str) -> Option<&InClass> {
        self.in_class.iter().find(|c| c.name == name)
    }
}

pub(super) fn cross(
    config: &Config,
    tuned: frozen::Config,
    data: &Data,
    bench: &mut Bench,
) -> Result<Cross, Failure> {
    let chip = probe::noisy(config, 0.05);
    let sources = [
        [Source::Normal(config.vision), Source::Normal(tuned)],
        [Source::Chip(config.vision, chip), Source::Chip(tuned, chip)],
        [Source::Events, Source::Events],
    ];
    bench.watch().stage("features of pairs", 0);
    let [reservoirs, noisy, events] = sources.map(|[a, b]| features(config, data, [a, b], bench));
    let (reservoirs, noisy, events) = (reservoirs?, noisy?, events?);
    let main = config.contrastive;
    let mut arms = vec![
        (MAIN.to_owned(), &reservoirs, Some(main)),
        (UNTRAINED.into(), &reservoirs, None),
        (NOISY.into(), &noisy, Some(main)),
        (COUNTS.into(), &events, Some(main)),
        (
            RAW.into(),
            &reservoirs,
            Some(Contrastive {
                normalize: false,
                temperature: 1.0,
                ..main
            }),
        ),
        (PROTOTYPES.into(), &reservoirs, Some(prototypes(config))),
    ];
    for temperature in &config.temperatures {
        let contrastive = Contrastive {
            temperature: *temperature,
            ..main
        };
        let name = temperature_name(*temperature);
        arms.push((name, &reservoirs, Some(contrastive)));
    }
    bench.watch().stage("seven digits", 0);
    let in_class = bench.arms(arms.len(), |i, bench| {
        let (name, features, contrastive) = &arms[i];
        bench.stage(&format!("cross {name}"), |bench| {
            in_class(config, name, features, *contrastive, bench)
        })
    })?;
    let pairs = held_out_pairs(config, bench);
    bench.watch().stage("pairs of digits held out", 0);
    let held_out = bench.arms(pairs.len(), |i, bench| {
        let [first, second] = pairs[i];
        bench.stage(&format!("held out {first} {second}"), |bench| {
            held_out(config, &reservoirs, pairs[i], bench)
        })
    })?;
    Ok(Cross {
        in_class,
        held_out,
        n_pairs: training(&reservoirs, &TRAINED)?.len(),
    })
}

/// The baseline's settings: distances of vectors of length 1 are 4 at most, which a temperature as of cosines makes sharp.
pub(super) fn prototypes(config: &Config) -> Contrastive {
    Contrastive {
        objective: Objective::Prototypes {
            support: config.support,
        },
        ..config.contrastive
    }
}

/// So many of the 36 pairs of the digits 1 to 9.
fn held_out_pairs(config: &Config, bench: &Bench) -> Vec<[usize; 2]> {
    let mut pairs: Vec<[usize; 2]> = (1..10)
        .flat_map(|a| (a + 1..10).map(move |b| [a, b]))
        .collect();
    pairs.shuffle(&mut bench.streams().stream("held-out pairs"));
    pairs.truncate(config.held_out);
    pairs.sort_unstable();
    pairs
}

fn features(
    config: &Config,
    data: &Data,
    [a, b]: [Source; 2],
    bench: &Bench,
) -> Result<Features, Failure> {
    // Of no class are there more sounds than this.
    let mut n_sounds = [0; 10];
    for label in &data.audio.train.labels {
        n_sounds[*label] += 1;
    }
    let most = n_sounds.iter().copied().max().unwrap_or(0);
    let side = |name: &str, source: Source, data: &Modality, n: usize, bank: usize| {
        let (train, test) = (data.train.first_of_each(n), data.test.first_of_each(bank));
        let streams = bench.streams().child(name);
        let n_inputs = data.train.steps[0].n_channels();
        let reservoir = source.reservoir(n_inputs, &streams)?;
        let encode = |part: &str, of: &Part| -> Result<Array2<f32>, Failure> {
            let Some(reservoir) = &reservoir else {
                return Ok(of.counts());
            };
            let streams = streams.child(part);
            let watch = Inside(bench.watch());
            Ok(reservoir.encode(&of.steps, &streams, &watch)?.counts)
        };
        Ok::<Side, Failure>(Side {
            train: encode("pair reads", &train)?,
            test: encode("bank reads", &test)?,
            train_labels: train.labels,
            test_labels: test.labels,
        })
    };
    Ok(Features {
        a: side("vision", a, &data.vision, most, config.bank)?,
        b: side("audio", b, &data.audio, most, usize::MAX)?,
    })
}

fn rows_of(labels: &[usize], digits: &[usize]) -> Vec<usize> {
    let of = labels.iter().enumerate();
    let of = of.filter(|(_, l)| digits.contains(l));
    of.map(|(i, _)| i).collect()
}

/// Pairs of these digits, as rows of both sides.
fn training(features: &Features, digits: &[usize]) -> Result<Vec<(usize, usize)>, Failure> {
    let [a, b] = [&features.a, &features.b].map(|s| rows_of(&s.train_labels, digits));
    let label = |side: &Side, rows: &[usize]| -> Vec<usize> {
        rows.iter().map(|i| side.train_labels[*i]).collect()
    };
    let pairs = pair_up(&label(&features.a, &a), &label(&features.b, &b))?;
    Ok(pairs.into_iter().map(|(i, j)| (a[i], b[j])).collect())
}

/// Embedded items, `[item, dimension]`, and their digits.
type Embedded = (Array2<f32>, Vec<usize>);

/// Projections of these digits' pairs, trained or not, and the scales of both sides.
struct Space {
    projections: Projections,
    scales: [Standard; 2],
    loss: Vec<f64>,
}

impl Space {
    fn of(
        config: &Config,
        features: &Features,
        digits: &[usize],
        contrastive: Option<Contrastive>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Self, Failure> {
        let pairs = training(features, digits)?;
        let (rows_a, rows_b): (Vec<usize>, Vec<usize>) = pairs.into_iter().unzip();
        let (a, b) = (
            features.a.train.select(Axis(0), &rows_a),
            features.b.train.select(Axis(0), &rows_b),
        );
        let scales = [Standard::of(a.view())?, Standard::of(b.view())?];
        let (projections, loss) = match contrastive {
            None => {
                let untrained = config.contrastive;
                (untrained.untrained(a.ncols(), b.ncols(), streams), vec![])
            }
            Some(contrastive) => {
                let (a, b) = (scales[0].apply(a.view())?, scales[1].apply(b.view())?);
                let labels: Vec<usize> =
                    rows_a.iter().map(|i| features.a.train_labels[*i]).collect();
                let pairs = Pairs::new(a.view(), b.view(), &labels)?;
                let fitted = contrastive.fit(&pairs, streams, &Inside(watch))?;
                (fitted.projections, fitted.loss)
            }
        };
        Ok(Self {
            projections,
            scales,
            loss,
        })
    }

    /// Embeddings of the test's items of these digits, with their digits: seen, heard.
    fn embedded(&self, features: &Features, digits: &[usize]) -> Result<[Embedded; 2], Failure> {
        let of = |side: &Side| {
            let rows = rows_of(&side.test_labels, digits);
            let labels: Vec<usize> = rows.iter().map(|i| side.test_labels[*i]).collect();
            (side.test.select(Axis(0), &rows), labels)
        };
        let (a, labels_a) = of(&features.a);
        let (b, labels_b) = of(&features.b);
        let a = self.scales[0].apply(a.view())?;
        let b = self.scales[1].apply(b.view())?;
        Ok([
            (self.projections.embed_a(a.view())?, labels_a),
            (self.projections.embed_b(b.view())?, labels_b),
        ])
    }

    fn found(&self, features: &Features, digits: &[usize]) -> Result<Found, Failure> {
        let [(a, labels_a), (b, labels_b)] = self.embedded(features, digits)?;
        Ok(Found {
            audio_to_image: top_1(b.view(), &labels_b, a.view(), &labels_a)?,
            image_to_audio: top_1(a.view(), &labels_a, b.view(), &labels_b)?,
        })
    }
}

fn in_class(
    config: &Config,
    name: &str,
    features: &Features,
    contrastive: Option<Contrastive>,
    bench: &Bench,
) -> Result<InClass, Failure> {
    let streams = bench.streams().child("projections");
    let space = |streams: &Streams| {
        Space::of(
            config,
            features,
            &TRAINED,
            contrastive,
            streams,
            bench.watch(),
        )
    };
    let (mut found, mut papers_pair) = (vec![], vec![]);
    if contrastive.is_none() {
        // One draw may do well or badly by chance.
        for draw in 0..UNTRAINED_DRAWS {
            let space = space(&streams.child(&draw.to_string()))?;
            found.push(space.found(features, &TRAINED)?);
            papers_pair.push(space.found(features, &PAPERS_PAIR)?);
        }
    }
    let space = space(&streams)?;
    if contrastive.is_some() {
        found.push(space.found(features, &TRAINED)?);
        papers_pair.push(space.found(features, &PAPERS_PAIR)?);
    }
    let all: Vec<usize> = (0..10).collect();
    let [(a, labels_a), (b, labels_b)] = space.embedded(features, &all)?;
    let similarity = class_similarity(b.view(), &labels_b, a.view(), &labels_a, 10)?;
    Ok(InClass {
        name: name.into(),
        found: Found::mean(&found),
        papers_pair: Found::mean(&papers_pair),
        similarity: similarity.outer_iter().map(|row| row.to_vec()).collect(),
        loss: space.loss,
    })
}

fn held_out(
    config: &Config,
    features: &Features,
    pair: [usize; 2],
    bench: &Bench,
) -> Result<HeldOut, Failure> {
    let digits: Vec<usize> = (1..10).filter(|d| !pair.contains(d)).collect();
    let streams = bench.streams().child("projections");
    let space = |contrastive| {
        Space::of(
            config,
            features,
            &digits,
            contrastive,
            &streams,
            bench.watch(),
        )
    };
    let (space, untrained) = (space(Some(config.contrastive))?, space(None)?);
    Ok(HeldOut {
        pair,
        found: space.found(features, &pair)?,
        untrained: untrained.found(features, &pair)?,
        in_class: space.found(features, &digits)?,
    })
}
