//! What draws of PG(b, c) need that depends on c alone, of one or of many.
//!
//! All cumulants are proportional to b, and so are those of the sum without its first terms: what follows from them is found for
//! b = 1, without a branch, so that many tilts can be treated in vector registers.

use std::f64::consts::PI;

use chiasm_core::{Rng, vectorized};
use rand::RngExt;

use super::{Gamma, inverse_gaussian};
use crate::number::Number;

/// A mixture of a shifted gamma and a shifted inverse Gaussian that has the first four cumulants of a variable: both have the
/// first three of them, and are chosen with that chance which gives the fourth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mixture {
    mean: f64,
    /// Standard deviation over skewness.
    spread: f64,
    /// Squared skewness.
    skewness_2: f64,
    /// Chance of the gamma; NaN where rounding has eaten the variable, and its mean stands for it.
    share: f64,
}

impl Mixture {
    #[inline(always)]
    pub(super) fn of([mean, variance, third, fourth]: [f64; 4]) -> Self {
        let inverse = 1.0 / third;
        let spread = variance * variance * inverse;
        let drawable = (variance > 1e-13 * mean * mean) & (third > 0.0) & (fourth > 0.0);
        // Excess kurtosis is 3/2 of the squared skewness for a gamma, 5/3 for an inverse Gaussian.
        let share = 10.0 - 6.0 * fourth * variance * inverse * inverse;
        Self {
            mean,
            spread,
            skewness_2: third / (variance * spread),
            share: if drawable { share } else { f64::NAN },
        }
    }

    /// A positive draw where all cumulants are `b` times as large.
    pub(super) fn draw(&self, b: f64, rng: &mut Rng) -> f64 {
        let (mean, spread) = (b * self.mean, b * self.spread);
        if self.share.is_nan() {
            return mean.max(0.0);
        }
        // The shifted variables are below 0 with a chance far under one half.
        for _ in 0..1000 {
            let x = if rng.random::<f64>() < self.share {
                let scale = 0.5 * self.spread * self.skewness_2;
                mean - 2.0 * spread + scale * Gamma::new(4.0 * b / self.skewness_2).draw(rng)
            } else {
                let half_ratio = self.skewness_2 / (18.0 * b);
                mean - 3.0 * spread + inverse_gaussian(3.0 * spread, half_ratio, rng)
            };
            if x > 0.0 {
                return x;
            }
        }
        mean
    }
}

/// The first four cumulants of PG(1, c), whose generating function is g(u) - g(u - t/2) with g(u) = log cosh sqrt(u) and
/// u = c^2 / 4: derivatives of g, found by d/du = d/dw / (2w) with w = sqrt(u).
#[inline(always)]
pub(super) fn unit_cumulants(c: f64) -> [f64; 4] {
    /// Below this w the closed forms cancel.
    const NEAR: f64 = 0.25;
    const N: usize = 9;
    /// Taylor's series of log cosh sqrt(u).
    const SERIES: [f64; N] = [
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
    /// Its derivatives, with the factors that make cumulants of them.
    const DERIVATIVES: [[f64; N]; 4] = {
        let mut all = [[0.0; N]; 4];
        let (mut order, mut scale) = (0, 0.5);
        while order < 4 {
            let mut m = order + 1;
            while m <= N {
                // m (m - 1) ... (m - order)
                let (mut falling, mut j) = (scale, 0);
                while j <= order {
                    falling *= (m - j) as f64;
                    j += 1;
                }
                all[order][m - order - 1] = falling * SERIES[m - 1];
                m += 1;
            }
            order += 1;
            scale *= -0.5;
        }
        all
    };
    let w = 0.5 * c.abs();
    let u = w * w;
    let series = |order: usize| {
        let mut sum = 0.0;
        for i in (0..N - order).rev() {
            sum = Number::times_plus(sum, u, DERIVATIVES[order][i]);
        }
        sum
    };
    let far = Number::largest(w, NEAR);
    let e = Number::exp(Number::largest(-2.0 * far, -<f64 as Number>::REACH));
    let (share, inverse) = (1.0 / (1.0 + e), 1.0 / far);
    let t = (1.0 - e) * share;
    let s = 4.0 * e * share * share;
    let n2 = far * s - t;
    let n3 = -2.0 * far * far * t * s - 3.0 * n2;
    let dn3 = 2.0 * far * t * s - 2.0 * far * far * s * s + 4.0 * far * far * t * t * s;
    let inverse2 = inverse * inverse;
    let (inverse3, inverse5) = (inverse2 * inverse, inverse2 * inverse2 * inverse);
    let near = w < NEAR;
    let either = |series: f64, closed: f64| if near { series } else { closed };
    [
        either(series(0), t * inverse / 4.0),
        either(series(1), -n2 * inverse3 / 16.0),
        either(series(2), n3 * inverse5 / 64.0),
        either(
            series(3),
            -(far * dn3 - 5.0 * n3) * inverse5 * inverse2 / 256.0,
        ),
    ]
}

/// Term k of the sum is this times a gamma variable of the shape b.
#[inline(always)]
pub(super) fn weight(c: f64, k: usize) -> f64 {
    let half = k as f64 - 0.5;
    1.0 / (2.0 * PI * PI * half * half + 0.5 * c * c)
}

/// Cumulants without a term of this weight.
#[inline(always)]
pub(super) fn without(cumulants: [f64; 4], weight: f64) -> [f64; 4] {
    let [mean, variance, third, fourth] = cumulants;
    let square = weight * weight;
    [
        mean - weight,
        variance - square,
        third - 2.0 * square * weight,
        fourth - 6.0 * square * square,
    ]
}

/// A tilt c, ready for draws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tilt {
    pub c: f64,
    /// Of the whole sum.
    pub whole: Mixture,
    /// Weight of its first term.
    pub weight: f64,
    /// Of the sum without it.
    pub rest: Mixture,
}

impl Tilt {
    #[inline(always)]
    fn of(c: f64) -> Self {
        let (cumulants, weight) = (unit_cumulants(c), weight(c, 1));
        Self {
            c,
            whole: Mixture::of(cumulants),
            weight,
            rest: Mixture::of(without(cumulants, weight)),
        }
    }

    pub(super) fn new(c: f64) -> Self {
        vectorized(
            #[inline(always)]
            || Self::of(c),
        )
    }
}

/// Tilts treated at once.
pub(crate) const MANY: usize = 64;

/// Many tilts, ready for draws with [`super::Shape::draw_at`].
pub(crate) struct Tilts {
    c: [f64; MANY],
    /// Fields of the mixtures, one after the other.
    whole: [[f64; MANY]; 4],
    weight: [f64; MANY],
    rest: [[f64; MANY]; 4],
}

impl Tilts {
    pub(crate) fn new(c: [f64; MANY]) -> Self {
        let mut all = Self {
            c,
            whole: [[0.0; MANY]; 4],
            weight: [0.0; MANY],
            rest: [[0.0; MANY]; 4],
        };
        vectorized(
            #[inline(always)]
            || {
                for (i, c) in c.into_iter().enumerate() {
                    let tilt = Tilt::of(c);
                    put(&mut all.whole, i, tilt.whole);
                    all.weight[i] = tilt.weight;
                    put(&mut all.rest, i, tilt.rest);
                }
            },
        );
        all
    }

    pub(super) fn at(&self, i: usize) -> Tilt {
        let mixture = |of: &[[f64; MANY]; 4]| Mixture {
            mean: of[0][i],
            spread: of[1][i],
            skewness_2: of[2][i],
            share: of[3][i],
        };
        Tilt {
            c: self.c[i],
            whole: mixture(&self.whole),
            weight: self.weight[i],
            rest: mixture(&self.rest),
        }
    }
}

#[inline(always)]
fn put(to: &mut [[f64; MANY]; 4], i: usize, of: Mixture) {
    to[0][i] = of.mean;
    to[1][i] = of.spread;
    to[2][i] = of.skewness_2;
    to[3][i] = of.share;
}
