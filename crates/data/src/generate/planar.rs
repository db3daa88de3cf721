//! Classes in the plane that no straight line parts.

use std::f64::consts::PI;

use chiasm_core::{SettingError, Streams};
use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, Normal};

/// Two spirals, or rings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Planar {
    /// `(t cos t, t sin t) / 3 pi` with `t = 3 pi sqrt(u)`, and the same turned by half a circle, with noise of this standard
    /// deviation (card 34).
    Spirals {
        /// Standard deviation of the noise.
        noise: f64,
    },
    /// Uniform in the square of side 2; the class is the parity of `floor(4 r)` (card 34).
    Rings,
}

impl Planar {
    /// `n` points, `[point, 2]`, and the class of each, 0 or 1.
    ///
    /// # Errors
    /// [`SettingError`] for noise that is negative or no number.
    ///
    /// ```
    /// use chiasm_core::Streams;
    /// use chiasm_data::generate::Planar;
    /// let (points, classes) = Planar::Rings.draw(100, &Streams::new(1))?;
    /// for (p, class) in points.rows().into_iter().zip(classes) {
    ///     assert_eq!((4.0 * p[0].hypot(p[1])).floor() as usize % 2, class);
    /// }
    /// # Ok::<(), chiasm_core::SettingError>(())
    /// ```
    pub fn draw(
        &self,
        n: usize,
        streams: &Streams,
    ) -> Result<(Array2<f64>, Vec<usize>), SettingError> {
        let mut rng = streams.stream("planar");
        let mut points = Array2::zeros((n, 2));
        let mut classes = vec![0; n];
        match *self {
            Self::Spirals { noise } => {
                let fine = noise.is_finite() && noise >= 0.0;
                SettingError::check(fine, "noise", "0 or more", noise)?;
                let jitter = Normal::new(0.0, noise)
                    .map_err(|_| SettingError::new("noise", "0 or more", noise))?;
                for (i, (mut p, class)) in
                    points.rows_mut().into_iter().zip(&mut classes).enumerate()
                {
                    *class = i % 2;
                    let t = 3.0 * PI * rng.random::<f64>().sqrt();
                    let r = t / (3.0 * PI) * if *class == 1 { -1.0 } else { 1.0 };
                    p[0] = r * t.cos() + jitter.sample(&mut rng);
                    p[1] = r * t.sin() + jitter.sample(&mut rng);
                }
            }
            Self::Rings => {
                for (mut p, class) in points.rows_mut().into_iter().zip(&mut classes) {
                    p.mapv_inplace(|_| rng.random_range(-1.0..1.0));
                    *class = (4.0 * p[0].hypot(p[1])).floor() as usize % 2;
                }
            }
        }
        Ok((points, classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spirals_turn_into_each_other_and_end_at_radius_one() {
        let streams = Streams::new(2);
        let (p, classes) = Planar::Spirals { noise: 0.0 }.draw(2000, &streams).unwrap();
        assert_eq!(classes.iter().sum::<usize>(), 1000);
        let radii: Vec<f64> = p.rows().into_iter().map(|r| r[0].hypot(r[1])).collect();
        assert!(radii.iter().all(|r| *r <= 1.0));
        for ((p, r), class) in p.rows().into_iter().zip(&radii).zip(classes) {
            // The angle of a point follows from its radius.
            let t = 3.0 * PI * r;
            let sign = if class == 1 { -1.0 } else { 1.0 };
            assert!((p[0] - sign * r * t.cos()).abs() < 1e-12);
        }
        let refused = Planar::Spirals { noise: f64::NAN }.draw(2, &streams);
        assert_eq!(refused.unwrap_err().field, "noise");
    }
}
