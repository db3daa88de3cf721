//! The first pass over samples: how many each class has, and where its mean lies.

use std::borrow::Cow;

use chiasm_core::{summed, vectorized};
use ndarray::{Array1, Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::CollapseError;
use super::between::Between;

/// A number that features may be held in; all sums are of `f64`.
pub trait Feature: Copy + Send + Sync + Into<f64> {}

impl Feature for f32 {}
impl Feature for f64 {}

/// Counts and sums by class: the first pass. Its size does not depend on how many samples it has seen; it can be kept
/// (`serde`), gone on with, and merged with that of another shard.
///
/// ```
/// use chiasm_analysis::collapse::Sums;
/// let x = ndarray::arr2(&[[0.0, 1.0], [2.0, 1.0], [5.0, 5.0]]);
/// let mut sums = Sums::new(2, 2)?;
/// sums.add(x.view(), &[0, 0, 1])?;
/// let means = sums.means();
/// assert_eq!(means.mean(0), [1.0, 1.0]);
/// assert_eq!(means.counts(), [2, 1]);
/// # Ok::<(), chiasm_analysis::collapse::CollapseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    n_classes: usize,
    n_features: usize,
    counts: Vec<u64>,
    /// `[class, feature]`
    sums: Vec<f64>,
}

impl Sums {
    /// Nothing seen yet of so many classes and features.
    ///
    /// # Errors
    /// [`CollapseError::Few`] without a class or a feature.
    pub fn new(n_classes: usize, n_features: usize) -> Result<Self, CollapseError> {
        at_least("classes", 1, n_classes)?;
        at_least("features", 1, n_features)?;
        Ok(Self {
            n_classes,
            n_features,
            counts: vec![0; n_classes],
            sums: vec![0.0; n_classes * n_features],
        })
    }

    /// Takes in samples: `x` `[sample, feature]`, and the class of each, from 0.
    ///
    /// # Errors
    /// [`CollapseError::Number`] for labels or features of another number, [`CollapseError::Label`],
    /// [`CollapseError::NotFinite`]; nothing is taken in then.
    pub fn add<T: Feature>(
        &mut self,
        x: ArrayView2<'_, T>,
        labels: &[usize],
    ) -> Result<(), CollapseError> {
        let d = self.n_features;
        let batch = Batch::new(x, labels, self.n_classes, d)?;
        let present: Vec<usize> = (0..self.n_classes)
            .filter(|&class| !batch.of(class).is_empty())
            .collect();
        let grown = present.par_iter().with_min_len(16).map(|&class| {
            let mut sum = self.sums[class * d..][..d].to_vec();
            vectorized(
                #[inline(always)]
                || {
                    for &sample in batch.of(class) {
                        let row = batch.row(sample);
                        sum.iter_mut().zip(row).for_each(|(s, v)| *s += (*v).into());
                    }
                },
            );
            sum
        });
        let grown: Vec<Vec<f64>> = grown.collect();
        // A sum shows whether one of its numbers is none: only then are they looked at one by one.
        if grown.iter().flatten().any(|v| !v.is_finite()) {
            batch.rows.finite("features")?;
        }
        for (class, sum) in present.into_iter().zip(grown) {
            self.counts[class] += batch.of(class).len() as u64;
            self.sums[class * d..][..d].copy_from_slice(&sum);
        }
        Ok(())
    }

    /// Takes in what another shard has seen.
    ///
    /// # Errors
    /// [`CollapseError::Number`] for other classes or features.
    pub fn merge(&mut self, other: &Self) -> Result<(), CollapseError> {
        same_number("classes", self.n_classes, other.n_classes)?;
        same_number("features", self.n_features, other.n_features)?;
        let counts = self.counts.iter_mut().zip(&other.counts);
        counts.for_each(|(a, b)| *a += b);
        let sums = self.sums.iter_mut().zip(&other.sums);
        sums.for_each(|(a, b)| *a += b);
        Ok(())
    }

    /// The means of what was seen so far. Classes without samples stand at zero and are left out of every measure.
    #[must_use]
    pub fn means(&self) -> Means {
        let mut values = self.sums.clone();
        for (mean, &n) in values.chunks_mut(self.n_features).zip(&self.counts) {
            if n > 0 {
                mean.iter_mut().for_each(|v| *v /= n as f64);
            }
        }
        let mut hash = Sha256::new();
        self.counts
            .iter()
            .for_each(|n| hash.update(n.to_le_bytes()));
        values.iter().for_each(|v| hash.update(v.to_le_bytes()));
        Means {
            n_features: self.n_features,
            counts: self.counts.clone(),
            values,
            digest: hash.finalize().into(),
            between: None,
        }
    }
}

/// Where the classes lie. Later passes are bound to it by its SHA-256, so that none can be done with other means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Means {
    n_features: usize,
    counts: Vec<u64>,
    /// `[class, feature]`
    values: Vec<f64>,
    digest: [u8; 32],
    pub(super) between: Option<Between>,
}

impl Means {
    /// Number of classes, seen or not.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.counts.len()
    }

    /// Number of features.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Samples of each class.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The mean of a class; zero if it was never seen.
    #[must_use]
    pub fn mean(&self, class: usize) -> &[f64] {
        &self.values[class * self.n_features..][..self.n_features]
    }

    /// All means, `[class, feature]`.
    #[must_use]
    pub fn values(&self) -> ArrayView2<'_, f64> {
        let shape = (self.counts.len(), self.n_features);
        // The lengths agree by construction.
        ArrayView2::from_shape(shape, &self.values).expect("means of every class")
    }

    /// SHA-256 of counts and means, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        hex(&self.digest)
    }

    /// The classes that have so many samples or more.
    #[must_use]
    pub fn seen(&self, at_least: u64) -> Vec<usize> {
        let least = at_least.max(1);
        (0..self.counts.len())
            .filter(|&c| self.counts[c] >= least)
            .collect()
    }

    /// The means of these classes less their own unweighted mean, `[class, feature]`, and that mean.
    ///
    /// # Errors
    /// [`CollapseError::Few`] without a class; [`CollapseError::Label`] beyond the last; [`CollapseError::EmptyClass`].
    pub fn centered(&self, classes: &[usize]) -> Result<(Array2<f64>, Array1<f64>), CollapseError> {
        at_least("classes", 1, classes.len())?;
        for (index, &found) in classes.iter().enumerate() {
            let n_classes = self.counts.len();
            match self.counts.get(found) {
                None => {
                    return Err(CollapseError::Label {
                        index,
                        n_classes,
                        found,
                    });
                }
                Some(0) => return Err(CollapseError::EmptyClass { class: found }),
                Some(_) => {}
            }
        }
        let mut global = Array1::<f64>::zeros(self.n_features);
        for &class in classes {
            let values = global.iter_mut().zip(self.mean(class));
            values.for_each(|(g, v)| *g += v);
        }
        global /= classes.len() as f64;
        let centered = Array2::from_shape_fn((classes.len(), self.n_features), |(i, j)| {
            self.mean(classes[i])[j] - global[j]
        });
        Ok((centered, global))
    }

    /// Refuses classes without samples, the first of them by name.
    ///
    /// # Errors
    /// [`CollapseError::EmptyClass`].
    pub fn all_seen(&self) -> Result<(), CollapseError> {
        match self.counts.iter().position(|&n| n == 0) {
            Some(class) => Err(CollapseError::EmptyClass { class }),
            None => Ok(()),
        }
    }

    pub(super) fn bytes(&self) -> [u8; 32] {
        self.digest
    }

    /// Refuses a pass that belongs to other means.
    pub(super) fn own(&self, what: &'static str, digest: [u8; 32]) -> Result<(), CollapseError> {
        if digest == self.digest {
            return Ok(());
        }
        Err(CollapseError::OtherMeans {
            what,
            expected: hex(&self.digest),
            found: hex(&digest),
        })
    }
}

/// A batch of samples sorted by class, their shape and labels checked.
pub(super) struct Batch<'a, T: Feature> {
    rows: Rows<'a, T>,
    order: Vec<u32>,
    starts: Vec<usize>,
}

impl<'a, T: Feature> Batch<'a, T> {
    pub(super) fn new(
        x: ArrayView2<'a, T>,
        labels: &[usize],
        n_classes: usize,
        n_features: usize,
    ) -> Result<Self, CollapseError> {
        same_number("features", n_features, x.ncols())?;
        same_number("labels", x.nrows(), labels.len())?;
        // Positions within a batch are 32 bits wide.
        if labels.len() > u32::MAX as usize {
            return Err(CollapseError::Number {
                what: "samples of a batch (at most)",
                expected: u32::MAX as usize,
                found: labels.len(),
            });
        }
        let mut starts = vec![0usize; n_classes + 1];
        for (index, &found) in labels.iter().enumerate() {
            if found >= n_classes {
                return Err(CollapseError::Label {
                    index,
                    n_classes,
                    found,
                });
            }
            starts[found + 1] += 1;
        }
        let rows = Rows::unchecked(x);
        for class in 0..n_classes {
            starts[class + 1] += starts[class];
        }
        let (mut next, mut order) = (starts.clone(), vec![0u32; labels.len()]);
        for (sample, &class) in labels.iter().enumerate() {
            order[next[class]] = sample as u32;
            next[class] += 1;
        }
        Ok(Self {
            rows,
            order,
            starts,
        })
    }

    /// Samples of a class, in order.
    pub(super) fn of(&self, class: usize) -> &[u32] {
        &self.order[self.starts[class]..self.starts[class + 1]]
    }

    #[inline(always)]
    pub(super) fn row(&self, sample: u32) -> &[T] {
        self.rows.row(sample as usize)
    }
}

/// Rows of numbers.
pub(super) struct Rows<'a, T: Feature> {
    values: Cow<'a, [T]>,
    width: usize,
}

impl<'a, T: Feature> Rows<'a, T> {
    /// Rows of numbers that were found finite.
    pub(super) fn new(what: &'static str, x: ArrayView2<'a, T>) -> Result<Self, CollapseError> {
        let rows = Self::unchecked(x);
        rows.finite(what)?;
        Ok(rows)
    }

    /// Rows whose numbers may be none: for passes that see it by what comes of them, and call [`Self::finite`] then.
    pub(super) fn unchecked(x: ArrayView2<'a, T>) -> Self {
        let values = match x.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(x.iter().copied().collect()),
        };
        let width = x.ncols();
        Self { values, width }
    }

    /// Refuses the first number that is not finite.
    pub(super) fn finite(&self, what: &'static str) -> Result<(), CollapseError> {
        let chunks = self.values.par_chunks(1 << 14);
        let found = chunks.enumerate().find_map_first(|(chunk, values)| {
            // A product with 0 is 0 of finite numbers alone: no way out in the middle, so that it runs in vector registers.
            let zero: f64 = vectorized(
                #[inline(always)]
                || summed(values, |v| 0.0 * v.into()),
            );
            if zero == 0.0 {
                return None;
            }
            let at = values.iter().position(|v| !(*v).into().is_finite())?;
            Some((chunk << 14) + at)
        });
        match found {
            Some(at) => Err(CollapseError::NotFinite {
                what,
                row: at / self.width,
                column: at % self.width,
                found: self.values[at].into(),
            }),
            None => Ok(()),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    #[inline(always)]
    pub(super) fn row(&self, idx: usize) -> &[T] {
        &self.values[idx * self.width..][..self.width]
    }

    #[inline(always)]
    pub(super) fn width(&self) -> usize {
        self.width
    }
}

pub(super) fn same_number(
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), CollapseError> {
    if expected == found {
        Ok(())
    } else {
        Err(CollapseError::Number {
            what,
            expected,
            found,
        })
    }
}

pub(super) fn at_least(
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), CollapseError> {
    if found >= expected {
        Ok(())
    } else {
        Err(CollapseError::Few {
            what,
            expected,
            found,
        })
    }
}

pub(super) fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}
