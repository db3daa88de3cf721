//! Masked non-negative tensor factorization: a tensor of frames x pairs x animals becomes a few components, each with a
//! time course, a pair matrix and one weight for each animal (paper 01, stage 2).
//!
//! `sum over observed (t, p, w) of (x[t, p, w] - sum_r time[t, r] pairs[p, r] animals[w, r])^2` is minimized with all
//! factors at least 0, by hierarchical alternating least squares. A sweep passes over the data twice and never forms a
//! Khatri-Rao product or a reconstruction; a pair that an animal does not show costs nothing.
//!
//! ```
//! use chiasm_analysis::connectome::factorization::{Factorization, MaskedTensor};
//! use chiasm_core::{Quiet, Streams};
//! use ndarray::Array3;
//!
//! // One motif: pair p follows its own share of a common time course, in two animals.
//! let x = Array3::from_shape_fn((30, 6, 2), |(t, p, w)| ((t % 7) * (p + 1) * (w + 1)) as f32);
//! let tensor = MaskedTensor::from_dense(&x)?;
//! let fit = Factorization { rank: 1, ..Factorization::default() };
//! let fitted = fit.fit(&tensor, &Streams::new(0), &Quiet)?;
//! assert!(fitted.best.relative_error() < 1e-4);
//! # Ok::<(), chiasm_analysis::connectome::FactorizationError>(())
//! ```

use chiasm_core::{SettingError, Streams, Watch};
use ndarray::Array2;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod hals;
mod kernel;
mod matrix;
mod rank;
mod similarity;
mod tensor;
#[cfg(test)]
mod tests;

pub use super::error::FactorizationError;
pub use rank::{RankChoice, RankPoint, RankReason, RankRule};
pub use similarity::similarity;
pub use tensor::MaskedTensor;

use hals::Hals;

/// Settings of the factorization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Factorization {
    /// Number of components.
    pub rank: usize,
    /// Random starts; the one of least error is kept (paper 01, stage 2: at least 10).
    pub starts: usize,
    /// Sweeps over the three modes at most (paper 01, stage 2).
    pub max_sweeps: usize,
    /// A start has converged once the relative error changes by less than this share of itself in a sweep (paper 01,
    /// stage 2).
    pub tolerance: f64,
    /// Rounds of coordinate descent for each mode and sweep. The paper's card has one; more cost next to nothing beside
    /// the pass over the data and need fewer sweeps.
    pub inner: usize,
}

impl Default for Factorization {
    fn default() -> Self {
        Self {
            rank: 6,
            starts: 10,
            max_sweeps: 200,
            tolerance: 1e-6,
            inner: 2,
        }
    }
}

/// The factors of one start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// `[time, component]`, columns of unit norm.
    #[serde(with = "matrix")]
    pub time: Array2<f64>,
    /// `[pair, component]`, columns of unit norm. Rows of pairs that no animal shows mean nothing: see
    /// [`MaskedTensor::n_observers`].
    #[serde(with = "matrix")]
    pub pairs: Array2<f64>,
    /// `[animal, component]`: they carry the scale. Components come in descending norm of this column.
    #[serde(with = "matrix")]
    pub animals: Array2<f64>,
    /// Relative error `|x - model| / |x|` over observed entries after each sweep: never rises.
    pub errors: Vec<f64>,
    /// Whether the error settled within the sweeps allowed.
    pub converged: bool,
}

impl Factors {
    /// Relative error `|x - model| / |x|` over observed entries; 0 is perfect, 1 is no better than nothing.
    #[must_use]
    pub fn relative_error(&self) -> f64 {
        self.errors.last().copied().unwrap_or(f64::NAN)
    }

    /// Number of components.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.time.ncols()
    }

    /// The model's value at `time`, `pair`, `animal`.
    #[must_use]
    pub fn at(&self, time: usize, pair: usize, animal: usize) -> f64 {
        (0..self.rank())
            .map(|r| self.time[[time, r]] * self.pairs[[pair, r]] * self.animals[[animal, r]])
            .sum()
    }
}

/// All starts of a factorization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedFactors {
    /// The start of least error.
    pub best: Factors,
    /// Relative error of every start, in their order.
    pub errors: Vec<f64>,
    /// [`similarity`] of each of the better half of the starts (at least five, if there are) with the best, in order of
    /// error; empty with one start.
    pub similarities: Vec<f64>,
}

impl FittedFactors {
    /// Mean similarity of the best five starts with the best one; 1 with one start only (nothing was compared).
    #[must_use]
    pub fn stability(&self) -> f64 {
        let top = &self.similarities[..self.similarities.len().min(4)];
        if top.is_empty() {
            1.0
        } else {
            chiasm_core::stats::mean(top)
        }
    }
}

impl Factorization {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(self.rank >= 1, "rank", "at least 1", self.rank)?;
        SettingError::check(self.starts >= 1, "starts", "at least 1", self.starts)?;
        SettingError::check(
            self.max_sweeps >= 1,
            "max_sweeps",
            "at least 1",
            self.max_sweeps,
        )?;
        SettingError::check(self.inner >= 1, "inner", "at least 1", self.inner)?;
        SettingError::check(
            self.tolerance >= 0.0 && self.tolerance < 1.0,
            "tolerance",
            "from 0 to below 1",
            self.tolerance,
        )
    }

    /// Factorizes the tensor from `starts` random starts, in parallel. The bits depend on the streams alone.
    ///
    /// # Errors
    /// [`FactorizationError`] for settings out of range, a tensor without anything to explain, a rank beyond what its
    /// shape can hold; [`FactorizationError::Cancelled`].
    pub fn fit(
        &self,
        tensor: &MaskedTensor,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<FittedFactors, FactorizationError> {
        self.validate()?;
        check_tensor(tensor, self.rank)?;
        watch.stage("factorization", (self.starts * self.max_sweeps) as u64);
        self.fit_unannounced(tensor, streams, watch)
    }

    /// [`Factorization::fit`] as part of a longer stage.
    fn fit_unannounced(
        &self,
        tensor: &MaskedTensor,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<FittedFactors, FactorizationError> {
        let mut all: Vec<Factors> = (0..self.starts)
            .into_par_iter()
            .map(|start| self.fit_start(tensor, start, streams, watch))
            .collect::<Result<_, _>>()?;
        let errors: Vec<f64> = all.iter().map(Factors::relative_error).collect();
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by(|&a, &b| errors[a].total_cmp(&errors[b]));
        let compared = all.len().div_ceil(2).max(5).min(all.len());
        let similarities = order[1..compared]
            .iter()
            .map(|&i| similarity(&all[order[0]], &all[i]))
            .collect();
        Ok(FittedFactors {
            best: all.swap_remove(order[0]),
            errors,
            similarities,
        })
    }

    fn fit_start(
        &self,
        tensor: &MaskedTensor,
        start: usize,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Factors, FactorizationError> {
        let mut rng = streams
            .child(&format!("rank {}", self.rank))
            .indexed("start", start);
        let mut hals = Hals::random(tensor, self.rank, self.inner, &mut rng);
        let total = tensor.sum_of_squares;
        let mut errors: Vec<f64> = Vec::with_capacity(self.max_sweeps);
        let mut converged = false;
        for sweep in 0..self.max_sweeps {
            watch.check()?;
            let loss = hals.sweep(&mut rng);
            let error = (loss / total).sqrt();
            if !error.is_finite() {
                return Err(FactorizationError::NotFinite { start, sweep, loss });
            }
            let before = errors.last().copied();
            errors.push(error);
            watch.tick(1);
            if before.is_some_and(|b| b - error < self.tolerance * b) {
                converged = true;
                watch.tick((self.max_sweeps - sweep - 1) as u64);
                break;
            }
        }
        Ok(hals.into_factors(errors, converged))
    }

    /// Error on entries hidden from the fit: a share of the observed entries is left out, the rest is factorized, and
    /// the relative error `|x - model| / |x|` over the hidden entries is returned. It falls with the rank while
    /// components are real and stops falling where they fit noise.
    ///
    /// # Errors
    /// As [`Factorization::fit`]; a share that is not above 0 and below 1.
    pub fn cross_validate(
        &self,
        tensor: &MaskedTensor,
        share: f64,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<f64, FactorizationError> {
        SettingError::check(
            share > 0.0 && share < 1.0,
            "share",
            "above 0 and below 1",
            share,
        )?;
        let streams = streams.child("cross-validation");
        let (train, held) = tensor.hold_out(share, &mut streams.stream("held"));
        let fitted = self.fit(&train, &streams, watch)?.best;
        let (mut residual, mut total) = (0.0, 0.0);
        for h in &held {
            residual += (h.value - fitted.at(h.time, h.pair, h.animal)).powi(2);
            total += h.value * h.value;
        }
        if total > 0.0 {
            Ok((residual / total).sqrt())
        } else {
            Err(FactorizationError::AllZero)
        }
    }
}

fn check_tensor(tensor: &MaskedTensor, rank: usize) -> Result<(), FactorizationError> {
    let (n_time, n_pairs, n_animals) = (tensor.n_time(), tensor.n_pairs(), tensor.n_animals());
    if tensor.n_observed() == 0 {
        return Err(FactorizationError::Empty {
            n_time,
            n_pairs,
            n_animals,
            n_observed: 0,
        });
    }
    if tensor.sum_of_squares <= 0.0 {
        return Err(FactorizationError::AllZero);
    }
    // A tensor of three modes has at most this rank.
    let most = (n_time * n_pairs)
        .min(n_time * n_animals)
        .min(n_pairs * n_animals);
    if rank > most {
        return Err(FactorizationError::Rank {
            rank,
            most,
            n_time,
            n_pairs,
            n_animals,
        });
    }
    Ok(())
}
