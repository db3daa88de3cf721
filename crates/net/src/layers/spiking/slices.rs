//! Activity as rows of numbers, cut into columns that are worked on side by side.

use burn_dispatch::backends::flex::FlexTensor;
use rayon::prelude::*;

use super::super::real::Real;
use super::{Drive, Lif, SpikingError};

/// Rows of `width` values cut into columns of `lanes` (the last may be narrower): each column's piece of every row.
pub(super) fn columns_mut<T>(values: &mut [T], width: usize, lanes: usize) -> Vec<Vec<&mut [T]>> {
    let rows = values.len() / width.max(1);
    let mut columns: Vec<Vec<&mut [T]>> = (0..width.div_ceil(lanes))
        .map(|_| Vec::with_capacity(rows))
        .collect();
    for row in values.chunks_exact_mut(width.max(1)) {
        for (column, piece) in columns.iter_mut().zip(row.chunks_mut(lanes)) {
            column.push(piece);
        }
    }
    columns
}

/// Whether leaks fit `n` neurons: one for all or one for each, between 0 and 1.
pub(super) fn check_leak(
    lif: &Lif,
    n: usize,
    leak: impl ExactSizeIterator<Item = f64>,
) -> Result<(), SpikingError> {
    if leak.len() != 1 && leak.len() != n {
        return Err(SpikingError::Shape {
            what: "leak",
            expected: format!("[1] or [{n}]"),
            found: vec![leak.len()],
        });
    }
    for (neuron, found) in leak.enumerate() {
        let (holds, expected) = match lif.drive {
            Drive::Whole => ((0.0..=1.0).contains(&found), "between 0 and 1"),
            Drive::Leaky => ((0.0..1.0).contains(&found), "at least 0 and below 1"),
        };
        if !holds {
            return Err(SpikingError::Leak {
                neuron,
                expected,
                found,
            });
        }
    }
    Ok(())
}

/// Whether a tensor has as many values as its shape says.
pub(super) fn check_length(
    what: &'static str,
    shape: &[usize],
    found: usize,
) -> Result<(), SpikingError> {
    let length = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    if length == Some(found) {
        return Ok(());
    }
    Err(SpikingError::Shape {
        what,
        expected: format!("{shape:?}"),
        found: vec![found],
    })
}

/// Gradients of the leaks from those of lanes that repeat the `n` neurons, in the lanes' order.
pub(super) fn of_leaks<R: Real>(lanes: &[R], n: usize, n_leaks: usize) -> Vec<R> {
    let mut sums = vec![0.0; n];
    for row in lanes.chunks_exact(n.max(1)) {
        for (sum, lane) in sums.iter_mut().zip(row) {
            *sum += lane.to_f64();
        }
    }
    if n_leaks == 1 {
        vec![R::of(sums.iter().sum())]
    } else {
        sums.into_iter().map(R::of).collect()
    }
}

/// Rows of `[time, batch, neuron]` that need not lie one after another: the same for all times, or cut out of longer ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a, R> {
    values: &'a [R],
    start: usize,
    strides: [usize; 2],
    batch: usize,
    n: usize,
}

impl<'a, R: Real> Rows<'a, R> {
    /// All in order.
    pub(super) fn whole(values: &'a [R], batch: usize, n: usize) -> Self {
        Self {
            values,
            start: 0,
            strides: [batch * n, n],
            batch,
            n,
        }
    }

    /// Of a tensor, if each of its rows lies together.
    pub(super) fn of(tensor: &'a FlexTensor) -> Option<Self> {
        let layout = tensor.layout();
        let (shape, strides) = (layout.shape(), layout.strides());
        let at = |axis: usize| usize::try_from(strides[axis]).ok();
        (strides[2] == 1).then_some(Self {
            values: R::values(tensor),
            start: layout.start_offset(),
            strides: [at(0)?, at(1)?],
            batch: shape[1],
            n: shape[2],
        })
    }

    /// Row `time x batch + member`.
    #[inline(always)]
    pub(super) fn row(&self, sample: usize) -> &'a [R] {
        let (time, member) = (sample / self.batch, sample % self.batch);
        let from = self.start + time * self.strides[0] + member * self.strides[1];
        &self.values[from..][..self.n]
    }

    /// All `time` steps in order.
    pub(super) fn copied(&self, time: usize) -> Vec<R> {
        let mut all = vec![R::ZERO; time * self.batch * self.n];
        all.par_chunks_mut(self.n.max(1))
            .enumerate()
            .for_each(|(sample, out)| out.copy_from_slice(self.row(sample)));
        all
    }
}
