//! Settings.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::layers::Activation;

/// Which streams the model explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Modalities {
    /// Neural activity and behaviour: the multi-modal model.
    Both,
    /// Neural activity alone: Gaussian-process factor analysis with an amortized posterior.
    Neural,
    /// Behaviour alone: the Gaussian-process variational autoencoder.
    Behavior,
}

/// What is known of the latents beforehand, and in which basis they are inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prior {
    /// Gaussian process, on the Fourier frequencies that matter at the least length scale.
    Fourier,
    /// Gaussian process, on all Fourier frequencies.
    Unpruned,
    /// Gaussian process, on the time bins themselves; its covariance is inverted whole.
    Time,
    /// Standard normal in every bin: a variational autoencoder without time.
    Independent,
}

/// How neural activity is distributed around what the latents say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NeuralLikelihood {
    /// Poisson counts, their log rates linear in the latents.
    Poisson,
    /// Gaussian traces (calcium, rates) linear in the latents, each unit with a variance of its own.
    Gaussian,
}

/// How two encoders make one posterior of a shared latent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// Means and log standard deviations averaged (paper 27, its code).
    Average,
    /// Means weighted by their precisions, which add.
    Product,
}

/// How behaviour is scaled before the model sees it. Results are in its own units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Divided by one standard deviation over all channels: for images.
    Pooled,
    /// Each channel centered and divided by its own standard deviation: for channels of different units.
    EachChannel,
    /// As it is.
    None,
}

/// How the maps from time to coefficients start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MapStart {
    /// As the smoother that the prior implies for features with noise.
    Smoother,
    /// At random (paper 27, its code).
    Random,
}

/// Settings of the multi-modal Gaussian-process variational autoencoder (paper 27). The defaults are those of the paper's
/// code where it gives any; what was chosen is marked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MmGpVae {
    /// Which streams are explained.
    pub modalities: Modalities,
    /// Prior of the latents and the basis they are inferred in.
    pub prior: Prior,
    /// Latents that the neural decoder reads, shared ones included.
    pub n_neural: usize,
    /// Latents that the behaviour decoder reads, shared ones included.
    pub n_behavior: usize,
    /// Latents that both read; used where both streams are explained.
    pub n_shared: usize,
    /// Distribution of the neural activity.
    pub likelihood: NeuralLikelihood,
    /// How two encoders make one posterior of a shared latent.
    pub combine: Combine,
    /// Share of the trials of a batch whose shared latents are taken from one encoder alone, so that each learns to do
    /// without the other (chosen; 0 in the paper's code).
    pub alone: f64,
    /// Least length scale of a latent, bins: sets how many Fourier frequencies are kept.
    pub min_length_bins: f64,
    /// Length scale at the start, bins.
    pub start_length_bins: f64,
    /// Greatest length scale, bins: sets how long the circle is on which the Fourier basis lives (chosen: 30).
    pub max_length_bins: f64,
    /// Whether every latent has a length scale of its own (chosen: no).
    pub length_per_latent: bool,
    /// Bins around the circle; 0 for the trial and four greatest length scales (chosen; the paper's code takes 1.2 times
    /// the trial, which ties its ends together).
    pub circle_bins: usize,
    /// Ratio of the prior's largest variance to the smallest one kept.
    pub condition: f64,
    /// Variance of a latent.
    pub variance: f64,
    /// White variance added to the prior.
    pub floor: f64,
    /// Widths of the neural encoder's hidden layers.
    pub neural_widths: Vec<usize>,
    /// Widths of the behaviour encoder's hidden layers; the decoder has them in reverse.
    pub behavior_widths: Vec<usize>,
    /// What the behaviour decoder's last layer does to its sums.
    pub output: Activation,
    /// How behaviour is scaled.
    pub scaling: Scaling,
    /// Residual variance of behaviour at the start, as a share of its variance (chosen; 100 grey levels squared in the
    /// paper's code).
    pub start_residual: f64,
    /// How the maps from time to coefficients start (chosen: as a smoother).
    pub map_start: MapStart,
    /// Learning rate of the behaviour encoder and decoder.
    pub behavior_rate: f64,
    /// Learning rate of the neural encoder.
    pub neural_rate: f64,
    /// Learning rate of the neural decoder and the prior.
    pub decoder_rate: f64,
    /// Trials in a batch.
    pub batch: usize,
    /// Passes over the trials.
    pub epochs: usize,
    /// Largest norm of a network's gradient.
    pub clip: f64,
    /// Starts at random (chosen: 1). With more, each is trained for `start_epochs` and the one of the best objective goes
    /// on: a curved course, such as that of an image that turns, may be folded by an unlucky start for good.
    pub starts: usize,
    /// Epochs after which the starts are compared; they count among `epochs`.
    pub start_epochs: usize,
}

impl Default for MmGpVae {
    fn default() -> Self {
        Self {
            modalities: Modalities::Both,
            prior: Prior::Fourier,
            n_neural: 2,
            n_behavior: 2,
            n_shared: 1,
            likelihood: NeuralLikelihood::Poisson,
            combine: Combine::Average,
            alone: 0.5,
            min_length_bins: 10.0,
            start_length_bins: 30.0,
            max_length_bins: 30.0,
            length_per_latent: false,
            circle_bins: 0,
            condition: 1e8,
            variance: 1.0,
            floor: 1e-2,
            neural_widths: vec![80, 40, 20],
            behavior_widths: vec![784, 512, 256, 256],
            output: Activation::Elu,
            scaling: Scaling::Pooled,
            start_residual: 0.1,
            map_start: MapStart::Smoother,
            behavior_rate: 1.6e-4,
            neural_rate: 7.72e-4,
            decoder_rate: 8.8e-3,
            batch: 20,
            epochs: 700,
            clip: 1.0,
            starts: 1,
            start_epochs: 8,
        }
    }
}

impl MmGpVae {
    /// Whether neural activity is explained.
    #[must_use]
    pub fn has_neural(&self) -> bool {
        self.modalities != Modalities::Behavior
    }

    /// Whether behaviour is explained.
    #[must_use]
    pub fn has_behavior(&self) -> bool {
        self.modalities != Modalities::Neural
    }

    /// Latents read by (neural, both, behaviour) decoders in the layout `[neural-only | shared | behaviour-only]`; a
    /// stream that is not explained reads none.
    #[must_use]
    pub fn latents(&self) -> Latents {
        let (neural, behavior) = (
            if self.has_neural() { self.n_neural } else { 0 },
            if self.has_behavior() {
                self.n_behavior
            } else {
                0
            },
        );
        Latents {
            neural,
            behavior,
            shared: if self.modalities == Modalities::Both {
                self.n_shared
            } else {
                0
            },
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let positive = |field: &str, v: f64| {
            let holds = v.is_finite() && v > 0.0;
            SettingError::check(holds, field, "a finite value above 0", v)
        };
        let some = |field: &str, n: usize| {
            SettingError::check((1..=64).contains(&n), field, "from 1 to 64", n)
        };
        some("n_neural", self.n_neural)?;
        some("n_behavior", self.n_behavior)?;
        let most = self.n_neural.min(self.n_behavior);
        let expected = format!("at most {most}, the fewer of n_neural and n_behavior");
        SettingError::check(self.n_shared <= most, "n_shared", &expected, self.n_shared)?;
        let share = (0.0..=1.0).contains(&self.alone);
        SettingError::check(share, "alone", "a share from 0 to 1", self.alone)?;
        positive("min_length_bins", self.min_length_bins)?;
        let longer = |v: f64, than: f64| v.is_finite() && v >= than;
        SettingError::check(
            longer(self.max_length_bins, self.min_length_bins),
            "max_length_bins",
            "a finite length, not below min_length_bins",
            self.max_length_bins,
        )?;
        SettingError::check(
            longer(self.start_length_bins, self.min_length_bins)
                && self.start_length_bins <= self.max_length_bins,
            "start_length_bins",
            "a length between min_length_bins and max_length_bins",
            self.start_length_bins,
        )?;
        SettingError::check(
            self.circle_bins <= 100_000,
            "circle_bins",
            "at most 100000",
            self.circle_bins,
        )?;
        SettingError::check(
            self.condition.is_finite() && self.condition > 1.0,
            "condition",
            "a finite ratio above 1",
            self.condition,
        )?;
        positive("variance", self.variance)?;
        positive("floor", self.floor)?;
        for (field, widths) in [
            ("neural_widths", &self.neural_widths),
            ("behavior_widths", &self.behavior_widths),
        ] {
            let bad = widths.iter().find(|w| !(1..=16384).contains(*w));
            let found = bad.map_or(String::new(), ToString::to_string);
            SettingError::check(bad.is_none(), field, "widths from 1 to 16384", found)?;
        }
        positive("start_residual", self.start_residual)?;
        positive("behavior_rate", self.behavior_rate)?;
        positive("neural_rate", self.neural_rate)?;
        positive("decoder_rate", self.decoder_rate)?;
        SettingError::check(self.batch > 0, "batch", "at least 1", self.batch)?;
        positive("clip", self.clip)?;
        SettingError::check(
            (1..=1000).contains(&self.starts),
            "starts",
            "from 1 to 1000",
            self.starts,
        )?;
        SettingError::check(
            self.start_epochs >= 1,
            "start_epochs",
            "at least 1",
            self.start_epochs,
        )
    }
}

/// How many latents the decoders read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latents {
    /// Read by the neural decoder: the first ones.
    pub neural: usize,
    /// Read by the behaviour decoder: the last ones.
    pub behavior: usize,
    /// Read by both.
    pub shared: usize,
}

impl Latents {
    /// All latents.
    #[must_use]
    pub fn total(self) -> usize {
        self.neural + self.behavior - self.shared
    }

    /// The name of latent `p`: `neural 1`, `shared 1`, `behavior 1`, counted from 1 within its kind.
    #[must_use]
    pub fn name(self, p: usize) -> String {
        let own = self.neural - self.shared;
        if p < own {
            format!("neural {}", p + 1)
        } else if p < self.neural {
            format!("shared {}", p - own + 1)
        } else {
            format!("behavior {}", p - self.neural + 1)
        }
    }

    /// The positions of the neural-only, the shared and the behaviour-only latents.
    #[must_use]
    pub fn blocks(self) -> [std::ops::Range<usize>; 3] {
        let own = self.neural - self.shared;
        [0..own, own..self.neural, self.neural..self.total()]
    }
}
