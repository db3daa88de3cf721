//! The masked tensor: time x pair x animal, holding only what was observed.

use ndarray::{Array2, Array3, ArrayView2};

use super::super::error::FactorizationError;

/// What one animal contributes: the pairs it shows, and their values over time.
#[derive(Debug, Clone)]
pub(super) struct Slab {
    /// Observed pairs, ascending: the columns of `values`.
    pub(super) pairs: Vec<u32>,
    /// `[time, column]`, row by row; 0 in a hole.
    pub(super) values: Vec<f32>,
    /// Missing entries within observed pairs: `(time, column)`, ascending.
    pub(super) holes: Vec<(u32, u32)>,
}

/// A non-negative tensor of frames x pairs x animals with missing entries.
///
/// A pair that an animal does not show at all costs neither memory nor time: its column is not stored. Single missing
/// entries (NaN on the way in) are kept as a list.
#[derive(Debug, Clone)]
pub struct MaskedTensor {
    pub(super) n_time: usize,
    pub(super) n_pairs: usize,
    pub(super) slabs: Vec<Slab>,
    pub(super) n_observed: usize,
    /// Sum of squares of the observed entries.
    pub(super) sum_of_squares: f64,
}

impl MaskedTensor {
    /// A tensor of no animals yet.
    #[must_use]
    pub fn new(n_time: usize, n_pairs: usize) -> Self {
        Self {
            n_time,
            n_pairs,
            slabs: Vec::new(),
            n_observed: 0,
            sum_of_squares: 0.0,
        }
    }

    /// The tensor of a dense array `[time, pair, animal]`; NaN marks missing entries.
    ///
    /// # Errors
    /// As [`MaskedTensor::push_animal`].
    pub fn from_dense(values: &Array3<f32>) -> Result<Self, FactorizationError> {
        let (n_time, n_pairs, n_animals) = values.dim();
        let mut tensor = Self::new(n_time, n_pairs);
        let all: Vec<usize> = (0..n_pairs).collect();
        for w in 0..n_animals {
            tensor.push_animal(&all, values.index_axis(ndarray::Axis(2), w))?;
        }
        Ok(tensor)
    }

    /// Adds an animal whose columns `values[time, column]` are the pairs at `pairs`; NaN marks missing entries. Pairs
    /// not listed, and columns that are NaN throughout, are missing in this animal.
    ///
    /// # Errors
    /// [`FactorizationError::Shape`] where rows or columns disagree with the tensor, or a pair is out of range or
    /// stands twice; [`FactorizationError::Entry`] for the first negative or infinite value.
    pub fn push_animal(
        &mut self,
        pairs: &[usize],
        values: ArrayView2<'_, f32>,
    ) -> Result<(), FactorizationError> {
        let animal = self.slabs.len();
        let shape = |expected: String, found: String| FactorizationError::Shape {
            animal,
            expected,
            found,
        };
        if values.dim() != (self.n_time, pairs.len()) {
            return Err(shape(
                format!("{} frames x {} pairs", self.n_time, pairs.len()),
                format!("{} x {}", values.nrows(), values.ncols()),
            ));
        }
        // Columns in the order of the pairs, those with nothing observed left out.
        let mut columns: Vec<(usize, usize)> = pairs.iter().copied().zip(0..).collect();
        columns.sort_unstable();
        if let Some(twice) = columns.windows(2).find(|c| c[0].0 == c[1].0) {
            return Err(shape(
                "each pair once".into(),
                format!("pair {} twice", twice[0].0),
            ));
        }
        if let Some(&(last, _)) = columns.last()
            && last >= self.n_pairs
        {
            return Err(shape(
                format!("pairs below {}", self.n_pairs),
                format!("pair {last}"),
            ));
        }
        columns.retain(|&(_, c)| values.column(c).iter().any(|v| !v.is_nan()));

        let mut slab = Slab {
            pairs: columns.iter().map(|&(p, _)| p as u32).collect(),
            values: Vec::with_capacity(self.n_time * columns.len()),
            holes: Vec::new(),
        };
        for (t, row) in values.outer_iter().enumerate() {
            let mut squares = 0.0;
            for (c, &(pair, source)) in columns.iter().enumerate() {
                let v = row[source];
                if v.is_nan() {
                    slab.holes.push((t as u32, c as u32));
                    slab.values.push(0.0);
                } else if v >= 0.0 && v.is_finite() {
                    squares += f64::from(v) * f64::from(v);
                    slab.values.push(v);
                } else {
                    return Err(FactorizationError::Entry {
                        animal,
                        pair,
                        frame: t,
                        found: v,
                    });
                }
            }
            self.sum_of_squares += squares;
        }
        self.n_observed += slab.values.len() - slab.holes.len();
        self.slabs.push(slab);
        Ok(())
    }

    /// Number of frames.
    #[must_use]
    pub fn n_time(&self) -> usize {
        self.n_time
    }

    /// Number of pairs.
    #[must_use]
    pub fn n_pairs(&self) -> usize {
        self.n_pairs
    }

    /// Number of animals.
    #[must_use]
    pub fn n_animals(&self) -> usize {
        self.slabs.len()
    }

    /// Number of observed entries.
    #[must_use]
    pub fn n_observed(&self) -> usize {
        self.n_observed
    }

    /// For each pair the number of animals that show it: 0 marks pairs whose factor is unknown.
    #[must_use]
    pub fn n_observers(&self) -> Vec<usize> {
        let mut n = vec![0; self.n_pairs];
        for slab in &self.slabs {
            for &p in &slab.pairs {
                n[p as usize] += 1;
            }
        }
        n
    }

    /// A copy with a share of the observed entries hidden, and those entries: `(animal, time, pair, value)`. Used to
    /// measure how well the rest predicts them.
    #[must_use]
    pub(super) fn hold_out(&self, share: f64, rng: &mut chiasm_core::Rng) -> (Self, Vec<Held>) {
        use rand::RngExt;
        let mut train = self.clone();
        let mut held = Vec::new();
        for (animal, slab) in train.slabs.iter_mut().enumerate() {
            let n_columns = slab.pairs.len();
            let mut was_hole = vec![false; slab.values.len()];
            for &(t, c) in &slab.holes {
                was_hole[t as usize * n_columns + c as usize] = true;
            }
            let mut holes = Vec::new();
            for (i, v) in slab.values.iter_mut().enumerate() {
                let place = ((i / n_columns) as u32, (i % n_columns) as u32);
                if was_hole[i] {
                    holes.push(place);
                } else if rng.random::<f64>() < share {
                    holes.push(place);
                    held.push(Held {
                        animal,
                        time: place.0 as usize,
                        pair: slab.pairs[place.1 as usize] as usize,
                        value: f64::from(*v),
                    });
                    train.sum_of_squares -= f64::from(*v) * f64::from(*v);
                    train.n_observed -= 1;
                    *v = 0.0;
                }
            }
            slab.holes = holes;
        }
        (train, held)
    }

    /// The values of one animal as `[time, pair]`, NaN where missing.
    #[must_use]
    pub fn animal(&self, animal: usize) -> Option<Array2<f32>> {
        let slab = self.slabs.get(animal)?;
        let mut dense = Array2::from_elem((self.n_time, self.n_pairs), f32::NAN);
        for t in 0..self.n_time {
            for (c, &p) in slab.pairs.iter().enumerate() {
                dense[[t, p as usize]] = slab.values[t * slab.pairs.len() + c];
            }
        }
        for &(t, c) in &slab.holes {
            dense[[t as usize, slab.pairs[c as usize] as usize]] = f32::NAN;
        }
        Some(dense)
    }
}

/// An entry hidden from a fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) animal: usize,
    pub(super) time: usize,
    pub(super) pair: usize,
    pub(super) value: f64,
}
