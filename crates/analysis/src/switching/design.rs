//! Counts and their filtered history, checked, as the passes start from them.

use chiasm_data::Counts;
use ndarray::{Array2, ArrayView2};

/// Counts `[bin, unit]` of all trials with the trials' rows, checked: what the passes start from.
#[derive(Debug, Clone)]
pub(super) struct Trials {
    /// Counts, `[bin, unit]`.
    pub(super) x: Array2<f64>,
    /// First row of each trial, and the number of rows at the end.
    pub(super) starts: Vec<usize>,
    /// Sum of -ln x! of each bin.
    pub(super) constant: Vec<f64>,
}

impl Trials {
    pub(super) fn of(counts: &Counts) -> Self {
        let x = counts.values.mapv(f64::from);
        let mut starts: Vec<usize> = counts.trials.iter().map(|t| t.start).collect();
        starts.push(counts.n_bins());
        let most = counts.values.iter().max().map_or(0, |m| *m as usize);
        // ln 0!, ln 1!, ... up to a size that is worth a table.
        let mut table = vec![0.0; most.min(4096) + 1];
        for k in 1..table.len() {
            table[k] = table[k - 1] + (k as f64).ln();
        }
        let ln_factorial = |k: u32| {
            let known = table.get(k as usize).copied();
            known.unwrap_or_else(|| statrs::function::gamma::ln_gamma(f64::from(k) + 1.0))
        };
        let constant = counts
            .values
            .rows()
            .into_iter()
            .map(|row| -row.iter().map(|&k| ln_factorial(k)).sum::<f64>())
            .collect();
        Self {
            x,
            starts,
            constant,
        }
    }

    pub(super) fn n_bins(&self) -> usize {
        self.x.nrows()
    }

    pub(super) fn n_units(&self) -> usize {
        self.x.ncols()
    }

    /// The first `n` bins of each trial, which lack a history.
    pub(super) fn is_skipped(&self, n: usize) -> Vec<bool> {
        let mut skipped = vec![false; self.n_bins()];
        for w in self.starts.windows(2) {
            let end = w[1].min(w[0] + n);
            skipped[w[0]..end].fill(true);
        }
        skipped
    }

    /// c_t = sum over lags k of `kernel[k - 1]` x_{t-k}, within each trial; 0 before its start.
    pub(super) fn history(&self, kernel: &[f64]) -> Array2<f64> {
        let mut c = Array2::zeros(self.x.dim());
        for w in self.starts.windows(2) {
            let x = self.x.slice(ndarray::s![w[0]..w[1], ..]);
            c.slice_mut(ndarray::s![w[0]..w[1], ..])
                .assign(&convolved(x, kernel));
        }
        c
    }
}

/// c_t = sum over lags k of `kernel[k - 1]` x_{t-k} for counts `[bin, unit]` of one trial: causal, with nothing before its
/// first bin.
#[must_use]
pub fn convolved(x: ArrayView2<'_, f64>, kernel: &[f64]) -> Array2<f64> {
    let mut c = Array2::zeros(x.dim());
    for t in 0..x.nrows() {
        for (k, &weight) in kernel.iter().enumerate().take(t) {
            let mut row = c.row_mut(t);
            row.scaled_add(weight, &x.row(t - 1 - k));
        }
    }
    c
}

/// Weights of the lags 1 to `n`: e^-k, scaled to a sum of 1.
#[must_use]
pub fn exponential_kernel(n: usize) -> Vec<f64> {
    let raw: Vec<f64> = (1..=n).map(|k| (-(k as f64)).exp()).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|v| v / sum).collect()
}
