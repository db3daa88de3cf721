//! Which region (or layer) an RDM came from, told by other subjects (or network seeds): leave-one-subject-out, nearest
//! centroid.
//!
//! For every subject, the centroid of each region is the mean vector over all other subjects, and each of the subject's
//! vectors is given the region of the nearest centroid (Euclidean; of equals, the first in alphabetical order).

use chiasm_core::stats;
use chiasm_data::RdmLabel;
use ndarray::{Array2, ArrayView2};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::RsaError;

/// Who is who: the labels as numbers, checked for what leave-one-subject-out needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The subject of each RDM, as a position in `subjects`.
    pub subject: Vec<usize>,
    /// The region of each RDM, as a position in `regions`.
    pub region: Vec<usize>,
    /// The subjects, sorted.
    pub subjects: Vec<String>,
    /// The regions, sorted.
    pub regions: Vec<String>,
}

impl Groups {
    /// The groups of these labels.
    ///
    /// # Errors
    /// [`RsaError::Unlabelled`], [`RsaError::OneSubject`], [`RsaError::OneRegion`], and [`RsaError::RegionMissing`] if a
    /// region is found in one subject alone.
    pub fn new(labels: &[RdmLabel]) -> Result<Self, RsaError> {
        let names = |label: &'static str, part: fn(&RdmLabel) -> &String| {
            if let Some(index) = labels.iter().position(|l| part(l).is_empty()) {
                let rdm = labels[index].name.clone();
                return Err(RsaError::Unlabelled { rdm, index, label });
            }
            let mut names: Vec<String> = labels.iter().map(|l| part(l).clone()).collect();
            names.sort();
            names.dedup();
            Ok(names)
        };
        let subjects = names("subject", |l| &l.subject)?;
        let regions = names("region", |l| &l.region)?;
        if subjects.len() < 2 {
            let found = subjects.len();
            return Err(RsaError::OneSubject { found });
        }
        if regions.len() < 2 {
            let found = regions.len();
            return Err(RsaError::OneRegion { found });
        }
        let position = |names: &[String], name: &String| names.partition_point(|n| n < name);
        let groups = Self {
            subject: labels
                .iter()
                .map(|l| position(&subjects, &l.subject))
                .collect(),
            region: labels
                .iter()
                .map(|l| position(&regions, &l.region))
                .collect(),
            subjects,
            regions,
        };
        for (r, region) in groups.regions.iter().enumerate() {
            let mut owners = (0..labels.len())
                .filter(|&i| groups.region[i] == r)
                .map(|i| groups.subject[i]);
            let first = owners.next();
            if let Some(first) = first
                && owners.all(|s| s == first)
            {
                return Err(RsaError::RegionMissing {
                    region: region.clone(),
                    subject: groups.subjects[first].clone(),
                });
            }
        }
        Ok(groups)
    }
}

/// The outcome of an identification test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identification {
    /// The region given to each RDM, as a position in `groups.regions`.
    pub predicted: Vec<usize>,
    /// Who is who.
    pub groups: Groups,
}

impl Identification {
    /// How many RDMs were given their own region.
    #[must_use]
    pub fn n_right(&self) -> usize {
        let both = self.predicted.iter().zip(&self.groups.region);
        both.filter(|(p, r)| p == r).count()
    }

    /// The part of the RDMs that were given their own region; chance is one over the number of regions.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.n_right() as f64 / self.predicted.len() as f64
    }

    /// Accuracy in each subject, in the order of `groups.subjects`.
    #[must_use]
    pub fn by_subject(&self) -> Vec<f64> {
        let n_subjects = self.groups.subjects.len();
        let (mut right, mut all) = (vec![0.0; n_subjects], vec![0.0; n_subjects]);
        for ((p, r), &s) in self
            .predicted
            .iter()
            .zip(&self.groups.region)
            .zip(&self.groups.subject)
        {
            all[s] += 1.0;
            right[s] += f64::from(u8::from(p == r));
        }
        right.iter().zip(all).map(|(r, a)| r / a).collect()
    }

    /// How often each region (row) was taken for each (column).
    #[must_use]
    pub fn confusion(&self) -> Array2<usize> {
        let k = self.groups.regions.len();
        let mut confusion = Array2::zeros((k, k));
        for (&p, &r) in self.predicted.iter().zip(&self.groups.region) {
            confusion[[r, p]] += 1;
        }
        confusion
    }
}

/// One-sided p of a paired t test over subjects that `a` is told worse than `b`: how likely a mean difference this low is
/// if both are told equally well. Where all differences are equal, 0 if `a` is worse and 1 if not.
///
/// # Errors
/// [`RsaError::Shape`] if there are not as many accuracies in both; [`RsaError::OneSubject`] for fewer than two;
/// [`RsaError::NotFinite`].
pub fn worse_p(a: &[f64], b: &[f64]) -> Result<f64, RsaError> {
    if a.len() != b.len() {
        return Err(RsaError::Shape {
            what: "accuracies by subject",
            expected: format!("{}, as many as in the other", a.len()),
            found: b.len().to_string(),
        });
    }
    if a.len() < 2 {
        return Err(RsaError::OneSubject { found: a.len() });
    }
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    if let Some(index) = difference.iter().position(|d| !d.is_finite()) {
        return Err(RsaError::NotFinite {
            what: "differences of accuracy by subject".into(),
            index,
            value: difference[index],
        });
    }
    let n = difference.len() as f64;
    let (mean, error) = (
        stats::mean(&difference),
        stats::sd(&difference, 1) / n.sqrt(),
    );
    if error > 0.0 {
        let t = StudentsT::new(0.0, 1.0, n - 1.0).map(|t| t.cdf(mean / error));
        t.map_err(|_| RsaError::OneSubject { found: a.len() })
    } else {
        Ok(if mean < 0.0 { 0.0 } else { 1.0 })
    }
}

/// Leaves one subject out after the other and gives each of its vectors (`[rdm, pair]`, already transformed) a region.
///
/// # Errors
/// Those of [`Groups::new`]; [`RsaError::NotFinite`] if a value is NaN or infinite.
pub fn identify(
    vectors: ArrayView2<'_, f64>,
    labels: &[RdmLabel],
) -> Result<Identification, RsaError> {
    if labels.len() != vectors.nrows() {
        return Err(RsaError::Shape {
            what: "labels",
            expected: format!("{}, one for each RDM", vectors.nrows()),
            found: labels.len().to_string(),
        });
    }
    let groups = Groups::new(labels)?;
    if let Some(((i, pair), &value)) = vectors.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(RsaError::NotFinite {
            what: format!("RDM `{}`", labels[i].name),
            index: pair,
            value,
        });
    }
    let vectors = vectors.as_standard_layout();
    let width = vectors.ncols();
    let flat = vectors.as_slice().expect("standard layout");
    let rows: Vec<&[f64]> = (0..labels.len())
        .map(|i| &flat[i * width..(i + 1) * width])
        .collect();
    let predicted = nearest_centroids(&rows, &groups, &vec![1.0; groups.subjects.len()], None);
    Ok(Identification { predicted, groups })
}

/// Distances this close, relatively, are taken as equal.
const TIE: f64 = 1e-12;

/// The core of the test. Subject `s` counts `copies[s]` times (0: not at all, and its RDMs keep an undefined answer,
/// `usize::MAX`), each pair counts as `weights` say (once where `None`).
pub(super) fn nearest_centroids(
    rows: &[&[f64]],
    groups: &Groups,
    copies: &[f64],
    weights: Option<&[f64]>,
) -> Vec<usize> {
    let n_regions = groups.regions.len();
    let width = rows.first().map_or(0, |r| r.len());
    let mut sums = vec![0.0; n_regions * width];
    let mut counts = vec![0.0; n_regions];
    for (i, row) in rows.iter().enumerate() {
        let (region, copies) = (groups.region[i], copies[groups.subject[i]]);
        if copies == 0.0 {
            continue;
        }
        counts[region] += copies;
        for (sum, v) in sums[region * width..(region + 1) * width]
            .iter_mut()
            .zip(*row)
        {
            *sum += copies * v;
        }
    }
    let mut predicted = vec![usize::MAX; rows.len()];
    let mut centroid = vec![0.0; width];
    for s in (0..groups.subjects.len()).filter(|&s| copies[s] > 0.0) {
        let own: Vec<usize> = (0..rows.len())
            .filter(|&i| groups.subject[i] == s)
            .collect();
        let mut best = vec![(f64::INFINITY, usize::MAX); own.len()];
        for region in 0..n_regions {
            // The centroid over the others is the sum over all, less this subject's own.
            centroid.copy_from_slice(&sums[region * width..(region + 1) * width]);
            let mut count = counts[region];
            for &i in own.iter().filter(|&&i| groups.region[i] == region) {
                count -= copies[s];
                for (c, v) in centroid.iter_mut().zip(rows[i]) {
                    *c -= copies[s] * v;
                }
            }
            if count <= 0.0 {
                continue;
            }
            centroid.iter_mut().for_each(|c| *c /= count);
            for (best, &i) in best.iter_mut().zip(&own) {
                let d = match weights {
                    None => squared_distance(rows[i], &centroid),
                    Some(w) => weighted_squared_distance(rows[i], &centroid, w),
                };
                // Equal distances may differ in their last bits: those count as equal.
                if d < best.0 * (1.0 - TIE) {
                    *best = (d, region);
                }
            }
        }
        for (best, &i) in best.iter().zip(&own) {
            predicted[i] = best.1;
        }
    }
    predicted
}

/// Sums in eight lanes, so that the compiler can use vector instructions and the bits are the same everywhere.
fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(a, b)| (a - b) * (a - b))
        .sum();
    for (a, b) in a8.zip(b8) {
        for k in 0..8 {
            lanes[k] += (a[k] - b[k]) * (a[k] - b[k]);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

fn weighted_squared_distance(a: &[f64], b: &[f64], w: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a8, b8, w8) = (a.chunks_exact(8), b.chunks_exact(8), w.chunks_exact(8));
    let rest = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .zip(w8.remainder());
    let rest: f64 = rest.map(|((a, b), w)| w * (a - b) * (a - b)).sum();
    for ((a, b), w) in a8.zip(b8).zip(w8) {
        for k in 0..8 {
            lanes[k] += w[k] * (a[k] - b[k]) * (a[k] - b[k]);
        }
    }
    lanes.iter().sum::<f64>() + rest
}
