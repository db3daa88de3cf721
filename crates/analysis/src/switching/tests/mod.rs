//! Closed forms, finite differences, properties, planted truth, refusals.

mod gradients;
mod planted;
mod refusals;

use chiasm_core::Streams;
use chiasm_data::generate::{SwitchingNetwork, SwitchingTruth, switching_network};
use chiasm_data::{Counting, Counts};
use ndarray::Array2;

use super::*;

/// Counts in trials, and the truth behind them.
fn planted(config: &SwitchingNetwork, seed: u64) -> (Counts, SwitchingTruth) {
    let (recording, truth) = switching_network(config, &Streams::new(seed)).unwrap();
    let counting = Counting {
        trials: Some("trial".into()),
        silent: chiasm_data::Silent::Keep,
        ..Counting::default()
    };
    (counting.counts(&recording).unwrap(), truth)
}

fn truth_model(truth: &SwitchingTruth) -> SwitchingModel {
    let s = truth.transition.nrows();
    let n = truth.bias.len();
    SwitchingModel {
        weights: truth.weights.clone(),
        bias: Array2::from_shape_fn((s, n), |(_, i)| truth.bias[i]),
        chain: crate::hmm::HiddenChain::new(
            ndarray::Array1::from_elem(s, 1.0 / s as f64),
            truth.transition.clone(),
        )
        .unwrap(),
        kernel: truth.kernel.clone(),
        link: Link::Sigmoid,
        observation: Observation::Poisson,
        skip_bins: 0,
    }
}

fn tiny() -> SwitchingNetwork {
    SwitchingNetwork {
        states: 2,
        units: 5,
        trials: 3,
        bins: 70,
        stay: 0.9,
        ..SwitchingNetwork::default()
    }
}

#[test]
fn history_is_causal_and_weighs_lags_by_the_papers_kernel() {
    let kernel = exponential_kernel(5);
    let expected = [0.6364, 0.2341, 0.0861, 0.0317, 0.0117];
    for (k, e) in kernel.iter().zip(expected) {
        assert!((k - e).abs() < 5e-5, "{k} {e}");
    }
    let mut x = Array2::zeros((8, 1));
    x[[1, 0]] = 1.0;
    let c = convolved(x.view(), &kernel);
    // Nothing before the first bin, nothing in the bin of the spike itself.
    assert_eq!((c[[0, 0]], c[[1, 0]], c[[7, 0]]), (0.0, 0.0, 0.0));
    for (k, w) in kernel.iter().enumerate() {
        assert_eq!(c[[2 + k, 0]], *w);
    }
}

#[test]
fn history_does_not_pass_from_trial_to_trial() {
    let (counts, _) = planted(&tiny(), 1);
    let trials = design::Trials::of(&counts);
    let c = trials.history(&exponential_kernel(5));
    for rows in &counts.trials {
        assert!(c.row(rows.start).iter().all(|v| *v == 0.0));
        let alone = convolved(
            counts.trial(0).mapv(f64::from).view(),
            &exponential_kernel(5),
        );
        if rows.start == 0 {
            assert_eq!(c.slice(ndarray::s![rows.clone(), ..]), alone);
        }
    }
}

#[test]
fn links_and_their_inverses_agree_with_plain_formulas() {
    for link in [
        Link::Sigmoid,
        Link::Softplus,
        Link::Exp,
        Link::SqrtSoftplus,
        Link::LogSoftplus,
    ] {
        for rate in [0.02, 0.3, 0.9] {
            assert!(
                (link.of(link.inverse(rate)) / rate - 1.0).abs() < 1e-9,
                "{link:?} {rate}"
            );
        }
    }
    assert!((Link::Softplus.of(1.0) - (1.0 + 1f64.exp()).ln()).abs() < 1e-15);
    assert!((Link::LogSoftplus.of(1.0) - (1.0 + (1.0 + 1f64.exp()).ln()).ln()).abs() < 1e-15);
}

#[test]
fn emissions_equal_the_plain_sum() {
    let (counts, truth) = planted(&tiny(), 2);
    for link in [
        Link::Sigmoid,
        Link::Softplus,
        Link::Exp,
        Link::SqrtSoftplus,
        Link::LogSoftplus,
    ] {
        let mut model = truth_model(&truth);
        model.link = link;
        model.skip_bins = 2;
        let trials = design::Trials::of(&counts);
        let c = trials.history(&model.kernel);
        let joined = ndarray::Array3::from_shape_fn((2, 5, 6), |(s, i, j)| {
            if j < 5 {
                model.weights[[s, i, j]]
            } else {
                model.bias[[s, i]]
            }
        });
        let of = |single| {
            passes::passes(
                trials.clone(),
                &model.kernel,
                (link, Observation::Poisson),
                2,
                single,
                false,
            )
            .emissions(joined.view())
        };
        let (double, single) = (of(false), of(true));
        for t in 0..counts.n_bins() {
            for s in 0..2 {
                let mut plain = 0.0;
                for i in 0..5 {
                    let u = model.bias[[s, i]]
                        + model.weights.slice(ndarray::s![s, i, ..]).dot(&c.row(t));
                    let (f, x) = (link.of(u), counts.values[[t, i]]);
                    plain += f64::from(x) * f.ln()
                        - f
                        - statrs::function::gamma::ln_gamma(f64::from(x) + 1.0);
                }
                let skipped = counts
                    .trials
                    .iter()
                    .any(|r| t >= r.start && t < r.start + 2);
                let plain = if skipped { 0.0 } else { plain };
                assert!((double[[t, s]] - plain).abs() < 1e-12, "{link:?}");
                assert!((single[[t, s]] - plain).abs() < 2e-5, "{link:?}");
            }
        }
    }
}

#[test]
fn decoding_agrees_with_the_sum_over_all_paths() {
    let config = SwitchingNetwork {
        states: 3,
        units: 2,
        trials: 2,
        bins: 6,
        ..tiny()
    };
    let (counts, truth) = planted(&config, 3);
    let model = truth_model(&truth);
    let decoded = model.decode(&counts).unwrap();
    let trials = design::Trials::of(&counts);
    let c = trials.history(&model.kernel);
    for (trial, rows) in counts.trials.iter().enumerate() {
        let mut total = 0.0;
        let mut best = (f64::NEG_INFINITY, vec![]);
        for mut k in 0..3usize.pow(6) {
            let mut log = -(3f64.ln());
            let mut path = vec![];
            for t in rows.clone() {
                let s = k % 3;
                k /= 3;
                if let Some(last) = path.last() {
                    log += model.chain.transition()[[*last, s]].ln();
                }
                for i in 0..2 {
                    let u =
                        truth.bias[i] + truth.weights.slice(ndarray::s![s, i, ..]).dot(&c.row(t));
                    let (f, x) = (Link::Sigmoid.of(u), f64::from(counts.values[[t, i]]));
                    log += x * f.ln() - f - statrs::function::gamma::ln_gamma(x + 1.0);
                }
                path.push(s);
            }
            total += log.exp();
            if log > best.0 {
                best = (log, path);
            }
        }
        assert!((decoded.log_likelihood[trial] - total.ln()).abs() < 1e-10);
        let path = &model.viterbi(&counts).unwrap()[trial];
        assert_eq!(path.states, best.1);
        assert!((path.log_probability - best.0).abs() < 1e-10);
    }
    assert_eq!(decoded.n_counts, 24);
}

#[test]
fn states_are_named_by_most_bins_in_common() {
    let reference = [0, 0, 1, 1, 2, 2];
    assert_eq!(
        names_by(&reference, &[2, 2, 0, 0, 1, 1], 3).unwrap(),
        [1, 2, 0]
    );
    // A state that was never found takes the name left over.
    assert_eq!(
        names_by(&reference, &[1, 1, 1, 1, 0, 0], 3).unwrap(),
        [2, 0, 1]
    );
    assert!(names_by(&reference, &[3; 6], 3).is_err());
    assert!(names_by(&reference, &[0; 5], 3).is_err());
    let (_, truth) = planted(&tiny(), 1);
    let model = truth_model(&truth);
    let renamed = model.renamed(&[1, 0]).unwrap();
    assert_eq!(
        renamed.weights.index_axis(ndarray::Axis(0), 0),
        model.weights.index_axis(ndarray::Axis(0), 1)
    );
    assert_eq!(renamed.renamed(&[1, 0]).unwrap(), model);
    assert!(model.renamed(&[0, 0]).is_err());
}
