//! The images: which ones, how they are parted, and how they become probabilities of spikes.

use chiasm_analysis::readout::check_disjoint;
use chiasm_circuit::reservoir::Stimuli;
use chiasm_core::{Failure, SettingError, Streams};
use chiasm_lab::Bench;
use ndarray::{ArrayView2, Axis};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, Normal};

use super::config::Config;
use crate::images;

/// One part of the images, coded.
pub(super) struct Part {
    pub(super) stimuli: Stimuli,
    pub(super) labels: Vec<usize>,
}

/// All parts.
pub(super) struct Data {
    pub(super) train: Part,
    pub(super) validation: Option<Part>,
    pub(super) test: Part,
    /// As many test images of each class, at most 100, with noise; and which of the test's they are.
    pub(super) noisy: Stimuli,
    pub(super) kernel: Vec<usize>,
    /// Whether these are the digits of MNIST.
    pub(super) is_mnist: bool,
    pub(super) name: &'static str,
    pub(super) classes: Vec<String>,
}

pub(super) fn data(config: &Config, bench: &mut Bench) -> Result<Data, Failure> {
    // A sixth of what is drawn is to validate.
    let n_drawn = (config.n_train * 6)
        .div_ceil(5)
        .max(6 * config.n_validation)
        + 6;
    let grey = images::load(config.images, (n_drawn, config.n_test), bench)?;
    let streams = bench.streams().child("images");
    let n = grey.train.labels.len();
    // As the authors part MNIST: those before the last sixth are to learn from, that sixth is to validate.
    let border = n - n / 6;
    let draw = |name, from: std::ops::Range<usize>, n: usize| {
        let mut all: Vec<usize> = from.collect();
        all.shuffle(&mut streams.stream(name));
        all.truncate(n);
        all
    };
    let train = draw("train", 0..border, config.n_train);
    let validation = draw("validation", border..n, config.n_validation);
    check_disjoint(&[("training", &train), ("validation", &validation)])?;
    let test = balanced(&grey.test.labels, config.n_test, &streams);
    // The scale of all that is to learn from, so that a smaller part is coded as the whole.
    let scale = scale(grey.train.pixels.view());
    let part = |of: &images::Part, rows: &[usize]| -> Result<Part, Failure> {
        let images = of.pixels.select(Axis(0), rows).mapv(f32::from);
        let (stimuli, _) = Stimuli::images(images.view(), Some(scale))?;
        let labels = rows.iter().map(|i| usize::from(of.labels[*i])).collect();
        Ok(Part { stimuli, labels })
    };
    let labels: Vec<u8> = test.iter().map(|i| grey.test.labels[*i]).collect();
    let mut kernel = vec![];
    for class in 0..10 {
        let of = (0..test.len()).filter(|i| labels[*i] == class);
        kernel.extend(of.take(100));
    }
    kernel.sort_unstable();
    let of: Vec<usize> = kernel.iter().map(|i| test[*i]).collect();
    let clean = grey.test.pixels.select(Axis(0), &of);
    Ok(Data {
        train: part(&grey.train, &train)?,
        validation: if validation.is_empty() {
            None
        } else {
            Some(part(&grey.train, &validation)?)
        },
        test: part(&grey.test, &test)?,
        noisy: noisy(clean.view(), config.noise, scale, &streams)?,
        kernel,
        is_mnist: grey.is_mnist(),
        name: grey.name,
        classes: grey.classes,
    })
}

/// As many of each class, in random order; all where that is what is asked for.
fn balanced(labels: &[u8], n: usize, streams: &Streams) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.shuffle(&mut streams.stream("test"));
    if n >= labels.len() {
        return order;
    }
    let mut left = [n / 10; 10];
    order.retain(|i| {
        let left = &mut left[usize::from(labels[*i]) % 10];
        let take = *left > 0;
        *left = left.saturating_sub(1);
        take
    });
    order
}

/// The greatest pixel of images that are divided by their sums.
fn scale(images: ArrayView2<'_, u8>) -> f32 {
    let of = |image: ndarray::ArrayView1<'_, u8>| {
        let sum: u64 = image.iter().map(|v| u64::from(*v)).sum();
        let most = image.iter().copied().max().unwrap_or(0);
        if sum > 0 {
            f64::from(most) / sum as f64
        } else {
            0.0
        }
    };
    images.outer_iter().map(of).fold(0.0, f64::max) as f32
}

/// The images with noise on their grey levels, which keep their range.
fn noisy(
    images: ArrayView2<'_, u8>,
    sd: f64,
    scale: f32,
    streams: &Streams,
) -> Result<Stimuli, Failure> {
    let mut rng = streams.stream("noise");
    let noise = Normal::new(0.0, sd.max(f64::MIN_POSITIVE))
        .map_err(|e| SettingError::new("noise", "a finite deviation", e))?;
    let noisy = images.mapv(|v| (f64::from(v) + noise.sample(&mut rng)).clamp(0.0, 255.0) as f32);
    Ok(Stimuli::images(noisy.view(), Some(scale))?.0)
}
