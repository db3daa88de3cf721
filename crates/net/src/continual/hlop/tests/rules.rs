//! What the training rules leave at each layer.

use chiasm_core::Streams;
use ndarray::Array2;

use super::super::network::cross_entropy;
use super::super::{Feedback, Layers, Network, Rule};
use super::normal;
use crate::continual::arrays::product;

fn layers(rule: Rule) -> Layers {
    Layers {
        hidden: vec![9, 7],
        rule,
        ..Layers::default()
    }
}

/// The weighted rate of a neuron's output is the clamp of its input's, up to what is left on the neuron.
#[test]
fn rates_are_clamped() {
    let layers = Layers {
        hidden: vec![1],
        steps: Some(200),
        ..Layers::default()
    };
    let mut network = Network::<f64>::new(&layers, 1, 2, &Streams::new(1)).unwrap();
    network.weights[0].fill(1.0);
    for (input, expected) in [(-2.0, 0.0), (0.0, 0.0), (1.7, 1.7), (4.4, 4.4), (9.0, 6.0)] {
        let x = Array2::from_elem((1, 1), input);
        let pass = network.pass(x.view(), &[0]).unwrap();
        // One spike left out or in too many weighs V_th over the sum of weights.
        assert!(
            (pass.layers[1].pre[[0, 0]] - expected).abs() < 0.35,
            "{input}"
        );
    }
}

/// All there is in the network at `dsr` but the spikes: rates that are clamped.
fn clamped(network: &Network<f64>, x: &Array2<f64>, labels: &[usize]) -> f64 {
    let mut rate = x.clone();
    let top = network.weights.len() - 1;
    for (layer, weights) in network.weights.iter().enumerate() {
        rate = product(rate.view(), weights.t());
        if layer < top {
            let most = network.thresholds[layer] / network.layers.step;
            rate.mapv_inplace(|v| v.clamp(0.0, most));
        }
    }
    cross_entropy(&rate, labels).0
}

/// With many fine steps spikes are the rates, and the gradients those of clamped rates by finite differences.
#[test]
fn dsr_descends_along_the_clamped_rates() {
    let streams = Streams::new(5);
    let layers = Layers {
        steps: Some(1000),
        step: 0.02,
        threshold: 0.002,
        spike_at: 0.5,
        ..layers(Rule::Dsr)
    };
    let mut network = Network::<f64>::new(&layers, 6, 3, &streams).unwrap();
    // Thresholds at which some neurons saturate: rates of at most .1.
    network.weights.iter_mut().for_each(|w| *w *= 1.5);
    let x = normal::<f64>(5, 6, &streams, "x") * 0.1;
    let labels = [0, 1, 2, 1, 0];
    let pass = network.pass(x.view(), &labels).unwrap();
    assert!((pass.loss - clamped(&network, &x, &labels)).abs() < 1e-3);
    let h = 1e-6;
    for layer in 0..3 {
        let local = &pass.layers[layer];
        let gradient = product(local.delta.t(), local.pre.view());
        let (mut wrong, mut all) = (0.0, 0.0);
        for i in 0..gradient.nrows() {
            for j in 0..gradient.ncols() {
                let mut moved = network.clone();
                let mut at = |by: f64| {
                    moved.weights[layer][[i, j]] = network.weights[layer][[i, j]] + by;
                    clamped(&moved, &x, &labels)
                };
                let slope = (at(h) - at(-h)) / (2.0 * h);
                wrong += (slope - gradient[[i, j]]).powi(2);
                all += slope * slope;
            }
        }
        assert!(
            all > 0.0 && (wrong / all).sqrt() < 0.05,
            "layer {layer}: {}",
            (wrong / all).sqrt()
        );
    }
    let mut moved = network.clone();
    moved.thresholds[0] += 1e-7;
    let slope = (clamped(&moved, &x, &labels) - clamped(&network, &x, &labels)) / 1e-7;
    // The code's step where the derivative has one over it.
    let expected = slope * layers.step * layers.step;
    assert!(expected.abs() > 0.0 && (pass.thresholds[0] - expected).abs() < 0.02 * expected.abs());
}

/// One neuron for two steps, back by hand.
#[test]
fn through_time_by_hand() {
    let layers = Layers {
        hidden: vec![1],
        rule: Rule::Bptt,
        steps: Some(2),
        ..Layers::default()
    };
    let mut network = Network::<f64>::new(&layers, 1, 2, &Streams::new(1)).unwrap();
    network.weights[0].fill(1.0);
    network.weights[1] = ndarray::array![[2.0], [-1.0]];
    let x = ndarray::array![[0.75]];
    // v = .75, no spike; v = .375 + .75 = 1.125, a spike.
    let pass = network.pass(x.view(), &[0]).unwrap();
    assert_eq!(pass.layers[1].pre.column(0).to_vec(), [0.0, 1.0]);
    // Scores 1 and -.5: the gradient of the first is p - 1.
    let p = 1.0 / (1.0 + (-1.5f64).exp());
    assert!((pass.loss + p.ln()).abs() < 1e-12);
    let at_spike = ((p - 1.0) * 2.0 - (1.0 - p)) / 2.0;
    let slope = |above: f64| {
        let s = 1.0 / (1.0 + (-4.0 * above).exp());
        4.0 * s * (1.0 - s)
    };
    let second = at_spike * slope(0.125);
    let first = at_spike * slope(-0.25) + 0.5 * second;
    assert!((pass.layers[0].delta[[0, 0]] - (first + second)).abs() < 1e-12);
}

/// The gradient that forward-in-time learning leaves, from its definition.
#[test]
fn forward_in_time_by_hand() {
    let layers = Layers {
        hidden: vec![1],
        rule: Rule::Ottt,
        steps: Some(3),
        ..Layers::default()
    };
    let mut network = Network::<f64>::new(&layers, 1, 2, &Streams::new(1)).unwrap();
    network.weights[0].fill(1.0);
    network.weights[1] = ndarray::array![[2.0], [-1.0]];
    let x = ndarray::array![[0.75]];
    let pass = network.pass(x.view(), &[0]).unwrap();
    // v = .75, 1.125 (a spike), then .0625 + .75. Scores 0 and 0 without the spike, 2 and -1 with it; a third of the loss at
    // each step.
    let p = [0.5, 1.0 / (1.0 + (-3.0f64).exp()), 0.5];
    assert!((pass.loss + p.map(f64::ln).iter().sum::<f64>() / 3.0).abs() < 1e-12);
    assert_eq!(pass.layers[1].pre.column(0).to_vec(), [0.0, 1.0, 0.5]);
    let slope = |above: f64| {
        let s = 1.0 / (1.0 + (-4.0 * above).exp());
        4.0 * s * (1.0 - s)
    };
    let error = |p: f64, above: f64| (p - 1.0) * slope(above);
    let expected = error(p[0], -0.25) + error(p[1], 0.125) + error(p[2], -0.1875);
    assert!((pass.layers[0].delta[[0, 0]] - expected).abs() < 1e-12);
}

#[test]
fn feedback_replaces_the_weights_on_the_way_back_alone() {
    let streams = Streams::new(6);
    let x = normal::<f64>(4, 6, &streams, "x");
    let pass = |feedback| {
        let layers = Layers {
            feedback,
            ..layers(Rule::Dsr)
        };
        let network = Network::<f64>::new(&layers, 6, 3, &streams).unwrap();
        (network.pass(x.view(), &[0, 1, 2, 0]).unwrap(), network)
    };
    let (own, network) = pass(Feedback::Symmetric);
    for feedback in [Feedback::Random, Feedback::Sign] {
        let (other, _) = pass(feedback);
        assert_eq!(
            (own.loss, &own.layers[2].delta),
            (other.loss, &other.layers[2].delta)
        );
        assert_ne!(own.layers[1].delta, other.layers[1].delta);
    }
    let signs = network.weights[2].mapv(|w| w.signum() / 7f64.sqrt());
    let (other, _) = pass(Feedback::Sign);
    let back = product(other.layers[2].delta.view(), signs.view());
    for (g, b) in other.layers[1].delta.iter().zip(&back) {
        assert!(*g == 0.0 || (g - b).abs() < 1e-12);
    }
}
