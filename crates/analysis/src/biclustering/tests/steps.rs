//! Single steps against closed forms.

use super::*;
use crate::biclustering::dense::{cholesky, inverse_of, multiply, transposed};
use crate::biclustering::dynamics::{Steps, ln_marginal};
use crate::biclustering::latents::{Information, Space, draw_paths};
use crate::biclustering::project::project;
use crate::biclustering::pseudo_data::{Augmented, Evidence, augment_all};
use crate::biclustering::states::step_densities;
use crate::biclustering::sweep::Sweeper;

/// A state of several clusters and states after a few sweeps, with its pseudo-data.
pub(super) fn somewhere() -> (Biclustering, Counts, ChainState) {
    let (counts, ..) = switching(4, 60, 2);
    let method = Biclustering {
        states: 3,
        sweeps: 100,
        burn_in: 50,
        ..Biclustering::default()
    };
    let mut sweeper = Sweeper::new(&method, &counts);
    let streams = Streams::new(6);
    let mut state = sweeper.start(&streams);
    while state.sweep < 12 || state.n_clusters() < 2 {
        sweeper.sweep(&mut state, &streams).unwrap();
        assert!(state.sweep < 100);
    }
    (method.clone(), counts, state)
}

pub(super) fn augmented(
    method: &Biclustering,
    counts: &Counts,
    state: &ChainState,
) -> (Augmented, Vec<f64>) {
    let mut data = Augmented::new(counts.n_neurons(), counts.n_bins());
    let r = |i| state.augmenting(method, i);
    augment_all(state, counts, r, &Streams::new(1), &mut data);
    (data, (0..counts.n_neurons()).map(|i| r(i).ln()).collect())
}

/// Rauch, Tung and Striebel's smoother in covariance form: means and covariances of each bin.
fn smoother(state: &ChainState, data: &Augmented, ln_r: &[f64]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let (k, rows, n_bins) = (state.k(), state.rows, state.n_bins());
    let product = |a: &[f64], b: &[f64], m: usize| {
        let mut out = vec![0.0; k * m];
        multiply(a, b, &mut out, k, k, m);
        out
    };
    let inverse = |a: &[f64]| {
        let mut l = a.to_vec();
        assert!(cholesky(&mut l, k));
        inverse_of(&l, k)
    };
    let (mut predicted, mut filtered) = (vec![], vec![]);
    let (mut m, mut v) = (vec![0.0; k], crate::biclustering::dense::identity(k));
    for t in 0..n_bins {
        if t > 0 {
            let d = &state.dynamics[state.states[t]];
            m = product(&d.a, &m, 1)
                .iter()
                .zip(&d.b)
                .map(|(x, b)| x + b)
                .collect();
            v = product(&product(&d.a, &v, k), &transposed(&d.a, k, k), k);
            v.iter_mut().zip(&d.q).for_each(|(v, q)| *v += q);
        }
        predicted.push((m.clone(), v.clone()));
        // One neuron after the other: a scalar Kalman update each.
        for (i, &c) in state.clusters.iter().enumerate() {
            let omega = data.omega[i * n_bins + t];
            if omega == 0.0 {
                continue;
            }
            let y = data.kappa[i * n_bins + t] / omega + ln_r[i] - state.offsets[i];
            let mut h = vec![0.0; k];
            h[c * rows] = 1.0;
            h[c * rows + 1..(c + 1) * rows].copy_from_slice(state.loading(i));
            let vh = product(&v, &h, 1);
            let s: f64 = h.iter().zip(&vh).map(|(a, b)| a * b).sum::<f64>() + 1.0 / omega;
            let e = y - h.iter().zip(&m).map(|(a, b)| a * b).sum::<f64>();
            for a in 0..k {
                m[a] += vh[a] * e / s;
                for b in 0..k {
                    v[a * k + b] -= vh[a] * vh[b] / s;
                }
            }
        }
        filtered.push((m.clone(), v.clone()));
    }
    let (mut means, mut covariances) = (vec![m], vec![v]);
    for t in (0..n_bins - 1).rev() {
        let d = &state.dynamics[state.states[t + 1]];
        let gain = product(
            &product(&filtered[t].1, &transposed(&d.a, k, k), k),
            &inverse(&predicted[t + 1].1),
            k,
        );
        let (next_m, next_v) = (means.last().unwrap(), covariances.last().unwrap());
        let off: Vec<f64> = next_m
            .iter()
            .zip(&predicted[t + 1].0)
            .map(|(a, b)| a - b)
            .collect();
        let m: Vec<f64> = product(&gain, &off, 1)
            .iter()
            .zip(&filtered[t].0)
            .map(|(a, b)| a + b)
            .collect();
        let off: Vec<f64> = next_v
            .iter()
            .zip(&predicted[t + 1].1)
            .map(|(a, b)| a - b)
            .collect();
        let v = product(&product(&gain, &off, k), &transposed(&gain, k, k), k);
        let v: Vec<f64> = v.iter().zip(&filtered[t].1).map(|(a, b)| a + b).collect();
        means.push(m);
        covariances.push(v);
    }
    means.reverse();
    covariances.reverse();
    (means, covariances)
}

#[test]
fn drawn_paths_have_the_mean_and_covariance_of_the_smoother() {
    let (method, counts, mut state) = somewhere();
    let (data, ln_r) = augmented(&method, &counts, &state);
    let (means, covariances) = smoother(&state, &data, &ln_r);
    let k = state.k();
    let information: Vec<Information> = state
        .dynamics
        .iter()
        .map(|d| Information::of(d, k).unwrap())
        .collect();
    let evidence = Evidence::gather(&state, &data, &ln_r);
    let all = 0..state.n_clusters();
    let mut space = Space::default();
    assert!(
        draw_paths(
            &mut state,
            &information,
            &evidence,
            all.clone(),
            None,
            &mut space
        )
        .is_some()
    );
    for (x, m) in state.paths.chunks_exact(k).zip(&means) {
        assert!(
            x.iter().zip(m).all(|(a, b)| (a - b).abs() < 1e-8),
            "{x:?} {m:?}"
        );
    }
    let n = 4000;
    let mut rng = Streams::new(3).stream("paths");
    let (mut sums, mut squares) = (vec![0.0; state.paths.len()], vec![0.0; state.paths.len()]);
    for _ in 0..n {
        assert!(
            draw_paths(
                &mut state,
                &information,
                &evidence,
                all.clone(),
                Some(&mut rng),
                &mut space
            )
            .is_some()
        );
        for (q, x) in state.paths.iter().enumerate() {
            sums[q] += x / f64::from(n);
            squares[q] += x * x / f64::from(n);
        }
    }
    let mut worst: (f64, f64) = (0.0, 0.0);
    for (t, (m, v)) in means.iter().zip(&covariances).enumerate() {
        for a in 0..k {
            let (q, variance) = (t * k + a, v[a * k + a]);
            worst.0 = worst
                .0
                .max((sums[q] - m[a]).abs() / (variance / f64::from(n)).sqrt());
            worst.1 = worst
                .1
                .max(((squares[q] - sums[q] * sums[q]) / variance - 1.0).abs());
        }
    }
    // The largest of several hundred standard errors; five standard errors of a variance.
    assert!(
        worst.0 < 4.6 && worst.1 < 5.0 * (2.0 / f64::from(n)).sqrt(),
        "{worst:?}"
    );
}

#[test]
fn one_cluster_given_the_others_is_a_solve_of_the_whole() {
    // Gauss-Seidel over the clusters' conditional means ends at the joint mean.
    let (method, counts, mut state) = somewhere();
    let (data, ln_r) = augmented(&method, &counts, &state);
    let k = state.k();
    let information: Vec<Information> = state
        .dynamics
        .iter()
        .map(|d| Information::of(d, k).unwrap())
        .collect();
    let evidence = Evidence::gather(&state, &data, &ln_r);
    let (n, mut space) = (state.n_clusters(), Space::default());
    let mut joint = state.clone();
    assert!(draw_paths(&mut joint, &information, &evidence, 0..n, None, &mut space).is_some());
    for _ in 0..400 {
        for c in 0..n {
            assert!(
                draw_paths(
                    &mut state,
                    &information,
                    &evidence,
                    c..c + 1,
                    None,
                    &mut space
                )
                .is_some()
            );
        }
    }
    assert!(
        state
            .paths
            .iter()
            .zip(&joint.paths)
            .all(|(a, b)| (a - b).abs() < 1e-7)
    );
}

fn all_log_rates(state: &ChainState) -> Vec<f64> {
    let mut all = vec![0.0; state.clusters.len() * state.n_bins()];
    for (i, out) in all.chunks_exact_mut(state.n_bins()).enumerate() {
        state.log_rates(&state.columns(), i, out);
    }
    all
}

#[test]
fn the_identified_form_changes_no_rate_and_no_step() {
    let (_, _, mut state) = somewhere();
    let k = state.k();
    // Off center, and turned.
    for (q, x) in state.paths.iter_mut().enumerate() {
        *x += 0.3 * ((q % k) as f64) - 0.5;
    }
    let rates = all_log_rates(&state);
    let steps = step_densities(&state.paths, &state.dynamics, k).unwrap();
    project(&mut state);
    let worst = |a: &[f64], b: &[f64]| {
        a.iter()
            .zip(b)
            .map(|(x, y)| (x - y).abs())
            .fold(0.0, f64::max)
    };
    assert!(worst(&rates, &all_log_rates(&state)) < 1e-9);
    let after = step_densities(&state.paths, &state.dynamics, k).unwrap();
    let worst = steps
        .iter()
        .zip(&after)
        .map(|(a, b)| (a - b).abs() / (1.0 + a.abs()))
        .fold(0.0, f64::max);
    assert!(worst < 1e-9, "{worst}");
    for c in 0..state.n_clusters() {
        let of = |row: usize| -> Vec<f64> {
            state
                .paths
                .chunks_exact(k)
                .map(|x| x[c * 3 + row])
                .collect()
        };
        let (mu, one, two) = (of(0), of(1), of(2));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        assert!(mu.iter().sum::<f64>().abs() < 1e-9);
        assert!(dot(&one, &two).abs() < 1e-9 * (dot(&one, &one) + dot(&two, &two)));
    }
    // Once more changes nothing.
    let before = state.clone();
    project(&mut state);
    assert!(
        state
            .paths
            .iter()
            .zip(&before.paths)
            .all(|(a, b)| (a - b).abs() < 1e-9)
    );
}

#[test]
fn clusters_in_another_order_have_the_same_posterior() {
    let (method, counts, state) = somewhere();
    let (rows, k, n) = (state.rows, state.k(), state.n_clusters());
    let mut other = state.clone();
    let order: Vec<usize> = (0..n).map(|c| (c + 1) % n).collect();
    let coordinates: Vec<Option<usize>> = order
        .iter()
        .flat_map(|&c| (0..rows).map(move |r| Some(c * rows + r)))
        .collect();
    for (new, old) in other
        .paths
        .chunks_exact_mut(k)
        .zip(state.paths.chunks_exact(k))
    {
        new.iter_mut()
            .zip(&coordinates)
            .for_each(|(x, from)| *x = old[from.unwrap()]);
    }
    other.dynamics = state
        .dynamics
        .iter()
        .map(|d| d.select(k, &coordinates))
        .collect();
    other.names = order.iter().map(|&c| state.names[c]).collect();
    for (new, old) in other.clusters.iter_mut().zip(&state.clusters) {
        *new = order.iter().position(|c| c == old).unwrap();
    }
    assert_eq!(all_log_rates(&state), all_log_rates(&other));
    assert_eq!(state.labels(), other.labels());
    let total = |s: &ChainState| {
        let steps = step_densities(&s.paths, &s.dynamics, k).unwrap();
        let path: f64 = (0..s.n_bins() - 1)
            .map(|t| steps[[t, s.states[t + 1]]])
            .sum();
        path + ln_marginal(&s.paths, &s.states, method.states, k).unwrap()
            + crate::biclustering::chain::trace(&method, &counts, s).ln_likelihood
    };
    assert!((total(&state) - total(&other)).abs() < 1e-7 * total(&state).abs());
}

#[test]
fn the_marginal_density_of_a_path_is_the_mean_over_the_prior_of_its_dynamics() {
    // k = 1, three bins, one state: Monte Carlo over the prior.
    let path = [0.3, 0.38, 0.31];
    let mut rng = Streams::new(2).stream("prior");
    let n = 400_000;
    let mut sum = 0.0;
    for _ in 0..n {
        let d = crate::biclustering::dynamics::draw_dynamics(&Steps::none(1), &mut rng).unwrap();
        sum += step_densities(&path, &[d], 1).unwrap().sum().exp() / f64::from(n);
    }
    let start = -0.5 * (0.09 + (2.0 * std::f64::consts::PI).ln());
    let found = ln_marginal(&path, &[0, 0, 0], 1, 1).unwrap() - start;
    assert!((found - sum.ln()).abs() < 0.03, "{found} {}", sum.ln());
}

#[test]
fn log_likelihoods_by_table_and_by_gamma_functions_agree() {
    let (method, mut counts, state) = somewhere();
    // A count beyond the table.
    counts.replace(0, 3, 200.0);
    for observation in [Observation::NegativeBinomial, Observation::Poisson] {
        let method = Biclustering {
            observation,
            ..method.clone()
        };
        let mut plain = 0.0;
        let mut eta = vec![0.0; counts.n_bins()];
        for i in 0..counts.n_neurons() {
            state.log_rates(&state.columns(), i, &mut eta);
            for (y, eta) in counts.of(i).iter().zip(&eta) {
                plain += crate::biclustering::chain::ln_probability(
                    &method,
                    *y,
                    state.dispersions[i],
                    *eta,
                );
            }
        }
        let found = crate::biclustering::chain::trace(&method, &counts, &state).ln_likelihood;
        assert!(
            (found - plain).abs() < 1e-8 * plain.abs(),
            "{found} {plain}"
        );
    }
}
