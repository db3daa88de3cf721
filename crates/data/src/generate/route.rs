//! A route seen several times in changing light (paper 44): windows of one panorama.

use chiasm_core::{Rng, SettingError, Streams};
use ndarray::{Array2, Array3};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What [`route`] draws: a panorama of value noise, and for every traverse one window of it at each place, with a light,
/// a contrast, an illumination field, noise and small shifts of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Route {
    /// Places along the route.
    pub n_places: usize,
    /// Rows and columns of an image (paper 44: 28).
    pub size: usize,
    /// Pixels from one place to the next; below `size`, neighbors overlap (chosen: 20).
    pub advance: usize,
    /// Exponent of each traverse's light (chosen: 0.84 and 1 for references, 1.24 for the query, which comes last).
    pub gammas: Vec<f64>,
    /// Contrast of each traverse (chosen: 1, 0.7 and 1).
    pub contrasts: Vec<f64>,
    /// Share of the illumination field, which is the same at all places of a traverse (chosen: 0.08).
    pub illumination: f64,
    /// Standard deviation of the noise on each pixel, grey levels (chosen: 8).
    pub noise: f64,
    /// Greatest shift of a window to either side, pixels, drawn for each place and traverse (chosen: 1).
    pub shift: usize,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            n_places: 100,
            size: 28,
            advance: 20,
            gammas: vec![0.84, 1.0, 1.24],
            contrasts: vec![1.0, 0.7, 1.0],
            illumination: 0.08,
            noise: 8.0,
            shift: 1,
        }
    }
}

impl Route {
    /// The harder setting: stronger changes of light, and neighbors that share two thirds of their view.
    #[must_use]
    pub fn hard() -> Self {
        Self {
            advance: 9,
            gammas: vec![0.6, 1.0, 1.6],
            illumination: 0.2,
            ..Self::default()
        }
    }

    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let n = self.n_places;
        SettingError::check((1..=100_000).contains(&n), "n_places", "1 to 100,000", n)?;
        let holds = (4..=512).contains(&self.size);
        SettingError::check(holds, "size", "4 to 512", self.size)?;
        let holds = (1..=512).contains(&self.advance);
        SettingError::check(holds, "advance", "1 to 512", self.advance)?;
        let fine = |x: &f64| *x > 0.0 && *x <= 10.0;
        let holds = !self.gammas.is_empty() && self.gammas.iter().all(fine);
        let found = format!("{:?}", self.gammas);
        SettingError::check(holds, "gammas", "numbers above 0 and at most 10", found)?;
        let (expected, found) = (self.gammas.len(), self.contrasts.len());
        let holds = found == expected && self.contrasts.iter().all(fine);
        let expected = format!("{expected} numbers above 0 and at most 10, one for each gamma");
        SettingError::check(
            holds,
            "contrasts",
            &expected,
            format!("{:?}", self.contrasts),
        )?;
        let holds = (0.0..=1.0).contains(&self.illumination);
        SettingError::check(holds, "illumination", "0 to 1", self.illumination)?;
        let holds = (0.0..=255.0).contains(&self.noise);
        SettingError::check(holds, "noise", "0 to 255", self.noise)?;
        SettingError::check(self.shift <= 16, "shift", "0 to 16", self.shift)
    }
}

/// What [`route`] planted.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteTruth {
    /// The panorama, 0 to 1, `[row, column]`.
    pub panorama: Array2<f64>,
    /// Illumination field of each traverse, 0 to 1, `[row, column]`.
    pub fields: Vec<Array2<f64>>,
    /// Row and column shift of every window, `[traverse][place]`.
    pub shifts: Vec<Vec<(isize, isize)>>,
}

/// Column of the first place's window: the panorama's margin on either side.
const MARGIN: usize = 20;

/// Draws a route: for every traverse the images `[place, row, column]`. Image `p` of each shows the same place `p`.
///
/// # Errors
/// [`SettingError`] for settings out of range.
pub fn route(
    config: &Route,
    streams: &Streams,
) -> Result<(Vec<Array3<u8>>, RouteTruth), SettingError> {
    config.validate()?;
    let (size, n) = (config.size, config.n_places);
    let width = 2 * MARGIN + size + config.advance * (n - 1);
    let octaves: Vec<(f64, f64)> = (0..5)
        .map(|k| (16.0 / f64::from(1u32 << k), 0.6f64.powi(k)))
        .collect();
    let panorama = value_noise((size, width), &octaves, &mut streams.stream("panorama"));
    let mut truth = RouteTruth {
        panorama,
        fields: vec![],
        shifts: vec![],
    };
    let mut traverses = vec![];
    for (t, (gamma, contrast)) in config.gammas.iter().zip(&config.contrasts).enumerate() {
        let mut rng = streams.indexed("field", t);
        let field = value_noise((size, size), &[(14.0, 1.0), (7.0, 0.5)], &mut rng);
        let mut rng = streams.indexed("traverse", t);
        let reach = config.shift as i32;
        let mut images = Array3::zeros((n, size, size));
        let mut shifts = vec![];
        for p in 0..n {
            let mut drawn = || rng.random_range(-reach..=reach) as isize;
            let (down, right) = (drawn(), drawn());
            for y in 0..size {
                // The panorama is as high as an image: at its borders the last row is seen twice.
                let row = y.saturating_add_signed(down).min(size - 1);
                for x in 0..size {
                    let column = (MARGIN + config.advance * p + x).saturating_add_signed(right);
                    let light = contrast * truth.panorama[[row, column]].powf(*gamma);
                    let noise: f64 = StandardNormal.sample(&mut rng);
                    let level = 255.0 * (light + config.illumination * field[[y, x]]);
                    images[[p, y, x]] = (level + config.noise * noise).clamp(0.0, 255.0) as u8;
                }
            }
            shifts.push((down, right));
        }
        truth.fields.push(field);
        truth.shifts.push(shifts);
        traverses.push(images);
    }
    Ok((traverses, truth))
}

/// Octaves of uniform values on grids (cell in pixels, amplitude), between grid points bilinear, scaled to 0 to 1.
fn value_noise(shape: (usize, usize), octaves: &[(f64, f64)], rng: &mut Rng) -> Array2<f64> {
    let mut sum = Array2::zeros(shape);
    for &(cell, amplitude) in octaves {
        let points = |n: usize| (n as f64 / cell) as usize + 2;
        let grid = Array2::from_shape_simple_fn((points(shape.0), points(shape.1)), || {
            rng.random::<f64>()
        });
        for ((y, x), value) in sum.indexed_iter_mut() {
            let (fy, fx) = (y as f64 / cell, x as f64 / cell);
            let (row, column) = (fy as usize, fx as usize);
            let (fy, fx) = (fy.fract(), fx.fract());
            let between =
                |row: usize| grid[[row, column]] * (1.0 - fx) + grid[[row, column + 1]] * fx;
            *value += amplitude * (between(row) * (1.0 - fy) + between(row + 1) * fy);
        }
    }
    let least = sum.iter().copied().fold(f64::INFINITY, f64::min);
    let most = sum.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = (most - least).max(f64::MIN_POSITIVE);
    sum.mapv_inplace(|value| (value - least) / span);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_windows_of_the_panorama_in_their_light() {
        let config = Route {
            n_places: 5,
            noise: 0.0,
            ..Route::default()
        };
        let (traverses, truth) = route(&config, &Streams::new(1)).unwrap();
        assert_eq!(traverses.len(), 3);
        let (p, y, x): (usize, usize, usize) = (3, 14, 9);
        for (t, images) in traverses.iter().enumerate() {
            assert_eq!(images.dim(), (5, 28, 28));
            let (down, right) = truth.shifts[t][p];
            assert!(down.abs() <= 1 && right.abs() <= 1);
            let column = (20 + 60 + x).saturating_add_signed(right);
            let seen = truth.panorama[[y.saturating_add_signed(down), column]];
            let light = config.contrasts[t] * seen.powf(config.gammas[t]);
            let level = 255.0 * (light + 0.08 * truth.fields[t][[y, x]]);
            assert_eq!(images[[p, y, x]], level.min(255.0) as u8);
        }
        let panorama = &truth.panorama;
        assert_eq!(panorama.dim(), (28, 40 + 28 + 80));
        assert!(panorama.iter().all(|v| (0.0..=1.0).contains(v)));
        let (again, _) = route(&config, &Streams::new(1)).unwrap();
        assert_eq!(traverses, again);
        let (other, _) = route(&config, &Streams::new(2)).unwrap();
        assert_ne!(traverses, other);
    }

    #[test]
    fn places_overlap_by_their_advance() {
        let config = Route {
            n_places: 4,
            shift: 0,
            noise: 0.0,
            illumination: 0.0,
            ..Route::hard()
        };
        let (traverses, _) = route(&config, &Streams::new(1)).unwrap();
        let images = &traverses[0];
        let overlap = images.slice(ndarray::s![1, .., ..19]);
        assert_eq!(overlap, images.slice(ndarray::s![0, .., 9..]));
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let refused = |config: Route| route(&config, &Streams::new(0)).unwrap_err().field;
        let config = Route::default();
        assert_eq!(
            refused(Route {
                n_places: 0,
                ..config.clone()
            }),
            "n_places"
        );
        assert_eq!(
            refused(Route {
                gammas: vec![],
                ..config.clone()
            }),
            "gammas"
        );
        assert_eq!(
            refused(Route {
                contrasts: vec![1.0],
                ..config.clone()
            }),
            "contrasts"
        );
        assert_eq!(
            refused(Route {
                noise: f64::NAN,
                ..config.clone()
            }),
            "noise"
        );
        assert_eq!(
            refused(Route {
                shift: 17,
                ..config
            }),
            "shift"
        );
    }
}
