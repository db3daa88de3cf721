//! The border: what is refused, what is mended and noted.

use ndarray::{Array2, Axis};

use super::{MissingPairs, Negative, RdmLabel, RdmRules, Rdms, n_of_pairs, n_pairs};
use crate::error::{DataError, Place};

/// Asymmetry and diagonal beyond this part of the largest distance (or of 1) are refused.
const TOLERANCE: f64 = 1e-8;

fn at(label: &RdmLabel) -> Place {
    Place::dataset("rdms").unit(label.name.clone())
}

pub(super) fn label_count(labels: usize, rdms: usize) -> Result<(), DataError> {
    if labels == rdms {
        return Ok(());
    }
    let expected = format!("{rdms} labels, one for each RDM");
    Err(DataError::invalid(
        Place::dataset("labels"),
        expected,
        labels,
    ))
}

fn at_least_one(rdms: usize) -> Result<(), DataError> {
    match rdms {
        0 => Err(DataError::invalid(
            Place::dataset("rdms"),
            "at least one RDM",
            "none",
        )),
        _ => Ok(()),
    }
}

pub(super) fn squares(
    squares: &[Array2<f64>],
    labels: Vec<RdmLabel>,
    rules: RdmRules,
) -> Result<Rdms, DataError> {
    at_least_one(squares.len())?;
    label_count(labels.len(), squares.len())?;
    let n = squares[0].nrows();
    let mut values = Array2::zeros((squares.len(), n_pairs(n)));
    let mut symmetrised = 0usize;
    for ((square, label), mut row) in squares.iter().zip(&labels).zip(values.rows_mut()) {
        let (rows, columns) = square.dim();
        if rows != columns {
            let found = format!("{rows}x{columns}");
            return Err(DataError::invalid(at(label), "a square matrix", found));
        }
        if rows != n {
            let expected = format!("{n} stimuli, as in the first RDM");
            return Err(DataError::invalid(at(label), expected, rows));
        }
        let finite = |v: &&f64| v.is_finite();
        let largest = square
            .iter()
            .filter(finite)
            .fold(1.0f64, |m, v| m.max(v.abs()));
        let tolerance = TOLERANCE * largest;
        // A diagonal that is missing (NaN) is how some files mark that it means nothing.
        if let Some(i) = (0..n).find(|&i| square[[i, i]].abs() > tolerance) {
            let error =
                DataError::invalid(at(label).index(i), "zero on the diagonal", square[[i, i]]);
            return Err(error.with_help("a similarity matrix s becomes an RDM as 1 - s"));
        }
        let mut pair = 0;
        let mut asymmetric = false;
        for i in 0..n {
            for j in i + 1..n {
                let (a, b) = (square[[i, j]], square[[j, i]]);
                let same = (a - b).abs() <= tolerance || (a.is_nan() && b.is_nan()) || a == b;
                if !same && !rules.symmetrise {
                    let expected = format!("a symmetric matrix, as at ({j}, {i}): {b}");
                    let error =
                        DataError::invalid(at(label), expected, format!("{a} at ({i}, {j})"));
                    return Err(error.with_help("set symmetrise=true to take the mean of both"));
                }
                asymmetric |= !same;
                row[pair] = if same { a } else { f64::midpoint(a, b) };
                pair += 1;
            }
        }
        symmetrised += usize::from(asymmetric);
    }
    let mut rdms = condensed(values, labels, rules)?;
    if symmetrised > 0 {
        let note =
            format!("{symmetrised} asymmetric RDMs were replaced by the mean of their triangles");
        rdms.notes.insert(0, note);
    }
    Ok(rdms)
}

pub(super) fn condensed(
    mut values: Array2<f64>,
    labels: Vec<RdmLabel>,
    rules: RdmRules,
) -> Result<Rdms, DataError> {
    at_least_one(values.nrows())?;
    label_count(labels.len(), values.nrows())?;
    let mut n = n_of_pairs(values.ncols()).ok_or_else(|| {
        DataError::invalid(
            Place::dataset("rdms"),
            "n(n-1)/2 distances in each RDM (1, 3, 6, 10, ...)",
            values.ncols(),
        )
    })?;
    enough_stimuli(n)?;
    let mut notes = Vec::new();
    if values.iter().any(|v| !v.is_finite()) {
        match rules.missing {
            MissingPairs::Refuse => return Err(first_missing(&values, &labels)),
            MissingPairs::Impute => notes.push(impute(&mut values)?),
            MissingPairs::DropStimuli => {
                let (kept, dropped) = complete_stimuli(&values, n);
                enough_stimuli(kept.len())?;
                notes.push(format!(
                    "dropped stimuli {dropped:?} (counted from 0): missing pairs"
                ));
                values = keep_stimuli(&values, n, &kept);
                n = kept.len();
            }
        }
    }
    let mut negative = 0;
    for (row, label) in values.rows().into_iter().zip(&labels) {
        if let Some(pair) = row.iter().position(|&v| v < 0.0) {
            if rules.negative == Negative::Refuse {
                let place = at(label).index(pair);
                return Err(DataError::invalid(place, "no distance below 0", row[pair]));
            }
            negative += row.iter().filter(|&&v| v < 0.0).count();
        }
        if row.iter().all(|&v| v == row[0]) {
            let error = DataError::invalid(
                at(label),
                "distances that differ",
                format!("all {}", row[0]),
            );
            return Err(error
                .with_help("an RDM whose distances are all equal has no geometry: leave it out"));
        }
    }
    if negative > 0 {
        notes.push(format!(
            "{negative} distances are below 0: expected only of cross-validated distances"
        ));
    }
    Ok(Rdms {
        n,
        values,
        labels,
        stimuli: vec![],
        notes,
    })
}

fn enough_stimuli(n: usize) -> Result<(), DataError> {
    if n >= 3 {
        return Ok(());
    }
    Err(DataError::invalid(
        Place::dataset("rdms"),
        "at least 3 stimuli",
        n,
    ))
}

fn first_missing(values: &Array2<f64>, labels: &[RdmLabel]) -> DataError {
    let ((rdm, pair), value) = values
        .indexed_iter()
        .find(|(_, v)| !v.is_finite())
        .expect("the caller saw one");
    DataError::invalid(at(&labels[rdm]).index(pair), "finite distances", value).with_help(
        "set missing=drop-stimuli to leave out stimuli with missing pairs, \
         or missing=impute to take the mean over the other RDMs",
    )
}

fn impute(values: &mut Array2<f64>) -> Result<String, DataError> {
    let mut filled = 0usize;
    for (pair, mut column) in values.axis_iter_mut(Axis(1)).enumerate() {
        let known: Vec<f64> = column.iter().copied().filter(|v| v.is_finite()).collect();
        if known.len() == column.len() {
            continue;
        }
        if known.is_empty() {
            let place = Place::dataset("rdms").index(pair);
            let error = DataError::invalid(place, "a pair that some RDM has", "missing in all");
            return Err(error.with_help("set missing=drop-stimuli"));
        }
        let mean = chiasm_core::stats::mean(&known);
        for v in column.iter_mut().filter(|v| !v.is_finite()) {
            *v = mean;
            filled += 1;
        }
    }
    Ok(format!(
        "{filled} missing distances were replaced by the mean of the pair over RDMs"
    ))
}

/// The stimuli left after dropping, one by one, that with the most missing pairs; and those dropped.
fn complete_stimuli(values: &Array2<f64>, n: usize) -> (Vec<usize>, Vec<usize>) {
    // missing[i][j]: in any RDM.
    let mut missing = Array2::from_elem((n, n), false);
    let mut pair = 0;
    for i in 0..n {
        for j in i + 1..n {
            if values.column(pair).iter().any(|v| !v.is_finite()) {
                missing[[i, j]] = true;
                missing[[j, i]] = true;
            }
            pair += 1;
        }
    }
    let mut kept: Vec<usize> = (0..n).collect();
    let mut dropped = Vec::new();
    loop {
        let holes = |&i: &usize| kept.iter().filter(|&&j| missing[[i, j]]).count();
        // The first of the worst, so that the outcome does not hang on the iterator.
        let worst = kept.iter().copied().max_by_key(|i| (holes(i), n - i));
        match worst {
            Some(i) if holes(&i) > 0 => {
                kept.retain(|&k| k != i);
                dropped.push(i);
            }
            _ => return (kept, dropped),
        }
    }
}

fn keep_stimuli(values: &Array2<f64>, n: usize, kept: &[usize]) -> Array2<f64> {
    let mut pairs = Vec::with_capacity(n_pairs(kept.len()));
    for (a, &i) in kept.iter().enumerate() {
        for &j in &kept[a + 1..] {
            // Position of (i, j), i < j, in the upper triangle.
            pairs.push(i * (2 * n - i - 1) / 2 + j - i - 1);
        }
    }
    values.select(Axis(1), &pairs)
}
