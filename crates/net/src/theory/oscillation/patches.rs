//! Samples of patches: a strong feature that is not always there, a weak one that is, and noise (card 55, A).

use chiasm_core::{Rng, SettingError, Streams};
use ndarray::{Array3, ArrayView1};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::error::TheoryError;

/// A strong and a weak feature, orthogonal to each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    u: Vec<f64>,
    v: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

impl Features {
    /// These two, of the same length.
    ///
    /// # Errors
    /// [`TheoryError`]: lengths that differ, a value that is not finite, a feature of 0, features that are not orthogonal
    /// to 1e-8 of their lengths.
    pub fn new(u: Vec<f64>, v: Vec<f64>) -> Result<Self, TheoryError> {
        if u.len() != v.len() {
            return Err(TheoryError::Shape {
                what: "weak feature",
                expected: u.len(),
                found: v.len(),
            });
        }
        for (what, x) in [("strong feature", &u), ("weak feature", &v)] {
            if let Some(column) = x.iter().position(|v| !v.is_finite()) {
                return Err(TheoryError::NotFinite {
                    what,
                    row: 0,
                    column,
                    found: x[column],
                });
            }
        }
        let (uu, vv, uv) = (dot(&u, &u), dot(&v, &v), dot(&u, &v));
        SettingError::check(uu > 0.0, "u", "a strong feature that is not 0", uu)?;
        SettingError::check(vv > 0.0, "v", "a weak feature that is not 0", vv)?;
        if uv.abs() > 1e-8 * (uu * vv).sqrt() {
            return Err(TheoryError::NotOrthogonal {
                found: uv / (uu * vv).sqrt(),
            });
        }
        Ok(Self { u, v })
    }

    /// The strong feature `u`.
    #[must_use]
    pub fn strong(&self) -> &[f64] {
        &self.u
    }

    /// The weak feature `v`.
    #[must_use]
    pub fn weak(&self) -> &[f64] {
        &self.v
    }

    /// `|u|^2`.
    #[must_use]
    pub fn strong_norm(&self) -> f64 {
        dot(&self.u, &self.u)
    }

    /// `|v|^2 / |u|^2`.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        dot(&self.v, &self.v) / self.strong_norm()
    }
}

/// Samples with or without the strong feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With it.
    Strong,
    /// Without it.
    Weak,
}

/// Samples `[sample, patch, dimension]` with labels of 1 or -1.
#[derive(Debug, Clone, PartialEq)]
pub struct Patches {
    x: Array3<f64>,
    y: Vec<f64>,
    weak: Vec<bool>,
}

impl Patches {
    /// Your own: `weak` marks the samples without the strong feature.
    ///
    /// # Errors
    /// [`TheoryError`]: none at all, another number of labels or marks than of samples, a label that is not 1 or -1, a value that
    /// is not finite.
    pub fn new(x: Array3<f64>, y: Vec<f64>, weak: Vec<bool>) -> Result<Self, TheoryError> {
        let (n, patches, d) = x.dim();
        for (what, expected, found) in [
            ("samples", n.max(1), n),
            ("patches", patches.max(1), patches),
            ("dimensions of a patch", d.max(1), d),
            ("labels", n, y.len()),
            ("marks of weak samples", n, weak.len()),
        ] {
            if expected != found {
                return Err(TheoryError::Shape {
                    what,
                    expected,
                    found,
                });
            }
        }
        if let Some(sample) = y.iter().position(|y| *y != 1.0 && *y != -1.0) {
            let found = y[sample];
            return Err(TheoryError::Label { sample, found });
        }
        if let Some(((row, ..), found)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            let flat = x.iter().position(|v| !v.is_finite()).unwrap_or(0);
            return Err(TheoryError::NotFinite {
                what: "patches",
                row,
                column: flat % (patches * d),
                found: *found,
            });
        }
        Ok(Self {
            x: x.as_standard_layout().into_owned(),
            y,
            weak,
        })
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Whether there are none: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// Dimensions of a patch.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.x.dim().2
    }

    /// Patches of each sample.
    #[must_use]
    pub fn n_patches(&self) -> usize {
        self.x.dim().1
    }

    /// A patch of a sample.
    #[must_use]
    pub fn patch(&self, sample: usize, patch: usize) -> ArrayView1<'_, f64> {
        self.x.slice(ndarray::s![sample, patch, ..])
    }

    /// A sample's patches, one after the other.
    pub(super) fn sample(&self, sample: usize) -> &[f64] {
        let size = self.n_patches() * self.dimension();
        let all = self.x.as_slice().unwrap_or(&[]);
        &all[sample * size..(sample + 1) * size]
    }

    /// Labels, 1 or -1.
    #[must_use]
    pub fn labels(&self) -> &[f64] {
        &self.y
    }

    /// Whether a sample is without the strong feature.
    #[must_use]
    pub fn is_weak(&self, sample: usize) -> bool {
        self.weak[sample]
    }

    /// Squared length of a strong sample over all its patches, in the mean; of all samples where none is strong.
    #[must_use]
    pub fn mean_norm(&self) -> f64 {
        let strong = self.weak.iter().any(|w| !w);
        let of: Vec<f64> = (0..self.len())
            .filter(|i| !strong || !self.weak[*i])
            .map(|i| self.sample(i).iter().map(|v| v * v).sum())
            .collect();
        of.iter().sum::<f64>() / of.len() as f64
    }
}

/// How samples are drawn. Defaults are the card's, all chosen there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Dimensions of a patch (card 55: 64).
    pub dimension: usize,
    /// Samples to learn from (card 55: 16).
    pub n: usize,
    /// Those of them without the strong feature (card 55: 1).
    pub n_weak: usize,
    /// Length of the strong feature (card 55: 1).
    pub strong: f64,
    /// `|v|^2 / |u|^2` (card 55: 0.01).
    pub q: f64,
    /// Variance of the noise over all dimensions of a patch, `sp^2 d` (card 55: 0.05).
    pub noise: f64,
    /// Part of the labels to learn from that are turned (card 55: none).
    pub label_noise: f64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            dimension: 64,
            n: 16,
            n_weak: 1,
            strong: 1.0,
            q: 0.01,
            noise: 0.05,
            label_noise: 0.0,
        }
    }
}

impl Recipe {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TheoryError::Setting`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), TheoryError> {
        let d = self.dimension;
        SettingError::check((2..=1 << 16).contains(&d), "dimension", "2 to 65536", d)?;
        SettingError::check((1..=1 << 20).contains(&self.n), "n", "1 to 1048576", self.n)?;
        let expected = format!("fewer than the {} samples", self.n);
        SettingError::check(self.n_weak < self.n, "n_weak", &expected, self.n_weak)?;
        let v = self.strong;
        SettingError::check(v.is_finite() && v > 0.0, "strong", "a number above 0", v)?;
        for (field, v) in [("q", self.q), ("noise", self.noise)] {
            SettingError::check(v.is_finite() && v >= 0.0, field, "a number of 0 or more", v)?;
        }
        let v = self.label_noise;
        SettingError::check((0.0..=0.5).contains(&v), "label_noise", "0 to 0.5", v)?;
        Ok(())
    }

    /// Two orthogonal directions.
    ///
    /// # Errors
    /// As [`Recipe::validate`].
    pub fn features(&self, streams: &Streams) -> Result<Features, TheoryError> {
        self.validate()?;
        let mut rng = streams.stream("features");
        let mut draw = || -> Vec<f64> {
            (0..self.dimension)
                .map(|_| StandardNormal.sample(&mut rng))
                .collect()
        };
        let (mut u, mut v) = (draw(), draw());
        let length = dot(&u, &u).sqrt();
        u.iter_mut().for_each(|x| *x *= self.strong / length);
        // Twice, so that they are orthogonal to rounding.
        for _ in 0..2 {
            let along = dot(&u, &v) / dot(&u, &u);
            v.iter_mut().zip(&u).for_each(|(v, u)| *v -= along * u);
        }
        if self.q == 0.0 {
            // Without a weak feature, for comparison.
            v.fill(0.0);
            return Ok(Features { u, v });
        }
        let length = dot(&v, &v).sqrt();
        let wanted = self.strong * self.q.sqrt();
        v.iter_mut().for_each(|x| *x *= wanted / length);
        Features::new(u, v)
    }

    /// Samples to learn from; the weak ones are the last.
    ///
    /// # Errors
    /// As [`Recipe::validate`]; [`TheoryError::Shape`] for features of another dimension.
    pub fn train(&self, features: &Features, streams: &Streams) -> Result<Patches, TheoryError> {
        let kinds = (0..self.n).map(|i| {
            if i + self.n_weak >= self.n {
                Kind::Weak
            } else {
                Kind::Strong
            }
        });
        let mut rng = streams.stream("train");
        let mut found = self.draw(features, kinds.collect(), &mut rng)?;
        let turned = (self.label_noise * self.n as f64).round() as usize;
        let mut order: Vec<usize> = (0..self.n).collect();
        order.shuffle(&mut streams.stream("turned labels"));
        for i in &order[..turned] {
            found.y[*i] = -found.y[*i];
        }
        Ok(found)
    }

    /// So many samples of one kind to test on, their labels right.
    ///
    /// # Errors
    /// As [`Recipe::train`].
    pub fn test(
        &self,
        features: &Features,
        kind: Kind,
        n: usize,
        streams: &Streams,
    ) -> Result<Patches, TheoryError> {
        let name = match kind {
            Kind::Strong => "strong test",
            Kind::Weak => "weak test",
        };
        self.draw(features, vec![kind; n], &mut streams.stream(name))
    }

    fn draw(
        &self,
        features: &Features,
        kinds: Vec<Kind>,
        rng: &mut Rng,
    ) -> Result<Patches, TheoryError> {
        self.validate()?;
        let (d, n) = (self.dimension, kinds.len());
        if features.u.len() != d {
            return Err(TheoryError::Shape {
                what: "features",
                expected: d,
                found: features.u.len(),
            });
        }
        let deviation = (self.noise / d as f64).sqrt();
        let (uu, vv) = (features.strong_norm(), dot(&features.v, &features.v));
        let mut x = Array3::zeros((n, 3, d));
        let mut y = Vec::with_capacity(n);
        for (i, kind) in kinds.iter().enumerate() {
            let label = if rng.random::<bool>() { 1.0 } else { -1.0 };
            let mut noise: Vec<f64> = (0..d)
                .map(|_| {
                    let draw: f64 = StandardNormal.sample(rng);
                    deviation * draw
                })
                .collect();
            for (feature, norm) in [(&features.u, uu), (&features.v, vv)] {
                if norm > 0.0 {
                    let along = dot(&noise, feature) / norm;
                    noise
                        .iter_mut()
                        .zip(feature)
                        .for_each(|(x, f)| *x -= along * f);
                }
            }
            for j in 0..d {
                if *kind == Kind::Strong {
                    x[[i, 0, j]] = label * features.u[j];
                }
                x[[i, 1, j]] = label * features.v[j];
                x[[i, 2, j]] = noise[j];
            }
            y.push(label);
        }
        Patches::new(x, y, kinds.iter().map(|k| *k == Kind::Weak).collect())
    }
}
