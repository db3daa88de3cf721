//! How a small change of the given features passes to the features of the minimum (paper 22, Thm 4.1).

use ndarray::{Array2, ArrayView2, s};
use serde::{Deserialize, Serialize};

use super::CollapseError;
use super::dense::{Factor, inner, product, singular_values, squares};
use super::features::Features;
use super::model::{FeatureModel, Minimum, residual};
use super::moments::same_number;

/// Most rows of an operator that is written out.
const MOST_ROWS: usize = 4096;
/// Residual of the exact operator's linear system, relative to its right side.
const TOLERANCE: f64 = 1e-13;
const MOST_STEPS: usize = 20_000;

/// Which form of the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// `beta (A_HH - A_HW A_WW^-1 A_HW')^-1` (Thm 4.1).
    Exact,
    /// `(1 - lh/beta) I - (I (x) W'W - Z)/beta`, whose error is of order `1/beta^2` (Eq. 5).
    LargeBeta,
}

/// The linear operator `F` with `dH = F dH0 + O(dH0^2)` at a minimum. Changes are matrices `[feature, sample]`, samples
/// sorted by class; as vectors, their columns stand below each other. It is applied without ever being written out.
pub struct Perturbation<'a> {
    model: FeatureModel,
    minimum: &'a Minimum,
    residual: Array2<f64>,
    /// `H H' + n lw I`
    classifiers: Factor,
    /// `W'W + (lh + beta) I`
    features: Factor,
}

impl<'a> Perturbation<'a> {
    /// The operator at this minimum of this model.
    ///
    /// # Errors
    /// Settings out of range; a classifier that does not fit the features.
    pub fn at(model: &FeatureModel, minimum: &'a Minimum) -> Result<Self, CollapseError> {
        model.validate_all()?;
        let (w, h) = (minimum.classifier.view(), &minimum.features);
        same_number("classes of the classifier", h.n_classes(), w.nrows())?;
        same_number("features of the classifier", h.n_features(), w.ncols())?;
        let mut gram = product(h.values(), h.values().t());
        let own = h.per_class() as f64 * model.lambda_w;
        gram.diag_mut().iter_mut().for_each(|v| *v += own);
        Ok(Self {
            model: *model,
            minimum,
            residual: residual(w, h),
            classifiers: Factor::of("features", gram.view())?,
            features: model.factor(w)?,
        })
    }

    /// `F dH0`.
    ///
    /// # Errors
    /// [`CollapseError::Number`] for a change of another shape; [`CollapseError::NotConverged`].
    pub fn apply(
        &self,
        form: Form,
        change: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, CollapseError> {
        let shape = self.minimum.features.values().dim();
        same_number("features of the change", shape.0, change.nrows())?;
        same_number("samples of the change", shape.1, change.ncols())?;
        match form {
            Form::LargeBeta => Ok(self.large_beta(change)),
            Form::Exact => self.exact(change),
        }
    }

    /// The change of the classifier that goes with a change of the features, `-A_WW^-1 A_HW' dH`.
    #[must_use]
    pub fn classifier_change(&self, change: ArrayView2<'_, f64>) -> Array2<f64> {
        let across = self.to_classifier(change);
        -self.classifiers.solve(across.t()).t().to_owned()
    }

    /// `A_HW' dH = W dH H' + (W H - Y) dH'`
    fn to_classifier(&self, change: ArrayView2<'_, f64>) -> Array2<f64> {
        let (w, h) = (
            self.minimum.classifier.view(),
            self.minimum.features.values(),
        );
        let seen = product(w, change);
        product(seen.view(), h.t()) + product(self.residual.view(), change.t())
    }

    /// `Z dH = A_HW A_WW^-1 A_HW' dH`
    fn through_classifier(&self, change: ArrayView2<'_, f64>) -> Array2<f64> {
        let (w, h) = (
            self.minimum.classifier.view(),
            self.minimum.features.values(),
        );
        let own = -self.classifier_change(change);
        let first = product(w.t(), product(own.view(), h).view());
        first + product(own.t(), self.residual.view())
    }

    fn through_features(&self, change: ArrayView2<'_, f64>) -> Array2<f64> {
        let w = self.minimum.classifier.view();
        product(w.t(), product(w, change).view())
    }

    fn large_beta(&self, change: ArrayView2<'_, f64>) -> Array2<f64> {
        let FeatureModel { lambda_h, beta, .. } = self.model;
        let mut out = &change * (1.0 - lambda_h / beta);
        out.scaled_add(-1.0 / beta, &self.through_features(change));
        out.scaled_add(1.0 / beta, &self.through_classifier(change));
        out
    }

    /// The Schur complement of the Hessian.
    fn hessian(&self, change: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut out = self.through_features(change);
        out.scaled_add(self.model.lambda_h + self.model.beta, &change);
        out - self.through_classifier(change)
    }

    /// Conjugate gradients, preconditioned by the block without the classifier's part.
    fn exact(&self, change: ArrayView2<'_, f64>) -> Result<Array2<f64>, CollapseError> {
        let right = &change * self.model.beta;
        let scale = squares(right.view()).sqrt();
        let mut x = self.features.solve(right.view());
        if scale == 0.0 {
            return Ok(x);
        }
        let mut rest = &right - &self.hessian(x.view());
        let mut ready = self.features.solve(rest.view());
        let mut direction = ready.clone();
        let mut weight = inner(rest.view(), ready.view());
        let mut residual = squares(rest.view()).sqrt() / scale;
        for _ in 0..MOST_STEPS {
            if residual <= TOLERANCE {
                return Ok(x);
            }
            let image = self.hessian(direction.view());
            let step = weight / inner(direction.view(), image.view());
            x.scaled_add(step, &direction);
            rest.scaled_add(-step, &image);
            ready = self.features.solve(rest.view());
            let next = inner(rest.view(), ready.view());
            direction *= next / weight;
            direction += &ready;
            weight = next;
            residual = squares(rest.view()).sqrt() / scale;
            if !residual.is_finite() {
                break;
            }
        }
        Err(CollapseError::NotConverged {
            what: "perturbation",
            iterations: MOST_STEPS,
            residual,
            tolerance: TOLERANCE,
        })
    }

    /// The operator written out, `[d N, d N]`.
    ///
    /// # Errors
    /// [`CollapseError::TooLarge`] above 4,096 rows; as [`Self::apply`].
    pub fn dense(&self, form: Form) -> Result<Array2<f64>, CollapseError> {
        let (d, n) = self.minimum.features.values().dim();
        if d * n > MOST_ROWS {
            return Err(CollapseError::TooLarge {
                what: "perturbation",
                most: MOST_ROWS,
                found: d * n,
            });
        }
        let mut out = Array2::zeros((d * n, d * n));
        let mut unit = Array2::zeros((d, n));
        for column in 0..d * n {
            unit[[column % d, column / d]] = 1.0;
            let image = self.apply(form, unit.view())?;
            unit[[column % d, column / d]] = 0.0;
            for ((i, j), v) in image.indexed_iter() {
                out[[j * d + i, column]] = *v;
            }
        }
        Ok(out)
    }

    /// Of the operator written out, the part that takes changes of samples of class `from` to features of class `to`.
    #[must_use]
    pub fn block<'b>(&self, dense: &'b Array2<f64>, to: usize, from: usize) -> ArrayView2<'b, f64> {
        let side = self.side();
        dense.slice(s![
            to * side..(to + 1) * side,
            from * side..(from + 1) * side
        ])
    }

    /// Rows of a block, `d n`.
    #[must_use]
    pub fn side(&self) -> usize {
        let h: &Features = &self.minimum.features;
        h.n_features() * h.per_class()
    }
}

/// Singular values of a block, from the largest.
///
/// # Errors
/// [`CollapseError::Singular`] where they are not found.
pub fn block_spectrum(block: ArrayView2<'_, f64>) -> Result<Vec<f64>, CollapseError> {
    singular_values("block of the perturbation", block)
}

/// Singular values at collapse (paper 22, Thm 4.2) of the large-beta operator: those of the block of a class with itself with
/// their multiplicities, from the largest, and the one singular value of a block between two classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Staircase {
    /// (singular value, multiplicity) of the block of a class with itself.
    pub own: Vec<(f64, usize)>,
    /// The one singular value of a block between two classes, `2 lh (1 - c)/beta`.
    pub cross: f64,
}

impl FeatureModel {
    /// The spectrum at collapse in closed form (card 22, G), for so many classes, samples of each and features.
    ///
    /// # Errors
    /// [`CollapseError::Few`] unless there are more features than classes; settings out of range, among them decays so strong
    /// that nothing is learned.
    pub fn staircase(
        &self,
        (n_classes, per_class, n_features): (usize, usize, usize),
    ) -> Result<Staircase, CollapseError> {
        use super::moments::at_least;
        use chiasm_core::SettingError;
        self.validate_all()?;
        at_least("classes", 2, n_classes)?;
        at_least("samples of each class", 1, per_class)?;
        at_least("features", n_classes + 1, n_features)?;
        let c = self.strength();
        let expected = "so small that lambda_h lambda_w is below 1";
        SettingError::check(c < 1.0, "lambda_h", expected, self.lambda_h)?;
        let (lh, beta) = (self.lambda_h, self.beta);
        let (free, more) = (n_features - n_classes, per_class - 1);
        let mut own = vec![
            (1.0, free),
            (1.0 - lh / beta, free * more),
            (1.0 - (lh / self.lambda_w).sqrt() / beta, n_classes * more),
            (1.0 - 2.0 * lh * (1.0 - c) / beta, n_classes - 1),
            (1.0 - 4.0 * lh * (1.0 - c) / beta, 1),
        ];
        own.retain(|(_, multiplicity)| *multiplicity > 0);
        own.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(Staircase {
            own,
            cross: 2.0 * lh / beta * (1.0 - c),
        })
    }
}

impl Staircase {
    /// The largest distance of these singular values, from the largest, from the closed form's; infinite where they are not
    /// as many.
    #[must_use]
    pub fn deviation(&self, found: &[f64]) -> f64 {
        let steps = self.own.iter();
        let expected: Vec<f64> = steps
            .flat_map(|(value, n)| std::iter::repeat_n(*value, *n))
            .collect();
        if expected.len() != found.len() {
            return f64::INFINITY;
        }
        let pairs = expected.iter().zip(found);
        pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
    }
}
