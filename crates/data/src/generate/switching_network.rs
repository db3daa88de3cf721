//! Poisson counts of a network whose couplings switch between states: the generator of paper 26 (Li et al. 2024).

use chiasm_core::{Rng, SettingError, Streams, TimeAxis};
use ndarray::{Array2, Array3};
use rand::RngExt;
use rand_distr::{Distribution, Gamma, Poisson};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::recording::{Activity, Draft, Epoch, Missing, Recording, Traces};
use crate::{DataError, Session};

/// What [`switching_network`] plants. The defaults are those of the paper's code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SwitchingNetwork {
    /// Hidden states, each with couplings of its own.
    pub states: usize,
    /// Units in the network.
    pub units: usize,
    /// Trials, each with an empty history at its start.
    pub trials: usize,
    /// Bins of a trial.
    pub bins: usize,
    /// Width of a bin, s.
    pub bin_s: f64,
    /// Probability of staying in a state from one bin to the next; all others are alike.
    pub stay: f64,
    /// Concentrations of the types inhibitory, none, excitatory in a pair's Dirichlet prior.
    pub concentrations: [f64; 3],
    /// Strengths are ln(1 + scale x u), u uniform from 0 to 1.
    pub strength_scale: f64,
    /// Biases are uniform within half of this around 0.
    pub bias_spread: f64,
    /// Bins of history: weights of the lags are e^-k, scaled to a sum of 1.
    pub history_bins: usize,
}

impl Default for SwitchingNetwork {
    fn default() -> Self {
        Self {
            states: 5,
            units: 20,
            trials: 50,
            bins: 2000,
            bin_s: 0.02,
            stay: 0.98,
            concentrations: [0.2, 1.6, 0.2],
            strength_scale: 3.0,
            bias_spread: 0.1,
            history_bins: 5,
        }
    }
}

/// More counts than this are refused: a slip in a setting would otherwise fill the memory.
const MAX_COUNTS: f64 = 5e8;

impl SwitchingNetwork {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let some = |field, n: usize| SettingError::check(n > 0, field, "at least 1", n);
        let above = |field, v: f64| {
            let holds = v.is_finite() && v > 0.0;
            SettingError::check(holds, field, "a finite value above 0", v)
        };
        let not_below = |field, v: f64| {
            let holds = v.is_finite() && v >= 0.0;
            SettingError::check(holds, field, "a finite value of 0 or more", v)
        };
        some("states", self.states)?;
        some("units", self.units)?;
        some("trials", self.trials)?;
        some("bins", self.bins)?;
        some("history_bins", self.history_bins)?;
        above("bin_s", self.bin_s)?;
        let inside = (0.0..=1.0).contains(&self.stay);
        SettingError::check(inside, "stay", "a probability", self.stay)?;
        for c in self.concentrations {
            above("concentrations", c)?;
        }
        not_below("strength_scale", self.strength_scale)?;
        not_below("bias_spread", self.bias_spread)?;
        let (n, s) = (self.units as f64, self.states as f64);
        let cells = (n * self.trials as f64 * self.bins as f64).max(s * n * n);
        let expected = format!("at most {MAX_COUNTS:e} counts or weights in all");
        SettingError::check(
            cells <= MAX_COUNTS,
            "bins",
            &expected,
            format!("{cells:.1e}"),
        )
    }
}

/// What [`switching_network`] planted.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchingTruth {
    /// Weights, `[state, to, from]`.
    pub weights: Array3<f64>,
    /// Types of the couplings: -1 inhibitory, 0 none, 1 excitatory, `[state, to, from]`.
    pub types: Array3<i8>,
    /// Probability of each type, `[to, from, type]` (inhibitory, none, excitatory): what all states have in common.
    pub type_prior: Array3<f64>,
    /// Bias of each unit, the same in all states.
    pub bias: Vec<f64>,
    /// Transition probabilities, `[from, to]`; the initial state is uniform.
    pub transition: Array2<f64>,
    /// Weights of the lags 1, 2, ... bins.
    pub kernel: Vec<f64>,
    /// The state of each bin, trial after trial.
    pub states: Vec<usize>,
}

/// Counts of a network whose couplings follow a hidden chain: x_t ~ Poisson(1 / (1 + e^-(b + W^s c_t))), c_t the history
/// filtered by the lags' weights. Epochs of the kind `trial` part the trials.
///
/// Each trial draws from a stream of its own: more trials change none of those already there.
///
/// # Errors
/// [`DataError::Setting`] for a setting out of its range.
pub fn switching_network(
    config: &SwitchingNetwork,
    streams: &Streams,
) -> Result<(Recording, SwitchingTruth), DataError> {
    config.validate()?;
    let streams = streams.child("switching_network");
    let mut truth = parameters(config, &streams)?;
    let n_bins = config.trials * config.bins;
    let mut values = Array2::zeros((n_bins, config.units));
    for trial in 0..config.trials {
        let mut rng = streams.indexed("trial", trial);
        let rows = trial * config.bins..(trial + 1) * config.bins;
        one_trial(
            &mut truth,
            values.slice_mut(ndarray::s![rows, ..]),
            &mut rng,
        )?;
    }
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0 / config.bin_s,
            len: n_bins,
        },
        values,
        quantity: "spike count".into(),
    }));
    let duration_s = config.bins as f64 * config.bin_s;
    draft.epochs = (0..config.trials)
        .map(|k| Epoch {
            kind: "trial".into(),
            label: (k + 1).to_string(),
            start_s: k as f64 * duration_s,
            stop_s: (k + 1) as f64 * duration_s,
        })
        .collect();
    draft.session = Session {
        id: format!("switching-network-{}", streams.seed()),
        description: format!(
            "{} units whose couplings switch between {} states",
            config.units, config.states
        ),
        source: "generator switching_network".into(),
        ..Session::default()
    };
    Ok((draft.validate(Missing::Refuse)?, truth))
}

fn parameters(config: &SwitchingNetwork, streams: &Streams) -> Result<SwitchingTruth, DataError> {
    let (s, n) = (config.states, config.units);
    let mut rng = streams.stream("couplings");
    let gammas = config
        .concentrations
        .map(|c| Gamma::new(c, 1.0).map_err(|_| refused("concentrations", c)));
    let [a, b, c] = gammas;
    let gammas = [a?, b?, c?];
    let mut type_prior = Array3::zeros((n, n, 3));
    for i in 0..n {
        for j in 0..n {
            let draw = gammas.map(|g| g.sample(&mut rng).max(1e-300));
            let sum: f64 = draw.iter().sum();
            for (k, v) in draw.iter().enumerate() {
                type_prior[[i, j, k]] = v / sum;
            }
        }
    }
    let mut types = Array3::zeros((s, n, n));
    let mut weights = Array3::zeros((s, n, n));
    for state in 0..s {
        for i in 0..n {
            for j in 0..n {
                let u: f64 = rng.random();
                let kind = if u < type_prior[[i, j, 0]] {
                    -1
                } else if u < type_prior[[i, j, 0]] + type_prior[[i, j, 1]] {
                    0
                } else {
                    1
                };
                let strength = (config.strength_scale * rng.random::<f64>()).ln_1p();
                types[[state, i, j]] = kind;
                weights[[state, i, j]] = f64::from(kind) * strength;
            }
        }
    }
    let mut rng = streams.stream("bias");
    let bias = (0..n)
        .map(|_| config.bias_spread * (rng.random::<f64>() - 0.5))
        .collect();
    let go = (1.0 - config.stay) / (s as f64 - 1.0).max(1.0);
    let stay = if s == 1 { 1.0 } else { config.stay };
    let transition = Array2::from_shape_fn((s, s), |(i, j)| if i == j { stay } else { go });
    let raw: Vec<f64> = (1..=config.history_bins)
        .map(|k| (-(k as f64)).exp())
        .collect();
    let sum: f64 = raw.iter().sum();
    Ok(SwitchingTruth {
        weights,
        types,
        type_prior,
        bias,
        transition,
        kernel: raw.into_iter().map(|v| v / sum).collect(),
        states: Vec::with_capacity(config.trials * config.bins),
    })
}

fn one_trial(
    truth: &mut SwitchingTruth,
    mut values: ndarray::ArrayViewMut2<'_, f32>,
    rng: &mut Rng,
) -> Result<(), DataError> {
    let (n_bins, n) = values.dim();
    let mut history = vec![0.0; n];
    let mut state = rng.random_range(0..truth.transition.nrows());
    for t in 0..n_bins {
        if t > 0 {
            state = next_state(truth.transition.row(state), rng);
        }
        history.fill(0.0);
        for (k, w) in truth.kernel.iter().enumerate().take(t) {
            for (h, x) in history.iter_mut().zip(values.row(t - 1 - k)) {
                *h += w * f64::from(*x);
            }
        }
        for i in 0..n {
            let drive: f64 = truth
                .weights
                .slice(ndarray::s![state, i, ..])
                .iter()
                .zip(&history)
                .map(|(w, h)| w * h)
                .sum();
            let rate = 1.0 / (1.0 + (-(truth.bias[i] + drive)).exp());
            let poisson =
                Poisson::new(rate.max(1e-12)).map_err(|_| refused("bias_spread", rate))?;
            let count: f64 = poisson.sample(rng);
            values[[t, i]] = count as f32;
        }
        truth.states.push(state);
    }
    Ok(())
}

fn next_state(row: ndarray::ArrayView1<'_, f64>, rng: &mut Rng) -> usize {
    let mut left = rng.random::<f64>();
    for (s, p) in row.iter().enumerate() {
        if left < *p {
            return s;
        }
        left -= p;
    }
    row.len() - 1
}

fn refused(field: &str, found: f64) -> DataError {
    SettingError::new(field, "a value that gives a distribution", found).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Counting;
    use chiasm_core::stats;

    fn small() -> SwitchingNetwork {
        SwitchingNetwork {
            trials: 6,
            ..SwitchingNetwork::default()
        }
    }

    #[test]
    fn counts_and_couplings_are_those_of_the_papers_generator() {
        for seed in [1, 2] {
            let (recording, truth) = switching_network(&small(), &Streams::new(seed)).unwrap();
            let counting = Counting {
                trials: Some("trial".into()),
                ..Counting::default()
            };
            let counts = counting.counts(&recording).unwrap();
            assert_eq!((counts.n_trials(), counts.n_units()), (6, 20));
            assert_eq!(counts.trials[5], 10_000..12_000);
            let mean = counts.values.iter().map(|&c| f64::from(c)).sum::<f64>()
                / counts.values.len() as f64;
            assert!((0.44..0.6).contains(&mean), "{mean}");
            let some = truth.types.iter().filter(|t| **t != 0).count() as f64;
            let share = some / truth.types.len() as f64;
            // 2000 draws of a Dirichlet mean of 0.2; the draws of a pair go together.
            assert!((share - 0.2).abs() < 0.04, "{share}");
            let largest = truth.weights.iter().fold(0.0f64, |m, w| m.max(w.abs()));
            assert!(largest <= 4f64.ln());
            // A state lasts 50 bins in the mean.
            let switches = truth.states.windows(2).filter(|w| w[0] != w[1]).count();
            let expected = 12_000.0 * 0.02;
            assert!((switches as f64 - expected).abs() < 5.0 * f64::sqrt(expected));
            assert!((stats::mean(&truth.kernel) - 0.2).abs() < 1e-12);
        }
    }

    #[test]
    fn more_trials_leave_the_first_ones_alone() {
        let of = |trials| {
            let config = SwitchingNetwork {
                trials,
                bins: 50,
                ..small()
            };
            let (recording, truth) = switching_network(&config, &Streams::new(4)).unwrap();
            (recording.traces().unwrap().values.clone(), truth.states)
        };
        let (two, three) = (of(2), of(3));
        assert_eq!(two.0, three.0.slice(ndarray::s![..100, ..]));
        assert_eq!(two.1, three.1[..100]);
        assert_eq!(of(2), two);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let refused = |change: fn(&mut SwitchingNetwork)| {
            let mut config = small();
            change(&mut config);
            switching_network(&config, &Streams::new(0))
                .unwrap_err()
                .to_string()
        };
        assert!(refused(|c| c.states = 0).contains("states"));
        assert!(refused(|c| c.stay = 1.5).contains("stay"));
        assert!(refused(|c| c.concentrations[1] = 0.0).contains("concentrations"));
        assert!(refused(|c| c.bins = usize::MAX).contains("bins"));
        assert!(refused(|c| c.strength_scale = f64::NAN).contains("strength_scale"));
        let one = SwitchingNetwork {
            states: 1,
            bins: 10,
            ..small()
        };
        assert!(
            switching_network(&one, &Streams::new(0))
                .unwrap()
                .1
                .states
                .iter()
                .all(|s| *s == 0)
        );
    }
}
