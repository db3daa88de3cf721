//! What a linear readout tells, and whether it carries over.

use serde::{Deserialize, Serialize};

use super::{Dichotomy, GeometryError, Samples, Svm};

/// Generalization across conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ccgp {
    /// Mean accuracy over the pairs left out, 0 to 1; chance is not exactly 0.5 and may well be below it (see
    /// [`super::null_of`]).
    pub accuracy: f64,
    /// The accuracy on each pair left out.
    pub contexts: Vec<f64>,
}

fn same_conditions(samples: &Samples, dichotomy: &Dichotomy) -> Result<(), GeometryError> {
    if samples.n_conditions() == dichotomy.n_conditions() {
        return Ok(());
    }
    Err(GeometryError::Number {
        what: "conditions of the dichotomy",
        expected: samples.n_conditions(),
        found: dichotomy.n_conditions(),
    })
}

fn labels(conditions: &[usize], dichotomy: &Dichotomy) -> Vec<bool> {
    conditions
        .iter()
        .map(|&c| dichotomy.is_positive(c))
        .collect()
}

/// Cross-condition generalization performance of a dichotomy (Bernardi et al. 2020; paper 23, D): a linear support vector
/// machine learns from all conditions but one pair and is asked for that pair; mean over the pairs, of which `most` spread
/// over all are taken. Pairs are positive and negative conditions that differ in nothing else, such as those of
/// [`super::parallelism`]. Where the classes differ in size, conditions in no pair are always learned from.
///
/// # Errors
/// [`GeometryError::Number`] for a dichotomy of other conditions; [`GeometryError::TooFew`] below 2 pairs or `most` of 0;
/// those of [`Svm::fit`].
pub fn ccgp(
    samples: &Samples,
    dichotomy: &Dichotomy,
    pairs: &[(usize, usize)],
    most: usize,
    svm: &Svm,
) -> Result<Ccgp, GeometryError> {
    same_conditions(samples, dichotomy)?;
    for (what, found, least) in [("pairs", pairs.len(), 2), ("pairs left out", most, 1)] {
        if found < least {
            return Err(GeometryError::TooFew {
                what: what.into(),
                least,
                found,
            });
        }
    }
    let n = pairs.len().min(most);
    let contexts = (0..n).map(|i| {
        let (p, q) = pairs[i * pairs.len() / n];
        let held = |c: usize| c == p || c == q;
        let all = 0..samples.conditions().len();
        let (test, train): (Vec<usize>, Vec<usize>) =
            all.partition(|&s| held(samples.conditions()[s]));
        split(samples, dichotomy, (&train, &test), svm)
    });
    let contexts = contexts.collect::<Result<Vec<f64>, _>>()?;
    Ok(Ccgp {
        accuracy: contexts.iter().sum::<f64>() / contexts.len() as f64,
        contexts,
    })
}

fn split(
    samples: &Samples,
    dichotomy: &Dichotomy,
    (train, test): (&[usize], &[usize]),
    svm: &Svm,
) -> Result<f64, GeometryError> {
    let (values, conditions) = samples.at(train);
    let separator = svm.fit(values.view(), &labels(&conditions, dichotomy))?;
    let (values, conditions) = samples.at(test);
    Ok(separator.accuracy(values.view(), &labels(&conditions, dichotomy)))
}

/// The accuracy, on samples to test, of a linear support vector machine that learned a dichotomy from other samples.
///
/// # Errors
/// [`GeometryError::Number`] for a dichotomy of other conditions or samples of another number of units; those of
/// [`Svm::fit`].
pub fn decode(
    train: &Samples,
    test: &Samples,
    dichotomy: &Dichotomy,
    svm: &Svm,
) -> Result<f64, GeometryError> {
    same_conditions(train, dichotomy)?;
    same_conditions(test, dichotomy)?;
    if train.values().ncols() != test.values().ncols() {
        return Err(GeometryError::Number {
            what: "units of the samples to test on",
            expected: train.values().ncols(),
            found: test.values().ncols(),
        });
    }
    let separator = svm.fit(train.values(), &labels(train.conditions(), dichotomy))?;
    Ok(separator.accuracy(test.values(), &labels(test.conditions(), dichotomy)))
}

/// The accuracy for a dichotomy by cross-validation: the `i`-th sample of every condition is tested on in part
/// `i % folds`, by a machine that learned from the other parts. Mean over parts.
///
/// # Errors
/// [`GeometryError::Number`] for a dichotomy of other conditions; [`GeometryError::TooFew`] below 2 folds, or for a
/// condition with fewer samples than folds; those of [`Svm::fit`].
pub fn cross_validated(
    samples: &Samples,
    dichotomy: &Dichotomy,
    folds: usize,
    svm: &Svm,
) -> Result<f64, GeometryError> {
    same_conditions(samples, dichotomy)?;
    if folds < 2 {
        return Err(GeometryError::TooFew {
            what: "folds".into(),
            least: 2,
            found: folds,
        });
    }
    if let Some(c) = samples.counts().iter().position(|&n| n < folds) {
        return Err(GeometryError::TooFew {
            what: format!("samples of condition {c}, one for each fold"),
            least: folds,
            found: samples.counts()[c],
        });
    }
    let mut seen = vec![0usize; samples.n_conditions()];
    let part: Vec<usize> = samples
        .conditions()
        .iter()
        .map(|&c| {
            seen[c] += 1;
            (seen[c] - 1) % folds
        })
        .collect();
    let mut sum = 0.0;
    for fold in 0..folds {
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..part.len()).partition(|&i| part[i] == fold);
        sum += split(samples, dichotomy, (&train, &test), svm)?;
    }
    Ok(sum / folds as f64)
}
