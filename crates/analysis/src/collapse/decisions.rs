//! The third pass: whether a classifier decides as the nearest class mean does.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::product_into;
use super::moments::{Feature, Means, Rows, same_number};

/// Samples and classes that are handled at once.
const PIECE: usize = 128;
const TILE: usize = 512;

/// A linear classifier: the class of the highest `w_c h + b_c`, the first of equals.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    weights: Array2<f64>,
    bias: Option<Array1<f64>>,
}

impl Classifier {
    /// A classifier of weights `[class, feature]` and, if there are any, biases `[class]`.
    ///
    /// # Errors
    /// [`CollapseError::Number`] for biases of another number, [`CollapseError::NotFinite`].
    pub fn new<T: Feature>(
        weights: ArrayView2<'_, T>,
        bias: Option<ArrayView1<'_, T>>,
    ) -> Result<Self, CollapseError> {
        let wide = |v: &T| -> f64 { (*v).into() };
        let weights = weights.map(wide);
        let bias = bias.map(|b| b.map(wide));
        if let Some(b) = &bias {
            same_number("biases", weights.nrows(), b.len())?;
            let column = b.view().insert_axis(ndarray::Axis(0));
            Rows::new("biases", column)?;
        }
        Rows::new("classifier", weights.view())?;
        Ok(Self { weights, bias })
    }

    /// Weights, `[class, feature]`.
    #[must_use]
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }
}

/// Decisions of a classifier beside those of the nearest class mean: the third pass, usually over samples that were not
/// trained on. Labels may be of classes that the means never saw; they are counted apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    digest: [u8; 32],
    /// Samples of each class.
    counts: Vec<u64>,
    /// Those in which the classifier agrees with the nearest mean among the classes that were seen.
    hits: Vec<u64>,
    /// Those in which it agrees with the nearest mean where classes never seen stand at zero, as in the authors' code.
    hits_with_unseen: Vec<u64>,
    /// Those in which the classifier is right.
    right: Vec<u64>,
    /// Those in which the nearest mean is.
    right_nearest: Vec<u64>,
}

impl Decisions {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(means: &Means) -> Self {
        let none = vec![0; means.n_classes()];
        Self {
            digest: means.bytes(),
            counts: none.clone(),
            hits: none.clone(),
            hits_with_unseen: none.clone(),
            right: none.clone(),
            right_nearest: none,
        }
    }

    /// Takes in samples: `x` `[sample, feature]`, and the class of each.
    ///
    /// # Errors
    /// As [`super::Sums::add`]; [`CollapseError::OtherMeans`]; [`CollapseError::Number`] for a classifier of other classes
    /// or features; [`CollapseError::Few`] where no class was seen.
    pub fn add<T: Feature>(
        &mut self,
        (means, classifier): (&Means, &Classifier),
        x: ArrayView2<'_, T>,
        labels: &[usize],
    ) -> Result<(), CollapseError> {
        means.own("decisions", self.digest)?;
        let n_classes = means.n_classes();
        same_number("features", means.n_features(), x.ncols())?;
        same_number("labels", x.nrows(), labels.len())?;
        let (classes, features) = classifier.weights.dim();
        same_number("classes of the classifier", n_classes, classes)?;
        same_number("features of the classifier", means.n_features(), features)?;
        let outside = labels.iter().enumerate().find(|(_, l)| **l >= n_classes);
        if let Some((index, &found)) = outside {
            return Err(CollapseError::Label {
                index,
                n_classes,
                found,
            });
        }
        let rows = Rows::new("features", x)?;
        // Distances do not change with the origin, and lose fewer digits near it.
        let (_, global) = means.centered(&means.seen(1))?;
        let centers = &means.values() - &global;
        let half: Vec<f64> = centers
            .rows()
            .into_iter()
            .map(|m| m.dot(&m) / 2.0)
            .collect();
        let judge = Judge {
            classifier,
            centers,
            half,
            global,
            seen: means.counts().iter().map(|n| *n > 0).collect(),
        };
        let pieces: Vec<(usize, usize)> = (0..rows.len())
            .step_by(PIECE)
            .map(|from| (from, (from + PIECE).min(rows.len())))
            .collect();
        let decided: Vec<Vec<[usize; 3]>> = pieces
            .into_par_iter()
            .map(|(from, to)| judge.decide(&rows, from, to))
            .collect();
        for (&class, [linear, near, near_all]) in labels.iter().zip(decided.into_iter().flatten()) {
            self.counts[class] += 1;
            self.hits[class] += u64::from(linear == near);
            self.hits_with_unseen[class] += u64::from(linear == near_all);
            self.right[class] += u64::from(linear == class);
            self.right_nearest[class] += u64::from(near == class);
        }
        Ok(())
    }

    /// Takes in what another shard has seen.
    ///
    /// # Errors
    /// [`CollapseError::OtherMeans`] if that was begun with other means.
    pub fn merge(&mut self, means: &Means, other: &Self) -> Result<(), CollapseError> {
        means.own("decisions", self.digest)?;
        means.own("decisions of another shard", other.digest)?;
        for (to, from) in [
            (&mut self.counts, &other.counts),
            (&mut self.hits, &other.hits),
            (&mut self.hits_with_unseen, &other.hits_with_unseen),
            (&mut self.right, &other.right),
            (&mut self.right_nearest, &other.right_nearest),
        ] {
            to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        }
        Ok(())
    }

    /// How often they agree, over all samples.
    ///
    /// # Errors
    /// [`CollapseError::Few`] without a sample; [`CollapseError::OtherMeans`].
    pub fn agreement(&self, means: &Means) -> Result<Agreement, CollapseError> {
        means.own("decisions", self.digest)?;
        let sum = |of: &[u64]| of.iter().sum::<u64>();
        let n = sum(&self.counts);
        super::moments::at_least("samples", 1, n as usize)?;
        let unseen = self.counts.iter().zip(means.counts());
        let rate = |of: &[u64]| sum(of) as f64 / n as f64;
        Ok(Agreement {
            n_samples: n,
            hits: sum(&self.hits),
            agreement: rate(&self.hits),
            with_unseen: rate(&self.hits_with_unseen),
            accuracy: rate(&self.right),
            nearest_accuracy: rate(&self.right_nearest),
            n_unseen: unseen.filter(|(_, seen)| **seen == 0).map(|(n, _)| n).sum(),
        })
    }

    /// For each class, samples and hits.
    pub fn by_class(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.counts.iter().copied().zip(self.hits.iter().copied())
    }
}

/// How often a classifier decides as the nearest class mean does (NC4).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Samples.
    pub n_samples: u64,
    /// Those in which they agree.
    pub hits: u64,
    /// Part in which they agree, the nearest mean being sought among classes with samples.
    pub agreement: f64,
    /// The same with classes never seen standing at zero, as in the authors' code.
    pub with_unseen: f64,
    /// Part in which the classifier is right.
    pub accuracy: f64,
    /// Part in which the nearest mean is.
    pub nearest_accuracy: f64,
    /// Samples of classes that the means never saw.
    pub n_unseen: u64,
}

struct Judge<'a> {
    classifier: &'a Classifier,
    centers: Array2<f64>,
    half: Vec<f64>,
    global: Array1<f64>,
    seen: Vec<bool>,
}

impl Judge<'_> {
    /// For each sample the class of the classifier, of the nearest mean that was seen, of the nearest of all.
    fn decide<T: Feature>(&self, rows: &Rows<'_, T>, from: usize, to: usize) -> Vec<[usize; 3]> {
        let (n, n_classes) = (to - from, self.half.len());
        let x = Array2::from_shape_fn((n, rows.width()), |(i, j)| rows.row(from + i)[j].into());
        let centered = &x - &self.global;
        let mut best = vec![[(f64::NEG_INFINITY, 0); 3]; n];
        for start in (0..n_classes).step_by(TILE) {
            let stop = (start + TILE).min(n_classes);
            let mut linear = Array2::zeros((n, stop - start));
            let weights = self.classifier.weights.slice(s![start..stop, ..]);
            product_into(x.view(), weights.t(), &mut linear);
            let mut near = Array2::zeros((n, stop - start));
            let centers = self.centers.slice(s![start..stop, ..]);
            product_into(centered.view(), centers.t(), &mut near);
            for ((best, linear), near) in best.iter_mut().zip(linear.rows()).zip(near.rows()) {
                for (k, (&l, &m)) in linear.iter().zip(&near).enumerate() {
                    let class = start + k;
                    let bias = self.classifier.bias.as_ref().map_or(0.0, |b| b[class]);
                    let scores = [l + bias, m - self.half[class], m - self.half[class]];
                    for (which, score) in scores.into_iter().enumerate() {
                        let allowed = which != 1 || self.seen[class];
                        if allowed && score > best[which].0 {
                            best[which] = (score, class);
                        }
                    }
                }
            }
        }
        best.into_iter()
            .map(|b| b.map(|(_, class)| class))
            .collect()
    }
}
