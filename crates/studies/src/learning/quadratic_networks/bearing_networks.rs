//! The convolutional networks that tell vibrations of bearings, and the windows that they are shown.

use chiasm_core::{Streams, stats};
use chiasm_data::vibration::Vibration;
use chiasm_net::network::{Layer, Network, NetworkError, Nonlinearity, Pooling, Window};
use chiasm_net::quadratic::from_ordinary;
use ndarray::Array2;

/// Samples of a window (card 34: 2,048).
pub(super) const WINDOW: usize = 2048;
/// Channels of every convolution.
const CHANNELS: usize = 16;

/// The network of the group's code for conditions so many: a wide window, five small ones, two dense layers; all
/// convolutions are followed by a batch norm, ReLU and a pool of two.
pub(super) fn layers(conditions: usize) -> Vec<Layer> {
    let mut samples = WINDOW;
    let mut layers = vec![];
    let windows = [(1, 64, 8, 28)].into_iter();
    let small = [1, 1, 1, 1, 0].map(|padding| (CHANNELS, 3, 1, padding));
    for (channels, size, stride, padding) in windows.chain(small) {
        let window = Window::along([channels, samples], size, stride, padding);
        let [_, places] = window.outputs();
        let pool = Window::along([CHANNELS, places], 2, 2, 0);
        [_, samples] = pool.outputs();
        layers.extend([
            Layer::convolution(window, CHANNELS),
            Layer::BatchNorm { channels: CHANNELS },
            Layer::Each(Nonlinearity::Relu),
            Layer::Pool {
                window: pool,
                pooling: Pooling::Max,
            },
        ]);
    }
    layers.extend(Layer::perceptron(&[20, conditions], Nonlinearity::Relu));
    layers
}

/// The same with quadratic convolutions, with the same outputs at first. The dense layers stay ordinary, as in the group's
/// code.
pub(super) fn squared(ordinary: &Network<f32>) -> Result<Network<f32>, NetworkError> {
    let all = from_ordinary(ordinary)?;
    let kept = all.layers().iter().zip(ordinary.layers());
    let layers: Vec<Layer> = kept
        .map(|(square, plain)| match plain {
            Layer::Dense { .. } => plain.clone(),
            _ => square.clone(),
        })
        .collect();
    // What is drawn here is overwritten.
    let mut rng = Streams::new(0).stream("as the ordinary one");
    let mut network = Network::new(WINDOW, &layers, &mut rng)?;
    for array in &mut network.parameters_mut().arrays {
        let sources = [ordinary, &all].map(|n| n.parameters().arrays.iter());
        let mut sources = sources.into_iter().flatten();
        if let Some(same) = sources.find(|a| a.name == array.name) {
            array.values.clone_from(&same.values);
        }
    }
    network.statistics_mut().clone_from(all.statistics());
    Ok(network)
}

/// Windows of one part of each signal, each of mean 0 and deviation 1, and the condition of each.
pub(super) fn windows(
    signals: &[Vibration],
    step: usize,
    part: impl Fn(&[f64]) -> &[f64],
) -> (Array2<f32>, Vec<usize>) {
    let (mut values, mut labels) = (vec![], vec![]);
    for (condition, signal) in signals.iter().enumerate() {
        for window in part(&signal.samples).windows(WINDOW).step_by(step) {
            let (mean, sd) = (stats::mean(window), stats::sd(window, 0));
            // A constant signal has no deviation.
            let scale = if sd > 0.0 { 1.0 / sd } else { 0.0 };
            values.extend(window.iter().map(|v| ((v - mean) * scale) as f32));
            labels.push(condition);
        }
    }
    let all = Array2::from_shape_vec((labels.len(), WINDOW), values);
    (all.expect("whole windows"), labels)
}

pub(super) fn cut(samples: &[f64], share: f64) -> (&[f64], &[f64]) {
    samples.split_at((samples.len() as f64 * share) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_is_that_of_the_groups_code() {
        let layers = layers(10);
        let ordinary = Network::new(WINDOW, &layers, &mut Streams::new(1).stream("s")).unwrap();
        // Convolutions, batch norms, dense layers.
        let convolutions = 65 * 16 + 5 * (49 * 16);
        let rest = 6 * 32 + 49 * 20 + 21 * 10;
        assert_eq!(ordinary.parameters().len(), convolutions + rest);
        let square = squared(&ordinary).unwrap();
        assert_eq!(square.parameters().len(), 3 * convolutions + rest);
        let x = Array2::from_shape_fn((3, WINDOW), |(i, j)| ((i * 7 + j) as f32 * 0.3).sin());
        let outputs = |n: &Network<f32>| n.outputs(x.view()).unwrap();
        assert_eq!(outputs(&ordinary), outputs(&square));
        assert_eq!(outputs(&square).dim(), (3, 10));
    }

    #[test]
    fn windows_to_learn_from_and_to_test_on_share_no_sample() {
        let signal = Vibration {
            condition: "a".into(),
            samples: (0..10_000).map(f64::from).collect(),
        };
        let (first, last) = cut(&signal.samples, 0.7);
        assert_eq!((first.len(), last.len()), (7000, 3000));
        assert!(first[6999] < last[0]);
        let signals = [signal.clone(), signal];
        let (x, labels) = windows(&signals, 1000, |s| cut(s, 0.7).0);
        // 0, 1000, 2000, 3000 and 4000 to 6047.
        assert_eq!(x.dim(), (10, WINDOW));
        assert_eq!(labels, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
        for row in x.rows() {
            let row: Vec<f64> = row.iter().map(|v| f64::from(*v)).collect();
            assert!(stats::mean(&row).abs() < 1e-6);
            assert!((stats::sd(&row, 0) - 1.0).abs() < 1e-5);
        }
        let (_, labels) = windows(&signals, 1000, |s| cut(s, 0.7).1);
        assert_eq!(labels, [0, 1]);
    }
}
