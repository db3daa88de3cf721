//! What a window sees of an image at all its places, side by side, and the gradient on the way back.

use std::ops::Range;

use chiasm_core::vectorized;

use super::convolution::Window;
use crate::Real;

/// A plane of what comes out as one long stretch of the image, from pixel to pixel across the ends of rows.
struct Moved {
    width: usize,
    /// The places that the stretch goes to, and the rows that they lie in.
    plane: Range<usize>,
    seen: Range<usize>,
    /// Places at the beginning and the end of each row that see nothing of the image.
    before: usize,
    after: usize,
    /// The first pixel.
    from: usize,
}

impl Moved {
    /// Puts what lies outside of the image where a plane sees nothing of it.
    fn put_outside<T: Real>(&self, plane: &mut [T], outside: T) {
        plane[..self.seen.start].fill(outside);
        plane[self.seen.end..].fill(outside);
        if self.before + self.after > 0 {
            for row in plane[self.seen.clone()].chunks_exact_mut(self.width) {
                row[..self.before].iter_mut().for_each(|v| *v = outside);
                let end = self.width - self.after;
                row[end..].iter_mut().for_each(|v| *v = outside);
            }
        }
    }
}

impl Window {
    /// Where the pixels lie at one place of the window in one channel: for each row that comes out, those of its columns that
    /// see the image, `[row, column]`, and the first of their pixels.
    fn each_run(
        &self,
        (channel, y, x): (usize, usize, usize),
        mut run: impl FnMut(Range<usize>, usize),
    ) {
        let [_, height, width] = self.image;
        let [rows, columns] = self.outputs();
        let ([down, across], [above, left]) = (self.stride, self.padding);
        // Columns whose pixel is in the image: left <= column * across + x < left + width.
        let first = left.saturating_sub(x).div_ceil(across);
        let end = (left + width).saturating_sub(x).div_ceil(across);
        let end = end.min(columns);
        if first >= end {
            return;
        }
        for row in 0..rows {
            let at = row * down + y;
            if (above..above + height).contains(&at) {
                let begins = (channel * height + at - above) * width;
                let from = begins + first * across + x - left;
                run(row * columns + first..row * columns + end, from);
            }
        }
    }

    /// Every place of the window in every channel.
    pub(super) fn each_place(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let ([rows, columns], channels) = (self.size, self.image[0]);
        (0..channels)
            .flat_map(move |c| (0..rows).flat_map(move |y| (0..columns).map(move |x| (c, y, x))))
    }

    /// Where what comes out is as wide as the image, a plane of it is the image's plane moved by some pixels.
    fn moved(&self, (channel, y, x): (usize, usize, usize)) -> Option<Moved> {
        let ([_, height, width], [rows, columns]) = (self.image, self.outputs());
        let [above, left] = self.padding;
        let (before, after) = (left.saturating_sub(x), x.saturating_sub(left));
        if self.stride != [1, 1] || columns != width || before.max(after) >= width {
            return None;
        }
        let seen = above.saturating_sub(y)..(height + above).saturating_sub(y).min(rows);
        if seen.is_empty() {
            return None;
        }
        let from = (channel * height + seen.start + y - above) * width + after;
        Some(Moved {
            width,
            plane: seen.start * width + before..seen.end * width - after,
            seen: seen.start * width..seen.end * width,
            before,
            after,
            from,
        })
    }

    /// What every place of the output sees at one place of the window; `outside` beyond the image.
    pub(super) fn read<T: Real>(
        &self,
        at: (usize, usize, usize),
        image: &[T],
        outside: T,
        plane: &mut [T],
    ) {
        if let Some(moved) = self.moved(at) {
            let pixels = &image[moved.from..][..moved.plane.len()];
            plane[moved.plane.clone()].copy_from_slice(pixels);
            moved.put_outside(plane, outside);
            return;
        }
        if self.padding != [0, 0] {
            plane.fill(outside);
        }
        let stride = self.stride[1];
        self.each_run(at, |to, from| {
            let out = &mut plane[to];
            let pixels = &image[from..];
            match stride {
                1 => out.copy_from_slice(&pixels[..out.len()]),
                // Known when compiled, it fits vector registers.
                2 => {
                    let (pairs, last) = pixels.as_chunks::<2>();
                    let (whole, odd) = out.split_at_mut(out.len().min(pairs.len()));
                    whole.iter_mut().zip(pairs).for_each(|(o, [v, _])| *o = *v);
                    odd.copy_from_slice(&last[..odd.len()]);
                }
                _ => (out.iter_mut().zip(pixels.iter().step_by(stride))).for_each(|(o, v)| *o = *v),
            }
        });
    }

    /// Adds to the pixels what [`Self::read`] reads of them.
    pub(super) fn add<T: Real>(&self, at: (usize, usize, usize), plane: &[T], image: &mut [T]) {
        let stride = self.stride[1];
        self.each_run(at, |to, from| {
            let plane = &plane[to];
            let pixels = &mut image[from..];
            match stride {
                1 => (pixels.iter_mut().zip(plane)).for_each(|(o, v)| *o += *v),
                2 => {
                    let (pairs, last) = pixels.as_chunks_mut::<2>();
                    let (whole, odd) = plane.split_at(plane.len().min(pairs.len()));
                    pairs.iter_mut().zip(whole).for_each(|([o, _], v)| *o += *v);
                    last.iter_mut().zip(odd).for_each(|(o, v)| *o += *v);
                }
                _ => (pixels.iter_mut().step_by(stride).zip(plane)).for_each(|(o, v)| *o += *v),
            }
        });
    }

    /// The patches of an image side by side, `[patch, place]`.
    pub(super) fn gather<T: Real>(&self, image: &[T], patches: &mut Vec<T>) {
        let places = self.places();
        patches.resize(self.patch() * places, T::ZERO);
        for (at, plane) in self.each_place().zip(patches.chunks_exact_mut(places)) {
            self.read(at, image, T::ZERO, plane);
        }
    }

    /// The gradient of an image, of that of its patches; what lies beyond the image is set to 0 in these.
    pub(super) fn scatter<T: Real>(&self, patches: &mut [T], image: &mut [T]) {
        image.fill(T::ZERO);
        let planes = patches.chunks_exact_mut(self.places());
        for (at, plane) in self.each_place().zip(planes) {
            let Some(moved) = self.moved(at) else {
                self.add(at, plane, image);
                continue;
            };
            moved.put_outside(plane, T::ZERO);
            let pixels = &mut image[moved.from..][..moved.plane.len()];
            let plane = &plane[moved.plane];
            vectorized(
                #[inline(always)]
                || pixels.iter_mut().zip(plane).for_each(|(o, v)| *o += *v),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a place of the output sees at a place of the window, by the definition.
    fn seen(window: &Window, x: &[f64], at: (usize, usize, usize), place: usize) -> f64 {
        let ([_, height, width], (channel, y, x_)) = (window.image, at);
        let columns = window.outputs()[1];
        let row = (place / columns * window.stride[0] + y).checked_sub(window.padding[0]);
        let column = (place % columns * window.stride[1] + x_).checked_sub(window.padding[1]);
        match (row, column) {
            (Some(i), Some(j)) if i < height && j < width => x[(channel * height + i) * width + j],
            _ => 0.0,
        }
    }

    proptest! {
        #[test]
        fn patches_are_those_of_the_definition_and_go_back_to_their_pixels(
            image in (1usize..3, 1usize..7, 1usize..7),
            size in (1usize..6, 1usize..6),
            stride in (1usize..3, 1usize..3),
            padding in (0usize..5, 0usize..5),
        ) {
            let window = Window {
                image: image.into(),
                size: size.into(),
                stride: stride.into(),
                padding: padding.into(),
            };
            prop_assume!(window.validate(window.inputs()).is_ok());
            let x: Vec<f64> = (0..window.inputs()).map(|i| i as f64 + 1.0).collect();
            // Left from an image before it.
            let mut patches = vec![f64::NAN; window.patch() * window.places()];
            window.gather(&x, &mut patches);
            for (at, plane) in window.each_place().zip(patches.chunks_exact(window.places())) {
                for (place, found) in plane.iter().enumerate() {
                    prop_assert_eq!(*found, seen(&window, &x, at, place));
                }
            }
            // What flows back is not 0 outside of the image, either.
            let gradient: Vec<f64> = (0..patches.len()).map(|i| i as f64 + 1.0).collect();
            patches.clone_from(&gradient);
            let mut found = vec![f64::NAN; x.len()];
            window.scatter(&mut patches, &mut found);
            let mut expected = vec![0.0; x.len()];
            let planes = gradient.chunks_exact(window.places());
            for (at, plane) in window.each_place().zip(planes) {
                for (place, v) in plane.iter().enumerate() {
                    let pixel = seen(&window, &x, at, place);
                    if pixel > 0.0 {
                        expected[pixel as usize - 1] += v;
                    }
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
