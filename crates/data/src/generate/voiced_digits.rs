//! Voices that say ten made-up words: a stand-in of spoken digits for where these are not at hand, and nothing more.

use std::f64::consts::TAU;

use chiasm_core::{SettingError, Streams};
use rand::RngExt;

use crate::sound::{Sound, Spoken};

const RATE_HZ: u32 = 8000;
/// First and second formant of the vowels that the words glide through, Hz (about those of American English).
const VOWELS: [(f64, f64); 5] = [
    (300.0, 2300.0),
    (300.0, 870.0),
    (730.0, 1090.0),
    (530.0, 1840.0),
    (570.0, 840.0),
];
/// Each digit's two vowels.
const WORDS: [(usize, usize); 10] = [
    (0, 4),
    (1, 2),
    (2, 1),
    (3, 0),
    (4, 3),
    (2, 0),
    (0, 0),
    (3, 2),
    (1, 3),
    (2, 4),
];

/// Every digit in `takes` takes by each of `speakers` voices, ordered by digit, speaker and take. A word is a glide from
/// one vowel to another; voices differ in pitch and in the length of their vocal tract; takes in length, loudness and
/// timing. They are easier to tell apart than speech: no accuracy on them says anything about spoken digits.
///
/// # Errors
/// [`SettingError`] unless there are 1 to 100 speakers and 1 to 1000 takes.
pub fn voiced_digits(
    speakers: usize,
    takes: u32,
    streams: &Streams,
) -> Result<Vec<Spoken>, SettingError> {
    SettingError::check(
        (1..=100).contains(&speakers),
        "speakers",
        "1 to 100",
        speakers,
    )?;
    SettingError::check((1..=1000).contains(&takes), "takes", "1 to 1000", takes)?;
    let mut spoken = vec![];
    for digit in 0..10u8 {
        for speaker in 0..speakers {
            let mut voice = streams.indexed("voice", speaker);
            let pitch = 90.0 + 130.0 * voice.random::<f64>();
            let tract = 0.85 + 0.3 * voice.random::<f64>();
            let of_speaker = streams.child("word").child(&speaker.to_string());
            for take in 0..takes {
                let index = usize::from(digit) * takes as usize + take as usize;
                let mut rng = of_speaker.indexed("take", index);
                let mut within = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
                let word = Word {
                    vowels: WORDS[usize::from(digit)],
                    pitch: pitch * within(0.92, 1.08),
                    tract: tract * within(0.97, 1.03),
                    seconds: within(0.3, 0.5),
                    turn: within(0.4, 0.6),
                    loudness: within(0.2, 0.6),
                };
                spoken.push(Spoken {
                    digit,
                    speaker: format!("voice{speaker}"),
                    take,
                    sound: word.said(),
                });
            }
        }
    }
    Ok(spoken)
}

struct Word {
    vowels: (usize, usize),
    pitch: f64,
    tract: f64,
    seconds: f64,
    /// Share of the word after which it is half way from one vowel to the other.
    turn: f64,
    loudness: f64,
}

impl Word {
    /// Harmonics of the pitch, each as loud as the formants let it be.
    fn said(&self) -> Sound {
        let n = (self.seconds * f64::from(RATE_HZ)) as usize;
        let (from, to) = (VOWELS[self.vowels.0], VOWELS[self.vowels.1]);
        let harmonics = (3800.0 / self.pitch) as usize;
        let sample = |i: usize| {
            let (time, share) = (i as f64 / f64::from(RATE_HZ), i as f64 / n as f64);
            let glide = 1.0 / (1.0 + (-(share - self.turn) / 0.06).exp());
            let between = |a: f64, b: f64| self.tract * (a + (b - a) * glide);
            let formants = [between(from.0, to.0), between(from.1, to.1)];
            let voice = |h: usize| {
                let hz = self.pitch * h as f64;
                let resonance = |f: &f64| 1.0 / (1.0 + ((hz - f) / 90.0).powi(2));
                let gain: f64 = formants.iter().map(resonance).sum();
                (0.002 + gain) * (TAU * hz * time).sin()
            };
            let sum: f64 = (1..=harmonics).map(voice).sum();
            // It swells and dies away.
            (self.loudness * (std::f64::consts::PI * share).sin() * sum / 3.0) as f32
        };
        Sound {
            samples: (0..n).map(sample).collect(),
            rate_hz: RATE_HZ,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_bounded_and_the_same_for_the_same_seed() {
        let spoken = voiced_digits(2, 3, &Streams::new(4)).unwrap();
        assert_eq!(spoken.len(), 60);
        let fewer = voiced_digits(1, 3, &Streams::new(4)).unwrap();
        assert_eq!(spoken[3 * 2 * 7..][..3], fewer[3 * 7..][..3]);
        for word in &spoken {
            let loudest = word.sound.samples.iter().fold(0f32, |m, v| m.max(v.abs()));
            assert!((0.02..1.5).contains(&loudest), "{loudest}");
        }
        assert!(voiced_digits(0, 3, &Streams::new(4)).is_err());
        assert!(voiced_digits(1, 0, &Streams::new(4)).is_err());
    }
}
