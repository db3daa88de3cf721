//! k-means: points into the groups with the least sum of squared distances to their means.
//!
//! Starts are seeded by k-means++ (Arthur and Vassilvitskii 2007) and improved by Lloyd's rounds; of several starts the
//! tightest is kept. Each start draws from a stream of its own, so the result has the same bits on any number of threads.
//!
//! ```
//! use chiasm_analysis::kmeans::KMeans;
//! use chiasm_core::{Quiet, Streams};
//! let points = ndarray::arr2(&[[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.1, 5.0]]);
//! let found = KMeans { n_clusters: 2, ..KMeans::default() }.fit(points.view(), &Streams::new(1), &Quiet)?;
//! assert_eq!(found.labels[0], found.labels[1]);
//! assert_ne!(found.labels[0], found.labels[2]);
//! # Ok::<(), chiasm_analysis::kmeans::KMeansError>(())
//! ```

use chiasm_core::{Diagnose, Group, Rng, SettingError, Streams, Watch};
use ndarray::{Array2, ArrayView2};
use rand::RngExt;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Points or settings that k-means cannot work with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KMeansError {
    /// A setting is out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// There are no points, or they have no coordinates.
    #[error(
        "points: expected at least one point and one coordinate, found {points} x {coordinates}"
    )]
    Empty {
        /// How many points.
        points: usize,
        /// How many coordinates each.
        coordinates: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("point {point}, coordinate {coordinate}: expected a finite value, found {found}")]
    NotFinite {
        /// The point, from 0.
        point: usize,
        /// The coordinate, from 0.
        coordinate: usize,
        /// The value.
        found: f64,
    },
    /// Fewer points differ than there are to be groups.
    #[error("points: expected at least {expected} that differ, one for each group, found {found}")]
    TooFewDistinct {
        /// Groups asked for.
        expected: usize,
        /// Points that differ.
        found: usize,
    },
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] chiasm_core::Cancelled),
}

impl Diagnose for KMeansError {
    fn group(&self) -> Group {
        match self {
            Self::Cancelled(_) => Group::Cancelled,
            _ => Group::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::TooFewDistinct { .. } => Some("ask for fewer groups".into()),
            _ => None,
        }
    }
}

/// Settings of k-means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KMeans {
    /// Number of groups.
    pub n_clusters: usize,
    /// Random starts, of which the tightest is kept.
    pub n_starts: usize,
    /// Rounds of each start at most.
    pub max_rounds: usize,
}

impl Default for KMeans {
    fn default() -> Self {
        Self {
            n_clusters: 2,
            n_starts: 10,
            max_rounds: 300,
        }
    }
}

/// The groups.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansFit {
    /// The group of each point.
    pub labels: Vec<usize>,
    /// `[group, coordinate]`: means.
    pub centers: Array2<f64>,
    /// Sum of squared distances of the points from the means of their groups.
    pub inertia: f64,
    /// Rounds of the start that was kept.
    pub n_rounds: usize,
    /// Whether that start ended because nothing changed, not because its rounds were used up.
    pub converged: bool,
}

impl KMeans {
    /// Groups the rows of `points`, `[point, coordinate]`.
    ///
    /// # Errors
    /// Settings out of range; no points; a value that is not finite; fewer distinct points than groups; cancellation.
    pub fn fit(
        &self,
        points: ArrayView2<f64>,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<KMeansFit, KMeansError> {
        self.check(points)?;
        watch.stage("k-means", self.n_starts as u64);
        let points = points.as_standard_layout();
        let (n, d) = points.dim();
        let rows: Vec<&[f64]> = match points.as_slice() {
            Some(all) => all.chunks_exact(d).collect(),
            None => {
                return Err(KMeansError::Empty {
                    points: n,
                    coordinates: d,
                });
            }
        };
        let starts: Vec<KMeansFit> = (0..self.n_starts)
            .into_par_iter()
            .map(|start| {
                watch.check()?;
                let found = self.start(&rows, &mut streams.indexed("k-means", start));
                watch.tick(1);
                Ok(found)
            })
            .collect::<Result<_, KMeansError>>()?;
        // In the order of the starts, so that of equals the first wins on any number of threads.
        let best = starts.into_iter().reduce(|best, next| {
            if next.inertia < best.inertia {
                next
            } else {
                best
            }
        });
        best.ok_or(KMeansError::Empty {
            points: n,
            coordinates: d,
        })
    }

    fn check(&self, points: ArrayView2<f64>) -> Result<(), KMeansError> {
        let k = self.n_clusters;
        SettingError::check(k >= 1, "n_clusters", "at least 1", k)?;
        SettingError::check(self.n_starts >= 1, "n_starts", "at least 1", self.n_starts)?;
        let rounds = self.max_rounds;
        SettingError::check(rounds >= 1, "max_rounds", "at least 1", rounds)?;
        let (n, d) = points.dim();
        if n == 0 || d == 0 {
            return Err(KMeansError::Empty {
                points: n,
                coordinates: d,
            });
        }
        if let Some(((point, coordinate), &found)) =
            points.indexed_iter().find(|(_, v)| !v.is_finite())
        {
            return Err(KMeansError::NotFinite {
                point,
                coordinate,
                found,
            });
        }
        let mut distinct: Vec<usize> = Vec::new();
        for i in 0..n {
            if distinct.len() >= k {
                break;
            }
            if distinct.iter().all(|&j| points.row(i) != points.row(j)) {
                distinct.push(i);
            }
        }
        if distinct.len() < k {
            return Err(KMeansError::TooFewDistinct {
                expected: k,
                found: distinct.len(),
            });
        }
        Ok(())
    }

    fn start(&self, rows: &[&[f64]], rng: &mut Rng) -> KMeansFit {
        let (n, d, k) = (rows.len(), rows[0].len(), self.n_clusters);
        let mut centers = plus_plus(rows, k, rng);
        let mut labels = vec![usize::MAX; n];
        let mut distances = vec![0.0; n];
        let (mut sums, mut sizes) = (vec![0.0; k * d], vec![0usize; k]);
        let (mut n_rounds, mut converged) = (0, false);
        while n_rounds < self.max_rounds && !converged {
            n_rounds += 1;
            converged = !assign(rows, &centers, &mut labels, &mut distances);
            sums.fill(0.0);
            sizes.fill(0);
            for (row, &label) in rows.iter().zip(&labels) {
                sizes[label] += 1;
                for (s, v) in sums[label * d..].iter_mut().zip(*row) {
                    *s += v;
                }
            }
            for c in 0..k {
                let center = &mut centers[c * d..(c + 1) * d];
                if sizes[c] > 0 {
                    let size = sizes[c] as f64;
                    center
                        .iter_mut()
                        .zip(&sums[c * d..])
                        .for_each(|(m, s)| *m = s / size);
                } else {
                    // A group that lost all its points starts anew at the one that is worst served.
                    let far = argmax(&distances);
                    center.copy_from_slice(rows[far]);
                    distances[far] = 0.0;
                    converged = false;
                }
            }
        }
        if !converged {
            assign(rows, &centers, &mut labels, &mut distances);
        }
        KMeansFit {
            inertia: distances.iter().sum(),
            centers: Array2::from_shape_fn((k, d), |(c, j)| centers[c * d + j]),
            labels,
            n_rounds,
            converged,
        }
    }
}

/// Centers drawn one after the other, each point with a chance in proportion to its squared distance from the nearest
/// center there is.
fn plus_plus(rows: &[&[f64]], k: usize, rng: &mut Rng) -> Vec<f64> {
    let mut centers = rows[rng.random_range(0..rows.len())].to_vec();
    let mut nearest = vec![f64::INFINITY; rows.len()];
    for _ in 1..k {
        let last = centers[centers.len() - rows[0].len()..].to_vec();
        for (near, row) in nearest.iter_mut().zip(rows) {
            *near = near.min(squared(row, &last));
        }
        let mut left = rng.random::<f64>() * nearest.iter().sum::<f64>();
        let drawn = nearest.iter().position(|d| {
            left -= d;
            left < 0.0
        });
        // Rounding can leave a rest after the last point.
        let next = drawn.unwrap_or_else(|| argmax(&nearest));
        centers.extend_from_slice(rows[next]);
    }
    centers
}

/// Gives each point its nearest center (of equals the first); whether any label changed.
fn assign(rows: &[&[f64]], centers: &[f64], labels: &mut [usize], distances: &mut [f64]) -> bool {
    let d = rows[0].len();
    let mut changed = false;
    for ((row, label), distance) in rows.iter().zip(labels).zip(distances) {
        let (mut best, mut least) = (0, f64::INFINITY);
        for (c, center) in centers.chunks_exact(d).enumerate() {
            let found = squared(row, center);
            if found < least {
                (best, least) = (c, found);
            }
        }
        changed |= *label != best;
        (*label, *distance) = (best, least);
    }
    changed
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn argmax(x: &[f64]) -> usize {
    let mut best = 0;
    for (i, v) in x.iter().enumerate() {
        if *v > x[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::adjusted_rand;
    use chiasm_core::Quiet;
    use proptest::prelude::*;
    use rand_distr::{Distribution, StandardNormal};

    fn fit(points: &Array2<f64>, k: usize, seed: u64) -> Result<KMeansFit, KMeansError> {
        let method = KMeans {
            n_clusters: k,
            ..KMeans::default()
        };
        method.fit(points.view(), &Streams::new(seed), &Quiet)
    }

    #[test]
    fn a_line_by_hand() {
        // Groups {0, 1} and {10, 11, 12}: means 0.5 and 11, inertia 0.5 + 2.
        let points = Array2::from_shape_vec((5, 1), vec![0.0, 1.0, 10.0, 11.0, 12.0]).unwrap();
        let found = fit(&points, 2, 3).unwrap();
        assert!((found.inertia - 2.5).abs() < 1e-12 && found.converged);
        let mut centers = found.centers.into_raw_vec_and_offset().0;
        centers.sort_by(f64::total_cmp);
        assert_eq!(centers, [0.5, 11.0]);
    }

    #[test]
    fn planted_groups_are_found_on_any_number_of_threads() {
        let mut rng = Streams::new(5).stream("points");
        let truth: Vec<usize> = (0..300).map(|i| i % 4).collect();
        let points = Array2::from_shape_fn((300, 3), |(i, j)| {
            let noise: f64 = StandardNormal.sample(&mut rng);
            if j == i % 4 { 8.0 + noise } else { noise }
        });
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| fit(&points, 4, 1).unwrap())
        };
        assert_eq!(on(1), on(3));
        assert!(adjusted_rand(&truth, &on(2).labels).unwrap() > 0.99);
    }

    #[test]
    fn bad_points_are_refused_by_place() {
        let refused = |points: &Array2<f64>, k| fit(points, k, 0).unwrap_err().to_string();
        assert!(refused(&Array2::zeros((0, 2)), 1).contains("0 x 2"));
        assert!(refused(&Array2::zeros((4, 2)), 2).contains("found 1"));
        let mut holed = Array2::from_shape_fn((4, 2), |(i, j)| (i + j) as f64);
        holed[[2, 1]] = f64::NAN;
        assert!(refused(&holed, 2).contains("point 2, coordinate 1"));
        assert!(refused(&Array2::zeros((4, 2)), 0).contains("`n_clusters`"));
    }

    proptest! {
        #[test]
        fn no_point_is_nearer_to_another_center(
            values in prop::collection::vec(-100i32..100, 24..80), k in 1usize..4, seed in 0u64..50
        ) {
            let n = values.len() / 2;
            let points = Array2::from_shape_fn((n, 2), |(i, j)| f64::from(values[2 * i + j]));
            let Ok(found) = fit(&points, k, seed) else { return Ok(()) };
            let mut inertia = 0.0;
            for (row, &label) in points.rows().into_iter().zip(&found.labels) {
                let to = |c: usize| {
                    found.centers.row(c).iter().zip(row).map(|(a, b)| (a - b).powi(2)).sum::<f64>()
                };
                prop_assert!((0..k).all(|c| to(c) >= to(label) - 1e-9));
                inertia += to(label);
            }
            prop_assert!((inertia - found.inertia).abs() <= 1e-9 * (1.0 + inertia));
        }
    }
}
