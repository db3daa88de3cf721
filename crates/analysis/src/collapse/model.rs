//! The last layer of a classifier whose features are free but for a spring to given ones (paper 22, Eqs. 1 and 2).

use chiasm_core::{Rng, SettingError, Watch};
use ndarray::{Array2, ArrayView2};
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::{Factor, orthonormal, product, solve, squares};
use super::features::Features;
use super::moments::at_least;

/// The objective
/// `1/(2Kn) |WH - Y|^2 + lw/(2K) |W|^2 + lh/(2Kn) |H|^2 + beta/(2Kn) |H - H0|^2` (paper 22, Eq. 2; with `beta` 0, Eq. 1) of
/// features `H` `[feature, sample]` and a classifier `W` `[class, feature]` without bias; `Y` says which class is which. The
/// defaults are the setting of the paper's figure.
///
/// ```
/// use chiasm_analysis::collapse::FeatureModel;
/// use chiasm_core::Streams;
/// let model = FeatureModel { lambda_h: 0.05, ..FeatureModel::default() };
/// let exact = model.collapsed((4, 10, 10), &mut Streams::new(1).stream("frame"))?;
/// let c = model.strength();
/// let value = model.eq1().value(exact.classifier.view(), &exact.features, None)?;
/// assert!((value - (c - c * c / 2.0)).abs() < 1e-12);
/// # Ok::<(), chiasm_analysis::collapse::CollapseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureModel {
    /// Decay of the classifier, `lw` (paper's figure: the root of 2).
    pub lambda_w: f64,
    /// Decay of the features, `lh` (paper's figure: several).
    pub lambda_h: f64,
    /// Strength of the spring to the given features (paper's figure: 100).
    pub beta: f64,
}

impl Default for FeatureModel {
    fn default() -> Self {
        Self {
            lambda_w: std::f64::consts::SQRT_2,
            lambda_h: 0.05,
            beta: 100.0,
        }
    }
}

/// A classifier and features that minimize the objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// `W`, `[class, feature]`.
    pub classifier: Array2<f64>,
    /// `H`.
    pub features: Features,
    /// Norm of the gradient of the objective.
    pub gradient: f64,
    /// Pairs of linear solves that it took.
    pub iterations: usize,
}

/// When the search for a minimum ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// Norm of the gradient (card 22, E: 1e-12).
    pub gradient: f64,
    /// The most iterations (chosen).
    pub iterations: usize,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            gradient: 1e-12,
            iterations: 1_000_000,
        }
    }
}

impl FeatureModel {
    /// Checks every setting: decay of the classifier above 0, of the features and the spring not both 0.
    ///
    /// # Errors
    /// [`SettingError`] for the first one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let w = self.lambda_w;
        SettingError::check(w > 0.0 && w <= 1e6, "lambda_w", "above 0, at most 1e6", w)?;
        let h = self.lambda_h;
        SettingError::check((0.0..=1e6).contains(&h), "lambda_h", "0 to 1e6", h)?;
        let b = self.beta;
        SettingError::check((0.0..=1e9).contains(&b), "beta", "0 to 1e9", b)?;
        let expected = "above 0 where there is no spring (beta = 0)";
        SettingError::check(h + b > 0.0, "lambda_h", expected, h)
    }

    /// Also that features decay and that there is a spring, which the theory at collapse needs.
    pub(super) fn validate_all(&self) -> Result<(), SettingError> {
        self.validate()?;
        SettingError::check(self.lambda_h > 0.0, "lambda_h", "above 0", self.lambda_h)?;
        SettingError::check(self.beta > 0.0, "beta", "above 0", self.beta)
    }

    /// `c`, the root of `lh lw`: at 1 and above nothing is learned (paper 22, Thm 2.1).
    #[must_use]
    pub fn strength(&self) -> f64 {
        (self.lambda_h * self.lambda_w).sqrt()
    }

    /// The same without a spring: Eq. 1.
    #[must_use]
    pub fn eq1(&self) -> Self {
        Self { beta: 0.0, ..*self }
    }

    /// The objective; `H0` stands at 0 where it is not given.
    ///
    /// # Errors
    /// [`CollapseError::Number`] for matrices that do not fit together; settings out of range.
    pub fn value(
        &self,
        w: ArrayView2<'_, f64>,
        h: &Features,
        h0: Option<&Features>,
    ) -> Result<f64, CollapseError> {
        self.fits(w, h, h0)?;
        let (k, n) = (h.n_classes() as f64, h.per_class() as f64);
        let apart = match h0 {
            Some(h0) => squares((&h.values() - &h0.values()).view()),
            None => squares(h.values()),
        };
        let error = squares(residual(w, h).view());
        let own = error + self.lambda_h * squares(h.values()) + self.beta * apart;
        Ok(own / (2.0 * k * n) + self.lambda_w / (2.0 * k) * squares(w))
    }

    /// The gradient of the objective by classifier and features; `H0` stands at 0 where it is not given.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn gradient(
        &self,
        w: ArrayView2<'_, f64>,
        h: &Features,
        h0: Option<&Features>,
    ) -> Result<(Array2<f64>, Array2<f64>), CollapseError> {
        self.fits(w, h, h0)?;
        let (k, n) = (h.n_classes() as f64, h.per_class() as f64);
        let residual = residual(w, h);
        let by_w = product(residual.view(), h.values().t()) / (k * n) + self.lambda_w / k * &w;
        let mut by_h = product(w.t(), residual.view());
        by_h.scaled_add(self.lambda_h + self.beta, &h.values());
        if let Some(h0) = h0 {
            by_h.scaled_add(-self.beta, &h0.values());
        }
        by_h /= k * n;
        Ok((by_w, by_h))
    }

    /// The minimum of Eq. 1 (paper 22, Thm 2.1), for so many classes, samples of each and features, turned at random. With
    /// these features as `H0` it is also the minimum of Eq. 2 (Cor. 2.2).
    ///
    /// # Errors
    /// [`CollapseError::Few`] below two classes, with fewer features than classes, without a sample; settings out of range,
    /// among them no decay of the features.
    pub fn collapsed(
        &self,
        (n_classes, per_class, n_features): (usize, usize, usize),
        rng: &mut Rng,
    ) -> Result<Minimum, CollapseError> {
        self.validate()?;
        SettingError::check(self.lambda_h > 0.0, "lambda_h", "above 0", self.lambda_h)?;
        at_least("classes", 2, n_classes)?;
        at_least("features", n_classes, n_features)?;
        at_least("samples of each class", 1, per_class)?;
        let draws = normal((n_features, n_classes), rng);
        let frame = orthonormal(draws.view());
        let c = self.strength();
        let rho = (1.0 - c).max(0.0) * (self.lambda_w / self.lambda_h).sqrt();
        let means = &frame * rho.sqrt();
        let h = Array2::from_shape_fn((n_features, n_classes * per_class), |(i, j)| {
            means[[i, j / per_class]]
        });
        let features = Features::new(h, n_classes)?;
        let classifier =
            frame.t().to_owned() * ((self.lambda_h / self.lambda_w).sqrt() * rho.sqrt());
        let gradient = norm(&self.eq1().gradient(classifier.view(), &features, None)?);
        Ok(Minimum {
            classifier,
            features,
            gradient,
            iterations: 0,
        })
    }

    /// The best classifier for fixed features, `Y H' (H H' + n lw I)^-1` (card 22, C).
    ///
    /// # Errors
    /// [`CollapseError::Singular`] for features beyond `f64`.
    pub fn best_classifier(&self, h: &Features) -> Result<Array2<f64>, CollapseError> {
        let mut gram = product(h.values(), h.values().t());
        let own = h.per_class() as f64 * self.lambda_w;
        gram.diag_mut().iter_mut().for_each(|v| *v += own);
        // `H Y'`: the sums of each class.
        let sums = h.means() * h.per_class() as f64;
        Ok(solve("features", gram.view(), sums.view())?.t().to_owned())
    }

    /// The minimum for given features `H0` (paper 22, Eq. 2), by exact linear solves for classifier and features in turn,
    /// from `H = H0`. Ticks once for every thousand of them.
    ///
    /// # Errors
    /// [`CollapseError::NotConverged`]; settings out of range.
    pub fn minimize(
        &self,
        h0: &Features,
        stop: Stop,
        watch: &dyn Watch,
    ) -> Result<Minimum, CollapseError> {
        self.validate()?;
        let mut h = h0.clone();
        let mut gradient = f64::INFINITY;
        for iterations in 0..=stop.iterations {
            if iterations % 1000 == 0 {
                watch.check()?;
                watch.tick(1);
            }
            let w = self.best_classifier(&h)?;
            gradient = norm(&self.gradient(w.view(), &h, Some(h0))?);
            if gradient < stop.gradient {
                return Ok(Minimum {
                    classifier: w,
                    features: h,
                    gradient,
                    iterations,
                });
            }
            h = h.with(self.best_features(w.view(), h0)?);
        }
        Err(CollapseError::NotConverged {
            what: "minimizer",
            iterations: stop.iterations,
            residual: gradient,
            tolerance: stop.gradient,
        })
    }

    /// `(W'W + (lh + beta) I)^-1 (W'Y + beta H0)`
    fn best_features(
        &self,
        w: ArrayView2<'_, f64>,
        h0: &Features,
    ) -> Result<Array2<f64>, CollapseError> {
        let factor = self.factor(w)?;
        let mut right = &h0.values() * self.beta;
        let n = h0.per_class();
        for (j, mut column) in right.columns_mut().into_iter().enumerate() {
            column += &w.row(j / n);
        }
        Ok(factor.solve(right.view()).as_standard_layout().into_owned())
    }

    /// The factor of `W'W + (lh + beta) I`.
    pub(super) fn factor(&self, w: ArrayView2<'_, f64>) -> Result<Factor, CollapseError> {
        let mut gram = product(w.t(), w);
        let own = self.lambda_h + self.beta;
        gram.diag_mut().iter_mut().for_each(|v| *v += own);
        Factor::of("classifier", gram.view())
    }

    fn fits(
        &self,
        w: ArrayView2<'_, f64>,
        h: &Features,
        h0: Option<&Features>,
    ) -> Result<(), CollapseError> {
        use super::moments::same_number;
        self.validate()?;
        same_number("classes of the classifier", h.n_classes(), w.nrows())?;
        same_number("features of the classifier", h.n_features(), w.ncols())?;
        if let Some(h0) = h0 {
            same_number("features of H0", h.n_features(), h0.n_features())?;
            same_number("classes of H0", h.n_classes(), h0.n_classes())?;
            same_number("samples of each class of H0", h.per_class(), h0.per_class())?;
        }
        Ok(())
    }
}

/// `W H - Y`
pub(super) fn residual(w: ArrayView2<'_, f64>, h: &Features) -> Array2<f64> {
    let mut residual = product(w, h.values());
    let n = h.per_class();
    for j in 0..residual.ncols() {
        residual[[j / n, j]] -= 1.0;
    }
    residual
}

fn norm((by_w, by_h): &(Array2<f64>, Array2<f64>)) -> f64 {
    (squares(by_w.view()) + squares(by_h.view())).sqrt()
}

/// Standard normal draws.
pub(super) fn normal(shape: (usize, usize), rng: &mut Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn(shape, || StandardNormal.sample(rng))
}
