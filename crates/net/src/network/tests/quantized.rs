//! Activations in levels against their definition (paper 48): their gradient is no derivative that differences could find.

use chiasm_core::{Quiet, Streams};
use ndarray::Array2;

use super::super::{Layer, Network, Targets, Trace, TrainingConfig};
use super::network;
use crate::train::Rule;

fn quantized(levels: u32, scale: f64) -> Layer {
    Layer::Quantized { levels, scale }
}

/// The activation and its two derivatives.
fn defined(x: f64, levels: f64, scale: f64) -> (f64, f64, f64) {
    let h = scale * ((x * levels / scale + 0.5).floor() / levels).clamp(0.0, 1.0);
    let between = x > 0.0 && x < scale;
    let by_scale = match x {
        x if x >= scale => 1.0,
        _ if between => (h - x) / scale,
        _ => 0.0,
    };
    (h, f64::from(u8::from(between)), by_scale)
}

#[test]
fn values_and_gradients_are_those_of_the_definition() {
    // More numbers than a task takes, so that parts are added, and all ranges and ties among them.
    let n = 40_000;
    for (levels, scale) in [(1, 0.5), (3, 1.5), (4, 1.5), (8, 3.0)] {
        let net = network::<f64>(n, &[quantized(levels, scale)], 1);
        let x: Vec<f64> = (0..n).map(|i| (i as f64 / n as f64 - 0.25) * 4.0).collect();
        let mut trace = Trace::default();
        net.forward(&x, 1, &mut trace);
        let weights: Vec<f64> = (0..n).map(|i| 0.5 + (i % 7) as f64).collect();
        let mut gradients = net.no_gradients();
        let back = net.backward(&trace, weights.clone(), &mut gradients);
        let mut by_scale = 0.0;
        for (i, x) in x.iter().enumerate() {
            let (h, slope, of_scale) = defined(*x, f64::from(levels), scale);
            assert!((trace.output()[i] - h).abs() < 1e-12, "{x}");
            assert_eq!(back[i], slope * weights[i], "{x}");
            by_scale += of_scale * weights[i];
        }
        let found = gradients[0][0];
        assert!(
            (found - by_scale).abs() < 1e-9 * by_scale.abs(),
            "{found} {by_scale}"
        );
    }
}

#[test]
fn within_a_stack_the_gradient_passes_straight_through() {
    let layers = [Layer::dense(5), quantized(4, 0.4), Layer::dense(3)];
    let net = network::<f64>(4, &layers, 2);
    let x: Array2<f64> = super::drawn(6, 4, 3);
    let mut trace = Trace::default();
    net.forward(x.as_slice().unwrap(), 6, &mut trace);
    let outer: Vec<f64> = (0..18).map(|i| 0.2 - 0.1 * f64::from(i)).collect();
    let mut found = net.no_gradients();
    net.backward(&trace, outer.clone(), &mut found);
    let sums = net.activity(x.view(), 0).unwrap();
    let arrays = &net.parameters().arrays;
    let names: Vec<&str> = arrays.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(
        names,
        ["0.weight", "0.bias", "1.scale", "2.weight", "2.bias"]
    );
    let (mut scale, mut bias) = (0.0, [0.0; 5]);
    for row in 0..6 {
        for unit in 0..5 {
            let back: f64 = (0..3)
                .map(|o| outer[row * 3 + o] * arrays[3].values[unit * 3 + o])
                .sum();
            let (_, slope, of_scale) = defined(sums[[row, unit]], 4.0, 0.4);
            scale += back * of_scale;
            bias[unit] += back * slope;
        }
    }
    assert!((found[2][0] - scale).abs() < 1e-12 && scale != 0.0);
    for (found, expected) in found[1].iter().zip(bias) {
        assert!((found - expected).abs() < 1e-12);
    }
}

#[test]
fn training_moves_the_scale_and_keeps_it_above_zero() {
    let layers = [Layer::dense(6), quantized(4, 0.5), Layer::dense(2)];
    let x: Array2<f32> = super::drawn(64, 3, 4);
    let labels: Vec<usize> = x
        .rows()
        .into_iter()
        .map(|r| usize::from(r[0] > r[1]))
        .collect();
    let scale = |net: &Network<f32>| net.parameters().arrays[2].values[0];
    let trained = |config: TrainingConfig| {
        let mut training = config.start(network::<f32>(3, &layers, 5)).unwrap();
        let targets = Targets::Classes(&labels);
        training
            .finish(x.view(), targets, &Streams::new(6), &Quiet)
            .unwrap();
        training.into_network()
    };
    let config = TrainingConfig {
        epochs: 30,
        batch: 16,
        optimizer: Rule::Sgd { momentum: 0.9 },
        rate: 0.1,
        ..TrainingConfig::default()
    };
    let net = trained(config.clone());
    assert!((scale(&net) - 0.5).abs() > 0.01, "{}", scale(&net));
    let told = net.classify(x.view()).unwrap();
    let right = told.iter().zip(&labels).filter(|(a, b)| a == b).count();
    assert!(right > 55, "{right}");
    // A decay that overshoots.
    let gone = trained(TrainingConfig {
        epochs: 1,
        rate: 1.0,
        decay: 50.0,
        optimizer: Rule::Sgd { momentum: 0.0 },
        batch: 64,
        ..config
    });
    assert_eq!(scale(&gone), 1e-3);
}

#[test]
fn levels_and_scales_out_of_range_are_refused() {
    for (layer, field) in [
        (quantized(0, 1.0), "levels"),
        (quantized(1025, 1.0), "levels"),
        (quantized(4, 0.0), "scale"),
        (quantized(4, f64::NAN), "scale"),
    ] {
        let mut rng = Streams::new(1).stream("start");
        let refused = Network::<f32>::new(3, &[layer], &mut rng).unwrap_err();
        assert!(refused.to_string().contains(field), "{refused}");
    }
}
