//! Links from a drive to an expected count, and what is seen of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::number::Number;

/// From a drive u to the expected count (or the probability of a spike) f(u) of a bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// 1 / (1 + e^-u): at most one spike is expected of a bin.
    #[default]
    Sigmoid,
    /// ln(1 + e^u).
    Softplus,
    /// e^u.
    Exp,
    /// The square root of the softplus.
    SqrtSoftplus,
    /// ln(1 + softplus).
    LogSoftplus,
}

/// How counts scatter around what is expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    /// Poisson counts.
    #[default]
    Poisson,
    /// One spike or none; with the sigmoid link alone.
    Bernoulli,
}

impl Link {
    /// f(u).
    #[must_use]
    pub fn of(self, u: f64) -> f64 {
        let u = u.clamp(-f64::REACH, f64::REACH);
        let softplus = u.max(0.0) + (-u.abs()).exp().ln_1p();
        match self {
            Self::Sigmoid => 1.0 / (1.0 + (-u).exp()),
            Self::Softplus => softplus,
            Self::Exp => u.exp(),
            Self::SqrtSoftplus => softplus.sqrt(),
            Self::LogSoftplus => softplus.ln_1p(),
        }
    }

    /// The drive of this expected count, taken into the link's range.
    #[must_use]
    pub fn inverse(self, rate: f64) -> f64 {
        let unsoft = |y: f64| {
            if y > 30.0 {
                y
            } else {
                y.exp_m1().max(1e-12).ln()
            }
        };
        match self {
            Self::Sigmoid => {
                let p = rate.clamp(1e-4, 1.0 - 1e-4);
                (p / (1.0 - p)).ln()
            }
            Self::Softplus => unsoft(rate.max(1e-4)),
            Self::Exp => rate.max(1e-4).ln(),
            Self::SqrtSoftplus => unsoft(rate.max(1e-2).powi(2)),
            Self::LogSoftplus => unsoft(rate.clamp(1e-4, 30.0).exp_m1()),
        }
    }
}

/// Link and observation together, for one pass compiled for it: everything is for drives within [`Number::REACH`].
pub(super) trait Response: Copy + Send + Sync + 'static {
    /// log p(x | u) without the term -ln x!, which no parameter moves.
    fn log_p<N: Number>(x: N, u: N) -> N;
    /// Its derivative by u.
    fn slope<N: Number>(x: N, u: N) -> N;

    /// Two of [`Self::log_p`].
    #[inline(always)]
    fn log_ps<N: Number>(x: [N; 2], u: [N; 2]) -> [N; 2] {
        [Self::log_p(x[0], u[0]), Self::log_p(x[1], u[1])]
    }
    /// Two of [`Self::slope`].
    #[inline(always)]
    fn slopes<N: Number>(x: [N; 2], u: [N; 2]) -> [N; 2] {
        [Self::slope(x[0], u[0]), Self::slope(x[1], u[1])]
    }
}

/// 1 / a of two numbers by one division: their product must be within range.
#[inline(always)]
fn inverses<N: Number>(a: [N; 2]) -> [N; 2] {
    let of_both = one::<N>() / (a[0] * a[1]);
    [of_both * a[1], of_both * a[0]]
}

#[inline(always)]
fn one<N: Number>() -> N {
    N::of(1.0)
}

#[inline(always)]
fn magnitude<N: Number>(u: N) -> N {
    u.largest(-u)
}

/// ln(1 + e^u).
#[inline(always)]
fn softplus<N: Number>(u: N) -> N {
    u.largest(N::default()) + (-magnitude(u)).exp().ln_1p()
}

#[inline(always)]
fn sigmoid<N: Number>(u: N) -> N {
    one::<N>() / (one::<N>() + (-u).exp())
}

/// ln softplus(u), by its limit u where the softplus is e^u to rounding.
#[inline(always)]
fn ln_softplus<N: Number>(u: N, softplus: N) -> N {
    let log = softplus.ln();
    if u < N::of(-40.0) { u } else { log }
}

/// sigmoid(u) / softplus(u): 1 where both are e^u.
#[inline(always)]
fn hazard<N: Number>(u: N) -> N {
    let ratio = sigmoid(u) / softplus(u);
    if u < N::of(-40.0) { one() } else { ratio }
}

#[derive(Clone, Copy)]
pub(super) struct PoissonSigmoid;
#[derive(Clone, Copy)]
pub(super) struct PoissonSoftplus;
#[derive(Clone, Copy)]
pub(super) struct PoissonExp;
#[derive(Clone, Copy)]
pub(super) struct PoissonSqrtSoftplus;
#[derive(Clone, Copy)]
pub(super) struct PoissonLogSoftplus;
#[derive(Clone, Copy)]
pub(super) struct Bernoulli;

impl Response for PoissonSigmoid {
    #[inline(always)]
    fn log_p<N: Number>(x: N, u: N) -> N {
        // ln sigmoid(u) = min(u, 0) - ln(1 + e^-|u|).
        let e = (-magnitude(u)).exp();
        let log = u.least(N::default()) - e.ln_1p();
        let top = if u > N::default() { one() } else { e };
        x * log - top / (one::<N>() + e)
    }
    #[inline(always)]
    fn slope<N: Number>(x: N, u: N) -> N {
        // (x - f) (1 - f), by what is left of f to 1.
        let left = one::<N>() / (one::<N>() + u.exp());
        (x - one::<N>() + left) * left
    }

    #[inline(always)]
    fn log_ps<N: Number>(x: [N; 2], u: [N; 2]) -> [N; 2] {
        // ln(1 + e) is made of e / (2 + e): one inverse serves it and 1 / (1 + e).
        let (e, d) = ((-magnitude(u[0])).exp(), (-magnitude(u[1])).exp());
        let two = N::of(2.0);
        let of = inverses([(one::<N>() + e) * (two + e), (one::<N>() + d) * (two + d)]);
        [
            by_inverse(x[0], u[0], e, of[0]),
            by_inverse(x[1], u[1], d, of[1]),
        ]
    }
    #[inline(always)]
    fn slopes<N: Number>(x: [N; 2], u: [N; 2]) -> [N; 2] {
        let left = inverses([one::<N>() + u[0].exp(), one::<N>() + u[1].exp()]);
        [
            (x[0] - one::<N>() + left[0]) * left[0],
            (x[1] - one::<N>() + left[1]) * left[1],
        ]
    }
}

/// The sigmoid's log p(x | u), given e = e^-|u| and 1 / ((1 + e) (2 + e)).
#[inline(always)]
fn by_inverse<N: Number>(x: N, u: N, e: N, inverse: N) -> N {
    let log = u.least(N::default()) - (e * (one::<N>() + e) * inverse).twice_artanh();
    let top = if u > N::default() { one() } else { e };
    x * log - top * (N::of(2.0) + e) * inverse
}

impl Response for PoissonSoftplus {
    #[inline(always)]
    fn log_p<N: Number>(x: N, u: N) -> N {
        let f = softplus(u);
        x * ln_softplus(u, f) - f
    }
    #[inline(always)]
    fn slope<N: Number>(x: N, u: N) -> N {
        (x - softplus(u)) * hazard(u)
    }
}

impl Response for PoissonExp {
    #[inline(always)]
    fn log_p<N: Number>(x: N, u: N) -> N {
        x * u - u.exp()
    }
    #[inline(always)]
    fn slope<N: Number>(x: N, u: N) -> N {
        x - u.exp()
    }
}

impl Response for PoissonSqrtSoftplus {
    #[inline(always)]
    fn log_p<N: Number>(x: N, u: N) -> N {
        let s = softplus(u);
        x * N::of(0.5) * ln_softplus(u, s) - s.sqrt()
    }
    #[inline(always)]
    fn slope<N: Number>(x: N, u: N) -> N {
        (x - softplus(u).sqrt()) * N::of(0.5) * hazard(u)
    }
}

impl Response for PoissonLogSoftplus {
    #[inline(always)]
    fn log_p<N: Number>(x: N, u: N) -> N {
        let f = ln_1p_any(softplus(u));
        let log = f.ln();
        let log = if u < N::of(-40.0) { u } else { log };
        x * log - f
    }
    #[inline(always)]
    fn slope<N: Number>(x: N, u: N) -> N {
        let s = softplus(u);
        let f = ln_1p_any(s);
        let ratio = sigmoid(u) / ((one::<N>() + s) * f);
        let ratio = if u < N::of(-40.0) { one() } else { ratio };
        (x - f) * ratio
    }
}

/// ln(1 + y) for any y of 0 or more.
#[inline(always)]
fn ln_1p_any<N: Number>(y: N) -> N {
    let (small, large) = (y.least(one()).ln_1p(), (one::<N>() + y).ln());
    if y < one() { small } else { large }
}

impl Response for Bernoulli {
    #[inline(always)]
    fn log_p<N: Number>(x: N, u: N) -> N {
        x * u - softplus(u)
    }
    #[inline(always)]
    fn slope<N: Number>(x: N, u: N) -> N {
        x - sigmoid(u)
    }
}
