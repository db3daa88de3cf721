use chiasm_analysis::partition::adjusted_rand;
use chiasm_core::{Cancelled, Quiet, Streams, Watch};
use chiasm_data::generate::CellTypes;
use ndarray::{Array2, array};

use super::planted;
use crate::stimuli::{
    Config, Confusion, LinearNonlinear, Nonlinearity, Normalization, StimuliError, StimulusShape,
    Types,
};

/// The released toy: 42 neurons that respond to an 18 x 18 image with its mean, half of them with the opposite sign.
fn toy() -> (LinearNonlinear, Vec<usize>) {
    let labels: Vec<usize> = (0..42).map(|i| i % 2).collect();
    let filters = Array2::from_shape_fn((42, 324), |(i, _)| {
        let sign = if labels[i] == 0 { 1.0 } else { -1.0 };
        sign / 324.0
    });
    let shape = StimulusShape::image(18, 18);
    let model = LinearNonlinear::new(shape, filters, Nonlinearity::Identity);
    (model.unwrap(), labels)
}

fn fitted(config: &Config, seed: u64) -> Types {
    let (model, _) = toy();
    config
        .fit(
            &model,
            &Normalization::none(42),
            &Streams::new(seed),
            &Quiet,
        )
        .unwrap()
}

#[test]
fn the_toy_has_two_types_whatever_the_seed() {
    let (_, labels) = toy();
    for seed in 0..20 {
        for config in [Config::default(), Config::held_out()] {
            let config = Config {
                clusters: 5,
                ..config
            };
            let types = fitted(&config, seed);
            assert_eq!(types.n_clusters(), 2, "seed {seed}");
            assert_eq!(adjusted_rand(&labels, &types.labels).unwrap(), 1.0);
        }
    }
}

#[test]
fn the_toys_objective_goes_to_ln_2_as_its_amplitude_grows() {
    let of = |norm: f64| {
        let config = Config {
            clusters: 5,
            norm: Some(norm),
            step: 100.0 * norm,
            ..Config::default()
        };
        chiasm_core::stats::mean(&fitted(&config, 3).values)
    };
    let (small, large, huge) = (of(1.0), of(30.0), of(1000.0));
    assert!(small < large && large < huge, "{small} {large} {huge}");
    assert!((huge - 2f64.ln()).abs() < 1e-6);
}

#[test]
fn planted_types_are_found_by_neurons_held_out() {
    let config = Config {
        split: false,
        ..Config::held_out()
    };
    let mut sum = 0.0;
    for seed in 0..3 {
        let (truth, model, normalization) = planted(&CellTypes::default(), seed);
        let types = config
            .fit(&model, &normalization, &Streams::new(seed), &Quiet)
            .unwrap();
        sum += adjusted_rand(&truth.labels, &types.labels).unwrap();
        let sizes = types.sizes();
        assert_eq!(sizes.iter().sum::<usize>(), 96);
        assert!(sizes.iter().all(|&s| s > 0));
        assert!(types.values.iter().all(|&v| v <= (sizes.len() as f64).ln()));
    }
    assert!(sum / 3.0 > 0.9, "{sum}");
}

#[test]
fn the_split_stage_takes_apart_what_was_merged() {
    let (truth, model, normalization) = planted(&CellTypes::default(), 5);
    // All but two types are put together in pairs.
    let merged: Vec<usize> = truth.labels.iter().map(|&l| l / 2).collect();
    let fit = |config: &Config| {
        config
            .fit_from(
                &model,
                &normalization,
                merged.clone(),
                &Streams::new(5),
                &Quiet,
            )
            .unwrap()
    };
    let apart = Config::held_out();
    let types = fit(&apart);
    assert!(types.n_splits > 0);
    let without = fit(&Config {
        split: false,
        ..apart
    });
    assert_eq!(without.n_splits, 0);
    let ari = |t: &Types| adjusted_rand(&truth.labels, &t.labels).unwrap();
    assert!(
        ari(&types) > ari(&without) + 0.2,
        "{} {}",
        ari(&types),
        ari(&without)
    );
}

#[test]
fn bits_do_not_depend_on_threads_and_restarts_keep_the_best() {
    let (_, model, normalization) = planted(&CellTypes::default(), 6);
    let run = |threads: usize, config: &Config| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            config
                .fit(&model, &normalization, &Streams::new(6), &Quiet)
                .unwrap()
        })
    };
    let config = Config {
        clusters: 12,
        ..Config::held_out()
    };
    assert_eq!(run(1, &config), run(3, &config));
    let paper = Config {
        clusters: 12,
        ..Config::default()
    };
    assert_eq!(run(1, &paper), run(4, &paper));
    let more = Config {
        restarts: 3,
        ..config.clone()
    };
    assert!(run(2, &more).score >= run(2, &config).score);
}

#[test]
fn what_cannot_be_clustered_is_refused() {
    let (model, _) = toy();
    let none = Normalization::none(42);
    let fit = |config: Config| config.fit(&model, &none, &Streams::new(0), &Quiet);
    let many = fit(Config {
        clusters: 43,
        ..Config::default()
    });
    assert_eq!(
        many,
        Err(StimuliError::Clusters {
            found: 43,
            n_neurons: 42
        })
    );
    let one = Config {
        clusters: 1,
        ..Config::default()
    };
    assert_eq!(one.validate().unwrap_err().field, "clusters");
    assert!(fit(one).is_err());
    let cold = Config {
        temperature: 0.0,
        ..Config::default()
    };
    assert_eq!(cold.validate().unwrap_err().field, "temperature");
    let norm = Config {
        norm: Some(-1.0),
        ..Config::default()
    };
    assert_eq!(norm.validate().unwrap_err().field, "norm");
    let labels = Config::default().fit_from(&model, &none, vec![0, 1], &Streams::new(0), &Quiet);
    assert_eq!(
        labels,
        Err(StimuliError::PerNeuron {
            what: "labels",
            expected: 42,
            found: 2
        })
    );
    let lone = LinearNonlinear::new(
        StimulusShape::image(1, 2),
        array![[1.0, 0.0]],
        Nonlinearity::Relu,
    );
    let alone = Config::default().fit(
        &lone.unwrap(),
        &Normalization::none(1),
        &Streams::new(0),
        &Quiet,
    );
    assert_eq!(alone, Err(StimuliError::TooFewNeurons { found: 1 }));
}

#[test]
fn a_request_to_stop_is_heard() {
    struct Stopped;
    impl Watch for Stopped {
        fn stage(&self, _: &str, _: u64) {}
        fn tick(&self, _: u64) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (model, _) = toy();
    let stopped =
        Config::default().fit(&model, &Normalization::none(42), &Streams::new(0), &Stopped);
    assert_eq!(stopped, Err(StimuliError::Cancelled(Cancelled)));
}

#[test]
fn neurons_in_doubt_are_named_and_shares_sum_to_one() {
    let types = Types {
        shape: StimulusShape::image(1, 1),
        temperature: 1.6,
        labels: vec![0, 1, 1, 0],
        stimuli: array![[1.0], [-1.0]],
        responses: array![[5.0, 1.0, 3.0, 2.0], [1.0, 9.0, 3.5, 2.2]],
        values: vec![0.5, 0.5],
        iterations: vec![],
        converged: true,
        n_splits: 0,
        score: 0.5,
    };
    assert_eq!(types.margins(), [4.0, 8.0, 0.5, 2.0 - 2.2]);
    assert_eq!(types.ambiguous(1.0), [3, 2]);
    let shares = types.shares();
    assert!(
        shares
            .columns()
            .into_iter()
            .all(|c| (c.sum() - 1.0).abs() < 1e-12)
    );
    assert!(shares[[0, 0]] > 0.9 && (shares[[1, 2]] - 0.5).abs() < 0.1);
    let matrix = types.response_matrix();
    assert!((matrix[[0, 0]] - 1.0).abs() < 1e-12 && (matrix[[1, 1]] - 1.0).abs() < 1e-12);
    assert!((matrix[[1, 0]] - 1.6 / 3.5).abs() < 1e-12);
    assert_eq!(types.order().len(), 2);
    // Ties go to the first; a response to each stimulus is needed.
    let new = array![[1.0, 2.0], [1.0, 3.0]];
    assert_eq!(types.assign(new.view()).unwrap(), [0, 1]);
    assert!(types.assign(new.slice(ndarray::s![..1, ..])).is_err());
    let confusion = Confusion::new(&[0, 0, 1, 2], &[1, 1, 0, 1]).unwrap();
    assert_eq!(confusion.counts, array![[0, 2], [1, 0], [0, 1]]);
    assert_eq!(confusion.shares()[[0, 1]], 1.0);
    assert!(Confusion::new(&[0], &[]).is_err());
}
