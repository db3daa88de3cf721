//! Where gradients are gathered, and memory for those on their way.

use std::ops::{Index, IndexMut};

use faer::Accum;

use super::Network;
use crate::Real;
use crate::product::Sparse;

/// The gradients of a network's parameters, in arrays as in [`Network::parameters`]. They add up.
#[derive(Debug, Clone, Default)]
pub struct Gradients<T> {
    arrays: Vec<Vec<T>>,
    /// Arrays whose values are those of an earlier step, and count as 0.
    stale: Vec<bool>,
}

/// Where a product goes, and how.
pub(super) type Sink<'a, T> = (&'a mut [T], Accum);

impl<T: Real> Gradients<T> {
    /// All count as 0. What is there stays until something is added, since most arrays are overwritten as a whole; the way
    /// back settles the rest, so that nobody reads what is stale.
    pub(super) fn clear(&mut self) {
        self.stale.fill(true);
    }

    /// An array that a product is added to.
    pub(super) fn product(&mut self, array: usize) -> Sink<'_, T> {
        let accum = match std::mem::take(&mut self.stale[array]) {
            true => Accum::Replace,
            false => Accum::Add,
        };
        (&mut self.arrays[array], accum)
    }

    /// Writes the zeros of arrays that nothing was added to.
    pub(super) fn settle(&mut self) {
        for (array, stale) in self.arrays.iter_mut().zip(&mut self.stale) {
            if std::mem::take(stale) {
                array.fill(T::ZERO);
            }
        }
    }

    /// All arrays.
    #[must_use]
    pub fn arrays(&self) -> &[Vec<T>] {
        &self.arrays
    }
}

impl<T> Index<usize> for Gradients<T> {
    type Output = Vec<T>;

    fn index(&self, array: usize) -> &Vec<T> {
        &self.arrays[array]
    }
}

impl<T: Real> IndexMut<usize> for Gradients<T> {
    fn index_mut(&mut self, array: usize) -> &mut Vec<T> {
        let values = &mut self.arrays[array];
        if std::mem::take(&mut self.stale[array]) {
            values.fill(T::ZERO);
        }
        values
    }
}

impl<T: Real> Network<T> {
    /// The gradients of no row yet.
    #[must_use]
    pub fn no_gradients(&self) -> Gradients<T> {
        let sizes = self.parameters.arrays.iter().map(|a| a.values.len());
        let arrays: Vec<Vec<T>> = sizes.map(|n| vec![T::ZERO; n]).collect();
        let stale = vec![false; arrays.len()];
        Gradients { arrays, stale }
    }
}

/// Memory that is used again from step to step: fresh pages of it would cost as much as what is written there.
#[derive(Debug, Default)]
pub struct Spare<T> {
    arrays: Vec<Vec<T>>,
    pub(super) sparse: Sparse<T>,
}

/// Arrays that are kept at most. Some steps give back more than they take.
const MOST: usize = 4;

impl<T: Real> Spare<T> {
    /// So many numbers, whatever they are: all must be overwritten.
    pub(super) fn of(&mut self, n: usize) -> Vec<T> {
        let mut values = self.arrays.pop().unwrap_or_default();
        values.resize(n, T::ZERO);
        values
    }

    pub(super) fn keep(&mut self, values: Vec<T>) {
        if values.capacity() > 0 && self.arrays.len() < MOST {
            self.arrays.push(values);
        }
    }
}
