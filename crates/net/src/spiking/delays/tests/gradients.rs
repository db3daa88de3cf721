use chiasm_core::Streams;
use rand::RngExt;

use super::super::events::Event;
use super::super::gradients::Kept;
use super::super::kernel::Bump;
use super::super::network::DelayNetwork;
use super::super::neuron::Fire;
use super::super::{Config, Delays};
use super::oracle::{Plain, loss};

const STEPS: usize = 9;
const CHANNELS: usize = 4;
const SAMPLES: usize = 3;

fn config(delays: Delays, sparsity: f64) -> Config {
    Config {
        hidden: vec![5, 4],
        delays,
        max_delay_ms: 70.0,
        // Enough leak that what is kept from step to step matters.
        tau_ms: 20.0,
        sparsity,
        ..Config::default()
    }
}

/// Inputs with counts and analog values among them.
fn inputs() -> (Vec<Vec<Event>>, Vec<Plain>) {
    let mut rng = Streams::new(3).stream("inputs");
    let mut events = vec![vec![]; SAMPLES];
    let mut dense = vec![vec![vec![0.0; CHANNELS]; STEPS]; SAMPLES];
    for b in 0..SAMPLES {
        for (t, row) in dense[b].iter_mut().enumerate() {
            for (c, x) in row.iter_mut().enumerate() {
                if rng.random_bool(0.4) {
                    let value = [1.0f32, 2.0, -0.75][rng.random_range(0..3)];
                    events[b].push(Event::new(t, c, value));
                    *x = f64::from(value);
                }
            }
        }
    }
    (events, dense)
}

/// Every gradient against finite differences of the plain network whose resets stay where they are.
fn check(config: &Config, bump: Bump, dropped: bool) {
    let labels = [0, 2, 1];
    let mut network = DelayNetwork::<f64>::new(config, CHANNELS, 3, &Streams::new(8)).unwrap();
    for layer in &mut network.layers {
        if let Some(norm) = &mut layer.norm {
            for (j, (gain, shift)) in norm.gain.iter_mut().zip(&mut norm.shift).enumerate() {
                (*gain, *shift) = (0.8 + 0.1 * j as f64, 0.4 - 0.05 * j as f64);
            }
        }
    }
    let (events, dense) = inputs();
    let kept = dropped.then(|| Kept {
        neurons: vec![
            (0..SAMPLES * 5).map(|k| k % 4 != 1).collect(),
            (0..SAMPLES * 4).map(|k| k % 5 != 2).collect(),
        ],
        scale: 1.6,
    });
    let factor = |l: usize, b: usize, j: usize| match &kept {
        None => 1.0,
        Some(k) if k.neurons[l][b * config.hidden[l] + j] => k.scale,
        Some(_) => 0.0,
    };
    let samples: Vec<&[Event]> = events.iter().map(Vec::as_slice).collect();
    let found = network.clone().gradients(
        &samples,
        &labels,
        STEPS,
        bump,
        kept.as_ref(),
        Fire::Smooth {
            alpha: network.alpha,
        },
    );
    let mut resets = vec![];
    let plain = loss(&network, &dense, &labels, bump, &factor, &mut resets);
    assert!((found.loss - plain).abs() < 1e-9, "{} {plain}", found.loss);
    let n_resets = resets.iter().flatten().flatten().flatten();
    assert!(
        n_resets.filter(|r| **r).count() > 20,
        "resets are to be tested"
    );

    let h = 1e-5;
    let mut at = |change: &dyn Fn(&mut DelayNetwork<f64>, f64)| {
        let mut each = [-h, h].map(|h| {
            let mut moved = network.clone();
            change(&mut moved, h);
            loss(&moved, &dense, &labels, bump, &factor, &mut resets)
        });
        each.reverse();
        (each[0] - each[1]) / (2.0 * h)
    };
    let compare = |what: &str, found: f64, difference: f64| {
        let off = (found - difference).abs();
        assert!(
            off < 1e-7 + 1e-5 * difference.abs(),
            "{what}: {found} {difference}"
        );
    };
    let mut largest = [0.0f64; 2];
    for (l, gradients) in found.gradients.iter().enumerate() {
        for (s, g) in gradients.weights.iter().enumerate() {
            if network.layers[l].exists.get(s) == Some(&false) {
                assert_eq!((*g, gradients.positions[s]), (0.0, 0.0));
                continue;
            }
            let difference = at(&|n, h| n.layers[l].weights[s] += h);
            compare(&format!("weight {l} {s}"), *g, difference);
            largest[0] = largest[0].max(g.abs());
        }
        for (s, g) in gradients.positions.iter().enumerate() {
            // A rounded delay has no derivative; the position of a synapse that is not there has none either.
            if bump == Bump::Rounded || network.layers[l].exists.get(s) == Some(&false) {
                assert_eq!(*g, 0.0);
                continue;
            }
            let difference = at(&|n, h| n.layers[l].positions[s] += h);
            compare(&format!("position {l} {s}"), *g, difference);
            largest[1] = largest[1].max(g.abs());
        }
        for j in 0..gradients.gain.len() {
            let change = |n: &mut DelayNetwork<f64>, h: f64, gain: bool| {
                if let Some(norm) = &mut n.layers[l].norm {
                    let values = if gain {
                        &mut norm.gain
                    } else {
                        &mut norm.shift
                    };
                    values[j] += h;
                }
            };
            let difference = at(&|n, h| change(n, h, true));
            compare(&format!("gain {l} {j}"), gradients.gain[j], difference);
            let difference = at(&|n, h| change(n, h, false));
            compare(&format!("shift {l} {j}"), gradients.shift[j], difference);
        }
    }
    assert!(largest[0] > 1e-3 && (bump == Bump::Rounded || largest[1] > 1e-4));
}

#[test]
fn gradients_are_those_of_a_smooth_plain_network() {
    for sigma in [3.0, 0.8, 0.23] {
        check(&config(Delays::Learned, 0.0), Bump::Gauss { sigma }, false);
    }
}

#[test]
fn gradients_are_right_with_dropout_and_missing_synapses() {
    check(
        &config(Delays::Learned, 0.3),
        Bump::Gauss { sigma: 1.0 },
        true,
    );
}

#[test]
fn gradients_are_right_without_learned_delays() {
    check(&config(Delays::Fixed, 0.0), Bump::Rounded, true);
    check(&config(Delays::None, 0.0), Bump::Rounded, false);
}
