//! Conditions in two classes.

use chiasm_core::Rng;
use ndarray::Array1;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::GeometryError;

/// A division of conditions into two classes, of which neither is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dichotomy(Vec<bool>);

impl Dichotomy {
    /// Each condition's class.
    ///
    /// # Errors
    /// [`GeometryError::OneClass`].
    pub fn new(positive: Vec<bool>) -> Result<Self, GeometryError> {
        let n = positive.iter().filter(|p| **p).count();
        if n > 0 && n < positive.len() {
            return Ok(Self(positive));
        }
        Err(GeometryError::OneClass {
            conditions: positive.len(),
            all: if n > 0 { "positive" } else { "negative" },
        })
    }

    /// The parities of the bits of each condition's number, over every set of bits (paper 23, A: the columns of the
    /// parity table): single bits first, the highest bit before the others, then sets of two, and so on, up to all.
    ///
    /// # Errors
    /// [`GeometryError::NoPowerOfTwo`].
    pub fn parities(conditions: usize) -> Result<Vec<Self>, GeometryError> {
        if !conditions.is_power_of_two() || conditions < 4 {
            return Err(GeometryError::NoPowerOfTwo { found: conditions });
        }
        let mut sets: Vec<usize> = (1..conditions).collect();
        sets.sort_by_key(|s| (s.count_ones(), std::cmp::Reverse(*s)));
        let column = |set: usize| (0..conditions).map(move |c| (c & set).count_ones() % 2 == 1);
        Ok(sets
            .into_iter()
            .map(|s| Self(column(s).collect()))
            .collect())
    }

    /// Every balanced dichotomy, once (its mirror image is the same): 3 of 4 conditions, 35 of 8.
    ///
    /// # Errors
    /// [`GeometryError::Number`] unless there are 2, 4, ..., 16 conditions.
    pub fn balanced(conditions: usize) -> Result<Vec<Self>, GeometryError> {
        if conditions == 0 || !conditions.is_multiple_of(2) || conditions > 16 {
            return Err(GeometryError::Number {
                what: "conditions of all balanced dichotomies",
                expected: 16,
                found: conditions,
            });
        }
        // Condition 0 is negative in all of them.
        let half = conditions as u32 / 2;
        let sets = (0u32..1 << conditions).filter(|s| s.count_ones() == half && s & 1 == 0);
        let labels = |set: u32| (0..conditions).map(|c| set >> c & 1 == 1).collect();
        Ok(sets.map(|s| Self(labels(s))).collect())
    }

    /// So many balanced dichotomies at random, each another and none of `but` (nor mirror images of these): fewer where
    /// there are no more. Of an odd number of conditions one more is negative.
    #[must_use]
    pub fn random(conditions: usize, n: usize, but: &[Self], rng: &mut Rng) -> Vec<Self> {
        let mut found: Vec<Self> = vec![];
        if conditions < 2 {
            return found;
        }
        let mut labels: Vec<bool> = (0..conditions).map(|c| c < conditions / 2).collect();
        // At few conditions most draws repeat what is there: a hundred for each is enough to find nearly all.
        for _ in 0..100 * n {
            if found.len() == n {
                break;
            }
            labels.shuffle(rng);
            let new = Self(labels.clone());
            let known = |d: &&Self| **d == new || d.mirrored() == new;
            if but.iter().chain(&found).find(known).is_none() {
                found.push(new);
            }
        }
        found
    }

    /// The classes exchanged.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self(self.0.iter().map(|p| !p).collect())
    }

    /// Number of conditions.
    #[must_use]
    pub fn n_conditions(&self) -> usize {
        self.0.len()
    }

    /// Whether this condition is of the positive class; not for one beyond the last.
    #[must_use]
    pub fn is_positive(&self, condition: usize) -> bool {
        self.0.get(condition).copied().unwrap_or(false)
    }

    /// Each condition's class.
    #[must_use]
    pub fn labels(&self) -> &[bool] {
        &self.0
    }

    /// 1 for positive conditions, -1 for negative ones.
    #[must_use]
    pub fn signs(&self) -> Array1<f64> {
        self.0.iter().map(|p| if *p { 1.0 } else { -1.0 }).collect()
    }

    /// The conditions of one class, ascending.
    #[must_use]
    pub fn members(&self, positive: bool) -> Vec<usize> {
        let of = self.0.iter().enumerate().filter(|(_, p)| **p == positive);
        of.map(|(i, _)| i).collect()
    }
}
