//! Exponentials with the same bits on every machine, whatever its mathematics library and vector registers.

/// Taylor coefficients 1/n! from n = 12 down to 2.
const TERMS: [f64; 11] = [
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
];
/// ln 2 in two parts; the first has so few digits that whole multiples of it are exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN_2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
/// Added to a number below 2^51, it leaves the nearest whole number in the last bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `e^x` within about one unit in the last place. Below -700 and above 700 it stays at the value there. Written without
/// branches, so that a loop over it is vectorized; products are added fused, which gives the same bits everywhere.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = k.mul_add(-LN_2_LOW, k.mul_add(-LN_2_HIGH, x));
    let mut sum = TERMS[0];
    for term in &TERMS[1..] {
        sum = sum.mul_add(r, *term);
    }
    // 1 + r + r^2 (...): the two largest terms last, for the least rounding.
    let tail = (sum * r).mul_add(r, r);
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    power.mul_add(tail, power)
}

/// Where [`phi`] is exact to double precision, relative to 1.
pub(crate) const PHI_TO: f64 = 0.5;

/// `(e^x - 1) / x` for `|x|` up to [`PHI_TO`], within 4e-14: without a division or a branch, for vectorized loops.
#[inline(always)]
pub(crate) fn phi(x: f64) -> f64 {
    // 1/(n + 1)! from n = 0 on, summed in pairs, so that few products wait for each other.
    let c = |n: usize| TERMS[11 - n];
    let (x2, one) = (x * x, 1.0);
    let x4 = x2 * x2;
    let p0 = c(1).mul_add(x, one);
    let p2 = c(3).mul_add(x, c(2));
    let p4 = c(5).mul_add(x, c(4));
    let p6 = c(7).mul_add(x, c(6));
    let p8 = c(9).mul_add(x, c(8));
    let p10 = c(11).mul_add(x, c(10));
    let q0 = p2.mul_add(x2, p0);
    let q4 = p6.mul_add(x2, p4);
    let q8 = p10.mul_add(x2, p8);
    q8.mul_add(x4, q4).mul_add(x4, q0)
}

/// `e^x - 1` over `x`, which is 1 at 0.
pub(crate) fn expm1_over(x: f64) -> f64 {
    if x.abs() < 0.5 {
        // The series is exact to the last place long before this many terms.
        let (mut sum, mut term) = (1.0, 1.0);
        for n in 2..24 {
            term *= x / f64::from(n);
            sum += term;
        }
        sum
    } else {
        (exp(x) - 1.0) / x
    }
}

/// Exponential decay over whole steps, from a table.
#[derive(Debug, Clone)]
pub(crate) struct Decay {
    per_step: f64,
    table: Vec<f64>,
}

impl Decay {
    /// Time constant and step in the same unit.
    pub(crate) fn new(tau: f64, dt: f64) -> Self {
        let per_step = dt / tau;
        // To e^-20; what is later is rare, and computed.
        let length = (20.0 / per_step).clamp(1.0, 16_384.0) as usize;
        let table = (0..length).map(|k| exp(-(k as f64) * per_step)).collect();
        Self { per_step, table }
    }

    /// What is left after `steps`.
    #[inline]
    pub(crate) fn after(&self, steps: i64) -> f64 {
        let index = usize::try_from(steps).unwrap_or(0);
        match self.table.get(index) {
            Some(&left) => left,
            None => exp(-(steps as f64) * self.per_step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_to_the_last_places() {
        let mut worst: f64 = 0.0;
        for i in -70_000..70_000 {
            let x = f64::from(i) * 0.009_973;
            worst = worst.max((exp(x) / x.exp() - 1.0).abs());
        }
        assert!(worst < 4.5e-16, "relative error {worst:e}");
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1e9), exp(-700.0));
    }

    #[test]
    fn phi_is_right_in_its_range() {
        for i in 1..=1000 {
            let x = -PHI_TO * f64::from(i) / 1000.0;
            let error = (phi(x) - x.exp_m1() / x).abs();
            assert!(error < 5e-14, "{x}: {error:e}");
        }
        assert_eq!(phi(0.0), 1.0);
    }

    #[test]
    fn a_decay_is_the_same_inside_and_beyond_its_table() {
        let decay = Decay::new(10.0, 0.1);
        for k in [0, 1, 7, 1999, 2000, 2001, 50_000] {
            assert_eq!(decay.after(k), exp(-(k as f64) * (0.1 / 10.0)));
        }
    }

    #[test]
    fn expm1_over_is_smooth_at_its_seam_and_one_at_zero() {
        assert_eq!(expm1_over(0.0), 1.0);
        for x in [-3.0, -0.5, -0.499, -1e-9, 1e-3, 0.499, 0.5, 2.0f64] {
            assert!(
                (expm1_over(x) / (x.exp_m1() / x) - 1.0).abs() < 1e-14,
                "{x}"
            );
        }
    }
}
