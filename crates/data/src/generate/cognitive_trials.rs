//! Trials of short tasks that animals are trained on: two alternatives, delayed match, decision by context (paper 17, E;
//! definitions of neurogym at steps of 100 ms).

use std::f64::consts::PI;

use chiasm_core::{Rng, SettingError};
use ndarray::{Array2, Array3};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Steps of a trial, all of 100 ms.
const STEPS: usize = 8;
/// Standard deviation of the noise of a stimulus channel in a step: `1 / sqrt(100 ms)`.
const NOISE: f64 = 0.1;
/// Coherences of two alternatives, percent.
const COHERENCES: [f64; 5] = [0.0, 6.4, 12.8, 25.6, 51.2];
/// Coherences by context, percent.
const CONTEXT_COHERENCES: [f64; 3] = [5.0, 15.0, 50.0];

/// A task of eight steps. The label is 0 until the last step, at which it is the choice, 1 or 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CognitiveTask {
    /// Seven steps of a noisy stimulus, more in one of two channels by a coherence of 0 to 51.2 %: which one?
    TwoAlternatives {
        /// Whether the channel of fixation is 1 until the decision (older versions of the library; 0 always in today's).
        fixation: bool,
    },
    /// A sample of two, five steps of nothing, a test of the same two: a match (1) or none (2)?
    DelayedMatch,
    /// Two stimuli of two channels each for two steps, five steps of nothing; two channels of context tell which stimulus
    /// counts.
    Context,
}

/// Trials of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct CognitiveTrials {
    /// `[step, trial, channel]`: fixation first, then stimuli, then context.
    pub inputs: Array3<f64>,
    /// `[step, trial]`.
    pub labels: Array2<usize>,
}

impl CognitiveTask {
    /// Input channels.
    #[must_use]
    pub fn n_channels(self) -> usize {
        match self {
            Self::TwoAlternatives { .. } | Self::DelayedMatch => 3,
            Self::Context => 7,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoAlternatives { .. } => "two-alternatives",
            Self::DelayedMatch => "delayed-match",
            Self::Context => "context",
        }
    }
}

/// `n` trials.
///
/// # Errors
/// [`SettingError`] for no trial or more than a million.
pub fn cognitive_trials(
    task: CognitiveTask,
    n: usize,
    rng: &mut Rng,
) -> Result<CognitiveTrials, SettingError> {
    let fine = (1..=1_000_000).contains(&n);
    SettingError::check(fine, "trials", "1 to 1,000,000", n)?;
    let mut inputs = Array3::zeros((STEPS, n, task.n_channels()));
    let mut labels = Array2::zeros((STEPS, n));
    let last = STEPS - 1;
    for b in 0..n {
        let mut stimulus = |rng: &mut Rng,
                            steps: std::ops::Range<usize>,
                            first: usize,
                            which: usize,
                            swing: f64| {
            for t in steps {
                for i in 0..2 {
                    let apart = PI * (i as f64 - which as f64);
                    let z: f64 = StandardNormal.sample(rng);
                    inputs[[t, b, first + i]] = 0.5 + swing * apart.cos() + NOISE * z;
                }
            }
        };
        let choice = match task {
            CognitiveTask::TwoAlternatives { .. } => {
                let which = rng.random_range(0..2);
                let coherence = COHERENCES[rng.random_range(0..COHERENCES.len())];
                stimulus(rng, 0..last, 1, which, coherence / 200.0);
                which
            }
            CognitiveTask::DelayedMatch => {
                let (sample, test) = (rng.random_range(0..2), rng.random_range(0..2));
                stimulus(rng, 0..1, 1, sample, 0.5);
                stimulus(rng, last - 1..last, 1, test, 0.5);
                usize::from(sample != test)
            }
            CognitiveTask::Context => {
                let context = rng.random_range(0..2usize);
                let mut choices = [0; 2];
                for (modality, choice) in choices.iter_mut().enumerate() {
                    *choice = rng.random_range(0..2);
                    let coherence = CONTEXT_COHERENCES[rng.random_range(0..3)];
                    stimulus(rng, 0..2, 1 + 2 * modality, *choice, coherence / 200.0);
                }
                for t in 0..STEPS {
                    inputs[[t, b, 5 + context]] = 1.0;
                }
                choices[context]
            }
        };
        if task != (CognitiveTask::TwoAlternatives { fixation: false }) {
            for t in 0..last {
                inputs[[t, b, 0]] = 1.0;
            }
        }
        labels[[last, b]] = 1 + choice;
    }
    Ok(CognitiveTrials { inputs, labels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Streams;

    const ALL: [CognitiveTask; 4] = [
        CognitiveTask::TwoAlternatives { fixation: false },
        CognitiveTask::TwoAlternatives { fixation: true },
        CognitiveTask::DelayedMatch,
        CognitiveTask::Context,
    ];

    fn trials(task: CognitiveTask, n: usize) -> CognitiveTrials {
        cognitive_trials(task, n, &mut Streams::new(3).stream("t")).unwrap()
    }

    #[test]
    fn only_the_last_step_asks_for_a_choice() {
        for task in ALL {
            let found = trials(task, 400);
            assert_eq!(found.inputs.dim(), (8, 400, task.n_channels()));
            let last = found.labels.row(7);
            let ones = last.iter().filter(|l| **l == 1).count();
            assert!(last.iter().all(|l| *l == 1 || *l == 2) && (150..250).contains(&ones));
            assert!(found.labels.iter().filter(|l| **l > 0).count() == 400);
            // No stimulus at the decision.
            assert!((1..3).all(|c| (0..400).all(|b| found.inputs[[7, b, c]] == 0.0)));
        }
        assert!(cognitive_trials(ALL[0], 0, &mut Streams::new(1).stream("t")).is_err());
        assert_eq!(trials(ALL[3], 9), trials(ALL[3], 9));
    }

    #[test]
    fn the_stimulus_tells_the_choice() {
        let mean = |x: &CognitiveTrials, steps: std::ops::Range<usize>, b: usize, c: usize| {
            let n = steps.len() as f64;
            steps.map(|t| x.inputs[[t, b, c]]).sum::<f64>() / n
        };
        // By the channel with more: chance at coherence 0 and little better at 6.4 %, then ever surer.
        let x = trials(ALL[0], 4000);
        let right = (0..4000).filter(|&b| {
            let second = mean(&x, 0..7, b, 2) > mean(&x, 0..7, b, 1);
            x.labels[[7, b]] == 1 + usize::from(second)
        });
        let right = right.count() as f64 / 4000.0;
        // (0.5 + 0.884 + 0.991 + 1 + 1) / 5 with a spread of 0.1 sqrt(2 / 7).
        assert!((right - 0.875).abs() < 0.02, "{right}");
        let x = trials(ALL[2], 1000);
        let right = (0..1000).filter(|&b| {
            let side = |t: usize| x.inputs[[t, b, 2]] > x.inputs[[t, b, 1]];
            x.labels[[7, b]] == 1 + usize::from(side(0) != side(6))
        });
        assert_eq!(right.count(), 1000);
        let x = trials(ALL[3], 4000);
        let told = |other: bool| {
            let right = (0..4000).filter(|&b| {
                let context = usize::from(x.inputs[[0, b, 6]] > 0.5);
                let first = 1 + 2 * if other { 1 - context } else { context };
                let second = mean(&x, 0..2, b, first + 1) > mean(&x, 0..2, b, first);
                x.labels[[7, b]] == 1 + usize::from(second)
            });
            right.count() as f64 / 4000.0
        };
        assert!(told(false) > 0.85 && (told(true) - 0.5).abs() < 0.03);
    }

    #[test]
    fn fixation_ends_with_the_trial() {
        let on = |task: CognitiveTask| {
            let x = trials(task, 1);
            (0..8).map(|t| x.inputs[[t, 0, 0]]).sum::<f64>()
        };
        assert_eq!(ALL.map(on), [0.0, 7.0, 7.0, 7.0]);
    }
}
