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
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod hals;
mod holes;
mod kernel;
mod matrix;
mod rank;
mod rows;
mod similarity;
mod tensor;
#[cfg(test)]
mod tests;

pub use super::error::FactorizationError;
pub use rank::{RankChoice, RankPoint, RankReason, RankRule};
pub use similarity::similarity;
pub use tensor::MaskedTensor;

use hals::{Hals, sweep};

/// What products of data and factors are summed in; factors and everything else are `f64` either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// `f64` throughout: the error never rises, and exact data are recovered.
    Double,
    /// Blocks of 128 products in `f32`, their sums in `f64`: a few times faster. Relative errors carry a rounding of
    /// about 1e-6.
    Single,
}

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
    /// What products with the data are summed in.
    pub precision: Precision,
    /// Once the starts are compared, the best goes on in double precision until it converges, for at most this many
    /// sweeps.
    pub polish: usize,
}

impl Default for Factorization {
    fn default() -> Self {
        Self {
            rank: 6,
            starts: 10,
            max_sweeps: 200,
            tolerance: 1e-6,
            inner: 2,
            precision: Precision::Double,
            polish: 0,
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
    /// Relative error `|x - model| / |x|` over observed entries after each sweep: never rises in double precision.
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
    /// Relative error of every start, in their order, before the best was polished.
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
        watch.stage(
            "factorization",
            (self.starts * self.max_sweeps + self.polish) as u64,
        );
        let mut fitted = self.fit_unannounced(tensor, streams, watch)?;
        self.polish_best(tensor, &mut fitted, streams, watch)?;
        Ok(fitted)
    }

    /// [`Factorization::fit`] as part of a longer stage.
    fn fit_unannounced(
        &self,
        tensor: &MaskedTensor,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<FittedFactors, FactorizationError> {
        let mut starts: Vec<Start<'_>> = (0..self.starts)
            .map(|k| {
                let rng = self.streams(streams).indexed("start", k);
                Start::new(Hals::random(tensor, self.rank, self.inner, rng))
            })
            .collect();
        self.run(&mut starts, tensor, self.precision, self.max_sweeps, watch)?;
        let mut all: Vec<Factors> = starts.into_iter().map(Start::into_factors).collect();
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

    fn streams(&self, streams: &Streams) -> Streams {
        streams.child(&format!("rank {}", self.rank))
    }

    /// Sweeps all starts together; one that has converged leaves the others to go on.
    fn run(
        &self,
        starts: &mut [Start<'_>],
        tensor: &MaskedTensor,
        precision: Precision,
        max_sweeps: usize,
        watch: &dyn Watch,
    ) -> Result<(), FactorizationError> {
        for round in 0..max_sweeps {
            watch.check()?;
            let mut active: Vec<(usize, &mut Start<'_>)> = starts
                .iter_mut()
                .enumerate()
                .filter(|(_, s)| !s.converged)
                .collect();
            if active.is_empty() {
                break;
            }
            let mut hals: Vec<&mut Hals<'_>> =
                active.iter_mut().map(|(_, s)| &mut s.hals).collect();
            let losses = sweep(&mut hals, precision);
            for ((start, s), loss) in active.iter_mut().zip(losses) {
                let error = (loss / tensor.sum_of_squares).sqrt();
                let (start, sweep) = (*start, s.errors.len());
                if !error.is_finite() {
                    return Err(FactorizationError::NotFinite { start, sweep, loss });
                }
                let before = s.errors.last().copied();
                s.errors.push(error);
                s.converged = before.is_some_and(|b| b - error < self.tolerance * b);
                // Sweeps that a converged start does not need are done.
                let done = if s.converged { max_sweeps - round } else { 1 };
                watch.tick(done as u64);
            }
        }
        Ok(())
    }

    /// Lets the best start go on, as [`Factorization::polish`] says.
    fn polish_best(
        &self,
        tensor: &MaskedTensor,
        fitted: &mut FittedFactors,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<(), FactorizationError> {
        let settled = fitted.best.converged && self.precision == Precision::Double;
        if self.polish == 0 || settled {
            return Ok(());
        }
        let rng = self.streams(streams).stream("polish");
        let mut start = Start::new(Hals::resume(tensor, &fitted.best, self.inner, rng));
        start.errors.clone_from(&fitted.best.errors);
        let starts = std::slice::from_mut(&mut start);
        self.run(starts, tensor, Precision::Double, self.polish, watch)?;
        fitted.best = start.into_factors();
        Ok(())
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

/// One start on its way.
struct Start<'a> {
    hals: Hals<'a>,
    errors: Vec<f64>,
    converged: bool,
}

impl<'a> Start<'a> {
    fn new(hals: Hals<'a>) -> Self {
        Self {
            hals,
            errors: Vec::new(),
            converged: false,
        }
    }

    fn into_factors(self) -> Factors {
        self.hals.into_factors(self.errors, self.converged)
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
