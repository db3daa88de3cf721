//! Architectures by name, and what they cost.

use std::fmt;
use std::str::FromStr;

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::{Layer, Nonlinearity, Terms};

/// The widening of an inverted bottleneck where the name gives none.
const EXPANSION: usize = 4;

/// A multi-layer perceptron by its published name: `B_6-Wi_512` has 6 inverted bottlenecks of width 512, each four times as wide
/// inside; `B_6-Wi_512-Ex_2` twice; `S_6-Wi_512` has 6 plain hidden layers.
///
/// `B` (paper 53, B): `z = W_in x + b`, then `z += W_c gelu(W_e LN(z) + b_e) + b_c` for each block, logits `W_out z + b`.
/// `S` (paper 53, A): `z = W_in x + b`, then `z = W gelu(LN(z)) + b` for each hidden layer, logits `W_out z + b`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Perceptron {
    /// What the blocks are.
    pub blocks: Blocks,
    /// How many there are, 1 to 1,000.
    pub depth: usize,
    /// Units of each hidden layer, 1 to 65,536.
    pub width: usize,
}

/// What stands between first and last layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocks {
    /// Norm, nonlinearity, dense layer.
    Standard,
    /// A residual block that widens and narrows again.
    Bottleneck {
        /// How many times as wide the block is inside, 1 to 64.
        expansion: usize,
    },
}

impl fmt::Display for Perceptron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (depth, width) = (self.depth, self.width);
        match self.blocks {
            Blocks::Standard => write!(f, "S_{depth}-Wi_{width}"),
            Blocks::Bottleneck { expansion } if expansion == EXPANSION => {
                write!(f, "B_{depth}-Wi_{width}")
            }
            Blocks::Bottleneck { expansion } => {
                write!(f, "B_{depth}-Wi_{width}-Ex_{expansion}")
            }
        }
    }
}

impl FromStr for Perceptron {
    type Err = SettingError;

    fn from_str(name: &str) -> Result<Self, SettingError> {
        let refused = || {
            let expected = "B_DEPTH-Wi_WIDTH, B_DEPTH-Wi_WIDTH-Ex_EXPANSION or S_DEPTH-Wi_WIDTH";
            SettingError::new("architecture", expected, format!("`{name}`"))
        };
        let number = |part: &str, mark: &str| -> Option<usize> {
            let digits = part.strip_prefix(mark)?.strip_prefix('_')?;
            let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
            plain.then(|| digits.parse().ok())?
        };
        let parts: Vec<&str> = name.split('-').collect();
        let (head, wide, inside) = match parts[..] {
            [head, wide] => (head, wide, None),
            [head, wide, inside] => (head, wide, Some(inside)),
            _ => return Err(refused()),
        };
        let width = number(wide, "Wi").ok_or_else(refused)?;
        let found = match (number(head, "B"), number(head, "S"), inside) {
            (Some(depth), _, inside) => {
                let expansion = match inside {
                    None => EXPANSION,
                    Some(inside) => number(inside, "Ex").ok_or_else(refused)?,
                };
                Self {
                    blocks: Blocks::Bottleneck { expansion },
                    depth,
                    width,
                }
            }
            (None, Some(depth), None) => Self::standard(depth, width),
            _ => return Err(refused()),
        };
        found.validate()?;
        Ok(found)
    }
}

impl TryFrom<String> for Perceptron {
    type Error = SettingError;

    fn try_from(name: String) -> Result<Self, SettingError> {
        name.parse()
    }
}

impl From<Perceptron> for String {
    fn from(perceptron: Perceptron) -> Self {
        perceptron.to_string()
    }
}

/// What a stack of layers holds and costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Parameters.
    pub parameters: u64,
    /// Multiplications with a weight for one row of inputs; those of norms, biases and nonlinearities are left out.
    pub multiply_adds: u64,
    /// Units after the last layer.
    pub outputs: usize,
}

/// Counts layer by layer, without making any of them.
///
/// # Errors
/// [`SettingError`] for layers that do not fit.
pub fn count(inputs: usize, layers: &[Layer]) -> Result<Count, SettingError> {
    let mut all = Count {
        outputs: inputs,
        ..Count::default()
    };
    for layer in layers {
        let width = all.outputs as u64;
        let outputs = layer.width(all.outputs)?;
        let (n, m) = (outputs as u64, width * outputs as u64);
        let (parameters, multiply_adds) = match layer {
            Layer::Dense { bias, .. } => (m + if *bias { n } else { 0 }, m),
            Layer::Quadratic { terms, .. } => match terms {
                Terms::Full => (3 * (m + n), 3 * m),
                Terms::Product => (2 * (m + n) + n, 2 * m),
                Terms::Squares => (2 * m + n, 2 * m),
            },
            Layer::Convolution {
                window,
                channels,
                bias,
            } => {
                let own = (window.patch() * channels) as u64;
                let bias = if *bias { *channels as u64 } else { 0 };
                (own + bias, window.patch() as u64 * n)
            }
            Layer::QuadraticConvolution {
                window,
                channels,
                terms,
                ..
            } => {
                let (own, n_channels) = ((window.patch() * channels) as u64, *channels as u64);
                let (weights, biases) = match terms {
                    Terms::Full => (3, 3),
                    Terms::Product => (2, 3),
                    Terms::Squares => (2, 1),
                };
                let at_once = window.patch() as u64 * n;
                (weights * own + biases * n_channels, weights * at_once)
            }
            Layer::BatchNorm { channels } => (2 * *channels as u64, 0),
            Layer::Each(_) | Layer::Pool { .. } => (0, 0),
            Layer::Embedding { vocabulary, .. } => (*vocabulary as u64 * n, 0),
            Layer::Positions { span } => (*span as u64 * n, 0),
            Layer::Attention(_) => (3 * width * width, 3 * width * width),
            Layer::Tied { .. } => (0, m),
            Layer::Quantized { .. } => (1, 0),
            Layer::Norm => (2 * width, 0),
            Layer::Residual(branch) | Layer::ReZero(branch) => {
                let own = count(all.outputs, branch)?;
                let gate = u64::from(matches!(layer, Layer::ReZero(_)));
                (own.parameters + gate, own.multiply_adds)
            }
        };
        all.parameters += parameters;
        all.multiply_adds += multiply_adds;
        all.outputs = outputs;
    }
    Ok(all)
}

impl Perceptron {
    /// Plain hidden layers.
    #[must_use]
    pub fn standard(depth: usize, width: usize) -> Self {
        Self {
            blocks: Blocks::Standard,
            depth,
            width,
        }
    }

    /// Inverted bottlenecks, four times as wide inside.
    #[must_use]
    pub fn bottleneck(depth: usize, width: usize) -> Self {
        Self {
            blocks: Blocks::Bottleneck {
                expansion: EXPANSION,
            },
            depth,
            width,
        }
    }

    /// Checks its numbers.
    ///
    /// # Errors
    /// [`SettingError`] for one out of its range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let expansion = match self.blocks {
            Blocks::Standard => EXPANSION,
            Blocks::Bottleneck { expansion } => expansion,
        };
        for (field, n, most) in [
            ("depth", self.depth, 1000),
            ("width", self.width, 1 << 16),
            ("expansion", expansion, 64),
        ] {
            let expected = format!("1 to {most}");
            SettingError::check((1..=most).contains(&n), field, &expected, n)?;
        }
        Ok(())
    }

    /// The layers, with logits of so many classes.
    #[must_use]
    pub fn layers(&self, classes: usize) -> Vec<Layer> {
        self.stack(classes, true)
    }

    /// The same without norms.
    #[must_use]
    pub fn layers_without_norm(&self, classes: usize) -> Vec<Layer> {
        self.stack(classes, false)
    }

    fn stack(&self, classes: usize, normed: bool) -> Vec<Layer> {
        let norm = || normed.then_some(Layer::Norm);
        let gelu = Layer::Each(Nonlinearity::Gelu);
        let mut layers = vec![Layer::dense(self.width)];
        for _ in 0..self.depth {
            match self.blocks {
                Blocks::Standard => {
                    layers.extend(norm());
                    layers.extend([gelu.clone(), Layer::dense(self.width)]);
                }
                Blocks::Bottleneck { expansion } => {
                    let mut branch: Vec<Layer> = norm().into_iter().collect();
                    let inside = Layer::dense(expansion * self.width);
                    branch.extend([inside, gelu.clone(), Layer::dense(self.width)]);
                    layers.push(Layer::Residual(branch));
                }
            }
        }
        layers.push(Layer::dense(classes));
        layers
    }

    /// Parameters with so many inputs (3 res^2 for a color image) and classes, in closed form. With norms,
    /// `(n + 1) m + L (2 k m^2 + k m + m + 2 m) + (m + 1) C` of bottlenecks, `(n + 1) m + L (m^2 + m + 2 m) + (m + 1) C` of
    /// plain layers (paper 53, B).
    #[must_use]
    pub fn parameters(&self, inputs: usize, classes: usize) -> u64 {
        let (n, m, c) = (inputs as u64, self.width as u64, classes as u64);
        let block = match self.blocks {
            Blocks::Standard => m * m + m,
            Blocks::Bottleneck { expansion } => {
                let k = expansion as u64;
                2 * k * m * m + k * m + m
            }
        };
        (n + 1) * m + self.depth as u64 * (block + 2 * m) + (m + 1) * c
    }

    /// Multiply-adds of one image forward, in closed form: `n m + L 2 k m^2 + m C`, or `n m + L m^2 + m C` (paper 53, F).
    #[must_use]
    pub fn multiply_adds(&self, inputs: usize, classes: usize) -> u64 {
        let (n, m, c) = (inputs as u64, self.width as u64, classes as u64);
        let block = match self.blocks {
            Blocks::Standard => m * m,
            Blocks::Bottleneck { expansion } => 2 * expansion as u64 * m * m,
        };
        n * m + self.depth as u64 * block + m * c
    }

    /// What training on so many images costs, multiply-adds: three times forward (paper 53, F).
    #[must_use]
    pub fn compute(&self, inputs: usize, classes: usize, images: f64) -> f64 {
        3.0 * self.multiply_adds(inputs, classes) as f64 * images
    }
}
