//! Paths coordinate by coordinate: what loops over bins read.

use chiasm_core::vectorized;

use super::lanes::LANES;
use super::state::{ChainState, MAX_LOG_RATE};

/// A path of a number of coordinates, each in one stretch with at least [`LANES`] zeros behind.
pub(super) struct Columns {
    n_bins: usize,
    stride: usize,
    values: Vec<f64>,
}

impl Columns {
    /// Of a path `[bin, k]`.
    pub(super) fn of(path: &[f64], k: usize) -> Self {
        let n_bins = path.len() / k;
        let stride = (n_bins + LANES).next_multiple_of(LANES);
        let mut values = vec![0.0; k * stride];
        for (t, x) in path.chunks_exact(k).enumerate() {
            for (q, x) in x.iter().enumerate() {
                values[q * stride + t] = *x;
            }
        }
        Self {
            n_bins,
            stride,
            values,
        }
    }

    /// `[bin]`: a coordinate.
    pub(super) fn of_coordinate(&self, q: usize) -> &[f64] {
        &self.values[q * self.stride..][..self.n_bins]
    }

    /// A coordinate in the bins from `t` on, zeros beyond the last.
    #[inline(always)]
    pub(super) fn lanes(&self, q: usize, t: usize) -> &[f64] {
        &self.values[q * self.stride + t..][..LANES]
    }
}

impl ChainState {
    /// All paths.
    pub(super) fn columns(&self) -> Columns {
        Columns::of(&self.paths, self.k())
    }

    /// Log rates of a neuron over all bins, clipped at [`MAX_LOG_RATE`]; returns how many were.
    pub(super) fn log_rates(&self, columns: &Columns, neuron: usize, out: &mut [f64]) -> usize {
        let (offset, loadings) = (self.offsets[neuron], self.loading(neuron));
        log_rates(
            columns,
            self.clusters[neuron] * self.rows,
            offset,
            loadings,
            out,
        )
    }
}

/// Log rates over all bins on the cluster whose first coordinate is `mean`, clipped at [`MAX_LOG_RATE`]; returns how many were.
pub(super) fn log_rates(
    columns: &Columns,
    mean: usize,
    offset: f64,
    loadings: &[f64],
    out: &mut [f64],
) -> usize {
    vectorized(
        #[inline(always)]
        || {
            for (eta, x) in out.iter_mut().zip(columns.of_coordinate(mean)) {
                *eta = offset + x;
            }
            for (j, loading) in loadings.iter().enumerate() {
                for (eta, x) in out.iter_mut().zip(columns.of_coordinate(mean + 1 + j)) {
                    *eta = loading.mul_add(*x, *eta);
                }
            }
            let mut clipped = 0;
            for eta in out {
                clipped += usize::from(*eta > MAX_LOG_RATE);
                *eta = eta.clamp(-MAX_LOG_RATE, MAX_LOG_RATE);
            }
            clipped
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_rates_are_offset_mean_and_loaded_latents_and_are_clipped() {
        let (k, n_bins) = (6, 21);
        let path: Vec<f64> = (0..n_bins * k).map(|q| (q as f64 * 0.7).sin()).collect();
        let columns = Columns::of(&path, k);
        let mut found = vec![0.0; n_bins];
        // The second of two clusters; the first loading takes some bins out of bounds.
        let clipped = log_rates(&columns, 3, 0.4, &[40.0, -0.5], &mut found);
        let mut expected = 0;
        for (x, found) in path.chunks_exact(k).zip(found) {
            let plain = 0.4 + x[3] + 40.0 * x[4] - 0.5 * x[5];
            expected += usize::from(plain > MAX_LOG_RATE);
            let plain = plain.clamp(-MAX_LOG_RATE, MAX_LOG_RATE);
            assert!((found - plain).abs() < 1e-12, "{found} {plain}");
        }
        assert!(clipped == expected && clipped > 0, "{clipped} {expected}");
        let beyond = columns.lanes(5, n_bins);
        assert!(beyond.iter().all(|x| *x == 0.0));
    }
}
