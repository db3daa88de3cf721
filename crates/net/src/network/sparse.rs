//! Products whose first factor is zeros for the most part, as what a ReLU leaves is: the zeros are passed over.

use chiasm_core::vectorized;
use faer::prelude::ReborrowMut;
use faer::{Accum, MatMut};
use rayon::prelude::*;

use super::product::{self, Rows};
use crate::Real;

/// Largest share of numbers other than 0. At two thirds of them a full product is as fast.
const SHARE: f64 = 0.6;
/// Below so many multiplications, or rows on either side, there is nothing to gain.
const SMALL: usize = 1 << 22;
const FEWEST: usize = 64;
/// Bytes of a vector register of the processors on which this was measured against full products.
const REGISTER: usize = 64;
/// Registers of a row of the second factor that are worked on at once, and bytes of so wide a strip of it: half of a first
/// cache, whose other half may be a neighbor's.
const WIDE: (usize, usize) = (12, 24 << 10);
/// The same for a result of many rows: its sums would leave the caches between blocks, so a block has all rows of a batch.
const TALL: (usize, usize) = (6, 48 << 10);
const MANY: usize = 1024;
/// Tasks for each thread, and fewest rows of one.
const TASKS: usize = 10;
const LEAST: usize = 32;

/// The numbers of a matrix that are not 0, to be multiplied. Its memory is used again from product to product.
#[derive(Debug, Clone, Default)]
pub(super) struct Sparse<T> {
    rows: usize,
    /// Columns of the second factor that are worked on at once.
    width: usize,
    /// Columns of this matrix whose numbers lie together.
    block: usize,
    /// By blocks, and in each by rows, `block + 1` places. As many as counted are filled: with the column within the block, and
    /// the number.
    numbers: Vec<(u32, T)>,
    counts: Vec<u32>,
}

/// A row of a strip of the second factor.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Piece<T, const W: usize>([T; W]);

/// Whether the processor has registers so wide.
fn wide() -> bool {
    #[cfg(target_arch = "x86_64")]
    return matches!(pulp::Arch::new(), pulp::Arch::V4(_));
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

impl<T: Real> Sparse<T> {
    /// [`product::multiply`], of the numbers that are not 0 where that is faster: 0 times a number that is not finite is then 0.
    pub(super) fn multiply(&mut self, out: &mut [T], a: Rows<'_, T>, b: Rows<'_, T>, accum: Accum) {
        if self.prepare(a.0, (a.1, a.2, b.2)) {
            self.gather(a);
            self.strips(out, b, accum);
        } else {
            product::multiply(out, a, b, accum);
        }
    }

    /// [`product::turned_multiply`] likewise.
    pub(super) fn turned_multiply(
        &mut self,
        out: &mut [T],
        a: Rows<'_, T>,
        b: Rows<'_, T>,
        accum: Accum,
    ) {
        if self.prepare(a.0, (a.2, a.1, b.2)) {
            self.gather_turned(a);
            self.strips(out, b, accum);
        } else {
            product::turned_multiply(out, a, b, accum);
        }
    }

    /// Whether it is faster for `[rows, inner]` times `[inner, columns]`; makes room if so.
    fn prepare(&mut self, values: &[T], (rows, inner, columns): (usize, usize, usize)) -> bool {
        let (registers, bytes) = if rows < MANY { WIDE } else { TALL };
        let width = registers * REGISTER / size_of::<T>();
        let narrow = rows.min(inner) < FEWEST || columns < width;
        if narrow || rows * inner * columns < SMALL || !wide() {
            return false;
        }
        let filled = vectorized(
            #[inline(always)]
            || values.iter().filter(|v| **v != T::ZERO).count(),
        );
        if filled as f64 > SHARE * values.len() as f64 {
            return false;
        }
        self.resize((rows, inner), width, bytes / (width * size_of::<T>()));
        true
    }

    fn resize(&mut self, (rows, inner): (usize, usize), width: usize, block: usize) {
        (self.rows, self.width, self.block) = (rows, width, block);
        let room = rows * inner.div_ceil(block) * (block + 1);
        if self.numbers.len() < room {
            self.numbers.resize(room, (0, T::ZERO));
        }
        self.counts.clear();
        self.counts.resize(rows * inner.div_ceil(block), 0);
    }

    /// Gathers the numbers of `[n, k]`. Zeros are written too, and then over: without a branch on each.
    fn gather(&mut self, (values, _, inner): Rows<'_, T>) {
        let (rows, block, places) = (self.rows, self.block, self.block + 1);
        let numbers = self.numbers.par_chunks_mut(rows * places);
        let blocks = numbers.zip(self.counts.par_chunks_mut(rows)).enumerate();
        blocks.for_each(|(b, (numbers, counts))| {
            let columns = b * block..inner.min((b + 1) * block);
            let rows = values.chunks_exact(inner);
            let into = numbers.chunks_exact_mut(places).zip(counts);
            for (row, (numbers, count)) in rows.zip(into) {
                for (column, v) in row[columns.clone()].iter().enumerate() {
                    numbers[*count as usize] = (column as u32, *v);
                    *count += u32::from(*v != T::ZERO);
                }
            }
        });
    }

    /// Gathers those of `[k, n]` turned.
    fn gather_turned(&mut self, (values, _, rows): Rows<'_, T>) {
        /// Rows that are filled side by side.
        const BESIDE: usize = 16;
        let (block, places) = (self.block, self.block + 1);
        let numbers = self.numbers.chunks_mut(rows * places);
        let blocks = numbers.zip(self.counts.chunks_mut(rows));
        for ((numbers, counts), values) in blocks.zip(values.chunks(block * rows)) {
            let numbers = numbers.par_chunks_mut(BESIDE * places);
            let beside = numbers.zip(counts.par_chunks_mut(BESIDE)).enumerate();
            beside.for_each(|(i, (numbers, into))| {
                // Counted in the first cache: `into` shares its lines with other threads'.
                let mut counts = [0; BESIDE];
                let first = i * BESIDE;
                for (column, values) in values.chunks_exact(rows).enumerate() {
                    let values = &values[first..first + into.len()];
                    for (i, v) in values.iter().enumerate() {
                        numbers[i * places + counts[i] as usize] = (column as u32, *v);
                        counts[i] += u32::from(*v != T::ZERO);
                    }
                }
                into.copy_from_slice(&counts[..into.len()]);
            });
        }
    }

    /// `out = self b`, or `out += self b`.
    fn strips(&self, out: &mut [T], b: Rows<'_, T>, accum: Accum) {
        // Twelve registers or six, of numbers of four bytes or eight.
        match self.width {
            192 => self.strips_of::<192>(out, b, accum),
            96 => self.strips_of::<96>(out, b, accum),
            48 => self.strips_of::<48>(out, b, accum),
            width => unreachable!("strips of {width} columns"),
        }
    }

    fn strips_of<const W: usize>(&self, out: &mut [T], b: Rows<'_, T>, accum: Accum) {
        let columns = b.2;
        // Several tasks for each thread, of few rows if need be: whatever the cut, the sums are the same.
        let tasks = TASKS * rayon::current_num_threads();
        let parts = tasks.div_ceil(columns.div_ceil(W));
        let rows = self.rows.div_ceil(parts).max(LEAST);
        let mut tasks = vec![];
        for (i, out) in out.chunks_mut(rows * columns).enumerate() {
            let mut left = MatMut::from_row_major_slice_mut(out, out.len() / columns, columns);
            for first in (0..columns).step_by(W) {
                let (part, rest) = left.split_at_col_mut(W.min(columns - first));
                tasks.push(((i * rows, first), part));
                left = rest;
            }
        }
        tasks.into_par_iter().for_each(|(from, out)| {
            vectorized(
                #[inline(always)]
                || self.strip::<W>(b, from, out, accum),
            );
        });
    }

    /// A part of the result that begins at `row` and `column` and has at most as many columns as a piece.
    #[inline(always)]
    fn strip<const W: usize>(
        &self,
        (b, _, columns): Rows<'_, T>,
        (row, column): (usize, usize),
        mut out: MatMut<'_, T>,
        accum: Accum,
    ) {
        let (rows, n) = out.shape();
        let mut held = vec![Piece([T::ZERO; W]); self.block];
        for (i, b) in b.chunks(self.block * columns).enumerate() {
            for (piece, b) in held.iter_mut().zip(b.chunks_exact(columns)) {
                match b[column..column + n].as_array() {
                    Some(b) => piece.0 = *b,
                    None => piece.0[..n].copy_from_slice(&b[column..column + n]),
                }
            }
            let add = i > 0 || matches!(accum, Accum::Add);
            let first = i * self.rows + row;
            let numbers = self.numbers.chunks_exact(self.block + 1).skip(first);
            let lists = numbers.zip(&self.counts[first..][..rows]);
            for (r, (numbers, count)) in lists.enumerate() {
                let numbers = &numbers[..*count as usize];
                let out = out.rb_mut().row_mut(r).try_as_row_major_mut();
                let out = out.expect("row by row").as_slice_mut();
                if let Some(out) = out.as_mut_array() {
                    sums(numbers, &held, out, add);
                } else {
                    let mut whole = [T::ZERO; W];
                    whole[..n].copy_from_slice(out);
                    sums(numbers, &held, &mut whole, add);
                    out.copy_from_slice(&whole[..n]);
                }
            }
        }
    }
}

/// A row of the result, in registers: the sum of pieces times numbers, in the order of columns.
#[inline(always)]
fn sums<T: Real, const W: usize>(
    numbers: &[(u32, T)],
    held: &[Piece<T, W>],
    out: &mut [T; W],
    add: bool,
) {
    let mut sums = if add { *out } else { [T::ZERO; W] };
    for (column, x) in numbers {
        let piece = &held[*column as usize].0;
        for i in 0..W {
            sums[i] = x.mul_add(piece[i], sums[i]);
        }
    }
    *out = sums;
}

#[cfg(test)]
mod tests {
    use faer::Accum;

    use super::super::product;
    use super::{Sparse, wide};
    use crate::Real;

    /// Odd halves, of which so many in a hundred are not 0: every sum is exact, in whatever order.
    fn numbers<T: Real>(n: usize, percent: usize) -> Vec<T> {
        let of = |i: usize| match (i * i + i / 7) * 31 % 100 < percent {
            true => T::of(((i * 7 + i / 11) % 23) as f64 - 11.5),
            false => T::ZERO,
        };
        (0..n).map(of).collect()
    }

    fn turned<T: Real>(of: &[T], columns: usize) -> Vec<T> {
        let column = |j: usize| of.iter().skip(j).step_by(columns).copied();
        (0..columns).flat_map(column).collect()
    }

    fn agrees<T: Real>(width: usize, block: usize) {
        let (n, k) = (70, 100);
        let mut sparse = Sparse::default();
        // One strip, several, and one that is not full; nothing but zeros, and none.
        for (m, percent) in [(width, 40), (2 * width + 5, 20), (7, 40), (9, 0), (30, 100)] {
            let (a, b) = (numbers::<T>(n * k, percent), numbers::<T>(k * m, 100));
            let a_turned = turned(&a, k);
            for accum in [Accum::Replace, Accum::Add] {
                let mut expected = vec![T::ONE; n * m];
                product::multiply(&mut expected, (&a, n, k), (&b, k, m), accum);
                let mut out = vec![T::ONE; n * m];
                sparse.resize((n, k), width, block);
                sparse.gather((&a, n, k));
                sparse.strips(&mut out, (&b, k, m), accum);
                assert_eq!(out, expected, "{width} {block} {m}");
                out.fill(T::ONE);
                sparse.resize((n, k), width, block);
                sparse.gather_turned((&a_turned, k, n));
                sparse.strips(&mut out, (&b, k, m), accum);
                assert_eq!(out, expected, "turned: {width} {block} {m}");
            }
        }
    }

    #[test]
    fn numbers_without_zeros_give_the_full_product_at_every_width() {
        for width in [48, 96, 192] {
            for block in [1, 32, 48, 100, 128] {
                agrees::<f32>(width, block);
                agrees::<f64>(width, block);
            }
        }
    }

    #[test]
    fn it_is_chosen_where_most_are_zeros_and_the_factors_large_and_shows_what_is_not_a_number() {
        let (n, k, m) = (128, 200, 1000);
        let (b, mut out) = (numbers::<f32>(k * m, 100), vec![0.0; n * m]);
        let mut sparse = Sparse::default();
        let mut chosen = |a: &[f32], n, m| sparse.prepare(&a[..n * k], (n, k, m));
        let mut half = numbers::<f32>(n * k, 50);
        assert_eq!(chosen(&half, n, m), wide());
        assert!(!chosen(&numbers(n * k, 70), n, m));
        assert!(!chosen(&half, n, 20) && !chosen(&half, 20, m));
        half[3 * k + 5] = f32::NAN;
        sparse.multiply(&mut out, (&half, n, k), (&b, k, m), Accum::Replace);
        let found = out
            .chunks(m)
            .enumerate()
            .filter(|(_, row)| row.iter().any(|v| v.is_nan()));
        assert_eq!(found.map(|(i, _)| i).collect::<Vec<_>>(), [3]);
    }
}
