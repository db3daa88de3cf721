//! What a network says of images.

use chiasm_core::{SettingError, Streams, Watch};
use ndarray::{Array2, Axis};

use super::{Augmentation, Augmented, Pixels};
use crate::Real;
use crate::network::{Network, NetworkError, Supply, Trace};

/// Images worked on at once.
const CHUNK: usize = 512;

/// Probabilities of the classes, `[image, class]`, of these images as they are: the softmax of the outputs.
///
/// # Errors
/// A network with other inputs.
pub fn predict<T: Real>(
    network: &Network<T>,
    pixels: &Pixels,
    images: &[usize],
) -> Result<Array2<f64>, NetworkError> {
    fits(network, pixels.inputs())?;
    // Images as they are: streams are not drawn from.
    let plain = Augmented::new(pixels, Augmentation::default(), &Streams::new(0))?;
    Ok(told(network, images, |images, rows| {
        plain.see(0, images, rows)
    }))
}

/// The mean over `views` augmented views of the probabilities of the classes of a supply's images, `[image, class]` (paper 53,
/// E). Nothing is mixed.
///
/// # Errors
/// A network with other inputs; no view; work that was stopped.
pub fn predict_views<T: Real>(
    network: &Network<T>,
    supply: &Augmented<'_>,
    views: usize,
    watch: &dyn Watch,
) -> Result<Array2<f64>, NetworkError> {
    SettingError::check(views > 0, "views", "at least 1", views)?;
    fits(network, Supply::<T>::inputs(supply))?;
    let samples: Vec<usize> = (0..Supply::<T>::targets(supply).len()).collect();
    let mut mean = Array2::zeros((samples.len(), network.n_outputs()));
    for view in 0..views {
        watch.check()?;
        mean += &told(network, &samples, |samples, rows| {
            supply.see(view, samples, rows);
        });
    }
    mean /= views as f64;
    Ok(mean)
}

/// Share of these images whose class is the one of greatest probability.
///
/// # Errors
/// A network with other inputs.
pub fn accuracy<T: Real>(
    network: &Network<T>,
    pixels: &Pixels,
    images: &[usize],
) -> Result<f64, NetworkError> {
    let told = predict(network, pixels, images)?;
    let labels = pixels.images().labels();
    let right = told
        .axis_iter(Axis(0))
        .zip(images)
        .filter(|(p, image)| crate::network::largest(p.iter().copied()) == labels[**image]);
    Ok(right.count() as f64 / images.len().max(1) as f64)
}

fn fits<T: Real>(network: &Network<T>, inputs: usize) -> Result<(), NetworkError> {
    if network.n_inputs() == inputs {
        return Ok(());
    }
    Err(NetworkError::Shape {
        what: "inputs, columns",
        expected: network.n_inputs(),
        found: inputs,
    })
}

fn told<T: Real>(
    network: &Network<T>,
    images: &[usize],
    write: impl Fn(&[usize], &mut [T]),
) -> Array2<f64> {
    let classes = network.n_outputs();
    let mut all = Vec::with_capacity(images.len() * classes);
    let (mut trace, mut rows) = (Trace::default(), vec![]);
    for some in images.chunks(CHUNK) {
        rows.resize(some.len() * network.n_inputs(), T::ZERO);
        write(some, &mut rows);
        network.forward(&rows, some.len(), &mut trace);
        for logits in trace.output().chunks_exact(classes) {
            let top = logits
                .iter()
                .fold(T::neg_infinity(), |a, b| if *b > a { *b } else { a });
            let exp: Vec<f64> = logits.iter().map(|l| (*l - top).wide().exp()).collect();
            let sum: f64 = exp.iter().sum();
            all.extend(exp.iter().map(|e| e / sum));
        }
    }
    Array2::from_shape_vec((images.len(), classes), all).expect("a row for each image")
}
