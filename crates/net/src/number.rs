//! The two precisions.

use std::iter::Sum;

use burn_tensor::Element;
use faer::traits::RealField;
use ndarray::NdFloat;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// `f32` to train, `f64` to check gradients and identities.
pub trait Real:
    NdFloat
    + Element
    + RealField
    + Default
    + Sum
    + Serialize
    + DeserializeOwned
    + crate::compiled::Compiled
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
}

macro_rules! real {
    ($t:ident, $range:expr, $round:expr, $ln2:expr, $digits:expr, $terms:expr) => {
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
                // exp(x) = 2^k exp(r): added to 1.5 times two to the digits, x / ln 2 leaves k in the lowest bits.
                let shifted = x * std::$t::consts::LOG2_E + $round;
                let k = shifted - $round;
                let (ln2_high, ln2_low) = $ln2;
                let r = (x - k * ln2_high) - k * ln2_low;
                let terms = $terms;
                let mut p: $t = terms[0];
                for term in &terms[1..] {
                    p = p * r + *term;
                }
                $t::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << $digits))
            }
        }
    };
}

// ln 2 in two parts, the first with so few digits that its products with k are exact; Taylor's terms, the highest first.
real!(
    f32,
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
        0.5,
        1.0,
        1.0
    ]
);
real!(
    f64,
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
        0.5,
        1.0,
        1.0
    ]
);

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
}
