//! Paths of each neuron's cluster drawn as if the neuron were not there, neurons of a cluster side by side.
//!
//! What the dynamics, the paths of other clusters and all neurons together say of a cluster's path is the same for each of its
//! neurons, and found once. From that a neuron's own pseudo-data are taken away, and its path is drawn by the recursions of
//! [`super::latents`], in vector registers that hold a number of each neuron.

// Numbers of several neurons go side by side: an index says so best.
#![allow(clippy::needless_range_loop)]

use chiasm_core::{Streams, vectorized};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::lanes::{LANES, Lanes, less_product};
use super::latents::{Conditional, Information};
use super::pseudo_data::{Augmented, Evidence};
use super::state::ChainState;

/// What it takes to draw the path of a neuron's cluster as if the neuron were not there.
pub(super) struct LeftOut<'a> {
    data: &'a Augmented,
    ln_r: &'a [f64],
    clusters: Vec<Common>,
}

/// What is the same for all neurons of a cluster.
struct Common {
    /// `[bin, row, column]`: the precision of each bin's path by itself, all neurons' evidence included, and the right side
    /// behind its columns.
    own: Vec<f64>,
    /// `[state, row, column]`: the block of the precision that couples a bin (columns) with the one before (rows).
    couplings: Vec<f64>,
}

/// What the forward pass leaves of a bin: a number of each neuron.
#[derive(Clone, Copy)]
struct Bin<const R: usize> {
    /// Cholesky factor of the precision, earlier bins integrated out; reciprocals on its diagonal.
    factor: [[Lanes; R]; R],
    link: [[Lanes; R]; R],
    mean: [Lanes; R],
}

impl<const R: usize> Default for Bin<R> {
    fn default() -> Self {
        Self {
            factor: [[[0.0; LANES]; R]; R],
            link: [[[0.0; LANES]; R]; R],
            mean: [[0.0; LANES]; R],
        }
    }
}

impl<'a> LeftOut<'a> {
    /// From pseudo-data and the logarithms of the dispersions they were drawn with. `None` where a covariance is not positive
    /// definite.
    pub(super) fn new(data: &'a Augmented, ln_r: &'a [f64], state: &ChainState) -> Option<Self> {
        let (rows, k) = (state.rows, state.k());
        let information: Vec<Information> = state
            .dynamics
            .iter()
            .map(|d| Information::of(d, k))
            .collect::<Option<_>>()?;
        let evidence = Evidence::gather(state, data, ln_r);
        let common = |c: usize| {
            let conditional = Conditional {
                information: &information,
                evidence: &evidence,
                clusters: c..c + 1,
            };
            let width = rows + 1;
            let mut own = vec![0.0; state.n_bins() * rows * width];
            for (t, own) in own.chunks_exact_mut(rows * width).enumerate() {
                conditional.assemble(state, t, width, own);
            }
            let mut couplings = vec![0.0; information.len() * rows * rows];
            for (block, i) in couplings.chunks_exact_mut(rows * rows).zip(&information) {
                conditional.couple(i, k, rows, block);
            }
            Common { own, couplings }
        };
        Some(Self {
            data,
            ln_r,
            clusters: (0..state.n_clusters()).map(common).collect(),
        })
    }

    /// For each neuron `[bin, row]`: the path of its cluster given all other neurons and the paths of the other clusters, drawn
    /// from the neuron's own stream of this name. `None` where a precision is not positive definite.
    pub(super) fn paths(
        &self,
        state: &ChainState,
        streams: &Streams,
        name: &str,
    ) -> Option<Vec<Vec<f64>>> {
        let mut members: Vec<Vec<usize>> = vec![vec![]; state.n_clusters()];
        for (i, &c) in state.clusters.iter().enumerate() {
            members[c].push(i);
        }
        let groups: Vec<(usize, &[usize])> = members
            .iter()
            .enumerate()
            .flat_map(|(c, members)| members.chunks(LANES).map(move |group| (c, group)))
            .collect();
        macro_rules! sized {
            ($($rows:literal),*) => {
                match state.rows {
                    $($rows => self.of_groups::<$rows>(state, &groups, streams, name),)*
                    // No cluster has more latents (`Biclustering::validate`).
                    _ => None,
                }
            };
        }
        sized!(2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
    }

    fn of_groups<const R: usize>(
        &self,
        state: &ChainState,
        groups: &[(usize, &[usize])],
        streams: &Streams,
        name: &str,
    ) -> Option<Vec<Vec<f64>>> {
        let n_bins = state.n_bins();
        let room = || {
            (
                vec![Bin::<R>::default(); n_bins],
                vec![[[0.0; LANES]; R]; n_bins],
            )
        };
        let drawn: Vec<Vec<Vec<f64>>> = groups
            .par_iter()
            .map_init(room, |(bins, path), &(c, group)| {
                // Noise first, then the path. Bins are drawn from the last to the first.
                for (l, &i) in group.iter().enumerate() {
                    let mut rng = streams.indexed(name, i);
                    for x in path.iter_mut().rev() {
                        for x in x.iter_mut() {
                            x[l] = StandardNormal.sample(&mut rng);
                        }
                    }
                }
                let sound = vectorized(
                    #[inline(always)]
                    || {
                        let sound = self.forward::<R>(state, c, group, bins);
                        backward(bins, path);
                        sound
                    },
                );
                sound.then(|| (0..group.len()).map(|l| of_lane(path, l)).collect())
            })
            .collect::<Option<_>>()?;
        let mut paths = vec![vec![]; state.clusters.len()];
        for ((_, group), drawn) in groups.iter().zip(drawn) {
            for (&i, path) in group.iter().zip(drawn) {
                paths[i] = path;
            }
        }
        Some(paths)
    }

    /// Integrates out all bins but the last, one after the other; whether all precisions were positive definite.
    #[inline(always)]
    fn forward<const R: usize>(
        &self,
        state: &ChainState,
        c: usize,
        group: &[usize],
        bins: &mut [Bin<R>],
    ) -> bool {
        let n_bins = state.n_bins();
        let common = &self.clusters[c];
        // Lanes without a neuron repeat the first.
        let neuron: [usize; LANES] =
            std::array::from_fn(|l| group.get(l).copied().unwrap_or(group[0]));
        let shift = neuron.map(|i| self.ln_r[i] - state.offsets[i]);
        let omega = neuron.map(|i| &self.data.omega[i * n_bins..(i + 1) * n_bins]);
        let kappa = neuron.map(|i| &self.data.kappa[i * n_bins..(i + 1) * n_bins]);
        let mut design = [[1.0; LANES]; R];
        for a in 1..R {
            design[a] = neuron.map(|i| state.loading(i)[a - 1]);
        }
        let mut outer = [[[0.0; LANES]; R]; R];
        for a in 0..R {
            for b in 0..=a {
                outer[a][b] = std::array::from_fn(|l| design[a][l] * design[b][l]);
            }
        }
        let mut least = [f64::INFINITY; LANES];
        for (t, own) in common.own.chunks_exact(R * (R + 1)).enumerate() {
            let w: Lanes = std::array::from_fn(|l| omega[l][t]);
            let pseudo: Lanes = std::array::from_fn(|l| w[l].mul_add(shift[l], kappa[l][t]));
            let mut now = Bin::<R>::default();
            for (a, row) in own.chunks_exact(R + 1).enumerate() {
                now.mean[a] = less_product([row[R]; LANES], pseudo, design[a]);
                for b in 0..=a {
                    now.factor[a][b] = less_product([row[b]; LANES], w, outer[a][b]);
                }
            }
            if let Some(before) = t.checked_sub(1).map(|t| &bins[t]) {
                let coupling = &common.couplings[state.states[t] * R * R..][..R * R];
                for a in 0..R {
                    for b in 0..R {
                        now.link[a][b] = [coupling[a * R + b]; LANES];
                    }
                    for j in 0..a {
                        for b in 0..R {
                            now.link[a][b] =
                                less_product(now.link[a][b], before.factor[a][j], now.link[j][b]);
                        }
                    }
                    for b in 0..R {
                        now.link[a][b] = product(now.link[a][b], before.factor[a][a]);
                    }
                }
                for row in now.link {
                    for a in 0..R {
                        for b in 0..=a {
                            now.factor[a][b] = less_product(now.factor[a][b], row[a], row[b]);
                        }
                    }
                }
                for (row, u) in now.link.into_iter().zip(before.mean) {
                    for a in 0..R {
                        now.mean[a] = less_product(now.mean[a], row[a], u);
                    }
                }
            }
            for j in 0..R {
                let pivot = now.factor[j][j];
                least = std::array::from_fn(|l| {
                    // NaN is no number above 0 either.
                    if pivot[l] > 0.0 && pivot[l] < f64::INFINITY {
                        least[l]
                    } else {
                        0.0
                    }
                });
                now.factor[j][j] = std::array::from_fn(|l| 1.0 / pivot[l].sqrt());
                for a in j + 1..R {
                    now.factor[a][j] = product(now.factor[a][j], now.factor[j][j]);
                }
                for a in j + 1..R {
                    for b in j + 1..=a {
                        now.factor[a][b] =
                            less_product(now.factor[a][b], now.factor[a][j], now.factor[b][j]);
                    }
                }
            }
            for a in 0..R {
                for b in 0..a {
                    now.mean[a] = less_product(now.mean[a], now.factor[a][b], now.mean[b]);
                }
                now.mean[a] = product(now.mean[a], now.factor[a][a]);
            }
            bins[t] = now;
        }
        least.iter().all(|l| *l > 0.0)
    }
}

/// Turns noise into a path, from the last bin to the first.
#[inline(always)]
fn backward<const R: usize>(bins: &[Bin<R>], path: &mut [[Lanes; R]]) {
    let mut after = [[0.0; LANES]; R];
    let mut link = [[[0.0; LANES]; R]; R];
    for (bin, x) in bins.iter().zip(path).rev() {
        let mut now = *x;
        for a in 0..R {
            for l in 0..LANES {
                now[a][l] += bin.mean[a][l];
            }
            for b in 0..R {
                now[a] = less_product(now[a], link[a][b], after[b]);
            }
        }
        for a in (0..R).rev() {
            now[a] = product(now[a], bin.factor[a][a]);
            for b in 0..a {
                now[b] = less_product(now[b], bin.factor[a][b], now[a]);
            }
        }
        (after, link) = (now, bin.link);
        *x = now;
    }
}

/// `[bin, row]`: the path of one neuron.
fn of_lane<const R: usize>(path: &[[Lanes; R]], l: usize) -> Vec<f64> {
    let mut own = vec![0.0; path.len() * R];
    for (own, x) in own.chunks_exact_mut(R).zip(path) {
        for (own, x) in own.iter_mut().zip(x) {
            *own = x[l];
        }
    }
    own
}

#[inline(always)]
fn product(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|l| a[l] * b[l])
}
