use chiasm_core::Streams;
use ndarray::Array2;
use rand::RngExt;

use super::*;
use crate::number::Number;
use crate::switching::design::Trials;
use crate::switching::link::{PoissonSigmoid, PoissonSoftplus, Response};
use crate::switching::parameters::Parameters;
use crate::switching::passes::passes;

/// Responsibilities `[bin, state]` at random; every third bin belongs to one state alone.
fn gamma(n_bins: usize, n_states: usize) -> Array2<f64> {
    let mut rng = Streams::new(5).stream("gamma");
    let mut gamma = Array2::from_shape_fn((n_bins, n_states), |_| rng.random::<f64>());
    for (t, mut row) in gamma.rows_mut().into_iter().enumerate() {
        if t % 3 == 0 {
            row.fill(0.0);
            row[t / 3 % n_states] = 1.0;
        }
        let sum = row.sum();
        row /= sum;
    }
    gamma
}

/// Compares the gradient of the whole objective with central differences, at sampled types.
fn check(config: &SwitchingGlm, tolerance: f64) {
    config.validate().unwrap();
    let network = SwitchingNetwork {
        states: config.states,
        ..tiny()
    };
    let (mut counts, _) = planted(&network, 7);
    if config.observation == Observation::Bernoulli {
        counts.values.mapv_inplace(|c| c.min(1));
    }
    let trials = Trials::of(&counts);
    let gamma = gamma(counts.n_bins(), config.states);
    let bias: Vec<f64> = (0..5).map(|i| -0.3 + 0.1 * f64::from(i)).collect();
    let streams = Streams::new(9);
    let start = SwitchingGlm {
        start_sd: 0.4,
        ..config.clone()
    };
    let mut at = Parameters::random(&start, config.coupling, &bias, &mut streams.stream("start"));
    let mut rng = streams.stream("more");
    for v in &mut at.values {
        *v += 0.3 * (rng.random::<f64>() - 0.5);
    }
    let how = (config.link, config.observation);
    let lay_out = |at: &Parameters| {
        let kernel = at.kernel().unwrap_or_else(|| config.lags());
        passes(
            trials.clone(),
            &kernel,
            how,
            config.skip_bins,
            false,
            config.learn_kernel,
        )
    };
    let objective = |values: &[f64]| {
        let mut at = at.clone();
        at.values.copy_from_slice(values);
        let types = at.sampled(&mut streams.stream("types"));
        let emissions = lay_out(&at).emissions(at.weights(types.as_ref()).view());
        (&emissions * &gamma).sum() + at.prior_term(types.as_ref(), None)
    };
    let laid = lay_out(&at);
    let types = at.sampled(&mut streams.stream("types"));
    let share = laid.share(&gamma);
    let (by_weight, by_lag) = share.gradient(at.weights(types.as_ref()).view());
    let gradient = at.gradient(types.as_ref(), &by_weight, &by_lag);
    let mut nonzero = 0;
    for k in 0..at.len() {
        let h = 1e-5;
        let mut moved = at.values.clone();
        moved[k] += h;
        let up = objective(&moved);
        moved[k] -= 2.0 * h;
        let difference = (up - objective(&moved)) / (2.0 * h);
        let error = (gradient[k] - difference).abs() / difference.abs().max(1.0);
        assert!(
            error < tolerance,
            "{config:?}: parameter {k}: {} against {difference}",
            gradient[k]
        );
        nonzero += usize::from(difference.abs() > 1e-3);
    }
    assert!(nonzero * 2 > at.len(), "{nonzero} of {}", at.len());
}

fn base() -> SwitchingGlm {
    SwitchingGlm {
        states: 2,
        ..SwitchingGlm::default()
    }
}

const LINKS: [Link; 5] = [
    Link::Sigmoid,
    Link::Softplus,
    Link::Exp,
    Link::SqrtSoftplus,
    Link::LogSoftplus,
];

#[test]
fn one_state_is_a_plain_glm_whose_gradient_matches_finite_differences() {
    for link in LINKS {
        check(
            &SwitchingGlm {
                states: 1,
                coupling: Coupling::Free,
                link,
                ..base()
            },
            1e-6,
        );
    }
    check(
        &SwitchingGlm {
            states: 1,
            coupling: Coupling::Free,
            observation: Observation::Bernoulli,
            ..base()
        },
        1e-6,
    );
}

#[test]
fn all_couplings_links_and_diagonals_match_finite_differences() {
    let diagonals = [
        Diagonal::Coupled,
        Diagonal::Zero,
        Diagonal::Shared,
        Diagonal::PerState,
    ];
    for coupling in [Coupling::Free, Coupling::Gaussian, Coupling::OneHot] {
        for (k, link) in LINKS.into_iter().enumerate() {
            check(
                &SwitchingGlm {
                    coupling,
                    link,
                    diagonal: diagonals[k % 4],
                    bias: if k % 2 == 0 {
                        Bias::Shared
                    } else {
                        Bias::PerState
                    },
                    skip_bins: k,
                    ..base()
                },
                1e-6,
            );
        }
    }
}

#[test]
fn all_priors_of_types_match_finite_differences() {
    for type_prior in [
        TypePrior::Divergence,
        TypePrior::Categorical,
        TypePrior::GumbelSoftmax,
    ] {
        check(
            &SwitchingGlm {
                type_prior,
                type_prior_weight: 2.5,
                none_states: 1.5,
                temperature: 0.7,
                ..base()
            },
            1e-6,
        );
    }
}

#[test]
fn a_learned_kernel_matches_finite_differences() {
    for coupling in [Coupling::Gaussian, Coupling::OneHot] {
        check(
            &SwitchingGlm {
                coupling,
                learn_kernel: true,
                history_bins: 4,
                ..base()
            },
            1e-6,
        );
    }
}

#[test]
fn single_precision_gradients_are_those_of_double() {
    let (counts, truth) = planted(&tiny(), 3);
    let model = truth_model(&truth);
    let trials = Trials::of(&counts);
    let joined = ndarray::Array3::from_shape_fn((2, 5, 6), |(s, i, j)| {
        if j < 5 {
            model.weights[[s, i, j]]
        } else {
            model.bias[[s, i]]
        }
    });
    let gamma = gamma(counts.n_bins(), 2);
    for link in LINKS {
        let of = |single| {
            let laid = passes(
                trials.clone(),
                &model.kernel,
                (link, Observation::Poisson),
                0,
                single,
                false,
            );
            laid.share(&gamma).gradient(joined.view()).0
        };
        let (double, single) = (of(false), of(true));
        let size = double.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        for (a, b) in double.iter().zip(&single) {
            assert!((a - b).abs() < 2e-6 * size, "{link:?}: {a} {b}");
        }
    }
}

#[test]
fn warm_start_keeps_the_sign_and_size_of_weights() {
    let config = SwitchingGlm {
        start_sd: 0.8,
        ..base()
    };
    let mut rng = Streams::new(1).stream("x");
    let fitted = Parameters::random(&config, Coupling::Gaussian, &[0.1; 5], &mut rng);
    let warm = Parameters::one_hot_from(&config, &fitted);
    let (before, after) = (fitted.weights(None), warm.weights(None));
    for (w, v) in before.iter().zip(&after) {
        // Types by the largest of -4w, 1 - 4|w|, 4w: none below 1/8.
        if w.abs() > 0.3 {
            assert!((w - v).abs() < 1e-9);
        } else if w.abs() < 0.124 && *w != 0.1 {
            assert_eq!(*v, 0.0);
        } else if w.abs() > 0.126 {
            assert!((v - 0.3 * w.signum()).abs() < 1e-9);
        }
    }
    assert_eq!(
        warm.coupling_range().len(),
        3 * fitted.coupling_range().len()
    );
    let prior = warm.prior().unwrap();
    assert!(
        prior
            .rows()
            .into_iter()
            .all(|p| (p.sum() - 1.0).abs() < 1e-12)
    );
}

#[test]
fn a_state_that_is_rare_everywhere_is_trained_like_any_other() {
    let (counts, _) = planted(&tiny(), 7);
    let trials = Trials::of(&counts);
    let how = (Link::Sigmoid, Observation::Poisson);
    let laid = passes(trials, &base().lags(), how, 0, false, false);
    let weights = ndarray::Array3::from_elem((2, 5, 6), 0.1);
    let often = gamma(counts.n_bins(), 2);
    let mut rare = often.clone();
    rare.column_mut(1).mapv_inplace(|g| 1e-6 * g);
    let [often, rare] = [often, rare].map(|g| laid.share(&g).gradient(weights.view()).0);
    for (((state, ..), often), rare) in often.indexed_iter().zip(&rare) {
        let expected = if state == 1 { 1e-6 * often } else { *often };
        assert!((rare / expected - 1.0).abs() < 1e-9, "{rare} {expected}");
    }
}

/// The largest difference between what is found for two drives at once and for each, relative to what is above 1.
fn of_two<N: Number, R: Response>() -> f64 {
    let mut worst = 0.0f64;
    for i in 0..=400 {
        let of = |part: f64| N::of(part * N::REACH * (f64::from(i) / 200.0 - 1.0));
        let (x, u) = ([N::of(2.0), N::default()], [of(1.0), of(-0.3)]);
        let at_once = [R::log_ps(x, u), R::slopes(x, u)];
        for k in 0..2 {
            let each = [R::log_p(x[k], u[k]), R::slope(x[k], u[k])];
            for (a, b) in [(at_once[0][k], each[0]), (at_once[1][k], each[1])] {
                let (a, b) = (a.wide(), b.wide());
                assert!(a.is_finite() && b.is_finite(), "{a} {b}");
                worst = worst.max((a - b).abs() / b.abs().max(1.0));
            }
        }
    }
    worst
}

#[test]
fn what_is_found_for_two_drives_at_once_is_what_is_found_for_each() {
    let (double, single) = (
        of_two::<f64, PoissonSigmoid>(),
        of_two::<f32, PoissonSigmoid>(),
    );
    assert!(double < 1e-14 && single < 1e-6, "{double} {single}");
    assert!(of_two::<f32, PoissonSoftplus>() == 0.0);
}
