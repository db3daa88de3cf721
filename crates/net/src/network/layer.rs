//! What a network is made of.

use chiasm_core::SettingError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attention, Nonlinearity, Pooling, Window, quantized};

/// A layer, or a branch of layers that is added to what enters it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// `x W + b`.
    Dense {
        /// Units.
        outputs: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// `(x W_r + b_r) (x W_g + b_g) + (x x) W_b + c`, products element by element (paper 34).
    Quadratic {
        /// Units.
        outputs: usize,
        /// Which of its parts there are.
        terms: Terms,
        /// How its parameters begin.
        start: QuadraticStart,
    },
    /// The same dense layer at every place of a window on an image; rows are images, `[channel, row, column]` in each.
    Convolution {
        /// The window.
        window: Window,
        /// Channels of what comes out.
        channels: usize,
        /// Whether each has a bias.
        bias: bool,
    },
    /// The same quadratic layer at every place of a window on an image.
    QuadraticConvolution {
        /// The window.
        window: Window,
        /// Channels of what comes out.
        channels: usize,
        /// Which of its parts there are.
        terms: Terms,
        /// How its parameters begin.
        start: QuadraticStart,
    },
    /// One pixel of those in a window, in every channel.
    Pool {
        /// The window.
        window: Window,
        /// How.
        pooling: Pooling,
    },
    /// Every unit on its own.
    Each(Nonlinearity),
    /// Every unit in levels from 0 to a scale that the layer trains, `scale clip(floor(x levels / scale + 1/2) / levels, 0, 1)`;
    /// the gradient goes straight through the steps (QCFS, paper 48).
    Quantized {
        /// Levels above 0.
        levels: u32,
        /// The scale before training.
        scale: f64,
    },
    /// Mean 0 and variance 1 over the units of each row, then a gain and a shift for each unit (epsilon 1e-5).
    Norm,
    /// Mean 0 and variance 1 of each channel over the rows of a batch and the places of an image, then a gain and a shift for
    /// each channel (epsilon 1e-5). Training norms with the batch and keeps running statistics, with which all else is normed;
    /// rows then do not see each other.
    BatchNorm {
        /// Channels of the images, `[channel, row, column]` in each row; as many as units where a unit is one.
        channels: usize,
    },
    /// `x + branch(x)`.
    Residual(Vec<Layer>),
    /// `x + alpha branch(x)`, with one trained `alpha` that begins at 0 (ReZero, Bachlechner et al. 2021).
    ReZero(Vec<Layer>),
    /// The table's row of each token; the network's only input is the token's number. At the very start alone.
    Embedding {
        /// Tokens, numbered from 0.
        vocabulary: usize,
        /// Units.
        width: usize,
    },
    /// Adds a trained row to each token, one for each place within sequences of `span` rows.
    Positions {
        /// Tokens of a sequence, rows one after the other.
        span: usize,
    },
    /// Each token's mean over tokens of its sequence, by heads: [`Attention`]. Its output projection is the dense layer after
    /// it.
    Attention(Attention),
    /// `x E'`, with the table `E` of the embedding that the network begins with: an output for each token, without a bias.
    Tied {
        /// Tokens; those of the embedding.
        vocabulary: usize,
    },
}

/// The parts of a quadratic layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// Product and squares.
    Full,
    /// The product alone.
    Product,
    /// One linear part and the squares, no product.
    Squares,
}

/// How the parameters of a quadratic layer begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuadraticStart {
    /// As an ordinary layer: `W_g = 0`, `b_g = 1`, `W_b = 0`, `c = 0` (ReLinear).
    Linear,
    /// All drawn as those of an ordinary layer.
    Random,
}

impl Layer {
    /// A dense layer with a bias.
    #[must_use]
    pub fn dense(outputs: usize) -> Self {
        Self::Dense {
            outputs,
            bias: true,
        }
    }

    /// A quadratic layer with all of its parts, that begins as an ordinary one.
    #[must_use]
    pub fn quadratic(outputs: usize) -> Self {
        Self::Quadratic {
            outputs,
            terms: Terms::Full,
            start: QuadraticStart::Linear,
        }
    }

    /// A quadratic convolution with all of its parts, that begins as an ordinary one.
    #[must_use]
    pub fn quadratic_convolution(window: Window, channels: usize) -> Self {
        Self::QuadraticConvolution {
            window,
            channels,
            terms: Terms::Full,
            start: QuadraticStart::Linear,
        }
    }

    /// A convolution with biases.
    #[must_use]
    pub fn convolution(window: Window, channels: usize) -> Self {
        Self::Convolution {
            window,
            channels,
            bias: true,
        }
    }

    /// Dense layers of these widths with `between` after each but the last: a multi-layer perceptron.
    #[must_use]
    pub fn perceptron(widths: &[usize], between: Nonlinearity) -> Vec<Self> {
        let mut layers = vec![];
        for (i, &outputs) in widths.iter().enumerate() {
            layers.push(Self::dense(outputs));
            if i + 1 < widths.len() {
                layers.push(Self::Each(between));
            }
        }
        layers
    }

    /// Units after the layer, where `inputs` enter it.
    ///
    /// # Errors
    /// [`SettingError`] for a width of 0 or above 2^20, for a nonlinearity, levels or a scale out of range, and for a branch that does not
    /// end with as many units as enter it.
    pub fn width(&self, inputs: usize) -> Result<usize, SettingError> {
        match self {
            Self::Dense { outputs, .. } | Self::Quadratic { outputs, .. } => {
                let fine = (1..=1 << 20).contains(outputs);
                SettingError::check(fine, "outputs", "1 to 1048576 units", outputs)?;
                Ok(*outputs)
            }
            Self::Convolution {
                window, channels, ..
            }
            | Self::QuadraticConvolution {
                window, channels, ..
            } => {
                window.validate(inputs)?;
                let fine = (1..=1 << 16).contains(channels);
                SettingError::check(fine, "channels", "1 to 65536", channels)?;
                let [rows, columns] = window.outputs();
                Ok(channels * rows * columns)
            }
            Self::Pool { window, .. } => {
                window.validate(inputs)?;
                let [rows, columns] = window.outputs();
                Ok(window.image[0] * rows * columns)
            }
            Self::Each(nonlinearity) => nonlinearity.validate().map(|()| inputs),
            Self::Quantized { levels, scale } => {
                quantized::validate(*levels, *scale).map(|()| inputs)
            }
            Self::Norm => Ok(inputs),
            Self::BatchNorm { channels } => {
                let fine = *channels > 0 && inputs.is_multiple_of(*channels);
                let expected = format!("a divisor of the {inputs} units that enter it");
                SettingError::check(fine, "channels", &expected, channels)?;
                Ok(inputs)
            }
            Self::Residual(branch) | Self::ReZero(branch) => {
                let end = branch.iter().try_fold(inputs, |n, layer| layer.width(n))?;
                let expected = format!("a branch that ends with the {inputs} units that enter it");
                SettingError::check(
                    end == inputs && !branch.is_empty(),
                    "layers",
                    &expected,
                    end,
                )?;
                Ok(inputs)
            }
            Self::Embedding { vocabulary, width } => {
                tokens(*vocabulary)?;
                let fine = (1..=1 << 20).contains(width);
                SettingError::check(fine, "width", "1 to 1048576 units", width)?;
                let expected = "a network of one input, the number of a token";
                SettingError::check(inputs == 1, "inputs", expected, inputs)?;
                Ok(*width)
            }
            Self::Positions { span } => {
                let fine = (1..=MAX_SPAN).contains(span);
                SettingError::check(fine, "span", "1 to 65536 tokens", span)?;
                Ok(inputs)
            }
            Self::Attention(how) => how.validate(inputs).map(|()| inputs),
            Self::Tied { vocabulary } => tokens(*vocabulary).map(|()| *vocabulary),
        }
    }
}

/// Longest sequence.
pub(super) const MAX_SPAN: usize = 1 << 16;

fn tokens(vocabulary: usize) -> Result<(), SettingError> {
    // Every number of a token must be one of `f32`.
    let fine = (2..=1 << 20).contains(&vocabulary);
    SettingError::check(fine, "vocabulary", "2 to 1048576 tokens", vocabulary)
}
