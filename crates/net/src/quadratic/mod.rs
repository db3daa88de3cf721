//! Quadratic neurons (paper 34): `(x.w_r + b_r)(x.w_g + b_g) + (x x).w_b + c` where an ordinary one has `x.w + b`.
//!
//! The layer itself is [`Layer::Quadratic`](crate::network::Layer), and as a convolution
//! [`Layer::QuadraticConvolution`](crate::network::Layer), for any network. Here is what belongs to it:
//!
//! - [`ReLinear`]: quadratic parts that grow slowly from an ordinary layer, so that training does not blow up;
//! - [`from_ordinary`]: a trained ordinary network as a quadratic one with the same outputs;
//! - [`Parts`]: how large the quadratic parts have become, layer by layer;
//! - [`attention`]: the weight that a neuron gives each input, which depends on the input;
//! - [`family_dimension`]: in how many directions a network's function can move;
//! - [`Spline`]: the exact pieces and degrees of a network of one input;
//! - [`residual_network_parameters`]: what a residual network for images would hold.
//!
//! ```
//! use chiasm_core::{Quiet, Streams};
//! use chiasm_data::generate::Planar;
//! use chiasm_net::network::{Layer, Network, Nonlinearity, Targets, TrainingConfig};
//! use chiasm_net::quadratic::ReLinear;
//! use chiasm_net::train::Rule;
//!
//! let streams = Streams::new(1);
//! let (x, labels) = Planar::Rings.draw(400, &streams)?;
//! let layers = [Layer::quadratic(12), Layer::Each(Nonlinearity::Relu), Layer::quadratic(2)];
//! let network = Network::new(2, &layers, &mut streams.stream("start"))?;
//! let config = TrainingConfig {
//!     epochs: 20,
//!     optimizer: Rule::Sgd { momentum: 0.9 },
//!     rate: 0.03,
//!     ..TrainingConfig::default()
//! };
//! // The quadratic parts learn at a tenth of the rate.
//! let shares = ReLinear::Rates { g: 0.1, b: 0.1 }.shares(&network, config.rate)?;
//! let mut training = config.start_shares(network, shares)?;
//! training.finish(x.view(), Targets::Classes(&labels), &streams, &Quiet)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod pieces;
#[cfg(test)]
mod tests;

use chiasm_core::SettingError;
use faer::{Mat, MatRef};
use ndarray::{Array1, ArrayView1, ArrayView2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use pieces::{Piece, Spline};

use crate::Real;
use crate::network::{Layer, Network, NetworkError};
use crate::train::{Parameters, Share};

/// How the quadratic parts are held back. Their start is [`QuadraticStart::Linear`](crate::network::QuadraticStart).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReLinear {
    /// Learning rates of `(w_g, b_g)` and `(w_b, c)` over that of the others (gamma_g and gamma_b); 0 leaves an ordinary
    /// network, 1 is plain training.
    Rates {
        /// Of the second factor.
        g: f64,
        /// Of the squares.
        b: f64,
    },
    /// After each step `w_g` and `w_b` are drawn off towards 0 by at most these (alpha_g and alpha_b).
    L1 {
        /// Of the second factor.
        g: f64,
        /// Of the squares.
        b: f64,
    },
    /// After each step `w_g` and `w_b` lose these parts of themselves (beta_g and beta_b).
    L2 {
        /// Of the second factor.
        g: f64,
        /// Of the squares.
        b: f64,
    },
}

impl ReLinear {
    /// The parameters of a network in three groups, `ordinary`, `second factor` and `squares`, to be trained at `rate`. Biases
    /// are not drawn to 0: `b_g` is 1 in an ordinary network.
    ///
    /// # Errors
    /// [`SettingError`] for a number below 0, for rates above 1, and for parts above 1.
    pub fn shares<T: Real>(
        &self,
        network: &Network<T>,
        rate: f64,
    ) -> Result<Vec<Share>, SettingError> {
        let (Self::Rates { g, b } | Self::L1 { g, b } | Self::L2 { g, b }) = *self;
        for (field, v) in [("g", g), ("b", b)] {
            let most = if matches!(self, Self::L1 { .. }) {
                f64::MAX
            } else {
                1.0
            };
            let expected = if most > 1.0 { "0 or more" } else { "0 to 1" };
            SettingError::check((0.0..=most).contains(&v), field, expected, v)?;
        }
        let mut shares = vec![];
        let mut take = |name: &str, factor: f64, which: &dyn Fn(&str) -> bool| {
            let arrays = positions(network.parameters(), which);
            shares.push(Share::of(name, arrays, rate * factor));
        };
        let second = |name: &str| name.contains(".g.");
        let squares = |name: &str| name.contains(".b.") || name.ends_with(".c");
        let weight = |name: &str| name.ends_with("weight");
        match *self {
            Self::Rates { g, b } => {
                take("ordinary", 1.0, &|n| !second(n) && !squares(n));
                take("second factor", g, &second);
                take("squares", b, &squares);
            }
            Self::L1 { g, b } | Self::L2 { g, b } => {
                let held = |n: &str| weight(n) && (second(n) || squares(n));
                take("ordinary", 1.0, &|n| !held(n));
                take("second factor", 1.0, &|n| held(n) && second(n));
                take("squares", 1.0, &|n| held(n) && squares(n));
                for (share, by) in shares[1..].iter_mut().zip([g, b]) {
                    match self {
                        Self::L1 { .. } => share.shrink = by,
                        _ => share.fade = by,
                    }
                }
            }
        }
        Ok(shares)
    }
}

fn positions<T: Real>(parameters: &Parameters<T>, which: &dyn Fn(&str) -> bool) -> Vec<usize> {
    let arrays = parameters.arrays.iter().enumerate();
    let some = arrays.filter(|(_, a)| which(&a.name));
    some.map(|(i, _)| i).collect()
}

/// A network of quadratic layers with the outputs of an ordinary one: its dense layers and convolutions, also those of
/// branches, become quadratic ones at their linear start.
///
/// # Errors
/// A dense layer or convolution without a bias, which a quadratic one has.
pub fn from_ordinary<T: Real>(network: &Network<T>) -> Result<Network<T>, NetworkError> {
    fn turned(layers: &[Layer]) -> Result<Vec<Layer>, SettingError> {
        let each = layers.iter().map(|layer| {
            Ok(match layer {
                Layer::Dense { outputs, bias } => {
                    SettingError::check(*bias, "bias", "dense layers with a bias", bias)?;
                    Layer::quadratic(*outputs)
                }
                Layer::Convolution {
                    window,
                    channels,
                    bias,
                } => {
                    SettingError::check(*bias, "bias", "convolutions with a bias", bias)?;
                    Layer::quadratic_convolution(*window, *channels)
                }
                Layer::Residual(branch) => Layer::Residual(turned(branch)?),
                Layer::ReZero(branch) => Layer::ReZero(turned(branch)?),
                other => other.clone(),
            })
        });
        each.collect()
    }
    let layers = turned(network.layers())?;
    // What is drawn here is overwritten, so that the seed does not matter.
    let mut rng = chiasm_core::Streams::new(0).stream("from ordinary");
    let mut square = Network::new(network.n_inputs(), &layers, &mut rng)?;
    let ordinary = &network.parameters().arrays;
    for array in &mut square.parameters_mut().arrays {
        let name = array.name.replace(".r.", ".");
        if let Some(same) = ordinary.iter().find(|a| a.name == name) {
            array.values.clone_from(&same.values);
        }
    }
    square.statistics_mut().clone_from(network.statistics());
    Ok(square)
}

/// The sizes (Frobenius) of the three weight matrices of a quadratic layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// The layer, as in the names of its parameters.
    pub layer: String,
    /// Of `w_r`.
    pub r: f64,
    /// Of `w_g`; 0 where there is none.
    pub g: f64,
    /// Of `w_b`; 0 where there is none.
    pub b: f64,
}

impl Parts {
    /// Of every quadratic layer of a network, in their order.
    #[must_use]
    pub fn of<T: Real>(network: &Network<T>) -> Vec<Self> {
        let arrays = &network.parameters().arrays;
        let size = |name: &str| {
            arrays.iter().find(|a| a.name == name).map_or(0.0, |a| {
                let squares = a.values.iter().map(|v| v.wide() * v.wide());
                squares.sum::<f64>().sqrt()
            })
        };
        let layers = arrays
            .iter()
            .filter_map(|a| a.name.strip_suffix(".r.weight"));
        layers
            .map(|layer| Self {
                layer: layer.into(),
                r: size(&format!("{layer}.r.weight")),
                g: size(&format!("{layer}.g.weight")),
                b: size(&format!("{layer}.b.weight")),
            })
            .collect()
    }
}

/// The weight that unit `unit` of the first layer, a full quadratic one, gives each input at `x`: with it,
/// `f(x) = x.weight + b_r b_g + c`, and `weight = w_r (w_g.x + b_g) + w_g b_r + w_b x`.
///
/// # Errors
/// A first layer of another kind; a unit or input that does not fit.
pub fn attention<T: Real>(
    network: &Network<T>,
    unit: usize,
    x: ArrayView1<'_, T>,
) -> Result<Array1<T>, NetworkError> {
    let full = matches!(
        network.layers().first(),
        Some(Layer::Quadratic {
            terms: crate::network::Terms::Full,
            ..
        })
    );
    SettingError::check(
        full,
        "layers.0",
        "a quadratic layer with all its parts",
        "another",
    )?;
    let arrays = &network.parameters().arrays;
    let of = |name: &str| {
        let array = arrays.iter().find(|a| a.name == name);
        array.map_or((&[][..], [0, 0]), |a| (&a.values[..], a.shape))
    };
    let (r, [inputs, outputs]) = of("0.r.weight");
    for (what, expected, found) in [
        ("inputs, columns", inputs, x.len()),
        ("unit, below", outputs, unit),
    ] {
        let fine = if what == "unit, below" {
            found < expected
        } else {
            found == expected
        };
        if !fine {
            return Err(NetworkError::Shape {
                what,
                expected,
                found,
            });
        }
    }
    let (g, b) = (of("0.g.weight").0, of("0.b.weight").0);
    let (b_r, b_g) = (of("0.r.bias").0[unit], of("0.g.bias").0[unit]);
    let at = |w: &[T], i: usize| w[i * outputs + unit];
    let factor = x.iter().enumerate().map(|(i, x)| at(g, i) * *x).sum::<T>() + b_g;
    let weights = x.iter().enumerate();
    Ok(weights
        .map(|(i, x)| at(r, i) * factor + at(g, i) * b_r + at(b, i) * *x)
        .collect())
}

/// In how many directions the function of a network can move at its parameters: the rank of the derivatives of its outputs on
/// the points `x` `[point, input]` with respect to the parameters, singular values below `1e-9` of the largest being 0. With
/// more points than that it is the dimension of the family of functions there.
///
/// # Errors
/// As [`Network::outputs`]; derivatives whose singular values were not found.
pub fn family_dimension(
    network: &Network<f64>,
    x: ArrayView2<'_, f64>,
) -> Result<usize, NetworkError> {
    let jacobian = network.jacobian(x)?;
    let (rows, columns) = jacobian.dim();
    let view = MatRef::from_row_major_slice(jacobian.as_slice().unwrap_or(&[]), rows, columns);
    let values = Mat::singular_values(&view.to_owned()).map_err(|_| NetworkError::Diverged {
        quantity: "the decomposition of the derivatives".into(),
        epoch: 0,
        step: 0,
    })?;
    let largest = values.first().copied().unwrap_or(0.0);
    Ok(values.iter().filter(|v| **v > 1e-9 * largest).count())
}

/// Parameters of a residual network for images of three colors and ten classes (He et al. 2016): depth `6 blocks + 2`, 16, 32
/// and 64 channels, shortcuts without parameters, batch norm after every convolution. With `quadratic`, all convolutions but
/// the first are quadratic: three convolutions, each with a bias, where an ordinary one has none.
#[must_use]
pub fn residual_network_parameters(blocks: usize, quadratic: bool) -> usize {
    let convolution = |from: usize, to: usize| {
        let weights = 9 * from * to;
        let norm = 2 * to;
        norm + if quadratic {
            3 * (weights + to)
        } else {
            weights
        }
    };
    let stem = 9 * 3 * 16 + 2 * 16;
    let mut total = stem + 64 * 10 + 10;
    let mut from = 16;
    for to in [16, 32, 64] {
        for _ in 0..blocks {
            total += convolution(from, to) + convolution(to, to);
            from = to;
        }
    }
    total
}
