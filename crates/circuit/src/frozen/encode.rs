//! From events to spike counts.

use chiasm_core::{Rng, Streams, Watch, vectorized};
use chiasm_data::events::Steps;
use ndarray::{Array2, Axis};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{FrozenError, LANES, Reservoir};

/// Spikes for each neuron and step above which counts tell little.
const SATURATED: f64 = 0.8;
/// Samples between two looks at whether to stop.
const CHUNK: usize = 512;

/// What a reservoir makes of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// Spike counts, `[sample, neuron]`.
    pub counts: Array2<f32>,
    /// Spikes for each neuron and step, the mean of all.
    pub rate: f64,
    /// Samples to which no neuron spiked.
    pub n_silent: usize,
}

/// What a thread needs to show one sample.
struct Scratch {
    v: Vec<f32>,
    /// Active sources: inputs, then neurons.
    active: Vec<u32>,
    /// Neurons that spiked in the step before, as sources.
    spiked: Vec<u32>,
}

impl Reservoir {
    /// Shows every sample to a rested reservoir and counts its spikes. Reads of a noisy chip draw from a stream of the
    /// sample's own, so counts depend neither on order nor on threads. Ticks once for each sample.
    ///
    /// # Errors
    /// [`FrozenError`] for no samples, a sample on other channels, a reservoir that is silent in all samples or spikes in
    /// more than 80 % of all steps: the gain to change is named.
    pub fn encode(
        &self,
        samples: &[Steps],
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Encoded, FrozenError> {
        let encoded = self.counts(samples, streams, watch)?;
        let config = self.config;
        if encoded.rate == 0.0 {
            return Err(FrozenError::Silent {
                n_samples: samples.len(),
                input_gain: config.input_gain,
            });
        }
        if encoded.rate > SATURATED {
            return Err(FrozenError::Saturated {
                rate: encoded.rate,
                input_gain: config.input_gain,
                recurrent_gain: config.recurrent_gain,
            });
        }
        Ok(encoded)
    }

    /// As [`Self::encode`], whatever the rate.
    pub(super) fn counts(
        &self,
        samples: &[Steps],
        streams: &Streams,
        watch: &dyn Watch,
    ) -> Result<Encoded, FrozenError> {
        self.check(samples)?;
        let n = self.config.n_neurons;
        let mut counts = Array2::<f32>::zeros((samples.len(), n));
        let scratch = || Scratch {
            v: vec![0.0; n.next_multiple_of(LANES)],
            active: vec![],
            spiked: vec![],
        };
        let parts = counts.axis_chunks_iter_mut(Axis(0), CHUNK);
        for (k, (mut part, samples)) in parts.zip(samples.chunks(CHUNK)).enumerate() {
            watch.check()?;
            let rows = part.axis_iter_mut(Axis(0)).into_par_iter();
            let rows = rows.zip(samples).enumerate();
            rows.for_each_init(scratch, |scratch, (i, (mut row, sample))| {
                let rng = || streams.indexed("read", k * CHUNK + i);
                let noise = (!self.noise.is_empty()).then(rng);
                if let Some(row) = row.as_slice_mut() {
                    self.show(sample, noise, scratch, row);
                }
                watch.tick(1);
            });
        }
        let total: f64 = counts.iter().map(|c| f64::from(*c)).sum();
        let n_steps: usize = samples.iter().map(Steps::len).sum();
        let silent = counts
            .outer_iter()
            .filter(|row| row.iter().all(|c| *c == 0.0));
        Ok(Encoded {
            n_silent: silent.count(),
            rate: total / (n as f64 * n_steps as f64),
            counts,
        })
    }

    fn check(&self, samples: &[Steps]) -> Result<(), FrozenError> {
        if samples.is_empty() {
            let found = "no sample".into();
            return Err(FrozenError::Empty { found });
        }
        for (sample, steps) in samples.iter().enumerate() {
            if steps.is_empty() {
                let found = format!("none in sample {sample}");
                return Err(FrozenError::Empty { found });
            }
            if steps.n_channels() != self.n_inputs {
                return Err(FrozenError::Channels {
                    sample,
                    expected: self.n_inputs,
                    found: steps.n_channels(),
                });
            }
        }
        Ok(())
    }

    /// One sample, counted into `counts`, which are 0 before.
    fn show(&self, sample: &Steps, mut noise: Option<Rng>, of: &mut Scratch, counts: &mut [f32]) {
        of.v.fill(0.0);
        of.spiked.clear();
        for events in sample.iter() {
            of.active.clear();
            of.active.extend_from_slice(events);
            of.active.append(&mut of.spiked);
            vectorized(
                #[inline(always)]
                || self.step(&of.active, noise.as_mut(), &mut of.v, counts),
            );
            let spiked = of.v[..counts.len()].iter().enumerate();
            let spiked = spiked.filter(|(_, v)| **v > self.config.threshold as f32);
            of.spiked
                .extend(spiked.map(|(i, _)| (self.n_inputs + i) as u32));
        }
    }

    /// Potentials after one step; those above the threshold have spiked.
    #[inline(always)]
    fn step(&self, active: &[u32], mut noise: Option<&mut Rng>, v: &mut [f32], counts: &mut [f32]) {
        let (decay, threshold) = (self.config.decay as f32, self.config.threshold as f32);
        let n_rows = self.n_inputs + self.config.n_neurons;
        let (blocks, _) = v.as_chunks_mut::<LANES>();
        for (b, v) in blocks.iter_mut().enumerate() {
            let block = b * n_rows * LANES..(b + 1) * n_rows * LANES;
            let mut current = sum(&self.weights[block.clone()], active);
            if let Some(rng) = noise.as_deref_mut() {
                let variance = sum(&self.noise[block], active);
                for (i, variance) in current.iter_mut().zip(variance) {
                    let z: f32 = StandardNormal.sample(rng);
                    *i += variance.sqrt() * z;
                }
            }
            if let Some(adc) = self.adc {
                current.iter_mut().for_each(|i| *i = adc.read(*i));
            }
            for (v, i) in v.iter_mut().zip(current) {
                // One that spiked in the step before begins at 0.
                let kept = if *v > threshold { 0.0 } else { decay * *v };
                *v = kept + i;
            }
            let counts = counts[b * LANES..].iter_mut();
            for (count, v) in counts.zip(v.iter()) {
                *count += if *v > threshold { 1.0 } else { 0.0 };
            }
        }
    }
}

/// The sum of the active rows of one block.
#[inline(always)]
fn sum(block: &[f32], active: &[u32]) -> [f32; LANES] {
    let (rows, _) = block.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for row in active {
        let row = &rows[*row as usize];
        for k in 0..LANES {
            sums[k] += row[k];
        }
    }
    sums
}
