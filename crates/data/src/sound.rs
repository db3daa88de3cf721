//! Sounds, and spikes of a cochlea of mel-spaced bands.
//!
//! - [`Sound`]: one channel of samples, from a WAV file;
//! - [`MelSpikes`]: sounds as spikes, one where the energy in a band has risen;
//! - [`Spoken`]: a folder of spoken digits.

mod mel;
mod spoken;

use std::io::Cursor;
use std::path::Path;

pub use mel::MelSpikes;
pub use spoken::{Spoken, spoken_digits, spoken_digits_folder};

use crate::error::{DataError, Place};

/// A higher rate is a damaged header: bats are recorded at half of it.
const MOST_HZ: u32 = 1_000_000;

/// One channel of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// Pressure, from -1 to 1 of full scale.
    pub samples: Vec<f32>,
    /// Samples per second, Hz.
    pub rate_hz: u32,
}

impl Sound {
    /// Reads a WAV file of whole numbers or of floats. Several channels become their mean.
    ///
    /// # Errors
    /// [`DataError`] naming the file: not there, not a WAV file, cut short, without samples, a sample that is not finite.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = std::fs::read(path).map_err(|source| DataError::Io {
            path: path.into(),
            action: "read",
            source,
        })?;
        Self::decode(&bytes, path)
    }

    /// [`Self::read`] from bytes; `path` is for errors.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn decode(bytes: &[u8], path: &Path) -> Result<Self, DataError> {
        let malformed = |reason: String| DataError::Malformed {
            path: path.into(),
            format: "WAV",
            reason,
        };
        let reader = hound::WavReader::new(Cursor::new(bytes));
        let mut reader = reader.map_err(|e| malformed(e.to_string()))?;
        let spec = reader.spec();
        let values: Result<Vec<f32>, hound::Error> = match spec.sample_format {
            hound::SampleFormat::Float => reader.samples::<f32>().collect(),
            hound::SampleFormat::Int => {
                let full = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
                reader
                    .samples::<i32>()
                    .map(|v| v.map(|v| v as f32 / full))
                    .collect()
            }
        };
        let values = values.map_err(|e| malformed(e.to_string()))?;
        let at = || Place::dataset("samples").in_file(path);
        if let Some(i) = values.iter().position(|v| !v.is_finite()) {
            return Err(DataError::invalid(
                at().index(i),
                "finite samples",
                values[i],
            ));
        }
        let channels = usize::from(spec.channels.max(1));
        if values.len() < channels || !(1..=MOST_HZ).contains(&spec.sample_rate) {
            let found = format!("{} samples at {} Hz", values.len(), spec.sample_rate);
            return Err(DataError::invalid(at(), "samples at 1 Hz to 1 MHz", found));
        }
        let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
        Ok(Self {
            samples: values.chunks_exact(channels).map(mean).collect(),
            rate_hz: spec.sample_rate,
        })
    }

    /// Its length, s.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate_hz)
    }
}

#[cfg(test)]
mod tests;
