//! The two precisions, and the passes over Flex tensors that are written once for both.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use burn_backend::Element;
use burn_dispatch::backends::flex::FlexTensor;
use burn_tensor::{Shape, TensorData};

/// `f32` or `f64`.
pub(super) trait Real:
    Element
    + Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + Sum
{
    const ZERO: Self;
    const ONE: Self;
    fn of(x: f64) -> Self;
    fn exp(self) -> Self;
    /// `exp(x) - 1` for `x <= 0`.
    fn exp_m1(self) -> Self;
    fn abs(self) -> Self;
    fn is_nan(self) -> bool;
    fn atan(self) -> Self;
    /// The values of a tensor that lies whole and in order in its memory.
    fn values(tensor: &FlexTensor) -> &[Self];
    /// The same, to be written; copies if the memory is shared.
    fn values_mut(tensor: &mut FlexTensor) -> &mut [Self];

    fn tensor(values: Vec<Self>, shape: impl Into<Shape>) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(values, shape))
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    fn of(x: f64) -> Self {
        x
    }
    fn exp(self) -> Self {
        Self::exp(self)
    }
    fn exp_m1(self) -> Self {
        Self::exp_m1(self)
    }
    fn abs(self) -> Self {
        Self::abs(self)
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        Self::is_nan(self)
    }
    fn atan(self) -> Self {
        Self::atan(self)
    }
    fn values(tensor: &FlexTensor) -> &[Self] {
        tensor.storage()
    }
    fn values_mut(tensor: &mut FlexTensor) -> &mut [Self] {
        tensor.storage_mut()
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    fn of(x: f64) -> Self {
        x as Self
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let (power, rest) = split(self);
        power + power * rest
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        let (power, rest) = split(self);
        power * rest + (power - 1.0)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self::abs(self)
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        Self::is_nan(self)
    }
    fn atan(self) -> Self {
        Self::atan(self)
    }
    fn values(tensor: &FlexTensor) -> &[Self] {
        tensor.storage()
    }
    fn values_mut(tensor: &mut FlexTensor) -> &mut [Self] {
        tensor.storage_mut()
    }
}

/// `exp(x) = power (1 + rest)`, `power` a power of two, within 2 units in the last place (Cephes' `expf`), without a
/// branch or a call, so that the compiler makes vectors of it. Below -87 and above 88 it stays at their values.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    // Adding it leaves the nearest whole number in the low bits.
    const SHIFT: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4f32;
    for c in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        p = p * r + c;
    }
    let power = shifted
        .to_bits()
        .wrapping_sub(SHIFT.to_bits())
        .wrapping_add(127)
        << 23;
    (f32::from_bits(power), p * r * r + r)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_a_few_units_in_the_last_place() {
        for i in -8700..=8800 {
            let x = i as f32 / 100.0 + 0.003;
            let x = x.min(88.0);
            let (ours, exact) = (f64::from(Real::exp(x)), f64::from(x).exp());
            assert!((ours / exact - 1.0).abs() < 3e-7, "{x}: {ours} {exact}");
            if x <= 0.0 {
                let (ours, exact) = (f64::from(Real::exp_m1(x)), f64::from(x).exp_m1());
                assert!((ours / exact - 1.0).abs() < 3e-7, "{x}: {ours} {exact}");
            }
        }
        assert!(Real::exp(f32::NAN).is_nan() && Real::exp_m1(f32::NAN).is_nan());
        assert_eq!(Real::exp_m1(0.0f32), 0.0);
    }
}
