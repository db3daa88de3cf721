//! What enters a network: who was active when, with labels.

use serde::{Deserialize, Serialize};

use super::DelaysError;

/// Activity of one channel in one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Event<T = f32> {
    /// Step, from 0.
    pub step: u32,
    /// Channel, from 0.
    pub channel: u32,
    /// 1 for a spike; any other number for a count or an analog input.
    pub value: T,
}

impl<T> Event<T> {
    /// An event.
    pub fn new(step: usize, channel: usize, value: T) -> Self {
        Self {
            step: step as u32,
            channel: channel as u32,
            value,
        }
    }
}

/// Samples of one length, each a list of events ascending in step and, within a step, in channel; and their classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trains {
    n_channels: usize,
    n_steps: usize,
    n_classes: usize,
    samples: Vec<Vec<Event>>,
    labels: Vec<usize>,
}

impl Trains {
    /// Samples of `n_steps` steps of `n_channels` channels, checked. Events are sorted; what falls twice into one step of a
    /// channel is added up.
    ///
    /// # Errors
    /// [`DelaysError`] for no step, no channel, no sample or fewer than two classes; another number of labels than of
    /// samples; a label without a class; an event beyond the last step or channel, or whose value is not finite; a sample
    /// without an event.
    pub fn new(
        (n_steps, n_channels): (usize, usize),
        mut samples: Vec<Vec<Event>>,
        labels: Vec<usize>,
        n_classes: usize,
    ) -> Result<Self, DelaysError> {
        let least = |what, least, found| match found >= least {
            true => Ok(()),
            false => Err(DelaysError::Shape {
                what,
                expected: format!("at least {least}"),
                found,
            }),
        };
        least("steps", 1, n_steps)?;
        least("channels", 1, n_channels)?;
        least("classes", 2, n_classes)?;
        least("samples", 1, samples.len())?;
        if labels.len() != samples.len() {
            return Err(DelaysError::Shape {
                what: "labels",
                expected: format!("{}, one for each sample", samples.len()),
                found: labels.len(),
            });
        }
        if let Some((sample, found)) = labels.iter().enumerate().find(|(_, l)| **l >= n_classes) {
            return Err(DelaysError::Label {
                sample,
                classes: n_classes,
                found: *found,
            });
        }
        for (i, sample) in samples.iter_mut().enumerate() {
            if sample.is_empty() {
                return Err(DelaysError::Silent { sample: i });
            }
            for event in sample.iter() {
                let beyond = |what, last: usize, found: u32| DelaysError::Event {
                    sample: i,
                    what,
                    expected: format!("below {last}"),
                    found: found.to_string(),
                };
                if event.step as usize >= n_steps {
                    return Err(beyond("step", n_steps, event.step));
                }
                if event.channel as usize >= n_channels {
                    return Err(beyond("channel", n_channels, event.channel));
                }
                if !event.value.is_finite() {
                    return Err(DelaysError::Event {
                        sample: i,
                        what: "value",
                        expected: "a finite number".into(),
                        found: event.value.to_string(),
                    });
                }
            }
            sample.sort_by_key(|e| (e.step, e.channel));
            sample.dedup_by(|later, kept| {
                let same = (later.step, later.channel) == (kept.step, kept.channel);
                if same {
                    kept.value += later.value;
                }
                same
            });
        }
        Ok(Self {
            n_channels,
            n_steps,
            n_classes,
            samples,
            labels,
        })
    }

    /// Number of channels.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Steps of every sample.
    #[must_use]
    pub fn n_steps(&self) -> usize {
        self.n_steps
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Number of samples: 1 at least.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.samples.len()
    }

    /// The events of each sample.
    #[must_use]
    pub fn samples(&self) -> &[Vec<Event>] {
        &self.samples
    }

    /// The class of each sample.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The same samples under other labels, one for each.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn relabelled(self, labels: Vec<usize>) -> Result<Self, DelaysError> {
        let shape = (self.n_steps, self.n_channels);
        Self::new(shape, self.samples, labels, self.n_classes)
    }
}
