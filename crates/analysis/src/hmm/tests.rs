use chiasm_core::Streams;
use ndarray::{Array1, Array2, ArrayView2};
use proptest::prelude::*;
use rand::RngExt;

use super::*;

fn random_chain(n: usize, seed: u64) -> HiddenChain {
    let mut rng = Streams::new(seed).stream("chain");
    let mut distribution = |n: usize| {
        let x = Array1::from_shape_fn(n, |_| 0.05 + rng.random::<f64>());
        let sum = x.sum();
        x / sum
    };
    let initial = distribution(n);
    let mut transition = Array2::zeros((n, n));
    for mut row in transition.rows_mut() {
        row.assign(&distribution(n));
    }
    HiddenChain::new(initial, transition).unwrap()
}

fn random_emission(t: usize, n: usize, spread: f64, seed: u64) -> Array2<f64> {
    let mut rng = Streams::new(seed).stream("emission");
    Array2::from_shape_fn((t, n), |_| spread * (rng.random::<f64>() - 0.8))
}

/// All S^T paths with their log p(path, bins).
fn all_paths(chain: &HiddenChain, e: ArrayView2<'_, f64>) -> Vec<(Vec<usize>, f64)> {
    let (n_bins, n) = e.dim();
    (0..n.pow(n_bins as u32))
        .map(|mut k| {
            let mut path = Vec::new();
            for _ in 0..n_bins {
                path.push(k % n);
                k /= n;
            }
            let mut p = chain.initial()[path[0]].ln() + e[[0, path[0]]];
            for t in 1..n_bins {
                p += chain.transition()[[path[t - 1], path[t]]].ln() + e[[t, path[t]]];
            }
            (path, p)
        })
        .collect()
}

#[test]
fn all_agrees_with_the_sum_over_all_paths() {
    for seed in 0..6 {
        let (n_bins, n) = (6, 3);
        let chain = random_chain(n, seed);
        let e = random_emission(n_bins, n, 4.0, seed);
        let paths = all_paths(&chain, e.view());
        let total: f64 = paths.iter().map(|(_, p)| p.exp()).sum();
        for smoothed in [chain.smooth(e.view()), chain.smooth_in_logs(e.view())] {
            let smoothed = smoothed.unwrap();
            assert!((smoothed.log_likelihood - total.ln()).abs() < 1e-12);
            for t in 0..n_bins {
                for s in 0..n {
                    let there = paths.iter().filter(|(path, _)| path[t] == s);
                    let p = there.map(|(_, p)| p.exp()).sum::<f64>() / total;
                    assert!((smoothed.posterior[[t, s]] - p).abs() < 1e-12);
                }
            }
            for i in 0..n {
                for j in 0..n {
                    let expected: f64 = paths
                        .iter()
                        .map(|(path, p)| {
                            let steps = path.windows(2).filter(|w| w[0] == i && w[1] == j).count();
                            steps as f64 * p.exp() / total
                        })
                        .sum();
                    assert!((smoothed.transitions[[i, j]] - expected).abs() < 1e-11);
                }
            }
        }
        assert!((chain.log_likelihood(e.view()).unwrap() - total.ln()).abs() < 1e-12);
        let best = paths.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        let viterbi = chain.viterbi(e.view()).unwrap();
        assert_eq!(viterbi.states, best.0);
        assert!((viterbi.log_probability - best.1).abs() < 1e-12);
    }
}

#[test]
fn paths_are_drawn_as_often_as_they_are_probable() {
    let (n_bins, n) = (4, 2);
    let chain = random_chain(n, 3);
    let e = random_emission(n_bins, n, 2.0, 3);
    let paths = all_paths(&chain, e.view());
    let total: f64 = paths.iter().map(|(_, p)| p.exp()).sum();
    let mut rng = Streams::new(1).stream("paths");
    let n_draws = 20_000;
    let draws: Vec<Vec<usize>> = (0..n_draws)
        .map(|_| chain.sample(e.view(), &mut rng).unwrap())
        .collect();
    for (path, p) in &paths {
        let p = p.exp() / total;
        let share = draws.iter().filter(|d| *d == path).count() as f64 / f64::from(n_draws);
        let error = (p * (1.0 - p) / f64::from(n_draws)).sqrt();
        assert!(
            (share - p).abs() < 4.5 * error,
            "{path:?}: {share} against {p}"
        );
    }
}

#[test]
fn one_state_is_no_chain_at_all() {
    let chain = HiddenChain::sticky(1, 0.3).unwrap();
    let e = random_emission(9, 1, 5.0, 0);
    let smoothed = chain.smooth(e.view()).unwrap();
    assert!((smoothed.log_likelihood - e.sum()).abs() < 1e-12);
    assert!(smoothed.posterior.iter().all(|p| *p == 1.0));
    assert!((smoothed.transitions[[0, 0]] - 8.0).abs() < 1e-12);
    assert_eq!(chain.viterbi(e.view()).unwrap().states, [0; 9]);
    let one_bin = chain.smooth(e.slice(ndarray::s![..1, ..])).unwrap();
    assert_eq!(one_bin.transitions[[0, 0]], 0.0);
}

#[test]
fn a_forced_path_survives_underflow() {
    // From state 0 only state 1 can be reached, though state 0 explains every other bin e^2000 times better.
    let chain = HiddenChain::new(
        ndarray::array![1.0, 0.0],
        ndarray::array![[0.0, 1.0], [1.0, 0.0]],
    )
    .unwrap();
    let e = ndarray::array![[0.0, -2000.0], [0.0, -2000.0], [0.0, -2000.0], [-1e6, -1e6]];
    let smoothed = chain.smooth(e.view()).unwrap();
    assert_eq!(smoothed.posterior.column(1).to_vec(), [0.0, 1.0, 0.0, 1.0]);
    assert!((smoothed.log_likelihood - (-2000.0 - 1e6)).abs() < 1e-6);
    let mut rng = Streams::new(0).stream("x");
    assert_eq!(chain.sample(e.view(), &mut rng).unwrap(), [0, 1, 0, 1]);
    assert_eq!(chain.viterbi(e.view()).unwrap().states, [0, 1, 0, 1]);
}

#[test]
fn a_state_that_underflows_beside_another_can_be_the_only_way() {
    // Bin 0 is e^900 times likelier in state 0, but only state 1 leads to state 2, which alone explains bin 1.
    let chain = HiddenChain::new(
        ndarray::array![0.5, 0.5, 0.0],
        ndarray::array![[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]],
    )
    .unwrap();
    let never = f64::NEG_INFINITY;
    let e = ndarray::array![[0.0, -900.0, never], [never, never, 0.0]];
    let smoothed = chain.smooth(e.view()).unwrap();
    assert_eq!(smoothed.posterior[[0, 1]], 1.0);
    assert!((smoothed.log_likelihood - (-900.0 + 0.5f64.ln())).abs() < 1e-9);
    let mut rng = Streams::new(0).stream("x");
    assert_eq!(chain.sample(e.view(), &mut rng).unwrap(), [1, 2]);
}

#[test]
fn what_is_no_chain_is_refused_by_name() {
    let refused = |initial: Vec<f64>, transition| {
        HiddenChain::new(Array1::from(initial), transition)
            .unwrap_err()
            .to_string()
    };
    let eye = Array2::eye(2);
    assert!(refused(vec![], eye.clone()).contains("at least 1 state"));
    assert!(refused(vec![1.0], eye.clone()).contains("1 x 1"));
    assert!(refused(vec![0.5, 0.4], eye).contains("initial"));
    assert!(refused(vec![0.5, 0.5], ndarray::array![[1.0, 0.0], [1.5, -0.5]]).contains("row 1"));
    assert!(HiddenChain::sticky(2, f64::NAN).is_err());
    assert!(HiddenChain::sticky(0, 0.5).is_err());
    let chain = HiddenChain::sticky(2, 0.9).unwrap();
    let error = |e: Array2<f64>| chain.smooth(e.view()).unwrap_err().to_string();
    assert!(error(Array2::zeros((3, 3))).contains("[3, 3]"));
    assert!(error(Array2::zeros((0, 2))).contains("1 bin"));
    assert!(error(ndarray::array![[0.0, f64::NAN]]).contains("bin 0 in state 1"));
    let never = f64::NEG_INFINITY;
    let e = ndarray::array![[0.0, 0.0], [never, never]];
    assert!(error(e.clone()).contains("bin 1"));
    assert!(chain.viterbi(e.view()).is_err());
    assert!(
        chain
            .sample(e.view(), &mut Streams::new(0).stream("x"))
            .is_err()
    );
    assert!(chain.log_likelihood(e.view()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn scaled_and_log_recursions_agree(
        seed in any::<u64>(), n in 1usize..6, t in 1usize..80, spread in 0.1f64..3000.0,
    ) {
        let chain = random_chain(n, seed);
        let e = random_emission(t, n, spread, seed);
        let (a, b) = (chain.smooth(e.view()).unwrap(), chain.smooth_in_logs(e.view()).unwrap());
        let tolerance = 1e-9 * b.log_likelihood.abs().max(1.0);
        prop_assert!((a.log_likelihood - b.log_likelihood).abs() < tolerance);
        for (x, y) in a.posterior.iter().zip(&b.posterior) {
            prop_assert!((x - y).abs() < 1e-9);
        }
        for (x, y) in a.transitions.iter().zip(&b.transitions) {
            prop_assert!((x - y).abs() < 1e-8);
        }
        for row in a.posterior.rows() {
            prop_assert!((row.sum() - 1.0).abs() < 1e-10);
        }
        // Summed over where they go, pairs are posteriors; summed over where they come from, those of the next bin.
        let pairs = chain.pairs(e.view()).unwrap();
        for k in 0..t - 1 {
            for i in 0..n {
                let from: f64 = (0..n).map(|j| pairs[[k, i, j]]).sum();
                let to: f64 = (0..n).map(|j| pairs[[k, j, i]]).sum();
                prop_assert!((from - b.posterior[[k, i]]).abs() < 1e-10);
                prop_assert!((to - b.posterior[[k + 1, i]]).abs() < 1e-10);
            }
        }
        prop_assert!(chain.viterbi(e.view()).unwrap().log_probability <= b.log_likelihood + tolerance);
    }

    #[test]
    fn renaming_states_renames_the_answer(seed in any::<u64>(), t in 1usize..30) {
        let n = 4;
        let order = [2usize, 0, 3, 1];
        let chain = random_chain(n, seed);
        let e = random_emission(t, n, 5.0, seed);
        let renamed = HiddenChain::new(
            chain.initial().select(ndarray::Axis(0), &order),
            chain.transition().select(ndarray::Axis(0), &order).select(ndarray::Axis(1), &order),
        ).unwrap();
        let e2 = e.select(ndarray::Axis(1), &order);
        let (a, b) = (chain.smooth(e.view()).unwrap(), renamed.smooth(e2.view()).unwrap());
        prop_assert!((a.log_likelihood - b.log_likelihood).abs() < 1e-9);
        for k in 0..t {
            for (s, &old) in order.iter().enumerate() {
                prop_assert!((a.posterior[[k, old]] - b.posterior[[k, s]]).abs() < 1e-9);
            }
        }
    }
}
