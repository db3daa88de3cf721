//! What a sweep does to the rows of one factor: Gram matrices and coordinate descent, side by side in vector registers.
//!
//! Every sum has a fixed order, so the bits depend neither on the number of threads nor on which rows go together.

use chiasm_core::vectorized;
use rayon::prelude::*;

use super::kernel::{LANES, Lanes, side_by_side};

/// Rows of a Gram matrix's factor that are summed before they join the whole.
const GRAM_ROWS: usize = 1024;

/// `m^T m` of a matrix of `r` columns, row by row.
pub(super) fn gram(m: &[f64], r: usize) -> Vec<f64> {
    let parts: Vec<Vec<f64>> = m
        .par_chunks(GRAM_ROWS * r)
        .map(|m| {
            vectorized(
                #[inline(always)]
                || gram_task(m, r),
            )
        })
        .collect();
    let mut whole = vec![0.0; r * r];
    for part in parts {
        for (w, p) in whole.iter_mut().zip(part) {
            *w += p;
        }
    }
    whole
}

#[inline(always)]
fn gram_task(m: &[f64], r: usize) -> Vec<f64> {
    let mut panels = vec![vec![[0.0; LANES]; m.len() / r]; r.div_ceil(LANES)];
    for (k, row) in m.chunks_exact(r).enumerate() {
        for (panel, values) in panels.iter_mut().zip(row.chunks(LANES)) {
            panel[k][..values.len()].copy_from_slice(values);
        }
    }
    let mut out = vec![0.0; r * r];
    let mut keep = |s: [Lanes<f64>; 4], a: usize, b: usize| {
        let width = LANES.min(r - b);
        for (row, s) in (a..r).zip(&s) {
            out[row * r + b..][..width].copy_from_slice(&s[..width]);
        }
    };
    for (left, a) in panels.iter().zip((0..r).step_by(LANES)) {
        for (right, b) in panels.iter().zip((0..r).step_by(LANES)) {
            let low = left.iter().map(|v| [v[0], v[1], v[2], v[3]]);
            keep(side_by_side(right, low), a, b);
            if a + 4 < r {
                let high = left.iter().map(|v| [v[4], v[5], v[6], v[7]]);
                keep(side_by_side(right, high), a + 4, b);
            }
        }
    }
    out
}

/// Rows of a factor updated side by side.
const TOGETHER: usize = 8;
/// Rows per task of an update.
const SOLVE_ROWS: usize = 256;

/// Coordinate descent on every row `u >= 0` of the quadratic `u normal u - 2 u target`, `inner` times over its `r`
/// components, in parallel: rows do not depend on each other. `normal(i)` is that of row `i`; a component whose
/// curvature is not above `least` is left as it is.
///
/// The update adds to what is there, so an entry at 0 can leave it again; only a component at 0 in all animals cannot,
/// and is revived.
pub(super) fn solve<'g>(
    u: &mut [f64],
    target: &[f64],
    r: usize,
    inner: usize,
    least: &[f64],
    normal: impl Fn(usize) -> &'g [f64] + Sync,
) {
    u.par_chunks_mut(SOLVE_ROWS * r)
        .zip(target.par_chunks(SOLVE_ROWS * r))
        .enumerate()
        .for_each(|(task, (u, target))| {
            let first = task * SOLVE_ROWS;
            vectorized(
                #[inline(always)]
                || solve_task(u, target, r, inner, least, |k| normal(first + k)),
            );
        });
}

#[inline(always)]
fn solve_task<'g>(
    u: &mut [f64],
    target: &[f64],
    r: usize,
    inner: usize,
    least: &[f64],
    normal: impl Fn(usize) -> &'g [f64],
) {
    let n_rows = u.len() / r;
    let mut x = vec![[0.0; TOGETHER]; r];
    let mut y = vec![[0.0; TOGETHER]; r];
    let mut first = 0;
    while first < n_rows {
        let g = normal(first);
        // Neighbours of one normal matrix go together.
        let n = (1..TOGETHER.min(n_rows - first))
            .find(|&k| !std::ptr::eq(normal(first + k), g))
            .unwrap_or(TOGETHER.min(n_rows - first));
        let here = first * r..(first + n) * r;
        let rows = u[here.clone()].chunks_exact(r);
        for (k, (u, target)) in rows.zip(target[here.clone()].chunks_exact(r)).enumerate() {
            for c in 0..r {
                (x[c][k], y[c][k]) = (u[c], target[c]);
            }
        }
        descend(&mut x, &y, g, inner, least);
        for (k, u) in u[here].chunks_exact_mut(r).enumerate() {
            for (u, x) in u.iter_mut().zip(&x) {
                *u = x[k];
            }
        }
        first += n;
    }
}

#[inline(always)]
fn descend<const W: usize>(
    x: &mut [[f64; W]],
    y: &[[f64; W]],
    normal: &[f64],
    inner: usize,
    least: &[f64],
) {
    let r = x.len();
    for _ in 0..inner {
        for c in 0..r {
            let g = &normal[c * r..(c + 1) * r];
            if g[c] <= least[c] || g[c].is_nan() {
                continue;
            }
            let mut s = [0.0; W];
            for (g, x) in g.iter().zip(x.iter()) {
                for k in 0..W {
                    s[k] += g * x[k];
                }
            }
            for k in 0..W {
                x[c][k] = (x[c][k] + (y[c][k] - s[k]) / g[c]).max(0.0);
            }
        }
    }
}

/// [`solve`] for one row.
pub(super) fn solve_row(
    u: &mut [f64],
    target: &[f64],
    normal: &[f64],
    inner: usize,
    least: &[f64],
) {
    let mut x: Vec<[f64; 1]> = u.iter().map(|v| [*v]).collect();
    let y: Vec<[f64; 1]> = target.iter().map(|v| [*v]).collect();
    descend(&mut x, &y, normal, inner, least);
    for (u, x) in u.iter_mut().zip(x) {
        *u = x[0];
    }
}

/// A coordinate whose curvature is below this share of what it would be with every animal and pair observed is left as
/// it is: its best value would be huge, and ruin the precision of all others.
const LEAST_SUPPORT: f64 = 1e-10;

pub(super) fn row(m: &[f64], r: usize, i: usize) -> &[f64] {
    &m[i * r..(i + 1) * r]
}

pub(super) fn row_mut(m: &mut [f64], r: usize, i: usize) -> &mut [f64] {
    &mut m[i * r..(i + 1) * r]
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn add_scaled(y: &mut [f64], scale: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += scale * x;
    }
}

pub(super) fn hadamard(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

pub(super) fn quadratic(w: &[f64], g: &[f64]) -> f64 {
    g.chunks_exact(w.len())
        .zip(w)
        .map(|(row, v)| v * dot(row, w))
        .sum()
}

/// Scales column `c` to unit norm and returns the norm it had.
pub(super) fn to_unit(m: &mut [f64], r: usize, c: usize) -> f64 {
    let norm = m
        .iter()
        .skip(c)
        .step_by(r)
        .map(|v| v * v)
        .sum::<f64>()
        .sqrt();
    if norm > 0.0 {
        m.iter_mut().skip(c).step_by(r).for_each(|v| *v /= norm);
    }
    norm
}

/// The curvature below which a coordinate is left alone, for each component.
pub(super) fn support(a: &[f64], b: &[f64], r: usize) -> Vec<f64> {
    (0..r)
        .map(|c| LEAST_SUPPORT * a[c * r + c] * b[c * r + c])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn random(n: usize, rng: &mut chiasm_core::Rng) -> Vec<f64> {
        use rand::RngExt;
        (0..n).map(|_| rng.random()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn gram_and_updates_equal_plain_ones(n in 1usize..1500, r in 1usize..19, salt in 0u64..1000) {
            let mut rng = chiasm_core::Streams::new(salt).stream("gram");
            let m = random(n * r, &mut rng);
            let g = gram(&m, r);
            for a in 0..r {
                for b in 0..r {
                    let plain: f64 = m.chunks_exact(r).map(|row| row[a] * row[b]).sum();
                    prop_assert!((plain - g[a * r + b]).abs() < 1e-12 * (1.0 + plain));
                }
            }
            let (before, target, least) = (random(n * r, &mut rng), random(n * r, &mut rng), vec![0.0; r]);
            let other = random(r * r, &mut rng);
            let normal = |i: usize| if i % 11 < 9 { g.as_slice() } else { other.as_slice() };
            let mut all = before.clone();
            solve(&mut all, &target, r, 2, &least, normal);
            for i in 0..n {
                let mut one = before[i * r..(i + 1) * r].to_vec();
                solve_row(&mut one, &target[i * r..(i + 1) * r], normal(i), 2, &least);
                prop_assert_eq!(&one[..], &all[i * r..(i + 1) * r]);
            }
        }
    }
}
