//! How many components: a stated criterion on error and stability.

use chiasm_core::{SettingError, Streams, Watch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Factorization, FactorizationError, FittedFactors, MaskedTensor, check_tensor};

/// The rule that chooses the rank (paper 01, stage 2): the smallest rank at which one more component would lower the
/// error by less than `drop` of what the second component did, and whose best starts agree. Where no rank is both, the
/// largest whose starts agree; where there is none above 1, the one whose starts agree most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RankRule {
    /// The largest rank considered; one more is fitted to see its error.
    pub max_rank: usize,
    /// The share of the error's drop from rank 1 to 2 below which one more component is not worth having.
    pub drop: f64,
    /// The least mean similarity of the five best starts.
    pub stability: f64,
}

impl Default for RankRule {
    fn default() -> Self {
        Self {
            max_rank: 8,
            drop: 0.1,
            stability: 0.9,
        }
    }
}

/// Error and stability at one rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankPoint {
    /// The rank.
    pub rank: usize,
    /// Relative error of the best start.
    pub error: f64,
    /// Mean similarity of the five best starts.
    pub stability: f64,
    /// Relative error of every start.
    pub errors: Vec<f64>,
    /// Similarity of each of the better starts with the best.
    pub similarities: Vec<f64>,
}

/// Which part of the rule decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RankReason {
    /// The error's elbow, with stable starts.
    Elbow,
    /// No elbow up to the largest rank: the largest rank with stable starts.
    LargestStable,
    /// No rank above 1 has starts as stable as asked for: the most stable one above 1. Read its components with care.
    MostStable,
}

/// The chosen rank, its fit, and the curves behind the choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankChoice {
    /// The chosen rank.
    pub rank: usize,
    /// Why this one.
    pub reason: RankReason,
    /// Error and stability at every rank tried, from 1.
    pub curve: Vec<RankPoint>,
    /// The fit at the chosen rank.
    pub fitted: FittedFactors,
}

impl RankRule {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        SettingError::check(self.max_rank >= 2, "max_rank", "at least 2", self.max_rank)?;
        let share = |x: f64| (0.0..=1.0).contains(&x);
        SettingError::check(share(self.drop), "drop", "from 0 to 1", self.drop)?;
        SettingError::check(
            share(self.stability),
            "stability",
            "from 0 to 1",
            self.stability,
        )
    }

    /// Fits every rank from 1 to `max_rank + 1` with the settings of `fit` (its `rank` is not used) and chooses; the
    /// best start of the chosen rank alone is polished, so that the curve compares like with like.
    ///
    /// # Errors
    /// As [`Factorization::fit`].
    pub fn choose(
        &self,
        fit: &Factorization,
        tensor: &MaskedTensor,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<RankChoice, FactorizationError> {
        self.validate()?;
        fit.validate()?;
        check_tensor(tensor, self.max_rank + 1)?;
        let per_rank = (fit.starts * fit.max_sweeps) as u64;
        watch.stage(
            "number of components",
            per_rank * (self.max_rank as u64 + 1),
        );
        let mut curve = Vec::new();
        let mut fits = Vec::new();
        for rank in 1..=self.max_rank + 1 {
            let at = Factorization {
                rank,
                ..fit.clone()
            };
            let fitted = at.fit_unannounced(tensor, streams, watch)?;
            curve.push(RankPoint {
                rank,
                error: fitted.best.relative_error(),
                stability: fitted.stability(),
                errors: fitted.errors.clone(),
                similarities: fitted.similarities.clone(),
            });
            fits.push(fitted);
        }
        let (rank, reason) = self.decide(&curve);
        let mut fitted = fits.swap_remove(rank - 1);
        let chosen = Factorization {
            rank,
            ..fit.clone()
        };
        if fit.polish > 0 {
            watch.stage("factorization", fit.polish as u64);
        }
        chosen.polish_best(tensor, &mut fitted, streams, watch)?;
        Ok(RankChoice {
            rank,
            reason,
            fitted,
            curve,
        })
    }

    /// The rule itself, on the error and stability of ranks 1, 2, ..., `max_rank + 1`.
    fn decide(&self, curve: &[RankPoint]) -> (usize, RankReason) {
        let error = |rank: usize| curve[rank - 1].error;
        let stable = |rank: usize| curve[rank - 1].stability >= self.stability;
        let first = error(1) - error(2);
        let elbow = |rank: usize| error(rank) - error(rank + 1) < self.drop * first;
        let ranks = 1..curve.len();
        if let Some(rank) = ranks.clone().find(|&r| elbow(r) && stable(r)) {
            return (rank, RankReason::Elbow);
        }
        match ranks.clone().rev().find(|&r| r > 1 && stable(r)) {
            Some(rank) => (rank, RankReason::LargestStable),
            None => (most_stable(curve), RankReason::MostStable),
        }
    }
}

/// The rank above 1, and below the last, of the greatest stability; the smallest of equals.
fn most_stable(curve: &[RankPoint]) -> usize {
    let inner = &curve[1..curve.len() - 1];
    let better = |a: &&RankPoint, b: &&RankPoint| {
        a.stability
            .total_cmp(&b.stability)
            .then(b.rank.cmp(&a.rank))
    };
    inner.iter().max_by(better).map_or(1, |p| p.rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(errors: &[f64], stability: &[f64]) -> Vec<RankPoint> {
        errors
            .iter()
            .zip(stability)
            .zip(1..)
            .map(|((&error, &stability), rank)| RankPoint {
                rank,
                error,
                stability,
                errors: vec![error],
                similarities: vec![],
            })
            .collect()
    }

    #[test]
    fn the_card_s_curve_has_its_elbow_at_four() {
        let rule = RankRule {
            max_rank: 4,
            ..RankRule::default()
        };
        let c = curve(&[0.505, 0.427, 0.390, 0.367, 0.364], &[1.0; 5]);
        assert_eq!(rule.decide(&c), (4, RankReason::Elbow));
        let c = curve(
            &[0.505, 0.427, 0.390, 0.367, 0.364],
            &[1.0, 1.0, 1.0, 0.5, 1.0],
        );
        assert_eq!(rule.decide(&c), (3, RankReason::LargestStable));
        let c = curve(&[0.5, 0.4, 0.399, 0.3, 0.2], &[1.0, 0.2, 0.2, 0.2, 0.2]);
        assert_eq!(rule.decide(&c), (2, RankReason::MostStable));
    }
}
