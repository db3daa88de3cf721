//! Pólya-Gamma variables: what turns a logistic or negative-binomial likelihood into a Gaussian one (Polson, Scott and
//! Windle 2013, doi:10.1080/01621459.2013.829001).
//!
//! PG(b, c) is the sum over k = 1, 2, ... of g_k / (2 pi^2 ((k - 1/2)^2 + c^2 / (4 pi^2))), all g_k ~ Gamma(b, 1).
//!
//! How a draw is made depends on the shape b alone:
//!
//! - 1 <= b < 3: exact, as the sum of one or two draws of shape 1 to 2, each by rejection against the alternating series of
//!   the density (Windle, Polson and Scott 2014, arXiv:1405.0506, with an exponential in place of their gamma tail);
//! - b >= 12: a mixture of a shifted gamma and a shifted inverse Gaussian that has the first four cumulants of PG(b, c). The
//!   distribution function is off by at most 9e-5 at b = 12 and 2e-5 at b = 30, for any c;
//! - 3 <= b < 12: the first term of the sum as it is (98 % of the variance at c = 0), the rest by that mixture: off by at most
//!   1e-6 for |c| < 2 and 2e-4 for any c;
//! - b < 1: the first six terms as they are, the rest by that mixture: off by some 1e-4.
//!
//! ```
//! let mut rng = chiasm_core::Streams::new(1).stream("draws");
//! let draw = chiasm_analysis::polya_gamma::draw(11.0, 1.5, &mut rng);
//! assert!(draw > 0.0 && draw < 10.0);
//! ```

use std::f64::consts::{FRAC_PI_2, LN_2, PI};

use chiasm_core::Rng;
use rand::RngExt;
use rand_distr::{Distribution, Exp1, StandardNormal};
use statrs::function::erf::erfc;
use statrs::function::gamma::ln_gamma;

/// From this shape on, four cumulants say all that matters.
const LARGE: f64 = 12.0;
/// Below this shape and from 1 on, draws are exact.
const EXACT: f64 = 3.0;
/// The largest shape of one draw by rejection.
const PIECE: f64 = 2.0;
/// Terms of the sum that are drawn as they are where the shape is below 1.
const TERMS: usize = 6;

/// A draw of PG(`b`, `c`). PG(0, c) is 0; NaN where `b` is negative or either is not finite.
#[must_use]
pub fn draw(b: f64, c: f64, rng: &mut Rng) -> f64 {
    if b >= LARGE && b.is_finite() && c.is_finite() {
        return matched(cumulants(b, c), rng);
    }
    if !(b >= 0.0 && b.is_finite() && c.is_finite()) {
        return f64::NAN;
    }
    if b >= EXACT {
        terms(b, c, 1, rng)
    } else if b >= 1.0 {
        let pieces = (b / PIECE).ceil();
        let piece = Piece::new(b / pieces, 0.5 * c.abs());
        // PG(b, c) is a quarter of J*(b, c / 2).
        0.25 * (0..pieces as usize).map(|_| piece.draw(rng)).sum::<f64>()
    } else if b > 0.0 {
        terms(b, c, TERMS, rng)
    } else {
        0.0
    }
}

/// Mean of PG(b, c).
#[must_use]
pub fn mean(b: f64, c: f64) -> f64 {
    cumulants(b, c)[0]
}

/// The first four cumulants of PG(b, c), whose generating function is b (g(u) - g(u - t/2)) with g(u) = log cosh sqrt(u)
/// and u = c^2 / 4: derivatives of g, found by d/du = d/dw / (2w) with w = sqrt(u).
#[must_use]
pub fn cumulants(b: f64, c: f64) -> [f64; 4] {
    let w = 0.5 * c.abs();
    if w < 0.25 {
        // The closed forms cancel: Taylor's series of log cosh sqrt(u), term by term differentiated.
        const SERIES: [f64; 9] = [
            1.0 / 2.0,
            -1.0 / 12.0,
            1.0 / 45.0,
            -17.0 / 2520.0,
            31.0 / 14175.0,
            -691.0 / 935_550.0,
            10_922.0 / 42_567_525.0,
            -929_569.0 / 10_216_206_000.0,
            3_202_291.0 / 97_692_469_875.0,
        ];
        let u = w * w;
        let mut derivatives = [0.0; 4];
        for (order, d) in derivatives.iter_mut().enumerate() {
            for m in (order + 1..=SERIES.len()).rev() {
                // m (m - 1) ... (m - order)
                let falling: f64 = (0..=order).map(|j| (m - j) as f64).product();
                *d = *d * u + falling * SERIES[m - 1];
            }
        }
        let [d1, d2, d3, d4] = derivatives;
        return [b * d1 / 2.0, -b * d2 / 4.0, b * d3 / 8.0, -b * d4 / 16.0];
    }
    let e = (-2.0 * w).exp();
    let t = (1.0 - e) / (1.0 + e);
    let s = 4.0 * e / ((1.0 + e) * (1.0 + e));
    let n2 = w * s - t;
    let n3 = -2.0 * w * w * t * s - 3.0 * n2;
    let dn3 = 2.0 * w * t * s - 2.0 * w * w * s * s + 4.0 * w * w * t * t * s;
    let w2 = w * w;
    let (w3, w5) = (w2 * w, w2 * w2 * w);
    [
        b * t / (4.0 * w),
        -b * n2 / (16.0 * w3),
        b * n3 / (64.0 * w5),
        -b * (w * dn3 - 5.0 * n3) / (256.0 * w5 * w2),
    ]
}

/// A draw of a positive variable with these four cumulants: a shifted gamma or a shifted inverse Gaussian, both with the
/// first three of them, chosen with that chance which gives the fourth.
fn matched([mean, variance, third, fourth]: [f64; 4], rng: &mut Rng) -> f64 {
    let sd = variance.sqrt();
    let skewness = third / (variance * sd);
    let excess = fourth / (variance * variance);
    // Excess kurtosis is 3/2 of the squared skewness for a gamma, 5/3 for an inverse Gaussian.
    let gamma_share = 6.0 * (5.0 / 3.0 - excess / (skewness * skewness));
    // The shifted variables are below 0 with a chance far under one half.
    for _ in 0..1000 {
        let x = if rng.random::<f64>() < gamma_share {
            let shape = 4.0 / (skewness * skewness);
            mean + sd * (0.5 * skewness * gamma(shape, rng) - 2.0 / skewness)
        } else {
            let mu = 3.0 * sd / skewness;
            mean - mu + inverse_gaussian(mu, 9.0 * mu / (skewness * skewness), rng)
        };
        if x > 0.0 {
            return x;
        }
    }
    mean
}

/// The first `n_terms` of the sum as they are, and the rest by its cumulants.
fn terms(b: f64, c: f64, n_terms: usize, rng: &mut Rng) -> f64 {
    let mut rest = cumulants(b, c);
    let mut sum = 0.0;
    for k in 1..=n_terms {
        let half = k as f64 - 0.5;
        let weight = 1.0 / (2.0 * PI * PI * half * half + 0.5 * c * c);
        sum += weight * gamma(b, rng);
        let mut power = b;
        for (n, cumulant) in rest.iter_mut().enumerate() {
            power *= weight * (n.max(1) as f64);
            *cumulant -= power;
        }
    }
    // Where c is so large that rounding eats the rest, its mean stands for it.
    let drawable = rest[1] > 1e-14 * rest[0] * rest[0] && rest[2] > 0.0 && rest[3] > 0.0;
    sum + if drawable {
        matched(rest, rng)
    } else {
        rest[0].max(0.0)
    }
}

/// J*(h, z) for h between 1 and [`PIECE`]: Pólya-Gamma but for a factor, with density cosh(z)^h exp(-x z^2 / 2) times the
/// alternating series of terms a_n(x) of Windle et al. 2014, eq. 12.
struct Piece {
    h: f64,
    z: f64,
    /// Left of it the series' first term bounds the density, right of it an exponential.
    cut: f64,
    /// Chance of the left side.
    left: f64,
    /// Rate of the right side, tilt included.
    rate: f64,
    /// Logarithm of the right bound's factor.
    ln_right: f64,
}

impl Piece {
    fn new(h: f64, z: f64) -> Self {
        // Where the two bounds take the least area together (fitted; any cut is valid).
        let cut = 0.15 + 1.12 * h;
        let root = cut.sqrt();
        let tail = |x: f64| 0.5 * erfc(x * std::f64::consts::FRAC_1_SQRT_2);
        let ln_gamma_h = ln_gamma(h);
        let rate = PI * PI / 8.0 + 0.5 * z * z - (h - 1.0) / cut;
        // The gamma tail x^(h-1) lies below its tangent at the cut.
        let ln_right = h * FRAC_PI_2.ln() - ln_gamma_h + (h - 1.0) * (cut.ln() - 1.0);
        let left = if z > 50.0 {
            1.0
        } else {
            let inside = (-h * z).exp() * tail((h - cut * z) / root)
                + (h * z).exp() * tail((cut * z + h) / root);
            let left = (h * LN_2).exp() * inside;
            let right = (ln_right - rate * cut).exp() / rate;
            left / (left + right)
        };
        Self {
            h,
            z,
            cut,
            left,
            rate,
            ln_right,
        }
    }

    fn draw(&self, rng: &mut Rng) -> f64 {
        loop {
            let (x, level) = if rng.random::<f64>() < self.left {
                (self.below_cut(rng), 1.0)
            } else {
                let wait: f64 = Exp1.sample(rng);
                let x = self.cut + wait / self.rate;
                let right = self.ln_right + x * ((self.h - 1.0) / self.cut - PI * PI / 8.0);
                let first = self.h * LN_2 + (self.h / (2.0 * PI * x * x * x).sqrt()).ln()
                    - self.h * self.h / (2.0 * x);
                (x, (right - first).exp())
            };
            if self.accepts(x, level * rng.random::<f64>()) {
                return x;
            }
        }
    }

    /// Whether `level` lies below the density at `x`, both in units of the first term of the series. The partial sums
    /// bracket the density from where the terms fall, and from there they fall for good.
    fn accepts(&self, x: f64, level: f64) -> bool {
        let (mut sum, mut previous, mut coefficient) = (1.0, 1.0, 1.0);
        for n in 1u32.. {
            let m = f64::from(n);
            coefficient *= (m - 1.0 + self.h) / m;
            let term =
                coefficient * (2.0 * m + self.h) / self.h * (-2.0 * m * (m + self.h) / x).exp();
            let falls = term <= previous;
            previous = term;
            if n % 2 == 1 {
                sum -= term;
                if falls && level <= sum {
                    return true;
                }
            } else {
                sum += term;
                if falls && level > sum {
                    return false;
                }
            }
            // Rounding: the brackets have met.
            if falls && term < 1e-17 {
                return level <= sum;
            }
        }
        false
    }

    /// An inverse Gaussian of mean h / z and shape h^2, below the cut.
    fn below_cut(&self, rng: &mut Rng) -> f64 {
        let (h, z) = (self.h, self.z);
        if z * self.cut < h {
            let cut = self.cut / (h * h);
            loop {
                let x = loop {
                    let (e, f): (f64, f64) = (Exp1.sample(rng), Exp1.sample(rng));
                    if e * e <= 2.0 * f / cut {
                        break self.cut / ((1.0 + cut * e) * (1.0 + cut * e));
                    }
                };
                if rng.random::<f64>() <= (-0.5 * z * z * x).exp() {
                    return x;
                }
            }
        }
        loop {
            let x = inverse_gaussian(h / z, h * h, rng);
            if x < self.cut {
                return x;
            }
        }
    }
}

/// Gamma of this shape and scale 1 (Marsaglia and Tsang 2000).
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        // Gamma(a) = Gamma(a + 1) U^(1/a)
        return gamma(shape + 1.0, rng) * rng.random::<f64>().powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x: f64 = StandardNormal.sample(rng);
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let u: f64 = rng.random();
        let square = x * x;
        if u < 1.0 - 0.0331 * square * square || u.ln() < 0.5 * square + d * (1.0 - v + v.ln()) {
            return d * v;
        }
    }
}

/// Inverse Gaussian of this mean and shape (Michael, Schucany and Haas 1976).
fn inverse_gaussian(mu: f64, shape: f64, rng: &mut Rng) -> f64 {
    let normal: f64 = StandardNormal.sample(rng);
    let y = mu * normal * normal / (2.0 * shape);
    // The smaller root of the pair, in a form that does not cancel.
    let x = mu / (1.0 + y + (y * (2.0 + y)).sqrt());
    if rng.random::<f64>() * (mu + x) <= mu {
        x
    } else {
        mu * mu / x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Streams;
    use chiasm_core::stats;

    /// Mean and variance of PG(b, c) in their usual form.
    fn moments(b: f64, c: f64) -> (f64, f64) {
        if c == 0.0 {
            return (b / 4.0, b / 24.0);
        }
        let mean = b / (2.0 * c) * (c / 2.0).tanh();
        let variance = b / (4.0 * c.powi(3)) * (c.sinh() - c) / (c / 2.0).cosh().powi(2);
        (mean, variance)
    }

    fn draws(b: f64, c: f64, n: usize) -> Vec<f64> {
        let mut rng = Streams::new(8).stream(&format!("{b} {c}"));
        (0..n).map(|_| draw(b, c, &mut rng)).collect()
    }

    #[test]
    fn the_reference_moments_are_met_within_four_standard_errors() {
        // The four of the card (mean, variance), then shapes of every kind of sampler.
        let card = [
            (1.0, 0.0, 0.25, 1.0 / 24.0),
            (1.0, 2.0, 0.190399, 0.021351),
            (11.0, 1.5, 2.328879, 0.305897),
            (100.0, -3.0, 15.085804, 1.174238),
        ];
        for (b, c, mean, variance) in card {
            let (m, v) = moments(b, f64::abs(c));
            assert!(
                (m - mean).abs() < 1e-6 && (v - variance).abs() < 1e-6,
                "{b} {c}: {m} {v}"
            );
        }
        let more = [
            (0.05, 0.0),
            (1e-3, 0.5),
            (0.02, 40.0),
            (0.3, 1.0),
            (0.9, 7.0),
            (0.5, 25.0),
            (1.7, 0.5),
            (2.0, 12.0),
            (2.6, 0.0),
            (3.2, 9.0),
            (4.4, 3.0),
            (11.99, 0.2),
            (12.0, 0.2),
            (8.01, 6.0),
            (13.2, 30.0),
            (101.5, 0.01),
            (1e6, 2.0),
        ];
        for (b, c) in card.map(|k| (k.0, k.1)).into_iter().chain(more) {
            let n = 100_000;
            let x = draws(b, c, n);
            let (mean, variance) = moments(b, f64::abs(c));
            let fourth = cumulants(b, c)[3] + 3.0 * variance * variance;
            let mean_error = (variance / n as f64).sqrt();
            let variance_error = ((fourth - variance * variance) / n as f64).sqrt();
            let (m, v) = (stats::mean(&x), stats::sd(&x, 1).powi(2));
            assert!(
                (m - mean).abs() < 4.0 * mean_error,
                "mean of PG({b}, {c}): {m} {mean}"
            );
            assert!(
                (v - variance).abs() < 4.0 * variance_error,
                "variance of PG({b}, {c}): {v} {variance}"
            );
            assert!(x.iter().all(|v| *v > 0.0 && v.is_finite()));
        }
    }

    /// The distribution function by inversion of the characteristic function (Gil-Pelaez 1951), which knows nothing of how
    /// draws are made: cosh(c/2)^b / cosh(sqrt(c^2/4 - i t/2))^b.
    fn distribution(b: f64, c: f64, x: f64) -> f64 {
        let sd = moments(b, c).1.sqrt();
        let ln_cosh_0 = 0.5 * c + (-c).exp().ln_1p() - LN_2;
        let imaginary = |t: f64| {
            // The root with positive real part.
            let (re, im) = (c * c / 4.0, -t / 2.0);
            let size = re.hypot(im).sqrt();
            let angle = im.atan2(re) / 2.0;
            let (zr, zi) = (size * angle.cos(), size * angle.sin());
            // log cosh z = z + log(1 + exp(-2z)) - log 2
            let (er, ei) = (
                (-2.0 * zr).exp() * (-2.0 * zi).cos(),
                (-2.0 * zr).exp() * (-2.0 * zi).sin(),
            );
            let log_re = zr + 0.5 * ((1.0 + er).powi(2) + ei * ei).ln() - LN_2;
            let log_im = zi + ei.atan2(1.0 + er);
            let size = (b * (ln_cosh_0 - log_re)).exp();
            size * (-b * log_im - t * x).sin() / t
        };
        // Midpoints; the heavy tail of small shapes needs many.
        let (steps, end) = (200_000, 40.0f64.max(60.0 / b.powi(2)) / sd * 8.0);
        let step = end / f64::from(steps);
        let sum: f64 = (0..steps)
            .map(|i| imaginary((f64::from(i) + 0.5) * step))
            .sum();
        0.5 - sum * step / PI
    }

    #[test]
    fn draws_follow_the_distribution_function() {
        for (b, c) in [
            (1.0, 0.0),
            (1.0, 3.0),
            (1.6, 1.0),
            (2.5, 0.0),
            (5.5, 2.0),
            (8.0, 4.0),
            (12.5, 1.0),
            (40.0, 0.0),
        ] {
            let n = 200_000;
            let mut x = draws(b, c, n);
            x.sort_by(f64::total_cmp);
            let worst = [0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99]
                .map(|q| (distribution(b, c, stats::quantile_sorted(&x, q)) - q).abs())
                .into_iter()
                .fold(0.0, f64::max);
            // Kolmogorov-Smirnov at the level 1e-4 (2.23), and what the mixture is off by.
            let allowed = 2.23 / (n as f64).sqrt() + 2e-4;
            assert!(worst < allowed, "PG({b}, {c}): {worst} {allowed}");
        }
    }

    #[test]
    fn the_series_and_the_closed_forms_of_the_cumulants_meet() {
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-6;
        let (below, above) = (cumulants(3.0, 0.499_999_99), cumulants(3.0, 0.500_000_01));
        assert!(
            below.iter().zip(above).all(|(a, b)| near(*a, b)),
            "{below:?} {above:?}"
        );
        let at_zero = cumulants(1.0, 0.0);
        assert!(
            near(at_zero[2], 1.0 / 60.0) && near(at_zero[1], 1.0 / 24.0),
            "{at_zero:?}"
        );
    }

    #[test]
    fn what_has_no_distribution_is_nan() {
        let mut rng = Streams::new(0).stream("nan");
        for (b, c) in [
            (-1.0, 0.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
            (f64::INFINITY, 0.0),
            (20.0, f64::NAN),
        ] {
            assert!(draw(b, c, &mut rng).is_nan(), "PG({b}, {c})");
        }
        assert_eq!(draw(0.0, 1.0, &mut rng), 0.0);
        assert!(draw(1.0, 700.0, &mut rng) > 0.0);
        assert!(draw(0.2, 1e4, &mut rng) > 0.0);
    }
}
