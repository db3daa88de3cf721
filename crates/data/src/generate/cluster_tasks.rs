//! Clusters of inputs with labels, whose geometries are set apart from each other (paper 23, A and B).

use chiasm_core::{Rng, SettingError, Streams};
use ndarray::{Array1, Array2, ArrayViewMut1, s};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What [`aligned_clusters`] draws: clusters whose kernel of inputs agrees with that of their labels to a set degree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlignedClusters {
    /// Number of clusters P, a power of two (paper: 32).
    pub clusters: usize,
    /// Binary labels k: parities of the bits of the cluster's number, single bits first (paper: 1 or 5).
    pub labels: usize,
    /// Separability s, 0 to 1: inputs and labels agree by `sqrt(k s / (P - 1))`. At 0 no linear readout of the clusters
    /// tells a label; at 1 and full rank inputs have no structure (paper: 0, 0.5, 1).
    pub separability: f64,
    /// Dimensions r of the inputs that have nothing to do with the labels, 1 to P - 1 - k; all of them if not given
    /// (paper: 5 or all).
    pub rank: Option<usize>,
    /// Number of inputs (paper: 100).
    pub inputs: usize,
    /// Standard deviation of the noise of a sample in every input (paper: 1; its clusters' means have unit variance).
    pub noise: f64,
}

impl Default for AlignedClusters {
    fn default() -> Self {
        Self {
            clusters: 32,
            labels: 1,
            separability: 0.5,
            rank: None,
            inputs: 100,
            noise: 1.0,
        }
    }
}

impl AlignedClusters {
    /// The alignment of inputs and labels: `sqrt(k s / (P - 1))`.
    #[must_use]
    pub fn alignment(&self) -> f64 {
        let part = self.labels as f64 * self.separability / (self.clusters as f64 - 1.0);
        part.sqrt()
    }

    /// Dimensions that have nothing to do with the labels.
    #[must_use]
    pub fn free_rank(&self) -> usize {
        let all = self.clusters.saturating_sub(1 + self.labels);
        self.rank.unwrap_or(all)
    }

    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let p = self.clusters;
        let fine = p.is_power_of_two() && (4..=4096).contains(&p);
        SettingError::check(fine, "clusters", "a power of two from 4 to 4096", p)?;
        let k = self.labels;
        let expected = format!("1 to {}, two less than the clusters", p - 2);
        SettingError::check((1..=p - 2).contains(&k), "labels", &expected, k)?;
        let s = self.separability;
        let most = (k as f64 / (p as f64 - 1.0)).sqrt();
        let expected = format!("0 to 1, where inputs and labels agree by at most {most:.4}");
        SettingError::check((0.0..=1.0).contains(&s), "separability", &expected, s)?;
        let (r, most) = (self.free_rank(), p - 1 - k);
        let expected = format!("1 to {most}, what {k} labels leave of {p} clusters");
        SettingError::check((1..=most).contains(&r), "rank", &expected, r)?;
        let n = self.inputs;
        let expected = format!("{} (the rank of the clusters) to 100,000", k + r);
        SettingError::check((k + r..=100_000).contains(&n), "inputs", &expected, n)?;
        check_noise(self.noise)
    }
}

fn check_noise(noise: f64) -> Result<(), SettingError> {
    let fine = noise >= 0.0 && noise.is_finite();
    SettingError::check(fine, "noise", "0 or more", noise)
}

/// Clusters, their labels, and what was planted.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterTask {
    /// The clusters' means, `[cluster, input]`.
    pub means: Array2<f64>,
    /// Their labels, `[cluster, label]`.
    pub labels: Array2<bool>,
    /// Standard deviation of the noise.
    pub noise: f64,
    /// The kernel of the means before they were laid into the inputs, `[cluster, cluster]`.
    pub input_kernel: Array2<f64>,
}

impl ClusterTask {
    /// `(2Y - 1)(2Y - 1)'`, `[cluster, cluster]`.
    #[must_use]
    pub fn target_kernel(&self) -> Array2<f64> {
        let signs = self.signs();
        signs.dot(&signs.t())
    }

    /// Labels as 1 and -1, `[cluster, label]`.
    #[must_use]
    pub fn signs(&self) -> Array2<f64> {
        self.labels.mapv(|y| if y { 1.0 } else { -1.0 })
    }

    /// `n` samples: a cluster drawn for each, its mean and normal noise in every input. Returns the inputs,
    /// `[sample, input]`, and the clusters.
    #[must_use]
    pub fn samples(&self, n: usize, rng: &mut Rng) -> (Array2<f64>, Vec<usize>) {
        let clusters: Vec<usize> = (0..n)
            .map(|_| rng.random_range(0..self.means.nrows()))
            .collect();
        let mut inputs = Array2::zeros((n, self.means.ncols()));
        for (mut row, &c) in inputs.rows_mut().into_iter().zip(&clusters) {
            for (x, mean) in row.iter_mut().zip(self.means.row(c)) {
                let z: f64 = StandardNormal.sample(rng);
                *x = mean + self.noise * z;
            }
        }
        (inputs, clusters)
    }
}

/// Clusters whose inputs and labels agree to a set degree, exactly (paper 23, A, with equal eigenvalues).
///
/// With `Py` the projection on the centered labels and `V` random orthonormal directions that no label sees, the kernel is
/// `c / sqrt(k) Py + sqrt(1 - c^2) / sqrt(r) V V'`, scaled to trace P; its alignment with the labels' is `c`. Its root,
/// laid into the inputs by random orthonormal directions, gives the means.
///
/// # Errors
/// [`SettingError`] for settings out of range.
pub fn aligned_clusters(
    config: &AlignedClusters,
    streams: &Streams,
) -> Result<ClusterTask, SettingError> {
    config.validate()?;
    let (p, k, r) = (config.clusters, config.labels, config.free_rank());
    let mut sets: Vec<usize> = (1..p).collect();
    sets.sort_by_key(|s| (s.count_ones(), std::cmp::Reverse(*s)));
    let labels = Array2::from_shape_fn((p, k), |(c, l)| (c & sets[l]).count_ones() % 2 == 1);
    // Directions among clusters, one a column: the constant, the labels, then those that neither sees.
    let mut among = Array2::zeros((1 + k + r, p));
    among.row_mut(0).fill((p as f64).powf(-0.5));
    for ((l, c), y) in labels.t().indexed_iter() {
        among[[1 + l, c]] = if *y { 1.0 } else { -1.0 } * (p as f64).powf(-0.5);
    }
    orthonormal(&mut among, 1 + k, &mut streams.stream("clusters"));
    let c = config.alignment();
    let (with, without) = (
        c / (k as f64).sqrt(),
        (1.0 - c * c).sqrt() / (r as f64).sqrt(),
    );
    let scale = p as f64 / (k as f64 * with + r as f64 * without);
    let eigenvalue = |i: usize| scale * if i < k { with } else { without };
    let root = Array2::from_shape_fn((p, k + r), |(c, i)| {
        eigenvalue(i).sqrt() * among[[1 + i, c]]
    });
    let mut into = Array2::zeros((k + r, config.inputs));
    orthonormal(&mut into, 0, &mut streams.stream("inputs"));
    let into = into * (config.inputs as f64).sqrt();
    Ok(ClusterTask {
        means: root.dot(&into),
        labels,
        noise: config.noise,
        input_kernel: root.dot(&root.t()),
    })
}

/// Fills rows from `first` on with random directions, orthonormal among each other and to those before, which are so.
fn orthonormal(rows: &mut Array2<f64>, first: usize, rng: &mut Rng) {
    for i in first..rows.nrows() {
        let (before, mut row) = rows.view_mut().split_at(ndarray::Axis(0), i);
        let mut row: ArrayViewMut1<'_, f64> = row.row_mut(0);
        row.iter_mut().for_each(|v| *v = StandardNormal.sample(rng));
        // Once more takes away what rounding left.
        for _ in 0..2 {
            for known in before.rows() {
                let along = known.dot(&row);
                row.scaled_add(-along, &known);
            }
            let length = row.dot(&row).sqrt();
            row /= length;
        }
    }
}

/// Which four clusters [`four_clusters`] draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FourKind {
    /// Means of standard normal numbers; two clusters of each label.
    Unstructured {
        /// Whether the mean of the four is taken off.
        centered: bool,
    },
    /// The corners of a square, labeled by their parity, and moved by `epsilon` along a third direction by their label:
    /// at 0 no linear readout tells it, from there on one does (paper 23, B: nudged XOR).
    NudgedXor {
        /// How far, 0 to 1, in edges' halves.
        epsilon: f64,
    },
}

/// What [`four_clusters`] draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FourClusters {
    /// Which ones.
    pub kind: FourKind,
    /// Number of inputs (paper: 100 to 300; 120 for nudged XOR).
    pub inputs: usize,
    /// Standard deviation of the noise of a sample in every input (paper: 0 to 0.3).
    pub noise: f64,
}

impl Default for FourClusters {
    fn default() -> Self {
        Self {
            kind: FourKind::NudgedXor { epsilon: 1.0 },
            inputs: 120,
            noise: 0.1,
        }
    }
}

impl FourClusters {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let n = self.inputs;
        SettingError::check((3..=100_000).contains(&n), "inputs", "3 to 100,000", n)?;
        if let FourKind::NudgedXor { epsilon } = self.kind {
            let fine = (0.0..=1.0).contains(&epsilon);
            SettingError::check(fine, "kind.epsilon", "0 to 1", epsilon)?;
        }
        check_noise(self.noise)
    }
}

/// Four clusters and one label. The directions of nudged XOR are `|N(0, 1)|` on a third of the inputs each, of length
/// `sqrt(inputs / 3)`, so that an input they move is moved by 1 in the mean square.
///
/// # Errors
/// [`SettingError`] for settings out of range.
pub fn four_clusters(
    config: &FourClusters,
    streams: &Streams,
) -> Result<ClusterTask, SettingError> {
    config.validate()?;
    let n = config.inputs;
    let mut rng = streams.stream("clusters");
    let mut means = Array2::zeros((4, n));
    let labels = match config.kind {
        FourKind::Unstructured { centered } => {
            means
                .iter_mut()
                .for_each(|v| *v = StandardNormal.sample(&mut rng));
            if centered {
                let mean = means.sum_axis(ndarray::Axis(0)) / 4.0;
                means -= &mean;
            }
            [false, false, true, true]
        }
        FourKind::NudgedXor { epsilon } => {
            let labels = [false, true, true, false];
            for third in 0..3 {
                let span = s![third * n / 3..(third + 1) * n / 3];
                let mut direction: Array1<f64> = Array1::zeros(n);
                for v in direction.slice_mut(span) {
                    let z: f64 = StandardNormal.sample(&mut rng);
                    *v = z.abs();
                }
                let length = direction.dot(&direction).sqrt();
                direction *= (n as f64 / 3.0).sqrt() / length;
                for (c, &label) in labels.iter().enumerate() {
                    let along = match third {
                        0 => f64::from(c as u32 / 2) * 2.0 - 1.0,
                        1 => f64::from(c as u32 % 2) * 2.0 - 1.0,
                        _ => epsilon * if label { 1.0 } else { -1.0 },
                    };
                    means.row_mut(c).scaled_add(along, &direction);
                }
            }
            labels
        }
    };
    Ok(ClusterTask {
        input_kernel: means.dot(&means.t()),
        means,
        labels: Array2::from_shape_fn((4, 1), |(c, _)| labels[c]),
        noise: config.noise,
    })
}

#[cfg(test)]
mod tests;
