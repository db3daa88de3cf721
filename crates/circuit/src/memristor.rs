//! Resistive memory as weights: pairs of cells whose conductances differ by chance of their forming.
//!
//! A cell that is formed for the first time ends at a conductance nobody chose. The difference of two such cells is a random
//! weight that costs nothing to store and stays as it is: [`Crossbar::form`]. Reading it is another matter: every read sees
//! noise on each cell's current, the converter behind a column knows so many levels, and some cells are stuck
//! ([`Device`]). The same stream of random numbers is the same chip.
//!
//! Lin et al., Nature Computational Science 2025, arXiv 2307.00771 (paper 32). The statistics of the authors' device are not
//! known to us; all numbers here are chosen.
//!
//! ```
//! use chiasm_circuit::memristor::{Crossbar, Device};
//! let chip = chiasm_core::Streams::new(1);
//! let crossbar = Crossbar::form(&Device::default(), 400, 200, &mut chip.stream("cells"))?;
//! let weights: Vec<f64> = crossbar.weights().iter().map(|w| f64::from(*w)).collect();
//! assert!(chiasm_core::stats::mean(&weights).abs() < 0.02);
//! # Ok::<(), chiasm_core::SettingError>(())
//! ```

use chiasm_core::{Rng, SettingError};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What conductances cells have after forming.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Forming {
    /// Lognormal.
    #[default]
    Lognormal,
    /// Normal; what would be below 0 conducts nothing.
    Normal,
}

/// How cells form, and how they are read. Conductances are in units of their mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    /// What conductances cells have after forming.
    pub forming: Forming,
    /// Standard deviation of a cell's conductance over its mean (chosen: 0.4).
    pub variation: f64,
    /// Fraction of cells that are stuck, half of them open (no conductance), half shorted (three standard deviations above
    /// the mean).
    pub stuck: f64,
    /// Standard deviation of the noise on a cell's current at each read, over that current (chosen: 0 to 0.1).
    pub read_noise: f64,
    /// Bits of the converter that reads a column; 0 for none (card: 8).
    pub adc_bits: u32,
    /// Greatest current that the converter tells apart, to either side, in units of what is read against (for a neuron its
    /// threshold); beyond it the reading stays at its end (chosen: 4).
    pub adc_range: f64,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            forming: Forming::Lognormal,
            variation: 0.4,
            stuck: 0.0,
            read_noise: 0.0,
            adc_bits: 0,
            adc_range: 4.0,
        }
    }
}

impl Device {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let holds = self.variation > 0.0 && self.variation <= 10.0;
        SettingError::check(holds, "variation", "above 0, at most 10", self.variation)?;
        let holds = (0.0..1.0).contains(&self.stuck);
        SettingError::check(holds, "stuck", "0 to below 1", self.stuck)?;
        let holds = (0.0..=10.0).contains(&self.read_noise);
        SettingError::check(holds, "read_noise", "0 to 10", self.read_noise)?;
        let holds = self.adc_bits <= 24;
        SettingError::check(holds, "adc_bits", "0 (none) to 24 bits", self.adc_bits)?;
        let holds = (1e-6..=1e6).contains(&self.adc_range);
        SettingError::check(holds, "adc_range", "1e-6 to 1e6", self.adc_range)
    }

    /// One cell's conductance.
    fn cell(&self, rng: &mut Rng) -> f64 {
        let z: f64 = StandardNormal.sample(rng);
        // Drawn for every cell, so that a chip with stuck cells is else the same chip.
        let fate: f64 = rng.random();
        if fate < self.stuck / 2.0 {
            return 0.0;
        }
        if fate < self.stuck {
            return 1.0 + 3.0 * self.variation;
        }
        match self.forming {
            Forming::Normal => (1.0 + self.variation * z).max(0.0),
            Forming::Lognormal => {
                let variance = (1.0 + self.variation.powi(2)).ln();
                (variance.sqrt() * z - variance / 2.0).exp()
            }
        }
    }
}

/// A formed array, read by columns: two cells for each weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossbar {
    n_rows: usize,
    n_columns: usize,
    weights: Vec<f32>,
    noise: Vec<f32>,
}

impl Crossbar {
    /// Forms an array: `W = (G+ - G-) / (sqrt(2) sd)`, so that weights have mean 0 and, without stuck cells, variance 1.
    ///
    /// # Errors
    /// [`SettingError`] for a device out of range, no rows or columns, or more than a hundred million weights.
    pub fn form(
        device: &Device,
        n_rows: usize,
        n_columns: usize,
        rng: &mut Rng,
    ) -> Result<Self, SettingError> {
        device.validate()?;
        let n = n_rows.saturating_mul(n_columns);
        let holds = (1..=100_000_000).contains(&n);
        let found = format!("{n_rows} x {n_columns}");
        SettingError::check(holds, "crossbar", "1 to 100,000,000 weights", found)?;
        let unit = std::f64::consts::SQRT_2 * device.variation;
        let (mut weights, mut noise) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for _ in 0..n {
            let (plus, minus) = (device.cell(rng), device.cell(rng));
            weights.push(((plus - minus) / unit) as f32);
            let variance = plus.powi(2) + minus.powi(2);
            noise.push((variance * (device.read_noise / unit).powi(2)) as f32);
        }
        Ok(Self {
            n_rows,
            n_columns,
            weights,
            noise,
        })
    }

    /// Rows and columns.
    #[must_use]
    pub fn dim(&self) -> (usize, usize) {
        (self.n_rows, self.n_columns)
    }

    /// Weights, row by row.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Variance of each weight's noise at a read, row by row. Noise of cells is independent, so the variances of a column's
    /// active rows add up: one normal number for each column and read is as good as two for each weight.
    #[must_use]
    pub fn noise(&self) -> &[f32] {
        &self.noise
    }
}

/// A converter: so many levels at equal distances, the outermost at its range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adc {
    range: f32,
    step: f32,
}

impl Adc {
    /// A converter of 1 to 24 bits whose outermost levels are at `-range` and about `range`; `None` for 0 bits.
    #[must_use]
    pub fn new(bits: u32, range: f32) -> Option<Self> {
        let levels = 1u32 << bits.min(24);
        (bits > 0).then(|| Self {
            range,
            step: 2.0 * range / levels as f32,
        })
    }

    /// The level nearest to a current. There are as many below 0 as from 0 up.
    #[inline(always)]
    #[must_use]
    pub fn read(&self, current: f32) -> f32 {
        let level = (current / self.step).round() * self.step;
        level.clamp(-self.range, self.range - self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::{Streams, stats};

    fn formed(device: &Device) -> Vec<f64> {
        let mut rng = Streams::new(3).stream("cells");
        let crossbar = Crossbar::form(device, 200, 300, &mut rng).unwrap();
        crossbar.weights().iter().map(|w| f64::from(*w)).collect()
    }

    #[test]
    fn weights_have_mean_0_and_variance_1() {
        for (forming, variation) in [(Forming::Lognormal, 0.4), (Forming::Normal, 0.25)] {
            let device = Device {
                forming,
                variation,
                ..Device::default()
            };
            let weights = formed(&device);
            let mean = stats::mean(&weights);
            let variance = stats::mean(&weights.iter().map(|w| w * w).collect::<Vec<_>>());
            // 60,000 weights: standard errors of 0.004 and, with heavy tails, about 0.008.
            assert!(mean.abs() < 0.02, "{mean}");
            assert!((variance - 1.0).abs() < 0.04, "{variance}");
        }
    }

    #[test]
    fn the_stream_is_the_chip_and_stuck_cells_leave_the_others() {
        let device = Device::default();
        let fresh = formed(&device);
        assert_eq!(fresh, formed(&device));
        let stuck = formed(&Device {
            stuck: 0.05,
            ..device
        });
        let changed = fresh.iter().zip(&stuck).filter(|(a, b)| a != b).count();
        let share = changed as f64 / fresh.len() as f64;
        // A weight changes if either of its cells is stuck.
        assert!((share - (1.0 - 0.95f64.powi(2))).abs() < 0.005, "{share}");
        let all = formed(&Device {
            stuck: 1.0 - 1e-12,
            ..device
        });
        let size = (1.0 + 3.0 * 0.4) / (2f64.sqrt() * 0.4);
        let of_three = |w: &f64| [-size, 0.0, size].iter().any(|x| (x - w).abs() < 1e-5);
        assert!(all.iter().all(of_three));
    }

    #[test]
    fn noise_is_that_of_both_cells() {
        let device = Device {
            read_noise: 0.05,
            ..Device::default()
        };
        let mut rng = Streams::new(3).stream("cells");
        let crossbar = Crossbar::form(&device, 100, 300, &mut rng).unwrap();
        let noise: Vec<f64> = crossbar.noise().iter().map(|v| f64::from(*v)).collect();
        // E(G+^2 + G-^2) = 2 (1 + cv^2), over 2 cv^2.
        let expected = 0.05f64.powi(2) * (1.0 + 0.16) / 0.16;
        let mean = stats::mean(&noise);
        assert!((mean / expected - 1.0).abs() < 0.02, "{mean} {expected}");
        assert!(formed(&Device::default()).len() == 60_000);
    }

    #[test]
    fn a_converter_knows_its_levels_and_no_more() {
        assert!(Adc::new(0, 4.0).is_none());
        let adc = Adc::new(2, 4.0).unwrap();
        let read = [-9.0, -3.1, -2.9, -0.9, 0.9, 1.1, 3.0, 99.0].map(|x| adc.read(x));
        assert_eq!(read, [-4.0, -4.0, -2.0, 0.0, 0.0, 2.0, 2.0, 2.0]);
        let adc = Adc::new(8, 4.0).unwrap();
        let mut levels: Vec<f32> = (-5000..5000).map(|x| adc.read(x as f32 / 1000.0)).collect();
        levels.dedup();
        assert_eq!(levels.len(), 256);
    }

    #[test]
    fn devices_out_of_range_are_refused_by_name() {
        let mut rng = Streams::new(3).stream("cells");
        let mut refused = |device: Device, n: usize| {
            let refusal = Crossbar::form(&device, n, 2, &mut rng);
            refusal.unwrap_err().field
        };
        let device = Device::default();
        assert_eq!(
            refused(
                Device {
                    variation: 0.0,
                    ..device
                },
                2
            ),
            "variation"
        );
        assert_eq!(
            refused(
                Device {
                    stuck: 1.0,
                    ..device
                },
                2
            ),
            "stuck"
        );
        assert_eq!(
            refused(
                Device {
                    read_noise: f64::NAN,
                    ..device
                },
                2
            ),
            "read_noise"
        );
        assert_eq!(
            refused(
                Device {
                    adc_bits: 25,
                    ..device
                },
                2
            ),
            "adc_bits"
        );
        assert_eq!(
            refused(
                Device {
                    adc_range: 0.0,
                    ..device
                },
                2
            ),
            "adc_range"
        );
        assert_eq!(refused(device, 0), "crossbar");
    }
}
