//! Spike counts of clusters of neurons whose shared latent paths switch between two linear dynamics: rest and rotation.

use chiasm_core::{Rng, SettingError, Streams, TimeAxis};
use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, Gamma, Poisson, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::recording::{Activity, Draft, Epoch, Missing, Recording, Traces};
use crate::{DataError, Session};

/// What [`clustered_counts`] plants. The defaults are those of the released simulation of Wei 2023 (arXiv:2309.02213).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClusteredCounts {
    /// Clusters of neurons.
    pub n_clusters: usize,
    /// Neurons of each cluster.
    pub cluster_size: usize,
    /// Bins kept; as many come before them and are thrown away.
    pub n_bins: usize,
    /// Width of a bin, s.
    pub bin_s: f64,
    /// Latents of each cluster beside its mean path.
    pub latents: usize,
    /// Standard deviation of the neurons' offsets and loadings.
    pub loading_sd: f64,
    /// Variance of the noise of the paths.
    pub noise_variance: f64,
    /// Factor on the paths from bin to bin in the resting state.
    pub rest: f64,
    /// Factor on the paths from bin to bin in the rotating state; above 1 they grow.
    pub growth: f64,
    /// Angle of the rotation from bin to bin, rad.
    pub angle: f64,
    /// Mean time in a state, in bins, has a gamma distribution of this shape ...
    pub dwell_shape: f64,
    /// ... and this rate; each stay is one more than a Poisson number of that mean.
    pub dwell_rate: f64,
    /// Dispersion of the counts (variance = mean + mean^2 / dispersion); Poisson counts if not given.
    pub dispersion: Option<f64>,
}

impl Default for ClusteredCounts {
    fn default() -> Self {
        Self {
            n_clusters: 3,
            cluster_size: 10,
            n_bins: 500,
            bin_s: 0.5,
            latents: 2,
            loading_sd: 0.5,
            noise_variance: 0.01,
            rest: 0.01,
            growth: 1.01,
            angle: std::f64::consts::PI / 20.0,
            dwell_shape: 100.0,
            dwell_rate: 2.0,
            dispersion: Some(10.0),
        }
    }
}

/// What [`clustered_counts`] planted.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusteredTruth {
    /// The cluster of each neuron.
    pub clusters: Vec<usize>,
    /// The state of each bin, 0 at rest and 1 in rotation; it governs the step from the bin before.
    pub states: Vec<usize>,
    /// Offset of each neuron's log rate.
    pub offsets: Vec<f64>,
    /// `[neuron, latent]`.
    pub loadings: Array2<f64>,
    /// `[bin, cluster and row]`: for each cluster its mean path and then its latents, as generated: neither centered nor
    /// orthogonal.
    pub paths: Array2<f64>,
}

impl ClusteredTruth {
    /// Log rate of a neuron in a bin.
    #[must_use]
    pub fn log_rate(&self, neuron: usize, bin: usize) -> f64 {
        let rows = self.loadings.ncols() + 1;
        let at = self.clusters[neuron] * rows;
        let path = self.paths.row(bin);
        let along: f64 = (1..rows)
            .map(|r| self.loadings[[neuron, r - 1]] * path[at + r])
            .sum();
        self.offsets[neuron] + path[at] + along
    }
}

impl ClusteredCounts {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let sizes = [
            ("n_clusters", self.n_clusters, 1, 1000),
            ("cluster_size", self.cluster_size, 1, 100_000),
            ("n_bins", self.n_bins, 3, 10_000_000),
            ("latents", self.latents, 1, 50),
        ];
        for (field, v, low, high) in sizes {
            SettingError::check(
                (low..=high).contains(&v),
                field,
                &format!("{low} to {high}"),
                v,
            )?;
        }
        let above = [
            ("bin_s", self.bin_s),
            ("dwell_shape", self.dwell_shape),
            ("dwell_rate", self.dwell_rate),
            ("dispersion", self.dispersion.unwrap_or(1.0)),
        ];
        for (field, v) in above {
            SettingError::check(v > 0.0 && v.is_finite(), field, "a finite value above 0", v)?;
        }
        let not_below = [
            ("loading_sd", self.loading_sd),
            ("noise_variance", self.noise_variance),
        ];
        for (field, v) in not_below {
            SettingError::check(
                v >= 0.0 && v.is_finite(),
                field,
                "a finite value of 0 or more",
                v,
            )?;
        }
        // A path that grows faster leaves the range of numbers within a stay or two.
        for (field, v) in [("rest", self.rest), ("growth", self.growth)] {
            SettingError::check(v.abs() <= 1.05, field, "-1.05 to 1.05", v)?;
        }
        SettingError::check(
            self.angle.is_finite(),
            "angle",
            "a finite angle",
            self.angle,
        )?;
        let cells = self.n_clusters as f64 * self.cluster_size as f64 * self.n_bins as f64;
        SettingError::check(
            cells <= 1e9,
            "n_bins",
            "at most 1e9 counts in all",
            format!("{cells:.1e}"),
        )
    }
}

/// Log rates beyond this are held there: long stays in a growing rotation would overflow.
const MAX_LOG_RATE: f64 = 30.0;

/// Spike counts with planted clusters of neurons and planted states of the bins.
///
/// The paths of each cluster (a mean path and `latents` more) step by x_t = A x_{t-1} + noise; at rest A is `rest` times the
/// identity, else `growth` times a rotation of two axes in a frame of the cluster's own. The recording holds counts as
/// sampled values, each neuron's cluster as its region and each stay as an epoch of the kind `state`.
///
/// # Errors
/// [`DataError::Setting`] for a setting out of its range.
///
/// ```
/// use chiasm_data::generate::{ClusteredCounts, clustered_counts};
/// let (recording, truth) = clustered_counts(&ClusteredCounts::default(), &chiasm_core::Streams::new(1))?;
/// assert_eq!((recording.n_units(), truth.states.len()), (30, 500));
/// # Ok::<(), chiasm_data::DataError>(())
/// ```
pub fn clustered_counts(
    config: &ClusteredCounts,
    streams: &Streams,
) -> Result<(Recording, ClusteredTruth), DataError> {
    config.validate()?;
    let streams = streams.child("clustered_counts");
    let n = config.n_clusters * config.cluster_size;
    let clusters: Vec<usize> = (0..n).map(|i| i / config.cluster_size).collect();
    let mut rng = streams.stream("loadings");
    let mut scaled = || -> f64 {
        let e: f64 = StandardNormal.sample(&mut rng);
        config.loading_sd * e
    };
    let offsets: Vec<f64> = (0..n).map(|_| scaled()).collect();
    let loadings = Array2::from_shape_simple_fn((n, config.latents), &mut scaled);
    let states = stays(config, &mut streams.stream("states"));
    let paths = paths(config, &states, &streams);
    let kept = config.n_bins;
    let truth = ClusteredTruth {
        clusters,
        states: states[kept..].to_vec(),
        offsets,
        loadings,
        paths,
    };
    let mut values = Array2::<f32>::zeros((kept, n));
    for i in 0..n {
        let mut rng = streams.indexed("counts", i);
        for t in 0..kept {
            let rate = truth
                .log_rate(i, t)
                .clamp(-MAX_LOG_RATE, MAX_LOG_RATE)
                .exp();
            values[[t, i]] = count(rate, config.dispersion, &mut rng) as f32;
        }
    }
    let mut draft = Draft::new(Activity::Traces(Traces {
        time: TimeAxis::Regular {
            start_s: 0.0,
            rate_hz: 1.0 / config.bin_s,
            len: kept,
        },
        values,
        quantity: "spike count".into(),
    }));
    for (unit, c) in draft.units.iter_mut().zip(&truth.clusters) {
        unit.region = Some(format!("cluster {}", c + 1));
    }
    let mut start = 0;
    for t in 1..=kept {
        if t == kept || truth.states[t] != truth.states[start] {
            draft.epochs.push(Epoch {
                kind: "state".into(),
                label: if truth.states[start] == 1 {
                    "rotation"
                } else {
                    "rest"
                }
                .into(),
                start_s: start as f64 * config.bin_s,
                stop_s: t as f64 * config.bin_s,
            });
            start = t;
        }
    }
    draft.session = Session {
        description: "spike counts with planted clusters of neurons and states of bins".into(),
        source: "clustered_counts".into(),
        ..Session::default()
    };
    Ok((draft.validate(Missing::Refuse)?, truth))
}

/// States of twice the bins kept: rest and rotation in turn.
fn stays(config: &ClusteredCounts, rng: &mut Rng) -> Vec<usize> {
    let mean = |rng: &mut Rng| {
        Gamma::new(config.dwell_shape, 1.0 / config.dwell_rate).map_or(1.0, |g| g.sample(rng))
    };
    let means = [mean(rng), mean(rng)];
    let all = 2 * config.n_bins;
    let mut states = Vec::with_capacity(all);
    let mut now = rng.random_range(0..2);
    while states.len() < all {
        let more = Poisson::new(means[now]).map_or(0.0, |p| p.sample(rng));
        let stay = (1.0 + more.min(all as f64)) as usize;
        states.extend(std::iter::repeat_n(now, stay.min(all - states.len())));
        now = 1 - now;
    }
    states
}

/// `[bin, cluster and row]` of the bins kept.
fn paths(config: &ClusteredCounts, states: &[usize], streams: &Streams) -> Array2<f64> {
    let rows = config.latents + 1;
    let mut out = Array2::zeros((config.n_bins, config.n_clusters * rows));
    let sd = config.noise_variance.sqrt();
    for c in 0..config.n_clusters {
        let mut rng = streams.indexed("path", c);
        let turn = rotation(rows, config.angle, &mut rng);
        let mut x = vec![0.0; rows];
        for (t, &state) in states.iter().enumerate() {
            let old = x.clone();
            for (i, v) in x.iter_mut().enumerate() {
                let moved = if state == 1 {
                    config.growth * (0..rows).map(|j| turn[[i, j]] * old[j]).sum::<f64>()
                } else {
                    config.rest * old[i]
                };
                let e: f64 = StandardNormal.sample(&mut rng);
                *v = moved + sd * e;
            }
            if t >= config.n_bins {
                for (i, v) in x.iter().enumerate() {
                    out[[t - config.n_bins, c * rows + i]] = *v;
                }
            }
        }
    }
    out
}

/// A rotation of two axes in a random orthogonal frame (Gram and Schmidt of normal vectors).
fn rotation(n: usize, angle: f64, rng: &mut Rng) -> Array2<f64> {
    let mut frame = Array2::<f64>::from_shape_simple_fn((n, n), || StandardNormal.sample(rng));
    for i in 0..n {
        for j in 0..i {
            let along: f64 = frame.column(i).dot(&frame.column(j));
            let other = frame.column(j).to_owned();
            frame.column_mut(i).scaled_add(-along, &other);
        }
        let norm = frame.column(i).dot(&frame.column(i)).sqrt();
        // Never 0 but by a miracle of the normal draws.
        if norm > 0.0 {
            frame.column_mut(i).mapv_inplace(|v| v / norm);
        }
    }
    let mut plane = Array2::<f64>::eye(n);
    if n >= 2 {
        let (s, c) = angle.sin_cos();
        (plane[[0, 0]], plane[[0, 1]], plane[[1, 0]], plane[[1, 1]]) = (c, -s, s, c);
    }
    frame.dot(&plane).dot(&frame.t())
}

fn count(rate: f64, dispersion: Option<f64>, rng: &mut Rng) -> f64 {
    let rate = match dispersion {
        Some(r) => Gamma::new(r, rate / r).map_or(0.0, |g| g.sample(rng)),
        None => rate,
    };
    if rate > 0.0 {
        Poisson::new(rate).map_or(0.0, |p| p.sample(rng))
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
