//! Settings of the clustering.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ascent, Objective, Postprocess, StepRule, Stop};

/// Settings of the clustering. The defaults are the paper's rule at the released code's numbers, where those are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Clusters to begin with (chosen: 24). Begin with more than there are types: those in excess empty, while too few
    /// never come apart.
    pub clusters: usize,
    /// Temperature of the objective, in z-scores (released code: 1.6).
    pub temperature: f64,
    /// Steps of each stimulus in each iteration (released code's example: 50).
    pub steps: usize,
    /// How far a step goes: raw (a rate times the gradient) or relative (a share of the stimulus' norm).
    pub step_rule: StepRule,
    /// Rate of a raw step (chosen: 20; released code: 100 on other scales), or share of the norm of a relative one (0.3).
    pub step: f64,
    /// Iterations of the clustering at most (released code's example: 10).
    pub max_iterations: usize,
    /// Begin each iteration from random stimuli rather than from the last ones.
    pub reinitialize: bool,
    /// Judge each neuron by stimuli that were made without it: each cluster's neurons are halved at random, and each
    /// half is judged by the other's stimuli. Off is the paper's rule, which fits the noise of small clusters.
    pub held_out: bool,
    /// Try to split each cluster after the clustering, until no split is an improvement.
    pub split: bool,
    /// Steps of each stimulus in the split stage (released code: 20).
    pub split_steps: usize,
    /// Clusters that a cluster is split into at first; as many as `clusters` if not given, as in the released code.
    pub split_clusters: Option<usize>,
    /// Iterations of the clustering within a cluster (released code: 50).
    pub split_iterations: usize,
    /// Steps of each stimulus in each iteration within a cluster (released code: 1).
    pub split_inner_steps: usize,
    /// With neurons held out, a split stays only if at least this share of the neurons of each of its parts is driven
    /// most by the stimulus of its own part, made without them (chosen: 0.95): parts that share nothing but noise fail.
    pub split_recall: f64,
    /// Passes of the split stage at most (chosen).
    pub split_passes: usize,
    /// Clusterings from as many random assignments, of which the best is kept (chosen).
    pub restarts: usize,
    /// L2 norm of each stimulus, over all channels and frames (chosen: 6; openretina's movies: 30); none leaves it free.
    pub norm: Option<f64>,
    /// Lowest and highest pixel: none, one pair for all channels, or one for each.
    pub clip: Vec<(f64, f64)>,
    /// Standard deviation, in frames, of a low-pass of movies over time after each step (openretina: 0.5); 0 for none.
    pub smooth_frames: f64,
    /// Weight of the roughness of a stimulus, which is taken from its objective (released code: 0).
    pub smoothness: f64,
    /// Standard deviation, in pixels, of the blur of the gradient before each step; 0 for none.
    pub blur_px: f64,
    /// When a stimulus stops before its last step: never, by its loss, or by its pixels.
    pub stop: Stop,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            clusters: 24,
            temperature: Objective::default().temperature,
            steps: 50,
            step_rule: StepRule::Raw,
            step: 20.0,
            max_iterations: 10,
            reinitialize: false,
            held_out: false,
            split: true,
            split_steps: 20,
            split_clusters: None,
            split_iterations: 50,
            split_inner_steps: 1,
            split_recall: 0.95,
            split_passes: 10,
            restarts: 1,
            norm: Some(6.0),
            clip: vec![],
            smooth_frames: 0.0,
            smoothness: 0.0,
            blur_px: 0.0,
            stop: Stop::Never,
        }
    }
}

impl Config {
    /// The variant that judges neurons by stimuli made without them: relative steps, each iteration from random stimuli,
    /// splits in two. Chosen by us; see the method's page for how much it gains.
    #[must_use]
    pub fn held_out() -> Self {
        Self {
            step_rule: StepRule::Relative,
            step: 0.3,
            max_iterations: 30,
            reinitialize: true,
            held_out: true,
            split_clusters: Some(2),
            split_iterations: 10,
            split_inner_steps: 20,
            ..Self::default()
        }
    }

    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let counts = [
            ("clusters", self.clusters, 2),
            ("max_iterations", self.max_iterations, 1),
            ("split_steps", self.split_steps, 1),
            ("split_clusters", self.split_clusters.unwrap_or(2), 2),
            ("split_iterations", self.split_iterations, 1),
            ("split_inner_steps", self.split_inner_steps, 1),
            ("split_passes", self.split_passes, 1),
            ("restarts", self.restarts, 1),
        ];
        for (name, found, least) in counts {
            SettingError::check(found >= least, name, &format!("at least {least}"), found)?;
        }
        let r = self.split_recall;
        SettingError::check((0.0..=1.0).contains(&r), "split_recall", "0 to 1", r)?;
        self.ascent().validate(None)
    }

    /// The search that makes the stimuli.
    #[must_use]
    pub fn ascent(&self) -> Ascent {
        Ascent {
            objective: Objective {
                temperature: self.temperature,
            },
            steps: self.steps,
            rule: self.step_rule,
            step: self.step,
            smoothness: self.smoothness,
            blur_px: self.blur_px,
            postprocess: Postprocess {
                smooth_frames: self.smooth_frames,
                norm: self.norm,
                clip: self.clip.clone(),
            },
            stop: self.stop,
        }
    }
}
