use chiasm_core::{Quiet, Streams};

use super::*;

fn error(config: &SwitchingGlm, counts: &Counts) -> SwitchingError {
    config.fit(counts, &Streams::new(0), &Quiet).unwrap_err()
}

fn quick() -> SwitchingGlm {
    SwitchingGlm {
        states: 2,
        restarts: 1,
        epochs: 2,
        one_hot_epochs: 1,
        ..SwitchingGlm::default()
    }
}

#[test]
fn counts_that_no_model_can_take_are_refused_by_name() {
    let (counts, truth) = planted(&tiny(), 1);
    let mut silent = counts.clone();
    silent.values.column_mut(3).fill(0);
    assert!(
        error(&quick(), &silent)
            .to_string()
            .contains("unit 3 (column 3)")
    );
    let long = SwitchingGlm {
        history_bins: 70,
        ..quick()
    };
    assert!(matches!(
        error(&long, &counts),
        SwitchingError::ShortTrial {
            trial: 0,
            needed: 70,
            found: 70
        }
    ));
    let many = SwitchingGlm {
        states: 211,
        ..quick()
    };
    assert!(matches!(
        error(&many, &counts),
        SwitchingError::FewBins {
            states: 211,
            bins: 210
        }
    ));
    let binary = SwitchingGlm {
        observation: Observation::Bernoulli,
        ..quick()
    };
    let mut two = counts.clone();
    two.values.mapv_inplace(|c| c.min(1));
    assert!(binary.fit(&two, &Streams::new(0), &Quiet).is_ok());
    two.values[[17, 2]] = 2;
    assert!(matches!(
        error(&binary, &two),
        SwitchingError::NotBinary {
            bin: 17,
            found: 2,
            ..
        }
    ));
    let mut empty = counts.clone();
    empty.values = Array2::zeros((210, 0));
    assert!(matches!(
        error(&quick(), &empty),
        SwitchingError::Empty { what: "unit" }
    ));
    empty = counts.clone();
    empty.trials.clear();
    assert!(matches!(
        error(&quick(), &empty),
        SwitchingError::Empty { what: "trial" }
    ));
    // Of another number of units than the model.
    let mut fewer = counts.clone();
    fewer.values = counts.values.slice(ndarray::s![.., ..4]).to_owned();
    let model = truth_model(&truth);
    assert!(matches!(
        model.decode(&fewer),
        Err(SwitchingError::Units {
            expected: 5,
            found: 4
        })
    ));
    let mut bent = model.clone();
    bent.bias = Array2::zeros((3, 5));
    assert!(matches!(
        bent.decode(&counts),
        Err(SwitchingError::Shape { .. })
    ));
    let mut nan = model;
    nan.weights[[0, 0, 0]] = f64::NAN;
    assert!(matches!(
        nan.decode(&counts),
        Err(SwitchingError::Shape { .. })
    ));
}

#[test]
fn settings_out_of_range_are_named() {
    let refused = |change: fn(&mut SwitchingGlm)| {
        let mut config = quick();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(refused(|c| c.states = 0), "states");
    assert_eq!(refused(|c| c.history_bins = 0), "history_bins");
    assert_eq!(refused(|c| c.kernel = Some(vec![1.0])), "kernel");
    assert_eq!(refused(|c| c.kernel = Some(vec![f64::NAN; 5])), "kernel");
    assert_eq!(
        refused(|c| {
            c.learn_kernel = true;
            c.kernel = Some(vec![0.0, 1.0, 0.0, 0.0, 0.0]);
        }),
        "kernel"
    );
    assert_eq!(
        refused(|c| {
            c.observation = Observation::Bernoulli;
            c.link = Link::Softplus;
        }),
        "link"
    );
    assert_eq!(refused(|c| c.prior_sd = 0.0), "prior_sd");
    assert_eq!(refused(|c| c.type_prior_weight = -1.0), "type_prior_weight");
    assert_eq!(refused(|c| c.none_states = -1.0), "none_states");
    assert_eq!(refused(|c| c.temperature = f64::NAN), "temperature");
    assert_eq!(refused(|c| c.stay = 1.0), "stay");
    assert_eq!(refused(|c| c.restarts = 0), "restarts");
    assert_eq!(refused(|c| c.start_sd = f64::INFINITY), "start_sd");
    assert_eq!(refused(|c| c.epochs = 0), "epochs");
    assert_eq!(refused(|c| c.one_hot_epochs = 0), "one_hot_epochs");
    assert_eq!(refused(|c| c.steps = 0), "steps");
    assert_eq!(refused(|c| c.learning_rate = 0.0), "learning_rate");
    assert_eq!(refused(|c| c.tolerance = f64::NAN), "tolerance");
}

#[test]
fn a_watch_that_cancels_ends_training() {
    struct Stop;
    impl chiasm_core::Watch for Stop {
        fn stage(&self, _: &str, _: u64) {}
        fn tick(&self, _: u64) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (counts, _) = planted(&tiny(), 1);
    let stopped = quick().fit(&counts, &Streams::new(0), &Stop);
    assert!(matches!(stopped, Err(SwitchingError::Cancelled(_))));
}

#[test]
fn an_exponential_link_that_runs_away_is_an_error_or_finite() {
    let (mut counts, _) = planted(&tiny(), 1);
    counts.values.mapv_inplace(|c| c * 4000);
    let config = SwitchingGlm {
        link: Link::Exp,
        learning_rate: 50.0,
        epochs: 10,
        coupling: Coupling::Free,
        ..quick()
    };
    match config.fit(&counts, &Streams::new(0), &Quiet) {
        Ok(fit) => assert!(fit.bound.is_finite()),
        Err(e) => assert!(
            matches!(
                e,
                SwitchingError::Diverged { .. } | SwitchingError::Chain(_)
            ),
            "{e}"
        ),
    }
}
