//! Images of drawn digits: a stand-in of MNIST's shape for where that is not at hand, and nothing more.

use chiasm_core::{SettingError, Streams};
use ndarray::{Array3, s};
use rand::RngExt;

/// Columns and rows of the letters below.
const WIDTH: usize = 5;
const HEIGHT: usize = 7;
/// The digits, row by row; the highest of five bits is the left column.
const DIGITS: [[u8; HEIGHT]; 10] = [
    [
        0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110,
    ],
    [
        0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
    ],
    [
        0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111,
    ],
    [
        0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110,
    ],
    [
        0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010,
    ],
    [
        0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110,
    ],
    [
        0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110,
    ],
    [
        0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000,
    ],
    [
        0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110,
    ],
    [
        0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100,
    ],
];
/// Rows and columns of an image.
const SIZE: usize = 28;

/// `n` images of the digits 0 to 9 in turn, `[image, row, column]`, 0 (background) to 255, and their labels. Each digit is
/// scaled, shifted, sheared and turned at random, from a stream of its own. They are easier to tell apart than handwriting:
/// no accuracy on them says anything about MNIST.
///
/// # Errors
/// [`SettingError`] for more than a million images.
pub fn drawn_digits(n: usize, streams: &Streams) -> Result<(Array3<u8>, Vec<u8>), SettingError> {
    SettingError::check(n <= 1_000_000, "n", "at most 1,000,000 images", n)?;
    let mut images = Array3::zeros((n, SIZE, SIZE));
    let labels: Vec<u8> = (0..n).map(|i| (i % 10) as u8).collect();
    for (i, label) in labels.iter().enumerate() {
        let mut rng = streams.indexed("digit", i);
        let mut within = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
        let (scale_x, scale_y) = (within(2.4, 3.4), within(2.4, 3.2));
        let (shift_x, shift_y) = (within(-2.0, 2.0), within(-2.0, 2.0));
        let (shear, angle) = (within(-0.35, 0.35), within(-0.2, 0.2));
        let ink = within(180.0, 255.0);
        let (sin, cos) = angle.sin_cos();
        let mut image = images.slice_mut(s![i, .., ..]);
        for ((row, column), grey) in image.indexed_iter_mut() {
            let center = (SIZE as f64 - 1.0) / 2.0;
            let (x, y) = (
                column as f64 - center - shift_x,
                row as f64 - center - shift_y,
            );
            let (x, y) = (cos * x + sin * y, cos * y - sin * x);
            let (x, y) = ((x + shear * y) / scale_x, y / scale_y);
            *grey = (ink * stroke(&DIGITS[usize::from(*label)], x, y)) as u8;
        }
    }
    Ok((images, labels))
}

/// Ink of a letter at a point from its center, in its own rows and columns, between them linearly.
fn stroke(letter: &[u8; HEIGHT], x: f64, y: f64) -> f64 {
    let (x, y) = (
        x + (WIDTH as f64 - 1.0) / 2.0,
        y + (HEIGHT as f64 - 1.0) / 2.0,
    );
    let at = |row: f64, column: f64| {
        let inside = row >= 0.0 && column >= 0.0 && row < HEIGHT as f64 && column < WIDTH as f64;
        let on = inside && (letter[row as usize] >> (WIDTH - 1 - column as usize)) & 1 == 1;
        f64::from(u8::from(on))
    };
    let (left, top) = (x.floor(), y.floor());
    let (right, down) = (x - left, y - top);
    let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
    let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
    upper * (1.0 - down) + lower * down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_has_ink_and_more_like_its_kind_than_others() {
        let (images, labels) = drawn_digits(400, &Streams::new(1)).unwrap();
        let (again, _) = drawn_digits(20, &Streams::new(1)).unwrap();
        assert_eq!(images.slice(s![..20, .., ..]), again);
        let distance = |a: usize, b: usize| -> f64 {
            let pair = images
                .slice(s![a, .., ..])
                .into_iter()
                .zip(images.slice(s![b, .., ..]));
            pair.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
                .sum()
        };
        let mut right = 0;
        for i in 0..100 {
            let ink: u64 = images
                .slice(s![i, .., ..])
                .iter()
                .map(|v| u64::from(*v))
                .sum();
            assert!(ink > 5_000, "image {i}");
            let nearest = (100..400).min_by(|a, b| distance(i, *a).total_cmp(&distance(i, *b)));
            right += usize::from(labels[nearest.unwrap()] == labels[i]);
        }
        // By their nearest neighbor: chance is 10.
        assert!(right > 70, "{right}");
        assert!(drawn_digits(1_000_001, &Streams::new(0)).is_err());
    }
}
