//! Pools beside their definition, window by window, with windows that overlap, miss pixels, and see beyond the image.

use super::super::{Pooling, Window};
use super::drawn;

fn windows() -> Vec<Window> {
    let one = |size, stride, padding| Window {
        image: [2, 5, 7],
        size,
        stride,
        padding,
    };
    vec![
        one([2, 2], [2, 2], [0, 0]),
        one([2, 2], [2, 2], [1, 1]),
        one([3, 3], [1, 1], [1, 1]),
        one([3, 2], [2, 3], [2, 0]),
        one([1, 3], [1, 2], [0, 2]),
        one([2, 1], [3, 1], [1, 0]),
        one([5, 7], [1, 1], [0, 0]),
    ]
}

/// For each output the pixels of its window, in order.
fn pixels(window: &Window) -> Vec<Vec<usize>> {
    let [channels, height, width] = window.image;
    let [rows, columns] = window.outputs();
    let mut all = vec![];
    for out in 0..channels * rows * columns {
        let (channel, place) = (out / (rows * columns), out % (rows * columns));
        let corner = [place / columns, place % columns];
        let mut own = vec![];
        for y in 0..window.size[0] {
            for x in 0..window.size[1] {
                let at = |axis: usize, by: usize| {
                    (corner[axis] * window.stride[axis] + by).checked_sub(window.padding[axis])
                };
                if let (Some(y), Some(x)) = (at(0, y), at(1, x))
                    && y < height
                    && x < width
                {
                    own.push((channel * height + y) * width + x);
                }
            }
        }
        all.push(own);
    }
    all
}

/// The first of the largest.
fn largest(x: &[f64], pixels: &[usize]) -> usize {
    let best = |best: usize, i: &usize| if x[*i] > x[best] { *i } else { best };
    pixels.iter().fold(pixels[0], best)
}

#[test]
fn pools_and_their_gradients_are_those_of_the_definition() {
    for window in windows() {
        let n = window.inputs();
        // Few values, so that many windows hold the largest twice.
        let x = drawn::<f64>(3, n, 7).mapv(|v| (3.0 * v).round());
        let of = pixels(&window);
        let g = drawn::<f64>(3, of.len(), 8);
        for how in [Pooling::Mean, Pooling::Max] {
            let (x, g) = (x.as_slice().unwrap(), g.as_slice().unwrap());
            let mut out = vec![];
            window.pool(x, how, &mut out);
            let mut back = vec![f64::NAN; x.len()];
            window.pool_back((x, &out), how, g, &mut back);
            let area = (window.size[0] * window.size[1]) as f64;
            for (i, image) in x.chunks(n).enumerate() {
                let mut expected_back = vec![0.0; n];
                for (k, own) in of.iter().enumerate() {
                    let at = i * of.len() + k;
                    let expected = match how {
                        Pooling::Mean => own.iter().map(|p| image[*p]).sum::<f64>() / area,
                        Pooling::Max => image[largest(image, own)],
                    };
                    assert!(
                        (out[at] - expected).abs() < 1e-14,
                        "{window:?} {how:?} {at}"
                    );
                    match how {
                        Pooling::Mean => own.iter().for_each(|p| expected_back[*p] += g[at] / area),
                        Pooling::Max => expected_back[largest(image, own)] += g[at],
                    }
                }
                for (found, expected) in back[i * n..].iter().zip(&expected_back) {
                    assert!((found - expected).abs() < 1e-14, "{window:?} {how:?}");
                }
            }
        }
    }
}

#[test]
fn no_pool_loses_a_nan() {
    for window in windows() {
        let of = pixels(&window);
        for hole in 0..window.inputs() {
            let mut x = vec![1.0; window.inputs()];
            x[hole] = f64::NAN;
            for how in [Pooling::Mean, Pooling::Max] {
                let mut out = vec![];
                window.pool(&x, how, &mut out);
                for (found, own) in out.iter().zip(&of) {
                    assert_eq!(found.is_nan(), own.contains(&hole), "{window:?} {how:?}");
                }
            }
        }
    }
}
