//! Hierarchical alternating least squares on the observed entries alone: all starts of one rank sweep together, so that
//! the data are read once for all of them.

use std::collections::BTreeMap;

use chiasm_core::Rng;
use ndarray::Array2;
use rand::RngExt;
use rayon::prelude::*;

use super::holes::{Padded, fill_for_pairs, fill_for_time, loss_without};
use super::kernel::{sum_over_columns, sum_over_rows};
use super::rows::{
    add_scaled, dot, gram, hadamard, quadratic, row, row_mut, solve, solve_row, support, to_unit,
};
use super::tensor::{MaskedTensor, Slab};
use super::{Factors, Precision};

/// The three factor matrices of one start, row by row, and what it knows of them.
pub(super) struct Hals<'a> {
    tensor: &'a MaskedTensor,
    rank: usize,
    inner: usize,
    rng: Rng,
    /// `[time, component]`.
    pub(super) time: Vec<f64>,
    /// `[pair, component]`.
    pub(super) pairs: Vec<f64>,
    /// `[animal, component]`.
    pub(super) animals: Vec<f64>,
    /// The Gram matrix of all pairs.
    pairs_gram: Vec<f64>,
    /// For each animal the Gram matrix of the pairs it shows; empty where not known.
    shown_grams: Vec<Vec<f64>>,
    /// For each pair, which set of animals shows it; sets in order of appearance.
    observers_of: Vec<usize>,
    observer_sets: Vec<Vec<bool>>,
}

/// A pass over one animal's data: values, rows, columns, factors, ranks.
type Pass = fn(&[f32], usize, usize, &[&[f64]], &[usize]) -> Vec<Vec<f64>>;

/// One sweep over the three modes for every start, each as if it were alone. Returns their sums of squared residuals over
/// the observed entries.
///
/// Where a pair is missing from an animal altogether, the least squares are solved without it: its Gram matrix just
/// leaves that animal out. Single missing entries are filled with their present reconstruction, which bounds the loss
/// from above and touches it at the present point. Neither step can raise the loss.
pub(super) fn sweep(starts: &mut [&mut Hals<'_>], precision: Precision) -> Vec<f64> {
    let Some(tensor) = starts.first().map(|s| s.tensor) else {
        return vec![];
    };
    let (over_columns, over_rows): (Pass, Pass) = match precision {
        Precision::Double => (sum_over_columns::<f64>, sum_over_rows::<f64>),
        Precision::Single => (sum_over_columns::<f32>, sum_over_rows::<f32>),
    };
    let ranks: Vec<usize> = starts.iter().map(|s| s.rank).collect();
    starts
        .par_iter_mut()
        .for_each(|s| s.revive_dead_components());

    let mut targets: Vec<Vec<f64>> = ranks.iter().map(|r| vec![0.0; tensor.n_time * r]).collect();
    for (animal, slab) in tensor.slabs.iter().enumerate() {
        let shown: Vec<Vec<f64>> = starts.iter().map(|s| s.shown(animal, true)).collect();
        let views: Vec<&[f64]> = shown.iter().map(Vec::as_slice).collect();
        let sums = over_columns(
            &slab.values,
            tensor.n_time,
            slab.pairs.len(),
            &views,
            &ranks,
        );
        targets
            .par_iter_mut()
            .zip(sums)
            .zip(starts.par_iter())
            .zip(&shown)
            .for_each(|(((target, sums), start), shown)| {
                start.add_to_time_target(target, &sums, slab, shown);
            });
    }
    starts
        .par_iter_mut()
        .zip(&targets)
        .for_each(|(start, target)| start.update_time(target));

    // The second pass over the data, from which pairs and animals are both updated.
    let mut projected: Vec<Vec<Vec<f64>>> = starts.iter().map(|_| Vec::new()).collect();
    for slab in &tensor.slabs {
        let views: Vec<&[f64]> = starts.iter().map(|s| s.time.as_slice()).collect();
        let sums = over_rows(
            &slab.values,
            tensor.n_time,
            slab.pairs.len(),
            &views,
            &ranks,
        );
        for (all, sums) in projected.iter_mut().zip(sums) {
            all.push(sums);
        }
    }
    starts
        .par_iter_mut()
        .zip(projected)
        .map(|(start, projected)| {
            let projected = start.with_holes_filled(projected);
            start.update_pairs(&projected);
            let loss = start.update_animals(&projected);
            start.normalize();
            loss
        })
        .collect()
}

impl<'a> Hals<'a> {
    pub(super) fn random(
        tensor: &'a MaskedTensor,
        rank: usize,
        inner: usize,
        mut rng: Rng,
    ) -> Self {
        let mut draw = |n: usize| -> Vec<f64> { (0..n * rank).map(|_| rng.random()).collect() };
        let (time, pairs, animals) = (
            draw(tensor.n_time),
            draw(tensor.n_pairs),
            draw(tensor.n_animals()),
        );
        Self::at(tensor, rank, inner, rng, [time, pairs, animals])
    }

    /// Goes on from known factors.
    pub(super) fn resume(
        tensor: &'a MaskedTensor,
        factors: &Factors,
        inner: usize,
        rng: Rng,
    ) -> Self {
        let rows = |m: &Array2<f64>| m.iter().copied().collect();
        let modes = [&factors.time, &factors.pairs, &factors.animals].map(rows);
        Self::at(tensor, factors.rank(), inner, rng, modes)
    }

    fn at(
        tensor: &'a MaskedTensor,
        rank: usize,
        inner: usize,
        rng: Rng,
        [time, pairs, animals]: [Vec<f64>; 3],
    ) -> Self {
        let (observers_of, observer_sets) = observer_sets(tensor);
        Self {
            tensor,
            rank,
            inner,
            rng,
            time,
            pairs,
            animals,
            pairs_gram: Vec::new(),
            shown_grams: vec![Vec::new(); tensor.n_animals()],
            observers_of,
            observer_sets,
        }
    }

    /// The factors, components in descending norm of their animal weights.
    pub(super) fn into_factors(self, errors: Vec<f64>, converged: bool) -> Factors {
        let r = self.rank;
        let strength = |c: usize| {
            self.animals
                .iter()
                .skip(c)
                .step_by(r)
                .map(|w| w * w)
                .sum::<f64>()
        };
        let mut order: Vec<usize> = (0..r).collect();
        order.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)));
        let sorted =
            |m: &[f64]| Array2::from_shape_fn((m.len() / r, r), |(i, c)| m[i * r + order[c]]);
        Factors {
            time: sorted(&self.time),
            pairs: sorted(&self.pairs),
            animals: sorted(&self.animals),
            errors,
            converged,
        }
    }

    /// The factor of the pairs that `animal` shows, each row times the animal's weights if `weighted`.
    fn shown(&self, animal: usize, weighted: bool) -> Vec<f64> {
        let r = self.rank;
        let weights = row(&self.animals, r, animal);
        let mut shown = Vec::with_capacity(self.tensor.slabs[animal].pairs.len() * r);
        for &p in &self.tensor.slabs[animal].pairs {
            let pair = row(&self.pairs, r, p as usize);
            if weighted {
                shown.extend(pair.iter().zip(weights).map(|(a, w)| a * w));
            } else {
                shown.extend_from_slice(pair);
            }
        }
        shown
    }

    /// Adds what one animal says of the time factor: the data's product with its pairs, holes filled in.
    fn add_to_time_target(&self, target: &mut [f64], sums: &[f64], slab: &Slab, shown: &[f64]) {
        let r = self.rank;
        for (t, s) in target.iter_mut().zip(sums) {
            *t += s;
        }
        if !slab.holes.is_empty() {
            let (shown, time) = (self.padded(shown), self.padded(&self.time));
            fill_for_time(&slab.holes, &shown, &time, target, r);
        }
    }

    fn padded(&self, m: &[f64]) -> Padded {
        Padded::of(m.chunks_exact(self.rank), self.rank)
    }

    fn update_time(&mut self, target: &[f64]) {
        let r = self.rank;
        let mut normal = vec![0.0; r * r];
        for animal in 0..self.tensor.slabs.len() {
            if self.shown_grams[animal].is_empty() {
                self.shown_grams[animal] = self.shown_gram(animal);
            }
            let weights = row(&self.animals, r, animal);
            let shown = self.shown_grams[animal].chunks_exact(r);
            for ((normal, g), a) in normal.chunks_exact_mut(r).zip(shown).zip(weights) {
                for ((n, g), b) in normal.iter_mut().zip(g).zip(weights) {
                    *n += g * a * b;
                }
            }
        }
        solve(&mut self.time, target, r, self.inner, &vec![0.0; r], |_| {
            normal.as_slice()
        });
    }

    fn shown_gram(&self, animal: usize) -> Vec<f64> {
        if self.tensor.slabs[animal].pairs.len() == self.tensor.n_pairs {
            gram(&self.pairs, self.rank)
        } else {
            gram(&self.shown(animal, false), self.rank)
        }
    }

    fn with_holes_filled(&self, projected: Vec<Vec<f64>>) -> Vec<Projected> {
        let fill = |((animal, slab), mut sums): ((usize, &Slab), Vec<f64>)| {
            let mut fills = Vec::new();
            if !slab.holes.is_empty() {
                let shown = self.padded(&self.shown(animal, true));
                let time = self.padded(&self.time);
                fills = fill_for_pairs(&slab.holes, &shown, &time, &mut sums, self.rank);
            }
            Projected { sums, fills }
        };
        self.tensor
            .slabs
            .par_iter()
            .enumerate()
            .zip(projected)
            .map(fill)
            .collect()
    }

    fn update_pairs(&mut self, projected: &[Projected]) {
        let r = self.rank;
        let time_gram = gram(&self.time, r);
        let mut target = vec![0.0; self.tensor.n_pairs * r];
        for (animal, slab) in self.tensor.slabs.iter().enumerate() {
            let weights = row(&self.animals, r, animal);
            for (&p, z) in slab
                .pairs
                .iter()
                .zip(projected[animal].sums.chunks_exact(r))
            {
                for ((y, z), w) in row_mut(&mut target, r, p as usize)
                    .iter_mut()
                    .zip(z)
                    .zip(weights)
                {
                    *y += z * w;
                }
            }
        }
        let normal_of = |set: &Vec<bool>| {
            let mut normal = vec![0.0; r * r];
            for (weights, _) in self
                .animals
                .chunks_exact(r)
                .zip(set)
                .filter(|(_, shows)| **shows)
            {
                for (g, w) in normal.chunks_exact_mut(r).zip(weights) {
                    add_scaled(g, *w, weights);
                }
            }
            hadamard(&normal, &time_gram)
        };
        let normals: Vec<Vec<f64>> = self.observer_sets.iter().map(normal_of).collect();
        let observers_of = &self.observers_of;
        let least = support(&gram(&self.animals, r), &time_gram, r);
        solve(&mut self.pairs, &target, r, self.inner, &least, |p| {
            normals[observers_of[p]].as_slice()
        });
        let whole = gram(&self.pairs, r);
        for animal in 0..self.tensor.slabs.len() {
            self.shown_grams[animal] =
                if self.tensor.slabs[animal].pairs.len() == self.tensor.n_pairs {
                    whole.clone()
                } else {
                    self.shown_gram(animal)
                };
        }
        self.pairs_gram = whole;
    }

    /// Updates the animals' weights and returns the loss over the observed entries, without another pass over the data.
    fn update_animals(&mut self, projected: &[Projected]) -> f64 {
        let r = self.rank;
        let time_gram = gram(&self.time, r);
        let least = support(&self.pairs_gram, &time_gram, r);
        let (tensor, inner) = (self.tensor, self.inner);
        let (time, pairs, grams) = (&self.time, &self.pairs, &self.shown_grams);
        let update = |(animal, weights): (usize, &mut [f64])| -> f64 {
            let slab = &tensor.slabs[animal];
            let Projected { sums, fills } = &projected[animal];
            let mut target = vec![0.0; r];
            for (z, &p) in sums.chunks_exact(r).zip(&slab.pairs) {
                let a = row(pairs, r, p as usize);
                for ((y, z), a) in target.iter_mut().zip(z).zip(a) {
                    *y += z * a;
                }
            }
            let normal = hadamard(&grams[animal], &time_gram);
            solve_row(weights, &target, &normal, inner, &least);
            // The loss on the data with holes filled in, then the holes' share of it taken out again.
            let loss = quadratic(weights, &normal) - 2.0 * dot(weights, &target);
            if slab.holes.is_empty() {
                return loss;
            }
            let shown = slab.pairs.iter().map(|&p| row(pairs, r, p as usize));
            let weighted: Vec<f64> = time
                .chunks_exact(r)
                .flat_map(|f| f.iter().zip(weights.iter()).map(|(f, w)| f * w))
                .collect();
            let time = Padded::of(weighted.chunks_exact(r), r);
            loss + loss_without(&slab.holes, fills, &Padded::of(shown, r), &time)
        };
        let losses: Vec<f64> = self
            .animals
            .par_chunks_mut(r)
            .enumerate()
            .map(update)
            .collect();
        (tensor.sum_of_squares + losses.iter().sum::<f64>()).max(0.0)
    }

    /// Time and pair columns to unit norm, their scale into the animals.
    fn normalize(&mut self) {
        let r = self.rank;
        for c in 0..r {
            let in_pairs = to_unit(&mut self.pairs, r, c);
            let scale = to_unit(&mut self.time, r, c) * in_pairs;
            for w in self.animals.iter_mut().skip(c).step_by(r) {
                *w *= scale;
            }
            // A column of zeros has a Gram matrix of zeros, whatever its scale.
            let inverse = if in_pairs > 0.0 {
                in_pairs.recip()
            } else {
                1.0
            };
            for g in self.shown_grams.iter_mut().filter(|g| !g.is_empty()) {
                for k in 0..r {
                    g[c * r + k] *= inverse;
                    g[k * r + c] *= inverse;
                }
            }
        }
    }

    /// A component that no animal uses any more (locked at 0) starts again, where the residual points: along a
    /// random pair factor, with the animal weights that lower the loss most. So the loss cannot rise.
    fn revive_dead_components(&mut self) {
        let r = self.rank;
        let largest = |c: usize| {
            self.animals
                .iter()
                .skip(c)
                .step_by(r)
                .fold(0.0f64, |m, w| m.max(*w))
        };
        let peaks: Vec<f64> = (0..r).map(largest).collect();
        let top = peaks.iter().copied().fold(0.0f64, f64::max);
        for c in (0..r).filter(|&c| peaks[c] <= 1e-9 * top) {
            self.revive(c);
        }
    }

    fn revive(&mut self, c: usize) {
        let r = self.rank;
        for w in self.animals.iter_mut().skip(c).step_by(r) {
            *w = 0.0;
        }
        let n_pairs = self.tensor.n_pairs;
        let direction: Vec<f64> = (0..n_pairs).map(|_| self.rng.random()).collect();
        let mut residuals = Vec::with_capacity(self.tensor.slabs.len());
        let mut course = vec![0.0; self.tensor.n_time];
        for (animal, slab) in self.tensor.slabs.iter().enumerate() {
            let along: Vec<f64> = slab.pairs.iter().map(|&p| direction[p as usize]).collect();
            let (n_time, width) = (self.tensor.n_time, along.len());
            let mut residual =
                sum_over_columns::<f64>(&slab.values, n_time, width, &[&along], &[1]).remove(0);
            let shown = self.shown(animal, true);
            let mut explained = vec![0.0; r];
            for (a, d) in shown.chunks_exact(r).zip(&along) {
                add_scaled(&mut explained, *d, a);
            }
            for (y, f) in residual.iter_mut().zip(self.time.chunks_exact(r)) {
                *y -= dot(f, &explained);
            }
            for &(t, c) in &slab.holes {
                let fill = dot(row(&shown, r, c as usize), row(&self.time, r, t as usize));
                residual[t as usize] += fill * along[c as usize];
            }
            for (y, v) in course.iter_mut().zip(&residual) {
                *y += v;
            }
            residuals.push((residual, dot(&along, &along)));
        }
        course.iter_mut().for_each(|v| *v = v.max(0.0));
        let power = dot(&course, &course);
        for (animal, (residual, norm)) in residuals.iter().enumerate() {
            // With nothing left to explain, the component stays at rest.
            if power * norm > 0.0 {
                self.animals[animal * r + c] = (dot(residual, &course) / (power * norm)).max(0.0);
            }
        }
        for (f, v) in self.time.iter_mut().skip(c).step_by(r).zip(&course) {
            *f = *v;
        }
        for (a, v) in self.pairs.iter_mut().skip(c).step_by(r).zip(&direction) {
            *a = *v;
        }
        self.shown_grams.iter_mut().for_each(Vec::clear);
        self.normalize();
    }
}

/// What one animal's data say along the present time courses.
struct Projected {
    /// `sum_t x[t, p] time[t, r]`, `[shown pair, component]`, holes filled in.
    sums: Vec<f64>,
    /// The fill of each hole.
    fills: Vec<f64>,
}

/// For each pair the position of its set of observing animals in the list of distinct sets.
fn observer_sets(tensor: &MaskedTensor) -> (Vec<usize>, Vec<Vec<bool>>) {
    let mut shows = vec![vec![false; tensor.n_animals()]; tensor.n_pairs];
    for (animal, slab) in tensor.slabs.iter().enumerate() {
        for &p in &slab.pairs {
            shows[p as usize][animal] = true;
        }
    }
    let mut position = BTreeMap::new();
    let mut sets = Vec::new();
    let of = shows
        .into_iter()
        .map(|set| {
            *position.entry(set.clone()).or_insert_with(|| {
                sets.push(set);
                sets.len() - 1
            })
        })
        .collect();
    (of, sets)
}
