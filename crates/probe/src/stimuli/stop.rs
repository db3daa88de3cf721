//! When the search for a stimulus may stop before its last step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// At the last step.
    #[default]
    Never,
    /// Once the moving average of the loss (0.9 of the old, 0.1 of the new) has not fallen for 100 steps.
    Loss,
    /// Once no pixel has changed by half a gray level (of 255 over the stimulus' range) for 50 steps.
    Pixels,
}

const OLD: f64 = 0.9;
const LOSS_PATIENCE: usize = 100;
const PIXEL_PATIENCE: usize = 50;
const LEAST_CHANGE: f64 = 0.5 / 255.0;

/// What a stopper remembers of one stimulus.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopper {
    average: Option<f64>,
    best: Option<f64>,
    idle: usize,
}

impl Stopper {
    /// Whether to stop after a step of this loss, in which pixels changed by at most `change` of the stimulus' range.
    pub(super) fn stops(&mut self, stop: Stop, loss: f64, change: f64) -> bool {
        match stop {
            Stop::Never => false,
            Stop::Loss => {
                let average = self.average.map_or(loss, |a| OLD * a + (1.0 - OLD) * loss);
                self.average = Some(average);
                if self.best.is_none_or(|b| average < b) {
                    self.best = Some(average);
                    self.idle = 0;
                } else {
                    self.idle += 1;
                }
                self.idle >= LOSS_PATIENCE
            }
            Stop::Pixels => {
                self.idle = if change < LEAST_CHANGE {
                    self.idle + 1
                } else {
                    0
                };
                self.idle >= PIXEL_PATIENCE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_loss_stops_after_its_patience_and_a_falling_one_does_not() {
        let mut flat = Stopper::default();
        let steps = (1..1000).find(|_| flat.stops(Stop::Loss, 1.0, 1.0));
        assert_eq!(steps, Some(LOSS_PATIENCE + 1));
        let mut falling = Stopper::default();
        assert!((1..1000).all(|i| !falling.stops(Stop::Loss, -f64::from(i), 0.0)));
        let mut never = Stopper::default();
        assert!((1..1000).all(|_| !never.stops(Stop::Never, 1.0, 0.0)));
    }

    #[test]
    fn pixels_must_rest_without_a_break() {
        let mut stopper = Stopper::default();
        for i in 0..500 {
            // A step beyond half a gray level now and then.
            let change = if i % 40 == 0 { 0.01 } else { 0.001 };
            assert!(!stopper.stops(Stop::Pixels, 0.0, change));
        }
        let steps = (1..100).find(|_| stopper.stops(Stop::Pixels, 0.0, 0.0));
        assert!(steps.is_some_and(|s| s <= PIXEL_PATIENCE));
    }
}
