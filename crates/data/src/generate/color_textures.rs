//! Color textures in ten classes: a stand-in of CIFAR-10's shape for where that is not at hand, and nothing more.

use chiasm_core::{SettingError, Streams};
use ndarray::{Array4, s};
use rand::RngExt;
use rand_distr::StandardNormal;

use crate::ColorImages;

/// Rows and columns of an image.
const SIDE: usize = 32;
const CLASSES: usize = 10;

/// `n` images of `[3, 32, 32]` in ten classes in turn. A class is a direction of stripes (five) and a color (two); how fine the
/// stripes are, where they lie, their contrast, the light and the noise of each image come from a stream of its own. Told by a
/// line through the pixels they are to a part only, as the stripes may lie anywhere; no accuracy on them says anything about
/// photographs.
///
/// # Errors
/// [`SettingError`] for no image or more than a million.
pub fn color_textures(n: usize, streams: &Streams) -> Result<ColorImages, SettingError> {
    let expected = "1 to 1,000,000 images";
    SettingError::check((1..=1_000_000).contains(&n), "n", expected, n)?;
    let mut pixels = Array4::zeros((n, 3, SIDE, SIDE));
    let labels: Vec<usize> = (0..n).map(|i| i % CLASSES).collect();
    for (i, class) in labels.iter().enumerate() {
        let mut rng = streams.indexed("texture", i);
        let mut within = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
        let angle = std::f64::consts::PI * ((class % 5) as f64 / 5.0 + within(-0.04, 0.04));
        let cycles = within(2.0, 4.0);
        let phase = within(0.0, std::f64::consts::TAU);
        let (contrast, light) = (within(25.0, 60.0), within(90.0, 160.0));
        let hue = within(-0.6, 0.6) + if class / 5 == 0 { 0.5 } else { -0.5 };
        let (sin, cos) = angle.sin_cos();
        let mut image = pixels.slice_mut(s![i, .., .., ..]);
        for ((channel, row, column), level) in image.indexed_iter_mut() {
            let along = (column as f64 * cos + row as f64 * sin) / SIDE as f64;
            let wave = (std::f64::consts::TAU * cycles * along + phase).sin();
            // Red against blue.
            let tint = 30.0 * hue * [1.0, 0.0, -1.0][channel];
            let noise: f64 = rng.sample(StandardNormal);
            *level = (light + tint + contrast * wave + 20.0 * noise).clamp(0.0, 255.0) as u8;
        }
    }
    let names = (0..CLASSES).map(|c| {
        let color = if c / 5 == 0 { "red" } else { "blue" };
        format!("{color} {} degrees", 36 * (c % 5))
    });
    ColorImages::new(pixels, labels, names.collect())
        .map_err(|e| SettingError::new("n", "images that fit", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_images_whatever_their_number() {
        let draw = |n, seed| color_textures(n, &Streams::new(seed)).unwrap();
        let (few, many) = (draw(7, 1), draw(30, 1));
        assert_eq!(many.select(&[0, 1, 2, 3, 4, 5, 6]), few);
        assert_ne!(draw(7, 2), few);
        assert_eq!(many.labels()[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
        assert_eq!((many.shape(), many.classes().len()), ((3, 32, 32), 10));
        assert!(color_textures(0, &Streams::new(1)).is_err());
    }

    #[test]
    fn red_classes_are_redder_and_stripes_run_their_way() {
        let images = color_textures(200, &Streams::new(3)).unwrap();
        let mean = |i: usize, channel: usize| {
            let plane = images.pixels().slice(s![i, channel, .., ..]);
            plane.iter().map(|v| f64::from(*v)).sum::<f64>() / plane.len() as f64
        };
        let red = |class: usize| {
            let own = (0..200).filter(|i| images.labels()[*i] == class);
            own.map(|i| mean(i, 0) - mean(i, 2)).sum::<f64>()
        };
        assert!(red(0) > 0.0 && red(5) < 0.0);
        // Stripes of class 0 stand upright: rows are alike, columns are not.
        let apart = |down: bool| -> i64 {
            let each = (0..20).flat_map(|k| (0..31).map(move |j| (10 * k, j)));
            each.map(|(i, j)| {
                let a = images.pixels()[[i, 1, if down { j } else { 8 }, if down { 8 } else { j }]];
                let at = if down {
                    [i, 1, j + 1, 8]
                } else {
                    [i, 1, 8, j + 1]
                };
                (i64::from(a) - i64::from(images.pixels()[at])).abs()
            })
            .sum()
        };
        assert!(apart(false) > apart(true));
    }
}
