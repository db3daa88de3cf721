//! Step 5: the identified form. Each cluster's paths are centered, its latents orthogonal over the bins and in the order
//! and with the signs of a reference. Offsets, loadings and dynamics change with them, so that no rate does.

use super::dense::{eigenvectors, identity, multiply, transposed};
use super::state::{ChainState, Reference};

/// Brings the state into its identified form, matched to its reference.
pub(super) fn project(state: &mut ChainState) {
    let (rows, k, n_bins) = (state.rows, state.k(), state.n_bins());
    let p = rows - 1;
    let mut shift = vec![0.0; k];
    let mut turn = identity(k);
    for c in 0..state.n_clusters() {
        let at = c * rows;
        // Center, and the mean goes to the offsets.
        for x in state.paths.chunks_exact(k) {
            for (m, v) in shift[at..at + rows].iter_mut().zip(&x[at..]) {
                *m += v / n_bins as f64;
            }
        }
        let mean = shift[at..at + rows].to_vec();
        for x in state.paths.chunks_exact_mut(k) {
            for (v, m) in x[at..].iter_mut().zip(&mean) {
                *v -= m;
            }
        }
        let members: Vec<usize> = (0..state.clusters.len())
            .filter(|&i| state.clusters[i] == c)
            .collect();
        for &i in &members {
            let moved: f64 = state
                .loading(i)
                .iter()
                .zip(&mean[1..])
                .map(|(l, m)| l * m)
                .sum();
            state.offsets[i] += mean[0] + moved;
        }
        // X' = U S V': (U S)' = V' X.
        let latents = of_cluster(&state.paths, k, at + 1, p);
        let rotation = rotation(&latents, p, state.reference.of(state.names[c]));
        for x in state.paths.chunks_exact_mut(k) {
            rotate(&rotation, &mut x[at + 1..at + rows]);
        }
        for &i in &members {
            // c M^-1 = c M', row by row as M c'.
            rotate(&rotation, &mut state.loadings[i * p..(i + 1) * p]);
        }
        for a in 0..p {
            for b in 0..p {
                turn[(at + 1 + a) * k + at + 1 + b] = rotation[a * p + b];
            }
        }
    }
    let back = transposed(&turn, k, k);
    let (mut half, mut moved) = (vec![0.0; k * k], vec![0.0; k]);
    for d in &mut state.dynamics {
        // After x - m the new b is b + (A - I) m.
        multiply(&d.a, &shift, &mut moved, k, k, 1);
        let pushed: Vec<f64> = (0..k).map(|i| d.b[i] + moved[i] - shift[i]).collect();
        multiply(&turn, &pushed, &mut d.b, k, k, 1);
        multiply(&turn, &d.a, &mut half, k, k, k);
        multiply(&half, &back, &mut d.a, k, k, k);
        multiply(&turn, &d.q, &mut half, k, k, k);
        multiply(&half, &back, &mut d.q, k, k, k);
    }
}

/// `[bin, p]`: the latents that begin at stacked coordinate `from`.
pub(super) fn of_cluster(paths: &[f64], k: usize, from: usize, p: usize) -> Vec<f64> {
    paths
        .chunks_exact(k)
        .flat_map(|x| x[from..from + p].to_vec())
        .collect()
}

pub(super) fn rotate(m: &[f64], x: &mut [f64]) {
    let old = x.to_vec();
    multiply(m, &old, x, old.len(), old.len(), 1);
}

/// The rotation V' of latents `[bin, p]` to orthogonal ones by descending variance; with a reference its rows are instead
/// ordered and signed by the greedy least mean-square difference, reference row by reference row.
pub(super) fn rotation(latents: &[f64], p: usize, reference: Option<&[f64]>) -> Vec<f64> {
    let mut gram = vec![0.0; p * p];
    for x in latents.chunks_exact(p) {
        for a in 0..p {
            for b in 0..p {
                gram[a * p + b] += x[a] * x[b];
            }
        }
    }
    let rows = eigenvectors(&gram, p);
    let Some(reference) = reference.filter(|r| r.len() == latents.len()) else {
        return rows;
    };
    // |ref - s x|^2 = |ref|^2 + |x|^2 - 2 s ref' x: least for the sign of the product.
    let (mut cross, mut norms) = (vec![0.0; p * p], vec![0.0; p]);
    for (x, r) in latents.chunks_exact(p).zip(reference.chunks_exact(p)) {
        for b in 0..p {
            let turned: f64 = rows[b * p..(b + 1) * p]
                .iter()
                .zip(x)
                .map(|(m, x)| m * x)
                .sum();
            norms[b] += turned * turned;
            for a in 0..p {
                cross[a * p + b] += r[a] * turned;
            }
        }
    }
    let mut free = vec![true; p];
    let mut matched = vec![0.0; p * p];
    for a in 0..p {
        let difference = |b: usize| norms[b] - 2.0 * cross[a * p + b].abs();
        let best = (0..p)
            .filter(|&b| free[b])
            .min_by(|&x, &y| difference(x).total_cmp(&difference(y)));
        let Some(b) = best else { continue };
        free[b] = false;
        let sign = if cross[a * p + b] < 0.0 { -1.0 } else { 1.0 };
        for j in 0..p {
            matched[a * p + j] = sign * rows[b * p + j];
        }
    }
    matched
}

impl Reference {
    /// The reference latents of the cluster of this name.
    pub(super) fn of(&self, name: usize) -> Option<&[f64]> {
        self.latents
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, x)| x.as_slice())
    }

    /// Takes the latents of clusters that have no reference; of all of them with `anew`.
    pub(super) fn update(&mut self, names: &[usize], paths: &[f64], rows: usize, anew: bool) {
        let k = names.len() * rows;
        if anew {
            self.latents.clear();
        }
        for (c, &name) in names.iter().enumerate() {
            if self.of(name).is_none() {
                self.latents
                    .push((name, of_cluster(paths, k, c * rows + 1, rows - 1)));
            }
        }
    }
}
