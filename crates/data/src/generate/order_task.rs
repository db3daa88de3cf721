//! Spikes whose order alone tells the class (paper 45).

use chiasm_core::{SettingError, Streams};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What [`order_task`] draws: every class has a template of one spike for each channel, every sample is a template with
/// jitter, a shift of the whole and spikes of noise. All classes have the same counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrderTask {
    /// Number of classes (chosen: 10).
    pub classes: usize,
    /// Number of channels (chosen: 40).
    pub channels: usize,
    /// Steps over which the times of a template are uniform (chosen: 50).
    pub span: usize,
    /// Farthest that a spike is moved, steps either way (chosen: 1).
    pub jitter: usize,
    /// Farthest that a whole sample is moved, steps (chosen: 9).
    pub shift: usize,
    /// Probability of a spike of noise in each channel and step (chosen: 0.02).
    pub noise: f64,
    /// Samples to learn from; classes take turns (chosen: 2,000).
    pub train: usize,
    /// Samples to test on (chosen: 1,000).
    pub test: usize,
}

impl Default for OrderTask {
    fn default() -> Self {
        Self {
            classes: 10,
            channels: 40,
            span: 50,
            jitter: 1,
            shift: 9,
            noise: 0.02,
            train: 2000,
            test: 1000,
        }
    }
}

/// One sample: its class and its spikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSample {
    /// Class, from 0.
    pub class: usize,
    /// Step and channel of each spike, ascending, each once.
    pub spikes: Vec<(usize, usize)>,
}

/// What [`order_task`] planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTruth {
    /// The step of each channel's spike, `[class][channel]`, before jitter and shift.
    pub templates: Vec<Vec<usize>>,
    /// Shift of each sample, those to learn from first.
    pub shifts: Vec<usize>,
}

impl OrderTask {
    /// Steps of a sample.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.span + self.shift + 2 * self.jitter
    }

    /// Refuses settings out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        for (field, least, n) in [
            ("classes", 2, self.classes),
            ("channels", 1, self.channels),
            ("span", 1, self.span),
            ("jitter", 0, self.jitter),
            ("shift", 0, self.shift),
            ("train", 1, self.train),
            ("test", 1, self.test),
        ] {
            let expected = format!("{least} to 1,000,000");
            SettingError::check((least..=1_000_000).contains(&n), field, &expected, n)?;
        }
        let holds = (0.0..=1.0).contains(&self.noise);
        SettingError::check(holds, "noise", "0 to 1", self.noise)
    }
}

/// Draws samples to learn from, samples to test on, and what they are made of.
///
/// # Errors
/// [`SettingError`] for settings out of range.
pub fn order_task(
    config: &OrderTask,
    streams: &Streams,
) -> Result<(Vec<OrderSample>, Vec<OrderSample>, OrderTruth), SettingError> {
    config.validate()?;
    let mut rng = streams.stream("templates");
    let templates = (0..config.classes).map(|_| {
        let times = (0..config.channels).map(|_| rng.random_range(0..config.span));
        times.collect()
    });
    let templates: Vec<Vec<usize>> = templates.collect();
    let mut shifts = vec![];
    let mut draw = |name: &str, n: usize| -> Vec<OrderSample> {
        let samples = (0..n).map(|i| {
            let mut rng = streams.indexed(name, i);
            let class = i % config.classes;
            let shift = rng.random_range(0..=config.shift);
            shifts.push(shift);
            let mut spikes = vec![];
            for (channel, time) in templates[class].iter().enumerate() {
                // From 0 on: the template begins `jitter` steps late.
                let moved = rng.random_range(0..=2 * config.jitter);
                spikes.push((time + shift + moved, channel));
            }
            if config.noise > 0.0 {
                for step in 0..config.steps() {
                    for channel in 0..config.channels {
                        if rng.random_bool(config.noise) {
                            spikes.push((step, channel));
                        }
                    }
                }
            }
            spikes.sort_unstable();
            spikes.dedup();
            OrderSample { class, spikes }
        });
        samples.collect()
    };
    let (train, test) = (draw("train", config.train), draw("test", config.test));
    Ok((train, test, OrderTruth { templates, shifts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_their_templates_moved() {
        let config = OrderTask {
            train: 30,
            test: 20,
            noise: 0.0,
            ..OrderTask::default()
        };
        let (train, test, truth) = order_task(&config, &Streams::new(1)).unwrap();
        assert_eq!((train.len(), test.len()), (30, 20));
        for (sample, shift) in train.iter().chain(&test).zip(&truth.shifts) {
            assert_eq!(sample.spikes.len(), config.channels);
            assert!(sample.spikes.is_sorted());
            for (step, channel) in &sample.spikes {
                let planted = truth.templates[sample.class][*channel] + shift + 1;
                assert!(step.abs_diff(planted) <= 1, "{step} for {planted}");
                assert!(*step < config.steps());
            }
        }
        let classes: Vec<usize> = train.iter().map(|s| s.class).collect();
        assert_eq!(classes[..3], [0, 1, 2]);
        assert_eq!(order_task(&config, &Streams::new(1)).unwrap().1, test);
        assert_ne!(order_task(&config, &Streams::new(2)).unwrap().1, test);
    }

    #[test]
    fn noise_is_as_frequent_as_it_says_and_settings_are_refused_by_name() {
        let config = OrderTask {
            train: 200,
            ..OrderTask::default()
        };
        let (train, ..) = order_task(&config, &Streams::new(1)).unwrap();
        let n: usize = train.iter().map(|s| s.spikes.len()).sum();
        let mean = n as f64 / 200.0;
        // 40 planted and 2 % of 40 x 61 cells, less what falls on a planted one.
        assert!((mean - 40.0 - 48.8 + 0.8).abs() < 2.0, "{mean}");
        let refused = |config: OrderTask| order_task(&config, &Streams::new(0)).unwrap_err().field;
        let base = OrderTask::default();
        assert_eq!(
            refused(OrderTask {
                classes: 1,
                ..base.clone()
            }),
            "classes"
        );
        assert_eq!(
            refused(OrderTask {
                span: 0,
                ..base.clone()
            }),
            "span"
        );
        assert_eq!(
            refused(OrderTask {
                noise: f64::NAN,
                ..base
            }),
            "noise"
        );
    }
}
