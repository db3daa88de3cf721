//! A switching model with its parameters known: fitted ones, or the truth of a simulation.

use chiasm_data::Counts;
use ndarray::{Array2, Array3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::SwitchingError;
use super::design::Trials;
use super::link::{Link, Observation};
use super::passes::passes;
use crate::hmm::{HiddenChain, Path, Smoothed};
use crate::partition;

/// Per-state weights and biases, and the chain between the states.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchingModel {
    /// Weights `[state, to, from]` by which the filtered history of a unit drives another.
    pub weights: Array3<f64>,
    /// Biases `[state, unit]`.
    pub bias: Array2<f64>,
    /// The chain of states.
    pub chain: HiddenChain,
    /// Weights of the lags 1, 2, ... bins.
    pub kernel: Vec<f64>,
    /// From the drive to the expected count.
    pub link: Link,
    /// How counts scatter around it.
    pub observation: Observation,
    /// First bins of each trial that are left out of the likelihood.
    pub skip_bins: usize,
}

/// What a model says of counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// p(state | trial) of each bin, `[bin, state]`, trials below each other.
    pub posterior: Array2<f64>,
    /// Expected transitions over all trials, `[from, to]`.
    pub transitions: Array2<f64>,
    /// log p of each trial, terms -ln x! included.
    pub log_likelihood: Vec<f64>,
    /// Bins and units that this likelihood is of.
    pub n_counts: usize,
}

impl Decoded {
    /// Sum of the trials' log-likelihoods.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.log_likelihood.iter().sum()
    }

    /// Log-likelihood for each bin and unit, terms -ln x! included.
    #[must_use]
    pub fn per_count(&self) -> f64 {
        self.total() / self.n_counts as f64
    }

    /// The likeliest state of each bin by itself.
    #[must_use]
    pub fn states(&self) -> Vec<usize> {
        self.posterior
            .rows()
            .into_iter()
            .map(|row| {
                let mut best = 0;
                for (s, p) in row.iter().enumerate() {
                    if *p > row[best] {
                        best = s;
                    }
                }
                best
            })
            .collect()
    }
}

impl SwitchingModel {
    /// Number of states.
    #[must_use]
    pub fn n_states(&self) -> usize {
        self.chain.n_states()
    }

    /// Number of units.
    #[must_use]
    pub fn n_units(&self) -> usize {
        self.bias.ncols()
    }

    /// State posteriors, expected transitions and likelihood of counts.
    ///
    /// # Errors
    /// [`SwitchingError::Units`], [`SwitchingError::ShortTrial`], [`SwitchingError::NotBinary`],
    /// [`SwitchingError::Shape`] for counts or parameters that do not fit, [`SwitchingError::Chain`].
    pub fn decode(&self, counts: &Counts) -> Result<Decoded, SwitchingError> {
        let (trials, emissions) = self.emissions(counts)?;
        smoothed(&self.chain, &trials, &emissions, self.skip_bins)
    }

    /// The likeliest path of states through each trial.
    ///
    /// # Errors
    /// As [`SwitchingModel::decode`].
    pub fn viterbi(&self, counts: &Counts) -> Result<Vec<Path>, SwitchingError> {
        let (trials, emissions) = self.emissions(counts)?;
        trials
            .starts
            .windows(2)
            .map(|w| {
                let of_trial = emissions.slice(ndarray::s![w[0]..w[1], ..]);
                Ok(self.chain.viterbi(of_trial)?)
            })
            .collect()
    }

    fn emissions(&self, counts: &Counts) -> Result<(Trials, Array2<f64>), SwitchingError> {
        self.check()?;
        if counts.n_units() != self.n_units() {
            return Err(SwitchingError::Units {
                expected: self.n_units(),
                found: counts.n_units(),
            });
        }
        check_counts(
            counts,
            self.kernel.len().max(self.skip_bins),
            self.observation,
        )?;
        let trials = Trials::of(counts);
        let how = (self.link, self.observation);
        let passes = passes(
            trials.clone(),
            &self.kernel,
            how,
            self.skip_bins,
            false,
            false,
        );
        Ok((trials, passes.emissions(self.joined().view())))
    }

    /// Weights `[state, to, from + bias]`.
    fn joined(&self) -> Array3<f64> {
        let (s, n, m) = self.weights.dim();
        Array3::from_shape_fn((s, n, m + 1), |(s, i, j)| {
            if j < m {
                self.weights[[s, i, j]]
            } else {
                self.bias[[s, i]]
            }
        })
    }

    fn check(&self) -> Result<(), SwitchingError> {
        let (s, n) = (self.n_states(), self.n_units());
        let shape = |what, expected: Vec<usize>, found: &[usize]| {
            if expected == found {
                Ok(())
            } else {
                Err(SwitchingError::Shape {
                    what,
                    expected: format!("{expected:?}"),
                    found: format!("{found:?}"),
                })
            }
        };
        shape("weights", vec![s, n, n], self.weights.shape())?;
        shape("bias", vec![s, n], self.bias.shape())?;
        let numbers = self.weights.iter().chain(&self.bias).chain(&self.kernel);
        match numbers.copied().find(|v| !v.is_finite()) {
            Some(v) => Err(SwitchingError::Shape {
                what: "parameters",
                expected: "finite numbers".into(),
                found: v.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// The same model with its states renamed: state `s` becomes `name[s]`.
    ///
    /// # Errors
    /// [`SwitchingError::Labels`] if `name` does not hold each state once.
    pub fn renamed(&self, name: &[usize]) -> Result<Self, SwitchingError> {
        let order = inverse(name, self.n_states())?;
        let rows = |a: &Array2<f64>| a.select(ndarray::Axis(0), &order);
        let chain = HiddenChain::new(
            self.chain.initial().select(ndarray::Axis(0), &order),
            rows(self.chain.transition()).select(ndarray::Axis(1), &order),
        )?;
        Ok(Self {
            weights: self.weights.select(ndarray::Axis(0), &order),
            bias: rows(&self.bias),
            chain,
            ..self.clone()
        })
    }
}

/// The old state of each new one.
pub(super) fn inverse(name: &[usize], n_states: usize) -> Result<Vec<usize>, SwitchingError> {
    let mut order = vec![usize::MAX; n_states];
    for (state, &to) in name.iter().enumerate() {
        if let Some(slot) = order.get_mut(to) {
            *slot = state;
        }
    }
    if name.len() == n_states && order.iter().all(|o| *o != usize::MAX) {
        Ok(order)
    } else {
        Err(SwitchingError::Labels {
            expected: format!(
                "each of the states 0 to {} once",
                n_states.saturating_sub(1)
            ),
            found: format!("{name:?}"),
        })
    }
}

/// New names of the found states by which as many bins as possible agree with reference states (Hungarian method on the
/// confusion counts). States never found take the names left over.
///
/// # Errors
/// [`SwitchingError::Labels`] for lengths that differ or labels of `n_states` and above.
pub fn names_by(
    reference: &[usize],
    found: &[usize],
    n_states: usize,
) -> Result<Vec<usize>, SwitchingError> {
    for labels in [reference, found] {
        if let Some(label) = labels.iter().find(|l| **l >= n_states) {
            return Err(SwitchingError::Labels {
                expected: format!("labels below {n_states}"),
                found: label.to_string(),
            });
        }
    }
    let renamed = partition::relabel(reference, found).map_err(|e| SwitchingError::Labels {
        expected: "as many as bins, at least one".into(),
        found: e.to_string(),
    })?;
    let mut name = vec![usize::MAX; n_states];
    let mut taken = vec![false; n_states];
    for (state, to) in found.iter().zip(renamed) {
        // Names beyond the reference's come after those left over.
        if to < n_states && name[*state] == usize::MAX && !taken[to] {
            name[*state] = to;
            taken[to] = true;
        }
    }
    let mut left = (0..n_states).filter(|n| !taken[*n]);
    for n in &mut name {
        if *n == usize::MAX {
            *n = left.next().unwrap_or(0);
        }
    }
    Ok(name)
}

/// Refuses counts that the model cannot take.
pub(super) fn check_counts(
    counts: &Counts,
    needed: usize,
    observation: Observation,
) -> Result<(), SwitchingError> {
    if counts.n_units() == 0 {
        return Err(SwitchingError::Empty { what: "unit" });
    }
    if counts.n_trials() == 0 {
        return Err(SwitchingError::Empty { what: "trial" });
    }
    for (trial, rows) in counts.trials.iter().enumerate() {
        if rows.len() <= needed {
            return Err(SwitchingError::ShortTrial {
                trial,
                needed,
                found: rows.len(),
            });
        }
    }
    if observation == Observation::Bernoulli
        && let Some(((bin, unit), &found)) = counts.values.indexed_iter().find(|(_, c)| **c > 1)
    {
        let unit = counts
            .units
            .get(unit)
            .map_or_else(|| unit.to_string(), |u| u.name().to_owned());
        return Err(SwitchingError::NotBinary { unit, bin, found });
    }
    Ok(())
}

/// Forward-backward over all trials.
pub(super) fn smoothed(
    chain: &HiddenChain,
    trials: &Trials,
    emissions: &Array2<f64>,
    skip: usize,
) -> Result<Decoded, SwitchingError> {
    let each: Vec<Smoothed> = trials
        .starts
        .par_windows(2)
        .map(|w| chain.smooth(emissions.slice(ndarray::s![w[0]..w[1], ..])))
        .collect::<Result<_, _>>()?;
    let n = chain.n_states();
    let mut decoded = Decoded {
        posterior: Array2::zeros((trials.n_bins(), n)),
        transitions: Array2::zeros((n, n)),
        log_likelihood: Vec::with_capacity(each.len()),
        n_counts: 0,
    };
    for (w, smoothed) in trials.starts.windows(2).zip(each) {
        let mut rows = decoded.posterior.slice_mut(ndarray::s![w[0]..w[1], ..]);
        rows.assign(&smoothed.posterior);
        decoded.transitions += &smoothed.transitions;
        decoded.log_likelihood.push(smoothed.log_likelihood);
        decoded.n_counts += (w[1] - w[0] - skip) * trials.n_units();
    }
    Ok(decoded)
}

/// A warning about a fit: nothing is wrong with the input, but the result is to be read with care.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Warning {
    /// No bin is likeliest in this state.
    NeverVisited {
        /// The state.
        state: usize,
    },
    /// So few bins are likeliest in this state that it is one by name alone.
    BarelyVisited {
        /// The state.
        state: usize,
        /// Its share of bins.
        share: f64,
    },
    /// Two states have nearly the same weights and biases: one state was split, or two were merged elsewhere.
    Alike {
        /// The states.
        states: (usize, usize),
        /// Correlation of their parameters.
        correlation: f64,
    },
    /// A weight above 20: a unit that almost never or almost always follows another, or too few data.
    LargeWeight {
        /// The state.
        state: usize,
        /// The unit that is driven.
        to: usize,
        /// The unit that drives.
        from: usize,
        /// The weight.
        weight: f64,
    },
    /// The bound fell in a round by more than rounding and the step size explain.
    BoundFell {
        /// The round.
        epoch: usize,
        /// By how much, relative to the bound.
        by: f64,
    },
    /// The last round still raised the bound by more than the tolerance.
    NotConverged,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NeverVisited { state } => {
                write!(
                    f,
                    "state {} is never visited: ask for fewer states",
                    state + 1
                )
            }
            Self::BarelyVisited { state, share } => write!(
                f,
                "state {} holds {:.2} % of the bins: ask for fewer states",
                state + 1,
                100.0 * share
            ),
            Self::Alike {
                states: (a, b),
                correlation,
            } => write!(
                f,
                "states {} and {} have nearly the same parameters (correlation {correlation:.3})",
                a + 1,
                b + 1
            ),
            Self::LargeWeight {
                state,
                to,
                from,
                weight,
            } => write!(
                f,
                "the weight of unit {from} on unit {to} (columns from 0) in state {} is {weight:.1}: beyond 20 it says \
                 only that one almost always or never follows the other",
                state + 1
            ),
            Self::BoundFell { epoch, by } => {
                write!(
                    f,
                    "the training bound fell by {by:.1e} of itself in round {epoch}"
                )
            }
            Self::NotConverged => write!(
                f,
                "training ended by its number of rounds, not by its tolerance"
            ),
        }
    }
}
