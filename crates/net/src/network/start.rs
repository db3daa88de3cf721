//! How parameters begin.

use chiasm_core::Rng;
use rand::RngExt;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quadratic::Quadratic;
use super::{QuadraticStart, Terms, Window};
use crate::Real;
use crate::train::Parameters;

/// How weights and biases are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Both uniform within plus or minus `1 / sqrt(fan_in)`, PyTorch's start of a linear layer; embeddings and positions
    /// normal with variance 1, its start of an embedding.
    #[default]
    Uniform,
    /// Weights normal with variance `2 / fan_in`, biases 0 (He et al. 2015); embeddings and positions with variance 1.
    HeNormal,
    /// Weights, embeddings and positions normal with a deviation of .02, biases 0: transformers of the GPT family.
    Gpt,
}

/// Deviation of [`Start::Gpt`].
const GPT: f64 = 0.02;

/// Where parameters come from.
pub(super) struct Draw<'a> {
    pub(super) start: Start,
    pub(super) rng: &'a mut Rng,
}

impl Draw<'_> {
    pub(super) fn weight<T: Real>(
        &mut self,
        p: &mut Parameters<T>,
        name: String,
        shape: [usize; 2],
    ) -> usize {
        let fan_in = shape[0];
        match self.start {
            Start::Uniform => p.push_uniform(name, shape, fan_in, self.rng),
            Start::HeNormal => self.normal(p, name, shape, (2.0 / fan_in as f64).sqrt()),
            Start::Gpt => self.normal(p, name, shape, GPT),
        }
    }

    /// Rows that are looked up, not multiplied: they have no fan-in.
    pub(super) fn table<T: Real>(
        &mut self,
        p: &mut Parameters<T>,
        name: String,
        shape: [usize; 2],
    ) -> usize {
        let sd = if self.start == Start::Gpt { GPT } else { 1.0 };
        self.normal(p, name, shape, sd)
    }

    fn normal<T: Real>(
        &mut self,
        p: &mut Parameters<T>,
        name: String,
        shape: [usize; 2],
        sd: f64,
    ) -> usize {
        let normal = |_| -> f64 { sd * self.rng.sample::<f64, _>(StandardNormal) };
        let values = (0..shape[0] * shape[1]).map(normal).collect();
        p.push(name, shape, values)
    }

    pub(super) fn bias<T: Real>(
        &mut self,
        p: &mut Parameters<T>,
        name: String,
        fan_in: usize,
        outputs: usize,
    ) -> usize {
        match self.start {
            Start::Uniform => p.push_uniform(name, [1, outputs], fan_in, self.rng),
            Start::HeNormal | Start::Gpt => p.push(name, [1, outputs], vec![0.0; outputs]),
        }
    }
}

pub(super) fn quadratic<T: Real>(
    p: &mut Parameters<T>,
    name: &str,
    (shape, window): ([usize; 2], Option<Window>),
    (terms, start): (Terms, QuadraticStart),
    draw: &mut Draw<'_>,
) -> Quadratic {
    let [width, outputs] = shape;
    let random = start == QuadraticStart::Random;
    let mut weight = |part: &str, always: bool| {
        let name = format!("{name}.{part}.weight");
        if random || always {
            draw.weight(p, name, shape)
        } else {
            p.push(name, shape, vec![0.0; width * outputs])
        }
    };
    let first = weight("r", true);
    let second = (terms != Terms::Squares).then(|| weight("g", false));
    let squares = (terms != Terms::Product).then(|| weight("b", false));
    let mut bias = |part: &str, otherwise: f64, always: bool| {
        let name = format!("{name}.{part}");
        if random || always {
            draw.bias(p, name, width, outputs)
        } else {
            p.push(name, [1, outputs], vec![otherwise; outputs])
        }
    };
    let first = [first, bias("r.bias", 0.0, true)];
    let second = second.map(|weight| [weight, bias("g.bias", 1.0, false)]);
    // Without the product the first factor's bias is the shift.
    let shift = (terms != Terms::Squares).then(|| bias("c", 0.0, false));
    Quadratic {
        window,
        first,
        second,
        squares,
        shift,
    }
}
