//! The two precisions.

use std::iter::Sum;

use burn_tensor::Element;
use faer::traits::RealField;
use ndarray::NdFloat;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// `f32` to train, `f64` to check gradients and identities.
pub trait Real:
    NdFloat + Element + RealField + Default + Sum + Serialize + DeserializeOwned
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The nearest number.
    fn of(x: f64) -> Self;
    /// The same number in double precision.
    fn wide(self) -> f64;
}

macro_rules! real {
    ($t:ty) => {
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
        }
    };
}

real!(f32);
real!(f64);
