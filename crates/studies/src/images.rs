//! Images with labels for studies: a public data set where it lies on this machine, drawn digits where not.

use chiasm_core::Failure;
use chiasm_data::datasets::images::{ImageChunk, LabelledImages, Split};
use chiasm_data::datasets::{Roots, find};
use chiasm_data::generate::drawn_digits;
use chiasm_lab::Bench;
use ndarray::{Array2, s};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which images a study is run on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Images {
    /// MNIST, where it is found on this machine (`chiasm data get mnist`); drawn digits where not.
    #[default]
    Mnist,
    /// Fashion-MNIST, where it is found on this machine; drawn digits where not.
    FashionMnist,
    /// Digits of a few strokes.
    Drawn,
}

/// Images as rows of pixels from 0 to 1.
pub(crate) struct Part {
    /// `[image, pixel]`.
    pub(crate) pixels: Array2<f32>,
    /// For each image the index of its class, 0 to 9.
    pub(crate) labels: Vec<usize>,
}

/// Images to learn from and, apart from them, to test on.
pub(crate) struct Loaded {
    pub(crate) train: Part,
    pub(crate) test: Part,
    /// What they are, for captions.
    pub(crate) name: &'static str,
}

/// The first `n_train` images to learn from and the first `n_test` to test on; fewer where the data set has fewer. A note
/// says when drawn digits stand in.
pub(crate) fn load(
    which: Images,
    n_train: usize,
    n_test: usize,
    bench: &mut Bench,
) -> Result<Loaded, Failure> {
    let name = match which {
        Images::Mnist => "mnist",
        Images::FashionMnist => "fashion-mnist",
        Images::Drawn => return drawn(n_train, n_test, bench),
    };
    let open =
        |split| find(name).and_then(|set| LabelledImages::open(set, &Roots::from_env(), split));
    match (open(Split::Train), open(Split::Test)) {
        (Ok(train), Ok(test)) => Ok(Loaded {
            train: first(&train, n_train)?,
            test: first(&test, n_test)?,
            name: if name == "mnist" {
                "MNIST"
            } else {
                "Fashion-MNIST"
            },
        }),
        (Err(e), _) | (_, Err(e)) => {
            bench.note(format!("Drawn digits stand in for {name}: {e}."));
            drawn(n_train, n_test, bench)
        }
    }
}

fn first(set: &LabelledImages, n: usize) -> Result<Part, Failure> {
    match set.chunks(n.min(set.len()))?.next() {
        Some(chunk) => Ok(part(&chunk?)),
        None => Ok(part(&set.load()?)),
    }
}

fn drawn(n_train: usize, n_test: usize, bench: &Bench) -> Result<Loaded, Failure> {
    let (images, labels) = drawn_digits(n_train + n_test, bench.streams())?;
    let chunk = |from: usize, to: usize| ImageChunk {
        first: from,
        images: images.slice(s![from..to, .., ..]).to_owned(),
        labels: labels[from..to].to_vec(),
    };
    Ok(Loaded {
        train: part(&chunk(0, n_train)),
        test: part(&chunk(n_train, n_train + n_test)),
        name: "drawn digits",
    })
}

fn part(chunk: &ImageChunk) -> Part {
    let images = chunk.to_unit_range();
    let (n, rows, columns) = images.dim();
    let pixels = images.into_raw_vec_and_offset().0;
    Part {
        pixels: Array2::from_shape_vec((n, rows * columns), pixels).unwrap_or_default(),
        labels: chunk.labels.iter().map(|l| usize::from(*l)).collect(),
    }
}
