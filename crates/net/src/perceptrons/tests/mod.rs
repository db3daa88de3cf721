use chiasm_core::Streams;
use chiasm_data::generate::color_textures;
use ndarray::Array2;

use super::*;
use crate::network::Network;

mod augmentation;
mod scaling;
mod training;

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
