//! Spikes kept as who was active when.

use chiasm_core::vectorized;
use rayon::prelude::*;

use super::SpikingError;
use super::slices::check_length;

/// Rows of a task.
const ROWS: usize = 64;

/// The active neurons of each time step and member of the batch, ascending: compressed sparse rows without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spikes {
    shape: [usize; 3],
    /// Where each sample's neurons begin; one more than there are samples.
    offsets: Vec<usize>,
    neurons: Vec<u32>,
}

impl Spikes {
    /// Of activity `[time, batch, neuron]` that is 1 for a spike and 0 for none.
    ///
    /// # Errors
    /// Another number of values than the shape has; a value that is neither 0 nor 1; more than 2^32 neurons.
    pub fn from_dense(values: &[f32], shape: [usize; 3]) -> Result<Self, SpikingError> {
        check_length("spikes", &shape, values.len())?;
        let [time, batch, n] = shape;
        if n == 0 {
            return Self::from_samples(shape, vec![Vec::new(); time * batch]);
        }
        check_width(n)?;
        let parts: Vec<(bool, Vec<usize>, Vec<u32>)> = values
            .par_chunks(ROWS * n)
            .map(|rows| {
                let (mut odd, mut ends, mut found) = (false, Vec::with_capacity(ROWS), Vec::new());
                let mut row_found = vec![0u32; n + 1];
                for row in rows.chunks_exact(n) {
                    odd |= any_odd(row);
                    let mut count = 0;
                    // Without a branch: which neurons spike cannot be foreseen.
                    for (neuron, value) in (0u32..).zip(row) {
                        row_found[count] = neuron;
                        count += usize::from(*value != 0.0);
                    }
                    found.extend_from_slice(&row_found[..count]);
                    ends.push(found.len());
                }
                (odd, ends, found)
            })
            .collect();
        if parts.iter().any(|(odd, ..)| *odd) {
            let is_odd = |v: &f32| *v != 0.0 && *v != 1.0;
            let at = values.iter().position(is_odd).unwrap_or(0);
            return Err(SpikingError::NotASpike {
                time: at / n / batch,
                batch: at / n % batch,
                neuron: at % n,
                found: values[at],
            });
        }
        let mut spikes = Self {
            shape,
            offsets: Vec::with_capacity(time * batch + 1),
            neurons: Vec::with_capacity(parts.iter().map(|(.., found)| found.len()).sum()),
        };
        spikes.offsets.push(0);
        for (_, ends, found) in parts {
            let start = spikes.neurons.len();
            spikes.offsets.extend(ends.into_iter().map(|e| start + e));
            spikes.neurons.extend(found);
        }
        Ok(spikes)
    }

    /// Of the active neurons of each sample: time by time, and of one time the members of the batch in turn.
    ///
    /// # Errors
    /// Another number of samples than `time x batch`; neurons that are not ascending, or beyond the last.
    pub fn from_samples(
        shape: [usize; 3],
        samples: impl IntoIterator<Item = Vec<u32>>,
    ) -> Result<Self, SpikingError> {
        let [time, batch, n] = shape;
        check_width(n)?;
        let (mut offsets, mut neurons) = (vec![0], Vec::new());
        for sample in samples {
            for (i, neuron) in sample.iter().enumerate() {
                if *neuron as usize >= n || (i > 0 && sample[i - 1] >= *neuron) {
                    return Err(SpikingError::Neuron {
                        sample: offsets.len() - 1,
                        neuron: *neuron,
                        n_neurons: n,
                    });
                }
            }
            neurons.extend(sample);
            offsets.push(neurons.len());
        }
        check_length("samples", &[time, batch], offsets.len() - 1)?;
        Ok(Self {
            shape,
            offsets,
            neurons,
        })
    }

    /// Time steps, batch, neurons.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of spikes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.neurons.len()
    }

    /// Whether no neuron spikes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.neurons.is_empty()
    }

    /// The active neurons of sample `time x batch + member`, ascending.
    #[must_use]
    pub fn of_sample(&self, sample: usize) -> Option<&[u32]> {
        let (from, to) = (self.offsets.get(sample)?, self.offsets.get(sample + 1)?);
        self.neurons.get(*from..*to)
    }

    /// Activity `[time, batch, neuron]` of ones and zeros.
    #[must_use]
    pub fn to_dense(&self) -> Vec<f32> {
        let n = self.shape[2];
        let mut values = vec![0.0; self.n_samples() * n];
        for (row, ends) in values
            .chunks_exact_mut(n.max(1))
            .zip(self.offsets.windows(2))
        {
            for neuron in &self.neurons[ends[0]..ends[1]] {
                row[*neuron as usize] = 1.0;
            }
        }
        values
    }

    /// Samples: `time x batch`.
    pub(super) fn n_samples(&self) -> usize {
        self.offsets.len() - 1
    }

    /// All active neurons, sample after sample.
    pub(super) fn neurons(&self) -> &[u32] {
        &self.neurons
    }

    /// Where the samples' neurons are cut at every `block` neurons: `[cut][sample]`, one cut more than there are blocks.
    pub(super) fn cuts(&self, block: usize) -> Vec<Vec<usize>> {
        let n_blocks = self.shape[2].div_ceil(block).max(1);
        let n_samples = self.n_samples();
        let mut cuts = vec![vec![0; n_samples]; n_blocks + 1];
        for sample in 0..n_samples {
            let (mut at, end) = (self.offsets[sample], self.offsets[sample + 1]);
            for (b, cut) in cuts.iter_mut().enumerate() {
                if b == n_blocks {
                    at = end;
                } else {
                    let rest = &self.neurons[at..end];
                    at += rest.partition_point(|i| (*i as usize) < b * block);
                }
                cut[sample] = at;
            }
        }
        cuts
    }

    /// The other way round, tile by tile of `tile` samples: for each neuron the samples, counted within the tile, in which it
    /// is active.
    pub(super) fn by_neuron(&self, tile: usize) -> Vec<ByNeuron> {
        let n = self.shape[2];
        let tiles: Vec<&[usize]> = (0..self.n_samples())
            .step_by(tile)
            .map(|from| &self.offsets[from..=(from + tile).min(self.n_samples())])
            .collect();
        tiles
            .into_par_iter()
            .map(|offsets| {
                let active = &self.neurons[offsets[0]..offsets[offsets.len() - 1]];
                let mut cuts = vec![0usize; n + 1];
                for neuron in active {
                    cuts[*neuron as usize + 1] += 1;
                }
                for i in 0..n {
                    cuts[i + 1] += cuts[i];
                }
                let mut next = cuts.clone();
                let mut samples = vec![0u32; active.len()];
                for (sample, ends) in (0u32..).zip(offsets.windows(2)) {
                    for neuron in &self.neurons[ends[0]..ends[1]] {
                        let at = &mut next[*neuron as usize];
                        samples[*at] = sample;
                        *at += 1;
                    }
                }
                ByNeuron { cuts, samples }
            })
            .collect()
    }
}

/// Whether any value is neither 0 nor 1.
fn any_odd(values: &[f32]) -> bool {
    vectorized(
        #[inline(always)]
        || {
            let odd = |v: &f32| u32::from((*v != 0.0) & (*v != 1.0));
            values.iter().fold(0, |any, v| any | odd(v)) != 0
        },
    )
}

/// For each neuron the samples in which it is active, ascending.
#[derive(Debug)]
pub(super) struct ByNeuron {
    /// Where each neuron's samples begin; one more than there are neurons.
    pub(super) cuts: Vec<usize>,
    pub(super) samples: Vec<u32>,
}

fn check_width(n: usize) -> Result<(), SpikingError> {
    if u32::try_from(n).is_ok() {
        return Ok(());
    }
    Err(SpikingError::Shape {
        what: "spikes",
        expected: format!("at most {} neurons", u32::MAX),
        found: vec![n],
    })
}
