//! Gradient descent by groups of parameters: with momentum, Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019), Lion
//! (Chen et al. 2023).

use chiasm_core::{SettingError, summed, vectorized};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Parameters;
use super::parameters::copy;
use crate::Real;

/// How a gradient `g` becomes a step. `rate` is the group's rate times the schedule's factor; `decay` is the group's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// `g += decay p`, `v = momentum v + g`, `p -= rate v`.
    Sgd {
        /// What the velocity keeps of itself.
        momentum: f64,
    },
    /// Adam; `g += decay p` before the moments are taken.
    Adam {
        /// What the mean of gradients keeps of itself.
        beta1: f64,
        /// What the mean of squares keeps of itself.
        beta2: f64,
    },
    /// Adam, with `p -= rate decay p` beside the step.
    AdamW {
        /// As Adam's.
        beta1: f64,
        /// As Adam's.
        beta2: f64,
    },
    /// `u = sign(beta1 m + (1 - beta1) g)`, `p -= rate (decay p + u)`, `m = beta2 m + (1 - beta2) g`.
    Lion {
        /// Weight of the mean in the step.
        beta1: f64,
        /// What the mean keeps of itself.
        beta2: f64,
    },
}

impl Rule {
    /// Plain descent.
    pub const SGD: Self = Self::Sgd { momentum: 0.0 };
    /// Adam at its usual decays.
    pub const ADAM: Self = Self::Adam {
        beta1: 0.9,
        beta2: 0.999,
    };
    /// AdamW at its usual decays.
    pub const ADAMW: Self = Self::AdamW {
        beta1: 0.9,
        beta2: 0.999,
    };
    /// Lion at its usual decays.
    pub const LION: Self = Self::Lion {
        beta1: 0.9,
        beta2: 0.99,
    };

    /// Checks the decays.
    ///
    /// # Errors
    /// [`SettingError`] for one outside of 0 to 1.
    pub fn validate(&self) -> Result<(), SettingError> {
        let decays = match *self {
            Self::Sgd { momentum } => [("momentum", momentum); 2],
            Self::Adam { beta1, beta2 }
            | Self::AdamW { beta1, beta2 }
            | Self::Lion { beta1, beta2 } => [("beta1", beta1), ("beta2", beta2)],
        };
        for (field, v) in decays {
            SettingError::check((0.0..1.0).contains(&v), field, "0 or more, below 1", v)?;
        }
        Ok(())
    }

    fn keeps_squares(&self) -> bool {
        matches!(self, Self::Adam { .. } | Self::AdamW { .. })
    }
}

/// Parameters that share a rate and a decay, and whose gradient is clipped as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// What they are.
    pub name: String,
    /// Positions of their arrays.
    pub arrays: Vec<usize>,
    /// Learning rate, before the schedule.
    pub rate: f64,
    /// Weight decay; where it goes depends on the rule.
    pub decay: f64,
    /// Drawn off towards 0 after each step, by at most this: the proximal step of an L1 penalty.
    pub shrink: f64,
    /// The part of themselves that the parameters lose after each step.
    pub fade: f64,
    /// Largest norm of the gradient.
    pub clip: Option<f64>,
}

impl Share {
    /// All parameters, without decay or clipping.
    #[must_use]
    pub fn all<T: Real>(parameters: &Parameters<T>, rate: f64) -> Self {
        Self::of("all", (0..parameters.arrays.len()).collect(), rate)
    }

    /// The arrays at these positions, without decay or clipping.
    #[must_use]
    pub fn of(name: impl Into<String>, arrays: Vec<usize>, rate: f64) -> Self {
        Self {
            name: name.into(),
            arrays,
            rate,
            decay: 0.0,
            shrink: 0.0,
            fade: 0.0,
            clip: None,
        }
    }
}

/// A gradient that is not finite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the gradient of `{share}` is not finite")]
pub struct NotFinite {
    /// The group of parameters.
    pub share: String,
}

/// The optimizer's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Real")]
pub struct Optimizer<T> {
    rule: Rule,
    shares: Vec<Share>,
    step: u64,
    mean: Vec<Vec<T>>,
    square: Vec<Vec<T>>,
}

const EPSILON: f64 = 1e-8;
/// Numbers per task: norms are summed within these first, then from task to task in order.
const CHUNK: usize = 1 << 14;
/// Tasks that a thread takes at most at a time, so that none waits long for another.
const TOGETHER: usize = 8;

impl<T: Real> Optimizer<T> {
    /// An optimizer at rest. Arrays in no share stay as they are.
    #[must_use]
    pub fn new(parameters: &Parameters<T>, rule: Rule, shares: Vec<Share>) -> Self {
        let zeros = |kept: bool| -> Vec<Vec<T>> {
            let sizes = parameters.arrays.iter().map(|a| a.values.len());
            sizes
                .map(|n| vec![T::ZERO; if kept { n } else { 0 }])
                .collect()
        };
        Self {
            rule,
            step: 0,
            mean: zeros(true),
            square: zeros(rule.keeps_squares()),
            shares,
        }
    }

    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The groups of parameters.
    #[must_use]
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// One step, with all rates times `factor`. Returns the norm of each share's gradient before clipping.
    ///
    /// # Errors
    /// [`NotFinite`] with the first share whose gradient is not; nothing is changed then.
    pub fn update(
        &mut self,
        parameters: &mut Parameters<T>,
        gradients: &[Vec<T>],
        factor: f64,
    ) -> Result<Vec<f64>, NotFinite> {
        T::update(self, parameters, gradients, factor)
    }

    pub(crate) fn update_inner(
        &mut self,
        parameters: &mut Parameters<T>,
        gradients: &[Vec<T>],
        factor: f64,
    ) -> Result<Vec<f64>, NotFinite> {
        let squares = |s: &Share| -> f64 { s.arrays.iter().map(|&a| squares(&gradients[a])).sum() };
        let norms: Vec<f64> = self.shares.iter().map(|s| squares(s).sqrt()).collect();
        self.finite(|share| norms[share].is_finite())?;
        // As PyTorch's clip_grad_norm_.
        let scale = |(share, norm): (&Share, &f64)| {
            share
                .clip
                .map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0))
        };
        let scales: Vec<f64> = self.shares.iter().zip(&norms).map(scale).collect();
        self.descend(parameters, gradients, factor, &scales);
        Ok(norms)
    }

    /// The same for a copy that is thrown away where a gradient is not finite: without limits, that is found on the way, and
    /// large gradients are read once instead of twice.
    pub(crate) fn advance(
        &mut self,
        parameters: &mut Parameters<T>,
        gradients: &[Vec<T>],
        factor: f64,
    ) -> Result<(), NotFinite> {
        if self.shares.iter().any(|s| s.clip.is_some()) {
            return self.update_inner(parameters, gradients, factor).map(|_| ());
        }
        let finite = self.descend(parameters, gradients, factor, &vec![1.0; self.shares.len()]);
        self.finite(|share| finite[share])
    }

    fn finite(&self, of: impl Fn(usize) -> bool) -> Result<(), NotFinite> {
        match (0..self.shares.len()).find(|s| !of(*s)) {
            None => Ok(()),
            Some(bad) => Err(NotFinite {
                share: self.shares[bad].name.clone(),
            }),
        }
    }

    /// One step of each share along its gradient times its scale. Returns of each whether the gradient was finite.
    fn descend(
        &mut self,
        parameters: &mut Parameters<T>,
        gradients: &[Vec<T>],
        factor: f64,
        scales: &[f64],
    ) -> Vec<bool> {
        self.step += 1;
        let (mean, square) = (&mut self.mean, &mut self.square);
        let of_share = |(share, scale): (&Share, &f64)| {
            let step = Step {
                rule: self.rule,
                steps: self.step as f64,
                rate: share.rate * factor,
                decay: share.decay,
                shrink: share.shrink,
                fade: share.fade,
                scale: *scale,
            };
            share.arrays.iter().fold(true, |finite, &a| {
                let values = &mut parameters.arrays[a].values;
                finite & step.take(values, &mut mean[a], &mut square[a], &gradients[a])
            })
        };
        self.shares.iter().zip(scales).map(of_share).collect()
    }

    /// Becomes `other`, a state of the same descent, without memory of its own.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.step = other.step;
        let mean = self.mean.iter_mut().zip(&other.mean);
        let square = self.square.iter_mut().zip(&other.square);
        mean.chain(square).for_each(|(to, from)| copy(to, from));
    }
}

struct Step {
    rule: Rule,
    steps: f64,
    rate: f64,
    decay: f64,
    shrink: f64,
    fade: f64,
    /// Of the gradient.
    scale: f64,
}

impl Step {
    /// Steps, and says whether the gradient was finite.
    fn take<T: Real>(
        &self,
        values: &mut [T],
        mean: &mut [T],
        square: &mut [T],
        gradient: &[T],
    ) -> bool {
        if values.len() <= CHUNK {
            return self.part(values, mean, square, gradient);
        }
        let mut squares: Vec<&mut [T]> = square.chunks_mut(CHUNK).collect();
        squares.resize_with(values.len().div_ceil(CHUNK), Default::default);
        values
            .par_chunks_mut(CHUNK)
            .zip(mean.par_chunks_mut(CHUNK))
            .zip(squares)
            .zip(gradient.par_chunks(CHUNK))
            .with_max_len(TOGETHER)
            .map(|(((values, mean), square), gradient)| self.part(values, mean, square, gradient))
            .reduce(|| true, |a, b| a & b)
    }

    /// In double precision, whatever the parameters', where it costs nothing: what is kept is rounded, the step is not.
    /// Adam's quotient and root would cost three times as much, and are taken in the parameters' precision.
    fn part<T: Real>(
        &self,
        values: &mut [T],
        mean: &mut [T],
        square: &mut [T],
        gradient: &[T],
    ) -> bool {
        let Self {
            rate, decay, scale, ..
        } = *self;
        let kept = 1.0 - rate * decay;
        vectorized(
            #[inline(always)]
            || {
                match self.rule {
                    Rule::Sgd { momentum } => {
                        for ((p, v), g) in values.iter_mut().zip(mean).zip(gradient) {
                            let step = momentum * v.wide() + scale * g.wide() + decay * p.wide();
                            *v = T::of(step);
                            *p = T::of(p.wide() - rate * step);
                        }
                    }
                    Rule::Adam { beta1, beta2 } | Rule::AdamW { beta1, beta2 } => {
                        let coupled = matches!(self.rule, Rule::Adam { .. });
                        let (inner, outer) = if coupled { (decay, 1.0) } else { (0.0, kept) };
                        let bias1 = 1.0 - beta1.powf(self.steps);
                        let bias2 = 1.0 - beta2.powf(self.steps);
                        let [inner, outer, scale] = [inner, outer, scale].map(T::of);
                        let [keep1, keep2] = [beta1, beta2].map(T::of);
                        let [new1, new2] = [1.0 - beta1, 1.0 - beta2].map(T::of);
                        let [rate, of_square] = [rate / bias1, 1.0 / bias2].map(T::of);
                        let epsilon = T::of(EPSILON);
                        let all = values.iter_mut().zip(mean).zip(square).zip(gradient);
                        for (((p, m), s), g) in all {
                            let g = scale * *g + inner * *p;
                            *m = normal(keep1 * *m + new1 * g);
                            *s = normal(keep2 * *s + new2 * g * g);
                            *p = outer * *p - rate * *m / ((*s * of_square).sqrt() + epsilon);
                        }
                    }
                    Rule::Lion { beta1, beta2 } => {
                        for ((p, m), g) in values.iter_mut().zip(mean).zip(gradient) {
                            let g = scale * g.wide();
                            let u = beta1 * m.wide() + (1.0 - beta1) * g;
                            let up = if u > 0.0 { rate } else { 0.0 };
                            let down = if u < 0.0 { rate } else { 0.0 };
                            *p = T::of(kept * p.wide() - up + down);
                            *m = T::of(beta2 * m.wide() + (1.0 - beta2) * g);
                        }
                    }
                }
                if self.fade > 0.0 {
                    let left = 1.0 - self.fade;
                    for p in values.iter_mut() {
                        *p = T::of(left * p.wide());
                    }
                }
                if self.shrink > 0.0 {
                    for p in values.iter_mut() {
                        let less = p.wide().abs() - self.shrink;
                        let least = if less > 0.0 { less } else { 0.0 };
                        *p = T::of(least.copysign(p.wide()));
                    }
                }
                // 0 times a number that is not finite is not a number.
                summed(
                    gradient,
                    #[inline(always)]
                    |g| g * T::ZERO,
                ) == T::ZERO
            },
        )
    }
}

/// 0 instead of what is too small to be kept in full: moments of units that have died would halve for ever, and every step
/// with them take a hundred times as long. NaN stays.
#[inline(always)]
fn normal<T: Real>(x: T) -> T {
    if x.abs() < T::min_positive_value() {
        T::ZERO
    } else {
        x
    }
}

fn squares<T: Real>(x: &[T]) -> f64 {
    let part = |x: &[T]| {
        vectorized(
            #[inline(always)]
            || summed(x, |v| v.wide() * v.wide()),
        )
    };
    if x.len() <= CHUNK {
        return part(x);
    }
    let parts: Vec<f64> = x.par_chunks(CHUNK).map(part).collect();
    parts.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(values: Vec<f64>) -> Parameters<f64> {
        let mut parameters = Parameters::default();
        let n = values.len();
        parameters.push("x", [1, n], values);
        parameters
    }

    fn share(x: &Parameters<f64>, rate: f64, decay: f64, clip: Option<f64>) -> Vec<Share> {
        let decay_clip = Share {
            decay,
            clip,
            ..Share::all(x, rate)
        };
        vec![decay_clip]
    }

    #[test]
    fn momentum_follows_the_recursion_by_hand() {
        let mut x = one(vec![2.0]);
        let shares = share(&x, 0.5, 0.1, None);
        let mut sgd = Optimizer::new(&x, Rule::Sgd { momentum: 0.9 }, shares);
        sgd.update(&mut x, &[vec![1.0]], 1.0).expect("finite");
        // g = 1 + .1 * 2 = 1.2, x = 2 - .6.
        assert!((x.arrays[0].values[0] - 1.4).abs() < 1e-12);
        sgd.update(&mut x, &[vec![0.0]], 0.5).expect("finite");
        // v = .9 * 1.2 + .14 = 1.22, x = 1.4 - .305.
        assert!((x.arrays[0].values[0] - 1.095).abs() < 1e-12);
    }

    #[test]
    fn the_first_step_of_adam_is_the_rate_against_the_sign() {
        let mut x = one(vec![1.0, -2.0, 3.0]);
        let shares = share(&x, 0.1, 0.0, Some(1.0));
        let mut adam = Optimizer::new(&x, Rule::ADAM, shares);
        adam.update(&mut x, &[vec![0.3, -0.4, 0.0]], 1.0)
            .expect("finite");
        for (v, expected) in x.arrays[0].values.iter().zip([0.9, -1.9, 3.0]) {
            assert!((v - expected).abs() < 1e-7);
        }
    }

    #[test]
    fn adamw_decays_beside_the_step_and_adam_within_it() {
        // With a gradient of 0 Adam's decay is a gradient: the first step is the whole rate; AdamW's is a factor.
        for (rule, expected) in [(Rule::ADAM, 1.9), (Rule::ADAMW, 2.0 * (1.0 - 0.1 * 0.01))] {
            let mut x = one(vec![2.0]);
            let shares = share(&x, 0.1, 0.01, None);
            let mut optimizer = Optimizer::new(&x, rule, shares);
            optimizer.update(&mut x, &[vec![0.0]], 1.0).expect("finite");
            assert!((x.arrays[0].values[0] - expected).abs() < 1e-6, "{rule:?}");
        }
    }

    #[test]
    fn lion_steps_by_the_sign() {
        // Card 53, works when 2: m = 0, g = (2, -1, 0), rate .1.
        let mut x = one(vec![0.0, 0.0, 0.0]);
        let shares = share(&x, 0.1, 0.0, None);
        let mut lion = Optimizer::new(&x, Rule::LION, shares);
        lion.update(&mut x, &[vec![2.0, -1.0, 0.0]], 1.0)
            .expect("finite");
        assert_eq!(x.arrays[0].values, [-0.1, 0.1, 0.0]);
        for (m, expected) in lion.mean[0].iter().zip([0.02, -0.01, 0.0]) {
            assert!((m - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn shrinking_stops_at_nothing() {
        let mut x = one(vec![0.5, -0.5, 0.01]);
        let shares = vec![Share {
            shrink: 0.1,
            ..Share::all(&x, 1.0)
        }];
        let mut sgd = Optimizer::new(&x, Rule::SGD, shares);
        sgd.update(&mut x, &[vec![0.0; 3]], 1.0).expect("finite");
        assert_eq!(x.arrays[0].values, [0.4, -0.4, 0.0]);
    }

    #[test]
    fn norms_are_those_before_clipping_and_every_rule_finds_the_bottom_of_a_bowl() {
        let gradient = |x: &Parameters<f64>| x.arrays[0].values.iter().map(|v| 2.0 * v).collect();
        for rule in [
            Rule::SGD,
            Rule::Sgd { momentum: 0.5 },
            Rule::ADAM,
            Rule::ADAMW,
            Rule::LION,
        ] {
            let mut x = one(vec![3.0, -4.0]);
            let shares = share(&x, 0.02, 0.0, Some(1.0));
            let mut optimizer = Optimizer::new(&x, rule, shares);
            let g = gradient(&x);
            let norms = optimizer.update(&mut x, &[g], 1.0).expect("finite");
            assert!((norms[0] - 10.0).abs() < 1e-12);
            for _ in 0..1500 {
                let g = gradient(&x);
                optimizer.update(&mut x, &[g], 1.0).expect("finite");
            }
            assert!(
                x.arrays[0].values.iter().all(|v| v.abs() < 0.05),
                "{rule:?}"
            );
        }
    }

    #[test]
    fn a_gradient_that_is_not_finite_changes_nothing_and_is_named() {
        let mut x = one(vec![1.0]);
        let shares = share(&x, 0.1, 0.0, None);
        let mut optimizer = Optimizer::new(&x, Rule::ADAM, shares);
        let before = (x.clone(), optimizer.clone());
        let refused = optimizer.update(&mut x, &[vec![f64::NAN]], 1.0);
        assert_eq!(refused.expect_err("not finite").share, "all");
        assert_eq!((x, optimizer), before);
    }

    #[test]
    fn on_its_way_it_takes_the_same_steps_and_names_what_is_not_finite() {
        let n = 2 * CHUNK + 9;
        let gradient = |step: usize| (0..n).map(|i| ((i + step) as f64).sin()).collect();
        for rule in [Rule::SGD, Rule::ADAM, Rule::ADAMW, Rule::LION] {
            let mut x = one(vec![0.5; n]);
            x.push("y", [1, 1], vec![2.0]);
            let shares = vec![Share::of("a", vec![0], 0.1), Share::of("b", vec![1], 0.2)];
            let mut optimizer = Optimizer::new(&x, rule, shares);
            let mut copy = (x.clone(), optimizer.clone());
            for step in 0..3 {
                let g = [gradient(step), vec![1.0]];
                optimizer.update(&mut x, &g, 0.7).expect("finite");
                copy.1.advance(&mut copy.0, &g, 0.7).expect("finite");
            }
            assert!((&x, &optimizer) == (&copy.0, &copy.1), "{rule:?}");
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut g: Vec<f64> = gradient(0);
                g[CHUNK + 3] = bad;
                let (mut x, mut spoiled) = copy.clone();
                let refused = spoiled.advance(&mut x, &[g, vec![1.0]], 0.7);
                assert_eq!(refused.expect_err("not finite").share, "a");
            }
            copy.1.copy(&optimizer);
            copy.0.copy(&x);
            assert!((x, optimizer) == copy, "{rule:?}");
        }
    }
}
