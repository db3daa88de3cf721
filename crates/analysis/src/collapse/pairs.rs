//! Measures over all pairs of classes, tile by tile: no matrix of classes by classes is ever held.

use chiasm_core::{SettingError, Watch, vectorized};
use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::product_into;
use super::geometry::{Stats, unit_rows};
use super::moments::{at_least, same_number};

/// What is done with pairs of classes between which there is no distance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// They are refused.
    #[default]
    Refuse,
    /// They are left out of the measures that would be infinite, and counted.
    Exclude,
}

/// Measures over pairs of classes. The defaults are those of the language study (card 50, C).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pairs {
    /// The power `p` of squared distances in the class-distance normalized variance (released code of the study: 2; the
    /// original definition: 1).
    pub power: f64,
    /// The power `s` of the Riesz kernel; not measured if not given (the authors' package: features less 2).
    pub riesz: Option<f64>,
    /// What is done with classes of the same mean.
    pub duplicates: Duplicates,
    /// Classes to a side of a tile: speed alone depends on it (the authors' code: 1024).
    pub tile: usize,
}

impl Default for Pairs {
    fn default() -> Self {
        Self {
            power: 2.0,
            riesz: None,
            duplicates: Duplicates::Refuse,
            tile: 256,
        }
    }
}

/// What the pairs of classes come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairMeasures {
    /// Pairs, `K (K - 1) / 2`.
    pub n_pairs: u64,
    /// Mean class-distance normalized variance `(v_i + v_j) / (2 |mu_i - mu_j|^{2p})` (NC1).
    pub cdnv: f64,
    /// Of the products `m_i . m_j` of centered means (NC2, interference).
    pub interference: Stats,
    /// Of `ln(1 / |u_i - u_j|)`, `u` being centered means at unit length (GNC2, hyperspherical uniformity).
    pub log_kernel: Stats,
    /// Of `sign(s) |u_i - u_j|^{-s}`, where asked for.
    pub riesz: Option<Stats>,
    /// Pairs of the same mean, left out of [`Self::cdnv`].
    pub n_same_mean: u64,
    /// Pairs of the same direction, or of a mean that is the mean of all, left out of the kernels.
    pub n_same_direction: u64,
}

impl Pairs {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let p = self.power;
        SettingError::check(p > 0.0 && p <= 16.0, "power", "above 0, at most 16", p)?;
        if let Some(s) = self.riesz {
            SettingError::check(s.abs() <= 1e4, "riesz", "-10,000 to 10,000", s)?;
        }
        let t = self.tile;
        SettingError::check((1..=1 << 15).contains(&t), "tile", "1 to 32,768", t)
    }

    /// Measures all pairs of centered class means `[class, feature]`; `variances` are the mean squared distances within
    /// each class. Ticks once for each row of tiles.
    ///
    /// # Errors
    /// [`CollapseError`] for settings out of range, fewer than two classes, another number of variances, classes of the same
    /// mean where these are refused, a Riesz kernel beyond `f64`.
    pub fn measure(
        &self,
        centered: ArrayView2<'_, f64>,
        variances: &[f64],
        watch: &dyn Watch,
    ) -> Result<PairMeasures, CollapseError> {
        self.validate()?;
        let n = centered.nrows();
        at_least("classes", 2, n)?;
        same_number("variances", n, variances.len())?;
        let all = All {
            how: self,
            centered,
            unit: unit_rows(centered),
            squares: centered.rows().into_iter().map(|m| m.dot(&m)).collect(),
            variances,
        };
        let n_tiles = n.div_ceil(self.tile);
        let mut sums = Sums::default();
        for i in 0..n_tiles {
            watch.check()?;
            let row: Vec<Result<Sums, CollapseError>> = (i..n_tiles)
                .into_par_iter()
                .map(|j| all.tile(i * self.tile, j * self.tile))
                .collect();
            // In the order of the tiles, whichever was done first.
            for tile in row {
                sums.join(&tile?);
            }
            watch.tick(1);
        }
        sums.finish(self, n)
    }
}

/// Count, mean and sum of squared deviations.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: f64,
    mean: f64,
    apart: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        if values.is_empty() {
            return Self::default();
        }
        let mean = values.iter().sum::<f64>() / n;
        let apart = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        Self { n, mean, apart }
    }

    /// Chan's rule: no digits are lost where the variance is small beside the mean.
    fn join(&mut self, other: &Self) {
        let n = self.n + other.n;
        if n == 0.0 {
            return;
        }
        let step = other.mean - self.mean;
        self.apart += other.apart + step * step * self.n * other.n / n;
        self.mean += step * other.n / n;
        self.n = n;
    }

    fn stats(&self) -> Stats {
        Stats {
            mean: self.mean,
            variance: self.apart / self.n,
        }
    }
}

#[derive(Default)]
struct Sums {
    cdnv: f64,
    n_cdnv: u64,
    interference: Moments,
    log_kernel: Moments,
    riesz: Moments,
    n_same_mean: u64,
    n_same_direction: u64,
}

impl Sums {
    fn join(&mut self, other: &Self) {
        self.cdnv += other.cdnv;
        self.n_cdnv += other.n_cdnv;
        self.interference.join(&other.interference);
        self.log_kernel.join(&other.log_kernel);
        self.riesz.join(&other.riesz);
        self.n_same_mean += other.n_same_mean;
        self.n_same_direction += other.n_same_direction;
    }

    fn finish(&self, how: &Pairs, n: usize) -> Result<PairMeasures, CollapseError> {
        at_least(
            "pairs of classes with different means",
            1,
            self.n_cdnv as usize,
        )?;
        let kernels = self.log_kernel.n as usize;
        at_least("pairs of classes in different directions", 1, kernels)?;
        let riesz = how.riesz.map(|_| self.riesz.stats());
        if let Some(r) = riesz
            && !(r.mean.is_finite() && r.variance.is_finite())
        {
            let expected = "a power for which the kernel stays within f64";
            return Err(SettingError::new("riesz", expected, how.riesz.unwrap_or_default()).into());
        }
        Ok(PairMeasures {
            n_pairs: (n as u64) * (n as u64 - 1) / 2,
            cdnv: self.cdnv / self.n_cdnv as f64,
            interference: self.interference.stats(),
            log_kernel: self.log_kernel.stats(),
            riesz,
            n_same_mean: self.n_same_mean,
            n_same_direction: self.n_same_direction,
        })
    }
}

struct All<'a> {
    how: &'a Pairs,
    centered: ArrayView2<'a, f64>,
    unit: Array2<f64>,
    squares: Vec<f64>,
    variances: &'a [f64],
}

/// Distances below this part of the squared norms are taken feature by feature: as norms less products they have lost too
/// many digits.
const NEAR: f64 = 1e-3;

impl All<'_> {
    /// The pairs `i < j` of one tile.
    fn tile(&self, from_i: usize, from_j: usize) -> Result<Sums, CollapseError> {
        let n = self.centered.nrows();
        let (to_i, to_j) = (
            (from_i + self.how.tile).min(n),
            (from_j + self.how.tile).min(n),
        );
        let mut dots = Array2::zeros((to_i - from_i, to_j - from_j));
        product_into(
            self.centered.slice(s![from_i..to_i, ..]),
            self.centered.slice(s![from_j..to_j, ..]).t(),
            &mut dots,
        );
        let mut sums = Sums::default();
        let width = to_j - from_j;
        let (mut apart, mut turned) = (vec![0.0; width], vec![0.0; width]);
        for i in from_i..to_i {
            let first = from_j.max(i + 1);
            let row = dots.row(i - from_i);
            let Some(row) = row.as_slice().map(|r| &r[(first - from_j).min(width)..]) else {
                continue;
            };
            let n_own = row.len();
            let (apart, turned) = (&mut apart[..n_own], &mut turned[..n_own]);
            let (own, others) = (self.squares[i], &self.squares[first.min(n)..][..n_own]);
            vectorized(
                #[inline(always)]
                || {
                    let values = apart.iter_mut().zip(turned.iter_mut());
                    for (((a, t), g), s) in values.zip(row).zip(others) {
                        *a = own + s - 2.0 * g;
                        *t = 2.0 - 2.0 * g / (own * s).sqrt();
                    }
                },
            );
            self.mend(i, first, apart, turned);
            self.distances((i, first), apart, &mut sums)?;
            self.kernels((i, first), turned, &mut sums)?;
            sums.interference.join(&Moments::of(row));
        }
        Ok(sums)
    }

    /// Takes small distances anew.
    fn mend(&self, i: usize, first: usize, apart: &mut [f64], turned: &mut [f64]) {
        let between = |x: ArrayView2<'_, f64>, j: usize| -> f64 {
            let pair = x.row(i).into_iter().zip(x.row(j));
            pair.map(|(a, b)| (a - b) * (a - b)).sum()
        };
        for (k, (a, t)) in apart.iter_mut().zip(turned).enumerate() {
            let j = first + k;
            if *a < NEAR * (self.squares[i] + self.squares[j]) {
                *a = between(self.centered, j);
            }
            if self.squares[i] == 0.0 || self.squares[j] == 0.0 {
                *t = 0.0;
            } else if *t < NEAR {
                *t = between(self.unit.view(), j);
            }
        }
    }

    fn distances(
        &self,
        (i, first): (usize, usize),
        apart: &[f64],
        sums: &mut Sums,
    ) -> Result<(), CollapseError> {
        let p = self.how.power;
        let own = self.variances[i];
        for (k, &squared) in apart.iter().enumerate() {
            let j = first + k;
            if squared <= 0.0 {
                if self.how.duplicates == Duplicates::Refuse {
                    return Err(CollapseError::Duplicates {
                        what: "mean",
                        first: i,
                        second: j,
                    });
                }
                sums.n_same_mean += 1;
                continue;
            }
            let scale = if p == 1.0 {
                squared
            } else if p == 2.0 {
                squared * squared
            } else {
                squared.powf(p)
            };
            sums.cdnv += (own + self.variances[j]) / (2.0 * scale);
            sums.n_cdnv += 1;
        }
        Ok(())
    }

    fn kernels(
        &self,
        (i, first): (usize, usize),
        turned: &[f64],
        sums: &mut Sums,
    ) -> Result<(), CollapseError> {
        let mut logs = Vec::with_capacity(turned.len());
        let mut powers = Vec::new();
        for (k, &squared) in turned.iter().enumerate() {
            if squared <= 0.0 {
                let j = first + k;
                let zero = self.squares[i] == 0.0 || self.squares[j] == 0.0;
                // A mean that is the mean of all has no direction: it is left out and counted under either rule.
                if self.how.duplicates == Duplicates::Refuse && !zero {
                    return Err(CollapseError::Duplicates {
                        what: "direction of the mean",
                        first: i,
                        second: j,
                    });
                }
                sums.n_same_direction += 1;
                continue;
            }
            logs.push(-0.5 * squared.ln());
            if let Some(s) = self.how.riesz {
                powers.push(1f64.copysign(s) * squared.powf(-0.5 * s));
            }
        }
        sums.log_kernel.join(&Moments::of(&logs));
        sums.riesz.join(&Moments::of(&powers));
        Ok(())
    }
}
