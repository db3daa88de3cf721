//! Address events, as event cameras and silicon cochleas send them: which pixel changed when, and whether up or down.
//!
//! [`Events`] are checked once, when they are made: sorted in time, every event inside its [`Sensor`]. A cochlea is a sensor
//! of one row. [`Events::read`] takes the field's files; [`Events::steps`] bins them into the steps of a clock-driven network: [`Steps`].
//! [`SpokenWords`] reads Spiking Heidelberg Digits and what is laid out like them.
//!
//! ```
//! use chiasm_data::events::{Binning, Event, Events, Sensor};
//! let event = |t_us, x, y| Event { t_us, x, y, on: true };
//! let events = Events::new(Sensor::new(34, 34), vec![event(0, 3, 0), event(400, 3, 0), event(1500, 2, 1)])?;
//! let steps = events.steps(&Binning { step_us: 1000, n_steps: 3, ..Binning::default() })?;
//! let channels: Vec<_> = steps.iter().collect();
//! assert_eq!(channels, [&[3][..], &[36], &[]]);
//! # Ok::<(), chiasm_data::DataError>(())
//! ```

mod heidelberg;
mod read;

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{DataError, Place};

pub use heidelberg::{
    CochleaBinning, SpokenWord, SpokenWords, heidelberg_files, heidelberg_folder,
};

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// When, microseconds from the beginning of the stream.
    pub t_us: u64,
    /// Column, from 0 on the left.
    pub x: u16,
    /// Row, from 0 at the top.
    pub y: u16,
    /// Whether brightness (or energy) rose; `false` where it fell.
    pub on: bool,
}

/// The size of the sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sensor {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Sensor {
    /// A sensor of so many columns and rows.
    #[must_use]
    pub fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// Pixels of the sensor.
    #[must_use]
    pub fn n_pixels(self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    /// The pixel of an event, row by row.
    #[must_use]
    pub fn pixel(self, event: &Event) -> usize {
        usize::from(event.y) * usize::from(self.width) + usize::from(event.x)
    }
}

/// A stream of events that is sorted in time and lies inside its sensor. It may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    sensor: Sensor,
    events: Vec<Event>,
}

impl Events {
    /// Checks a stream of events.
    ///
    /// # Errors
    /// [`DataError::Invalid`], naming the index, for the first event that is earlier than the one before it or outside the
    /// sensor; for a sensor without pixels.
    pub fn new(sensor: Sensor, events: Vec<Event>) -> Result<Self, DataError> {
        let refuse = |field: &str, index: usize, expected: String, found: String| {
            DataError::invalid(Place::dataset(field).index(index), expected, found)
        };
        let Sensor { width, height } = sensor;
        if sensor.n_pixels() == 0 {
            let expected = "a sensor of at least one pixel";
            let found = format!("{width} x {height}");
            return Err(DataError::invalid(
                Place::dataset("sensor"),
                expected,
                found,
            ));
        }
        let mut last = 0;
        for (i, event) in events.iter().enumerate() {
            if event.t_us < last {
                let expected = format!("at least {last} us, the time of the event before");
                let found = format!("{} us", event.t_us);
                return Err(refuse("t", i, expected, found)
                    .with_help("sort the events by time before they are handed in"));
            }
            last = event.t_us;
            for (field, at, size) in [("x", event.x, width), ("y", event.y, height)] {
                if at >= size {
                    let expected = format!("0 to {} on a sensor of {width} x {height}", size - 1);
                    return Err(refuse(field, i, expected, at.to_string()));
                }
            }
        }
        Ok(Self { sensor, events })
    }

    /// The sensor.
    #[must_use]
    pub fn sensor(&self) -> Sensor {
        self.sensor
    }

    /// The events, in time.
    #[must_use]
    pub fn as_slice(&self) -> &[Event] {
        &self.events
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Which channels are active in each step. Channel `c` is pixel `c`; with both polarities the falling ones follow, at
    /// `n_pixels + c`. Several events of a channel within a step are one; those after the last step are left out.
    ///
    /// # Errors
    /// [`DataError::Setting`] for a step or a number of steps out of range.
    pub fn steps(&self, binning: &Binning) -> Result<Steps, DataError> {
        binning.validate()?;
        let n_pixels = self.sensor.n_pixels();
        let mut steps = Steps {
            n_channels: match binning.polarity {
                Polarity::Both => 2 * n_pixels,
                Polarity::On | Polarity::Off => n_pixels,
            },
            ends: Vec::with_capacity(binning.n_steps),
            channels: vec![],
        };
        let mut left = self.events.as_slice();
        for step in 1..=binning.n_steps as u64 {
            let n = left.partition_point(|e| e.t_us < step * binning.step_us);
            let (now, later) = left.split_at(n);
            left = later;
            let channels = now.iter().filter_map(|e| {
                let pixel = self.sensor.pixel(e);
                match (binning.polarity, e.on) {
                    (Polarity::On | Polarity::Both, true) | (Polarity::Off, false) => Some(pixel),
                    (Polarity::Both, false) => Some(n_pixels + pixel),
                    (Polarity::On, false) | (Polarity::Off, true) => None,
                }
            });
            steps.push(channels.map(|c| c as u32).collect());
        }
        Ok(steps)
    }
}

/// Which events are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Polarity {
    /// Those that rise.
    #[default]
    On,
    /// Those that fall.
    Off,
    /// Both, on channels of their own.
    Both,
}

/// How events become steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Binning {
    /// Length of a step, microseconds.
    pub step_us: u64,
    /// Steps of a sample; what comes later is left out.
    pub n_steps: usize,
    /// Which events are counted.
    pub polarity: Polarity,
}

impl Default for Binning {
    fn default() -> Self {
        Self {
            step_us: 1000,
            n_steps: 50,
            polarity: Polarity::On,
        }
    }
}

impl Binning {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let (step, n) = (self.step_us, self.n_steps);
        let hour = 3_600_000_000;
        SettingError::check(
            (1..=hour).contains(&step),
            "step_us",
            "1 us to an hour",
            step,
        )?;
        let holds = (1..=1_000_000).contains(&n);
        SettingError::check(holds, "n_steps", "1 to 1,000,000 steps", n)
    }
}

/// One sample for a clock-driven network: in each step the channels that are active, ascending, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    n_channels: usize,
    /// Where each step's channels end.
    ends: Vec<u32>,
    channels: Vec<u32>,
}

impl Steps {
    /// A sample from the channels of each step, in any order.
    ///
    /// # Errors
    /// [`DataError::Invalid`], naming the step, for a channel that is not there.
    pub fn new(n_channels: usize, of_steps: Vec<Vec<u32>>) -> Result<Self, DataError> {
        let mut steps = Self {
            n_channels,
            ends: Vec::with_capacity(of_steps.len()),
            channels: vec![],
        };
        for (step, channels) in of_steps.into_iter().enumerate() {
            if let Some(c) = channels.iter().find(|c| **c as usize >= n_channels) {
                let place = Place::dataset("channels of a step").index(step);
                let expected = format!("a channel below {n_channels}");
                return Err(DataError::invalid(place, expected, c));
            }
            steps.push(channels);
        }
        Ok(steps)
    }

    fn push(&mut self, mut channels: Vec<u32>) {
        channels.sort_unstable();
        channels.dedup();
        self.channels.append(&mut channels);
        self.ends.push(self.channels.len() as u32);
    }

    /// Channels, active or not.
    #[must_use]
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Active channels of all steps together.
    #[must_use]
    pub fn n_active(&self) -> usize {
        self.channels.len()
    }

    /// The active channels, step by step.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let end = *end as usize;
            &self.channels[std::mem::replace(&mut start, end)..end]
        })
    }

    /// In how many steps each channel is active.
    #[must_use]
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.n_channels];
        for c in &self.channels {
            counts[*c as usize] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(t_us: u64, x: u16, y: u16, on: bool) -> Event {
        Event { t_us, x, y, on }
    }

    #[test]
    fn faults_name_index_expected_and_found() {
        let sensor = Sensor::new(4, 3);
        let refused = |events| Events::new(sensor, events).unwrap_err().to_string();
        let unsorted = vec![event(5, 0, 0, true), event(4, 0, 0, true)];
        assert_eq!(
            refused(unsorted),
            "`t`, index 1: expected at least 5 us, the time of the event before, found 4 us"
        );
        let outside = vec![event(5, 0, 0, true), event(5, 4, 0, true)];
        assert_eq!(
            refused(outside),
            "`x`, index 1: expected 0 to 3 on a sensor of 4 x 3, found 4"
        );
        let below = refused(vec![event(5, 0, 3, true)]);
        assert_eq!(
            below,
            "`y`, index 0: expected 0 to 2 on a sensor of 4 x 3, found 3"
        );
        assert!(Events::new(Sensor::new(0, 3), vec![]).is_err());
        let steps = Steps::new(3, vec![vec![], vec![2, 3]]).unwrap_err();
        assert_eq!(
            steps.to_string(),
            "`channels of a step`, index 1: expected a channel below 3, found 3"
        );
    }

    #[test]
    fn polarities_have_channels_of_their_own() {
        let events = vec![
            event(0, 1, 0, false),
            event(3, 1, 0, true),
            event(9, 0, 1, true),
            event(10, 1, 1, true),
            event(25, 0, 0, true),
        ];
        let events = Events::new(Sensor::new(2, 2), events).unwrap();
        let steps = |polarity| {
            let binning = Binning {
                step_us: 10,
                n_steps: 2,
                polarity,
            };
            events.steps(&binning).unwrap()
        };
        let of = |s: &Steps| s.iter().map(<[u32]>::to_vec).collect::<Vec<_>>();
        assert_eq!(of(&steps(Polarity::On)), [vec![1, 2], vec![3]]);
        assert_eq!(of(&steps(Polarity::Off)), [vec![1], vec![]]);
        let both = steps(Polarity::Both);
        assert_eq!(of(&both), [vec![1, 2, 5], vec![3]]);
        assert_eq!(both.counts(), [0, 1, 1, 1, 0, 1, 0, 0]);
        assert_eq!((both.n_channels(), both.len(), both.n_active()), (8, 2, 4));
        let binning = Binning {
            n_steps: 0,
            ..Binning::default()
        };
        assert!(events.steps(&binning).is_err());
    }

    proptest! {
        #[test]
        fn every_event_within_the_steps_is_in_its_own(
            mut times in prop::collection::vec(0u64..1000, 0..60),
            step_us in 1u64..100,
            n_steps in 1usize..20,
        ) {
            times.sort_unstable();
            let all: Vec<_> = times.iter().enumerate().map(|(i, t)| event(*t, i as u16, 0, true)).collect();
            let events = Events::new(Sensor::new(60, 1), all.clone()).unwrap();
            let binning = Binning { step_us, n_steps, polarity: Polarity::On };
            let steps: Vec<Vec<u32>> = events.steps(&binning).unwrap().iter().map(<[u32]>::to_vec).collect();
            prop_assert_eq!(steps.len(), n_steps);
            for e in &all {
                let step = (e.t_us / step_us) as usize;
                let found: Vec<usize> = (0..n_steps).filter(|s| steps[*s].contains(&u32::from(e.x))).collect();
                prop_assert_eq!(found, if step < n_steps { vec![step] } else { vec![] });
            }
        }
    }
}
