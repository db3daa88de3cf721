//! Partitions: how much two of them agree, labels made to match, one that stands for many, and known methods to find one
//! in a graph, which are the baselines of the block model.
//!
//! ```
//! use chiasm_analysis::partition::{adjusted_rand, normalized_mutual_information, relabel};
//! let (truth, found) = ([0, 0, 1, 1, 2, 2], [2, 2, 0, 0, 1, 1]);
//! assert!((normalized_mutual_information(&truth, &found)? - 1.0).abs() < 1e-12);
//! assert!((adjusted_rand(&truth, &found)? - 1.0).abs() < 1e-12);
//! assert_eq!(relabel(&truth, &found)?, truth);
//! # Ok::<(), chiasm_analysis::partition::PartitionError>(())
//! ```

mod combo;
mod consensus;
mod level;
mod louvain;
mod nnsed;
mod surprise;

use std::collections::BTreeMap;

use chiasm_core::{Diagnose, Group};
use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres;
use statrs::function::factorial::ln_factorial;

pub use combo::Combo;
pub use consensus::{PointPartition, by_appearance, max_pear, posterior_similarity};
pub use louvain::{Louvain, LouvainFit, modularity};
pub use nnsed::{Nnsed, NnsedFit};
pub use surprise::{Surprise, SurpriseFit, surprise};

/// Two partitions that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// They label different numbers of things.
    #[error("partitions: expected {expected} labels as in the first, found {found}")]
    Length {
        /// Labels in the first.
        expected: usize,
        /// Labels in the second.
        found: usize,
    },
    /// They label nothing.
    #[error("partitions: expected at least one label, found none")]
    Empty,
    /// A setting is out of range.
    #[error("resolution: expected a finite value of 0 or more")]
    Resolution,
    /// Modularity is not defined for negative weights.
    #[error("edge ({a}, {b}): expected a weight of 0 or more, found {found}")]
    NegativeWeight {
        /// One end.
        a: usize,
        /// The other end.
        b: usize,
        /// The weight, as text.
        found: String,
    },
}

impl Diagnose for PartitionError {
    fn group(&self) -> Group {
        Group::Input
    }
}

/// How often each pair of labels meets.
struct Contingency {
    n: usize,
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// `(row, column, count)`, non-empty cells in order.
    cells: Vec<(usize, usize, usize)>,
}

impl Contingency {
    fn new(a: &[usize], b: &[usize]) -> Result<Self, PartitionError> {
        if a.len() != b.len() {
            return Err(PartitionError::Length {
                expected: a.len(),
                found: b.len(),
            });
        }
        if a.is_empty() {
            return Err(PartitionError::Empty);
        }
        let (row_of, column_of) = (ranks(a), ranks(b));
        let mut rows = vec![0; row_of.len()];
        let mut columns = vec![0; column_of.len()];
        let mut cells = BTreeMap::new();
        for (x, y) in a.iter().zip(b) {
            let (r, c) = (row_of[x], column_of[y]);
            rows[r] += 1;
            columns[c] += 1;
            *cells.entry((r, c)).or_insert(0) += 1;
        }
        Ok(Self {
            n: a.len(),
            rows,
            columns,
            cells: cells.into_iter().map(|((r, c), k)| (r, c, k)).collect(),
        })
    }

    /// Mutual information, nats.
    fn mutual_information(&self) -> f64 {
        let n = self.n as f64;
        self.cells
            .iter()
            .map(|&(r, c, k)| {
                let k = k as f64;
                k / n * (k * n / (self.rows[r] as f64 * self.columns[c] as f64)).ln()
            })
            .sum::<f64>()
            .max(0.0)
    }

    /// Mutual information expected of two partitions with these sizes drawn at random (Vinh et al. 2010, eq. 24a).
    fn expected_mutual_information(&self) -> f64 {
        let n = self.n as u64;
        let lf = |k: u64| ln_factorial(k);
        let mut sum = 0.0;
        for &a in &self.rows {
            for &b in &self.columns {
                let (a, b) = (a as u64, b as u64);
                let fixed = lf(a) + lf(b) + lf(n - a) + lf(n - b) - lf(n);
                for k in (a + b).saturating_sub(n).max(1)..=a.min(b) {
                    let weight = fixed - lf(k) - lf(a - k) - lf(b - k) - lf(n + k - a - b);
                    let gain =
                        k as f64 / n as f64 * ((n as f64 * k as f64) / (a as f64 * b as f64)).ln();
                    sum += gain * weight.exp();
                }
            }
        }
        sum
    }

    /// Both partitions have one block, or both have only blocks of one: nothing is left to agree about.
    fn trivial(&self) -> bool {
        (self.rows.len() == 1 && self.columns.len() == 1)
            || (self.rows.len() == self.n && self.columns.len() == self.n)
    }
}

fn ranks(labels: &[usize]) -> BTreeMap<usize, usize> {
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
        .into_iter()
        .enumerate()
        .map(|(k, l)| (l, k))
        .collect()
}

fn entropy(sizes: &[usize], n: usize) -> f64 {
    sizes
        .iter()
        .map(|&m| {
            let p = m as f64 / n as f64;
            -p * p.ln()
        })
        .sum()
}

/// Mutual information over the arithmetic mean of the two entropies, 0 to 1 (scikit-learn's default). Two partitions
/// of one block each agree by definition: 1. Random partitions into many blocks score well above 0: see
/// [`adjusted_mutual_information`].
///
/// # Errors
/// Where the lengths differ or are 0.
pub fn normalized_mutual_information(a: &[usize], b: &[usize]) -> Result<f64, PartitionError> {
    let table = Contingency::new(a, b)?;
    if table.rows.len() == 1 && table.columns.len() == 1 {
        return Ok(1.0);
    }
    let mean = 0.5 * (entropy(&table.rows, table.n) + entropy(&table.columns, table.n));
    Ok((table.mutual_information() / mean).min(1.0))
}

/// Mutual information beyond chance, over the most it could be beyond chance (arithmetic mean of the entropies): 1 for
/// equal partitions, 0 on average for random ones, below 0 for less (Vinh et al. 2010).
///
/// # Errors
/// Where the lengths differ or are 0.
pub fn adjusted_mutual_information(a: &[usize], b: &[usize]) -> Result<f64, PartitionError> {
    let table = Contingency::new(a, b)?;
    if table.trivial() {
        return Ok(1.0);
    }
    let expected = table.expected_mutual_information();
    let mean = 0.5 * (entropy(&table.rows, table.n) + entropy(&table.columns, table.n));
    // The denominator of two partitions of which one is trivial is 0 up to rounding; scikit-learn's sign rule.
    let room = mean - expected;
    let room = if room < 0.0 {
        room.min(-f64::EPSILON)
    } else {
        room.max(f64::EPSILON)
    };
    Ok((table.mutual_information() - expected) / room)
}

/// Rand index beyond chance (Hubert and Arabie 1985): 1 for equal partitions, 0 on average for random ones.
///
/// # Errors
/// Where the lengths differ or are 0.
pub fn adjusted_rand(a: &[usize], b: &[usize]) -> Result<f64, PartitionError> {
    let table = Contingency::new(a, b)?;
    if table.trivial() {
        return Ok(1.0);
    }
    let pairs = |m: usize| m as f64 * (m as f64 - 1.0) / 2.0;
    let together: f64 = table.cells.iter().map(|c| pairs(c.2)).sum();
    let rows: f64 = table.rows.iter().map(|&m| pairs(m)).sum();
    let columns: f64 = table.columns.iter().map(|&m| pairs(m)).sum();
    let expected = rows * columns / pairs(table.n);
    let most = 0.5 * (rows + columns);
    Ok((together - expected) / (most - expected))
}

/// The labels `found`, renamed so that as many things as possible carry the label they have in `reference` (Hungarian
/// method). Blocks beyond those of the reference get new labels above its largest.
///
/// # Errors
/// Where the lengths differ or are 0.
pub fn relabel(reference: &[usize], found: &[usize]) -> Result<Vec<usize>, PartitionError> {
    let table = Contingency::new(found, reference)?;
    let (row_of, column_of) = (ranks(found), ranks(reference));
    let wide = table.columns.len().max(table.rows.len());
    let mut overlap = Matrix::new(table.rows.len(), wide, 0i64);
    for &(r, c, k) in &table.cells {
        overlap[(r, c)] = k as i64;
    }
    let (_, assigned) = kuhn_munkres(&overlap);
    let names: Vec<usize> = column_of.keys().copied().collect();
    let next = names.last().map_or(0, |l| l + 1);
    let name = |c: usize| {
        names
            .get(c)
            .copied()
            .unwrap_or_else(|| next + c - names.len())
    };
    Ok(found.iter().map(|l| name(assigned[row_of[l]])).collect())
}

#[cfg(test)]
mod tests;
