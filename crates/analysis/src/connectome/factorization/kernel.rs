//! The two passes over the data that a sweep needs: blocked products with skinny factors, those of all starts at once.
//!
//! Data are `f32`. Within a block of [`BLOCK`] entries, products and sums are of one [`Number`] type, `f32` or `f64`;
//! blocks are summed in `f64`. Each output is summed in an order that depends on the shapes alone, so the bits are the
//! same for any number of threads and whatever other starts are swept beside. Every product is added fused, with one
//! rounding, as the compiler would not choose by itself: so the bits are also the same for any width of vector registers,
//! and on machines without the instruction, where it is slow.

use chiasm_core::vectorized;
use rayon::prelude::*;

/// Entries summed before the sum goes over to `f64`.
const BLOCK: usize = 128;
/// Output rows per task of the pass that sums over columns.
const ROWS_PER_TASK: usize = 32;
/// Output rows handled at once by the pass that sums over rows: its tile fits the fastest cache.
const COLUMNS: usize = 64;
/// Tiles copied at once, so that the data are walked in pieces long enough for memory to run ahead.
const TILES: usize = 4;
/// Output rows per task of the pass that sums over rows.
const COLUMNS_PER_TASK: usize = TILES * COLUMNS;
/// Columns of the factors handled at once; those beyond the last are padded with zeros.
pub(super) const LANES: usize = 8;
/// Output rows summed side by side.
const SIDE: usize = 8;

/// One row of a panel.
pub(super) type Lanes<N> = [N; LANES];

/// What products are summed in.
pub(super) trait Number: Copy + Default + Send + Sync + From<f32> + Into<f64> {
    /// Whether the sums of [`SIDE`] rows fit the registers; half as many do otherwise.
    const NARROW: bool;
    fn of(x: f64) -> Self;
    /// `self * a + b`, rounded once.
    fn times_plus(self, a: Self, b: Self) -> Self;
}

impl Number for f32 {
    const NARROW: bool = true;
    fn of(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn times_plus(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }
}

impl Number for f64 {
    const NARROW: bool = false;
    fn of(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn times_plus(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }
}

/// Factor matrices side by side, ready for the passes: `panels[l / LANES][row][l % LANES]` for the columns `l` of all
/// matrices in a row, each divided by a power of two near its largest entry so that no type is too narrow for it.
struct Packed<N> {
    panels: Vec<Vec<Lanes<N>>>,
    scales: Vec<f64>,
}

fn pack<N: Number>(factors: &[&[f64]], ranks: &[usize], n_rows: usize) -> Packed<N> {
    let width: usize = ranks.iter().sum();
    let mut scales = Vec::with_capacity(width);
    for (factor, &rank) in factors.iter().zip(ranks) {
        let mut largest = vec![0.0f64; rank];
        for row in factor.chunks_exact(rank) {
            for (m, v) in largest.iter_mut().zip(row) {
                *m = m.max(*v);
            }
        }
        scales.extend(largest.into_iter().map(power_of_two_below));
    }
    let mut panels = vec![vec![[N::default(); LANES]; n_rows]; width.div_ceil(LANES)];
    let mut lane = 0;
    for (factor, &rank) in factors.iter().zip(ranks) {
        for c in 0..rank {
            let (panel, at, inverse) = (
                &mut panels[lane / LANES],
                lane % LANES,
                scales[lane].recip(),
            );
            for (lanes, row) in panel.iter_mut().zip(factor.chunks_exact(rank)) {
                lanes[at] = N::of(row[c] * inverse);
            }
            lane += 1;
        }
    }
    Packed { panels, scales }
}

/// The power of two at or below `x`; 1 for what has none in range.
fn power_of_two_below(x: f64) -> f64 {
    if x.is_normal() && x > 1e-300 && x < 1e300 {
        f64::from_bits(x.to_bits() & (0x7ff << 52))
    } else {
        1.0
    }
}

/// The sums' rows of all lanes, as one matrix `[row, column]` for each factor.
fn unpack(sums: &[Lanes<f64>], n_panels: usize, ranks: &[usize], scales: &[f64]) -> Vec<Vec<f64>> {
    let mut first = 0;
    ranks
        .iter()
        .map(|&rank| {
            let lanes = first..first + rank;
            first += rank;
            let mut out = Vec::with_capacity(rank * sums.len() / n_panels.max(1));
            for row in sums.chunks_exact(n_panels) {
                out.extend(lanes.clone().map(|l| row[l / LANES][l % LANES] * scales[l]));
            }
            out
        })
        .collect()
}

/// For each factor `f[n_columns, rank]` the product `out[i, r] = sum_c x[i, c] f[c, r]` with `x[n_rows, n_columns]`, all
/// row by row.
pub(super) fn sum_over_columns<N: Number>(
    x: &[f32],
    n_rows: usize,
    n_columns: usize,
    factors: &[&[f64]],
    ranks: &[usize],
) -> Vec<Vec<f64>> {
    let packed = pack::<N>(factors, ranks, n_columns);
    let n_panels = packed.panels.len();
    let mut sums = vec![[0.0; LANES]; n_rows * n_panels];
    if n_columns > 0 && n_panels > 0 {
        sums.par_chunks_mut(ROWS_PER_TASK * n_panels)
            .zip(x.par_chunks(ROWS_PER_TASK * n_columns))
            .for_each(|(sums, x)| {
                vectorized(
                    #[inline(always)]
                    || rows_task(x, n_columns, &packed.panels, sums),
                );
            });
    }
    unpack(&sums, n_panels, ranks, &packed.scales)
}

#[inline(always)]
fn rows_task<N: Number>(
    x: &[f32],
    n_columns: usize,
    panels: &[Vec<Lanes<N>>],
    sums: &mut [Lanes<f64>],
) {
    let mut tiles = [[[N::default(); BLOCK]; SIDE]; TILES];
    for start in (0..n_columns).step_by(TILES * BLOCK) {
        let length = (TILES * BLOCK).min(n_columns - start);
        let groups = x.chunks(SIDE * n_columns);
        for (x, sums) in groups.zip(sums.chunks_mut(SIDE * panels.len())) {
            for (j, row) in x.chunks_exact(n_columns).enumerate() {
                let pieces = row[start..start + length].chunks(BLOCK);
                for (tile, piece) in tiles.iter_mut().zip(pieces) {
                    copy(piece, &mut tile[j]);
                }
            }
            for (p, panel) in panels.iter().enumerate() {
                let blocks = panel[start..start + length].chunks(BLOCK);
                for (tile, block) in tiles.iter().zip(blocks) {
                    let all = (0..BLOCK).map(|k| std::array::from_fn(|j| tile[j][k]));
                    products(block, all, sums, panels.len(), p);
                }
            }
        }
    }
}

/// For each factor `f[n_rows, rank]` the product `out[c, r] = sum_i x[i, c] f[i, r]` with `x[n_rows, n_columns]`, all row
/// by row.
pub(super) fn sum_over_rows<N: Number>(
    x: &[f32],
    n_rows: usize,
    n_columns: usize,
    factors: &[&[f64]],
    ranks: &[usize],
) -> Vec<Vec<f64>> {
    let packed = pack::<N>(factors, ranks, n_rows);
    let n_panels = packed.panels.len();
    let mut sums = vec![[0.0; LANES]; n_columns * n_panels];
    if n_columns > 0 && n_panels > 0 {
        sums.par_chunks_mut(COLUMNS_PER_TASK * n_panels)
            .enumerate()
            .for_each(|(task, sums)| {
                let first = task * COLUMNS_PER_TASK;
                vectorized(
                    #[inline(always)]
                    || columns_task(x, n_columns, first, &packed.panels, sums),
                );
            });
    }
    unpack(&sums, n_panels, ranks, &packed.scales)
}

#[inline(always)]
fn columns_task<N: Number>(
    x: &[f32],
    n_columns: usize,
    first: usize,
    panels: &[Vec<Lanes<N>>],
    sums: &mut [Lanes<f64>],
) {
    let width = COLUMNS_PER_TASK.min(n_columns - first);
    // Tiles of their own, so that the data's long rows are walked once; columns beyond the last stay 0.
    let mut tiles = [[[[N::default(); SIDE]; COLUMNS / SIDE]; BLOCK]; TILES];
    for (b, x) in x.chunks(BLOCK * n_columns).enumerate() {
        for (k, row) in x.chunks_exact(n_columns).enumerate() {
            let pieces = row[first..first + width].chunks(COLUMNS);
            for (tile, piece) in tiles.iter_mut().zip(pieces) {
                copy(piece, tile[k].as_flattened_mut());
            }
        }
        let length = x.len() / n_columns;
        let each = sums.chunks_mut(COLUMNS * panels.len());
        for (tile, sums) in tiles.iter().zip(each) {
            for (p, panel) in panels.iter().enumerate() {
                let block = &panel[b * BLOCK..][..length];
                let groups = sums.chunks_mut(SIDE * panels.len());
                for (q, sums) in (0..COLUMNS / SIDE).zip(groups) {
                    products(block, tile.iter().map(|row| row[q]), sums, panels.len(), p);
                }
            }
        }
    }
}

#[inline(always)]
fn copy<N: Number>(x: &[f32], to: &mut [N]) {
    for (t, v) in to.iter_mut().zip(x) {
        *t = N::from(*v);
    }
}

/// Adds `sum_k values[k][j] factor[k]` to panel `p` of row `j` of the sums, for the rows there are.
#[inline(always)]
fn products<N: Number>(
    factor: &[Lanes<N>],
    values: impl Iterator<Item = [N; SIDE]> + Clone,
    sums: &mut [Lanes<f64>],
    n_panels: usize,
    p: usize,
) {
    if N::NARROW {
        let s = side_by_side(factor, values);
        flush(&s, sums, n_panels, 0, p);
    } else {
        let low = values.clone().map(|v| [v[0], v[1], v[2], v[3]]);
        flush(&side_by_side(factor, low), sums, n_panels, 0, p);
        let high = values.map(|v| [v[4], v[5], v[6], v[7]]);
        flush(&side_by_side(factor, high), sums, n_panels, 4, p);
    }
}

/// `s[j] = sum_k values[k][j] factor[k]`. Nothing in the loop may panic, or the sums leave the registers.
#[inline(always)]
pub(super) fn side_by_side<N: Number, const I: usize>(
    factor: &[Lanes<N>],
    values: impl Iterator<Item = [N; I]>,
) -> [Lanes<N>; I] {
    let mut s = [[N::default(); LANES]; I];
    for (f, v) in factor.iter().zip(values) {
        for j in 0..I {
            for l in 0..LANES {
                s[j][l] = v[j].times_plus(f[l], s[j][l]);
            }
        }
    }
    s
}

#[inline(always)]
fn flush<N: Number, const I: usize>(
    s: &[Lanes<N>; I],
    sums: &mut [Lanes<f64>],
    n_panels: usize,
    row: usize,
    p: usize,
) {
    for (j, s) in s.iter().enumerate() {
        if let Some(sum) = sums.get_mut((row + j) * n_panels + p) {
            for l in 0..LANES {
                sum[l] += s[l].into();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn random(n: usize, rng: &mut chiasm_core::Rng) -> Vec<f64> {
        use rand::RngExt;
        (0..n).map(|_| rng.random()).collect()
    }

    fn compare<N: Number>(
        shape: (usize, usize),
        ranks: &[usize],
        salt: u64,
        close: f64,
    ) -> Result<(), TestCaseError> {
        let (n_rows, n_columns) = shape;
        let mut rng = chiasm_core::Streams::new(salt).stream("kernel");
        let x: Vec<f32> = random(n_rows * n_columns, &mut rng)
            .into_iter()
            .map(|v| v as f32)
            .collect();
        let of = |n: usize, rng: &mut chiasm_core::Rng| -> Vec<Vec<f64>> {
            ranks.iter().map(|r| random(n * r, rng)).collect()
        };
        let (a, f) = (of(n_columns, &mut rng), of(n_rows, &mut rng));
        let a_ref: Vec<&[f64]> = a.iter().map(Vec::as_slice).collect();
        let f_ref: Vec<&[f64]> = f.iter().map(Vec::as_slice).collect();
        let by_row = sum_over_columns::<N>(&x, n_rows, n_columns, &a_ref, ranks);
        let by_column = sum_over_rows::<N>(&x, n_rows, n_columns, &f_ref, ranks);
        for (m, &rank) in ranks.iter().enumerate() {
            for r in 0..rank {
                for i in 0..n_rows {
                    let plain: f64 = (0..n_columns)
                        .map(|c| f64::from(x[i * n_columns + c]) * a[m][c * rank + r])
                        .sum();
                    prop_assert!((plain - by_row[m][i * rank + r]).abs() <= close * (1.0 + plain));
                }
                for c in 0..n_columns {
                    let plain: f64 = (0..n_rows)
                        .map(|i| f64::from(x[i * n_columns + c]) * f[m][i * rank + r])
                        .sum();
                    prop_assert!(
                        (plain - by_column[m][c * rank + r]).abs() <= close * (1.0 + plain)
                    );
                }
            }
            // What is summed beside changes no bit.
            let alone = sum_over_rows::<N>(&x, n_rows, n_columns, &f_ref[m..=m], &ranks[m..=m]);
            prop_assert_eq!(&alone[0], &by_column[m]);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn blocked_products_equal_plain_ones(
            n_rows in 1usize..150, n_columns in 1usize..300, ranks in prop::collection::vec(1usize..10, 1..4), salt in 0u64..1000,
        ) {
            compare::<f64>((n_rows, n_columns), &ranks, salt, 1e-12)?;
            compare::<f32>((n_rows, n_columns), &ranks, salt, 4e-6)?;
        }
    }

    #[test]
    fn single_precision_reaches_as_far_as_double() {
        for scale in [1e-60, 1.0, 1e60] {
            let f = [0.5 * scale, 1.5 * scale];
            let sums = sum_over_rows::<f32>(&[1.0, 2.0], 2, 1, &[&f], &[1]);
            assert!((sums[0][0] / scale - 3.5).abs() < 1e-6);
        }
    }
}
