//! How alike two RDMs are: correlations of their distances.

use chiasm_core::stats;
use chiasm_data::Rdms;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RsaError;

/// A measure of likeness.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Similarity {
    /// Pearson correlation of ranks, ties averaged. In [-1, 1].
    #[default]
    Spearman,
    /// Pearson correlation. In [-1, 1].
    Pearson,
    /// Cosine of the angle between the vectors of distances. In [-1, 1]; of distances all above 0 in [0, 1].
    Cosine,
    /// Kendall's tau-a: concordant minus discordant pairs of distances over all pairs. Ties count as neither, so that
    /// models with ties are not favored. In [-1, 1].
    KendallTauA,
}

impl Similarity {
    /// The likeness of two vectors of one length. NaN where it is undefined: one of them is constant (all zero, for the
    /// cosine), as binary category models can be after a transform.
    #[must_use]
    pub fn of(self, a: &[f64], b: &[f64]) -> f64 {
        debug_assert_eq!(a.len(), b.len());
        match self {
            Self::Spearman => stats::spearman(a, b),
            Self::Pearson => stats::pearson(a, b),
            Self::Cosine => cosine(a, b),
            Self::KendallTauA => kendall_tau_a(a, b),
        }
    }
}

/// The likeness of every vector of `a` (rows) with every one of `b` (columns): `[rdm of a, rdm of b]`. Each
/// vector is ranked or sorted once. NaN where undefined: see [`Similarity::of`].
///
/// # Errors
/// [`RsaError::Shape`] if the numbers of stimuli differ.
pub fn compare(a: &Rdms, b: &Rdms, how: Similarity) -> Result<Array2<f64>, RsaError> {
    if a.n_stimuli() != b.n_stimuli() {
        return Err(RsaError::Shape {
            what: "RDMs to compare",
            expected: format!("{} stimuli", a.n_stimuli()),
            found: b.n_stimuli().to_string(),
        });
    }
    // Each vector is brought into a form in which the likeness is a plain product.
    let prepared = |rdms: &Rdms| -> Vec<Prepared> {
        (0..rdms.len())
            .into_par_iter()
            .map(|i| Prepared::new(rdms.vector(i).to_vec(), how))
            .collect()
    };
    let left = prepared(a);
    let itself = std::ptr::eq(a, b);
    let right = if itself { Vec::new() } else { prepared(b) };
    let right = if itself { &left } else { &right };
    // So many vectors of the left side stay near the processor while the right side passes by.
    const AT_ONCE: usize = 8;
    let mut out = Array2::zeros((left.len(), right.len()));
    out.axis_chunks_iter_mut(Axis(0), AT_ONCE)
        .into_par_iter()
        .zip(left.par_chunks(AT_ONCE))
        .enumerate()
        .for_each(|(chunk, (mut cells, left))| {
            // Likeness is symmetric to the last bit: of RDMs with themselves, half the cells are enough.
            let from = if itself { chunk * AT_ONCE } else { 0 };
            for (j, y) in right.iter().enumerate().skip(from) {
                for (i, x) in left.iter().enumerate() {
                    cells[[i, j]] = x.with(y);
                }
            }
        });
    if itself {
        for i in 0..left.len() {
            for j in 0..i / AT_ONCE * AT_ONCE {
                out[[i, j]] = out[[j, i]];
            }
        }
    }
    Ok(out)
}

/// A vector of distances with all done that does not depend on the other vector.
enum Prepared {
    /// Centered or not, of length 1: likeness is the product.
    Unit(Vec<f64>),
    Ranks(WholeRanks),
    Kendall(Sorted),
}

impl Prepared {
    fn new(row: Vec<f64>, how: Similarity) -> Self {
        match how {
            Similarity::Spearman => {
                let ranks = stats::average_ranks(&row);
                match WholeRanks::new(&ranks) {
                    Some(whole) => Self::Ranks(whole),
                    None => Self::Unit(unit(centered(ranks))),
                }
            }
            Similarity::Pearson => Self::Unit(unit(centered(row))),
            Similarity::Cosine => Self::Unit(unit(row)),
            Similarity::KendallTauA => Self::Kendall(Sorted::new(&row)),
        }
    }

    fn with(&self, other: &Self) -> f64 {
        match (self, other) {
            (Self::Unit(x), Self::Unit(y)) => dot(x, y).clamp(-1.0, 1.0),
            (Self::Ranks(x), Self::Ranks(y)) => x.spearman(y),
            (Self::Kendall(x), Self::Kendall(y)) => x.tau_a(y),
            // Both come from one `how`.
            _ => f64::NAN,
        }
    }
}

/// Twice the ranks less twice their mean, n + 1: whole numbers, even with ties, and below n in size. Their products are
/// summed without rounding, in a quarter of the memory of `f64`.
struct WholeRanks {
    twice: Vec<i16>,
    /// Sum of squares.
    square: f64,
    /// So many products stay within 32 bits.
    block: usize,
}

impl WholeRanks {
    /// None for more than 11,586 values (152 stimuli), whose products would have to be summed in too short blocks.
    fn new(ranks: &[f64]) -> Option<Self> {
        let n = ranks.len();
        let largest = i32::try_from(n).ok()?.saturating_sub(1).max(1);
        let block = (i32::MAX / largest.checked_mul(largest)?) as usize / 16 * 16;
        if block == 0 {
            return None;
        }
        let middle = (n + 1) as f64;
        let mut whole = Self {
            twice: ranks.iter().map(|r| (2.0 * r - middle) as i16).collect(),
            square: 0.0,
            block,
        };
        whole.square = whole.product(&whole);
        Some(whole)
    }

    fn product(&self, other: &Self) -> f64 {
        let blocks = self.twice.chunks(self.block);
        let sum: i64 = blocks
            .zip(other.twice.chunks(self.block))
            .map(|(x, y)| {
                let products = x.iter().zip(y).map(|(&x, &y)| i32::from(x) * i32::from(y));
                i64::from(products.sum::<i32>())
            })
            .sum();
        sum as f64
    }

    /// NaN where all ranks of one are equal.
    fn spearman(&self, other: &Self) -> f64 {
        (self.product(other) / (self.square * other.square).sqrt()).clamp(-1.0, 1.0)
    }
}

fn centered(mut x: Vec<f64>) -> Vec<f64> {
    let mean = stats::mean(&x);
    x.iter_mut().for_each(|v| *v -= mean);
    x
}

/// Scaled to length 1; NaN everywhere if the length is 0.
fn unit(mut x: Vec<f64>) -> Vec<f64> {
    let length = dot(&x, &x).sqrt();
    let length = if length > 0.0 { length } else { f64::NAN };
    let scale = 1.0 / length;
    if scale.is_finite() {
        x.iter_mut().for_each(|v| *v *= scale);
    } else {
        x.iter_mut().for_each(|v| *v /= length);
    }
    x
}

/// Sums in eight lanes: vector instructions, and the same bits everywhere.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a8.zip(b8) {
        for k in 0..8 {
            lanes[k] += a[k] * b[k];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 {
        dot(a, b) / lengths
    } else {
        f64::NAN
    }
}

/// Kendall's tau-a in O(m log m) (Knight 1966). NaN where either vector is constant or holds a NaN.
#[must_use]
pub fn kendall_tau_a(a: &[f64], b: &[f64]) -> f64 {
    Sorted::new(a).tau_a(&Sorted::new(b))
}

fn n_pairs(k: usize) -> i64 {
    (k * k.saturating_sub(1) / 2) as i64
}

/// A vector as Kendall's tau wants it: sorted once, however many others it is compared with.
struct Sorted {
    /// Positions from the smallest value to the largest.
    order: Vec<u32>,
    /// By position, the rank of the value among the distinct values: equal exactly where the values are.
    level: Vec<u32>,
    /// Ends in `order` of the runs of equal values.
    ends: Vec<u32>,
    /// Pairs of equal values.
    n_tied: i64,
    nan: bool,
}

impl Sorted {
    fn new(x: &[f64]) -> Self {
        let sorted = stats::ascending(x);
        let mut level = vec![0; x.len()];
        let (mut ends, mut n_tied, mut start) = (Vec::new(), 0, 0);
        for end in 1..=sorted.len() {
            if end == sorted.len() || x[sorted[end]] != x[sorted[start]] {
                for &i in &sorted[start..end] {
                    level[i] = ends.len() as u32;
                }
                n_tied += n_pairs(end - start);
                ends.push(end as u32);
                start = end;
            }
        }
        Self {
            order: sorted.into_iter().map(|i| i as u32).collect(),
            level,
            ends,
            n_tied,
            nan: x.iter().any(|v| v.is_nan()),
        }
    }

    fn tau_a(&self, other: &Self) -> f64 {
        let all = n_pairs(self.order.len());
        let constant = self.n_tied == all || other.n_tied == all;
        if constant || self.nan || other.nan {
            return f64::NAN;
        }
        // The other's values in this one's order, ascending where this one's are equal: such pairs are not discordant.
        let mut levels: Vec<u32> = self
            .order
            .iter()
            .map(|&i| other.level[i as usize])
            .collect();
        let (mut in_both, mut start) = (0, 0);
        for &end in &self.ends {
            let run = &mut levels[start..end as usize];
            if run.len() > 1 {
                run.sort_unstable();
                in_both += run
                    .chunk_by(|a, b| a == b)
                    .map(|equal| n_pairs(equal.len()))
                    .sum::<i64>();
            }
            start = end as usize;
        }
        let discordant = inversions(&mut levels);
        (all - self.n_tied - other.n_tied + in_both - 2 * discordant) as f64 / all as f64
    }
}

/// Sorts and counts the pairs that stood in descending order: merges of runs that double in length, after insertion in
/// short ones.
fn inversions(x: &mut Vec<u32>) -> i64 {
    const RUN: usize = 16;
    let mut count = 0;
    for run in x.chunks_mut(RUN) {
        for i in 1..run.len() {
            let (v, mut at) = (run[i], i);
            while at > 0 && run[at - 1] > v {
                run[at] = run[at - 1];
                at -= 1;
            }
            run[at] = v;
            count += (i - at) as i64;
        }
    }
    let mut merged = vec![0; x.len()];
    let mut width = RUN;
    while width < x.len() {
        for (from, to) in x.chunks(2 * width).zip(merged.chunks_mut(2 * width)) {
            let (left, right) = from.split_at(width.min(from.len()));
            let (mut i, mut j) = (0, 0);
            let mut to = to.iter_mut();
            while i < left.len() && j < right.len() {
                // Without a branch: which side comes next cannot be foreseen.
                let (l, r) = (left[i], right[j]);
                let takes_right = usize::from(r < l);
                if let Some(to) = to.next() {
                    *to = if r < l { r } else { l };
                }
                count += (takes_right * (left.len() - i)) as i64;
                j += takes_right;
                i += 1 - takes_right;
            }
            let rest = left[i..].iter().chain(&right[j..]);
            to.zip(rest).for_each(|(to, v)| *to = *v);
        }
        std::mem::swap(x, &mut merged);
        width *= 2;
    }
    count
}
