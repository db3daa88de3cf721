use chiasm_core::{Quiet, Watch};

use super::*;

fn refused(values: &Array2<f64>) -> BiclusteringError {
    let method = Biclustering {
        states: 2,
        sweeps: 2,
        burn_in: 1,
        ..Biclustering::default()
    };
    match Counts::new(values.view()) {
        Ok(counts) => method
            .run(&counts, &[], &Streams::new(0), &Quiet)
            .unwrap_err(),
        Err(e) => e,
    }
}

#[test]
fn what_is_no_count_is_refused_by_place() {
    let good = Array2::from_shape_fn((5, 12), |(i, t)| ((i + t) % 3) as f64);
    for bad in [-1.0, 0.5, f64::INFINITY] {
        let mut values = good.clone();
        values[[3, 7]] = bad;
        let expected = BiclusteringError::NotACount {
            neuron: 3,
            bin: 7,
            found: bad,
        };
        assert_eq!(refused(&values), expected);
    }
    let mut silent = good.clone();
    silent.row_mut(2).fill(0.0);
    assert_eq!(
        refused(&silent),
        BiclusteringError::Silent {
            neuron: 2,
            bins: 12
        }
    );
    silent.row_mut(2).fill(f64::NAN);
    assert_eq!(
        refused(&silent),
        BiclusteringError::Unobserved {
            neuron: 2,
            bins: 12
        }
    );
    assert_eq!(
        refused(&Array2::ones((4, 2))),
        BiclusteringError::FewBins { found: 2 }
    );
    assert_eq!(
        refused(&Array2::ones((2, 9))),
        BiclusteringError::FewNeurons {
            latents: 2,
            found: 2
        }
    );
    assert_eq!(
        refused(&Array2::ones((1, 9))),
        BiclusteringError::FewNeurons {
            latents: 2,
            found: 1
        }
    );
    assert_eq!(
        refused(&Array2::ones((0, 9))),
        BiclusteringError::FewNeurons {
            latents: 0,
            found: 0
        }
    );
    let counts = Counts::new(Array2::ones((4, 5)).view()).unwrap();
    let many = Biclustering {
        states: 9,
        ..Biclustering::default()
    };
    let error = many.start(&counts, &Streams::new(0)).unwrap_err();
    assert_eq!(
        error,
        BiclusteringError::ManyStates {
            transitions: 4,
            found: 9
        }
    );
    assert!(counts.without(&[(9, 0)]).is_err());
    assert!(
        counts
            .without(&[(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)])
            .is_err()
    );
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let default = Biclustering::default;
    let all = [
        (
            "latents",
            Biclustering {
                latents: 0,
                ..default()
            },
        ),
        (
            "rho",
            Biclustering {
                rho: 1.0,
                ..default()
            },
        ),
        (
            "max_clusters",
            Biclustering {
                max_clusters: 0,
                ..default()
            },
        ),
        (
            "states",
            Biclustering {
                states: 0,
                ..default()
            },
        ),
        (
            "alpha",
            Biclustering {
                alpha: f64::NAN,
                ..default()
            },
        ),
        (
            "kappa",
            Biclustering {
                kappa: -1.0,
                ..default()
            },
        ),
        (
            "burn_in",
            Biclustering {
                burn_in: 2000,
                ..default()
            },
        ),
        (
            "thin",
            Biclustering {
                thin: 0,
                ..default()
            },
        ),
        (
            "dispersion",
            Biclustering {
                dispersion: Some(0.0),
                ..default()
            },
        ),
        (
            "search_every",
            Biclustering {
                search_every: 0,
                ..default()
            },
        ),
    ];
    for (field, config) in all {
        assert_eq!(config.validate().unwrap_err().field, field);
    }
    default().validate().unwrap();
}

#[test]
fn constant_counts_give_finite_draws() {
    // Nothing varies: no error, and nothing that is not finite.
    for level in [1.0, 40.0] {
        let counts = Counts::new(Array2::from_elem((4, 8), level).view()).unwrap();
        for observation in [Observation::NegativeBinomial, Observation::Poisson] {
            let method = Biclustering {
                observation,
                states: 2,
                sweeps: 30,
                burn_in: 10,
                ..Biclustering::default()
            };
            let chains = method.run(&counts, &[], &Streams::new(2), &Quiet).unwrap();
            let summary = method.summarize(&chains).unwrap();
            assert!(
                summary
                    .latents
                    .iter()
                    .all(|l| l.mean.iter().all(|v| v.is_finite()))
            );
        }
    }
}

struct Stopped;

impl Watch for Stopped {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, _: u64) {}
    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn chains_stop_on_request_and_do_not_take_others_counts() {
    let (counts, ..) = switching(2, 60, 1);
    let method = Biclustering {
        sweeps: 6,
        burn_in: 2,
        ..Biclustering::default()
    };
    let stopped = method
        .run(&counts, &[], &Streams::new(0), &Stopped)
        .unwrap_err();
    assert!(matches!(stopped, BiclusteringError::Cancelled(_)));
    let chains = method.start(&counts, &Streams::new(0)).unwrap();
    let (others, ..) = switching(2, 50, 1);
    let error = method
        .advance(&others, &[], chains.clone(), 6, &Streams::new(0), &Quiet)
        .unwrap_err();
    assert_eq!(
        error,
        BiclusteringError::OtherChain {
            chain: 0,
            what: "the number of bins"
        }
    );
    assert!(matches!(
        method.summarize(&chains),
        Err(BiclusteringError::FewDraws { .. })
    ));
    assert!(matches!(
        method.predictive(&chains),
        Err(BiclusteringError::FewDraws { .. })
    ));
}
