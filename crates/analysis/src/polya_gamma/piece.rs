//! Exact draws for shapes from 1 to 3.

use std::f64::consts::{FRAC_PI_2, LN_2, PI};

use chiasm_core::Rng;
use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use statrs::function::gamma::ln_gamma;

use super::inverse_gaussian;

/// J*(h, z) for h from 1 to 3, with density cosh(z)^h exp(-x z^2 / 2) times the alternating series of terms a_n(x) of Windle et
/// al. 2014, eq. 12: what depends on h alone.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    h: f64,
    /// Left of it the series' first term bounds the density, right of it an exponential.
    cut: f64,
    root: f64,
    /// Areas of both sides, up to what depends on the tilt.
    left: f64,
    right: f64,
    /// log of the right bound over the first term, where the latter is 1.
    ln_ratio: f64,
    /// Rate at which the right bound falls, without tilt.
    fall: f64,
}

impl Piece {
    pub(super) fn new(h: f64) -> Self {
        // Where the two bounds take the least area together (fitted; any cut is valid).
        let cut = 0.15 + 1.12 * h;
        // The gamma tail x^(h-1) lies below its tangent at the cut.
        let ln_right = h * FRAC_PI_2.ln() - ln_gamma(h) + (h - 1.0) * (cut.ln() - 1.0);
        let fall = PI * PI / 8.0 - (h - 1.0) / cut;
        Self {
            h,
            cut,
            root: cut.sqrt(),
            left: (h * LN_2 - h * h / (2.0 * cut)).exp(),
            right: (ln_right - fall * cut).exp(),
            ln_ratio: ln_right - h * LN_2 - (h / (2.0 * PI).sqrt()).ln(),
            fall,
        }
    }

    /// Chance of the left side under the tilt `z`, whose areas are both divided by exp(-cut z^2 / 2).
    fn left(&self, z: f64) -> f64 {
        let (a, b) = (
            (self.h - self.cut * z) / self.root,
            (self.h + self.cut * z) / self.root,
        );
        // The right side is nothing.
        if a < -20.0 {
            return 1.0;
        }
        let tails = if a >= 0.0 {
            scaled_tail(a) + scaled_tail(b)
        } else {
            (0.5 * a * a).exp() - scaled_tail(-a) + scaled_tail(b)
        };
        let left = self.left * tails;
        left / (left + self.right / (self.fall + 0.5 * z * z))
    }

    pub(super) fn draw(&self, z: f64, rng: &mut Rng) -> f64 {
        let left = self.left(z);
        loop {
            let (x, level) = if rng.random::<f64>() < left {
                (self.below_cut(z, rng), 1.0)
            } else {
                let wait: f64 = Exp1.sample(rng);
                let x = self.cut + wait / (self.fall + 0.5 * z * z);
                // The bound over the series' first term, h 2^h / sqrt(2 pi x^3) exp(-h^2 / 2x).
                let ln = self.ln_ratio - self.fall * x + self.h * self.h / (2.0 * x);
                (x, ln.exp() * x * x.sqrt())
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
    fn below_cut(&self, z: f64, rng: &mut Rng) -> f64 {
        let h = self.h;
        if z * self.cut < h {
            let cut = self.cut / (h * h);
            loop {
                let x = loop {
                    let (e, f): (f64, f64) = (Exp1.sample(rng), Exp1.sample(rng));
                    if e * e * cut <= 2.0 * f {
                        break self.cut / ((1.0 + cut * e) * (1.0 + cut * e));
                    }
                };
                if rng.random::<f64>() <= (-0.5 * z * z * x).exp() {
                    return x;
                }
            }
        }
        loop {
            let x = inverse_gaussian(h / z, 0.5 / (h * z), rng);
            if x < self.cut {
                return x;
            }
        }
    }
}

/// exp(x^2 / 2) times the chance that a standard normal exceeds `x`, for x from 0, to 5e-11 of its value: a polynomial in
/// (x - 3) / (x + 3) over x + 3, fitted at Chebyshev's points.
fn scaled_tail(x: f64) -> f64 {
    const POLYNOMIAL: [f64; 15] = [
        7.290_836_901_334e-1,
        -5.093_319_813_631e-1,
        2.300_177_195_986e-1,
        -4.726_304_613_680e-2,
        -1.046_285_301_030e-2,
        6.972_855_949_150e-3,
        1.027_441_645_957e-3,
        -1.047_015_770_273e-3,
        -2.558_653_363_062e-4,
        1.575_971_217_970e-4,
        7.711_467_965_651e-5,
        -1.818_778_463_682e-5,
        -1.858_502_616_869e-5,
        9.181_630_351_425e-7,
        2.477_540_692_780e-6,
    ];
    let inverse = 1.0 / (x + 3.0);
    let u = (x - 3.0) * inverse;
    POLYNOMIAL.iter().rev().fold(0.0, |sum, c| sum * u + c) * inverse
}

#[cfg(test)]
mod tests {
    use super::scaled_tail;

    #[test]
    fn tails_are_those_of_the_normal_distribution() {
        // By their definition, the integral of exp(-x t - t^2 / 2) / sqrt(2 pi) over t > 0: Simpson's rule on s with t = s^2.
        let integral = |x: f64| {
            let n = 40_000;
            let step = 8.0 / f64::from(n);
            let sum: f64 = (0..=n)
                .map(|i| {
                    let s = f64::from(i) * step;
                    let t = s * s;
                    let weight = match i {
                        0 => 1.0,
                        i if i == n => 1.0,
                        i if i % 2 == 1 => 4.0,
                        _ => 2.0,
                    };
                    weight * 2.0 * s * (-x * t - 0.5 * t * t).exp()
                })
                .sum();
            sum * step / 3.0 / (2.0 * std::f64::consts::PI).sqrt()
        };
        for x in [0.0, 0.02, 0.3, 0.79, 1.7, 3.69, 8.0, 20.0, 90.0] {
            let (found, expected) = (scaled_tail(x), integral(x));
            assert!(
                (found / expected - 1.0).abs() < 1e-10,
                "{x}: {found} {expected}"
            );
        }
        // Far out it is 1 / (sqrt(2 pi) x) (1 - 1 / x^2 + 3 / x^4).
        for x in [300.0, 1e4] {
            let expected = (1.0 - 1.0 / (x * x) + 3.0 / (x * x * x * x)) / (x * 2.506_628_274_631);
            assert!((scaled_tail(x) / expected - 1.0).abs() < 1e-10, "{x}");
        }
    }
}
