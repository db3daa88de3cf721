//! Exponentials and logarithms of whole vectors, without a branch, so that the compiler can use the vector registers at
//! hand. Sums of products are fused, with one rounding, as the compiler would not choose by itself: the bits are the same
//! for any width of registers, and on machines without the instruction, where it is slow.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A floating-point type that the passes over the data work in.
pub(crate) trait Number:
    'static
    + Copy
    + Default
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    fn of(x: f64) -> Self;
    fn wide(self) -> f64;
    /// `self * a + b`, rounded once.
    fn times_plus(self, a: Self, b: Self) -> Self;
    /// e^x for |x| of at most [`Number::REACH`]; in double precision from -700 on.
    fn exp(self) -> Self;
    /// ln((1 + s) / (1 - s)) for s from 0 to 1/3, exact for the smallest s, too.
    fn twice_artanh(self) -> Self;
    /// ln(1 + y) for y from 0 to 1, exact for the smallest y, too.
    #[inline(always)]
    fn ln_1p(self) -> Self {
        (self / (self + Self::of(2.0))).twice_artanh()
    }
    /// ln x for normal x above 0.
    fn ln(self) -> Self;
    fn sqrt(self) -> Self;
    fn largest(self, other: Self) -> Self;
    fn least(self, other: Self) -> Self;
    /// The largest drive of a link: the square of its exponential is within the range.
    const REACH: f64;
    /// The nearest number of that size.
    #[inline(always)]
    fn within_reach(self) -> Self {
        self.least(Self::of(Self::REACH))
            .largest(Self::of(-Self::REACH))
    }
}

impl Number for f64 {
    const REACH: f64 = 300.0;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
    #[inline(always)]
    fn times_plus(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        // x = k ln 2 + r; added to this number, k is rounded to a whole number that the low bits hold.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
        const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
        let shifted = self.mul_add(std::f64::consts::LOG2_E, WHOLE);
        let k = shifted - WHOLE;
        let r = k.mul_add(-LN2_LOW, k.mul_add(-LN2_HIGH, self));
        let mut p: Self = 1.0 / 479_001_600.0;
        p = p.mul_add(r, 1.0 / 39_916_800.0);
        p = p.mul_add(r, 1.0 / 3_628_800.0);
        p = p.mul_add(r, 1.0 / 362_880.0);
        p = p.mul_add(r, 1.0 / 40_320.0);
        p = p.mul_add(r, 1.0 / 5_040.0);
        p = p.mul_add(r, 1.0 / 720.0);
        p = p.mul_add(r, 1.0 / 120.0);
        p = p.mul_add(r, 1.0 / 24.0);
        p = p.mul_add(r, 1.0 / 6.0);
        p = p.mul_add(r, 0.5);
        p = p.mul_add(r, 1.0);
        p = p.mul_add(r, 1.0);
        f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52))
    }
    #[inline(always)]
    fn twice_artanh(self) -> Self {
        let z = self * self;
        let mut p: Self = 1.0 / 35.0;
        p = p.mul_add(z, 1.0 / 33.0);
        p = p.mul_add(z, 1.0 / 31.0);
        p = p.mul_add(z, 1.0 / 29.0);
        p = p.mul_add(z, 1.0 / 27.0);
        p = p.mul_add(z, 1.0 / 25.0);
        p = p.mul_add(z, 1.0 / 23.0);
        p = p.mul_add(z, 1.0 / 21.0);
        p = p.mul_add(z, 1.0 / 19.0);
        p = p.mul_add(z, 1.0 / 17.0);
        p = p.mul_add(z, 1.0 / 15.0);
        p = p.mul_add(z, 1.0 / 13.0);
        p = p.mul_add(z, 1.0 / 11.0);
        p = p.mul_add(z, 1.0 / 9.0);
        p = p.mul_add(z, 1.0 / 7.0);
        p = p.mul_add(z, 1.0 / 5.0);
        p = p.mul_add(z, 1.0 / 3.0);
        2.0 * (self * z).mul_add(p, self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        // x = 2^k m with m from sqrt(1/2) to sqrt(2).
        const HALF_ROOT: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
        let bits = self.to_bits().wrapping_sub(HALF_ROOT);
        // The exponent as a whole number in the low bits of a large one: vector registers turn no 64-bit integers.
        let k = f64::from_bits(((bits >> 52).wrapping_add(2048) & 0xfff) | (1075u64 << 52));
        let k = k - 4_503_599_627_372_544.0;
        let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(HALF_ROOT));
        let s = (m - 1.0) / (m + 1.0);
        let z = s * s;
        let mut p: Self = 1.0 / 21.0;
        p = p.mul_add(z, 1.0 / 19.0);
        p = p.mul_add(z, 1.0 / 17.0);
        p = p.mul_add(z, 1.0 / 15.0);
        p = p.mul_add(z, 1.0 / 13.0);
        p = p.mul_add(z, 1.0 / 11.0);
        p = p.mul_add(z, 1.0 / 9.0);
        p = p.mul_add(z, 1.0 / 7.0);
        p = p.mul_add(z, 1.0 / 5.0);
        p = p.mul_add(z, 1.0 / 3.0);
        k.mul_add(std::f64::consts::LN_2, 2.0 * (s * z).mul_add(p, s))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn largest(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
}

impl Number for f32 {
    const REACH: f64 = 40.0;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn times_plus(self, a: Self, b: Self) -> Self {
        self.mul_add(a, b)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        const WHOLE: f32 = 12_582_912.0;
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        let shifted = self.mul_add(std::f32::consts::LOG2_E, WHOLE);
        let k = shifted - WHOLE;
        let r = k.mul_add(-LN2_LOW, k.mul_add(-LN2_HIGH, self));
        // Of the polynomials of degree 5 that begin with 1 + r the nearest, to 1.1e-7 of the exponential.
        let mut p: Self = 0.008_312_525;
        p = p.mul_add(r, 0.041_890_113);
        p = p.mul_add(r, 0.166_671_14);
        p = p.mul_add(r, 0.499_992_3);
        p = p.mul_add(r, 1.0);
        p = p.mul_add(r, 1.0);
        f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
    }
    #[inline(always)]
    fn twice_artanh(self) -> Self {
        let z = self * self;
        let mut p: Self = 1.0 / 15.0;
        p = p.mul_add(z, 1.0 / 13.0);
        p = p.mul_add(z, 1.0 / 11.0);
        p = p.mul_add(z, 1.0 / 9.0);
        p = p.mul_add(z, 1.0 / 7.0);
        p = p.mul_add(z, 1.0 / 5.0);
        p = p.mul_add(z, 1.0 / 3.0);
        2.0 * (self * z).mul_add(p, self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        const HALF_ROOT: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
        let bits = self.to_bits().wrapping_sub(HALF_ROOT);
        let k = ((bits as i32) >> 23) as f32;
        let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(HALF_ROOT));
        let s = (m - 1.0) / (m + 1.0);
        let z = s * s;
        let mut p: Self = 1.0 / 9.0;
        p = p.mul_add(z, 1.0 / 7.0);
        p = p.mul_add(z, 1.0 / 5.0);
        p = p.mul_add(z, 1.0 / 3.0);
        k.mul_add(std::f32::consts::LN_2, 2.0 * (s * z).mul_add(p, s))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn largest(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn worst<N: Number>(reach: f64) -> f64 {
        let mut worst = 0.0f64;
        for i in 0..40_001 {
            let x = N::of(reach * (f64::from(i) / 20_000.0 - 1.0));
            let exact = x.wide().exp();
            worst = worst.max((x.exp().wide() / exact - 1.0).abs());
            let y = N::of(exact);
            let log = y.wide().ln();
            worst = worst.max((y.ln().wide() - log).abs() / log.abs().max(1.0));
            let small = N::of((-reach * f64::from(i) / 40_000.0).exp());
            let exact = small.wide().ln_1p();
            worst = worst.max((small.ln_1p().wide() / exact - 1.0).abs());
        }
        worst
    }

    #[test]
    fn functions_are_exact_to_rounding() {
        let (double, single) = (worst::<f64>(f64::REACH), worst::<f32>(f32::REACH));
        assert!(double < 2e-15, "{double}");
        let least: f64 = Number::exp(-700.0);
        assert!((least / (-700.0f64).exp() - 1.0).abs() < 2e-15, "{least}");
        assert!(single < 1e-6, "{single}");
    }
}
