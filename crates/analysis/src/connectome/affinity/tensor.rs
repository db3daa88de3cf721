//! Affinities of several animals, matched by the names of their units, as one tensor.

use std::collections::BTreeMap;

use chiasm_core::{Diagnose, Group, TimeAxis, stats};
use ndarray::{Axis, s};

use super::super::factorization::{FactorizationError, MaskedTensor};
use super::{Affinities, ClockTraces};

/// The affinities of one or more animals on one clock and over one list of pairs.
#[derive(Debug, Clone)]
pub struct ConnectomeTensor {
    /// The frames that all animals share.
    pub time: TimeAxis,
    /// For each animal, time 0 of `time` on its recording's own clock, s.
    pub origins_s: Vec<f64>,
    /// Names of the units of all animals, in order of first appearance.
    pub names: Vec<String>,
    /// The pairs that at least one animal shows, `(i, j)` with `i < j` into `names`.
    pub pairs: Vec<(usize, usize)>,
    /// Pairs of units that no animal shows together: nothing can be said of them, and they are not in `pairs`.
    pub unseen: Vec<(usize, usize)>,
    /// Time x pair x animal.
    pub tensor: MaskedTensor,
}

/// Affinities that do not fit together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// No animal at all.
    #[error("expected the affinities of at least one animal, found none")]
    NoAnimal,
    /// Two animals on clocks of different steps.
    #[error(
        "animal {animal}: expected affinities every {expected_s} s as in the first animal, found every {found_s} s"
    )]
    Clock {
        /// Animal, from 0.
        animal: usize,
        /// Step of the first animal's clock, s.
        expected_s: f64,
        /// Step of this one's, s.
        found_s: f64,
    },
    /// Animals whose times do not overlap.
    #[error("animal {animal}: its times do not overlap those of the others")]
    NoOverlap {
        /// Animal, from 0.
        animal: usize,
    },
    /// The values are no affinities.
    #[error(transparent)]
    Values(#[from] FactorizationError),
}

impl Diagnose for TensorError {
    fn group(&self) -> Group {
        match self {
            Self::Values(e) => e.group(),
            _ => Group::Input,
        }
    }
    fn help(&self) -> Option<String> {
        match self {
            Self::Clock { .. } => Some("make all affinities with one clock_s".into()),
            Self::NoOverlap { .. } => {
                Some("align the animals on a common epoch with align_on".into())
            }
            _ => None,
        }
    }
}

/// Puts the affinities of several animals together: units are matched by name, frames cut to those all animals have,
/// and pairs that an animal does not show are missing in it.
///
/// # Errors
/// [`TensorError`] where there is no animal, clocks differ, times do not overlap, or a value is negative or infinite.
pub fn tensor_of(animals: &[Affinities]) -> Result<ConnectomeTensor, TensorError> {
    let first = animals.first().ok_or(TensorError::NoAnimal)?;
    let step = |a: &Affinities| a.time.median_step_s().unwrap_or(f64::NAN);
    let clock_s = step(first);
    // Frames as whole numbers of steps from time 0.
    let mut shared = i64::MIN..i64::MAX;
    for (animal, a) in animals.iter().enumerate() {
        let found_s = step(a);
        if (found_s - clock_s).abs() > 1e-9 * clock_s {
            return Err(TensorError::Clock {
                animal,
                expected_s: clock_s,
                found_s,
            });
        }
        let from = (a.time.at(0) / clock_s).round() as i64;
        shared = shared.start.max(from)..shared.end.min(from + a.time.len() as i64);
        if shared.is_empty() {
            return Err(TensorError::NoOverlap { animal });
        }
    }

    let mut position = BTreeMap::new();
    let mut names: Vec<String> = Vec::new();
    for name in animals.iter().flat_map(|a| &a.names) {
        position.entry(name.as_str()).or_insert_with(|| {
            names.push(name.clone());
            names.len() - 1
        });
    }
    // The pair of each animal's column, in the common list of units.
    let columns: Vec<Vec<(usize, usize)>> = animals
        .iter()
        .map(|a| {
            let unit: Vec<usize> = a.names.iter().map(|n| position[n.as_str()]).collect();
            a.pairs
                .iter()
                .map(|&(i, j)| (unit[i].min(unit[j]), unit[i].max(unit[j])))
                .collect()
        })
        .collect();
    let mut index: BTreeMap<(usize, usize), usize> =
        columns.iter().flatten().map(|&pair| (pair, 0)).collect();
    for (i, slot) in index.values_mut().enumerate() {
        *slot = i;
    }
    let n_frames = (shared.end - shared.start) as usize;
    let mut tensor = MaskedTensor::new(n_frames, index.len());
    for (a, columns) in animals.iter().zip(&columns) {
        let skip = (shared.start - (a.time.at(0) / clock_s).round() as i64) as usize;
        let pairs: Vec<usize> = columns.iter().map(|pair| index[pair]).collect();
        tensor.push_animal(&pairs, a.values.slice(s![skip..skip + n_frames, ..]))?;
    }
    // A pair whose every value is missing in every animal is as unseen as one that no animal lists.
    let observers = tensor.n_observers();
    let pairs: Vec<(usize, usize)> = index.keys().copied().collect();
    let unseen = (0..names.len())
        .flat_map(|i| (i + 1..names.len()).map(move |j| (i, j)))
        .filter(|pair| index.get(pair).is_none_or(|&p| observers[p] == 0))
        .collect();
    Ok(ConnectomeTensor {
        time: TimeAxis::Regular {
            start_s: shared.start as f64 * clock_s,
            rate_hz: 1.0 / clock_s,
            len: n_frames,
        },
        origins_s: animals.iter().map(|a| a.origin_s).collect(),
        names,
        pairs,
        unseen,
        tensor,
    })
}

impl ConnectomeTensor {
    /// The step of the clock, s.
    #[must_use]
    pub fn clock_s(&self) -> f64 {
        self.time.median_step_s().unwrap_or(f64::NAN)
    }

    /// A symmetric `[unit, unit]` matrix of one value for each pair, such as a pair factor; NaN on the diagonal and for
    /// pairs never seen.
    #[must_use]
    pub fn matrix(&self, values: ndarray::ArrayView1<'_, f64>) -> ndarray::Array2<f64> {
        let n = self.names.len();
        let observers = self.tensor.n_observers();
        let mut m = ndarray::Array2::from_elem((n, n), f64::NAN);
        for (p, &(i, j)) in self.pairs.iter().enumerate() {
            if observers[p] > 0 {
                m[[i, j]] = values[p];
                m[[j, i]] = values[p];
            }
        }
        m
    }

    /// The frames' times on the clock of an animal's recording, s.
    #[must_use]
    pub fn times_of(&self, animal: usize) -> Vec<f64> {
        let origin = self.origins_s.get(animal).copied().unwrap_or(0.0);
        self.time.to_vec().into_iter().map(|t| origin + t).collect()
    }

    /// Number of animals.
    #[must_use]
    pub fn n_animals(&self) -> usize {
        self.tensor.n_animals()
    }

    /// The field's plain picture, as a baseline: for each pair the absolute Pearson correlation of the two traces over
    /// the whole recording, averaged over the animals that show both; NaN where none does. `traces` are those of the
    /// animals, in their order.
    #[must_use]
    pub fn static_correlation(&self, traces: &[ClockTraces]) -> Vec<f64> {
        let index: BTreeMap<(usize, usize), usize> = self
            .pairs
            .iter()
            .enumerate()
            .map(|(p, &pair)| (pair, p))
            .collect();
        let (mut sum, mut n) = (vec![0.0; self.pairs.len()], vec![0usize; self.pairs.len()]);
        for animal in traces {
            let unit: Vec<Option<usize>> = animal
                .names
                .iter()
                .map(|name| self.names.iter().position(|n| n == name))
                .collect();
            let rows: Vec<Vec<f64>> = animal.values.outer_iter().map(|r| r.to_vec()).collect();
            for i in 0..rows.len() {
                for j in i + 1..rows.len() {
                    let (Some(a), Some(b)) = (unit[i], unit[j]) else {
                        continue;
                    };
                    let r = stats::pearson(&rows[i], &rows[j]).abs();
                    if let Some(&p) = index.get(&(a.min(b), a.max(b)))
                        && r.is_finite()
                    {
                        sum[p] += r;
                        n[p] += 1;
                    }
                }
            }
        }
        sum.iter().zip(n).map(|(s, n)| s / n as f64).collect()
    }

    /// Mean over observed frames and animals of each pair's affinity; NaN for pairs never seen.
    #[must_use]
    pub fn mean_affinity(&self) -> Vec<f64> {
        let (mut sum, mut n) = (vec![0.0; self.pairs.len()], vec![0usize; self.pairs.len()]);
        for w in 0..self.n_animals() {
            let Some(animal) = self.tensor.animal(w) else {
                continue;
            };
            for row in animal.axis_iter(Axis(0)) {
                for (p, v) in row.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
                    sum[p] += f64::from(*v);
                    n[p] += 1;
                }
            }
        }
        sum.iter().zip(n).map(|(s, n)| s / n as f64).collect()
    }
}
