//! Two modalities in one space: linear projections that are trained so that what belongs to the same class lies close,
//! whichever side it comes from.
//!
//! `z_a = GELU(P_a f_a)`, `z_b = GELU(P_b f_b)`, each divided by its length, and a loss of the CLIP kind on batches of pairs:
//! `1/2 [CE(z_a z_b' / tau, T) + CE(z_b z_a' / tau, T)]`, where the target `T` shares each row equally among the items of the
//! batch that have its label. Features are fixed, such as the spike counts of a frozen reservoir; only the projections learn.
//! As a baseline the same projections learn by prototypes ([`Objective::Prototypes`]).
//!
//! Afterwards an item of one side is looked up among the items of the other ([`top_1`], [`ranked`]), also of classes that the
//! training never saw ([`ZeroShot`]). "Zero-shot" means no more than this: nothing tells the projections what the new
//! classes are, so it works as far as both sides happen to order them alike.
//!
//! Lin et al., Nature Computational Science 2025, arXiv 2307.00771 (paper 32). The normalization and the soft targets are
//! chosen here: the authors' code is not complete.
//!
//! ```
//! use chiasm_analysis::contrastive::{Contrastive, Pairs, top_1};
//! use chiasm_core::{Quiet, Streams};
//! use ndarray::Array2;
//! // Three classes that are different directions on each side.
//! let labels: Vec<usize> = (0..60).map(|i| i % 3).collect();
//! let a = Array2::from_shape_fn((60, 5), |(i, k)| if k == i % 3 { 1.0 } else { 0.1 * (i % 7) as f32 });
//! let b = Array2::from_shape_fn((60, 4), |(i, k)| if k == 3 - i % 3 { 1.0 } else { 0.1 * (i % 5) as f32 });
//! let pairs = Pairs::new(a.view(), b.view(), &labels)?;
//! let contrastive = Contrastive { dimension: 8, passes: 60, ..Contrastive::default() };
//! let fitted = contrastive.fit(&pairs, &Streams::new(1), &Quiet)?;
//! let (za, zb) = (fitted.projections.embed_a(a.view())?, fitted.projections.embed_b(b.view())?);
//! assert!(top_1(zb.view(), &labels, za.view(), &labels)? > 0.9);
//! # Ok::<(), chiasm_analysis::contrastive::ContrastiveError>(())
//! ```

use chiasm_core::{SettingError, Streams};
use ndarray::{Array2, ArrayView2};
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod error;
mod loss;
mod pairs;
mod project;
mod retrieve;
mod train;

pub use error::ContrastiveError;
pub use loss::{Loss, loss};
pub use pairs::{Pairs, pair_up};
pub use project::Projections;
pub use retrieve::{ZeroShot, class_similarity, ranked, sign_test, top_1};
pub use train::Fitted;

/// What the projections learn by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Objective {
    /// Pairs against all others of their batch, in both directions.
    #[default]
    Pairs,
    /// Items of side b against the mean embedding of some items of side a for each class (Snell et al. 2017), by squared
    /// distance over the temperature.
    Prototypes {
        /// Items that make a prototype (chosen: 5).
        support: usize,
    },
}

/// How projections are trained. The defaults are paper 32's for images and sounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Contrastive {
    /// Dimensions of the common space (paper: 64, also 128).
    pub dimension: usize,
    /// Temperature of the loss (paper: 1 for images and sounds, searched from 0.001 to 10 elsewhere).
    pub temperature: f64,
    /// Whether embeddings are divided by their length (chosen; without it long vectors win every look-up).
    pub normalize: bool,
    /// Step size of Adam (paper: 0.001).
    pub rate: f64,
    /// Pairs of a step (paper: 8).
    pub batch: usize,
    /// Passes over the pairs (paper: 100).
    pub passes: usize,
    /// What the projections learn by.
    pub objective: Objective,
}

impl Default for Contrastive {
    fn default() -> Self {
        Self {
            dimension: 64,
            temperature: 1.0,
            normalize: true,
            rate: 1e-3,
            batch: 8,
            passes: 100,
            objective: Objective::Pairs,
        }
    }
}

impl Contrastive {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let n = self.dimension;
        SettingError::check((1..=4096).contains(&n), "dimension", "1 to 4096", n)?;
        let t = self.temperature;
        let holds = (1e-4..=1e4).contains(&t);
        SettingError::check(holds, "temperature", "1e-4 to 1e4", t)?;
        let holds = self.rate > 0.0 && self.rate <= 10.0;
        SettingError::check(holds, "rate", "above 0, at most 10", self.rate)?;
        let n = self.batch;
        SettingError::check((2..=4096).contains(&n), "batch", "2 to 4096 pairs", n)?;
        let n = self.passes;
        SettingError::check((1..=1_000_000).contains(&n), "passes", "1 to 1,000,000", n)?;
        if let Objective::Prototypes { support } = self.objective {
            let holds = (1..=1000).contains(&support);
            let field = "objective.prototypes.support";
            SettingError::check(holds, field, "1 to 1000 items", support)?;
        }
        Ok(())
    }

    /// The projections before any training, for features of these numbers: normal weights of variance `1 / n`.
    #[must_use]
    pub fn untrained(&self, n_a: usize, n_b: usize, streams: &Streams) -> Projections {
        let draw = |name, n: usize| {
            let mut rng = streams.stream(name);
            let size = (n.max(1) as f32).sqrt().recip();
            Array2::from_shape_simple_fn((self.dimension, n), || {
                let z: f32 = StandardNormal.sample(&mut rng);
                size * z
            })
        };
        Projections {
            a: draw("projection a", n_a),
            b: draw("projection b", n_b),
            normalize: self.normalize,
        }
    }

    /// Multiply-accumulates of one pass over so many pairs: products with the projections, the gradients of their weights,
    /// and similarities. Features are fixed, so nothing goes further back. Elementwise work is not counted.
    #[must_use]
    pub fn macs_per_pass(&self, n_pairs: usize, n_a: usize, n_b: usize, n_classes: usize) -> u64 {
        let d = self.dimension as u64;
        let (n, n_a, n_b) = (n_pairs as u64, n_a as u64, n_b as u64);
        let both_ways = 2 * d;
        match self.objective {
            Objective::Pairs => n * (both_ways * (n_a + n_b) + 3 * d * self.batch as u64),
            Objective::Prototypes { support } => {
                let steps = n.div_ceil(self.batch as u64);
                let prototypes = support as u64 * n_classes as u64;
                let of_b = n * (both_ways * n_b + 3 * d * n_classes as u64);
                of_b + steps * prototypes * both_ways * n_a
            }
        }
    }
}

fn check_finite(side: &'static str, x: ArrayView2<'_, f32>) -> Result<(), ContrastiveError> {
    match x.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some(((item, feature), found)) => Err(ContrastiveError::NotFinite {
            side,
            item,
            feature,
            found: *found,
        }),
    }
}

#[cfg(test)]
mod tests;
