//! What an event camera sends that looks at an image while its gaze jumps, as N-MNIST was recorded from MNIST.

use chiasm_core::SettingError;
use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::events::{Event, Events, Sensor};

/// A gaze that moves along a closed path of straight lines at equal times each, over an image seen by `size` x `size`
/// pixels. The defaults are those of paper 32's card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Saccades {
    /// Pixels along each side of the sensor (paper 32: 16).
    pub size: u16,
    /// Image pixels from one pixel of the sensor to the next (chosen: 1.5); the sensor looks at the middle of the image.
    pub spacing: f64,
    /// Corners of the path, right and down, in image pixels; it begins and ends at no shift (chosen: 3, 3 and -3, 3).
    pub corners: Vec<[f64; 2]>,
    /// Steps of the whole path (paper 32: 50).
    pub n_steps: usize,
    /// Length of a step, microseconds (chosen: 6000, so that three jumps take 300 ms as in N-MNIST).
    pub step_us: u64,
    /// Grey level that brightness is measured against: `ln(1 + grey / floor)` (chosen: 16).
    pub floor: f64,
    /// Change of that logarithm since the pixel's last event that makes an event (chosen: 0.25).
    pub threshold: f64,
}

impl Default for Saccades {
    fn default() -> Self {
        Self {
            size: 16,
            spacing: 1.5,
            corners: vec![[3.0, 3.0], [-3.0, 3.0]],
            n_steps: 50,
            step_us: 6000,
            floor: 16.0,
            threshold: 0.25,
        }
    }
}

impl Saccades {
    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let holds = (1..=1024).contains(&self.size);
        SettingError::check(holds, "size", "1 to 1024 pixels", self.size)?;
        let holds = (1..=1_000_000).contains(&self.n_steps);
        SettingError::check(holds, "n_steps", "1 to 1,000,000", self.n_steps)?;
        let holds = (1..=3_600_000_000).contains(&self.step_us);
        SettingError::check(holds, "step_us", "1 us to an hour", self.step_us)?;
        for (field, x, most) in [
            ("spacing", self.spacing, 1e3),
            ("floor", self.floor, 1e6),
            ("threshold", self.threshold, 20.0),
        ] {
            let expected = format!("above 0 and at most {most}");
            SettingError::check(x > 0.0 && x <= most, field, &expected, x)?;
        }
        let holds = self.corners.len() <= 1000;
        let within = self.corners.iter().flatten().all(|x| x.abs() <= 1e4);
        let expected = "at most 1000 corners within 10,000 pixels";
        SettingError::check(
            holds && within,
            "corners",
            expected,
            format!("{:?}", self.corners),
        )
    }

    /// The gaze's shift after a fraction of the path, right and down, in image pixels.
    #[must_use]
    pub fn shift(&self, fraction: f64) -> [f64; 2] {
        let legs = self.corners.len() + 1;
        let along = fraction.clamp(0.0, 1.0) * legs as f64;
        let leg = (along as usize).min(legs - 1);
        let corner = |i: usize| {
            let at = i.checked_sub(1).and_then(|i| self.corners.get(i).copied());
            at.unwrap_or([0.0; 2])
        };
        let (from, to, part) = (corner(leg), corner(leg + 1), along - leg as f64);
        [0, 1].map(|k| from[k] + part * (to[k] - from[k]))
    }
}

/// The events of one image, `[row, column]` in grey levels; between its pixels it is bilinear, around it black.
///
/// In every step each pixel of the sensor sends at most one event: where the logarithm of its brightness has changed by more
/// than the threshold since its last event, or since the beginning. There is nothing random in it. An image without
/// structure gives no event.
///
/// # Errors
/// [`DataError::Setting`] for settings out of range and for an image without pixels.
///
/// ```
/// use chiasm_data::generate::{Saccades, saccades};
/// let bar = ndarray::Array2::from_shape_fn((28, 28), |(_, column)| if column < 14 { 200 } else { 0 });
/// let events = saccades(bar.view(), &Saccades::default())?;
/// assert!(events.as_slice().iter().any(|e| e.on) && events.as_slice().iter().any(|e| !e.on));
/// # Ok::<(), chiasm_data::DataError>(())
/// ```
pub fn saccades(image: ArrayView2<'_, u8>, config: &Saccades) -> Result<Events, DataError> {
    config.validate()?;
    let (rows, columns) = image.dim();
    let holds = rows > 0 && columns > 0;
    let found = format!("{rows} x {columns}");
    SettingError::check(holds, "image", "at least one pixel", found)?;
    let size = usize::from(config.size);
    let first = |n: usize| (n as f64 - config.spacing * (size as f64 - 1.0)) / 2.0;
    let (top, left) = (first(rows), first(columns));
    // The logarithm's difference exceeds the threshold where the ratio exceeds this.
    let ratio = config.threshold.exp();
    let bright = |x: f64, y: f64| 1.0 + bilinear(image, x, y) / config.floor;
    let at = |pixel: usize, [dx, dy]: [f64; 2]| {
        let (row, column) = (pixel / size, pixel % size);
        bright(
            left + dx + config.spacing * column as f64,
            top + dy + config.spacing * row as f64,
        )
    };
    let mut reference: Vec<f64> = (0..size * size).map(|p| at(p, [0.0; 2])).collect();
    let mut events = vec![];
    for step in 0..config.n_steps {
        let shift = config.shift((step + 1) as f64 / config.n_steps as f64);
        for (pixel, reference) in reference.iter_mut().enumerate() {
            let now = at(pixel, shift);
            let on = now > *reference * ratio;
            if on || *reference > now * ratio {
                *reference = now;
                events.push(Event {
                    t_us: step as u64 * config.step_us,
                    x: (pixel % size) as u16,
                    y: (pixel / size) as u16,
                    on,
                });
            }
        }
    }
    Events::new(Sensor::new(config.size, config.size), events)
}

fn bilinear(image: ArrayView2<'_, u8>, x: f64, y: f64) -> f64 {
    let (left, top) = (x.floor(), y.floor());
    let (right, down) = (x - left, y - top);
    let (column, row) = (left as isize, top as isize);
    let at = |row: isize, column: isize| {
        let pixel = usize::try_from(row).ok().zip(usize::try_from(column).ok());
        pixel.map_or(0.0, |p| image.get(p).map_or(0.0, |v| f64::from(*v)))
    };
    let upper = at(row, column) * (1.0 - right) + at(row, column + 1) * right;
    let lower = at(row + 1, column) * (1.0 - right) + at(row + 1, column + 1) * right;
    upper * (1.0 - down) + lower * down
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn the_path_goes_by_its_corners_and_back() {
        let path = Saccades::default();
        assert_eq!(path.shift(0.0), [0.0, 0.0]);
        assert_eq!(path.shift(0.5), [0.0, 3.0]);
        assert_eq!(path.shift(1.0), [0.0, 0.0]);
        let [x, y] = path.shift(1.0 / 6.0);
        assert!((x - 1.5).abs() < 1e-12 && (y - 1.5).abs() < 1e-12);
    }

    #[test]
    fn one_pixel_that_moves_over_an_edge_by_hand() {
        // The sensor's one pixel stands at (2, 2) and goes right by 2 in 4 steps, over an edge between columns 2 and 3.
        let image = Array2::from_shape_fn((4, 5), |(_, x)| if x < 3 { 0 } else { 160 });
        let config = Saccades {
            size: 1,
            spacing: 1.0,
            corners: vec![[2.0, 0.0]],
            n_steps: 8,
            step_us: 10,
            floor: 16.0,
            threshold: 1.0,
        };
        let events = saccades(image.view(), &config).unwrap();
        // It begins at x = 2.5, y = 2: brightness 1 + 80/16 = 6; at 3 it is 11, then 11, then beyond the border (4.5) 6.
        // ln(11/6) = 0.6 is no event; on the way back neither.
        assert!(events.is_empty());
        let config = Saccades {
            threshold: 0.5,
            ..config
        };
        let events = saccades(image.view(), &config).unwrap();
        let found: Vec<(u64, bool)> = events.as_slice().iter().map(|e| (e.t_us, e.on)).collect();
        // Steps at x = 3, 3.5, 4, 4.5, 4, 3.5, 3, 2.5: on at the first, off at the fourth, on at the fifth, off at the last.
        assert_eq!(found, [(0, true), (30, false), (40, true), (70, false)]);
        assert!(
            saccades(Array2::zeros((28, 28)).view(), &Saccades::default())
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let image = Array2::zeros((3, 3));
        let refused = |config: &Saccades| match saccades(image.view(), config) {
            Err(DataError::Setting(e)) => e.field,
            other => panic!("{other:?}"),
        };
        let config = Saccades::default();
        assert_eq!(
            refused(&Saccades {
                size: 0,
                ..config.clone()
            }),
            "size"
        );
        assert_eq!(
            refused(&Saccades {
                floor: f64::NAN,
                ..config.clone()
            }),
            "floor"
        );
        let corners = vec![[f64::INFINITY, 0.0]];
        assert_eq!(refused(&Saccades { corners, ..config }), "corners");
        assert!(saccades(Array2::zeros((0, 3)).view(), &Saccades::default()).is_err());
    }
}
