//! The error of an identification accuracy: stimuli and subjects drawn anew together, with replacement, and the same
//! draws used for every arm, so that arms are compared in pairs.
//!
//! A stimulus that is drawn c times stands for c stimuli, and the c(c-1)/2 pairs of it with itself have no distance:
//! they are dropped, or filled with the RDM's mean ([`Duplicates`]). A subject that is drawn more than once is left out
//! as a whole, so that no copy of a test RDM is among the training ones.
//!
//! How it is fast: pairs of the same two stimuli are equal, so each distinct pair is handled once, with the number of its
//! copies as weight; the order of an RDM's distances is known from the full RDM, so that no resample is sorted. The
//! result is that of carrying the resample out (a test does).

use chiasm_core::{Rng, Streams, Watch, stats};
use chiasm_data::Rdms;
use ndarray::Array2;
use rand::RngExt;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::RsaError;
use super::identify::{Groups, nearest_centroids};
use super::transform::Transform;
use weighted::{Resample, WeightedRow};

mod weighted;

/// What becomes of the pairs of a stimulus with itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// They are dropped.
    #[default]
    Drop,
    /// They get the RDM's mean distance in the resample. Accuracies are biased by it; not for geodesics.
    Impute,
}

/// How resamples are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples (released code: 1000).
    pub n_resamples: usize,
    /// Whether stimuli are drawn.
    pub stimuli: bool,
    /// Whether subjects are drawn.
    pub subjects: bool,
    /// What becomes of the pairs of a stimulus with itself.
    pub duplicates: Duplicates,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            n_resamples: 1000,
            stimuli: true,
            subjects: true,
            duplicates: Duplicates::Drop,
        }
    }
}

/// Accuracies of all arms over resamples.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapResult {
    /// Accuracy `[resample, arm]`: the mean over the arm's transforms.
    pub accuracy: Array2<f64>,
    /// How often an RDM had no two different distances left in a resample, or no two different geodesics under one
    /// transform, over all resamples: it was told by no geometry there (ties go to the first region).
    pub n_flat: usize,
}

impl BootstrapResult {
    /// Standard error of an arm's accuracy: its standard deviation over resamples.
    #[must_use]
    pub fn error(&self, arm: usize) -> f64 {
        stats::sd(&self.accuracy.column(arm).to_vec(), 0)
    }

    /// Two-sided p that two arms differ: t = mean difference / its standard deviation over resamples (as in the released
    /// code), with one degree of freedom less than resamples. 1 where they never differ.
    #[must_use]
    pub fn paired_p(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (self.accuracy.column(a), self.accuracy.column(b));
        let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        let (mean, sd) = (stats::mean(&difference), stats::sd(&difference, 1));
        if sd > 0.0 {
            let degrees = (difference.len() - 1) as f64;
            StudentsT::new(0.0, 1.0, degrees).map_or(f64::NAN, |t| 2.0 * t.sf((mean / sd).abs()))
        } else if mean == 0.0 {
            1.0
        } else {
            0.0
        }
    }
}

/// Draws resamples and tells regions apart in each, for every arm: a list of transforms whose accuracies are averaged.
///
/// A resample that holds fewer than three different stimuli or fewer than two different subjects is drawn anew, for it
/// has no answer. Resample `i` takes its bits from `streams.indexed("resample", i)`, whatever the number of threads.
///
/// # Errors
/// Those of [`Groups::new`]; [`RsaError::Parameter`] for fewer than 2 resamples, an arm without transforms, or geodesics
/// with imputed duplicates; [`RsaError::Cancelled`].
pub fn bootstrap(
    rdms: &Rdms,
    arms: &[Vec<Transform>],
    how: Bootstrap,
    streams: &Streams,
    watch: &dyn Watch,
) -> Result<BootstrapResult, RsaError> {
    check(arms, how)?;
    let groups = Groups::new(rdms.labels())?;
    let orders = weighted::orders(rdms);
    watch.stage("bootstrap", how.n_resamples as u64);
    let rows: Vec<(Vec<f64>, usize)> = (0..how.n_resamples)
        .into_par_iter()
        .map(|i| {
            watch.check()?;
            let (stimuli, copies) = draw(
                rdms.n_stimuli(),
                groups.subjects.len(),
                how,
                &mut streams.indexed("resample", i),
            );
            let resample = Resample::new(&stimuli, how.duplicates);
            let row = one(rdms, &orders, &groups, arms, &resample, &copies)?;
            watch.tick(1);
            Ok(row)
        })
        .collect::<Result<_, RsaError>>()?;
    let n_flat = rows.iter().map(|(_, flat)| flat).sum();
    let flat: Vec<f64> = rows.into_iter().flat_map(|(row, _)| row).collect();
    let shape = (how.n_resamples, arms.len());
    let accuracy = Array2::from_shape_vec(shape, flat).expect("one accuracy for each arm");
    Ok(BootstrapResult { accuracy, n_flat })
}

fn check(arms: &[Vec<Transform>], how: Bootstrap) -> Result<(), RsaError> {
    let refuse = |name, expected, found| {
        Err(RsaError::Parameter {
            name,
            expected,
            found,
        })
    };
    if how.n_resamples < 2 {
        return refuse("n_resamples", "at least 2", how.n_resamples as f64);
    }
    if arms.iter().any(Vec::is_empty) {
        return refuse("arms", "at least one transform in each", 0.0);
    }
    let geodesic = |t: &Transform| matches!(t, Transform::Geodesic(..));
    if how.duplicates == Duplicates::Impute && arms.iter().flatten().any(geodesic) {
        return refuse("duplicates", "drop, where there are geodesics", f64::NAN);
    }
    Ok(())
}

/// How often each stimulus and each subject is drawn.
fn draw(
    n_stimuli: usize,
    n_subjects: usize,
    how: Bootstrap,
    rng: &mut Rng,
) -> (Vec<u32>, Vec<f64>) {
    let mut counts = |n: usize, drawn: bool, at_least: usize| loop {
        let mut counts = vec![u32::from(!drawn); n];
        if drawn {
            for _ in 0..n {
                counts[rng.random_range(0..n)] += 1;
            }
        }
        if counts.iter().filter(|&&c| c > 0).count() >= at_least {
            return counts;
        }
    };
    let stimuli = counts(n_stimuli, how.stimuli, 3);
    let subjects = counts(n_subjects, how.subjects, 2);
    (stimuli, subjects.into_iter().map(f64::from).collect())
}

/// The accuracies of all arms in one resample, and how many RDMs were flat in it.
fn one(
    rdms: &Rdms,
    orders: &[Vec<u32>],
    groups: &Groups,
    arms: &[Vec<Transform>],
    resample: &Resample,
    copies: &[f64],
) -> Result<(Vec<f64>, usize), RsaError> {
    let drawn: Vec<usize> = (0..rdms.len())
        .filter(|&i| copies[groups.subject[i]] > 0.0)
        .collect();
    let rows: Vec<WeightedRow> = drawn
        .iter()
        .map(|&i| WeightedRow::new(rdms.vector(i), &orders[i], resample))
        .collect();
    let of_drawn = Groups {
        subject: drawn.iter().map(|&i| groups.subject[i]).collect(),
        region: drawn.iter().map(|&i| groups.region[i]).collect(),
        ..groups.clone()
    };
    let weights = resample.weights();
    let mut out = vec![Vec::new(); rows.len()];
    let mut accuracies = Vec::with_capacity(arms.len());
    let mut n_flat = rows.iter().filter(|r| r.is_flat()).count();
    for arm in arms {
        let mut sum = 0.0;
        for transform in arm {
            for (row, out) in rows.iter().zip(&mut out) {
                let paths_differ = row.transform(transform, resample, out)?;
                n_flat += usize::from(!paths_differ && !row.is_flat());
            }
            let vectors: Vec<&[f64]> = out.iter().map(Vec::as_slice).collect();
            let predicted = nearest_centroids(&vectors, &of_drawn, copies, Some(weights));
            sum += weighted_accuracy(&predicted, &of_drawn, copies);
        }
        accuracies.push(sum / arm.len() as f64);
    }
    Ok((accuracies, n_flat))
}

fn weighted_accuracy(predicted: &[usize], groups: &Groups, copies: &[f64]) -> f64 {
    let (mut right, mut all) = (0.0, 0.0);
    for (i, p) in predicted.iter().enumerate() {
        let copies = copies[groups.subject[i]];
        all += copies;
        if *p == groups.region[i] {
            right += copies;
        }
    }
    right / all
}

#[cfg(test)]
pub(super) mod tests_only {
    use super::*;

    /// How often each stimulus and each subject is drawn in resample `i` of [`bootstrap`].
    pub(in crate::rsa) fn counts_of_resample(
        rdms: &Rdms,
        how: Bootstrap,
        streams: &Streams,
        i: usize,
    ) -> (Vec<u32>, Vec<f64>) {
        let groups = Groups::new(rdms.labels()).unwrap();
        let rng = &mut streams.indexed("resample", i);
        draw(rdms.n_stimuli(), groups.subjects.len(), how, rng)
    }
}
