//! What networks learn from and are tested on.

use chiasm_core::Failure;
use chiasm_data::ColorImages;
use chiasm_data::datasets::Roots;
use chiasm_data::datasets::cifar::Cifar10;
use chiasm_data::generate::color_textures;
use chiasm_lab::Bench;
use chiasm_net::perceptrons::{CIFAR_MEAN, CIFAR_SD, Pixels};
use rand::seq::SliceRandom;

use super::config::{Config, Source};

/// Images to learn from and, apart from them, to test on.
pub(super) struct Data {
    pub(super) train: Pixels,
    pub(super) test: Pixels,
    /// What they are, for captions.
    pub(super) name: String,
    pub(super) is_cifar: bool,
}

impl Data {
    pub(super) fn n_classes(&self) -> usize {
        self.train.images().classes().len()
    }

    /// All images of a part.
    pub(super) fn all(part: &Pixels) -> Vec<usize> {
        (0..part.len()).collect()
    }
}

/// So many images, drawn anew for each seed, in an order that is as good as any: the first of them are a fair sample.
pub(super) fn draw(images: &ColorImages, n: usize, bench: &Bench, name: &str) -> ColorImages {
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.shuffle(&mut bench.streams().child("images").stream(name));
    order.truncate(n);
    images.select(&order)
}

pub(super) fn load(config: &Config, bench: &mut Bench) -> Result<Data, Failure> {
    if config.source == Source::Cifar10 {
        match Cifar10::open(&Roots::from_env()) {
            Ok(found) => {
                let part = |images: &ColorImages, n: usize, name: &str| {
                    Pixels::new(draw(images, n, bench, name), &CIFAR_MEAN, &CIFAR_SD)
                };
                let (train, test) = (
                    part(&found.train, config.n_train, "train")?,
                    part(&found.test, config.n_test, "test")?,
                );
                let form = if found.is_jpeg { " (JPEG)" } else { "" };
                return Ok(Data {
                    train,
                    test,
                    name: format!("CIFAR-10{form}"),
                    is_cifar: true,
                });
            }
            Err(e) => bench.note(format!("Drawn textures stand in for CIFAR-10: {e}.")),
        }
    }
    let streams = bench.streams();
    let train = color_textures(config.n_train, &streams.child("textures train"))?;
    let test = color_textures(config.n_test, &streams.child("textures test"))?;
    let (mean, sd) = Pixels::moments(&train);
    Ok(Data {
        train: Pixels::new(train, &mean, &sd)?,
        test: Pixels::new(test, &mean, &sd)?,
        name: "drawn textures".into(),
        is_cifar: false,
    })
}
