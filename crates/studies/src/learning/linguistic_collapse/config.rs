//! Settings of the study and of the measures on own data.

use std::path::PathBuf;

use chiasm_analysis::collapse::Pairs;
use chiasm_core::SettingError;
use chiasm_lab::{Preset, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the study. The defaults are the quick preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Read the published table of 230 models, where it is found (`chiasm data get collapse-table`).
    pub published: bool,
    /// Shuffles of a permutation test (card 50, C: 10,000).
    pub shuffles: usize,
    /// Uniform random directions on each sphere (chosen).
    pub directions: usize,
    /// Numbers of features of these spheres (card 50, works when 2: 32, 64 and 256).
    pub spheres: Vec<usize>,
    /// Classes whose collapse is planted (chosen).
    pub classes: usize,
    /// Features of it (chosen).
    pub features: usize,
    /// Samples of each class (card 50, works when 4: 500).
    pub per_class: usize,
    /// Standard deviations of the scatter, ascending, in units of the distance between class means (chosen).
    pub scatter: Vec<f64>,
    /// Classes of the unbalanced set on which passes in batches and shards are compared with the plain version (chosen).
    pub stream_classes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            published: true,
            shuffles: 10_000,
            directions: 3000,
            spheres: vec![32, 64, 256],
            classes: 24,
            features: 32,
            per_class: 500,
            scatter: vec![0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
            stream_classes: 60,
        }
    }
}

impl Settings for Config {
    fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Quick => Self::default(),
            Preset::Paper => Self {
                directions: 29_233,
                spheres: vec![32, 64, 128, 256, 512, 768, 1024],
                ..Self::default()
            },
        }
    }

    fn smoke() -> Self {
        Self {
            published: false,
            shuffles: 50,
            directions: 300,
            spheres: vec![8],
            classes: 6,
            features: 8,
            per_class: 2000,
            scatter: vec![0.01, 0.1],
            stream_classes: 12,
        }
    }

    fn validate(&self) -> Result<(), SettingError> {
        let n = self.shuffles;
        SettingError::check((1..=10_000_000).contains(&n), "shuffles", "1 to 1e7", n)?;
        let n = self.directions;
        SettingError::check(
            (10..=100_000).contains(&n),
            "directions",
            "10 to 100,000",
            n,
        )?;
        let fine = self.spheres.iter().all(|d| (2..=4096).contains(d));
        let fine = fine && !self.spheres.is_empty();
        let found = format!("{:?}", self.spheres);
        SettingError::check(fine, "spheres", "2 to 4096 features, one or more", found)?;
        let k = self.classes;
        SettingError::check((3..=10_000).contains(&k), "classes", "3 to 10,000", k)?;
        let d = self.features;
        let expected = "as many as classes or more, at most 10,000";
        SettingError::check(d >= k && d <= 10_000, "features", expected, d)?;
        let n = self.per_class;
        SettingError::check((2..=100_000).contains(&n), "per_class", "2 to 100,000", n)?;
        let s = &self.scatter;
        let fine = s.iter().all(|v| *v > 0.0 && *v <= 10.0) && !s.is_empty();
        let fine = fine && s.windows(2).all(|w| w[0] < w[1]);
        let found = format!("{s:?}");
        SettingError::check(fine, "scatter", "above 0, at most 10, ascending", found)?;
        let k = self.stream_classes;
        SettingError::check((6..=2000).contains(&k), "stream_classes", "6 to 2000", k)
    }
}

/// Settings of the measures on own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The array of features in every file, `[sample, feature]`.
    pub variable: String,
    /// The array of token ids in every file, one for each sample.
    pub labels: String,
    /// Number of classes, the vocabulary; that of the classifier, or the largest token id and one, if not given.
    pub classes: Option<usize>,
    /// A file whose only array, or array `weights`, are the classifier's weights, `[class, feature]`.
    pub classifier: Option<PathBuf>,
    /// A file of features and token ids that were not trained on, on which decisions are compared.
    pub validation: Option<PathBuf>,
    /// A file of features from elsewhere, to whose mean the class means are compared (NC5).
    pub elsewhere: Option<PathBuf>,
    /// Classes with fewer samples are left out (the authors' code: 1).
    pub min_count: u64,
    /// Bins of classes by their frequency, each measured by itself; 0 for none (chosen).
    pub bins: usize,
    /// Measures over pairs of classes.
    pub pairs: Pairs,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            variable: "features".into(),
            labels: "labels".into(),
            classes: None,
            classifier: None,
            validation: None,
            elsewhere: None,
            min_count: 1,
            bins: 4,
            pairs: Pairs::default(),
        }
    }
}

impl Settings for FitConfig {
    fn validate(&self) -> Result<(), SettingError> {
        self.pairs.validate().map_err(|mut e| {
            e.field = format!("pairs.{}", e.field);
            e
        })?;
        if let Some(n) = self.classes {
            SettingError::check((2..=10_000_000).contains(&n), "classes", "2 to 1e7", n)?;
        }
        let n = self.min_count;
        SettingError::check(n >= 1, "min_count", "at least 1", n)?;
        let n = self.bins;
        SettingError::check(n <= 100, "bins", "0 to 100", n)?;
        let alone = self.validation.is_some() && self.classifier.is_none();
        let expected = "a classifier, whose decisions are compared on the validation file";
        SettingError::check(!alone, "classifier", expected, "none")
    }
}
