//! Counts and their filtered history, laid out for the passes: blocks of L bins side by side, so that one vector
//! instruction handles L bins of one unit.

use chiasm_data::Counts;
use ndarray::{Array2, ArrayView2};

use super::number::Number;

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

/// Lanes of a vector: bins, units or features side by side.
pub(super) const LANES: usize = 8;

/// One row of lanes.
pub(super) type Lanes<N> = [N; LANES];

/// Counts and history in blocks of 8 bins, each part in the order in which a pass reads it. Bins, units and features
/// beyond the last are 0.
pub(super) struct Blocks<N> {
    pub(super) n_blocks: usize,
    /// Features: the units' histories, and a 1 for the bias.
    pub(super) n_features: usize,
    /// Groups of 8 units, and of 8 features.
    pub(super) panels: usize,
    pub(super) groups: usize,
    /// `[block][feature]`, bins side by side.
    by_feature: Vec<Lanes<N>>,
    /// `[block][group][bin]`, features side by side.
    by_bin: Vec<Lanes<N>>,
    /// Counts `[block][panel][bin]`, units side by side.
    counts: Vec<Lanes<N>>,
}

impl<N: Number> Blocks<N> {
    pub(super) fn of(x: &Array2<f64>, history: &Array2<f64>) -> Self {
        let (n_bins, n_units) = x.dim();
        let n_features = n_units + 1;
        let n_blocks = n_bins.div_ceil(LANES);
        let (panels, groups) = (n_units.div_ceil(LANES), n_features.div_ceil(LANES));
        let empty = |n: usize| vec![[N::default(); LANES]; n];
        let mut blocks = Self {
            n_blocks,
            n_features,
            panels,
            groups,
            by_feature: empty(n_blocks * n_features),
            by_bin: empty(n_blocks * groups * LANES),
            counts: empty(n_blocks * panels * LANES),
        };
        for t in 0..n_bins {
            let (b, k) = (t / LANES, t % LANES);
            let features = history.row(t);
            for (f, &v) in features.iter().chain([&1.0]).enumerate() {
                let v = N::of(v);
                blocks.by_feature[b * n_features + f][k] = v;
                blocks.by_bin[(b * groups + f / LANES) * LANES + k][f % LANES] = v;
            }
            for (u, &v) in x.row(t).iter().enumerate() {
                blocks.counts[(b * panels + u / LANES) * LANES + k][u % LANES] = N::of(v);
            }
        }
        blocks
    }

    /// `[feature]`, bins side by side.
    #[inline(always)]
    pub(super) fn by_feature(&self, b: usize) -> &[Lanes<N>] {
        &self.by_feature[b * self.n_features..(b + 1) * self.n_features]
    }

    /// `[bin]`, features of a group side by side.
    #[inline(always)]
    pub(super) fn by_bin(&self, b: usize, group: usize) -> &[Lanes<N>] {
        let at = (b * self.groups + group) * LANES;
        &self.by_bin[at..at + LANES]
    }

    /// `[bin]`, counts of the units of a panel side by side.
    #[inline(always)]
    pub(super) fn counts(&self, b: usize, panel: usize) -> &[Lanes<N>] {
        let at = (b * self.panels + panel) * LANES;
        &self.counts[at..at + LANES]
    }
}
