//! Pólya-Gamma variables: what turns a logistic or negative-binomial likelihood into a Gaussian one (Polson, Scott and
//! Windle 2013, doi:10.1080/01621459.2013.829001).
//!
//! PG(b, c) is the sum over k = 1, 2, ... of g_k / (2 pi^2 ((k - 1/2)^2 + c^2 / (4 pi^2))), all g_k ~ Gamma(b, 1).
//!
//! How a draw is made depends on the shape b alone:
//!
//! - 1 <= b < 3: exact, by rejection against the alternating series of the density (Windle, Polson and Scott 2014,
//!   arXiv:1405.0506, with an exponential in place of their gamma tail);
//! - b >= 12: a mixture of a shifted gamma and a shifted inverse Gaussian that has the first four cumulants of PG(b, c). The
//!   distribution function is off by at most 9e-5 at b = 12 and 2e-5 at b = 30, for any c;
//! - 3 <= b < 12: the first term of the sum as it is (98 % of the variance at c = 0), the rest by that mixture: off by at most
//!   1e-6 for |c| < 2 and 2e-4 for any c;
//! - b < 1: the first six terms as they are, the rest by that mixture: off by some 1e-4.
//!
//! ```
//! let mut rng = chiasm_core::Streams::new(1).stream("draws");
//! let draw = chiasm_analysis::polya_gamma::draw(11.0, 1.5, &mut rng);
//! assert!(draw > 0.0 && draw < 10.0);
//! ```

mod piece;
#[cfg(test)]
mod tests;
mod tilt;

use chiasm_core::{Rng, vectorized};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use piece::Piece;
use tilt::{Mixture, Tilt, unit_cumulants, weight, without};

pub(crate) use tilt::{MANY, Tilts};

/// From this shape on, four cumulants say all that matters.
const LARGE: f64 = 12.0;
/// Below this shape and from 1 on, draws are exact.
const EXACT: f64 = 3.0;
/// Terms of the sum that are drawn as they are where the shape is below 1.
const TERMS: usize = 6;

/// A draw of PG(`b`, `c`). PG(0, c) is 0; NaN where `b` is negative or either is not finite.
#[must_use]
pub fn draw(b: f64, c: f64, rng: &mut Rng) -> f64 {
    Shape::new(b).draw(c, rng)
}

/// A shape b, and what draws of PG(b, c) need that depends on it alone: worth keeping where many are drawn.
#[derive(Debug, Clone)]
pub struct Shape {
    b: f64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Not a shape, or 0: every draw is this.
    Fixed(f64),
    /// The first terms as they are, the rest by its cumulants.
    FirstTerms(Gamma),
    /// Exactly.
    Piece(Piece),
    /// The first term as it is, the rest by its cumulants.
    FirstTerm(Gamma),
    /// By four cumulants.
    Matched,
}

impl Shape {
    /// The shape `b`. A negative or infinite one is accepted: its draws are NaN.
    #[must_use]
    pub fn new(b: f64) -> Self {
        let kind = if !(b >= 0.0 && b.is_finite()) {
            Kind::Fixed(f64::NAN)
        } else if b == 0.0 {
            Kind::Fixed(0.0)
        } else if b < 1.0 {
            Kind::FirstTerms(Gamma::new(b))
        } else if b < EXACT {
            Kind::Piece(Piece::new(b))
        } else if b < LARGE {
            Kind::FirstTerm(Gamma::new(b))
        } else {
            Kind::Matched
        };
        Self { b, kind }
    }

    /// A draw of PG(b, `c`): see [`draw`].
    #[must_use]
    pub fn draw(&self, c: f64, rng: &mut Rng) -> f64 {
        match &self.kind {
            // Where nothing that takes time depends on the tilt.
            Kind::Piece(piece) if c.is_finite() => 0.25 * piece.draw(0.5 * c.abs(), rng),
            _ => self.draw_tilted(Tilt::new(c), rng),
        }
    }

    /// A draw of PG(b, c) with one of many tilts.
    pub(crate) fn draw_at(&self, tilts: &Tilts, i: usize, rng: &mut Rng) -> f64 {
        self.draw_tilted(tilts.at(i), rng)
    }

    fn draw_tilted(&self, tilt: Tilt, rng: &mut Rng) -> f64 {
        if !tilt.c.is_finite() {
            return f64::NAN;
        }
        match &self.kind {
            Kind::Fixed(value) => *value,
            Kind::FirstTerms(gamma) => first_terms(self.b, tilt.c, gamma, rng),
            // PG(b, c) is a quarter of J*(b, c / 2).
            Kind::Piece(piece) => 0.25 * piece.draw(0.5 * tilt.c.abs(), rng),
            Kind::FirstTerm(gamma) => tilt.weight * gamma.draw(rng) + tilt.rest.draw(self.b, rng),
            Kind::Matched => tilt.whole.draw(self.b, rng),
        }
    }
}

/// Mean of PG(b, c).
#[must_use]
pub fn mean(b: f64, c: f64) -> f64 {
    cumulants(b, c)[0]
}

/// The first four cumulants of PG(b, c).
#[must_use]
pub fn cumulants(b: f64, c: f64) -> [f64; 4] {
    let unit = vectorized(
        #[inline(always)]
        || unit_cumulants(c),
    );
    unit.map(|u| b * u)
}

/// The first six terms as they are, and the rest by its cumulants.
fn first_terms(b: f64, c: f64, gamma: &Gamma, rng: &mut Rng) -> f64 {
    let mut rest = cumulants(1.0, c);
    let mut sum = 0.0;
    for k in 1..=TERMS {
        let weight = weight(c, k);
        sum += weight * gamma.draw(rng);
        rest = without(rest, weight);
    }
    sum + Mixture::of(rest).draw(b, rng)
}

/// Gamma variables of a shape, of scale 1 (Marsaglia and Tsang 2000).
#[derive(Debug, Clone)]
struct Gamma {
    d: f64,
    c: f64,
    /// Where the shape a is below 1: Gamma(a) = Gamma(a + 1) U^(1/a).
    power: Option<f64>,
}

impl Gamma {
    fn new(shape: f64) -> Self {
        let power = (shape < 1.0).then(|| 1.0 / shape);
        let d = if power.is_some() { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Self {
            d,
            c: 1.0 / (9.0 * d).sqrt(),
            power,
        }
    }

    fn draw(&self, rng: &mut Rng) -> f64 {
        let (d, c) = (self.d, self.c);
        let drawn = loop {
            let x: f64 = StandardNormal.sample(rng);
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            let u: f64 = rng.random();
            let square = x * x;
            if u < 1.0 - 0.0331 * square * square || u.ln() < 0.5 * square + d * (1.0 - v + v.ln())
            {
                break d * v;
            }
        };
        match self.power {
            Some(power) => drawn * rng.random::<f64>().powf(power),
            None => drawn,
        }
    }
}

/// Inverse Gaussian of this mean and, as `half_ratio`, mean over twice the shape (Michael, Schucany and Haas 1976).
fn inverse_gaussian(mean: f64, half_ratio: f64, rng: &mut Rng) -> f64 {
    let normal: f64 = StandardNormal.sample(rng);
    let y = half_ratio * normal * normal;
    // The smaller root of the pair, in a form that does not cancel.
    let x = mean / (1.0 + y + (y * (2.0 + y)).sqrt());
    if rng.random::<f64>() * (mean + x) <= mean {
        x
    } else {
        mean * mean / x
    }
}
