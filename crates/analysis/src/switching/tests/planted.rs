use chiasm_core::{Quiet, Streams, stats};

use super::*;

/// Three states, eight units, strong couplings: small enough to be trained in a second.
fn network() -> SwitchingNetwork {
    SwitchingNetwork {
        states: 3,
        units: 8,
        trials: 8,
        bins: 600,
        concentrations: [0.4, 1.2, 0.4],
        ..SwitchingNetwork::default()
    }
}

fn recipe(coupling: Coupling) -> SwitchingGlm {
    SwitchingGlm {
        states: 3,
        coupling,
        restarts: 4,
        ..SwitchingGlm::default()
    }
}

#[test]
fn states_and_couplings_are_found() {
    let (counts, truth) = planted(&network(), 1);
    for coupling in [Coupling::Free, Coupling::Gaussian, Coupling::OneHot] {
        let fit = recipe(coupling)
            .fit(&counts, &Streams::new(1), &Quiet)
            .unwrap();
        let ceiling = truth_model(&truth).decode(&counts).unwrap();
        let name = names_by(&truth.states, &fit.decoded.states(), 3).unwrap();
        let fit = fit.renamed(&name).unwrap();
        let right = |states: Vec<usize>| {
            let right = states.iter().zip(&truth.states).filter(|(a, b)| a == b);
            right.count() as f64 / truth.states.len() as f64
        };
        let (found, best) = (right(fit.decoded.states()), right(ceiling.states()));
        assert!(found > best - 0.03, "{coupling:?}: {found} of {best}");
        let w: Vec<f64> = fit.model.weights.iter().copied().collect();
        let v: Vec<f64> = truth.weights.iter().copied().collect();
        let r = stats::pearson(&w, &v);
        assert!(r > 0.9, "{coupling:?}: {r}");
        assert!(!fit.collapsed(), "{:?}", fit.warnings);
        let stay = fit.model.chain.transition().diag().mean().unwrap();
        assert!((stay - 0.98).abs() < 0.01, "{stay}");
        assert_eq!(fit.types.is_some(), coupling == Coupling::OneHot);
        if let Some(types) = &fit.types {
            let strong = types
                .iter()
                .zip(&truth.weights)
                .filter(|(_, w)| w.abs() > 0.5);
            let (right, all) = strong.fold((0, 0usize), |(r, n), (t, w)| {
                (r + usize::from(f64::from(*t) == w.signum()), n + 1)
            });
            assert!(10 * right > 9 * all, "{right} of {all}");
        }
    }
}

#[test]
fn one_state_is_found_alike_by_all_couplings_and_needs_no_chain() {
    let (counts, _) = planted(
        &SwitchingNetwork {
            states: 1,
            ..tiny()
        },
        4,
    );
    let config = SwitchingGlm {
        states: 1,
        restarts: 1,
        epochs: 60,
        coupling: Coupling::Free,
        precision: Precision::Double,
        ..SwitchingGlm::default()
    };
    let fit = config.fit(&counts, &Streams::new(2), &Quiet).unwrap();
    assert!(fit.decoded.posterior.iter().all(|p| *p == 1.0));
    // Newton's method on the same likelihood: the maximum is the same.
    let c = design::Trials::of(&counts).history(&exponential_kernel(5));
    let total: f64 = (0..5).map(|i| newton(&counts, &c, i)).sum();
    assert!(
        (fit.decoded.total() - total).abs() < 1e-3 * total.abs(),
        "{} {total}",
        fit.decoded.total()
    );
    assert!(fit.decoded.total() <= total + 1e-9);
}

/// The largest log-likelihood of one unit's plain Poisson model with the sigmoid link, by gradient ascent with
/// backtracking along the diagonal Fisher scaling: slow, and sure.
fn newton(counts: &Counts, c: &Array2<f64>, unit: usize) -> f64 {
    let n = c.ncols();
    let mut w = vec![0.0; n + 1];
    let evaluate = |w: &[f64]| {
        let mut sum = 0.0;
        let mut gradient = vec![0.0; n + 1];
        let mut fisher = vec![1e-9; n + 1];
        for (t, row) in c.rows().into_iter().enumerate() {
            let x = f64::from(counts.values[[t, unit]]);
            let u = w[n] + row.iter().zip(w).map(|(a, b)| a * b).sum::<f64>();
            let f = Link::Sigmoid.of(u);
            sum += x * f.ln() - f - statrs::function::gamma::ln_gamma(x + 1.0);
            let features = row.iter().copied().chain([1.0]);
            for ((g, h), v) in gradient.iter_mut().zip(&mut fisher).zip(features) {
                *g += (x - f) * (1.0 - f) * v;
                *h += f * (1.0 - f) * (1.0 - f) * v * v;
            }
        }
        (sum, gradient, fisher)
    };
    let mut size = 1.0;
    let mut at = evaluate(&w);
    for _ in 0..3000 {
        let moved: Vec<f64> = (0..=n).map(|k| w[k] + size * at.1[k] / at.2[k]).collect();
        let next = evaluate(&moved);
        if next.0 > at.0 {
            (w, at) = (moved, next);
            size *= 1.2;
        } else {
            size *= 0.5;
        }
    }
    at.0
}

#[test]
fn same_seed_same_bits_on_any_number_of_threads() {
    let (counts, _) = planted(&tiny(), 6);
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let config = SwitchingGlm {
            states: 2,
            restarts: 3,
            epochs: 4,
            one_hot_epochs: 3,
            ..SwitchingGlm::default()
        };
        pool.install(|| config.fit(&counts, &Streams::new(seed), &Quiet).unwrap())
    };
    let one = run(1, 3);
    assert_eq!(one, run(4, 3));
    assert_ne!(one.starts, run(1, 4).starts);
}

#[test]
fn the_order_of_trials_and_units_does_not_matter_to_the_likelihood() {
    let (counts, truth) = planted(&tiny(), 8);
    let model = truth_model(&truth);
    let all = model.decode(&counts).unwrap();
    let turned = model
        .decode(&counts.select_trials(&[2, 0, 1]).unwrap())
        .unwrap();
    assert_eq!(turned.log_likelihood[0], all.log_likelihood[2]);
    assert!((turned.total() - all.total()).abs() < 1e-9);
    let order = [3usize, 1, 4, 0, 2];
    let mut permuted = counts.clone();
    permuted.values = counts.values.select(ndarray::Axis(1), &order);
    let axis = ndarray::Axis;
    let moved = SwitchingModel {
        weights: model
            .weights
            .select(axis(1), &order)
            .select(axis(2), &order),
        bias: model.bias.select(axis(1), &order),
        ..model
    };
    assert!((moved.decode(&permuted).unwrap().total() - all.total()).abs() < 1e-9);
}

#[test]
fn options_train_and_the_bound_rises() {
    let (counts, _) = planted(&tiny(), 9);
    let base = SwitchingGlm {
        states: 2,
        restarts: 1,
        epochs: 8,
        one_hot_epochs: 4,
        ..SwitchingGlm::default()
    };
    let variants = [
        SwitchingGlm {
            learn_kernel: true,
            ..base.clone()
        },
        SwitchingGlm {
            link: Link::Softplus,
            bias: Bias::PerState,
            diagonal: Diagonal::PerState,
            ..base.clone()
        },
        SwitchingGlm {
            start: Start::Cold,
            type_prior: TypePrior::Categorical,
            diagonal: Diagonal::Zero,
            ..base.clone()
        },
        SwitchingGlm {
            type_prior: TypePrior::GumbelSoftmax,
            diagonal: Diagonal::Shared,
            kernel: Some(vec![0.5, 0.5]),
            history_bins: 2,
            skip_bins: 2,
            ..base.clone()
        },
        SwitchingGlm {
            coupling: Coupling::Gaussian,
            precision: Precision::Double,
            link: Link::Exp,
            ..base
        },
    ];
    for config in variants {
        let fit = config.fit(&counts, &Streams::new(1), &Quiet).unwrap();
        let (first, last) = (fit.rounds[0].log_likelihood, fit.decoded.per_count());
        assert!(last > first, "{config:?}: {first} to {last}");
        let diagonal_is_zero = (0..2).all(|s| (0..5).all(|i| fit.model.weights[[s, i, i]] == 0.0));
        assert_eq!(diagonal_is_zero, config.diagonal == Diagonal::Zero);
        assert!((fit.model.kernel.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(fit.model.kernel != config.lags(), config.learn_kernel);
    }
}

#[test]
fn too_many_states_are_said() {
    let config = SwitchingNetwork {
        states: 1,
        units: 3,
        trials: 2,
        bins: 200,
        strength_scale: 0.0,
        ..SwitchingNetwork::default()
    };
    let (counts, _) = planted(&config, 2);
    let fit = SwitchingGlm {
        states: 6,
        restarts: 1,
        epochs: 40,
        ..SwitchingGlm::default()
    }
    .fit(&counts, &Streams::new(1), &Quiet)
    .unwrap();
    assert!(fit.collapsed(), "{:?} {:?}", fit.occupancy, fit.warnings);
    assert!(fit.warnings.iter().all(|w| !w.to_string().is_empty()));
}

#[test]
fn held_out_likelihood_chooses_the_planted_number_of_states() {
    let config = SwitchingNetwork {
        states: 2,
        ..network()
    };
    let (counts, _) = planted(&config, 3);
    let model = SwitchingGlm {
        coupling: Coupling::Gaussian,
        restarts: 2,
        epochs: 20,
        ..SwitchingGlm::default()
    };
    let folds = cross_validated(&model, &counts, &[1, 2, 4], 2, &Streams::new(1), &Quiet).unwrap();
    assert_eq!(folds.len(), 6);
    let mean = |n: usize| {
        let of: Vec<f64> = folds
            .iter()
            .filter(|f| f.states == n)
            .map(|f| f.held_out)
            .collect();
        stats::mean(&of)
    };
    assert!(
        mean(2) > mean(1) + 1e-3 && mean(2) > mean(4),
        "{} {} {}",
        mean(1),
        mean(2),
        mean(4)
    );
    assert!(cross_validated(&model, &counts, &[1], 9, &Streams::new(1), &Quiet).is_err());
}
