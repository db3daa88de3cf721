//! Poisson spikes of an image's pixels.

use chiasm_core::Rng;
use rand_distr::{Distribution, Exp1};

use super::Config;

/// For every grey level, `-1 / ln(1 - p)` of the probability of a spike in a step: the mean of the exponential numbers
/// whose whole part is the number of steps without a spike.
pub(super) struct Rates(Vec<f64>);

impl Rates {
    pub(super) fn new(config: &Config) -> Self {
        let p = |level: u8| config.rate_per_level_hz * f64::from(level) * config.dt_ms / 1000.0;
        Self((0..=255).map(|level| -1.0 / (-p(level)).ln_1p()).collect())
    }
}

/// The inputs that spike in each step, ascending.
#[derive(Debug, Default)]
pub(super) struct Train {
    starts: Vec<u32>,
    inputs: Vec<u16>,
}

impl Train {
    /// The inputs that spike in this step; none after the end.
    pub(super) fn at(&self, step: usize) -> &[u16] {
        match self.starts.get(step..step + 2) {
            Some(&[start, end]) => &self.inputs[start as usize..end as usize],
            _ => &[],
        }
    }

    /// Draws independent spikes for each pixel: in each step with the probability of its rate, the gap from one to the
    /// next by one random number.
    pub(super) fn draw(
        image: impl Iterator<Item = u8>,
        steps: usize,
        rates: &Rates,
        rng: &mut Rng,
    ) -> Self {
        let mut spikes: Vec<(u32, u16)> = Vec::new();
        let mut starts = vec![0u32; steps + 1];
        for (input, level) in (0u16..).zip(image) {
            if level == 0 {
                continue;
            }
            let mean = rates.0[usize::from(level)];
            let mut step = 0;
            loop {
                let draw: f64 = Exp1.sample(rng);
                // A gap beyond every end becomes the greatest number.
                step = ((draw * mean) as usize).saturating_add(step);
                if step >= steps {
                    break;
                }
                spikes.push((step as u32, input));
                starts[step] += 1;
                step += 1;
            }
        }
        let mut below = 0;
        for count in &mut starts {
            below += *count;
            *count = below - *count;
        }
        let mut next = starts.clone();
        let mut inputs = vec![0; spikes.len()];
        for (step, input) in spikes {
            let at = &mut next[step as usize];
            inputs[*at as usize] = input;
            *at += 1;
        }
        Self { starts, inputs }
    }

    /// These spikes: (step, input), in any order.
    #[cfg(test)]
    pub(super) fn of(spikes: &[(usize, u16)], steps: usize) -> Self {
        let mut sorted = spikes.to_vec();
        sorted.sort_unstable();
        let before = |step: usize| sorted.iter().filter(|s| s.0 < step).count() as u32;
        Self {
            starts: (0..=steps).map(before).collect(),
            inputs: sorted.iter().map(|s| s.1).collect(),
        }
    }
}
