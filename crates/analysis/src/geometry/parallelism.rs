//! Whether a dichotomy is coded alike in all contexts.

use ndarray::{Array1, ArrayView2};
use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres_min;
use serde::{Deserialize, Serialize};

use super::samples::finite;
use super::{Dichotomy, GeometryError};

/// Conditions of the smaller class up to which all pairings are tried.
const MOST_TRIED: usize = 8;
/// Distances are counted in this part of the largest one, since the assignment takes whole numbers.
const GRAIN: f64 = (1u64 << 40) as f64;

/// Which positive condition is held beside which negative one.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Pairing {
    /// The pairing of least summed distance. The best pairing for parallelism is hard to find in general; this stands in
    /// for it (paper 23, D).
    #[default]
    Nearest,
    /// The pairing of greatest parallelism, by trial of all: up to 8 conditions in the smaller class.
    Best,
}

/// How parallel the differences between paired conditions are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parallelism {
    /// Mean cosine between the differences of two pairs, -1 to 1: 1 where all are parallel, 0 on a simplex.
    pub score: f64,
    /// Positive and negative condition of each pair, by the members of the smaller class. Of classes of different size
    /// some conditions of the larger one are in no pair.
    pub pairs: Vec<(usize, usize)>,
}

/// The parallelism score of a dichotomy of conditions, `[condition, unit]` (Bernardi et al. 2020; paper 23, D).
///
/// # Errors
/// [`GeometryError::Number`] for a dichotomy of another number of conditions; [`GeometryError::TooFew`] below 2 pairs;
/// [`GeometryError::TooManyPairings`]; [`GeometryError::NoDifference`]; [`GeometryError::NotFinite`].
pub fn parallelism(
    points: ArrayView2<'_, f64>,
    dichotomy: &Dichotomy,
    pairing: Pairing,
) -> Result<Parallelism, GeometryError> {
    finite("conditions", points)?;
    if dichotomy.n_conditions() != points.nrows() {
        return Err(GeometryError::Number {
            what: "conditions of the dichotomy",
            expected: points.nrows(),
            found: dichotomy.n_conditions(),
        });
    }
    let (positive, negative) = (dichotomy.members(true), dichotomy.members(false));
    let flipped = positive.len() > negative.len();
    let (few, many) = if flipped {
        (&negative, &positive)
    } else {
        (&positive, &negative)
    };
    if few.len() < 2 {
        return Err(GeometryError::TooFew {
            what: "conditions in each class, for parallelism".into(),
            least: 2,
            found: few.len(),
        });
    }
    let pairs = |partners: &[usize]| -> Vec<(usize, usize)> {
        let of = few.iter().zip(partners);
        of.map(|(&a, &b)| if flipped { (many[b], a) } else { (a, many[b]) })
            .collect()
    };
    match pairing {
        Pairing::Nearest => {
            let pairs = pairs(&nearest(points, few, many));
            let score = score(points, &pairs)?;
            Ok(Parallelism { score, pairs })
        }
        Pairing::Best if few.len() > MOST_TRIED || many.len() > MOST_TRIED => {
            Err(GeometryError::TooManyPairings {
                most: MOST_TRIED,
                found: many.len(),
            })
        }
        Pairing::Best => {
            let mut best: Option<Parallelism> = None;
            let mut partners = vec![];
            each_arrangement(few.len(), many.len(), &mut partners, &mut |partners| {
                let pairs = pairs(partners);
                let score = score(points, &pairs)?;
                if best.as_ref().is_none_or(|b| score > b.score) {
                    best = Some(Parallelism { score, pairs });
                }
                Ok(())
            })?;
            best.ok_or(GeometryError::TooFew {
                what: "pairings".into(),
                least: 1,
                found: 0,
            })
        }
    }
}

/// Partners of least summed distance, for each of the few one of the many.
fn nearest(points: ArrayView2<'_, f64>, few: &[usize], many: &[usize]) -> Vec<usize> {
    let distance = |a: usize, b: usize| {
        let difference = &points.row(a) - &points.row(b);
        difference.dot(&difference).sqrt()
    };
    let all: Vec<f64> = few
        .iter()
        .flat_map(|&a| many.iter().map(move |&b| distance(a, b)))
        .collect();
    let largest = all.iter().copied().fold(0.0, f64::max);
    let scale = if largest > 0.0 { GRAIN / largest } else { 0.0 };
    let whole: Vec<i64> = all.iter().map(|d| (d * scale).round() as i64).collect();
    // `whole` has one value for each cell.
    let Ok(matrix) = Matrix::from_vec(few.len(), many.len(), whole) else {
        return (0..few.len()).collect();
    };
    kuhn_munkres_min(&matrix).1
}

fn score(points: ArrayView2<'_, f64>, pairs: &[(usize, usize)]) -> Result<f64, GeometryError> {
    let mut sum: Array1<f64> = Array1::zeros(points.ncols());
    for &(positive, negative) in pairs {
        let mut difference = &points.row(positive) - &points.row(negative);
        let length = difference.dot(&difference).sqrt();
        if length <= 0.0 {
            return Err(GeometryError::NoDifference { positive, negative });
        }
        difference /= length;
        sum += &difference;
    }
    // The squared sum of unit vectors holds each of the n with itself, and each cosine twice.
    let n = pairs.len() as f64;
    Ok((sum.dot(&sum) - n) / (n * (n - 1.0)))
}

/// All ways to give `few` items different ones of `many`.
fn each_arrangement(
    few: usize,
    many: usize,
    chosen: &mut Vec<usize>,
    of: &mut impl FnMut(&[usize]) -> Result<(), GeometryError>,
) -> Result<(), GeometryError> {
    if chosen.len() == few {
        return of(chosen);
    }
    for next in 0..many {
        if !chosen.contains(&next) {
            chosen.push(next);
            each_arrangement(few, many, chosen, of)?;
            chosen.pop();
        }
    }
    Ok(())
}
