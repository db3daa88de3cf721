//! Spoken words as the spikes of an artificial cochlea, in the layout of Spiking Heidelberg Digits and Spiking Speech Commands
//! (Cramer et al. 2020).

use std::path::{Path, PathBuf};

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Event, Events, Sensor};
use crate::datasets::Roots;
use crate::error::{DataError, Place};
use crate::formats::arrays::Arrays;
use crate::formats::hdf5::H5;

const TIMES: &str = "spikes/times";
const UNITS: &str = "spikes/units";
const LABELS: &str = "labels";
const SPEAKERS: &str = "extra/speaker";
const CLASSES: &str = "extra/keys";

/// One spoken word.
#[derive(Debug, Clone, PartialEq)]
pub struct SpokenWord {
    times_s: Vec<f32>,
    units: Vec<u16>,
    /// The index of its class.
    pub label: usize,
    /// Who said it, where the file tells.
    pub speaker: Option<u32>,
}

/// The words of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct SpokenWords {
    words: Vec<SpokenWord>,
    classes: Vec<String>,
}

/// How spikes become counts in steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CochleaBinning {
    /// Length of a step, seconds (card 45: 10 ms).
    pub step_s: f64,
    /// Steps of a word; what comes later is left out (chosen: 140, the longest word has 1.37 s).
    pub steps: usize,
    /// Neighboring units that are one channel (card 45: 5).
    pub together: usize,
}

impl Default for CochleaBinning {
    fn default() -> Self {
        Self {
            step_s: 0.01,
            steps: 140,
            together: 5,
        }
    }
}

impl CochleaBinning {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let step = self.step_s;
        let fine = step.is_finite() && (1e-6..=10.0).contains(&step);
        SettingError::check(fine, "step_s", "a microsecond to ten seconds", step)?;
        let fine = (1..=1_000_000).contains(&self.steps);
        SettingError::check(fine, "steps", "1 to 1,000,000", self.steps)?;
        let fine = (1..=SpokenWords::UNITS).contains(&self.together);
        SettingError::check(fine, "together", "1 to 700 units", self.together)
    }

    /// Channels that units become.
    #[must_use]
    pub fn channels(&self) -> usize {
        SpokenWords::UNITS.div_ceil(self.together)
    }
}

impl SpokenWord {
    /// When each spike came, seconds, ascending.
    #[must_use]
    pub fn times_s(&self) -> &[f32] {
        &self.times_s
    }

    /// Which unit each spike is of, below [`SpokenWords::UNITS`].
    #[must_use]
    pub fn units(&self) -> &[u16] {
        &self.units
    }

    /// The spikes of each channel in each step: `(step, channel, spikes)`, ascending, where there is one.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn counts(&self, binning: &CochleaBinning) -> Result<Vec<(u32, u32, u32)>, SettingError> {
        binning.validate()?;
        let at = |(t, unit): (&f32, &u16)| {
            let step = (f64::from(*t) / binning.step_s) as u64;
            let channel = u32::from(*unit) / binning.together as u32;
            (step < binning.steps as u64).then_some((step as u32, channel))
        };
        let mut all: Vec<(u32, u32)> = self
            .times_s
            .iter()
            .zip(&self.units)
            .filter_map(at)
            .collect();
        all.sort_unstable();
        let mut counts: Vec<(u32, u32, u32)> = vec![];
        for (step, channel) in all {
            match counts.last_mut() {
                Some((s, c, n)) if (*s, *c) == (step, channel) => *n += 1,
                _ => counts.push((step, channel, 1)),
            }
        }
        Ok(counts)
    }

    /// The word as events of a sensor of one row, times in whole microseconds.
    ///
    /// # Errors
    /// None that a word which was read can have.
    pub fn events(&self) -> Result<Events, DataError> {
        let event = |(t, unit): (&f32, &u16)| Event {
            t_us: (f64::from(*t) * 1e6).round() as u64,
            x: *unit,
            y: 0,
            on: true,
        };
        let events = self.times_s.iter().zip(&self.units).map(event).collect();
        Events::new(Sensor::new(SpokenWords::UNITS as u16, 1), events)
    }
}

impl SpokenWords {
    /// Units of the cochlea.
    pub const UNITS: usize = 700;

    /// Reads an HDF5 file with `spikes/times` (seconds) and `spikes/units` (0 to 699), lists of one length for each word,
    /// `labels`, and, where they are there, `extra/speaker` and `extra/keys`, the classes' names.
    ///
    /// # Errors
    /// [`DataError`] naming file, dataset and word: a dataset that is missing or holds something else, lists of different
    /// lengths, a time that is not finite, below 0 or before the one ahead of it, a unit or a label that is none, no word.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        Self::of(&H5::open(path)?).map_err(|e| e.in_file(path))
    }

    fn of(file: &H5) -> Result<Self, DataError> {
        let times = file.lists(TIMES)?;
        let units = file.lists(UNITS)?;
        let labels = file.vector(LABELS)?;
        let names = file.names()?;
        let has = |name: &str| names.iter().any(|n| n == name);
        let speakers = match has(SPEAKERS) {
            true => Some(file.vector(SPEAKERS)?),
            false => None,
        };
        let classes = match has(CLASSES) {
            true => file.texts(CLASSES)?,
            false => vec![],
        };
        let n = times.len();
        if n == 0 {
            return Err(invalid(TIMES, None, "at least one word", "none"));
        }
        let lengths = [(UNITS, Some(units.len())), (LABELS, Some(labels.len()))];
        let speaking = (SPEAKERS, speakers.as_ref().map(Vec::len));
        for (name, found) in lengths.into_iter().chain([speaking]) {
            if found.is_some_and(|found| found != n) {
                let expected = format!("{n} entries, as `{TIMES}` has");
                return Err(invalid(name, None, expected, found.unwrap_or(0)));
            }
        }
        let most = match classes.len() {
            0 => f64::from(u16::MAX),
            n => (n - 1) as f64,
        };
        let mut words = Vec::with_capacity(n);
        for (i, (times_s, units)) in times.into_iter().zip(units).enumerate() {
            let label = whole(LABELS, i, labels[i], most)?;
            let speaker = speakers.as_ref().map(|s| whole(SPEAKERS, i, s[i], 1e9));
            words.push(SpokenWord {
                units: checked(i, &times_s, &units)?,
                times_s,
                label: label as usize,
                speaker: speaker.transpose()?,
            });
        }
        let n_classes = words.iter().map(|w| w.label).max().unwrap_or(0) + 1;
        let classes = match classes.is_empty() {
            true => (0..n_classes).map(|c| c.to_string()).collect(),
            false => classes,
        };
        Ok(Self { words, classes })
    }

    /// The words, in the file's order.
    #[must_use]
    pub fn words(&self) -> &[SpokenWord] {
        &self.words
    }

    /// Names of the classes; their numbers where the file has no names.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }
}

/// The files to learn from and to test on, `shd_train.h5` and `shd_test.h5`, in a folder.
#[must_use]
pub fn heidelberg_files(folder: &Path) -> [PathBuf; 2] {
    ["shd_train.h5", "shd_test.h5"].map(|name| folder.join(name))
}

/// The folder of Spiking Heidelberg Digits (`shd` below `CHIASM_DATA` or the user's cache), if it is on this machine.
#[must_use]
pub fn heidelberg_folder(roots: &Roots) -> Option<PathBuf> {
    let roots = roots.named.iter().chain(&roots.cache);
    let mut folders = roots.map(|root| root.join("shd"));
    folders.find(|folder| heidelberg_files(folder).iter().all(|f| f.is_file()))
}

fn invalid(
    name: &str,
    word: Option<usize>,
    expected: impl Into<String>,
    found: impl std::fmt::Display,
) -> DataError {
    let place = Place::dataset(name);
    let place = word.map_or(place.clone(), |i| place.index(i));
    DataError::invalid(place, expected, found)
}

fn whole(name: &str, word: usize, value: f64, most: f64) -> Result<u32, DataError> {
    if (0.0..=most).contains(&value) && value.fract() == 0.0 {
        return Ok(value as u32);
    }
    let expected = format!("a whole number from 0 to {most}");
    Err(invalid(name, Some(word), expected, value))
}

/// The units of a word whose times and units are as they should be.
fn checked(word: usize, times: &[f32], units: &[f32]) -> Result<Vec<u16>, DataError> {
    if units.len() != times.len() {
        let expected = format!("{} units, one for each time", times.len());
        return Err(invalid(UNITS, Some(word), expected, units.len()));
    }
    let mut last = 0.0;
    for (spike, t) in times.iter().enumerate() {
        if !t.is_finite() || *t < 0.0 {
            let expected = "finite seconds of at least 0";
            let found = format!("{t} at spike {spike}");
            return Err(invalid(TIMES, Some(word), expected, found));
        }
        if *t < last {
            let expected = format!("at least {last} s, the time of the spike before");
            let found = format!("{t} s at spike {spike}");
            return Err(invalid(TIMES, Some(word), expected, found)
                .with_help("sort the spikes of each word by time"));
        }
        last = *t;
    }
    let most = (SpokenWords::UNITS - 1) as f32;
    let unit = |(spike, v): (usize, &f32)| {
        if (0.0..=most).contains(v) && v.fract() == 0.0 {
            return Ok(*v as u16);
        }
        let found = format!("{v} at spike {spike}");
        let expected = format!("a unit, a whole number from 0 to {most}");
        Err(invalid(UNITS, Some(word), expected, found))
    };
    units.iter().enumerate().map(unit).collect()
}

#[cfg(test)]
mod tests;
