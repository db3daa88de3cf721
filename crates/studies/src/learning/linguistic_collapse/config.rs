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
    /// Language models of one's own.
    pub language: LanguageModels,
}

/// Which text the language models read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Corpus {
    /// Shakespeare's plays, where they are found on this machine (`chiasm data get shakespeare`); a Markov chain where not.
    #[default]
    Shakespeare,
    /// A Markov chain (card 50, D).
    Markov,
}

/// Language models of one's own (card 50, D): causal transformers, one for each width, number of blocks, length of training
/// and weight decay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageModels {
    /// A text of one's own, UTF-8, read instead of the corpus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<PathBuf>,
    /// Which text they read.
    pub corpus: Corpus,
    /// Bytes read of the text, from its start (card 50, D: about a megabyte; quick: a fifth).
    pub bytes: usize,
    /// Part of them, the last one, that is kept for validation (chosen).
    pub held_out: f64,
    /// Tokens of the vocabulary (card 50, D: 1,024; the chain has at most 512).
    pub vocabulary: usize,
    /// Tokens of a sequence (card 50, D: 128).
    pub span: usize,
    /// Widths (card 50, D: 16, 32, 64, 128; quick: without the last). No model is trained where there is none.
    pub widths: Vec<usize>,
    /// Numbers of blocks (card 50, D: 1 and 2).
    pub blocks: Vec<usize>,
    /// Heads of attention (card 50, D: 4).
    pub heads: usize,
    /// Lengths of training, epochs, ascending (card 50, D: 1, 3, 10; quick: 3).
    pub epochs: Vec<usize>,
    /// Weight decays (card 50, D: 5e-4 and .1).
    pub decays: Vec<f64>,
    /// Learning rate at the start of half a cosine (card 50, D: 1e-3).
    pub rate: f64,
    /// Sequences of a batch (chosen; quick: 1, for as many steps as its text allows).
    pub batch: usize,
    /// Largest norm of the gradient (card 50, A: 1).
    pub clip: f64,
}

impl Default for LanguageModels {
    fn default() -> Self {
        Self {
            text: None,
            corpus: Corpus::Shakespeare,
            bytes: 200_000,
            held_out: 0.1,
            vocabulary: 1024,
            span: 128,
            widths: vec![16, 32, 64],
            blocks: vec![1, 2],
            heads: 4,
            epochs: vec![3],
            decays: vec![5e-4, 0.1],
            rate: 1e-3,
            batch: 1,
            clip: 1.0,
        }
    }
}

impl LanguageModels {
    fn validate(&self) -> Result<(), SettingError> {
        let n = self.bytes;
        let fine = (1000..=1_000_000_000).contains(&n);
        SettingError::check(fine, "bytes", "1000 to 1e9", n)?;
        let v = self.held_out;
        SettingError::check((0.01..=0.5).contains(&v), "held_out", ".01 to .5", v)?;
        let n = self.vocabulary;
        let fine = (256..=65_536).contains(&n);
        SettingError::check(fine, "vocabulary", "256 to 65,536", n)?;
        let n = self.span;
        SettingError::check((2..=4096).contains(&n), "span", "2 to 4096", n)?;
        let heads = self.heads;
        SettingError::check((1..=256).contains(&heads), "heads", "1 to 256", heads)?;
        let fine = self
            .widths
            .iter()
            .all(|d| (2..=4096).contains(d) && d.is_multiple_of(heads));
        let found = format!("{:?}", self.widths);
        let expected = "multiples of the heads, 2 to 4096, ascending";
        SettingError::check(fine && distinct(&self.widths), "widths", expected, found)?;
        for (field, list, most) in [
            ("blocks", &self.blocks, 64),
            ("epochs", &self.epochs, 10_000),
        ] {
            let fine = !list.is_empty() && list.iter().all(|n| (1..=most).contains(n));
            let fine = fine && list.windows(2).all(|w| w[0] < w[1]);
            let expected = format!("one or more of 1 to {most}, ascending");
            SettingError::check(fine, field, &expected, format!("{list:?}"))?;
        }
        let d = &self.decays;
        let fine = !d.is_empty() && d.iter().all(|v| (0.0..=10.0).contains(v));
        let fine = fine && d.windows(2).all(|w| w[0] < w[1]);
        let expected = "one or more of 0 to 10, ascending";
        SettingError::check(fine, "decays", expected, format!("{d:?}"))?;
        let v = self.rate;
        SettingError::check(v > 0.0 && v <= 1.0, "rate", "above 0, at most 1", v)?;
        let n = self.batch;
        SettingError::check((1..=65_536).contains(&n), "batch", "1 to 65,536", n)?;
        let v = self.clip;
        SettingError::check(v > 0.0 && v <= 1e9, "clip", "above 0, at most 1e9", v)
    }
}

fn distinct(list: &[usize]) -> bool {
    list.windows(2).all(|w| w[0] < w[1])
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
            language: LanguageModels::default(),
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
                language: LanguageModels {
                    bytes: 2_000_000,
                    widths: vec![16, 32, 64, 128],
                    epochs: vec![1, 3, 10],
                    batch: 16,
                    ..LanguageModels::default()
                },
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
            language: LanguageModels {
                corpus: Corpus::Markov,
                bytes: 12_000,
                held_out: 0.2,
                vocabulary: 256,
                span: 16,
                widths: vec![4, 8],
                blocks: vec![1, 2],
                heads: 2,
                epochs: vec![1, 2],
                decays: vec![0.0],
                rate: 1e-2,
                batch: 4,
                ..LanguageModels::default()
            },
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
        SettingError::check((6..=2000).contains(&k), "stream_classes", "6 to 2000", k)?;
        self.language.validate().map_err(|mut e| {
            e.field = format!("language.{}", e.field);
            e
        })
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
