//! What is done to stimuli and gradients at each step: blur, norm, clip; and the smoothness penalty.

use chiasm_core::SettingError;
use ndarray::{Array2, ArrayView1, ArrayViewMut1};

use super::StimulusShape;

/// What is done to a stimulus after each step, in this order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Postprocess {
    /// Standard deviation, in frames, of a Gaussian low-pass over time with 5 taps (openretina: 0.5); 0 for none.
    pub smooth_frames: f64,
    /// L2 norm over all channels, frames and pixels; `None` leaves it free.
    pub norm: Option<f64>,
    /// Lowest and highest value: none, one pair for all channels, or one for each.
    pub clip: Vec<(f64, f64)>,
}

impl Postprocess {
    /// Refuses what cannot be done to stimuli of this number of channels.
    ///
    /// # Errors
    /// A norm that is not above 0; a clip whose minimum is not below its maximum; another number of clips.
    pub fn validate(&self, channels: Option<usize>) -> Result<(), SettingError> {
        if let Some(norm) = self.norm {
            let fine = norm > 0.0 && norm.is_finite();
            SettingError::check(fine, "norm", "a finite norm above 0, or none", norm)?;
        }
        for &(low, high) in &self.clip {
            let found = format!("{low} to {high}");
            SettingError::check(low < high, "clip", "minimum < maximum", found)?;
        }
        let n = self.clip.len();
        let fine = n <= 1 || channels.is_none_or(|c| c == n);
        let expected = "none, one pair, or one for each channel";
        SettingError::check(fine, "clip", expected, format!("{n} pairs"))?;
        let s = self.smooth_frames;
        let fine = (0.0..=100.0).contains(&s);
        SettingError::check(fine, "smooth_frames", "0 to 100", s)
    }

    /// Applies it to one stimulus.
    pub fn apply(&self, mut stimulus: ArrayViewMut1<f64>, shape: StimulusShape) {
        if self.smooth_frames > 0.0 && shape.frames > 1 {
            smooth_time(&mut stimulus, shape, self.smooth_frames);
        }
        if let Some(norm) = self.norm {
            let length = stimulus.dot(&stimulus).sqrt();
            if length > 0.0 {
                stimulus.mapv_inplace(|v| v / length * norm);
            }
        }
        if let Some(&first) = self.clip.first() {
            let per_channel = shape.n_pixels() / shape.channels;
            for (i, v) in stimulus.iter_mut().enumerate() {
                let &(low, high) = self.clip.get(i / per_channel).unwrap_or(&first);
                *v = v.clamp(low, high);
            }
        }
    }
}

/// Weights of a normalized Gaussian over `-radius..=radius`.
fn gaussian(sigma: f64, radius: usize) -> Vec<f64> {
    let weight = |k: usize| (-0.5 * ((k as f64 - radius as f64) / sigma).powi(2)).exp();
    let weights: Vec<f64> = (0..=2 * radius).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

/// A Gaussian of 5 taps over time; the first and last frame stand for those beyond.
fn smooth_time(stimulus: &mut ArrayViewMut1<f64>, shape: StimulusShape, sigma: f64) {
    let (taps, places) = (gaussian(sigma, 2), shape.n_places());
    let last = shape.frames - 1;
    let before = stimulus.to_owned();
    for c in 0..shape.channels {
        for t in 0..shape.frames {
            for p in 0..places {
                let at = |frame: usize| before[(c * shape.frames + frame) * places + p];
                let tap = |(k, w): (usize, &f64)| w * at((t + k).saturating_sub(2).min(last));
                stimulus[(c * shape.frames + t) * places + p] =
                    taps.iter().enumerate().map(tap).sum();
            }
        }
    }
}

/// The position of `i` mirrored at the ends of `0..n`, the ends not repeated.
fn mirrored(i: isize, n: usize) -> usize {
    if n == 1 {
        return 0;
    }
    let period = 2 * (n as isize - 1);
    let i = i.rem_euclid(period);
    (if i < n as isize { i } else { period - i }) as usize
}

/// A Gaussian blur of this standard deviation, in pixels, within each frame; frames are mirrored at their edges.
pub(super) fn blur(image: &mut ArrayViewMut1<f64>, shape: StimulusShape, sigma: f64) {
    let radius = (4.0 * sigma).ceil() as usize;
    let taps = gaussian(sigma, radius);
    let (h, w) = (shape.height, shape.width);
    let mut between = vec![0.0; h * w];
    for f in 0..shape.channels * shape.frames {
        let base = f * h * w;
        for y in 0..h {
            for x in 0..w {
                between[y * w + x] = (taps.iter().enumerate())
                    .map(|(k, t)| {
                        let from = mirrored((x + k) as isize - radius as isize, w);
                        t * image[base + y * w + from]
                    })
                    .sum();
            }
        }
        for y in 0..h {
            for x in 0..w {
                image[base + y * w + x] = (taps.iter().enumerate())
                    .map(|(k, t)| {
                        t * between[mirrored((y + k) as isize - radius as isize, h) * w + x]
                    })
                    .sum();
            }
        }
    }
}

/// The kernel of the smoothness penalty (released code), whose sum is 0.
const LAPLACE: [[f64; 3]; 3] = [[0.25, 0.5, 0.25], [0.5, -3.0, 0.5], [0.25, 0.5, 0.25]];

/// Visits pixels with their neighbors in the same frame: `(pixel, neighbor, weight)`.
fn neighbors(shape: StimulusShape, mut visit: impl FnMut(usize, usize, f64)) {
    let (h, w) = (shape.height, shape.width);
    for f in 0..shape.channels * shape.frames {
        for y in 0..h {
            for x in 0..w {
                for (dy, line) in LAPLACE.iter().enumerate() {
                    for (dx, weight) in line.iter().enumerate() {
                        let line = mirrored(y as isize + dy as isize - 1, h);
                        let column = mirrored(x as isize + dx as isize - 1, w);
                        let base = f * h * w;
                        visit(base + y * w + x, base + line * w + column, *weight);
                    }
                }
            }
        }
    }
}

/// How rough a stimulus is: the mean square of its Laplacian, frames mirrored at their edges.
#[must_use]
pub fn laplace_loss(stimulus: ArrayView1<f64>, shape: StimulusShape) -> f64 {
    let rough = laplacian(stimulus, shape);
    rough.iter().map(|v| v * v).sum::<f64>() / rough.len() as f64
}

fn laplacian(stimulus: ArrayView1<f64>, shape: StimulusShape) -> Vec<f64> {
    let mut out = vec![0.0; stimulus.len()];
    neighbors(shape, |at, from, weight| out[at] += weight * stimulus[from]);
    out
}

/// Takes the gradient of the roughness of each stimulus, times `weight`, from `gradient`; returns the roughness of each.
pub(super) fn smooth_gradient(
    stimuli: &Array2<f64>,
    shape: StimulusShape,
    weight: f64,
    gradient: &mut Array2<f64>,
) -> Vec<f64> {
    let mut losses = Vec::with_capacity(stimuli.nrows());
    for (stimulus, mut gradient) in stimuli.rows().into_iter().zip(gradient.rows_mut()) {
        let rough = laplacian(stimulus, shape);
        let n = rough.len() as f64;
        losses.push(rough.iter().map(|v| v * v).sum::<f64>() / n);
        // The transposed kernel: each pixel's roughness goes back to where it came from.
        neighbors(shape, |at, from, kernel| {
            gradient[from] -= weight * 2.0 / n * kernel * rough[at];
        });
    }
    losses
}
