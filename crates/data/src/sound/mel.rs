//! Spikes of a bank of mel-spaced bands.

use chiasm_core::SettingError;
use realfft::RealFftPlanner;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Sound;

/// A bank of triangular bands, evenly spaced in mel; a band spikes in a step in which its log energy has risen by a
/// threshold since it last spiked or fell by as much (the falls themselves give no spike).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MelSpikes {
    /// Number of bands.
    pub bands: usize,
    /// Lowest frequency, Hz.
    pub low_hz: f64,
    /// Highest frequency, Hz.
    pub high_hz: f64,
    /// Length of the Hann window over which energy is taken, s.
    pub window_s: f64,
    /// Length of a step, s.
    pub step_s: f64,
    /// Rise of the log energy that makes a spike.
    pub threshold: f64,
    /// Number of steps: shorter sounds are followed by silence, longer ones cut.
    pub steps: usize,
}

impl Default for MelSpikes {
    fn default() -> Self {
        Self {
            bands: 64,
            low_hz: 60.0,
            high_hz: 3800.0,
            window_s: 0.025,
            step_s: 0.01,
            threshold: 0.5,
            steps: 64,
        }
    }
}

/// Added to every energy before its logarithm: about a -60 dB noise at full scale 1.
const FLOOR: f64 = 1e-6;

/// Samples of the longest transform.
const LONGEST: f64 = 1_048_576.0;

impl MelSpikes {
    /// Refuses what is out of range.
    ///
    /// # Errors
    /// [`SettingError`] naming the field.
    pub fn validate(&self) -> Result<(), SettingError> {
        let count =
            |name, n: usize| SettingError::check((1..=4096).contains(&n), name, "1 to 4096", n);
        let positive = |name, v: f64, most: f64| {
            let expected = format!("above 0, at most {most}");
            SettingError::check(v > 0.0 && v <= most, name, &expected, v)
        };
        count("bands", self.bands)?;
        count("steps", self.steps)?;
        positive("low_hz", self.low_hz, 1e6)?;
        positive("high_hz", self.high_hz, 1e6)?;
        positive("window_s", self.window_s, 1.0)?;
        positive("step_s", self.step_s, 1.0)?;
        positive("threshold", self.threshold, 100.0)?;
        let above = format!("above low_hz = {}", self.low_hz);
        SettingError::check(self.high_hz > self.low_hz, "high_hz", &above, self.high_hz)
    }

    /// The bands that spike in each of the steps, in rising order.
    ///
    /// # Errors
    /// [`SettingError`] as [`Self::validate`], or if the sound's rate is below twice the highest frequency.
    pub fn spikes(&self, sound: &Sound) -> Result<Vec<Vec<u32>>, SettingError> {
        let levels = self.levels(sound)?;
        let mut spikes = vec![Vec::new(); self.steps];
        let Some(first) = levels.first() else {
            return Ok(spikes);
        };
        let mut reference = first.clone();
        for (level, step) in levels.iter().zip(&mut spikes) {
            for (band, (now, last)) in level.iter().zip(&mut reference).enumerate() {
                if (now - *last).abs() > self.threshold {
                    if now > last {
                        step.push(band as u32);
                    }
                    *last = *now;
                }
            }
        }
        Ok(spikes)
    }

    /// Log energy of each band in each step that the sound lasts, at most [`Self::steps`].
    ///
    /// # Errors
    /// As [`Self::spikes`].
    pub fn levels(&self, sound: &Sound) -> Result<Vec<Vec<f64>>, SettingError> {
        self.validate()?;
        let rate = f64::from(sound.rate_hz);
        let expected = "1 Hz to 1 MHz";
        let holds = (1..=super::MOST_HZ).contains(&sound.rate_hz);
        SettingError::check(holds, "rate_hz", expected, sound.rate_hz)?;
        let fits = format!("at most half of the sound's rate, {}", rate / 2.0);
        SettingError::check(self.high_hz <= rate / 2.0, "high_hz", &fits, self.high_hz)?;
        let window = ((self.window_s * rate).round() as usize).max(1);
        let edges = self.edges();
        // Long enough for a sample of the spectrum within the narrowest band on both sides of its peak.
        let narrowest = edges[1] - edges[0];
        let needed = (rate / narrowest).ceil();
        // Written so that NaN does not pass.
        let fine = needed <= LONGEST;
        let wide = format!(
            "bands of at least {} Hz, the lowest included",
            rate / LONGEST
        );
        SettingError::check(fine, "bands, low_hz, high_hz", &wide, narrowest)?;
        let n = window.max(needed as usize);
        let n = n.next_power_of_two();
        let transform = RealFftPlanner::<f64>::new().plan_fft_forward(n);
        let (mut frame, mut spectrum) = (transform.make_input_vec(), transform.make_output_vec());
        let mut scratch = transform.make_scratch_vec();
        let taper: Vec<f64> = (0..window)
            .map(|i| {
                (std::f64::consts::PI * (i as f64 + 0.5) / window as f64)
                    .sin()
                    .powi(2)
            })
            .collect();
        let power: f64 = taper.iter().map(|w| w * w).sum();
        let shares = shares(&edges, rate / n as f64);
        let step = self.step_s * rate;
        let lasts = (sound.samples.len() as f64 / step).ceil() as usize;
        let level = |i: usize| {
            let start = (i as f64 * step).round() as usize;
            frame.fill(0.0);
            let heard = sound.samples.get(start..).unwrap_or_default();
            for ((to, from), w) in frame.iter_mut().zip(heard).zip(&taper) {
                *to = f64::from(*from) * w;
            }
            // The lengths are those of the plan: it cannot fail.
            let _ = transform.process_with_scratch(&mut frame, &mut spectrum, &mut scratch);
            let energy = |(first, weights): &(usize, Vec<f64>)| {
                let bins = spectrum[*first..].iter().zip(weights);
                bins.map(|(bin, w)| w * bin.norm_sqr()).sum::<f64>() / power
            };
            shares.iter().map(|b| (FLOOR + energy(b)).ln()).collect()
        };
        Ok((0..lasts.min(self.steps)).map(level).collect())
    }

    /// Lower edge of the first band, the bands' peaks, upper edge of the last, Hz.
    fn edges(&self) -> Vec<f64> {
        let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
        let (low, high) = (mel(self.low_hz), mel(self.high_hz));
        let width = (high - low) / (self.bands as f64 + 1.0);
        (0..self.bands + 2)
            .map(|i| 700.0 * (10f64.powf((low + i as f64 * width) / 2595.0) - 1.0))
            .collect()
    }
}

/// For each band the first bin of the spectrum under its triangle and the weights from there on.
fn shares(edges: &[f64], bin_hz: f64) -> Vec<(usize, Vec<f64>)> {
    let band = |e: &[f64]| {
        let first = (e[0] / bin_hz).ceil() as usize;
        let last = (e[2] / bin_hz).floor() as usize;
        let weight = |bin: usize| {
            let hz = bin as f64 * bin_hz;
            ((hz - e[0]) / (e[1] - e[0])).min((e[2] - hz) / (e[2] - e[1]))
        };
        (first, (first..=last).map(|b| weight(b).max(0.0)).collect())
    };
    edges.windows(3).map(band).collect()
}
