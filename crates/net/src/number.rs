//! The two precisions.

use std::iter::Sum;

use burn_tensor::Element;
use faer::traits::RealField;
use ndarray::NdFloat;
use serde::Serialize;
use serde::de::DeserializeOwned;
use statrs::function::erf::erf;

use crate::compiled::Compiled;

/// `f32` to train, `f64` to check gradients and identities.
pub trait Real:
    NdFloat + Element + RealField + Default + Sum + Serialize + DeserializeOwned + Compiled
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The nearest number.
    fn of(x: f64) -> Self;
    /// The same number in double precision.
    fn wide(self) -> f64;
    /// `exp(x)` to two units in the last place, of operations that vectorize (the library's is a call for each number). Ends
    /// at the smallest and the largest normal number instead of 0 and infinity; NaN stays.
    fn vector_exp(self) -> Self;
    /// `tanh(x)` likewise, to four units in the last place.
    fn vector_tanh(self) -> Self;
    /// Distribution function and density of the standard normal distribution. In single precision by polynomials that compile
    /// to vector registers, within 1e-6.
    fn normal(self) -> (Self, Self);
}

/// Implements [`Real`], and `$reduced`, of which both functions are made: `exp(x) = 2^k exp(r)`; it returns `r`, the terms
/// of `exp(r)` from that of the square on, and `k` as bits that are added to those of a number to multiply it by `2^k`.
macro_rules! real {
    ($t:ident, $bits:ident, $reduced:ident, $normal:path, $range:expr, $round:expr, $ln2:expr, $digits:expr, $terms:expr) => {
        #[inline(always)]
        fn $reduced(x: $t) -> ($t, $t, $bits) {
            // Added to 1.5 times two to the digits, x / ln 2 leaves k in the lowest bits.
            let shifted = x * std::$t::consts::LOG2_E + $round;
            let k = shifted - $round;
            let (ln2_high, ln2_low) = $ln2;
            let r = (x - k * ln2_high) - k * ln2_low;
            let terms = $terms;
            let mut p: $t = terms[0];
            for term in &terms[1..] {
                p = p * r + *term;
            }
            (r, p, shifted.to_bits() << $digits)
        }

        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as Self
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn vector_exp(self) -> Self {
                let (low, high) = $range;
                // NaN passes both comparisons by.
                let x = if self < low { low } else { self };
                let x = if x > high { high } else { x };
                let (r, p, exponent) = $reduced(x);
                let p = (p * r + 1.0) * r + 1.0;
                $t::from_bits(p.to_bits().wrapping_add(exponent))
            }
            #[inline(always)]
            fn vector_tanh(self) -> Self {
                // -m / (2 + m) with m = exp(-2 |x|) - 1, of which nothing is lost where x is small.
                let x = -2.0 * self.abs();
                let (low, _) = $range;
                let x = if x < low { low } else { x };
                let (r, p, exponent) = $reduced(x);
                let one: $t = 1.0;
                let power = $t::from_bits(one.to_bits().wrapping_add(exponent));
                let m = power * (p * r * r + r) + (power - 1.0);
                (-m / (2.0 + m)).copysign(self)
            }
            #[inline(always)]
            fn normal(self) -> (Self, Self) {
                $normal(self)
            }
        }
    };
}

// ln 2 in two parts, the first with so few digits that its products with k are exact; Taylor's terms of exp, the highest
// first, down to that of the square.
real!(
    f32,
    u32,
    reduced_single,
    normal_single,
    (-87.0, 88.0),
    12_582_912.0,
    (0.693_359_4, -2.121_944_4e-4),
    23,
    [
        1.984_127e-4,
        1.388_888_9e-3,
        8.333_334e-3,
        4.166_666_8e-2,
        0.166_666_67,
        0.5
    ]
);
real!(
    f64,
    u64,
    reduced_double,
    normal_double,
    (-708.0, 709.0),
    6_755_399_441_055_744.0,
    (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10),
    52,
    [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5
    ]
);

/// 1 / sqrt(2 pi).
const DENSITY: f64 = 0.398_942_280_401_432_7;

fn normal_double(x: f64) -> (f64, f64) {
    let below = 0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2));
    (below, DENSITY * (-0.5 * x * x).exp())
}

#[inline(always)]
fn normal_single(x: f32) -> (f32, f32) {
    let below = 0.5 * (1.0 + erf_single(x * std::f32::consts::FRAC_1_SQRT_2));
    // Beyond, less than rounding is left; times a large number it would show.
    let below = if x < -5.5 { 0.0 } else { below };
    let below = if x > 5.5 { 1.0 } else { below };
    (below, DENSITY as f32 * (-0.5 * x * x).vector_exp())
}

/// A rational approximation, as Eigen's: the error function is 1 in single precision from 4 on.
#[inline(always)]
#[allow(clippy::excessive_precision)]
fn erf_single(x: f32) -> f32 {
    // `if` and not `clamp`, so that NaN stays NaN at no cost.
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let square = x * x;
    let mut p = -2.726_142_3e-10_f32;
    for c in [
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ] {
        p = p * square + c;
    }
    let mut q = -1.456_607_2e-5_f32;
    for c in [
        -2.133_740_6e-4,
        -1.682_827e-3,
        -7.373_329e-3,
        -1.426_473_9e-2,
    ] {
        q = q * square + c;
    }
    x * p / q
}

#[cfg(test)]
mod tests {
    use super::Real;

    #[test]
    fn the_vector_exponential_is_the_librarys() {
        for i in -8_600..=8_700 {
            let x = f64::from(i) * 0.01;
            let (found, expected) = ((x as f32).vector_exp(), f64::from(x as f32).exp());
            assert!((f64::from(found) / expected - 1.0).abs() < 2.4e-7, "{x}");
            let x = x * 8.1;
            assert!((x.vector_exp() / x.exp() - 1.0).abs() < 4.5e-16, "{x}");
        }
        assert_eq!((0f32.vector_exp(), 0f64.vector_exp()), (1.0, 1.0));
        assert!(f32::NAN.vector_exp().is_nan() && f64::NAN.vector_exp().is_nan());
        let ends = (f32::NEG_INFINITY.vector_exp(), f32::INFINITY.vector_exp());
        assert!(ends.0 > 0.0 && ends.0 < 2e-38 && ends.1 > 1e38);
        let ends = (f64::NEG_INFINITY.vector_exp(), f64::INFINITY.vector_exp());
        assert!(ends.0 > 0.0 && ends.0 < 1e-307 && ends.1 > 1e307);
    }

    #[test]
    fn the_vector_tangent_is_the_librarys() {
        for i in -10_000_i32..=10_000 {
            // From 1e-8 to 25, on both sides.
            let size = 25.0 * (-(20.0 - f64::from(i.abs()) * 0.002)).exp();
            let x = size.copysign(f64::from(i));
            let apart = |found: f64, expected: f64| (found / expected - 1.0).abs();
            assert!(apart(x.vector_tanh(), x.tanh()) < 9e-16, "{x}");
            let single = x as f32;
            let expected = f64::from(single).tanh();
            assert!(apart(single.vector_tanh().wide(), expected) < 4.8e-7, "{x}");
        }
        assert_eq!((0f32.vector_tanh(), 0f64.vector_tanh()), (0.0, 0.0));
        assert!(f32::NAN.vector_tanh().is_nan() && f64::NAN.vector_tanh().is_nan());
        assert_eq!(f32::INFINITY.vector_tanh(), 1.0);
        assert_eq!(f64::NEG_INFINITY.vector_tanh(), -1.0);
    }

    #[test]
    fn the_normal_distribution_in_single_precision_is_that_in_double() {
        for i in -60_000..=60_000 {
            let x = i as f32 * 2e-4;
            let ((below, density), (b, d)) = (x.normal(), f64::from(x).normal());
            assert!((below.wide() - b).abs() < 1e-6, "{x}: {below} {b}");
            assert!(
                (density.wide() - d).abs() < 1e-6 * d.max(1e-3),
                "{x}: {density} {d}"
            );
        }
        assert!(f32::NAN.normal().0.is_nan() && f32::NAN.normal().1.is_nan());
        assert_eq!(f32::INFINITY.normal().0, 1.0);
        assert_eq!(f32::NEG_INFINITY.normal().0, 0.0);
        assert!(f32::NEG_INFINITY.normal().1 < 1e-30);
    }
}
