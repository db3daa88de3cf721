//! Digits seen and digits heard, as events.

use chiasm_core::{Failure, SettingError};
use chiasm_data::events::{Binning, Steps};
use chiasm_data::generate::{saccades, voiced_digits};
use chiasm_data::sound::Spoken;
use chiasm_data::{DataError, Place};
use chiasm_lab::Bench;
use ndarray::{Array2, ArrayView2};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::config::{Config, Sounds};
use crate::{images, sounds};

/// Samples and their digits.
pub(super) struct Part {
    pub(super) steps: Vec<Steps>,
    pub(super) labels: Vec<usize>,
}

impl Part {
    /// The first `n` samples of each of these classes, class by class.
    pub(super) fn first_of_each(&self, n: usize) -> Self {
        let mut part = Self {
            steps: vec![],
            labels: vec![],
        };
        for class in 0..10 {
            let of = self.steps.iter().zip(&self.labels);
            for (steps, label) in of.filter(|(_, l)| **l == class).take(n) {
                part.steps.push(steps.clone());
                part.labels.push(*label);
            }
        }
        part
    }

    /// In how many steps each channel is active, `[sample, channel]`.
    pub(super) fn counts(&self) -> Array2<f32> {
        let n = self.steps.first().map_or(0, Steps::n_channels);
        let mut counts = Array2::zeros((self.steps.len(), n));
        for (steps, mut row) in self.steps.iter().zip(counts.outer_iter_mut()) {
            let of = steps.counts();
            row.iter_mut().zip(of).for_each(|(r, c)| *r = c as f32);
        }
        counts
    }

    /// Mean active channels of a sample.
    pub(super) fn mean_events(&self) -> f64 {
        let all: usize = self.steps.iter().map(Steps::n_active).sum();
        all as f64 / self.steps.len().max(1) as f64
    }
}

/// One modality.
pub(super) struct Modality {
    pub(super) train: Part,
    pub(super) test: Part,
    /// What it is, for captions.
    pub(super) name: &'static str,
}

/// Both.
pub(super) struct Data {
    pub(super) vision: Modality,
    pub(super) audio: Modality,
    pub(super) is_mnist: bool,
    pub(super) is_fsdd: bool,
}

pub(super) fn data(config: &Config, bench: &mut Bench) -> Result<Data, Failure> {
    let grey = images::load(config.images, (config.n_train, config.n_test), bench)?;
    let streams = bench.streams().child("images");
    let draw = |name: &str, part: &images::Part, n: usize| {
        let mut rows: Vec<usize> = (0..part.labels.len()).collect();
        rows.shuffle(&mut streams.stream(name));
        rows.truncate(n);
        seen(config, part, &rows)
    };
    let vision = Modality {
        train: draw("train", &grey.train, config.n_train)?,
        test: draw("test", &grey.test, config.n_test)?,
        name: grey.name,
    };
    let (spoken, name, is_fsdd) = sounds(config, bench)?;
    let (test, train): (Vec<&Spoken>, Vec<&Spoken>) = spoken.iter().partition(|s| s.is_test());
    for (what, part) in [("takes 0 to 4", &test), ("takes from 5", &train)] {
        let place = Place::dataset("spoken digits");
        if part.is_empty() {
            return Err(DataError::invalid(place, what, "none").into());
        }
    }
    let shuffled = |name: &str, mut of: Vec<&Spoken>| {
        of.shuffle(&mut bench.streams().child("sounds").stream(name));
        heard(config, &of)
    };
    let audio = Modality {
        train: shuffled("train", train)?,
        test: shuffled("test", test)?,
        name,
    };
    Ok(Data {
        is_mnist: grey.is_mnist(),
        is_fsdd,
        vision,
        audio,
    })
}

/// Spoken digits, what they are, and whether people speak them.
fn sounds(
    config: &Config,
    bench: &mut Bench,
) -> Result<(Vec<Spoken>, &'static str, bool), Failure> {
    match config.sounds {
        Sounds::Fsdd => {
            let found = sounds::load(bench)?;
            let is_speech = found.is_speech();
            Ok((found.spoken, found.name, is_speech))
        }
        Sounds::Voiced => {
            let streams = bench.streams().child("voices");
            let voiced = voiced_digits(6, config.voiced_takes, &streams)?;
            Ok((voiced, "made-up voices", false))
        }
    }
}

/// Images, `[image, pixel]` of square images, as events of a jumping gaze.
fn seen(config: &Config, part: &images::Part, rows: &[usize]) -> Result<Part, Failure> {
    let binning = Binning {
        step_us: config.saccades.step_us,
        n_steps: config.saccades.n_steps,
        ..Binning::default()
    };
    let side = part.pixels.ncols().isqrt();
    let events = |row: &usize| -> Result<Steps, Failure> {
        let pixels = part.pixels.row(*row);
        let pixels = pixels.as_slice().unwrap_or(&[]);
        let image = ArrayView2::from_shape((side, side), pixels)
            .map_err(|e| SettingError::new("images", "square images", e))?;
        Ok(saccades(image, &config.saccades)?.steps(&binning)?)
    };
    let steps: Result<Vec<Steps>, Failure> = rows.par_iter().map(events).collect();
    Ok(Part {
        steps: steps?,
        labels: rows.iter().map(|r| usize::from(part.labels[*r])).collect(),
    })
}

/// Sounds as events of mel-spaced bands.
fn heard(config: &Config, spoken: &[&Spoken]) -> Result<Part, Failure> {
    let events = |spoken: &&Spoken| -> Result<Steps, Failure> {
        let bands = config.mel.spikes(&spoken.sound)?;
        Ok(Steps::new(config.mel.bands, bands)?)
    };
    let steps: Result<Vec<Steps>, Failure> = spoken.par_iter().map(events).collect();
    Ok(Part {
        steps: steps?,
        labels: spoken.iter().map(|s| usize::from(s.digit)).collect(),
    })
}
