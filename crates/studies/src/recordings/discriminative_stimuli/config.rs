//! Settings of the study and of the method on own data.

use std::path::PathBuf;

use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use chiasm_probe::stimuli::{self, Nonlinearity, Training};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Sets of neurons that everything is measured on, each drawn for itself (card: 5).
    pub datasets: usize,
    /// Neurons of each of the 8 types (card: 12).
    pub neurons_per_type: usize,
    /// Numbers of clusters to begin with, in ascending order (card: 4, 8, 12, 24).
    pub start_clusters: Vec<usize>,
    /// The number of clusters to begin with where the split stage is measured (card: 12).
    pub split_from: usize,
    /// Norm of the noise of each neuron's filter, in that of its type's prototype (card: 0.5).
    pub filter_noise: f64,
    /// Gaussian images of which the z-scores are taken (card: 500).
    pub reference_images: usize,
    /// Fresh neurons of each type, to be typed by a few stimuli (card: 25, which makes 200).
    pub fresh_per_type: usize,
    /// Noise of the responses of fresh neurons, z-scores (card: 0.5).
    pub response_noise: f64,
    /// Amplitudes at which the toy of ON and OFF neurons is clustered: norms of its images.
    pub toy_norms: Vec<f64>,
    /// Measure harder neurons, too: types of unlike size, phase-invariant ones, a network fitted to neurons, and ones
    /// that see movies.
    pub hard: bool,
    /// Images that the network is fitted to (chosen).
    pub training_images: usize,
    /// How it is fitted.
    pub training: Training,
    /// Side of the frames of the movies (card: 20).
    pub movie_side: usize,
    /// Frames of the movies (card: 15).
    pub movie_frames: usize,
    /// Types that see movies, at most 32 (card: 32).
    pub movie_types: usize,
    /// Neurons of each type that sees movies (card: 1000 in all).
    pub movie_neurons_per_type: usize,
    /// The clustering by the paper's rule.
    pub paper: stimuli::Config,
    /// The clustering that judges each neuron by stimuli made without it.
    pub held_out: stimuli::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            datasets: 5,
            neurons_per_type: 12,
            start_clusters: vec![4, 8, 12, 24],
            split_from: 12,
            filter_noise: 0.5,
            reference_images: 500,
            fresh_per_type: 25,
            response_noise: 0.5,
            toy_norms: vec![1.0, 10.0, 100.0, 1000.0],
            hard: true,
            training_images: 4000,
            training: Training::default(),
            movie_side: 12,
            movie_frames: 10,
            movie_types: 8,
            movie_neurons_per_type: 8,
            paper: stimuli::Config::default(),
            held_out: stimuli::Config::held_out(),
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                datasets: 20,
                movie_side: 20,
                movie_frames: 15,
                movie_types: 32,
                movie_neurons_per_type: 31,
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            datasets: 2,
            neurons_per_type: 4,
            start_clusters: vec![4, 6],
            split_from: 4,
            reference_images: 50,
            fresh_per_type: 3,
            training_images: 200,
            training: Training {
                features: 8,
                epochs: 2,
                ..Training::default()
            },
            movie_side: 6,
            movie_frames: 6,
            movie_types: 4,
            movie_neurons_per_type: 3,
            paper: stimuli::Config {
                steps: 10,
                split_iterations: 5,
                ..stimuli::Config::default()
            },
            held_out: stimuli::Config {
                steps: 10,
                max_iterations: 5,
                split_steps: 5,
                split_iterations: 3,
                ..stimuli::Config::held_out()
            },
            ..Self::default()
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let n = self.datasets;
        SettingError::check((1..=1000).contains(&n), "datasets", "1 to 1000", n)?;
        let n = self.neurons_per_type;
        SettingError::check(
            (1..=10_000).contains(&n),
            "neurons_per_type",
            "1 to 10000",
            n,
        )?;
        let neurons = 8 * self.neurons_per_type;
        let starts = &self.start_clusters;
        let found = format!("{starts:?}");
        let fine = !starts.is_empty() && starts.windows(2).all(|w| w[0] < w[1]);
        let expected = "one or more numbers in ascending order";
        SettingError::check(fine, "start_clusters", expected, &found)?;
        let fine = starts.iter().all(|k| (2..=neurons).contains(k));
        let expected = format!("2 to the number of neurons, {neurons}");
        SettingError::check(fine, "start_clusters", &expected, &found)?;
        let k = self.split_from;
        SettingError::check((2..=neurons).contains(&k), "split_from", &expected, k)?;
        for (name, value) in [
            ("filter_noise", self.filter_noise),
            ("response_noise", self.response_noise),
        ] {
            SettingError::check((0.0..=100.0).contains(&value), name, "0 to 100", value)?;
        }
        let n = self.reference_images;
        SettingError::check(n >= 2, "reference_images", "at least 2", n)?;
        let n = self.fresh_per_type;
        SettingError::check((1..=10_000).contains(&n), "fresh_per_type", "1 to 10000", n)?;
        let norms = &self.toy_norms;
        let fine = !norms.is_empty()
            && norms.windows(2).all(|w| w[0] < w[1])
            && norms.iter().all(|n| *n > 0.0 && n.is_finite());
        let expected = "one or more norms above 0 in ascending order";
        SettingError::check(fine, "toy_norms", expected, format!("{norms:?}"))?;
        for (name, value, least, most) in [
            ("movie_side", self.movie_side, 4, 256),
            ("movie_frames", self.movie_frames, 4, 256),
            ("movie_types", self.movie_types, 2, 32),
            (
                "movie_neurons_per_type",
                self.movie_neurons_per_type,
                1,
                10_000,
            ),
        ] {
            let expected = format!("{least} to {most}");
            SettingError::check((least..=most).contains(&value), name, &expected, value)?;
        }
        let within = |name: &str, c: &stimuli::Config| {
            c.validate().map_err(|mut e| {
                e.field = format!("{name}.{}", e.field);
                e
            })
        };
        let n = self.training_images;
        SettingError::check(
            (4..=1_000_000).contains(&n),
            "training_images",
            "4 to 1000000",
            n,
        )?;
        self.training.validate().map_err(|mut e| {
            e.field = format!("training.{}", e.field);
            e
        })?;
        within("paper", &self.paper)?;
        within("held_out", &self.held_out)
    }
}

/// Settings of the method on own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The clustering. Judges neurons by stimuli made without them unless clustering.held_out=false.
    pub clustering: stimuli::Config,
    /// A CSV file with the true type of each neuron (column label, type or kind), to compare with.
    pub labels: Option<PathBuf>,
    /// A file of arrays with the responses of the neurons to reference stimuli (responses, [stimulus, neuron]), of which
    /// the z-scores are taken; by default the model's own responses to Gaussian stimuli of the set norm.
    pub reference: Option<PathBuf>,
    /// Gaussian stimuli of which the z-scores are taken where there are no reference responses.
    pub reference_stimuli: usize,
    /// What makes a score of a neuron's drive.
    pub nonlinearity: Nonlinearity,
    /// Of movie models: the first output frame whose score counts; the middle of the movie if not given.
    pub window_from: Option<usize>,
    /// Of movie models: frames of a stimulus; twice the lags if not given.
    pub frames_of_stimulus: Option<usize>,
    /// Neurons whose margin between the best two stimuli is below this many z-scores are listed as ambiguous.
    pub ambiguous_margin: f64,
    /// Of recordings: a file of arrays with the frames that were shown (frames, [frame, line, column]) and their times
    /// (frame_times, s). If given, the files are recordings.
    pub frames: Option<PathBuf>,
    /// Of recordings: lags of the receptive fields, frames.
    pub lags: usize,
    /// Of recordings: ridge penalty of the receptive fields, in the mean variance of a pixel.
    pub ridge: f64,
    /// Of recordings: units whose receptive field predicts held-out responses with a correlation below this are left out.
    pub least_correlation: f64,
    /// Of recordings: shift each receptive field to the center of the frame, so that types do not reflect positions.
    pub center: bool,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            clustering: stimuli::Config::held_out(),
            labels: None,
            reference: None,
            reference_stimuli: 500,
            nonlinearity: Nonlinearity::Softplus,
            window_from: None,
            frames_of_stimulus: None,
            ambiguous_margin: 1.0,
            frames: None,
            lags: 8,
            ridge: 1.0,
            least_correlation: 0.1,
            center: true,
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        self.clustering.validate().map_err(|mut e| {
            e.field = format!("clustering.{}", e.field);
            e
        })?;
        let n = self.reference_stimuli;
        SettingError::check(n >= 2, "reference_stimuli", "at least 2", n)?;
        let m = self.ambiguous_margin;
        SettingError::check(m.is_finite(), "ambiguous_margin", "a finite margin", m)?;
        let l = self.lags;
        SettingError::check((1..=1000).contains(&l), "lags", "1 to 1000", l)?;
        let r = self.ridge;
        let fine = r > 0.0 && r.is_finite();
        SettingError::check(fine, "ridge", "a finite penalty above 0", r)?;
        let c = self.least_correlation;
        SettingError::check((-1.0..=1.0).contains(&c), "least_correlation", "-1 to 1", c)
    }
}
