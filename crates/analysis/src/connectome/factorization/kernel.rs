//! The two passes over the data that a sweep needs: blocked products with a skinny factor.
//!
//! Data are `f32`, sums are `f64`. Each output row is summed in an order that depends on the shapes alone, so the bits
//! are the same for any number of threads; products and sums are kept apart (no fused multiply-add), so they are also
//! the same for any width of vector registers.

use rayon::prelude::*;

/// Rows of the inner dimension per block: a block of the factor stays in the first-level cache.
const BLOCK: usize = 256;
/// Output rows per task of the pass that sums over columns.
const ROWS_PER_TASK: usize = 16;
/// Output rows per task of the pass that sums over rows: whole cache lines of the data.
const COLUMNS_PER_TASK: usize = 64;
/// Output rows summed side by side, to use each factor row that is loaded more than once.
const SIDE: usize = 4;

/// `out[i, r] += sum_c x[i, c] factor[c, r]` for `x[n_rows, n_columns]`, all row by row.
pub(super) fn sum_over_columns(
    x: &[f32],
    n_columns: usize,
    factor: &[f64],
    rank: usize,
    out: &mut [f64],
) {
    if n_columns == 0 {
        return;
    }
    for_lanes(rank, |from, lanes| match lanes {
        Lanes::Four => over_columns::<4>(x, n_columns, factor, rank, from, out),
        Lanes::Eight => over_columns::<8>(x, n_columns, factor, rank, from, out),
    });
}

/// `out[c, r] += sum_i x[i, c] factor[i, r]` for `x[n_rows, n_columns]`, all row by row.
pub(super) fn sum_over_rows(
    x: &[f32],
    n_columns: usize,
    factor: &[f64],
    rank: usize,
    out: &mut [f64],
) {
    if n_columns == 0 {
        return;
    }
    for_lanes(rank, |from, lanes| match lanes {
        Lanes::Four => over_rows::<4>(x, n_columns, factor, rank, from, out),
        Lanes::Eight => over_rows::<8>(x, n_columns, factor, rank, from, out),
    });
}

/// Columns of a factor handled at once; those beyond the rank are padded with zeros.
enum Lanes {
    Four,
    Eight,
}

fn for_lanes(rank: usize, mut pass: impl FnMut(usize, Lanes)) {
    let mut from = 0;
    while from < rank {
        if rank - from > 4 {
            pass(from, Lanes::Eight);
            from += 8;
        } else {
            pass(from, Lanes::Four);
            from += 4;
        }
    }
}

fn pack<const L: usize>(factor: &[f64], rank: usize, from: usize) -> Vec<[f64; L]> {
    let width = L.min(rank - from);
    factor
        .chunks_exact(rank)
        .map(|row| {
            let mut lanes = [0.0; L];
            lanes[..width].copy_from_slice(&row[from..from + width]);
            lanes
        })
        .collect()
}

fn add<const L: usize>(out: &mut [f64], rank: usize, from: usize, sums: &[[f64; L]]) {
    let width = L.min(rank - from);
    for (row, sum) in out.chunks_exact_mut(rank).zip(sums) {
        for (o, s) in row[from..from + width].iter_mut().zip(sum) {
            *o += s;
        }
    }
}

fn over_columns<const L: usize>(
    x: &[f32],
    n_columns: usize,
    factor: &[f64],
    rank: usize,
    from: usize,
    out: &mut [f64],
) {
    let packed = pack::<L>(factor, rank, from);
    let arch = pulp::Arch::new();
    out.par_chunks_mut(ROWS_PER_TASK * rank)
        .zip(x.par_chunks(ROWS_PER_TASK * n_columns))
        .for_each(|(out, x)| {
            let mut sums = [[0.0; L]; ROWS_PER_TASK];
            arch.dispatch(
                #[inline(always)]
                || rows_task(x, n_columns, &packed, &mut sums),
            );
            add(out, rank, from, &sums);
        });
}

#[inline(always)]
fn rows_task<const L: usize>(
    x: &[f32],
    n_columns: usize,
    factor: &[[f64; L]],
    sums: &mut [[f64; L]; ROWS_PER_TASK],
) {
    let n_rows = x.len() / n_columns;
    for start in (0..n_columns).step_by(BLOCK) {
        let block = &factor[start..(start + BLOCK).min(n_columns)];
        let row = |i: usize| &x[i * n_columns + start..][..block.len()];
        let mut i = 0;
        while i + SIDE <= n_rows {
            let (a, b, c, d) = (row(i), row(i + 1), row(i + 2), row(i + 3));
            let mut s = [[0.0; L]; SIDE];
            for k in 0..block.len() {
                let (f, v) = (&block[k], [a[k], b[k], c[k], d[k]]);
                side_by_side(&mut s, v, f);
            }
            for (sum, s) in sums[i..i + SIDE].iter_mut().zip(&s) {
                for l in 0..L {
                    sum[l] += s[l];
                }
            }
            i += SIDE;
        }
        for (i, sum) in sums.iter_mut().enumerate().take(n_rows).skip(i) {
            let mut s = [0.0; L];
            for (v, f) in row(i).iter().zip(block) {
                for l in 0..L {
                    s[l] += f64::from(*v) * f[l];
                }
            }
            for l in 0..L {
                sum[l] += s[l];
            }
        }
    }
}

#[inline(always)]
fn side_by_side<const L: usize>(s: &mut [[f64; L]; SIDE], v: [f32; SIDE], f: &[f64; L]) {
    for j in 0..SIDE {
        let x = f64::from(v[j]);
        for l in 0..L {
            s[j][l] += x * f[l];
        }
    }
}

fn over_rows<const L: usize>(
    x: &[f32],
    n_columns: usize,
    factor: &[f64],
    rank: usize,
    from: usize,
    out: &mut [f64],
) {
    let packed = pack::<L>(factor, rank, from);
    let arch = pulp::Arch::new();
    out.par_chunks_mut(COLUMNS_PER_TASK * rank)
        .enumerate()
        .for_each(|(task, out)| {
            let first = task * COLUMNS_PER_TASK;
            let mut sums = [[0.0; L]; COLUMNS_PER_TASK];
            let width = COLUMNS_PER_TASK.min(n_columns - first);
            arch.dispatch(
                #[inline(always)]
                || columns_task(x, n_columns, first, &packed, &mut sums[..width]),
            );
            add(out, rank, from, &sums);
        });
}

#[inline(always)]
fn columns_task<const L: usize>(
    x: &[f32],
    n_columns: usize,
    first: usize,
    factor: &[[f64; L]],
    sums: &mut [[f64; L]],
) {
    for (block, x) in factor.chunks(BLOCK).zip(x.chunks(BLOCK * n_columns)) {
        let mut c = 0;
        while c + SIDE <= sums.len() {
            let mut s = [[0.0; L]; SIDE];
            for (row, f) in x.chunks_exact(n_columns).zip(block) {
                let v = &row[first + c..first + c + SIDE];
                side_by_side(&mut s, [v[0], v[1], v[2], v[3]], f);
            }
            for (sum, s) in sums[c..c + SIDE].iter_mut().zip(&s) {
                for l in 0..L {
                    sum[l] += s[l];
                }
            }
            c += SIDE;
        }
        for (c, sum) in sums.iter_mut().enumerate().skip(c) {
            for (row, f) in x.chunks_exact(n_columns).zip(block) {
                let v = f64::from(row[first + c]);
                for l in 0..L {
                    sum[l] += v * f[l];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocked_products_equal_plain_ones(n_rows in 1usize..70, n_columns in 1usize..300, rank in 1usize..18, salt in 0u64..1000) {
            use rand::RngExt;
            let mut rng = chiasm_core::Streams::new(salt).stream("kernel");
            let x: Vec<f32> = (0..n_rows * n_columns).map(|_| rng.random()).collect();
            let a: Vec<f64> = (0..n_columns * rank).map(|_| rng.random()).collect();
            let f: Vec<f64> = (0..n_rows * rank).map(|_| rng.random()).collect();
            let (mut by_row, mut by_column) = (vec![0.0; n_rows * rank], vec![0.0; n_columns * rank]);
            sum_over_columns(&x, n_columns, &a, rank, &mut by_row);
            sum_over_rows(&x, n_columns, &f, rank, &mut by_column);
            for r in 0..rank {
                for i in 0..n_rows {
                    let plain: f64 = (0..n_columns).map(|c| f64::from(x[i * n_columns + c]) * a[c * rank + r]).sum();
                    prop_assert!((plain - by_row[i * rank + r]).abs() < 1e-9);
                }
                for c in 0..n_columns {
                    let plain: f64 = (0..n_rows).map(|i| f64::from(x[i * n_columns + c]) * f[i * rank + r]).sum();
                    prop_assert!((plain - by_column[c * rank + r]).abs() < 1e-9);
                }
            }
        }
    }
}
