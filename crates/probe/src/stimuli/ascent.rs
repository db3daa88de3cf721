//! The search for stimuli that maximize the objective, all clusters at once.

use chiasm_core::{SettingError, Watch};
use ndarray::{Array2, ArrayView1, Axis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::finite;
use super::normalization::{check_scores, check_stimuli};
use super::stop::Stopper;
use super::transform::{blur, smooth_gradient};
use super::{Groups, Normalization, Objective, Postprocess, ResponseModel, StimuliError, Stop};

/// How far a step goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepRule {
    /// By a rate times the gradient, as the released code does. Where the objective is at its bound the gradient
    /// vanishes and nothing moves.
    #[default]
    Raw,
    /// By a share of the stimulus' norm along the gradient, whatever its length: a stimulus that already drives its
    /// cluster alone still gets better at it.
    Relative,
}

/// The search.
#[derive(Debug, Clone, PartialEq)]
pub struct Ascent {
    /// What is maximized.
    pub objective: Objective,
    /// Steps at most.
    pub steps: usize,
    /// How far a step goes.
    pub rule: StepRule,
    /// Its rate or share.
    pub step: f64,
    /// Weight of the roughness of the stimulus, which is taken from the objective.
    pub smoothness: f64,
    /// Standard deviation, in pixels, of the blur of the gradient before each step; 0 for none.
    pub blur_px: f64,
    /// What is done to the stimulus after each step.
    pub postprocess: Postprocess,
    /// When to stop before the last step.
    pub stop: Stop,
}

impl Default for Ascent {
    /// As the card of the paper's toy reference: 50 steps at rate 20 on images of norm 6.
    fn default() -> Self {
        Self {
            objective: Objective::default(),
            steps: 50,
            rule: StepRule::Raw,
            step: 20.0,
            smoothness: 0.0,
            blur_px: 0.0,
            postprocess: Postprocess {
                norm: Some(6.0),
                ..Postprocess::default()
            },
            stop: Stop::Never,
        }
    }
}

/// Stimuli that were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Ascended {
    /// `[stimulus, pixel]`.
    pub stimuli: Array2<f64>,
    /// Z-scores `[stimulus, neuron]`.
    pub responses: Array2<f64>,
    /// The objective of each.
    pub values: Vec<f64>,
    /// Steps that each took.
    pub steps: Vec<usize>,
}

impl Ascent {
    /// Refuses settings out of range; `channels` as far as they are known.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self, channels: Option<usize>) -> Result<(), SettingError> {
        let t = self.objective.temperature;
        let above_0 = |v: f64| v > 0.0 && v.is_finite();
        SettingError::check(above_0(t), "temperature", "a finite value above 0", t)?;
        let s = self.step;
        SettingError::check(above_0(s), "step", "a finite value above 0", s)?;
        let n = self.steps;
        SettingError::check((1..=1_000_000).contains(&n), "steps", "1 to 1000000", n)?;
        let s = self.smoothness;
        let fine = s >= 0.0 && s.is_finite();
        SettingError::check(fine, "smoothness", "0 or more", s)?;
        let b = self.blur_px;
        SettingError::check((0.0..=1000.0).contains(&b), "blur_px", "0 to 1000", b)?;
        self.postprocess.validate(channels)
    }

    /// Improves stimulus k for cluster k of these, from where it stands.
    ///
    /// # Errors
    /// Settings out of range; stimuli that are not of the model's shape, or not one for each cluster; scores that are
    /// not finite or not of the number of neurons; [`StimuliError::Cancelled`].
    pub fn run(
        &self,
        model: &dyn ResponseModel,
        normalization: &Normalization,
        groups: &Groups,
        start: Array2<f64>,
        watch: &dyn Watch,
    ) -> Result<Ascended, StimuliError> {
        let on: Vec<usize> = (0..groups.n_clusters()).collect();
        self.run_for(model, normalization, groups, &on, start, watch)
    }

    /// Improves stimulus k for cluster `on[k]`.
    pub(super) fn run_for(
        &self,
        model: &dyn ResponseModel,
        normalization: &Normalization,
        groups: &Groups,
        on: &[usize],
        start: Array2<f64>,
        watch: &dyn Watch,
    ) -> Result<Ascended, StimuliError> {
        let shape = model.shape();
        self.validate(Some(shape.channels))?;
        check_stimuli(model, start.view())?;
        let n = model.n_neurons();
        for (what, found) in [
            ("normalization", normalization.n_neurons()),
            ("clusters", groups.n_neurons()),
        ] {
            if found != n {
                return Err(StimuliError::PerNeuron {
                    what,
                    expected: n,
                    found,
                });
            }
        }
        if start.nrows() != on.len() {
            return Err(StimuliError::Shape {
                what: "stimuli",
                expected: format!("one for each of {} clusters", on.len()),
                found: format!("{}", start.nrows()),
            });
        }
        let mut stimuli = start;
        for row in stimuli.rows_mut() {
            self.postprocess.apply(row, shape);
        }
        let mut stoppers = vec![Stopper::default(); on.len()];
        let mut steps = vec![0; on.len()];
        let mut open: Vec<usize> = (0..on.len()).collect();
        for _ in 0..self.steps {
            if open.is_empty() {
                break;
            }
            watch.check()?;
            let mut moved = stimuli.select(Axis(0), &open);
            let of: Vec<usize> = open.iter().map(|&k| on[k]).collect();
            let mut found = self.gradient(model, normalization, groups, &of, &moved)?;
            self.step(&mut moved, &mut found.gradient, shape);
            let mut still_open = Vec::with_capacity(open.len());
            for (row, &k) in open.iter().enumerate() {
                steps[k] += 1;
                let change = largest_change(stimuli.row(k), moved.row(row));
                let loss = found.losses[row];
                stimuli.row_mut(k).assign(&moved.row(row));
                if !stoppers[k].stops(self.stop, loss, change) {
                    still_open.push(k);
                }
            }
            open = still_open;
        }
        let responses = normalization.responses(model, stimuli.view())?;
        let means = groups.means(responses.view());
        let value = |(k, &on): (usize, &usize)| self.objective.of(&means.row(k).to_vec(), on);
        Ok(Ascended {
            values: on.iter().enumerate().map(value).collect(),
            stimuli,
            responses,
            steps,
        })
    }

    /// The gradient of the objective, less that of the roughness; and the loss of each stimulus.
    pub(super) fn gradient(
        &self,
        model: &dyn ResponseModel,
        normalization: &Normalization,
        groups: &Groups,
        on: &[usize],
        stimuli: &Array2<f64>,
    ) -> Result<Gradient, StimuliError> {
        let mut fault = None;
        let mut losses = vec![0.0; stimuli.nrows()];
        // Along a direction without its factor, which may be far too small to be told from 0.
        let bare = self.rule == StepRule::Relative && self.smoothness == 0.0;
        let mut gradient = model.pull_back(stimuli.view(), &mut |mut scores| {
            if let Err(e) = check_scores(&scores, stimuli.nrows(), groups.n_neurons()) {
                fault = Some(e);
                return Array2::zeros((stimuli.nrows(), model.n_neurons()));
            }
            normalization.apply(&mut scores);
            let means = groups.means(scores.view());
            let mut slopes = Array2::zeros(means.raw_dim());
            for (k, (value, slope)) in self.objective.all(&means, on).into_iter().enumerate() {
                losses[k] = -value;
                let factor = if bare { 1.0 } else { slope.factor };
                for (out, d) in slopes.row_mut(k).iter_mut().zip(&slope.direction) {
                    *out = factor * d;
                }
            }
            let mut weights = groups.spread(&slopes);
            normalization.pull_back(&mut weights);
            weights
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        if gradient.dim() != stimuli.dim() {
            return Err(StimuliError::Shape {
                what: "gradient",
                expected: format!("{:?}, as the stimuli", stimuli.shape()),
                found: format!("{:?}", gradient.shape()),
            });
        }
        finite("gradient", gradient.view())?;
        if self.smoothness > 0.0 {
            let shape = model.shape();
            let rough = smooth_gradient(stimuli, shape, self.smoothness, &mut gradient);
            losses
                .iter_mut()
                .zip(rough)
                .for_each(|(l, r)| *l += self.smoothness * r);
        }
        Ok(Gradient { gradient, losses })
    }

    /// One step of each stimulus.
    fn step(
        &self,
        stimuli: &mut Array2<f64>,
        gradient: &mut Array2<f64>,
        shape: super::StimulusShape,
    ) {
        for (mut stimulus, mut gradient) in stimuli.rows_mut().into_iter().zip(gradient.rows_mut())
        {
            if self.blur_px > 0.0 {
                blur(&mut gradient, shape, self.blur_px);
            }
            let rate = match self.rule {
                StepRule::Raw => self.step,
                StepRule::Relative => {
                    let length = gradient.dot(&gradient).sqrt();
                    if length > 0.0 {
                        self.step * stimulus.dot(&stimulus).sqrt() / length
                    } else {
                        0.0
                    }
                }
            };
            stimulus.scaled_add(rate, &gradient);
            self.postprocess.apply(stimulus, shape);
        }
    }
}

/// Where to go, and how bad it is here.
pub(super) struct Gradient {
    /// `[stimulus, pixel]`.
    pub(super) gradient: Array2<f64>,
    /// Of each stimulus.
    pub(super) losses: Vec<f64>,
}

/// The largest change of a pixel, as a share of the range of the stimulus.
fn largest_change(before: ArrayView1<f64>, after: ArrayView1<f64>) -> f64 {
    let range = |v: ArrayView1<f64>| {
        let (low, high) = v
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| {
                (l.min(v), h.max(v))
            });
        high - low
    };
    let most = before
        .iter()
        .zip(&after)
        .fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
    let range = range(before).max(range(after));
    if range > 0.0 { most / range } else { 0.0 }
}
