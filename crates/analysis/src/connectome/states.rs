//! Connectivity states: the field's plain method for dynamic connectivity, as a baseline. Correlations in sliding windows
//! are clustered by k-means over all animals and times; a centroid is a state, and its time course is the share of
//! animals in that state.

use chiasm_core::{Rng, SettingError, Streams, Watch};
use ndarray::Array2;
use rand::RngExt;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affinity::ConnectomeTensor;
use super::error::FactorizationError;

/// Settings of the clustering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectivityStates {
    /// Number of states.
    pub n_states: usize,
    /// Random starts (k-means++), of which the tightest is kept.
    pub starts: usize,
    /// Rounds at most.
    pub max_rounds: usize,
    /// Only every so many frames are windows of their own.
    pub stride: usize,
}

impl Default for ConnectivityStates {
    fn default() -> Self {
        Self {
            n_states: 4,
            starts: 5,
            max_rounds: 50,
            stride: 5,
        }
    }
}

/// The states.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedStates {
    /// `[state, pair]`: mean affinity of the windows in each state.
    pub centroids: Array2<f64>,
    /// `[state, window]`: share of animals in each state.
    pub share: Array2<f64>,
    /// `[state, animal]`: share of windows each animal spends in the state.
    pub animals: Array2<f64>,
    /// The frame of each window.
    pub frames: Vec<usize>,
}

impl ConnectivityStates {
    /// Clusters the frames of all animals. Pairs that an animal does not show are left out of its distances.
    ///
    /// # Errors
    /// Settings out of range; fewer windows than states; [`FactorizationError::Cancelled`].
    pub fn fit(
        &self,
        joined: &ConnectomeTensor,
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<FittedStates, FactorizationError> {
        SettingError::check(self.n_states >= 1, "n_states", "at least 1", self.n_states)?;
        SettingError::check(self.starts >= 1, "starts", "at least 1", self.starts)?;
        SettingError::check(self.stride >= 1, "stride", "at least 1", self.stride)?;
        let frames: Vec<usize> = (0..joined.time.len()).step_by(self.stride).collect();
        let n_animals = joined.n_animals();
        let mut windows: Vec<Vec<f32>> = Vec::with_capacity(frames.len() * n_animals);
        for animal in 0..n_animals {
            if let Some(values) = joined.tensor.animal(animal) {
                windows.extend(frames.iter().map(|&t| values.row(t).to_vec()));
            }
        }
        SettingError::check(
            self.n_states <= windows.len(),
            "n_states",
            "at most the number of windows",
            self.n_states,
        )?;
        watch.stage("connectivity states", self.starts as u64);
        let mut best: Option<(f64, Vec<usize>, Vec<Vec<f64>>)> = None;
        for start in 0..self.starts {
            watch.check()?;
            let mut rng = streams.indexed("states", start);
            let found = self.cluster(&windows, &mut rng);
            if best.as_ref().is_none_or(|b| found.0 < b.0) {
                best = Some(found);
            }
            watch.tick(1);
        }
        let (_, labels, centroids) = best.unwrap_or_default();
        let n_pairs = joined.pairs.len();
        let mut share = Array2::zeros((self.n_states, frames.len()));
        let mut animals = Array2::zeros((self.n_states, n_animals));
        for (i, &state) in labels.iter().enumerate() {
            share[[state, i % frames.len()]] += 1.0 / n_animals as f64;
            animals[[state, i / frames.len()]] += 1.0 / frames.len() as f64;
        }
        Ok(FittedStates {
            centroids: Array2::from_shape_fn((self.n_states, n_pairs), |(s, p)| centroids[s][p]),
            share,
            animals,
            frames,
        })
    }

    fn cluster(&self, windows: &[Vec<f32>], rng: &mut Rng) -> (f64, Vec<usize>, Vec<Vec<f64>>) {
        let as_centroid = |w: &[f32]| -> Vec<f64> { w.iter().map(|v| f64::from(*v)).collect() };
        // k-means++: each next center is drawn by its squared distance from those there are.
        let mut centroids = vec![as_centroid(&windows[rng.random_range(0..windows.len())])];
        while centroids.len() < self.n_states {
            let distances: Vec<f64> = nearest(windows, &centroids)
                .into_iter()
                .map(|n| n.1)
                .collect();
            let total: f64 = distances.iter().sum();
            let mut left = rng.random::<f64>() * total;
            let next = distances.iter().position(|d| {
                left -= d;
                left < 0.0
            });
            centroids.push(as_centroid(&windows[next.unwrap_or(windows.len() - 1)]));
        }
        let mut labels = vec![usize::MAX; windows.len()];
        let mut cost = f64::INFINITY;
        for _ in 0..self.max_rounds {
            let assigned = nearest(windows, &centroids);
            cost = assigned.iter().map(|a| a.1).sum();
            let now: Vec<usize> = assigned.iter().map(|a| a.0).collect();
            if now == labels {
                break;
            }
            labels = now;
            for (state, centroid) in centroids.iter_mut().enumerate() {
                let (mut sum, mut n) = (vec![0.0; centroid.len()], vec![0u32; centroid.len()]);
                for (w, _) in windows.iter().zip(&labels).filter(|(_, l)| **l == state) {
                    for ((s, n), v) in sum.iter_mut().zip(&mut n).zip(w) {
                        if !v.is_nan() {
                            *s += f64::from(*v);
                            *n += 1;
                        }
                    }
                }
                for ((c, s), n) in centroid.iter_mut().zip(sum).zip(n) {
                    // A pair that no window of the state shows keeps its value.
                    if n > 0 {
                        *c = s / f64::from(n);
                    }
                }
            }
        }
        // A centroid seeded by one animal lacks that animal's missing pairs.
        for c in centroids.iter_mut().flatten().filter(|c| c.is_nan()) {
            *c = 0.0;
        }
        (cost, labels, centroids)
    }
}

/// For each window its nearest centroid and the mean squared distance over the pairs both have.
fn nearest(windows: &[Vec<f32>], centroids: &[Vec<f64>]) -> Vec<(usize, f64)> {
    windows
        .par_iter()
        .map(|w| {
            let distance = |c: &Vec<f64>| {
                let (mut sum, mut n) = (0.0, 0usize);
                for (v, c) in w.iter().zip(c) {
                    let d = f64::from(*v) - c;
                    if !d.is_nan() {
                        sum += d * d;
                        n += 1;
                    }
                }
                if n > 0 { sum / n as f64 } else { f64::INFINITY }
            };
            let mut best = (0, f64::INFINITY);
            for (i, c) in centroids.iter().enumerate() {
                let d = distance(c);
                if d < best.1 {
                    best = (i, d);
                }
            }
            if best.1.is_finite() { best } else { (0, 0.0) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectome::affinity::{Affinities, tensor_of};
    use chiasm_core::{Quiet, TimeAxis};

    #[test]
    fn two_planted_states_are_found_in_both_animals() {
        let animal = |names: [&str; 3]| {
            let values = Array2::from_shape_fn((100, 3), |(t, p)| {
                let high = if t < 50 { p == 0 } else { p == 2 };
                if high {
                    1.0 + (t % 7) as f32 * 0.01
                } else {
                    0.1
                }
            });
            Affinities {
                time: TimeAxis::Regular {
                    start_s: 0.0,
                    rate_hz: 1.0,
                    len: 100,
                },
                origin_s: 0.0,
                names: names.map(String::from).to_vec(),
                pairs: vec![(0, 1), (0, 2), (1, 2)],
                values,
                dropped: vec![],
            }
        };
        let joined = tensor_of(&[animal(["A", "B", "C"]), animal(["A", "B", "C"])]).unwrap();
        let states = ConnectivityStates {
            n_states: 2,
            ..ConnectivityStates::default()
        }
        .fit(&joined, &Streams::new(0), &Quiet)
        .unwrap();
        let early = usize::from(states.share[[1, 0]] > 0.5);
        assert!(states.frames.iter().enumerate().all(|(k, &t)| {
            (states.share[[early, k]] - f64::from(u8::from(t < 50))).abs() < 1e-12
        }));
        assert!(states.centroids[[early, 0]] > 0.9 && states.centroids[[early, 2]] < 0.2);
        assert!((states.animals[[early, 0]] - 0.5).abs() < 1e-12);
    }
}
