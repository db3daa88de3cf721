//! Identification accuracy over all thresholds: where in the (l, u) triangle a representation is told best.

use chiasm_core::{Rng, Watch, stats};
use chiasm_data::Rdms;
use rayon::prelude::*;

use super::identify::{Groups, nearest_centroids};
use super::transform::{Thresholds, clip, rank_minmax};
use super::{Family, RsaError};

/// Ranks of many RDMs, ready for any thresholds: the sorting is done once.
pub struct Ranked {
    rows: Vec<Vec<f64>>,
    sorted: Vec<Vec<f64>>,
}

impl Ranked {
    /// Ranks every RDM.
    ///
    /// # Errors
    /// [`RsaError::Constant`] naming the RDM.
    pub fn new(rdms: &Rdms) -> Result<Self, RsaError> {
        let rows: Vec<Vec<f64>> = (0..rdms.len())
            .into_par_iter()
            .map(|i| {
                let row = rdms.vector(i).to_vec();
                rank_minmax(&row).map_err(|e| e.of_rdm(&rdms.labels()[i].name))
            })
            .collect::<Result<_, _>>()?;
        let sorted = rows
            .par_iter()
            .map(|row| {
                let mut sorted = row.clone();
                sorted.sort_by(f64::total_cmp);
                sorted
            })
            .collect();
        Ok(Self { rows, sorted })
    }

    /// The geo-topological transform of every RDM.
    #[must_use]
    pub fn transformed(&self, thresholds: Thresholds) -> Vec<Vec<f64>> {
        let both = self.rows.iter().zip(&self.sorted);
        both.map(|(row, sorted)| {
            let a = stats::quantile_sorted(sorted, thresholds.l());
            let b = stats::quantile_sorted(sorted, thresholds.u());
            let mut out = row.clone();
            clip(&mut out, a, b);
            out
        })
        .collect()
    }

    /// How many RDMs are given their own region at these thresholds.
    #[must_use]
    pub fn n_right(&self, thresholds: Thresholds, groups: &Groups) -> usize {
        let vectors = self.transformed(thresholds);
        let rows: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
        let predicted = nearest_centroids(&rows, groups, &vec![1.0; groups.subjects.len()], None);
        predicted
            .iter()
            .zip(&groups.region)
            .filter(|(p, r)| p == r)
            .count()
    }
}

/// One cell of the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapCell {
    /// The thresholds.
    pub thresholds: Thresholds,
    /// Accuracy there.
    pub accuracy: f64,
}

/// Accuracy over a grid of thresholds.
#[derive(Debug, Clone, PartialEq)]
pub struct AccuracyMap {
    /// All cells, by l, then from the largest u down.
    pub cells: Vec<MapCell>,
}

impl AccuracyMap {
    /// The cell of the highest accuracy; of equals, the first.
    #[must_use]
    pub fn best(&self) -> MapCell {
        let first = self.cells[0];
        self.cells.iter().fold(
            first,
            |best, c| if c.accuracy > best.accuracy { *c } else { best },
        )
    }

    /// Mean accuracy of the cells of a family; NaN where it has none.
    #[must_use]
    pub fn family_mean(&self, family: Family) -> f64 {
        let own = self
            .cells
            .iter()
            .filter(|c| Family::of(c.thresholds) == family);
        stats::mean(&own.map(|c| c.accuracy).collect::<Vec<_>>())
    }

    /// Mean accuracy over all cells.
    #[must_use]
    pub fn mean(&self) -> f64 {
        stats::mean(&self.cells.iter().map(|c| c.accuracy).collect::<Vec<_>>())
    }
}

/// The grid of the released code: l from 0 in steps below 1, u from 1 down to l, without the corners l + u <= 0.01 and
/// >= 1.99. The cells l = u (steps) are left out unless `diagonal`.
///
/// # Errors
/// [`RsaError::Parameter`] for a step that is not in (0, 0.5].
pub fn grid(step: f64, diagonal: bool) -> Result<Vec<Thresholds>, RsaError> {
    if !(step > 0.0 && step <= 0.5) {
        return Err(RsaError::Parameter {
            name: "step",
            expected: "a step above 0 and at most 0.5",
            found: step,
        });
    }
    let n = (1.0 / step + 1e-9).floor() as usize;
    let at = |i: usize| (i as f64 * step).min(1.0);
    let mut cells = Vec::new();
    for i in 0..n {
        for j in (i..=n).rev() {
            let sum = at(i) + at(j);
            if sum <= 0.01 || sum >= 1.99 {
                continue;
            }
            if i < j {
                cells.push(Thresholds::new(at(i), at(j))?);
            } else if diagonal {
                cells.push(Thresholds::step(at(i))?);
            }
        }
    }
    Ok(cells)
}

/// Identification accuracy at each of these thresholds. Parallel over thresholds.
///
/// # Errors
/// Those of [`Groups::new`] and [`Ranked::new`]; [`RsaError::Cancelled`].
pub fn accuracy_map(
    rdms: &Rdms,
    thresholds: &[Thresholds],
    watch: &dyn Watch,
) -> Result<AccuracyMap, RsaError> {
    let groups = Groups::new(rdms.labels())?;
    let ranked = Ranked::new(rdms)?;
    watch.stage("accuracy over (l, u)", thresholds.len() as u64);
    let cells = thresholds
        .par_iter()
        .map(|&thresholds| {
            watch.check()?;
            let right = ranked.n_right(thresholds, &groups);
            watch.tick(1);
            let accuracy = right as f64 / rdms.len() as f64;
            Ok(MapCell {
                thresholds,
                accuracy,
            })
        })
        .collect::<Result<_, RsaError>>()?;
    Ok(AccuracyMap { cells })
}

/// `n` thresholds of each family, in the order of [`Family::ALL`] (released code: 10).
pub fn draw_families(n: usize, rng: &mut Rng) -> Vec<(Family, Vec<Thresholds>)> {
    let mut draw = |family: Family| (0..n).map(|_| family.draw(rng)).collect();
    Family::ALL.map(|family| (family, draw(family))).to_vec()
}
