//! Color images with labels for studies: CIFAR-10 where it lies on this machine, drawn textures where not.

use chiasm_core::Failure;
use chiasm_data::ColorImages;
use chiasm_data::datasets::Roots;
use chiasm_data::datasets::cifar::Cifar10;
use chiasm_data::generate::color_textures;
use chiasm_lab::Bench;
use chiasm_net::perceptrons::{CIFAR_MEAN, CIFAR_SD, Pixels};
use rand::seq::SliceRandom;

/// Images to learn from and, apart from them, to test on.
pub(crate) struct Photographs {
    pub(crate) train: Pixels,
    pub(crate) test: Pixels,
    /// What they are, for captions.
    pub(crate) name: String,
    pub(crate) is_cifar: bool,
}

impl Photographs {
    pub(crate) fn n_classes(&self) -> usize {
        self.train.images().classes().len()
    }

    /// All images of a part.
    pub(crate) fn all(part: &Pixels) -> Vec<usize> {
        (0..part.len()).collect()
    }
}

/// So many images, drawn anew for each seed, in an order that is as good as any: the first of them are a fair sample.
pub(crate) fn draw(images: &ColorImages, n: usize, bench: &Bench, name: &str) -> ColorImages {
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.shuffle(&mut bench.streams().child("images").stream(name));
    order.truncate(n);
    images.select(&order)
}

/// CIFAR-10 where it is asked for and lies on this machine, else drawn textures, of which a note says that they stand in:
/// so many images to learn from and to test on.
pub(crate) fn load(
    cifar: bool,
    (n_train, n_test): (usize, usize),
    bench: &mut Bench,
) -> Result<Photographs, Failure> {
    if cifar {
        match Cifar10::open(&Roots::from_env()) {
            Ok(found) => {
                let part = |images: &ColorImages, n: usize, name: &str| {
                    Pixels::new(draw(images, n, bench, name), &CIFAR_MEAN, &CIFAR_SD)
                };
                let (train, test) = (
                    part(&found.train, n_train, "train")?,
                    part(&found.test, n_test, "test")?,
                );
                let form = if found.is_jpeg { " (JPEG)" } else { "" };
                return Ok(Photographs {
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
    let train = color_textures(n_train, &streams.child("textures train"))?;
    let test = color_textures(n_test, &streams.child("textures test"))?;
    let (mean, sd) = Pixels::moments(&train);
    Ok(Photographs {
        train: Pixels::new(train, &mean, &sd)?,
        test: Pixels::new(test, &mean, &sd)?,
        name: "drawn textures".into(),
        is_cifar: false,
    })
}
