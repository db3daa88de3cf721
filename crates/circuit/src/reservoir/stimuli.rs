//! What drives a reservoir: probabilities of an event in each step, of images, or given events.

use chiasm_core::SettingError;
use chiasm_core::rng::Rng;
use ndarray::{Array2, ArrayView2};
use rand::Rng as _;

use crate::CircuitError;

/// Samples, checked once.
#[derive(Debug, Clone, PartialEq)]
pub struct Stimuli {
    n_inputs: usize,
    samples: Samples,
}

#[derive(Debug, Clone, PartialEq)]
enum Samples {
    /// `[sample, input]`
    Probabilities(Array2<f32>),
    /// For each sample step and input, by step.
    Events(Vec<Vec<(u32, u32)>>),
}

fn refused(
    field: String,
    expected: impl Into<String>,
    found: impl std::fmt::Display,
) -> CircuitError {
    SettingError::new(&field, expected, found).into()
}

impl Stimuli {
    /// Probabilities of an event in a step of 1 ms, `[sample, input]`.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] if there is no input, or for the first value that is no probability.
    pub fn probabilities(probabilities: Array2<f32>) -> Result<Self, CircuitError> {
        let n_inputs = probabilities.ncols();
        SettingError::check(n_inputs > 0, "probabilities", "at least one input", 0)?;
        let wrong = probabilities
            .indexed_iter()
            .find(|(_, p)| !(0.0..=1.0).contains(*p));
        if let Some(((sample, input), p)) = wrong {
            let field = format!("probabilities.{sample}.{input}");
            return Err(refused(field, "a probability from 0 to 1", p));
        }
        Ok(Self {
            n_inputs,
            samples: Samples::Probabilities(probabilities),
        })
    }

    /// Images, `[image, pixel]`, as probabilities: each divided by its sum, then by `scale`. Without a scale it is the
    /// greatest value after the first division; hand the one that comes back to other images (of a test, say), so that they
    /// are coded alike. Where those then exceed 1 they become 1.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for an image with a negative or missing pixel, an image that is all zero (its index is
    /// named), no images at all, a scale that is not above 0.
    pub fn images(
        images: ArrayView2<'_, f32>,
        scale: Option<f32>,
    ) -> Result<(Self, f32), CircuitError> {
        let mut coded = images.to_owned();
        let found = format!("{:?}", images.dim());
        let holds = !coded.is_empty();
        SettingError::check(holds, "images", "at least one image with pixels", found)?;
        for (i, mut image) in coded.outer_iter_mut().enumerate() {
            if let Some(p) = image.iter().find(|p| !(p.is_finite() && **p >= 0.0)) {
                return Err(refused(
                    format!("images.{i}"),
                    "finite pixels of at least 0",
                    p,
                ));
            }
            let sum: f64 = image.iter().map(|p| f64::from(*p)).sum();
            if sum <= 0.0 {
                let found = "an image that is all zero";
                return Err(refused(format!("images.{i}"), "a pixel above 0", found));
            }
            image.mapv_inplace(|p| (f64::from(p) / sum) as f32);
        }
        let greatest = || coded.iter().fold(0.0f32, |a, b| a.max(*b));
        let scale = scale.unwrap_or_else(greatest);
        let holds = scale.is_finite() && scale > 0.0;
        SettingError::check(holds, "scale", "a finite value above 0", scale)?;
        coded.mapv_inplace(|p| (p / scale).min(1.0));
        Ok((Self::probabilities(coded)?, scale))
    }

    /// Given events: for each sample steps (ms from its start) and inputs. Several of one input in one step add up.
    ///
    /// # Errors
    /// [`CircuitError::Setting`] for an input that does not exist and for events that are not in the order of their steps.
    pub fn events(n_inputs: usize, samples: Vec<Vec<(u32, u32)>>) -> Result<Self, CircuitError> {
        SettingError::check(n_inputs > 0, "n_inputs", "at least one input", 0)?;
        for (i, events) in samples.iter().enumerate() {
            if let Some(event) = events.iter().find(|e| e.1 as usize >= n_inputs) {
                let expected = format!("inputs below {n_inputs}");
                return Err(refused(format!("events.{i}"), expected, event.1));
            }
            if let Some(pair) = events.windows(2).find(|w| w[0].0 > w[1].0) {
                let found = format!("{} ms after {} ms", pair[1].0, pair[0].0);
                return Err(refused(format!("events.{i}"), "steps that ascend", found));
            }
        }
        Ok(Self {
            n_inputs,
            samples: Samples::Events(samples),
        })
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.samples {
            Samples::Probabilities(p) => p.nrows(),
            Samples::Events(e) => e.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of inputs.
    #[must_use]
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// The probabilities, `[sample, input]`; `None` for given events.
    #[must_use]
    pub fn as_probabilities(&self) -> Option<ArrayView2<'_, f32>> {
        match &self.samples {
            Samples::Probabilities(p) => Some(p.view()),
            Samples::Events(_) => None,
        }
    }

    /// Which inputs may have an event in a sample.
    pub(super) fn active(&self, sample: usize) -> Vec<bool> {
        match &self.samples {
            Samples::Probabilities(p) => p.row(sample).iter().map(|p| *p > 0.0).collect(),
            Samples::Events(e) => {
                let mut active = vec![false; self.n_inputs];
                for (_, input) in &e[sample] {
                    active[*input as usize] = true;
                }
                active
            }
        }
    }

    /// The events of one sample, step by step.
    pub(super) fn source(&self, sample: usize) -> Source<'_> {
        match &self.samples {
            Samples::Probabilities(p) => {
                let row = p.row(sample);
                let active = row.iter().enumerate().filter(|(_, p)| **p > 0.0);
                // Compared with 32 random bits; 2^32 is always above.
                let limits =
                    active.map(|(i, p)| (i as u32, (f64::from(*p) * 4_294_967_296.0) as u64));
                Source::Random(limits.collect())
            }
            Samples::Events(e) => Source::Given(&e[sample]),
        }
    }
}

/// Events of one sample: which inputs, in the order of their index or as given.
pub(super) enum Source<'a> {
    Random(Vec<(u32, u64)>),
    Given(&'a [(u32, u32)]),
}

impl Source<'_> {
    /// The inputs with an event in this step. Steps ascend from 0.
    pub(super) fn at(&mut self, step: u32, rng: &mut Rng, into: &mut Vec<u32>) {
        into.clear();
        match self {
            Self::Random(active) => {
                for (input, limit) in active {
                    if u64::from(rng.next_u32()) < *limit {
                        into.push(*input);
                    }
                }
            }
            Self::Given(left) => {
                while let Some(((t, input), rest)) = left.split_first()
                    && *t <= step
                {
                    into.push(*input);
                    *left = rest;
                }
            }
        }
    }
}
