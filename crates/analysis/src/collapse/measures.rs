//! All measures of collapse of one set of features at once.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::decisions::{Agreement, Classifier, Decisions};
use super::geometry::{duality_error, simplex_error};
use super::moments::{Feature, Means, Sums, at_least};
use super::spread::{Spread, Within};

/// How far features have collapsed: all measures are 0 (the agreement 1) where they have done so wholly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Collapse {
    /// `Tr(Sigma_W Sigma_B^+) / K` (NC1).
    pub ratio: f64,
    /// `Tr Sigma_W / Tr Sigma_B` (NC1~).
    pub quotient: f64,
    /// Distance of the class means from a simplex (NC2).
    pub simplex: f64,
    /// Distance of classifier and class means from dual simplices (NC3); with a classifier alone.
    pub duality: Option<f64>,
    /// How often classifier and nearest class mean agree (NC4); with a classifier alone.
    pub agreement: Option<Agreement>,
    /// Samples of the class that has fewest. With one sample each there is no scatter within classes, and NC1 is 0 whatever
    /// the features are.
    pub fewest: u64,
}

impl Collapse {
    /// Measures features `[sample, feature]` whose classes are `labels`, each class below `n_classes` having samples; and
    /// the classifier on them, if there is one.
    ///
    /// ```
    /// use chiasm_analysis::collapse::Collapse;
    /// // Three classes at the corners of a triangle, with a little scatter around each.
    /// let x = ndarray::arr2(&[
    ///     [1.0, 0.01], [1.0, -0.01], [-0.5, 0.876], [-0.5, 0.856], [-0.5, -0.876], [-0.5, -0.856],
    /// ]);
    /// let found = Collapse::of(x.view(), &[0, 0, 1, 1, 2, 2], 3, None)?;
    /// assert!(found.quotient < 1e-3 && found.simplex < 1e-3);
    /// # Ok::<(), chiasm_analysis::collapse::CollapseError>(())
    /// ```
    ///
    /// # Errors
    /// [`CollapseError`] for labels, features or a classifier that do not fit, fewer than two classes, a class without
    /// samples, class means that are all the same.
    pub fn of<T: Feature>(
        x: ArrayView2<'_, T>,
        labels: &[usize],
        n_classes: usize,
        classifier: Option<&Classifier>,
    ) -> Result<Self, CollapseError> {
        at_least("classes", 2, n_classes)?;
        let mut sums = Sums::new(n_classes, x.ncols())?;
        sums.add(x, labels)?;
        let means = sums.means();
        means.all_seen()?;
        let means = means.with_between()?;
        let mut spread = Spread::new(&means);
        spread.add(&means, x, labels)?;
        let decisions = match classifier {
            None => None,
            Some(classifier) => {
                let mut decisions = Decisions::new(&means);
                decisions.add((&means, classifier), x, labels)?;
                Some(decisions)
            }
        };
        Self::from_passes(
            &means,
            &spread.within(&means)?,
            classifier,
            decisions.as_ref(),
        )
    }

    /// The same from passes that were made one by one, over samples that need not fit in memory. The means are those of
    /// [`Means::with_between`]; all classes with samples take part.
    ///
    /// # Errors
    /// As [`Self::of`]; [`CollapseError::OtherMeans`].
    pub fn from_passes(
        means: &Means,
        within: &Within,
        classifier: Option<&Classifier>,
        decisions: Option<&Decisions>,
    ) -> Result<Self, CollapseError> {
        let classes = means.seen(1);
        let (centered, _) = means.centered(&classes)?;
        let duality = match classifier {
            None => None,
            Some(classifier) => {
                let weights = classifier.weights();
                super::moments::same_number(
                    "classes of the classifier",
                    means.n_classes(),
                    weights.nrows(),
                )?;
                let own = weights.select(ndarray::Axis(0), &classes);
                Some(duality_error(own.view(), centered.view())?)
            }
        };
        let missing = || CollapseError::Few {
            what: "scatter between classes (see `Means::with_between`)",
            expected: 1,
            found: 0,
        };
        Ok(Self {
            ratio: within.ratio.ok_or_else(missing)?,
            quotient: within.quotient.ok_or_else(missing)?,
            simplex: simplex_error(centered.view())?,
            duality,
            agreement: decisions.map(|d| d.agreement(means)).transpose()?,
            fewest: classes
                .iter()
                .map(|&c| means.counts()[c])
                .min()
                .unwrap_or(0),
        })
    }
}
