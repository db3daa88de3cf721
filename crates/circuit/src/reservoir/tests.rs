use chiasm_core::rng::Rng;
use chiasm_core::{Quiet, Streams};
use ndarray::Array2;
use rand::RngExt;

use super::*;
use oracle::Plain;

mod oracle;

fn small(plasticity: Plasticity) -> Config {
    Config {
        n_inputs: 60,
        n_neurons: 120,
        grid: [4, 5, 6],
        // As many input synapses for each neuron as the full reservoir has.
        input_density: 0.9,
        sample_ms: 120,
        plasticity,
        ..Config::default()
    }
}

const ASTROCYTE: Plasticity = Plasticity::Astrocyte {
    w_a: 0.015,
    fraction: 1.0,
};
const GATED: Plasticity = Plasticity::Gated {
    threshold_hz: 3.0,
    band_hz: 2.5,
    weight: 1.0,
};

fn stimuli(config: &Config, n: usize, seed: u64) -> Stimuli {
    let mut rng: Rng = Streams::new(seed).stream("stimuli");
    let draw = |_| {
        if rng.random::<f32>() < 0.5 {
            0.0
        } else {
            0.4 * rng.random::<f32>()
        }
    };
    let values: Vec<f32> = (0..n * config.n_inputs).map(draw).collect();
    Stimuli::probabilities(Array2::from_shape_vec((n, config.n_inputs), values).unwrap()).unwrap()
}

#[test]
fn wiring_has_the_numbers_of_the_authors() {
    let reservoir = Reservoir::new(&Config::default(), &Streams::new(3)).unwrap();
    let (within, from_inputs) = reservoir.n_synapses();
    assert_eq!(from_inputs, 117_600);
    assert!((within as f64 - 16_500.0).abs() < 600.0, "{within}");
    // Each factor by itself: pairs of each kind, against the sum of their probabilities.
    let places = &reservoir.wiring.places;
    let mut expected = [0.0; 4];
    let kind = |i: usize| usize::from(i >= 800);
    for (i, a) in places.iter().enumerate() {
        for (j, b) in places.iter().enumerate() {
            let squared: u32 = (0..3).map(|k| a[k].abs_diff(b[k]).pow(2)).sum();
            if i != j {
                let pair = 2 * kind(i) + kind(j);
                expected[pair] += [0.2, 0.1, 0.3, 0.05][pair] * (-f64::from(squared) / 9.0).exp();
            }
        }
    }
    let mut found = [0.0; 4];
    for s in reservoir.synapses().filter(|s| s.source < 1000) {
        assert_ne!(s.source, s.target);
        assert_eq!(s.weight, if s.source < 800 { 3.0 } else { -3.0 });
        found[2 * kind(s.source as usize) + kind(s.target as usize)] += 1.0;
    }
    for (f, e) in found.iter().zip(expected) {
        // Five standard deviations of a Poisson count, which is wider than this sum's.
        assert!((f - e).abs() < 5.0 * e.sqrt(), "{found:?} {expected:?}");
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), 1000);
    let positive = reservoir
        .synapses()
        .filter(|s| s.source >= 1000 && s.weight > 0.0)
        .count();
    assert!((positive as f64 - 58_800.0).abs() < 5.0 * (117_600.0f64 / 4.0).sqrt());
}

/// The same spikes, weights, traces and astrocyte as the plain sum over all pairs, in the initialization and after.
fn matches_the_oracle(plasticity: Plasticity) -> usize {
    let config = small(plasticity);
    let streams = Streams::new(5);
    let inputs = stimuli(&config, 6, 11);
    let mut fast = Reservoir::new(&config, &streams).unwrap();
    let mut plain = Plain::new(&fast);
    let order = [0, 3, 1, 2, 4, 5, 0, 1];
    let found = fast.initialize(&inputs, &order, &streams, &Quiet).unwrap();
    if !matches!(plasticity, Plasticity::Fixed { .. }) {
        assert_eq!(found.astrocyte.len(), order.len());
        plain.initialize(&inputs, &order, &streams);
        assert_eq!(plain.weights(), fast.weights());
        assert!(found.reservoir_spikes.iter().sum::<u32>() > 50);
        let moved = fast
            .synapses()
            .filter(|s| s.weight.abs() < config.w_max as f32)
            .count();
        assert!(moved > 500, "{moved} weights changed");
    }
    let mut spikes = 0;
    for sample in 0..inputs.len() {
        let response = fast.respond(&inputs, sample, &streams).unwrap();
        let seen = plain.respond(&inputs, sample, &streams, fast.weights());
        assert_eq!(response.spikes, seen.spikes);
        assert_eq!(response.input_spikes, seen.input_spikes);
        assert_eq!(response.weights, seen.weights);
        for (a, b) in response.astrocyte.iter().zip(&seen.astrocyte) {
            assert!((a - b).abs() < 1e-14);
        }
        spikes += response.spikes.len();
    }
    spikes
}

#[test]
fn the_event_driven_step_is_the_plain_one() {
    let stdp = matches_the_oracle(Plasticity::Stdp);
    let astrocyte = matches_the_oracle(ASTROCYTE);
    assert!(matches_the_oracle(GATED) > 100);
    assert!(matches_the_oracle(Plasticity::Fixed { weight: 1.4 }) > 100);
    let half = Plasticity::Astrocyte {
        w_a: 0.1,
        fraction: 0.5,
    };
    assert!(matches_the_oracle(half) > 100);
    // Without an astrocyte activity climbs.
    assert!(astrocyte > 100 && stdp > astrocyte, "{stdp} {astrocyte}");
}

#[test]
fn counts_are_the_same_on_any_number_of_threads_and_sample_by_sample() {
    let config = small(ASTROCYTE);
    let streams = Streams::new(2);
    let inputs = stimuli(&config, 17, 4);
    let mut reservoir = Reservoir::new(&config, &streams).unwrap();
    let order: Vec<usize> = (0..17).collect();
    reservoir
        .initialize(&inputs, &order, &streams, &Quiet)
        .unwrap();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| reservoir.features(&inputs, &streams, &Quiet).unwrap())
    };
    let one = on(1);
    assert!(one.iter().any(|c| *c > 0));
    assert_eq!(one, on(3));
    for sample in [0, 9, 16] {
        let response = reservoir.respond(&inputs, sample, &streams).unwrap();
        assert_eq!(one.row(sample).to_vec(), response.counts);
    }
}

#[test]
fn weights_keep_their_bounds_and_spikes_their_distance() {
    for plasticity in [Plasticity::Stdp, ASTROCYTE] {
        let config = small(plasticity);
        let streams = Streams::new(8);
        let inputs = stimuli(&config, 20, 6);
        let mut reservoir = Reservoir::new(&config, &streams).unwrap();
        let order: Vec<usize> = (0..20).collect();
        reservoir
            .initialize(&inputs, &order, &streams, &Quiet)
            .unwrap();
        let response = reservoir.respond(&inputs, 3, &streams).unwrap();
        for (synapse, weight) in reservoir.synapses().zip(&response.weights) {
            let bounds = match synapse.source {
                0..96 => 0.0..=3.0,
                96..120 => -3.0..=0.0,
                _ => -3.0..=3.0,
            };
            assert!(bounds.contains(weight) && bounds.contains(&synapse.weight));
        }
        for (spikes, n) in [(&response.spikes, 120), (&response.input_spikes, 60)] {
            let mut last = vec![None; n];
            for &(t, i) in spikes {
                if let Some(last) = last[i as usize].replace(t) {
                    assert!(t - last >= 3, "neuron {i} at {last} and {t}");
                }
            }
        }
    }
}

#[test]
fn events_that_fall_into_rest_fire_later() {
    let config = small(Plasticity::Fixed { weight: 0.0 });
    let reservoir = Reservoir::new(&config, &Streams::new(1)).unwrap();
    // The event of step 0 fires at 1, that of 2 falls into rest and fires at 4, with that of 3; 5 falls into rest again.
    let events = vec![vec![(0, 7), (2, 7), (3, 7), (5, 7)]];
    let events = Stimuli::events(60, events).unwrap();
    let response = reservoir.respond(&events, 0, &Streams::new(1)).unwrap();
    assert_eq!(response.input_spikes, [(1, 7), (4, 7), (7, 7)]);
    assert!(response.spikes.is_empty());
}

#[test]
fn the_branching_factor_of_a_chain_is_known_by_hand() {
    let config = Config {
        excitatory: 1.0,
        // All connections that there can be, so that everyone is source and target of everyone else.
        connect: [1.0; 4],
        lambda: 1e6,
        n_neurons: 3,
        grid: [3, 1, 1],
        n_inputs: 1,
        ..Config::default()
    };
    let reservoir = Reservoir::new(&config, &Streams::new(0)).unwrap();
    assert_eq!(reservoir.n_synapses().0, 6);
    let mut response = Response {
        counts: vec![0; 3],
        spikes: vec![
            (50, 0),
            (52, 1),
            (54, 2),
            (55, 1),
            (120, 0),
            (124, 1),
            (129, 2),
            (223, 0),
        ],
        input_spikes: vec![],
        astrocyte: vec![0.0; 250],
        weights: vec![],
    };
    // 0 at 50: 1 and 2 follow (2) after none (1): 2; at 120: 1 follows: 1. Mean 1.5.
    // 1 at 52: 2 follows at 54 (its own spike at 55 does not count): 1 after 1: 1; at 55: none follows. At 124: none within
    // 4 ms follows. Mean 1/3.
    // 2 at 54: 1 at 55 follows, 0 and 1 went before: 1/2; at 129: none. Mean 1/4. The spike at 223 is out of the window.
    let expected = (1.5 + 1.0 / 3.0 + 0.25) / 3.0;
    let found = branching_factor(&reservoir, &response).unwrap();
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    response.spikes.clear();
    assert_eq!(branching_factor(&reservoir, &response), None);
    response.astrocyte.truncate(30);
    assert_eq!(branching_factor(&reservoir, &response), None);
}

#[test]
fn images_are_coded_by_sum_and_scale() {
    let images = ndarray::array![[1.0f32, 3.0], [10.0, 10.0]];
    let (coded, scale) = Stimuli::images(images.view(), None).unwrap();
    assert_eq!(scale, 0.75);
    let p = coded.as_probabilities().unwrap().to_owned();
    assert_eq!(
        p,
        ndarray::array![[0.25f32 / 0.75, 1.0], [0.5 / 0.75, 0.5 / 0.75]]
    );
    let (coded, _) = Stimuli::images(images.view(), Some(0.5)).unwrap();
    assert_eq!(coded.as_probabilities().unwrap()[[0, 1]], 1.0);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let refused = |e: Result<(), crate::CircuitError>| e.unwrap_err().to_string();
    let image = |values: Vec<f32>| {
        let images = Array2::from_shape_vec((2, 2), values).unwrap();
        refused(Stimuli::images(images.view(), None).map(|_| ()))
    };
    assert!(image(vec![1.0, 2.0, 0.0, 0.0]).contains("images.1"));
    assert!(image(vec![1.0, f32::NAN, 0.0, 1.0]).contains("images.0"));
    assert!(image(vec![1.0, 2.0, -1.0, 1.0]).contains("images.1"));
    let p = Array2::from_elem((1, 2), 1.5);
    assert!(refused(Stimuli::probabilities(p).map(|_| ())).contains("probabilities.0.0"));
    let late = Stimuli::events(3, vec![vec![(4, 0), (3, 1)]]);
    assert!(refused(late.map(|_| ())).contains("events.0"));
    let beyond = Stimuli::events(3, vec![vec![], vec![(4, 3)]]);
    assert!(refused(beyond.map(|_| ())).contains("events.1"));

    let field = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        config.validate().unwrap_err().field
    };
    assert_eq!(field(&|c| c.grid = [10, 10, 9]), "grid");
    assert_eq!(field(&|c| c.grid = [usize::MAX, 2, 1]), "grid");
    assert_eq!(field(&|c| c.n_inputs = 0), "n_inputs");
    assert_eq!(field(&|c| c.trace_decay = f64::NAN), "trace_decay");
    assert_eq!(field(&|c| c.tau_u_ms = 0.0), "tau_u_ms");
    for w_a in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let plasticity = Plasticity::Astrocyte { w_a, fraction: 1.0 };
        assert_eq!(
            field(&|c| c.plasticity = plasticity),
            "plasticity.astrocyte.w_a"
        );
    }
    let plasticity = Plasticity::Fixed { weight: 3.5 };
    assert_eq!(
        field(&|c| c.plasticity = plasticity),
        "plasticity.fixed.weight"
    );

    let config = small(ASTROCYTE);
    let mut reservoir = Reservoir::new(&config, &Streams::new(0)).unwrap();
    let other = Stimuli::probabilities(Array2::zeros((1, 61))).unwrap();
    let streams = Streams::new(0);
    let wrong = reservoir.features(&other, &streams, &Quiet).map(|_| ());
    assert!(refused(wrong).contains("expected samples of 60 inputs, found 61"));
    let inputs = stimuli(&config, 2, 0);
    assert!(refused(reservoir.respond(&inputs, 2, &streams).map(|_| ())).contains("below 2"));
    let mut weights = reservoir.weights().to_vec();
    weights[0] = -0.1;
    assert!(refused(reservoir.set_weights(weights)).contains("source 0"));
}

#[test]
fn a_recording_holds_every_spike_of_the_samples_in_turn() {
    let config = small(ASTROCYTE);
    let streams = Streams::new(2);
    let inputs = stimuli(&config, 3, 4);
    let reservoir = Reservoir::new(&config, &streams).unwrap();
    let labels = ["a".to_owned(), "b".to_owned()];
    let recording = reservoir
        .recording(&inputs, &[2, 0], &labels, &streams)
        .unwrap();
    let trains = &recording.spikes().unwrap().times;
    assert_eq!(trains.iter().map(Vec::len).sum::<usize>(), {
        let n = |sample| {
            reservoir
                .respond(&inputs, sample, &streams)
                .unwrap()
                .spikes
                .len()
        };
        n(2) + n(0)
    });
    let trials: Vec<_> = recording
        .epochs_of("trial")
        .map(|e| (e.label.as_str(), e.start_s))
        .collect();
    assert_eq!(trials, [("a", 0.0), ("b", 0.12)]);
    assert_eq!(recording.units()[119].kind.as_deref(), Some("inhibitory"));
}
