use chiasm_core::Streams;
use proptest::prelude::*;
use rand::RngExt;

use super::super::events::Event;
use super::super::kernel::{Bump, Kernels};
use super::super::layer::{arrivals, convolution, event_gradients, steps_after};
use super::super::network::DelayNetwork;
use super::super::{Config, DelaysError, Synapse};
use crate::Real;

/// A layer drawn at random and its input, as events and as activity `[step][channel]`.
struct Drawn<T> {
    weights: Vec<T>,
    positions: Vec<T>,
    events: Vec<Event<T>>,
    dense: Vec<T>,
}

fn draw<T: Real>(shape: (usize, usize), length: usize, steps: usize, seed: u64) -> Drawn<T> {
    let mut rng = Streams::new(seed).stream("layer");
    let half = (length / 2) as f64;
    let n = shape.0 * shape.1;
    let weights = (0..n).map(|_| T::of(rng.random_range(-1.0..1.0))).collect();
    let positions = (0..n)
        .map(|_| T::of(rng.random_range(-half..=half)))
        .collect();
    let mut events = vec![];
    let mut dense = vec![T::ZERO; steps * shape.0];
    for t in 0..steps {
        for c in 0..shape.0 {
            if rng.random_bool(0.2) {
                events.push(Event::new(t, c, T::ONE));
                dense[t * shape.0 + c] = T::ONE;
            }
        }
    }
    Drawn {
        weights,
        positions,
        events,
        dense,
    }
}

fn arrived<T: Real>(
    d: &Drawn<T>,
    shape: (usize, usize),
    length: usize,
    steps: usize,
    bump: Bump,
) -> Vec<T> {
    let kernels = Kernels::new(&d.weights, &d.positions, shape, length, bump);
    let mut out = vec![T::ZERO; steps_after(steps, length) * shape.1];
    arrivals(&kernels, &d.events, &mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn arrivals_are_the_convolution(
        shape in (1usize..6, 1usize..9), half in 0usize..9, steps in 1usize..70, seed in 0u64..1000, sigma in 0.0f64..6.0,
    ) {
        let length = 2 * half + 1;
        let d = draw::<f64>(shape, length, steps, seed);
        let plain = |bump| convolution(&d.weights, &d.positions, shape, length, bump, &d.dense).unwrap();
        // Whole delays: the same bits.
        let rounded = arrived(&d, shape, length, steps, Bump::Rounded);
        prop_assert_eq!(&rounded, &plain(Bump::Rounded));
        let bump = Bump::Gauss { sigma };
        for (a, b) in arrived(&d, shape, length, steps, bump).iter().zip(plain(bump)) {
            prop_assert!((a - b).abs() < 1e-12, "{} {}", a, b);
        }
        let d = draw::<f32>(shape, length, steps, seed);
        let plain = convolution(&d.weights, &d.positions, shape, length, bump, &d.dense).unwrap();
        for (a, b) in arrived(&d, shape, length, steps, bump).iter().zip(plain) {
            prop_assert!((a - b).abs() < 1e-5, "{} {}", a, b);
        }
    }

    #[test]
    fn gradients_of_events_are_the_transposed_convolution(
        shape in (1usize..6, 1usize..9), half in 0usize..9, steps in 1usize..70, seed in 0u64..1000, sigma in 0.0f64..6.0,
    ) {
        let length = 2 * half + 1;
        let d = draw::<f64>(shape, length, steps, seed);
        for bump in [Bump::Rounded, Bump::Gauss { sigma }] {
            let kernels = Kernels::new(&d.weights, &d.positions, shape, length, bump);
            let n = steps_after(steps, length) * shape.1;
            let grad: Vec<f64> = (0..n).map(|k| ((k * 7 + 3) % 11) as f64 - 5.0).collect();
            let found = event_gradients(&kernels, steps, &grad);
            // <grad, A x> = <A' grad, x> for the basis vectors x.
            for t in [0, steps / 2, steps - 1] {
                for c in 0..shape.0 {
                    let mut out = vec![0.0; n];
                    arrivals(&kernels, &[Event::new(t, c, 1.0)], &mut out);
                    let along: f64 = out.iter().zip(&grad).map(|(a, b)| a * b).sum();
                    prop_assert!((found[t * shape.0 + c] - along).abs() < 1e-10);
                }
            }
        }
    }
}

#[test]
fn a_shift_of_the_input_shifts_the_output() {
    let (shape, length, steps) = ((4, 6), 11, 20);
    let mut d = draw::<f64>(shape, length, steps, 1);
    let before = arrived(&d, shape, length, steps, Bump::Gauss { sigma: 2.0 });
    for e in &mut d.events {
        e.step += 7;
    }
    let after = arrived(&d, shape, length, steps + 7, Bump::Gauss { sigma: 2.0 });
    assert_eq!(before, after[7 * shape.1..]);
    assert!(after[..7 * shape.1].iter().all(|y| *y == 0.0));
}

#[test]
fn a_single_tap_without_delay_gives_back_the_input() {
    let (length, steps) = (25, 30);
    let mut d = draw::<f64>((1, 1), length, steps, 2);
    (d.weights[0], d.positions[0]) = (1.0, 12.0);
    let out = arrived(&d, (1, 1), length, steps, Bump::Rounded);
    assert_eq!(out[..steps], d.dense);
    assert_eq!(out.len(), steps + 12);
    assert!(out[steps..].iter().all(|y| *y == 0.0));
}

fn network<T: Real>() -> DelayNetwork<T> {
    let config = Config {
        hidden: vec![12, 9],
        max_delay_ms: 110.0,
        tau_ms: 25.0,
        ..Config::default()
    };
    let mut network = DelayNetwork::<T>::new(&config, 6, 3, &Streams::new(4)).unwrap();
    for layer in &mut network.layers {
        if let Some(norm) = &mut layer.norm {
            for (j, shift) in norm.shift.iter_mut().enumerate() {
                *shift = T::of(0.3 + 0.05 * j as f64);
            }
            norm.variance.fill(0.3);
            norm.mean.fill(0.1);
        }
    }
    network
}

/// The readout by whole-time sums and by ring buffers.
fn both<T: Real>() -> (Vec<T>, Vec<T>, usize) {
    let frozen = network::<T>().rounded();
    let d = draw::<f32>((6, 1), 1, 40, 9);
    let (batch, spikes) = frozen.run(&d.events, 40);
    let rings = frozen.play(&d.events, 40).unwrap().concat();
    (batch, rings, spikes.iter().map(Vec::len).sum())
}

#[test]
fn ring_buffers_give_the_bits_of_the_convolution() {
    let (batch, rings, n_spikes) = both::<f64>();
    assert!(n_spikes > 100, "{n_spikes}");
    assert_eq!(batch, rings);
    let sample = draw::<f32>((6, 1), 1, 40, 9).events;
    assert_eq!(network::<f64>().rounded().convolved(&sample, 40), rings);
    // And the convolution layer by layer, from the spikes that the network sent.
    let network = network::<f64>();
    let frozen = network.rounded();
    let d = draw::<f32>((6, 1), 1, 40, 9);
    let (_, spikes) = frozen.run(&d.events, 40);
    let steps = frozen.steps(40);
    let mut now: Vec<f64> = d.dense.iter().map(|x| f64::from(*x)).collect();
    for (l, layer) in network.layers.iter().enumerate() {
        let shape = (layer.n_in, layer.n_out);
        let (w, p) = (&layer.weights, &layer.positions);
        let currents = convolution(w, p, shape, network.length, Bump::Rounded, &now).unwrap();
        assert_eq!(currents.len(), steps[l + 1] * layer.n_out);
        let (scale, offset) = match &layer.norm {
            Some(norm) => norm.frozen(),
            None => (vec![1.0; layer.n_out], vec![0.0; layer.n_out]),
        };
        let mut state = vec![0.0; layer.n_out];
        let mut dense = vec![0.0; currents.len()];
        for (t, row) in currents.chunks(layer.n_out).enumerate() {
            for (j, x) in row.iter().enumerate() {
                let v = network.leak * state[j] + scale[j] * x + offset[j];
                let fires = layer.norm.is_some() && v >= 1.0;
                state[j] = if fires { 0.0 } else { v };
                dense[t * layer.n_out + j] = if layer.norm.is_some() {
                    f64::from(u8::from(fires))
                } else {
                    v
                };
            }
        }
        match spikes.get(l) {
            Some(sent) => {
                let mut expected = vec![0.0; dense.len()];
                for e in sent {
                    expected[e.step as usize * layer.n_out + e.channel as usize] = 1.0;
                }
                assert_eq!(dense, expected, "layer {l}");
            }
            None => assert_eq!(dense, rings),
        }
        now = dense;
    }
    let (batch, rings, _) = both::<f32>();
    for (a, b) in batch.iter().zip(&rings) {
        assert!((a - b).abs() <= 1e-5);
    }
}

#[test]
fn exported_synapses_are_the_network() {
    let frozen = network::<f64>().rounded();
    let synapses = frozen.synapses().unwrap();
    assert_eq!(synapses.len(), 6 * 12 + 12 * 9 + 9 * 3);
    assert!(synapses.iter().all(|s| s.delay < 11));
    assert_eq!(frozen.with_synapses(&synapses).unwrap().layers.len(), 3);
    let d = draw::<f32>((6, 1), 1, 40, 9);
    let again = frozen.with_synapses(&synapses).unwrap();
    assert_eq!(again.run(&d.events, 40), frozen.run(&d.events, 40));
    // A synapse less is another network.
    let fewer = frozen.with_synapses(&synapses[1..]).unwrap();
    assert_eq!(fewer.synapses().unwrap().len(), synapses.len() - 1);

    let refused = |change: &dyn Fn(&mut Synapse)| {
        let mut one = synapses[0];
        change(&mut one);
        frozen.with_synapses(&[one]).unwrap_err().to_string()
    };
    assert!(refused(&|s| s.delay = 11).contains("a delay below 11 steps, found 11"));
    assert!(refused(&|s| s.layer = 3).contains("one of 3 layers"));
    assert!(refused(&|s| s.post = 12).contains("6 neurons to 12"));
    assert!(refused(&|s| s.weight = f64::NAN).contains("a finite weight"));
    let soft = network::<f64>().soft(1.0);
    assert!(matches!(
        soft.synapses(),
        Err(DelaysError::NotRounded { width: 11 })
    ));
    assert!(soft.player().is_err());
    let mut player = frozen.player().unwrap();
    assert!(player.step(&[(6, 1.0)]).is_err());
    assert_eq!(player.step(&[(5, 1.0)]).unwrap().len(), 3);
}
