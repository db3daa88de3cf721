//! Items of two sides that belong together.

use std::collections::BTreeMap;

use ndarray::ArrayView2;

use super::{ContrastiveError, check_finite};

/// Pairs of items of the same class, one of each side, checked.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    pub(super) a: ArrayView2<'a, f32>,
    pub(super) b: ArrayView2<'a, f32>,
    pub(super) labels: &'a [usize],
}

impl<'a> Pairs<'a> {
    /// Features `[pair, feature]` of both sides and the class of each pair.
    ///
    /// # Errors
    /// [`ContrastiveError::Number`] for other numbers of pairs, no pair or no feature; [`ContrastiveError::NotFinite`];
    /// [`ContrastiveError::TooFew`] for a class of one pair.
    pub fn new(
        a: ArrayView2<'a, f32>,
        b: ArrayView2<'a, f32>,
        labels: &'a [usize],
    ) -> Result<Self, ContrastiveError> {
        let number = |what, expected, found| ContrastiveError::Number {
            what,
            expected,
            found,
        };
        for (what, found) in [("items of side b", b.nrows()), ("labels", labels.len())] {
            if found != a.nrows() {
                return Err(number(what, a.nrows(), found));
            }
        }
        for (what, x) in [("features of side a", a), ("features of side b", b)] {
            if x.is_empty() {
                return Err(number(what, 1, 0));
            }
        }
        check_finite("a", a)?;
        check_finite("b", b)?;
        for (class, items) in by_class(labels) {
            if items.len() < 2 {
                return Err(ContrastiveError::TooFew {
                    class,
                    side: "a",
                    found: items.len(),
                });
            }
        }
        Ok(Self { a, b, labels })
    }
}

fn by_class(labels: &[usize]) -> BTreeMap<usize, Vec<usize>> {
    let mut classes = BTreeMap::<usize, Vec<usize>>::new();
    for (i, label) in labels.iter().enumerate() {
        classes.entry(*label).or_default().push(i);
    }
    classes
}

/// Pairs the i-th item of each class on one side with the i-th of that class on the other, as many as the smaller side has;
/// class by class.
///
/// # Errors
/// [`ContrastiveError::UnequalClasses`] for a class that only one side has; [`ContrastiveError::TooFew`] for one with fewer
/// than two items.
pub fn pair_up(
    labels_a: &[usize],
    labels_b: &[usize],
) -> Result<Vec<(usize, usize)>, ContrastiveError> {
    let (a, b) = (by_class(labels_a), by_class(labels_b));
    for (mine, other, has, lacks) in [(&a, &b, "a", "b"), (&b, &a, "b", "a")] {
        for (&class, items) in mine {
            if !other.contains_key(&class) {
                return Err(ContrastiveError::UnequalClasses { class, has, lacks });
            }
            let found = items.len();
            if found < 2 {
                return Err(ContrastiveError::TooFew {
                    class,
                    side: has,
                    found,
                });
            }
        }
    }
    let of_class = a.values().zip(b.values());
    Ok(of_class
        .flat_map(|(a, b)| a.iter().copied().zip(b.iter().copied()))
        .collect())
}
