//! `Rdms`: representational dissimilarity matrices, the second form in which activity reaches an analysis.
//!
//! An RDM says how differently a subject's region (or a network's layer) responds to each pair of `n` stimuli. Several
//! RDMs over the same stimuli stand together as condensed vectors, `[rdm, pair]`, with `n (n - 1) / 2` pairs in row-major
//! order of the upper triangle: (0,1), (0,2), ..., (0,n-1), (1,2), ... They are checked once, when they are made: square,
//! symmetric, zero on the diagonal, finite, not all equal.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::error::{DataError, Place};

mod check;
mod read;
mod read_arrays;
mod read_mat;
#[cfg(test)]
mod tests;

pub use read::{Layout, ReadRdms, read};

/// Whose RDM it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RdmLabel {
    /// Its name, for figures and errors.
    pub name: String,
    /// The subject, network seed or measurement; empty if unknown.
    pub subject: String,
    /// The region or layer; empty if unknown.
    pub region: String,
}

impl RdmLabel {
    /// A label of these parts, named `region | subject`.
    #[must_use]
    pub fn new(subject: impl Into<String>, region: impl Into<String>) -> Self {
        let (subject, region) = (subject.into(), region.into());
        Self {
            name: format!("{region} | {subject}"),
            subject,
            region,
        }
    }
}

/// What to do with distances that are missing (NaN or infinite).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingPairs {
    /// Refuse, naming the first.
    #[default]
    Refuse,
    /// Drop stimuli from all RDMs, the one with the most missing pairs first, until none is missing.
    DropStimuli,
    /// Take the mean of that pair over the RDMs that have it.
    Impute,
}

/// What to do with distances below zero: they cannot occur, except in cross-validated distances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Negative {
    /// Keep them and say so in the notes.
    #[default]
    Warn,
    /// Refuse, naming the first.
    Refuse,
}

/// How strictly RDMs are taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RdmRules {
    /// Take the mean of the two triangles of an asymmetric matrix (such as one across runs) rather than refuse it.
    pub symmetrise: bool,
    /// What to do with missing pairs.
    pub missing: MissingPairs,
    /// What to do with distances below zero.
    pub negative: Negative,
}

/// RDMs over the same stimuli, all checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Rdms {
    n: usize,
    values: Array2<f64>,
    labels: Vec<RdmLabel>,
    stimuli: Vec<String>,
    notes: Vec<String>,
}

impl Rdms {
    /// RDMs from condensed vectors, `[rdm, pair]`, one label for each row.
    ///
    /// # Errors
    /// [`DataError::Invalid`] naming the RDM and the pair's position: a number of pairs that is not n(n-1)/2 for some
    /// n of 3 or more; missing or negative distances as the rules say; an RDM whose distances are all equal; labels of
    /// another number.
    pub fn from_condensed(
        values: Array2<f64>,
        labels: Vec<RdmLabel>,
        rules: RdmRules,
    ) -> Result<Self, DataError> {
        check::condensed(values, labels, rules)
    }

    /// RDMs from square matrices, `[stimulus, stimulus]` each.
    ///
    /// # Errors
    /// Those of [`Rdms::from_condensed`]; besides: a matrix that is not square or of another size than the first,
    /// asymmetric beyond 1e-8 of the largest distance (or of 1, where that is larger) without the rule to
    /// symmetrise, or not zero on the diagonal.
    pub fn from_squares(
        squares: &[Array2<f64>],
        labels: Vec<RdmLabel>,
        rules: RdmRules,
    ) -> Result<Self, DataError> {
        check::squares(squares, labels, rules)
    }

    /// Number of stimuli.
    #[must_use]
    pub fn n_stimuli(&self) -> usize {
        self.n
    }

    /// Number of RDMs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.nrows()
    }

    /// Never: there is at least one RDM.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The distances, `[rdm, pair]`.
    #[must_use]
    pub fn values(&self) -> ArrayView2<'_, f64> {
        self.values.view()
    }

    /// The distances of RDM `idx`. Panics beyond the last.
    #[must_use]
    pub fn vector(&self, idx: usize) -> ArrayView1<'_, f64> {
        self.values.row(idx)
    }

    /// RDM `idx` as a symmetric matrix with a zero diagonal. Panics beyond the last.
    #[must_use]
    pub fn square(&self, idx: usize) -> Array2<f64> {
        square(self.values.row(idx))
    }

    /// One label for each RDM.
    #[must_use]
    pub fn labels(&self) -> &[RdmLabel] {
        &self.labels
    }

    /// Names of the stimuli: one for each, or none where they are not known.
    #[must_use]
    pub fn stimuli(&self) -> &[String] {
        &self.stimuli
    }

    /// What was mended or is doubtful, never silently: show these to the user.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The same RDMs with these stimulus names.
    ///
    /// # Errors
    /// If there is not one for each stimulus.
    pub fn with_stimuli(mut self, stimuli: Vec<String>) -> Result<Self, DataError> {
        if stimuli.len() != self.n {
            let place = Place::dataset("stimuli");
            return Err(DataError::invalid(
                place,
                format!("{} names", self.n),
                stimuli.len(),
            ));
        }
        self.stimuli = stimuli;
        Ok(self)
    }

    /// The same RDMs with other labels.
    ///
    /// # Errors
    /// If there is not one for each RDM.
    pub fn with_labels(mut self, labels: Vec<RdmLabel>) -> Result<Self, DataError> {
        check::label_count(labels.len(), self.len())?;
        self.labels = labels;
        Ok(self)
    }

    /// Only the RDMs at these positions, in this order.
    ///
    /// # Errors
    /// If the list is empty or a position lies beyond the last.
    pub fn select(&self, idx: &[usize]) -> Result<Self, DataError> {
        let place = || Place::dataset("rdms");
        if idx.is_empty() {
            return Err(DataError::invalid(place(), "at least one RDM", "none"));
        }
        if let Some(&bad) = idx.iter().find(|&&i| i >= self.len()) {
            let expected = format!("a position below {}", self.len());
            return Err(DataError::invalid(place(), expected, bad));
        }
        Ok(Self {
            values: self.values.select(Axis(0), idx),
            labels: idx.iter().map(|&i| self.labels[i].clone()).collect(),
            ..self.clone()
        })
    }

    /// Only the RDMs whose label holds to `keep`.
    ///
    /// # Errors
    /// If none does.
    pub fn filter(&self, keep: impl Fn(&RdmLabel) -> bool) -> Result<Self, DataError> {
        let idx: Vec<usize> = (0..self.len()).filter(|&i| keep(&self.labels[i])).collect();
        self.select(&idx)
    }

    /// These RDMs followed by others over the same stimuli.
    ///
    /// # Errors
    /// If the number of stimuli differs.
    pub fn concat(mut self, other: &Self) -> Result<Self, DataError> {
        if other.n != self.n {
            let place = Place::dataset("rdms").unit(other.labels[0].name.clone());
            let expected = format!("{} stimuli, as in the RDMs before", self.n);
            return Err(DataError::invalid(place, expected, other.n));
        }
        // The widths agree, so appending rows cannot fail.
        let _ = self.values.append(Axis(0), other.values.view());
        self.labels.extend(other.labels.iter().cloned());
        self.notes.extend(other.notes.iter().cloned());
        Ok(self)
    }
}

/// Number of pairs of `n` things.
#[must_use]
pub fn n_pairs(n: usize) -> usize {
    n * n.saturating_sub(1) / 2
}

/// The number of things that make `pairs` pairs, if there is one.
#[must_use]
pub fn n_of_pairs(pairs: usize) -> Option<usize> {
    let n = usize::midpoint(1, (8 * pairs + 1).isqrt());
    (n_pairs(n) == pairs).then_some(n)
}

/// A condensed vector of n(n-1)/2 distances as a symmetric matrix; panics on another length.
#[must_use]
pub fn square(condensed: ArrayView1<'_, f64>) -> Array2<f64> {
    let n = n_of_pairs(condensed.len()).expect("n(n-1)/2 distances");
    let mut square = Array2::zeros((n, n));
    let mut pairs = condensed.iter();
    for i in 0..n {
        for j in i + 1..n {
            let d = *pairs.next().expect("as many as pairs");
            square[[i, j]] = d;
            square[[j, i]] = d;
        }
    }
    square
}
