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
    /// Distribution function and density of the standard normal distribution. In single precision by polynomials that compile
    /// to vector registers, within 1e-6.
    fn normal(self) -> (Self, Self);
}

macro_rules! real {
    ($t:ty, $normal:path) => {
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
            fn normal(self) -> (Self, Self) {
                $normal(self)
            }
        }
    };
}

real!(f32, normal_single);
real!(f64, normal_double);

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
    (below, DENSITY as f32 * exp_single(-0.5 * x * x))
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

/// The exponential of what is not above 0 (Cephes): a power of two times a polynomial on the rest.
#[inline(always)]
#[allow(clippy::excessive_precision)]
fn exp_single(x: f32) -> f32 {
    let x = if x < -87.0 { -87.0 } else { x };
    // Adding and taking off 1.5 * 2^23 rounds to the nearest whole number.
    let n = (x * std::f32::consts::LOG2_E + 12_582_912.0) - 12_582_912.0;
    // ln 2 in two parts.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4_f32;
    for c in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        0.166_666_65,
        0.5,
    ] {
        p = p * r + c;
    }
    (p * r * r + r + 1.0) * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(
            f32::NEG_INFINITY.normal(),
            (0.0, f32::NEG_INFINITY.normal().1)
        );
        assert!(f32::NEG_INFINITY.normal().1 < 1e-30);
    }
}
