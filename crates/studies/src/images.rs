//! Images with labels for studies: a public data set where it lies on this machine, drawn digits where not.

use chiasm_core::{Failure, SettingError};
use chiasm_data::datasets::images::{LabelledImages, Split};
use chiasm_data::datasets::{Roots, find};
use chiasm_data::generate::drawn_digits;
use chiasm_lab::Bench;
use ndarray::{Array2, Array3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which images a study is run on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Images {
    /// Handwritten digits, where they are found on this machine (`chiasm data get mnist`); drawn ones where not.
    #[default]
    Mnist,
    /// Articles of clothing, where they are found on this machine; drawn digits where not.
    FashionMnist,
    /// Digits drawn by a generator.
    Drawn,
}

/// One part of the images.
pub(crate) struct Part {
    /// Grey levels, `[image, pixel]`, 0 (background) to 255.
    pub(crate) pixels: Array2<u8>,
    /// For each image the index of its class.
    pub(crate) labels: Vec<u8>,
}

/// Images to learn from and, apart from them, to test on.
pub(crate) struct Found {
    pub(crate) train: Part,
    pub(crate) test: Part,
    /// What they are, for captions.
    pub(crate) name: &'static str,
    /// Names of the classes.
    pub(crate) classes: Vec<String>,
}

impl Found {
    /// Whether these are the digits of MNIST.
    pub(crate) fn is_mnist(&self) -> bool {
        self.name == "MNIST"
    }
}

/// All images of a data set, or so many drawn digits to learn from and to test on. A note says when these stand in.
pub(crate) fn load(
    which: Images,
    n_drawn: (usize, usize),
    bench: &mut Bench,
) -> Result<Found, Failure> {
    let (set, name) = match which {
        Images::Mnist => ("mnist", "MNIST"),
        Images::FashionMnist => ("fashion-mnist", "Fashion-MNIST"),
        Images::Drawn => return drawn(n_drawn, bench),
    };
    let roots = Roots::from_env();
    let open = |split| find(set).and_then(|set| LabelledImages::open(set, &roots, split));
    match (open(Split::Train), open(Split::Test)) {
        (Ok(train), Ok(test)) => Ok(Found {
            classes: train.classes().iter().map(|c| (*c).to_owned()).collect(),
            train: whole(&train)?,
            test: whole(&test)?,
            name,
        }),
        (Err(e), _) | (_, Err(e)) => {
            bench.note(format!("drawn digits stand in for {name}: {e}"));
            drawn(n_drawn, bench)
        }
    }
}

fn whole(set: &LabelledImages) -> Result<Part, Failure> {
    let all = set.load()?;
    part(all.images, all.labels)
}

fn drawn((n_train, n_test): (usize, usize), bench: &Bench) -> Result<Found, Failure> {
    let draw = |name, n| {
        let (images, labels) = drawn_digits(n, &bench.streams().child(name))?;
        part(images, labels)
    };
    Ok(Found {
        train: draw("drawn train", n_train)?,
        test: draw("drawn test", n_test)?,
        name: "drawn digits",
        classes: (0..10).map(|d| d.to_string()).collect(),
    })
}

fn part(images: Array3<u8>, labels: Vec<u8>) -> Result<Part, Failure> {
    let (n, rows, columns) = images.dim();
    let pixels = images.into_shape_with_order((n, rows * columns));
    let pixels = pixels.map_err(|e| SettingError::new("images", "whole images", e))?;
    Ok(Part { pixels, labels })
}
