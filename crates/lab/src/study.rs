//! What a study is: a paper's experiment ([`Study`]), the method on the user's own data ([`Fit`]), and the two together
//! in a catalogue ([`Entry`]).

use std::path::PathBuf;

use chiasm_core::{Failure, SettingError};
use chiasm_data::io::{Mapping, ReadOptions, read};
use chiasm_data::{DataError, Missing, Place, Recording};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bench::{Bench, Findings};
use crate::claim::ClaimSpec;

/// The area of the catalogue a study belongs to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Area {
    Recordings,
    Spiking,
    Neurons,
    Continual,
    Embodied,
    Microscope,
    Learning,
    Structure,
}

/// The paper behind a study, as it is to be cited.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paper {
    /// Number of the paper in the catalogue, 1 to 56.
    pub card: u8,
    /// Title.
    pub title: &'static str,
    /// Authors, as cited.
    pub authors: &'static str,
    /// Journal, conference or archive.
    pub venue: &'static str,
    /// Year.
    pub year: u16,
    /// DOI or arXiv address.
    pub link: &'static str,
}

/// What the catalogue says of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyInfo {
    /// The command: `chiasm run NAME`.
    pub name: &'static str,
    /// Its area.
    pub area: Area,
    /// What it is, in one line.
    pub title: &'static str,
    /// What it does and shows, in a paragraph.
    pub summary: &'static str,
    /// Where its method lives, such as `analysis::connectome`.
    pub home: &'static str,
    /// What it takes in: formats and shapes, in a sentence.
    pub inputs: &'static str,
    /// Its paper.
    pub paper: Paper,
}

/// A named set of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Minutes at most on two cores, and still shows the effect.
    #[default]
    Quick,
    /// The paper's own scale.
    Paper,
}

/// The settings of a study or a method: a plain struct whose doc comments become `chiasm show`'s help.
pub trait Settings: Serialize + DeserializeOwned + JsonSchema + Default + Clone + 'static {
    /// The settings of this preset. Methods that have but one leave this alone.
    #[must_use]
    fn preset(_preset: Preset) -> Self {
        Self::default()
    }

    /// The smallest settings at which a study still records all it records: what the shared checks run, twice, in
    /// seconds.
    #[must_use]
    fn smoke() -> Self {
        Self::preset(Preset::Quick)
    }

    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field, what was expected and what was found.
    fn validate(&self) -> Result<(), SettingError>;
}

/// A paper's experiment: data with planted truth or embedded in the binary, arms, metrics, claims, figures.
pub trait Study: Send + Sync + 'static {
    /// Its settings.
    type Config: Settings;

    /// What the catalogue says of it.
    fn info(&self) -> &'static StudyInfo;

    /// What the paper claims, each bound to a metric that [`Study::run`] records.
    fn claims(&self) -> Vec<ClaimSpec>;

    /// Runs the experiment once, for the bench's seed.
    ///
    /// # Errors
    /// Any diagnosed failure of data, method or machine.
    fn run(&self, config: &Self::Config, bench: &mut Bench) -> Result<Findings, Failure>;
}

/// A method on the user's own data.
pub trait Fit: Send + Sync + 'static {
    /// Its settings.
    type Config: Settings;

    /// Fits the method to the input and leaves metrics, figures and recordings on the bench.
    ///
    /// # Errors
    /// A refusal that names file, unit and index where the data do not fit the method; any failure of the method.
    fn fit(
        &self,
        config: &Self::Config,
        input: &Input,
        bench: &mut Bench,
    ) -> Result<Findings, Failure>;
}

/// The user's own data: files, and how to read them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    /// The files, in the order given.
    pub paths: Vec<PathBuf>,
    /// How an HDF5, MAT or NPZ file of unknown layout maps to a recording (`traces=gcamp/trace_array,...` or a path to
    /// a TOML file).
    pub map: Option<String>,
    /// What to do with missing samples.
    pub missing: Missing,
    /// The span of time that is kept, s, ends included; all of it if not given.
    pub span_s: Option<(f64, f64)>,
}

impl Input {
    /// The recordings in the files. What was repaired on the way in is noted on the bench.
    ///
    /// # Errors
    /// [`DataError`], naming the file and what in it was expected and found; no file at all.
    pub fn recordings(&self, bench: &mut Bench) -> Result<Vec<Recording>, Failure> {
        if self.paths.is_empty() {
            let place = Place::dataset("input");
            return Err(DataError::invalid(place, "at least one recording", "no file").into());
        }
        let map = self
            .map
            .as_deref()
            .map(Mapping::from_argument)
            .transpose()?;
        let options = ReadOptions {
            map,
            missing: self.missing,
            span_s: self.span_s,
            ..ReadOptions::default()
        };
        let mut recordings = Vec::new();
        for path in &self.paths {
            let recording = read(path, &options)?;
            for repair in recording.repairs() {
                let file = path.display();
                bench.note(format!("{file}: {} ({})", repair.what, repair.n));
            }
            recordings.push(recording);
        }
        Ok(recordings)
    }
}

/// A study, and its method on own data if it takes any, in a catalogue.
pub struct Entry {
    study: Box<dyn ErasedStudy>,
    fit: Result<Box<dyn ErasedFit>, &'static str>,
}

impl Entry {
    /// A study whose method takes the user's own data through `fit`.
    pub fn new<S: Study, F: Fit>(study: S, fit: F) -> Self {
        Self {
            study: Box::new(study),
            fit: Ok(Box::new(fit)),
        }
    }

    /// A study whose method makes no sense on own data, for this reason.
    pub fn without_data<S: Study>(study: S, reason: &'static str) -> Self {
        Self {
            study: Box::new(study),
            fit: Err(reason),
        }
    }

    /// What the catalogue says of it.
    #[must_use]
    pub fn info(&self) -> &'static StudyInfo {
        self.study.info()
    }

    /// The study.
    #[must_use]
    pub fn study(&self) -> &dyn ErasedStudy {
        &*self.study
    }

    /// The method on own data, or why there is none.
    ///
    /// # Errors
    /// The reason why this study takes no data.
    pub fn fit(&self) -> Result<&dyn ErasedFit, &'static str> {
        self.fit.as_deref().map_err(|reason| *reason)
    }
}

/// [`Study`] without its config's type: what the registry and the faces hold.
pub trait ErasedStudy: Send + Sync {
    /// See [`Study::info`].
    fn info(&self) -> &'static StudyInfo;
    /// See [`Study::claims`].
    fn claims(&self) -> Vec<ClaimSpec>;
    /// The JSON schema of the settings.
    fn schema(&self) -> serde_json::Value;
    /// The settings of a preset.
    fn preset(&self, preset: Preset) -> serde_json::Value;
    /// The smallest settings: see [`Settings::smoke`].
    fn smoke(&self) -> serde_json::Value;
    /// Parses and validates settings, and returns them in their one canonical form (all settings present, `2` for a
    /// number written as `2.0` where it is one).
    ///
    /// # Errors
    /// Where they do not fit the schema or are out of range.
    fn check(&self, config: &serde_json::Value) -> Result<serde_json::Value, Failure>;
    /// Parses, validates and runs.
    ///
    /// # Errors
    /// As [`ErasedStudy::check`] and [`Study::run`].
    fn run(&self, config: &serde_json::Value, bench: &mut Bench) -> Result<Findings, Failure>;
}

/// [`Fit`] without its config's type.
pub trait ErasedFit: Send + Sync {
    /// The JSON schema of the settings.
    fn schema(&self) -> serde_json::Value;
    /// The default settings.
    fn preset(&self, preset: Preset) -> serde_json::Value;
    /// Parses and validates settings, and returns them in their one canonical form (all settings present, `2` for a
    /// number written as `2.0` where it is one).
    ///
    /// # Errors
    /// Where they do not fit the schema or are out of range.
    fn check(&self, config: &serde_json::Value) -> Result<serde_json::Value, Failure>;
    /// Parses, validates and fits.
    ///
    /// # Errors
    /// As [`ErasedFit::check`] and [`Fit::fit`].
    fn fit(
        &self,
        config: &serde_json::Value,
        input: &Input,
        bench: &mut Bench,
    ) -> Result<Findings, Failure>;
}

fn parse<C: Settings>(config: &serde_json::Value) -> Result<C, Failure> {
    let parsed: C = serde_json::from_value(config.clone())
        .map_err(|e| SettingError::new("config", "settings that fit the schema", e))?;
    parsed.validate()?;
    Ok(parsed)
}

fn to_value<C: Settings>(config: &C) -> serde_json::Value {
    serde_json::to_value(config).expect("settings are plain data")
}

fn schema<C: Settings>() -> serde_json::Value {
    schemars::schema_for!(C).to_value()
}

impl<S: Study> ErasedStudy for S {
    fn info(&self) -> &'static StudyInfo {
        Study::info(self)
    }
    fn claims(&self) -> Vec<ClaimSpec> {
        Study::claims(self)
    }
    fn schema(&self) -> serde_json::Value {
        schema::<S::Config>()
    }
    fn preset(&self, preset: Preset) -> serde_json::Value {
        to_value(&S::Config::preset(preset))
    }
    fn smoke(&self) -> serde_json::Value {
        to_value(&S::Config::smoke())
    }
    fn check(&self, config: &serde_json::Value) -> Result<serde_json::Value, Failure> {
        parse::<S::Config>(config).map(|c| to_value(&c))
    }
    fn run(&self, config: &serde_json::Value, bench: &mut Bench) -> Result<Findings, Failure> {
        Study::run(self, &parse(config)?, bench)
    }
}

impl<F: Fit> ErasedFit for F {
    fn schema(&self) -> serde_json::Value {
        schema::<F::Config>()
    }
    fn preset(&self, preset: Preset) -> serde_json::Value {
        to_value(&F::Config::preset(preset))
    }
    fn check(&self, config: &serde_json::Value) -> Result<serde_json::Value, Failure> {
        parse::<F::Config>(config).map(|c| to_value(&c))
    }
    fn fit(
        &self,
        config: &serde_json::Value,
        input: &Input,
        bench: &mut Bench,
    ) -> Result<Findings, Failure> {
        Fit::fit(self, &parse(config)?, input, bench)
    }
}
