//! Settings of the model and of its training.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::design::exponential_kernel;
use super::link::{Link, Observation};

/// How the couplings of a state are tied to those of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Coupling {
    /// Each state has weights of its own (the paper's HG).
    Free,
    /// Weights of all states scatter around common ones with a fixed standard deviation (GHG).
    Gaussian,
    /// A type (inhibitory, none, excitatory) times a strength above 0; types are drawn from a common prior that is
    /// learned (OHG).
    #[default]
    OneHot,
}

/// Whether units have one bias or one in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// One for all states.
    #[default]
    Shared,
    /// One in each state.
    PerState,
}

/// How a unit's own history acts on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Diagonal {
    /// Like that of any other unit.
    #[default]
    Coupled,
    /// Not at all.
    Zero,
    /// By a free weight, the same in all states.
    Shared,
    /// By a free weight in each state.
    PerState,
}

/// What ties the types of a state to the common prior (one-hot couplings alone).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TypePrior {
    /// The divergence of the types' distribution from the prior, as the variational bound has it.
    #[default]
    Divergence,
    /// The prior's log probability of the sampled types, without their entropy.
    Categorical,
    /// The density of the sampled relaxed types. It is unbounded: never compare it with anything.
    GumbelSoftmax,
}

/// Where the one-hot model starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// At a fitted Gaussian model.
    #[default]
    Gaussian,
    /// At random: an ablation, which is known to merge states.
    Cold,
}

/// The precision of the passes over the data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 64 bits.
    Double,
    /// 32 bits while training, sums over bins in 64; the final likelihood in 64.
    #[default]
    Single,
}

/// A state-switching generalized linear model of spike counts. Defaults without another source are the recipe of the
/// paper's card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SwitchingGlm {
    /// Hidden states.
    pub states: usize,
    /// Bins of history that act on a bin (paper's code: 5).
    pub history_bins: usize,
    /// Weights of the lags 1, 2, ... in place of e^-k scaled to a sum of 1; as many as `history_bins`.
    pub kernel: Option<Vec<f64>>,
    /// Learn the weights of the lags, common to all states, from there on.
    pub learn_kernel: bool,
    /// From the drive to the expected count.
    pub link: Link,
    /// How counts scatter around it.
    pub observation: Observation,
    /// Whether units have one bias or one in each state.
    pub bias: Bias,
    /// How a unit's own history acts on it.
    pub diagonal: Diagonal,
    /// How the couplings of a state are tied to those of the others.
    pub coupling: Coupling,
    /// Standard deviation of the states' weights around the common ones (paper's code: 1/3).
    pub prior_sd: f64,
    /// What ties one-hot types to the common prior.
    pub type_prior: TypePrior,
    /// Weight of that term, counted once for the whole data, not once for each trial (card's recipe: 1 to 4).
    pub type_prior_weight: f64,
    /// How strongly the common prior itself leans to no coupling: as if each pair had been seen in this many more states
    /// without one (a Dirichlet prior). 0 is the paper's model, in which a coupling costs nothing once all states have it.
    pub none_states: f64,
    /// Temperature of the relaxed types (paper's tutorial: 0.2; its newer code: 0.5).
    pub temperature: f64,
    /// Where the one-hot model starts.
    pub start: Start,
    /// Probability of staying in a state at the start (paper's code: 0.98).
    pub stay: f64,
    /// Random starts, of which the one of the best training bound is kept.
    pub restarts: usize,
    /// Standard deviation of the weights at a random start.
    pub start_sd: f64,
    /// Rounds of expectation and maximization of a random start, at most.
    pub epochs: usize,
    /// Rounds of the one-hot model after its warm start; its steps shrink to nothing over them.
    pub one_hot_epochs: usize,
    /// Steps of Adam in a round, each over all data.
    pub steps: usize,
    /// Step size of Adam.
    pub learning_rate: f64,
    /// Training ends when two rounds in a row raise the bound by less than this part of it.
    pub tolerance: f64,
    /// First bins of each trial that are left out of the likelihood, since their history is not known.
    pub skip_bins: usize,
    /// Precision of the passes over the data.
    pub precision: Precision,
}

impl Default for SwitchingGlm {
    fn default() -> Self {
        Self {
            states: 5,
            history_bins: 5,
            kernel: None,
            learn_kernel: false,
            link: Link::Sigmoid,
            observation: Observation::Poisson,
            bias: Bias::Shared,
            diagonal: Diagonal::Coupled,
            coupling: Coupling::OneHot,
            prior_sd: 1.0 / 3.0,
            type_prior: TypePrior::Divergence,
            type_prior_weight: 3.0,
            none_states: 1.0,
            temperature: 0.2,
            start: Start::Gaussian,
            stay: 0.98,
            restarts: 5,
            start_sd: 0.1,
            epochs: 40,
            one_hot_epochs: 25,
            steps: 20,
            learning_rate: 0.02,
            tolerance: 1e-7,
            skip_bins: 0,
            precision: Precision::Single,
        }
    }
}

impl SwitchingGlm {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let above = |field, v: f64| {
            let holds = v.is_finite() && v > 0.0;
            SettingError::check(holds, field, "a finite value above 0", v)
        };
        let not_below = |field, v: f64| {
            let holds = v.is_finite() && v >= 0.0;
            SettingError::check(holds, field, "a finite value of 0 or more", v)
        };
        let some = |field, n: usize| SettingError::check(n > 0, field, "at least 1", n);
        let from_1 = (1..=1000).contains(&self.states);
        SettingError::check(from_1, "states", "from 1 to 1000", self.states)?;
        let lags = (1..=10_000).contains(&self.history_bins);
        SettingError::check(lags, "history_bins", "from 1 to 10000", self.history_bins)?;
        if let Some(kernel) = &self.kernel {
            let expected = format!("{} values, one for each lag", self.history_bins);
            let fits = kernel.len() == self.history_bins;
            SettingError::check(fits, "kernel", &expected, kernel.len())?;
            let bad = kernel.iter().find(|v| !v.is_finite());
            SettingError::check(
                bad.is_none(),
                "kernel",
                "finite values",
                bad.copied().unwrap_or(0.0),
            )?;
            if self.learn_kernel {
                let bad = kernel.iter().find(|v| **v <= 0.0);
                let expected = "values above 0, since a learned kernel keeps to them";
                SettingError::check(bad.is_none(), "kernel", expected, bad.unwrap_or(&1.0))?;
            }
        }
        SettingError::check(
            self.observation == Observation::Poisson || self.link == Link::Sigmoid,
            "link",
            "sigmoid, for Bernoulli observations",
            format!("{:?}", self.link),
        )?;
        above("prior_sd", self.prior_sd)?;
        not_below("type_prior_weight", self.type_prior_weight)?;
        not_below("none_states", self.none_states)?;
        above("temperature", self.temperature)?;
        let inside = self.stay > 0.0 && self.stay < 1.0;
        SettingError::check(inside, "stay", "a probability inside 0 to 1", self.stay)?;
        some("restarts", self.restarts)?;
        not_below("start_sd", self.start_sd)?;
        some("epochs", self.epochs)?;
        some("one_hot_epochs", self.one_hot_epochs)?;
        some("steps", self.steps)?;
        above("learning_rate", self.learning_rate)?;
        not_below("tolerance", self.tolerance)
    }

    /// Weights of the lags 1, 2, ... at the start.
    #[must_use]
    pub fn lags(&self) -> Vec<f64> {
        self.kernel
            .clone()
            .unwrap_or_else(|| exponential_kernel(self.history_bins))
    }
}
