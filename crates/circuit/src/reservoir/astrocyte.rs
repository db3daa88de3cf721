//! The astrocyte: one slow variable that sets the strength of depression.

use super::Plasticity;
use super::state::Rules;

/// Rates of plasticity and the astrocyte that sets one of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Astrocyte {
    pub(super) a: f64,
    b: f64,
    w_a: f64,
    pub(super) eta: f64,
}

impl Astrocyte {
    pub(super) fn new(rules: &Rules) -> Self {
        let w_a = match rules.plasticity {
            Plasticity::Astrocyte { w_a, .. } => w_a,
            _ => 0.0,
        };
        Self {
            a: rules.eta,
            b: rules.eta,
            w_a,
            eta: rules.eta,
        }
    }

    /// One step: `A += (w_a (reservoir - input) + b - A) / tau`. With no spikes and no astrocyte to speak of, `A` stays at
    /// `b`, which is the rate of potentiation.
    pub(super) fn step(&mut self, balance: f64, tau: f64) {
        self.a += (self.w_a * balance + self.b - self.a) / tau;
    }

    pub(super) fn decay(&mut self, left: f64) {
        self.a *= left;
        self.b *= left;
        self.w_a *= left;
        self.eta *= left;
    }
}

#[cfg(test)]
mod tests {
    use chiasm_core::Streams;

    use super::*;
    use crate::reservoir::Config;

    #[test]
    fn the_astrocyte_relaxes_to_its_rest_as_in_closed_form() {
        let mut astrocyte = Astrocyte {
            a: 1.4,
            b: 0.15,
            w_a: 0.015,
            eta: 0.15,
        };
        for t in 1..=500 {
            astrocyte.step(0.0, 100.0);
            let expected = 0.15 + (1.4 - 0.15) * 0.99f64.powi(t);
            assert!((astrocyte.a - expected).abs() < 1e-14, "step {t}");
        }
        // With a constant balance it goes to `b + w_a balance`, below 0 too: it is not clipped.
        for _ in 0..5000 {
            astrocyte.step(-40.0, 100.0);
        }
        assert!((astrocyte.a - (0.15 - 0.6)).abs() < 1e-12);
    }

    #[test]
    fn balanced_spikes_leave_it_at_rest() {
        let rules = Rules::new(&Config::default(), &Streams::new(0));
        let mut astrocyte = Astrocyte::new(&rules);
        for _ in 0..1000 {
            astrocyte.step(0.0, rules.tau_a);
        }
        assert_eq!(astrocyte.a, 0.15);
    }
}
