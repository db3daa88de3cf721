use chiasm_core::{Quiet, Streams};
use ndarray::Axis;

use super::textures;
use crate::network::{Loss, Network, NetworkError, TrainingConfig};
use crate::perceptrons::{
    Augmentation, Augmented, Crop, Perceptron, Reach, fine_tune, predict, predict_views,
};
use crate::train::Rule;

fn training(epochs: usize, batch: usize) -> TrainingConfig {
    TrainingConfig {
        epochs,
        batch,
        optimizer: Rule::LION,
        rate: 1e-3,
        loss: Loss::CrossEntropy { smoothing: 0.3 },
        ..TrainingConfig::default()
    }
}

#[test]
fn training_that_stopped_goes_on_to_the_same_bits() {
    let pixels = textures(50);
    let streams = Streams::new(2);
    let supply = Augmented::new(&pixels, Augmentation::PAPER, &streams).unwrap();
    let layers = Perceptron::bottleneck(1, 8).layers(10);
    let network = Network::<f32>::new(3072, &layers, &mut streams.stream("start")).unwrap();
    let mut whole = training(4, 20).start(network).unwrap();
    let mut kept = String::new();
    while !whole.done() {
        let epoch = whole.epoch_of(&supply, &streams, &Quiet).unwrap();
        assert!(epoch.loss.is_finite());
        if whole.epochs() == 2 {
            kept = serde_json::to_string(&whole).unwrap();
        }
    }
    let mut resumed: crate::network::Training<f32> = serde_json::from_str(&kept).unwrap();
    while !resumed.done() {
        resumed.epoch_of(&supply, &streams, &Quiet).unwrap();
    }
    assert_eq!(resumed, whole);
}

#[test]
fn an_epoch_of_images_as_they_are_is_one_of_their_rows() {
    let pixels = textures(30);
    let streams = Streams::new(2);
    let supply = Augmented::new(&pixels, Augmentation::default(), &streams).unwrap();
    let layers = Perceptron::standard(1, 6).layers(10);
    let network = Network::<f64>::new(3072, &layers, &mut streams.stream("start")).unwrap();
    let mut a = training(1, 7).start(network).unwrap();
    let mut b = a.clone();
    let rows = pixels.rows::<f64>(&(0..30).collect::<Vec<_>>());
    let targets = crate::network::Targets::Classes(pixels.images().labels());
    a.epoch(rows.view(), targets, &streams, &Quiet).unwrap();
    b.epoch_of(&supply, &streams, &Quiet).unwrap();
    assert_eq!(a, b);
}

#[test]
fn a_mixed_target_has_the_gradient_of_its_loss() {
    // One batch, no norm of rounding in the way: the step of plain descent against finite differences.
    let pixels = textures(4);
    let streams = Streams::new(8);
    let mixed = Augmentation {
        mixup: 0.8,
        ..Augmentation::default()
    };
    let supply = Augmented::new(&pixels, mixed, &streams).unwrap();
    let layers = Perceptron::bottleneck(1, 3).layers(10);
    let network = Network::<f64>::new(3072, &layers, &mut streams.stream("start")).unwrap();
    let config = TrainingConfig {
        optimizer: Rule::SGD,
        rate: 1e-9,
        ..training(1, 4)
    };
    let loss = |network: &Network<f64>| {
        let mut training = config.start(network.clone()).unwrap();
        let epoch = training.epoch_of(&supply, &streams, &Quiet).unwrap();
        (epoch.loss, training.into_network())
    };
    let (_, stepped) = loss(&network);
    for (array, at) in [(0, 5), (1, 2), (4, 20), (6, 7), (8, 11)] {
        let own = network.parameters().arrays[array].values[at];
        let gradient = (own - stepped.parameters().arrays[array].values[at]) / 1e-9;
        let moved = |by: f64| {
            let mut other = network.clone();
            other.parameters_mut().arrays[array].values[at] += by;
            loss(&other).0
        };
        let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!(
            (gradient - expected).abs() < 1e-4 * expected.abs().max(1e-2),
            "{array}: {gradient} {expected}"
        );
    }
}

#[test]
fn what_is_no_whole_batch_is_left_out_or_refused() {
    let pixels = textures(10);
    let streams = Streams::new(2);
    let layers = Perceptron::standard(1, 4).layers(10);
    let network = Network::<f32>::new(3072, &layers, &mut streams.stream("start")).unwrap();
    let supply = Augmented::new(&pixels, Augmentation::default(), &streams)
        .unwrap()
        .whole_batches();
    let mut few = training(1, 16).start(network.clone()).unwrap();
    let refused = few.epoch_of(&supply, &streams, &Quiet).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "samples, at least one batch: expected 16, found 10"
    );
    let mut fits = training(1, 4).start(network).unwrap();
    fits.epoch_of(&supply, &streams, &Quiet).unwrap();
    let bad = Augmented::new(&pixels, Augmentation::default(), &streams).unwrap();
    assert!(bad.clone().only(vec![10], vec![0]).is_err());
    assert!(bad.clone().only(vec![1, 2], vec![0]).is_err());
    let outside = bad.only(vec![1], vec![10]).unwrap();
    let error = fits.epoch_of(&outside, &streams, &Quiet).unwrap_err();
    assert!(
        matches!(error, NetworkError::Label { found: 10, .. }),
        "{error}"
    );
    for augmentation in [
        Augmentation {
            mixup: -1.0,
            ..Augmentation::default()
        },
        Augmentation {
            crop: Crop::Resized {
                least: 0.0,
                aspect: 1.0,
            },
            ..Augmentation::default()
        },
        Augmentation {
            crop: Crop::Resized {
                least: 0.5,
                aspect: 0.5,
            },
            ..Augmentation::default()
        },
        Augmentation {
            crop: Crop::Padded { pixels: 9999 },
            ..Augmentation::default()
        },
    ] {
        assert!(
            Augmented::new(&pixels, augmentation, &streams).is_err(),
            "{augmentation:?}"
        );
    }
}

#[test]
fn views_are_averaged_and_one_plain_view_is_the_prediction() {
    let pixels = textures(12);
    let streams = Streams::new(2);
    let layers = Perceptron::standard(1, 4).layers(10);
    let network = Network::<f64>::new(3072, &layers, &mut streams.stream("start")).unwrap();
    let all: Vec<usize> = (0..12).collect();
    let told = predict(&network, &pixels, &all).unwrap();
    assert!(
        told.sum_axis(Axis(1))
            .iter()
            .all(|s| (s - 1.0).abs() < 1e-12)
    );
    let plain = Augmented::new(&pixels, Augmentation::default(), &streams).unwrap();
    assert_eq!(predict_views(&network, &plain, 1, &Quiet).unwrap(), told);
    let light = Augmented::new(&pixels, Augmentation::LIGHT, &streams).unwrap();
    let views = |n| predict_views(&network, &light, n, &Quiet).unwrap();
    let apart = (&views(3) - &views(1)).mapv(f64::abs).sum();
    assert!(apart > 1e-6);
    assert!(predict_views(&network, &light, 0, &Quiet).is_err());
    let narrow = Network::<f64>::new(4, &layers, &mut streams.stream("start")).unwrap();
    assert!(predict(&narrow, &pixels, &all).is_err());
}

#[test]
fn a_probe_leaves_the_body_alone_and_a_new_head_has_its_classes() {
    let pixels = textures(40);
    let streams = Streams::new(2);
    let layers = Perceptron::bottleneck(1, 6).layers(10);
    let body = Network::<f32>::new(3072, &layers, &mut streams.stream("start")).unwrap();
    let supply = Augmented::new(&pixels, Augmentation::default(), &streams).unwrap();
    let (images, labels): (Vec<usize>, Vec<usize>) = (0..40).map(|i| (i, i % 2)).unzip();
    let supply = supply.only(images, labels).unwrap();
    let config = TrainingConfig {
        optimizer: Rule::Sgd { momentum: 0.9 },
        rate: 0.01,
        ..training(2, 10)
    };
    for (reach, stays) in [(Reach::Head, true), (Reach::Body(0.1), false)] {
        let mut rng = streams.stream("head");
        let mut tuned = fine_tune(&body, 2, reach, &config, &mut rng).unwrap();
        assert_eq!(tuned.network().n_outputs(), 2);
        while !tuned.done() {
            tuned.epoch_of(&supply, &streams, &Quiet).unwrap();
        }
        let (a, b) = (
            &tuned.network().parameters().arrays,
            &body.parameters().arrays,
        );
        assert_eq!(a[0].values == b[0].values, stays, "{reach:?}");
        assert_ne!(a[a.len() - 1].values.len(), b[b.len() - 1].values.len());
    }
    let none = fine_tune(
        &body,
        2,
        Reach::Body(0.0),
        &config,
        &mut streams.stream("head"),
    );
    assert!(none.is_err());
}
