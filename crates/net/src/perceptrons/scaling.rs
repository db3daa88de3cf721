//! How error falls with compute, and how compute is best spent.

use chiasm_core::{Rng, SettingError, stats};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// What a network reached for its compute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Multiply-adds of its training, above 0.
    pub compute: f64,
    /// Its error, 0 to 1.
    pub error: f64,
}

/// The points that no cheaper one betters, by compute: the lower envelope.
#[must_use]
pub fn envelope(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    let key = |p: &Point| (p.compute, p.error);
    sorted.sort_by(|a, b| {
        key(a)
            .partial_cmp(&key(b))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut best = f64::INFINITY;
    sorted.retain(|p| {
        let better = p.error < best;
        best = best.min(p.error);
        better
    });
    sorted
}

/// A straight line through the logarithms of compute and error: `(slope, R^2)`. NaN with fewer than two different computes.
#[must_use]
pub fn power_law(points: &[Point]) -> (f64, f64) {
    let x: Vec<f64> = points.iter().map(|p| p.compute.ln()).collect();
    let y: Vec<f64> = points.iter().map(|p| p.error.ln()).collect();
    let r = stats::pearson(&x, &y);
    (slope(&x, &y), r * r)
}

fn slope(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (stats::mean(x), stats::mean(y));
    let along: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    let square: f64 = x.iter().map(|x| (x - mx) * (x - mx)).sum();
    along / square
}

/// `E(C) = a (b + C / unit)^-alpha + floor` (paper 53, F), where `unit` is the least compute of the points it was fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScalingLaw {
    /// Above 0.
    pub a: f64,
    /// 0 or more, in units of `unit`.
    pub b: f64,
    /// Above 0.
    pub alpha: f64,
    /// Error that no compute takes away, 0 or more.
    pub floor: f64,
    /// Multiply-adds.
    pub unit: f64,
    /// Root of the mean squared distance of errors from the law.
    pub rms: f64,
}

/// A law's range over resampled points: the middle 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Of `alpha`.
    pub alpha: (f64, f64),
    /// Of the floor.
    pub floor: (f64, f64),
}

/// Exponents and offsets that are tried first, on a logarithmic grid, and how often the grid is drawn in.
const GRID: (usize, usize) = (48, 24);
const ROUNDS: usize = 12;

impl ScalingLaw {
    /// The law of least squares. For each exponent and offset the rest is linear and solved for; these two are searched on a grid
    /// that is drawn in around its best point.
    ///
    /// # Errors
    /// [`SettingError`]: fewer than four different computes, or numbers out of their range.
    pub fn fit(points: &[Point]) -> Result<Self, SettingError> {
        Self::search(points, false)
    }

    /// The same with neither offset nor floor: a pure power law, by least squares of the errors themselves.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn fit_pure(points: &[Point]) -> Result<Self, SettingError> {
        Self::search(points, true)
    }

    fn search(points: &[Point], pure: bool) -> Result<Self, SettingError> {
        let fine = |p: &Point| p.compute > 0.0 && p.compute.is_finite() && p.error.is_finite();
        let expected = "finite errors at computes above 0";
        SettingError::check(points.iter().all(fine), "points", expected, "others")?;
        let mut computes: Vec<f64> = points.iter().map(|p| p.compute).collect();
        computes.sort_by(f64::total_cmp);
        computes.dedup();
        let n = computes.len();
        SettingError::check(n >= 4, "points", "at least four different computes", n)?;
        let unit = computes[0];
        let span = (computes[n - 1] / unit).ln();
        let x: Vec<f64> = points.iter().map(|p| p.compute / unit).collect();
        let y: Vec<f64> = points.iter().map(|p| p.error).collect();
        let at = |alpha: f64, b: f64| linear(&x, &y, alpha, b, unit, pure);
        let mut best: Option<Self> = None;
        // Logarithms of the exponent, from .005 to 5, and of one plus the offset, up to the span.
        let (mut alphas, mut offsets) = (
            (0.005f64.ln(), 5f64.ln()),
            (0.0, if pure { 0.0 } else { span }),
        );
        for _ in 0..ROUNDS {
            let grid = |(low, high): (f64, f64), n: usize| {
                let step = (high - low) / (n - 1) as f64;
                (0..n).map(move |i| low + step * i as f64)
            };
            for alpha in grid(alphas, GRID.0) {
                for offset in grid(offsets, if pure { 2 } else { GRID.1 }) {
                    let law = at(alpha.exp(), offset.exp_m1());
                    if best.is_none_or(|b| law.rms < b.rms) {
                        best = Some(law);
                    }
                }
            }
            let near = |(low, high): (f64, f64), middle: f64, least: f64| {
                let half = (high - low) / 8.0;
                ((middle - half).max(least), middle + half)
            };
            let found = best.expect("a law was tried");
            alphas = near(alphas, found.alpha.ln(), f64::NEG_INFINITY);
            if !pure {
                offsets = near(offsets, found.b.ln_1p(), 0.0);
            }
        }
        Ok(best.expect("a law was tried"))
    }

    /// The error at a compute.
    #[must_use]
    pub fn at(&self, compute: f64) -> f64 {
        self.a * (self.b + compute / self.unit).powf(-self.alpha) + self.floor
    }

    /// Ranges over `draws` resamplings of the points, with replacement; those of fewer than four different computes are drawn
    /// again.
    ///
    /// # Errors
    /// As [`Self::fit`]; no draw.
    pub fn interval(
        points: &[Point],
        draws: usize,
        rng: &mut Rng,
    ) -> Result<Interval, SettingError> {
        SettingError::check(draws > 0, "draws", "at least 1", draws)?;
        Self::fit(points)?;
        let (mut alphas, mut floors) = (vec![], vec![]);
        while alphas.len() < draws {
            let some = (0..points.len()).map(|_| points[rng.random_range(0..points.len())]);
            if let Ok(law) = Self::fit(&some.collect::<Vec<_>>()) {
                alphas.push(law.alpha);
                floors.push(law.floor);
            }
        }
        let middle = |v: &[f64]| (stats::quantile(v, 0.025), stats::quantile(v, 0.975));
        Ok(Interval {
            alpha: middle(&alphas),
            floor: middle(&floors),
        })
    }
}

/// The best `a` and floor for this exponent and offset. Neither is below 0: where one would be, it is 0 and the other alone is
/// solved for.
fn linear(x: &[f64], y: &[f64], alpha: f64, b: f64, unit: f64, pure: bool) -> ScalingLaw {
    let n = x.len() as f64;
    let f: Vec<f64> = x.iter().map(|x| (b + x).powf(-alpha)).collect();
    let (mf, my) = (stats::mean(&f), stats::mean(y));
    let along: f64 = f.iter().zip(y).map(|(f, y)| (f - mf) * (y - my)).sum();
    let square: f64 = f.iter().map(|f| (f - mf) * (f - mf)).sum();
    let mut a = along / square;
    let mut floor = my - a * mf;
    if pure || floor < 0.0 || !a.is_finite() {
        let product: f64 = f.iter().zip(y).map(|(f, y)| f * y).sum();
        a = product / f.iter().map(|f| f * f).sum::<f64>();
        floor = 0.0;
    } else if a < 0.0 {
        (a, floor) = (0.0, my);
    }
    let squares = f.iter().zip(y).map(|(f, y)| (a * f + floor - y).powi(2));
    ScalingLaw {
        a,
        b,
        alpha,
        floor,
        unit,
        rms: (squares.sum::<f64>() / n).sqrt(),
    }
}

/// How the best use of compute splits it between size and data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// `(compute, parameters, images seen)` of the best network at each compute.
    pub best: Vec<(f64, f64, f64)>,
    /// Exponent of parameters over compute.
    pub parameters: f64,
    /// Exponent of images seen.
    pub images: f64,
}

/// For each of `steps` computes, evenly apart in their logarithm over the range that at least two networks cover, the network of
/// least error; and the exponents of its parameters and images seen. `runs` holds for each network its parameters, the compute
/// of one image, and its course, compute rising; between its points errors are taken on a line over the logarithm of compute.
/// (Paper 53, F. Unlike a fit to the minima of parabolas, this takes only sizes that were trained.)
///
/// `None` where fewer than two networks overlap.
#[must_use]
pub fn optimal_split(runs: &[(f64, f64, Vec<Point>)], steps: usize) -> Option<Split> {
    let ends = |runs: &[(f64, f64, Vec<Point>)]| -> Vec<(f64, f64)> {
        let each = runs.iter().filter(|r| r.2.len() > 1);
        let end = |p: Option<&Point>| p.map_or(f64::NAN, |p| p.compute.ln());
        each.map(|r| (end(r.2.first()), end(r.2.last()))).collect()
    };
    let ends = ends(runs);
    let mut starts: Vec<f64> = ends.iter().map(|e| e.0).collect();
    let mut stops: Vec<f64> = ends.iter().map(|e| e.1).collect();
    starts.sort_by(f64::total_cmp);
    stops.sort_by(f64::total_cmp);
    let (low, high) = (*starts.get(1)?, *stops.get(stops.len().checked_sub(2)?)?);
    if low >= high || steps < 2 {
        return None;
    }
    let mut best = vec![];
    for step in 0..steps {
        let at = low + (high - low) * step as f64 / (steps - 1) as f64;
        let errors = runs
            .iter()
            .filter_map(|run| Some((between(&run.2, at)?, run)));
        let least = errors.min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, run)) = least {
            best.push((at.exp(), run.0, at.exp() / run.1));
        }
    }
    let logs = |f: &dyn Fn(&(f64, f64, f64)) -> f64| -> Vec<f64> {
        best.iter().map(|b| f(b).ln()).collect()
    };
    let x = logs(&|b| b.0);
    let (parameters, images) = (slope(&x, &logs(&|b| b.1)), slope(&x, &logs(&|b| b.2)));
    Some(Split {
        best,
        parameters,
        images,
    })
}

/// The error of a course at a logarithm of compute; `None` outside of it.
fn between(course: &[Point], at: f64) -> Option<f64> {
    // The ends themselves, up to rounding.
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
    let exact = course.iter().find(|p| near(p.compute.ln(), at));
    if let Some(point) = exact {
        return Some(point.error);
    }
    let pair = course
        .windows(2)
        .find(|w| w[0].compute.ln() <= at && at <= w[1].compute.ln())?;
    let (x0, x1) = (pair[0].compute.ln(), pair[1].compute.ln());
    Some(pair[0].error + (pair[1].error - pair[0].error) * (at - x0) / (x1 - x0))
}
