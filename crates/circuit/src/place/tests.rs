//! The kernel against the oracle and against closed forms; identities of the ensemble; what is refused.

use chiasm_core::{Cancelled, Quiet, Streams, Watch};
use ndarray::{Array3, ArrayView3, Axis, s};

use super::input::{Rates, Train};
use super::kernel::{Kernel, State};
use super::plastic::{Plastic, Rule};
use super::synapses::Synapses;
use super::*;
use oracle::Oracle;

mod oracle;
mod routes;
mod stored;

fn small() -> Config {
    Config {
        n_e: 12,
        places_per_module: 3,
        epochs: 2,
        label_presentations: 6,
        dt_ms: 0.25,
        ..Config::default()
    }
}

/// The same, driven so hard that neurons respond after hardly any training.
fn lively() -> Config {
    Config {
        w_sum: 300.0,
        rate_per_level_hz: 1.0,
        ..small()
    }
}

/// A module of 40 inputs that is driven hard.
fn driven(config: &Config) -> (Synapses, Vec<u8>) {
    let streams = Streams::new(4);
    let synapses = Synapses::draw(40, config, &streams);
    (synapses, (0..40).map(|i| 60 + 4 * i).collect())
}

#[test]
fn the_kernel_spikes_and_learns_as_the_oracle() {
    for (dt_ms, conductances, nu_pre) in [
        (0.25, Conductances::Euler, 1e-4),
        (0.5, Conductances::Exact, -2e-3),
        (0.1, Conductances::Euler, 2e-3),
    ] {
        let config = Config {
            dt_ms,
            conductances,
            nu_pre,
            rate_per_level_hz: 1.0,
            ..small()
        };
        let (synapses, image) = driven(&config);
        let mut oracle = Oracle::new(&synapses, &config);
        let mut ours = synapses.clone();
        let (rates, rule) = (Rates::new(&config), Rule::new(&config));
        let mut kernel = Kernel::new(&ours, State::start(40, 12), &config);
        let mut plastic = Plastic::new(&kernel, &rule, &ours);
        let mut total = 0;
        for image_idx in 0..4 {
            ours.normalize(20.0).unwrap();
            oracle.synapses.normalize(20.0).unwrap();
            let mut rng = Streams::new(9).indexed("image", image_idx);
            // Neurons stay hot over the short rest and turn cold in the long one.
            let rest = config.steps(if image_idx == 1 { 400.0 } else { 20.0 });
            let train = Train::draw(image.iter().copied(), config.steps(350.0), &rates, &mut rng);
            for (train, steps) in [(&train, config.steps(350.0)), (&Train::default(), rest)] {
                let (mut counts, mut expected) = (vec![0; 12], vec![0u8; 12]);
                kernel.learn(&mut ours, &mut plastic, &rule, (train, steps), &mut counts);
                for k in 0..steps {
                    let inputs: Vec<usize> = train.at(k).iter().map(|i| usize::from(*i)).collect();
                    for j in oracle.step(&inputs, true) {
                        expected[j] += 1;
                    }
                }
                assert_eq!(counts, expected, "image {image_idx} at {dt_ms} ms");
                total += counts.iter().map(|c| usize::from(*c)).sum::<usize>();
            }
            plastic.settle(&mut kernel.state.last_in);
            let furthest = |a: &[f64], b: &[f64]| {
                let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
                apart.fold(0.0, f64::max)
            };
            let apart = furthest(&ours.weights, &oracle.synapses.weights);
            assert!(apart < 1e-12, "weights differ by {apart:e}");
            assert!(furthest(&ours.theta, &oracle.synapses.theta) < 1e-12);
            assert!(furthest(&kernel.state.v_e, &oracle.v_e) < 1e-9);
            assert!(furthest(&kernel.state.gi_e, &oracle.gi_e) < 1e-9);
            // An epoch may end here: what is kept is all there is.
            let state = kernel.state.clone();
            kernel = Kernel::new(&ours, state, &config);
            plastic = Plastic::new(&kernel, &rule, &ours);
        }
        assert!(total > 40, "only {total} spikes");
        assert_ne!(ours.weights, synapses.weights);
    }
}

#[test]
fn listening_is_the_oracle_without_plasticity() {
    let config = Config {
        rate_per_level_hz: 1.0,
        ..small()
    };
    let (mut synapses, image) = driven(&config);
    synapses.normalize(20.0).unwrap();
    let mut oracle = Oracle::new(&synapses, &config);
    let mut kernel = Kernel::new(&synapses, State::start(40, 12), &config);
    let mut rng = Streams::new(2).stream("image");
    let steps = config.steps(700.0);
    let train = Train::draw(image.iter().copied(), steps, &Rates::new(&config), &mut rng);
    let (mut counts, mut expected) = (vec![0; 12], vec![0u8; 12]);
    kernel.listen(&synapses, &train, steps, &mut counts);
    for k in 0..steps {
        let inputs: Vec<usize> = train.at(k).iter().map(|i| usize::from(*i)).collect();
        for j in oracle.step(&inputs, false) {
            expected[j] += 1;
        }
    }
    assert_eq!(counts, expected);
    assert!(counts.iter().any(|c| *c > 0));
}

#[test]
fn a_conductance_decays_as_its_closed_form() {
    let config = Config {
        conductances: Conductances::Exact,
        n_e: 1,
        ..small()
    };
    let mut synapses = Synapses::draw(1, &config, &Streams::new(0));
    (synapses.weights[0], synapses.delays[0]) = (0.7, 8);
    let spike = Train::of(&[(3, 0)], 20);
    let none = Train::default();
    for (config, left) in [(&config, (-0.25f64).exp()), (&small(), 0.75)] {
        let mut kernel = Kernel::new(&synapses, State::start(1, 1), config);
        kernel.listen(&synapses, &spike, 12, &mut [0]);
        // It arrives at the end of step 3 + 8.
        for k in 0..100 {
            let expected = 0.7 * left.powi(k);
            assert!((kernel.state.ge_e[0] - expected).abs() < 1e-12, "{k}");
            kernel.listen(&synapses, &none, 1, &mut [0]);
        }
    }
}

#[test]
fn a_potential_under_constant_conductance_settles_at_its_closed_form() {
    let config = Config { n_e: 1, ..small() };
    let mut synapses = Synapses::draw(1, &config, &Streams::new(0));
    synapses.theta[0] = 1e9;
    for c in [0.0, 0.3, 2.0] {
        let mut kernel = Kernel::new(&synapses, State::start(1, 1), &config);
        for _ in 0..config.steps(3000.0) {
            kernel.state.ge_e[0] = c;
            kernel.listen(&synapses, &Train::default(), 1, &mut [0]);
        }
        let v = kernel.state.v_e[0];
        assert!((v + 65.0 / (1.0 + c)).abs() < 1e-9, "{v} at {c}");
    }
}

#[test]
fn weights_are_scaled_to_their_sum_and_spikes_keep_their_distance() {
    let config = Config::default();
    let mut synapses = Synapses::draw(784, &config, &Streams::new(3));
    assert!(synapses.delays.iter().all(|d| *d <= 100));
    assert!(synapses.weights.iter().all(|w| (0.003..0.303).contains(w)));
    synapses.normalize(78.0).unwrap();
    let worst = synapses
        .sums()
        .iter()
        .fold(0.0f64, |m, s| m.max((s - 78.0).abs()));
    assert!(worst < 1e-9, "{worst:e}");

    // Driven as hard as it gets, a neuron spikes 7 times in 350 ms, the timer's 50 ms apart.
    let config = Config {
        n_e: 1,
        rate_per_level_hz: 0.9,
        ..Config::default()
    };
    let mut synapses = Synapses::draw(784, &config, &Streams::new(3));
    synapses.weights.fill(1.0);
    let rates = Rates::new(&config);
    let mut rng = Streams::new(0).stream("white");
    let train = Train::draw([255; 784].into_iter(), 3500, &rates, &mut rng);
    let mut kernel = Kernel::new(&synapses, State::start(784, 1), &config);
    let (mut counts, mut steps) = ([0], vec![]);
    for k in 0..3500 {
        let part = Train::of(&train.at(k).iter().map(|i| (0, *i)).collect::<Vec<_>>(), 1);
        let before = counts[0];
        kernel.listen(&synapses, &part, 1, &mut counts);
        if counts[0] > before {
            steps.push(k);
        }
    }
    assert_eq!(counts, [7]);
    assert!(steps.windows(2).all(|w| w[1] - w[0] == 501), "{steps:?}");
}

#[test]
fn poisson_spikes_have_the_rate_of_their_pixel() {
    let config = Config::default();
    let rates = Rates::new(&config);
    let steps = 200_000;
    let mut rng = Streams::new(5).stream("rates");
    let levels = [0, 1, 40, 255];
    let train = Train::draw(levels.into_iter(), steps, &rates, &mut rng);
    let mut counts = [0.0; 4];
    for k in 0..steps {
        let mut last = None;
        for &i in train.at(k) {
            assert!(last < Some(i));
            last = Some(i);
            counts[usize::from(i)] += 1.0;
        }
    }
    assert_eq!(counts[0], 0.0);
    for (level, count) in levels.into_iter().zip(counts).skip(1) {
        let expected = f64::from(level) / 4.0 * 20.0;
        assert!(
            (count - expected).abs() < 4.0 * expected.sqrt(),
            "{level}: {count}"
        );
    }
}

/// Stops after some ticks.
struct Stops(std::sync::atomic::AtomicU64);

impl Watch for Stops {
    fn stage(&self, _: &str, _: u64) {}
    fn tick(&self, n: u64) {
        self.0.fetch_sub(n, std::sync::atomic::Ordering::SeqCst);
    }
    fn cancelled(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst) == 0
    }
}

/// Bars at places of their own, in two lights.
fn route(n: usize) -> [Array3<u8>; 2] {
    [200, 90].map(|level| {
        let images = Array3::from_shape_fn((n, 8, 8), |(p, row, column)| {
            if row == p % 8 || column == (p / 2) % 8 {
                level
            } else {
                20
            }
        });
        patch_normalized(&images).unwrap()
    })
}

fn views(route: &[Array3<u8>; 2]) -> [ArrayView3<'_, u8>; 2] {
    route.each_ref().map(|t| t.view())
}

#[test]
fn same_bits_on_any_threads_and_after_a_stop() {
    let route = route(9);
    let (streams, config) = (
        Streams::new(1),
        Config {
            epochs: 4,
            ..small()
        },
    );
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| Ensemble::train(&views(&route), &config, &streams, &Quiet).unwrap())
    };
    let whole = train(1);
    assert_eq!(whole, train(3));
    let mut learning = Learning::new(&views(&route), &config, &streams).unwrap();
    let stopped = learning.run(&views(&route), &streams, &Stops(5.into()));
    assert!(matches!(stopped, Err(PlaceError::Cancelled(Cancelled))));
    assert!(learning.epochs_left() > 0 && learning.epochs_left() < 12);
    assert!(learning.clone().finish().is_err());
    let mut resumed = learning;
    resumed.run(&views(&route), &streams, &Quiet).unwrap();
    assert_eq!(resumed.finish().unwrap(), whole);
}

#[test]
fn queries_do_not_depend_on_order_and_modules_not_on_their_place() {
    let route = route(9);
    let streams = Streams::new(1);
    let ensemble = Ensemble::train(&views(&route), &lively(), &streams, &Quiet).unwrap();
    let all = ensemble
        .listen_all(route[1].view(), &streams, &Quiet)
        .unwrap();
    assert!(all.iter().flatten().flatten().any(|c| *c > 0));
    let mut recognizer = ensemble.recognizer();
    for i in [7, 2, 2, 8] {
        let image = route[1].index_axis(Axis(0), i);
        let counts = recognizer
            .listen(image, &streams.child(&i.to_string()))
            .unwrap();
        assert_eq!(counts, all[i]);
    }
    // With carry-over, one by one is as all at once, and the order counts.
    let carried = Ensemble::train(
        &views(&route),
        &Config {
            carry_over: true,
            ..lively()
        },
        &streams,
        &Quiet,
    );
    let carried = carried.unwrap();
    let in_turn = carried
        .listen_all(route[1].view(), &streams, &Quiet)
        .unwrap();
    assert_eq!(in_turn[0], all[0]);
    assert_ne!(in_turn, all);
    let mut recognizer = carried.recognizer();
    for (i, counts) in in_turn.iter().enumerate() {
        let image = route[1].index_axis(Axis(0), i);
        assert_eq!(
            *counts,
            recognizer
                .listen(image, &streams.child(&i.to_string()))
                .unwrap()
        );
    }
    let mut turned = ensemble.modules().to_vec();
    turned.rotate_left(1);
    let turned = Ensemble::of(turned, (8, 8)).unwrap();
    let again = turned
        .listen_all(route[1].view(), &streams, &Quiet)
        .unwrap();
    for (counts, turned_counts) in all.iter().zip(&again) {
        let responses = ensemble.responses(counts, None);
        assert_eq!(responses, turned.responses(turned_counts, None));
    }
}

#[test]
fn a_threshold_of_0_changes_nothing_and_one_of_1_is_refused() {
    let route = route(6);
    let streams = Streams::new(1);
    let ensemble = Ensemble::train(&views(&route), &lively(), &streams, &Quiet).unwrap();
    let counts = ensemble
        .listen_all(route[0].view(), &streams, &Quiet)
        .unwrap();
    let active = Hyperactivity::of(&counts);
    assert_eq!(active.n_images, 6);
    assert_eq!(active.silenced(0).unwrap(), None);
    assert!(matches!(
        active.silenced(1),
        Err(PlaceError::AllSilenced { threshold: 1 })
    ));
    let all = active.silenced(7).unwrap();
    let nobody = all.iter().flatten().flatten().all(|s| !s);
    assert!(nobody);
    for counts in &counts {
        let plain = ensemble.responses(counts, None);
        assert_eq!(plain, ensemble.responses(counts, all.as_deref()));
    }
    // Images with a response count, not spikes.
    let most = active.n_responses.iter().flatten().max();
    assert!(most.is_some_and(|n| *n <= 6));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let [first, second] = route(6);
    let (streams, config) = (Streams::new(1), small());
    let train = |traverses: &[ArrayView3<'_, u8>], config: &Config| {
        Ensemble::train(traverses, config, &streams, &Quiet).unwrap_err()
    };
    let short = second.slice(s![..5, .., ..]);
    let message = train(&[first.view(), short], &config).to_string();
    assert_eq!(
        message,
        "traverse 1: expected 6 images as in traverse 0, found 5"
    );
    let narrow = second.slice(s![.., .., ..7]);
    assert!(matches!(
        train(&[first.view(), narrow], &config),
        PlaceError::Size { .. }
    ));
    assert!(matches!(train(&[], &config), PlaceError::NoImages));
    let none = first.slice(s![..0, .., ..]);
    assert!(matches!(train(&[none], &config), PlaceError::NoImages));
    let large = Config {
        places_per_module: 7,
        ..config.clone()
    };
    let error = train(&[first.view()], &large);
    assert!(matches!(
        error,
        PlaceError::TooFewPlaces {
            places: 6,
            per_module: 7
        }
    ));
    let mut flat = first.clone();
    flat.index_axis_mut(Axis(0), 4).fill(9);
    let constant = patch_normalized(&flat).unwrap_err();
    assert!(matches!(
        constant,
        PlaceError::Constant { image: 4, value: 9 }
    ));
    assert!(matches!(
        disjoint(&[1, 4], &[3, 4]),
        Err(PlaceError::Overlap { place: 4 })
    ));
    assert!(disjoint(&[1, 2], &[3]).is_ok());
    for (field, config) in [
        (
            "n_e",
            Config {
                n_e: 0,
                ..config.clone()
            },
        ),
        (
            "dt_ms",
            Config {
                dt_ms: f64::NAN,
                ..config.clone()
            },
        ),
        (
            "rest_ms",
            Config {
                rest_ms: 5.0,
                ..config.clone()
            },
        ),
        (
            "tau_gi_ms",
            Config {
                tau_gi_ms: 0.1,
                ..config.clone()
            },
        ),
        (
            "w_sum",
            Config {
                w_sum: f64::INFINITY,
                ..config.clone()
            },
        ),
        (
            "rate_per_level_hz",
            Config {
                rate_per_level_hz: 20.0,
                ..config.clone()
            },
        ),
        (
            "min_isi_ms",
            Config {
                min_isi_ms: -1.0,
                ..config.clone()
            },
        ),
    ] {
        let PlaceError::Setting(error) = train(&[first.view()], &config) else {
            panic!("{field} was not refused as a setting");
        };
        assert_eq!(error.field, field);
    }
    // Weights that only fall are gone at last.
    let falling = Config {
        nu_pre: -1.0,
        nu_post: -1.0,
        epochs: 20,
        w_sum: 300.0,
        ..config.clone()
    };
    let outcome = Ensemble::train(&[first.view()], &falling, &streams, &Quiet);
    assert!(
        matches!(outcome, Err(PlaceError::NoWeight { .. })),
        "{outcome:?}"
    );
    // A last block may be short.
    let five = first.slice(s![..5, .., ..]);
    let ensemble = Ensemble::train(&[five], &config, &streams, &Quiet).unwrap();
    assert_eq!(ensemble.short_block(), Some(2));
    let Err(error) = ensemble.listen_all(narrow, &streams, &Quiet) else {
        panic!("images of another size were taken");
    };
    assert!(matches!(error, PlaceError::Size { .. }));
}
