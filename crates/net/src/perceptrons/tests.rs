use chiasm_core::{Quiet, Streams};
use chiasm_data::generate::color_textures;
use ndarray::{Array2, Axis};

use super::*;
use crate::network::{Loss, Network, NetworkError, Supply, TrainingConfig};
use crate::train::Rule;

fn textures(n: usize) -> Pixels {
    Pixels::standardized(color_textures(n, &Streams::new(3)).unwrap())
}

#[test]
fn names_go_both_ways_and_bad_ones_are_refused() {
    for name in ["B_6-Wi_512", "B_12-Wi_1024-Ex_2", "S_1-Wi_16"] {
        let parsed: Perceptron = name.parse().unwrap();
        assert_eq!(parsed.to_string(), name);
        let json = serde_json::to_string(&parsed).unwrap();
        assert_eq!(serde_json::from_str::<Perceptron>(&json).unwrap(), parsed);
    }
    assert_eq!("B_2-Wi_64-Ex_4".parse(), Ok(Perceptron::bottleneck(2, 64)));
    for bad in [
        "",
        "B",
        "B_0-Wi_4",
        "B_6",
        "B_6-Wi_",
        "B_6-Wi_512-Ex",
        "B_6-Wi_512-Ex_4-Ex_4",
        "S_6-Wi_512-Ex_4",
        "C_6-Wi_512",
        "B_-6-Wi_512",
        "B_6-Wi_+5",
        "B_06-Wi_5",
        "B_6-Wi_99999",
        "B_6-Wi_512-Ex_65",
        "B_6 -Wi_512",
    ] {
        assert!(bad.parse::<Perceptron>().is_err(), "{bad}");
    }
}

#[test]
fn the_four_named_models_have_their_published_sizes() {
    // Card 53, B and works when 1: 64 x 64 color images, 11,230 classes.
    let inputs = 3 * 64 * 64;
    for (name, parameters) in [
        ("B_6-Wi_512", 24_657_374),
        ("B_12-Wi_512", 37_261_790),
        ("B_6-Wi_1024", 74_469_342),
        ("B_12-Wi_1024", 124_843_998),
    ] {
        let model: Perceptron = name.parse().unwrap();
        assert_eq!(model.parameters(inputs, 11_230), parameters, "{name}");
        let counted = count(inputs, &model.layers(11_230)).unwrap();
        assert_eq!(counted.parameters, parameters);
        assert_eq!(counted.multiply_adds, model.multiply_adds(inputs, 11_230));
        assert_eq!(counted.outputs, 11_230);
    }
}

#[test]
fn what_is_counted_is_what_is_made() {
    for name in ["B_2-Wi_5", "B_1-Wi_4-Ex_3", "S_3-Wi_7"] {
        let model: Perceptron = name.parse().unwrap();
        for layers in [model.layers(3), model.layers_without_norm(3)] {
            let network =
                Network::<f32>::new(12, &layers, &mut Streams::new(1).stream("s")).unwrap();
            let counted = count(12, &layers).unwrap();
            assert_eq!(
                counted.parameters,
                network.parameters().len() as u64,
                "{name}"
            );
            assert_eq!(counted.multiply_adds, model.multiply_adds(12, 3));
        }
        let with = count(12, &model.layers(3)).unwrap().parameters;
        assert_eq!(with, model.parameters(12, 3));
    }
    assert_eq!(
        Perceptron::standard(1, 2).compute(3, 2, 10.0),
        3.0 * 14.0 * 10.0
    );
}

#[test]
fn pixels_are_standardized_channel_by_channel() {
    let pixels = textures(20);
    let all: Vec<usize> = (0..20).collect();
    let rows: Array2<f64> = pixels.rows(&all);
    assert_eq!(rows.dim(), (20, 3072));
    for channel in 0..3 {
        let plane = rows.slice(ndarray::s![.., 1024 * channel..1024 * (channel + 1)]);
        let mean = plane.mean().unwrap();
        let sd = plane.mapv(|v| (v - mean).powi(2)).mean().unwrap().sqrt();
        assert!(mean.abs() < 1e-9 && (sd - 1.0).abs() < 1e-9);
    }
    let images = pixels.images().clone();
    assert!(Pixels::new(images.clone(), &[0.5], &[1.0]).is_err());
    assert!(Pixels::new(images.clone(), &[0.5; 3], &[0.0, 1.0, 1.0]).is_err());
    let fixed = Pixels::new(images, &CIFAR_MEAN, &CIFAR_SD).unwrap();
    let level = f64::from(fixed.images().pixels()[[4, 2, 3, 7]]);
    let expected = (level / 255.0 - CIFAR_MEAN[2]) / CIFAR_SD[2];
    let found = fixed.rows::<f64>(&[4])[[0, 2048 + 3 * 32 + 7]];
    assert!((found - expected).abs() < 1e-12);
}

fn seen(pixels: &Pixels, augmentation: Augmentation, epoch: usize) -> Array2<f64> {
    let supply = Augmented::new(pixels, augmentation, &Streams::new(5)).unwrap();
    let samples: Vec<usize> = (0..pixels.len()).collect();
    let mut rows = vec![0.0; pixels.len() * pixels.inputs()];
    Supply::<f64>::fill(&supply, epoch, 0, &samples, &mut rows);
    Array2::from_shape_vec((pixels.len(), pixels.inputs()), rows).unwrap()
}

#[test]
fn crops_and_flips_are_views_of_the_image() {
    let pixels = textures(40);
    let all: Vec<usize> = (0..40).collect();
    let plain: Array2<f64> = pixels.rows(&all);
    assert_eq!(seen(&pixels, Augmentation::default(), 0), plain);
    // A flip alone: each image is itself or its mirror, both occur.
    let flips = Augmentation {
        flip: true,
        ..Augmentation::default()
    };
    let flipped = seen(&pixels, flips, 0);
    let mirror = |i: usize| {
        let image = plain
            .row(i)
            .to_owned()
            .into_shape_with_order((3, 32, 32))
            .unwrap();
        let turned = image.slice(ndarray::s![.., .., ..;-1]).to_owned();
        turned
            .into_shape_with_order(3072)
            .unwrap_or_else(|_| unreachable!())
    };
    let turned = (0..40).filter(|i| flipped.row(*i) != plain.row(*i));
    let turned: Vec<usize> = turned.collect();
    assert!((5..35).contains(&turned.len()));
    for i in turned {
        let values: Vec<f64> = mirror(i).iter().copied().collect();
        assert_eq!(flipped.row(i).to_vec(), values);
    }
    // A padded crop is the image moved, with black beside it.
    let padded = Augmentation {
        crop: Crop::Padded { pixels: 4 },
        ..Augmentation::default()
    };
    let moved = seen(&pixels, padded, 1);
    for i in 0..10 {
        let at = |down: isize, right: isize| {
            (0..32isize).all(|y| {
                (0..32isize).all(|x| {
                    let (fy, fx) = (y + down, x + right);
                    let inside = (0..32).contains(&fy) && (0..32).contains(&fx);
                    let found = moved[[i, (y * 32 + x) as usize]];
                    let expected = match inside {
                        true => plain[[i, (fy * 32 + fx) as usize]],
                        false => pixels.value(0, 0),
                    };
                    found == expected
                })
            })
        };
        let any = (-4..=4).any(|down| (-4..=4).any(|right| at(down, right)));
        assert!(any, "image {i}");
    }
    // A resized crop lies within the image's range, and a whole one is the image.
    let resized = |least, aspect| Augmentation {
        crop: Crop::Resized { least, aspect },
        ..Augmentation::default()
    };
    let part = seen(&pixels, resized(0.08, 4.0 / 3.0), 2);
    assert_ne!(part, plain);
    for (a, b) in part.rows().into_iter().zip(plain.rows()) {
        let most = |r: ndarray::ArrayView1<'_, f64>| r.fold(f64::MIN, |a, b| a.max(*b));
        assert!(most(a) <= most(b) + 1e-9);
    }
    assert_eq!(seen(&pixels, resized(1.0, 1.0), 0), plain);
}

#[test]
fn what_is_drawn_depends_on_seed_epoch_and_image_alone() {
    let pixels = textures(30);
    let supply = Augmented::new(&pixels, Augmentation::LIGHT, &Streams::new(5)).unwrap();
    let fill = |epoch: usize, samples: &[usize]| {
        let mut rows = vec![0f32; samples.len() * pixels.inputs()];
        assert!(Supply::<f32>::fill(&supply, epoch, 0, samples, &mut rows).is_none());
        rows
    };
    let (first, other) = (fill(0, &[3, 7]), fill(0, &[9, 7, 3]));
    assert_eq!(first[..3072], other[2 * 3072..]);
    assert_ne!(fill(1, &[3, 7]), first);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(pool.install(|| fill(0, &[3, 7])), first);
}

#[test]
fn mixtures_are_between_two_images_of_the_batch() {
    let pixels = textures(8);
    let mixed = Augmentation {
        mixup: 0.8,
        ..Augmentation::default()
    };
    let supply = Augmented::new(&pixels, mixed, &Streams::new(5)).unwrap();
    let samples = [6, 1, 4];
    let mut rows = vec![0f64; 3 * 3072];
    let mix = Supply::<f64>::fill(&supply, 0, 4, &samples, &mut rows).expect("mixed");
    assert!((0.0..=1.0).contains(&mix.kept));
    let mut partners = mix.partners.clone();
    partners.sort_unstable();
    assert_eq!(partners, [1, 4, 6]);
    let plain: Array2<f64> = pixels.rows(&(0..8).collect::<Vec<_>>());
    for (i, row) in rows.chunks_exact(3072).enumerate() {
        for (j, v) in row.iter().enumerate().step_by(97) {
            let (own, other) = (plain[[samples[i], j]], plain[[mix.partners[i], j]]);
            assert!((v - (mix.kept * own + (1.0 - mix.kept) * other)).abs() < 1e-12);
        }
    }
}

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
    let mut training = training(1, 16).start(network.clone()).unwrap();
    let refused = training.epoch_of(&supply, &streams, &Quiet).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "samples, at least one batch: expected 16, found 10"
    );
    let mut fits = super::tests::training(1, 4).start(network).unwrap();
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

#[test]
fn a_planted_law_is_found_with_and_without_its_floor() {
    let law = |c: f64| 0.9 * (2.0 + c).powf(-0.4) + 0.2;
    let points: Vec<Point> = (0..20)
        .map(|i| 1.5f64.powi(i))
        .map(|c| Point {
            compute: 1e12 * c,
            error: law(c),
        })
        .collect();
    let found = ScalingLaw::fit(&points).unwrap();
    assert!(
        (found.alpha - 0.4).abs() < 0.02 && (found.floor - 0.2).abs() < 0.01,
        "{found:?}"
    );
    assert!(found.rms < 1e-4 && (found.at(4e12) - law(4.0)).abs() < 1e-3);
    let pure = ScalingLaw::fit_pure(&points).unwrap();
    assert!(pure.rms > 20.0 * found.rms && pure.floor == 0.0 && pure.b == 0.0);
    let interval = ScalingLaw::interval(&points, 10, &mut Streams::new(1).stream("draws")).unwrap();
    assert!(
        interval.alpha.0 <= 0.41 && interval.alpha.1 >= 0.39,
        "{interval:?}"
    );
    assert!(ScalingLaw::fit(&points[..3]).is_err());
    assert!(
        ScalingLaw::fit(
            &[Point {
                compute: 0.0,
                error: 0.1
            }; 5]
        )
        .is_err()
    );
    // A pure power law is a straight line.
    let straight: Vec<Point> = (1..9)
        .map(|i| Point {
            compute: f64::from(i),
            error: 0.8 * f64::from(i).powf(-0.3),
        })
        .collect();
    let (slope, r2) = power_law(&straight);
    assert!((slope + 0.3).abs() < 1e-9 && (r2 - 1.0).abs() < 1e-9);
}

#[test]
fn the_envelope_is_what_no_cheaper_point_betters() {
    let p = |compute, error| Point { compute, error };
    let found = envelope(&[
        p(3.0, 0.5),
        p(1.0, 0.9),
        p(2.0, 0.95),
        p(4.0, 0.6),
        p(5.0, 0.4),
    ]);
    assert_eq!(found, [p(1.0, 0.9), p(3.0, 0.5), p(5.0, 0.4)]);
}

#[test]
fn a_planted_split_is_found() {
    // Error a / N^.5 + b / D^.5 at C = N D: the best N and D go with the square root of compute.
    let runs: Vec<(f64, f64, Vec<Point>)> = (0..25)
        .map(|i| {
            let n = 1.4f64.powi(i);
            let course = (0..60).map(|j| {
                let d = 1.3f64.powi(j);
                Point {
                    compute: n * d,
                    error: n.powf(-0.5) + d.powf(-0.5),
                }
            });
            (n, n, course.collect())
        })
        .collect();
    let split = optimal_split(&runs, 40).unwrap();
    // At both ends of the range sizes run out.
    assert!(
        (split.parameters - 0.5).abs() < 0.12 && (split.images - 0.5).abs() < 0.12,
        "{split:?}"
    );
    assert!(optimal_split(&runs[..1], 40).is_none());
}
