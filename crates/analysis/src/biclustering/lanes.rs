//! Bins four at a time, and their exponentials.

/// Bins at once.
pub(super) const LANES: usize = 4;
/// A value of each.
pub(super) type Lanes = [f64; LANES];

/// Values of the bins from `t` on; those past the last of `n` are `beyond`.
#[inline(always)]
pub(super) fn lanes(x: &[f64], t: usize, n: usize, beyond: f64) -> Lanes {
    if t + LANES <= n {
        std::array::from_fn(|l| x[t + l])
    } else {
        std::array::from_fn(|l| if t + l < n { x[t + l] } else { beyond })
    }
}

/// Exponentials of numbers between -700 and 700, to 2 units in the last place: 2^n times Taylor's polynomial on half a
/// binary order of magnitude.
#[inline(always)]
pub(super) fn exponentials(x: Lanes) -> Lanes {
    /// Added to this, a number is rounded to a whole number, which the low bits then hold.
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const INVERSE_FACTORIALS: [f64; 14] = {
        let mut all = [1.0; 14];
        let mut n = 1;
        while n < 14 {
            all[n] = all[n - 1] / n as f64;
            n += 1;
        }
        all
    };
    let mut out = [0.0; LANES];
    for l in 0..LANES {
        let shifted = x[l].mul_add(std::f64::consts::LOG2_E, WHOLE);
        let n = shifted - WHOLE;
        let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x[l]));
        let mut sum = INVERSE_FACTORIALS[13];
        for k in (0..13).rev() {
            sum = sum.mul_add(r, INVERSE_FACTORIALS[k]);
        }
        // The exponent's bits of 2^n.
        let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
        out[l] = sum * power;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_core::Streams;
    use rand::RngExt;

    #[test]
    fn exponentials_are_exponentials() {
        let mut rng = Streams::new(1).stream("exp");
        for _ in 0..20_000 {
            let x: Lanes = std::array::from_fn(|_| 60.0 * rng.random::<f64>() - 30.0);
            for (found, x) in exponentials(x).iter().zip(x) {
                assert!((found / x.exp() - 1.0).abs() < 5e-16, "{x}");
            }
        }
        assert_eq!(exponentials([0.0; LANES]), [1.0; LANES]);
    }
}
