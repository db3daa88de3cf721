//! Patch normalization, and what is done without neurons: comparing pixels.

use ndarray::{Array3, ArrayView2, ArrayView3, Axis};

use super::PlaceError;

/// Half of the window's width less its center: 7 x 7 pixels.
const REACH: usize = 3;

/// Each pixel less the mean of its 7 x 7 neighborhood, over that neighborhood's standard deviation; clipped to -1 to 1 and
/// mapped to 0 to 255. At the borders the neighborhood is cut; where it has one value the pixel becomes 127.
///
/// Images are `[place, row, column]`.
///
/// # Errors
/// [`PlaceError::Constant`] for an image whose pixels are all alike.
pub fn patch_normalized(images: &Array3<u8>) -> Result<Array3<u8>, PlaceError> {
    let (n, rows, columns) = images.dim();
    for (image, pixels) in images.axis_iter(Axis(0)).enumerate() {
        let mut values = pixels.iter();
        if let Some(&value) = values.next()
            && values.all(|v| *v == value)
        {
            return Err(PlaceError::Constant { image, value });
        }
    }
    Ok(Array3::from_shape_fn(
        (n, rows, columns),
        |(image, y, x)| {
            let rows = y.saturating_sub(REACH)..(y + REACH + 1).min(rows);
            let columns = x.saturating_sub(REACH)..(x + REACH + 1).min(columns);
            let patch = images.slice(ndarray::s![image, rows, columns]);
            let count = patch.len() as f64;
            let mean = patch.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
            let squares = patch.iter().map(|v| (f64::from(*v) - mean).powi(2));
            let sd = (squares.sum::<f64>() / count).sqrt();
            let value = if sd > 0.0 {
                ((f64::from(images[[image, y, x]]) - mean) / sd).clamp(-1.0, 1.0)
            } else {
                0.0
            };
            (255.0 * (1.0 + value) / 2.0) as u8
        },
    ))
}

fn similarity(
    query: ArrayView2<'_, u8>,
    references: &[ArrayView3<'_, u8>],
    distance: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let n_places = references.first().map_or(0, |r| r.dim().0);
    let to = |image: ArrayView2<'_, u8>| -> f64 {
        let pairs = query.iter().zip(image.iter());
        pairs
            .map(|(a, b)| distance(f64::from(*a) - f64::from(*b)))
            .sum()
    };
    let place = |p: usize| {
        let all = references.iter().map(|r| to(r.index_axis(Axis(0), p)));
        1.0 / (1.0 + all.fold(f64::INFINITY, f64::min))
    };
    (0..n_places).map(place).collect()
}

/// Sum of absolute differences: for every place `1 / (1 + sum)`, of the traverse that is nearest.
///
/// Query `[row, column]`, references `[place, row, column]`, all of one size.
#[must_use]
pub fn sad(query: ArrayView2<'_, u8>, references: &[ArrayView3<'_, u8>]) -> Vec<f64> {
    similarity(query, references, f64::abs)
}

/// As [`sad`], by the sum of squared differences: the nearest neighbor, pixel by pixel.
#[must_use]
pub fn nearest(query: ArrayView2<'_, u8>, references: &[ArrayView3<'_, u8>]) -> Vec<f64> {
    similarity(query, references, |d| d * d)
}
