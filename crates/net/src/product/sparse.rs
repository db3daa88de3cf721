//! Products whose first factor is zeros for the most part, as what a ReLU leaves is: the zeros are passed over.

use chiasm_core::vectorized;
use faer::prelude::ReborrowMut;
use faer::{Accum, MatMut};
use rayon::prelude::*;

use super::Rows;
use crate::Real;

/// Largest share of numbers other than 0. At two thirds of them a full product is as fast.
const SHARE: f64 = 0.6;
/// Below so many multiplications, or rows on either side, there is nothing to gain.
const SMALL: usize = 1 << 22;
const FEWEST: usize = 64;
/// Bytes of a cache's line, and of a vector register of the processors on which this was measured against full products.
const LINE: usize = 64;
/// Registers of a row of the second factor that are worked on at once, and bytes of so wide a strip of it: half of a first
/// cache, whose other half may be a neighbor's.
pub(super) const WIDE: (usize, usize) = (12, 24 << 10);
/// The same for a product turned, whose strips have as many rows as a batch.
const TURNED: (usize, usize) = (6, 48 << 10);
/// Bytes of results that stay in the second cache while they are worked on, and rows of a result at most.
const SUMS: usize = 1 << 20;
const MOST: usize = 512;
/// Numbers that are counted at a time.
const COUNTED: usize = 1 << 14;
/// Tasks for each thread, and fewest rows of one.
const TASKS: usize = 3;
const LEAST: usize = 32;
/// Fewest rows of a part of a product turned, and parts that a thread takes at most at a time: left to itself, rayon would have
/// one thread wait for the other's quarter.
const PART: usize = 32;
const TOGETHER: usize = 2;

/// The numbers of a matrix that are not 0, to be multiplied. Its memory is used again from product to product.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sparse<T> {
    rows: usize,
    /// Columns of the second factor that are worked on at once.
    width: usize,
    /// Columns of this matrix whose numbers lie together.
    block: usize,
    /// By blocks, and in each by rows, `block + 1` places. As many as counted are filled: with the column within the block, and
    /// the number.
    numbers: Vec<(u32, T)>,
    counts: Vec<u32>,
    /// The second factor of a product turned, `[strip, row, column]`.
    strips: Vec<T>,
}

/// Whether the processor has registers so wide.
pub(super) fn wide() -> bool {
    #[cfg(target_arch = "x86_64")]
    return matches!(pulp::Arch::new(), pulp::Arch::V4(_));
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

impl<T: Real> Sparse<T> {
    /// [`super::multiply`], of the numbers that are not 0 where that is faster: 0 times a number that is not finite is then 0.
    pub(crate) fn multiply(&mut self, out: &mut [T], a: Rows<'_, T>, b: Rows<'_, T>, accum: Accum) {
        if !pays(a.0, (a.1, a.2, b.2), WIDE) {
            return super::multiply(out, a, b, accum);
        }
        self.resize((a.1, a.2), WIDE);
        self.gather(a);
        self.by_strips(out, b, accum);
    }

    /// [`super::turned_multiply`] likewise.
    pub(crate) fn turned_multiply(
        &mut self,
        out: &mut [T],
        a: Rows<'_, T>,
        b: Rows<'_, T>,
        accum: Accum,
    ) {
        if !pays(a.0, (a.2, a.1, b.2), TURNED) {
            return super::turned_multiply(out, a, b, accum);
        }
        self.resize((a.2, a.1), TURNED);
        self.gather_turned(a);
        self.by_parts(out, b, accum);
    }

    pub(super) fn resize(
        &mut self,
        (rows, inner): (usize, usize),
        (registers, bytes): (usize, usize),
    ) {
        let width = registers * LINE / size_of::<T>();
        let block = bytes / (width * size_of::<T>());
        (self.rows, self.width, self.block) = (rows, width, block);
        let room = rows * inner.div_ceil(block) * (block + 1);
        if self.numbers.len() < room {
            self.numbers.resize(room, (0, T::ZERO));
        }
        self.counts.clear();
        self.counts.resize(rows * inner.div_ceil(block), 0);
    }

    /// Gathers the numbers of `[n, k]`.
    pub(super) fn gather(&mut self, (values, _, inner): Rows<'_, T>) {
        let (rows, block, places) = (self.rows, self.block, self.block + 1);
        let numbers = self.numbers.par_chunks_mut(rows * places);
        let blocks = numbers.zip(self.counts.par_chunks_mut(rows)).enumerate();
        blocks.for_each(|(b, (numbers, counts))| {
            let columns = b * block..inner.min((b + 1) * block);
            let rows = values.chunks_exact(inner);
            let into = numbers.chunks_exact_mut(places).zip(counts);
            for (row, (numbers, count)) in rows.zip(into) {
                *count = keep(row[columns.clone()].iter(), numbers);
            }
        });
    }

    /// Gathers those of `[k, n]` turned.
    pub(super) fn gather_turned(&mut self, (values, _, rows): Rows<'_, T>) {
        /// Rows whose numbers lie in the same lines.
        const BESIDE: usize = 16;
        let (block, places) = (self.block, self.block + 1);
        let numbers = self.numbers.chunks_mut(rows * places);
        let blocks = numbers.zip(self.counts.chunks_mut(rows));
        for ((numbers, counts), values) in blocks.zip(values.chunks(block * rows)) {
            let numbers = numbers.par_chunks_mut(BESIDE * places);
            let beside = numbers.zip(counts.par_chunks_mut(BESIDE)).enumerate();
            beside.for_each(|(i, (numbers, counts))| {
                let into = numbers.chunks_exact_mut(places).zip(counts);
                for (row, (numbers, count)) in into.enumerate() {
                    let column = values[i * BESIDE + row..].iter().step_by(rows);
                    *count = keep(column, numbers);
                }
            });
        }
    }

    /// The numbers of a block's rows from `first` on.
    fn lists(&self, block: usize, first: usize) -> impl Iterator<Item = &[(u32, T)]> {
        let first = block * self.rows + first;
        let numbers = self.numbers.chunks_exact(self.block + 1).skip(first);
        let counts = self.counts[first..].iter();
        numbers.zip(counts).map(|(all, n)| &all[..*n as usize])
    }

    /// `out = self b`, or `out += self b`, where the second factor is the large one: it is read once, row by row.
    pub(super) fn by_strips(&self, out: &mut [T], b: Rows<'_, T>, accum: Accum) {
        // Twelve registers of numbers of four bytes or eight.
        match self.width {
            192 => self.strips_of::<192>(out, b, accum),
            96 => self.strips_of::<96>(out, b, accum),
            width => unreachable!("strips of {width} columns"),
        }
    }

    fn strips_of<const W: usize>(&self, out: &mut [T], b: Rows<'_, T>, accum: Accum) {
        let columns = b.2;
        let strips = columns.div_ceil(W);
        // Enough tasks for all threads, of few rows if need be: whatever the cut, the sums are the same.
        let tasks = match rayon::current_num_threads() {
            1 => 1,
            threads => TASKS * threads,
        };
        let rows = self.rows.min(MOST);
        let groups = strips.div_ceil((SUMS / (rows * W * size_of::<T>())).max(1));
        let groups = groups.max(tasks.div_ceil(self.rows.div_ceil(rows)));
        let width = strips.div_ceil(groups) * W;
        let parts = self
            .rows
            .div_ceil(rows)
            .max(tasks / columns.div_ceil(width));
        let rows = self.rows.div_ceil(parts).max(LEAST);
        let mut all = vec![];
        for (i, out) in out.chunks_mut(rows * columns).enumerate() {
            let mut left = MatMut::from_row_major_slice_mut(out, out.len() / columns, columns);
            for first in (0..columns).step_by(width) {
                let (part, rest) = left.split_at_col_mut(width.min(columns - first));
                all.push(((i * rows, first), part));
                left = rest;
            }
        }
        let all = all.into_par_iter().with_max_len(1);
        all.for_each(|(from, out)| {
            vectorized(
                #[inline(always)]
                || self.strip::<W>(b, from, out, accum),
            );
        });
    }

    /// A part of the result that begins at `row` and `column`.
    #[inline(always)]
    fn strip<const W: usize>(
        &self,
        (b, _, columns): Rows<'_, T>,
        (row, column): (usize, usize),
        mut out: MatMut<'_, T>,
        accum: Accum,
    ) {
        let width = out.ncols();
        let mut memory = vec![];
        let held = from_line(&mut memory, self.block * W);
        for (i, b) in b.chunks(self.block * columns).enumerate() {
            let add = i > 0 || matches!(accum, Accum::Add);
            for at in (0..width).step_by(W) {
                let n = W.min(width - at);
                copy_strip::<T, W>(held, (b, columns), column + at, n);
                let (held, _) = held.as_chunks::<W>();
                let mut out = out.rb_mut().subcols_mut(at, n);
                for (r, numbers) in self.lists(i, row).take(out.nrows()).enumerate() {
                    let out = out.rb_mut().row_mut(r).try_as_row_major_mut();
                    let out = out.expect("row by row").as_slice_mut();
                    sums(numbers, held, out, add);
                }
            }
        }
    }

    /// The same where the result is the large one, and is written once, row by row.
    pub(super) fn by_parts(&mut self, out: &mut [T], b: Rows<'_, T>, accum: Accum) {
        // Six registers of numbers of four bytes or eight.
        match self.width {
            96 => self.parts_of::<96>(out, b, accum),
            48 => self.parts_of::<48>(out, b, accum),
            width => unreachable!("strips of {width} columns"),
        }
    }

    fn parts_of<const W: usize>(
        &mut self,
        out: &mut [T],
        (b, inner, columns): Rows<'_, T>,
        accum: Accum,
    ) {
        let mut memory = std::mem::take(&mut self.strips);
        let strips = from_line(&mut memory, columns.div_ceil(W) * inner * W);
        let all = strips.par_chunks_mut(inner * W).enumerate();
        all.for_each(|(s, strip)| {
            let n = W.min(columns - s * W);
            copy_strip::<T, W>(strip, (b, columns), s * W, n);
        });
        let (pieces, _) = strips.as_chunks::<W>();
        // Each strip is read anew for a part: the more rows it has, the more of them a part should.
        let most = SUMS / 2 / (columns * size_of::<T>());
        let rows = (inner / 4).max(PART).min(most).max(1);
        let parts = out.par_chunks_mut(rows * columns).enumerate();
        parts.with_max_len(TOGETHER).for_each(|(i, out)| {
            vectorized(
                #[inline(always)]
                || self.part((pieces, inner, columns), (i * rows, out), accum),
            );
        });
        self.strips = memory;
    }

    /// The rows of the result from `first` on, as many as `out` has; the second factor is `[inner, columns]`, by strips.
    #[inline(always)]
    fn part<const W: usize>(
        &self,
        (pieces, inner, columns): (&[[T; W]], usize, usize),
        (first, out): (usize, &mut [T]),
        accum: Accum,
    ) {
        for (at, strip) in (0..columns).step_by(W).zip(pieces.chunks_exact(inner)) {
            let n = W.min(columns - at);
            for (i, held) in strip.chunks(self.block).enumerate() {
                let add = i > 0 || matches!(accum, Accum::Add);
                let rows = out.chunks_exact_mut(columns);
                for (row, numbers) in rows.zip(self.lists(i, first)) {
                    sums(numbers, held, &mut row[at..at + n], add);
                }
            }
        }
    }
}

/// Whether zeros are many, and the product large enough, for `[rows, inner]` times `[inner, columns]`.
pub(super) fn pays<T: Real>(
    values: &[T],
    (rows, inner, columns): (usize, usize, usize),
    (registers, _): (usize, usize),
) -> bool {
    let narrow = rows.min(inner) < FEWEST || columns < registers * LINE / size_of::<T>();
    if narrow || rows * inner * columns < SMALL || !wide() {
        return false;
    }
    let filled = |values: &[T]| {
        vectorized(
            #[inline(always)]
            || values.iter().filter(|v| **v != T::ZERO).count(),
        )
    };
    let filled: usize = values.par_chunks(COUNTED).map(filled).sum();
    filled as f64 <= SHARE * values.len() as f64
}

/// Gathers the numbers that are not 0, with their places, and counts them. Zeros are written too, and then over: without a
/// branch on each.
#[inline(always)]
fn keep<'a, T: Real>(values: impl Iterator<Item = &'a T>, into: &mut [(u32, T)]) -> u32 {
    let mut count = 0;
    for (place, v) in values.enumerate() {
        into[count] = (place as u32, *v);
        count += usize::from(*v != T::ZERO);
    }
    count as u32
}

/// So many numbers, whatever they are, that begin with a cache's line.
fn from_line<T: Real>(memory: &mut Vec<T>, n: usize) -> &mut [T] {
    let room = n + LINE / size_of::<T>();
    if memory.len() < room {
        memory.resize(room, T::ZERO);
    }
    let start = memory.as_ptr().align_offset(LINE);
    &mut memory[start..start + n]
}

/// Copies `n` columns of a matrix from `first` on, to rows of `W` numbers: zeros where there are fewer.
#[inline(always)]
fn copy_strip<T: Real, const W: usize>(
    to: &mut [T],
    (from, columns): (&[T], usize),
    first: usize,
    n: usize,
) {
    let (to, _) = to.as_chunks_mut::<W>();
    for (to, row) in to.iter_mut().zip(from.chunks_exact(columns)) {
        let row = &row[first..first + n];
        match row.as_array() {
            Some(row) => *to = *row,
            None => {
                to[..n].copy_from_slice(row);
                to[n..].fill(T::ZERO);
            }
        }
    }
}

/// A row of the result, or so much of a strip as it has.
#[inline(always)]
fn sums<T: Real, const W: usize>(numbers: &[(u32, T)], held: &[[T; W]], out: &mut [T], add: bool) {
    if let Some(out) = out.as_mut_array() {
        return whole_sums(numbers, held, out, add);
    }
    let mut whole = [T::ZERO; W];
    whole[..out.len()].copy_from_slice(out);
    whole_sums(numbers, held, &mut whole, add);
    out.copy_from_slice(&whole[..out.len()]);
}

/// In registers: the sum of pieces times numbers, in the order of columns.
#[inline(always)]
fn whole_sums<T: Real, const W: usize>(
    numbers: &[(u32, T)],
    held: &[[T; W]],
    out: &mut [T; W],
    add: bool,
) {
    let mut sums = if add { *out } else { [T::ZERO; W] };
    for (column, x) in numbers {
        let piece = &held[*column as usize];
        for i in 0..W {
            sums[i] = x.mul_add(piece[i], sums[i]);
        }
    }
    *out = sums;
}
