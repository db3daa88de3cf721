//! Whether a measure goes with another over models.

use chiasm_core::{Streams, stats};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::moments::{at_least, same_number};

/// Correlations of two measures over models (card 50, C).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Models.
    pub n: usize,
    /// Pearson's.
    pub pearson: f64,
    /// Spearman's.
    pub spearman: f64,
    /// Part of the shuffles whose Pearson correlation is as strong, either way; the measured order counts as one.
    pub pearson_p: f64,
    /// The same of Spearman's.
    pub spearman_p: f64,
}

/// Correlates two measures, one value of each for each model, and shuffles one of them against the other so many times. The
/// same streams give the same bits on any number of threads.
///
/// # Errors
/// [`CollapseError::Number`] for lists of different lengths; [`CollapseError::Few`] below three models or where one measure
/// is the same for all; [`CollapseError::NotFinite`].
pub fn correlate(
    x: &[f64],
    y: &[f64],
    shuffles: usize,
    streams: &Streams,
) -> Result<Correlation, CollapseError> {
    same_number("values of the second measure", x.len(), y.len())?;
    at_least("models", 3, x.len())?;
    for (column, values) in [x, y].into_iter().enumerate() {
        if let Some(row) = values.iter().position(|v| !v.is_finite()) {
            return Err(CollapseError::NotFinite {
                what: "measures",
                row,
                column,
                found: values[row],
            });
        }
    }
    let (rank_x, rank_y) = (stats::average_ranks(x), stats::average_ranks(y));
    let pearson = stats::pearson(x, y);
    let spearman = stats::pearson(&rank_x, &rank_y);
    if !(pearson.is_finite() && spearman.is_finite()) {
        return Err(CollapseError::Few {
            what: "different values of a measure",
            expected: 2,
            found: 1,
        });
    }
    // Rounding must not make a shuffle that equals the measured order weaker than it.
    let as_strong = |found: f64, measured: f64| found.abs() >= measured.abs() * (1.0 - 1e-12);
    let each: Vec<(bool, bool)> = (0..shuffles)
        .into_par_iter()
        .map(|i| {
            let mut order: Vec<usize> = (0..y.len()).collect();
            order.shuffle(&mut streams.indexed("shuffle", i));
            let shuffled = |values: &[f64]| order.iter().map(|&j| values[j]).collect::<Vec<_>>();
            (
                as_strong(stats::pearson(x, &shuffled(y)), pearson),
                as_strong(stats::pearson(&rank_x, &shuffled(&rank_y)), spearman),
            )
        })
        .collect();
    let part = |n: usize| (n as f64 + 1.0) / (shuffles as f64 + 1.0);
    Ok(Correlation {
        n: x.len(),
        pearson,
        spearman,
        pearson_p: part(each.iter().filter(|e| e.0).count()),
        spearman_p: part(each.iter().filter(|e| e.1).count()),
    })
}
